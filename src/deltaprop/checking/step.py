"""A whole step as a dictionary of named quantities, by any rules, from any numbers in between.

The rules are the right ones or a mistake's. Wherever somebody has claimed a number, the step may go
on with that number instead: it tells a slip from what follows from it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from deltaprop.checking.rules import (
    RIGHT,
    Manner,
    Move,
    Rules,
    Working,
    begin,
    begins_right,
    finish,
    forward,
    goes_on,
)
from deltaprop.model.layers import ARRAYS
from deltaprop.model.parameters import Layout, Parameters
from deltaprop.model.spec import Network

__all__ = [
    "Begun",
    "Given",
    "Quantities",
    "Step",
    "lacking",
    "made_from",
    "nearest_before",
    "operands_of",
    "rules_for",
    "work_out",
]

Array = npt.NDArray[np.float64]
Quantities = dict[str, Array]


@dataclass(frozen=True)
class Step:
    """What a step is worked out from, checked once; as for ``work_step``.

    ``inertia`` is mu where ``move`` is that of momentum; ``other_moves`` are those of mistakes in
    the step, by their names.
    """

    network: Network
    parameters: Parameters
    x: Array
    targets: Array
    shares: Array
    learning_rate: float
    move: Move | None = None
    inertia: float = 0.0
    manner: Manner = field(default_factory=Manner)
    other_moves: Mapping[str, Sequence[Move]] = field(default_factory=dict)

    @property
    def n_layers(self) -> int:
        """Return L."""
        return len(self.network.computing_layers)

    @cached_property
    def right(self) -> Quantities:
        """Return every right number, by quantity, in the order in which they are worked out."""
        return work_out(self)[0]


class GoesOn(Protocol):
    """What somebody goes on with instead of what a quantity comes to."""

    def instead_of(self, key: str, computed: Array) -> Array:
        """Return what the working goes on with."""

    def ahead(self, key: str, computed: Array) -> Array:
        """Return what a wrong rule takes that goes through a quantity worked out later."""


@dataclass(frozen=True)
class Given:
    """Numbers to go on with instead of the computed ones; NaN where nothing is given.

    What is not given is rounded to ``decimals`` places, as somebody does who works with few.
    """

    numbers: Mapping[str, Array] = field(default_factory=dict)
    decimals: int | None = None

    def instead_of(self, key: str, computed: Array) -> Array:
        """Return what the working goes on with."""
        # nobody rounds what is given
        is_result = key.partition(".")[0] not in ARRAYS or key.endswith(".after")
        rounds = self.decimals is not None and is_result
        used = np.round(computed, self.decimals or 0) if rounds else computed
        if key in self.numbers:
            given = self.numbers[key]
            used = np.where(np.isnan(given), used, given)
        return used

    ahead = instead_of


@dataclass
class Begun:
    """The right forward pass from some numbers, for all the rules that begin with it."""

    computed: Quantities = field(default_factory=dict)
    used: Quantities = field(default_factory=dict)
    working: Working | None = None


class _Enough(Exception):  # noqa: N818 - nothing went wrong
    """The last quantity that is asked for is there."""


def work_out(
    step: Step,
    rules: Rules = RIGHT,
    given: GoesOn | None = None,
    begun: Begun | None = None,
    until: str | None = None,
) -> tuple[Quantities, Quantities]:
    """Work out every quantity of a step, by ``RIGHT`` or a mistake's rules, from what is ``given``.

    Returns each quantity as its operands give it, and as the working goes on with it. Keys are
    ``W.1``, ``z.1``, ..., ``loss``, ``delta.2``, ``dW.2``, ..., ``W.1.after``, ..., ``loss.after``.
    ``begun`` keeps the forward pass for further rules, with the same step and the same numbers;
    what comes after ``until`` is left out.
    """
    computed: Quantities = {}
    used: Quantities = {}

    def take(key: str, value: Array) -> Array:
        computed[key] = used[key] = np.asarray(value, dtype=np.float64)
        if given is not None:
            used[key] = given.instead_of(key, computed[key])
        if key == until:
            raise _Enough
        return used[key]

    def ahead(key: str, value: Array) -> Array:
        return value if given is None else given.ahead(key, value)

    eta = step.learning_rate
    # a wrong working may go anywhere
    with np.errstate(all="ignore"), contextlib.suppress(_Enough):
        if begun is None or begun.working is None or not begins_right(rules):
            w = begin(
                step.network, step.parameters, step.x, step.targets, learning_rate=eta,
                shares=step.shares, move=step.move, take=take, ahead=ahead,
                manner=step.manner, other_moves=step.other_moves,
            )  # fmt: skip
            forward(rules, w, take)
            if begun is not None and begins_right(rules):
                begun.computed, begun.used = dict(computed), dict(used)
                begun.working = replace(w, z=[*w.z], a=[*w.a])
            finish(rules, w, take)
        else:
            computed |= begun.computed
            used |= begun.used
            w = goes_on(rules, begun.working, take)
        after = Working(
            step.network,
            rules.again(w),
            step.x,
            step.targets,
            step.shares,
            eta,
            manner=step.manner,
            is_second=True,
        )
        forward(rules, after, take, ".after")
    return computed, used


def operands_of(key: str, step: Step) -> tuple[str, ...]:
    """Return the quantities that ``key`` is worked out from directly, the nearest first."""
    name, *rest = key.split(".")
    after = ".after" if key.endswith(".after") else ""
    last = step.n_layers
    if name == "loss":
        return (f"a.{last}{after}",)
    layer = int(rest[0])
    below = (f"a.{layer - 1}{after}",) if layer > 1 else ()
    if name == "z":
        found: tuple[str, ...] = (*below, f"W.{layer}{after}", f"b.{layer}{after}")
    elif name == "a":
        found = (f"z.{layer}{after}",)
    elif name == "delta" and layer == last:
        found = (f"a.{last}",)
    elif name == "delta":
        found = (f"delta.{layer + 1}", f"W.{layer + 1}", f"a.{layer}", f"z.{layer}")
    elif name in ("dW", "db"):
        found = (f"delta.{layer}", *(below if name == "dW" else ()))
    else:  # W or b
        found = (f"d{name}.{layer}", f"{name}.{layer}") if after else ()
    return tuple(k for k in found if not k.startswith("b.") or _has_bias(k, step))


def rules_for(key: str, step: Step) -> frozenset[str]:
    """Return the names of the rules by which ``key`` is worked out from its operands."""
    return _rules_for(key, step) | {"placed"}


def _rules_for(key: str, step: Step) -> frozenset[str]:
    name, after = key.partition(".")[0], key.endswith(".after")
    if name in ARRAYS:
        decays = {"penalty_gradient"} if "update" in step.manner.penalty_in else set()
        return frozenset({"update"} | decays if after else ())
    again = {"again"} if after else set()
    if name == "loss":
        return frozenset({"data_loss", "penalty", "output"} | again)
    if name == "z":
        return frozenset({"pre_activation"} | again)
    if name == "a":
        return frozenset({"output" if _layer(key) == step.n_layers else "activation"} | again)
    if name == "delta" and _layer(key) == step.n_layers:
        return frozenset({"output_delta", "output"})
    if name == "delta":
        return frozenset({"recursion", "f_prime"})
    return _OF_GRADIENTS


_OF_GRADIENTS = frozenset(
    {"gradient_delta", "weight_gradient", "bias_gradient", "penalty_gradient", "gradients"}
)


def made_from(
    key: str, step: Step, goes_on: Callable[[str], bool] = lambda _key: True
) -> Iterator[str]:
    """Yield what ``key`` is worked out from, directly or through others, the nearest first.

    Behind a quantity of which ``goes_on`` is false nothing more is asked.
    """
    waiting, seen = list(operands_of(key, step)), {key}
    while waiting:
        operand = waiting.pop(0)
        if operand not in seen:
            seen.add(operand)
            yield operand
            if goes_on(operand):
                waiting += operands_of(operand, step)


def nearest_before(key: str, keys: Collection[str], step: Step) -> list[str]:
    """Return those of ``keys`` that ``key`` is made from, the nearest on each way back."""
    return [k for k in made_from(key, step, lambda k: k not in keys) if k in keys]


def lacking(key: str, layout: Layout) -> tuple[int, ...]:
    """Return which entries of b, db or the new b there are not: those of neurons without a bias."""
    name = key.partition(".")[0].removeprefix("d")
    return layout.lacks(_layer(key), name) if name in ARRAYS else ()


def _layer(key: str) -> int:
    return int(key.split(".")[1])


def _has_bias(key: str, step: Step) -> bool:
    return step.network.has_bias(_layer(key) - 1)
