"""to_c: a network as one header of C99."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.interop.forward import forward
from deltaprop.interop.written.c_header import Stored, header
from deltaprop.model.backprop import propagate, require_fit
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["to_c"]

Array = npt.NDArray[np.float64]
_DTYPES = ("float32", "int8")
_EXAMPLES = 3
_LARGEST_INT8 = 127
_TOLERANCE = 1e-5  # of sums in float32; the rows of the self-test are of deviation 1


def to_c(
    network: Network, parameters: Parameters, name: str = "model", dtype: str = "float32"
) -> str:
    """Return a network as one header of C99 that allocates nothing.

    z, a and p are worked out in float, stage by stage. With dtype "int8" the matrices of each layer
    are kept as whole numbers q from -127 to 127, W = s q with one scale s = max |W| / 127 for each
    matrix: a quarter of the memory.

    Parameters
    ----------
    network : Network
        The layers and the loss, whose output is p.
    parameters : Parameters
        The numbers that are written into it.
    name : str
        What its functions begin with: ``model_predict(x, p)``, ``model_self_test()``.
    dtype : {"float32", "int8"}
        How the matrices are kept.

    Returns
    -------
    str
        The header. With MODEL_MAIN defined it is a program that ends with 0 where known rows come
        to what they come to here.

    Raises
    ------
    SettingError
        When ``name`` is no identifier, the dtype is another, a parameter is no number of float32,
        or a function of the network has no formula.
    ShapeError
        When the parameters are another network's.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise SettingError(
            f"name is {name!r}; it begins names of C: small letters, digits and _, a letter first."
        )
    if dtype not in _DTYPES:
        raise SettingError(f"dtype is {dtype!r}; it is {' or '.join(_DTYPES)}.")
    require_fit(network, parameters)
    if not (np.abs(parameters.flat) <= np.finfo(np.float32).max).all():
        raise SettingError("A parameter is larger than any number of float32, or is none.")
    slots = network.layout.slots
    arrays = [
        _stored(
            f"{slot.name}{slot.layer + 1}",
            slot.of(parameters.flat),
            is_rounded=dtype == "int8" and slot.penalized,
        )
        for slot in slots
    ]
    x = np.random.default_rng(0).normal(size=(_EXAMPLES, network.n_in)).astype(np.float32)
    kept = parameters.copy()
    for slot, each in zip(slots, arrays, strict=True):
        scale = 1.0 if each.scale is None else each.scale
        kept.layers[slot.layer][slot.name][...] = scale * each.values
    _, a, _ = propagate(network, kept, x.astype(np.float64))
    title = f"A network {'-'.join(map(str, network.sizes))}, {network.loss_name}."
    examples = (x.astype(np.float64), a[-1])
    return header(name, title, forward(network, parameters), arrays, examples, _TOLERANCE)


def _stored(name: str, array: Array, *, is_rounded: bool) -> Stored:
    """Return an array as it is kept; the weights of products are what may be rounded."""
    if is_rounded and array.any():
        scale = float(np.float32(np.abs(array).max() / _LARGEST_INT8))
        return Stored(name, np.rint(array / scale), scale)
    return Stored(name, array.astype(np.float32).astype(np.float64))
