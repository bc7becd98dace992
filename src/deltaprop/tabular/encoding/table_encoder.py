"""A table <-> the matrix a network learns from: fitted once, the same at every prediction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from deltaprop.errors import ColumnError, DataError, nearest_name, of
from deltaprop.model.stored import LONGEST_NAME, Stored
from deltaprop.tabular.encoding.cells import listed, shorten
from deltaprop.tabular.encoding.column import Column
from deltaprop.tabular.encoding.encoder import Encoder, ReportRow, Rows
from deltaprop.tabular.encoding.fit import fit_column
from deltaprop.tabular.encoding.kinds import stored_column
from deltaprop.tabular.encoding.ranges import MOST_RANGES
from deltaprop.tabular.encoding.sparse import SparseRows, beside
from deltaprop.tabular.encoding.surprises import Surprises
from deltaprop.tabular.forked import fork_safe
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.frames import to_polars

__all__ = ["TableEncoder"]

_MOST_FILLED = 4  # of so many numbers one is kept; a sparse one costs as much time as about so many


@dataclass(frozen=True)
class TableEncoder(Encoder):
    """Encodes tables like the one it was fitted to.

    Categories become one-hot columns (two-valued ones a single -1/+1), missing or unknown ones
    zeros; a missing number becomes the median, with an indicator beside it. Then for every output
    x <- (x - median) s with s = 1 / (q75 - q25), and x / sqrt(1 + (x / 3)^2). Where ranges are
    asked for, a number gives further outputs, which are scaled already: its share of each range.
    So is free text, which becomes the TF-IDF of its terms; see `Vocabulary`.

    References
    ----------
    Holzmüller, Grinsztajn, Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees
    on tabular data", 2024 (RealMLP-TD-S). Gorishniy, Rubachev, Babenko, "On embeddings for
    numerical features in tabular deep learning", 2022 (ranges).
    """

    format = "deltaprop-table-encoder/1"
    described = "table encoder"

    columns: tuple[Column, ...]  # of the training table in their order, also those left out
    n_rows: int
    warnings: tuple[str, ...] = ()

    @classmethod
    @fork_safe
    def fit(cls, frame: object, *, where: str = "") -> TableEncoder:
        """Decide what each column is and how it is scaled.

        ``frame`` holds the features, without the target; anything `as_frame` takes.

        Raises
        ------
        DataError
            No rows, no column that could be learnt from, or an infinite cell.
        ColumnError
            A column of lists, bytes or other cells that are no values.
        """
        table = to_polars(frame)
        if table.height == 0:
            raise DataError(
                f"The table{of(where)} has no rows: expected at least one to learn from. "
                "Check how it is selected."
            )
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

        ``frame`` is the training table. Each numeric column gets up to ``most`` ranges; fewer where
        there are many such columns, and none where a column has but two values. Raises what
        ``transform`` does.
        """
        most = min(most, MOST_RANGES // max(1, sum(c.takes_ranges for c in self.columns)))
        if most < 2:
            return self
        table = to_polars(frame)
        self._match(table.columns, where, table.columns)
        columns = (
            column.divided(table[column.name], most, where) if column.takes_ranges else column
            for column in self.columns
        )
        return replace(self, columns=tuple(columns))

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(name for column in self.columns for name in column.output_names)

    @cached_property
    def n_outputs(self) -> int:
        return sum(column.n_outputs for column in self.columns)

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The columns that a table must have to be encoded."""
        return tuple(column.name for column in self.columns if column.n_outputs)

    @fork_safe
    def _encoded(
        self, features: object, where: str, ignore: Collection[str], dtype: DTypeLike, *, few: bool
    ) -> tuple[Rows, Surprises]:
        table = to_polars(features)
        found = Surprises(self._match(table.columns, where, ignore))
        by_name = dict(zip(table.columns, table.iter_columns(), strict=True))
        encoded = [(column, by_name[column.name]) for column in self.columns if column.n_outputs]
        if few and self.has_few_numbers and not self.is_sparse:
            return self._few(encoded, table.height, where, dtype, found), found
        dense = np.empty((table.height, sum(c.n_dense for c in self.columns)), dtype=dtype)
        parts: list[Rows] = []
        begun = done = 0
        for column, series in encoded:
            if column.is_sparse:
                parts += [dense[:, begun:done], column.sparse(series, where, dtype)]
                begun = done
            else:
                column.fill(dense[:, done : done + column.n_dense], series, where, found)
                done += column.n_dense
        return beside([*parts, dense[:, begun:]], dtype) if parts else dense, found

    @cached_property
    def _widths(self) -> tuple[int, ...]:
        """How many numbers of a row `encode` keeps of each column that has outputs."""
        used = (column for column in self.columns if column.n_outputs)
        return tuple(0 if column.is_sparse else column.n_kept for column in used)

    @cached_property
    def is_sparse(self) -> bool:
        """Whether a column is free text: of its terms a row has few."""
        return any(column.is_sparse for column in self.columns)

    @cached_property
    def has_few_numbers(self) -> bool:
        """Return whether most numbers of a row are 0, as with categories by the dozen."""
        return _MOST_FILLED * sum(self._widths) <= self.n_outputs

    @cached_property
    def n_kept(self) -> int:
        if self.is_sparse:
            return sum(c.n_kept if c.is_sparse else c.n_dense for c in self.columns)
        return sum(self._widths) if self.has_few_numbers else self.n_outputs

    @fork_safe
    def check_columns(self, frame: object, *, where: str = "") -> None:
        """Raise the ColumnError of ``transform`` where a table lacks columns."""
        self._match(to_polars(frame).columns, where, ())

    def check(self, features: object, *, where: str = "") -> None:
        table = to_polars(features)
        self._match(table.columns, where, ())
        for column in self.columns:
            if column.n_outputs:
                column.check(table[column.name], where)

    def _few(
        self,
        encoded: Sequence[tuple[Column, pl.Series]],
        n: int,
        where: str,
        dtype: DTypeLike,
        found: Surprises,
    ) -> SparseRows:
        """Encode columns into rows of equally many numbers."""
        width = sum(self._widths)
        data = np.empty((n, width), dtype=dtype)
        indices = np.empty((n, width), dtype=np.int32)
        done = output = 0
        for (column, series), kept in zip(encoded, self._widths, strict=True):
            here = slice(done, done + kept)
            if kept < column.n_dense:
                column.fill_few(data[:, here], indices[:, here], series, found)
                indices[:, here] += output
            else:
                column.fill(data[:, here], series, where, found)
                indices[:, here] = np.arange(output, output + column.n_dense)
            done, output = here.stop, output + column.n_dense
        starts = np.arange(n + 1, dtype=np.int64) * width
        return SparseRows(data.ravel(), indices.ravel(), starts, (n, self.n_outputs))

    def _match(
        self, present: Sequence[str], where: str, ignore: Collection[str]
    ) -> dict[str, None]:
        """Return the columns that the training table had not; refuse a table that lacks some."""
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
        return dict.fromkeys(extra)

    def report(self) -> list[ReportRow]:
        return [column.report() for column in self.columns]

    def to_dict(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "n_rows": self.n_rows,
            "warnings": list(self.warnings),
            "columns": [column.to_dict() for column in self.columns],
        }

    @classmethod
    def _from_stored(cls, stored: Stored) -> Self:
        columns = stored.items("columns", stored_column)
        names = [column.name for column in columns]
        if len(set(names)) < len(names) or not any(column.n_outputs for column in columns):
            stored.refuse("columns", names[:5], "different columns, at least one with outputs")
        return cls(columns, stored.count("n_rows", 1), stored.texts("warnings"))
