"""The wording of what is said about a class's papers, and of quizzes: English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CLASSROOM"]

CLASSROOM: Mapping[str, Mapping[str, str]] = {
    "en": {
        "full stop": ".",
        "moodle name": "{heading}, {seed}: {asked}",
        "moodle known": "Worked out so far, as shown",
        "moodle digits": (
            "Work with the numbers as they are shown. Give at least {least} significant digits, "
            "the last one rounded."
        ),
        "class heading": (
            "{folder}, papers: {count}. All right: {right}; with something wrong: {wrong}; "
            "unreadable: {unreadable}."
        ),
        "class mistake": "mistake",
        "class count": "papers",
        "class which": "which",
        "class paper": "paper",
        "class numbers right": "right",
        "class verdict": "mistakes",
        "class all right": "all right",
        "class unreadable": "unreadable: {reason}",
        "class no worked example": "It is no JSON or YAML file (.json, .yaml, .yml).",
        "class closed folder": "It is a folder that cannot be looked into.",
        "class no file": "It is no file, or a link to one that is not there.",
        "class nested": "Its lists are nested too deeply.",
        "feedback title": "Feedback: {name}",
        "feedback unreadable": "This paper could not be read.",
        "feedback all right": "All {count} numbers are right.",
        "feedback summary": (
            "{right} of {count} numbers are right. Wrong: {wrong}; right if earlier numbers were: "
            "{follows}."
        ),
        "feedback conventions": "Read in the conventions it is written in ({conventions}).",
        "feedback step": "step {step}: ",
        "feedback first": "What to look at",
        "feedback mistake": "{described} ({mistake}).",
        "feedback every": "Every number",
        "feedback number": "number",
        "feedback yours": "yours",
        "feedback exactly": "exactly",
        "feedback verdict": "verdict",
        "feedback numbers": "{count} numbers",
        "feedback right": "right",
        "feedback follows": "follows",
        "feedback wrong": "wrong",
    },
    "zh": {
        "full stop": "。",
        "moodle name": "{heading}，{seed}：{asked}",
        "moodle known": "前面已经算出，请按显示的数值使用",
        "moodle digits": "请用显示的数值计算，答案至少给出 {least} 位有效数字，末位四舍五入。",
        "class heading": (
            "{folder}，作业 {count} 份：全部正确 {right} 份，有错误 {wrong} 份，"
            "无法读取 {unreadable} 份。"
        ),
        "class mistake": "错误",
        "class count": "份数",
        "class which": "哪些作业",
        "class paper": "作业",
        "class numbers right": "答对",
        "class verdict": "所犯的错误",
        "class all right": "全部正确",
        "class unreadable": "无法读取：{reason}",
        "class no worked example": "不是 JSON 或 YAML 文件（.json、.yaml、.yml）。",
        "class closed folder": "无法打开这个文件夹。",
        "class no file": "不是文件，或者是一个失效的链接。",
        "class nested": "列表嵌套过深。",
        "feedback title": "批改：{name}",
        "feedback unreadable": "这份作业无法读取。",
        "feedback all right": "{count} 个数全部正确。",
        "feedback summary": (
            "{count} 个数中 {right} 个正确，{wrong} 个错误，{follows} 个由前面的错误得来。"
        ),
        "feedback conventions": "按作业所用的约定批改：{conventions}。",
        "feedback step": "第 {step} 步：",
        "feedback first": "请先看这里",
        "feedback mistake": "{described}（{mistake}）。",
        "feedback every": "逐个批改",
        "feedback number": "量",
        "feedback yours": "你的答案",
        "feedback exactly": "正确值",
        "feedback verdict": "判定",
        "feedback numbers": "{count} 个数",
        "feedback right": "正确",
        "feedback follows": "由前面的错误得来",
        "feedback wrong": "错误",
    },
}
