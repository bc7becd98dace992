"""Products of bfloat16 numbers: what they read is rounded to 8 digits, all else is float32."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import deltaprop as dp
from deltaprop import _native
from deltaprop.engines import kernels
from deltaprop.engines.native import NativeEngine
from deltaprop.errors import DivergedWarning, EngineWarning
from helpers.piles import BUILDS

pytestmark = pytest.mark.filterwarnings("ignore::deltaprop.errors.EngineWarning")


def rounded(x):
    """Return the nearest bfloat16 numbers, ties to even, as float64."""
    bits = np.asarray(x, dtype=np.float32).view(np.uint32)
    nearest = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return nearest.astype(np.uint32).view(np.float32).astype(np.float64)


def whole(rng, shape, most):
    """Return whole numbers, of which float32 adds and multiplies millions without rounding."""
    return rng.integers(-most, most + 1, shape).astype(float)


def step_in_pairs(parameters, X, targets, plain_inputs=False):
    """Return the parameters after a step of gradient descent with eta = 1, a ReLU network.

    The products read rounded numbers; the first layer's do not where ``plain_inputs``.
    """
    after, W, b = parameters.copy(), parameters.W, parameters.b
    a = [X]
    for layer in range(len(W)):
        once = (lambda x: x) if plain_inputs and layer == 0 else rounded
        z = once(a[-1]) @ once(W[layer]) + b[layer]
        a.append(z if layer == len(W) - 1 else np.maximum(z, 0.0))
    delta = a[-1] - targets
    for layer in reversed(range(len(W))):
        once = (lambda x: x) if plain_inputs and layer == 0 else rounded
        after.W[layer][...] -= once(a[layer]).T @ once(delta)
        after.b[layer][...] -= delta.sum(axis=0)
        if layer > 0:
            delta = (rounded(delta) @ rounded(W[layer]).T) * (a[layer] > 0)
    return after.flat


@pytest.fixture(scope="module")
def of_whole_numbers(of_engines):
    """Problems whose numbers are all whole: a rounding is the only thing that could differ."""

    def make(rng, sizes, n, sparse_rows=False, **chosen):
        network = dp.Network(sizes, "relu", loss="half_squared_error")
        X, targets = whole(rng, (n, sizes[0]), 300), whole(rng, (n, sizes[-1]), 300)
        X[rng.random(X.shape) < 0.7] = 0.0
        problem = of_engines.problem(
            network, rng, n=n, X=sparse.csr_matrix(X) if sparse_rows else X, targets=targets,
            weights=np.full(n, float(n)), dtype="bfloat16", **chosen,
        )  # fmt: skip
        parameters = network.init(rng)
        for W, b in zip(parameters.W, parameters.b, strict=True):
            W[...] = whole(rng, W.shape, 1) * (rng.random(W.shape) < 2.0 / max(W.shape))
            b[...] = whole(rng, b.shape, 2)
        return problem, parameters, X

    return make


class TestWholeNumbers:
    @settings(max_examples=200, deadline=None)
    @given(
        sizes=st.lists(st.integers(1, 90), min_size=2, max_size=4),
        n=st.integers(1, 70),
        build=st.sampled_from(BUILDS),
        sparse_rows=st.booleans(),
        seed=st.integers(0, 2**32 - 1),
    )
    def test_any_shape(self, of_engines, of_whole_numbers, sizes, n, build, sparse_rows, seed):
        rng = np.random.default_rng(seed)
        problem, parameters, X = of_whole_numbers(rng, sizes, n, sparse_rows)
        found = of_engines.epochs(problem, parameters, build=build, eta=1.0, shuffle=False)
        expected = step_in_pairs(parameters, X, problem.targets, plain_inputs=sparse_rows)
        np.testing.assert_array_equal(found.flat, expected)

    @pytest.mark.parametrize("build", BUILDS)
    @pytest.mark.one_in(2)
    def test_more_than_every_block(self, of_engines, of_whole_numbers, rng, build):
        problem, parameters, X = of_whole_numbers(rng, [611, 523, 700, 3], 333)
        found = of_engines.epochs(problem, parameters, build=build, eta=1.0, shuffle=False)
        np.testing.assert_array_equal(found.flat, step_in_pairs(parameters, X, problem.targets))

    def test_something_is_rounded_there(self, of_engines, of_whole_numbers, rng):
        problem, parameters, X = of_whole_numbers(rng, [30, 20, 3], 16)
        exact = of_engines.epochs(
            problem, parameters, build="reference", eta=1.0, shuffle=False
        ).flat
        assert np.any(step_in_pairs(parameters, X, problem.targets) != exact)

    @pytest.mark.parametrize("build", BUILDS)
    def test_predictions(self, rng, build):
        network = dp.Network([45, 33, 2], "relu", loss="half_squared_error")
        parameters = network.init(rng)
        X = rng.normal(size=(1100, 45))
        found = NativeEngine().logits(network, parameters, X, "bfloat16")
        a = np.maximum(rounded(X) @ rounded(parameters.W[0]) + parameters.b[0], 0.0)
        expected = rounded(a) @ rounded(parameters.W[1]) + parameters.b[1]
        # a sum in float32 may fall on the other side of a tie
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-2)
        assert np.median(np.abs(found - expected)) < 1e-6


class TestWholeRuns:
    @pytest.mark.parametrize("batch_size", [7, 32])
    @pytest.mark.parametrize("build", BUILDS)
    @pytest.mark.one_in(3)
    def test_the_loss_is_the_references_within_its_digits(self, of_engines, rng, build, batch_size):
        network = dp.Network([12, 40, 30, 3], ["tanh", "silu"], dropout=0.2, l2=1e-3)
        X = rng.normal(size=(150, 12))
        labels = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 0)
        problem = of_engines.problem(
            network, rng, n=150, batch_size=batch_size, X=X, targets=labels, dtype="bfloat16",
            optimizer=dp.Adam(),
        )  # fmt: skip
        parameters = of_engines.begin(network, rng)
        ours, theirs = (
            of_engines.epochs(problem, parameters, build=which, epochs=10, eta=0.003).loss
            for which in (build, "reference")
        )
        assert theirs[-1] < 0.8 * theirs[0]
        np.testing.assert_allclose(ours, theirs, rtol=0.02)

    def test_any_number_of_threads(self, of_engines, rng, monkeypatch):
        monkeypatch.setattr("deltaprop.engines.kernels.available_cores", lambda: 8)
        monkeypatch.setenv("DELTAPROP_THREADS_FROM", "1")
        network = dp.Network([50, 70, 40, 5], "gelu", dropout=0.1)
        parameters = of_engines.begin(network, rng)
        problem = of_engines.problem(
            network, rng, n=101, batch_size=33, dtype="bfloat16", optimizer=dp.AdamW(),
            targets=rng.integers(0, 5, 101),
        )  # fmt: skip
        first, *others = (
            of_engines.epochs(replace(problem, n_threads=n), parameters, epochs=2, eta=0.01).flat
            for n in (1, 2, 3, 7)
        )
        for other in others:
            np.testing.assert_array_equal(other, first)

    def test_what_is_not_finite_stops_it(self, rng):
        network = dp.Network([4, 20, 1], "relu", loss="half_squared_error")
        with pytest.warns(DivergedWarning):
            history = dp.train(
                network, network.init(rng), rng.normal(size=(40, 4)), rng.normal(size=(40, 1)),
                optimizer=dp.GradientDescent(1e15), dtype="bfloat16", batch_size=8,
            )  # fmt: skip
        assert history.stopped_because == "diverged"

    def test_a_nan_of_any_bits_is_still_one_afterwards(self):
        network = dp.Network([1, 1], loss="half_squared_error")
        parameters = network.init(np.random.default_rng(0))
        every = np.array([0x7FFFFFFF, 0x7F800001, 0xFFFFFFFF, 0xFF800001], dtype=np.uint32)
        z = NativeEngine().logits(network, parameters, every.view(np.float32)[:, None], "bfloat16")
        assert np.isnan(z).all()


class TestOffer:
    def test_a_history_says_so(self, rng):
        network = dp.Network([3, 5, 2])
        history = dp.train(
            network, network.init(rng), rng.normal(size=(20, 3)), rng.integers(0, 2, 20),
            epochs=1, dtype="bfloat16",
        )  # fmt: skip
        assert (history.engine, history.dtype) == ("native", "bfloat16")

    @pytest.mark.filterwarnings("default")
    @pytest.mark.parametrize("offered", [True, False])
    def test_a_notice_where_the_processor_has_none(self, rng, monkeypatch, recwarn, offered):
        monkeypatch.setattr(kernels, "has_bfloat16_products", lambda: offered)
        network = dp.Network([3, 5, 2])
        dp.train(
            network, network.init(rng), rng.normal(size=(20, 3)), rng.integers(0, 2, 20),
            epochs=1, dtype="bfloat16",
        )  # fmt: skip
        notices = [w for w in recwarn if issubclass(w.category, EngineWarning)]
        assert len(notices) == (0 if offered else 1)
        if notices:
            assert notices[0].filename == __file__

    def test_a_processor_that_has_them_says_so(self):
        assert _native.has_bfloat16_products() == (
            BUILDS[0] == "avx512" and "avx512bf16" in _native.cpu_features()
        )

    def test_they_never_lie_in_lanes(self, of_engines, rng):
        network = dp.Network([3, 5, 2])
        problem = of_engines.problem(network, rng, dtype="bfloat16", targets=rng.integers(0, 2, 23))
        with pytest.raises(ValueError, match="bfloat16"):
            of_engines.epochs(problem, network.init(rng), build=f"{BUILDS[0]}/lanes")
