"""Widths in a terminal, where a Chinese character takes two columns."""

from __future__ import annotations

import re
import textwrap
import unicodedata

from deltaprop.characters import JOINERS

__all__ = ["cells", "pad", "wrap"]

# a word, a blank, or a Chinese character with the punctuation that may not begin a line
_PIECE = re.compile(r" +|[^ \u2e80-\uffef]+[、。，；：！？）]*|[\u2e80-\uffef][、。，；：！？）]*")


def cells(text: str) -> int:
    """Return how many columns a text takes."""
    return sum(map(_cells, text))


def _cells(c: str) -> int:
    if unicodedata.combining(c) or c in JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def pad(text: str, width: int) -> str:
    """Return the text filled with blanks up to a width."""
    return text + " " * (width - cells(text))


def wrap(text: str, width: int) -> list[str]:
    """Return the lines of a text; Chinese breaks between characters, other words stay whole."""
    if cells(text) == len(text):
        return textwrap.wrap(text, width)
    lines, line = [], ""
    for piece in _PIECE.findall(text):
        if line and cells(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
        while cells(line.rstrip()) > width:  # a word that no line has room for
            at = next(n for n in range(1, len(line) + 1) if cells(line[: n + 1]) > width)
            lines.append(line[:at])
            line = line[at:]
    return [*lines, line] if line else lines
