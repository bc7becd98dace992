"""Rows that are mostly zeros: what training needs of a CSR matrix, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["SparseRows", "below", "beside"]


# Our own and not scipy's, so that a column of text needs no further package: training and the
# engines read the three arrays, take rows and densify a few of them, and that is all of it.
@dataclass(frozen=True, slots=True, eq=False)
class SparseRows:
    """A matrix of which each row keeps only what is not zero (compressed sparse rows, CSR).

    Row i holds ``data[s]`` in the columns ``indices[s]``, which ascend, s being the places from
    ``indptr[i]`` up to ``indptr[i + 1]``. The names are scipy's, so that ``deltaprop.train`` takes
    either, and ``scipy.sparse.csr_matrix((x.data, x.indices, x.indptr), shape=x.shape)`` is the
    same matrix.

    Attributes
    ----------
    data : ndarray of shape (n_entries,)
        The numbers that are not zero, row by row.
    indices : int32 array of shape (n_entries,)
        Their columns.
    indptr : int64 array of shape (n + 1,)
        Where each row begins, and where the last one ends.
    shape : tuple of int
        Rows and columns.
    names : tuple of str
        What the columns are called; empty where nothing names them.
    """

    data: NDArray[Any]
    indices: NDArray[np.int32]
    indptr: NDArray[np.int64]
    shape: tuple[int, int]
    names: tuple[str, ...] = ()

    @classmethod
    def from_dense(cls, dense: NDArray[Any]) -> SparseRows:
        """Return a dense matrix of shape (n, k) without its zeros."""
        rows, columns = np.nonzero(dense)
        return cls(
            dense[rows, columns],
            columns.astype(np.int32),
            _starts(np.bincount(rows, minlength=len(dense))),
            (dense.shape[0], dense.shape[1]),
        )

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""
        return self.data.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | NDArray[Any]) -> SparseRows:
        """Return some rows: a slice, row numbers, or a truth value per row."""
        chosen = np.arange(self.shape[0])[rows]
        lengths = np.diff(self.indptr)[chosen]
        starts = _starts(lengths)
        places = np.arange(starts[-1]) + np.repeat(self.indptr[chosen] - starts[:-1], lengths)
        shape = (len(chosen), self.shape[1])
        return SparseRows(self.data[places], self.indices[places], starts, shape, self.names)

    def tocsr(self) -> SparseRows:
        """Return the matrix itself: it is how scipy's callers ask for this form."""
        return self

    def toarray(self) -> NDArray[Any]:
        """Return the matrix with its zeros written out."""
        dense = np.zeros(self.shape, dtype=self.data.dtype)
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))
        dense[rows, self.indices] = self.data
        return dense


def beside(parts: Sequence[NDArray[Any] | SparseRows], dtype: DTypeLike) -> SparseRows:
    """Return one matrix with the columns of all parts, at least one, each of shape (n, k_part)."""
    filled = [part for part in parts if part.shape[1]] or parts[:1]
    sparse = [SparseRows.from_dense(p) if isinstance(p, np.ndarray) else p for p in filled]
    n = len(sparse[0])
    if len(sparse) == 1:
        return replace(sparse[0], data=sparse[0].data.astype(dtype, copy=False))
    starts = _starts(sum((np.diff(part.indptr) for part in sparse), np.zeros(n, dtype=np.int64)))
    data = np.empty(starts[-1], dtype=dtype)
    indices = np.empty(starts[-1], dtype=np.int32)
    free, width = starts[:-1].copy(), 0
    for part in sparse:
        lengths = np.diff(part.indptr)
        places = np.arange(len(part.data)) + np.repeat(free - part.indptr[:-1], lengths)
        data[places], indices[places] = part.data, part.indices + width
        free += lengths
        width += part.shape[1]
    return SparseRows(data, indices, starts, (n, width))


def below(parts: Sequence[SparseRows], width: int, dtype: DTypeLike) -> SparseRows:
    """Return one matrix with the rows of all parts, which are all ``width`` columns wide."""
    lengths = [np.diff(part.indptr) for part in parts]
    starts = _starts(np.concatenate([*lengths, np.empty(0, dtype=np.int64)]))
    data = np.concatenate([*(part.data for part in parts), np.empty(0, dtype=dtype)])
    indices = np.concatenate([*(part.indices for part in parts), np.empty(0, dtype=np.int32)])
    shape = (len(starts) - 1, width)
    return SparseRows(data.astype(dtype, copy=False), indices, starts, shape)


def _starts(lengths: NDArray[Any]) -> NDArray[np.int64]:
    starts = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts
