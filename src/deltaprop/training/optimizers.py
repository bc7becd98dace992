"""Optimizers: frozen hyperparameters, plus ``init`` and ``step`` over one flat vector.

``step`` changes the flat parameters and the state's arrays in place. ``eta`` is the learning
rate of this step, g the gradient.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import sqrt
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.functional.settings import at_least_zero, positive, share
from deltaprop.model.stored import Stored, record
from deltaprop.training.schedules import (
    LearningRate,
    as_schedule,
    schedule_from_dict,
    schedule_to_dict,
)

__all__ = [
    "OPTIMIZERS",
    "Adam",
    "AdamW",
    "GradientDescent",
    "Momentum",
    "Optimizer",
    "RMSProp",
    "State",
    "optimizer_from_dict",
    "optimizer_to_dict",
    "register_optimizer",
]

Array = npt.NDArray[np.float64]
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

    def step(
        self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: npt.NDArray[np.bool_]
    ) -> None:
        """Update ``flat`` and ``state`` in place; weight decay applies where ``decayed``.

        eta is one number, or one for each parameter where layers have learning rate factors.
        """


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

    def step(
        self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: npt.NDArray[np.bool_]
    ) -> None:
        """Update ``flat`` in place."""
        flat -= eta * gradient


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
        share(self.momentum, "momentum")

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

    def step(
        self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: npt.NDArray[np.bool_]
    ) -> None:
        """Update ``flat`` and v in place."""
        v = _array(state, "v")
        v *= self.momentum
        v -= eta * gradient
        flat += self.momentum * v - eta * gradient if self.nesterov else v


@dataclass(frozen=True)
class RMSProp:
    """s <- rho s + (1 - rho) g^2, then w <- w - eta g / (sqrt(s) + epsilon) (Hinton 2012).

    Parameters
    ----------
    learning_rate : float or Schedule
        eta.
    decay : float
        rho, in [0, 1).
    epsilon : float
        Keeps the quotient finite.
    """

    learning_rate: LearningRate = 1e-3
    decay: float = 0.99
    epsilon: float = 1e-8
    name: ClassVar[str] = "rmsprop"
    latex: ClassVar[str] = (
        r"s \leftarrow \rho s + (1 - \rho) g^2,\quad "
        r"w \leftarrow w - \frac{\eta g}{\sqrt{s} + \epsilon}"
    )
    doc: ClassVar[str] = "each step divided by its recent size (Hinton 2012)"

    def __post_init__(self) -> None:
        as_schedule(self.learning_rate)
        share(self.decay, "decay")
        positive(self.epsilon, "epsilon")

    def arithmetic(self, decayed: bool) -> tuple[tuple[str, str], ...]:
        """Return the step as formulas."""
        return (
            ("s", "decay * s + (1 - decay) * g**2"),
            ("w", "w - learning_rate * g / (sqrt(s) + epsilon)"),
        )

    def init(self, n: int) -> State:
        """Return the mean square s = 0."""
        return {"s": np.zeros(n)}

    def step(
        self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: npt.NDArray[np.bool_]
    ) -> None:
        """Update ``flat`` and s in place."""
        s = _array(state, "s")
        s *= self.decay
        s += (1.0 - self.decay) * gradient**2
        flat -= eta * gradient / (np.sqrt(s) + self.epsilon)


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
        share(self.beta_1, "beta_1")
        share(self.beta_2, "beta_2")
        positive(self.epsilon, "epsilon")

    def arithmetic(self, decayed: bool) -> tuple[tuple[str, str], ...]:
        """Return the step as formulas."""
        return _adam_arithmetic("w")

    def init(self, n: int) -> State:
        """Return the moments m = v = 0 and t = 0."""
        return {"m": np.zeros(n), "v": np.zeros(n), "t": 0}

    def step(
        self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: npt.NDArray[np.bool_]
    ) -> None:
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
        share(self.beta_1, "beta_1")
        share(self.beta_2, "beta_2")
        positive(self.epsilon, "epsilon")
        at_least_zero(self.weight_decay, "weight_decay")

    def arithmetic(self, decayed: bool) -> tuple[tuple[str, str], ...]:
        """Return the step as formulas."""
        return _adam_arithmetic("w - learning_rate * weight_decay * w" if decayed else "w")

    def init(self, n: int) -> State:
        """Return the moments m = v = 0 and t = 0."""
        return {"m": np.zeros(n), "v": np.zeros(n), "t": 0}

    def step(
        self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: npt.NDArray[np.bool_]
    ) -> None:
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
    m, v, t = _array(state, "m"), _array(state, "v"), int(state["t"]) + 1
    m *= rule.beta_1
    m += (1.0 - rule.beta_1) * gradient
    v *= rule.beta_2
    v += (1.0 - rule.beta_2) * gradient**2
    denominator = np.sqrt(v)
    denominator /= sqrt(1.0 - rule.beta_2**t)
    denominator += rule.epsilon
    flat -= (eta / (1.0 - rule.beta_1**t)) * m / denominator
    state["t"] = t


OPTIMIZERS: dict[str, type[Any]] = {
    cls.name: cls for cls in (GradientDescent, Momentum, RMSProp, Adam, AdamW)
}


def register_optimizer(cls: type[Any]) -> type[Any]:
    """Add an optimizer class under its ``name``; usable as a decorator.

    The class is tried first: with its default settings, 500 steps on half squared distances must
    come nearer to the minimum.

    Parameters
    ----------
    cls : type
        A frozen dataclass with ``name``, ``learning_rate``, ``init`` and ``step``; see
        ``Optimizer``.

    Returns
    -------
    type
        The class itself.

    Raises
    ------
    SettingError
        When the name is taken or the trial fails.
    """
    name = getattr(cls, "name", None)
    if not isinstance(name, str) or not name.isidentifier():
        raise SettingError(f"{cls.__name__} needs a class attribute name = '...'.")
    if name in OPTIMIZERS:
        raise SettingError(f"An optimizer called {name!r} is registered already.")
    rule, flat, minimum = cls(), np.array([1.0, -2.0, 0.5]), np.array([0.5, 1.0, -1.0])
    state, eta = rule.init(3), as_schedule(rule.learning_rate)
    before = float(np.linalg.norm(flat - minimum))
    for step in range(500):
        rule.step(state, flat, flat - minimum, eta(step, 500), np.zeros(3, dtype=bool))
    if not np.linalg.norm(flat - minimum) < before:
        raise SettingError(
            f"Optimizer {name!r}: 500 steps on half squared distances do not come nearer to "
            f"the minimum ({before:g} before, {np.linalg.norm(flat - minimum):g} after)."
        )
    OPTIMIZERS[name] = cls
    return cls


def optimizer_to_dict(optimizer: Optimizer) -> dict[str, object]:
    """Return name and hyperparameters as plain data."""
    facts: dict[str, object] = {"name": optimizer.name}
    for item in fields(optimizer):  # type: ignore[arg-type]
        value = getattr(optimizer, item.name)
        facts[item.name] = schedule_to_dict(value) if item.name == "learning_rate" else value
    return facts


def optimizer_from_dict(data: object) -> Optimizer:
    """Return the optimizer that ``optimizer_to_dict`` described.

    Raises
    ------
    UnknownNameError
        When no optimizer is called so.
    DataError, SettingError
        On anything else that ``optimizer_to_dict`` would not have written.
    """
    facts = dict(Stored(data, "optimizer").values)
    name = facts.pop("name", None)
    if not isinstance(name, str) or name not in OPTIMIZERS:
        raise UnknownNameError("optimizer", name, OPTIMIZERS)
    readers = {"learning_rate": lambda _, value: schedule_from_dict(value)}
    optimizer: Optimizer = record(OPTIMIZERS[name], facts, f"optimizer {name}", readers)
    return optimizer


def _array(state: State, name: str) -> Array:
    value = state[name]
    assert isinstance(value, np.ndarray)
    return value
