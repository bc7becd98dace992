"""Every displayed line comes to the number of the trace, of any row, or it is an error."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import DataError, SettingError
from deltaprop.explaining.document.equations import equations
from deltaprop.functional.arithmetic import evaluate, parse
from deltaprop.functional.expressions import Operand
from deltaprop.functional.rounding import rounding_bound
from deltaprop.training.optimizers import GradientDescent
from helpers.explained import assert_lines_hold


@pytest.fixture
def own_rows(monkeypatch):
    """Rows that somebody registered are forgotten again."""
    for registry in (dp.ACTIVATIONS, dp.LOSSES):
        monkeypatch.setattr(registry, "_rows", dict(registry._rows))


# where functions overflow, and where all digits are lost


@pytest.mark.parametrize("z", [-800.0, -40.0, -1e-9, 0.0, 1e-9, 40.0, 800.0])
@pytest.mark.parametrize("activation", dp.ACTIVATIONS)
@pytest.mark.one_in(5)
def test_far_out_a_line_still_shows_the_number(activation, z):
    network = dp.Network([1, 1, 1], hidden=activation, loss="half_squared_error")
    parameters = network.parameters([[[z]], [[1.0]]], [[0.0], [0.0]])
    explanation = dp.explain(network, parameters, [[1.0]], [[0.5]])
    assert_lines_hold(explanation)
    for form in ("to_terminal", "to_html", "to_latex", "to_markdown", "to_json", "to_notebook"):
        assert getattr(explanation, form)()


@pytest.mark.parametrize("z", [-800.0, -30.0, 30.0, 800.0])
@pytest.mark.parametrize("loss", dp.LOSSES)
def test_far_out_a_loss_still_shows_the_number(loss, z):
    network = dp.Network([1, 2], loss=loss)
    targets = [[1.0, 0.0]] if dp.LOSSES[loss].targets != "count" else [[3.0, 0.0]]
    parameters = network.parameters([[[z, 0.5]]], [[0.0, 0.0]])
    if loss == "poisson" and z == 800:
        with pytest.raises(DataError, match="beyond all numbers"):
            dp.explain(network, parameters, [[1.0]], targets)
        return
    assert_lines_hold(dp.explain(network, parameters, [[1.0]], targets))


def test_a_gradient_whose_terms_cancel_is_shown_as_nothing():
    network = dp.Network([1, 1], loss="half_squared_error", bias=False)
    parameters = network.parameters([[[0.1]]])
    x, targets = [[0.3], [0.1], [-0.4]], [[0.03 + 0.7], [0.01 - 0.1], [-0.04 + 0.5]]
    explanation = dp.explain(network, parameters, x, targets)
    (line,) = [line for line in explanation.lines() if line.step.id == "dW.1[0,0]"]
    assert 0 < abs(line.step.value) < 1e-16 or line.step.value == 0
    assert line.shown == "0"


def test_a_formula_that_overflows_is_left_out():
    network = dp.Network([1, 1, 1], hidden="softplus", loss="half_squared_error")
    parameters = network.parameters([[[800.0]], [[1.0]]], [[0.0], [0.0]])
    explanation = dp.explain(network, parameters, [[1.0]], [[0.5]])
    (line,) = [line for line in explanation.lines() if line.step.id == "a.1[0,0]"]
    assert line.shown == "800"
    assert "a¹ = 800" in explanation.to_terminal().replace("₁", "")


# formulas that are another's


@dataclass(frozen=True)
class Doubled(GradientDescent):
    """Says half of what it does."""

    name: ClassVar[str] = "doubled"

    def step(self, state, flat, gradient, eta, decayed):
        flat -= 2 * eta * gradient


@dataclass(frozen=True)
class Shifted(dp.Dense):
    """Says nothing of what it adds."""

    def forward(self, parameters, a):
        return super().forward(parameters, a) + 1.0


FORMS = ("to_terminal", "to_html", "to_latex", "to_markdown", "to_json", "to_notebook")


@pytest.mark.parametrize("form", FORMS)
def test_an_optimizer_that_does_what_it_does_not_say_is_found_out(rng, form):
    network = dp.Network([2, 2])
    explanation = dp.explain(
        network, network.init(rng), rng.normal(size=(1, 2)), [0], optimizer=Doubled(0.1)
    )
    with pytest.raises(SettingError, match=r"The formula of (\w+\.1\.after\[|W\.1\.after)"):
        getattr(explanation, form)()


@pytest.mark.parametrize("detail", ["layers", "neurons"])
def test_a_layer_that_does_what_it_does_not_say_is_found_out(rng, detail):
    network = dp.Network.from_layers(2, [Shifted(2)])
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 2)), [0])
    with pytest.raises(SettingError, match=r"The formula of z\.1.* a layer"):
        explanation.to_terminal(detail=detail)


def test_an_activation_that_got_past_its_proof_is_found_out(rng, own_rows):
    row = replace(dp.ACTIVATIONS["tanh"], name="mine", arithmetic=("tanh(z) + 1", "1 - a ** 2"))
    dp.ACTIVATIONS._rows["mine"] = row
    network = dp.Network([2, 2, 2], hidden="mine")
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 2)), [0])
    with pytest.raises(SettingError, match=r"The formula of a\.1\[0,0\]"):
        explanation.to_terminal()


# any rows


def own_activation(p, q, r):
    """Return p z + q tanh(r z), and its slope."""
    return dp.Activation(
        "mine", lambda z: p * z + q * np.tanh(r * z),
        lambda z, a: p + q * r * (1 - np.tanh(r * z) ** 2), ("", ""), "a mixture",
        arithmetic=(
            f"{p!r} * z + {q!r} * tanh({r!r} * z)",
            f"{p!r} + {q!r} * {r!r} * (1 - tanh({r!r} * z) ** 2)",
        ),
    )  # fmt: skip


def own_loss(base, by):
    """Return a loss times a number."""
    row = dp.LOSSES[base]
    value, delta = row.arithmetic
    return replace(
        row, name="times", per_label=None,
        per_sample=lambda z, t: by * row.per_sample(z, t),
        delta_per_sample=lambda z, t: by * row.delta_per_sample(z, t),
        arithmetic=(f"({value}) * {by!r}", f"({delta}) * {by!r}" if delta else ""),
        by_output=f"({row.by_output}) * {by!r}",
        elsewhere=tuple(f"({form}) * {by!r}" for form in row.elsewhere),
    )  # fmt: skip


@dataclass(frozen=True)
class Signs:
    """m <- b m + (1 - b) g, then w moves by the sign of m, and a little by g."""

    learning_rate: float = 0.1
    beta: float = 0.9
    share: float = 0.25
    name: ClassVar[str] = "signs"
    latex: ClassVar[str] = ""
    doc: ClassVar[str] = ""

    def arithmetic(self, decayed):
        return (
            ("m", "beta * m + (1 - beta) * g"),
            ("w", "w - learning_rate * ((m > 0) - (m < 0) + share * g)"),
        )

    def init(self, n):
        return {"m": np.zeros(n)}

    def step(self, state, flat, gradient, eta, decayed):
        state["m"] *= self.beta
        state["m"] += (1 - self.beta) * gradient
        flat -= eta * (np.sign(state["m"]) + self.share * gradient)


def random_layers(rng, width):
    """Yield layers of any kind, each with what it is given."""
    for _ in range(int(rng.integers(0, 4))):
        n_out = int(rng.integers(1, 5))
        kinds = [
            dp.Dense(n_out, "mine", bias=bool(rng.integers(2))),
            dp.Dense(n_out, parametrization="ntk"), dp.Scaling(6.0),
            dp.ParametricActivation("mine"),
            dp.ParametricActivation("gelu"),
            dp.PeriodicEmbedding(int(rng.integers(1, width + 1)), n_waves=2, n_mixtures=1),
            dp.CategoryEmbedding((int(rng.integers(1, width + 1)),), dimension=2),
        ]  # fmt: skip
        layer = kinds[int(rng.integers(len(kinds)))]
        width = layer.width(width)
        yield layer


def assert_own_rows_are_told(seed):
    rng = np.random.default_rng(seed)
    dp.ACTIVATIONS._rows["mine"] = own_activation(*(float(v) for v in rng.normal(size=3).round(3)))
    base = list(dp.LOSSES)[int(rng.integers(len(dp.LOSSES)))]
    dp.LOSSES._rows["times"] = own_loss(base, round(float(rng.uniform(0.1, 3)), 3))
    try:
        dp.LOSSES.check(dp.LOSSES["times"])
        n_in, n = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        k = int(rng.integers(1, 4))
        network = dp.Network.from_layers(
            n_in, [*random_layers(rng, n_in), dp.Dense(k)], "times",
            l2=float(rng.choice([0.0, 0.1])), l1=float(rng.choice([0.0, 0.1])),
        )  # fmt: skip
        targets = {
            "distribution": lambda: rng.dirichlet(np.ones(k), size=n),
            "unit": lambda: rng.random((n, k)),
            "real": lambda: rng.normal(size=(n, k)),
            "count": lambda: rng.poisson(2.0, size=(n, k)).astype(float),
        }[network.loss.targets]()
        rules = [Signs(0.1), dp.AdamW(0.1), dp.Momentum(0.1, nesterov=True), dp.RMSProp(0.1)]
        explanation = dp.explain(
            network, network.init(rng), rng.normal(size=(n, n_in)), targets,
            optimizer=rules[int(rng.integers(len(rules)))],
        )  # fmt: skip
        assert_lines_hold(explanation, int(rng.integers(2, 9)))
        assert all(equation.result.texts for equation in equations(explanation, 6))
    finally:
        del dp.ACTIVATIONS._rows["mine"], dp.LOSSES._rows["times"]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.one_in(5)
def test_own_rows_are_told(seed):
    assert_own_rows_are_told(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_own_rows_of_a_thousand_networks_are_told(block):
    for seed in range(1000 + 50 * block, 1050 + 50 * block):
        assert_own_rows_are_told(seed)


# the bound


@given(
    st.sampled_from(["x + y - x", "(x + y) * (x - y)", "x / y - y", "x * y - x / (x - y)"]),
    st.floats(-30, 30),
    st.floats(-30, 30),
)
def test_rounding_is_within_its_bound(formula, x, y):
    tree = parse(formula, {"x": Operand("x", x), "y": Operand("y", y)})
    found, bound = evaluate(tree), rounding_bound(tree)
    if np.isfinite(found):
        exact = eval(formula, {"x": Fraction(x), "y": Fraction(y)})
        assert abs(Fraction(found) - exact) <= Fraction(bound) + Fraction(1e-300)


@pytest.mark.parametrize(
    ("formula", "x", "least"),
    [("1 - x", 1 - 1e-13, 1e-16), ("exp(x)", 700.0, 1e280), ("x > 1", 1.0, 1.0)],
)
def test_what_an_operand_has_lost_is_counted(formula, x, least):
    assert rounding_bound(parse(formula, {"x": Operand("x", x)})) >= least
    assert rounding_bound(parse("exp(x)", {"x": Operand("x", 800.0)})) == np.inf
