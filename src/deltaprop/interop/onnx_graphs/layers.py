"""How the operators that are layers, or part of one, are read."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.functional.activations import sigmoid
from deltaprop.interop.onnx_graphs.files import Node
from deltaprop.interop.onnx_graphs.reader import Input, Reader, Value
from deltaprop.interop.onnx_graphs.recognition import written
from deltaprop.interop.onnx_graphs.rows import Row, evaluated

__all__ = ["LAYER_OPERATORS"]

Array = npt.NDArray[Any]
MOST_NUMBERS = 2**28
_Translation = Callable[[Reader, Node, list[Value]], Value]


def _dense(reader: Reader, node: Node, row: Row, W: Array, b: Array | None) -> Row:
    W = W.astype(np.float64, copy=False)
    if W.ndim != 2 or W.shape[0] != row.width or not W.shape[1] or prod(row.tail[:-1]) != 1:
        raise node.refused(
            f"multiplies rows of the shape {list(row.tail)} by a matrix of the shape "
            f"{list(W.shape)}, which does not fit"
        )
    reader.n_numbers += W.size
    if reader.n_numbers > MOST_NUMBERS:
        raise node.refused(f"brings the parameters over {MOST_NUMBERS:,}")
    before = reader.settled(node, row)
    tail = (*row.tail[:-1], W.shape[1])
    own = np.zeros(()) if b is None else reader.vector(node, b, tail)
    return Row(reader.after(before, W.shape[1], "dense", W=W, b=own), tail)


def _gemm(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    told = node.attributes
    if len(inputs) < 2 or told.get("transA", 0):
        raise node.refused("multiplies rows with each other")
    row, W = reader.row(node, inputs[0]), reader.array(node, inputs[1])
    W = W.T if told.get("transB", 0) else W
    if (alpha := told.get("alpha", 1.0)) != 1.0:
        W = alpha * W
    b = None
    if len(inputs) > 2 and inputs[2] is not None:
        b = told.get("beta", 1.0) * reader.array(node, inputs[2])
    if len(row.tail) != 1:
        raise node.refused(f"multiplies rows of the shape {list(row.tail)}; it takes one dimension")
    return _dense(reader, node, row, W, b)


def _matmul(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    if len(inputs) != 2 or not isinstance(inputs[1], np.ndarray):
        raise node.refused("does not multiply rows by a constant matrix")
    row, W = reader.row(node, inputs[0]), inputs[1]
    if W.ndim != 1:
        return _dense(reader, node, row, W, None)
    result = _dense(reader, node, row, W[:, None], None)
    return Row(result.base, result.tail[:-1])


def _batch_norm(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    if node.attributes.get("training_mode", 0) or len(inputs) != 5:
        raise node.refused("takes the mean of a batch; export the model in evaluation mode")
    row = reader.row(node, inputs[0])
    scale, shift, mean, variance = (reader.array(node, each) for each in inputs[1:])
    sizes = {each.shape for each in (scale, shift, mean, variance)}
    if not row.tail or sizes != {(row.tail[0],)}:
        raise node.refused(f"does not fit rows of the shape {list(row.tail)}")
    below = variance + node.attributes.get("epsilon", 1e-5)
    if not (below > 0).all():
        raise node.refused("has a variance that is not above 0")
    s = scale / np.sqrt(below)
    t = shift - mean * s
    each = row.width // row.tail[0]
    base = reader.settled(node, row)
    return Row(
        reader.after(base, row.width, "diagonal", s=np.repeat(s, each), t=np.repeat(t, each)),
        row.tail,
    )


def _layer_norm(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    row, told = reader.row(node, inputs[0]), node.attributes
    if len(row.tail) != 1 or told.get("axis", -1) not in (1, -1):
        raise node.refused(f"normalizes over more than rows, of the shape {list(row.tail)}")
    epsilon = told.get("epsilon", 1e-5)
    if row.width < 2 or not epsilon > 0:
        raise node.refused("normalizes single numbers, or has an epsilon that is not above 0")
    base = reader.settled(node, row)
    base = reader.after(base, row.width, "norm", epsilon=written(epsilon))
    s = reader.vector(node, reader.array(node, inputs[1]), row.tail)
    t = np.zeros(1)
    if len(inputs) > 2 and inputs[2] is not None:
        t = reader.vector(node, reader.array(node, inputs[2]), row.tail)
    return Row(reader.after(base, row.width, "diagonal", s=s, t=t), row.tail)


def _softmax(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    row = reader.row(node, inputs[0])
    usual = -1 if node.version >= 13 else 1
    if len(row.tail) != 1 or node.attributes.get("axis", usual) not in (1, -1):
        raise node.refused("is not over the numbers of a row")
    kind = "softmax" if node.operator == "Softmax" else "log_softmax"
    base = reader.settled(node, row)
    return Row(reader.after(base, row.width, kind), row.tail)


def _concat(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    """Several inputs side by side, or 1 - p beside p."""
    named = [each for each in inputs if isinstance(each, Input)]
    on_columns = node.attributes.get("axis") in (1, -1)
    n_named = len({each.name for each in named})
    if named and on_columns and n_named == len(inputs) == len(reader.graph.inputs):
        return reader.joined_inputs(named)
    rows = [each for each in inputs if isinstance(each, Row)]
    if len(rows) == len(inputs) == 2 and on_columns and all(each.tail == (1,) for each in rows):
        first, second = rows
        z = np.linspace(-12.0, 12.0, 97)[:, None]
        if first.base is second.base and first.base.width == 1:
            p = evaluated(second, z)
            is_pair = np.allclose(evaluated(first, z) + p, 1.0, rtol=0, atol=1e-9)
            if is_pair and np.allclose(p, sigmoid(z), rtol=0, atol=2e-6):
                base = reader.after(
                    first.base, 2, "dense", W=np.array([[0.0, 1.0]]), b=np.zeros(())
                )
                return Row(reader.after(base, 2, "softmax"), (2,))
    raise node.refused("joins branches of the graph; layers follow each other here")


def _scaler(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    row = reader.row(node, inputs[0])
    offset, scale = (
        reader.vector(node, np.asarray(node.attributes.get(name, usual), float), row.tail)
        for name, usual in (("offset", [0.0]), ("scale", [1.0]))
    )
    base = reader.settled(node, row)
    return Row(reader.after(base, row.width, "diagonal", s=scale, t=-offset * scale), row.tail)


def _linear(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    row, told = reader.row(node, inputs[0]), node.attributes
    n = told.get("targets", 1)
    numbers = np.asarray(told.get("coefficients", []), float)
    if told.get("post_transform", "NONE") != "NONE" or numbers.size != n * row.width or n < 1:
        raise node.refused(f"does not fit rows of {row.width} numbers, or has an output of its own")
    b = np.asarray(told["intercepts"], float) if told.get("intercepts") else None
    return _dense(reader, node, row, numbers.reshape(n, -1).T, b)


LAYER_OPERATORS: dict[tuple[str, str], _Translation] = {
    ("", "Gemm"): _gemm, ("", "MatMul"): _matmul, ("", "BatchNormalization"): _batch_norm,
    ("", "LayerNormalization"): _layer_norm, ("", "Softmax"): _softmax,
    ("", "LogSoftmax"): _softmax, ("", "Concat"): _concat, ("ml", "Scaler"): _scaler,
    ("ml", "LinearRegressor"): _linear,
}  # fmt: skip
