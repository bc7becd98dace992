"""Which characters of somebody's text may be shown as they are, and which mean digits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

__all__ = ["JOINERS", "escaped", "plain_digits", "readable"]

JOINERS = "\u200c\u200d"  # Persian words and the faces of families are spelt with them

_RAISED = re.compile("[⁺⁻]?[⁰¹²³⁴-⁹]+")


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


def plain_digits(text: str) -> str:
    """Return the text with full-width digits and signs, and all blanks, as ASCII has them.

    Raised digits become a power: ``10²`` is ``10^2``, never 102.
    """
    if text.isascii():
        return text
    text = _RAISED.sub(lambda found: f"^{found[0]}", text)
    return unicodedata.normalize("NFKC", text).replace("\u2212", "-")


def _shows(c: str) -> bool:
    return c.isprintable() or c in JOINERS or unicodedata.category(c) == "Zs"
