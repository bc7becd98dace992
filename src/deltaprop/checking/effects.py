"""What conventions make of the gradients and the loss that a program returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deltaprop.checking.conventions import HOUSE, Conventions
from deltaprop.checking.step import Step
from deltaprop.model.backprop import Trace
from deltaprop.model.parameters import Layout, Slot

__all__ = ["AS_ASKED", "Effect", "effect_of"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """What conventions make of the numbers that a program returns.

    Attributes
    ----------
    objective : float
        What the loss of the data is multiplied by, and with it the gradients and the step.
    gradients, loss : float
        What dW, db and the loss are multiplied by when they are written down.
    penalized, loss_penalized, decay : float
        What the penalty's part is multiplied by in gradients, in the loss, and in the step where
        only that takes it.
    turned : bool
        Whether W has a row for each output where no shape tells.
    """

    objective: float = 1.0
    gradients: float = 1.0
    loss: float = 1.0
    penalized: float = 1.0
    loss_penalized: float = 1.0
    decay: float = 0.0
    turned: bool = False

    def house(self, flat: Array, layout: Layout) -> Array:
        """Return numbers with the rows of W for inputs."""
        if not self.turned:
            return flat
        found = flat.copy()
        for slot in layout.slots:
            slot.of(found)[...] = slot.of(flat).T
        return found

    def gradients_of(self, trace: Trace) -> Array:
        """Return the right gradients of a pass as they are written, flat, with rows for inputs."""
        data = trace.data_gradients.flat
        with np.errstate(over="ignore", invalid="ignore"):  # what is no number is never right
            penalty = self.penalized * (trace.gradients.flat - data) if self.penalized else 0.0
            return np.asarray((data * self.objective + penalty) * self.gradients)


AS_ASKED = Effect()


def effect_of(conventions: Conventions, step: Step, declared: Conventions = HOUSE) -> Effect:
    """Return what conventions make of the numbers of a step; W was read as it is declared."""
    own = conventions.step(step)
    asked = float(np.sum(step.shares))
    gradient, loss, update = (
        own.manner.penalty_times if place in own.manner.penalty_in else 0.0
        for place in ("gradient", "loss", "update")
    )
    return Effect(
        float(np.sum(own.shares)) / asked if asked else 1.0,
        conventions.factor("dW.1", step),
        conventions.factor("loss", step),
        gradient,
        loss,
        update,
        conventions.turns("dW.1") > declared.turns("dW.1")
        and all(_is_square(slot) for slot in step.network.layout.slots),
    )


def _is_square(slot: Slot) -> bool:
    return len(slot.shape) == 1 or (len(slot.shape) == 2 and slot.shape[0] == slot.shape[1])
