"""Where the records of a delimited text end and how many cells each has, counted with NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Layout", "scan"]

_CHUNK = 1 << 20  # of which a cache holds what is found out about it
_QUOTE, _NEWLINE, _SPACE = ord('"'), ord("\n"), ord(" ")
_NONE = np.empty(0, dtype=np.intp)
_WIDE_BLANKS = (  # the first bytes of all that Unicode calls white space
    b"\xc2\x85", b"\xc2\xa0", b"\xe1\x9a\x80", b"\xe2\x80", b"\xe2\x81\x9f", b"\xe3\x80\x80",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """The records of a delimited text."""

    separators: NDArray[np.int64]  # outside quotes, per record
    ends: NDArray[np.int64]  # where the newline is that ends each; for the last, the text
    lengths: NDArray[np.int64]  # bytes per record
    plain_quotes: bool  # every double quote opens or closes a whole cell, or is doubled inside one
    padded: bool  # a cell may begin or end with a blank; surely none does when it is false


def scan(content: bytes, separator: str) -> Layout:
    """Count the cells of every record of ``content`` (UTF-8, lines ended by a newline)."""
    text = np.frombuffer(content, dtype=np.uint8)
    mark = ord(separator)
    ends: list[NDArray[np.int64]] = []
    counts: list[NDArray[np.int64]] = []
    inside, before, plain = 0, 0, True
    quoted, padded = b'"' in content, _has_wide_blanks(content)
    for start in range(0, text.size, _CHUNK):
        chunk = text[start : start + _CHUNK]
        marks, newlines = chunk == mark, chunk == _NEWLINE
        quotes = np.flatnonzero(chunk == _QUOTE) if quoted else _NONE
        if not padded and np.count_nonzero(chunk <= _SPACE) > np.count_nonzero(newlines):
            padded = _pads(text, start, chunk, mark)
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
        seen = _marks_before(marks, here)
        if here.size:
            counts.append(np.diff(seen, prepend=-before))
            before = int(np.count_nonzero(marks)) - int(seen[-1])
        else:
            before += int(np.count_nonzero(marks))
        ends.append(here.astype(np.int64) + start)
    if not content.endswith(b"\n") or inside:
        ends.append(np.array([text.size]))
        counts.append(np.array([before]))
    all_ends = np.concatenate(ends)
    lengths = np.diff(all_ends, prepend=-1) - 1
    return Layout(np.concatenate(counts), all_ends, lengths, plain and not inside, padded)


def _marks_before(marks: NDArray[np.bool_], ends: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return how many marks there are before each of the ascending places."""
    starts = np.concatenate([[0], ends[:-1] + 1])
    if ends.size == 0 or int((ends - starts).max()) > np.iinfo(np.uint8).max:
        return np.searchsorted(np.flatnonzero(marks), ends).astype(np.int64)
    # Of short records each has so few that a byte counts them, which is several times faster.
    each = np.add.reduceat(marks[: ends[-1] + 1].view(np.uint8), starts, dtype=np.uint8)
    return np.cumsum(each, dtype=np.int64)


def _pads(text: NDArray[np.uint8], start: int, chunk: NDArray[np.uint8], mark: int) -> bool:
    """Tell whether a blank of a chunk stands beside what may be the end of a cell."""
    blanks = np.flatnonzero((chunk <= _SPACE) & (chunk != _NEWLINE) & (chunk != mark)) + start
    if not blanks.size:
        return False
    if blanks[0] == 0 or blanks[-1] == text.size - 1:
        return True
    ends = np.zeros(256, dtype=bool)
    ends[[mark, _NEWLINE, _QUOTE]] = True
    return bool((ends[text[blanks - 1]] | ends[text[blanks + 1]]).any())


def _has_wide_blanks(content: bytes) -> bool:
    """Tell whether a text in UTF-8 holds a blank that is no character of ASCII."""
    return not content.isascii() and any(
        blank[:1] in content and blank in content for blank in _WIDE_BLANKS
    )


def _plain(text: NDArray[np.uint8], quotes: NDArray[np.int64], inside: int, mark: int) -> bool:
    """Tell whether these quotes stand where the rules of CSV want them."""
    opening, closing = quotes[inside::2], quotes[1 - inside :: 2]
    previous = text[opening[opening > 0] - 1]
    following = text[closing[closing < text.size - 1] + 1]
    return bool(
        np.isin(previous, (mark, _NEWLINE, _QUOTE)).all()
        and np.isin(following, (mark, _NEWLINE, _QUOTE)).all()
    )
