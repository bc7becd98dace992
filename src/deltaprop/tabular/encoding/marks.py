"""A number for each row that tells it from other rows, wherever it was read from.

A cell is a number, a text, or missing: 3, 3.0 and "3" are one cell, so are a date and its text,
and true and True. Of numbers that are not whole, what float32 keeps counts, for some files keep no
more. The number of a row is the sum, over its columns, of the mixed numbers of name and cell; so
the order of the columns does not matter. It is the same on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.tabular.encoding.sparse import SparseRows
from deltaprop.tabular.forked import fork_safe
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.missing import without_words

__all__ = ["row_marks"]

Marks = NDArray[np.uint64]

_MISSING = np.uint64(0x9E3779B97F4A7C15)
_EXACT = 2.0**53  # whole numbers beyond it are told apart by their digits
_LONGEST_NUMBER = 15  # characters of a text that is looked at as a number
_CELLS_AT_ONCE = 2_000_000


@fork_safe
def row_marks(features: Any, columns: Sequence[str], answers: NDArray[Any]) -> Marks:
    """Return a uint64 for each row of a table, images or a sparse matrix, and its answer.

    Of a table those columns count that are named, of images all pixels. ``answers`` are labels or
    numbers, of shape (n,) or (n, k). Equal rows have equal numbers.
    """
    y = np.asarray(answers, dtype=np.float32).reshape(len(answers), -1)
    marks = _mixed_sum(_of_numbers(y.astype(np.float64)), [f"\0{i}" for i in range(y.shape[1])])
    if isinstance(features, np.ndarray):
        return marks + _of_images(features)
    if isinstance(features, SparseRows):
        return marks + _of_sparse(features)
    frame: pl.DataFrame = features.to_native()
    numeric = [name for name in columns if frame[name].dtype.is_float()]
    at_once = max(1, _CELLS_AT_ONCE // max(1, frame.height))
    for start in range(0, len(numeric), at_once):
        part = numeric[start : start + at_once]
        cells = np.column_stack([frame[name].to_numpy() for name in part])
        marks += _mixed_sum(_of_numbers(cells.astype(np.float64)), part)
    floats = set(numeric)
    for name in columns:
        if name not in floats:
            marks += _mixed_sum(_of_cells(frame[name])[:, None], [name])
    return marks


def _of_cells(series: pl.Series) -> Marks:
    """Return a number for each cell of a column that does not hold floats."""
    if series.dtype.is_integer():
        values = series.cast(pl.Float64).to_numpy()
        if not (np.abs(values[~np.isnan(values)]) >= _EXACT).any():
            return _of_numbers(values)
    if series.dtype in (pl.Date, pl.Datetime):
        text = series.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d %H:%M:%S")
        series = text.str.strip_suffix(" 00:00:00")
    elif series.dtype in (pl.Duration, pl.Time):
        series = series.cast(pl.Int64)
    text = without_words(series.cast(pl.String))  # cell by cell: other rows do not matter
    short = text.str.len_bytes() <= _LONGEST_NUMBER
    numbers = text.set(~short, None).cast(pl.Float64, strict=False)
    marks = _of_numbers(numbers.cast(pl.Float64).to_numpy())
    words = numbers.is_null() & text.is_not_null()
    if words.any():
        places = words.arg_true().to_numpy()
        codes = text.gather(places).to_frame("word").with_row_index("row")
        firsts = codes.group_by("word", maintain_order=True).agg(pl.col("row"))
        each = np.array([_of_word(word) for word in firsts["word"].to_list()], dtype=np.uint64)
        rows = firsts["row"].explode().to_numpy()
        marks[places[rows]] = np.repeat(each, firsts["row"].list.len().to_numpy())
    return marks


def _of_word(word: str) -> int:
    return _digest((word.lower() if word.lower() in ("true", "false") else word).encode())


def _digest(*parts: bytes | memoryview) -> int:
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(part)
    return int.from_bytes(digest.digest(), "little")


def _of_numbers(values: NDArray[np.float64]) -> Marks:
    """Return the bits of whole numbers, and of others those of the nearest float32."""
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float32).astype(np.float64)
    kept = np.where(values == np.floor(values), values, rounded) + 0.0  # -0 and 0 are the same cell
    bits = np.ascontiguousarray(kept).view(np.uint64)
    return np.where(np.isnan(values), _MISSING, bits)


def _of_images(images: NDArray[Any]) -> Marks:
    pixels = (np.ascontiguousarray(image, dtype=np.float32) + np.float32(0) for image in images)
    return np.array([_digest(image.data) for image in pixels], dtype=np.uint64)


def _of_sparse(rows: SparseRows) -> Marks:
    cells = _of_numbers(rows.data.astype(np.float64))
    found = (
        _digest(rows.indices[start:end].tobytes(), cells[start:end].tobytes())
        for start, end in pairwise(rows.indptr)
    )
    return np.fromiter(found, np.uint64, len(rows))


def _mixed_sum(cells: Marks, names: Sequence[str]) -> Marks:
    """Return, row by row, the sum of the mixed numbers of cells of shape (n, k) and their names."""
    keys = np.array([_of_word(f"column {name}") for name in names], dtype=np.uint64)
    return np.asarray(_mixed(_mixed(cells) ^ keys).sum(axis=1, dtype=np.uint64))


def _mixed(values: Marks) -> Marks:
    """Return each number scrambled, one to one: the end of splitmix64 (Steele et al., 2014)."""
    with np.errstate(over="ignore"):
        v = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        v = (v ^ (v >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return v ^ (v >> np.uint64(31))
