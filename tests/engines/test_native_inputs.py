"""However rows are kept in memory, the native engine trains on the same numbers, to the bit."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop import _native
from deltaprop.engines import ENGINES
from deltaprop.engines.kernels import NativePredictor
from deltaprop.errors import DataError

N, WIDTH = 37, 21
NETWORK = dp.Network([WIDTH, 18, 3], "gelu")


@pytest.fixture
def whole(rng):
    """Whole numbers that every dtype holds, many of them 0."""
    return rng.integers(0, 90, size=(N, WIDTH)) * (rng.random((N, WIDTH)) < 0.4)


def unaligned(X):
    raw = np.zeros(X.nbytes + 1, dtype=np.uint8)
    view = raw[1:].view(X.dtype).reshape(X.shape)
    view[:] = X
    assert X.itemsize == 1 or not view.flags.aligned
    return view


def read_only(X):
    X = X.copy()
    X.setflags(write=False)
    return X


def between(X):
    """Every other row and column of something larger."""
    larger = np.full((2 * len(X), 3 * X.shape[1]), 7, dtype=X.dtype)
    larger[::2, ::3] = X
    return larger[::2, ::3]


def left_part(X):
    larger = np.full((len(X), X.shape[1] + 5), 7, dtype=X.dtype)
    larger[:, : X.shape[1]] = X
    return larger[:, : X.shape[1]]


def odd_row_stride(X):
    """Rows that are no whole number of numbers apart."""
    bytes_of_row = X.shape[1] * X.itemsize + 3
    raw = np.zeros((len(X), bytes_of_row), dtype=np.uint8)
    view = np.ndarray(X.shape, X.dtype, raw.data, strides=(bytes_of_row, X.itemsize))
    view[:] = X
    return view


LAYOUTS = {
    "as it is": lambda X: X,
    "fortran": np.asfortranarray,
    "read-only": read_only,
    "unaligned": unaligned,
    "strided": between,
    "part of wider rows": left_part,
    "odd row stride": odd_row_stride,
    "rows backwards": lambda X: X[::-1].copy()[::-1],
    "columns backwards": lambda X: X[:, ::-1].copy()[:, ::-1],
    "transposed": lambda X: X.T.copy().T,
}
DTYPES = [
    "float64", "float32", "float16", "uint8", "int8", "int16", "int32", "int64", "uint16",
    "uint64", ">f4", ">f8", ">i4", "longdouble",
]  # fmt: skip


def after(of_engines, X, dtype, targets, build=""):
    rng = np.random.default_rng(1)
    problem = of_engines.problem(NETWORK, rng, n=N, batch_size=8, dtype=dtype)
    problem = replace(problem, X=X, targets=targets)
    return of_engines.epochs(problem, of_engines.begin(NETWORK, rng), build=build, epochs=2).flat


@pytest.fixture(params=["/lanes", "/panels"])
def same_bits(of_engines, rng, request):
    targets = rng.dirichlet(np.ones(3), N)

    def compare(X, plain, rounding=False):
        for dtype in ("float64", "float32"):
            a, b = (
                after(of_engines, rows, dtype, targets, request.param)
                for rows in (X, plain.astype(float))
            )
            if rounding:
                digits = 1e-10 if dtype == "float64" else 1e-3
                np.testing.assert_allclose(a, b, rtol=digits, atol=digits)
                continue
            np.testing.assert_array_equal(a, b)
        parameters = NETWORK.init(np.random.default_rng(2))
        for dtype in ("float64", "float32"):
            a, b = (
                ENGINES["native"].logits(NETWORK, parameters, rows, dtype)
                for rows in (X, plain.astype(float))
            )
            if rounding:
                digits = 1e-12 if dtype == "float64" else 1e-4
                np.testing.assert_allclose(a, b, rtol=digits, atol=digits)
            else:
                np.testing.assert_array_equal(a, b)

    return compare


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8"])
def test_layouts(whole, same_bits, layout, dtype):
    X = LAYOUTS[layout](whole.astype(dtype))
    np.testing.assert_array_equal(X, whole)
    same_bits(X, whole)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(whole, same_bits, dtype):
    same_bits(whole.astype(dtype), whole)


def test_truth_values(whole, same_bits):
    same_bits(whole > 0, whole > 0)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_memory_mapped(whole, same_bits, tmp_path, dtype):
    np.save(tmp_path / "X.npy", whole.astype(dtype))
    same_bits(np.load(tmp_path / "X.npy", mmap_mode="r"), whole)


def test_one_row_held_once_for_all(of_engines, rng):
    X = np.broadcast_to(rng.integers(0, 9, size=WIDTH).astype(float), (N, WIDTH))
    targets = rng.dirichlet(np.ones(3), N)
    a, b = (after(of_engines, rows, "float64", targets) for rows in (X, X.copy()))
    np.testing.assert_array_equal(a, b)


def test_overlapping_windows(of_engines, rng):
    series = rng.normal(size=N + WIDTH - 1)
    X = np.lib.stride_tricks.sliding_window_view(series, WIDTH)
    targets = rng.dirichlet(np.ones(3), N)
    a, b = (after(of_engines, rows, "float64", targets) for rows in (X, X.copy()))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_single_row_and_a_single_column(of_engines, layout):
    network = dp.Network([1, 4, 2], "tanh")
    rng = np.random.default_rng(0)
    for n in (1, 5):
        plain = rng.normal(size=(n, 1))
        problem = of_engines.problem(network, rng, n=n)
        start = of_engines.begin(network, rng)
        a, b = (
            of_engines.epochs(replace(problem, X=X), start).flat
            for X in (LAYOUTS[layout](plain), plain)
        )
        np.testing.assert_array_equal(a, b)


class TestSparse:
    @pytest.mark.parametrize("kind", [scipy.sparse.csr_array, scipy.sparse.csr_matrix])
    @pytest.mark.parametrize("dtype", ["float64", "float32", "uint8", "int64", "bool"])
    def test_they_are_the_dense_rows(self, whole, same_bits, kind, dtype):
        X = whole.astype(dtype)
        same_bits(kind(X), X, rounding=True)

    def test_rows_without_an_entry(self, whole, same_bits):
        whole[[0, 5, 6, N - 1]] = 0
        same_bits(scipy.sparse.csr_array(whole.astype(float)), whole, rounding=True)

    def test_not_one_entry(self, whole, same_bits):
        same_bits(scipy.sparse.csr_array((N, WIDTH)), np.zeros((N, WIDTH)), rounding=True)

    def test_indices_of_64_bits(self, whole, same_bits):
        X = scipy.sparse.csr_array(whole.astype(float))
        X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
        same_bits(X, whole, rounding=True)

    def test_columns_in_any_order(self, whole, same_bits):
        X = scipy.sparse.csr_array(whole.astype(float))
        for row in range(N):
            part = slice(X.indptr[row], X.indptr[row + 1])
            X.indices[part], X.data[part] = X.indices[part][::-1].copy(), X.data[part][::-1].copy()
        X.has_sorted_indices = False
        same_bits(X, whole, rounding=True)  # products are added in the order of the entries

    def test_entries_that_come_twice_are_added(self, whole, same_bits):
        X = scipy.sparse.csr_array(whole.astype(float))
        data = np.repeat(X.data / 2, 2)
        twice = scipy.sparse.csr_array((data, np.repeat(X.indices, 2), X.indptr * 2), shape=X.shape)
        assert not twice.has_canonical_format
        same_bits(twice, whole, rounding=True)

    def test_read_only_parts(self, whole, same_bits):
        X = scipy.sparse.csr_array(whole.astype(float))
        for part in (X.data, X.indices, X.indptr):
            part.setflags(write=False)
        same_bits(X, whole, rounding=True)

    @pytest.mark.parametrize("column", [WIDTH, 10**6, 2**31 - 1, -1, -(2**31)])
    def test_an_entry_outside_the_matrix_is_refused(self, of_engines, rng, whole, column):
        X = scipy.sparse.csr_array(whole.astype(float))
        X.indices[3] = column
        self.refused(of_engines, rng, X, "has entries in columns .* but 21 columns")

    @pytest.mark.parametrize(("place", "start"), [(10, 10**7), (10, 0), (0, -5), (-1, 10**7)])
    def test_a_row_outside_the_entries_is_refused(self, of_engines, rng, whole, place, start):
        X = scipy.sparse.csr_array(whole.astype(float))
        X.indptr[place] = start
        self.refused(of_engines, rng, X, "rows of X do not lie within")

    @staticmethod
    def refused(of_engines, rng, X, message):
        parameters = of_engines.begin(NETWORK, rng)
        targets = of_engines.problem(NETWORK, rng, n=N).targets
        for engine in ("reference", "native"):
            with pytest.raises(DataError, match=message):
                dp.train(NETWORK, parameters, X, targets, engine=engine)
            with pytest.raises(DataError, match=message):
                dp.predict(NETWORK, parameters, X, engine=engine)

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    @pytest.mark.parametrize("activation", ["relu", "gelu"])
    def test_entries_are_dropped_like_those_of_dense_rows(
        self, of_engines, rng, whole, activation, dtype
    ):
        layers = [dp.Dropout(0.4), dp.Dense(18, activation), dp.Dense(3)]
        network = dp.Network.from_layers(WIDTH, layers, "cross_entropy")
        problem = of_engines.problem(network, rng, n=N, batch_size=8, dtype=dtype)
        start = of_engines.begin(network, rng)
        sparse, dense = scipy.sparse.csr_array(whole / 90), whole / 90
        a, b, c = (
            of_engines.epochs(replace(problem, X=X), start, build=build, epochs=2).flat
            for X, build in ((sparse, ""), (dense, ""), (dense, "reference"))
        )
        digits = 1e-12 if dtype == "float64" else 1e-4
        np.testing.assert_allclose(a, b, rtol=digits, atol=digits)
        np.testing.assert_allclose(a, c, rtol=digits, atol=digits)

    @settings(max_examples=40, deadline=None)
    @given(
        n=st.integers(1, 60), width=st.integers(1, 120), density=st.floats(0, 1),
        seed=st.integers(0, 2**32 - 1),
    )  # fmt: skip
    def test_any_matrix(self, of_engines, n, width, density, seed):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n, width)) * (rng.random((n, width)) < density)
        network = dp.Network([width, 9, 2], "tanh", dropout=0.2)
        problem = of_engines.problem(network, rng, n=n, batch_size=min(n, 7))
        start = of_engines.begin(network, rng)
        a, b = (
            of_engines.epochs(replace(problem, X=rows), start).flat
            for rows in (scipy.sparse.csr_array(X), X)
        )
        np.testing.assert_array_equal(a, b)


class TestTargets:
    """As train hands them on: whole labels, or rows of float64."""

    @pytest.mark.parametrize(
        "kind", ["int8", "uint8", "int64", ">i8", "float32", "strided", "read-only", "backwards"]
    )
    def test_labels(self, rng, whole, kind):
        y = rng.integers(3, size=N)
        given = {
            "strided": lambda: np.repeat(y, 3)[::3],
            "read-only": lambda: read_only(y),
            "backwards": lambda: y[::-1].copy()[::-1],
        }.get(kind, lambda: y.astype(kind))()
        self.compare(NETWORK, whole, given, y)

    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("dtype", ["float64", "float32", ">f8"])
    def test_rows(self, rng, whole, layout, dtype):
        network = dp.Network([WIDTH, 6, 4], "tanh", "half_squared_error")
        y = rng.normal(size=(N, 4)).astype(np.float32).astype(float)
        self.compare(network, whole, LAYOUTS[layout](y.astype(dtype)), y)

    def test_counts_of_whole_numbers(self, rng, whole):
        network = dp.Network([WIDTH, 6, 2], "tanh", "poisson")
        y = rng.poisson(3.0, size=(N, 2))
        self.compare(network, whole / 90, y, y.astype(float))

    @pytest.mark.parametrize("layout", ["strided", "read-only", "backwards", "float32"])
    def test_weights(self, rng, whole, layout):
        w = rng.integers(1, 5, size=N).astype(float)
        given = {
            "strided": lambda: np.repeat(w, 3)[::3],
            "read-only": lambda: read_only(w),
            "backwards": lambda: w[::-1].copy()[::-1],
            "float32": lambda: w.astype(np.float32),
        }[layout]()
        y = rng.integers(3, size=N)
        self.compare(NETWORK, whole, y, y, sample_weight=(given, w))

    @staticmethod
    def compare(network, X, given, plain, **pairs):
        results = []
        for which, y in enumerate((given, plain)):
            parameters = network.init(np.random.default_rng(0))
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                dp.train(
                    network, parameters, X / 90, y, epochs=2, batch_size=8, engine="native",
                    **{name: pair[which] for name, pair in pairs.items()},
                )  # fmt: skip
            results.append(parameters.flat)
        np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("build", _native.instruction_sets())
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("n_out", [1, 17, 96, 150, 300])
def test_sparse_rows_of_any_length_into_any_width(rng, monkeypatch, n_out, dtype, build):
    """Rows of no entry and of hundreds, and every number of panels; whole numbers are exact."""
    network = dp.Network([500, n_out], loss="half_squared_error")
    parameters = network.init(rng)
    parameters.flat[:] = rng.integers(-9, 10, size=parameters.flat.size)
    share = rng.choice([0, 0.02, 0.25, 0.26, 0.9], size=(60, 1))
    X = scipy.sparse.csr_array(
        (rng.integers(1, 20, (60, 500)) * (rng.random((60, 500)) < share)).astype(dtype)
    )
    expected = X.toarray().astype(float) @ parameters.W[0] + parameters.b[0]
    for precision in ("float32", "float64", "bfloat16"):
        monkeypatch.setenv("DELTAPROP_BUILD", build)
        found = NativePredictor(network, parameters, precision, sparse=True).logits(X)
        np.testing.assert_array_equal(found, expected)
