"""Epochs on tensors: one batch after another on a device, the losses read once at the end."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from deltaprop.engines.base import Array, EpochOutcome, EpochPlan, Problem, Rows, State, is_sparse
from deltaprop.engines.tensors.device import multiplication, the_device, threads_of, type_of
from deltaprop.engines.tensors.graph import GraphOfSteps
from deltaprop.engines.tensors.network import NetworkOnTensors
from deltaprop.engines.tensors.rule import RuleOnTensors
from deltaprop.interop.formulas import Tensor
from deltaprop.model.backprop import draw_masks
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["TensorPredictor", "TensorRun"]

_ROWS_AT_ONCE = 4096
_PAUSE = 0.005  # seconds between two times that an epoch is asked whether it should stop


class TensorRun:
    """A problem being trained; ``parameters`` hold the result after each epoch.

    Rows, targets, weights, parameters and the optimizer's state stay on the device, where rows are
    put in order, too. Whether a loss or a gradient was no finite number is asked once an epoch:
    where one was, the epoch is run again from its start, and asked step by step.
    """

    def __init__(self, problem: Problem, parameters: Parameters) -> None:
        self.problem = problem
        self.parameters = parameters
        self.dtype = problem.dtype
        self._device, self._type = the_device(), type_of(problem.dtype)
        multiply = multiplication(problem.dtype, self._device)
        self._network = NetworkOnTensors(problem.network, self._device, self._type, multiply)
        self._rule = RuleOnTensors(
            problem.optimizer, problem.network.layout, self._device, self._type
        )
        self._flat = torch.empty(parameters.flat.size, dtype=self._type, device=self._device)
        self._gradient = torch.empty_like(self._flat)
        # before the last step of an epoch: what had a finite loss and gradient for certain
        self._last, self._seen = torch.empty_like(self._flat), False
        self._X = problem.X if is_sparse(problem.X) else self._held(np.asarray(problem.X))
        is_labels = problem.targets.ndim == 1
        self._targets = self._held(problem.targets, None if is_labels else self._type)
        weights = problem.weights
        self._weights = None if weights is None else self._held(weights, self._type)
        self._graph: GraphOfSteps | None = None

    @property
    def state(self) -> State:
        """Return the optimizer's state, as its own ``init`` and ``step`` would hold it."""
        return {
            name: value.double().cpu().numpy() if value.ndim else int(value)
            for name, value in self._rule.state.items()
        }

    @state.setter
    def state(self, state: State) -> None:
        for name, value in self._rule.state.items():
            value.copy_(torch.as_tensor(state[name]))

    def epoch(self, plan: EpochPlan) -> EpochOutcome:
        """Run the steps of one epoch, updating the parameters in place."""
        with threads_of(self.problem.n_threads), torch.no_grad():
            self._flat.copy_(torch.from_numpy(self.parameters.flat))
            begin = [each.clone() for each in (*self._changed, self._last)]
            again = replace(plan, rng=deepcopy(plan.rng))
            losses = self._graphed(plan) if self._can_be_recorded(plan) else self._steps(plan)
            if not self._is_finite(losses):
                for each, before in zip((*self._changed, self._last), begin, strict=True):
                    each.copy_(before)
                return self._left(self._carefully(again, len(losses)))
            self._seen = True
            return self._left(self._outcome(plan, losses))

    def logits(self, X: Rows) -> Array:
        """Return z^L of shape (n, n_L) at the parameters that the last epoch left."""
        with threads_of(self.problem.n_threads):
            return _logits(self._network, self._flat, X, self.problem.network.n_out)

    @property
    def _changed(self) -> list[Tensor]:
        return [self._flat, *self._rule.state.values()]

    def _held(self, array: npt.NDArray[Any], dtype: torch.dtype | None = None) -> Tensor:
        return _tensor(array).to(self._device, dtype)

    # one step

    def _take(self, rows: Tensor, eta: Tensor, masks: Sequence[Tensor | None]) -> Tensor:
        """Do the step of a batch, and return its loss."""
        loss = self._loss_and_gradient(rows, masks)
        self._rule.step(self._flat, self._gradient, eta)
        return loss

    def _loss_and_gradient(self, rows: Tensor, masks: Sequence[Tensor | None]) -> Tensor:
        if isinstance(self._X, torch.Tensor):
            x = self._X[rows].to(self._type)
        else:
            x = self._held(self._X[rows.cpu().numpy()].toarray(), self._type)
        n = len(rows)
        # weights have mean 1 over the table, so dividing by the rows keeps their meaning
        weights = x.new_ones(n) if self._weights is None else self._weights[rows]
        return self._network.step(
            self._flat, self._gradient, x, self._targets[rows], weights / n, masks
        )

    def _masks(self, plan: EpochPlan, n: int) -> list[Tensor | None]:
        masks = draw_masks(self.problem.network, n, plan.rng)
        return [None if mask is None else self._held(mask, self._type) for mask in masks]

    # the steps of an epoch

    def _steps(self, plan: EpochPlan) -> Tensor:
        """Take the steps one by one; return the loss of each."""
        order, etas = self._told(plan)
        size, losses = self.problem.batch_size, list[Tensor]()
        for step, start in enumerate(range(0, len(order), size)):
            rows = order[start : start + size]
            if start + size >= len(order):
                self._last.copy_(self._flat)
            losses.append(self._take(rows, etas[step], self._masks(plan, len(rows))))
            if plan.should_stop(start + len(rows)):
                break
        return torch.stack(losses)

    def _graphed(self, plan: EpochPlan) -> Tensor:
        """Take the full batches by graphs, and the last by itself."""
        order, etas = self._told(plan)
        size, n = self.problem.batch_size, len(order)
        whole = [None] * len(self.problem.network.dropouts)
        if self._graph is None:
            self._graph = GraphOfSteps(
                lambda rows, eta: self._take(rows, eta, whole), self._changed, size, n
            )
        graph, done, asked = self._graph, 0, perf_counter()
        graph.order.copy_(order)
        graph.etas.copy_(etas)
        graph.begin()
        while done + size < n:
            steps = graph.most((n - done - 1) // size)
            graph.replay(steps)
            done += steps * size
            if perf_counter() - asked > _PAUSE:
                torch.cuda.current_stream(self._device).synchronize()
                if plan.should_stop(done):
                    return graph.losses[: done // size].clone()
                asked = perf_counter()
        self._last.copy_(self._flat)
        graph.losses[-1] = self._take(order[done:], etas[-1], whole)
        torch.cuda.current_stream(self._device).synchronize()
        plan.should_stop(n)
        return graph.losses.clone()

    def _carefully(self, plan: EpochPlan, most: int) -> EpochOutcome:
        """Take the steps again, up to the one whose loss or gradient is no finite number."""
        order, etas = self._told(plan)
        size, losses = self.problem.batch_size, list[Tensor]()
        last_finite = (self._last if self._seen else self._flat).clone()
        for step in range(most):
            rows = order[step * size : (step + 1) * size]
            loss = self._loss_and_gradient(rows, self._masks(plan, len(rows)))
            is_known = bool(torch.isfinite(loss))
            if not (is_known and torch.isfinite(self._gradient).all()):
                self._flat.copy_(last_finite)
                what = "a gradient" if is_known else "the loss"
                return self._outcome(plan, losses, what)
            last_finite.copy_(self._flat)
            self._rule.step(self._flat, self._gradient, etas[step])
            losses.append(loss)
        if not torch.isfinite(self._flat).all():
            self._flat.copy_(last_finite)
            return self._outcome(plan, losses, "a parameter")
        return self._outcome(plan, losses)

    def _told(self, plan: EpochPlan) -> tuple[Tensor, Tensor]:
        """Return the order of the rows and the learning rates, on the device."""
        return self._held(plan.order), self._held(plan.learning_rates)

    def _can_be_recorded(self, plan: EpochPlan) -> bool:
        return (
            self._device.type == "cuda"
            and plan.rng is None
            and isinstance(self._X, torch.Tensor)
            and len(plan.order) > self.problem.batch_size
        )

    def _is_finite(self, losses: Tensor) -> bool:
        arrays = [losses, *(each for each in self._changed if each.ndim)]
        return bool(torch.stack([torch.isfinite(each).all() for each in arrays]).all())

    def _outcome(
        self, plan: EpochPlan, losses: Tensor | list[Tensor], diverged: str | None = None
    ) -> EpochOutcome:
        """Return what the steps came to that have these losses."""
        size, total = self.problem.batch_size, plan.total
        each = torch.stack(losses) if isinstance(losses, list) and losses else losses
        for k, loss in enumerate([] if isinstance(each, list) else each.tolist()):
            total += loss * min(size, len(plan.order) - k * size)
        return plan.outcome(size, total, len(losses), diverged)

    def _left(self, outcome: EpochOutcome) -> EpochOutcome:
        self.parameters.flat[:] = self._flat.double().cpu().numpy()
        return outcome


class TensorPredictor:
    """A network with the parameters it was given."""

    def __init__(self, network: Network, parameters: Parameters, dtype: str) -> None:
        device, self._n_out = the_device(), network.n_out
        multiply = multiplication(dtype, device)
        self._network = NetworkOnTensors(network, device, type_of(dtype), multiply)
        self._flat = torch.from_numpy(parameters.flat.copy()).to(device, type_of(dtype))

    def logits(self, X: Rows) -> Array:
        """Return z^L of shape (n, n_L), float64."""
        return _logits(self._network, self._flat, X, self._n_out)


def _logits(network: NetworkOnTensors, flat: Tensor, X: Rows, n_out: int) -> Array:
    logits = np.empty((X.shape[0], n_out))
    for start in range(0, len(logits), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        some = X[rows]
        dense = some.toarray() if is_sparse(some) else np.asarray(some)
        with torch.no_grad():
            x = _tensor(dense).to(flat.device, flat.dtype)
            logits[rows] = network.logits(flat, x).double().cpu().numpy()
    return logits


def _tensor(array: npt.NDArray[Any]) -> Tensor:
    """Return an array as a tensor that nobody writes to; a copy only where it has to be one."""
    plain = array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    if plain.dtype.kind not in "fiub" or plain.dtype.itemsize > 8:
        plain = plain.astype(np.float64)
    if any(step < 0 for step in plain.strides):
        plain = plain.copy()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(plain)
