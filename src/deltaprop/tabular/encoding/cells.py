"""Cells as numbers: when a column of text is one of them, and what is not to be learnt from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import DataError, of
from deltaprop.tabular.encoding.codes import (
    DECIMALS,
    EXACT,
    ZERO_FIRST,
    are_long,
    have_leading_zeros,
    is_code,
)
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.find_notation import few, find_notation, written_plainly
from deltaprop.tabular.reading.notation import Notation

__all__ = [
    "Strays",
    "holds_numbers",
    "in_every_column",
    "listed",
    "number_columns",
    "picked",
    "refuse_infinite",
    "shorten",
    "strays_of",
    "to_floats",
]


_WIDE = 2000
_FIRST = 20  # rows, which tell what a column is like that may not hold codes


@dataclass(frozen=True, slots=True)
class Strays:
    """Cells of a numeric column that are not numbers; they are taken as missing."""

    column: str
    count: int
    total: int
    row: int
    cell: str

    @property
    def among_numbers(self) -> str:
        """Say what is wrong with the first of them in a target, and what to do."""
        return (
            f"which is no number, while {self.total - self.count} of its {self.total} cells are "
            "numbers. Expected a number in every row: correct or remove the row. If these are "
            "labels of classes, say task='classification'."
        )

    def sentence(self, where: str = "", place: str = "") -> str:
        """Say what was found and what was made of it.

        ``where`` names the table, ``place`` the first of the cells when the row number does not.
        """
        place = place or f"row {self.row}"
        rest = f", and {self.count - 1} more such cells" if self.count > 1 else ""
        return (
            f"Column {self.column!r}{of(where)} is read as numbers, but {self.count} of its "
            f"{self.total} cells {'is' if self.count == 1 else 'are'} not: {shorten(self.cell)} in "
            f"{place}{rest}. {'It is' if self.count == 1 else 'They are'} taken as missing; "
            "correct or empty these cells if that is not meant."
        )


def shorten(cell: object, width: int = 60) -> str:
    """Return ``repr(cell)``, cut in the middle when it is longer than ``width``."""
    if isinstance(cell, str) and len(cell) > width:
        return f"{cell[: width - 20]!r}... ({len(cell):,} characters)"
    text = repr(cell)
    return text if len(text) <= width + 2 else f"{text[:width]}..."


def listed(names: Sequence[str], most: int = 8) -> str:
    """Return names in quotes for a message, cut after ``most``."""
    shown = ", ".join(shorten(name) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def picked(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return columns by their names, whatever these are: ``select`` takes "*" for all columns."""
    return pl.DataFrame([frame.get_column(name) for name in names])


def in_every_column(frame: pl.DataFrame, expression: pl.Expr) -> pl.DataFrame:
    """Evaluate an expression on ``pl.all()`` that treats each cell by itself.

    A very wide frame is laid end to end first: planning a hundred thousand expressions takes
    polars far longer than evaluating them.
    """
    if frame.width <= _WIDE or frame.height == 0:
        return frame.select(expression)
    parts = [column.alias("all") for column in frame.iter_columns()]
    end_to_end = pl.concat(parts, rechunk=True)
    done = end_to_end.to_frame().select(expression).to_series().rechunk()
    n = frame.height
    return pl.DataFrame([done.slice(i * n, n).alias(name) for i, name in enumerate(frame.columns)])


def number_columns(
    frame: pl.DataFrame, *, separator: str = ","
) -> Iterator[tuple[pl.Series | None, Strays | None, bool]]:
    """Read every column of cleaned text that holds plain numbers, all columns at once.

    What needs to be decided or would lose a digit stays text, for whoever knows more of the column:
    numbers in another notation, codes with leading zeros, whole numbers beyond 64 bits, and points
    that may group thousands. In a file whose cells anything but a comma separates, ``1,234`` is a
    decimal where no column is written with decimal points.

    Yields the numbers as Int64 or Float64, None where the column stays text; the few cells that are
    not numbers (null among these); and whether they have decimal commas.
    """
    floats = in_every_column(frame, pl.all().cast(pl.Float64, strict=False))
    given = [column.len() - column.null_count() for column in frame.iter_columns()]
    read = [column.len() - column.null_count() for column in floats.iter_columns()]
    whole = [n == ok > 0 for n, ok in zip(given, read, strict=True)]
    names = [name for name, numeric in zip(frame.columns, whole, strict=True) if numeric]
    values = picked(floats, names)
    is_whole = in_every_column(values, pl.all().floor() == pl.all())  # cheaper than reading again
    may_be_integers = [column.name for column in is_whole.iter_columns() if column.all()]
    text_of_integers = picked(frame, may_be_integers)
    integers = in_every_column(text_of_integers, pl.all().cast(pl.Int64, strict=False))
    as_integers = {
        column.name: column
        for column in integers.iter_columns()
        if column.null_count() == frame[column.name].null_count()
    }
    zeros_first = _with_zeros_first(picked(frame, names))
    with_points = len(as_integers) < len(names)
    columns = zip(frame.iter_columns(), floats.iter_columns(), given, whole, strict=True)
    for text, as_floats, n_given, numeric in columns:
        if numeric:
            exact = as_integers.get(text.name)
            codes = text.name in zeros_first and have_leading_zeros(text)
            read_exactly = as_floats.fill_nan(None) if exact is None else exact
            yield None if codes else _lossless(text, read_exactly), None, False
        elif n_given == 0:
            yield None, None, False
        else:
            decimal_comma = separator != "," and not with_points
            yield _with_exceptions(text, as_floats, decimal_comma=decimal_comma)


def _with_zeros_first(frame: pl.DataFrame) -> set[str]:
    """Return the columns with a cell such as 02134, but for those whose first have decimals."""
    with_decimals = in_every_column(frame.head(_FIRST), pl.all().str.contains(DECIMALS))
    rest = [column.name for column in with_decimals.iter_columns() if not column.any()]
    found = in_every_column(picked(frame, rest), pl.all().str.contains(ZERO_FIRST))
    return {column.name for column in found.iter_columns() if column.any()}


def _lossless(text: pl.Series, numbers: pl.Series) -> pl.Series | None:
    """Return the numbers that the cells are, if they are nothing but these."""
    if numbers.dtype.is_float():
        plain = written_plainly(text)
        ends: Any = (numbers.min() or 0.0, numbers.max() or 0.0)
        most = max(map(abs, ends))
        if plain is None or plain.doubt or (most > EXACT and are_long(text)):
            return None
    return numbers


def _with_exceptions(
    text: pl.Series, floats: pl.Series, *, decimal_comma: bool
) -> tuple[pl.Series | None, Strays | None, bool]:
    total = text.len() - text.null_count()
    odd = text.is_not_null() & floats.is_null()
    if few(int(odd.sum()), total):
        if is_code(text) or _all_certain(text):
            return None, None, False
        return floats.fill_nan(None), strays_of(text, floats), False
    if not decimal_comma:
        return None, None, False
    found = find_notation(text)
    if not found.doubt or found.notation != Notation(group=","):
        return None, None, False
    numbers = Notation(point=",").read(text)
    return numbers, strays_of(text, numbers), True


def _all_certain(text: pl.Series) -> bool:
    """Tell whether every cell is a number in a notation that the column leaves no doubt about."""
    found = find_notation(text)
    if found.notation is None or found.doubt:
        return False
    return found.notation.read(text).null_count() == text.null_count()


def holds_numbers(text: pl.Series) -> bool:
    """Tell whether a cleaned column of text is one of numbers, plain or in another notation."""
    n = text.len() - text.null_count()
    n_odd = n - text.cast(pl.Float64, strict=False).drop_nulls().len()
    return n_odd == 0 or few(n_odd, n) or find_notation(text).notation is not None


def strays_of(text: pl.Series, numbers: pl.Series) -> Strays | None:
    """Return what is to be said of the cells that are missing among the numbers only."""
    odd = (text.is_not_null() & numbers.is_null()).arg_true()
    if not odd.len():
        return None
    row, total = int(odd[0]), text.len() - text.null_count()
    return Strays(text.name, odd.len(), total, row + 1, str(text[row]))


def to_floats(series: pl.Series) -> NDArray[np.float64]:
    """Return a numeric series as float64, NaN where missing; times and durations in seconds."""
    if series.dtype == pl.Duration:
        series = series.dt.total_microseconds().cast(pl.Float64) / 1e6
    elif series.dtype == pl.Time:
        series = series.cast(pl.Int64).cast(pl.Float64) / 1e9
    return np.asarray(series.cast(pl.Float64).to_numpy(), dtype=np.float64)


def refuse_infinite(values: NDArray[np.float64], name: str, where: str) -> None:
    """Raise a `DataError` that names the first infinite cell, if there is one."""
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        row = int(infinite[0])
        others = f" So have {infinite.size - 1} more rows." if infinite.size > 1 else ""
        raise DataError(
            f"Column {name!r}{of(where)} has {values[row]} in row {row + 1}: expected a finite "
            f"number.{others} Infinity, or a number beyond 1.8e308, cannot be learnt from; correct "
            "the cell, or leave it empty if its value is not known."
        )
