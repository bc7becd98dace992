"""Messages with arrays: how page and server, and in the page its worker, tell each other things.

A message is plain data and named arrays. As bytes: four of the length of its JSON text (little
endian), the text, and the arrays in the order that the text names them, each beginning at a
multiple of eight. ``page/frames.js`` is the same in JavaScript.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError

__all__ = ["Arrays", "packed", "unpacked"]

Arrays = Mapping[str, npt.NDArray[Any]]

_KINDS = {"f8": "<f8", "f4": "<f4", "i4": "<i4", "u1": "<u1"}
_NAMES = {np.dtype(dtype): kind for kind, dtype in _KINDS.items()}


def packed(message: Mapping[str, Any], arrays: Arrays | None = None) -> bytes:
    """Return a message as bytes; its arrays are float64, float32, int32 or uint8."""
    given = {name: np.ascontiguousarray(array) for name, array in (arrays or {}).items()}
    told = [[name, _NAMES[a.dtype], list(a.shape)] for name, a in given.items()]
    text = json.dumps({**message, "arrays": told}, ensure_ascii=False, allow_nan=False).encode()
    parts = [len(text).to_bytes(4, "little"), text]
    place = 4 + len(text)
    for array in given.values():
        gap = -place % 8
        parts += [bytes(gap), array.tobytes()]
        place += gap + array.nbytes
    return b"".join(parts)


def unpacked(data: bytes) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Return message and arrays of bytes; the arrays are read-only.

    Raises
    ------
    DataError
        These bytes are no message: whoever sent them is not our page.
    """
    try:
        length = int.from_bytes(data[:4], "little")
        message = json.loads(data[4 : 4 + length])
        told = message.pop("arrays")
        arrays, place = {}, 4 + length
        for name, kind, shape in told:
            place += -place % 8
            n = int(np.prod([_size(size) for size in shape], dtype=object))
            array = np.frombuffer(data, _KINDS[kind], count=n, offset=place)
            arrays[str(name)] = array.reshape(shape)
            place += array.nbytes
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise DataError("These bytes are no message of the studio's page.") from None
    if not isinstance(message, dict):
        raise DataError("A message of the studio's page is an object.")
    return message, arrays


def _size(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no size")
    return value
