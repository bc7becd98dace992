"""Whatever holds a table in memory, as a narwhals frame backed by polars."""

from __future__ import annotations

import datetime
import decimal
import numbers
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import ColumnError, DataError, ShapeError

if TYPE_CHECKING:
    import narwhals as nw
    import polars as pl

__all__ = ["as_features", "as_frame", "as_series", "is_missing", "take_rows", "to_polars"]

_EXPECTED = (
    "a data frame (pandas, polars, pyarrow or another that narwhals takes), a dict of columns, or "
    "a 2-D NumPy array"
)


def as_frame(data: object) -> nw.DataFrame[Any]:
    """Return a table as a narwhals frame backed by polars.

    Parameters
    ----------
    data : data frame, dict of columns, list of dicts, or 2-D array
        Columns of an array are called ``x0``, ``x1``, ...

    Raises
    ------
    ColumnError
        Two columns of one name, or columns of different lengths.
    DataError
        Something that is no table, or cells that are neither numbers, text, truth values nor dates.
    """
    import narwhals as nw

    return nw.from_native(to_polars(data), eager_only=True)


def as_features(data: object) -> Any:
    """Return images as they are, and anything else as ``as_frame`` does."""
    return data if isinstance(data, np.ndarray) and data.ndim > 2 else as_frame(data)


def take_rows(features: Any, rows: NDArray[np.int64]) -> Any:
    """Return some rows, or images, of what ``as_features`` returned."""
    return features[rows] if isinstance(features, np.ndarray) else features[rows.tolist(), :]


def to_polars(data: object) -> pl.DataFrame:
    """Do what `as_frame` does, without the narwhals wrapper."""
    import narwhals as nw
    import polars as pl

    if isinstance(data, (nw.DataFrame, nw.LazyFrame)):
        data = data.to_native()
    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    if isinstance(data, pl.DataFrame):
        return data
    if isinstance(data, np.ndarray):
        return _from_array(data)
    if isinstance(data, Mapping):
        return _from_columns([(str(name), data[name]) for name in data])
    if isinstance(data, (str, bytes)):
        raise DataError(
            f"A table is expected here ({_EXPECTED}), found the text {str(data)[:60]!r}. "
            "Read a file with deltaprop.tabular.load_frame(path)."
        )
    if isinstance(data, Sequence):
        return _from_rows(data)
    labels = [str(label) for label in getattr(data, "columns", ())]
    _refuse_twice(labels)
    try:
        native: Any = nw.from_native(data)
    except TypeError:
        raise DataError(
            f"Found {type(data).__name__}: expected {_EXPECTED}. "
            "Convert it, for example with pandas.DataFrame(...)."
        ) from None
    frame: nw.DataFrame[Any] = native.collect() if isinstance(native, nw.LazyFrame) else native
    columns = zip(frame.columns, frame.iter_columns(), strict=True)
    return _from_columns([(str(name), column) for name, column in columns])


def _refuse_twice(names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        places = ", ".join(str(i + 1) for i, name in enumerate(names) if name == twice[0])
        raise ColumnError(
            f"The table has several columns called {twice[0]!r} (columns {places}): expected "
            "different names. Rename or remove all but one."
        )


def _from_array(array: NDArray[Any]) -> pl.DataFrame:
    if array.ndim != 2:
        shape = " x ".join(map(str, array.shape)) or "no axes at all"
        advice = {
            1: "One row is array.reshape(1, -1), one column is array.reshape(-1, 1).",
        }.get(array.ndim, "Images are encoded by ImageEncoder, or array.reshape(len(array), -1).")
        raise ShapeError(
            f"An array with {array.ndim} axes ({shape}) was given as a table: expected 2 axes, "
            f"rows x columns. {advice}"
        )
    if array.dtype.kind not in "biufUSOM":
        raise DataError(
            f"An array of type {array.dtype} was given as a table: expected real numbers, truth "
            "values or text. Convert it first, for example with array.real."
        )
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        array = array.astype(np.float64)
    return _from_columns([(f"x{i}", array[:, i]) for i in range(array.shape[1])])


def _from_rows(rows: Sequence[Any]) -> pl.DataFrame:
    if rows and all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(str(key) for row in rows for key in row))
        return _from_columns([(name, [row.get(name) for row in rows]) for name in names])
    widths = Counter(
        len(row) if isinstance(row, Sequence | np.ndarray) and not isinstance(row, str) else -1
        for row in rows
    )
    if len(widths) == 1 and -1 not in widths:
        columns = zip(*rows, strict=True)
        return _from_columns([(f"x{i}", list(column)) for i, column in enumerate(columns)])
    raise DataError(
        f"A list of {len(rows)} entries that are not rows of one length was given as a table: "
        f"expected {_EXPECTED}. Make every row a list of the same length."
    )


def _from_columns(columns: Sequence[tuple[str, Any]]) -> pl.DataFrame:
    import polars as pl

    names = [name for name, _ in columns]
    _refuse_twice(names)
    series = [as_series(values, name) for name, values in columns]
    lengths = {name: one.len() for name, one in zip(names, series, strict=True)}
    if len(set(lengths.values())) > 1:
        (first, n_first), *rest = lengths.items()
        other, n_other = next(pair for pair in rest if pair[1] != n_first)
        raise ColumnError(
            f"Column {first!r} has {n_first} cells but column {other!r} has {n_other}: expected "
            "columns of one length. Check how the table is put together."
        )
    return pl.DataFrame(series)


def as_series(values: object, name: str) -> pl.Series:
    """Return one column, of whatever kind, as a polars series; NaN and None become null."""
    import narwhals as nw
    import polars as pl

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
    import narwhals as nw
    import polars as pl

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
    if isinstance(value, numbers.Real):
        as_float = float(value)
        return (
            str(int(value if isinstance(value, numbers.Integral) else as_float))
            if as_float.is_integer()
            else repr(as_float)
        )
    return str(value)


def is_missing(cell: object) -> bool:
    """Return whether a cell is None, NaN, NaT or pandas.NA."""
    # pandas.NA refuses to be compared, so it is known by its name.
    return cell is None or type(cell).__name__ in ("NAType", "NaTType") or cell != cell


def _from_objects(cells: list[Any], name: str) -> pl.Series:
    """Give a list of Python objects one type: truth values, numbers, dates, or else text."""
    import polars as pl

    kinds = {type(cell) for cell in cells} - {type(None)}
    if any(issubclass(kind, (list, tuple, dict, set, bytes, np.ndarray)) for kind in kinds):
        odd = next(i for i, c in enumerate(cells) if c is not None and not _is_scalar(c))
        raise ColumnError(
            f"Column {name!r} holds {type(cells[odd]).__name__} in row {odd + 1}: expected a "
            "number, a text, a truth value or a date in every cell. Split it into columns, or "
            "leave it out."
        )
    if kinds != {str}:
        cells = [None if is_missing(cell) else cell for cell in cells]
        kinds = {type(cell) for cell in cells} - {type(None)}
    if not kinds:
        return pl.Series(name, [None] * len(cells), dtype=pl.String)
    if all(issubclass(kind, (bool, np.bool_)) for kind in kinds):
        return pl.Series(name, [None if c is None else bool(c) for c in cells], dtype=pl.Boolean)
    if all(issubclass(kind, (numbers.Real, decimal.Decimal)) for kind in kinds):
        return _from_numbers(cells, name)
    if all(issubclass(kind, datetime.date) for kind in kinds):
        return pl.Series(name, [_as_datetime(c) for c in cells], dtype=pl.Datetime("us"))
    if all(issubclass(kind, datetime.timedelta) for kind in kinds):
        return pl.Series(name, cells, dtype=pl.Duration("us"))
    texts = [None if c is None else category_text(c) for c in cells]
    try:
        return pl.Series(name, texts, pl.String)
    except UnicodeEncodeError:
        # Half an emoji, where a text was cut off: no UTF-8 can hold it.
        whole = [None if t is None else t.encode("utf-8", "replace").decode() for t in texts]
        return pl.Series(name, whole, pl.String)


def _from_numbers(cells: list[Any], name: str) -> pl.Series:
    import polars as pl

    if all(c is None or (isinstance(c, numbers.Integral) and abs(int(c)) < 2**63) for c in cells):
        return pl.Series(name, [None if c is None else int(c) for c in cells], dtype=pl.Int64)
    if all(c is None or isinstance(c, numbers.Integral) for c in cells):
        # More digits than any type of numbers holds: as text none is lost.
        return pl.Series(name, [None if c is None else str(int(c)) for c in cells], dtype=pl.String)

    def as_float(cell: Any) -> float | None:
        try:
            return None if cell is None else float(cell)
        except OverflowError:
            return float("inf") if cell > 0 else float("-inf")

    return pl.Series(name, [as_float(cell) for cell in cells], dtype=pl.Float64)


def _as_datetime(cell: Any) -> datetime.datetime | None:
    if cell is None:
        return None
    if isinstance(cell, datetime.datetime):
        # The time on the clock where it was taken; the hour of the day is what can be learnt from.
        moment = datetime.datetime(
            cell.year, cell.month, cell.day, cell.hour, cell.minute, cell.second, cell.microsecond
        )
        return moment
    return datetime.datetime(cell.year, cell.month, cell.day)


def _is_scalar(cell: object) -> bool:
    return not isinstance(cell, (list, tuple, dict, set, bytes, np.ndarray))
