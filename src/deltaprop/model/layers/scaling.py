"""Scaling: every column times a number of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deltaprop.functional.settings import positive
from deltaprop.model.layers.base import Array, Equation, LayerArrays

__all__ = ["Scaling"]


@dataclass(frozen=True)
class Scaling:
    """A learnt scale for each column: z_j = a_j s_j, with s = 1 at the start.

    Before the first dense layer it lets a network turn the columns that do not matter down, and
    the others up, with one number each (RealMLP, Holzmüller et al. 2024).

    Parameters
    ----------
    learning_rate_factor : float
        What the learning rate is multiplied by for s.
    """

    learning_rate_factor: float = 1.0

    kind: ClassVar[str] = "scaling"
    names: ClassVar[Mapping[str, str]] = {"en": "scaling", "zh": "缩放"}
    latex: ClassVar[str] = r"z_j = a_j s_j"
    doc: ClassVar[str] = "a learnt scale for each column"
    arrays: ClassVar[tuple[str, ...]] = ("s",)
    penalized: ClassVar[tuple[str, ...]] = ()
    activation: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        factor = positive(self.learning_rate_factor, "learning_rate_factor")
        object.__setattr__(self, "learning_rate_factor", factor)

    def width(self, n_in: int) -> int:
        """Return n_in."""
        return n_in

    def shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return {"s": (n_in,)}."""
        return {"s": (n_in,)}

    def learning_rate_factor_of(self, name: str) -> float:
        """Return the factor of s."""
        return self.learning_rate_factor

    def initialize(self, rng: np.random.Generator, n_in: int) -> dict[str, Array]:
        """Return s = 1."""
        return {"s": np.ones(n_in)}

    def forward(self, parameters: LayerArrays, a: Array) -> Array:
        """Return z = a s."""
        z: Array = a * parameters["s"]
        return z

    def backward(
        self, parameters: LayerArrays, a: Array, delta: Array
    ) -> tuple[Array, dict[str, Array]]:
        """Return delta s, and dL/ds = sum of a delta over samples."""
        return delta * parameters["s"], {"s": (a * delta).sum(axis=0)}

    def equations(self, n_in: int) -> Iterator[Equation]:
        """Yield z = a s, dL/da = delta s, dL/ds = sum of a delta."""
        yield Equation("z", "a * s")
        yield Equation("below", "delta * s")
        yield Equation("s", "sum(a * delta)")
