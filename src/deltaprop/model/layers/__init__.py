"""The kinds of layers: one file each, with its forward/backward pair."""

from graphlib import TopologicalSorter
from itertools import chain

from deltaprop.model.layers.base import Equation, Intermediate, Layer, LayerArrays, Part
from deltaprop.model.layers.categories import CategoryEmbedding
from deltaprop.model.layers.dense import PARAMETRIZATIONS, Dense
from deltaprop.model.layers.dropout import Dropout
from deltaprop.model.layers.layer_norm import LayerNorm
from deltaprop.model.layers.parametric import ParametricActivation
from deltaprop.model.layers.periodic import PeriodicEmbedding
from deltaprop.model.layers.scaling import Scaling

__all__ = [
    "ARRAYS",
    "INTERMEDIATES",
    "LAYERS",
    "PARAMETRIZATIONS",
    "CategoryEmbedding",
    "Dense",
    "Dropout",
    "Equation",
    "Intermediate",
    "Layer",
    "LayerArrays",
    "LayerNorm",
    "ParametricActivation",
    "Part",
    "PeriodicEmbedding",
    "Scaling",
]

# mypy fails here where a kind is no Layer
LAYERS: dict[str, type[Layer] | type[Dropout]] = {
    layer.kind: layer
    for layer in (
        Dense, Dropout, Scaling, LayerNorm, ParametricActivation, PeriodicEmbedding,
        CategoryEmbedding,
    )
}  # fmt: skip

_NAMES: list[tuple[str, ...]] = [getattr(layer, "arrays", ()) for layer in LAYERS.values()]
# what the arrays of all kinds are called, in an order that is every kind's own
ARRAYS: tuple[str, ...] = tuple(
    TopologicalSorter(
        {
            name: [n for names in _NAMES if name in names for n in names[: names.index(name)]]
            for name in dict.fromkeys(chain(*_NAMES))
        }
    ).static_order()
)

# the numbers between that the equations of all kinds have names for
INTERMEDIATES: dict[str, Intermediate] = {
    i.name: i for layer in LAYERS.values() for i in getattr(layer, "intermediates", ())
}
