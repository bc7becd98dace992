"""to_onnx: a network, or a table model from its raw columns to its answers, as an ONNX graph."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.exporting.sql import cooled
from deltaprop.exporting.words import rows_of, spelt
from deltaprop.interop import onnx_out
from deltaprop.interop.forward import forward
from deltaprop.interop.written.graph import Graph
from deltaprop.model.files import write_atomically
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.tabular.encoding.column import Column

if TYPE_CHECKING:
    from deltaprop.table_models import TableModel

__all__ = ["to_onnx"]


def to_onnx(
    model: Network | TableModel,
    path: str | os.PathLike[str],
    params: Parameters | None = None,
    *,
    dtype: str | None = None,
) -> None:
    """Write a model as an ONNX graph.

    A network's input is "x", of any number of rows. Its outputs are "probabilities", or
    "prediction" of a network that gives no probabilities: p; and beside probabilities "label": the
    number of the class, or for each sigmoid whether it is over 1/2. Each node is an operation of
    the equations of the layers; the stages z1, a1, ... keep their names.

    A table model has an input for each of its columns, of the shape (N, 1): numbers as float64 with
    NaN where one is missing, words and truth values as strings, written as in training; one that
    was never seen, such as "", is missing. Its "label" is the class itself, and "prediction" is in
    the unit of the target.

    Parameters
    ----------
    model : Network or TableModel
        What is to be computed.
    path : path-like
        Where it is written.
    params : Parameters, optional
        The network's; a table model has its own.
    dtype : {"float32", "float64"}, optional
        What the network reads, computes with and gives: float32 as all runtimes do, which is usual
        for a network, or all digits, which is usual for a table model.

    Raises
    ------
    SettingError
        When there is no such dtype, a column or a function of the model cannot be said in ONNX, or
        a number is too large for float32.
    ShapeError
        When the parameters are another network's.
    MissingExtraError
        When onnx is not installed.
    OutputError
        When the file cannot be written.
    """
    from deltaprop.table_models import TableModel

    if isinstance(model, Network):
        if params is None:
            raise SettingError("A network needs its parameters: to_onnx(network, path, params).")
        onnx_out.to_onnx(model, path, params, dtype=dtype or "float32")
        return
    if not isinstance(model, TableModel):
        raise SettingError(
            f"{type(model).__name__} cannot be written as ONNX; expected a Network with its "
            "parameters, or a TableModel."
        )
    if params is not None:
        raise SettingError("A table model has its own parameters; leave params out.")
    onnx = onnx_out.onnx_library()
    members = [cooled(model, parameters) for parameters in model.members]
    chosen = dtype or "float64"
    onnx_out.refuse_unwritable(chosen, members)
    write_atomically(path, _table_graph(onnx, model, members, chosen).SerializeToString())


def _table_graph(onnx: Any, model: TableModel, members: list[Parameters], dtype: str) -> Any:
    encoded = getattr(model.inputs, "columns", None)
    if encoded is None:
        raise SettingError("The model reads images; their pixels are no columns of a table.")
    columns = [column for column in encoded if column.n_outputs]
    graph = Graph(onnx, np.dtype(dtype))
    inputs = [_input_of(graph, column) for column in columns]
    blocks = [_block(graph, column) for column in columns]
    whole = blocks[0] if len(blocks) == 1 else graph.node("Concat", blocks, axis=1)
    x = graph.node("Cast", [whole], to=graph.number_type)
    ends = [graph.add(forward(model.network, each), x) for each in members]
    total = ends[0]
    for end in ends[1:]:
        total = graph.node("Add", [total, end])
    p = graph.node("Div", [total, graph.constant(float(len(ends)))]) if len(ends) > 1 else total
    return onnx_out.finished(graph, inputs, _answers(graph, model, p), tables=True)


def _input_of(graph: Graph, column: Column) -> Any:
    """Return the input of a column; SettingError where ONNX cannot read such cells."""
    if not column.name:
        raise SettingError("A column has no name; an input of ONNX needs one. Name it, and train.")
    if column.plain_cells_are == "number":
        kind = graph.onnx.TensorProto.DOUBLE
    elif column.plain_cells_are == "word":
        kind = graph.onnx.TensorProto.STRING
    elif column.takes_ranges:
        raise SettingError(
            f"The numbers of column {column.name!r} were written in a way of their own in "
            f"training ({column.note}); in ONNX they have to be plain. Convert them, and train "
            "again."
        )
    else:
        raise SettingError(
            f"Column {column.name!r} is a {column.kind_names[0]}; ONNX has no way to make its "
            "inputs. Train without it, or predict with deltaprop."
        )
    graph.reserve(column.name)
    return graph.onnx.helper.make_tensor_value_info(column.name, kind, ["N", 1])


def _block(graph: Graph, column: Column) -> str:
    """Add what a column becomes, of the shape (N, n_outputs), in float64."""
    return _numbers(graph, column) if column.plain_cells_are == "number" else _words(graph, column)


def _numbers(graph: Graph, column: Column) -> str:
    """Add ``scaling.squash`` and ``ranges.shares`` of a column of numbers."""

    def node(operator: str, *inputs: str, **told: Any) -> str:
        return graph.node(operator, list(inputs), **told)

    def number(value: object) -> str:
        return graph.constant(value, dtype=np.float64)

    value = column.name
    missing, half = node("IsNaN", value), node("Mul", value, number(0.5))
    blocks = []
    for output in column.outputs:
        if output.part == "missing":
            there, away = output.squashed(np.array([0.0, 1.0]))
            blocks.append(node("Where", missing, number(away), number(there)))
            continue
        from_center = node("Sub", half, number(output.center * 0.5))
        far = node("Mul", from_center, number(2 * output.scale))
        kept = node("Min", node("Max", far, number(-1e30)), number(1e30))
        third = node("Div", kept, number(3.0))
        below = node("Sqrt", node("Add", node("Mul", third, third), number(1.0)))
        blocks.append(node("Where", missing, number(0.0), node("Div", kept, below)))
    if column.range_edges:
        low, high = np.array([[a * 0.5, b * 0.5] for a, b in pairwise(column.range_edges)]).T
        usual = (np.clip(column.outputs[0].center * 0.5, low, high) - low) / (high - low)
        inside = node("Min", node("Max", half, number(low)), number(high))
        share = node("Div", node("Sub", inside, number(low)), number(high - low))
        blocks.append(node("Where", missing, number(0.0), node("Sub", share, number(usual))))
    return blocks[0] if len(blocks) == 1 else node("Concat", *blocks, axis=1)


def _words(graph: Graph, column: Column) -> str:
    """Add the row of a table for each word that is a category, and one for all others."""
    known = [(word, code + 1) for word, code in spelt(column)]
    code = graph.node(
        "LabelEncoder", [column.name], domain="ai.onnx.ml", keys_strings=[w for w, _ in known],
        values_int64s=[code for _, code in known], default_int64=0,
    )  # fmt: skip
    flat = graph.node("Reshape", [code, graph.constant([-1], "shape", np.int64)])
    table = rows_of(column)
    rows = graph.constant(table, f"{column.name}_rows", np.float64)
    return graph.node("Gather", [rows, flat], axis=0)


def _answers(graph: Graph, model: TableModel, p: str) -> list[Any]:
    """Add what a model says, from the mean of its networks' outputs, and return the outputs."""
    made, target, n = graph.onnx.helper.make_tensor_value_info, model.target, model.network.n_out
    if model.limits is not None:
        low, high = (graph.constant(np.asarray(limit)[:n]) for limit in model.limits)
        p = graph.node("Min", [graph.node("Max", [p, low]), high])
    if target.task == "regression":
        scaled = graph.node("Mul", [p, graph.constant(np.asarray(target.std))])
        last = graph.node("Add", [scaled, graph.constant(np.asarray(target.mean))], "prediction")
        return [made(last, graph.number_type, ["N", n])]
    classes: npt.NDArray[Any] = np.asarray(target.classes)
    if target.task == "multilabel":
        over = graph.node("Greater", [p, graph.constant(0.5)])
        index = graph.node("Cast", [over], to=graph.onnx.TensorProto.INT64)
        shape: list[str | int] = ["N", n]
    else:
        if n == 1:
            other = graph.node("Sub", [graph.constant(1.0), p])
            p, n = graph.node("Concat", [other, p], axis=1), 2
        index = graph.node("ArgMax", [p], axis=1, keepdims=0)
        shape = ["N"]
    probabilities = graph.node("Identity", [p], "probabilities")
    named = graph.objects(classes)
    label = graph.node("Gather", [named, index], "label", axis=0)
    kind = graph.onnx.helper.np_dtype_to_tensor_dtype(graph.initializers[named].dtype)
    return [made(probabilities, graph.number_type, ["N", n]), made(label, kind, shape)]
