"""A table <-> the matrix a network learns from: fitted once, the same at every prediction."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from deltaprop.errors import ColumnError, DataError, nearest_name, of
from deltaprop.model.stored import LONGEST_NAME, Stored
from deltaprop.tabular.cells import shorten
from deltaprop.tabular.codes import exact_differences
from deltaprop.tabular.columns import Column, ReportRow, TableWarning, stored_column
from deltaprop.tabular.dates import date_format, date_parts, days_of, plain_order
from deltaprop.tabular.fit import fit_column, no_rows, refuse_infinite, to_floats
from deltaprop.tabular.forked import fork_safe
from deltaprop.tabular.frames import to_polars
from deltaprop.tabular.lookup import category_codes
from deltaprop.tabular.missing import without_dashes, without_words
from deltaprop.tabular.notation import read_numbers
from deltaprop.tabular.ranges import MOST_RANGES, find_edges, shares
from deltaprop.tabular.read import listed
from deltaprop.tabular.scaling import squash
from deltaprop.tabular.sparse import SparseRows, beside

if TYPE_CHECKING:
    import polars as pl

__all__ = ["TableEncoder"]

_FORMAT = "deltaprop-table-encoder/1"


@dataclass(frozen=True, slots=True)
class TableEncoder:
    """Encodes tables like the one it was fitted to.

    Categories become one-hot columns (two-valued ones a single -1/+1), missing or unknown ones
    zeros; a missing number becomes the median, with an indicator beside it. Then for every output
    x <- (x - median) s with s = 1 / (q75 - q25), and x / sqrt(1 + (x / 3)^2). Where ranges are
    asked for, a number gives further outputs, which are scaled already: its share of each range.
    So is free text, which becomes the TF-IDF of its terms; see `Vocabulary`.

    Attributes
    ----------
    columns : tuple of Column
        In the order of the training table, the ones left out included.
    n_rows : int
        Rows it was fitted to.
    warnings : tuple of str
        What in the training table is worth a look.

    References
    ----------
    Holzmüller, Grinsztajn, Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees
    on tabular data", 2024 (RealMLP-TD-S). Gorishniy, Rubachev, Babenko, "On embeddings for
    numerical features in tabular deep learning", 2022 (ranges).
    """

    columns: tuple[Column, ...]
    n_rows: int
    warnings: tuple[str, ...] = ()

    @classmethod
    @fork_safe
    def fit(cls, frame: object, *, where: str = "") -> TableEncoder:
        """Decide what each column is and how it is scaled.

        Parameters
        ----------
        frame : data frame
            The features, without the target; anything `as_frame` takes.
        where : str
            What messages call the table, for example its file.

        Raises
        ------
        DataError
            No rows, no column that could be learnt from, or an infinite cell.
        ColumnError
            A column of lists, bytes or other cells that are no values.
        """
        table = to_polars(frame)
        if table.height == 0:
            no_rows(where)
        columns: list[Column] = []
        found: list[str] = []
        for series in table.iter_columns():
            if len(series.name) > LONGEST_NAME:
                raise ColumnError(
                    f"A column of the table{of(where)} is called {shorten(series.name)}: expected "
                    f"names of at most {LONGEST_NAME:,} characters. Is the first line a header?"
                )
            column, about = fit_column(series, where)
            columns.append(column)
            found.extend(about)
        if not any(column.n_outputs for column in columns):
            reasons = "; ".join(f"{c.name!r} is {c.note}" for c in columns[:5])
            raise DataError(
                f"The table{of(where)} has no column to learn from ({reasons or 'it has none'}): "
                "expected at least one whose cells differ. Check the file and its separator."
            )
        return cls(tuple(columns), table.height, tuple(found))

    @fork_safe
    def with_ranges(self, frame: object, most: int, *, where: str = "") -> TableEncoder:
        """Return an encoder that gives the shares of ranges beside each number, too.

        Parameters
        ----------
        frame : data frame
            The training table.
        most : int
            Ranges of each numeric column; fewer where there are many such columns, and none where
            a column has but two values.
        where : str
            What messages call the table, for example its file.

        Raises
        ------
        ColumnError, DataError
            As for ``transform``.
        """
        numeric = sum(column.kind == "numeric" for column in self.columns)
        most = min(most, MOST_RANGES // max(1, numeric))
        if most < 2:
            return self
        table = to_polars(frame)
        self._match(table.columns, where, table.columns)

        def divided(column: Column) -> Column:
            if column.kind != "numeric":
                return column
            values, _ = _numbers(column, table[column.name], where)
            return replace(column, edges=find_edges(values[~np.isnan(values)], most))

        return replace(self, columns=tuple(map(divided, self.columns)))

    @property
    def output_names(self) -> tuple[str, ...]:
        """One readable name per column of the matrix."""
        return tuple(name for column in self.columns for name in column.output_names)

    @property
    def n_outputs(self) -> int:
        """Number of columns of the matrix."""
        return sum(column.n_outputs for column in self.columns)

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that a table must have to be encoded."""
        return tuple(column.name for column in self.columns if column.n_outputs)

    @fork_safe
    def transform(
        self,
        frame: object,
        *,
        where: str = "",
        ignore: Collection[str] = (),
        dtype: DTypeLike = np.float64,
    ) -> NDArray[Any] | SparseRows:
        """Encode a table.

        Parameters
        ----------
        frame : data frame
            Has the columns of the training table, in any order.
        where : str
            What messages call the table, for example its file.
        ignore : collection of str
            Further columns whose presence is no surprise, such as the target.
        dtype : dtype
            Of the result; it is computed in float64.

        Returns
        -------
        ndarray or SparseRows of shape (n, n_outputs)
            Sparse where a column is free text: of its terms a row has few.

        Raises
        ------
        ColumnError
            Columns are missing; names them all.
        DataError
            A cell is of another kind than at training; names row, column and cell.

        Warns
        -----
        TableWarning
            About further columns, and about categories not seen in training.
        """
        table = to_polars(frame)
        self._match(table.columns, where, ignore)
        dense = np.empty((table.height, sum(c.n_dense for c in self.columns)), dtype=dtype)
        by_name = dict(zip(table.columns, table.iter_columns(), strict=True))
        about: list[str] = []
        parts: list[NDArray[Any] | SparseRows] = []
        begun = done = 0
        for column in self.columns:
            if column.vocabulary is not None:
                text = _texts(column, by_name[column.name], where)
                parts += [dense[:, begun:done], column.vocabulary.encode(text, dtype)]
                begun = done
            elif column.outputs:
                block = dense[:, done : done + column.n_dense]
                about.extend(_fill(block, column, by_name[column.name], where))
                done += column.n_dense
        if about:
            python_warnings.warn(
                f"The table{of(where)} holds what the training did not: {'; '.join(about)}. "
                "Such cells are encoded as unknown.",
                TableWarning,
                stacklevel=3,
            )
        return beside([*parts, dense[:, begun:]], dtype) if parts else dense

    def _match(self, present: Sequence[str], where: str, ignore: Collection[str]) -> None:
        here = set(present)
        absent = [name for name in self.needed if name not in here]
        known = {column.name for column in self.columns}
        extra = [name for name in present if name not in known and name not in ignore]
        if absent:
            near = {name: nearest_name(name, extra) for name in absent[:20]}
            hints = [f"{found!r} for {name!r}" for name, found in near.items() if found]
            hint = f" Is it called differently: {', '.join(hints)}?" if hints else ""
            has = listed(list(present), 12) or "none"
            raise ColumnError(
                f"The table{of(where)} lacks {'column' if len(absent) == 1 else 'columns'} "
                f"{listed(absent, 50)}: expected the {len(self.needed)} columns of the training "
                f"table, in any order.{hint} Its columns are {has}."
            )
        if extra:
            python_warnings.warn(
                f"The table{of(where)} has {'a column' if len(extra) == 1 else 'columns'} that the "
                f"training table had not: {listed(extra)}. Ignored.",
                TableWarning,
                stacklevel=4,
            )

    def report(self) -> list[ReportRow]:
        """Return, per column of the training table, what was made of it."""
        return [column.report() for column in self.columns]

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as plain values that JSON keeps exactly."""
        return {
            "format": _FORMAT,
            "n_rows": self.n_rows,
            "warnings": list(self.warnings),
            "columns": [column.to_dict() for column in self.columns],
        }

    @classmethod
    def from_dict(cls, values: object) -> TableEncoder:
        """Return the encoder that `to_dict` described.

        Raises
        ------
        DataError
            Anything that `to_dict` would not have written; the values may come from a stranger.
        """
        stored = Stored(values, "table encoder")
        stored.text("format", (_FORMAT,))
        columns = stored.items("columns", stored_column)
        names = [column.name for column in columns]
        if len(set(names)) < len(names) or not any(column.n_outputs for column in columns):
            stored.refuse("columns", names[:5], "different columns, at least one with outputs")
        return cls(columns, stored.count("n_rows", 1), stored.texts("warnings"))


def _fill(block: NDArray[Any], column: Column, series: pl.Series, where: str) -> list[str]:
    """Encode one column into its block of the matrix; return what is to be warned about."""
    if column.kind in ("category", "binary", "boolean"):
        return _fill_categories(block, column, series)
    if column.kind == "constant":
        absent = series.is_null() | _absent_text(series)
        block[:, 0] = column.outputs[0].squashed(absent.to_numpy().astype(np.float64))
        return []
    about: list[str] = []
    if column.kind == "date":
        values = _dates(column, series, where)
        parts = date_parts(values)
    else:
        values, odd = _numbers(column, series, where)
        parts = {"value": values}
        if odd:
            about.append(f"{odd} cells of the numeric column {column.name!r} are no numbers")
    for i, output in enumerate(column.outputs):
        part = np.isnan(values).astype(np.float64) if output.part == "missing" else None
        block[:, i] = output.squashed(parts[output.part] if part is None else part)
    if column.edges:
        block[:, len(column.outputs) :] = shares(values, column.edges, column.outputs[0].center)
    return about


def _absent_text(series: pl.Series) -> pl.Series:
    import polars as pl

    if series.dtype in (pl.String, pl.Categorical, pl.Enum):
        return without_words(series.cast(pl.String)).is_null()
    return series.is_nan().fill_null(True) if series.dtype.is_float() else series.is_null()


def _numbers(column: Column, series: pl.Series, where: str) -> tuple[NDArray[np.float64], int]:
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


def _texts(column: Column, series: pl.Series, where: str) -> pl.Series:
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


def _fill_categories(block: NDArray[Any], column: Column, series: pl.Series) -> list[str]:
    truths = column.categories
    if column.kind == "boolean" and series.dtype.is_numeric():
        truths = ("0", "1")  # how truth values often arrive
    codes, unknown = category_codes(series, truths)
    if column.kind != "category":
        values = np.array([0.0, -1.0, 1.0])
        block[:, 0] = column.outputs[0].squashed(values)[codes + 1]
    else:
        centers = np.array([output.center for output in column.outputs])
        scales = np.array([output.scale for output in column.outputs])
        off, on = (squash(np.full(len(centers), x), centers, scales) for x in (0.0, 1.0))
        block[:] = off
        rows = np.flatnonzero(codes >= 0)
        block[rows, codes[rows]] = on[codes[rows]]
    if unknown.len() == 0 or column.rest:
        return []
    different = unknown.unique(maintain_order=True)
    cells = f"{unknown.len()} {'cell' if unknown.len() == 1 else 'cells'}"
    return [f"{cells} of column {column.name!r} ({listed(different.head(9).to_list(), 3)})"]
