"""Optimizers: published numbers, PyTorch's steps, and every setting that is refused."""

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from deltaprop import Network, explain
from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.training import schedules
from deltaprop.training.optimizers import (
    OPTIMIZERS,
    Adam,
    AdamW,
    GradientDescent,
    Lion,
    Momentum,
    Muon,
    RMSProp,
    optimizer_from_dict,
    optimizer_to_dict,
    register_optimizer,
)

EVERYTHING = np.ones(20, dtype=bool)
ROWS = pytest.mark.parametrize("cls", OPTIMIZERS.values(), ids=OPTIMIZERS)


@pytest.fixture(scope="module")
def reference(shared):
    path = shared / "worked_examples" / "cs231n_optimizers_layers.json"
    return json.loads(path.read_text(encoding="utf-8"))


class TestTheNumbersOfCS231n:
    """One step from a state that is not zero."""

    w, dw = np.linspace(-0.4, 0.6, 20), np.linspace(-0.6, 0.4, 20)
    RULES: ClassVar = {
        "sgd": (GradientDescent(1e-3), dict, {}),
        "momentum": (
            Momentum(1e-3, momentum=0.9), lambda: {"v": np.linspace(0.6, 0.9, 20)},
            {"v": "velocity"},
        ),
        "rmsprop": (
            RMSProp(1e-2, decay=0.99, epsilon=1e-8), lambda: {"s": np.linspace(0.6, 0.9, 20)},
            {"s": "cache"},
        ),
        "adam": (
            Adam(1e-2, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
            lambda: {"m": np.linspace(0.6, 0.9, 20), "v": np.linspace(0.7, 0.5, 20), "t": 5},
            {"m": "adam_m", "v": "adam_v"},
        ),
    }  # fmt: skip

    def step(self, name):
        rule, start, _ = self.RULES[name]
        flat, state = self.w.copy(), start()
        rule.step(state, flat, self.dw, rule.learning_rate, EVERYTHING)
        return flat, state

    @pytest.mark.parametrize("name", RULES)
    def test_the_published_step(self, reference, name):
        (check,) = [c for c in reference["checks"] if c["what"] == f"{name} next_w"]
        flat, _ = self.step(name)
        np.testing.assert_allclose(
            flat.reshape(4, 5), check["published"], rtol=0, atol=check["tolerance"]
        )

    @pytest.mark.parametrize("name", RULES)
    def test_the_step_and_its_state_to_the_last_digit(self, reference, name):
        exact = reference["computed_float64"]
        flat, state = self.step(name)
        np.testing.assert_allclose(flat, np.ravel(exact[name]), rtol=1e-12)
        for mine, its in self.RULES[name][2].items():
            np.testing.assert_allclose(state[mine], np.ravel(exact[its]), rtol=1e-12)
        if name == "adam":
            assert state["t"] == 6


def trajectory(rule, gradients, start, decayed=EVERYTHING):
    flat, state = start.copy(), rule.init(len(start))
    for gradient in gradients:
        rule.step(state, flat, gradient, rule.learning_rate, decayed)
        yield flat.copy()


def by_hand(name, gradients, w):
    """The update rules once more, number by number, as the docstrings print them."""
    v, s, m = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(gradients, start=1):
        if name == "gradient_descent":
            w = w - 0.1 * g
        elif name == "momentum":
            v = 0.9 * v - 0.01 * g
            w = w + v
        elif name == "nesterov":
            v = 0.9 * v - 0.01 * g
            w = w + 0.9 * v - 0.01 * g
        elif name == "rmsprop":
            s = 0.99 * s + 0.01 * g**2
            w = w - 1e-3 * g / (np.sqrt(s) + 1e-8)
        elif name == "lion":
            w = w - 1e-4 * (np.sign(0.9 * m + 0.1 * g) + 1e-3 * w)
            m = 0.99 * m + 0.01 * g
        else:
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
            if name in ("adamw", "muon"):
                w = w - 1e-3 * 0.01 * w
            w = w - 1e-3 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
        yield w


DEFAULTS = {name: cls() for name, cls in OPTIMIZERS.items()} | {"nesterov": Momentum(nesterov=True)}


@pytest.fixture
def gradients(rng):
    return rng.normal(size=(20, 20)) * rng.lognormal(size=20)


@pytest.fixture
def start(rng):
    return rng.normal(size=20)


@pytest.mark.parametrize("name", DEFAULTS)
def test_every_rule_is_the_formula_of_its_docstring(name, gradients, start):
    mine = trajectory(DEFAULTS[name], gradients, start)
    for one, other in zip(mine, by_hand(name, gradients, start), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)


# Momentum scales the gradient before it enters the velocity, torch the velocity after:
# v = -eta buffer while eta is constant, so the paths are the same. Nesterov likewise:
# mu v - eta g = -eta (mu buffer + g).
IN_TORCH = {
    "gradient_descent": (GradientDescent(0.05), "SGD", {"lr": 0.05}),
    "momentum": (Momentum(0.05, 0.8), "SGD", {"lr": 0.05, "momentum": 0.8}),
    "nesterov": (
        Momentum(0.05, 0.8, nesterov=True), "SGD",
        {"lr": 0.05, "momentum": 0.8, "nesterov": True},
    ),
    "rmsprop": (RMSProp(0.01, 0.95, 1e-7), "RMSprop", {"lr": 0.01, "alpha": 0.95, "eps": 1e-7}),
    "adam": (
        Adam(0.01, 0.85, 0.99, 1e-7), "Adam", {"lr": 0.01, "betas": (0.85, 0.99), "eps": 1e-7},
    ),
    "adamw": (
        AdamW(0.01, 0.2, 0.85, 0.99, 1e-7), "AdamW",
        {"lr": 0.01, "betas": (0.85, 0.99), "eps": 1e-7, "weight_decay": 0.2},
    ),
}  # fmt: skip


@pytest.mark.torch
@pytest.mark.parametrize("name", IN_TORCH)
def test_twenty_steps_are_those_of_torch(name, gradients, start):
    torch = pytest.importorskip("torch")
    rule, its_name, its_settings = IN_TORCH[name]
    w = torch.nn.Parameter(torch.tensor(start.copy()))
    its_rule = getattr(torch.optim, its_name)([w], **its_settings)
    for mine, gradient in zip(trajectory(rule, gradients, start), gradients, strict=True):
        w.grad = torch.tensor(gradient)
        its_rule.step()
        np.testing.assert_allclose(mine, w.detach().numpy(), rtol=1e-12, atol=1e-14)


def test_momentum_with_a_falling_learning_rate_remembers_the_old_ones():
    rule, flat, g = Momentum(momentum=0.5), np.zeros(1), np.ones(1)
    state = rule.init(1)
    rule.step(state, flat, g, 1.0, EVERYTHING[:1])  # v = -1
    rule.step(state, flat, g, 0.1, EVERYTHING[:1])  # v = -0.5 - 0.1
    assert flat[0] == pytest.approx(-1.6)


def test_weight_decay_spares_biases_and_nothing_else_looks_at_the_mask(gradients, start):
    weights = np.arange(20) % 2 == 0
    for name, cls in OPTIMIZERS.items():
        *_, some = trajectory(cls(), gradients, start, weights)
        *_, none = trajectory(cls(), gradients, start, np.zeros(20, dtype=bool))
        *_, all_ = trajectory(cls(), gradients, start)
        if name in ("adamw", "lion", "muon"):
            np.testing.assert_array_equal(some, np.where(weights, all_, none))
            assert (all_ != none).all()
        else:
            np.testing.assert_array_equal(some, none)


def test_adamw_without_decay_is_adam(gradients, start):
    *_, with_none = trajectory(AdamW(weight_decay=0.0), gradients, start)
    *_, adam = trajectory(Adam(), gradients, start)
    np.testing.assert_array_equal(with_none, adam)


def test_momentum_without_memory_is_gradient_descent(gradients, start):
    for nesterov in (False, True):
        *_, forgetful = trajectory(Momentum(0.1, 0.0, nesterov), gradients, start)
        *_, plain = trajectory(GradientDescent(0.1), gradients, start)
        np.testing.assert_allclose(forgetful, plain, rtol=1e-13)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_adams_first_step_has_the_length_of_the_learning_rate(scale, rng):
    flat = np.zeros(20)
    rule, g = Adam(0.01), scale * rng.normal(size=20)
    rule.step(rule.init(20), flat, g, 0.01, EVERYTHING)
    np.testing.assert_allclose(flat, -0.01 * np.sign(g), rtol=1e-3)


@ROWS
def test_a_step_changes_the_vector_in_place_and_leaves_the_gradient_alone(cls, start, rng):
    rule, flat, gradient = cls(), start.copy(), rng.normal(size=20)
    before, view, state = gradient.copy(), flat[:5], rule.init(20)
    assert rule.step(state, flat, gradient, 0.1, EVERYTHING) is None
    np.testing.assert_array_equal(gradient, before)
    assert (view != start[:5]).all()


@ROWS
def test_a_zero_gradient_moves_nothing_at_the_start(cls):
    rule, flat = cls(), np.zeros(20)
    rule.step(rule.init(20), flat, np.zeros(20), 0.1, EVERYTHING)
    assert not flat.any()


@ROWS
def test_states_are_independent_of_each_other(cls, gradients, start):
    rule = cls()
    first = list(trajectory(rule, gradients, start))
    second = list(trajectory(rule, gradients, start))
    np.testing.assert_array_equal(first, second)


@ROWS
def test_every_optimizer_finds_the_bottom_of_a_bowl(cls):
    rule, flat = cls(0.02), np.array([2.0, -1.0])
    state = rule.init(2)
    for _ in range(2000):
        rule.step(state, flat, np.array([1.0, 3.0]) * flat, 0.02, EVERYTHING[:2])
    np.testing.assert_allclose(flat, 0.0, atol=0.03)


SETTINGS = {
    "gradient_descent": {"learning_rate": 0.3},
    "momentum": {"learning_rate": 0.3, "momentum": 0.5, "nesterov": True},
    "rmsprop": {"learning_rate": 0.3, "decay": 0.5, "epsilon": 1e-5},
    "adam": {"learning_rate": 0.3, "beta_1": 0.5, "beta_2": 0.6, "epsilon": 1e-5},
    "adamw": {"learning_rate": 0.3, "weight_decay": 0.2, "beta_1": 0.5, "beta_2": 0.6,
              "epsilon": 1e-5},
    "muon": {"learning_rate": 0.3, "weight_decay": 0.2, "momentum": 0.5, "beta_1": 0.5,
             "beta_2": 0.6, "epsilon": 1e-5},
    "lion": {"learning_rate": 0.3, "weight_decay": 0.2, "beta_1": 0.5, "beta_2": 0.6},
}  # fmt: skip


@ROWS
@pytest.mark.parametrize("learning_rate", [
    0.3, schedules.Cosine(0.3, 0.1), schedules.Warmup(schedules.Step(0.3, 5), 10),
], ids=str)  # fmt: skip
def test_an_optimizer_goes_to_plain_data_and_back(cls, learning_rate):
    rule = cls(**SETTINGS[cls.name] | {"learning_rate": learning_rate})
    data = optimizer_to_dict(rule)
    assert set(data) == {"name", *SETTINGS[cls.name]}
    assert optimizer_from_dict(json.loads(json.dumps(data))) == rule
    assert optimizer_from_dict({"name": cls.name}) == cls()


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'adam'"):
        optimizer_from_dict({"name": "adaam"})
    with pytest.raises(UnknownNameError, match="optimizer"):
        optimizer_from_dict({})


REFUSED = [
    *((cls, {"learning_rate": bad}, "learning_rate")
      for cls in OPTIMIZERS.values() for bad in (0.0, -0.1, np.nan, np.inf, "0.1", None, True)),
    *((cls, {name: bad}, name)
      for cls, name in [(Momentum, "momentum"), (RMSProp, "decay"), (Adam, "beta_1"),
                        (Adam, "beta_2"), (AdamW, "beta_1"), (AdamW, "beta_2"),
                        (Lion, "beta_1"), (Lion, "beta_2"), (Muon, "momentum"),
                        (Muon, "beta_1"), (Muon, "beta_2")]
      for bad in (1.0, -0.1, np.nan, "0.9", None)),
    *((cls, {"epsilon": bad}, "epsilon")
      for cls in (RMSProp, Adam, AdamW, Muon)
      for bad in (0.0, -1e-8, np.nan, np.inf, "1e-8", None)),
    *((cls, {"weight_decay": bad}, "weight_decay") for cls in (AdamW, Lion, Muon)
      for bad in (-0.1, np.nan, np.inf, "0.1", None)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cls", "settings", "reason"), REFUSED, ids=[f"{c.name}-{s}" for c, s, _ in REFUSED]
)
def test_a_bad_setting_is_refused_by_name(cls, settings, reason):
    with pytest.raises(SettingError, match=reason):
        cls(**settings)


@ROWS
def test_an_optimizer_is_frozen(cls):
    with pytest.raises(AttributeError):
        cls().learning_rate = 1.0


@dataclass(frozen=True)
class SignDescent:
    """w <- w - eta sign(g)."""

    learning_rate: float = 0.01
    name: ClassVar[str] = "sign_descent"

    def init(self, n):
        return {}

    def step(self, state, flat, gradient, eta, decayed):
        flat -= eta * np.sign(gradient)


@pytest.fixture
def optimizers_as_before(monkeypatch):
    for name in OPTIMIZERS:
        monkeypatch.setitem(OPTIMIZERS, name, OPTIMIZERS[name])
    yield
    OPTIMIZERS.pop("sign_descent", None)


@pytest.mark.usefixtures("optimizers_as_before")
class TestRegistering:
    def test_an_own_optimizer_is_found_by_its_name(self):
        assert register_optimizer(SignDescent) is SignDescent
        assert optimizer_from_dict({"name": "sign_descent", "learning_rate": 0.1}) == (
            SignDescent(0.1)
        )
        assert optimizer_to_dict(SignDescent(0.1)) == {"name": "sign_descent", "learning_rate": 0.1}

    def test_a_taken_name_is_refused(self):
        register_optimizer(SignDescent)
        with pytest.raises(SettingError, match="registered already"):
            register_optimizer(SignDescent)

    @pytest.mark.parametrize("name", [None, "", "two words", 3])
    def test_a_name_that_is_no_name_is_refused(self, name):
        nameless = type("Nameless", (SignDescent,), {"name": name})
        with pytest.raises(SettingError, match="needs a class attribute name"):
            register_optimizer(nameless)

    @pytest.mark.parametrize("step", [
        lambda self, state, flat, gradient, eta, decayed: None,
        lambda self, state, flat, gradient, eta, decayed: flat.__iadd__(eta * gradient),
        lambda self, state, flat, gradient, eta, decayed: flat.fill(np.nan),
    ], ids=["does nothing", "climbs", "gives NaN"])  # fmt: skip
    def test_an_optimizer_that_does_not_descend_is_refused(self, step):
        wrong = type("Wrong", (SignDescent,), {"name": "wrong", "step": step})
        with pytest.raises(SettingError, match="do not come nearer"):
            register_optimizer(wrong)
        assert "wrong" not in OPTIMIZERS


class TestLion:
    def test_the_two_steps_of_its_paper(self):
        """Chen et al. 2023, algorithm 2: the sign of one mixture, the memory of another."""
        rule, flat = Lion(0.5, weight_decay=0.1, beta_1=0.5, beta_2=0.8), np.array([1.0, -2.0])
        state = rule.init(2)
        rule.step(state, flat, np.array([3.0, -1.0]), 0.5, np.array([True, False]))
        np.testing.assert_allclose(flat, [1.0 - 0.5 * (1 + 0.1), -2.0 + 0.5])
        np.testing.assert_allclose(state["m"], [0.6, -0.2])
        rule.step(state, flat, np.array([-0.5, 0.1]), 0.5, np.array([False, False]))
        np.testing.assert_allclose(flat, [0.45 - 0.5, -1.5 + 0.5])
        np.testing.assert_allclose(state["m"], [0.8 * 0.6 - 0.1, -0.16 + 0.02])

    def test_where_nothing_pulls_nothing_moves(self):
        rule, flat = Lion(), np.ones(3)
        rule.step(rule.init(3), flat, np.zeros(3), 0.1, np.zeros(3, dtype=bool))
        np.testing.assert_array_equal(flat, np.ones(3))

    def test_it_is_explained(self, rng):
        network = Network([2, 3, 2], hidden="tanh")
        explanation = explain(
            network, network.init(rng), rng.normal(size=(2, 2)), [0, 1], optimizer=Lion(0.01)
        )
        for form in ("terminal", "html", "latex", "markdown", "json", "notebook"):
            assert explanation.to(form, language="zh")
        (line,) = [line for line in explanation.lines() if line.step.id == "W.1.after[0,0]"]
        assert line.evaluated() == pytest.approx(line.step.value, rel=1e-5)
