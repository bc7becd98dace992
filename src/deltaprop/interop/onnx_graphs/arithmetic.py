"""How the operators that work entry by entry, or only turn rows, are read."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.interop.onnx_graphs.constants import Shape, axes_of
from deltaprop.interop.onnx_graphs.files import Node
from deltaprop.interop.onnx_graphs.reader import Input, Reader, Value
from deltaprop.interop.onnx_graphs.rows import Row

__all__ = ["ARITHMETIC", "moved"]

Array = npt.NDArray[Any]
_Translation = Callable[[Reader, Node, list[Value]], Value]
_FLOATS = (1, 10, 11, 16)  # FLOAT, FLOAT16, DOUBLE, BFLOAT16
_TRUTHS = ("Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal", "And", "Or", "Not")
# operators of one row, and which attributes they have
_OF_ONE = {
    "Abs": (), "Exp": (), "Log": (), "Sqrt": (), "Reciprocal": (), "Tanh": (), "Sin": (),
    "Cos": (), "Tan": (), "Sinh": (), "Cosh": (), "Atan": (), "Asinh": (), "Sign": (), "Erf": (),
    "Sigmoid": (), "Softplus": (), "Softsign": (), "Relu": (), "Mish": (), "HardSwish": (),
    "Not": (), "LeakyRelu": ("alpha",), "ThresholdedRelu": ("alpha",), "Elu": ("alpha",),
    "Selu": ("alpha", "gamma"), "Celu": ("alpha",), "Gelu": ("approximate",),
    "Swish": ("alpha",), "HardSigmoid": ("alpha", "beta"), "Shrink": ("bias", "lambd"),
}  # fmt: skip
_OF_SEVERAL = ("Pow", "Min", "Max", "Sum", "Mean", "PRelu", "Where", *_TRUTHS[:-1])


def moved(row: Row, node: Node, reader: Reader, tail: tuple[int, ...]) -> Row:
    """Return the same numbers in rows of other sizes."""
    alone = row.alone and len(reader.graph.readers.get(node.inputs[0], [])) <= 1
    return Row(row.base, tail, row.core, row.scale, row.shift, alone)


def _same(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    value = inputs[0]
    return moved(value, node, reader, value.tail) if isinstance(value, Row) else value


def _dropout(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    if len(inputs) > 2 and inputs[2] is not None:
        training = inputs[2]
        if not isinstance(training, np.ndarray) or training.any():
            raise node.refused("drops numbers in training; export the model in evaluation mode")
    return _same(reader, node, inputs)


def _cast(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    value = inputs[0]
    if isinstance(value, Input):
        return value
    row = reader.row(node, value)
    if row.core is not None and row.core.operator in _TRUTHS and row.is_plain:
        return reader.operation(node, "Truth", [row])
    if node.operator == "Cast" and node.attributes.get("to") not in _FLOATS:
        raise node.refused("makes whole numbers of rows")
    return _same(reader, node, inputs)


def _of_one(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    told = {
        name: node.attributes[name] for name in _OF_ONE[node.operator] if name in node.attributes
    }
    row = reader.row(node, inputs[0])
    step = row.base.step
    if node.operator == "Log" and row.is_base and step is not None and step.kind == "softmax":
        assert row.base.before is not None
        return Row(reader.after(row.base.before, row.width, "log_softmax"), row.tail)
    return reader.operation(node, node.operator, [row], **told)


def _of_several(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    given = [each for each in inputs if isinstance(each, Row | np.ndarray)]
    if len(given) != len(inputs):
        raise node.refused("reads what is neither rows nor constants")
    return reader.operation(node, node.operator, given)


def _clip(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    told = {
        name: float(node.attributes[name]) for name in ("min", "max") if name in node.attributes
    }
    for name, value in zip(("min", "max"), inputs[1:], strict=False):
        if value is not None:
            told[name] = float(reader.array(node, value).reshape(-1)[0])
    return reader.operation(node, "Clip", [reader.row(node, inputs[0])], **told)


def _neg(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    return _affine(reader, node, reader.row(node, inputs[0]), -np.ones(1), None)


def _affine(reader: Reader, node: Node, row: Row, s: Array, t: Array | None) -> Row:
    """Return row s + t, which is no more than other numbers of the steps beside it."""
    name = next(name for name in node.inputs if reader.known.get(name) is row)
    result = row.times(s) if t is None else row.times(s).plus(t)
    alone = row.alone and len(reader.graph.readers.get(name, [])) <= 1
    return Row(result.base, result.tail, result.core, result.scale, result.shift, alone)


def _joined(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    """Add, Sub, Mul or Div: of a row and a constant another scale or shift of the row."""
    if len(inputs) != 2:
        raise node.refused(f"has {len(inputs)} inputs; it needs 2")
    first, second = inputs
    operator = node.operator
    if isinstance(first, Row) and isinstance(second, Row):
        return reader.operation(node, operator, [first, second])
    row = first if isinstance(first, Row) else reader.row(node, second)
    array = reader.array(node, second if row is first else first)
    wide = row.width == 1 < array.size and row.core is not None and row.core.joins
    if wide:  # the mean of a row, and a number for each column
        return reader.operation(node, operator, [row, array] if row is first else [array, row])
    c = reader.vector(node, array, row.tail)
    match operator:
        case "Add":
            return _affine(reader, node, row, np.ones(1), c)
        case "Sub" if row is first:
            return _affine(reader, node, row, np.ones(1), -c)
        case "Sub":
            return _affine(reader, node, row, -np.ones(1), c)
        case "Mul":
            return _affine(reader, node, row, c, None)
        case _ if row is not first:
            return reader.operation(node, "Div", [array, row])
    if not c.all():
        raise node.refused("divides by 0")
    return _affine(reader, node, row, 1.0 / c, None)


def _reduced(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    row = reader.row(node, inputs[0])
    given = inputs[1] if len(inputs) > 1 else None
    axes = axes_of(node, None if given is None else reader.array(node, given))
    if len(row.tail) != 1 or axes not in ([1], [-1]):
        raise node.refused("takes numbers of several rows, or of a part of them, together")
    result = reader.operation(node, node.operator, [row])
    keeps = node.attributes.get("keepdims", 1)
    return Row(result.base, (1,) if keeps else (), result.core, alone=False)


def _flatten(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    row = reader.row(node, inputs[0])
    axis = node.attributes.get("axis", 1)
    if axis not in (1, 1 - (len(row.tail) + 1)):
        raise node.refused("joins rows with each other")
    return moved(row, node, reader, (prod(row.tail),))


def _reshape(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    row, wanted = reader.row(node, inputs[0]), inputs[1] if len(inputs) > 1 else None
    if isinstance(wanted, Shape):
        sides: list[int | None] = list(wanted.sides)
    else:
        array = reader.array(node, wanted).reshape(-1)
        sides = [int(side) for side in array]
        whole = (None, *row.tail)
        if not node.attributes.get("allowzero", 0):
            sides = [
                whole[i] if side == 0 and i < len(whole) else side for i, side in enumerate(sides)
            ]
    left = row.width
    if not sides or sides[0] not in (None, -1, 1, reader.graph.inputs[0].n_rows):
        raise node.refused("joins rows with each other")
    tail = sides[1:]
    if any(side is None or (side < 1 and side != -1) for side in tail) or tail.count(-1) > 1:
        raise node.refused(f"makes rows of {row.width} numbers something else")
    known = prod(side for side in tail if side is not None and side != -1)
    if -1 in tail:
        if sides[0] == -1 or left % known:
            raise node.refused(f"makes rows of {row.width} numbers something else")
        tail = [left // known if side == -1 else side for side in tail]
        known = left
    if known != left:
        raise node.refused(f"makes rows of {row.width} numbers something else")
    return moved(row, node, reader, tuple(side for side in tail if side is not None))


def _squeeze(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    row = reader.row(node, inputs[0])
    given = inputs[1] if len(inputs) > 1 else None
    axes = axes_of(node, None if given is None else reader.array(node, given))
    rank = len(row.tail) + 1
    if axes is None:
        axes = [i + 1 for i, side in enumerate(row.tail) if side == 1]
    gone = {axis % rank if -rank <= axis < rank else 0 for axis in axes}
    if 0 in gone or any(row.tail[axis - 1] != 1 for axis in gone):
        raise node.refused("takes away a dimension that is not of size 1")
    tail = tuple(side for i, side in enumerate(row.tail, 1) if i not in gone)
    return moved(row, node, reader, tail)


def _unsqueeze(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    row = reader.row(node, inputs[0])
    given = inputs[1] if len(inputs) > 1 else None
    axes = axes_of(node, None if given is None else reader.array(node, given)) or []
    rank = len(row.tail) + 1 + len(axes)
    places = {axis % rank if -rank <= axis < rank else 0 for axis in axes}
    if 0 in places or len(places) != len(axes):
        raise node.refused("puts a dimension before the rows")
    sides = iter(row.tail)
    return moved(
        row, node, reader, tuple(1 if i in places else next(sides) for i in range(1, rank))
    )


def _transpose(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    row = reader.row(node, inputs[0])
    rank = len(row.tail) + 1
    order = list(node.attributes.get("perm", range(rank)[::-1]))
    moving = [axis for axis in order if axis == 0 or (0 < axis < rank and row.tail[axis - 1] > 1)]
    if sorted(order) != list(range(rank)) or order[:1] != [0] or moving != sorted(moving):
        raise node.refused("puts numbers of rows in another order")
    return moved(row, node, reader, tuple(row.tail[axis - 1] for axis in order[1:]))


def _shape(reader: Reader, node: Node, inputs: list[Value]) -> Value:
    row = reader.row(node, inputs[0])
    sides = (None, *row.tail)
    return Shape(sides[node.attributes.get("start", 0) : node.attributes.get("end", len(sides))])


ARITHMETIC: dict[tuple[str, str], _Translation] = {
    **{("", name): _of_one for name in _OF_ONE},
    **{("", name): _of_several for name in _OF_SEVERAL},
    **{("", name): _joined for name in ("Add", "Sub", "Mul", "Div")},
    **{
        ("", name): _reduced
        for name in (
            "ReduceMean", "ReduceSum", "ReduceMax", "ReduceSumSquare", "ReduceL2",
            "ReduceLogSumExp",
        )
    },
    ("", "Identity"): _same, ("", "Cast"): _cast, ("", "CastLike"): _cast,
    ("", "Dropout"): _dropout, ("", "Clip"): _clip, ("", "Neg"): _neg,
    ("", "Flatten"): _flatten, ("", "Reshape"): _reshape, ("", "Squeeze"): _squeeze,
    ("", "Unsqueeze"): _unsqueeze, ("", "Transpose"): _transpose, ("", "Shape"): _shape,
    ("ml", "ZipMap"): _same, ("com.microsoft", "Gelu"): _of_one,
}  # fmt: skip
