"""Further mistakes, as they are seen in courses, forums and published workings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from deltaprop.checking.mistakes.common import (
    has_bias,
    has_curved_hidden,
    has_hidden,
    has_square,
    logarithmic,
    squared,
    with_output,
)
from deltaprop.checking.mistakes.mistake import Mistake, change
from deltaprop.checking.rules import RIGHT, Rules, Working
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.outputs import softmax
from deltaprop.model.spec import Network

__all__ = ["FURTHER"]

Array = npt.NDArray[np.float64]
_OFTEN = ("sigmoid", "tanh", "relu")  # the derivatives that are taken for each other


def _sigmoid(z: Array) -> Array:
    return ACTIVATIONS["sigmoid"].f(z)


# ---- on the way forward


def _without_bias(w: Working, index: int) -> Array:
    if not w.is_usual(index):
        return RIGHT.pre_activation(w, index)
    return np.asarray(w.a[index] @ w.weights(index))


def _with_turned_weights(w: Working, index: int) -> Array:
    if not w.is_usual(index) or w.weights(index).shape[0] != w.weights(index).shape[1]:
        return RIGHT.pre_activation(w, index)
    z = w.a[index] @ w.weights(index).T
    return np.asarray(z + w.parameters.layers[index].get("b", 0.0))


# ---- the loss and delta of the last layer


def _softmax_twice(*, shown: bool) -> Rules:
    """Return rules whose loss takes the softmax of probabilities; ``shown``: the output is it."""

    def loss(w: Working) -> float:
        with np.errstate(all="ignore"):
            logs = np.where(w.targets > 0, np.log(softmax(RIGHT.output(w))), 0.0)
        return float(-w.shares @ np.sum(w.targets * logs, axis=1))

    def delta(w: Working) -> Array:
        p = RIGHT.output(w)
        d = softmax(p) - w.targets
        return np.asarray(w.shares[:, None] * p * (d - (d * p).sum(axis=1, keepdims=True)))

    rules = change(data_loss=loss, output_delta=delta)
    return (
        change(data_loss=loss, output_delta=delta, output=lambda w: softmax(RIGHT.output(w)))
        if shown
        else rules
    )


def _delta_for_targets(turn: int) -> Callable[[Working], Array]:
    def delta(w: Working) -> Array:
        targets = np.roll(w.targets, turn, axis=1)
        return w.network.loss.delta(w.z[-1], targets, w.shares)

    return delta


def _loss_for_targets(turn: int) -> Callable[[Working], float]:
    return lambda w: w.network.loss.value(w.z[-1], np.roll(w.targets, turn, axis=1), w.shares)


def _absolute_loss(w: Working) -> float:
    return float(0.5 * w.shares @ np.abs(w.targets - RIGHT.output(w)).sum(axis=1))


def _first_term_only(w: Working) -> float:
    with np.errstate(all="ignore"):
        logs = np.where(w.targets > 0, np.log(RIGHT.output(w)), 0.0)
    return float(-w.shares @ np.sum(w.targets * logs, axis=1))


def _root_of_square(outputs: Callable[[Network], int]) -> Callable[[Working], float]:
    return lambda w: float(np.sqrt(2.0 * RIGHT.data_loss(w) / outputs(w.network)))


def _difference_times(slope: Callable[[Array], Array]) -> Callable[[Working], Array]:
    def delta(w: Working) -> Array:
        p = RIGHT.output(w)
        return np.asarray(w.shares[:, None] * (p - w.targets) * slope(p))

    return delta


# ---- on the way back


def _through_gradient(w: Working, index: int) -> Array:
    if not w.is_usual(index):
        return RIGHT.recursion(w, index)
    gradient = RIGHT.weight_gradient(w, w.delta[index], index)
    return np.asarray(w.delta[index] @ w.ahead(f"dW.{index + 1}", gradient).T)


def _without_weights(w: Working, index: int) -> Array:
    if not w.is_usual(index):
        return RIGHT.recursion(w, index)
    total = w.delta[index].sum(axis=1, keepdims=True)
    return np.repeat(total, w.weights(index).shape[0], axis=1)


def _delta_itself(w: Working, index: int) -> Array:
    if not w.is_usual(index) or w.weights(index).shape[0] != w.weights(index).shape[1]:
        return _without_weights(w, index)
    return w.delta[index]


def _slope_of(name: str) -> Rules:
    """Return rules that take every hidden derivative for that of activation ``name``."""
    row = ACTIVATIONS[name]

    def f_prime(w: Working, index: int) -> Array:
        if w.network.activations[index].name in ("identity", name):
            return RIGHT.f_prime(w, index)
        return row.f_prime(w.z[index], w.a[index + 1])

    return change(f_prime=f_prime)


def _half_a_slope(*slopes: tuple[str, Callable[[Array], Array]]) -> Rules:
    of = dict(slopes)

    def f_prime(w: Working, index: int) -> Array:
        name = w.network.activations[index].name
        return of[name](w.a[index + 1]) if name in of else RIGHT.f_prime(w, index)

    return change(f_prime=f_prime)


def _has(*names: str) -> Callable[[Network], bool]:
    return lambda network: any(row.name in names for row in network.activations)


# ---- gradients


def _with_z_below(w: Working, delta: Array, index: int) -> Array:
    return np.asarray((w.z[index - 1] if index else w.x).T @ delta)


def _without_input(w: Working, delta: Array, index: int) -> Array:
    return np.repeat(delta.sum(axis=0)[None], w.a[index].shape[1], axis=0)


def _times_input(w: Working, delta: Array, index: int) -> Array:
    a = w.a[index]
    factor = a if a.shape[1] == delta.shape[1] else a[:, :1]
    return np.asarray((factor * delta).sum(axis=0))


def _of_sample(row: int) -> Rules:
    """Return rules whose gradients are made of one sample only."""

    def weights(w: Working, delta: Array, index: int) -> Array:
        return np.outer(w.a[index][row], delta[row])

    return change(weight_gradient=weights, bias_gradient=lambda _w, delta, _index: delta[row])


FURTHER = (
    Mistake(
        "bias_ignored",
        "the bias is left out of z",
        (change(pre_activation=_without_bias),),
        has_bias,
        fix="z = a W + b: add the bias of each neuron",
    ),
    Mistake(
        "activation_forgotten",
        "z is gone on with where a = f(z) belongs",
        (
            change(activation=lambda w, index: w.z[index]),
            change(output=lambda w: w.z[-1]),
        ),
        lambda network: (
            any(row.name != "identity" for row in network.activations)
            or network.loss.output != "identity"
        ),
        fix="apply the activation to z before the next layer",
    ),
    Mistake(
        "swapped_weights",
        "the weights of a layer are taken the other way round: W transposed",
        (change(pre_activation=_with_turned_weights),),
        has_square,
        fix="W[i, j] leads from input i to neuron j: z_j is the sum of a_i W[i, j]",
    ),
    Mistake(
        "sigmoid_for_softmax",
        "each score goes through a sigmoid by itself where softmax belongs",
        (with_output(_sigmoid), change(output=lambda w: _sigmoid(w.z[-1]))),
        lambda network: network.loss_name == "cross_entropy",
        fix="divide exp(z) by the sum of exp(z) over the classes",
    ),
    Mistake(
        "softmax_twice",
        "softmax is applied to probabilities: once in the network and once more in the loss",
        (_softmax_twice(shown=False), _softmax_twice(shown=True)),
        lambda network: network.loss_name == "cross_entropy",
        fix="give the loss the scores z, or take the logarithm of p without a further softmax",
    ),
    Mistake(
        "one_hot_shifted",
        "the one-hot target stands at the next class, as if classes counted from another number",
        (
            change(output_delta=_delta_for_targets(1), data_loss=_loss_for_targets(1)),
            change(output_delta=_delta_for_targets(-1), data_loss=_loss_for_targets(-1)),
            change(output_delta=_delta_for_targets(1)),
            change(output_delta=_delta_for_targets(-1)),
        ),
        lambda network: network.loss.output == "softmax",
        fix="the 1 stands at the position of the class, the first one being position 0",
    ),
    Mistake(
        "log2",
        "the loss is taken with a logarithm to base 2",
        (change(data_loss=lambda w: RIGHT.data_loss(w) / np.log(2.0)),),
        logarithmic,
        fix="use the natural logarithm",
    ),
    Mistake(
        "square_missing",
        "the difference is not squared in the loss",
        (change(data_loss=_absolute_loss),),
        squared,
        fix="half squared error is 1/2 (t - y)^2",
    ),
    Mistake(
        "root_taken",
        "the root of the mean square is written where the loss itself belongs",
        (
            change(data_loss=_root_of_square(lambda _network: 1)),
            change(data_loss=_root_of_square(lambda network: network.n_out)),
        ),
        squared,
        fix="half squared error is 1/2 (t - y)^2, without a root: its gradient is of the square",
    ),
    Mistake(
        "second_term_missing",
        "binary cross-entropy without its second term, (1 - t) log(1 - p)",
        (
            change(data_loss=_first_term_only),
            change(output_delta=lambda w: w.shares[:, None] * w.targets * (RIGHT.output(w) - 1.0)),
        ),
        lambda network: network.loss_name == "binary_cross_entropy",
        fix="where t is 0 the loss is -log(1 - p): -t log(p) - (1 - t) log(1 - p)",
    ),
    Mistake(
        "half_a_slope",
        "only a part of the derivative is taken: p or 1 - p for p (1 - p), 1 - a for 1 - a^2",
        (
            _half_a_slope(("sigmoid", lambda a: 1 - a), ("tanh", lambda a: 1 - a)),
            _half_a_slope(("sigmoid", lambda a: a), ("tanh", lambda a: a**2)),
            change(output_delta=_difference_times(lambda p: p)),
            change(output_delta=_difference_times(lambda p: 1 - p)),
        ),
        lambda network: (
            _has("sigmoid", "tanh")(network) or network.loss_name == "half_squared_error_sigmoid"
        ),
        fix="the derivative of the sigmoid is a (1 - a), that of tanh 1 - a^2",
    ),
    Mistake(
        "other_slope",
        "the derivative of another activation, or the activation itself, is taken for f'",
        tuple(_slope_of(name) for name in _OFTEN),
        has_curved_hidden,
        fix="take f' of the activation this layer has",
    ),
    Mistake(
        "gradient_for_weights",
        "the recursion goes through dW of the next layer in place of W",
        (change(recursion=_through_gradient),),
        has_hidden,
        fix="dL/da = delta W^T, with the weights themselves",
    ),
    Mistake(
        "weights_left_out",
        "the recursion leaves the weights of the next layer out",
        (change(recursion=_without_weights), change(recursion=_delta_itself)),
        has_hidden,
        fix="dL/da = delta W^T: each delta counts times the weight it comes through",
    ),
    Mistake(
        "z_for_a",
        "the weight gradient is made with z of the layer below in place of a",
        (change(weight_gradient=_with_z_below),),
        has_curved_hidden,
        fix="dL/dW = a^T delta, with what the layer below puts out",
    ),
    Mistake(
        "input_left_out",
        "the weight gradient is delta alone; what comes in through the weight is left out",
        (change(weight_gradient=_without_input),),
        fix="dL/dW = a^T delta: delta times the activation below",
    ),
    Mistake(
        "one_sample",
        "the gradient is made of the first or the last sample only",
        (_of_sample(0), _of_sample(-1)),
        fix="add up all samples: dL/dW = a^T delta, dL/db the sum of delta",
    ),
    Mistake(
        "bias_times_input",
        "the bias gradient is multiplied by the input, as a weight's is",
        (change(bias_gradient=_times_input),),
        has_bias,
        fix="dL/db is the sum of delta over samples; a bias has no input but 1",
    ),
    Mistake(
        "bias_over_everything",
        "the bias gradient is summed over neurons as well as over samples",
        (change(bias_gradient=lambda _w, delta, _i: np.full(delta.shape[1], delta.sum())),),
        has_bias,
        fix="each neuron's dL/db is the sum of its own delta over samples",
    ),
    Mistake(
        "not_updated",
        "a layer keeps its old weights",
        (change(update=lambda w: w.parameters.flat.copy()),),
        fix="every weight and bias takes its step: w - eta g",
    ),
    Mistake(
        "plain_step",
        "a step of plain gradient descent where another rule was asked for",
        (change(update=lambda w: w.parameters.flat - w.learning_rate * w.gradients.flat),),
        fix="work the step out by the rule of the optimizer",
    ),
    Mistake(
        "old_weights",
        "the second pass is worked out with the weights before the step",
        (change(again=lambda w: w.parameters),),
        fix="after the step, go forward again with the new weights and biases",
    ),
)
