"""What an optimizer did in one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deltaprop.model.backprop import Trace
from deltaprop.training.optimizers import Optimizer

__all__ = ["Update"]


@dataclass(frozen=True)
class Update:
    """What the optimizer did: from the trace's parameters to those of ``after``.

    Attributes
    ----------
    rule : Optimizer
        The optimizer.
    learning_rate : float
        eta of the step.
    after : Trace
        The pass at the new parameters.
    state, new_state : mapping
        The optimizer's state before and after; arrays over the flat vector, and numbers.
    train_biases : bool
        False where the step leaves the biases as they are.
    """

    rule: Optimizer
    learning_rate: float
    after: Trace
    state: Mapping[str, Any] = field(default_factory=dict)
    new_state: Mapping[str, Any] = field(default_factory=dict)
    train_biases: bool = True
