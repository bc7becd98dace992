"""From the graph of a module to the steps of a chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import fx, nn

from deltaprop.interop.chain import (
    Affine,
    Columns,
    Drop,
    Function,
    Normalized,
    Own,
    Source,
    Step,
    unreadable,
)
from deltaprop.interop.functions import PLAIN, SETTINGS, named
from deltaprop.interop.modules.columns import ARITHMETIC, columns
from deltaprop.interop.modules.making import FormulaFunction, FormulaLayer, FormulaOutput
from deltaprop.interop.modules.nodes import Constant, bound, flat, gates, operation
from deltaprop.model.layers import ParametricActivation

__all__ = ["steps_of"]

Array = npt.NDArray[np.float64]
_FUNCTIONS = {*PLAIN} - {"linear", "identity"}  # linear is the product with a matrix here
_SAME = {"flatten", "view", "reshape", "contiguous", "clone", "identity", "squeeze"}
_SHAPES = {"size", "shape", "getitem", "sym_size"}
_MATRICES = {"matmul", "mm", "__matmul__"}


def steps_of(module: nn.Module, graph: fx.Graph, n_in: int | None) -> list[Step]:
    """Return what a graph computes as a chain of steps; ``n_in`` is what seems to come in.

    Raises
    ------
    SettingError
        When a node is nothing that a network has; the message names it.
    """
    return _Reader(module, graph, n_in).steps


class _Reader:
    """Goes from node to node; ``current`` is the one whose numbers the next one takes."""

    def __init__(self, module: nn.Module, graph: fx.Graph, n_in: int | None) -> None:
        self.module, self.n_in = module, n_in
        self.steps: list[Step] = []
        self.constants: dict[fx.Node, Constant] = {}
        self.shapes: set[fx.Node] = set()
        self.current: fx.Node | None = None
        self.used: dict[int, str] = {}
        self.squeezed = ""
        self.gates = gates(graph)
        self.skipped = {gate for _, inner in self.gates.values() for gate in inner}
        for node in graph.nodes:
            if node not in self.skipped and (node.users or node.op in ("placeholder", "output")):
                self._read(node)

    def _read(self, node: fx.Node) -> None:
        match node.op:
            case "placeholder":
                self._input(node)
            case "get_attr":
                self.constants[node] = self._constant(node)
            case "output":
                (given,) = node.args
                if isinstance(given, tuple) and len(given) == 1:  # of torch.export
                    (given,) = given
                if given is not self.current:
                    raise unreadable(self._at(node), "it is not one array that the last step gives")
            case "call_module":
                if node.target != "_guards_fn":
                    self._come_in(node)
                    self._module(node, self.module.get_submodule(str(node.target)))
                    self.current = node
            case _:
                self._function(node)

    def _input(self, node: fx.Node) -> None:
        if self.current is None:
            self.current = node
        elif node.users:
            raise unreadable(self._at(node), "it is a second input, and a network has one")

    def _constant(self, node: fx.Node) -> Constant:
        value: Any = self.module
        for part in str(node.target).split("."):
            value = getattr(value, part)
        if not isinstance(value, torch.Tensor) or value.is_meta:
            raise unreadable(self._at(node), "it is no tensor with numbers")
        if not value.is_floating_point():
            raise unreadable(self._at(node), f"its numbers are {value.dtype}")
        return Constant(str(node.target), value)

    def _at(self, node: fx.Node) -> str:
        """Return what a node is called: its name, and what it calls."""
        if node.op == "call_module":
            kind = type(self.module.get_submodule(str(node.target)))
            target = f"{kind.__module__.removesuffix('.' + kind.__name__.lower())}.{kind.__name__}"
            return f"Node {str(node.target)!r} ({target})"
        target = node.target if isinstance(node.target, str) else torch.typename(node.target)
        if not isinstance(node.target, str):
            target = getattr(node.target, "__name__", target)
        stack = list((node.meta.get("nn_module_stack") or {}).values())
        inside = f" of {stack[-1][0]}" if stack and stack[-1][0] else ""
        return f"Node {node.name!r} ({target}{inside})"

    def _come_in(self, node: fx.Node) -> None:
        """Refuse what takes anything but the numbers of the step before, and constants."""
        for taken in node.all_input_nodes:
            known = (*self.constants, *self.shapes, *self.skipped, self.current)
            if taken in known:
                continue
            raise unreadable(
                self._at(node),
                f"it takes {taken.name!r}, which is not what the step before it gives: a network "
                "is one chain, without branches or residual connections",
            )
        if self.current not in node.all_input_nodes:
            raise unreadable(self._at(node), "it is worked out of parameters alone")
        if self.squeezed and operation(node) not in _FUNCTIONS:
            raise unreadable(self.squeezed, "a step follows it that is no function")

    def _use(self, node: fx.Node, constant: Constant) -> None:
        """Refuse a parameter that stands in two places."""
        before = self.used.setdefault(id(constant.tensor), node.name)
        if before != node.name:
            raise unreadable(
                self._at(node),
                f"it shares {constant.name!r} with {before!r}, and layers share no weights",
            )

    # what is called, by its name

    def _function(self, node: fx.Node) -> None:
        name = operation(node)
        if all(n in self.constants for n in node.all_input_nodes) and node.all_input_nodes:
            self.constants[node] = self._transposed(node, name)
            return
        if name in _SHAPES or (name == "getattr" and node.args[1:] == ("shape",)):
            taken = node.args[0]
            if (taken is self.current and name != "getitem") or taken in self.shapes:
                self.shapes.add(node)
                return
        self._come_in(node)
        read = self._reader_of(node, name)
        if read is None:
            raise unreadable(self._at(node), "it is nothing that a network has")
        read(node)
        self.current = node

    def _reader_of(self, node: fx.Node, name: str) -> Callable[[fx.Node], None] | None:
        if node in self.gates:
            return lambda n: self._push(Function(self._at(n), self.gates[n][0]))
        if name in _FUNCTIONS or name in SETTINGS:
            return self._activation
        if name in _SAME:
            return self._same
        if name in ARITHMETIC:
            return self._arithmetic
        if name in _MATRICES:
            return self._matmul
        return {
            "linear": self._linear, "addmm": self._addmm, "layer_norm": self._layer_norm,
            "dropout": self._dropout, "softmax": self._softmax, "log_softmax": self._softmax,
            "prelu": self._prelu, "clamp": self._clamp, "clamp_min": self._clamp,
            "batch_norm": self._batch_norm, "exp": self._exp,
        }.get(name)  # fmt: skip

    def _push(self, step: Step) -> None:
        self.steps.append(step)

    def _transposed(self, node: fx.Node, name: str) -> Constant:
        given = bound(node, ("input", "dim0", "dim1"))
        constant = self.constants[given["input"]]
        turned = {given.get("dim0"), given.get("dim1")}
        plain = name in ("t", "numpy_T", "T") or (name == "getattr" and node.args[1] in ("T", "mT"))
        if constant.tensor.ndim == 2 and (
            plain
            or (name == "transpose" and turned in ({0, 1}, {-1, -2}, {0, -1}))
            or (name == "permute" and (*flat(node.args[1:]),) == (1, 0))
        ):
            return Constant(constant.name, constant.tensor, not constant.transposed)
        raise unreadable(
            self._at(node), f"it works something out of the parameter {constant.name!r}"
        )

    def _linear(self, node: fx.Node) -> None:
        given = bound(node, ("input", "weight", "bias"))
        weight = self._of(node, given["weight"])
        turned = Constant(weight.name, weight.tensor, not weight.transposed)
        self._affine(node, given["input"], turned, given.get("bias"))

    def _matmul(self, node: fx.Node) -> None:
        given = bound(node, ("input", "other"))
        self._affine(node, given["input"], self._of(node, given["other"]), None)

    def _addmm(self, node: fx.Node) -> None:
        given = bound(node, ("input", "mat1", "mat2"))
        if given.get("beta", 1) != 1 or given.get("alpha", 1) != 1:
            raise unreadable(self._at(node), "it has a beta or an alpha")
        self._affine(node, given["mat1"], self._of(node, given["mat2"]), given["input"])

    def _affine(self, node: fx.Node, taken: object, W: Constant, bias: object) -> None:
        b = None if bias is None else self._of(node, bias)
        if taken is not self.current or W.tensor.ndim != 2:
            raise unreadable(self._at(node), "it is no product of rows with a matrix")
        if b is not None and b.array.squeeze().shape not in ((W.array.shape[1],), ()):
            raise unreadable(self._at(node), "its bias is no vector with a number for each output")
        arrays, sources = {}, {}
        for name, constant in (("W", W), ("b", b)):
            if constant is not None:
                self._use(node, constant)
                arrays[name], sources[name] = constant.array, constant.source
        if "b" in arrays:
            arrays["b"] = arrays["b"].reshape(-1)
        self._push(Affine(self._at(node), arrays["W"], arrays.get("b"), sources))

    def _of(self, node: fx.Node, given: object) -> Constant:
        if isinstance(given, fx.Node) and given in self.constants:
            return self.constants[given]
        raise unreadable(self._at(node), f"{given} is no parameter of the module")

    def _arithmetic(self, node: fx.Node) -> None:
        others = [n for n in node.all_input_nodes if n in self.constants]
        for other in others:
            self._use(node, self.constants[other])
        assert self.current is not None
        self._push(
            columns(
                node, self._at(node), self.current, self.constants, one_wide=self._is_one_wide()
            )
        )

    def _is_one_wide(self) -> bool:
        last = self.steps[-1] if self.steps else None
        return isinstance(last, Affine) and last.W.shape[1] == 1

    def _activation(self, node: fx.Node) -> None:
        name = operation(node)
        settings = bound(node, ("input", *SETTINGS.get(name, ())))
        del settings["input"]
        settings.pop("inplace", None)
        found = named(name, **settings)
        if found is None:
            told = ", ".join(f"{key} = {value}" for key, value in settings.items())
            raise unreadable(self._at(node), f"no activation is {name} with {told}")
        self._push(Function(self._at(node), found))

    def _softmax(self, node: fx.Node) -> None:
        if bound(node, ("input", "dim")).get("dim") not in (1, -1, None):
            raise unreadable(self._at(node), "it does not go along the columns of a row")
        self._push(Function(self._at(node), operation(node)))

    def _exp(self, node: fx.Node) -> None:
        self._push(Function(self._at(node), "exp"))

    def _clamp(self, node: fx.Node) -> None:
        given = bound(node, ("input", "min", "max"))
        if given.get("min") != 0 or given.get("max") is not None:
            raise unreadable(self._at(node), "it cuts off elsewhere than at 0")
        self._push(Function(self._at(node), "relu"))

    def _dropout(self, node: fx.Node) -> None:
        given = bound(node, ("input", "p", "training", "inplace"))
        if given.get("training", given.get("train", True)):
            raise unreadable(self._at(node), "it drops in evaluation mode, too")
        p = float(given.get("p", 0.5))
        if not 0 <= p < 1:
            raise unreadable(self._at(node), f"it drops with probability {p:g}")
        if p:
            self._push(Drop(self._at(node), p))

    def _prelu(self, node: fx.Node) -> None:
        weight = self._of(node, bound(node, ("input", "weight"))["weight"])
        self._use(node, weight)
        last = self.steps[-1] if self.steps else None
        if weight.tensor.numel() == 1 and not self._is_one_wide():
            raise unreadable(self._at(node), "all columns share the slope that it learns")
        if not isinstance(last, Affine | Normalized | Own):
            raise unreadable(self._at(node), "no layer precedes it")
        source = Source(weight.name, complement=True)
        alpha = 1.0 - weight.array.reshape(-1)
        layer = ParametricActivation("relu")
        self._push(Own(self._at(node), layer, {"alpha": alpha}, {"alpha": source}, len(alpha)))

    def _layer_norm(self, node: fx.Node) -> None:
        given = bound(node, ("input", "normalized_shape", "weight", "bias", "eps"))
        shape = tuple(given["normalized_shape"])
        if len(shape) != 1:
            raise unreadable(self._at(node), f"it normalizes over {len(shape)} dimensions")
        arrays, sources = {"g": np.ones(shape), "b": np.zeros(shape)}, {}
        for name, key in (("g", "weight"), ("b", "bias")):
            if given.get(key) is None:
                raise unreadable(self._at(node), f"it has no {key}, which layer normalization has")
            constant = self._of(node, given[key])
            self._use(node, constant)
            arrays[name], sources[name] = constant.array, constant.source
        epsilon = float(given.get("eps", 1e-5))
        self._push(Normalized(self._at(node), epsilon, arrays["g"], arrays["b"], sources))

    def _batch_norm(self, node: fx.Node) -> None:
        """Read torch.export's: (input, weight, bias, mean, variance, training, ..., epsilon)."""
        _, weight, bias, mean, variance, training, _, epsilon, *_ = node.args
        if training or mean is None or variance is None:
            raise unreadable(self._at(node), "it normalizes over the batch; a row stands by itself")
        m, v = (self._of(node, each).array for each in (mean, variance))
        w, b = (None if each is None else self._of(node, each).array for each in (weight, bias))
        self._push(_folded(self._at(node), m, v, w, b, float(str(epsilon))))

    def _same(self, node: fx.Node) -> None:
        """Pass what a row of numbers stays the same through."""
        name, taken = operation(node), [n for n in flat(node.args[1:]) if n is not None]
        if name == "squeeze":
            if taken not in ([-1], [1]) and node.kwargs not in ({"dim": -1}, {"dim": 1}):
                raise unreadable(self._at(node), "only the last dimension can be squeezed")
            self.squeezed = self._at(node)
        elif name == "flatten":
            start = node.kwargs.get("start_dim", taken[0] if taken else 0)
            if start not in (1, -1):
                raise unreadable(self._at(node), "it puts rows one behind another")
        elif name in ("view", "reshape"):
            rows, columns = taken if len(taken) == 2 else (None, None)
            if not (rows in self.shapes or rows in (-1, 2)) or columns not in (-1, self._width()):
                raise unreadable(self._at(node), "its shape is not (rows, -1)")

    def _width(self) -> int | None:
        """Return how many numbers a row has here, where the last layer says it."""
        for step in reversed(self.steps):
            if isinstance(step, Affine):
                return int(step.W.shape[1])
            if isinstance(step, Normalized):
                return len(step.g)
        return self.n_in

    # modules that are read whole

    def _module(self, node: fx.Node, module: nn.Module) -> None:
        where = self._at(node)
        for name, tensor in module.named_parameters(recurse=False):
            self._use(node, Constant(f"{node.target}.{name}", tensor))
        if isinstance(module, FormulaFunction | FormulaOutput):
            self._push(Function(where, module.name))
        elif isinstance(module, FormulaLayer):
            arrays = dict(module.named_parameters(recurse=False))
            numbers = {n: Constant(n, tensor).array for n, tensor in arrays.items()}
            sources = {n: Source(f"{node.target}.{n}") for n in arrays}
            self._push(Own(where, module.layer, numbers, sources, module.n_in))
        elif type(module) is nn.BatchNorm1d:
            self._norm_of_batch(where, module)
        else:
            raise unreadable(where, "it is nothing that a network has")

    def _norm_of_batch(self, where: str, module: nn.BatchNorm1d) -> None:
        if module.running_mean is None or module.running_var is None:
            raise unreadable(where, "it normalizes over the batch; a row stands by itself")
        tensors = (module.running_mean, module.running_var, module.weight, module.bias)
        m, v, w, b = (None if t is None else Constant("", t).array for t in tensors)
        assert m is not None
        assert v is not None
        self._push(_folded(where, m, v, w, b, module.eps))


def _folded(
    where: str, mean: Array, variance: Array, w: Array | None, b: Array | None, epsilon: float
) -> Columns:
    """Return what batch normalization does to a row: (a - mean) / deviation w + b."""
    scale = (1.0 if w is None else w) / np.sqrt(variance + epsilon)
    return Columns(where, scale, (0.0 if b is None else b) - mean * scale)
