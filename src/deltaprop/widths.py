"""Texts in the columns of a terminal, where a Chinese character takes two."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate

from deltaprop.characters import JOINERS

__all__ = ["clip", "pad", "table_lines", "text_width", "wrap"]

_GAP = 2  # between columns of a table
_NARROWEST = 12  # to which a column gives way

# a word, a blank or a Chinese character, with punctuation that may neither begin nor end a line
_PIECE = re.compile(
    r" +|[（《「“\[]*(?:[^ \u2e80-\uffef]+|[\u2e80-\uffef])[、。，；：！？）》」”\]…]*"
)


def text_width(text: str) -> int:
    """Return how many columns a text takes."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


@lru_cache(maxsize=4096)  # formulas are made of few characters, asked for again and again
def _character_width(c: str) -> int:
    if unicodedata.combining(c) or c in JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def clip(text: str, most: float) -> str:
    """Return a text, shortened to so many columns: in place of the rest stands an ellipsis."""
    at = _fitting(text, most)
    return text if at == len(text) else text[: _fitting(text, most - 1)] + "…"


def _fitting(text: str, most: float) -> int:
    """Return how many characters of a text take at most so many columns."""
    taken = accumulate(map(_character_width, text))
    return next((at for at, width in enumerate(taken) if width > most), len(text))


def pad(text: str, width: int) -> str:
    """Return the text filled with blanks up to a width."""
    return text + " " * (width - text_width(text))


def wrap(text: str, width: int) -> list[str]:
    """Return the lines of a text; Chinese breaks between characters, other words stay whole."""
    if all(_character_width(c) == 1 for c in text):
        return textwrap.wrap(text, width, break_on_hyphens=False)
    lines, line = [], ""
    for piece in _PIECE.findall(text):
        if line and text_width(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
        while (at := max(1, _fitting(line.rstrip(), width))) < len(line.rstrip()):
            # a word that no line has room for
            lines.append(line[:at])
            line = line[at:]
    return [*lines, line] if line else lines


def table_lines(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, right: Sequence[int] = ()
) -> Iterator[str]:
    """Yield the lines of a table; cells are wrapped, and columns in ``right`` end alike."""
    table = [header, *rows]
    wide = [max(text_width(row[c]) for row in table) for c in range(len(header))]
    room = width - _GAP * (len(header) - 1)
    while sum(wide) > room and max(wide) > _NARROWEST:
        # the widest gives way to the second widest, so that columns share what there is
        widest, second = wide.index(max(wide)), sorted(wide)[-2]
        wide[widest] = max(
            _NARROWEST, min(second - 1, wide[widest] - 1), room - sum(wide) + max(wide)
        )
    for number, row in enumerate(table):
        cells = [wrap(cell, w) or [""] for cell, w in zip(row, wide, strict=True)]
        for line in range(max(map(len, cells))):
            texts = [cell[line] if line < len(cell) else "" for cell in cells]
            padded = [
                " " * (w - text_width(text)) + text if c in right else pad(text, w)
                for c, (text, w) in enumerate(zip(texts, wide, strict=True))
            ]
            yield (" " * _GAP).join(padded).rstrip()
        if not number:
            yield "─" * min(width, sum(wide) + _GAP * (len(header) - 1))
