"""to_onnx: a network as an ONNX graph."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from deltaprop._version import __version__
from deltaprop.errors import MissingExtraError, SettingError
from deltaprop.interop.forward import forward
from deltaprop.interop.written.graph import Graph
from deltaprop.model.backprop import require_fit
from deltaprop.model.files import write_atomically
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["finished", "onnx_library", "refuse_unwritable", "to_onnx"]

OPSET, OPSET_OF_TABLES, IR_VERSION = 13, 2, 7  # of December 2020: every runtime since has them
_DTYPES = ("float32", "float64")
_MOST_BYTES = 2**31 - 2**20  # protobuf reads no more


def to_onnx(
    network: Network,
    path: str | os.PathLike[str],
    params: Parameters,
    *,
    dtype: str = "float32",
) -> None:
    """Write a network as an ONNX graph.

    Its input is "x", of any number of rows. Its outputs are "probabilities", or "prediction" of a
    network that gives no probabilities: p; and beside probabilities "label": the number of the
    class, or for each sigmoid whether it is over 1/2. Each node is an operation of the equations of
    the layers; the stages z1, a1, ... keep their names.

    Parameters
    ----------
    network : Network
        The layers and the loss, whose output is p.
    path : path-like
        Where it is written.
    params : Parameters
        The numbers that are written into it.
    dtype : {"float32", "float64"}
        What it reads, computes with and gives: float32 as all runtimes do, or all digits.

    Raises
    ------
    SettingError
        When there is no such dtype, a function of the network has no formula, or a number is too
        large for float32.
    ShapeError
        When the parameters are another network's.
    MissingExtraError
        When onnx is not installed.
    OutputError
        When the file cannot be written.
    """
    onnx = onnx_library()
    require_fit(network, params)
    refuse_unwritable(dtype, [params])
    write_atomically(path, _network_graph(onnx, network, params, dtype).SerializeToString())


def refuse_unwritable(dtype: str, parameters: Sequence[Parameters]) -> None:
    """Raise SettingError where numbers cannot be written in a dtype, or there is none of it."""
    if dtype not in _DTYPES:
        raise SettingError(f"dtype is {dtype!r}; an ONNX graph is of {' or '.join(_DTYPES)}.")
    largest = max(float(np.abs(each.flat).max(initial=0.0)) for each in parameters)
    if not largest <= float(np.finfo(dtype).max):
        raise SettingError(
            f"A parameter of {largest:g} is beyond {dtype}; an ONNX graph has no number for it."
        )
    size = sum(each.flat.size for each in parameters) * np.dtype(dtype).itemsize
    if size > _MOST_BYTES:
        raise SettingError(
            f"The parameters are {size / 2**30:.1f} GiB in {dtype}; an ONNX file holds 2."
        )


def onnx_library() -> Any:
    """Return the module onnx; MissingExtraError where it is not installed."""
    try:
        for part in ("helper", "numpy_helper"):
            import_module(f"onnx.{part}")
        return import_module("onnx")
    except ImportError:
        raise MissingExtraError("onnx", "deltaprop[onnx]") from None


def _network_graph(onnx: Any, network: Network, parameters: Parameters, dtype: str) -> Any:
    """Return a network as a ModelProto."""
    graph = Graph(onnx, np.dtype(dtype))
    graph.reserve("x")
    stages = forward(network, parameters)
    is_classifier = network.loss.output in ("softmax", "sigmoid")
    name = "probabilities" if is_classifier else "prediction"
    graph.add(stages)
    graph.node("Identity", ["p"], name=name)
    made = onnx.helper.make_tensor_value_info
    kind, n = graph.number_type, network.n_out
    outputs = [made(name, kind, ["N", n])]
    if is_classifier:
        outputs.append(_label(graph, network, made))
    return finished(graph, [made("x", kind, ["N", network.n_in])], outputs)


def _label(graph: Graph, network: Network, made: Any) -> Any:
    """Add what is most probable, and return what it is as an output."""
    whole = graph.onnx.TensorProto.INT64
    if network.n_out > 1 and network.loss.output == "softmax":
        graph.node("ArgMax", ["p"], name="label", axis=1, keepdims=0)
        return made("label", whole, ["N"])
    over = graph.node("Greater", ["p", graph.constant(0.5)])
    if network.n_out > 1:
        graph.node("Cast", [over], name="label", to=whole)
        return made("label", whole, ["N", network.n_out])
    flat = graph.node("Reshape", [over, graph.constant([-1], "shape", np.int64)])
    graph.node("Cast", [flat], name="label", to=whole)
    return made("label", whole, ["N"])


def finished(graph: Graph, inputs: list[Any], outputs: list[Any], *, tables: bool = False) -> Any:
    """Return nodes, inputs and outputs as a ModelProto of versions that all runtimes have.

    ``tables``: whether there are operators for words in it.
    """
    helper = graph.onnx.helper
    numbers = [
        graph.onnx.numpy_helper.from_array(array, name)
        for name, array in graph.initializers.items()
    ]
    made = helper.make_graph(graph.nodes, "network", inputs, outputs, numbers)
    return helper.make_model(
        made,
        producer_name="deltaprop",
        producer_version=__version__,
        ir_version=IR_VERSION,
        opset_imports=[
            helper.make_opsetid("", OPSET),
            *([helper.make_opsetid("ai.onnx.ml", OPSET_OF_TABLES)] if tables else []),
        ],
    )
