"""Layers of every kind natively: rows, threads, whole runs, half precision, which engine."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

import deltaprop as dp
from deltaprop.engines import kernels
from deltaprop.engines.native import NativeEngine
from deltaprop.errors import EngineWarning
from helpers.piles import BUILDS, N_IN, PILE, PILES, PRECISIONS, RULES, network_of, ntk


def whole_rows(rng, n=40):
    return rng.integers(0, 9, size=(n, N_IN)) * (rng.random((n, N_IN)) < 0.4)


class TestRows:
    @PILE
    @pytest.mark.parametrize("dtype", PRECISIONS)
    def test_of_every_kind_are_the_same_numbers(self, of_engines, rng, pile, dtype):
        network, X = network_of(pile), whole_rows(rng)
        problem = of_engines.problem(network, rng, n=40, batch_size=16, dtype=dtype)
        start = of_engines.begin(network, rng)
        rows = [X.astype("float64"), X.astype("float32"), X.astype("uint8")]
        sparse = scipy.sparse.csr_array(X.astype("float64"))
        first, *others = (
            of_engines.epochs(replace(problem, X=each), start, eta=0.01).flat for each in rows
        )
        for other in others:
            np.testing.assert_array_equal(other, first)
        found = of_engines.epochs(replace(problem, X=sparse), start, eta=0.01).flat
        digits = 1e-10 if dtype == "float64" else 1e-4
        np.testing.assert_allclose(found, first, rtol=digits, atol=digits)


class TestBits:
    @PILE
    @pytest.mark.parametrize("build", BUILDS)
    @pytest.mark.parametrize("dtype", [*PRECISIONS, "bfloat16"])
    @pytest.mark.filterwarnings("ignore::deltaprop.errors.EngineWarning")
    @pytest.mark.one_in(18)
    def test_any_number_of_threads(self, of_engines, rng, monkeypatch, pile, build, dtype):
        monkeypatch.setattr(kernels, "available_cores", lambda: 64)
        monkeypatch.setenv("DELTAPROP_THREADS_FROM", "1")
        network = network_of(pile, l2=1e-3)
        problem = of_engines.problem(network, rng, n=333, batch_size=100, dtype=dtype)
        problem = replace(problem, optimizer=dp.Adam())
        start = of_engines.begin(network, rng)
        runs = [
            of_engines.epochs(
                replace(problem, n_threads=n), start, build=build, epochs=2, eta=0.01
            )
            for n in (1, 2, 3, 7, 1, 2)
        ]  # fmt: skip
        for run in runs[1:]:
            assert run.flat.tobytes() == runs[0].flat.tobytes()
            assert run.loss == runs[0].loss
            assert run.state["m"].tobytes() == runs[0].state["m"].tobytes()

    @PILE
    def test_predictions(self, of_engines, rng, monkeypatch, pile):
        monkeypatch.setenv("DELTAPROP_THREADS_FROM", "1")
        network, X = network_of(pile), rng.normal(size=(1500, N_IN))
        parameters, found = of_engines.begin(network, rng), []
        for n in (1, 2, 5):
            monkeypatch.setattr(kernels, "available_cores", lambda n=n: n)
            found.append(dp.predict(network, parameters, X).tobytes())
        assert found[0] == found[1] == found[2]


def fit(network, X, y, **settings):
    parameters = network.init(np.random.default_rng(7))
    history = dp.train(network, parameters, X, y, **({"batch_size": 32, "seed": 3} | settings))
    return parameters.flat, history


@pytest.fixture
def table(rng):
    X = rng.normal(size=(150, N_IN))
    return X, np.abs(X[:, :3]).argmax(axis=1)


class TestWholeRuns:
    @PILE
    @pytest.mark.parametrize("rule", ["momentum", "adam", "adamw"])
    @pytest.mark.one_in(12)
    def test_ten_epochs_are_the_references(self, table, pile, rule):
        network = network_of(pile, l2=1e-3)
        same = {"epochs": 10, "optimizer": replace(RULES[rule], learning_rate=0.005)}
        _, expected = fit(network, *table, engine="reference", **same)
        _, close = fit(network, *table, engine="native", dtype="float32", **same)
        flat, closer = fit(network, *table, dtype="float64", **same)
        assert closer.engine == "native"
        assert close.loss == pytest.approx(expected.loss, rel=2e-3)
        assert closer.loss == pytest.approx(expected.loss, rel=1e-8)
        assert np.isfinite(flat).all()

    def test_a_resumed_run_has_the_bits_of_an_uninterrupted_one(self, table, tmp_path):
        network, same = network_of(PILES["dropped"]), {"epochs": 6, "optimizer": dp.AdamW(0.01)}
        whole, history = fit(network, *table, **same)
        path = tmp_path / "run"
        fit(network, *table, checkpoint=path, callbacks=[lambda state: state.epoch == 2], **same)
        flat, resumed = fit(network, *table, checkpoint=path, resume=True, **same)
        assert flat.tobytes() == whole.tobytes()
        assert resumed.loss == history.loss

    @PILE
    @pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
    def test_what_is_not_finite_stops_at_the_same_step(self, of_engines, rng, pile, value):
        network = network_of(pile, loss="half_squared_error")
        problem = of_engines.problem(network, rng, n=20, batch_size=5)
        problem.X[12] = value
        start = of_engines.begin(network, rng)
        found = [
            of_engines.epochs(problem, start, build=build, shuffle=False, eta=1e-3)
            for build in ("reference", "")
        ]
        assert found[1].n_steps == found[0].n_steps
        assert (found[1].diverged is None) == (found[0].diverged is None)
        assert all(np.isfinite(outcome.flat).all() for outcome in found)

    def test_a_huge_factor_diverges_in_words(self, table):
        network = network_of([dp.Scaling(1e30), dp.Dense(9, "relu")], loss="half_squared_error")
        with pytest.warns(dp.errors.DivergedWarning):
            flat, _ = fit(network, table[0], np.eye(3)[table[1]], epochs=5, dtype="float32",
                          optimizer=dp.GradientDescent(1e10))  # fmt: skip
        assert np.isfinite(flat).all()


class TestHalfPrecision:
    pytestmark = pytest.mark.filterwarnings("ignore::deltaprop.errors.EngineWarning")

    @PILE
    def test_it_is_near_float32(self, of_engines, rng, pile):
        network = network_of(pile)
        problem = of_engines.problem(network, rng, n=64)
        start = of_engines.begin(network, rng)
        losses = [
            of_engines.epochs(replace(problem, dtype=dtype), start, epochs=5).loss
            for dtype in ("float32", "bfloat16")
        ]
        assert losses[1] == pytest.approx(losses[0], rel=0.03)

    def test_a_scaled_row_is_rounded_once(self, of_engines, rng):
        """The products read a s rounded to bfloat16, not the rounded a."""
        dense = dp.Dense(18, "tanh")
        with_scale, without = network_of([dp.Scaling(), dense]), network_of([dense])
        parameters = of_engines.begin(with_scale, rng)
        X = rng.normal(size=(70, N_IN)).astype(np.float32)
        s = parameters.layers[0]["s"].astype(np.float32)
        plain = without.init(rng)
        plain.flat[:] = parameters.flat[N_IN:]
        found = NativeEngine().logits(with_scale, parameters, X, "bfloat16")
        np.testing.assert_array_equal(
            found, NativeEngine().logits(without, plain, X * s, "bfloat16")
        )


class TestChoice:
    """Which networks the native engine takes, and how their numbers lie."""

    @PILE
    def test_it_takes_them_all(self, pile):
        assert NativeEngine().refusal(network_of(pile), dp.Adam()) is None

    @PILE
    def test_never_in_lanes(self, of_engines, rng, pile):
        network = network_of(pile)
        problem = of_engines.problem(network, rng)
        with pytest.raises(ValueError, match="in panels, not in lanes"):
            of_engines.native(problem, network.init(rng), layout="lanes")

    @pytest.fixture
    def registry(self, monkeypatch):
        monkeypatch.setattr(dp.ACTIVATIONS, "_rows", dict(dp.ACTIVATIONS._rows))
        return dp.ACTIVATIONS

    @pytest.mark.parametrize("name", ["mine", "tanh"])
    def test_a_users_own_function_is_bent_by_the_reference(self, table, registry, name):
        row = dp.Activation(name, lambda z: z**3, lambda z, a: 3 * z**2, ("z^3", "3z^2"), "cubed")
        registry.register(row, replace=True)
        network = network_of([ntk(5), dp.ParametricActivation(name)])
        message = f"native engine has no activation '{name}'; the reference"
        with pytest.warns(EngineWarning, match=message) as caught:
            a, history = fit(network, *table, epochs=2)
        assert len(caught) == 1
        assert "\n" not in str(caught[0].message)
        assert history.engine == "reference"
        b, _ = fit(network, *table, epochs=2, engine="reference")
        np.testing.assert_array_equal(a, b)

    def test_a_kind_of_layer_that_only_a_user_knows(self):
        class Mine(dp.Scaling):
            kind = "mine"

        network = network_of([Mine(), dp.Dense(5)])
        assert NativeEngine().refusal(network) == "layer of the kind 'mine'"
