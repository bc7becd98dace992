"""What an optimizer is: frozen hyperparameters, plus ``init`` and ``step`` over one flat vector."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.training.schedules import LearningRate

__all__ = ["Array", "Flags", "Optimizer", "Rate", "State", "array_of", "hyperparameters"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
State: TypeAlias = "dict[str, Array | int]"
Rate: TypeAlias = float | Array


class Optimizer(Protocol):
    """How parameters follow the gradient."""

    name: ClassVar[str]

    @property
    def learning_rate(self) -> LearningRate:
        """Return eta, a number or a schedule."""

    def arithmetic(self, decayed: bool) -> tuple[tuple[str, str], ...]:
        """Return the step as formulas, in order: what is set, and to what.

        Names are w, g, t (the number of the step, from 1), learning_rate, the rule's own
        hyperparameters, and its state; a name that was set means its new value. ``decayed`` says
        whether weight decay applies to this parameter.
        """

    def init(self, n: int) -> State:
        """Return the state before the first step, for n parameters."""

    def step(self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: Flags) -> None:
        """Update ``flat`` and ``state`` in place; weight decay applies where ``decayed``.

        eta is one number, or one for each parameter where layers have learning rate factors.
        """


def array_of(state: State, name: str) -> Array:
    """Return an array of a state."""
    value = state[name]
    assert isinstance(value, np.ndarray)
    return value


def hyperparameters(optimizer: Optimizer) -> dict[str, Any]:
    """Return the settings of an optimizer by name, the learning rate left out."""
    settings = fields(optimizer)  # type: ignore[arg-type]
    return {i.name: getattr(optimizer, i.name) for i in settings if i.name != "learning_rate"}
