"""Adam, and AdamW with its decoupled weight decay."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from deltaprop.functional.settings import at_least_zero, from_zero_below_one, positive
from deltaprop.training.optimizers.base import Array, Flags, Rate, State, array_of
from deltaprop.training.schedules import LearningRate, as_schedule

__all__ = ["Adam", "AdamW"]


@dataclass(frozen=True)
class Adam:
    """Adaptive moments (Kingma & Ba 2015).

    m <- beta_1 m + (1 - beta_1) g,  v <- beta_2 v + (1 - beta_2) g^2,  t <- t + 1,
    w <- w - eta (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) + epsilon).

    Parameters
    ----------
    learning_rate : float or Schedule
        eta.
    beta_1, beta_2 : float
        In [0, 1).
    epsilon : float
        Keeps the quotient finite.
    """

    learning_rate: LearningRate = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    name: ClassVar[str] = "adam"
    latex: ClassVar[str] = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g,\quad "
        r"v \leftarrow \beta_2 v + (1 - \beta_2) g^2,\quad "
        r"w \leftarrow w - \eta \frac{\hat m}{\sqrt{\hat v} + \epsilon}"
    )
    doc: ClassVar[str] = "adaptive moments (Kingma & Ba 2015)"

    def __post_init__(self) -> None:
        as_schedule(self.learning_rate)
        from_zero_below_one(self.beta_1, "beta_1")
        from_zero_below_one(self.beta_2, "beta_2")
        positive(self.epsilon, "epsilon")

    def arithmetic(self, decayed: bool) -> tuple[tuple[str, str], ...]:
        """Return the step as formulas."""
        return _adam_arithmetic("w")

    def init(self, n: int) -> State:
        """Return the moments m = v = 0 and t = 0."""
        return {"m": np.zeros(n), "v": np.zeros(n), "t": 0}

    def step(self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: Flags) -> None:
        """Update ``flat``, m, v and t in place."""
        _adam_step(self, state, flat, gradient, eta)


@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    w <- w - eta weight_decay w on weights (never biases), then Adam's step.

    Parameters
    ----------
    learning_rate : float or Schedule
        eta.
    weight_decay : float
        Decay per unit of eta, >= 0.
    beta_1, beta_2 : float
        In [0, 1).
    epsilon : float
        Keeps the quotient finite.
    """

    learning_rate: LearningRate = 1e-3
    weight_decay: float = 0.01
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    name: ClassVar[str] = "adamw"
    latex: ClassVar[str] = (
        r"w \leftarrow w - \eta \lambda w - \eta \frac{\hat m}{\sqrt{\hat v} + \epsilon}"
    )
    doc: ClassVar[str] = "Adam with decoupled weight decay (Loshchilov & Hutter 2019)"

    def __post_init__(self) -> None:
        as_schedule(self.learning_rate)
        from_zero_below_one(self.beta_1, "beta_1")
        from_zero_below_one(self.beta_2, "beta_2")
        positive(self.epsilon, "epsilon")
        at_least_zero(self.weight_decay, "weight_decay")

    def arithmetic(self, decayed: bool) -> tuple[tuple[str, str], ...]:
        """Return the step as formulas."""
        return _adam_arithmetic("w - learning_rate * weight_decay * w" if decayed else "w")

    def init(self, n: int) -> State:
        """Return the moments m = v = 0 and t = 0."""
        return {"m": np.zeros(n), "v": np.zeros(n), "t": 0}

    def step(self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: Flags) -> None:
        """Update ``flat``, m, v and t in place."""
        flat -= eta * self.weight_decay * np.where(decayed, flat, 0.0)
        _adam_step(self, state, flat, gradient, eta)


def _adam_arithmetic(start: str) -> tuple[tuple[str, str], ...]:
    moment = "(m / (1 - beta_1**t)) / (sqrt(v / (1 - beta_2**t)) + epsilon)"
    return (
        ("m", "beta_1 * m + (1 - beta_1) * g"),
        ("v", "beta_2 * v + (1 - beta_2) * g**2"),
        ("w", f"{start} - learning_rate * {moment}"),
    )


def _adam_step(rule: Adam | AdamW, state: State, flat: Array, gradient: Array, eta: Rate) -> None:
    m, v, t = array_of(state, "m"), array_of(state, "v"), int(state["t"]) + 1
    m *= rule.beta_1
    m += (1.0 - rule.beta_1) * gradient
    v *= rule.beta_2
    v += (1.0 - rule.beta_2) * gradient**2
    denominator = np.sqrt(v)
    denominator /= sqrt(1.0 - rule.beta_2**t)
    denominator += rule.epsilon
    flat -= (eta / (1.0 - rule.beta_1**t)) * m / denominator
    state["t"] = t
