"""Nodes of a graph of torch.fx: what they call, with what, and the tensors they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import fx

from deltaprop.interop.chain import Source

__all__ = ["Constant", "bound", "flat", "gates", "operation"]

Array = npt.NDArray[np.float64]
_USUAL_SOFTPLUS = {("beta", 1), ("threshold", 20)}


@dataclass(frozen=True, eq=False)
class Constant:
    """A tensor of the module, maybe transposed."""

    name: str
    tensor: torch.Tensor
    transposed: bool = False

    @property
    def array(self) -> Array:
        """Return its numbers as float64."""
        found: Array = self.tensor.detach().to("cpu", torch.float64).numpy()
        return found.T if self.transposed else found

    @property
    def source(self) -> Source:
        """Return where it comes from."""
        return Source(self.name, self.transposed)


def operation(node: fx.Node) -> str:
    """Return the name of what a node calls: relu of torch.relu, F.relu, x.relu() and aten.relu."""
    if isinstance(node.target, str):
        return node.target if node.op == "call_method" else node.op
    called = getattr(node.target, "overloadpacket", node.target)
    name = str(getattr(called, "__name__", called)).removeprefix("special_")
    return name if name.startswith("_") else name.removesuffix("_")


def bound(node: fx.Node, names: tuple[str, ...]) -> dict[str, Any]:
    """Return what a node is called with by name."""
    return {**dict(zip(names, node.args, strict=False)), **node.kwargs}


def flat(given: Any) -> list[Any]:
    """Return what stands in a sequence, and in tuples in it, as one list."""
    return [x for each in given for x in (each if isinstance(each, list | tuple) else [each])]


def gates(graph: fx.Graph) -> Mapping[fx.Node, tuple[str, tuple[fx.Node, ...]]]:
    """Return the products x * sigmoid(x) and x * tanh(softplus(x)), and what stands in them."""
    found: dict[fx.Node, tuple[str, tuple[fx.Node, ...]]] = {}
    for node in graph.nodes:
        if node.op not in ("call_function", "call_method") or operation(node) != "mul":
            continue
        for x, gate in (node.args, node.args[::-1]) if len(node.args) == 2 else ():
            if not isinstance(gate, fx.Node) or len(gate.users) != 1 or not gate.args:
                continue
            inner = gate.args[0]
            if operation(gate) == "sigmoid" and inner is x and len(gate.args) == 1:
                found[node] = "silu", (gate,)
            elif (
                operation(gate) == "tanh"
                and isinstance(inner, fx.Node)
                and operation(inner) == "softplus"
                and len(inner.users) == 1
                and inner.args == (x,)
                and not {k: v for k, v in inner.kwargs.items() if (k, v) not in _USUAL_SOFTPLUS}
            ):
                found[node] = "mish", (gate, inner)
    return found
