"""Conventions: the same step as half of the world writes it otherwise.

In the house delta is dL/dz of the mean loss, half squared error has its 1/2, and W has a row for
each input (mathematics.md, section 3). Whoever leaves the 1/2 out, sums over samples, keeps delta
by the sample, writes t - y or lets the weights decay in the update is as right as long as all his
numbers agree. A convention says what the objective is multiplied by, how each kind of number is
then written, and what the step does otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.checking.step import Step
from deltaprop.errors import SettingError, UnknownNameError

__all__ = [
    "CONVENTIONS", "HOUSE", "Convention", "Conventions", "asked_for", "combinations", "declared"
]  # fmt: skip

Array = npt.NDArray[np.float64]
Factor = Callable[[Step], float]


@dataclass(frozen=True)
class Convention:
    """One choice that is made otherwise than in the house.

    Attributes
    ----------
    about, choice : str
        As a worked example declares it: ``conventions: {delta: per_sample}``.
    doc : str
        The choice in one line.
    applies : callable
        Whether a step has a place where it makes a difference.
    needs : str
        What such a step has, in words.
    objective : callable
        What it multiplies the loss by, and with it delta, gradients and the step.
    written : dict of str to callable
        By kind of number ("delta", "dW") what it is written as, as a multiple of the house's.
    manner : callable
        What of the step's manner it changes.
    turned : tuple of str
        The kinds of number whose rows and columns are exchanged.
    shown_by : tuple of str
        Patterns of numbers one of which a working must have to show it by itself; without any it
        has to be declared.
    and_by : tuple of str
        Further ones, one of which it must have besides: one number alone would be a mistake.
    """

    about: str
    choice: str
    doc: str
    applies: Callable[[Step], bool] = lambda _step: True
    needs: str = ""
    objective: Factor = lambda _step: 1.0
    written: Mapping[str, Factor] = ()  # type: ignore[assignment]
    manner: Callable[[Step], Mapping[str, Any]] = lambda _step: {}
    turned: tuple[str, ...] = ()
    shown_by: tuple[str, ...] = ("*",)
    and_by: tuple[str, ...] = ("*",)

    @property
    def name(self) -> str:
        """Return "delta: per_sample"."""
        return f"{self.about}: {self.choice}"

    def is_shown(self, keys: Collection[str]) -> bool:
        """Return whether a working with these numbers can show it."""
        return all(
            any(fnmatchcase(key, pattern) for pattern in patterns for key in keys)
            for patterns in (self.shown_by, self.and_by)
        )


def _is_summed(step: Step) -> bool:
    return len(step.x) > 1 and bool(np.allclose(step.shares, 1.0))


def _is_mean(step: Step) -> bool:
    return len(step.x) > 1 and not _is_summed(step)


def _squared(step: Step) -> bool:
    return step.network.loss_name.startswith("half_squared_error")


def _logarithmic(step: Step) -> bool:
    return step.network.loss_name in ("cross_entropy", "binary_cross_entropy")


def _over_outputs(step: Step) -> bool:
    """Return whether the loss is a sum over outputs, each by itself."""
    own = step.network.loss
    return step.network.n_out > 1 and not _squared(step) and own.output != "softmax"


def _penalized(step: Step) -> bool:
    return step.network.l2 > 0 or step.network.l1 > 0


def _n(step: Step) -> float:
    return float(len(step.x))


def _minus(_step: Step) -> float:
    return -1.0


CONVENTIONS: tuple[Convention, ...] = (
    Convention(
        "loss", "squared_error", "the squared error has no 1/2: (y - t)^2, with 2 (y - t)",
        _squared, "squared error", objective=lambda _step: 2.0,
    ),
    Convention(
        "loss", "mean_squared_error",
        "the squared error has no 1/2, and the mean is over outputs as well as samples",
        lambda step: _squared(step) and step.network.n_out > 1,
        "squared error of several outputs", objective=lambda step: 2.0 / step.network.n_out,
    ),
    Convention(
        "loss", "half_mean_squared_error", "the mean is over outputs as well as samples",
        lambda step: _squared(step) and step.network.n_out > 1,
        "squared error of several outputs", objective=lambda step: 1.0 / step.network.n_out,
    ),
    Convention(
        "loss", "mean_over_outputs", "the mean is over outputs as well as samples",
        _over_outputs, "a loss of several outputs, each by itself",
        objective=lambda step: 1.0 / step.network.n_out,
    ),
    Convention(
        "samples", "sum", "the loss is the sum over samples, not their mean",
        _is_mean, "a mean over several samples", objective=_n,
    ),
    Convention(
        "samples", "mean", "the loss is the mean over samples, not their sum",
        _is_summed, "a sum over several samples", objective=lambda step: 1.0 / len(step.x),
    ),
    Convention(
        "delta", "per_sample", "delta is each sample's own; the mean is taken in dW and db",
        _is_mean, "a mean over several samples", written={"delta": _n},
    ),
    Convention(
        "delta", "per_sample_dW_summed",
        "delta is each sample's own, dW and db are sums; the mean is taken in the update",
        _is_mean, "a mean over several samples", written={"delta": _n, "dW": _n, "db": _n},
    ),
    Convention(
        "error_signal", "t_minus_y", "delta is (t - y) f', and the step adds eta a delta",
        written={"delta": _minus, "dW": _minus, "db": _minus},
        shown_by=("[Wbza].*.after", "loss.after"),
    ),
    Convention(
        "error_signal", "t_minus_y_in_delta", "delta is (t - y) f'; dW and db are dL/dW, dL/db",
        written={"delta": _minus}, shown_by=("d[Wb].*", "[Wbza].*.after", "loss.after"),
    ),
    Convention(
        "penalty", "in_update", "loss and dW are those of the data; the weights decay in the step",
        _penalized, "a penalty", manner=lambda _step: {"penalty_in": ("update",)},
        shown_by=("W.*.after",),
    ),
    Convention(
        "penalty", "in_loss_and_update", "dW is that of the data; the weights decay in the step",
        _penalized, "a penalty", shown_by=("W.*.after",),
        manner=lambda _step: {"penalty_in": ("loss", "update")},
    ),
    Convention(
        "penalty_size", "without_half", "the penalty has no 1/2: lambda W^2, with 2 lambda W",
        lambda step: step.network.l2 > 0 and not step.network.l1, "a penalty l2",
        manner=lambda _step: {"penalty_times": 2.0},
        shown_by=("loss", "loss.after"), and_by=("dW.*", "W.*.after"),
    ),
    Convention(
        "penalty_size", "over_samples", "the penalty is divided by the number of samples",
        lambda step: _penalized(step) and len(step.x) > 1, "a penalty and several samples",
        manner=lambda step: {"penalty_times": 1.0 / len(step.x)},
        shown_by=("loss", "loss.after"), and_by=("dW.*", "W.*.after"),
    ),
    Convention(
        "momentum", "averaged", "v is a mean of the gradients: v = mu v + (1 - mu) g",
        lambda step: step.inertia > 0, "momentum",
        manner=lambda step: {"share": 1.0 - step.inertia},
        shown_by=("[Wbza].*.after", "loss.after"),
    ),
    Convention("weights", "out_in", "W has a row for each output", turned=("W", "dW")),
    Convention(
        "samples_as", "columns", "samples are columns: z = W x + b", turned=("z", "a", "delta"),
    ),
    Convention(
        "logarithm", "base_10", "the loss is taken with logarithms to base 10",
        _logarithmic, "cross-entropy", written={"loss": lambda _step: 1.0 / np.log(10.0)},
        shown_by=(),
    ),
    Convention(
        "logarithm", "base_2", "the loss is taken with logarithms to base 2: in bits",
        _logarithmic, "cross-entropy", written={"loss": lambda _step: 1.0 / np.log(2.0)},
        shown_by=(),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Conventions:
    """Some choices together, at most one about each thing. The house's are none at all.

    ``only`` these are asked for: a working in others is wrong.
    """

    chosen: tuple[Convention, ...] = ()
    only: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the name of each choice."""
        return tuple(choice.name for choice in self.chosen)

    def step(self, step: Step) -> Step:
        """Return the step with the objective and in the manner of these conventions."""
        factor = prod([choice.objective(step) for choice in self.chosen], start=1.0)
        manner = {k: v for choice in self.chosen for k, v in choice.manner(step).items()}
        if manner:
            step = replace(step, manner=replace(step.manner, **manner))
        return step if factor == 1.0 else replace(step, shares=step.shares * factor)

    def factor(self, key: str, step: Step) -> float:
        """Return what a quantity of that step is multiplied by when it is written down."""
        return prod([factor(step) for factor in self._factors.get(_kind(key), ())], start=1.0)

    @cached_property
    def _factors(self) -> Mapping[str, list[Factor]]:
        """Return the factors by kind of number."""
        found: dict[str, list[Factor]] = {}
        for choice in self.chosen:
            for kind, factor in dict(choice.written).items():
                found.setdefault(kind, []).append(factor)
        return found

    def fitting(self, step: Step) -> tuple[Conventions, tuple[Convention, ...]]:
        """Return those of a step that make a difference, and those that make none."""
        samples = [c for c in self.chosen if c.about == "samples" and c.applies(step)]
        summed = Conventions(tuple(samples)).step(step)  # of a sum, delta is each sample's own
        own = tuple(c for c in self.chosen if c in samples or c.applies(summed))
        idle = tuple(choice for choice in self.chosen if choice not in own)
        return replace(self, chosen=own), idle

    def turns(self, key: str) -> bool:
        """Return whether rows and columns of a quantity are exchanged."""
        return _kind(key) in self._turned

    @cached_property
    def _turned(self) -> frozenset[str]:
        return frozenset(kind for choice in self.chosen for kind in choice.turned)

    def written(self, key: str, value: Array, step: Step) -> Array:
        """Return a quantity of that step as these conventions write it."""
        scaled = value * self.factor(key, step)
        return scaled.T if self.turns(key) else scaled


HOUSE = Conventions()


def _kind(key: str) -> str:
    return key.partition(".")[0]


def combinations(
    step: Step, keys: Collection[str], fixed: Conventions = HOUSE
) -> Iterator[Conventions]:
    """Yield every set of conventions a step may be written in, the fewest departures first.

    Parameters
    ----------
    step : Step
        What is worked out.
    keys : collection of str
        The quantities that are written down.
    fixed : Conventions
        What is declared; only what it says nothing about is guessed.
    """
    if fixed.only:
        yield fixed
        return
    summed = _is_summed(step)
    said = {choice.about for choice in fixed.chosen}
    options: dict[str, list[tuple[Convention, ...]]] = {}
    for choice in CONVENTIONS:
        shown = choice.is_shown(keys) and choice.applies(step)
        if choice.about not in said and shown:
            options.setdefault(choice.about, [()]).append((choice,))
    found = [
        Conventions(fixed.chosen + tuple(choice for one in chosen for choice in one))
        for chosen in product(*options.values())
    ]
    sensible = [one for one in found if not _says_twice(one, summed=summed)]
    yield from sorted(sensible, key=lambda conventions: len(conventions.chosen))


def _says_twice(conventions: Conventions, *, summed: bool) -> bool:
    """Return whether delta is said to be each sample's own, as that of a sum is anyway."""
    over = {choice.about: choice.choice for choice in conventions.chosen}
    is_sum = over.get("samples", "sum" if summed else "mean") == "sum"
    return is_sum and "delta" in over


def declared(value: object) -> Conventions:
    """Return what the ``conventions`` of a worked example say.

    Raises
    ------
    SettingError, UnknownNameError
        When they are no mapping and not "house", or name what there is not.
    """
    if value is None:
        return HOUSE
    if value == "house":
        return Conventions(only=True)
    if not isinstance(value, Mapping):
        raise SettingError(
            f"conventions is {value!r:.60}; expected names, such as {{delta: per_sample}}."
        )
    known = {about: {c.choice: c for c in CONVENTIONS if c.about == about}
             for about in dict.fromkeys(c.about for c in CONVENTIONS)}  # fmt: skip
    chosen = []
    for about, choice in value.items():
        if about not in known:
            raise UnknownNameError("convention", about, known)
        if choice in _OF_THE_HOUSE.get(about, ()):
            continue
        if choice not in known[about]:
            raise UnknownNameError(f"convention of {about}", choice, known[about])
        chosen.append(known[about][choice])
    return Conventions(tuple(chosen))


_OF_THE_HOUSE: Mapping[str, tuple[str, ...]] = {
    "loss": ("half_squared_error",), "delta": ("mean",), "error_signal": ("y_minus_t",),
    "penalty": ("in_gradient",), "penalty_size": ("half",), "momentum": ("summed",),
    "weights": ("in_out",), "samples_as": ("rows",), "logarithm": ("natural",),
}  # fmt: skip


def asked_for(value: object) -> Conventions:
    """Return conventions by any of their names, one or several.

    Parameters
    ----------
    value : str, list of str, mapping or None
        "per_sample", "per-sample-delta", "delta: per_sample", or what ``declared`` reads.

    Raises
    ------
    SettingError, UnknownNameError
        When there is none of the name, or two say another thing about the same.
    """
    if isinstance(value, Conventions):
        return value
    if value is None or isinstance(value, Mapping) or value == "house":
        return declared(value)
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, list | tuple) or not all(isinstance(one, str) for one in several):
        raise SettingError(
            f"The convention is {value!r:.60}; expected names, such as {CONVENTIONS[0].name!r}."
        )
    found: dict[str, str] = {}
    for one in several:
        about, choice = _named(one)
        if found.setdefault(about, choice) != choice:
            raise SettingError(
                f"The conventions {found[about]} and {choice} are both about {about}; choose one."
            )
    return declared(found)


def _named(text: str) -> tuple[str, str]:
    """Return what a name is about, and the choice."""
    pairs = [(about, choice) for about, own in _OF_THE_HOUSE.items() for choice in own]
    pairs += [(c.about, c.choice) for c in CONVENTIONS]  # "mean" alone is that over samples
    spelt = {_plain(f"{a} {c}"): (a, c) for a, c in pairs} | {_plain(c): (a, c) for a, c in pairs}
    spelt |= {_plain(f"{c} {a}"): (a, c) for a, c in pairs}
    if _plain(text) not in spelt:
        raise UnknownNameError("convention", text, [c.choice for c in CONVENTIONS])
    return spelt[_plain(text)]


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
