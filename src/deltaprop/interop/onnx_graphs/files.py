"""An ONNX file as nodes and arrays.

Nothing that it says of itself is believed before it is held against what is there: sizes, places in
other files, names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import ModelFileError, shown

__all__ = ["Graph", "Input", "Node", "read_graph"]

Array = npt.NDArray[Any]
MOST_BYTES = 2**31
MOST_INPUTS = 2**22  # columns
_OLDEST_OPSET = 7
_NO_NUMBERS = (8, 14, 15)  # STRING, COMPLEX64, COMPLEX128
_LOOKING = ("Shape", "Size", "ArgMax")  # what reads a value and does nothing with its numbers
# the types of numbers that there are in files, with the bytes of each, and where they stand
_KINDS = {
    "FLOAT": (4, "float_data"), "DOUBLE": (8, "double_data"), "FLOAT16": (2, "int32_data"),
    "BFLOAT16": (2, "int32_data"), "INT64": (8, "int64_data"), "INT32": (4, "int32_data"),
    "INT16": (2, "int32_data"), "INT8": (1, "int32_data"), "UINT8": (1, "int32_data"),
    "UINT16": (2, "int32_data"), "BOOL": (1, "int32_data"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Node:
    """One operation; ``version`` is the opset that says what it means."""

    operator: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    version: int

    @property
    def called(self) -> str:
        """Return what a message calls it: its name, or what it gives, and its operator."""
        own = self.name or (self.outputs[0] if self.outputs else "")
        operator = f"{self.domain}.{self.operator}" if self.domain else self.operator
        return f"The node {shown(own)} ({shown(operator)[1:-1]})"

    def refused(self, why: str) -> ModelFileError:
        """Return the error that says why it cannot be read."""
        return ModelFileError(f"{self.called} {why}.")


@dataclass(frozen=True)
class Input:
    """What goes into a graph: the sizes of a row, None where the file does not say.

    ``n_rows`` is how many rows it is made for, where it is for so many alone.
    """

    name: str
    tail: tuple[int | None, ...]
    n_rows: int | None = None


@dataclass
class Graph:
    """The nodes by what they give, and the arrays by name, which are read when they are needed."""

    inputs: list[Input]
    outputs: dict[str, bool]  # whether it may be numbers of a row, not labels
    nodes: dict[str, Node]
    readers: dict[str, list[str]]  # the operators of the nodes that read a value
    is_coarse: bool = False  # whether numbers have no more than some three digits
    _tensors: dict[str, Any] = field(default_factory=dict)
    _onnx: Any = None
    _folder: Path = Path()

    def has_array(self, name: str) -> bool:
        """Return whether an initializer is called so."""
        return name in self._tensors

    def array(self, name: str) -> Array:
        """Return an initializer as numbers."""
        return self.numbers(self._tensors[name], f"The initializer {shown(name)}")

    def numbers(self, tensor: Any, what: str) -> Array:
        """Return a tensor of the file as an array: float64, or int64 where it has whole numbers."""
        kind, shape = _kind_of(self._onnx, tensor, what), tuple(tensor.dims)
        size, place = _KINDS[kind]
        if any(side < 0 for side in shape) or prod(shape) * size > MOST_BYTES:
            raise ModelFileError(f"{what} says that it has the shape {shown(list(shape))}.")
        external = tensor.data_location == self._onnx.TensorProto.EXTERNAL
        if external:
            data = self._from_elsewhere(tensor, prod(shape) * size, what)
            tensor = self._onnx.TensorProto(data_type=tensor.data_type, dims=shape, raw_data=data)
        is_raw = tensor.HasField("raw_data")
        there = len(tensor.raw_data) // size if is_raw else len(getattr(tensor, place))
        if there != prod(shape) or (is_raw and len(tensor.raw_data) % size):
            raise ModelFileError(
                f"{what} has the shape {shown(list(shape))}, but {there} numbers stand there."
            )
        array = self._onnx.numpy_helper.to_array(tensor)
        if "FLOAT" not in kind and kind != "DOUBLE":
            return np.asarray(array, dtype=np.bool_ if kind == "BOOL" else np.int64)
        found = np.asarray(array, dtype=np.float64)
        if not np.isfinite(found).all():
            raise ModelFileError(f"{what} holds a number that is infinite or NaN.")
        return found

    def _from_elsewhere(self, tensor: Any, size: int, what: str) -> bytes:
        """Return the bytes of a tensor that stand in a file beside this one."""
        told = {entry.key: entry.value for entry in tensor.external_data}
        name = told.get("location", "")
        if not name or Path(name).name != name or "\\" in name or "\0" in name or name == "..":
            raise ModelFileError(
                f"{what} stands in the file {shown(name)}; only one in the same folder is read."
            )
        path = self._folder / name
        try:
            start, length = int(told.get("offset", 0)), int(told.get("length", size))
        except ValueError:
            start = length = -1
        if path.is_symlink() or not path.is_file():
            raise ModelFileError(f"{what} stands in the file {shown(name)}, which is not there.")
        if start < 0 or length != size or start + length > path.stat().st_size:
            raise ModelFileError(
                f"{what} is {size:,} bytes long, which do not stand at its place of {shown(name)}."
            )
        with path.open("rb") as file:
            file.seek(start)
            data: bytes = file.read(size)
        return data


def read_graph(onnx: Any, path: str | os.PathLike[str]) -> Graph:
    """Return the graph of an ONNX file.

    Raises
    ------
    ModelFileError
        When there is no such file, or it is no intact ONNX file of an opset from 7 on.
    """
    where = Path(path)
    try:
        if where.stat().st_size > MOST_BYTES:
            raise ModelFileError(f"{where} is larger than an ONNX file can be, 2 GiB.")
        content = where.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{where} could not be read: {error.strerror or error}.") from None
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
        is_one = model.HasField("graph") and bool(model.graph.output)
    except Exception as error:
        if type(error).__name__ != "DecodeError":
            raise
        is_one = False
    if not is_one:
        raise ModelFileError(f"{where} is no ONNX file, or not a whole one.")
    return _graph(onnx, model, where)


def _graph(onnx: Any, model: Any, where: Path) -> Graph:
    versions = _versions(onnx, model)
    graph = model.graph
    if graph.sparse_initializer:
        raise ModelFileError("The graph has sparse initializers, which are not read.")
    tensors: dict[str, Any] = {}
    for tensor in graph.initializer:
        _once(tensor.name, tensors)
        tensors[tensor.name] = tensor
    given = [_input(each) for each in graph.input if each.name not in tensors]
    nodes: dict[str, Node] = {}
    taken = {*tensors, *(each.name for each in given)}
    if len(taken) != len(tensors) + len(given):
        raise ModelFileError("Two inputs of the graph have one name.")
    readers: dict[str, list[str]] = {}
    for proto in graph.node:
        node = _node(proto, versions)
        for name in filter(None, node.outputs):
            _once(name, taken)
            taken.add(name)
            nodes[name] = node
        for name in node.inputs if node.operator not in _LOOKING else ():
            readers.setdefault(name, []).append(node.operator)
    outputs = {each.name: _is_of_numbers(onnx, each) for each in graph.output}
    halves = (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
    is_coarse = any(tensor.data_type in halves for tensor in graph.initializer)
    return Graph(given, outputs, nodes, readers, is_coarse, tensors, onnx, where.parent)


def _once(name: str, taken: Any) -> None:
    if name in taken:
        raise ModelFileError(f"Two values of the graph are called {shown(name)}.")


def _versions(onnx: Any, model: Any) -> dict[str, int]:
    versions = {each.domain.replace("ai.onnx.ml", "ml").replace("ai.onnx", ""): each.version
                for each in model.opset_import}  # fmt: skip
    version, newest = versions.get("", 0), onnx.defs.onnx_opset_version()
    if not _OLDEST_OPSET <= version <= newest:
        raise ModelFileError(
            f"The graph is of opset {version}; those from {_OLDEST_OPSET} to {newest} are read."
        )
    return versions


def _node(proto: Any, versions: Mapping[str, int]) -> Node:
    domain = proto.domain.replace("ai.onnx.ml", "ml")
    domain = "" if domain == "ai.onnx" else domain
    attributes = {each.name: _attribute(each) for each in proto.attribute}
    version = versions.get(domain, 1)
    return Node(
        proto.op_type, domain, proto.name, tuple(proto.input), tuple(proto.output), attributes,
        version,
    )  # fmt: skip


def _attribute(proto: Any) -> Any:
    """Return a number, a text, a tensor or a list of these; None for anything else."""
    kinds = {1: "f", 2: "i", 3: "s", 4: "t", 6: "floats", 7: "ints", 8: "strings"}
    place = kinds.get(proto.type)
    if place is None:
        return None
    value = getattr(proto, place)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return list(value) if isinstance(value, Sequence) or place.endswith("s") else value


def _input(proto: Any) -> Input:
    if not proto.type.HasField("tensor_type"):
        raise ModelFileError(f"The input {shown(proto.name)} is no tensor.")
    kind = proto.type.tensor_type
    if kind.elem_type in _NO_NUMBERS:
        raise ModelFileError(f"The input {shown(proto.name)} is no tensor of real numbers.")
    if not kind.HasField("shape"):
        return Input(proto.name, (None,))
    sides = [side.dim_value if side.dim_value > 0 else None for side in kind.shape.dim]
    if len(sides) < 2:
        raise ModelFileError(
            f"The input {shown(proto.name)} has {len(sides)} dimensions; rows of numbers have two."
        )
    if prod(side or 1 for side in sides[1:]) > MOST_INPUTS:
        raise ModelFileError(
            f"The input {shown(proto.name)} has rows of {prod(side or 1 for side in sides[1:]):,} "
            f"numbers; up to {MOST_INPUTS:,} are read."
        )
    return Input(proto.name, tuple(sides[1:]), sides[0])


def _is_of_numbers(onnx: Any, proto: Any) -> bool:
    if not proto.type.HasField("tensor_type"):
        return True  # ZipMap, or nothing is said
    kinds = onnx.TensorProto
    return proto.type.tensor_type.elem_type in (
        kinds.UNDEFINED, kinds.FLOAT, kinds.DOUBLE, kinds.FLOAT16, kinds.BFLOAT16,
    )  # fmt: skip


def _kind_of(onnx: Any, tensor: Any, what: str) -> str:
    number = tensor.data_type
    names = {value: name for name, value in onnx.TensorProto.DataType.items()}
    kind: str = names.get(number, str(number))
    if kind not in _KINDS:
        raise ModelFileError(f"{what} is of the type {kind}, which is not read.")
    return kind
