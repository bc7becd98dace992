"""ParametricActivation: how strongly an activation bends is learnt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.settings import positive
from deltaprop.model.layers.base import Array, Equation, LayerArrays

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
    names: ClassVar[Mapping[str, str]] = {"en": "parametric {function}", "zh": "参数化 {function}"}
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

    def equations(self, n_in: int) -> Iterator[Equation]:
        """Yield z, dL/da and dL/dalpha in terms of f(a) and f'(a)."""
        for left, formula in (
            ("z", "a + alpha * (f(a) - a)"),
            ("below", "delta * (1 + alpha * (f'(a) - 1))"),
            ("alpha", "sum((f(a) - a) * delta)"),
        ):
            yield Equation(left, formula, functions={"f": self.function})
