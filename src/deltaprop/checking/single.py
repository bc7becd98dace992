"""Numbers in float32, as most programs have them: how far right ones may be off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deltaprop.model.backprop import Trace
from deltaprop.model.parameters import Parameters

__all__ = ["SINGLE_EPSILON", "is_single", "room_of_gradients", "room_of_loss"]

Array = npt.NDArray[np.float64]

SINGLE_EPSILON = float(np.finfo(np.float32).eps)
_GRADIENTS = 64  # so many times the rounding of an array's largest sum; 24 are the most of 300
_LOSS = 16


def is_single(numbers: Array | float) -> bool:
    """Return whether all of the numbers are ones that float32 has, whatever holds them."""
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.asarray(numbers, dtype=np.float32).astype(np.float64)
    return bool(np.array_equal(rounded, numbers, equal_nan=True))


def room_of_gradients(trace: Trace) -> Array:
    """Return by how much float32 may miss each gradient of a pass, as a flat vector.

    Each array by a share of its largest sum of absolute terms, a^T |delta| in place of
    a^T delta: where terms cancel, as they do near a minimum, their rounding stays. At the output
    p and t are what cancels; on the way down the terms go through |W| and |f'|.
    """
    network = trace.network
    size = np.abs(trace.delta[-1]) + trace.shares[:, None] * (
        np.abs(trace.a[-1]) + np.abs(trace.targets)
    )
    sums: list[dict[str, Array]] = [{}] * len(network.computing_layers)
    for index in reversed(range(len(sums))):
        weights = {k: np.abs(array) for k, array in trace.parameters.layers[index].items()}
        layer, inputs = network.computing_layers[index], np.abs(trace.inputs[index])
        below, sums[index] = layer.backward(weights, inputs, size)
        if index:
            mask = trace.masks[index]
            f_prime = network.activations[index - 1].f_prime(trace.z[index - 1], trace.a[index])
            size = np.abs(below * f_prime * (1.0 if mask is None else mask))
    largest = [
        {name: np.full_like(array, np.abs(array).max(initial=0.0)) for name, array in own.items()}
        for own in sums
    ]
    return _GRADIENTS * SINGLE_EPSILON * Parameters.join(network.layout, largest).flat


def room_of_loss(loss: float) -> float:
    """Return by how much float32 may miss a loss."""
    return _LOSS * SINGLE_EPSILON * (1.0 + abs(loss))
