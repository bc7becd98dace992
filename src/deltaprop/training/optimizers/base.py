"""What an optimizer is: frozen hyperparameters, plus ``init`` and ``step`` over one flat vector."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

import numpy as np

from deltaprop.engines.base import Array, Flags, State, StepOnArrays, StepRule
from deltaprop.model.parameters import Layout, Slot
from deltaprop.training.schedules import LearningRate

__all__ = [
    "Array", "Flags", "OfMatrices", "Optimizer", "Rate", "State", "array_of", "hyperparameters",
]  # fmt: skip

Rate: TypeAlias = float | Array


class Optimizer(StepRule, Protocol):
    """How parameters follow the gradient; weight decay applies where ``decayed``.

    eta is one number, or one for each parameter where layers have learning rate factors.
    """

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


@runtime_checkable
class OfMatrices(StepOnArrays, Protocol):
    """An optimizer that moves some arrays as matrices, not number by number, says so besides."""

    def matrices(self, layout: Layout) -> tuple[Slot, ...]:
        """Return which arrays those are."""

    def matrix_arithmetic(self, shape: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
        """Return the step of one of them as formulas of arrays, in order.

        Names are as in ``Optimizer.arithmetic``; what is neither state nor w is a number between.
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
