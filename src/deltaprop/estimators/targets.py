"""What an MLP estimator is given as y, brought to one array of one kind: the classes keep it."""

from __future__ import annotations

import decimal
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError
from deltaprop.masked import refuse_masked
from deltaprop.tabular.encoding.cells import shorten
from deltaprop.tabular.reading.series import is_missing

__all__ = ["answers_of", "plain_columns", "plain_targets", "refuse_unlearnt"]

_KINDS: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("truth values", (bool, np.bool_)),
    ("numbers", (numbers.Real, decimal.Decimal)),
    ("text", (str,)),
)


def plain_targets(y: Any, *, numeric: bool, name: str = "y") -> Any:
    """Return targets as an array of numbers, truth values or text.

    Objects become what they are, nullable and categorical columns what they hold, whatever
    library they come from. What is no column or table of targets is returned as it is.

    Text may spell numbers where they are expected. Raise DataError where an entry is missing, is of
    no kind that can be learnt, or of another one than others; the message names the row.
    """
    if y is None or hasattr(y, "tocsr") or isinstance(y, (str, bytes)):
        return y
    refuse_masked(y, name)
    if (columns := _columns_of(y)) is not None:
        plain = [_plain(column, numeric, _place(name, label)) for label, column in columns]
        return np.column_stack(plain) if plain else np.asarray(y)
    if isinstance(y, np.ndarray) and y.ndim == 2 and y.dtype == object:
        return np.column_stack([_plain(column, numeric, name) for column in y.T])
    if isinstance(y, np.ndarray) and y.ndim != 1:
        return y
    if isinstance(y, Sequence) and not all(map(_is_cell, y)):
        return y
    return _plain(y, numeric, name)


def answers_of(y: Any, *, numeric: bool, name: str = "y") -> npt.NDArray[Any]:
    """Return targets as an array; a single column as a vector."""
    y = y.toarray() if hasattr(y, "tocsr") else y
    answers = np.asarray(plain_targets(y, numeric=numeric, name=name))
    return answers[:, 0] if answers.ndim == 2 and answers.shape[1] == 1 else answers


def plain_columns(y: Any, name: str = "y") -> list[tuple[str, npt.NDArray[Any]]] | None:
    """Return the columns of a table of classes, each of its own kind, and what they are called.

    None for what is no table; see ``plain_targets``.
    """
    if y is None or isinstance(y, (str, bytes)):
        return None
    if (columns := _columns_of(y)) is not None:
        return [(str(label), _plain(cells, False, _place(name, label))) for label, cells in columns]
    table = y.toarray() if hasattr(y, "tocsr") else y
    if isinstance(table, Sequence) and len(table) and not any(map(_is_cell, table)):
        table = _rows_side_by_side(table, name)
    if not isinstance(table, np.ndarray) or table.ndim != 2:
        return None
    return [
        (f"target{i}", _plain(column, False, f"{name}[:, {i}]")) for i, column in enumerate(table.T)
    ]


def refuse_unlearnt(found: npt.ArrayLike, learnt: npt.ArrayLike) -> None:
    """Raise where a class is found that no row which counts belongs to."""
    absent = np.setdiff1d(found, learnt)
    if len(absent):
        raise DataError(
            f"Class {absent[:1].tolist()[0]!r} has no row that counts, so nothing is learnt of it. "
            "Leave out the rows of that class."
        )


def _rows_side_by_side(rows: Sequence[Any], name: str) -> npt.NDArray[Any]:
    """Return rows of cells as a table of objects, which keeps the kind of each column."""
    lengths = [len(row) for row in rows]
    odd = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
    if odd is not None:
        raise DataError(
            f"{name} has {lengths[0]} entries in row 1 but {lengths[odd]} in row {odd + 1}; "
            "expected as many in each row."
        )
    table = np.empty((len(rows), len(rows[0])), dtype=object)
    for i, row in enumerate(rows):
        table[i] = list(row)
    return table


def _place(name: str, label: object) -> str:
    return f"{name}[{label!r}]"


def _columns_of(y: Any) -> list[tuple[str, Any]] | None:
    if not hasattr(y, "columns"):
        return None
    import narwhals as nw

    frame = nw.from_native(y, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if not isinstance(frame, nw.DataFrame):
        return None
    return [(column.name, column) for column in frame.iter_columns()]


def _plain(column: Any, numeric: bool, name: str) -> npt.NDArray[Any]:
    array = _as_array(column)
    kind = array.dtype.kind
    if kind in "biuc" or array.ndim != 1 or (kind == "U" and not numeric):
        return array
    if kind == "f":
        _refuse(np.isnan(array), name, "contains NaN", "has no value")
        _refuse(np.isinf(array), name, "contains infinity", "is infinite")
        return array
    return _of_one_kind(array.tolist(), numeric, name)


def _as_array(column: Any) -> npt.NDArray[Any]:
    """Return complete numbers and truth values as what they are, all else as objects."""
    import narwhals as nw

    series = nw.from_native(column, series_only=True, pass_through=True)
    if not isinstance(series, nw.Series):
        return (
            np.array(column, dtype=object) if isinstance(column, Sequence) else np.asarray(column)
        )
    dtype = series.dtype
    if dtype.is_float() or (
        (dtype.is_integer() or dtype == nw.Boolean) and not series.null_count()
    ):
        return np.asarray(series.to_numpy())
    return np.array(series.to_list(), dtype=object)


def _of_one_kind(cells: list[Any], numeric: bool, name: str) -> npt.NDArray[Any]:
    """Return objects as an array of what they all are."""
    _refuse(np.array([is_missing(cell) for cell in cells], bool), name, "contains NaN",
            "has no value")  # fmt: skip
    kinds = {kind: _kind(kind) for kind in dict.fromkeys(map(type, cells))}
    first = next(iter(kinds.values()), "numbers")
    for kind in kinds:
        row = next(i for i, cell in enumerate(cells) if type(cell) is kind)
        if kinds[kind] == "other things":
            raise DataError(
                f"{name} is {shorten(cells[row])} in row {row + 1}, of type {kind.__name__}; "
                f"expected {'numbers' if numeric else 'text, whole numbers or truth values'}. "
                f"Convert it, for example with {name}.astype(str)."
            )
        if kinds[kind] != first:
            raise DataError(
                f"{name} holds {first} ({shorten(cells[0])} in row 1) and {kinds[kind]} "
                f"({shorten(cells[row])} in row {row + 1}); expected one kind. Convert it, for "
                f"example with {name}.astype(str), or correct these rows."
            )
    if first == "truth values":
        return np.array(cells, dtype=bool)
    if first == "text":
        return _spelt(cells, name) if numeric else np.array(cells, dtype=object)
    if all(isinstance(cell, numbers.Integral) for cell in cells):
        try:
            return np.array([int(cell) for cell in cells], dtype=np.int64)
        except OverflowError:
            pass
        if not numeric:
            row = next(i for i, cell in enumerate(cells) if not -(2**63) <= int(cell) < 2**63)
            raise DataError(
                f"{name} is {cells[row]} in row {row + 1}, beyond what whole numbers of 64 bits "
                f"hold. Give such labels as text: {name}.astype(str)."
            )
    return np.array([float(cell) for cell in cells])


def _spelt(texts: list[str], name: str) -> npt.NDArray[np.float64]:
    """Return the numbers that texts spell."""
    found = np.empty(len(texts))
    for row, text in enumerate(texts):
        try:
            found[row] = float(text)
        except ValueError:
            raise DataError(
                f"{name} is {shorten(text)} in row {row + 1}, which is not a number; a regressor "
                "needs one per row. Correct the row, or take MLPClassifier for classes."
            ) from None
    return found


def _refuse(odd: npt.NDArray[np.bool_], name: str, what: str, row_has: str) -> None:
    rows = np.flatnonzero(odd)
    if len(rows):
        shown = ", ".join(str(row + 1) for row in rows[:3])
        more = f" (and {len(rows) - 3} more)" if len(rows) > 3 else ""
        raise DataError(
            f"Input {name} {what}: row {shown}{more} {row_has}. Every row needs one; correct or "
            "leave out such rows."
        )


def _kind(cell: type) -> str:
    return next((kind for kind, types in _KINDS if issubclass(cell, types)), "other things")


def _is_cell(entry: Any) -> bool:
    return not isinstance(entry, (Sequence, np.ndarray)) or isinstance(entry, (str, bytes))
