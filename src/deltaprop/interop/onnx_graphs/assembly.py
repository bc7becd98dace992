"""The steps of a graph as those of ``interop.chain``, which makes the network of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import ModelFileError
from deltaprop.interop import chain
from deltaprop.interop.onnx_graphs.rows import Base, Step
from deltaprop.model.layers import ParametricActivation, Scaling
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["assembled"]

Array = npt.NDArray[Any]
_MOST_ALONE = 4096  # columns that a matrix of one number for each is written out for
_ENDS = ("softmax", "log_softmax", "exp")
_WHERE = "The graph"


def assembled(base: Base, loss: str | None) -> tuple[Network, Parameters]:
    """Return what a chain of bases is as a network with parameters."""
    steps: list[tuple[Step, int]] = []
    while base.before is not None and base.step is not None:
        steps.append((base.step, base.before.width))
        base = base.before
    steps.reverse()
    end = None
    if steps and steps[-1][0].kind in (*_ENDS, "function"):
        step, _ = steps.pop()
        end = chain.Function(_WHERE, step.told.get("name", step.kind))
    for step, _ in steps:
        if step.kind in _ENDS:
            raise ModelFileError(f"The graph has a {step.kind} that is not its end.")
    made = list(_in_a_chain(_merged(steps)))
    if not made or not isinstance(made[-1], chain.Affine):
        width = base.width
        for step, before in steps:
            width = step.told["W"].shape[1] if step.kind == "dense" else before
        made.append(_written_out(np.ones(1), np.zeros(1), width))
    reading = chain.assembled([*made, *([end] if end else [])], base.width, loss, _WHERE)
    return reading.network, reading.parameters


def _merged(steps: list[tuple[Step, int]]) -> list[tuple[str, dict[str, Any]]]:
    """Return kinds of steps and their numbers, scales and shifts within the ones beside them."""
    parts: list[tuple[str, dict[str, Any]]] = []
    for step, width in steps:
        told = {**step.told, "width": width}
        before = parts[-1] if parts else None
        if step.kind == "diagonal" and before is not None and _takes(*before, told):
            continue
        if step.kind == "dense" and before is not None and before[0] == "diagonal":
            s, t = (np.broadcast_to(before[1][name], width) for name in "st")
            b = told["b"] + t @ told["W"] if np.ndim(before[1]["t"]) else told["b"]
            told |= {"W": s[:, None] * told["W"], "b": b}
            parts.pop()
        if step.kind == "norm":
            told |= {"g": np.ones(1), "b": np.zeros(1)}
        parts.append((step.kind, told))
    return parts


def _takes(kind: str, own: dict[str, Any], told: dict[str, Any]) -> bool:
    """Multiply a step's numbers by s and add t to them, where it has a place for that."""
    names = {"diagonal": ("s", "t"), "dense": ("W", "b"), "norm": ("g", "b")}.get(kind)
    if names is None:
        return False
    scale, shift = names
    own[scale] = own[scale] * told["s"]
    if np.ndim(own[shift]) or np.ndim(told["t"]):
        own[shift] = own[shift] * told["s"] + told["t"]
    return True


def _in_a_chain(parts: list[tuple[str, dict[str, Any]]]) -> Iterator[chain.Step]:
    """Yield steps; an activation that has no layer in front of it is one itself."""
    is_open = False
    for number, (kind, own) in enumerate(parts, 1):
        width = own["width"]
        match kind:
            case "dense":
                W = own["W"]
                b = np.broadcast_to(own["b"], W.shape[1]) if np.ndim(own["b"]) else None
                yield chain.Affine(_WHERE, W, b)
            case "diagonal" if number < len(parts) and not np.any(own["t"]):
                yield _own(Scaling(), "s", own["s"], width)
            case "diagonal":
                yield _written_out(own["s"], own["t"], width)
            case "norm":
                g, b = (np.broadcast_to(own[name], width) for name in "gb")
                yield chain.Normalized(_WHERE, own["epsilon"], g, b)
            case "function" if is_open:
                yield chain.Function(_WHERE, own["name"])
            case _:
                alpha = own.get("alpha", np.ones(1))
                yield _own(ParametricActivation(own["name"]), "alpha", alpha, width)
        is_open = kind in ("dense", "norm") or (kind == "diagonal" and bool(np.any(own["t"])))


def _own(layer: Scaling | ParametricActivation, name: str, array: Array, width: int) -> chain.Own:
    return chain.Own(_WHERE, layer, {name: np.broadcast_to(array, width)}, reads=width)


def _written_out(s: Array, t: Array, width: int) -> chain.Affine:
    """Return a dense layer that multiplies each column by a number of its own and adds one."""
    if width > _MOST_ALONE:
        raise ModelFileError(
            f"The graph scales and shifts {width:,} columns between layers that cannot take that "
            f"in; up to {_MOST_ALONE:,} are read."
        )
    W = np.diag(np.broadcast_to(s, width)).astype(np.float64)
    return chain.Affine(_WHERE, W, np.broadcast_to(t, width) if np.any(t) else None)
