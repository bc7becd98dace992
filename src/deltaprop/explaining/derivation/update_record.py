"""What an optimizer did in one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deltaprop.model.backprop import Trace
from deltaprop.training.optimizers import Optimizer

__all__ = ["AS_IT_IS", "Pull", "Update"]


@dataclass(frozen=True)
class Pull:
    """What a step takes in the place of the gradient, as some conventions have it.

    Attributes
    ----------
    l2, l1 : float
        Of a penalty that is in the step alone: the weights decay.
    averaged : bool
        Whether momentum keeps a mean of gradients, and takes 1 - mu of each.
    """

    l2: float = 0.0
    l1: float = 0.0
    averaged: bool = False


AS_IT_IS = Pull()


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
    pull : Pull
        What the step takes in the place of the gradient.
    """

    rule: Optimizer
    learning_rate: float
    after: Trace
    state: Mapping[str, Any] = field(default_factory=dict)
    new_state: Mapping[str, Any] = field(default_factory=dict)
    train_biases: bool = True
    pull: Pull = AS_IT_IS
