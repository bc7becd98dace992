"""What stands on the edges of a graph: rows of numbers, as functions of those of a layer before.

A row is ``scale * core + shift``, its core the numbers of a ``Base`` or an operation of them. Bases
follow each other in a chain, each a step from the one before: the layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.interop.onnx_graphs.files import Node
from deltaprop.interop.onnx_graphs.operators import OPERATORS

__all__ = ["Base", "Operation", "Row", "Step", "evaluated", "occurrences"]

Array = npt.NDArray[Any]
MOST_OPERATIONS = 150  # one after another within an activation: ours have 70


@dataclass(frozen=True, eq=False)
class Step:
    """What makes the numbers of a base of those before, by arrays or numbers of these names.

    ``kind`` is "dense" (W, b), "diagonal" (s, t: a s + t), "function" (name), "mixture" (name,
    alpha), "norm" (epsilon), "softmax", "log_softmax" or "exp".
    """

    kind: str
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Base:
    """Numbers of a layer; ``n_readers`` is how many nodes read them as they are."""

    width: int
    before: Base | None = None
    step: Step | None = None
    n_readers: int = 1


@dataclass(frozen=True, eq=False)
class Operation:
    """An operator of rows and constants that are no more than that."""

    node: Node
    operator: str
    arguments: tuple[Row | Array, ...]
    attributes: Mapping[str, Any]
    depth: int
    joins: bool  # whether it has a sum or the like over a row within it
    differs: bool  # whether columns have constants of their own


@dataclass(frozen=True, eq=False)
class Row:
    """Numbers of a row: scale * core + shift; ``tail`` are its sizes, those of the batch left out.

    A shift without dimensions is none: nothing was added, not even zeros.

    ``alone``: nobody else reads what it is made of.
    """

    base: Base
    tail: tuple[int, ...]
    core: Operation | None = None
    scale: Array = field(default_factory=lambda: np.ones(()))
    shift: Array = field(default_factory=lambda: np.zeros(()))
    alone: bool = True

    @property
    def width(self) -> int:
        """Return how many numbers it has."""
        return prod(self.tail)

    @property
    def is_base(self) -> bool:
        """Return whether it is nothing but the numbers of its base."""
        return self.core is None and self.is_plain

    @property
    def is_plain(self) -> bool:
        """Return whether nothing is done after its core."""
        return bool((self.scale == 1).all()) and self.shift.ndim == 0

    def times(self, factor: Array) -> Row:
        """Return it multiplied by a number, or each column by its own."""
        shift = self.shift * factor if self.shift.ndim else self.shift
        return replace(self, scale=self.scale * factor, shift=shift)

    def plus(self, term: Array) -> Row:
        """Return it with a number added, or to each column its own."""
        return replace(self, shift=self.shift + term)


def evaluated(row: Row, x: Array) -> Array:
    """Return what a row comes to for numbers of its base, shape (n, width)."""
    known: dict[int, Array] = {}

    def of(argument: Row | Array) -> Array:
        if not isinstance(argument, Row):
            return argument
        core = argument.core
        if core is None:
            value = x
        else:
            if id(core) not in known:
                inner = [of(each) for each in core.arguments]
                known[id(core)] = OPERATORS[core.operator](*inner, **core.attributes)
            value = known[id(core)]
        if argument.is_plain:
            return value
        return argument.scale * value + argument.shift

    with np.errstate(all="ignore"):
        return np.asarray(of(row), dtype=np.float64)


def occurrences(row: Row) -> tuple[set[float], set[float]]:
    """Return what the base is multiplied by wherever it stands in a row, and all its constants."""
    factors: set[float] = set()
    constants: set[float] = set()
    seen: set[int] = set()
    waiting: list[Row | Array] = [row]
    while waiting:
        each = waiting.pop()
        if not isinstance(each, Row):
            if each.size == 1:
                constants.add(float(each.item()))
            continue
        if each.shift.size == 1:
            constants.add(float(each.shift.item()))
        if each.core is None:
            if each.scale.size == 1 and each.scale.item() != 0:
                factors.add(float(each.scale.item()))
        elif id(each.core) not in seen:
            seen.add(id(each.core))
            for value in each.core.attributes.values():
                if isinstance(value, float) and value:
                    factors |= {value, 1.0 / value}
            waiting.extend(each.core.arguments)
    return factors, constants
