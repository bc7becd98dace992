"""The stages of a network as the nodes of an ONNX graph.

Only operators that there have been since opset 13, and for which onnxruntime has kernels of float64
beside those of float32; what they lack is made of what they have.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.functional.arithmetic import evaluate
from deltaprop.functional.expressions import (
    Call,
    Comparison,
    Expression,
    Matrix,
    MatrixProduct,
    Number,
    Power,
    Product,
    Quotient,
    Reduced,
    Sum,
    Transposed,
    matrices,
)
from deltaprop.functional.normal import erfc_series
from deltaprop.interop.forward import Stage

__all__ = ["Graph"]

Array = npt.NDArray[Any]
_RELATIONS = {
    ">": "Greater", ">=": "GreaterOrEqual", "<": "Less", "<=": "LessOrEqual", "==": "Equal",
}  # fmt: skip
_FUNCTIONS = {"exp": "Exp", "log": "Log", "tanh": "Tanh", "sqrt": "Sqrt", "abs": "Abs",
              "cos": "Cos", "sin": "Sin"}  # fmt: skip
_POLYNOMIAL = np.polynomial.chebyshev.cheb2poly(np.array(erfc_series()))


@dataclass
class Graph:
    """Nodes and initializers, in the order in which they were added.

    ``onnx`` is the library; ``dtype`` of all numbers. A result that is needed again is worked out
    once.
    """

    onnx: Any
    dtype: npt.DTypeLike
    nodes: list[Any] = field(default_factory=list)
    initializers: dict[str, Array] = field(default_factory=dict)
    _known: dict[tuple[Any, ...], str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _stages: dict[str, str] = field(default_factory=dict)  # what the stages are called here

    def add(self, stages: Sequence[Stage], x: str = "x") -> str:
        """Add the nodes of stages, each a tensor of its name; return what the last is called.

        ``x`` is the tensor that comes in.
        """
        self._stages = {"x": x}
        for stage in stages:
            parts = [self.written(part.tree) for part in stage.parts]
            if len(parts) > 1:
                name = self.node("Concat", parts, name=stage.name, axis=1)
            elif parts[0] not in self._stages.values() and self._is_last(parts[0]):
                name = self._rename(parts[0], stage.name)
            else:
                name = self.node("Identity", parts, name=stage.name)
            self._stages[stage.name] = name
        return self._stages[stages[-1].name]

    def node(self, operator: str, inputs: Sequence[str], name: str = "", **told: Any) -> str:
        """Add a node, unless there is the same already, and return what its result is called."""
        key = (operator, *inputs, *((k, str(v)) for k, v in sorted(told.items())))
        if not name and key in self._known:
            return self._known[key]
        name = self._free(name or operator.lower())
        self._known[key] = name
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, [name], name, **told))
        return name

    def constant(self, value: object, name: str = "", dtype: npt.DTypeLike | None = None) -> str:
        """Add an array of numbers as an initializer, and return what it is called."""
        array = np.asarray(value, dtype=dtype or self.dtype)
        key = ("constant", str(array.dtype), array.shape, array.tobytes())
        if key not in self._known:
            name = self._free(name or "number")
            self._known[key] = name
            self.initializers[name] = array
        return self._known[key]

    def objects(self, values: Array) -> str:
        """Add an array of classes, which may be words, and return what it is called."""
        name = self._free("classes")
        is_of_numbers = values.dtype.kind in "biuf"
        self.initializers[name] = values if is_of_numbers else values.astype(object)
        return name

    def written(self, tree: Expression) -> str:
        """Add what a tree comes to, and return what it is called."""
        if not matrices(tree):
            return self.constant(evaluate(tree))
        of = self.written
        match tree:
            case Matrix():
                return self._array(tree)
            case Sum(terms=(only,), signs=(-1,)):
                return self.node("Neg", [of(only)])
            case Sum(terms=terms, signs=signs):
                return self._sum(terms, signs)
            case Product(factors=factors):
                return self._chain("Mul", [of(factor) for factor in factors])
            case Quotient(above=above, below=below):
                return self.node("Div", [of(above), of(below)])
            case Power(base=base, exponent=Number(text="2")):
                return self.node("Mul", [of(base)] * 2)
            case Power(base=base, exponent=exponent):
                return self.node("Pow", [of(base), of(exponent)])
            case MatrixProduct(left=left, right=right):
                return self.node("MatMul", [of(left), of(right)])
            case Comparison(left=left, relation=relation, right=right):
                holds = self.node(_RELATIONS[relation], [of(left), of(right)])
                return self.node("Cast", [holds], to=self.number_type)
            case Call(name="max", arguments=arguments):
                return self._largest_of(arguments)
            case Call(name=name, arguments=(argument,)):
                return self._called(name, of(argument))
            case Reduced(name="total", of=inner):
                axes = self.constant([1], "axes", np.int64)
                return self.node("ReduceSum", [of(inner), axes], keepdims=1)
            case Reduced(name="mean" | "largest" as name, of=inner):
                operator = "ReduceMean" if name == "mean" else "ReduceMax"
                return self.node(operator, [of(inner)], axes=[1], keepdims=1)
            case Transposed(of=inner):
                return self.node("Transpose", [of(inner)], perm=[1, 0])
            case _:
                raise TypeError(f"{tree!r} is in no formula of arrays.")

    @property
    def number_type(self) -> int:
        """Return the type of all numbers as ONNX counts types."""
        kind: int = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype))
        return kind

    def _array(self, matrix: Matrix) -> str:
        """Return an array of parameters, or some of its rows; a stage, or some of its columns."""
        if not matrix.part.startswith(":,"):
            if matrix.id in self._stages:
                return self._stages[matrix.id]
            values = matrix.values[0] if len(matrix.origin) == 1 else matrix.values
            return self.constant(values, matrix.id + (f"[{matrix.part}]" if matrix.part else ""))
        start, _, stop = matrix.part.removeprefix(":, ").partition(":")
        ends = [self.constant([int(end)], "place", np.int64) for end in (start, stop)]
        return self.node(
            "Slice", [self._stages[matrix.id], *ends, self.constant([1], "axes", np.int64)]
        )

    def _sum(self, terms: Sequence[Expression], signs: Sequence[int]) -> str:
        result = self.written(terms[0])
        if signs[0] < 0:
            result = self.node("Neg", [result])
        for term, sign in zip(terms[1:], signs[1:], strict=True):
            result = self.node("Add" if sign > 0 else "Sub", [result, self.written(term)])
        return result

    def _chain(self, operator: str, names: Sequence[str]) -> str:
        result = names[0]
        for name in names[1:]:
            result = self.node(operator, [result, name])
        return result

    def _largest_of(self, arguments: Sequence[Expression]) -> str:
        numbers = [each for each in arguments if not matrices(each)]
        others = [self.written(each) for each in arguments if matrices(each)]
        if len(others) == 1 and [evaluate(each) for each in numbers] == [0.0]:
            return self.node("Relu", others)
        return self.node("Max", [*others, *map(self.written, numbers)])

    def _called(self, name: str, z: str) -> str:
        match name:
            case "log1p":
                return self.node("Log", [self.node("Add", [z, self.constant(1.0)])])
            case "expm1":
                return self.node("Sub", [self.node("Exp", [z]), self.constant(1.0)])
            case "Phi":
                return self._normal_cdf(z)
            case "erf":
                scaled = self.node("Mul", [z, self.constant(math.sqrt(2.0))])
                doubled = self.node("Mul", [self._normal_cdf(scaled), self.constant(2.0)])
                return self.node("Sub", [doubled, self.constant(1.0)])
            case _:
                return self.node(_FUNCTIONS[name], [z])

    def _normal_cdf(self, z: str) -> str:
        """Add Phi(z): by Erf in float32, for which alone there is one, else by its series."""
        node, number = self.node, self.constant
        if np.dtype(self.dtype) == np.float32:
            erf = node("Erf", [node("Mul", [z, number(math.sqrt(0.5))])])
            return node("Mul", [node("Add", [erf, number(1.0)]), number(0.5)])
        x = node("Mul", [node("Abs", [z]), number(math.sqrt(0.5))])
        t = node("Div", [number(2.0), node("Add", [x, number(2.0)])])
        place = node("Sub", [node("Mul", [t, number(2.0)]), number(1.0)])
        series = number(_POLYNOMIAL[-1])
        for coefficient in _POLYNOMIAL[-2::-1]:
            series = node("Add", [node("Mul", [series, place]), number(coefficient)])
        near = node("Min", [x, number(1e3)])
        density = node("Exp", [node("Sub", [series, node("Mul", [near, near])])])
        tail = node("Mul", [node("Mul", [t, density]), number(0.5)])
        below = node("Less", [z, number(0.0)])
        return node("Where", [below, tail, node("Sub", [number(1.0), tail])])

    def _is_last(self, name: str) -> bool:
        return bool(self.nodes) and list(self.nodes[-1].output) == [name]

    def _rename(self, name: str, wanted: str) -> str:
        """Give the result of the last node the name of its stage."""
        known = next(key for key, own in self._known.items() if own == name)
        self._taken.remove(name)
        wanted = self._known[known] = self._free(wanted)
        self.nodes[-1].output[0] = self.nodes[-1].name = wanted
        return wanted

    def _free(self, name: str) -> str:
        number, found = 1, name
        while found in self._taken:
            number += 1
            found = f"{name}_{number}"
        self._taken.add(found)
        return found

    def reserve(self, name: str) -> None:
        """Keep a name for what comes in."""
        self._taken.add(name)
