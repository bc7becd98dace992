"""The kinds of layers: one file each, with its forward/backward pair."""

from typing import Any

from deltaprop.model.layers.base import Equation, Layer, LayerArrays, Part
from deltaprop.model.layers.categories import CategoryEmbedding
from deltaprop.model.layers.dense import PARAMETRIZATIONS, Dense
from deltaprop.model.layers.dropout import Dropout
from deltaprop.model.layers.parametric import ParametricActivation
from deltaprop.model.layers.periodic import PeriodicEmbedding
from deltaprop.model.layers.scaling import Scaling

__all__ = [
    "ARRAYS",
    "LAYERS",
    "PARAMETRIZATIONS",
    "CategoryEmbedding",
    "Dense",
    "Dropout",
    "Equation",
    "Layer",
    "LayerArrays",
    "ParametricActivation",
    "Part",
    "PeriodicEmbedding",
    "Scaling",
]

LAYERS: dict[str, type[Any]] = {
    layer.kind: layer
    for layer in (
        Dense, Dropout, Scaling, ParametricActivation, PeriodicEmbedding, CategoryEmbedding
    )
}  # fmt: skip

# what the arrays of all kinds are called
ARRAYS: tuple[str, ...] = tuple(
    dict.fromkeys(name for layer in LAYERS.values() for name in getattr(layer, "arrays", ()))
)
