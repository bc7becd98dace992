"""The values of a graph, from what is asked for back to what comes in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DeltapropError, ModelFileError, shown
from deltaprop.interop.onnx_graphs.constants import (
    MISFITS,
    Shape,
    constant_of,
    filled,
    folded,
    shape_of,
)
from deltaprop.interop.onnx_graphs.files import Graph, Node
from deltaprop.interop.onnx_graphs.recognition import recognized
from deltaprop.interop.onnx_graphs.rows import (
    MOST_OPERATIONS,
    Base,
    Operation,
    Row,
    Step,
)

__all__ = ["Input", "Reader", "Value"]

Array = npt.NDArray[Any]
# what takes the numbers of a layer, not parts of an activation
_SETTLING = (
    "MatMul", "Gemm", "LayerNormalization", "Softmax", "LogSoftmax", "ReduceMean", "ReduceSum",
    "ReduceMax", "ReduceSumSquare", "ReduceL2", "ReduceLogSumExp",
)  # fmt: skip


@dataclass(frozen=True)
class Input:
    """One of several inputs, before they are joined to rows."""

    name: str
    width: int


Value: TypeAlias = Row | Array | Shape | Input | None


@dataclass
class Reader:
    """Works out the values of a graph by the operators of ``translations``."""

    graph: Graph
    translations: Any
    known: dict[str, Value] = field(default_factory=dict)
    n_numbers: int = 0  # of all matrices
    _settled: dict[int, tuple[Row, Base | None]] = field(default_factory=dict)

    def value(self, name: str) -> Value:
        """Return a value of the graph."""
        waiting, open_names = [name], set()
        while waiting:
            wanted = waiting[-1]
            if wanted in self.known or not wanted:
                waiting.pop()
                continue
            if self.graph.has_array(wanted):
                self.known[wanted] = self.graph.array(wanted)
                continue
            node = self.graph.nodes.get(wanted)
            if node is None:
                raise ModelFileError(f"Nothing in the graph gives the value {shown(wanted)}.")
            missing = [each for each in node.inputs if each and each not in self.known]
            if missing and wanted in open_names:
                raise node.refused("needs what it gives itself: the graph goes in a circle")
            if missing:
                open_names.add(wanted)
                waiting += missing
                continue
            if wanted != node.outputs[0]:
                raise node.refused(f"gives {shown(wanted)} besides, which is not read")
            inputs = [self.known[each] if each else None for each in node.inputs]
            try:
                self.known[wanted] = self._worked_out(node, inputs)
            except DeltapropError:
                raise
            except MISFITS:
                raise node.refused("does not fit what comes in") from None
        return self.known[name]

    def _worked_out(self, node: Node, inputs: Sequence[Value]) -> Value:
        if node.operator == "Constant":
            return constant_of(self.graph, node)
        rows = [each for each in inputs if isinstance(each, Row | Input)]
        if not rows and not node.domain:
            shapes = [each for each in inputs if isinstance(each, Shape)]
            arrays = [each if isinstance(each, np.ndarray | Shape) else None for each in inputs]
            if shapes:
                return shape_of(node, arrays)
            given = [each if isinstance(each, np.ndarray) else None for each in inputs]
            if node.operator == "ConstantOfShape" and len(given) == 1 and given[0] is not None:
                return filled(self.graph, node, given[0])
            return folded(node, given)
        translation = self.translations.get((node.domain, node.operator))
        if translation is None:
            raise node.refused("is an operation that is not read")
        result: Value = translation(self, node, list(inputs))
        if isinstance(result, Row):
            result = self._in_time(node, result)
        return result

    def _in_time(self, node: Node, row: Row) -> Row:
        """Return a row as the numbers of a layer where it is about to be read as that."""
        readers = self.graph.readers.get(node.outputs[0], [])
        if row.core is None:
            is_due = row.alone and not row.is_base and len(readers) > 1
        else:
            is_due = row.core.joins or any(each in _SETTLING for each in readers)
        base = self._settled_base(row) if is_due else None
        if base is not None:
            row = replace(Row(base, row.tail), alone=True)
        return replace(row, alone=row.alone and len(readers) <= 1) if not row.is_base else row

    def settled(self, node: Node, row: Row) -> Base:
        """Return the base whose numbers a row is; ModelFileError where no layer gives them."""
        base = self._settled_base(row)
        if base is None:
            core = row.core
            assert core is not None
            if core.node.operator == core.operator and core.depth == 1:
                raise core.node.refused("is none of the functions that are registered")
            raise core.node.refused(
                "ends operations that come to none of the functions that are registered"
            )
        return base

    def _settled_base(self, row: Row) -> Base | None:
        if row.is_base:
            return row.base
        if id(row) not in self._settled:
            base: Base | None = row.base
            try:
                steps = recognized(row, is_coarse=self.graph.is_coarse)
            except MISFITS:  # attributes that the operator cannot have
                steps = None
            if steps is None or row.width != row.base.width:
                base = None
            for step in steps or ():
                base = base and Base(row.width, base, step)
            self._settled[id(row)] = (row, base)
        return self._settled[id(row)][1]

    def after(self, base: Base, width: int, kind: str, **told: Any) -> Base:
        """Return the base behind a further step."""
        return Base(width, base, Step(kind, told))

    def joined_inputs(self, inputs: Sequence[Input]) -> Row:
        """Return the rows that several inputs side by side are."""
        width = sum(each.width for each in inputs)
        return Row(Base(width), (width,))

    def row(self, node: Node, value: Value, what: str = "rows of numbers") -> Row:
        """Return a value that has to be rows."""
        if not isinstance(value, Row):
            raise node.refused(f"reads what is not {what}")
        return value

    def array(self, node: Node, value: Value) -> Array:
        """Return a value that has to be constant numbers."""
        if not isinstance(value, np.ndarray):
            raise node.refused("reads what is not constant where only a constant is read")
        return value

    def vector(self, node: Node, array: Array, tail: tuple[int, ...]) -> Array:
        """Return a constant as a number for each column of rows of these sizes, or as one."""
        if array.size == 1 and array.ndim <= len(tail) + 1:
            return array.reshape(1).astype(np.float64)
        try:
            if array.ndim == len(tail) + 1 and array.shape[0] != 1:
                raise ValueError
            whole = np.broadcast_to(array, (1, *tail))
        except ValueError:
            raise node.refused(
                f"joins rows of the shape {list(tail)} with a constant of the shape "
                f"{list(array.shape)}, which does not fit"
            ) from None
        return whole.reshape(-1).astype(np.float64)

    def operation(
        self, node: Node, operator: str, arguments: Sequence[Row | Array], **attributes: Any
    ) -> Row:
        """Return an operation of rows and constants as a row."""
        rows = [each for each in arguments if isinstance(each, Row)]
        own = [self._prepared(each) if isinstance(each, Row) else each for each in arguments]
        rows = [each for each in own if isinstance(each, Row)]
        base = rows[0].base
        if any(each.base is not base for each in rows):
            raise node.refused("joins two branches of the graph; layers follow each other here")
        if len({len(each.tail) for each in rows}) > 1:
            raise node.refused("joins rows of different numbers of dimensions")
        try:
            tail = np.broadcast_shapes(*(each.tail for each in rows))
        except ValueError:
            raise node.refused("joins rows of different lengths") from None
        cores = [each.core for each in rows if each.core is not None]
        depth = 1 + max((core.depth for core in cores), default=0)
        if depth > MOST_OPERATIONS:
            raise node.refused("stands behind too many operations without a layer between them")
        given = [
            self.vector(node, each, tail) if isinstance(each, np.ndarray) else each for each in own
        ]
        is_joining = operator.startswith("Reduce") or operator.endswith("oftmax")
        joins = is_joining or any(core.joins for core in cores)
        sizes = [each.scale.size + each.shift.size - 1 for each in rows]
        sizes += [each.size for each in given if not isinstance(each, Row)]
        differs = any(core.differs for core in cores) or max(sizes) > 1
        core = Operation(node, operator, tuple(given), attributes, depth, joins, differs)
        return Row(base, tail, core, alone=False)

    def _prepared(self, row: Row) -> Row:
        """Return a row as the numbers of a layer where nothing else reads what it is made of."""
        if row.core is None and row.alone and not row.is_base:
            base = self._settled_base(row)
            assert base is not None
            return Row(base, row.tail)
        return row
