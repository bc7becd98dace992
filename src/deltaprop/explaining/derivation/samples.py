"""The batch made visible: the gradient is a sum over samples, and some are in conflict with it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deltaprop.model.backprop import Trace
from deltaprop.model.layers import Dense

__all__ = ["Batch", "SampleGradient", "batch_of"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SampleGradient:
    """What one sample does to the gradient of the data.

    Attributes
    ----------
    sample : int
        From 0.
    loss : float
        Its own loss.
    norm : float
        |share * g_s|, the length of its part of the gradient.
    cosine : float
        The cosine between its part and the whole: 1 is the same way, -1 the opposite way.
    """

    sample: int
    loss: float
    norm: float
    cosine: float


@dataclass(frozen=True)
class Batch:
    """The samples of a batch, and how much of what they want is left when they are added up.

    Attributes
    ----------
    samples : tuple of SampleGradient
        One per sample.
    norm : float
        The length of the gradient of the data.
    uncancelled : float
        |sum of the parts| / sum of |parts|: 1 where all agree, 0 where they cancel.
    conflict : tuple of (int, int, float) or None
        The two samples in conflict most, with the cosine between their parts; None where no
        two point away from each other.
    """

    samples: tuple[SampleGradient, ...]
    norm: float
    uncancelled: float
    conflict: tuple[int, int, float] | None


def batch_of(trace: Trace) -> Batch:
    """Return what each sample adds to the gradient.

    The part of sample s is a_s^T delta_s for each layer, with the share its loss has; the parts
    sum to the gradient of the data.
    """
    # inner products of the parts, layer by layer, without writing the parts out:
    # <a_s^T d_s, a_r^T d_r> = (a_s . a_r)(d_s . d_r)
    n = len(trace.shares)
    inner = np.zeros((n, n))
    network = trace.network
    # squares overflow before the numbers do: all are taken by their size, a power of two
    sizes = [max(1.0, _size(a)) for a in trace.inputs]
    pairs = zip(sizes, trace.delta, strict=True)
    whole = min(max(size * _size(delta) for size, delta in pairs) or 1.0, 2.0**1023)
    for index, (a, delta) in enumerate(zip(trace.inputs, trace.delta, strict=True)):
        layer, size = network.computing_layers[index], sizes[index]
        if isinstance(layer, Dense):
            scaled, its = a / size, delta / (whole / size)
            of_weights = layer.scale(a.shape[1]) ** 2 * (scaled @ scaled.T)
            inner += of_weights * (its @ its.T)
            if network.has_bias(index):
                biased = np.delete(its, layer.absent("b"), axis=1)
                inner += (biased @ biased.T) / size / size
        else:  # few parameters: their parts may be written out
            parts = np.array([_part(trace, index, s) for s in range(n)]) / whole
            inner += parts @ parts.T
    lengths = np.sqrt(np.maximum(np.diag(inner), 0.0))
    norm = float(np.sqrt(max(inner.sum(), 0.0)))
    with_whole = inner.sum(axis=1)
    samples = tuple(
        SampleGradient(
            s,
            float(trace.loss_per_sample[s]),
            float(lengths[s]) * whole,
            _cosine(float(with_whole[s]), float(lengths[s]), norm),
        )
        for s in range(n)
    )
    total = float(lengths.sum())
    return Batch(
        samples, norm * whole, norm / total if total > 0 else 1.0, _conflict(inner, lengths)
    )


def _size(values: Array) -> float:
    """Return a power of two up to twice the largest of some numbers; 0 where all are 0."""
    largest = float(np.abs(values).max())
    return 2.0 ** min(math.frexp(largest)[1], 1023) if largest else 0.0


def _part(trace: Trace, index: int, s: int) -> Array:
    """Return what a sample adds to the gradient of a layer, flat."""
    layer, row = trace.network.computing_layers[index], slice(s, s + 1)
    _, arrays = layer.backward(
        trace.parameters.layers[index], trace.inputs[index][row], trace.delta[index][row]
    )
    return np.concatenate([array.ravel() for array in arrays.values()])


def _conflict(inner: Array, lengths: Array) -> tuple[int, int, float] | None:
    worst: tuple[int, int, float] | None = None
    products = lengths[:, None] * lengths[None, :]
    cosines = np.divide(inner, products, out=np.zeros_like(inner), where=products > 0)
    s, r = np.unravel_index(int(np.argmin(cosines)), cosines.shape)
    if cosines[s, r] < 0:
        first, second = sorted((int(s), int(r)))
        worst = (first, second, float(max(cosines[s, r], -1.0)))
    return worst


def _cosine(inner: float, one: float, other: float) -> float:
    return float(np.clip(inner / (one * other), -1.0, 1.0)) if one > 0 and other > 0 else 0.0
