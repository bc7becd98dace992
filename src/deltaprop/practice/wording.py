"""The wording of practice, as data: English and Chinese, equal in content.

What stands between backticks is a formula; every medium writes it in its own way.
"""

from __future__ import annotations

from collections.abc import Mapping

from deltaprop.checking.mistakes import MISTAKES
from deltaprop.languages import told
from deltaprop.notation.languages import wording_in
from deltaprop.practice.classroom.wording import CLASSROOM
from deltaprop.practice.exercises.wording import COURSE

__all__ = ["WORDINGS", "mistake_described", "slip_described", "slip_named", "wording_of"]

_EN = {
    "sheet": "Practice: one step of back-propagation",
    "key": "Key: one step of back-propagation",
    "exercise": "Level {level}: {title}",
    "numbered": "Exercise {number}. Level {level}: {title}",
    "inputs": "inputs",
    "layer": "layer {number}: {activation}",
    "output": "output: {activation}",
    "loss column": "loss",
    "given": "Given",
    "told": "Told, to work with or to check by",
    "wanted": "Wanted",
    "answers": "Answers. {heading}",
    "name": "Name:",
    "date": "Date:",
    "forward rule": "`z = a W + b`, with `x` as the first `a`; a row of `x` is a sample.",
    "forward rule without b": "`z = a W`, with `x` as the first `a`; a row of `x` is a sample.",
    "weights rule": "Row i of `W` belongs to input i, column j to neuron j; `δ = ∂L/∂z`.",
    "step rule": "One step of gradient descent: `W′ = W − η ∂L/∂W`, every gradient at the old `W`.",
    "step rule with b": (
        "One step of gradient descent: `W′ = W − η ∂L/∂W`, `b′ = b − η ∂L/∂b`, every gradient at "
        "the old `W` and `b`."
    ),
    "loss rule": "The loss is {loss}: `{formula}`.",
    "mean rule": "The mean of the loss over the {count} samples is taken.",
    "penalty rule": "The penalty counts in `L` and in `∂L/∂W`; biases have none.",
    "relu rule": "`relu(z) = max(0, z)`, with derivative 0 at 0.",
    "tanh rule": "`a = tanh(z)` has the derivative `1 − a²`.",
    "sigmoid rule": "`a = sigmoid(z) = 1 / (1 + exp(−z))` has the derivative `a (1 − a)`.",
    "softmax rule": "softmax: `exp(z)` of one score over the sum of `exp(z)` of all.",
    "exact": "The answers are short decimals; {least} significant digits are enough.",
    "rounded": "{least} significant digits are enough; work with {working}.",
    "again": "Once more: deltaprop practice --level {level} --seed {seed}",
    "made by": "deltaprop {version}",
    "how": (
        "Write the numbers in order, such as 0.5, -1/3. Or write: ? for a hint, skip, show "
        "(the exercise), quit."
    ),
    "prompt": "[{number}/{count}] {symbols} = ",
    "not understood one": "One number is wanted, such as -0.25 or 1/3; or ?, skip, show, quit.",
    "not understood": (
        "{count} numbers are wanted, such as 0.5, -1/3; or write ?, skip, show, quit."
    ),
    "right": "Right.",
    "is right": "{symbol} is right.",
    "too few digits": "{symbol} = {claimed} is right but rounded; give {least} significant digits.",
    "follows": (
        "{symbol} = {claimed} follows from an earlier slip: it would be right if that were. On."
    ),
    "wrong": "{symbol} = {claimed} is wrong: {described} ({mistake}).",
    "or": " The same number comes of {names}.",
    "slip": "{symbol} = {claimed} is wrong: a slip in the arithmetic; no named mistake gives it.",
    "should be": " It should be {right}.",
    "try again": "Try again, or write ? for a hint.",
    "hint 1": "The line in symbols:",
    "hint 2": "With the numbers put in:",
    "hint 3": "And the result:",
    "skipped": "Left out.",
    "left": "You left off here.",
    "score": "{right} of {count} numbers right, {first} at once and without a hint.",
    "score open": "Open: {left_out} left out, {wrong} wrong, {follows} following from a slip.",
    "score hints": "Hints: {hints}.",
    "marked": "{count} of {asked} numbers are there.",
    "to know": "Every line: the same command with --key FILE.",
    "separator": ", ",
    "named": "{described} ({mistake})",
    "mistake arithmetic": "a slip in the arithmetic, as no named mistake gives it",
    "mistake systematic": "all of these numbers are wrong, and no named mistake gives them",
}

_ZH = {
    "sheet": "练习：反向传播的一步",
    "key": "答案：反向传播的一步",
    "exercise": "第 {level} 级：{title}",
    "numbered": "练习 {number}（第 {level} 级）：{title}",
    "inputs": "输入",
    "layer": "第 {number} 层：{activation}",
    "output": "输出：{activation}",
    "loss column": "损失",
    "given": "已知",
    "told": "已给出，可直接使用或用于检验",
    "wanted": "求",
    "answers": "解答：{heading}",
    "name": "姓名：",
    "date": "日期：",
    "forward rule": "`z = a W + b`，第一层的 `a` 就是 `x`；`x` 的每一行是一个样本。",
    "forward rule without b": "`z = a W`，第一层的 `a` 就是 `x`；`x` 的每一行是一个样本。",
    "weights rule": "`W` 的第 i 行对应输入 i，第 j 列对应神经元 j；`δ = ∂L/∂z`。",
    "step rule": "梯度下降一步：`W′ = W − η ∂L/∂W`，所有梯度都按旧的 `W` 计算。",
    "step rule with b": (
        "梯度下降一步：`W′ = W − η ∂L/∂W`，`b′ = b − η ∂L/∂b`，所有梯度都按旧的 `W` 和 `b` 计算。"
    ),
    "loss rule": "损失为{loss}：`{formula}`。",
    "mean rule": "损失取 {count} 个样本的平均。",
    "penalty rule": "惩罚项计入 `L` 和 `∂L/∂W`；偏置没有惩罚项。",
    "relu rule": "修正线性单元（ReLU）：`relu(z) = max(0, z)`，在 0 处的导数取 0。",
    "tanh rule": "双曲正切（tanh）：`a = tanh(z)`，导数是 `1 − a²`。",
    "sigmoid rule": (
        "S 型函数（sigmoid）：`a = sigmoid(z) = 1 / (1 + exp(−z))`，导数是 `a (1 − a)`。"
    ),
    "softmax rule": "归一化指数函数（softmax）：每个得分的 `exp(z)` 除以所有得分的 `exp(z)` 之和。",
    "exact": "答案的小数位数都不多；给出 {least} 位有效数字即可。",
    "rounded": "给出 {least} 位有效数字即可；计算过程中请保留 {working} 位。",
    "again": "重做本题：deltaprop practice --level {level} --seed {seed} --language zh",
    "made by": "deltaprop {version}",
    "how": (
        "按顺序写出各数，例如 0.5, -1/3。也可以输入：? 看提示，skip 跳过，show 看题目，quit 结束。"
    ),
    "prompt": "[{number}/{count}] {symbols} = ",
    "not understood one": "这里要一个数，例如 -0.25 或 1/3；也可以输入 ?、skip、show 或 quit。",
    "not understood": "这里要 {count} 个数，例如 0.5, -1/3；也可以输入 ?、skip、show 或 quit。",
    "right": "正确。",
    "is right": "{symbol} 正确。",
    "too few digits": "{symbol} = {claimed} 是对的，但位数不够；请给出 {least} 位有效数字。",
    "follows": "{symbol} = {claimed} 由前面的错误得来：如果前面的数没错，它就是对的。继续。",
    "wrong": "{symbol} = {claimed} 错误：{described}（{mistake}）。",
    "or": "这个数也可能由 {names} 得来。",
    "slip": "{symbol} = {claimed} 错误：计算错误，这个数对不上任何一种常见错误。",
    "should be": "应为 {right}。",
    "try again": "请再试一次，或输入 ? 看提示。",
    "hint 1": "符号式：",
    "hint 2": "代入数值：",
    "hint 3": "结果：",
    "skipped": "已跳过。",
    "left": "你在这里停下了。",
    "score": "{count} 个数中答对 {right} 个，其中 {first} 个一次答对且没有看提示。",
    "score open": "未完成：{left_out} 个没有作答，{wrong} 个错误，{follows} 个由前面的错误得来。",
    "score hints": "看提示 {hints} 次。",
    "marked": "共 {asked} 个数，作答了 {count} 个。",
    "to know": "要看每一行的推导，请给同一命令加上 --key FILE。",
    "separator": "，",
    "named": "{described}（{mistake}）",
    "mistake arithmetic": "计算错误，对不上任何一种常见错误",
    "mistake systematic": "这些数全都不对，也对不上任何一种常见错误",
}

WORDINGS: dict[str, Mapping[str, str]] = {
    language: {**own, **CLASSROOM[language], **COURSE[language]}
    for language, own in (("en", _EN), ("zh", _ZH))
}


def wording_of(language: str) -> Mapping[str, str]:
    """Return the wording in a language, by key; raise UnknownNameError where there is none."""
    return wording_in(language, WORDINGS)


def mistake_described(name: str, language: str) -> str:
    """Return what goes wrong in a named mistake, in one line."""
    return told(MISTAKES[name].doc, language)


def slip_described(name: str, language: str) -> str:
    """Return what goes wrong in a named mistake, or in a slip that has no name, in one line."""
    return wording_of(language).get(f"mistake {name}") or mistake_described(name, language)


def slip_named(name: str, language: str) -> str:
    """Return what goes wrong with its name behind it, as in a table."""
    described = slip_described(name, language)
    return wording_of(language)["named"].format(described=described, mistake=name)
