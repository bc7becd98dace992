"""What the encoder says it did to a column, in Chinese, too."""

from __future__ import annotations

import re

__all__ = ["done_in"]

# What the encoder says it did, in Chinese; a part that no pattern knows stays as it is.
_DONE_IN_CHINESE = [
    (re.compile(pattern), chinese)
    for pattern, chinese in (
        (r"median (\S+), scale (\S+)", r"中位数 \1，缩放 \2"),
        (r"missing marked in a column of its own", "缺失另用一列标记"),
        (r"(\d+) ranges beside it", r"另加 \1 个区间"),
        (r"one-hot, (\d+) categories", r"独热编码，\1 类"),
        (r"(.*) = -1, (.*) = \+1", r"\1 = -1，\2 = +1"),
        (r"(.*)days since 1970(.*)", r"\g<1>1970 年起的天数\2"),
        (r"marked where missing", "缺失处有标记"),
        (r"zeros where missing", "缺失处为零"),
        (r"TF-IDF of (.*)", r"词频-逆文档频率（TF-IDF）：\1"),
        (r"divided by (\S+)", r"除以 \1"),
        (r"(\S+) columns scaled, (\S+) of them centered", r"缩放 \1 列，其中 \2 列居中"),
        (r"left out: no cell has a value", "略去：所有单元格都为空"),
        (r"left out: every cell is (.*)", r"略去：每个单元格都是 \1"),
        (r"every cell that is not missing is (.*)", r"非缺失的单元格都是 \1"),
        (r"left out: none of its (\S+) values returns", r"略去：它的 \1 个不同值都只出现一次"),
        (r"left out: (\S+) of its (\S+) cells are different, so it is a name or free text",
         r"略去：\2 个单元格中有 \1 个各不相同，是名称或自由文本"),
        (r"(\d+) rarer categories are encoded like unknown ones", r"另有 \1 个少见类别按未知处理"),
        (r"(\d+) cells that are no numbers taken as missing", r"\1 个不是数的单元格视为缺失"),
    )
]  # fmt: skip
_PARTS_IN_CHINESE = {
    "day of week": "星期",
    "month": "月份",
    "hour": "小时",
    "pairs of words": "个词对",
    "pieces of words": "个词片段",
    "words": "个词",
    ", ": "、",
}


def done_in(language: str, done: str) -> str:
    """Return what was done to a column, in a language."""
    if language == "en":
        return done
    return "；".join(_chinese(part) for part in done.split("; "))


def _chinese(part: str) -> str:
    for pattern, chinese in _DONE_IN_CHINESE:
        found = pattern.fullmatch(part)
        if found:
            text = found.expand(chinese)
            if "1970" in chinese or "TF-IDF" in chinese:
                for english, word in _PARTS_IN_CHINESE.items():
                    text = text.replace(english, word)
            return text
    return part
