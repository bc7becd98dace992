"""Arrays in files: IDX (the format of MNIST), .npy and .npz. Nothing is ever unpickled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import ColumnError, DataError, nearest_name
from deltaprop.tabular.reading.npy import empty_array, read_arrays
from deltaprop.tabular.reading.source import Blob

__all__ = ["pick_arrays", "read_array", "read_arrays", "read_idx"]

_IDX_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(content: bytes, name: str) -> NDArray[Any]:
    """Read an IDX file: two zero bytes, the type, the number of axes, their sizes, the numbers."""
    n_axes = content[3]
    start = 4 + 4 * n_axes
    if len(content) < start:
        raise DataError(
            f"{name} ends inside its IDX header: expected {start} bytes for {n_axes} axes, found "
            f"{len(content)}. Fetch the file again."
        )
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", n_axes, 4))
    dtype = np.dtype(_IDX_DTYPES[content[2]])
    expected = start + math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        verb = "is truncated" if len(content) < expected else "goes on too long"
        raise DataError(
            f"{name} {verb}: its IDX header says {' x '.join(map(str, shape))} numbers, which is "
            f"{expected:,} bytes, but there are {len(content):,}. Fetch the file again."
        )
    if 0 in shape:
        return empty_array(shape, dtype)
    array = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def read_array(blob: Blob) -> NDArray[Any]:
    """Read a file that holds one array (IDX, .npy, or an .npz with a single array)."""
    if blob.format == "idx":
        return read_idx(blob.content, blob.name)
    arrays = read_arrays(blob)
    if len(arrays) != 1:
        raise DataError(
            f"{blob.name} holds {len(arrays)} arrays ({_listed(arrays)}): expected one. "
            "Save the array that is meant as an .npy file of its own."
        )
    return next(iter(arrays.values()))


def pick_arrays(
    arrays: dict[str, NDArray[Any]], target: str, name: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return features and target out of the arrays of one file.

    The features are the only other array, or the only other one with as many rows, or the one
    whose name differs from the target's by an ``x`` in place of a ``y`` (``x_train``, ``y_train``).
    """
    if target not in arrays:
        near = nearest_name(target, arrays)
        hint = f"Did you mean {near!r}? " if near else ""
        raise ColumnError(
            f"{name} holds no array called {target!r}: expected the name of the target array, or "
            f"the path of a file with the target. {hint}It holds {_listed(arrays)}."
        )
    y = arrays[target]
    others = {key: array for key, array in arrays.items() if key != target}
    if len(others) > 1:
        partners = {
            key for key in others if key.casefold() == target.casefold().replace("y", "x", 1)
        }
        as_long = {key for key, array in others.items() if array.shape[:1] == y.shape[:1]}
        chosen = partners or as_long
        others = {key: others[key] for key in others if key in chosen}
    if len(others) != 1:
        raise DataError(
            f"{name} holds {_listed(arrays)}: expected, beside the target {target!r}, exactly one "
            f"array with {len(y) if y.ndim else 0} rows of features. Save these two in a file of "
            "their own."
        )
    return next(iter(others.values())), y


def _listed(arrays: dict[str, NDArray[Any]]) -> str:
    def shown(key: str) -> str:
        return " ".join(key.split()) or "one array"

    return ", ".join(
        f"{shown(key)} ({' x '.join(map(str, array.shape)) or 'a single number'})"
        for key, array in arrays.items()
    )
