"""The mistakes of mathematics.md, section 5: those that everybody makes some day."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from deltaprop.checking.mistakes.mistake import Mistake, change
from deltaprop.checking.rules import RIGHT, Rules, Working
from deltaprop.model.spec import Network

__all__ = [
    "COMMON",
    "has_bias",
    "has_curved_hidden",
    "has_hidden",
    "has_square",
    "logarithmic",
    "squared",
    "with_output",
]

Array = npt.NDArray[np.float64]


def _f_prime_at_a(w: Working, index: int) -> Array:
    row, a = w.network.activations[index], w.a[index + 1]
    return row.f_prime(a, row.f(a))


def _f_prime_at_neighbour(w: Working, index: int) -> Array:
    row, neighbour = w.network.activations[index], _neighbour(w.network, index)
    if neighbour is None:
        return RIGHT.f_prime(w, index)
    z = w.z[neighbour]
    return row.f_prime(z, row.f(z))


def _neighbour(network: Network, index: int) -> int | None:
    widths = network.sizes[1:]
    near = [i for i in (index + 1, index - 1) if 0 <= i < len(widths)]
    return next((i for i in near if widths[i] == widths[index]), None)


def _softmax_delta_by_diagonal(w: Working) -> Array:
    p = w.network.loss.predict(w.z[-1])
    if w.network.loss_name == "cross_entropy":
        return np.asarray(w.shares[:, None] * -w.targets * (1.0 - p))  # (-t / p) p (1 - p)
    return np.asarray(w.shares[:, None] * (p - w.targets) * p * (1.0 - p))


def _delta_with_extra_prime(w: Working) -> Array:
    p = w.network.loss.predict(w.z[-1])
    return RIGHT.output_delta(w) * p * (1.0 - p)


def with_output(output: Callable[[Array], Array]) -> Rules:
    """Return rules whose softmax is ``output``, in the loss and in delta = (p - t) / n alike."""

    def data_loss(w: Working) -> float:
        with np.errstate(all="ignore"):
            logs = np.where(w.targets > 0, np.log(output(w.z[-1])), 0.0)
        return float(-w.shares @ np.sum(w.targets * logs, axis=1))

    def output_delta(w: Working) -> Array:
        return np.asarray(w.shares[:, None] * (output(w.z[-1]) - w.targets))

    return change(output=lambda w: output(w.z[-1]), data_loss=data_loss, output_delta=output_delta)


def _softmax_own_index(z: Array) -> Array:
    return np.full_like(z, 1.0 / z.shape[1])  # exp(z_i) / sum_i exp(z_i), k equal terms below


def _softmax_over_samples(z: Array) -> Array:
    e = np.exp(z - z.max(axis=0, keepdims=True))
    return np.asarray(e / e.sum(axis=0, keepdims=True))


def _softmax_without_exp(z: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(z / z.sum(axis=1, keepdims=True))


def _untransposed_recursion(w: Working, index: int) -> Array:
    if not w.is_usual(index):
        return RIGHT.recursion(w, index)
    weights = w.weights(index)
    square = weights.shape[0] == weights.shape[1]
    return w.delta[index] @ (weights if square else weights.T)


def _outer_transposed(w: Working, delta: Array, index: int) -> Array:
    a = w.a[index]
    return (delta.T @ a) if a.shape[1] == delta.shape[1] else (a.T @ delta)


def _updated_recursion(w: Working, index: int) -> Array:
    if not w.is_usual(index):
        return RIGHT.recursion(w, index)
    step = w.learning_rate * RIGHT.weight_gradient(w, w.delta[index], index)
    after = w.ahead(f"W.{index + 1}.after", w.weights(index) - step)
    return np.asarray(w.delta[index] @ after.T)


def _relu_gate_by_delta(w: Working, index: int) -> Array:
    if w.network.activations[index].name != "relu":
        return RIGHT.f_prime(w, index)
    return (w.upstream[index] > 0).astype(np.float64)


def _upstream_as_delta(w: Working, index: int) -> Array:
    return w.delta[index] if index == len(w.delta) - 1 else w.upstream[index]


def _scaled_delta(factor: Callable[[Working], float]) -> Rules:
    return change(output_delta=lambda w: factor(w) * RIGHT.output_delta(w))


def _scaled_gradients(factor: Callable[[Working], float]) -> Rules:
    return change(gradients=lambda w, flat: factor(w) * flat)


def has_hidden(network: Network) -> bool:
    """Return whether there is a hidden layer."""
    return len(network.computing_layers) > 1


def has_bias(network: Network) -> bool:
    """Return whether a layer has a bias."""
    return any(network.has_bias(index) for index in range(len(network.computing_layers)))


def has_square(network: Network) -> bool:
    """Return whether a layer has as many neurons as the one below."""
    return any(a == b for a, b in zip(network.sizes, network.sizes[1:], strict=False))


def has_curved_hidden(network: Network) -> bool:
    """Return whether a hidden layer is not linear."""
    return any(row.name != "identity" for row in network.activations)


def squared(network: Network) -> bool:
    """Return whether the loss is a half squared error."""
    return network.loss_name.startswith("half_squared_error")


def logarithmic(network: Network) -> bool:
    """Return whether the loss has a logarithm."""
    return network.loss_name in ("cross_entropy", "binary_cross_entropy")


def _has_penalty(network: Network) -> bool:
    return network.l2 > 0 or network.l1 > 0


def _everything_penalized(w: Working) -> Array:
    flat = w.parameters.flat
    return np.asarray(w.network.l2 * flat + w.network.l1 * np.sign(flat))


COMMON = (
    Mistake(
        "missing_f_prime",
        "f' is left out of the recursion",
        (change(f_prime=lambda w, index: np.ones_like(w.z[index])),),
        has_curved_hidden,
        fix="multiply dL/da by f'(z) of the layer, entry by entry, before going on",
    ),
    Mistake(
        "f_prime_wrong_point",
        "f' is taken at a instead of z, or at the z of the neighbouring layer",
        (change(f_prime=_f_prime_at_a), change(f_prime=_f_prime_at_neighbour)),
        has_curved_hidden,
        fix="take f' at this layer's own z; in terms of a, sigmoid's is a (1 - a), tanh's 1 - a^2",
    ),
    Mistake(
        "softmax_diagonal",
        "the derivative of softmax is taken as p (1 - p), the diagonal of its Jacobian only",
        (change(output_delta=_softmax_delta_by_diagonal),),
        lambda network: network.loss.output == "softmax",
        fix="with cross-entropy delta is (p - t) / n; with another loss use the whole Jacobian",
    ),
    Mistake(
        "extra_output_prime",
        "a further p (1 - p) after cross-entropy has cancelled it already",
        (change(output_delta=_delta_with_extra_prime),),
        lambda network: network.loss_name in ("cross_entropy", "binary_cross_entropy"),
        fix="leave it out: with cross-entropy delta of the last layer is (p - t) / n",
    ),
    Mistake(
        "softmax_index",
        "the sum below the softmax runs over the numerator's index, or over the wrong axis",
        (with_output(_softmax_own_index), with_output(_softmax_over_samples)),
        lambda network: network.loss_name == "cross_entropy",
        fix="divide each row's exp(z) by the sum over that row",
    ),
    Mistake(
        "softmax_without_exp",
        "z / sum(z) instead of exp(z) / sum(exp(z))",
        (with_output(_softmax_without_exp),),
        lambda network: network.loss_name == "cross_entropy",
        fix="take exp(z) before dividing by the sum",
    ),
    Mistake(
        "transpose",
        "W instead of its transpose in the recursion, or the outer product transposed",
        (change(recursion=_untransposed_recursion), change(weight_gradient=_outer_transposed)),
        has_square,
        fix="dL/da = delta W^T, and dL/dW = a^T delta in the shape of W",
    ),
    Mistake(
        "bias_frozen",
        "the bias is never updated",
        (change(bias_gradient=lambda _w, delta, _i: np.zeros(delta.shape[1])),),
        has_bias,
        fix="dL/db is the sum of delta over samples; a bias is updated like a weight",
    ),
    Mistake(
        "bias_per_weight",
        "the bias is updated once for each incoming weight",
        (change(bias_gradient=lambda w, d, i: w.network.sizes[i] * d.sum(axis=0)),),
        has_bias,
        fix="dL/db is the sum of delta over samples, taken once",
    ),
    Mistake(
        "bias_mean",
        "the bias gradient is the mean of delta over samples instead of the sum",
        (change(bias_gradient=lambda _w, delta, _i: delta.mean(axis=0)),),
        has_bias,
        fix="dL/db is the sum of delta over samples; 1/n is in delta already",
    ),
    Mistake(
        "updated_weights",
        "the recursion uses the already updated W of the next layer",
        (change(recursion=_updated_recursion),),
        has_hidden,
        fix="take all gradients at the old weights, and update afterwards",
    ),
    Mistake(
        "batch_mean",
        "1/n is missing, applied twice, or 1/n_outputs is mixed in",
        (
            _scaled_delta(lambda w: len(w.x)),
            _scaled_delta(lambda w: 1.0 / len(w.x)),
            _scaled_delta(lambda w: 1.0 / w.network.n_out),
        ),
        fix="put 1/n into the delta of the last layer once, and nowhere else",
    ),
    Mistake(
        "half",
        "the 1/2 of half squared error stands in the value but not in the gradient, or reversed",
        (
            _scaled_delta(lambda _w: 2.0),
            change(data_loss=lambda w: 2.0 * RIGHT.data_loss(w)),
        ),
        squared,
        fix="with 1/2 in the value the gradient has no factor, and the loss keeps its 1/2",
    ),
    Mistake(
        "sign",
        "gradient ascent, or t - y used as the gradient",
        (
            _scaled_delta(lambda _w: -1.0),
            change(update=lambda w: w.parameters.flat + w.learning_rate * w.direction),
        ),
        fix="delta of the last layer is p - t, and the step goes against the gradient: w - eta g",
    ),
    Mistake(
        "delta_by_a",
        "dL/da stands where delta = dL/dz belongs",
        (change(gradient_delta=_upstream_as_delta),),
        has_curved_hidden,
        fix="use delta = dL/da * f'(z) for the gradients of weights and biases",
    ),
    Mistake(
        "stale_gradients",
        "the gradients of an earlier backward pass were not cleared, and added up",
        (_scaled_gradients(lambda _w: 2.0),),
        fix="set the gradients to zero before each backward pass",
    ),
    Mistake(
        "learning_rate",
        "the learning rate is applied twice, or not at all",
        (
            change(update=lambda w: w.parameters.flat - w.learning_rate**2 * w.direction),
            change(update=lambda w: w.parameters.flat - w.direction),
        ),
        fix="multiply the gradient by the learning rate once: w - eta g",
    ),
    Mistake(
        "relu_gate",
        "ReLU's gate is decided by the sign of delta instead of z",
        (change(f_prime=_relu_gate_by_delta),),
        lambda network: any(row.name == "relu" for row in network.activations),
        fix="let the gradient through where z > 0, whatever its sign",
    ),
    Mistake(
        "penalty",
        "the penalty is left out, taken with a minus, applied to biases or counted twice, or "
        "lambda and lambda/2 are mixed up",
        (
            change(penalty_gradient=lambda w: 2.0 * RIGHT.penalty_gradient(w)),
            change(penalty_gradient=lambda w: 0.5 * RIGHT.penalty_gradient(w)),
            change(penalty_gradient=_everything_penalized),
            change(penalty=lambda w: 2.0 * RIGHT.penalty(w)),
            change(penalty_gradient=lambda w: np.zeros_like(w.parameters.flat)),
            change(penalty=lambda _w: 0.0),
            change(penalty_gradient=lambda w: -RIGHT.penalty_gradient(w)),
            change(penalty=lambda w: -RIGHT.penalty(w)),
        ),
        _has_penalty,
        fix="l2/2 sum(W^2) in the loss goes with l2 W in the gradient; biases stay out of both",
    ),
    Mistake(
        "log10",
        "the loss is taken with a logarithm to base 10",
        (change(data_loss=lambda w: RIGHT.data_loss(w) / np.log(10.0)),),
        logarithmic,
        fix="use the natural logarithm",
    ),
)
