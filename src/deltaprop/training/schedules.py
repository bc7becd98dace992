"""Learning-rate schedules: frozen hyperparameters, called with the step and how many there are.

``schedule(step, n_steps)`` gives eta for step = 0, ..., n_steps - 1 (updates, not epochs). With
t = step / n_steps in [0, 1), most are a formula of t.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from math import cos, log2, pi
from numbers import Real
from typing import ClassVar, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError, UnknownNameError, shown
from deltaprop.functional.settings import at_least_zero, from_zero_below_one, positive, positive_int
from deltaprop.model.stored import Stored, record

__all__ = [
    "SCHEDULES",
    "Constant",
    "Cosine",
    "Exponential",
    "LearningRate",
    "LogCosine",
    "OneCycle",
    "Schedule",
    "Step",
    "Warmup",
    "as_schedule",
    "schedule_from_dict",
    "schedule_to_dict",
    "values",
]


class Schedule(Protocol):
    """Gives the learning rate of each step."""

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta > 0 for update number ``step`` of ``n_steps``."""


LearningRate: TypeAlias = "float | Schedule"


@dataclass(frozen=True)
class Constant:
    """Always the same eta.

    Parameters
    ----------
    learning_rate : float
        eta.
    """

    learning_rate: float
    name: ClassVar[str] = "constant"

    def __post_init__(self) -> None:
        positive(self.learning_rate, "learning_rate")

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta."""
        return self.learning_rate


@dataclass(frozen=True)
class Step:
    """eta * factor^floor(step / every): a staircase.

    Parameters
    ----------
    learning_rate : float
        eta at the start.
    every : int
        Updates between two stairs.
    factor : float
        What each stair multiplies eta by.
    """

    learning_rate: float
    every: int
    factor: float = 0.1
    name: ClassVar[str] = "step"

    def __post_init__(self) -> None:
        positive(self.learning_rate, "learning_rate")
        positive_int(self.every, "every")
        positive(self.factor, "factor")

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta for this step."""
        eta: float = self.learning_rate * self.factor ** (step // self.every)
        return eta


@dataclass(frozen=True)
class Exponential:
    """eta * final^t: from eta towards ``final`` times eta, by the same factor at each step.

    Parameters
    ----------
    learning_rate : float
        eta at the start.
    final : float
        The share of eta that it falls towards, reached one step after the last.
    """

    learning_rate: float
    final: float = 0.01
    name: ClassVar[str] = "exponential"

    def __post_init__(self) -> None:
        positive(self.learning_rate, "learning_rate")
        positive(self.final, "final")

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta for this step."""
        eta: float = self.learning_rate * self.final ** (step / n_steps)
        return eta


@dataclass(frozen=True)
class Cosine:
    """final + (1 - final)(1 + cos(pi u)) / 2, times eta (Loshchilov & Hutter 2017, no restarts).

    u = t, or with ``hold`` u = max(0, t - hold) / (1 - hold): the first share of steps keeps eta.

    Parameters
    ----------
    learning_rate : float
        eta at the start.
    final : float
        The share of eta that it falls towards, reached one step after the last.
    hold : float
        The share of steps before it begins to fall, in [0, 1).
    """

    learning_rate: float
    final: float = 0.0
    hold: float = 0.0
    name: ClassVar[str] = "cosine"

    def __post_init__(self) -> None:
        positive(self.learning_rate, "learning_rate")
        if at_least_zero(self.final, "final") > 1:
            raise SettingError(f"final is {self.final!r}; it is a share of eta, at most 1.")
        from_zero_below_one(self.hold, "hold")

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta for this step."""
        u = max(0.0, step / n_steps - self.hold) / (1.0 - self.hold)
        fall = 0.5 * (1.0 + cos(pi * u))
        return self.learning_rate * (self.final + (1.0 - self.final) * fall)


@dataclass(frozen=True)
class LogCosine:
    """eta (1 - cos(2 pi log2(1 + (2^cycles - 1) t))) / 2: waves, each twice as long as the last.

    Every wave rises from 0 to eta and falls back, so that training comes to rest several times
    (Holzmüller, Grinsztajn, Steinwart 2024, with 4 of them). t is taken in the middle of a step,
    where eta is never 0.

    Parameters
    ----------
    learning_rate : float
        The highest eta.
    cycles : int
        How many waves.
    """

    learning_rate: float
    cycles: int = 4
    name: ClassVar[str] = "log_cosine"

    def __post_init__(self) -> None:
        positive(self.learning_rate, "learning_rate")
        if positive_int(self.cycles, "cycles") > 30:
            raise SettingError(f"cycles is {self.cycles!r}; more than 30 waves are too short.")

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta for this step."""
        t = (step + 0.5) / n_steps
        wave = log2(1.0 + (2**self.cycles - 1) * t)
        return self.learning_rate * 0.5 * (1.0 - cos(2.0 * pi * wave))


@dataclass(frozen=True)
class OneCycle:
    """Up from eta/25 to eta over the first share of steps, then down to eta/10,000, as cosines.

    Smith & Topin 2018.

    Parameters
    ----------
    learning_rate : float
        The highest eta.
    rise : float
        The share of steps before the top.
    """

    learning_rate: float
    rise: float = 0.3
    name: ClassVar[str] = "one_cycle"

    def __post_init__(self) -> None:
        positive(self.learning_rate, "learning_rate")
        positive(from_zero_below_one(self.rise, "rise"), "rise")

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta for this step."""
        t = step / n_steps
        low, part = (1 / 25, t / self.rise)
        if t > self.rise:
            low, part = (1e-4, (1.0 - t) / (1.0 - self.rise))
        return self.learning_rate * (low + (1.0 - low) * 0.5 * (1.0 - cos(pi * part)))


@dataclass(frozen=True)
class Warmup:
    """A linear rise over the first ``steps`` updates, then another schedule for the rest.

    Parameters
    ----------
    then : float or Schedule
        What follows; its own first step comes when the rise is over.
    steps : int
        Updates of the rise.
    """

    then: LearningRate
    steps: int
    name: ClassVar[str] = "warmup"

    def __post_init__(self) -> None:
        positive_int(self.steps, "steps")
        object.__setattr__(self, "then", as_schedule(self.then))

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta for this step."""
        then, rest = as_schedule(self.then), max(1, n_steps - self.steps)
        if step < self.steps:
            return then(0, rest) * (step + 1) / self.steps
        return then(min(step - self.steps, rest - 1), rest)


SCHEDULES: dict[str, type[Schedule]] = {
    cls.name: cls for cls in (Constant, Step, Exponential, Cosine, LogCosine, OneCycle, Warmup)
}


def as_schedule(learning_rate: LearningRate) -> Schedule:
    """Return a number as a constant schedule, and a schedule as it is; SettingError: neither."""
    if callable(learning_rate) and not isinstance(learning_rate, type):
        return learning_rate
    if isinstance(learning_rate, Real) and not isinstance(learning_rate, bool):
        return Constant(learning_rate)  # type: ignore[arg-type]
    meant = SCHEDULES.get(str(getattr(learning_rate, "name", learning_rate)), Cosine)
    others = [f"{item.name}=..." for item in fields(meant) if item.default is MISSING][1:]  # type: ignore[arg-type]
    raise SettingError(
        f"learning_rate is {shown(learning_rate)}; it is a number > 0 or a schedule, such as "
        f"dp.schedules.{meant.__name__}({', '.join(['0.01', *others])})."
    )


def schedule_to_dict(learning_rate: LearningRate) -> float | dict[str, object]:
    """Return plain data that ``schedule_from_dict`` turns back into the same schedule."""
    if not callable(learning_rate):
        return float(learning_rate)
    if type(learning_rate) not in SCHEDULES.values():
        return {"name": type(learning_rate).__name__, "own": True}
    facts: dict[str, object] = {"name": getattr(learning_rate, "name", ""), **asdict(learning_rate)}  # type: ignore[call-overload]
    if isinstance(learning_rate, Warmup):
        facts["then"] = schedule_to_dict(learning_rate.then)
    return facts


def schedule_from_dict(data: object) -> LearningRate:
    """Return the schedule that ``schedule_to_dict`` described.

    UnknownNameError: no schedule is called so. DataError, SettingError: on anything else that it
    would not have written.
    """
    if not isinstance(data, Mapping):
        return Stored({"number": data}, "learning rate").number("number")
    facts = dict(data)
    name = facts.pop("name", None)
    if not isinstance(name, str) or name not in SCHEDULES:
        raise UnknownNameError("schedule", name, SCHEDULES)
    readers = {"then": lambda _, value: schedule_from_dict(value)}
    return record(SCHEDULES[name], facts, f"schedule {name}", readers)


def values(schedule: Schedule, first: int, count: int, n_steps: int) -> npt.NDArray[np.float64]:
    """Return eta of the steps first, ..., first + count - 1 of n_steps."""
    if isinstance(schedule, Constant):
        return np.full(count, schedule.learning_rate, dtype=np.float64)
    steps = range(first, first + count)
    return np.fromiter((schedule(step, n_steps) for step in steps), np.float64, count)
