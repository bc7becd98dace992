"""The wording of the course, and of what is to be found or mended: English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["COURSE"]

COURSE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "next": (
            "Enter goes on: level {level}, {title}. A number up to {last} chooses another level, "
            "quit ends."
        ),
        "next prompt": "> ",
        "find heading": "Find the mistake. {heading}",
        "find sheet": "Practice: find the mistake",
        "find key": "Key: find the mistake",
        "find working": "Somebody's working, line by line",
        "find wanted": (
            "One mistake was made, and all after it follows from it. Which line is the first that "
            "is wrong, and what was done there?"
        ),
        "find line prompt": "Line (1 to {count}): ",
        "find mistake prompt": "Mistake: ",
        "find not a line": "A line is wanted, from 1 to {count}; or ?, skip, show, quit.",
        "find not a mistake": "A letter is wanted, from a to {last}; or ?, skip, show, quit.",
        "find line right": "Right: line {line}.",
        "find line is right": "Line {line} is right.",
        "find line follows": "Line {line} only follows from the mistake, which is made before.",
        "find line later": "The mistake is made in line {line} too, but not there first.",
        "find mistake right": "Right: {described} ({mistake}).",
        "find mistake wrong": (
            "It is another one: {described} ({mistake}) would give other numbers."
        ),
        "find hint line": "Look here: {phase}.",
        "find hint mistake": "The line should be:",
        "find answer": "Line {line}: {described} ({mistake}). It should be:",
        "fix heading": "Which fix helps? Two inputs, two classes: o and x",
        "fix network": "Network: 2 inputs, a hidden layer of {n} {f} neurons, 1 sigmoid output.",
        "fix network without hidden": "Network: 2 inputs, no hidden layer, 1 sigmoid output.",
        "fix settings": (
            "Binary cross-entropy; gradient descent on all 32 rows at once; learning rate {rate}; "
            "{epochs} epochs."
        ),
        "fix inputs": "Inputs: {range}.",
        "fix range": "from {low} to {high}",
        "fix layer": (
            "Layer {layer} at the start: W {W}; b {b}; a {a}; the largest |∂L/∂W| is {g}."
        ),
        "fix losses": "This run does not learn:",
        "fix epoch": "epoch",
        "fix L": "L",
        "fix rows right": "Rows with their class at the end: {right} of {count}.",
        "fix wanted": "With which of these changes, and everything else as it is, does it learn?",
        "fix prompt": "Change: ",
        "fix hint": "What keeps it from learning: {fault}.",
        "fix right": "Right: with it the loss ends at {loss}.",
        "fix wrong": "With it the loss ends at {loss}.",
        "fix answer": "It does not learn because {fault}. Every change was tried:",
        "fix change": "change",
        "fix loss": "loss at the end",
        "fix outcome": "it",
        "fix helps": "helps",
        "fix is no help": "does not help",
        "fix again": "Once more: deltaprop practice --kind fix --seed {seed}",
        "record": (
            "Exercises since {since}: {count}. Right at once and without a hint: {first} of "
            "{asked} answers; in the last {few} exercises {lately}."
        ),
        "record share": "{share:.0f} %",
        "record empty": "Nothing is noted yet.",
        "record mistake": "mistake",
        "record times": "rows",
        "record lately": "of last {few}",
        "record last": "last made",
        "record aside": "{error} It is called {aside} now, and a new one is begun.",
        "record not kept": "{error} It is left as it is, and nothing is noted.",
        "record lost": "This exercise is not noted: {error}",
    },
    "zh": {
        "next": "按回车键继续：第 {level} 级，{title}。输入 1 到 {last} 可换级别，输入 quit 结束。",
        "next prompt": "> ",
        "find heading": "找出错误——{heading}",
        "find sheet": "练习：找出错误",
        "find key": "答案：找出错误",
        "find working": "一份演算，逐行列出",
        "find wanted": "演算中犯了一个错误，其后的数都由它得来。哪一行最先出错，错在哪里？",
        "find line prompt": "行（1 到 {count}）：",
        "find mistake prompt": "错误：",
        "find not a line": "这里要行号，1 到 {count}；也可以输入 ?、skip、show 或 quit。",
        "find not a mistake": "这里要一个字母，a 到 {last}；也可以输入 ?、skip、show 或 quit。",
        "find line right": "正确：第 {line} 行。",
        "find line is right": "第 {line} 行是对的。",
        "find line follows": "第 {line} 行只是由前面的错误得来。",
        "find line later": "第 {line} 行也犯了这个错误，但不是最先出错的一行。",
        "find mistake right": "正确：{described}（{mistake}）。",
        "find mistake wrong": "不是这个错误：{described}（{mistake}）会得出别的数。",
        "find hint line": "请看这一部分：{phase}。",
        "find hint mistake": "这一行应该是：",
        "find answer": "第 {line} 行：{described}（{mistake}）。应为：",
        "fix heading": "哪种改动有效？两个输入，两个类别：o 和 x",
        "fix network": "网络：2 个输入，一个有 {n} 个 {f} 神经元的隐藏层，1 个 sigmoid 输出。",
        "fix network without hidden": "网络：2 个输入，没有隐藏层，1 个 sigmoid 输出。",
        "fix settings": (
            "损失为二元交叉熵；每次用全部 32 行做梯度下降；学习率 {rate}；共 {epochs} 轮。"
        ),
        "fix inputs": "输入：{range}。",
        "fix range": "{low} 到 {high}",
        "fix layer": "第 {layer} 层开始时：W {W}；b {b}；a {a}；最大的 |∂L/∂W| 为 {g}。",
        "fix losses": "这次训练没有学会：",
        "fix epoch": "轮",
        "fix L": "L",
        "fix rows right": "结束时分类正确的行：{count} 行中有 {right} 行。",
        "fix wanted": "其余不变，作哪一种改动才能学会？",
        "fix prompt": "改动：",
        "fix hint": "学不会的原因：{fault}。",
        "fix right": "正确：改动之后损失最终为 {loss}。",
        "fix wrong": "改动之后损失最终为 {loss}。",
        "fix answer": "学不会的原因：{fault}。每种改动都试过了：",
        "fix change": "改动",
        "fix loss": "最终损失",
        "fix outcome": "结果",
        "fix helps": "有效",
        "fix is no help": "无效",
        "fix again": "重做本题：deltaprop practice --kind fix --seed {seed} --language zh",
        "record": (
            "自 {since} 起共 {count} 道练习：{asked} 个答案中 {first} 个一次答对且没有看提示；"
            "最近 {few} 道：{lately}。"
        ),
        "record share": "{share:.0f}%",
        "record empty": "还没有记录。",
        "record mistake": "错误",
        "record times": "行数",
        "record lately": "最近 {few} 道",
        "record last": "最近一次",
        "record aside": "{error}该文件已改名为 {aside}，并另起一份新记录。",
        "record not kept": "{error}该文件保持原样，这次不作记录。",
        "record lost": "这道练习没有记下：{error}",
    },
}
