"""ParametricActivation: how strongly an activation bends is learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deltaprop.errors import SettingError
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.arithmetic import Expression, parse
from deltaprop.functional.settings import positive
from deltaprop.model.layers.base import Array, LayerArrays, Operands

__all__ = ["ParametricActivation"]


@dataclass(frozen=True)
class ParametricActivation:
    """A mixture of identity and an activation: z_j = a_j + alpha_j (f(a_j) - a_j).

    alpha = 1 at the start is the activation itself, 0 a linear neuron. It follows a dense layer
    without an activation of its own (RealMLP, Holzmüller et al. 2024).

    Parameters
    ----------
    function : str
        f, a registered activation.
    learning_rate_factor : float
        What the learning rate is multiplied by for alpha.
    """

    function: str
    learning_rate_factor: float = 1.0

    kind: ClassVar[str] = "parametric_activation"
    latex: ClassVar[str] = r"z_j = a_j + \alpha_j (f(a_j) - a_j)"
    doc: ClassVar[str] = "how strongly an activation bends is learnt"
    arrays: ClassVar[tuple[str, ...]] = ("alpha",)
    penalized: ClassVar[tuple[str, ...]] = ()
    activation: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        ACTIVATIONS[self.function]
        factor = positive(self.learning_rate_factor, "learning_rate_factor")
        object.__setattr__(self, "learning_rate_factor", factor)

    def width(self, n_in: int) -> int:
        """Return n_in."""
        return n_in

    def shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return {"alpha": (n_in,)}."""
        return {"alpha": (n_in,)}

    def learning_rate_factor_of(self, name: str) -> float:
        """Return the factor of alpha."""
        return self.learning_rate_factor

    def initialize(self, rng: np.random.Generator, n_in: int) -> dict[str, Array]:
        """Return alpha = 1."""
        return {"alpha": np.ones(n_in)}

    def forward(self, parameters: LayerArrays, a: Array) -> Array:
        """Return z = a + alpha (f(a) - a)."""
        z: Array = a + parameters["alpha"] * (ACTIVATIONS[self.function].f(a) - a)
        return z

    def backward(
        self, parameters: LayerArrays, a: Array, delta: Array
    ) -> tuple[Array, dict[str, Array]]:
        """Return delta (1 + alpha (f'(a) - 1)), and dL/dalpha = sum of (f(a) - a) delta."""
        row = ACTIVATIONS[self.function]
        f = row.f(a)
        slope = 1.0 + parameters["alpha"] * (row.f_prime(a, f) - 1.0)
        return delta * slope, {"alpha": ((f - a) * delta).sum(axis=0)}

    # one entry at a time

    def reads(self, n_in: int, j: int) -> Sequence[int]:
        """Return j alone."""
        return (j,)

    def feeds(self, n_in: int, i: int) -> Sequence[int]:
        """Return i alone."""
        return (i,)

    def factor(self, n_in: int) -> Expression | None:
        """Return None."""
        return None

    def term(self, n_in: int, i: int, j: int, at: Operands) -> Expression:
        """Return a_j + alpha_j (f(a_j) - a_j)."""
        names = {"a": at.a(i), "alpha": at.parameter("alpha", j), "f": self._f(at.a(i))}
        return parse("a + alpha * (f - a)", names)

    def rest(self, n_in: int, j: int, at: Operands) -> Expression | None:
        """Return None."""
        return None

    def slope(self, n_in: int, i: int, j: int, at: Operands) -> Expression:
        """Return 1 + alpha_j (f'(a_j) - 1)."""
        a = at.a(i)
        prime = parse(self._formulas()[1], {"z": a, "a": self._f(a)})
        return parse("1 + alpha * (p - 1)", {"alpha": at.parameter("alpha", j), "p": prime})

    def moves(self, n_in: int, name: str, index: tuple[int, ...]) -> Sequence[int]:
        """Return j of alpha_j."""
        return index

    def sensitivity(
        self, n_in: int, name: str, index: tuple[int, ...], j: int, at: Operands
    ) -> Expression | None:
        """Return f(a_j) - a_j."""
        return parse("f - a", {"f": self._f(at.a(j)), "a": at.a(j)})

    def gradient_factor(self, n_in: int, name: str) -> Expression | None:
        """Return None."""
        return None

    def _f(self, a: Expression) -> Expression:
        return parse(self._formulas()[0], {"z": a})

    def _formulas(self) -> tuple[str, str]:
        formulas = ACTIVATIONS[self.function].arithmetic
        if formulas is None:
            raise SettingError(
                f"The activation {self.function!r} was registered without its formula "
                "(arithmetic=), so its numbers cannot be told."
            )
        return formulas
