"""Lion: steps of one size, by a sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deltaprop.functional.settings import at_least_zero, from_zero_below_one
from deltaprop.training.optimizers.base import Array, Flags, Rate, State, array_of
from deltaprop.training.schedules import LearningRate, as_schedule

__all__ = ["Lion"]


@dataclass(frozen=True)
class Lion:
    """Evolved sign momentum (Chen et al. 2023).

    w <- w - eta (sign(beta_1 m + (1 - beta_1) g) + weight_decay w) with decay on weights, never
    biases; then m <- beta_2 m + (1 - beta_2) g. Every weight moves by eta: take a learning rate
    three to ten times smaller than for AdamW.

    Parameters
    ----------
    learning_rate : float or Schedule
        eta.
    weight_decay : float
        Decay per unit of eta, >= 0.
    beta_1, beta_2 : float
        In [0, 1): of what the sign is taken, and of what is remembered.
    """

    learning_rate: LearningRate = 1e-4
    weight_decay: float = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.99
    name: ClassVar[str] = "lion"
    latex: ClassVar[str] = (
        r"w \leftarrow w - \eta (\operatorname{sign}(\beta_1 m + (1 - \beta_1) g) + \lambda w),"
        r"\quad "
        r"m \leftarrow \beta_2 m + (1 - \beta_2) g"
    )
    doc: ClassVar[str] = "steps of one size, by the sign of a momentum (Chen et al. 2023)"

    def __post_init__(self) -> None:
        as_schedule(self.learning_rate)
        from_zero_below_one(self.beta_1, "beta_1")
        from_zero_below_one(self.beta_2, "beta_2")
        at_least_zero(self.weight_decay, "weight_decay")

    def arithmetic(self, decayed: bool) -> tuple[tuple[str, str], ...]:
        """Return the step as formulas."""
        mixed = "beta_1 * m + (1 - beta_1) * g"
        start = "w - learning_rate * weight_decay * w" if decayed else "w"
        return (
            ("w", f"{start} - learning_rate * (({mixed} > 0) - ({mixed} < 0))"),
            ("m", "beta_2 * m + (1 - beta_2) * g"),
        )

    def init(self, n: int) -> State:
        """Return the momentum m = 0."""
        return {"m": np.zeros(n)}

    def step(self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: Flags) -> None:
        """Update ``flat`` and m in place."""
        m = array_of(state, "m")
        direction = np.sign(self.beta_1 * m + (1.0 - self.beta_1) * gradient)
        flat -= eta * self.weight_decay * np.where(decayed, flat, 0.0)
        flat -= eta * direction
        m *= self.beta_2
        m += (1.0 - self.beta_2) * gradient
