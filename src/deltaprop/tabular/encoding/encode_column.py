"""One column of a table into its columns of the matrix: its cells read, and put in place."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import DataError, of
from deltaprop.tabular.encoding.categories import category_codes
from deltaprop.tabular.encoding.cells import shorten
from deltaprop.tabular.encoding.codes import exact_differences
from deltaprop.tabular.encoding.column import Column, Output
from deltaprop.tabular.encoding.dates import date_format, date_parts, days_of, plain_order
from deltaprop.tabular.encoding.fit import refuse_infinite, to_floats
from deltaprop.tabular.encoding.ranges import shares
from deltaprop.tabular.encoding.scaling import squash
from deltaprop.tabular.encoding.surprises import Surprises
from deltaprop.tabular.reading.missing import without_dashes, without_words
from deltaprop.tabular.reading.notation import read_numbers

if TYPE_CHECKING:
    import polars as pl

__all__ = ["check_cells", "fill", "fill_few", "n_entries", "numbers_of", "texts_of"]


def fill(
    block: NDArray[Any], column: Column, series: pl.Series, where: str, found: Surprises
) -> None:
    """Encode one column into its block of the matrix; what is to be warned about goes to found."""
    if column.kind == "category":
        codes = _codes_of(column, series, found)
        off, on = _off_and_on(column.outputs)
        block[:] = off
        rows = np.flatnonzero(codes >= 0)
        block[rows, codes[rows]] = on[codes[rows]]
        return
    if column.kind in ("binary", "boolean"):
        codes = _codes_of(column, series, found)
        block[:, 0] = column.outputs[0].squashed(np.array([0.0, -1.0, 1.0]))[codes + 1]
        return
    if column.kind == "constant":
        absent = series.is_null() | _absent_text(series)
        block[:, 0] = column.outputs[0].squashed(absent.to_numpy().astype(np.float64))
        return
    if column.kind == "date":
        values = _dates(column, series, where)
        parts = date_parts(values)
    else:
        values, odd = numbers_of(column, series, where)
        parts = {"value": values}
        found.odd(column.name, odd)
    for i, output in enumerate(column.outputs):
        part = np.isnan(values).astype(np.float64) if output.part == "missing" else None
        block[:, i] = output.squashed(parts[output.part] if part is None else part)
    if column.edges:
        block[:, len(column.outputs) :] = shares(values, column.edges, column.outputs[0].center)


def fill_few(
    data: NDArray[Any],
    places: NDArray[np.int32],
    column: Column,
    series: pl.Series,
    found: Surprises,
) -> None:
    """Encode categories of which a row has at most two numbers that are not 0.

    ``data`` and ``places``, both of shape (n, n_entries(column)), get these numbers and which of
    the column's outputs they are, in ascending order; a 0 may be among them.
    """
    codes = _codes_of(column, series, found)
    off, on = _off_and_on(column.outputs)
    known = codes >= 0
    chosen = np.where(known, codes, 0)
    value = np.where(known, on[chosen], 0.0)
    if data.shape[1] == 1:
        data[:, 0], places[:, 0] = value, chosen
        return
    always = int(np.flatnonzero(off)[0])
    is_it = known & (codes == always)
    first = np.where(is_it, on[always], off[always])
    # where it is that one, the other number is a 0 beside it
    other = np.where(is_it | ~known, 1 if always == 0 else 0, chosen)
    value = np.where(is_it, 0.0, value)
    before = other < always
    data[:, 0], data[:, 1] = np.where(before, value, first), np.where(before, first, value)
    places[:, 0], places[:, 1] = np.minimum(other, always), np.maximum(other, always)


def n_entries(column: Column) -> int:
    """Return how many numbers of a row `fill_few` gives of the column; 0 where it is not for it."""
    if column.kind != "category":
        return 0
    needed = 1 + int(np.count_nonzero(_off_and_on(column.outputs)[0]))
    return needed if needed <= 2 < column.n_outputs else 0


@lru_cache(maxsize=1024)
def _off_and_on(outputs: tuple[Output, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each output of a column of categories is for other categories, and its own."""
    centers = np.array([output.center for output in outputs])
    scales = np.array([output.scale for output in outputs])
    off, on = (squash(np.full(len(centers), x), centers, scales) for x in (0.0, 1.0))
    return off, on


def check_cells(column: Column, series: pl.Series, where: str) -> None:
    """Raise what encoding the column raises, without encoding it."""
    if column.vocabulary is not None:
        texts_of(column, series, where)
    elif column.kind == "date":
        _dates(column, series, where)
    elif column.kind == "numeric":
        numbers_of(column, series, where)


def _absent_text(series: pl.Series) -> pl.Series:
    import polars as pl

    if series.dtype in (pl.String, pl.Categorical, pl.Enum):
        return without_words(series.cast(pl.String)).is_null()
    return series.is_nan().fill_null(True) if series.dtype.is_float() else series.is_null()


def numbers_of(column: Column, series: pl.Series, where: str) -> tuple[NDArray[np.float64], int]:
    """Return the cells as numbers, and how many are none (only where training had such, too)."""
    import polars as pl

    odd = 0
    if series.dtype in (pl.String, pl.Categorical, pl.Enum):
        text = without_dashes(series.cast(pl.String))
        if column.offset:
            series = text.cast(pl.Int128, strict=False)
        else:
            series = read_numbers(text, column.notation)
        strange = (text.is_not_null() & series.is_null()).arg_true()
        odd = strange.len()
        if odd and not column.strays:
            _refuse_cell(column, text, strange, _a_number(column), where)
    elif not (
        series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null, pl.Duration, pl.Time)
    ):
        _refuse_type(column, series, "numbers", where)
    if column.offset:
        differences = exact_differences(series, column.offset)
        series = series if differences is None else differences[0]
    values = to_floats(series)
    refuse_infinite(values, column.name, where)
    return values, odd


def _a_number(column: Column) -> str:
    unit = column.notation.unit if column.notation else ""
    return f"a number in {unit}" if unit else "a number"


def texts_of(column: Column, series: pl.Series, where: str) -> pl.Series:
    """Return the cells of a text column; numbers and dates among later cells are words too."""
    import polars as pl

    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        _refuse_type(column, series, "text", where)
    return without_words(series.cast(pl.String))


def _dates(column: Column, series: pl.Series, where: str) -> NDArray[np.float64]:
    import polars as pl

    if series.dtype in (pl.Date, pl.Datetime):
        return days_of(series, "date")
    if series.dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    if series.null_count() == series.len():
        return np.full(series.len(), np.nan)
    if series.dtype.is_numeric() and column.date_format == "yearmonthday":
        series = series.cast(pl.Int64, strict=False).cast(pl.String)
    if series.dtype != pl.String:
        _refuse_type(column, series, "dates", where)
    text = without_dashes(series)
    days = days_of(text, column.date_format)
    strange = pl.Series(np.isnan(days)) & text.is_not_null()
    if strange.any():
        other, _ = date_format(text)
        if other is not None and plain_order(other):
            return days_of(text, other)
        notation = column.date_format.replace("date", "year-month-day")
        _refuse_cell(column, text, strange.arg_true(), f"a date as {notation}", where)
    return days


def _refuse_cell(
    column: Column, text: pl.Series, strange: pl.Series, expected: str, where: str
) -> None:
    row = int(strange[0])
    others = f" {strange.len() - 1} more rows have such a cell." if strange.len() > 1 else ""
    raise DataError(
        f"Column {column.name!r}{of(where)} has {shorten(text[row])} in row {row + 1}: expected "
        f"{expected}, as in training.{others} Correct the cell, or leave it empty if its value is "
        "not known."
    )


def _refuse_type(column: Column, series: pl.Series, expected: str, where: str) -> None:
    first = " ".join(shorten(series[0]).split())
    raise DataError(
        f"Column {column.name!r}{of(where)} is of type {series.dtype} (row 1 has "
        f"{first}): expected {expected}, as in training. Convert the column."
    )


def _codes_of(column: Column, series: pl.Series, found: Surprises) -> NDArray[np.int64]:
    truths = column.categories
    if column.kind == "boolean" and series.dtype.is_numeric():
        truths = ("0", "1")  # how truth values often arrive
    codes, n_unknown, unknown = category_codes(series, truths)
    if n_unknown and not column.rest:
        found.unknown(column.name, n_unknown, unknown)
    return codes
