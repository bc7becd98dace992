"""Find the category of each cell, whatever type the cells arrive in."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from deltaprop.tabular.encoding.codes import digits_of
from deltaprop.tabular.encoding.surprises import MOST_NAMED
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.missing import (
    BLANKS,
    MISSING,
    NO_VALUE,
    NO_WORDS,
    clean_frame,
    without_dashes,
)
from deltaprop.tabular.reading.series import category_text
from deltaprop.tabular.reading.truth import is_true, truth_values

__all__ = ["category_codes"]

_FEW = 64  # cells


class _Categories:
    """The categories of a column, by all that a cell may say to be one of them."""

    def __init__(self, categories: tuple[str, ...]) -> None:
        self.words = truth_values(categories) or {}
        self._exact = {category: code for code, category in enumerate(categories)}
        self._by_number: dict[float, int] = {}
        for code, category in enumerate(categories):
            number = _number(category)
            if number is not None and (
                number not in self._by_number or category == category_text(number)
            ):
                self._by_number[number] = code
        # a dash stands in the place of a truth value or a number that there is none of
        numbers = all(_number(category) is not None for category in categories)
        self.dash_is_missing = bool(self.words) or (numbers and bool(categories))

    def code_of(self, cell: str) -> int:
        """Return the index of a cell's category, -1 where it is unknown."""
        if cell in self._exact:
            return self._exact[cell]
        said = is_true(cell) if self.words else None
        if said is not None:
            return self._exact[self.words[said]]
        number = _number(cell) if self._by_number else None
        return -1 if number is None else self._by_number.get(number, -1)


_known = lru_cache(maxsize=1024)(_Categories)  # single rows come one after another


def category_codes(
    series: pl.Series, categories: tuple[str, ...]
) -> tuple[NDArray[np.int64], int, list[str]]:
    """Return the index of each cell's category, -1 where the cell is missing or unknown.

    Text is compared without padding; NA and the like are missing where they are no category. A cell
    and a category that are the same number are the same category, so that 1, 1.0 and "01" find each
    other, however many digits they have; but equal text goes first. Where the categories are a word
    for true and one for false, any other such word finds its own.

    Beside it stand how many cells are none of the categories, and the first few that differ.
    """
    known = _known(categories)
    if series.len() <= _FEW:
        return _codes_of_few(series, known)
    text = _as_text(series)
    if known.dash_is_missing:
        text = without_dashes(text)
    different = text.unique(maintain_order=True).drop_nulls()
    if different.len() == 0:
        return np.full(series.len(), -1, dtype=np.int64), 0, []
    codes = np.array([known.code_of(cell) for cell in different], dtype=np.int64)
    array = _mapped(text, different, codes)
    strange = different.filter(codes < 0)
    strange = strange.filter(~strange.is_in(MISSING))
    n_unknown = int(text.is_in(strange.to_list()).sum()) if strange.len() else 0
    return array, n_unknown, strange.head(MOST_NAMED).to_list()


def _mapped(text: pl.Series, cells: pl.Series, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    found = text.replace_strict(cells, pl.Series(codes), default=-1, return_dtype=pl.Int64)
    return np.asarray(found.fill_null(-1).to_numpy(), dtype=np.int64)


def _codes_of_few(
    series: pl.Series, known: _Categories
) -> tuple[NDArray[np.int64], int, list[str]]:
    """Do it cell by cell: of a row or two that takes a tenth of the time."""
    plain = series.dtype == pl.String
    codes, unknown = np.full(series.len(), -1, dtype=np.int64), []
    for row, cell in enumerate((series if plain else _as_text(series)).to_list()):
        text = cell.strip(BLANKS) if plain and cell else cell
        if not text or (known.dash_is_missing and text in NO_VALUE):
            continue
        codes[row] = known.code_of(text)
        if codes[row] < 0 and text not in MISSING:
            unknown.append(text)
    return codes, len(unknown), list(dict.fromkeys(unknown))[:MOST_NAMED]


def _as_text(series: pl.Series) -> pl.Series:
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
