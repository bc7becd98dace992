"""One run of training: settings in, one epoch after another until a reason to stop."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.engines.base import Engine, EpochOutcome, EpochPlan, Problem, Run
from deltaprop.errors import CheckpointWarning, DivergedWarning, OutputError, warn_user
from deltaprop.model.backprop import smoothed_targets, words_of_masks
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import dense_targets
from deltaprop.training.batches import dropout_generator, epoch_order
from deltaprop.training.checkpoint import Position, data_mark, read_checkpoint, write_checkpoint
from deltaprop.training.checks import check_state
from deltaprop.training.history import History
from deltaprop.training.interrupt import Interrupt
from deltaprop.training.metrics import metric_name
from deltaprop.training.optimizers import Optimizer, State, optimizer_to_dict
from deltaprop.training.progress import ProgressLine
from deltaprop.training.schedules import Schedule, as_schedule, values
from deltaprop.training.settings import Checkpointing, Stopping, Validation

__all__ = ["TrainingRun", "TrainingState"]

Array = npt.NDArray[np.float64]

_NUMBERS_AT_ONCE, _ROWS_AT_ONCE = 1_000_000, 64  # logits, or inputs, of validation; rows at least


@dataclass(frozen=True)
class TrainingState:
    """What a callback is given after each epoch.

    Attributes
    ----------
    epoch : int
        Its number, from 0.
    n_epochs : int
        How many are planned.
    network : Network
        What is trained.
    parameters : Parameters
        The parameters after the epoch; the ones being trained, not a copy.
    history : History
        Up to and including this epoch.
    """

    epoch: int
    n_epochs: int
    network: Network
    parameters: Parameters
    history: History


def _is_finite(state: State) -> bool:
    """Return whether one can go on: squares of gradients overflow before the gradients do."""
    return all(bool(np.isfinite(value).all()) for value in state.values())


@dataclass(eq=False)
class TrainingRun:
    """A network on its way: what ``train`` was asked for, and how far it has come.

    ``rows`` are those of the problem that are learnt from, None for all; ``number`` says which of
    several it is, from 0; ``reason`` is one of ``STOPPED_BECAUSE`` once it is over.
    """

    problem: Problem
    parameters: Parameters
    engine: Engine
    optimizer: Optimizer
    seed: int
    shuffle: bool
    stopping: Stopping
    validation: Validation
    checkpointing: Checkpointing
    rows: npt.NDArray[np.int64] | None = None
    state: State | None = None
    number: int = 0
    history: History = field(init=False)
    reason: str | None = field(init=False, default=None)
    engine_run: Run = field(init=False)
    best_flat: Array | None = field(init=False, default=None)
    _position: Position = field(init=False, default=Position())
    _saved_at: float = field(init=False, default=-np.inf)
    _saving_took: float = field(init=False, default=0.0)
    _marks: dict[str, str] = field(init=False, default_factory=dict)

    def begin(self) -> None:
        """Make the engine ready, or go on from the checkpoint."""
        self.engine_run = self.engine.start(self.problem, self.parameters)
        if self.state:
            n = self.problem.network.layout.size
            self.engine_run.state = check_state(self.state, self.optimizer, n)
        self.history = History(
            metric=self.validation.score.name,
            engine=self.engine.name,
            dtype=self.engine_run.dtype,
            seed=self.seed,
        )
        if self.checkpointing.path is not None:
            self._go_on_from(self.checkpointing.path)
        if self._out_of_patience():
            self.reason = "patience"

    @property
    def goes_on(self) -> bool:
        """Return whether there is another epoch to run."""
        return self.reason is None and self.history.n_epochs < self.stopping.epochs

    def epoch(self, line: ProgressLine, interrupt: Interrupt) -> None:
        """Run one epoch, enter it in the history, and find out whether it was the last."""
        began = self.stopping.clock()
        outcome = self.engine_run.epoch(self.plan(line, interrupt))
        self.enter(outcome, began, line, interrupt)

    def plan(self, line: ProgressLine, interrupt: Interrupt) -> EpochPlan:
        """Return what the engine is told of the next epoch, up to where the run is saved."""
        epoch, at, size = self.history.n_epochs, self._position.steps, self.problem.batch_size
        network = self.problem.network
        first = epoch * self._steps_per_epoch + at
        limit = self.checkpointing.steps_after(first)
        steps = self._steps_per_epoch - at if limit is None else limit
        order = epoch_order(self.seed, epoch, self._n, self.shuffle)
        order = order[at * size : (at + steps) * size]
        drawn = at * words_of_masks(network, size)
        due = self._saved_at + self.checkpointing.pause_within(self._saving_took)

        def should_stop(done: int) -> bool:
            line.rows((at * size + done) / self._n, self.number)
            # a budget too short for anything still buys the first step of all
            begun = self.history.n_steps + done > 0
            is_due = done > 0 and due < np.inf and bool(self.stopping.clock() >= due)
            return interrupt.requested or is_due or (self.stopping.is_late() and begun)

        return EpochPlan(
            order=order if self.rows is None else self.rows[order],
            rng=dropout_generator(self.seed, epoch, drawn) if any(network.dropouts) else None,
            learning_rates=values(self._eta, first, -(-len(order) // size), self._n_steps),
            should_stop=should_stop,
            first_step=at,
            total=self._position.total,
        )

    def enter(
        self, outcome: EpochOutcome, began: float, line: ProgressLine, interrupt: Interrupt
    ) -> None:
        """Enter an epoch in the history, and find out whether it was the last.

        It began at a time of ``clock``. What is not whole was stopped to be saved, or ends the run.
        """
        history, epoch = self.history, self.history.n_epochs
        history.n_steps += outcome.n_steps
        if outcome.diverged is not None:
            self.reason, history.message = "diverged", self._divergence(epoch, outcome)
            return
        steps = self._position.steps + outcome.n_steps
        seconds = self._position.seconds + self.stopping.clock() - began
        self._position = Position(steps, outcome.total, seconds)
        if steps < self._steps_per_epoch:
            self._save()  # a run that is resumed knows nothing of an epoch cut short
            if not (interrupt.requested or self.stopping.is_late()):
                return
        if steps > 0:
            self._enter(epoch, steps, outcome.loss)
            history.seconds.append(self._position.seconds)
            line.epoch(history, self.number)
        self.reason = self._reason_to_stop(epoch, interrupt)
        if steps == self._steps_per_epoch:
            self._position = Position()
            saving, since = self.checkpointing, self.stopping.clock() - self._saved_at
            due = since >= saving.pause(self._saving_took)
            if due or not self.goes_on or saving.is_after((epoch + 1) * steps):
                self._save()

    def end(self) -> History:
        """Leave the parameters that are to be kept, and say why it is over."""
        self.history.stopped_because = self.reason or "epochs"
        if self._keeps_best() and self.best_flat is not None:
            self.parameters.flat[:] = self.best_flat
        if self.state is not None:
            left = self.engine_run.state
            self.state.clear()
            self.state.update(left if _is_finite(left) else {})
        self._conclude()
        return self.history

    @cached_property
    def _n(self) -> int:
        n: int = self.problem.X.shape[0]
        return n if self.rows is None else len(self.rows)

    @cached_property
    def _eta(self) -> Schedule:
        return as_schedule(self.optimizer.learning_rate)

    @cached_property
    def _steps_per_epoch(self) -> int:
        return -(-self._n // self.problem.batch_size)

    @property
    def _n_steps(self) -> int:
        return self.stopping.epochs * self._steps_per_epoch

    def _go_on_from(self, path: str | os.PathLike[str]) -> None:
        """Remember what a checkpoint is about, and go on from it where that is wanted."""
        problem, held, places = self.problem, self.validation.data, self.validation.places
        self._marks = {
            "data": data_mark(problem.X, problem.targets, problem.weights),
            "validation data": "" if held is None else data_mark(*held, rows=places),
        }
        if not self.checkpointing.resume:
            return
        resumed = read_checkpoint(path, problem.network, self.optimizer, self._settings())
        if resumed is not None:
            self.history, self.engine_run.state = resumed.history, resumed.state
            self._position = resumed.position
            self.parameters.flat[:] = resumed.flat
            if self._keeps_best() and self.history.best_epoch is not None:
                self.best_flat = resumed.best_flat

    def _enter(self, epoch: int, steps: int, loss: float) -> None:
        history = self.history
        last = epoch * self._steps_per_epoch + steps - 1
        history.loss.append(loss)
        history.learning_rate.append(self._eta(last, self._n_steps))
        self._validate()
        if self._improved():
            history.best_epoch = epoch
            if self._keeps_best():
                self.best_flat = self.parameters.flat.copy()

    def _divergence(self, epoch: int, outcome: EpochOutcome) -> str:
        step = epoch * self._steps_per_epoch + self._position.steps + outcome.n_steps
        eta = self._eta(step, self._n_steps)
        return (
            f"Training diverged in epoch {epoch + 1}: {outcome.diverged} was not a finite number, "
            f"at learning rate {eta:g}. Try a smaller learning rate, or scale the inputs."
        )

    def _keeps_best(self) -> bool:
        return self.stopping.keep_best and self.validation.data is not None

    def _validate(self) -> None:
        if self.validation.data is None:
            return
        network, (rows, targets) = self.problem.network, self.validation.data
        places = self.validation.places
        n = rows.shape[0] if places is None else len(places)
        at_once = n
        if self.validation.score.averages_rows:
            at_once = max(_ROWS_AT_ONCE, _NUMBERS_AT_ONCE // network.n_out)
        weights = np.ones(n) if self.validation.weights is None else self.validation.weights
        whole = weights.sum()
        loss = figure = 0.0
        for start in range(0, n, at_once):
            part = slice(start, start + at_once)
            chosen = part if places is None else places[part]
            share = float(weights[part].sum() / whole)
            if share == 0.0:
                continue
            logits, answers = self._logits(rows, chosen), targets[chosen]
            with np.errstate(over="ignore", invalid="ignore"):
                loss += self._loss_of(logits, answers, weights[part] / whole)
                figure += share * self.validation.score.of(network, logits, answers, weights[part])
        self.history.val_loss.append(loss)
        self.history.val_metric.append(figure)

    def _logits(self, rows: Any, chosen: slice | npt.NDArray[np.int64]) -> Array:
        """Return z^L of some rows, of which no more are copied at once than a cache holds."""
        if isinstance(chosen, slice):
            return self.engine_run.logits(rows[chosen])
        network = self.problem.network
        at_once = max(_ROWS_AT_ONCE, _NUMBERS_AT_ONCE // network.n_in)
        logits = np.empty((len(chosen), network.n_out))
        for start in range(0, len(chosen), at_once):
            part = slice(start, start + at_once)
            logits[part] = self.engine_run.logits(rows[chosen[part]])
        return logits

    def _loss_of(self, logits: Array, targets: npt.NDArray[Any], shares: Array) -> float:
        network = self.problem.network
        if targets.ndim == 1 and network.loss.per_label is not None:
            return network.loss.value_of_labels(logits, targets, network.label_smoothing, shares)
        dense = smoothed_targets(network, dense_targets(targets, network.n_out))
        return network.loss.value(logits, dense, shares)

    def _improved(self) -> bool:
        monitor, score = self.validation.figure, self.validation.score
        figures: list[float] = getattr(self.history, monitor)
        best = self.history.best_epoch
        higher = monitor == "val_metric" and not score.lower_is_better
        sign = -1.0 if higher else 1.0
        if best is None:
            return bool(np.isfinite(figures[-1]))
        gain = sign * (figures[best] - figures[-1])
        return gain > self.stopping.min_improvement or (self.stopping.prefer_latest and gain >= 0)

    def _out_of_patience(self) -> bool:
        patience = self.stopping.patience
        best = -1 if self.history.best_epoch is None else self.history.best_epoch
        return patience is not None and self.history.n_epochs - 1 - best >= patience

    def _reason_to_stop(self, epoch: int, interrupt: Interrupt) -> str | None:
        state = TrainingState(
            epoch, self.stopping.epochs, self.problem.network, self.parameters, self.history
        )
        # all are told, of an epoch that was begun
        asked = self.stopping.callbacks if epoch < self.history.n_epochs else ()
        answers = [callback(state) for callback in asked]
        if interrupt.requested:
            return "interrupted"
        if self.stopping.is_late():
            return "time_budget"
        if any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
            return "callback"
        return "patience" if self._out_of_patience() else None

    def _save(self) -> None:
        """Write a checkpoint, where one is wanted; go on without one where it cannot be written."""
        if self.checkpointing.path is None:
            return
        began = self.stopping.clock()
        try:
            self._write_checkpoint(self.checkpointing.path)
        except OutputError as error:
            said = f"{error} The run goes on, and what was saved before stays."
            warn_user(said, CheckpointWarning)
        self._saved_at = self.stopping.clock()
        self._saving_took = self._saved_at - began

    def _write_checkpoint(self, path: str | os.PathLike[str]) -> None:
        state, epoch = self.engine_run.state, self.history.n_epochs - 1
        if not _is_finite(state):
            outcome = EpochOutcome(np.nan, 0, "the optimizer's state")
            self.reason, self.history.message = "diverged", self._divergence(epoch, outcome)
            return
        write_checkpoint(
            path,
            self.problem.network,
            self.parameters,
            self.best_flat,
            state,
            self.history,
            self._settings(),
            self._position,
        )

    def _conclude(self) -> None:
        history = self.history
        if self.validation.data is None:
            history.best_epoch = None
        if history.stopped_because == "diverged":
            if self._keeps_best() and history.best_epoch is not None:
                history.message += f" Epoch {history.best_epoch + 1} was best and was kept."
            else:
                history.message += " The last parameters with a finite loss were kept."
            warn_user(history.message, DivergedWarning)
            return
        n = history.n_epochs
        interrupted = f"in epoch {n}" if n else "before the first step"
        reasons = {
            "epochs": f"All {n} epochs were run.",
            "patience": (
                f"No improvement of {self.validation.figure} for {self.stopping.patience} epochs."
            ),
            "time_budget": f"The time budget was used up in epoch {n}.",
            "interrupted": f"Interrupted {interrupted}.",
            "callback": f"A callback stopped training after epoch {n}.",
        }
        history.message = reasons[history.stopped_because]
        if self._keeps_best() and history.best_epoch is not None:
            history.message += f" Epoch {history.best_epoch + 1} was best and was kept."

    def _settings(self) -> dict[str, Any]:
        """Return what must be equal for a resumed run to equal an uninterrupted one."""
        usual = self.validation.score.name == metric_name(self.problem.network)
        return {
            "optimizer": optimizer_to_dict(self.optimizer),
            "batch_size": self.problem.batch_size,
            "epochs": self.stopping.epochs,
            "seed": self.seed,
            "shuffle": self.shuffle,
            "rows": self._n,
            "engine": self.engine.name,
            "dtype": self.problem.dtype,
            "monitor": self.validation.figure,
            "min_improvement": float(self.stopping.min_improvement),
            "keep_best": bool(self.stopping.keep_best),
            "prefer_latest": bool(self.stopping.prefer_latest),
            **({} if usual else {"metric": self.validation.score.name}),
            **self._marks,
        }
