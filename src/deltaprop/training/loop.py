"""The training loop: epochs, validation, early stopping, budgets, callbacks, checkpoints."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.engines import choose_engine
from deltaprop.engines.base import Engine, EpochPlan, Problem, Run
from deltaprop.errors import DivergedWarning, SettingError
from deltaprop.model.backprop import require_fit, smoothed_targets
from deltaprop.model.files import check_writable
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import ClassWeight, dense_targets
from deltaprop.training.batches import check_seed, dropout_generator, epoch_order
from deltaprop.training.checkpoint import data_mark, read_checkpoint, write_checkpoint
from deltaprop.training.checks import (
    check_monitor,
    check_rows,
    check_settings,
    check_validation,
    weigh_rows,
)
from deltaprop.training.history import History
from deltaprop.training.interrupt import Interrupt, catch_interrupt
from deltaprop.training.metrics import metric_name, score
from deltaprop.training.optimizers import Adam, Optimizer, State, optimizer_to_dict
from deltaprop.training.progress import ProgressLine, progress_line
from deltaprop.training.schedules import as_schedule, values

__all__ = ["Callback", "Metric", "TrainingState", "train"]

Array = npt.NDArray[np.float64]


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


Callback: TypeAlias = Callable[[TrainingState], object]
Metric: TypeAlias = Callable[[Array, Any], float]


def train(
    network: Network,
    parameters: Parameters,
    X: Any,
    y: npt.ArrayLike,
    *,
    optimizer: Optimizer | None = None,
    batch_size: int | None = 128,
    epochs: int = 10,
    engine: str = "auto",
    dtype: str = "float32",
    seed: int = 0,
    shuffle: bool = True,
    X_val: Any = None,
    y_val: npt.ArrayLike | None = None,
    sample_weight: npt.ArrayLike | None = None,
    class_weight: ClassWeight = None,
    monitor: str | None = None,
    metric: Metric | None = None,
    patience: int | None = None,
    min_improvement: float = 0.0,
    keep_best: bool = True,
    time_budget: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    state: State | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
    n_threads: int | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> History:
    """Train a network by back-propagation, updating ``parameters`` in place.

    Parameters
    ----------
    network : Network
        Layers, loss and penalties.
    parameters : Parameters
        Where to start; holds the result afterwards.
    X : array_like of shape (n, n_0) or scipy CSR matrix
        The rows.
    y : array_like of shape (n,) or (n, n_L)
        Integer labels, one-hot rows, or values.
    optimizer : Optimizer, optional
        ``Adam(1e-3)`` when left out.
    batch_size : int or None
        Rows per step; None takes all rows in every step.
    epochs : int
        Passes over the rows, at most.
    engine : str
        "auto", or a key of ``ENGINES``.
    dtype : {"float32", "float64", "bfloat16"}
        Precision of a fast engine; the reference always computes in float64. "bfloat16" rounds
        what products read to it and keeps all else in float32: faster where the processor has
        such products.
    seed : int
        Of shuffling and dropout. The same seed gives the same bits.
    shuffle : bool
        Visit the rows in a new random order each epoch.
    X_val, y_val : array_like, optional
        Rows to validate on after each epoch.
    sample_weight : array_like of shape (n,), optional
        Weights >= 0; rows of weight zero are left out.
    class_weight : dict, sequence or "balanced", optional
        A further factor of each row's weight, by its class.
    monitor : {"val_loss", "val_metric", "loss"}, optional
        What decides which epoch is best, and early stopping; "val_loss" with validation rows,
        else "loss".
    metric : callable, optional
        ``metric(logits, targets)`` gives ``history.val_metric`` after each epoch, higher being
        better, from z^L of the validation rows and their targets; left out it is the accuracy, or
        R^2.
    patience : int, optional
        Stop after this many epochs without improvement.
    min_improvement : float
        What counts as improvement.
    keep_best : bool
        With validation rows: end with the parameters of the best epoch instead of the last.
    time_budget : float, optional
        Seconds after which to stop, counted from the call. The first step is always done.
    checkpoint : path, optional
        A file to save the run to after each epoch.
    resume : bool
        Go on from ``checkpoint`` if it exists; the result equals an uninterrupted run's.
    state : dict, optional
        The optimizer's state. What an earlier run left in it is where this one begins; an empty
        one is a new start. Holds the state after the last step afterwards.
    callbacks : sequence of callable
        Called with a ``TrainingState`` after each epoch; one that returns True stops training.
    progress : bool
        Show a bar, if standard error is a terminal.
    n_threads : int, optional
        At most this many threads, for engines with their own; the reference leaves it to NumPy.
    clock : callable
        Gives the time in seconds.

    Returns
    -------
    History
        Losses, figures and seconds per epoch, and why training stopped. Ctrl-C stops between two
        steps and keeps the best so far. A diverging run warns with ``DivergedWarning`` and leaves
        the last parameters whose loss and gradient were finite.

    Raises
    ------
    ShapeError, DataError, SettingError
        When an array or a setting does not fit; nothing has been changed then.
    """
    optimizer = Adam() if optimizer is None else optimizer
    check_settings(batch_size, epochs, dtype, patience, min_improvement, time_budget, n_threads)
    deadline = None if time_budget is None else clock() + time_budget  # checking takes its share
    require_fit(network, parameters)
    if resume and checkpoint is None:
        raise SettingError("resume=True goes on from a checkpoint; name its file: checkpoint=...")
    if callable(callbacks):
        raise SettingError("callbacks is one function; give a list of them: callbacks=[...].")
    if checkpoint is not None:
        check_writable(checkpoint)
    rows, targets = check_rows(network, X, y, "X")
    rows, targets, weights = weigh_rows(network, rows, targets, sample_weight, class_weight)
    validation = check_validation(network, X_val, y_val)
    n = rows.shape[0]
    problem = Problem(
        network=network,
        X=rows,
        targets=targets,
        weights=weights,
        optimizer=optimizer,
        batch_size=n if batch_size is None else min(int(batch_size), n),
        dtype=dtype,
        n_threads=n_threads,
    )
    loop = _Loop(
        problem=problem,
        parameters=parameters,
        engine=choose_engine(engine, network, optimizer),
        optimizer=optimizer,
        epochs=int(epochs),
        seed=check_seed(seed),
        shuffle=shuffle,
        validation=validation,
        monitor=check_monitor(monitor, validation is not None),
        metric=metric,
        patience=patience,
        min_improvement=min_improvement,
        keep_best=keep_best,
        deadline=deadline,
        checkpoint=checkpoint,
        resume=resume,
        state=state,
        callbacks=tuple(callbacks),
        clock=clock,
    )
    return loop.run(progress)


@dataclass
class _Loop:
    """One call of ``train``: settings in, one epoch after another until a reason to stop."""

    problem: Problem
    parameters: Parameters
    engine: Engine
    optimizer: Optimizer
    epochs: int
    seed: int
    shuffle: bool
    validation: tuple[Any, Any] | None
    monitor: str
    metric: Metric | None
    patience: int | None
    min_improvement: float
    keep_best: bool
    deadline: float | None
    checkpoint: str | os.PathLike[str] | None
    resume: bool
    state: State | None
    callbacks: tuple[Callback, ...]
    clock: Callable[[], float]
    history: History = field(init=False)
    engine_run: Run = field(init=False)
    best_flat: Array | None = field(init=False, default=None)
    _marks: dict[str, str] = field(init=False, default_factory=dict)

    def run(self, progress: bool) -> History:
        """Run epochs until something ends them, and leave the parameters that are to be kept."""
        self._begin()
        history = self.history
        line = progress_line(progress, self.epochs)
        try:
            with catch_interrupt() as interrupt:
                reason = "patience" if self._out_of_patience() else None
                while reason is None and history.n_epochs < self.epochs:
                    epoch = history.n_epochs
                    diverged = self._run_epoch(epoch, line, interrupt)
                    if diverged is not None:
                        reason, history.message = "diverged", diverged
                        break
                    reason = self._reason_to_stop(epoch, interrupt)
                    whole = history.n_steps == history.n_epochs * self._steps_per_epoch
                    if whole and epoch < history.n_epochs:
                        self._write_checkpoint()  # an epoch cut short is run again on resuming
        finally:
            line.close()
        history.stopped_because = reason or "epochs"
        if self._keeps_best() and self.best_flat is not None:
            self.parameters.flat[:] = self.best_flat
        if self.state is not None:
            self.state.update(self.engine_run.state)
        self._conclude()
        return history

    @property
    def _n(self) -> int:
        n: int = self.problem.X.shape[0]
        return n

    @property
    def _drops(self) -> bool:
        return any(layer is not None for layer in self.problem.network.dropouts)

    @property
    def _steps_per_epoch(self) -> int:
        return -(-self._n // self.problem.batch_size)

    def _begin(self) -> None:
        network = self.problem.network
        self.engine_run = self.engine.start(self.problem, self.parameters)
        if self.state:
            self.engine_run.state = {
                name: value.copy() if isinstance(value, np.ndarray) else value
                for name, value in self.state.items()
            }
        own = getattr(self.metric, "__name__", "metric")
        self.history = History(
            metric=metric_name(network) if self.metric is None else own,
            engine=self.engine.name,
            dtype=self.engine_run.dtype,
            seed=self.seed,
        )
        if self.checkpoint is None:
            return
        problem, held = self.problem, self.validation
        self._marks = {
            "data": data_mark(problem.X, problem.targets, problem.weights),
            "validation data": "" if held is None else data_mark(*held),
        }
        if not self.resume:
            return
        resumed = read_checkpoint(self.checkpoint, network, self._settings())
        if resumed is not None:
            self.history, self.engine_run.state = resumed.history, resumed.state
            self.parameters.flat[:] = resumed.flat
            if self._keeps_best() and self.history.best_epoch is not None:
                self.best_flat = resumed.best_flat

    def _run_epoch(self, epoch: int, line: ProgressLine, interrupt: Interrupt) -> str | None:
        """Run one epoch and enter it in the history; return how it diverged, if it did."""
        began, history, first = self.clock(), self.history, epoch * self._steps_per_epoch
        n_steps = self.epochs * self._steps_per_epoch
        eta = as_schedule(self.optimizer.learning_rate)

        def pulse(done: int) -> bool:
            line.rows(epoch, done / self._n)
            # a budget too short for anything still buys the first step of all
            return interrupt.requested or (self._late() and history.n_steps + done > 0)

        plan = EpochPlan(
            order=epoch_order(self.seed, epoch, self._n, self.shuffle),
            rng=dropout_generator(self.seed, epoch) if self._drops else None,
            learning_rates=values(eta, first, self._steps_per_epoch, n_steps),
            pulse=pulse,
        )
        outcome = self.engine_run.epoch(plan)
        history.n_steps += outcome.n_steps
        if outcome.diverged is not None:
            return (
                f"Training diverged in epoch {epoch + 1}: {outcome.diverged} was not a finite "
                f"number, at learning rate {eta(first + outcome.n_steps, n_steps):g}. Try a "
                "smaller learning rate, or scale the inputs."
            )
        if outcome.n_steps == 0:
            return None
        history.loss.append(outcome.loss)
        history.learning_rate.append(eta(first + outcome.n_steps - 1, n_steps))
        self._validate()
        if self._improved():
            history.best_epoch = epoch
            if self._keeps_best():
                self.best_flat = self.parameters.flat.copy()
        history.seconds.append(self.clock() - began)
        line.epoch(history)
        return None

    def _late(self) -> bool:
        return self.deadline is not None and self.clock() >= self.deadline

    def _keeps_best(self) -> bool:
        return self.keep_best and self.validation is not None

    def _validate(self) -> None:
        if self.validation is None:
            return
        network, (rows, targets) = self.problem.network, self.validation
        logits = self.engine.logits(network, self.parameters, rows, self.problem.dtype)
        dense = smoothed_targets(network, dense_targets(targets, network.n_out))
        with np.errstate(over="ignore", invalid="ignore"):
            self.history.val_loss.append(network.loss.value(logits, dense))
            own = self.metric
            figure = score(network, logits, targets) if own is None else own(logits, targets)
            self.history.val_metric.append(float(figure))

    def _improved(self) -> bool:
        figures: list[float] = getattr(self.history, self.monitor)
        best, sign = self.history.best_epoch, -1.0 if self.monitor == "val_metric" else 1.0
        if best is None:
            return bool(np.isfinite(figures[-1]))
        return sign * figures[-1] < sign * figures[best] - self.min_improvement

    def _out_of_patience(self) -> bool:
        best = -1 if self.history.best_epoch is None else self.history.best_epoch
        return self.patience is not None and self.history.n_epochs - 1 - best >= self.patience

    def _reason_to_stop(self, epoch: int, interrupt: Interrupt) -> str | None:
        state = TrainingState(
            epoch, self.epochs, self.problem.network, self.parameters, self.history
        )
        # all are told, of an epoch that was begun
        answers = [callback(state) for callback in self.callbacks if epoch < self.history.n_epochs]
        if interrupt.requested:
            return "interrupted"
        if self._late():
            return "time_budget"
        if any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
            return "callback"
        return "patience" if self._out_of_patience() else None

    def _write_checkpoint(self) -> None:
        if self.checkpoint is None:
            return
        write_checkpoint(
            self.checkpoint,
            self.problem.network,
            self.parameters,
            self.best_flat,
            self.engine_run.state,
            self.history,
            self._settings(),
        )

    def _conclude(self) -> None:
        history = self.history
        if self.validation is None:
            history.best_epoch = None
        if history.stopped_because == "diverged":
            if self._keeps_best() and history.best_epoch is not None:
                history.message += f" Epoch {history.best_epoch + 1} was best and was kept."
            else:
                history.message += " The last parameters with a finite loss were kept."
            warnings.warn(history.message, DivergedWarning, stacklevel=4)
            return
        n = history.n_epochs
        interrupted = f"in epoch {n}" if n else "before the first step"
        reasons = {
            "epochs": f"All {n} epochs were run.",
            "patience": f"No improvement of {self.monitor} for {self.patience} epochs.",
            "time_budget": f"The time budget was used up in epoch {n}.",
            "interrupted": f"Interrupted {interrupted}.",
            "callback": f"A callback stopped training after epoch {n}.",
        }
        history.message = reasons[history.stopped_because]
        if self._keeps_best() and history.best_epoch is not None:
            history.message += f" Epoch {history.best_epoch + 1} was best and was kept."

    def _settings(self) -> dict[str, Any]:
        """Return what must be equal for a resumed run to equal an uninterrupted one."""
        return {
            "optimizer": optimizer_to_dict(self.optimizer),
            "batch_size": self.problem.batch_size,
            "epochs": self.epochs,
            "seed": self.seed,
            "shuffle": self.shuffle,
            "rows": self._n,
            "engine": self.engine.name,
            "dtype": self.problem.dtype,
            "monitor": self.monitor,
            "min_improvement": float(self.min_improvement),
            "keep_best": bool(self.keep_best),
            **self._marks,
        }
