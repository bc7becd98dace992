"""NumPy float64 over ``model``: the oracle every other engine is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deltaprop.engines.base import (
    Array,
    EpochOutcome,
    EpochPlan,
    Problem,
    Rows,
    Run,
    State,
    StepRule,
    is_sparse,
    take_step,
)
from deltaprop.engines.threads import BlasThreads
from deltaprop.functional.losses import sample_shares
from deltaprop.model.backprop import draw_masks, propagate, trace_step
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import dense_targets

__all__ = ["ReferenceEngine", "ReferencePredictor", "ReferenceRun", "dense_rows"]

_ROWS_AT_ONCE = 4096


class ReferenceRun:
    """A problem being trained in NumPy float64, whatever precision was asked for."""

    dtype = "float64"

    def __init__(self, problem: Problem, parameters: Parameters) -> None:
        self.problem = problem
        self.parameters = parameters
        self.state: State = problem.optimizer.init(parameters.flat.size)
        self._last_finite: Array | None = None  # whose loss and gradient were seen to be finite
        self._threads = BlasThreads(problem.network, problem.batch_size, problem.n_threads)

    def epoch(self, plan: EpochPlan) -> EpochOutcome:
        """Run the steps of one epoch, updating the parameters in place."""
        with self._threads.limited():
            return self._steps(plan)

    def logits(self, X: Rows) -> Array:
        """Return z^L of shape (n, n_L) at the parameters that the last epoch left."""
        return ReferenceEngine().logits(self.problem.network, self.parameters, X)

    def _steps(self, plan: EpochPlan) -> EpochOutcome:
        problem, parameters = self.problem, self.parameters
        n, size = len(plan.order), problem.batch_size
        if self._last_finite is None:
            self._last_finite = parameters.flat.copy()
        last_finite = self._last_finite
        total, done, step = plan.total, 0, 0
        for start in range(0, n, size):
            rows = plan.order[start : start + size]
            # overflow on the way to divergence is reported once, as divergence
            with np.errstate(over="ignore", invalid="ignore"):
                trace = trace_step(
                    problem.network,
                    parameters,
                    dense_rows(problem.X, rows),
                    dense_targets(problem.targets[rows], problem.network.n_out),
                    self._shares(rows),
                    draw_masks(problem.network, len(rows), plan.rng),
                )
                gradient = trace.gradients.flat
                if not (np.isfinite(trace.loss) and np.isfinite(gradient).all()):
                    parameters.flat[:] = last_finite
                    what = "a gradient" if np.isfinite(trace.loss) else "the loss"
                    return plan.outcome(size, total, step, what)
                last_finite[:] = parameters.flat
                take_step(
                    problem.optimizer, parameters.layout, self.state, parameters.flat, gradient,
                    float(plan.learning_rates[step]),
                )  # fmt: skip
            total += trace.loss * len(rows)
            done += len(rows)
            step += 1
            if plan.should_stop(done):
                break
        if not np.isfinite(parameters.flat).all():
            parameters.flat[:] = last_finite
            return plan.outcome(size, total, step, "a parameter")
        return plan.outcome(size, total, step)

    def _shares(self, rows: npt.NDArray[np.int64]) -> Array:
        weights = self.problem.weights
        # weights have mean 1 over the table, so dividing by the rows keeps their meaning
        return sample_shares(len(rows), None if weights is None else weights[rows], total=len(rows))


@dataclass(frozen=True)
class ReferencePredictor:
    """A network with the parameters it was given."""

    network: Network
    parameters: Parameters

    def logits(self, X: Rows) -> Array:
        """Return z^L of shape (n, n_L)."""
        return ReferenceEngine().logits(self.network, self.parameters, X)


class ReferenceEngine:
    """NumPy float64."""

    name = "reference"

    def start(self, problem: Problem, parameters: Parameters) -> ReferenceRun:
        """Return a run that will update ``parameters`` in place."""
        return ReferenceRun(problem, parameters)

    def epochs(
        self, runs: Sequence[Run], plans: Sequence[EpochPlan], n_threads: int
    ) -> list[EpochOutcome]:
        """Run an epoch of each, one after another: the threads are those of NumPy's products."""
        return [run.epoch(plan) for run, plan in zip(runs, plans, strict=True)]

    def refusal(self, network: Network, optimizer: StepRule | None = None) -> str | None:
        """Return None: it runs whatever a user registered."""
        return None

    def logits(
        self, network: Network, parameters: Parameters, X: Rows, dtype: str = "float64"
    ) -> Array:
        """Return z^L of shape (n, n_L); always computed in float64."""
        logits = np.empty((X.shape[0], network.n_out))
        for start in range(0, len(logits), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            with np.errstate(over="ignore", invalid="ignore"):
                z, _, _ = propagate(network, parameters, dense_rows(X, rows))
            logits[rows] = z[-1]
        return logits

    def predictor(
        self,
        network: Network,
        parameters: Parameters,
        dtype: str = "float64",
        *,
        sparse: bool = False,
    ) -> ReferencePredictor:
        """Return what answers as ``logits`` does; later changes do not reach it."""
        return ReferencePredictor(network, parameters.frozen_copy())


def dense_rows(X: Rows, rows: npt.NDArray[np.int64] | slice) -> Array:
    """Return some rows of a dense array or CSR matrix as dense float64."""
    chosen = X[rows]
    whole = chosen.toarray() if is_sparse(chosen) else chosen
    return np.asarray(whole, dtype=np.float64)
