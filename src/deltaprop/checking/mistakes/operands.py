"""Right equations with a wrong operand: the array of another layer, of the same shape."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np
import numpy.typing as npt

from deltaprop.checking.mistakes.mistake import Mistake, change
from deltaprop.checking.rules import RIGHT, Rules, Working
from deltaprop.model.spec import Network

__all__ = ["OF_OPERANDS"]

Array = npt.NDArray[np.float64]


def _other(arrays: Sequence[Array], index: int, turn: int) -> Array:
    """Return the array of the same shape that is ``turn`` places further; itself where none is."""
    alike = [i for i, array in enumerate(arrays) if array.shape == arrays[index].shape]
    return arrays[alike[(alike.index(index) + turn) % len(alike)]]


def _weights(w: Working, index: int, turn: int) -> Array:
    """Return W of another layer of the same shape."""
    usual = [i for i in range(len(w.network.computing_layers)) if w.is_usual(i)]
    return _other([w.weights(i) for i in usual], usual.index(index), turn)


def _forward_weights(turn: int) -> Rules:
    def z(w: Working, index: int) -> Array:
        if not w.is_usual(index):
            return RIGHT.pre_activation(w, index)
        own = w.parameters.layers[index]
        return np.asarray(w.a[index] @ _weights(w, index, turn) + own.get("b", 0.0))

    return change(pre_activation=z)


def _forward_activations(w: Working, index: int) -> Array:
    if not w.is_usual(index):
        return RIGHT.pre_activation(w, index)
    own = w.parameters.layers[index]
    return np.asarray(_other(w.a, index, -1) @ own["W"] + own.get("b", 0.0))


def _backward_weights(turn: int) -> Rules:
    def below(w: Working, index: int) -> Array:
        if not w.is_usual(index):
            return RIGHT.recursion(w, index)
        return np.asarray(w.delta[index] @ _weights(w, index, turn).T)

    return change(recursion=below)


def _gradient_activations(turn: int) -> Rules:
    return change(weight_gradient=lambda w, delta, i: np.asarray(_other(w.a, i, turn).T @ delta))


def _gradient_deltas(w: Working, delta: Array, index: int) -> Array:
    known = [delta, *w.delta[index + 1 :]]
    return np.asarray(w.a[index].T @ _other(known, 0, 1))


def _update(turn: int) -> Rules:
    """Return rules that move each array by the gradient of another one of its shape."""

    def step(w: Working) -> Array:
        slots, swapped = w.network.layout.slots, copy(w)
        swapped.gradients = w.gradients.copy()
        gradients = [slot.of(w.gradients.flat) for slot in slots]
        for i, slot in enumerate(slots):
            slot.of(swapped.gradients.flat)[...] = _other(gradients, i, turn)
        return RIGHT.update(swapped)

    return change(update=step)


def _has_alike(network: Network) -> bool:
    """Return whether two layers are of one width: an array of another one fits."""
    return len(set(network.sizes)) < len(network.sizes)


OF_OPERANDS = (
    Mistake(
        "wrong_operand",
        "the equation is right, but an array of another layer stands in it",
        (
            _gradient_activations(-1),
            _backward_weights(1),
            _forward_weights(1),
            _gradient_activations(1),
            change(pre_activation=_forward_activations),
            change(weight_gradient=_gradient_deltas),
            _update(1),
            _update(-1),
            _backward_weights(-1),
            _forward_weights(-1),
        ),
        _has_alike,
        fix="put the weights, activations or deltas of this layer into its equation",
    ),
)
