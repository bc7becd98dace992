"""A learner on paper: works a step out in a convention, rounds every line, and may slip.

Written by itself, with none of deltaprop's mathematics, so that ``benchmarks/marking.py`` and the
tests measure marking against something else. What a learner does at each place is a formula in
``FORMULAS``; a planted mistake replaces one or two of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
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


@dataclass(frozen=True)
class Planted:
    """A mistake to plant: its name, where it can show, and the formulas it replaces."""

    name: str
    shows: Callable[[Problem], bool]
    formulas: dict[str, Callable[..., Any]]


def _hidden(p: Problem) -> bool:
    return p.last > 0


def _curved(p: Problem) -> bool:
    return any(name != "identity" for name in p.hidden)


def _of(*names: str) -> Callable[[Problem], bool]:
    return lambda p: any(name in names for name in p.hidden)


def _loss_is(*names: str) -> Callable[[Problem], bool]:
    return lambda p: p.loss in names


def _bias(p: Problem) -> bool:
    return p.b is not None


def _many(p: Problem) -> bool:
    return p.n > 1


def _penalized(p: Problem) -> bool:
    return p.l2 > 0


def _always(_p: Problem) -> bool:
    return True


def _slope_of(change: dict[str, Callable[[Array, Array], Array]]) -> Callable[..., Array]:
    def slope(of: Learner, i: int) -> Array:
        return change.get(of.problem.hidden[i], SLOPES[of.problem.hidden[i]])(of.z[i], of.a[i + 1])

    return slope


def _sigmoid(z: Array) -> Array:
    return ACTIVATIONS["sigmoid"](z)


def _double_softmax_delta(of: Learner) -> Array:
    p, t = of.a[-1], of.problem.t
    d = softmax(p) - t
    return p * (d - (d * p).sum(axis=1, keepdims=True))


def _updated(of: Learner, i: int) -> Array:
    eta = of.problem.eta * (-1 if of.convention.minus else 1)
    n = of.problem.n if of.convention.late and of.convention.per_sample else 1
    after = of.rounding(of.problem.w[i + 1] - eta / n * of.dw[i + 1])
    return of.delta[i + 1] @ after.T


def _rows(of: Learner, rows: slice, i: int) -> Array:
    return of.a[i][rows].T @ of.delta[i][rows]


def _loss_with(change: Callable[[Learner, Array, Array], Any]) -> dict[str, Callable[..., Any]]:
    return {"loss": change}


PLANTED: tuple[Planted, ...] = (
    Planted("missing_f_prime", _curved, {"slope": lambda of, i: np.ones_like(of.z[i])}),
    Planted("f_prime_wrong_point", _of("sigmoid", "tanh"), {"slope": _slope_of({
        "sigmoid": lambda z, a: _sigmoid(a) * (1 - _sigmoid(a)),
        "tanh": lambda z, a: 1 - np.tanh(a) ** 2})}),
    Planted("f_prime_wrong_point", _of("sigmoid", "tanh"), {"slope": _slope_of({
        "sigmoid": lambda z, a: z * (1 - z), "tanh": lambda z, a: 1 - z**2})}),
    Planted("softmax_diagonal", _loss_is("cross_entropy"), {
        "output_delta": lambda of: -of.problem.t * (1 - of.a[-1])}),
    Planted("extra_output_prime", _loss_is("cross_entropy", "binary_cross_entropy"), {
        "output_delta": lambda of: (of.a[-1] - of.problem.t) * of.a[-1] * (1 - of.a[-1])}),
    Planted("softmax_without_exp", _loss_is("cross_entropy"), {
        "output": lambda of, z: z / z.sum(axis=1, keepdims=True)}),
    Planted("sigmoid_for_softmax", _loss_is("cross_entropy"), {
        "output": lambda of, z: _sigmoid(z)}),
    Planted("softmax_twice", _loss_is("cross_entropy"), {
        "output_delta": _double_softmax_delta,
        "loss": lambda of, z, p: _loss(of, z, softmax(p))}),
    Planted("transpose", lambda p: _hidden(p) and p.w[-1].shape[0] == p.w[-1].shape[1], {
        "upstream": lambda of, i: of.delta[i + 1] @ (
            of.problem.w[i + 1] if of.problem.w[i + 1].shape[0] == of.problem.w[i + 1].shape[1]
            else of.problem.w[i + 1].T)}),
    Planted("swapped_weights", lambda p: any(w.shape[0] == w.shape[1] > 1 for w in p.w), {
        "z": lambda of, i, a, w, b: a @ (w.T if w.shape[0] == w.shape[1] else w)
        + (0 if b is None else b)}),
    Planted("bias_frozen", _bias, {"update_bias": lambda of, i, old, d, eta: old}),
    Planted("bias_ignored", _bias, {"z": lambda of, i, a, w, b: a @ w}),
    Planted("bias_per_weight", lambda p: _bias(p) and max(w.shape[0] for w in p.w) > 1, {
        "db": lambda of, i: of.problem.w[i].shape[0] * of.delta[i].sum(axis=0)}),
    Planted("bias_mean", lambda p: _bias(p) and _many(p), {
        "db": lambda of, i: of.delta[i].mean(axis=0)}),
    Planted("bias_times_input", lambda p: _bias(p) and all(w.shape[0] == 1 for w in p.w[:1]), {
        "db": lambda of, i: (of.a[i][:, :1] * of.delta[i]).sum(axis=0)}),
    Planted("bias_over_everything",
            lambda p: _bias(p) and max(w.shape[1] for w in p.w) > 1, {
        "db": lambda of, i: np.full(of.delta[i].shape[1], of.delta[i].sum())}),
    Planted("updated_weights", _hidden, {"upstream": _updated}),
    Planted("gradient_for_weights", _hidden, {
        "upstream": lambda of, i: of.delta[i + 1] @ of.dw[i + 1].T}),
    Planted("weights_left_out", _hidden, {
        "upstream": lambda of, i: np.repeat(
            of.delta[i + 1].sum(axis=1, keepdims=True), of.problem.w[i + 1].shape[0], axis=1)}),
    Planted("batch_mean", _many, {
        "output_delta": lambda of: of.problem.n * FORMULAS["output_delta"](of)}),
    Planted("batch_mean", _many, {
        "output_delta": lambda of: FORMULAS["output_delta"](of) / of.problem.n}),
    Planted("half", _loss_is(*SQUARED), {"output_delta": lambda of: 2 * _output_delta(of)}),
    Planted("half", _loss_is(*SQUARED), {"loss": lambda of, z, p: 2 * _loss(of, z, p)}),
    Planted("sign", _always, {"output_delta": lambda of: -_output_delta(of)}),
    Planted("sign", _always, {
        "update": lambda of, i, old, d, eta: old + eta * d,
        "update_bias": lambda of, i, old, d, eta: old + eta * d}),
    Planted("delta_by_a", _curved, {
        "dW": lambda of, i: of.a[i].T @ of.upstream.get(i, of.delta[i]),
        "db": lambda of, i: of.upstream.get(i, of.delta[i]).sum(axis=0)}),
    Planted("delta_by_a", _loss_is("cross_entropy"), {
        "output_delta": lambda of: -of.problem.t / of.a[-1]}),
    Planted("learning_rate", _always, {
        "update": lambda of, i, old, d, eta: old - eta * of.problem.eta * d,
        "update_bias": lambda of, i, old, d, eta: old - eta * of.problem.eta * d}),
    Planted("learning_rate", _always, {
        "update": lambda of, i, old, d, eta: old - eta / of.problem.eta * d,
        "update_bias": lambda of, i, old, d, eta: old - eta / of.problem.eta * d}),
    Planted("not_updated", _hidden, {
        "update": lambda of, i, old, d, eta: old if i == 0 else old - eta * d,
        "update_bias": lambda of, i, old, d, eta: old if i == 0 else old - eta * d}),
    Planted("relu_gate", _of("relu"), {"slope": lambda of, i: (
        (of.upstream[i] > 0).astype(float) if of.problem.hidden[i] == "relu" else _slope(of, i))}),
    Planted("penalty", _penalized, {"penalty_gradient": lambda of, i: 0 * of.problem.w[i]}),
    Planted("penalty", _penalized, {
        "penalty_gradient": lambda of, i: -of.problem.l2 * of.problem.w[i]}),
    Planted("penalty", _penalized, {"penalty": lambda of, w: 0.0}),
    Planted("penalty", _penalized, {
        "penalty": lambda of, w: of.problem.l2 * sum((m**2).sum() for m in w)}),
    Planted("log10", _loss_is("cross_entropy", "binary_cross_entropy"), {
        "loss": lambda of, z, p: _loss(of, z, p) / np.log(10)}),
    Planted("log2", _loss_is("cross_entropy", "binary_cross_entropy"), {
        "loss": lambda of, z, p: _loss(of, z, p) / np.log(2)}),
    Planted("square_missing", _loss_is(*SQUARED), {
        "loss": lambda of, z, p: of.factor * 0.5 * np.abs(of.problem.t - p).sum() / of.problem.n}),
    Planted("activation_forgotten", _curved, {"activate": lambda of, i, z: z}),
    Planted("one_hot_shifted", _loss_is("cross_entropy"), {
        "output_delta": lambda of: of.a[-1] - np.roll(of.problem.t, 1, axis=1)}),
    Planted("one_sample", _many, {
        "dW": lambda of, i: _rows(of, slice(0, 1), i),
        "db": lambda of, i: of.delta[i][:1].sum(axis=0)}),
    Planted("one_sample", _many, {
        "dW": lambda of, i: _rows(of, slice(-1, None), i),
        "db": lambda of, i: of.delta[i][-1:].sum(axis=0)}),
    Planted("old_weights", _always, {"again": lambda of: _again_with_old(of)}),
    Planted("other_slope", _of("tanh"), {"slope": _slope_of({"tanh": lambda z, a: a * (1 - a)})}),
    Planted("other_slope", _of("sigmoid"), {
        "slope": _slope_of({"sigmoid": lambda z, a: 1 - a**2})}),
    Planted("half_a_slope", _of("tanh"), {"slope": _slope_of({"tanh": lambda z, a: 1 - a})}),
    Planted("half_a_slope", _of("sigmoid"), {"slope": _slope_of({"sigmoid": lambda z, a: a})}),
    Planted("half_a_slope", _of("sigmoid"), {"slope": _slope_of({"sigmoid": lambda z, a: 1 - a})}),
    Planted("z_for_a", _curved, {
        "dW": lambda of, i: (of.z[i - 1] if i else of.a[0]).T @ of.delta[i]}),
    Planted("input_left_out", _always, {
        "dW": lambda of, i: np.repeat(of.delta[i].sum(axis=0)[None], of.a[i].shape[1], axis=0)}),
)  # fmt: skip


def _again_with_old(of: Learner) -> bool:
    of.page["loss.after"] = of.page["loss"]
    return False


def plant(*mistakes: Planted) -> dict[str, Callable[..., Any]]:
    """Return the formulas of somebody who makes these mistakes."""
    formulas = dict(FORMULAS)
    for mistake in mistakes:
        formulas |= mistake.formulas
    return formulas


# ---- rounding and writing


def to_decimals(places: int) -> Callable[[Array], Array]:
    """Round to so many places behind the point."""
    return lambda values: np.round(values, places)


def to_digits(digits: int) -> Callable[[Array], Array]:
    """Round to so many significant digits."""
    return lambda values: np.vectorize(lambda v: float(f"{v:.{digits}g}"), otypes=[float])(values)


def plain(value: float) -> str:
    """Write a number as it is, without an exponent."""
    return np.format_float_positional(value, trim="-")


def scientific(value: float) -> str:
    """Write 0.0123 as 1.23e-2."""
    return np.format_float_scientific(value, trim="-", exp_digits=1) if value else "0"


def percent(value: float) -> str:
    """Write 0.123 as 12.3 %."""
    return f"{plain(float(repr_shift(value, 2)))} %"


def repr_shift(value: float, places: int) -> str:
    """Return the decimal text of value times 10^places, exactly."""
    from decimal import Decimal

    return str(Decimal(plain(value)).scaleb(places))


def thousands(value: float) -> str:
    """Write 1234.5 as 1,234.5."""
    whole, _, rest = plain(abs(value)).partition(".")
    return f"{'-' if value < 0 else ''}{int(whole):,}{'.' * bool(rest)}{rest}"


def full_width(value: float) -> str:
    """Write a number in full-width digits, as Chinese keyboards type them."""
    return plain(value).translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789.-"})


def fraction(value: float) -> str:
    """Write a short number as a fraction; a long one as it is."""
    exact = Fraction(plain(value))
    return f"{exact.numerator}/{exact.denominator}" if exact.denominator <= 400 else plain(value)


def comma(value: float) -> str:
    """Write 0.5 as 0,5."""
    return plain(value).replace(".", ",")


WRITERS = {
    "plain": plain, "scientific": scientific, "percent": percent, "thousands": thousands,
    "full width": full_width, "fraction": fraction, "comma": comma,
}  # fmt: skip


def written(array: Array, how: str) -> Any:
    """Return (nested lists of) texts, or numbers for "number"."""
    if np.ndim(array):
        return [written(part, how) for part in array]
    if not np.isfinite(array):
        return None
    return float(array) if how == "number" else WRITERS[how](float(array))
