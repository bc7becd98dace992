"""The engine on PyTorch's tensors: every step is the reference's, whatever is registered."""

import json
import runpy
import sys
import threading
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import scipy.sparse

import deltaprop as dp
from deltaprop.engines import ENGINES, choose_engine
from deltaprop.engines.base import EpochPlan
from deltaprop.errors import DivergedWarning, EngineWarning, MissingExtraError, SettingError
from deltaprop.functional.activations import ACTIVATIONS, Activation
from deltaprop.functional.losses import LOSSES, Loss
from helpers.piles import N_IN, PILE, RULES, network_of

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.torch

SCALED = ("1.7159 tanh(2/3 z)", "bipolar_sigmoid", "sigmoid(0.5 z)")
COMPOSED = ("half_squared_error_tanh", "cross_entropy_sigmoid", "huber_softplus")


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch):
    monkeypatch.setenv("DELTAPROP_DEVICE", "cpu")


def same_epochs(of_engines, problem, parameters, **told):
    """Run epochs here and by the reference; return what both leave."""
    found = of_engines.epochs(problem, parameters, build="torch", **told)
    expected = of_engines.epochs(problem, parameters, build="reference", **told)
    return found, expected


def assert_same(found, expected, digits=1e-10):
    np.testing.assert_allclose(found.flat, expected.flat, rtol=digits, atol=digits)
    np.testing.assert_allclose(found.loss, expected.loss, rtol=digits, atol=digits)
    assert (found.n_steps, found.diverged) == (expected.n_steps, expected.diverged)
    assert found.state.keys() == expected.state.keys()
    for name, kept in expected.state.items():
        np.testing.assert_allclose(found.state[name], kept, rtol=digits, atol=digits)


def many(of_engines, rng, network, **settings):
    """Return a problem of three batches, the last one smaller, and parameters."""
    problem = of_engines.problem(network, rng, n=23, batch_size=9, **settings)
    return problem, of_engines.begin(network, rng)


class TestTheRegistry:
    @pytest.mark.parametrize("activation", [*ACTIVATIONS, *SCALED])
    def test_every_activation(self, of_engines, rng, activation):
        case = many(of_engines, rng, dp.Network([5, 7, 6, 3], activation))
        assert_same(*same_epochs(of_engines, *case, epochs=3))

    @pytest.mark.parametrize("weighted", [False, True], ids=["equal", "weighted"])
    @pytest.mark.parametrize("loss", [*LOSSES, *COMPOSED])
    def test_every_loss_with_penalties_smoothing_and_weights(self, of_engines, rng, loss, weighted):
        smoothing = {"label_smoothing": 0.1} if LOSSES[loss].smooth else {}
        network = dp.Network([5, 7, 4], "tanh", loss, l2=1e-2, l1=1e-3, **smoothing)
        problem, parameters = many(of_engines, rng, network)
        if loss == "cross_entropy_sigmoid":
            problem = replace(problem, targets=rng.dirichlet(np.ones(4), 23))
        if weighted:
            weights = rng.lognormal(size=23)
            weights[[3, 11]] = 0.0
            problem = replace(problem, weights=weights / weights.mean())
        assert_same(*same_epochs(of_engines, problem, parameters, epochs=3, eta=0.02))

    @pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
    @pytest.mark.parametrize("rule", [*RULES.values(), dp.Muon()], ids=[*RULES, "muon"])
    def test_every_optimizer(self, of_engines, rng, rule, warm):
        layers = [
            dp.Dense(7, "tanh", learning_rate_factor=3.0),
            dp.Dense(6, bias=[True, False] * 3),
        ]
        problem, parameters = many(of_engines, rng, network_of(layers, 5), optimizer=rule)
        parameters.flat[problem.network.layout.absent] = 0.0
        state = of_engines.warm(rule, parameters.flat.size, rng) if warm else None
        if warm and isinstance(rule, dp.Muon):
            for slot in rule.matrices(problem.network.layout):
                state["v"][slot.start : slot.stop] = 0.0  # as its own steps leave it
        told = {"epochs": 3, "eta": 0.01, "state": state}
        assert_same(*same_epochs(of_engines, problem, parameters, **told), digits=1e-9)

    @PILE
    def test_every_kind_of_layer(self, of_engines, rng, pile):
        case = many(of_engines, rng, network_of(pile))
        assert_same(*same_epochs(of_engines, *case, epochs=2))

    def test_labels_are_their_rows_of_targets(self, of_engines, rng):
        network = dp.Network([5, 7, 4], "tanh", label_smoothing=0.2)
        problem, parameters = many(of_engines, rng, network)
        labels = rng.integers(4, size=23)
        rows = replace(problem, targets=np.eye(4)[labels])
        one = of_engines.epochs(replace(problem, targets=labels), parameters, build="torch")
        assert_same(one, of_engines.epochs(rows, parameters, build="reference"))

    @pytest.mark.parametrize("far", [30.0, 800.0])
    @pytest.mark.parametrize("loss", LOSSES)
    def test_logits_far_out(self, of_engines, rng, loss, far):
        network = dp.Network([3, 3], loss=loss, bias=False)
        problem = of_engines.problem(network, rng, n=8)
        problem = replace(problem, X=np.where(problem.X > 0, 1.0, -1.0))
        parameters = network.parameters(W=[far * np.eye(3)[[1, 2, 0]]])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            assert_same(*same_epochs(of_engines, problem, parameters, eta=1e-3))


class TestUsersOwn:
    @pytest.fixture
    def registered(self):
        with pytest.MonkeyPatch.context() as patch:
            for registry in (dp.ACTIVATIONS, dp.LOSSES):
                patch.setattr(registry, "_rows", dict(registry._rows))
            yield

    def test_an_activation_with_a_formula_runs_here(self, of_engines, rng, registered):
        dp.register_activation(
            Activation(
                "cube", lambda z: z + z**3 / 9, lambda z, _a: 1 + z**2 / 3, ("", ""), "",
                arithmetic=("z + z**3 / 9", "1 + z**2 / 3"),
            )
        )  # fmt: skip
        case = many(of_engines, rng, dp.Network([5, 7, 3], "cube"))
        assert_same(*same_epochs(of_engines, *case, epochs=2))

    def test_one_without_is_the_references_and_it_is_said(self, registered):
        dp.register_activation(
            Activation("bent", lambda z: z + z**3 / 9, lambda z, _a: 1 + z**2 / 3, ("", ""), "")
        )
        with pytest.warns(EngineWarning, match="no formula of the activation 'bent'"):
            engine = choose_engine("torch", dp.Network([5, 7, 3], "bent"), dp.Adam())
        assert engine.name == "reference"
        network = dp.Network([5, 7, 3], "bent")
        parameters = network.init(np.random.default_rng(0))
        with pytest.raises(SettingError, match="no formula of the activation 'bent'"):
            ENGINES["torch"].logits(network, parameters, np.ones((1, 5)))

    def test_a_loss_without_is_too(self, registered):
        dp.register_loss(
            Loss(
                "fourth", "identity", lambda z, t: ((z - t) ** 4).sum(axis=1),
                lambda z, t: 4 * (z - t) ** 3, "real", ("", ""), "",
            )
        )  # fmt: skip
        with pytest.warns(EngineWarning, match="no formula of the loss 'fourth'"):
            choose_engine("torch", dp.Network([5, 3], loss="fourth"), dp.Adam())

    @pytest.mark.parametrize("told", ["w - learning_rate * g", "w - 2 * learning_rate * g", None])
    def test_a_rule_runs_here_where_its_formulas_are_its_step(self, told):
        @dataclass(frozen=True)
        class Own:
            learning_rate: float = 0.1
            name: ClassVar[str] = "own"

            def init(self, n):
                return {}

            def step(self, state, flat, gradient, eta, decayed):
                flat -= eta * gradient

        if told:
            Own.arithmetic = lambda self, decayed: (("w", told),)
        refused = ENGINES["torch"].refusal(dp.Network([2, 1]), Own())
        right = told == "w - learning_rate * g"
        assert refused == (None if right else "formulas of the optimizer Own")


class TestRuns:
    @pytest.fixture
    def table(self, rng):
        X = rng.normal(size=(150, 12))
        return X, np.abs(X[:, :3]).argmax(axis=1)

    @staticmethod
    def fit(network, X, y, **settings):
        parameters = network.init(np.random.default_rng(7))
        history = dp.train(
            network, parameters, X, y, **({"batch_size": 16, "seed": 3, "epochs": 4} | settings)
        )
        return parameters.flat, history

    def test_masks_validation_and_schedules_are_the_references(self, table):
        network, (X, y) = dp.Network([12, 9, 8, 3], "tanh", dropout=0.3), table
        same = {
            "X_val": X[:40], "y_val": y[:40], "dtype": "float64", "class_weight": "balanced",
            "optimizer": dp.Adam(dp.schedules.Cosine(0.02)),
        }  # fmt: skip
        a, expected = self.fit(network, X, y, engine="reference", **same)
        b, found = self.fit(network, X, y, engine="torch", **same)
        np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-10)
        for name in ("loss", "val_loss", "val_metric", "learning_rate"):
            assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-10)
        assert (found.engine, found.dtype) == ("torch", "float64")

    @pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
    def test_in_fewer_digits_it_learns_alike(self, table, dtype):
        network = dp.Network([12, 9, 8, 3], "tanh")
        _, expected = self.fit(network, *table, engine="reference")
        _, found = self.fit(network, *table, engine="torch", dtype=dtype)
        near = 1e-4 if dtype == "float32" else 0.02
        assert found.loss == pytest.approx(expected.loss, rel=near)

    def test_rows_without_their_zeros(self, rng):
        X = scipy.sparse.random(60, 12, 0.3, "csr", rng=rng)
        y, network = rng.integers(3, size=60), dp.Network([12, 9, 3], "tanh")
        same = {"dtype": "float64", "engine": "torch", "X_val": X[:9], "y_val": y[:9]}
        a, one = self.fit(network, X, y, **same)
        b, other = self.fit(network, X.toarray(), y, **same | {"X_val": X[:9].toarray()})
        np.testing.assert_array_equal(a, b)
        assert one.val_loss == other.val_loss

    @pytest.mark.parametrize(
        "kind", ["u1", "i2", ">f4", "f2", "?", ">f8", "u4", "reversed", "read-only", "by columns"]
    )
    def test_rows_of_any_kind_are_read_as_numbers(self, rng, kind):
        X = rng.integers(0, 2, size=(40, 6))
        y, network = rng.integers(3, size=40), dp.Network([6, 5, 3], "tanh")
        own = X.astype(kind) if kind[-1].isdigit() or kind == "?" else X.astype(float)
        own = {"reversed": own[::-1][::-1], "by columns": np.asfortranarray(own)}.get(kind, own)
        own.setflags(write=kind != "read-only")
        a, _ = self.fit(network, X.astype(float), y, engine="reference")
        b, _ = self.fit(network, own, y, engine="torch", dtype="float64")
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)

    def test_it_goes_on_where_it_was_saved(self, table, tmp_path):
        network, path = dp.Network([12, 9, 3], "tanh", dropout=0.2), tmp_path / "run"
        same = {"engine": "torch", "checkpoint": path}
        whole, _ = self.fit(network, *table, engine="torch", epochs=6)
        self.fit(network, *table, epochs=6, callbacks=[lambda s: s.epoch == 2], **same)
        again, _ = self.fit(network, *table, epochs=6, resume=True, **same)
        np.testing.assert_array_equal(again, whole)

    def test_the_users_own_threads_stay_as_they_are(self, table):
        before = torch.get_num_threads()
        self.fit(dp.Network([12, 9, 3]), *table, engine="torch", n_threads=1)
        assert torch.get_num_threads() == before

    def test_two_runs_at_once_do_not_disturb_each_other(self, table):
        found = {}

        def fit(name):
            found[name], _ = self.fit(dp.Network([12, 9, 3]), *table, engine="torch")

        threads = [threading.Thread(target=fit, args=(name,)) for name in range(2)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        np.testing.assert_array_equal(found[0], found[1])


class TestTheEnd:
    @pytest.mark.parametrize("epochs", [1, 3])
    @pytest.mark.parametrize("eta", [1e3, 1e10, 1e200])
    def test_a_run_that_diverges_leaves_numbers_and_says_where(self, of_engines, rng, eta, epochs):
        network = dp.Network([5, 7, 2], "relu", "half_squared_error")
        problem, parameters = many(of_engines, rng, network)
        problem = replace(problem, batch_size=2)
        found = of_engines.epochs(problem, parameters, build="torch", eta=eta, epochs=epochs)
        expected = of_engines.epochs(problem, parameters, build="reference", eta=eta, epochs=epochs)
        assert found.diverged == expected.diverged
        assert np.isfinite(found.flat).all()
        np.testing.assert_allclose(found.flat, expected.flat, rtol=1e-9)

    def test_train_says_so(self, rng):
        network = dp.Network([5, 7, 2], "relu", "half_squared_error")
        X, y = rng.normal(size=(40, 5)), rng.normal(size=(40, 2))
        with pytest.warns(DivergedWarning, match="diverged in epoch"):
            dp.train(
                network, network.init(rng), X, y, engine="torch",
                optimizer=dp.GradientDescent(1e30),
            )  # fmt: skip

    def test_it_stops_between_two_steps(self, of_engines, rng):
        problem, parameters = many(of_engines, rng, dp.Network([5, 7, 2]))
        run = ENGINES["torch"].start(problem, parameters)
        plan = EpochPlan(np.arange(23), None, np.full(3, 0.1), lambda done: done >= 18)
        assert run.epoch(plan).n_steps == 2


class TestTheDevice:
    @pytest.mark.parametrize("named", ["nowhere", "cuda:99", "meta-physics", ""])
    def test_a_device_that_there_is_not_is_one_sentence(self, monkeypatch, named, rng):
        monkeypatch.setenv("DELTAPROP_DEVICE", named)
        network = dp.Network([5, 2])
        with pytest.raises(SettingError, match="DELTAPROP_DEVICE"):
            dp.predict(network, network.init(rng), np.ones((1, 5)), engine="torch")

    def test_without_pytorch_one_line_installs_it(self, monkeypatch):
        monkeypatch.setattr("deltaprop.engines.torch.find_spec", lambda _: None)
        with pytest.raises(MissingExtraError, match=r'pip install "deltaprop\[torch\]"'):
            ENGINES["torch"].refusal(dp.Network([5, 2]))


def test_any_pile_of_anything(of_engines, rng):
    """Random networks of all layers, activations and losses at once."""
    for _ in range(12):
        width = int(rng.integers(2, 9))
        kinds = [
            lambda w=width: dp.Dense(w, str(rng.choice(list(ACTIVATIONS)))),
            lambda: dp.LayerNorm(str(rng.choice(list(ACTIVATIONS)))),
            dp.Scaling, lambda: dp.ParametricActivation(str(rng.choice(list(ACTIVATIONS)))),
            lambda: dp.PeriodicEmbedding(2, 3, 2), lambda: dp.CategoryEmbedding((1, 1), 2),
            lambda: dp.Dropout(0.2),
        ]  # fmt: skip
        layers = [dp.Dense(4)]
        for drawn in rng.integers(len(kinds), size=4):
            if not isinstance(layers[-1], dp.Dropout) or drawn < len(kinds) - 1:
                layers.append(kinds[drawn]())
        loss = str(rng.choice([name for name in LOSSES if name != "poisson"]))
        network = network_of(layers, N_IN, loss)
        case = many(of_engines, rng, network)
        assert_same(*same_epochs(of_engines, *case, epochs=2, eta=1e-3), digits=1e-9)


@pytest.mark.rest
def test_what_measures_a_gpu_runs_to_its_end_on_the_cpu(monkeypatch, tmp_path, capsys):
    script = Path(__file__).resolve().parents[2] / "benchmarks" / "gpu.py"
    monkeypatch.setattr(sys, "argv", [str(script), "--quick", "--out", str(tmp_path / "figures")])
    runpy.run_path(str(script), run_name="__main__")
    found = json.loads((tmp_path / "figures").read_text("utf-8"))
    assert found["agreement"] < 1e-10
    assert len(found["rows"]) == 11
    assert capsys.readouterr().out.count("\n| ") == 13
