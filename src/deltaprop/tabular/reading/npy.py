"""Arrays of .npy and .npz files, from strangers too: nothing is evaluated, sizes are bounded."""

from __future__ import annotations

import io
import lzma
import math
import re
import struct
import zipfile
import zlib
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import DataError
from deltaprop.tabular.reading.source import Blob, most_unpacked, too_large

__all__ = ["empty_array", "read_arrays"]

_MAGIC = b"\x93NUMPY"
_LONGEST_HEADER, _MOST_AXES = 1 << 16, 32
_DESCR = re.compile(rb"""["']descr["']\s*:\s*(?:["']([^"']{0,100})["']|\[)""")
_ORDER = re.compile(rb"""["']fortran_order["']\s*:\s*(True|False)""")
_SHAPE = re.compile(rb"""["']shape["']\s*:\s*\(([\d\s,L]{0,700})\)""")
# Texts of up to 10^8 characters: of more the size overflows in NumPy 1.
_NUMBERS_OR_TEXT = re.compile(r"[<>|=]?(?:b1|[iu][1248]|f2|f4|f8|f12|f16|[SU][1-9]\d{0,7})")
_KNOWN = re.compile(rf"{_NUMBERS_OR_TEXT.pattern}|[<>|=]?(?:c8|c16|[mM]8)")
_BROKEN_ZIP = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError,
    OSError, ValueError, KeyError, OverflowError, NotImplementedError, RuntimeError, MemoryError,
)  # fmt: skip


class _Damaged(Exception):  # noqa: N818 - caught in this file
    """What is wrong with a file."""


def read_arrays(blob: Blob) -> dict[str, NDArray[Any]]:
    """Read all arrays of an .npz file by name, or the one of an .npy file under an empty name.

    What is damaged, too large when it is unpacked, or neither numbers, truth values nor text, is
    refused.
    """
    size = len(blob.content)
    try:
        if blob.format == "npy":
            stream = io.BytesIO(blob.content)
            arrays = {"": _read_array(stream, size, blob.name, _Damaged("it is cut off"))}
        else:
            arrays = _read_archive(blob)
    except _Damaged as error:
        raise DataError(
            f"{blob.name} is not an intact NumPy file ({error}): expected an .npy or .npz file as "
            "written by numpy.save or numpy.savez. Save it again."
        ) from None
    if not arrays:
        raise DataError(f"{blob.name} holds no array: expected at least one. Save it again.")
    return arrays


def _read_archive(blob: Blob) -> dict[str, NDArray[Any]]:
    packed = len(blob.content)
    limit = left = most_unpacked(packed)
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(blob.content)) as archive:
            for entry in archive.infolist():
                key = entry.filename.removesuffix(".npy")
                with archive.open(entry) as stream:
                    name = f"Array {key!r} of {blob.name}"
                    array = _read_array(stream, left, name, too_large(blob.name, packed, limit))
                left -= array.nbytes
                arrays[key] = array
    except DataError:
        raise
    except _BROKEN_ZIP as error:
        raise _Damaged(" ".join(str(error).split())[:200] or type(error).__name__) from None
    return arrays


def _read_array(stream: IO[bytes], limit: int, name: str, too_much: Exception) -> NDArray[Any]:
    """Read one array of at most ``limit`` bytes, or raise what says that there are more."""
    dtype, fortran, shape = _header(stream, name)
    size = math.prod(shape) * dtype.itemsize
    if size > limit or dtype.itemsize > max(limit, 1):
        raise too_much
    if size == 0:
        return empty_array(shape, dtype)
    content = stream.read(size)
    if len(content) < size:
        raise _Damaged(f"{len(content):,} of {size:,} bytes of numbers are there")
    array = np.frombuffer(content, dtype).astype(dtype.newbyteorder("="), copy=False)
    if dtype.kind == "b":
        array = np.frombuffer(content, np.uint8) != 0
    elif dtype.kind in "SU":
        array = _text(array, name)
    elif dtype.itemsize > 8:
        with np.errstate(over="ignore"):
            array = array.astype(np.float64)
    return array.reshape(shape, order="F" if fortran else "C")


def empty_array(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an array without entries; axes that no computer can have are left out."""
    possible = math.prod(max(n, 1) for n in shape) * max(dtype.itemsize, 1) < 1 << 40
    return np.zeros(shape if possible else (0,), dtype.newbyteorder("="))


def _header(stream: IO[bytes], name: str) -> tuple[np.dtype[Any], bool, tuple[int, ...]]:
    start = stream.read(8)
    if len(start) < 8 or start[:6] != _MAGIC or start[6] not in (1, 2, 3):
        raise _Damaged("it does not begin as an array")
    size = int.from_bytes(stream.read(2 if start[6] == 1 else 4), "little")
    text = stream.read(size) if size <= _LONGEST_HEADER else b""
    descr, order, shape = _DESCR.search(text), _ORDER.search(text), _SHAPE.search(text)
    if len(text) < size or descr is None or order is None or shape is None:
        raise _Damaged("its header is cut off or damaged")
    axes = tuple(map(int, re.findall(rb"\d+", shape[1])))
    if len(axes) > _MOST_AXES:
        raise _Damaged(f"it has {len(axes)} axes")
    return _type(descr[1], name), order[1] == b"True", axes


def _type(descr: bytes | None, name: str) -> np.dtype[Any]:
    """Return the type of numbers, truth values or text that a header names."""
    kind = "a structure" if descr is None else descr.decode("latin-1")
    if re.fullmatch(r"\|?O\d?", kind):
        raise DataError(
            f"{name} holds an array of Python objects: expected numbers or text of a fixed width. "
            "Loading objects could run code, so it is refused; convert the array "
            "(array.astype(float) or astype(str)) and save it again."
        )
    try:
        dtype = np.dtype(kind) if _KNOWN.fullmatch(kind) else None
    except (TypeError, ValueError):
        dtype = None
    if dtype is None or not _NUMBERS_OR_TEXT.fullmatch(kind):
        raise DataError(
            f"{name} holds an array of type {dtype or ascii(kind[:60])}: expected numbers, truth "
            "values or text. Convert it and save it again."
        )
    return dtype


def _text(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return text of any kind as text; refuse what is none."""
    try:
        if array.dtype.kind == "S":
            return np.char.decode(array, "utf-8")
        codes = array.view(np.uint32)
        if codes.max() > 0x10FFFF or ((codes >= 0xD800) & (codes < 0xE000)).any():
            raise ValueError
    except ValueError:
        raise DataError(
            f"{name} holds text with bytes that are no characters: expected UTF-8. Decode it "
            "(numpy.char.decode) and save it again."
        ) from None
    return array
