"""What a layer is: a frozen description with a forward/backward pair, and its equations.

``forward`` and ``backward`` are pure: parameters come in as a mapping of arrays, and what the
backward pass needs to remember is passed to it. ``equations`` says the same mathematics as
formulas of arrays, in the language of ``functional.arithmetic.parse``:

    z "a @ W + b"        below "delta @ W.T"        W "a.T @ delta"        b "sum(delta)"

with ``a`` what comes in, ``delta`` dL/dz, ``below`` dL/da, and an array's name for its gradient.
What several of them need, such as the mean of a row, is an equation of its own: an intermediate.
Every explanation reads them, entry by entry or as matrices; a test holds them against forward and
backward for every kind of layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError

__all__ = ["Array", "Equation", "Intermediate", "Layer", "LayerArrays", "Part", "require_width"]

Array = npt.NDArray[np.float64]
LayerArrays: TypeAlias = Mapping[str, Array]


@dataclass(frozen=True)
class Part:
    """Some columns of ``a`` or ``delta``, or some rows of an array, one of three indices.

    ``array`` is "a", "delta", or the name of one of the layer's arrays.
    """

    array: str
    start: int
    stop: int


@dataclass(frozen=True)
class Intermediate:
    """Numbers between what comes in and what goes out that equations have a name for.

    ``name`` stands in equations and in ids: "row_mean" of "row_mean.2[0,0]". ``phase`` is "forward"
    or "backward"; ``text`` and ``latex`` are the letter; ``per_row`` is true where each row has one
    alone, not one for each column.
    """

    name: str
    phase: str
    text: str
    latex: str
    per_row: bool = False


@dataclass(frozen=True, eq=False)
class Equation:
    """One equation of a layer: of a whole array, or of a part that has a formula of its own.

    ``left`` is "z", "below", the array whose gradient it is, or an intermediate (whole, and before
    what is made of it). The formula is in ``a``, ``delta`` and the layer's arrays, or names of
    ``parts`` of them, and gives the columns of z or dL/da, or the rows of the array, from ``start``
    up to ``stop`` (None: all). ``functions`` are the activations in it: {"f": "tanh"} for f(a),
    f'(a).
    """

    left: str
    formula: str
    start: int = 0
    stop: int | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)


class Layer(Protocol):
    """A computing layer: parameters, an affine or other map to z, then an activation.

    ``names`` is what it is called in each language, with the layer's fields in braces; a dense
    layer is called by its activation. ``latex`` and ``doc`` are for lists and help. ``arrays``
    names the arrays it may have, in the order they are written; ``penalized`` those that L2, L1 and
    weight decay apply to. A layer whose equations have intermediates names them in
    ``intermediates``.
    """

    kind: ClassVar[str]
    names: ClassVar[Mapping[str, str]]
    latex: ClassVar[str]
    doc: ClassVar[str]
    arrays: ClassVar[tuple[str, ...]]
    penalized: ClassVar[tuple[str, ...]]

    @property
    def activation(self) -> str | None:
        """Return the name of f, or None for identity (or, in the last layer, the loss's own)."""

    def width(self, n_in: int) -> int:
        """Return how many numbers it gives for n_in that it reads.

        Raises
        ------
        SettingError
            When it cannot read so many.
        """

    def shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of each of its arrays, in the order they stand in the flat vector."""

    def learning_rate_factor_of(self, name: str) -> float:
        """Return what the learning rate is multiplied by for one of its arrays."""

    def initialize(self, rng: np.random.Generator, n_in: int) -> dict[str, Array]:
        """Return initial arrays."""

    def forward(self, parameters: LayerArrays, a: Array) -> Array:
        """Return z for the incoming activations a."""

    def backward(
        self, parameters: LayerArrays, a: Array, delta: Array
    ) -> tuple[Array, dict[str, Array]]:
        """Return dL/da and the gradient by each array, from delta = dL/dz."""

    def equations(self, n_in: int) -> Iterator[Equation]:
        """Yield z, dL/da and the gradient by each array, each whole or part by part in order."""


def require_width(layer: object, n_in: int, least: int, what: str) -> None:
    """Raise SettingError unless a layer is given as many numbers as it acts on."""
    if n_in < least:
        raise SettingError(
            f"{layer!r} acts on {least} {what}, but what comes in has only {n_in} columns."
        )
