"""Momentum, and Nesterov's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deltaprop.functional.settings import from_zero_below_one
from deltaprop.training.optimizers.base import Array, Flags, Rate, State, array_of
from deltaprop.training.schedules import LearningRate, as_schedule

__all__ = ["Momentum"]


@dataclass(frozen=True)
class Momentum:
    """v <- mu v - eta g, then w <- w + v; with Nesterov w <- w + mu v - eta g (Sutskever 2013).

    Parameters
    ----------
    learning_rate : float or Schedule
        eta.
    momentum : float
        mu, in [0, 1).
    nesterov : bool
        Look ahead along the velocity.
    """

    learning_rate: LearningRate = 0.01
    momentum: float = 0.9
    nesterov: bool = False
    name: ClassVar[str] = "momentum"
    latex: ClassVar[str] = r"v \leftarrow \mu v - \eta g,\quad w \leftarrow w + v"
    doc: ClassVar[str] = "steps with inertia, or Nesterov's (Sutskever 2013)"

    def __post_init__(self) -> None:
        as_schedule(self.learning_rate)
        from_zero_below_one(self.momentum, "momentum")

    def arithmetic(self, decayed: bool) -> tuple[tuple[str, str], ...]:
        """Return the step as formulas."""
        ahead = "w + momentum * v - learning_rate * g"
        return (
            ("v", "momentum * v - learning_rate * g"),
            ("w", ahead if self.nesterov else "w + v"),
        )

    def init(self, n: int) -> State:
        """Return the velocity v = 0."""
        return {"v": np.zeros(n)}

    def step(self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: Flags) -> None:
        """Update ``flat`` and v in place."""
        v = array_of(state, "v")
        v *= self.momentum
        v -= eta * gradient
        flat += self.momentum * v - eta * gradient if self.nesterov else v
