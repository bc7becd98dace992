"""The named mistakes people make, each a mutant of the one right step.

A step is a set of rules: one function for each place where something can go wrong. ``RIGHT``
holds the right ones (a test proves that they give ``backpropagate``'s numbers), and a mistake
replaces one. Each may come in several variants. The referee must reject every one of them, and
marking must give a wrong working its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from deltaprop.functional.losses import sample_shares
from deltaprop.functional.registry import Registry
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["MISTAKES", "RIGHT", "Mistake", "Rules", "Working", "work_step"]

Array = npt.NDArray[np.float64]


@dataclass
class Working:
    """One step as somebody works it out, right or wrong: what a ``Trace`` is, plus the update.

    Attributes
    ----------
    network, parameters : Network, Parameters
        What the step was taken with.
    x, targets, shares : ndarray
        The batch.
    learning_rate : float
        eta of the plain gradient descent step at the end.
    z, a, delta : list of ndarray
        As in ``Trace``.
    loss : float
        The objective, penalties included.
    gradients, after : Parameters
        The gradients, and the parameters after the step.
    """

    network: Network
    parameters: Parameters
    x: Array
    targets: Array
    shares: Array
    learning_rate: float
    z: list[Array] = field(default_factory=list)
    a: list[Array] = field(default_factory=list)
    delta: list[Array] = field(default_factory=list)
    upstream: list[Array] = field(default_factory=list)
    loss: float = np.nan
    gradients: Parameters = field(init=False)
    after: Parameters = field(init=False)

    def weights(self, layer: int) -> Array:
        """Return W of layer ``layer`` + 1."""
        return self.parameters.layers[layer]["W"]


@dataclass(frozen=True)
class Rules:
    """How each part of a step is worked out.

    Every rule takes the working so far. ``recursion`` gives dL/da of the layer below,
    ``f_prime`` the derivative it is multiplied by, ``gradient_delta`` what the weight gradient
    is made with, ``update`` the parameters after the step.
    """

    output: Callable[[Working], Array]
    data_loss: Callable[[Working], float]
    penalty: Callable[[Working], float]
    output_delta: Callable[[Working], Array]
    recursion: Callable[[Working, int], Array]
    f_prime: Callable[[Working, int], Array]
    gradient_delta: Callable[[Working, int], Array]
    weight_gradient: Callable[[Array, Array], Array]
    bias_gradient: Callable[[Working, Array, int], Array]
    penalty_gradient: Callable[[Working], Array]
    gradients: Callable[[Working, Array], Array]
    update: Callable[[Working], Array]


def work_step(
    rules: Rules,
    network: Network,
    parameters: Parameters,
    x: Array,
    targets: Array,
    *,
    learning_rate: float = 0.1,
    shares: Array | None = None,
) -> Working:
    """Work out one step by the given rules.

    Parameters
    ----------
    rules : Rules
        ``RIGHT``, or a mistake's.
    network : Network
        Dense layers; dropout and label smoothing play no part here.
    parameters : Parameters
        The parameters before the step.
    x, targets : ndarray of shape (n, n_0) and (n, n_L)
        The batch; targets as rows.
    learning_rate : float
        eta.
    shares : ndarray of shape (n,), optional
        As ``sample_shares`` gives; 1/n each when left out.

    Returns
    -------
    Working
        z, a, delta, loss, gradients and the parameters after the step.
    """
    w = Working(
        network, parameters, x, targets,
        sample_shares(len(x)) if shares is None else shares, learning_rate,
    )  # fmt: skip
    n_layers = len(network.numbered)
    w.a.append(x)
    for index, layer in enumerate(network.numbered):
        w.z.append(layer.forward(parameters.layers[index], w.a[index]))
        hidden = index < n_layers - 1
        w.a.append(network.activations[index].f(w.z[index]) if hidden else rules.output(w))
    w.loss = rules.data_loss(w) + rules.penalty(w)

    arrays: list[dict[str, Array]] = [{} for _ in range(n_layers)]
    w.delta = [np.empty(0)] * n_layers
    w.upstream = [np.empty(0)] * n_layers
    w.delta[-1] = rules.output_delta(w)
    for index in reversed(range(n_layers)):
        used = rules.gradient_delta(w, index)
        arrays[index]["W"] = rules.weight_gradient(w.a[index], used)
        if network.numbered[index].bias:
            arrays[index]["b"] = rules.bias_gradient(w, used, index)
        if index > 0:
            w.upstream[index - 1] = rules.recursion(w, index)
            w.delta[index - 1] = w.upstream[index - 1] * rules.f_prime(w, index - 1)
    joined = Parameters.join(network.layout, arrays).flat + rules.penalty_gradient(w)
    w.gradients = parameters.like(rules.gradients(w, joined))
    w.after = parameters.like(rules.update(w))
    return w


def _penalized(w: Working) -> Array:
    return w.network.layout.penalized() * w.parameters.flat


def _right_recursion(w: Working, index: int) -> Array:
    return w.delta[index] @ w.weights(index).T


def _right_f_prime(w: Working, index: int) -> Array:
    return w.network.activations[index].f_prime(w.z[index], w.a[index + 1])


def _right_penalty(w: Working) -> float:
    weights = _penalized(w)
    return float(w.network.l2 / 2 * weights @ weights + w.network.l1 * np.abs(weights).sum())


def _right_penalty_gradient(w: Working) -> Array:
    weights = _penalized(w)
    return np.asarray(w.network.l2 * weights + w.network.l1 * np.sign(weights))


RIGHT = Rules(
    output=lambda w: w.network.loss.predict(w.z[-1]),
    data_loss=lambda w: w.network.loss.value(w.z[-1], w.targets, w.shares),
    penalty=_right_penalty,
    output_delta=lambda w: w.network.loss.delta(w.z[-1], w.targets, w.shares),
    recursion=_right_recursion,
    f_prime=_right_f_prime,
    gradient_delta=lambda w, index: w.delta[index],
    weight_gradient=lambda a, delta: a.T @ delta,
    bias_gradient=lambda _w, delta, _index: delta.sum(axis=0),
    penalty_gradient=_right_penalty_gradient,
    gradients=lambda _w, flat: flat,
    update=lambda w: w.parameters.flat - w.learning_rate * w.gradients.flat,
)


@dataclass(frozen=True)
class Mistake:
    """A named way to get back-propagation wrong.

    Attributes
    ----------
    name : str
        As in code, marking and tests.
    doc : str
        What goes wrong, in one line.
    variants : tuple of Rules
        The forms it takes; the first is the commonest.
    applies : callable
        ``applies(network) -> bool``: whether the network has the place where it can be made.
        Even there it may happen to change nothing (one sample, a zero, a symmetric matrix).
    """

    name: str
    doc: str
    variants: tuple[Rules, ...]
    applies: Callable[[Network], bool] = lambda _network: True


def _change(**rules: object) -> Rules:
    return replace(RIGHT, **rules)  # type: ignore[arg-type]


def _f_prime_at_a(w: Working, index: int) -> Array:
    row, a = w.network.activations[index], w.a[index + 1]
    return row.f_prime(a, row.f(a))


def _f_prime_at_neighbour(w: Working, index: int) -> Array:
    row, neighbour = w.network.activations[index], _neighbour(w.network, index)
    if neighbour is None:
        return _right_f_prime(w, index)
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


def _with_output(output: Callable[[Array], Array]) -> Rules:
    """Return rules whose softmax is ``output``, in the loss and in delta = (p - t) / n alike."""

    def data_loss(w: Working) -> float:
        with np.errstate(all="ignore"):
            logs = np.where(w.targets > 0, np.log(output(w.z[-1])), 0.0)
        return float(-w.shares @ np.sum(w.targets * logs, axis=1))

    def output_delta(w: Working) -> Array:
        return np.asarray(w.shares[:, None] * (output(w.z[-1]) - w.targets))

    return _change(output=lambda w: output(w.z[-1]), data_loss=data_loss, output_delta=output_delta)


def _softmax_own_index(z: Array) -> Array:
    return np.full_like(z, 1.0 / z.shape[1])  # exp(z_i) / sum_i exp(z_i), k equal terms below


def _softmax_over_samples(z: Array) -> Array:
    e = np.exp(z - z.max(axis=0, keepdims=True))
    return np.asarray(e / e.sum(axis=0, keepdims=True))


def _softmax_without_exp(z: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(z / z.sum(axis=1, keepdims=True))


def _untransposed_recursion(w: Working, index: int) -> Array:
    weights = w.weights(index)
    square = weights.shape[0] == weights.shape[1]
    return w.delta[index] @ (weights if square else weights.T)


def _outer_transposed(a: Array, delta: Array) -> Array:
    return (delta.T @ a) if a.shape[1] == delta.shape[1] else (a.T @ delta)


def _updated_recursion(w: Working, index: int) -> Array:
    step = w.learning_rate * RIGHT.weight_gradient(w.a[index], w.delta[index])
    return np.asarray(w.delta[index] @ (w.weights(index) - step).T)


def _relu_gate_by_delta(w: Working, index: int) -> Array:
    if w.network.activations[index].name != "relu":
        return _right_f_prime(w, index)
    return (w.upstream[index] > 0).astype(np.float64)


def _upstream_as_delta(w: Working, index: int) -> Array:
    return w.delta[index] if index == len(w.delta) - 1 else w.upstream[index]


def _scaled_delta(factor: Callable[[Working], float]) -> Rules:
    return _change(output_delta=lambda w: factor(w) * RIGHT.output_delta(w))


def _scaled_gradients(factor: Callable[[Working], float]) -> Rules:
    return _change(gradients=lambda w, flat: factor(w) * flat)


def _has_hidden(network: Network) -> bool:
    return len(network.numbered) > 1


def _has_bias(network: Network) -> bool:
    return any(layer.bias for layer in network.numbered)


def _has_square(network: Network) -> bool:
    return any(a == b for a, b in zip(network.sizes, network.sizes[1:], strict=False))


def _has_curved_hidden(network: Network) -> bool:
    return any(row.name != "identity" for row in network.activations)


def _squared(network: Network) -> bool:
    return network.loss_name.startswith("half_squared_error")


def _has_penalty(network: Network) -> bool:
    return network.l2 > 0 or network.l1 > 0


def _everything_penalized(w: Working) -> Array:
    flat = w.parameters.flat
    return np.asarray(w.network.l2 * flat + w.network.l1 * np.sign(flat))


_ROWS = (
    Mistake(
        "missing_f_prime",
        "f' is left out of the recursion",
        (_change(f_prime=lambda w, index: np.ones_like(w.z[index])),),
        _has_curved_hidden,
    ),
    Mistake(
        "f_prime_wrong_point",
        "f' is taken at a instead of z, or at the z of the neighbouring layer",
        (_change(f_prime=_f_prime_at_a), _change(f_prime=_f_prime_at_neighbour)),
        _has_curved_hidden,
    ),
    Mistake(
        "softmax_diagonal",
        "the derivative of softmax is taken as p (1 - p), the diagonal of its Jacobian only",
        (_change(output_delta=_softmax_delta_by_diagonal),),
        lambda network: network.loss.output == "softmax",
    ),
    Mistake(
        "extra_output_prime",
        "a further p (1 - p) after cross-entropy has cancelled it already",
        (_change(output_delta=_delta_with_extra_prime),),
        lambda network: network.loss_name in ("cross_entropy", "binary_cross_entropy"),
    ),
    Mistake(
        "softmax_index",
        "the sum below the softmax runs over the numerator's index, or over the wrong axis",
        (_with_output(_softmax_own_index), _with_output(_softmax_over_samples)),
        lambda network: network.loss_name == "cross_entropy",
    ),
    Mistake(
        "softmax_without_exp",
        "z / sum(z) instead of exp(z) / sum(exp(z))",
        (_with_output(_softmax_without_exp),),
        lambda network: network.loss_name == "cross_entropy",
    ),
    Mistake(
        "transpose",
        "W instead of its transpose in the recursion, or the outer product transposed",
        (_change(recursion=_untransposed_recursion), _change(weight_gradient=_outer_transposed)),
        _has_square,
    ),
    Mistake(
        "bias_frozen",
        "the bias is never updated",
        (_change(bias_gradient=lambda _w, delta, _i: np.zeros(delta.shape[1])),),
        _has_bias,
    ),
    Mistake(
        "bias_per_weight",
        "the bias is updated once for each incoming weight",
        (_change(bias_gradient=lambda w, d, i: w.network.sizes[i] * d.sum(axis=0)),),
        _has_bias,
    ),
    Mistake(
        "bias_mean",
        "the bias gradient is the mean of delta over samples instead of the sum",
        (_change(bias_gradient=lambda _w, delta, _i: delta.mean(axis=0)),),
        _has_bias,
    ),
    Mistake(
        "updated_weights",
        "the recursion uses the already updated W of the next layer",
        (_change(recursion=_updated_recursion),),
        _has_hidden,
    ),
    Mistake(
        "batch_mean",
        "1/n is missing, applied twice, or 1/n_outputs is mixed in",
        (
            _scaled_delta(lambda w: len(w.x)),
            _scaled_delta(lambda w: 1.0 / len(w.x)),
            _scaled_delta(lambda w: 1.0 / w.network.n_out),
        ),
    ),
    Mistake(
        "half",
        "the 1/2 of half squared error stands in the value but not in the gradient, or reversed",
        (
            _scaled_delta(lambda _w: 2.0),
            _change(data_loss=lambda w: 2.0 * RIGHT.data_loss(w)),
        ),
        _squared,
    ),
    Mistake(
        "sign",
        "gradient ascent, or t - y used as the gradient",
        (
            _scaled_delta(lambda _w: -1.0),
            _change(update=lambda w: w.parameters.flat + w.learning_rate * w.gradients.flat),
        ),
    ),
    Mistake(
        "delta_by_a",
        "dL/da stands where delta = dL/dz belongs",
        (_change(gradient_delta=_upstream_as_delta),),
        _has_curved_hidden,
    ),
    Mistake(
        "stale_gradients",
        "the gradients of an earlier backward pass were not cleared, and added up",
        (_scaled_gradients(lambda _w: 2.0),),
    ),
    Mistake(
        "learning_rate",
        "the learning rate is applied twice, or not at all",
        (
            _change(update=lambda w: w.parameters.flat - w.learning_rate**2 * w.gradients.flat),
            _change(update=lambda w: w.parameters.flat - w.gradients.flat),
        ),
    ),
    Mistake(
        "relu_gate",
        "ReLU's gate is decided by the sign of delta instead of z",
        (_change(f_prime=_relu_gate_by_delta),),
        lambda network: any(row.name == "relu" for row in network.activations),
    ),
    Mistake(
        "penalty",
        "the penalty is applied to biases, counted twice, or lambda and lambda/2 are mixed up",
        (
            _change(penalty_gradient=lambda w: 2.0 * _right_penalty_gradient(w)),
            _change(penalty_gradient=lambda w: 0.5 * _right_penalty_gradient(w)),
            _change(penalty_gradient=_everything_penalized),
            _change(penalty=lambda w: 2.0 * _right_penalty(w)),
        ),
        _has_penalty,
    ),
    Mistake(
        "log10",
        "the loss is taken with a logarithm to base 10",
        (_change(data_loss=lambda w: RIGHT.data_loss(w) / np.log(10.0)),),
        lambda network: network.loss_name in ("cross_entropy", "binary_cross_entropy"),
    ),
)

MISTAKES: Registry[Mistake] = Registry("mistake", _ROWS)
