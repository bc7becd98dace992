"""Arrays that a graph works out by itself, and the shapes that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.interop.onnx_graphs.files import Graph, Node
from deltaprop.interop.onnx_graphs.operators import OPERATORS

__all__ = ["MISFITS", "Shape", "axes_of", "constant_of", "filled", "folded", "shape_of"]

Array = npt.NDArray[Any]
_MOST = 2**24  # numbers that something small may become
_FLOATS = (1, 10, 11, 16)  # FLOAT, FLOAT16, DOUBLE, BFLOAT16
# what becomes of attributes and inputs that an operator cannot have
MISFITS = (
    ArithmeticError, AttributeError, AssertionError, LookupError, TypeError, ValueError,
)  # fmt: skip
_ARITHMETIC = (
    "Add", "Sub", "Mul", "Div", "Neg", "Sqrt", "Reciprocal", "Pow", "Abs", "Exp", "Log", "Min",
    "Max", "Sum", "Greater", "Less", "Equal", "Not", "Where",
)  # fmt: skip
_WHOLE = (2, 3, 4, 5, 6, 7, 12, 13)


@dataclass(frozen=True)
class Shape:
    """Sizes, or one of them, as a value of the graph; None is the number of rows."""

    sides: tuple[int | None, ...]
    is_one: bool = False


def constant_of(graph: Graph, node: Node) -> Array:
    """Return what a Constant is."""
    told = node.attributes
    if (tensor := told.get("value")) is not None:
        return graph.numbers(tensor, node.called)
    for name in ("value_float", "value_floats"):
        if name in told:
            return np.asarray(told[name], dtype=np.float64)
    for name in ("value_int", "value_ints"):
        if name in told:
            return np.asarray(told[name], dtype=np.int64)
    raise node.refused("holds no numbers")


def filled(graph: Graph, node: Node, shape: Array) -> Array:
    """Return what ConstantOfShape comes to."""
    value = node.attributes.get("value")
    one = np.zeros(1) if value is None else graph.numbers(value, node.called)
    return _expanded(node, one, shape)


def axes_of(node: Node, given: Array | None) -> list[int] | None:
    """Return the axes of a node: an attribute in older opsets, an input in newer ones."""
    if given is not None:
        return [int(each) for each in np.atleast_1d(given)]
    told = node.attributes.get("axes")
    return None if told is None else [int(each) for each in told]


def folded(node: Node, inputs: Sequence[Array | None]) -> Array:
    """Return what a node of constants comes to."""
    given = [each for each in inputs if each is not None]
    try:
        with np.errstate(all="ignore"):
            if node.operator in _FOLDED and given:
                result = _FOLDED[node.operator](node, *inputs)
            elif node.operator in _ARITHMETIC and given:
                if prod(np.broadcast_shapes(*(each.shape for each in given))) > _MOST:
                    raise node.refused("makes too many numbers of a few")
                result = np.asarray(OPERATORS[node.operator](*given))
                if all(each.dtype == np.int64 for each in given) and result.dtype != np.bool_:
                    result = np.trunc(result).astype(np.int64)
            else:
                raise node.refused("is an operation that is not read")
    except MISFITS:
        raise node.refused("does not fit what comes in") from None
    return result


def shape_of(node: Node, inputs: Sequence[Shape | Array | None]) -> Shape:
    """Return what a node makes of sizes, some of which are known only for rows that are there."""
    sides: list[int | None] = []
    first = inputs[0]
    arrays = [each for each in inputs[1:] if isinstance(each, np.ndarray)]
    match node.operator, first:
        case ("Identity" | "Cast", Shape()):
            return first
        case ("Unsqueeze", Shape(is_one=True)):
            return Shape(first.sides)
        case ("Squeeze", Shape(sides=(one,))):
            return Shape((one,), is_one=True)
        case ("Gather", Shape()) if arrays:
            places = arrays[0]
            try:
                sides = [first.sides[int(place)] for place in places.reshape(-1)]
            except IndexError:
                raise node.refused("asks for a size that there is not") from None
            return Shape(tuple(sides), is_one=places.ndim == 0)
        case ("Slice", Shape()) if len(arrays) >= 2 and all(each.size == 1 for each in arrays):
            step = int(arrays[3].item()) if len(arrays) > 3 else 1
            if step:
                return Shape(first.sides[int(arrays[0].item()) : int(arrays[1].item()) : step])
        case ("Concat", _):
            for each in inputs:
                sides += each.sides if isinstance(each, Shape) else _whole(each)
            return Shape(tuple(sides))
    raise node.refused("does with the shape of rows what is not read")


def _whole(array: Array | None) -> list[int]:
    return [] if array is None else [int(each) for each in array.reshape(-1)]


def _cast(node: Node, array: Array) -> Array:
    kind = node.attributes.get("to")
    if kind in _FLOATS:
        return array.astype(np.float64)
    if kind in _WHOLE:
        return np.trunc(array).astype(np.int64)
    return array.astype(np.bool_)


def _reshape(node: Node, array: Array, shape: Array) -> Array:
    keeps = not node.attributes.get("allowzero", 0)
    sides = [array.shape[i] if keeps and side == 0 else int(side) for i, side in enumerate(shape)]
    return array.reshape(sides)


def _squeeze(node: Node, array: Array, given: Array | None = None) -> Array:
    axes = axes_of(node, given)
    return np.squeeze(array, None if axes is None else tuple(axes))


def _unsqueeze(node: Node, array: Array, given: Array | None = None) -> Array:
    return np.expand_dims(array, tuple(axes_of(node, given) or ()))


def _flatten(node: Node, array: Array) -> Array:
    axis = node.attributes.get("axis", 1)
    return array.reshape(prod(array.shape[:axis]), -1)


def _expanded(node: Node, array: Array, shape: Array) -> Array:
    sides = tuple(int(side) for side in shape)
    if any(side < 0 for side in sides) or prod(sides) > _MOST:
        raise node.refused("makes too many numbers of a few")
    return np.broadcast_to(array, np.broadcast_shapes(array.shape, sides))


def _gemm(node: Node, a: Array, b: Array, c: Array | None = None) -> Array:
    told = node.attributes
    a = a.T if told.get("transA") else a
    b = b.T if told.get("transB") else b
    _refuse_large(node, a, b)
    result = told.get("alpha", 1.0) * (a @ b)
    return np.asarray(result if c is None else result + told.get("beta", 1.0) * c)


def _matmul(node: Node, a: Array, b: Array) -> Array:
    _refuse_large(node, a, b)
    return np.asarray(a @ b)


def _refuse_large(node: Node, a: Array, b: Array) -> None:
    columns = b.shape[-1] if b.ndim > 1 else 1
    if a.size * columns > _MOST * 256 or a.size // max(1, a.shape[-1]) * columns > _MOST:
        raise node.refused("multiplies constants that are too large")


def _concat(node: Node, *arrays: Array) -> Array:
    if sum(array.size for array in arrays) > 8 * _MOST:
        raise node.refused("makes too many numbers of a few")
    return np.concatenate(arrays, node.attributes["axis"])


def _gather(node: Node, array: Array, places: Array) -> Array:
    axis = node.attributes.get("axis", 0)
    if places.size * (array.size // max(1, array.shape[axis])) > 8 * _MOST:
        raise node.refused("makes too many numbers of a few")
    return np.take(array, places, axis=axis)


_FOLDED: dict[str, Callable[..., Array]] = {
    "Identity": lambda _node, array: array,
    "Dropout": lambda _node, array, *_: array,
    "Cast": _cast,
    "CastLike": lambda _node, array, like: array.astype(like.dtype),
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Flatten": _flatten,
    "Transpose": lambda node, array: np.transpose(array, node.attributes.get("perm")),
    "Expand": _expanded,
    "Concat": _concat,
    "Shape": lambda _node, array: np.array(array.shape, dtype=np.int64),
    "Gather": _gather,
    "Gemm": _gemm,
    "MatMul": _matmul,
}
