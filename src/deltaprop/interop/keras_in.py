"""from_keras: a saved model of Keras as a network, without Keras."""

from __future__ import annotations

import os
from collections.abc import Callable
from math import prod
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from deltaprop.errors import ModelFileError, SettingError, shown
from deltaprop.functional.losses import LOSSES
from deltaprop.interop.chain import (
    Affine,
    Columns,
    Drop,
    Function,
    Normalized,
    Own,
    Step,
    assembled,
    unreadable,
)
from deltaprop.interop.functions import named
from deltaprop.interop.keras_files import KerasFile, Settings, opened
from deltaprop.model.layers import ParametricActivation
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["from_keras"]

Array = npt.NDArray[np.float64]
_AT_THE_END = {"softmax": "softmax", "log_softmax": "log_softmax", "exponential": "exp"}
_TYPES = ("float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16")


def from_keras(path: str | os.PathLike[str], loss: str | None = None) -> tuple[Network, Parameters]:
    """Return a saved model of Keras as a network and its parameters.

    Keras is not needed, and nothing of the file is executed: its description is read by a list of
    layers that are known, its numbers by h5py.

    Parameters
    ----------
    path : str or path
        A ``.keras`` file, or a ``.h5`` file of a whole model: Sequential, or a functional model
        that is one chain, of Dense, activations, Dropout, LayerNormalization, BatchNormalization,
        Normalization and Rescaling (folded into the Dense layer beside them) and Flatten.
    loss : str, optional
        A registered loss, as for ``from_torch``: by what the model ends in when left out.

    Returns
    -------
    network : Network
        The layers in order.
    parameters : Parameters
        The numbers, float64.

    Raises
    ------
    MissingExtraError
        When h5py is not installed.
    ModelFileError
        When it is no intact file of Keras.
    SettingError
        When a layer has no place in a network; the message names it.
    """
    if loss is not None:
        LOSSES[loss]
    with opened(path) as file:
        kind, config = file.config.get("class_name"), file.config.get("config")
        if kind not in ("Sequential", "Functional", "Model") or not isinstance(config, dict):
            raise unreadable(shown(file.name), f"it is a {shown(kind)}, no chain of layers")
        found = [_Layer(each, file) for each in _list(config.get("layers"), file.name)]
        order = found if kind == "Sequential" else _in_order(found, config)
        reader = _Reader()
        for layer in order:
            reader.read(layer)
        reading = assembled(reader.steps, reader.n_in, loss, shown(file.name))
    return reading.network, reading.parameters


class _Layer:
    """What a file says of a layer, and its arrays."""

    def __init__(self, given: Any, file: KerasFile) -> None:
        self.given = _mapping(given, file.name)
        self.config = _mapping(self.given.get("config"), file.name)
        self.kind = str(self.given.get("class_name"))
        self.name = str(self.config.get("name", self.given.get("name")))
        self.where = f"Layer {shown(self.name)} ({shown(self.kind)[1:-1]})"
        module = self.given.get("module") or "keras"
        own = self.given.get("registered_name") not in (None, self.kind)
        if self.kind not in _KNOWN or own or str(module).partition(".")[0] != "keras":
            raise unreadable(self.where, f"layers that are known are {', '.join(sorted(_KNOWN))}")
        dtype = self.config.get("dtype")
        if isinstance(dtype, dict):
            dtype = (dtype.get("config") or {}).get("name")
        if dtype not in (None, *_TYPES) or self.config.get("quantization_config"):
            raise unreadable(self.where, f"its numbers are {shown(dtype)}")
        self.arrays = file.arrays(self.name, self.kind)

    def of_shape(self, *shapes: tuple[int, ...]) -> list[Array]:
        """Return the arrays, which have these shapes."""
        found = [array.shape for array in self.arrays]
        if found != [*shapes]:
            raise ModelFileError(
                f"{self.where} has arrays of the shapes {found}; {[*shapes]} were expected."
            )
        return self.arrays

    def number(self, name: str, usual: float) -> float:
        """Return a setting that is a number."""
        value = self.config.get(name, usual)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ModelFileError(f"{self.where}: {name} is {shown(value)}, no number.")
        return float(value)

    def require(self, **wanted: object) -> None:
        """Refuse the layer where a setting is another one than those that can be read."""
        for name, values in wanted.items():
            value = self.config.get(name)
            if value is not None and value not in (
                values if isinstance(values, list) else [values]
            ):
                raise unreadable(self.where, f"{name} is {shown(value)}")


class _Reader:
    """Goes from layer to layer; ``shape`` is that of what stands for a row."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.n_in: int | None = None
        self.shape: tuple[int, ...] = ()

    def read(self, layer: _Layer) -> None:
        if self.n_in is None and layer.kind != "InputLayer":
            given = layer.config.get("batch_input_shape") or _built(layer)
            if given is not None:
                self._input(layer, given)
        if layer.kind == "InputLayer":
            self._input(
                layer, layer.config.get("batch_shape", layer.config.get("batch_input_shape"))
            )
            return
        if len(self.shape) > 1 and layer.kind not in ("Flatten", "Rescaling"):
            raise unreadable(layer.where, f"a row is of shape {self.shape}; Flatten it first")
        if layer.kind == "Flatten":
            layer.require(data_format="channels_last")
            self.shape = (prod(self.shape),)
        else:
            self.steps += _KNOWN[layer.kind](layer, self.shape[0] if self.shape else 0)
            if layer.kind == "Dense":
                self.shape = (int(layer.number("units", 0)),)

    def _input(self, layer: _Layer, given: Any) -> None:
        shape = given[1:] if isinstance(given, list) else None
        if self.n_in is not None or not shape or not all(_is_size(n) for n in shape):
            raise unreadable(layer.where, f"{shown(given)} is no shape of one input")
        self.shape = tuple(shape)
        self.n_in = prod(self.shape)


def _dense(layer: _Layer, n_in: int) -> list[Step]:
    units = layer.config.get("units")
    if not _is_size(units):
        raise ModelFileError(f"{layer.where}: units is {shown(units)}, no number of neurons.")
    if layer.config.get("lora_rank"):
        raise unreadable(layer.where, "it has a low-rank addition (lora)")
    bias = [(units,)] if layer.config.get("use_bias", True) else []
    W, *b = layer.of_shape((n_in, units), *bias)
    return [Affine(layer.where, W, b[0] if b else None), *_activation(layer, n_in)]


def _activation(layer: _Layer, _n_in: int) -> list[Step]:
    name = layer.config.get("activation") or "linear"
    if isinstance(name, str) and name in _AT_THE_END:
        return [Function(layer.where, _AT_THE_END[name])]
    found = None
    if isinstance(name, str):
        found = named(name, **({"negative_slope": 0.2} if name == "leaky_relu" else {}))
    if found is None:
        raise unreadable(layer.where, f"no activation is {shown(name)} as Keras has it")
    return [Function(layer.where, found)]


def _relu(layer: _Layer, _n_in: int) -> list[Step]:
    layer.require(max_value=[], threshold=0)
    slope = layer.number("negative_slope", 0.0)
    return [_function(layer, "leaky_relu", negative_slope=slope) if slope else
            Function(layer.where, "relu")]  # fmt: skip


def _leaky_relu(layer: _Layer, _n_in: int) -> list[Step]:
    slope = layer.number("negative_slope", layer.number("alpha", 0.3))
    return [_function(layer, "leaky_relu", negative_slope=slope)]


def _with_alpha(layer: _Layer, _n_in: int) -> list[Step]:
    return [_function(layer, layer.kind.lower(), alpha=layer.number("alpha", 1.0))]


def _function(layer: _Layer, name: str, **settings: float) -> Step:
    found = named(name, **settings)
    if found is None:
        told = ", ".join(f"{key} = {value}" for key, value in settings.items())
        raise unreadable(layer.where, f"no activation is {name} with {told}")
    return Function(layer.where, found)


def _prelu(layer: _Layer, n_in: int) -> list[Step]:
    layer.require(shared_axes=[])
    (slope,) = layer.of_shape((n_in,))
    arrays = {"alpha": 1.0 - slope}
    return [Own(layer.where, ParametricActivation("relu"), arrays, {}, n_in)]


def _softmax(layer: _Layer, _n_in: int) -> list[Step]:
    layer.require(axis=[-1, 1, [-1], [1]])
    return [Function(layer.where, "softmax")]


def _dropout(layer: _Layer, _n_in: int) -> list[Step]:
    layer.require(noise_shape=[])
    rate = layer.number("rate", 0.5)
    if not 0 <= rate < 1:
        raise unreadable(layer.where, f"it drops with probability {rate:g}")
    return [Drop(layer.where, rate)] if rate else []


def _layer_norm(layer: _Layer, n_in: int) -> list[Step]:
    layer.require(
        axis=[-1, 1, [-1], [1]], center=True, scale=True, rms_scaling=False
    )  # fmt: skip
    g, b = layer.of_shape((n_in,), (n_in,))
    return [Normalized(layer.where, layer.number("epsilon", 1e-3), g, b)]


def _batch_norm(layer: _Layer, n_in: int) -> list[Step]:
    layer.require(axis=[-1, 1, [-1], [1]], renorm=False)
    has = [bool(layer.config.get(name, True)) for name in ("scale", "center")]
    *learnt, mean, variance = layer.of_shape(*[(n_in,)] * (sum(has) + 2))
    gamma = learnt.pop(0) if has[0] else np.ones(n_in)
    beta = learnt.pop(0) if has[1] else np.zeros(n_in)
    scale = gamma / np.sqrt(variance + layer.number("epsilon", 1e-3))
    return [Columns(layer.where, scale, beta - mean * scale)]


def _normalization(layer: _Layer, n_in: int) -> list[Step]:
    layer.require(axis=[-1, 1, [-1], [1]], invert=False)
    given = [layer.config.get(name) for name in ("mean", "variance")]
    if all(each is None for each in given):
        mean, variance, _ = layer.of_shape((n_in,), (n_in,), ())
    else:
        mean, variance = (_vector(layer, each, n_in) for each in given)
    scale = 1.0 / np.maximum(np.sqrt(variance), 1e-7)
    return [Columns(layer.where, scale, -mean * scale)]


def _rescaling(layer: _Layer, _n_in: int) -> list[Step]:
    return [Columns(layer.where, layer.number("scale", 1.0), layer.number("offset", 0.0))]


def _nothing(layer: _Layer, _n_in: int) -> list[Step]:
    return []


# the layers that are known, and what each does to rows of so many numbers
_KNOWN: dict[str, Callable[[_Layer, int], list[Step]]] = {
    "InputLayer": _nothing, "Flatten": _nothing, "Identity": _nothing, "Dense": _dense,
    "Activation": _activation, "ReLU": _relu, "LeakyReLU": _leaky_relu, "ELU": _with_alpha,
    "PReLU": _prelu, "Softmax": _softmax, "Dropout": _dropout, "LayerNormalization": _layer_norm,
    "BatchNormalization": _batch_norm, "Normalization": _normalization, "Rescaling": _rescaling,
}  # fmt: skip


def _in_order(layers: list[_Layer], config: Settings) -> list[_Layer]:
    """Return the layers of a functional model from the input to the output."""
    after: dict[str, _Layer] = {}
    first: list[_Layer] = []
    for layer in layers:
        inbound = _inbound(layer)
        if inbound is None:
            first.append(layer)
        elif inbound in after:
            raise unreadable(
                layer.where,
                f"it takes what {after[inbound].where} takes: a network is one chain, without "
                "branches or residual connections",
            )
        else:
            after[inbound] = layer
    if len(first) != 1:
        raise SettingError(f"The model has {len(first)} inputs, and a network has one.")
    order = [first[0]]
    while (following := after.pop(order[-1].name, None)) is not None:
        order.append(following)
    ends = _flat(config.get("output_layers"))
    if after or ends[:1] != [order[-1].name] or len([e for e in ends if isinstance(e, str)]) != 1:
        raise unreadable(order[-1].where, "it is not the one output, behind all other layers")
    return order


def _inbound(layer: _Layer) -> str | None:
    """Return the name of the layer whose numbers one takes."""
    nodes = layer.given.get("inbound_nodes")
    if not nodes:
        return None
    if not isinstance(nodes, list) or len(nodes) != 1:
        raise unreadable(layer.where, "it is used twice, and layers share no weights")
    node = nodes[0]
    given = node.get("args") if isinstance(node, dict) else node
    names = []
    for each in given if isinstance(given, list) else [given]:
        history = each
        if isinstance(each, dict):
            inner = each.get("config")
            history = inner.get("keras_history") if isinstance(inner, dict) else None
        if not isinstance(history, list) or not history or not isinstance(history[0], str):
            raise unreadable(layer.where, "it takes several arrays")
        names.append(history[0])
    if len(names) != 1:
        raise unreadable(layer.where, "it takes several arrays")
    return names[0]


def _built(layer: _Layer) -> Any:
    """Return the shape that a layer was built for, where there is no input layer."""
    built = layer.given.get("build_config")
    return built.get("input_shape") if isinstance(built, dict) else None


def _is_size(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**8


def _vector(layer: _Layer, given: Any, n: int) -> Array:
    try:
        return np.broadcast_to(np.squeeze(np.asarray(given, dtype=np.float64)), n)
    except (TypeError, ValueError):
        raise ModelFileError(f"{layer.where}: {shown(given)} is no vector of {n}.") from None


def _flat(given: Any) -> list[Any]:
    if not isinstance(given, list):
        return [given]
    return [each for part in given for each in (_flat(part) if isinstance(part, list) else [part])]


def _mapping(given: Any, name: str) -> Settings:
    if not isinstance(given, dict):
        raise ModelFileError(
            f"{shown(name)} is no intact file of Keras: {shown(given)} is no layer."
        )
    return given


def _list(given: Any, name: str) -> list[Any]:
    if not isinstance(given, list):
        raise ModelFileError(f"{shown(name)} is no intact file of Keras: it has no layers.")
    return given
