"""One column of whatever holds cells in memory, as a polars series of one type."""

from __future__ import annotations

import datetime
import decimal
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from deltaprop.errors import ColumnError, DataError, ShapeError
from deltaprop.tabular.libraries import nw, pl

__all__ = ["as_series", "category_text", "is_missing", "refuse_nested"]


def as_series(values: object, name: str) -> pl.Series:
    """Return one column, of whatever kind, as a polars series; NaN and None become null."""
    if isinstance(values, pl.Series):
        return values.alias(name)
    if isinstance(values, nw.Series):
        return _from_narwhals(values, name)
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise ShapeError(
                f"Column {name!r} is an array with {values.ndim} axes: expected one axis. "
                "Split it into columns first."
            )
        if values.dtype.kind in "biuf" and values.dtype.itemsize <= 8:
            native = values.astype(values.dtype.newbyteorder("="), copy=False)
            if native.dtype == np.float16:
                native = native.astype(np.float32)
            return pl.Series(name, np.ascontiguousarray(native), nan_to_null=True)
        if values.dtype.kind == "M":
            return pl.Series(name, values.astype("datetime64[us]"))
        return _from_objects(values.tolist(), name)
    if isinstance(values, Iterable) and not isinstance(values, (str, bytes, Mapping)):
        wrapped = nw.from_native(values, series_only=True, pass_through=True)
        if isinstance(wrapped, nw.Series):
            return _from_narwhals(wrapped, name)
        return _from_objects(list(values), name)
    raise DataError(
        f"Column {name!r} is {type(values).__name__} ({str(values)[:40]!r}): expected a list, "
        "array or series with one cell per row. Put a single value into a list."
    )


def _from_narwhals(series: nw.Series[Any], name: str) -> pl.Series:
    if isinstance(series.to_native(), pl.Series):
        native: pl.Series = series.to_native()
        return native.alias(name)
    dtype = series.dtype
    if dtype.is_float() or (dtype.is_integer() and series.null_count() == 0):
        return as_series(series.to_numpy(), name)
    cells = series.to_list()
    if isinstance(dtype, (nw.Categorical, nw.Enum)):
        text = _from_objects([None if is_missing(c) else category_text(c) for c in cells], name)
        return text.cast(pl.String).cast(pl.Categorical)
    return _from_objects(cells, name)


def category_text(value: object) -> str:
    """Return the name of a category: text as it is, 3 and 3.0 alike as ``3``, True as ``true``."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        as_float = float(value)
        return str(int(as_float)) if as_float.is_integer() else repr(as_float)
    return str(value)


def is_missing(cell: object) -> bool:
    """Return whether a cell is None, NaN, NaT or pandas.NA."""
    # pandas.NA refuses to be compared, so it is known by its name.
    return cell is None or type(cell).__name__ in ("NAType", "NaTType") or cell != cell


def _from_objects(cells: list[Any], name: str) -> pl.Series:
    """Give a list of Python objects one type: truth values, numbers, dates, or else text."""
    kinds = {type(cell) for cell in cells} - {type(None)}
    for kind in kinds:
        if family := _no_single_value(kind):
            row = next(i for i, cell in enumerate(cells) if type(cell) is kind)
            raise ColumnError(_no_cell(name, f"{kind.__name__} in row {row + 1}", family))
    if kinds != {str}:
        cells = [None if is_missing(cell) else cell for cell in cells]
        kinds = {type(cell) for cell in cells} - {type(None)}
    if not kinds:
        return pl.Series(name, [None] * len(cells), dtype=pl.String)
    if all(issubclass(kind, (bool, np.bool_)) for kind in kinds):
        return pl.Series(name, [None if c is None else bool(c) for c in cells], dtype=pl.Boolean)
    if all(issubclass(kind, (numbers.Real, decimal.Decimal)) for kind in kinds):
        return _from_numbers(cells, name)
    if all(kind.__name__ == "Period" for kind in kinds):  # of pandas: a month, a quarter
        cells = [None if cell is None else cell.start_time for cell in cells]
        kinds = {datetime.datetime}
    if all(issubclass(kind, datetime.date) for kind in kinds):
        return pl.Series(name, [_as_datetime(c) for c in cells], dtype=pl.Datetime("us"))
    if all(issubclass(kind, datetime.timedelta) for kind in kinds):
        return pl.Series(name, cells, dtype=pl.Duration("us"))
    texts = cells if kinds == {str} else [None if c is None else category_text(c) for c in cells]
    try:
        return pl.Series(name, texts, pl.String)
    except UnicodeEncodeError:
        # Half an emoji, where a text was cut off: no UTF-8 can hold it.
        whole = [None if t is None else t.encode("utf-8", "replace").decode() for t in texts]
        return pl.Series(name, whole, pl.String)


def _from_numbers(cells: list[Any], name: str) -> pl.Series:
    integers = all(c is None or isinstance(c, numbers.Integral) for c in cells)
    if integers or _hold_long_integers(cells):
        whole = [None if c is None else int(c) for c in cells]
        if all(c is None or abs(c) < 2**63 for c in whole):
            return pl.Series(name, whole, dtype=pl.Int64)
        # More digits than any type of numbers holds: as text none is lost.
        return pl.Series(name, [None if c is None else str(c) for c in whole], dtype=pl.String)

    def as_float(cell: Any) -> float | None:
        try:
            return None if cell is None else float(cell)
        except OverflowError:
            return float("inf") if cell > 0 else float("-inf")

    return pl.Series(name, [as_float(cell) for cell in cells], dtype=pl.Float64)


def _hold_long_integers(cells: list[Any]) -> bool:
    """Tell whether decimals are whole numbers of which a float does not keep the digits."""
    known = [c for c in cells if c is not None]
    if not all(isinstance(c, (decimal.Decimal, numbers.Integral)) for c in known):
        return False
    whole = all(c.is_finite() and c == c.to_integral_value() for c in map(decimal.Decimal, known))
    return whole and any(abs(c) > 2**53 for c in known)


def _as_datetime(cell: datetime.date | None) -> datetime.datetime | None:
    """Return the time on the clock where it was taken: its hour is what can be learnt from."""
    if cell is None:
        return None
    clock = (0, 0, 0, 0)
    if isinstance(cell, datetime.datetime):
        clock = cell.hour, cell.minute, cell.second, cell.microsecond
    return datetime.datetime(cell.year, cell.month, cell.day, *clock)


def _no_single_value(kind: type) -> str | None:
    """Return which family of things that are no cells a type belongs to; None for cells."""
    if issubclass(kind, Mapping):
        return "struct"
    if issubclass(kind, (list, tuple, set, frozenset, np.ndarray)):
        return "list"
    if issubclass(kind, (bytes, bytearray, memoryview)):
        return "binary"
    if issubclass(kind, numbers.Complex) and not issubclass(kind, numbers.Real):
        return "complex"
    # its text would be an address in memory
    says_nothing = kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__
    return "object" if says_nothing else None


def refuse_nested(column: pl.Series) -> None:
    """Raise a `ColumnError` for cells that are lists, bytes or the like."""
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        kind = (
            "struct" if column.dtype == pl.Struct else str(column.dtype).partition("(")[0].lower()
        )
        raise ColumnError(_no_cell(column.name, f"cells of type {column.dtype}", kind))


def _no_cell(name: str, found: str, kind: str) -> str:
    """Say that a column's cells are no single values, and what makes columns of them."""
    cures = {
        "struct": "Make a column of each field: unnest in polars, Table.flatten in pyarrow, "
        "pandas.json_normalize in pandas",
        "binary": "Decode them to text, or make numbers of them",
        "complex": "Make two columns, of .real and .imag",
        "object": "Write down what of the object can be learnt from as numbers or text",
    }
    many = "Make a column of each entry, or one number of all (their count, mean or largest)"
    return (
        f"Column {name!r} holds {found}: expected a number, a text, a truth value or a date in "
        f"every cell. {cures.get(kind, many)}; or leave the column out."
    )
