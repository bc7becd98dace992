"""LayerNorm: every row with mean 0 and deviation 1, then a learnt scale and shift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.settings import positive
from deltaprop.model.layers.base import (
    Array,
    Equation,
    Intermediate,
    LayerArrays,
    require_width,
)

__all__ = ["LayerNorm"]


@dataclass(frozen=True)
class LayerNorm:
    """Layer normalization (Ba, Kiros & Hinton 2016).

    Each row is normalized by itself, whatever stands in the batch beside it:
    z_j = g_j (a_j - mean(a)) / sqrt(mean((a - mean(a))^2) + epsilon) + b_j, with g = 1 and b = 0
    at the start. Put it between a dense layer and its activation:
    ``Dense(32), LayerNorm("relu")``.

    Parameters
    ----------
    activation : str, optional
        f of a = f(z). None means identity.
    epsilon : float
        Added to the variance, so that a row of equal numbers can be divided by its deviation.
    learning_rate_factor : float
        What the learning rate is multiplied by for g and b.
    """

    activation: str | None = None
    epsilon: float = 1e-5
    learning_rate_factor: float = 1.0

    kind: ClassVar[str] = "layer_norm"
    names: ClassVar[Mapping[str, str]] = {"en": "layer normalization", "zh": "层归一化"}
    latex: ClassVar[str] = (
        r"z_j = g_j \frac{a_j - \bar{a}}{\sqrt{\overline{(a - \bar{a})^2} + \varepsilon}} + b_j"
    )
    doc: ClassVar[str] = "each row with mean 0 and deviation 1, then a learnt scale and shift"
    arrays: ClassVar[tuple[str, ...]] = ("g", "b")
    penalized: ClassVar[tuple[str, ...]] = ()
    intermediates: ClassVar[tuple[Intermediate, ...]] = (
        Intermediate("row_mean", "forward", "ā", r"\bar{a}", per_row=True),
        Intermediate("deviation", "forward", "σ", r"\sigma", per_row=True),
        Intermediate("normalized", "forward", "â", r"\hat{a}"),
        Intermediate("delta_normalized", "backward", "d", "d"),
        Intermediate("delta_mean", "backward", "d̄", r"\bar{d}", per_row=True),
        Intermediate("delta_along", "backward", "r", "r", per_row=True),
    )

    def __post_init__(self) -> None:
        if self.activation is not None:
            ACTIVATIONS[self.activation]
        for name in ("epsilon", "learning_rate_factor"):
            object.__setattr__(self, name, positive(getattr(self, name), name))

    def width(self, n_in: int) -> int:
        """Return n_in; one number alone would always become 0."""
        require_width(self, n_in, 2, "columns")
        return n_in

    def shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return {"g": (n_in,), "b": (n_in,)}."""
        return {"g": (n_in,), "b": (n_in,)}

    def learning_rate_factor_of(self, name: str) -> float:
        """Return the factor of g and b."""
        return self.learning_rate_factor

    def initialize(self, rng: np.random.Generator, n_in: int) -> dict[str, Array]:
        """Return g = 1 and b = 0."""
        return {"g": np.ones(n_in), "b": np.zeros(n_in)}

    def forward(self, parameters: LayerArrays, a: Array) -> Array:
        """Return z = normalized(a) g + b."""
        z: Array = self.normalized(a)[0] * parameters["g"] + parameters["b"]
        return z

    def backward(
        self, parameters: LayerArrays, a: Array, delta: Array
    ) -> tuple[Array, dict[str, Array]]:
        """Return dL/da, and the gradients by g and b.

        With n = normalized(a) and d = delta g, the gradient by n, dL/da is
        (d - mean(d) - n mean(d n)) / deviation: what would move the mean, or the deviation, is
        taken out.
        """
        normalized, deviation = self.normalized(a)
        d = delta * parameters["g"]
        along = np.mean(d * normalized, axis=1, keepdims=True)
        below = (d - d.mean(axis=1, keepdims=True) - normalized * along) / deviation
        return below, {"g": (delta * normalized).sum(axis=0), "b": delta.sum(axis=0)}

    def normalized(self, a: Array) -> tuple[Array, Array]:
        """Return (a - mean) / deviation, and the deviation of each row as a column."""
        centred = a - a.mean(axis=1, keepdims=True)
        deviation = np.sqrt(np.mean(centred**2, axis=1, keepdims=True) + self.epsilon)
        return centred / deviation, deviation

    def equations(self, n_in: int) -> Iterator[Equation]:
        """Yield z and what it is made of, dL/da and what it is made of, dL/dg, dL/db.

        d is delta g, its mean over the row is taken off, and so is its part along the row.
        """
        yield Equation("row_mean", "mean(a)")
        yield Equation("deviation", f"sqrt(mean((a - row_mean)**2) + {self.epsilon!r})")
        yield Equation("normalized", "(a - row_mean) / deviation")
        yield Equation("z", "normalized * g + b")
        yield Equation("delta_normalized", "delta * g")
        yield Equation("delta_mean", "mean(delta_normalized)")
        yield Equation("delta_along", "mean(delta_normalized * normalized)")
        yield Equation(
            "below", "(delta_normalized - delta_mean - normalized * delta_along) / deviation"
        )
        yield Equation("g", "sum(delta * normalized)")
        yield Equation("b", "sum(delta)")
