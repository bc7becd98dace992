"""The step of a worked example, as marking takes it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from deltaprop.checking.conventions import HOUSE, Conventions
from deltaprop.checking.rules import RIGHT, work_step
from deltaprop.checking.step import Step
from deltaprop.engines.base import State, take_step
from deltaprop.errors import SettingError
from deltaprop.explaining.examples import WorkedExample
from deltaprop.model.backprop import backpropagate
from deltaprop.practice.marking.moves import other_moves
from deltaprop.training.schedules import as_schedule

__all__ = ["next_step", "step_of"]

Array = npt.NDArray[np.float64]


def step_of(worked: WorkedExample) -> Step:
    """Return the step of a worked example: the first one of its optimizer.

    Raises
    ------
    DeltapropError
        When x, targets or reduction do not fit the network.
    """
    if not worked.network.has_usual_layers_only:
        raise SettingError(
            "Marking is about dense layers in their usual form; the network "
            f"{worked.network.describe()} has others. explain and check_gradients take any network."
        )
    with np.errstate(all="ignore"):  # whatever is not finite shows as such
        trace = backpropagate(
            worked.network, worked.parameters, worked.x, worked.targets, reduction=worked.reduction
        )
    if worked.network.label_smoothing or any(d is not None for d in worked.network.dropouts):
        raise SettingError("A working with dropout or label smoothing cannot be marked.")
    eta = as_schedule(worked.optimizer.learning_rate)(0, 1)

    def move(flat: Array, gradients: Array) -> Array:
        return _moved(worked, flat, gradients, eta)[0]

    return Step(
        worked.network, worked.parameters, np.array(trace.a[0]), np.array(trace.targets),
        np.array(trace.shares), eta, move, getattr(worked.optimizer, "momentum", 0.0),
        other_moves=other_moves(
            worked.optimizer, worked.network, _state(worked), eta, train_biases=worked.train_biases
        ),
    )  # fmt: skip


def next_step(worked: WorkedExample, conventions: Conventions = HOUSE) -> WorkedExample:
    """Return the example as it stands after its step: new parameters, and the optimizer's state."""
    step = conventions.step(step_of(worked))
    w = work_step(
        RIGHT, step.network, step.parameters, step.x, step.targets,
        learning_rate=step.learning_rate, shares=step.shares, manner=step.manner,
    )  # fmt: skip
    flat, state = _moved(worked, worked.parameters.flat, w.pull, step.learning_rate)
    return replace(worked, parameters=worked.parameters.like(flat), state=state)


def _moved(worked: WorkedExample, flat: Array, gradients: Array, eta: float) -> tuple[Array, State]:
    stepped, optimizer, layout = flat.copy(), worked.optimizer, worked.network.layout
    state = _state(worked)
    take_step(optimizer, layout, state, stepped, gradients, eta)
    return stepped if worked.train_biases else np.where(layout.penalized(), stepped, flat), state


def _state(worked: WorkedExample) -> State:
    """Return the optimizer's state before the step."""
    if worked.state is None:
        return worked.optimizer.init(worked.parameters.flat.size)
    return deepcopy(dict(worked.state))
