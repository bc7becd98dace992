"""Where the records of a delimited text end and how many cells each has, counted with NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Layout", "scan"]

_CHUNK = 1 << 24
_QUOTE, _NEWLINE = ord('"'), ord("\n")


@dataclass(frozen=True, slots=True)
class Layout:
    """The records of a delimited text.

    Attributes
    ----------
    separators : int64 array
        Separators outside quotes, per record.
    ends : int64 array
        Offset of the newline that ends each record (of the end of the text for the last).
    lengths : int64 array
        Bytes per record.
    plain_quotes : bool
        Whether every double quote opens or closes a whole cell, or is doubled inside one.
    """

    separators: NDArray[np.int64]
    ends: NDArray[np.int64]
    lengths: NDArray[np.int64]
    plain_quotes: bool


def scan(content: bytes, separator: str) -> Layout:
    """Count the cells of every record of ``content`` (UTF-8, lines ended by a newline)."""
    text = np.frombuffer(content, dtype=np.uint8)
    mark = ord(separator)
    ends: list[NDArray[np.int64]] = []
    counts: list[NDArray[np.int64]] = []
    inside, before, plain = 0, 0, True
    for start in range(0, text.size, _CHUNK):
        chunk = text[start : start + _CHUNK]
        marks, newlines = chunk == mark, chunk == _NEWLINE
        quotes = np.flatnonzero(chunk == _QUOTE)
        if quotes.size:
            plain = plain and _plain(text, quotes + start, inside, mark)
            toggles = np.zeros(chunk.size, dtype=np.uint8)
            toggles[quotes] = 1
            outside = (np.cumsum(toggles, dtype=np.int64) + inside) % 2 == 0
            marks &= outside
            newlines &= outside
            inside = (inside + quotes.size) % 2
        elif inside:
            continue
        here = np.flatnonzero(newlines)
        seen = np.searchsorted(np.flatnonzero(marks), here).astype(np.int64)
        if here.size:
            counts.append(np.diff(seen, prepend=-before))
            before = int(marks.sum()) - int(seen[-1])
        else:
            before += int(marks.sum())
        ends.append(here.astype(np.int64) + start)
    if not content.endswith(b"\n") or inside:
        ends.append(np.array([text.size]))
        counts.append(np.array([before]))
    all_ends = np.concatenate(ends)
    lengths = np.diff(all_ends, prepend=-1) - 1
    return Layout(np.concatenate(counts), all_ends, lengths, plain and not inside)


def _plain(text: NDArray[np.uint8], quotes: NDArray[np.int64], inside: int, mark: int) -> bool:
    """Tell whether these quotes stand where the rules of CSV want them."""
    opening, closing = quotes[inside::2], quotes[1 - inside :: 2]
    previous = text[opening[opening > 0] - 1]
    following = text[closing[closing < text.size - 1] + 1]
    return bool(
        np.isin(previous, (mark, _NEWLINE, _QUOTE)).all()
        and np.isin(following, (mark, _NEWLINE, _QUOTE)).all()
    )
