"""A whole step as a dictionary of named quantities, by any rules, from any numbers in between.

The rules are the right ones or a mistake's (``checking.mistakes``). Wherever somebody has claimed a
number, the step may go on with his number instead: that tells a slip from what follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from deltaprop.checking.rules import (
    RIGHT,
    Rules,
    Working,
    backward,
    forward,
    loss_of,
    take_arrays,
)
from deltaprop.errors import SettingError
from deltaprop.explaining.examples import WorkedExample
from deltaprop.functional.losses import sample_shares
from deltaprop.model.backprop import backpropagate
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.training.optimizers import Optimizer
from deltaprop.training.schedules import as_schedule

__all__ = [
    "Given",
    "Quantities",
    "Step",
    "ancestors",
    "nearest_before",
    "operands_of",
    "step_of",
    "work_out",
]

Array = npt.NDArray[np.float64]
Quantities = dict[str, Array]


@dataclass(frozen=True)
class Step:
    """What a step is worked out from, checked once."""

    network: Network
    parameters: Parameters
    x: Array
    targets: Array
    shares: Array
    optimizer: Optimizer
    train_biases: bool

    @property
    def n_layers(self) -> int:
        """Return L."""
        return len(self.network.computing_layers)

    @property
    def eta(self) -> float:
        """Return the learning rate of the first step."""
        return as_schedule(self.optimizer.learning_rate)(0, 1)


@dataclass(frozen=True)
class Given:
    """Numbers to go on with instead of the computed ones.

    Attributes
    ----------
    numbers : dict
        By quantity an array with NaN where nothing is given.
    decimals : int, optional
        Round what is not given to so many places, as somebody does who works with few.
    """

    numbers: Mapping[str, Array] = field(default_factory=dict)
    decimals: int | None = None

    def instead_of(self, key: str, computed: Array) -> Array:
        """Return what the working goes on with."""
        used = computed if self.decimals is None else np.round(computed, self.decimals)
        if key in self.numbers:
            given = self.numbers[key]
            used = np.where(np.isnan(given), used, given)
        return used


def step_of(worked: WorkedExample) -> Step:
    """Return the step of a worked example.

    Raises
    ------
    DeltapropError
        When x, targets or reduction do not fit the network.
    """
    with np.errstate(all="ignore"):  # whatever is not finite shows as such
        trace = backpropagate(
            worked.network, worked.parameters, worked.x, worked.targets, reduction=worked.reduction
        )
    if worked.network.label_smoothing or any(d is not None for d in worked.network.dropouts):
        raise SettingError("A working with dropout or label smoothing cannot be marked.")
    shares = sample_shares(len(trace.a[0]), reduction=worked.reduction)
    return Step(
        worked.network, worked.parameters, np.array(trace.a[0]), np.array(trace.targets), shares,
        worked.optimizer, worked.train_biases,
    )  # fmt: skip


def work_out(
    step: Step, rules: Rules = RIGHT, given: Given | None = None
) -> tuple[Quantities, Quantities]:
    """Work out every quantity of a step.

    Parameters
    ----------
    step : Step
        Network, numbers, batch and optimizer.
    rules : Rules
        ``RIGHT``, or a mistake's.
    given : Given, optional
        Numbers to go on with.

    Returns
    -------
    computed, used : dict of str to ndarray
        Each quantity as its operands give it, and as the working goes on with it. Keys are
        ``W.1``, ``z.1``, ..., ``loss``, ``delta.2``, ``dW.2``, ..., ``W.1.after``, ...,
        ``loss.after``.
    """
    run = _Run(step, rules, given or Given())
    with np.errstate(all="ignore"):  # a wrong working may go anywhere
        before = run.forward(run.start(), "")
        backward(run.rules, before, run.take)
        run.forward(run.update(before), ".after")
    return run.computed, run.used


@dataclass
class _Run:
    step: Step
    rules: Rules
    given: Given
    computed: Quantities = field(default_factory=dict)
    used: Quantities = field(default_factory=dict)

    def take(self, key: str, computed: Array | float) -> Array:
        self.computed[key] = np.asarray(computed, dtype=np.float64)
        self.used[key] = self.given.instead_of(key, self.computed[key])
        return self.used[key]

    def start(self) -> Parameters:
        # the given parameters are no result: nobody rounds them on the way
        exact, self.given = self.given, replace(self.given, decimals=None)
        parameters = take_arrays(self.step.parameters, self.take)
        self.given = exact
        return parameters

    def forward(self, parameters: Parameters, suffix: str) -> Working:
        step = self.step
        w = Working(step.network, parameters, step.x, step.targets, step.shares, step.eta)
        forward(self.rules, w, self.take, suffix)
        key = f"a.{step.n_layers}{suffix}"
        if not np.array_equal(self.used[key], self.computed[key], equal_nan=True):
            self.rules = _from_output(self.rules, w)
        w.loss = float(self.take(f"loss{suffix}", loss_of(self.rules, w)))
        return w

    def update(self, w: Working) -> Parameters:
        step, flat = self.step, w.parameters.flat
        weights = step.network.layout.penalized()
        stepped = flat.copy()
        step.optimizer.step(
            step.optimizer.init(flat.size), stepped, w.gradients.flat, step.eta, weights
        )
        # every first step is eta times some direction: a wrong update is wrong about that one
        direction = (flat - stepped) / step.eta if self.rules.update is not RIGHT.update else None
        if direction is not None:
            w.gradients = w.parameters.like(direction)
            stepped = self.rules.update(w)
        if not step.train_biases:
            stepped = np.where(weights, stepped, flat)
        return take_arrays(w.parameters.like(stepped), self.take, suffix=".after")


def _from_output(rules: Rules, w: Working) -> Rules:
    """Let loss and delta be made from the p somebody goes on with, which z need not give.

    Changes the last z to the one that gives p, where there is one; softmax's loss and delta are
    written with p itself, because a slip's p need not sum to 1.
    """
    if rules.output is not RIGHT.output:
        return rules
    p, loss = w.a[-1], w.network.loss
    if loss.output == "softmax" and loss.is_told_by_outputs:
        if rules.data_loss is RIGHT.data_loss:
            rules = replace(
                rules, data_loss=lambda w: float(w.shares @ loss.of_outputs(w.a[-1], w.targets))
            )
        if rules.output_delta is RIGHT.output_delta:
            rules = replace(
                rules,
                output_delta=lambda w: (
                    w.shares[:, None] * loss.delta_of_outputs(w.a[-1], w.targets)
                ),
            )
    if loss.output in _INVERSES:
        z = _INVERSES[loss.output](p)
        w.z[-1] = np.where(np.isfinite(z), z, w.z[-1])
    return rules


_Map = Callable[[Array], Array]
_INVERSES: dict[str, _Map] = {
    "identity": lambda p: p,
    "sigmoid": lambda p: np.asarray(np.log(p) - np.log1p(-p)),
    "softmax": lambda p: np.asarray(np.log(p)),
    "exp": lambda p: np.asarray(np.log(p)),
}


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


def ancestors(key: str, step: Step) -> set[str]:
    """Return everything that ``key`` is worked out from, directly or through others."""
    found: set[str] = set()
    waiting = list(operands_of(key, step))
    while waiting:
        operand = waiting.pop()
        if operand not in found:
            found.add(operand)
            waiting += operands_of(operand, step)
    return found


def nearest_before(key: str, keys: Collection[str], step: Step) -> list[str]:
    """Return those of ``keys`` that ``key`` is made from, the nearest on each way back."""
    found: list[str] = []
    waiting, seen = list(operands_of(key, step)), {key}
    while waiting:
        operand = waiting.pop(0)
        if operand in seen:
            continue
        seen.add(operand)
        if operand in keys:
            found.append(operand)
        else:
            waiting += operands_of(operand, step)
    return found


def _has_bias(key: str, step: Step) -> bool:
    return step.network.has_bias(int(key.split(".")[1]) - 1)
