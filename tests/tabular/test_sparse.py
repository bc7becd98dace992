"""Sparse rows are the same matrix as dense ones, and as scipy's."""

import numpy as np
import pytest

from deltaprop.tabular import SparseRows
from deltaprop.tabular.encoding.sparse import below, beside


@pytest.fixture
def dense(rng):
    return rng.normal(size=(9, 5)) * (rng.random((9, 5)) < 0.4)


@pytest.mark.parametrize(
    "rows",
    [slice(2, 7), slice(None, None, 3), slice(5, 5), np.array([8, 0, 0, -1]),
     np.array([], dtype=np.int64), np.arange(9) % 2 == 0],
)  # fmt: skip
def test_rows_are_taken_as_from_an_array(dense, rows):
    np.testing.assert_array_equal(SparseRows.from_dense(dense)[rows].toarray(), dense[rows])


def test_sparse_rows_are_the_matrix_that_scipy_reads(dense):
    scipy_sparse = pytest.importorskip("scipy.sparse")
    x = SparseRows.from_dense(dense)
    peer = scipy_sparse.csr_matrix((x.data, x.indices, x.indptr), shape=x.shape)
    peer.check_format(full_check=True)
    assert peer.has_canonical_format
    np.testing.assert_array_equal(peer.toarray(), dense)
    assert (len(x), x.tocsr(), x.dtype) == (9, x, np.float64)


def test_parts_go_beside_and_below_each_other(dense, rng):
    other = rng.normal(size=(9, 2))
    nothing = np.empty((9, 0))
    whole = beside([nothing, dense, SparseRows.from_dense(other), dense], np.float64)
    np.testing.assert_array_equal(whole.toarray(), np.hstack([dense, other, dense]))
    assert all((np.diff(whole[np.array([i])].indices) > 0).all() for i in range(9))
    parts = [SparseRows.from_dense(dense[:4]), SparseRows.from_dense(dense[4:])]
    np.testing.assert_array_equal(below(parts, 5, np.float64).toarray(), dense)
    assert below([], 5, np.float64).toarray().shape == (0, 5)
