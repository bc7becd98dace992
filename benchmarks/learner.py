"""A learner on paper: works a step out in a convention, rounds every line, and may slip.

Written by itself, with none of deltaprop's mathematics, so that ``benchmarks/marking.py`` and the
tests measure marking against something else. What a learner does at each place is a formula in
``FORMULAS``; a mistake of ``learner_mistakes.py`` replaces one or two of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rng = np.random.Generator

SLOPES: dict[str, Callable[[Array, Array], Array]] = {  # f' of z and a
    "identity": lambda z, a: np.ones_like(z),
    "sigmoid": lambda z, a: a * (1 - a),
    "tanh": lambda z, a: 1 - a**2,
    "relu": lambda z, a: (z > 0).astype(float),
}
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
}
OUTPUTS = {
    "half_squared_error": "identity", "half_squared_error_sigmoid": "sigmoid",
    "binary_cross_entropy": "sigmoid", "cross_entropy": "softmax",
}  # fmt: skip
SQUARED = ("half_squared_error", "half_squared_error_sigmoid")


def softmax(z: Array) -> Array:
    """Return exp(z) / sum(exp(z)) of each row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


@dataclass
class Convention:
    """How a learner writes a step down, where half of the world writes it otherwise.

    Attributes
    ----------
    double : bool
        Squared error without the 1/2.
    summed : bool
        The loss is a sum over samples.
    per_output : bool
        The loss is a mean over outputs as well.
    per_sample : bool
        delta is each sample's own; 1/n stands in the gradients.
    late : bool
        With ``per_sample``: dW is a sum over samples; 1/n stands in the update.
    minus : bool
        delta is the error signal t - y times f', and the step adds.
    turned : bool
        Gradients and new weights have a row for each output.
    """

    double: bool = False
    summed: bool = False
    per_output: bool = False
    per_sample: bool = False
    late: bool = False
    minus: bool = False
    turned: bool = False


@dataclass
class Problem:
    """What a working is about, as the worked-example format says it."""

    hidden: list[str]
    loss: str
    w: list[Array]
    b: list[Array] | None
    x: Array
    t: Array
    eta: float
    l2: float = 0.0

    @property
    def n(self) -> int:
        """Return the number of samples."""
        return len(self.x)

    @property
    def last(self) -> int:
        """Return the index of the last layer."""
        return len(self.w) - 1

    def example(self) -> dict[str, Any]:
        """Return the worked example without claims."""
        layers = [{"W": w.tolist()} for w in self.w]
        for layer, activation in zip(layers, self.hidden, strict=False):
            layer["activation"] = activation  # type: ignore[assignment]
        for layer, b in zip(layers, self.b or [], strict=False):
            layer["b"] = b.tolist()
        return {
            "layers": layers, "loss": self.loss, "x": self.x.tolist(), "targets": self.t.tolist(),
            "learning_rate": self.eta, "l2": self.l2,
        }  # fmt: skip


def random_problem(rng: Rng) -> Problem:
    """Return a problem with tidy numbers, as textbooks have them."""
    loss = str(rng.choice(list(OUTPUTS)))
    depth = int(rng.choice([1, 2, 2, 2, 3]))
    sizes = [int(rng.integers(1, 4)) for _ in range(depth)]
    sizes.append(int(rng.integers(2 if loss == "cross_entropy" else 1, 4)))
    n = int(rng.choice([1, 1, 2, 3]))
    w = [np.round(rng.normal(scale=0.8, size=pair), 2) for pair in pairwise(sizes)]
    b = [np.round(rng.normal(scale=0.5, size=k), 2) for k in sizes[1:]]
    t = {
        "cross_entropy": lambda: np.eye(sizes[-1])[rng.integers(0, sizes[-1], n)],
        "binary_cross_entropy": lambda: rng.integers(0, 2, (n, sizes[-1])).astype(float),
        "half_squared_error_sigmoid": lambda: np.round(rng.uniform(0, 1, (n, sizes[-1])), 2),
        "half_squared_error": lambda: np.round(rng.normal(size=(n, sizes[-1])), 1),
    }[loss]()
    return Problem(
        [str(rng.choice(list(ACTIVATIONS))) for _ in sizes[1:-1]], loss, w,
        b if rng.random() < 0.7 else None, np.round(rng.normal(size=(n, sizes[0])), 2), t,
        float(rng.choice([0.05, 0.1, 0.3, 0.5])), float(rng.choice([0, 0, 0, 0.1])),
    )  # fmt: skip


@dataclass
class Learner:
    """One working: the problem, the convention, the rounding, the formulas, and the page."""

    problem: Problem
    convention: Convention
    rounding: Callable[[Array], Array]
    formulas: dict[str, Callable[..., Any]]
    page: dict[str, Array] = field(default_factory=dict)
    z: list[Array] = field(default_factory=list)
    a: list[Array] = field(default_factory=list)
    delta: dict[int, Array] = field(default_factory=dict)
    upstream: dict[int, Array] = field(default_factory=dict)
    dw: dict[int, Array] = field(default_factory=dict)
    db: dict[int, Array] = field(default_factory=dict)

    def write(self, key: str, value: Any) -> Array:
        """Round a line, write it down, and go on with what is written."""
        with np.errstate(all="ignore"):
            self.page[key] = self.rounding(np.asarray(value, dtype=float))
        return self.page[key]

    @property
    def factor(self) -> float:
        """Return what the objective of the problem is multiplied by in this convention."""
        c, p = self.convention, self.problem
        return (
            (2.0 if c.double else 1.0)
            * (p.n if c.summed else 1)
            / (p.t.shape[1] if c.per_output else 1)
        )

    def forward(self, w: list[Array], b: list[Array] | None, after: str = "") -> None:
        """Work out z and a of every layer, and the loss."""
        p, f = self.problem, self.formulas
        self.a, self.z = [p.x], []
        for i, weights in enumerate(w):
            z = f["z"](self, i, self.a[i], weights, None if b is None else b[i])
            self.z.append(self.write(f"z.{i + 1}{after}", z))
            a = f["output"](self, self.z[i]) if i == p.last else f["activate"](self, i, self.z[i])
            self.a.append(self.write(f"a.{i + 1}{after}", a))
        total = f["loss"](self, self.z[-1], self.a[-1]) + f["penalty"](self, w)
        self.write(f"loss{after}", total)

    def work(self) -> dict[str, Array]:
        """Work the whole step out; return the page."""
        with np.errstate(all="ignore"):  # a wrong working may go anywhere
            return self._work()

    def _work(self) -> dict[str, Array]:
        p, f, c = self.problem, self.formulas, self.convention
        sign = -1.0 if c.minus else 1.0
        self.forward(p.w, p.b)
        share = 1.0 if c.per_sample or c.summed else 1.0 / p.n
        scale = self.factor / (p.n if c.summed else 1)  # sum or mean is in the share
        for i in reversed(range(p.last + 1)):
            if i == p.last:
                delta = sign * share * scale * f["output_delta"](self)
            else:
                self.upstream[i] = f["upstream"](self, i)
                delta = self.upstream[i] * f["slope"](self, i)
            self.delta[i] = self.write(f"delta.{i + 1}", delta)
            mean = 1.0 / p.n if c.per_sample and not (c.late or c.summed) else 1.0
            penalty = f["penalty_gradient"](self, i) * sign
            late = p.n if c.late and c.per_sample and not c.summed else 1.0
            self.dw[i] = self.write(f"dW.{i + 1}", mean * f["dW"](self, i) + late * penalty)
            if p.b is not None:
                self.db[i] = self.write(f"db.{i + 1}", mean * f["db"](self, i))
        eta = p.eta * sign / (p.n if c.late and c.per_sample and not c.summed else 1.0)
        w = [
            self.write(f"W.{i + 1}.after", f["update"](self, i, old, self.dw[i], eta))
            for i, old in enumerate(p.w)
        ]
        b = p.b and [
            self.write(f"b.{i + 1}.after", f["update_bias"](self, i, old, self.db[i], eta))
            for i, old in enumerate(p.b)
        ]
        before = (self.z, self.a)
        if f["again"](self):
            self.forward(w, b or None, ".after")
        self.z, self.a = before
        if c.turned:
            for key in self.page:
                if key.startswith("dW") or (key.startswith("W.") and key.endswith(".after")):
                    self.page[key] = self.page[key].T
        return self.page


def _loss(of: Learner, z: Array, p: Array) -> Any:
    t, loss = of.problem.t, of.problem.loss
    with np.errstate(all="ignore"):
        if loss in SQUARED:
            each = 0.5 * (t - p) ** 2
        elif loss == "cross_entropy":
            each = -np.where(t > 0, t * np.log(p), 0)
        else:
            each = -np.where(t > 0, np.log(p), np.log(1 - p))
    return of.factor * each.sum() / of.problem.n


def _output_delta(of: Learner) -> Array:
    p, t, loss = of.a[-1], of.problem.t, of.problem.loss
    return (p - t) * (p * (1 - p) if loss == "half_squared_error_sigmoid" else 1)


def _output(of: Learner, z: Array) -> Array:
    kind = OUTPUTS[of.problem.loss]
    return softmax(z) if kind == "softmax" else ACTIVATIONS[kind](z)


def _slope(of: Learner, i: int) -> Array:
    return SLOPES[of.problem.hidden[i]](of.z[i], of.a[i + 1])


FORMULAS: dict[str, Callable[..., Any]] = {
    "z": lambda of, i, a, w, b: a @ w + (0 if b is None else b),
    "activate": lambda of, i, z: ACTIVATIONS[of.problem.hidden[i]](z),
    "output": _output,
    "loss": _loss,
    "penalty": lambda of, w: of.problem.l2 / 2 * sum((m**2).sum() for m in w),
    "output_delta": _output_delta,
    "upstream": lambda of, i: of.delta[i + 1] @ of.problem.w[i + 1].T,
    "slope": _slope,
    "penalty_gradient": lambda of, i: of.problem.l2 * of.problem.w[i],
    "dW": lambda of, i: of.a[i].T @ of.delta[i],
    "db": lambda of, i: of.delta[i].sum(axis=0),
    "update": lambda of, i, old, d, eta: old - eta * d,
    "update_bias": lambda of, i, old, d, eta: old - eta * d,
    "again": lambda of: True,
}
