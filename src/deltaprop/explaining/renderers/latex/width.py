"""How wide a LaTeX formula is set, roughly, and where a long one is broken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

__all__ = ["broken", "widest_piece", "width"]

_PART = re.compile(r"\\[A-Za-z]+|\\.|[{}^_&]|.", re.DOTALL)
_SMALL = 0.72  # an index or exponent beside what it belongs to

# in em
_WIDTHS = {
    **dict.fromkeys((r"\text", r"\mathrm", r"\tilde", " "), 0.0),
    **dict.fromkeys((r"\left", r"\right"), 0.2),
    **dict.fromkeys("[].|", 0.3),
    **dict.fromkeys("()", 0.4),
    **dict.fromkeys("0123456789", 0.5),
    **dict.fromkeys((r"\times", "+", "-"), 1.25),
    **dict.fromkeys((r"\approx", r"\ge", r"\le", "=", ">", "<"), 1.35),
    ",": 0.45,
    ":": 0.8,
    r"\cdot": 0.75,
    r"\exp": 1.6,
    r"\ln": 1.0,
    r"\tanh": 2.2,
    r"\cos": 1.6,
    r"\sin": 1.5,
    r"\max": 1.9,
    r"\sqrt": 0.9,
    r"\quad": 1.0,
    r"\partial": 0.58,
    r"\delta": 0.46,
    r"\lambda": 0.6,
}
_SIGN = 0.8  # a minus that belongs to one number
_BESIDE_FRACTION = 0.25
_CHINESE = 1.0
_OTHER = 0.58


@lru_cache(maxsize=4096)
def width(formula: str) -> float:
    """Return about how wide a formula is, in em of the font it is set in."""
    parts = _PART.findall(formula)
    total, _ = _measure(parts, 0, closing=False)
    return total


def _measure(parts: list[str], at: int, closing: bool) -> tuple[float, int]:
    total = 0.0
    while at < len(parts):
        part = parts[at]
        at += 1
        known = _WIDTHS.get(part)
        if known is not None:
            total += known
            if part == "-" and (at == 1 or parts[at - 2] in "({["):
                total += _SIGN - known
        elif part == "}" and closing:
            return total, at
        elif part == "{":
            inner, at = _measure(parts, at, closing=True)
            total += inner
        elif part in "^_":
            script, at = _script(parts, at)
            if at < len(parts) and parts[at] in "^_" and parts[at] != part:
                other, at = _script(parts, at + 1)  # one above the other
                script = max(script, other)
            total += _SMALL * script
        elif part == r"\frac":
            above, at = _script(parts, at)
            below, at = _script(parts, at)
            total += max(above, below) + _BESIDE_FRACTION
        else:
            total += _CHINESE if ord(part[0]) > 0x2E7F else _OTHER
    return total, at


def _script(parts: list[str], at: int) -> tuple[float, int]:
    if at < len(parts) and parts[at] == "{":
        return _measure(parts, at + 1, closing=True)
    return _WIDTHS.get(parts[at], _OTHER) if at < len(parts) else 0.0, at + 1


def broken(formula: str, room: float) -> list[str]:
    """Return the rows of a formula, broken before its outermost signs, deeper only if need be.

    A row that cannot be broken is longer than the room.
    """
    rows = [""]
    used = 0.0
    for piece in _cut(formula, room):
        wide = width(piece)
        if rows[-1] and used + wide > room:
            rows.append("")
            used = 0.0
        rows[-1] += piece
        used += wide
    return [row.strip() for row in rows]


def widest_piece(formula: str) -> float:
    """Return how wide the widest part of a formula is that stays on one row."""
    return max(width(piece) for piece in _pieces(formula, _EVERYWHERE, _DEEPEST))


_DEEPEST = 12  # parentheses in each other
_GROUPS = r"\\left(?![a-z])|\\right(?![a-z])|[{}()\[\]]"
_SIGNS = re.compile(rf"{_GROUPS}| [+-] ")
_EVERYWHERE = re.compile(rf"{_GROUPS}| (?:[+/-]|\\times|\\cdot) ")
_TIGHT = {"{": 1, r"\left": 1, "}": -1, r"\right": -1}
_LOOSE = {"(": 1, "[": 1, ")": -1, "]": -1}


def _cut(formula: str, room: float, level: int = 0) -> Iterator[str]:
    """Yield a formula in pieces that have room, cut at as few parentheses deep as possible."""
    if width(formula) <= room or level > _DEEPEST:
        yield formula
        return
    for term in _pieces(formula, _SIGNS, level):
        if width(term) <= room:
            yield term
            continue
        for factor in _pieces(term, _EVERYWHERE, level):
            yield from _cut(factor, room, level + 1)


def _pieces(formula: str, breaks: re.Pattern[str], level: int) -> Iterator[str]:
    """Yield what may stand on rows of their own; nothing in braces or in high brackets is torn."""
    start = tight = loose = 0
    for found in breaks.finditer(formula):
        at = found[0]
        tight += _TIGHT.get(at, 0)
        loose += _LOOSE.get(at, 0)
        outer = tight == 0 and loose <= level
        if at[0] == " " and outer and found.start() > start:
            yield formula[start : found.start()]
            start = found.start()
    yield formula[start:]
