"""Widths in a terminal, where a Chinese character takes two columns."""

from __future__ import annotations

import textwrap
import unicodedata

__all__ = ["cells", "pad", "wrap"]


def cells(text: str) -> int:
    """Return how many columns a text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def pad(text: str, width: int) -> str:
    """Return the text filled with blanks up to a width."""
    return text + " " * (width - cells(text))


def wrap(text: str, width: int) -> list[str]:
    """Return the lines of a text; Chinese may be broken between any two characters."""
    if cells(text) == len(text):
        return textwrap.wrap(text, width)
    lines, line = [], ""
    for character in text:
        if cells(line + character) > width:
            lines.append(line)
            line = ""
        line += character
    return [*lines, line] if line else lines
