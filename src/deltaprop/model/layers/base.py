"""What a layer is: a frozen description with one forward/backward pair, told entry by entry, too.

``forward`` and ``backward`` are pure: parameters come in as a mapping of arrays, and what the
backward pass needs to remember is passed to it. The same mathematics once more for one entry at
a time is what an explanation puts numbers into:

    z_j = factor * (sum over i in reads(j) of term(i, j)) + rest(j)
    dz_j/da_i = factor * slope(i, j)        dz_j/dw = factor_of(w) * sensitivity(w, j)

A test holds the two together for every kind of layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.functional.arithmetic import Expression

__all__ = ["Array", "Layer", "LayerArrays", "Operands", "require_width"]

Array = npt.NDArray[np.float64]
LayerArrays: TypeAlias = Mapping[str, Array]


class Operands(Protocol):
    """Gives the numbers of one sample as parts of an expression."""

    def a(self, i: int) -> Expression:
        """Return the i-th number that the layer reads."""

    def parameter(self, name: str, *index: int) -> Expression:
        """Return an entry of one of the layer's arrays."""


class Layer(Protocol):
    """A numbered layer: parameters, an affine or other map to z, then an activation.

    ``arrays`` names the arrays it may have, in the order they are told; ``penalized`` those that
    L2, L1 and weight decay apply to.
    """

    kind: ClassVar[str]
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

    # one entry at a time

    def reads(self, n_in: int, j: int) -> Sequence[int]:
        """Return the i whose a_i have a part in z_j."""

    def feeds(self, n_in: int, i: int) -> Sequence[int]:
        """Return the j whose z_j a_i has a part in."""

    def factor(self, n_in: int) -> Expression | None:
        """Return what the sum in z_j is multiplied by; None for 1."""

    def term(self, n_in: int, i: int, j: int, at: Operands) -> Expression:
        """Return a_i's part in z_j, before the factor."""

    def rest(self, n_in: int, j: int, at: Operands) -> Expression | None:
        """Return what is added to z_j after the factor; None for nothing."""

    def slope(self, n_in: int, i: int, j: int, at: Operands) -> Expression:
        """Return dz_j/da_i, before the factor."""

    def moves(self, n_in: int, name: str, index: tuple[int, ...]) -> Sequence[int]:
        """Return the j whose z_j an entry of an array has a part in."""

    def sensitivity(
        self, n_in: int, name: str, index: tuple[int, ...], j: int, at: Operands
    ) -> Expression | None:
        """Return dz_j by an entry of an array, before the factor of its gradient; None for 1."""

    def gradient_factor(self, n_in: int, name: str) -> Expression | None:
        """Return what the gradient's sum over samples is multiplied by; None for 1."""


def require_width(layer: Any, n_in: int, least: int, what: str) -> None:
    """Raise SettingError unless a layer is given as many numbers as it acts on."""
    if n_in < least:
        raise SettingError(
            f"{layer!r} acts on {least} {what}, but what comes in has only {n_in} columns."
        )
