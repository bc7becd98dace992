"""Encoding a sparse matrix: its columns brought to one scale, and no zero written out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from deltaprop.errors import DataError, ShapeError, of
from deltaprop.model.stored import Stored
from deltaprop.tabular.encoding.column import Wording
from deltaprop.tabular.encoding.encoder import Encoder, ReportRow
from deltaprop.tabular.encoding.scaling import squash
from deltaprop.tabular.encoding.sparse import SparseRows, beside
from deltaprop.tabular.encoding.surprises import Surprises

__all__ = ["SparseEncoder", "as_sparse", "is_sparse", "order_of_sparse_rows"]

Array = NDArray[np.float64]

_CELLS = 300  # that are not 0 in a row
_FULL = 0.5  # share of the rows that have a cell, from which on a column is no longer sparse


@dataclass(frozen=True, slots=True, eq=False)
class SparseEncoder(Encoder):
    """Encodes sparse matrices like the one it was fitted to.

    A column of which most rows have no cell keeps its zeros: x <- x s f with s the reciprocal of
    the root mean square of its cells, squashed into (-3, 3) as numbers of a table are, and f the
    same for all columns, so that the squares of a row sum to 1 on average. A column that most rows
    have a cell of is a number like others: x <- (x - mean) / deviation, squashed; such columns
    stand last.
    """

    format = "deltaprop-sparse-encoder/1"
    described = "sparse encoder"
    kind: ClassVar[str] = "sparse"
    kind_names = ("sparse matrix", "稀疏矩阵")
    in_chinese: ClassVar[Wording] = (
        (r"(\S+) columns scaled", r"缩放 \1 列"),
        (r"(\S+) of them centered", r"其中 \1 列居中"),
    )
    columns: ClassVar[tuple[()]] = ()  # none was looked at as a column of a table is

    names: tuple[str, ...]  # of the columns; empty where nothing names them
    means: Array  # of each column; 0 for sparse ones
    scales: Array  # s of each column
    factor: float  # f
    full: NDArray[np.int64]  # the columns that are not sparse
    n_rows: int
    warnings: tuple[str, ...] = ()

    @classmethod
    def fit(cls, rows: SparseRows, *, where: str = "") -> SparseEncoder:
        """Find the scale of each column of the training rows, of which some cells are not 0."""
        n, k = rows.shape
        _refuse_non_finite(rows, where)
        if n == 0 or not len(rows.data):
            raise DataError(
                f"The sparse matrix{of(where)} of {n} rows and {k} columns has no cell that is not "
                "0: there is nothing to learn from."
            )
        cells = rows.data.astype(np.float64, copy=False)
        counts = np.bincount(rows.indices, minlength=k)
        largest = np.zeros(k)
        np.maximum.at(largest, rows.indices, np.abs(cells))
        unit = np.where(largest > 0, largest, 1.0)
        parts = cells / unit[rows.indices]  # squares of 1e300 are no floats
        sums, squares = (
            np.bincount(rows.indices, weights=values, minlength=k) for values in (parts, parts**2)
        )
        full = np.flatnonzero(counts >= _FULL * n)
        means = np.zeros(k)
        means[full] = sums[full] / n
        spread = squares / np.maximum(counts, 1)
        spread[full] = np.maximum(squares[full] / n - means[full] ** 2, 0.0)
        constant = spread <= 1e-24
        scales = np.where(constant, 0.0, 1.0 / (np.sqrt(np.where(constant, 1.0, spread)) * unit))
        means *= unit
        if not scales.any():
            raise DataError(
                f"No column of the sparse matrix{of(where)} is left to learn from: every one is "
                "constant or empty."
            )
        encoder = cls(rows.names, means, scales, 1.0, full, n)
        sparse = encoder._sparse_part(rows)
        size = float(np.sqrt((sparse.data.astype(np.float64) ** 2).sum() / n))
        return cls(rows.names, means, scales, 1.0 / size if size > 0 else 1.0, full, n)

    @property
    def n_columns(self) -> int:
        """Number of columns of the matrix that is encoded."""
        return len(self.scales)

    @property
    def n_outputs(self) -> int:
        return len(self.scales)

    @property
    def output_names(self) -> tuple[str, ...]:
        names = self.names or tuple(f"x{i}" for i in range(self.n_columns))
        return tuple(names[i] for i in self._order())

    @property
    def n_kept(self) -> int:
        return self.full.size + min(_CELLS, self.n_outputs - self.full.size)

    def _encoded(
        self, features: object, where: str, ignore: Collection[str], dtype: DTypeLike, *, few: bool
    ) -> tuple[SparseRows, Surprises]:
        given = self._fitting(features, where)
        full = [self._full_part(given)] if self.full.size else []
        return beside([self._sparse_part(given), *full], dtype), Surprises()

    def check(self, features: object, *, where: str = "") -> None:
        self._fitting(features, where)

    def _fitting(self, rows: object, where: str) -> SparseRows:
        given = as_sparse(rows)
        if given.shape[1] != self.n_columns:
            raise ShapeError(
                f"The matrix{of(where)} has {given.shape[1]:,} columns: expected "
                f"{self.n_columns:,}, as in training."
            )
        _refuse_non_finite(given, where)
        return given

    def _order(self) -> NDArray[np.int64]:
        """Return the columns in the order of the result."""
        sparse = np.ones(self.n_columns, dtype=bool)
        sparse[self.full] = False
        return np.concatenate([np.flatnonzero(sparse), self.full])

    def _sparse_part(self, rows: SparseRows) -> SparseRows:
        place = np.full(self.n_columns, -1, dtype=np.int32)
        order = self._order()[: self.n_columns - self.full.size]
        place[order] = np.arange(order.size, dtype=np.int32)
        kept = place[rows.indices] >= 0
        starts = np.concatenate([[0], np.cumsum(kept)])[rows.indptr].astype(np.int64)
        columns = rows.indices[kept]
        scales = self.scales[columns]
        cells = self.factor * squash(rows.data[kept].astype(np.float64), np.zeros(1), scales)
        return SparseRows(cells, place[columns], starts, (rows.shape[0], order.size))

    def _full_part(self, rows: SparseRows) -> Array:
        rank = np.full(self.n_columns, -1, dtype=np.int64)
        rank[self.full] = np.arange(self.full.size)
        chosen = np.flatnonzero(rank[rows.indices] >= 0)
        of_row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))[chosen]
        dense = np.zeros((rows.shape[0], self.full.size))
        dense[of_row, rank[rows.indices[chosen]]] = rows.data[chosen]
        return squash(dense, self.means[self.full], self.scales[self.full])

    def report(self) -> list[ReportRow]:
        done = f"{self.n_columns:,} columns scaled, {self.full.size:,} of them centered"
        return [ReportRow("sparse matrix", self.kind, done, 0)]

    def to_dict(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "names": list(self.names),
            "means": self.means[self.full].tolist(),
            "scales": self.scales.tolist(),
            "factor": self.factor,
            "full": self.full.tolist(),
            "n_rows": self.n_rows,
        }

    @classmethod
    def _from_stored(cls, stored: Stored) -> Self:
        names = stored.texts("names")
        scales = np.array(stored.numbers("scales"), dtype=np.float64)
        of_full = np.array(stored.numbers("means"), dtype=np.float64)
        full = np.array(stored.counts("full"), dtype=np.int64)
        k = len(scales)
        if k == 0 or (scales < 0).any() or len(names) not in (0, k):
            stored.refuse("scales", scales[:5].tolist(), "a scale of at least 0 for each column")
        ascending = bool((np.diff(full) > 0).all()) and (not full.size or full[-1] < k)
        if not ascending or len(of_full) != len(full):
            stored.refuse("full", full[:5].tolist(), "some of the columns, in order, each a mean")
        means = np.zeros(k)
        means[full] = of_full
        factor = stored.number("factor", positive=True)
        return cls(names, means, scales, factor, full, stored.count("n_rows", 1))


def is_sparse(data: object) -> bool:
    """Return whether data is a sparse matrix, or a pandas frame of sparse columns."""
    if hasattr(data, "tocsr"):
        return True
    if not hasattr(data, "sparse"):  # asked first: a lazy frame would have to work out its dtypes
        return False
    dtypes: Any = getattr(data, "dtypes", None)
    if not hasattr(dtypes, "tolist"):
        return False
    kinds = dtypes.tolist()
    return bool(kinds) and all(type(kind).__name__ == "SparseDtype" for kind in kinds)


def as_sparse(data: Any, names: tuple[str, ...] = ()) -> SparseRows:
    """Return a sparse matrix of any kind, or an array, as rows of sorted cells that are not 0."""
    if isinstance(data, SparseRows):
        return data
    if not hasattr(data, "tocsr") and hasattr(data, "sparse"):
        names, data = tuple(map(str, data.columns)), data.sparse.to_coo()
    if not hasattr(data, "tocsr"):
        return SparseRows.from_dense(np.asarray(data, dtype=np.float64))
    if data.dtype.kind not in "biuf":
        raise DataError(f"The sparse matrix holds {data.dtype}: expected real numbers.")
    matrix = data.tocsr()
    if not matrix.has_canonical_format or not matrix.data.all():
        matrix = matrix.copy() if matrix is data else matrix
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
    cells = matrix.data if matrix.dtype in (np.float32, np.float64) else matrix.data.astype(float)
    return SparseRows(
        cells,
        matrix.indices.astype(np.int32, copy=False),
        matrix.indptr.astype(np.int64, copy=False),
        (int(matrix.shape[0]), int(matrix.shape[1])),
        names,
    )


def order_of_sparse_rows(rows: SparseRows, further: list[NDArray[Any] | None]) -> NDArray[np.int64]:
    """Return the places of the rows in an order that what they hold decides, then the columns."""
    more = [column.tolist() for column in further if column is not None]
    keys = []
    for i, (start, end) in enumerate(zip(rows.indptr[:-1], rows.indptr[1:], strict=True)):
        digest = blake2b(rows.indices[start:end].tobytes(), digest_size=16)
        digest.update(rows.data[start:end].tobytes())
        keys.append((digest.digest(), *(column[i] for column in more)))
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)


def _refuse_non_finite(rows: SparseRows, where: str) -> None:
    odd = np.flatnonzero(~np.isfinite(rows.data))
    if odd.size:
        place = int(odd[0])
        row = int(np.searchsorted(rows.indptr, place, side="right"))
        raise DataError(
            f"The sparse matrix{of(where)} has {rows.data[place]} in row {row}, column "
            f"{rows.indices[place]}: expected finite numbers. Where a value is not known, leave "
            "the cell out (it counts as 0), or give a data frame, whose missing cells are marked."
        )
