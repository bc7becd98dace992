"""The step of a worked example, as marking takes it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deltaprop.checking.step import Step
from deltaprop.engines.base import take_step
from deltaprop.errors import SettingError
from deltaprop.explaining.examples import WorkedExample
from deltaprop.model.backprop import backpropagate
from deltaprop.training.schedules import as_schedule

__all__ = ["step_of"]

Array = npt.NDArray[np.float64]


def step_of(worked: WorkedExample) -> Step:
    """Return the step of a worked example: the first one of its optimizer.

    Raises
    ------
    DeltapropError
        When x, targets or reduction do not fit the network.
    """
    if not worked.network.is_dense_only:
        raise SettingError(
            "Marking is about dense layers in their usual form; the network "
            f"{worked.network.describe()} has others, or learning rate factors. explain and "
            "check_gradients take any network."
        )
    with np.errstate(all="ignore"):  # whatever is not finite shows as such
        trace = backpropagate(
            worked.network, worked.parameters, worked.x, worked.targets, reduction=worked.reduction
        )
    if worked.network.label_smoothing or any(d is not None for d in worked.network.dropouts):
        raise SettingError("A working with dropout or label smoothing cannot be marked.")
    optimizer, weights = worked.optimizer, worked.network.layout.penalized()
    eta = as_schedule(optimizer.learning_rate)(0, 1)

    def move(flat: Array, gradients: Array) -> Array:
        stepped = flat.copy()
        state = optimizer.init(flat.size)
        take_step(optimizer, worked.network.layout, state, stepped, gradients, eta)
        return stepped if worked.train_biases else np.where(weights, stepped, flat)

    return Step(
        worked.network, worked.parameters, np.array(trace.a[0]), np.array(trace.targets),
        np.array(trace.shares), eta, move,
    )  # fmt: skip
