"""Mistakes to plant in a learner's working (``learner.py``), each by the formulas it replaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from learner import ACTIVATIONS, FORMULAS, SLOPES, SQUARED, Learner, Problem, softmax

Array = npt.NDArray[np.float64]


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
        "loss": lambda of, z, p: FORMULAS["loss"](of, z, softmax(p))}),
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
    Planted("half", _loss_is(*SQUARED), {
        "output_delta": lambda of: 2 * FORMULAS["output_delta"](of)}),
    Planted("half", _loss_is(*SQUARED), {"loss": lambda of, z, p: 2 * FORMULAS["loss"](of, z, p)}),
    Planted("sign", _always, {"output_delta": lambda of: -FORMULAS["output_delta"](of)}),
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
        (of.upstream[i] > 0).astype(float) if of.problem.hidden[i] == "relu"
        else FORMULAS["slope"](of, i))}),
    Planted("penalty", _penalized, {"penalty_gradient": lambda of, i: 0 * of.problem.w[i]}),
    Planted("penalty", _penalized, {
        "penalty_gradient": lambda of, i: -of.problem.l2 * of.problem.w[i]}),
    Planted("penalty", _penalized, {"penalty": lambda of, w: 0.0}),
    Planted("penalty", _penalized, {
        "penalty": lambda of, w: of.problem.l2 * sum((m**2).sum() for m in w)}),
    Planted("log10", _loss_is("cross_entropy", "binary_cross_entropy"), {
        "loss": lambda of, z, p: FORMULAS["loss"](of, z, p) / np.log(10)}),
    Planted("log2", _loss_is("cross_entropy", "binary_cross_entropy"), {
        "loss": lambda of, z, p: FORMULAS["loss"](of, z, p) / np.log(2)}),
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
