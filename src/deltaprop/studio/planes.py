"""What neurons make of a plane in the inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError
from deltaprop.model.backprop import propagate
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.studio.asked import floats, listed, number, whole
from deltaprop.studio.frames import Arrays

__all__ = ["field", "field_of"]

Array = npt.NDArray[np.float64]

_MOST_NUMBERS = 20_000_000  # of a plane, in its widest layer


def field(
    network: Network,
    parameters: Parameters,
    axes: Sequence[Array],
    ends: Sequence[Sequence[float]],
    size: Sequence[int],
    *,
    all_neurons: bool,
    most: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return a of each neuron at the points base + u across + v up, layer by layer.

    On a plane a network of many inputs is one of three, u, v and 1, whose first layer has
    W = (across; up; base) W: so it costs what three inputs cost.

    Parameters
    ----------
    axes : base, across and up, each (n_0,)
    ends : the ends of u, and of v
    size : columns and rows of cells; u and v are their centres, from the upper left one
    all_neurons : of all layers, or of the last one
    most : neurons of a hidden layer, if not all
    """
    (left, right), (low, high) = ends
    columns, rows = size
    cells = np.arange(columns * rows)
    u = left + (right - left) * (cells % columns + 0.5) / columns
    v = high + (low - high) * (cells // columns + 0.5) / rows
    base, across, up = axes
    W = parameters.W[0]
    assert W is not None
    hidden = [row.name for row in network.activations]
    has_biases = parameters.b[0] is not None
    seen = Network([3, *network.sizes[1:]], hidden, network.loss_name, bias=has_biases)
    flat = np.concatenate([across @ W, up @ W, base @ W, parameters.flat[W.size :]])
    points = np.column_stack([u, v, np.ones_like(u)])
    with np.errstate(over="ignore", invalid="ignore"):
        _, a, _ = propagate(seen, Parameters(seen.layout, flat), points)
        kept = [layer[:, :most] for layer in a[1:-1]] if all_neurons else []
        kept.append(a[-1])
        return np.concatenate([layer.T.reshape(-1) for layer in kept]).astype(np.float32)


def field_of(
    network: Network, parameters: Parameters, plane: Mapping[str, Any], arrays: Arrays
) -> npt.NDArray[np.float32]:
    """Return the field that a page asks for: see ``PlaneAsked`` of answers.js.

    Raises
    ------
    DataError, SettingError
        It is none, or too fine.
    """
    size = [whole(plane, name, least=1) for name in ("columns", "rows")]
    n_in, widest = network.n_in, max(network.sizes[1:])
    if size[0] * size[1] * widest > _MOST_NUMBERS:
        raise SettingError(f"A plane of {size[0]} x {size[1]} points is too fine.")
    base = floats(arrays, "base").copy()
    if "across" in arrays:
        directions = [floats(arrays, name) for name in ("across", "up")]
    else:
        inputs = [whole({"input": each}, "input") for each in listed(plane, "inputs")]
        if len(inputs) != 2 or max(inputs) >= n_in or base.size != n_in:
            raise DataError(f"A plane lies in the {n_in} inputs.")
        base[inputs] = 0.0
        directions = [np.eye(1, n_in, each)[0] for each in inputs]
    axes = [base, *directions]
    if any(axis.size != n_in for axis in axes) or not np.isfinite(axes).all():
        raise DataError(f"A plane lies in the {n_in} inputs.")
    ends = [[number({"end": end}, "end") for end in listed(plane, name)] for name in "xy"]
    if any(len(pair) != 2 for pair in ends):
        raise DataError("A plane has two ends across and two up.")
    most = None if plane.get("most") is None else whole(plane, "most")
    everywhere = bool(plane.get("allNeurons"))
    return field(network, parameters, axes, ends, size, all_neurons=everywhere, most=most)
