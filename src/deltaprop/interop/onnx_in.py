"""from_onnx: an ONNX graph of somebody else as a network with parameters."""

from __future__ import annotations

import os
from math import prod

from deltaprop.errors import ModelFileError, SettingError, shown
from deltaprop.interop.onnx_graphs.arithmetic import ARITHMETIC
from deltaprop.interop.onnx_graphs.assembly import assembled
from deltaprop.interop.onnx_graphs.files import Graph, read_graph
from deltaprop.interop.onnx_graphs.layers import LAYER_OPERATORS
from deltaprop.interop.onnx_graphs.reader import Input, Reader
from deltaprop.interop.onnx_graphs.rows import Base, Row
from deltaprop.interop.onnx_out import onnx_library
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["from_onnx"]


def from_onnx(
    path: str | os.PathLike[str], *, loss: str | None = None, output: str | None = None
) -> tuple[Network, Parameters]:
    """Return the network that an ONNX file holds.

    Layers that follow each other are read, as PyTorch, skl2onnx and Keras write them: dense ones,
    layer and batch normalization (the latter within the dense layer beside it), scalings, and
    whatever operations come to a registered activation, told by their numbers. A graph that has
    anything else is refused by the node's name and operator. Nothing of it is run.

    Parameters
    ----------
    path : path-like
        The file.
    loss : str, optional
        A registered loss. Left out, what the graph ends in tells it: softmax or its logarithm the
        cross-entropy, sigmoid the binary one, exp Poisson's, and anything else the squared error.
        A graph that ends in logits is that of any loss.
    output : str, optional
        Which output of the graph is the network's, where there are several of numbers.

    Returns
    -------
    network : Network
        Its outputs are those of the graph; of a logarithm of softmax they are softmax.
    parameters : Parameters
        Its numbers.

    Raises
    ------
    ModelFileError
        When the file is none, is damaged, or has operations that no layer is.
    SettingError
        When the loss does not have the output that the graph ends in.
    MissingExtraError
        When onnx is not installed.
    """
    onnx = onnx_library()
    graph = read_graph(onnx, path)
    name = _chosen(graph, output)
    reader = Reader(graph, {**ARITHMETIC, **LAYER_OPERATORS})
    _give_inputs(graph, reader)
    value = reader.value(name)
    node = graph.nodes.get(name)
    if not isinstance(value, Row) or node is None:
        raise ModelFileError(f"The output {shown(name)} is no function of the inputs' rows.")
    base = reader.settled(node, value)
    return assembled(base, loss)


def _chosen(graph: Graph, wanted: str | None) -> str:
    names = [name for name, is_of_numbers in graph.outputs.items() if is_of_numbers]
    if wanted is not None:
        if wanted not in graph.outputs:
            raise SettingError(
                f"The graph has no output {wanted!r}; it has {', '.join(graph.outputs)}."
            )
        return wanted
    if len(names) != 1:
        told = ", ".join(names or graph.outputs)
        raise SettingError(
            f"The graph has {len(names)} outputs of numbers ({shown(told)[1:-1]}); say which with "
            "output=."
        )
    return names[0]


def _give_inputs(graph: Graph, reader: Reader) -> None:
    """Give the reader what comes in: rows, or several inputs that are joined later."""
    if not graph.inputs:
        raise ModelFileError("The graph has no input.")
    if len(graph.inputs) > 1:
        for given in graph.inputs:
            if None in given.tail:
                raise ModelFileError(f"The input {shown(given.name)} does not say how wide it is.")
            reader.known[given.name] = Input(given.name, prod(side or 1 for side in given.tail))
        return
    (given,) = graph.inputs
    tail = tuple(side for side in given.tail if side is not None)
    if len(tail) < len(given.tail):
        if len(given.tail) > 1:
            raise ModelFileError(f"The input {shown(given.name)} does not say how wide it is.")
        tail = (_first_width(graph),)
    reader.known[given.name] = Row(Base(prod(tail)), tail)


def _first_width(graph: Graph) -> int:
    """Return how many numbers the first matrix takes, where the input does not say it."""
    for node in dict.fromkeys(graph.nodes.values()):
        if node.operator in ("Gemm", "MatMul") and len(node.inputs) > 1:
            name = node.inputs[1]
            if graph.has_array(name) and (array := graph.array(name)).ndim == 2:
                return int(array.shape[1 if node.attributes.get("transB") else 0])
    raise ModelFileError("Nothing in the graph says how many numbers a row has.")
