"""Whole runs of the native engine beside the reference's: losses, masks, schedules, divergence."""

import warnings
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.engines import ENGINES
from deltaprop.engines.base import EpochPlan, Problem
from deltaprop.errors import DivergedWarning, EngineWarning
from deltaprop.functional.losses import huber
from helpers.piles import ACTIVATIONS, LOSSES, ToldOf, rules_of

S = dp.schedules
RATES = ToldOf(
    "how fast the runs here learn by", gradient_descent=0.1, momentum=0.05, rmsprop=0.005,
    adam=0.01, adamw=0.01, lion=0.003,
)  # fmt: skip
OPTIMIZERS = rules_of(lambda cls: cls(RATES[cls.name]))
SCHEDULES = {
    "step": S.Step(0.01, every=3),
    "exponential": S.Exponential(0.01),
    "cosine": S.Cosine(0.01),
    "one cycle": S.OneCycle(0.01),
    "warmup": S.Warmup(S.Cosine(0.01), steps=4),
}


def fit(network, X, y, **settings):
    parameters = network.init(np.random.default_rng(7))
    history = dp.train(network, parameters, X, y, **({"batch_size": 16, "seed": 3} | settings))
    return parameters.flat, history


@pytest.fixture
def table(rng):
    X = rng.normal(size=(150, 12))
    return X, np.abs(X[:, :3]).argmax(axis=1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_step_has_the_same_bits_wherever_an_epoch_begins(table, optimizer, dtype):
    X, y = table
    network, order = dp.Network([12, 30, 3], "tanh"), np.arange(150)

    def after(*places):
        parameters = network.init(np.random.default_rng(7))
        problem = Problem(network, X, y, None, optimizer, 1, dtype, 1)
        run = ENGINES["native"].start(problem, parameters)
        for start, stop in pairwise((0, *places, 150)):
            rates = np.full(stop - start, 0.01)
            run.epoch(EpochPlan(order[start:stop], None, rates, lambda _: False))
        return parameters.flat

    whole = after()
    for places in ((70,), (10, 20, 130), range(10, 150, 10)):
        np.testing.assert_array_equal(after(*places), whole)


class TestTenEpochs:
    @pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
    @pytest.mark.parametrize("activation", ACTIVATIONS)
    @pytest.mark.one_in(12)
    def test_the_loss_is_the_references(self, table, activation, optimizer):
        network = dp.Network([12, 30, 20, 3], activation)
        same = {"optimizer": optimizer, "epochs": 10}
        _, expected = fit(network, *table, engine="reference", **same)
        _, close = fit(network, *table, engine="native", dtype="float32", **same)
        _, closer = fit(network, *table, engine="native", dtype="float64", **same)
        assert close.loss == pytest.approx(expected.loss, rel=1e-3)
        assert closer.loss == pytest.approx(expected.loss, rel=1e-8)

    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.one_in(3)
    def test_every_loss_with_everything(self, of_engines, rng, loss):
        smoothing = {"label_smoothing": 0.1} if LOSSES[loss].smooth else {}
        network = dp.Network(
            [12, 30, 20, 4], "tanh", loss, dropout=0.2, l2=1e-3, l1=1e-4, **smoothing
        )
        X = rng.normal(size=(150, 12))
        same = {
            "epochs": 10, "optimizer": dp.Adam(0.01), "sample_weight": rng.lognormal(size=150),
        }  # fmt: skip
        y = of_engines.targets(network, 150, rng)
        flat, expected = fit(network, X, y, engine="reference", **same)
        _, close = fit(network, X, y, engine="native", dtype="float32", **same)
        exact, closer = fit(network, X, y, engine="native", dtype="float64", **same)
        assert close.loss == pytest.approx(expected.loss, rel=1e-3)
        assert closer.loss == pytest.approx(expected.loss, rel=1e-8)
        np.testing.assert_allclose(exact, flat, rtol=1e-8, atol=1e-8)

    def test_labels_class_weights_and_validation(self, table):
        network, (X, y) = dp.Network([12, 30, 3], "relu"), table
        same = {
            "epochs": 10, "class_weight": "balanced", "X_val": X[:40], "y_val": y[:40],
            "dtype": "float64",
        }  # fmt: skip
        a, expected = fit(network, X, y, engine="reference", **same)
        b, found = fit(network, X, y, engine="native", **same)
        np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-10)
        assert found.loss == pytest.approx(expected.loss, rel=1e-10)
        assert found.val_loss == pytest.approx(expected.val_loss, rel=1e-10)
        assert found.val_metric == expected.val_metric
        assert found.learning_rate == expected.learning_rate
        assert found.best_epoch == expected.best_epoch


class TestDropout:
    @pytest.mark.parametrize("batch_size", [1, 7, 64, None])
    @pytest.mark.parametrize(
        "sizes", [[12, 30, 3], [12, 5, 5, 5, 3], [12, 33, 17, 3]], ids=["one", "four", "odd"]
    )
    @pytest.mark.one_in(3)
    def test_whole_runs_draw_the_references_masks(self, table, sizes, batch_size):
        network = dp.Network(sizes, "tanh", dropout=0.5)
        same = {"epochs": 3, "batch_size": batch_size, "optimizer": dp.GradientDescent(0.02)}
        a, expected = fit(network, *table, engine="reference", **same)
        b, found = fit(network, *table, engine="native", dtype="float64", **same)
        np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-12)
        assert found.loss == pytest.approx(expected.loss, rel=1e-10)

    def test_of_the_inputs_too_with_a_rate_for_each_layer(self, table):
        layers = [dp.Dropout(0.3), dp.Dense(20, "relu"), dp.Dropout(0.6), dp.Dense(9, "silu"),
                  dp.Dense(3)]  # fmt: skip
        network = dp.Network.from_layers(12, layers)
        a, _ = fit(network, *table, engine="reference", epochs=3)
        b, _ = fit(network, *table, engine="native", dtype="float64", epochs=3)
        np.testing.assert_allclose(b, a, rtol=1e-8, atol=1e-10)

    @pytest.mark.parametrize("seed", [0, 1, 2**63, 2**64 - 1])
    def test_any_seed(self, table, seed):
        network = dp.Network([12, 30, 3], "tanh", dropout=0.5)
        same = {"epochs": 2, "seed": seed, "optimizer": dp.GradientDescent(0.1)}
        a, _ = fit(network, *table, engine="reference", **same)
        b, _ = fit(network, *table, engine="native", dtype="float64", **same)
        np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_schedules(table, schedule):
    network = dp.Network([12, 16, 3], "tanh")
    same = {"optimizer": dp.Momentum(schedule), "epochs": 4}
    a, expected = fit(network, *table, engine="reference", **same)
    b, found = fit(network, *table, engine="native", dtype="float64", **same)
    np.testing.assert_allclose(b, a, rtol=1e-11, atol=1e-13)
    assert found.learning_rate == expected.learning_rate


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.one_in(3)
def test_a_resumed_run_has_the_bits_of_an_uninterrupted_one(table, tmp_path, optimizer, dtype):
    network = dp.Network([12, 16, 3], "gelu", dropout=0.3)
    same = {"optimizer": optimizer, "epochs": 6, "engine": "native", "dtype": dtype}
    whole, history = fit(network, *table, **same)
    path = tmp_path / "run"
    fit(network, *table, checkpoint=path, callbacks=[lambda state: state.epoch == 2], **same)
    flat, resumed = fit(network, *table, checkpoint=path, resume=True, **same)
    assert flat.tobytes() == whole.tobytes()
    assert resumed.loss == history.loss


class TestDivergence:
    """The same words as the reference's, and finite parameters."""

    LINE = dp.Network([2, 1], loss="half_squared_error")

    def both(self, network, X, y, **settings):
        found = []
        for engine in ("reference", "native"):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                flat, history = fit(
                    network, X, y, **({"dtype": "float64"} | settings), engine=engine
                )
            assert [w.category for w in caught] == [DivergedWarning]
            assert np.isfinite(flat).all()
            assert np.isfinite(history.loss).all()
            found.append((history.message, history.n_steps, history.n_epochs))
        return found

    @pytest.mark.parametrize("step", [1, 2, 5, 10])
    def test_the_loss_at_any_step(self, rng, step):
        X, y = rng.normal(size=(20, 2)), rng.normal(size=20)
        y[2 * (step - 1)] = 1e200
        same = {"shuffle": False, "batch_size": 2, "optimizer": dp.GradientDescent(1e-3)}
        reference, native = self.both(self.LINE, X, y, **same)
        assert native == reference
        assert f"the loss at step {step} was" in native[0]

    @pytest.mark.parametrize("step", [1, 2, 5, 10])
    def test_a_gradient_at_any_step(self, step):
        # the loss is linear in the residual; 3 rows of 1e308 sum to infinity in the gradient
        network = dp.Network([1, 1], loss="huber", bias=False)
        X = np.full((20, 1), 1e-3)
        X[2 * (step - 1) : 2 * step] = 1.7e308
        same = {
            "shuffle": False, "batch_size": 2, "epochs": 1, "optimizer": dp.GradientDescent(1e-300),
            "sample_weight": np.where(X[:, 0] > 1, 3.0, 0.5),
        }  # fmt: skip
        reference, native = self.both(network, X * 1.0, np.zeros(20), **same)
        assert native == reference

    def test_a_parameter_after_the_last_step(self):
        network = dp.Network([1, 1], loss="half_squared_error", bias=False)
        reference, native = self.both(
            network, [[1e100]], [0.0], epochs=1, optimizer=dp.GradientDescent(1e300)
        )
        assert native == reference
        assert "a parameter after step 1" in native[0]

    @pytest.mark.parametrize("batch_size", [None, 5, 1])
    @pytest.mark.parametrize("rate", [1e10, 1e60, 1e200])
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("loss", ["half_squared_error", "poisson"])
    def test_a_huge_learning_rate(self, rng, batch_size, rate, dtype, loss):
        network = dp.Network([2, 3, 1], "identity", loss)
        X, y = rng.normal(size=(20, 2)), rng.integers(2, size=20)
        same = {
            "batch_size": batch_size, "optimizer": dp.GradientDescent(rate), "epochs": 50,
            "dtype": dtype,
        }  # fmt: skip
        reference, native = self.both(network, X, y, **same)
        if dtype == "float64" and rate < 1e200:
            assert native[0].partition(":")[0] == reference[0].partition(":")[0]

    @pytest.mark.parametrize("epoch", [0, 1, 4])
    def test_what_a_callback_ruined_in_a_later_epoch(self, table, epoch):
        def ruin(state):
            if state.epoch == epoch:
                state.parameters.flat[:] = 1e200

        network = dp.Network([12, 3], loss="half_squared_error")
        reference, native = self.both(network, table[0], np.eye(3)[table[1]], callbacks=[ruin])
        assert native == reference
        assert f"in epoch {epoch + 2}: the loss at step 1" in native[0]

    def test_after_the_first_epoch_the_parameters_at_its_beginning_are_kept(self, rng):
        X, y = rng.normal(size=(20, 2)), rng.normal(size=20)
        y[13] = 1e200
        start = self.LINE.init(np.random.default_rng(7)).flat
        with pytest.warns(DivergedWarning):
            flat, _ = fit(self.LINE, X, y, engine="native", dtype="float64", shuffle=False)
        np.testing.assert_array_equal(flat, start)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_what_slips_past_the_checks_stops_too(self, of_engines, rng, value):
        """An engine by itself is given rows that train would have refused."""
        network = dp.Network([4, 9, 2], "relu")
        problem = of_engines.problem(network, rng, n=20, batch_size=5)
        problem.X[12, 1] = value
        start = of_engines.begin(network, rng)
        for build in ("reference", "/lanes", "/panels"):
            outcome = of_engines.epochs(problem, start, build=build, epochs=3, shuffle=False)
            assert outcome.diverged is not None
            assert outcome.n_steps == 2
            assert np.isfinite(outcome.flat).all()


class TestWhatAUserRegistered:
    """The reference runs it, and a warning of one line says so."""

    @pytest.fixture(autouse=True)
    def registries_as_before(self, monkeypatch):
        for registry in (dp.ACTIVATIONS, dp.LOSSES):
            monkeypatch.setattr(registry, "_rows", dict(registry._rows))

    @pytest.fixture
    def mine(self):
        row = dp.Activation("mine", lambda z: z**3, lambda z, a: 3 * z**2, ("z^3", "3z^2"), "cubed")
        return dp.ACTIVATIONS.register(row).name

    def compare(self, network, table, name, **settings):
        with pytest.warns(EngineWarning, match=f"has no {name}; the reference") as caught:
            a, history = fit(network, *table, epochs=2, **settings)
        assert len(caught) == 1
        assert "\n" not in str(caught[0].message)
        assert caught[0].filename == __file__
        assert history.engine == "reference"
        b, _ = fit(network, *table, epochs=2, engine="reference", **settings)
        np.testing.assert_array_equal(a, b)
        return a

    def test_an_optimizer(self, table):
        class Mine(dp.GradientDescent):
            def step(self, state, flat, gradient, eta, decayed):
                flat -= 2 * eta * gradient

        network = dp.Network([12, 5, 3], "tanh")
        a = self.compare(network, table, "optimizer Mine", optimizer=Mine(0.1))
        b, _ = fit(network, *table, epochs=2, optimizer=dp.GradientDescent(0.2), dtype="float64")
        np.testing.assert_allclose(a, b, rtol=1e-10)

    def test_an_activation(self, table, mine):
        self.compare(dp.Network([12, 5, 3], mine), table, f"activation '{mine}'")

    def test_a_loss(self, table):
        dp.LOSSES.register(replace(dp.LOSSES["half_squared_error"], name="mine"))
        network = dp.Network([12, 5, 3], "tanh", "mine")
        self.compare(network, (table[0], np.eye(3)[table[1]]), "loss 'mine'")

    def test_a_huber_loss_of_another_threshold(self, table):
        dp.LOSSES.register(huber(0.1, "narrow"))
        network = dp.Network([12, 5, 3], "tanh", "narrow")
        self.compare(network, (table[0], np.eye(3)[table[1]]), "loss 'narrow'")

    def test_another_function_under_a_known_name(self, table, mine):
        dp.ACTIVATIONS.register(replace(dp.ACTIVATIONS[mine], name="tanh"), replace=True)
        self.compare(dp.Network([12, 5, 3], "tanh"), table, "activation 'tanh'")

    def test_another_loss_under_a_known_name(self, table):
        dp.LOSSES.register(huber(0.1), replace=True)
        network = dp.Network([12, 5, 3], "relu", "huber")
        self.compare(network, (table[0], np.eye(3)[table[1]]), "loss 'huber'")

    def test_predictions_come_without_a_word(self, table, mine):
        network = dp.Network([12, 5, 3], mine)
        parameters = network.init(np.random.default_rng(0))
        a = dp.predict(network, parameters, table[0])
        b = dp.predict(network, parameters, table[0], engine="reference")
        np.testing.assert_array_equal(a, b)
