"""Find the category of each cell, whatever type the cells arrive in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deltaprop.tabular.codes import digits_of
from deltaprop.tabular.frames import category_text
from deltaprop.tabular.missing import MISSING, NO_WORDS, clean_frame, without_dashes
from deltaprop.tabular.truth import is_true, truth_values

if TYPE_CHECKING:
    import polars as pl

__all__ = ["category_codes"]


def category_codes(
    series: pl.Series, categories: Sequence[str]
) -> tuple[NDArray[np.int64], pl.Series]:
    """Return the index of each cell's category, -1 where missing or unknown, and the unknown cells.

    Text is compared without padding; NA and the like are missing where they are no category. A cell
    and a category that are the same number are the same category, so that 1, 1.0 and "01" find each
    other, however many digits they have; but equal text goes first. Where the categories are a word
    for true and one for false, any other such word finds its own.
    """
    import polars as pl

    text = _as_text(series)
    words = truth_values(categories) or {}
    if words:
        text = without_dashes(text)
    different = text.unique().drop_nulls()
    exact = {category: code for code, category in enumerate(categories)}
    by_number: dict[float, int] = {}
    for code, category in enumerate(categories):
        number = _number(category)
        if number is not None and (number not in by_number or category == category_text(number)):
            by_number[number] = code

    def code_of(cell: str) -> int:
        if cell in exact:
            return exact[cell]
        said = is_true(cell) if words else None
        if said is not None:
            return exact[words[said]]
        number = _number(cell) if by_number else None
        return -1 if number is None else by_number.get(number, -1)

    codes = [code_of(cell) for cell in different]
    if different.len() == 0:
        return np.full(series.len(), -1, dtype=np.int64), different
    found = text.replace_strict(
        different, pl.Series(codes, dtype=pl.Int64), default=-1, return_dtype=pl.Int64
    ).fill_null(-1)
    array = np.asarray(found.to_numpy(), dtype=np.int64)
    unknown = pl.Series(array < 0) & ~text.is_in(MISSING).fill_null(True)
    return array, text.filter(unknown)


def _as_text(series: pl.Series) -> pl.Series:
    import polars as pl

    if series.dtype == pl.String or series.dtype in (pl.Categorical, pl.Enum):
        return clean_frame(series.cast(pl.String).to_frame(), NO_WORDS).to_series()
    if series.dtype.is_decimal():
        return digits_of(series)
    if series.dtype.is_float():
        floats = series.cast(pl.Float64).fill_nan(None)
        cells = floats.unique().drop_nulls()
        if not cells.len():
            return floats.cast(pl.String)
        names = pl.Series([category_text(cell) for cell in cells], dtype=pl.String)
        return floats.replace_strict(cells, names, default=None, return_dtype=pl.String)
    return series.cast(pl.String)


def _number(text: str) -> float | None:
    """Return the number a text is: a whole one exactly, for floats have but 53 bits."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
