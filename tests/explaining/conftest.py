"""Random small networks of every kind, and the arithmetic of a step done once more."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining.expressions import Call, Number, Operand, Product, Quotient, Rest, Sum

LOSSES = tuple(dp.LOSSES)
ACTIVATIONS = tuple(dp.ACTIVATIONS)
ROOTS = (
    "x[", "targets[", "W.", "b.", "learning_rate", "l2", "l1", "label_smoothing", "update.",
    "share[",
)  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """What a random explanation was made of."""

    network: object
    parameters: object
    x: np.ndarray
    targets: np.ndarray
    explanation: object


def draw_explanation(rng, activation="tanh", loss="cross_entropy", **fixed):
    """Return the explanation of a random step; ``fixed`` overrides what is drawn."""
    depth = fixed.pop("depth", int(rng.integers(0, 4)))
    n = fixed.pop("n", int(rng.integers(1, 4)))
    n_out = fixed.pop("n_out", int(rng.integers(1, 4)))
    row = dp.LOSSES[loss]
    network = dp.Network(
        [int(rng.integers(1, 5)), *(int(k) for k in rng.integers(1, 5, size=depth)), n_out],
        hidden=activation,
        loss=loss,
        bias=fixed.pop("bias", bool(rng.integers(2))),
        l2=fixed.pop("l2", float(rng.choice([0.0, 0.3]))),
        l1=fixed.pop("l1", float(rng.choice([0.0, 0.2]))),
        label_smoothing=fixed.pop(
            "label_smoothing", float(rng.choice([0.0, 0.1])) if row.smooth else 0.0
        ),
    )
    parameters = network.init(rng)
    parameters.flat[:] += rng.normal(scale=0.3, size=parameters.flat.size)
    x = rng.normal(size=(n, network.n_in))
    targets = {
        "distribution": lambda: rng.dirichlet(np.ones(n_out), size=n),
        "unit": lambda: rng.random((n, n_out)),
        "real": lambda: rng.normal(scale=2.0, size=(n, n_out)),
        "count": lambda: rng.poisson(2.0, size=(n, n_out)).astype(float),
    }[row.targets]()
    explanation = dp.explain(network, parameters, x, targets, **fixed)
    return Setting(network, parameters, x, targets, explanation)


FUNCTIONS = {
    "exp": math.exp,
    "ln": math.log,
    "square": lambda v: v * v,
    "abs": abs,
    "sign": lambda v: float(np.sign(v)),
    "huber": lambda r: r * r / 2 if abs(r) <= 1 else abs(r) - 0.5,
    "clip": lambda r: max(-1.0, min(1.0, r)),
    "σ": lambda v: 1 / (1 + math.exp(-v)),
}


def function(name):
    """Return the function a step names; activations and their slopes come from the registry."""
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    plain = {"σ": "sigmoid"}.get(name.rstrip("'"), name.rstrip("'"))
    row = dp.ACTIVATIONS[plain]
    if name.endswith("'"):
        return lambda v: float(row.f_prime(np.array([v]), row.f(np.array([v])))[0])
    return lambda v: float(row.f(np.array([v]))[0])


def evaluate(expression, values):
    """Return what an expression comes to, operands looked up in ``values`` by their id."""
    match expression:
        case Operand(id=name):
            return values[name]
        case Number(text=text):
            return float(eval(text))
        case Rest(value=value):
            return value
        case Sum(terms=terms, signs=signs):
            parts = (evaluate(term, values) for term in terms)
            signs = signs or (1,) * len(terms)
            return math.fsum(s * p for s, p in zip(signs, parts, strict=True))
        case Product(factors=factors):
            return math.prod(evaluate(factor, values) for factor in factors)
        case Quotient(above=above, below=below):
            return evaluate(above, values) / evaluate(below, values)
        case Call(name=name, argument=argument):
            return function(name)(evaluate(argument, values))
    raise AssertionError(f"no rule for {expression!r}")


def root_values(setting):
    """Return the value of every root, taken from what went in and not from the steps."""
    network, explanation = setting.network, setting.explanation
    values = {
        "learning_rate": explanation.update.learning_rate,
        "l2": network.l2,
        "l1": network.l1,
        "label_smoothing": network.label_smoothing,
    }
    for name, array in (("x", setting.x), ("targets", setting.targets)):
        for s, j in np.ndindex(array.shape):
            values[f"{name}[{s},{j}]"] = float(array[s, j])
    for layer, arrays in enumerate(setting.parameters.layers):
        for name, array in arrays.items():
            for index in np.ndindex(array.shape):
                where = ",".join(map(str, index))
                values[f"{name}.{layer + 1}[{where}]"] = float(array[index])
    return values


@pytest.fixture
def draw(rng):
    def draw_one(activation="tanh", loss="cross_entropy", **fixed):
        return draw_explanation(rng, activation, loss, **fixed)

    return draw_one


@pytest.fixture(scope="session")
def arithmetic():
    return evaluate


@pytest.fixture(scope="session")
def roots_of():
    return root_values


@pytest.fixture(scope="session")
def is_root():
    return lambda name: name.startswith(ROOTS) and ".after" not in name
