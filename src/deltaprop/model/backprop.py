"""propagate, backpropagate and their Trace: the algorithm, on one screen.

    forward   z^l = a^(l-1) W^l + b^l        a^l = f_l(z^l)
    start     delta^L = dL/dz^L              (given by the loss with its output)
    back      delta^l = (delta^(l+1) (W^(l+1))^T) * f_l'(z^l)
    gradient  dL/dW^l = (a^(l-1))^T delta^l  dL/db^l = sum over samples of delta^l

With dropout, a^(l-1) is multiplied by its mask where it enters layer l, and the recursion by the
same mask on the way back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from deltaprop.errors import ShapeError
from deltaprop.functional.activations import ACTIVATIONS, Activation
from deltaprop.functional.losses import sample_shares, weighted_sum
from deltaprop.model.layers import ParametricActivation
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import (
    ClassWeight,
    class_weights,
    dense_targets,
    prepare_inputs,
    prepare_targets,
)

__all__ = [
    "Masks",
    "Trace",
    "backpropagate",
    "draw_masks",
    "objective",
    "penalties",
    "penalty_gradient",
    "propagate",
    "require_fit",
    "retrace",
    "smoothed_targets",
    "trace_step",
    "words_of_masks",
]

Array = npt.NDArray[np.float64]
Masks = Sequence[Array | None]


@dataclass(frozen=True, eq=False)
class Trace:
    """Everything that happened in one forward and backward pass; immutable.

    ``z[l]``, ``a[l + 1]``, ``delta[l]``, ``gradients.W[l]`` belong to layer l + 1, as
    ``parameters.W[l]`` does; ``a[0]`` is x.

    Attributes
    ----------
    network : Network
        What was run.
    parameters : Parameters
        The (old) parameters every number was taken at.
    targets : ndarray of shape (n, n_L)
        t, labels as one-hot rows, before label smoothing.
    shares : ndarray of shape (n,)
        The factor with which each sample's loss enters L: 1/n without weights.
    z, a : tuple of ndarray
        Pre-activations z^1..z^L, and activations a^0..a^L; a^L is the network's output p.
    masks : tuple of ndarray or None
        masks[l] multiplies a[l] where it enters layer l + 1; None without dropout.
    inputs : tuple of ndarray
        What layer l + 1 read: a[l], times its mask.
    upstream : tuple of ndarray or None
        dL/da of each layer; None for the last, whose delta the loss gives directly.
    delta : tuple of ndarray
        dL/dz^l of the mean loss, penalties not included (they do not depend on z).
    loss : float
        The whole objective: data_loss + l2_penalty + l1_penalty.
    data_loss, l2_penalty, l1_penalty : float
        Its parts: sum of share * loss, l2/2 sum(W^2), l1 sum|W|.
    loss_per_sample : ndarray of shape (n,)
        The loss of each sample, unweighted.
    gradients : Parameters
        dL/dW and dL/db of the whole objective.
    data_gradients : Parameters
        The same of data_loss alone.
    """

    network: Network
    parameters: Parameters
    targets: Array
    shares: Array
    z: tuple[Array, ...]
    a: tuple[Array, ...]
    masks: tuple[Array | None, ...]
    inputs: tuple[Array, ...]
    upstream: tuple[Array | None, ...]
    delta: tuple[Array, ...]
    loss: float
    data_loss: float
    l2_penalty: float
    l1_penalty: float
    loss_per_sample: Array
    gradients: Parameters
    data_gradients: Parameters

    def activated(self) -> Iterator[tuple[Activation, Array]]:
        """Yield each hidden activation with the numbers it is applied to."""
        yield from zip(self.network.activations, self.z, strict=False)
        for layer, a in zip(self.network.computing_layers, self.inputs, strict=True):
            if isinstance(layer, ParametricActivation):
                yield ACTIVATIONS[layer.function], a

    @cached_property
    def dx(self) -> Array:
        """Return dL/dx, of shape (n, n_0): the delta that arrives at the inputs."""
        first = self.network.computing_layers[0]
        below, _ = first.backward(self.parameters.layers[0], self.inputs[0], self.delta[0])
        mask = self.masks[0]
        return below if mask is None else below * mask


def propagate(
    network: Network, parameters: Parameters, x: Array, masks: Masks | None = None
) -> tuple[list[Array], list[Array], list[Array]]:
    """Return z^1..z^L, a^0..a^L, and what each layer read (a times its dropout mask)."""
    masks = masks or [None] * len(network.computing_layers)
    z: list[Array] = []
    a: list[Array] = [x]
    inputs: list[Array] = []
    for index, layer in enumerate(network.computing_layers):
        mask = masks[index]
        inputs.append(a[index] if mask is None else a[index] * mask)
        z.append(layer.forward(parameters.layers[index], inputs[index]))
        last = index == len(network.computing_layers) - 1
        a.append(network.loss.predict(z[-1]) if last else network.activations[index].f(z[-1]))
    return z, a, inputs


def trace_step(
    network: Network,
    parameters: Parameters,
    x: Array,
    targets: Array,
    shares: Array,
    masks: Masks | None = None,
) -> Trace:
    """Run one forward and backward pass on arrays that have been checked already."""
    masks = tuple(masks or [None] * len(network.computing_layers))
    z, a, inputs = propagate(network, parameters, x, masks)

    smoothed = smoothed_targets(network, targets)
    n_layers = len(network.computing_layers)
    delta: list[Array] = [z[-1]] * n_layers
    upstream: list[Array | None] = [None] * n_layers
    by_layer: list[dict[str, Array]] = [{}] * n_layers
    delta[-1] = network.loss.delta(z[-1], smoothed, shares)
    for index in reversed(range(n_layers)):
        layer = network.computing_layers[index]
        below, by_layer[index] = layer.backward(
            parameters.layers[index], inputs[index], delta[index]
        )
        if index > 0:
            mask = masks[index]
            upstream[index - 1] = below = below if mask is None else below * mask
            f_prime = network.activations[index - 1].f_prime
            delta[index - 1] = below * f_prime(z[index - 1], a[index])

    data_gradients = Parameters.join(network.layout, by_layer)
    loss_per_sample = network.loss.per_sample(z[-1], smoothed)
    data_loss = weighted_sum(shares, loss_per_sample)
    l2_penalty, l1_penalty = penalties(network, parameters)
    return Trace(
        network=network,
        parameters=parameters,
        targets=targets,
        shares=shares,
        z=tuple(z),
        a=tuple(a),
        masks=masks,
        inputs=tuple(inputs),
        upstream=tuple(upstream),
        delta=tuple(delta),
        loss=data_loss + l2_penalty + l1_penalty,
        data_loss=data_loss,
        l2_penalty=l2_penalty,
        l1_penalty=l1_penalty,
        loss_per_sample=loss_per_sample,
        gradients=_with_penalties(network, parameters, data_gradients),
        data_gradients=data_gradients,
    )


def backpropagate(
    network: Network,
    parameters: Parameters,
    x: npt.ArrayLike,
    targets: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    class_weight: ClassWeight = None,
    reduction: str = "mean",
    rng: np.random.Generator | None = None,
) -> Trace:
    """Run one forward and backward pass and return everything that happened.

    Parameters
    ----------
    network : Network
        The layers and the loss.
    parameters : Parameters
        W^l and b^l.
    x : array_like of shape (n, n_0)
        The input batch.
    targets : array_like of shape (n,) or (n, n_L)
        Integer labels, one-hot rows, or values.
    sample_weight : array_like of shape (n,), optional
        w_i >= 0. Loss and gradients are weighted means, so that an integer weight equals
        repetition and a zero weight equals absence.
    class_weight : dict, sequence or "balanced", optional
        A further factor of each row's weight, by its class.
    reduction : {"mean", "sum"}
        The loss is the (weighted) mean over samples, or their sum.
    rng : numpy.random.Generator, optional
        Draws the dropout masks; without it nothing is dropped, as in prediction.

    Returns
    -------
    Trace
        The record: z, a, delta, loss, gradients; read-only.

    Raises
    ------
    ShapeError, DataError
        When an array does not fit; the message says which and where.
    """
    require_fit(network, parameters)
    inputs = prepare_inputs(network, x)
    checked = prepare_targets(network, targets, len(inputs))
    shares = sample_shares(
        len(inputs),
        _combined(sample_weight, class_weights(network, checked, class_weight)),
        reduction=reduction,
    )
    dense = dense_targets(checked, network.n_out)
    masks = draw_masks(network, len(inputs), rng)
    own = [np.array(array) for array in (inputs, dense, shares)]
    return _read_only(trace_step(network, parameters.frozen_copy(), own[0], own[1], own[2], masks))


def retrace(trace: Trace, parameters: Parameters) -> Trace:
    """Return the pass over the same batch, with the same dropout masks, at other parameters."""
    require_fit(trace.network, parameters)
    return _read_only(
        trace_step(
            trace.network, parameters.frozen_copy(), trace.a[0], trace.targets, trace.shares,
            trace.masks,
        )
    )  # fmt: skip


def objective(
    network: Network,
    parameters: Parameters,
    x: Array,
    targets: Array,
    shares: Array,
    masks: Masks | None = None,
) -> float:
    """Return the loss alone, penalties included: what the gradients are the derivative of."""
    z, _, _ = propagate(network, parameters, x, masks)
    data_loss = network.loss.value(z[-1], smoothed_targets(network, targets), shares)
    return data_loss + sum(penalties(network, parameters))


def require_fit(network: Network, parameters: Parameters) -> None:
    """Raise ShapeError unless the parameters belong to the network."""
    if parameters.layout != network.layout:
        raise ShapeError("The parameters do not belong to this network: their shapes differ.")
    network.layout.refuse_absent(parameters.flat)


def draw_masks(network: Network, n: int, rng: np.random.Generator | None) -> Masks:
    """Return one dropout mask per layer (None where nothing is dropped, or without ``rng``)."""
    return [
        None if dropout is None or rng is None else dropout.draw_mask(rng, (n, n_in))
        for dropout, n_in in zip(network.dropouts, network.sizes, strict=False)
    ]


def words_of_masks(network: Network, n: int) -> int:
    """Return how many words of 64 bits the masks of n rows take from a generator."""
    pairs = zip(network.dropouts, network.sizes, strict=False)
    return sum(-(-n * n_in // 2) for dropout, n_in in pairs if dropout is not None)


def penalties(network: Network, parameters: Parameters) -> tuple[float, float]:
    """Return l2/2 sum(W^2) and l1 sum|W|, over weights, never biases."""
    if network.l2 == network.l1 == 0:
        return 0.0, 0.0
    l2, l1 = network.penalty_strengths
    weights = [parameters.flat[s.start : s.stop] for s in network.layout.slots if s.penalized]
    of_squares = l2 / 2 * float(sum(w @ w for w in weights))
    return of_squares, l1 * float(sum(np.abs(w).sum() for w in weights))


def penalty_gradient(network: Network, parameters: Parameters) -> Array:
    """Return l2 W + l1 sign(W) over the flat vector, 0 for what is not penalized."""
    gradient = np.zeros_like(parameters.flat)
    l2, l1 = network.penalty_strengths
    for slot in network.layout.slots if network.l2 or network.l1 else ():
        if slot.penalized:
            weights = parameters.flat[slot.start : slot.stop]
            gradient[slot.start : slot.stop] = l2 * weights + l1 * np.sign(weights)
    return gradient


def _with_penalties(
    network: Network, parameters: Parameters, data_gradients: Parameters
) -> Parameters:
    if not network.has_penalized_gradient:
        return data_gradients
    return data_gradients.like(data_gradients.flat + penalty_gradient(network, parameters))


def smoothed_targets(network: Network, targets: Array) -> Array:
    """Return t' where the network smooths labels, else t."""
    smooth = network.loss.smooth
    if not network.label_smoothing or smooth is None:
        return targets
    return smooth(targets, network.label_smoothing)


def _combined(sample_weight: npt.ArrayLike | None, by_class: Array | None) -> npt.ArrayLike | None:
    if sample_weight is None or by_class is None:
        return by_class if sample_weight is None else sample_weight
    return sample_shares(len(by_class), sample_weight, reduction="sum") * by_class


def _read_only(trace: Trace) -> Trace:
    for array in (*_arrays(trace), trace.gradients.flat, trace.data_gradients.flat):
        array.setflags(write=False)
    # the views were made while their vectors could be written to; make them again
    object.__setattr__(trace, "gradients", trace.gradients.like(trace.gradients.flat))
    object.__setattr__(trace, "data_gradients", trace.gradients.like(trace.data_gradients.flat))
    return trace


def _arrays(trace: Trace) -> list[Array]:
    groups = (trace.z, trace.a, trace.masks, trace.inputs, trace.upstream, trace.delta)
    arrays = [array for group in groups for array in group if array is not None]
    return [*arrays, trace.targets, trace.shares, trace.loss_per_sample]
