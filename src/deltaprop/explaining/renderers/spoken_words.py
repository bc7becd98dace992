"""How signs, symbols and functions are said, and sentences with them: in English and Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TypeAlias

from deltaprop.characters import readable
from deltaprop.notation.digits import ABSENT

__all__ = [
    "SPOKEN", "Words", "said", "said_call", "said_function", "said_letter", "said_number",
    "said_power",
]  # fmt: skip

Words: TypeAlias = Mapping[str, str]

# how signs and symbols are said; a language more is one more of these
SPOKEN: Mapping[str, Words] = {
    "en": {
        "=": " equals ", "≈": " is about ", "+": " plus ", "-": " minus ", "*": " times ",
        "/": " divided by ", "entries *": " times, entry by entry, ",
        "entries /": " divided, entry by entry, by ", "negative": "minus {number}",
        "positive": "plus {number}", "ten": "{number} times ten to the {exponent}",
        "power": "{base} to the power of {exponent}", "squared": "{base} squared",
        "parentheses": "open parenthesis {inner} close parenthesis",
        "open": "open parenthesis ", "close": " close parenthesis",
        "if": "1 if {left} {relation} {right}, else 0", ">": "is greater than",
        ">=": "is at least", "<": "is less than", "<=": "is at most", "==": "equals",
        "function": "{name} of {argument}", "call": "{name} of ", "sqrt": "the square root",
        "abs": "the absolute value", "log": "the natural logarithm",
        "ln": "the natural logarithm", "sum": "the sum over the samples",
        "sum over": "the sum over {index} of ",
        "mean": "the mean of the row", "norm": "the norm", "norm of": "the norm of {argument}",
        "prime": "{name} prime", "layer": "{symbol} of layer {layer}",
        "layers": "{symbol} between layers {one} and {other}",
        "by": "the derivative of {above} by {symbol}",
        "new": "new {symbol}", "kept": "{state} of {symbol}", "all": "the sum of {symbol}",
        "part": "{symbol}, entries {part}", "transposed": "{symbol} transposed", "pi": "pi",
        "is transposed": ", transposed", "rounded": ", rounded", "inf": "infinity",
        "Σ": "sum", "nan": "not a number", "rest": "{more} of together {number}",
        "numbers": "In numbers: {formula}", "row": "row {number}: {cells}",
        "shape": "{symbol}, {rows} by {columns}", "first": "{shape}, of which the first",
        "curve": "{title}: a curve along {below}, from {y0} at {x0} to {y1} at {x1}.",
        "picture": "A picture of {rows} rows and {columns} columns.", "right": "Proved",
        "wrong": "Wrong", "kink": "Open", ",": ", ", ";": "; ", ":": ": ", ".": ".", "→": " to ",
        "…": " to ", "≥": " is at least ", "≤": " is at most ", "·": " times ", "|": " bar ",
        "∂": "d ", ABSENT: "none",
    },
    "zh": {
        "=": " 等于 ", "≈": " 约等于 ", "+": " 加 ", "-": " 减 ", "*": " 乘 ",
        "/": " 除以 ", "entries *": " 逐项乘 ",
        "entries /": " 逐项除以 ", "negative": "负 {number}",
        "positive": "正 {number}", "ten": "{number} 乘十的 {exponent} 次方",
        "power": "{base} 的 {exponent} 次方", "squared": "{base} 的平方",
        "parentheses": "左括号 {inner} 右括号",
        "open": "左括号 ", "close": " 右括号",
        "if": "若 {left} {relation} {right} 则为 1，否则为 0", ">": "大于",
        ">=": "不小于", "<": "小于", "<=": "不大于", "==": "等于",
        "function": "{name} 作用于 {argument}", "call": "{name} ", "sqrt": "根号",
        "abs": "绝对值", "log": "自然对数", "ln": "自然对数", "sum": "对样本求和",
        "sum over": "对 {index} 求和 ", "mean": "该行的平均",
        "norm": "范数", "norm of": "{argument} 的范数", "prime": "{name} 的导函数",
        "layer": "第 {layer} 层的 {symbol}", "layers": "第 {one}、{other} 层之间的 {symbol}",
        "by": "{above} 对 {symbol} 的导数", "Σ": "总和",
        "new": "新的 {symbol}", "kept": "{symbol} 的 {state}", "all": "{symbol} 之和",
        "part": "{symbol} 第 {part} 项", "transposed": "{symbol} 的转置",
        "is transposed": " 的转置", "rounded": "（已舍入）", "pi": "圆周率", "inf": "无穷大",
        "nan": "非数", "rest": "{more}，共 {number}", "numbers": "代入数值：{formula}",
        "shape": "{symbol}，{rows} 行 {columns} 列", "first": "{shape}，只列前面的",
        "row": "第 {number} 行：{cells}", "right": "已验证", "wrong": "有误", "kink": "未判断",
        "curve": "{title}：曲线，横轴是 {below}，从 {x0} 处的 {y0} 到 {x1} 处的 {y1}。",
        "picture": "一幅 {rows} 行 {columns} 列的图。",
        ",": "，", ";": "；", ":": "：", ".": "。", "→": " 到 ", "…": " 到 ",
        "≥": " 不小于 ", "≤": " 不大于 ", "·": " 乘 ", "|": " 竖线 ", "∂": "d ",
        ABSENT: "无",
    },
}  # fmt: skip

_LETTERS = {
    "ℓ": "l", "ᵈ": " data", "ᵀ": " T", "\u0303": " tilde", "\u0302": " hat", "\u0304": " bar",
    "½": "1/2", "ᵢ": " i", "ⱼ": " j",
}  # fmt: skip
_ADDRESS = re.compile(r"(\S+://\S+)")
_NUMBER = re.compile(r"(?<![\w.])([-+])(?=\d|inf)")
_MINUS = re.compile(r"(?<![\w.)\]-])-(?=[^\W\d])")  # of a letter, not of a word or an option
_POWER = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+|\^\d+")
_EXPONENT = re.compile(r"(?<![\w.])(\d[\d.]*)e([+-]?\d+)\b")
_DERIVATIVE = re.compile(r"[∂d]([Lℓ])/[∂d](\w[ᵢⱼ₀₁₂₃₄₅₆₇₈₉]*)")
_SUM_OVER = re.compile("Σ([ᵢⱼ]) ?")
_NORM = re.compile(r"\|([^|]+)\|")
# in formulas, not in names such as "mass (kg)": a call, and a sum in parentheses
_CALL = re.compile(r"\b((?:exp|ln|log|sigmoid|softmax|tanh|[a-zA-Z])'?)\(([^()]*)\)")
_GROUP = re.compile(r"(?<![A-Za-z0-9])\(([^()]* [-+] [^()]*)\)")
_ARROW = re.compile(r"\s*[→←]\s*([,，.。]|$)|^← ")  # one that points at nothing
_CHINESE_STOP = re.compile(r" ?([，。；：（）、]) ?")  # wide enough without blanks
_SPACED = re.compile(r" ([-+=/*·|]) | ?([≈→…≥≤·|=∂]) ?")


def said(text: str, words: Words) -> str:
    """Return a sentence with its signs in words: "δ = dL/dz" as "delta equals ..."."""
    parts = _ADDRESS.split(readable(text))  # addresses stand between other text
    said = (part if i % 2 else _in_words(part, words) for i, part in enumerate(parts))
    return _CHINESE_STOP.sub(r"\1", " ".join("".join(said).split()))


def _in_words(text: str, words: Words) -> str:
    """Return text that is no address with its signs in words; blanks are put right later."""
    text = text.replace("_", " ")
    text = _SUM_OVER.sub(lambda m: words["sum over"].format(index=m[1]), text)
    text = text.replace("Σ", words["Σ"])
    text = _DERIVATIVE.sub(lambda m: words["by"].format(above=m[1], symbol=m[2]), text)
    text = _ARROW.sub(lambda m: m[1] or "", text)
    text = _NORM.sub(lambda m: words["norm of"].format(argument=m[1]), text)
    text = _bracketed(text, words)
    text = _EXPONENT.sub(lambda m: said_number(m[0], words), text)
    sign = {"-": "negative", "+": "positive"}
    text = _NUMBER.sub(lambda m: words[sign[m[1]]].format(number=""), text)
    text = _MINUS.sub(words["negative"].format(number=""), text)
    text = _POWER.sub(lambda m: " " + said_power("", m[0].lstrip("^"), words), text)
    text = _SPACED.sub(lambda m: words[m[1] or m[2]], text)
    return "".join(map(said_letter, text))


def _bracketed(text: str, words: Words) -> str:
    """Return text with the parentheses of its formulas in words, the innermost ones first."""

    def group(found: re.Match[str]) -> str:
        return words["parentheses"].format(inner=found[1])

    def call(found: re.Match[str]) -> str:
        name, argument = found.groups()
        if name.endswith("'"):
            return said_function(name, argument, words)
        simple = re.fullmatch(r"\w+", argument)
        enclosed = argument if simple else words["parentheses"].format(inner=argument)
        return said_call(name, words) + enclosed

    before = ""
    while text != before:
        before, text = text, _GROUP.sub(group, _CALL.sub(call, text))
    return text


def _function(name: str, words: Words) -> str:
    """Return what a function is called: "the natural logarithm", "tanh prime"."""
    plain = name.removesuffix("'")
    said = words.get(plain, plain.replace("_", " "))
    return said if name == plain else words["prime"].format(name=said)


def said_function(name: str, argument: str, words: Words) -> str:
    """Return "tanh of z", where what it is taken of needs no parentheses."""
    return words["function"].format(name=_function(name, words), argument=argument)


def said_call(name: str, words: Words) -> str:
    """Return "tanh of ", before a parenthesis that is said, too."""
    return words["call"].format(name=_function(name, words))


def said_power(base: str, exponent: str, words: Words) -> str:
    """Return "z squared", or to another power."""
    is_square = unicodedata.normalize("NFKC", exponent) == "2"
    return words["squared" if is_square else "power"].format(base=base, exponent=exponent)


def said_letter(c: str) -> str:
    """Return a letter as it is pronounced: Greek ones by name, lowered digits as digits."""
    if c in _LETTERS:
        return _LETTERS[c]
    name = unicodedata.name(c, "")
    if name.startswith("GREEK"):
        return f" {name.rpartition(' ')[2].lower()} "
    return f" {unicodedata.normalize('NFKC', c)}" if name.startswith(("SUPER", "SUBSCR")) else c


def said_number(text: str, words: Words) -> str:
    """Return a displayed number in words where it has signs: "-1e-05"."""
    if text.startswith("-"):
        return words["negative"].format(number=said_number(text[1:], words))
    mantissa, _, exponent = text.partition("e")
    if exponent:
        whole = said_number(str(int(exponent)), words)
        return words["ten"].format(number=mantissa, exponent=whole)
    return words.get(text, text)
