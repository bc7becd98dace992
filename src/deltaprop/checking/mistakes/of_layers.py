"""Mistakes in layers of other kinds than dense ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from deltaprop.checking.mistakes.mistake import Mistake
from deltaprop.checking.rules import RIGHT, Rules, Working
from deltaprop.model.layers import LayerNorm

__all__ = ["OF_LAYERS"]

Array = npt.NDArray[np.float64]


def _through_norm(below: Callable[[Array, Array], Array]) -> Rules:
    """Return rules whose dL/da of a layer normalization is ``below`` / deviation.

    ``below`` is given d = delta g and the normalized row.
    """

    def recursion(w: Working, index: int) -> Array:
        layer = w.network.computing_layers[index]
        if not isinstance(layer, LayerNorm):
            return RIGHT.recursion(w, index)
        normalized, deviation = layer.normalized(w.a[index])
        d = w.delta[index] * w.parameters.layers[index]["g"]
        return below(d, normalized) / deviation

    return replace(RIGHT, recursion=recursion)


def _mean_of(row: Array) -> Array:
    return np.asarray(row.mean(axis=1, keepdims=True))


OF_LAYERS = (
    Mistake(
        "norm_as_constant",
        "mean or deviation of a layer normalization is taken as a constant on the way back",
        (
            _through_norm(lambda d, n: d),
            _through_norm(lambda d, n: d - _mean_of(d)),
            _through_norm(lambda d, n: d - n * _mean_of(d * n)),
        ),
        lambda network: any(isinstance(k, LayerNorm) for k in network.computing_layers[1:]),
        fix="both depend on every number of the row: dL/da is "
        "(d - mean(d) - n mean(d n)) / deviation, with d = delta g and n the normalized row",
    ),
)
