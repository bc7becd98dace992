"""Of a long text, the pieces that there is time to read."""

from __future__ import annotations

import time
from collections.abc import Callable

from deltaprop.errors import DataError, OutOfMemoryError

__all__ = ["in_pieces", "pieces_within"]

_PIECE = 1 << 18
_TRIED = (1 << 19, 1 << 21)
_WARMING = 1 << 14  # read first, since some things are done but once
_SHORTEST = 4 * _TRIED[1]
_MARGIN = 0.8  # what does not fit into a cache takes longer


def pieces_within(content: bytes, seconds: float, read: Callable[[bytes], object]) -> int | None:
    """Return how many pieces of a delimited text there is time for; None for all of it.

    ``read`` reads such a text; it is tried on its beginning.
    """
    # A piece begins with a line, but in quotes a line may be part of a cell.
    if len(content) < _SHORTEST or b'"' in content or b"\0" in content[:_WARMING]:
        return None
    took = []
    try:
        read(_lines(content, 0, _WARMING))
        for size in _TRIED:
            began = time.perf_counter()
            read(_lines(content, 0, size))
            took.append(time.perf_counter() - began)
    except OutOfMemoryError:
        raise
    except DataError:  # to say where it is needs the whole of it
        return None
    each = max(took[1] - took[0], 0.0) / (_TRIED[1] - _TRIED[0])
    room = _TRIED[1] + _MARGIN * max(0.0, seconds - took[1]) / max(each, 1e-12)
    pieces = int(room) // _PIECE
    return None if pieces >= len(content) // _PIECE else pieces


def in_pieces(content: bytes, n: int) -> bytes:
    """Return the first line of a text and so many pieces, evenly from its beginning to its end."""
    head = content.find(b"\n") + 1
    parts, at, step = [content[:head]], head, (len(content) - head) / n
    for i in range(n):
        begin = at if i == 0 else max(at, content.find(b"\n", head + int(i * step)) + 1)
        part = _lines(content, begin, _PIECE)
        parts.append(part)
        at = begin + len(part)
    return b"".join(parts)


def _lines(content: bytes, begin: int, size: int) -> bytes:
    """Return whole lines of about so many bytes."""
    end = content.find(b"\n", begin + size)
    return content[begin : len(content) if end < 0 else end + 1]
