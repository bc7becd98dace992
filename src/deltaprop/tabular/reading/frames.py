"""Whatever holds a table in memory, as a narwhals frame backed by polars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import ColumnError, DataError, ShapeError, shown
from deltaprop.masked import refuse_masked
from deltaprop.tabular.encoding.matrix import as_sparse, is_sparse, order_of_sparse_rows
from deltaprop.tabular.encoding.sparse import SparseRows
from deltaprop.tabular.forked import fork_safe
from deltaprop.tabular.libraries import nw, pl
from deltaprop.tabular.reading.series import as_series, refuse_nested

__all__ = [
    "Features",
    "Frame",
    "as_features",
    "as_frame",
    "in_memory",
    "refuse_patterns",
    "refuse_twice",
    "sorted_rows",
    "take_rows",
    "to_polars",
]

Frame: TypeAlias = "nw.DataFrame[pl.DataFrame]"
Features: TypeAlias = "Frame | NDArray[Any] | SparseRows"
"""Rows as encoders take them: of a table, images, or a sparse matrix."""

Rows = TypeVar("Rows", bound=Features)

_RENAME = "Rename or remove all but one."
_EXPECTED = (
    "a data frame (pandas, polars, pyarrow or another that narwhals takes), a dict of columns, or "
    "a 2-D NumPy array"
)


def as_frame(data: object) -> Frame:
    """Return a table as a narwhals frame backed by polars.

    It may be a data frame, a dict of columns, a list of dicts, or a 2-D array, whose columns are
    called ``x0``, ``x1``, ...

    Raises
    ------
    ColumnError
        Two columns of one name, or columns of different lengths.
    DataError
        Something that is no table, or cells that are neither numbers, text, truth values nor dates.
    """
    return nw.from_native(to_polars(data), eager_only=True)


def as_features(data: object) -> Features:
    """Return images as they are, sparse matrices as their rows, and all else as ``as_frame``."""
    if isinstance(data, np.ndarray) and data.ndim > 2:
        refuse_masked(data, "The images")
        return data
    return as_sparse(data) if is_sparse(data) else as_frame(data)


def take_rows(features: Rows, rows: NDArray[np.int64]) -> Rows:
    """Return some rows, or images, of what ``as_features`` returned."""
    every: Any = features
    in_arrays = isinstance(features, (np.ndarray, SparseRows))
    taken: Any = every[rows] if in_arrays else _rows_of_frame(every, rows)
    same: Rows = taken
    return same


@fork_safe
def _rows_of_frame(frame: Frame, rows: NDArray[np.int64]) -> Frame:
    return nw.from_native(frame.to_native()[rows], eager_only=True)


@fork_safe
def sorted_rows(
    frame: Frame | SparseRows, further: Sequence[NDArray[Any] | None] = ()
) -> NDArray[np.int64]:
    """Return the places of the rows sorted by what they hold, then by further columns."""
    if isinstance(frame, SparseRows):
        return order_of_sparse_rows(frame, list(further))

    keys = [
        series.cast(pl.String) if series.dtype in (pl.Categorical, pl.Enum, pl.Null) else series
        for series in frame.to_native().iter_columns()
    ]
    keys += [pl.Series(column) for column in further if column is not None]
    named = pl.DataFrame([key.alias(str(i)) for i, key in enumerate(keys)])
    ordered = named.with_row_index("row").sort(named.columns, maintain_order=True)
    return ordered["row"].to_numpy().astype(np.int64)


def in_memory(data: Any) -> Any:
    """Return a user's table in a form that scikit-learn and narwhals know, in memory.

    Tensors become arrays, Arrow's batches and streams tables, and mappings, records and structured
    arrays frames; lazy tables are collected. Anything else stays what it is, but for iterators,
    tensors that are no plain arrays of real numbers, tables with two columns of one name, and
    arrays that mask entries.
    """
    refuse_masked(data, "The table")
    if type(data).__module__.partition(".")[0] == "torch" and hasattr(data, "detach"):
        return _from_torch(data)
    if hasattr(data, "tocsr"):  # a sparse matrix, which may be a dict of its entries
        return data
    if _holds_records(data):
        return to_polars(data)
    if isinstance(data, (np.ndarray, list, tuple)):
        return data
    if isinstance(data, (nw.DataFrame, nw.LazyFrame)):
        data = data.to_native()
    refuse_twice(_names_of(data), "The table", _RENAME)
    frame: Any = nw.from_native(data, pass_through=True, allow_series=True)
    if isinstance(frame, nw.LazyFrame):
        if frame.implementation.is_polars():
            return _collect_polars(data)
        return frame.collect().to_native()
    if frame is data and hasattr(data, "__array__") and getattr(data, "ndim", None) == 2:
        return np.asarray(data)
    if frame is data and hasattr(data, "__arrow_c_stream__"):
        # polars would take its threads for it, and a forked child has none
        backend: Any = "pyarrow" if find_spec("pyarrow") else "polars"
        return nw.from_arrow(data, backend=backend).to_native()
    if frame is data and isinstance(data, Iterator):
        raise DataError(f"Found {type(data).__name__}: expected {_EXPECTED}. Take list(...) of it.")
    return data


def _holds_records(data: object) -> bool:
    """Return whether the cells have names, but no data frame holds them."""
    if isinstance(data, np.ndarray):
        return data.dtype.names is not None
    if isinstance(data, (list, tuple)):
        return bool(data) and isinstance(data[0], Mapping)
    return isinstance(data, Mapping)


def _names_of(frame: Any) -> list[str]:
    """Return the names of columns that may be the same; narwhals refuses to, where two are."""
    if nw.dependencies.is_pandas_like_dataframe(frame):
        return [str(name) for name in frame.columns]
    return list(frame.column_names) if nw.dependencies.is_pyarrow_table(frame) else []


def _from_torch(tensor: Any) -> NDArray[Any]:
    plain = str(tensor.layout) == "torch.strided" and not tensor.is_meta
    if tensor.is_complex() or tensor.is_quantized or not plain:
        raise DataError(
            f"A tensor of {tensor.dtype} in the layout {tensor.layout} was given as a table: "
            "expected real numbers, rows x columns. Convert it, for example with .to_dense() or "
            ".real."
        )
    tensor = tensor.detach().cpu()
    if tensor.is_floating_point() and tensor.element_size() < 4:
        tensor = tensor.float()  # NumPy has no bfloat16
    array: NDArray[Any] = tensor.numpy()
    return array


@fork_safe
def _collect_polars(lazy: pl.LazyFrame) -> pl.DataFrame:
    return lazy.collect()


def to_polars(data: object) -> pl.DataFrame:
    """Do what `as_frame` does, without the narwhals wrapper."""
    refuse_masked(data, "The table")
    if not _holds_records(data):
        data = in_memory(data)
    if isinstance(data, pl.DataFrame):
        refuse_patterns(data.columns, "The table")
        for column in data.iter_columns():
            refuse_nested(column)
        return data
    if isinstance(data, np.ndarray) and data.dtype.names is not None:
        return _from_columns([(name, data[name]) for name in data.dtype.names])
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
    try:
        frame: nw.DataFrame[Any] = nw.from_native(data, eager_only=True)
    except TypeError:
        raise DataError(
            f"Found {type(data).__name__}: expected {_EXPECTED}. "
            "Convert it, for example with pandas.DataFrame(...)."
        ) from None
    columns = zip(frame.columns, frame.iter_columns(), strict=True)
    return _from_columns([(str(name), column) for name, column in columns])


def refuse_patterns(names: Sequence[str], table: str) -> None:
    """Raise a `ColumnError` for a name that polars takes for a pattern: ``*``, or ``^...$``."""
    odd = [name for name in names if name == "*" or (name[:1] == "^" and name[-1:] == "$")]
    if odd:
        raise ColumnError(
            f"{table} has a column called {odd[0]!r} (column {list(names).index(odd[0]) + 1}): "
            "expected a name that is neither * nor of the form ^...$, which stand for all columns, "
            "or for those that fit a pattern. Rename it."
        )


def refuse_twice(names: Sequence[str], table: str, advice: str) -> None:
    """Raise a `ColumnError` for a name that several columns have."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        places = [str(i + 1) for i, name in enumerate(names) if name == twice[0]]
        these = ", ".join(places[:8]) + (f" and {len(places) - 8:,} more" if places[8:] else "")
        others = f" So are {len(twice) - 1:,} more names." if len(twice) > 1 else ""
        raise ColumnError(
            f"{table} has several columns called {shown(twice[0])} (columns {these}): expected "
            f"different names.{others} {advice}"
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


def _from_columns(columns: Sequence[tuple[str, object]]) -> pl.DataFrame:
    names = [name for name, _ in columns]
    refuse_twice(names, "The table", _RENAME)
    refuse_patterns(names, "The table")
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
