"""Which characters of somebody's text may be shown as they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

__all__ = ["JOINERS", "escaped", "readable"]

JOINERS = "\u200c\u200d"  # Persian words and the faces of families are spelt with them


def readable(text: str, instead: str | Callable[[str], str] = " ") -> str:
    """Return the text with what steers instead of showing replaced.

    Controls, marks of direction, ends of lines, surrogates and characters that Unicode does not
    assign can move a terminal's cursor, turn a line around or make a page invalid. Letters of every
    language, the blanks of typography (no-break, ideographic, narrow) and the joiners inside words
    stay. ``instead`` stands for such a character, or makes of it what does.
    """
    if text.isprintable():
        return text
    replaced = instead if callable(instead) else lambda _: instead
    return "".join(c if _shows(c) else replaced(c) for c in text)


def escaped(text: str) -> str:
    r"""Return the text with what steers written as Python writes it: ``\x1b``, ``\n``."""
    return readable(text, lambda c: c.encode("unicode_escape").decode("ascii"))


def _shows(c: str) -> bool:
    return c.isprintable() or c in JOINERS or unicodedata.category(c) == "Zs"
