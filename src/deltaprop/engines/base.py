"""The Engine protocol: a problem goes in, epochs and logits come out.

The loop in ``training`` decides what an epoch is (its order, its random numbers, its learning
rates) and when to stop; an engine only runs steps, as fast as it can, on parameters it updates
in place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt

from deltaprop.model.parameters import Layout, Parameters
from deltaprop.model.spec import Network

__all__ = [
    "Array",
    "Engine",
    "EpochOutcome",
    "EpochPlan",
    "Flags",
    "Predictor",
    "Problem",
    "Rows",
    "Run",
    "ShouldStop",
    "SparseRows",
    "State",
    "StepOnArrays",
    "StepRule",
    "is_sparse",
    "take_step",
]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int64]
ShouldStop: TypeAlias = Callable[[int], bool]
# what an optimizer keeps: numbers for each parameter, and counts
State: TypeAlias = "dict[str, Array | int]"


class SparseRows(Protocol):
    """Rows without their zeros: what is used of a CSR matrix."""

    @property
    def data(self) -> npt.NDArray[Any]:
        """Return the numbers that are not zero, row by row."""

    @property
    def indptr(self) -> npt.NDArray[np.integer[Any]]:
        """Return where each row begins, and where the last one ends."""

    @property
    def indices(self) -> npt.NDArray[np.integer[Any]]:
        """Return the columns of the numbers."""

    @property
    def shape(self) -> tuple[int, int]:
        """Return how many rows and columns."""

    def __getitem__(self, rows: npt.NDArray[Any] | slice) -> Self:
        """Return some rows."""

    def toarray(self) -> npt.NDArray[Any]:
        """Return all of it as a dense array."""


Rows: TypeAlias = npt.NDArray[Any] | SparseRows


def is_sparse(X: Rows) -> TypeGuard[SparseRows]:
    """Return whether rows are those of a CSR matrix."""
    return hasattr(X, "indptr")


class StepRule(Protocol):
    """What an engine needs of an optimizer."""

    def init(self, n: int) -> State:
        """Return the state before the first step, for n parameters."""

    def step(
        self, state: State, flat: Array, gradient: Array, eta: float | Array, decayed: Flags
    ) -> None:
        """Update ``flat`` and ``state`` in place; weight decay applies where ``decayed``."""


class StepOnArrays(StepRule, Protocol):
    """What an engine asks besides of an optimizer that needs to know which numbers are an array."""

    def step_on(
        self,
        layout: Layout,
        state: State,
        flat: Array,
        gradient: Array,
        eta: float | Array,
        decayed: Flags,
    ) -> None:
        """Update ``flat`` and ``state`` in place, as ``step`` does."""


def _moves_arrays(optimizer: StepRule) -> TypeGuard[StepOnArrays]:
    return hasattr(optimizer, "step_on")  # isinstance looks through a protocol anew at every step


def take_step(
    optimizer: StepRule, layout: Layout, state: State, flat: Array, gradient: Array, eta: float
) -> None:
    """Take an optimizer's step for a network's parameters, with the factors of its layers."""
    decayed, factors = layout.penalized(), layout.learning_rate_factors()
    rates = eta if factors is None else eta * factors
    if _moves_arrays(optimizer):
        optimizer.step_on(layout, state, flat, gradient, rates, decayed)
    else:
        optimizer.step(state, flat, gradient, rates, decayed)
    if layout.absent.size:
        flat[layout.absent] = 0.0  # whatever the optimizer is


@dataclass(frozen=True)
class Problem:
    """What is to be trained; arrays have been checked already.

    ``X`` (n, n_0) has any real dtype and is only indexed by rows; ``targets`` are labels (n,) or
    targets (n, n_L); ``weights`` (n,) have mean 1, None means all 1. An engine says in
    ``Run.dtype`` what it computes in. It uses at most ``n_threads``, None meaning as many as there
    are cores.
    """

    network: Network
    X: Rows
    targets: Array | Labels
    weights: Array | None
    optimizer: StepRule
    batch_size: int
    dtype: str
    n_threads: int | None


@dataclass(frozen=True)
class EpochPlan:
    """One pass over the rows, or what is left of one.

    Consecutive runs of batch_size in ``order`` are the batches, each with its own of
    ``learning_rates``; ``rng`` draws this epoch's dropout masks, None where there is no dropout.
    ``should_stop`` is asked every few milliseconds with the rows done so far, and when all are
    done; true means stop now: the step that runs, if its parameters have not changed yet, is left
    undone. Where ``first_step`` steps of the epoch were done before, ``rng`` goes on where they
    left it, and ``total`` is what their losses came to, added up over their rows.
    """

    order: npt.NDArray[np.int64]
    rng: np.random.Generator | None
    learning_rates: Array
    should_stop: ShouldStop
    first_step: int = 0
    total: float = 0.0

    def outcome(
        self, batch_size: int, total: float, n_steps: int, diverged: str | None = None
    ) -> EpochOutcome:
        """Return what it came to, from the sum of the losses of the whole epoch's rows."""
        rows = self.first_step * batch_size + min(n_steps * batch_size, len(self.order))
        if diverged is not None:
            done = self.first_step + n_steps
            after = diverged == "a parameter"
            diverged = f"{diverged} {f'after step {done}' if after else f'at step {done + 1}'}"
        return EpochOutcome(total / max(rows, 1), n_steps, diverged, total)


@dataclass(frozen=True)
class EpochOutcome:
    """What an epoch came to.

    ``loss`` is the mean of the objective over the rows visited, each taken before its step, and
    ``total`` its sum over them, those before the plan's own included; ``n_steps`` are the plan's,
    fewer than planned when it was stopped, 0 if in the middle of the first.
    ``diverged`` says which quantity was no longer finite, and at which step of the epoch; the
    parameters are then the last ones whose loss and gradient were finite.
    """

    loss: float
    n_steps: int
    diverged: str | None = None
    total: float = 0.0


class Run(Protocol):
    """A problem being trained by an engine."""

    dtype: str
    state: State

    def epoch(self, plan: EpochPlan) -> EpochOutcome:
        """Run the steps of one epoch, updating the parameters in place."""

    def logits(self, X: Rows) -> Array:
        """Return z^L of shape (n, n_L) at the parameters that the last epoch left."""


class Predictor(Protocol):
    """A network with the parameters it was given, ready to be asked again and again."""

    def logits(self, X: Rows) -> Array:
        """Return z^L of shape (n, n_L), float64; several threads may ask at once."""


class Engine(Protocol):
    """Runs steps."""

    name: str

    def start(self, problem: Problem, parameters: Parameters) -> Run:
        """Return a run that will update ``parameters`` in place."""

    def epochs(
        self, runs: Sequence[Run], plans: Sequence[EpochPlan], n_threads: int
    ) -> list[EpochOutcome]:
        """Run an epoch of each run this engine has started, on so many threads where it can."""

    def refusal(self, network: Network, optimizer: StepRule | None = None) -> str | None:
        """Return what of this the engine lacks, in words; None where it has all."""

    def logits(
        self, network: Network, parameters: Parameters, X: Rows, dtype: str = "float64"
    ) -> Array:
        """Return z^L of shape (n, n_L), float64, computed in ``dtype`` or more precisely."""

    def predictor(
        self,
        network: Network,
        parameters: Parameters,
        dtype: str = "float64",
        *,
        sparse: bool = False,
    ) -> Predictor:
        """Return what answers as ``logits`` does, for dense rows or for sparse ones.

        Later changes of ``parameters`` do not reach it.
        """
