"""However the same numbers are kept, training gives the same bits."""

import numpy as np
import pytest
import scipy.sparse

import deltaprop as dp
from helpers.training import N, fit, fit64, network_of


class Rows:
    """A matrix that writes down which of its rows are asked for."""

    def __init__(self, X):
        self.X, self.asked = X, []

    def __array__(self, dtype=None, copy=None):
        return self.X


class TestKindsOfArrays:
    """However the same numbers are kept, training gives the same bits."""

    WHOLE = np.random.default_rng(5).integers(0, 200, size=(N, 3))
    Y = np.random.default_rng(6).integers(3, size=N)

    def expected(self):
        return fit(network_of(), self.WHOLE.astype(float), self.Y, batch_size=5)[0]

    @pytest.mark.parametrize(
        "dtype",
        ["float64", "float32", "uint8", "int16", "int64", "uint64", ">f8", "<i4", "float16"],
    )
    def test_the_dtype_does_not_matter(self, dtype):
        flat, _ = fit(network_of(), self.WHOLE.astype(dtype), self.Y, batch_size=5)
        np.testing.assert_array_equal(flat, self.expected())

    def test_truth_values_are_zeros_and_ones(self):
        truth = self.WHOLE > 100
        a, _ = fit(network_of(), truth, self.Y, batch_size=5)
        b, _ = fit(network_of(), truth.astype(float), self.Y, batch_size=5)
        np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize("kind", ["fortran", "read-only", "strided", "list", "matrix"])
    def test_the_memory_does_not_matter(self, kind):
        X = self.WHOLE.astype(float)
        if kind == "fortran":
            X = np.asfortranarray(X)
        elif kind == "read-only":
            X.setflags(write=False)
        elif kind == "strided":
            X = np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]
        elif kind == "list":
            X = X.tolist()
        else:
            X = Rows(X)
        np.testing.assert_array_equal(
            fit(network_of(), X, self.Y, batch_size=5)[0], self.expected()
        )

    def test_a_memory_mapped_file(self, tmp_path):
        np.save(tmp_path / "X.npy", self.WHOLE.astype(np.float32))
        X = np.load(tmp_path / "X.npy", mmap_mode="r")
        assert isinstance(X, np.memmap)
        np.testing.assert_array_equal(
            fit(network_of(), X, self.Y, batch_size=5)[0], self.expected()
        )

    @pytest.mark.parametrize("make", [scipy.sparse.csr_matrix, scipy.sparse.csr_array,
                                      scipy.sparse.csc_matrix, scipy.sparse.coo_array])  # fmt: skip
    @pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
    def test_sparse_rows(self, make, dtype):
        X = np.where(self.WHOLE > 120, self.WHOLE, 0).astype(dtype)
        settings = {"batch_size": 5, "X_val": make(X[:7]), "y_val": self.Y[:7]}
        a, history = fit64(network_of(), make(X), self.Y, **settings)
        b, dense = fit64(
            network_of(), X.astype(float), self.Y, **(settings | {"X_val": X[:7].astype(float)})
        )
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(history.val_loss, dense.val_loss, rtol=1e-9)

    def test_the_users_arrays_are_left_as_they_are(self, table):
        X, y = table[0].copy(), table[1].copy()
        weights = np.ones(N)
        fit(network_of(), X, y, sample_weight=weights, X_val=X, y_val=y)
        np.testing.assert_array_equal(X, table[0])
        np.testing.assert_array_equal(y, table[1])
        assert (weights == 1).all()

    @pytest.mark.parametrize("kind", ["int8", "uint8", "float", "list", "one-hot", "one-hot bool"])
    def test_labels_and_one_hot_rows_say_the_same(self, kind):
        y = {
            "int8": lambda: self.Y.astype(np.int8),
            "uint8": lambda: self.Y.astype(np.uint8),
            "float": lambda: self.Y.astype(float),
            "list": self.Y.tolist,
            "one-hot": lambda: np.eye(3)[self.Y],
            "one-hot bool": lambda: np.eye(3, dtype=bool)[self.Y],
        }[kind]()
        flat, _ = fit64(network_of(), self.WHOLE, y, batch_size=5)
        expected, _ = fit64(network_of(), self.WHOLE, self.Y, batch_size=5)
        np.testing.assert_allclose(flat, expected, rtol=1e-12, atol=1e-14)

    @pytest.mark.parametrize("shape", [(N,), (N, 1)])
    def test_one_target_per_row_has_one_axis_or_two(self, shape, rng):
        network = dp.Network([3, 4, 1], loss="half_squared_error")
        y = np.linspace(-1, 1, N)
        a, _ = fit(network, self.WHOLE / 100, y.reshape(shape))
        b, _ = fit(network, self.WHOLE / 100, y.tolist())
        np.testing.assert_array_equal(a, b)
