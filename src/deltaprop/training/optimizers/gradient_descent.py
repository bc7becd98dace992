"""Plain gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from deltaprop.training.optimizers.base import Array, Flags, Rate, State
from deltaprop.training.schedules import LearningRate, as_schedule

__all__ = ["GradientDescent"]


@dataclass(frozen=True)
class GradientDescent:
    """w <- w - eta g.

    Parameters
    ----------
    learning_rate : float or Schedule
        eta.
    """

    learning_rate: LearningRate = 0.1
    name: ClassVar[str] = "gradient_descent"
    latex: ClassVar[str] = r"w \leftarrow w - \eta g"
    doc: ClassVar[str] = "the plain step along the gradient"

    def __post_init__(self) -> None:
        as_schedule(self.learning_rate)

    def arithmetic(self, decayed: bool) -> tuple[tuple[str, str], ...]:
        """Return the step as formulas."""
        return (("w", "w - learning_rate * g"),)

    def init(self, n: int) -> State:
        """Return an empty state."""
        return {}

    def step(self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: Flags) -> None:
        """Update ``flat`` in place."""
        flat -= eta * gradient
