"""RMSProp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deltaprop.functional.settings import from_zero_below_one, positive
from deltaprop.training.optimizers.base import Array, Flags, Rate, State, array_of
from deltaprop.training.schedules import LearningRate, as_schedule

__all__ = ["RMSProp"]


@dataclass(frozen=True)
class RMSProp:
    """s <- rho s + (1 - rho) g^2, then w <- w - eta g / (sqrt(s) + epsilon) (Hinton 2012).

    Parameters
    ----------
    learning_rate : float or Schedule
        eta.
    decay : float
        rho, in [0, 1).
    epsilon : float
        Keeps the quotient finite.
    """

    learning_rate: LearningRate = 1e-3
    decay: float = 0.99
    epsilon: float = 1e-8
    name: ClassVar[str] = "rmsprop"
    latex: ClassVar[str] = (
        r"s \leftarrow \rho s + (1 - \rho) g^2,\quad "
        r"w \leftarrow w - \frac{\eta g}{\sqrt{s} + \epsilon}"
    )
    doc: ClassVar[str] = "each step divided by its recent size (Hinton 2012)"

    def __post_init__(self) -> None:
        as_schedule(self.learning_rate)
        from_zero_below_one(self.decay, "decay")
        positive(self.epsilon, "epsilon")

    def arithmetic(self, decayed: bool) -> tuple[tuple[str, str], ...]:
        """Return the step as formulas."""
        return (
            ("s", "decay * s + (1 - decay) * g**2"),
            ("w", "w - learning_rate * g / (sqrt(s) + epsilon)"),
        )

    def init(self, n: int) -> State:
        """Return the mean square s = 0."""
        return {"s": np.zeros(n)}

    def step(self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: Flags) -> None:
        """Update ``flat`` and s in place."""
        s = array_of(state, "s")
        s *= self.decay
        s += (1.0 - self.decay) * gradient**2
        flat -= eta * gradient / (np.sqrt(s) + self.epsilon)
