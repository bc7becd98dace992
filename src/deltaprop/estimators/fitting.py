"""How an MLP estimator is trained: rows held out, epochs by ``train`` or L-BFGS, curves."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, DivergedWarning, warn_user
from deltaprop.estimators.convergence import AdaptiveRate, Objective, Watch
from deltaprop.estimators.inputs import take
from deltaprop.estimators.lbfgs import minimize_lbfgs
from deltaprop.estimators.learning_rates import (
    SHARES,
    begin_at_the_mean,
    begins_near_the_mean,
    learn_rates,
)
from deltaprop.estimators.parameters import Settings, continued, shortened
from deltaprop.estimators.scoring import Scored, Scorer
from deltaprop.estimators.sklearn import ConvergenceWarning, train_test_split
from deltaprop.estimators.state import FitState, network_of
from deltaprop.model.backprop import penalties
from deltaprop.model.parameters import Parameters
from deltaprop.model.serialize import load_model
from deltaprop.model.spec import Network
from deltaprop.training.history import History
from deltaprop.training.loop import Callback, Metric, train
from deltaprop.training.optimizers import Optimizer, optimizer_to_dict
from deltaprop.training.schedules import LearningRate

__all__ = ["Epochs", "Sample", "fit_lbfgs", "hold_out"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Rows with what is known about them.

    Attributes
    ----------
    X : ndarray or scipy CSR matrix of shape (n, n_0)
        The rows as numbers.
    targets : ndarray
        What the network learns: labels from 0, or values.
    y : ndarray
        The same as the user gave it, for scorers.
    weights : ndarray of shape (n,) or None
        Row weights.
    """

    X: Any
    targets: npt.NDArray[Any]
    y: npt.NDArray[Any]
    weights: Array | None

    @property
    def n(self) -> int:
        """Return the number of rows."""
        n: int = self.X.shape[0]
        return n

    @property
    def mean_weight(self) -> float:
        """Return what a row weighs on average."""
        return 1.0 if self.weights is None else float(self.weights.mean())

    def rows(self, some: npt.NDArray[np.int64]) -> Sample:
        """Return some of the rows."""
        return Sample(*take(some, self.X, self.targets, self.y, self.weights))


def fit_lbfgs(settings: Settings, state: FitState, sample: Sample) -> FitState:
    """Minimize the loss over all rows by L-BFGS."""
    rates = state.network.loss.output == "exp"
    if rates and state.t == 0 and not begins_near_the_mean(state, sample):
        state = begin_at_the_mean(state, sample)
    network = network_of(settings, state.network.n_in, state.answers, sample.n * sample.mean_weight)
    parameters = network.parameters(state.coefs, state.intercepts)

    def report(iteration: int, loss: float) -> None:
        print(f"Iteration {iteration}, loss = {loss:.8f}")

    loss, n_iter, why = minimize_lbfgs(
        network,
        parameters,
        sample.X,
        sample.targets,
        sample.weights,
        max_iter=settings.max_iter,
        max_fun=settings.max_fun,
        tol=settings.tol,
        report=report if settings.verbose else None,
    )
    if why is not None:
        warn_user(
            f"L-BFGS ended after {n_iter} iterations before it had converged ({why}). Raise "
            "max_iter or max_fun, or scale the inputs.",
            ConvergenceWarning,
        )
    objective = _objective(network, parameters, sample, whole=True)
    learnt = state.with_numbers(network, parameters, settings.dtypes(sample.X)[1])
    return replace(learnt, loss=objective(loss, parameters), n_iter=n_iter)


@dataclass(frozen=True)
class Epochs:
    """A training in epochs of mini-batches, until nothing improves, or of a single one.

    Attributes
    ----------
    settings : Settings
        Of the estimator.
    sample : Sample
        What is learnt from.
    held : Sample or None
        What each epoch is scored on.
    seed : int
        Of orders and masks.
    callbacks : tuple of callable
        Told of each epoch.
    incremental : bool
        Whether it is the one epoch of ``partial_fit``.
    scorer : Scorer
        What scores an epoch, if it is more than all rows' accuracy or R^2.
    """

    settings: Settings
    sample: Sample
    held: Sample | None
    seed: int
    callbacks: tuple[Callback, ...]
    incremental: bool
    scorer: Scorer

    def train(self, state: FitState) -> FitState:
        """Return what training from ``state`` comes to; raise DataError where it diverges."""
        size, n = self.settings.batch_size, self.sample.n
        if not isinstance(size, str) and size > n:
            warn_user(
                f"batch_size is {size} but there are {n} rows; every step takes all of them.",
                UserWarning,
            )
        if state.network.loss.output == "exp":
            begin_with = self._share_of_checkpoint(state)
            patience = self.settings.n_iter_no_change
            learnt = learn_rates(
                state, self.sample, self._run, patience=patience, begin_with=begin_with
            )
        else:
            learnt = self._run(state, 1.0)
        self._say_how_it_ended(learnt)
        return learnt

    def _run(self, state: FitState, share: float) -> FitState:
        """Run the epochs once, every learning rate multiplied by ``share``."""
        settings, sample = self.settings, self.sample
        n_steps = -(-sample.n // self._batch_size)
        rows_per_step = self._batch_size * sample.mean_weight
        network = network_of(settings, state.network.n_in, state.answers, rows_per_step)
        parameters = network.parameters(state.coefs, state.intercepts)
        rate = self._rate(state)
        optimizer = settings.optimizer_at(rate)
        if self.incremental:
            n_all = max(settings.max_iter * n_steps, state.n_steps + 1)
            optimizer = continued(optimizer, state.n_steps, n_all)
            numbers = dict(state.optimizer)
        else:
            state, numbers = replace(state, n_steps=0), {}
        objective = _objective(network, parameters, sample, whole=n_steps == 1)
        watch = self._watch(state, rate, objective)
        before, best_before = parameters.flat.copy(), watch.best_score
        self._replay(watch, parameters)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DivergedWarning)  # told later, or raised
            history = train(
                network,
                parameters,
                sample.X,
                sample.targets,
                optimizer=shortened(optimizer, share),
                batch_size=self._batch_size,
                epochs=1 if self.incremental else settings.max_iter,
                seed=self.seed,
                sample_weight=sample.weights,
                callbacks=[watch, *self.callbacks],
                engine=settings.engine,
                dtype=settings.dtypes(sample.X)[0],
                shuffle=bool(settings.shuffle),
                time_budget=settings.time_budget,
                checkpoint=settings.checkpoint,
                resume=bool(settings.resume),
                state=numbers,
                n_threads=settings.n_threads,
                **self._validation(state, network, parameters),
            )
        if self._came_to_nothing(history):
            return replace(state, history=history)
        if settings.early_stopping and not watch.best_score > best_before:
            parameters.flat[:] = before  # an earlier call was better
        learnt = state.with_numbers(network, parameters, settings.dtypes(sample.X)[1])
        scored = self.held is not None or state.scores is not None
        return replace(
            learnt,
            history=history,
            n_iter=history.n_epochs,
            t=state.t + sample.n * history.n_epochs,
            loss=watch.losses[-1] if watch.losses else float("nan"),
            loss_curve=watch.losses,
            best_loss=None if watch.by_score else watch.best_loss,
            scores=watch.scores if scored else None,
            best_score=watch.best_score if scored else state.best_score,
            no_improvement=watch.without,
            optimizer=numbers,
            n_steps=state.n_steps + history.n_steps,
            rate=state.rate if watch.rate is None else watch.rate.learning_rate,
        )

    @property
    def _batch_size(self) -> int:
        n, size = self.sample.n, self.settings.batch_size
        return min(200, n) if size == "auto" else min(int(size), n)

    def _rate(self, state: FitState) -> LearningRate:
        n, begun_at = self.sample.n, state.rate if self.incremental else None
        return self.settings.rate_for(n, -(-n // self._batch_size), state.t, begun_at)

    def _validation(
        self, state: FitState, network: Network, parameters: Parameters
    ) -> dict[str, Any]:
        """Return what ``train`` is told about the validation rows."""
        if self.held is None:
            return {}
        return {
            "X_val": self.held.X,
            "y_val": self.held.targets,
            "monitor": "val_metric",
            "metric": self._metric(state, network, parameters, self.held),
            "keep_best": bool(self.settings.early_stopping),
        }

    def _metric(
        self, state: FitState, network: Network, parameters: Parameters, held: Sample
    ) -> Metric | None:
        """Return what scores the validation rows; None where accuracy or R^2 of all rows does."""
        settings = self.settings
        if settings.scoring is None and held.weights is None:
            return None
        score = self.scorer.prepared()
        kind = np.result_type(held.X.dtype, state.coefs[0].dtype)

        def metric(logits: Array, _targets: Any) -> float:
            if not np.isfinite(logits).all():
                return float("nan")
            with np.errstate(over="ignore"):
                outputs = network.loss.predict(logits).astype(kind, copy=False)
            now = replace(state, network=network, coefs=[W for W in parameters.W if W is not None],
                          intercepts=[b for b in parameters.b if b is not None])  # fmt: skip
            scored = Scored(held.X, outputs, state.answers)
            return score(now.attributes, scored, held.y, held.weights)

        metric.__name__ = str(settings.scoring or "score")
        return metric

    def _watch(self, state: FitState, rate: LearningRate, objective: Objective) -> Watch:
        settings = self.settings
        return Watch(
            tol=float(settings.tol),
            n_iter_no_change=settings.n_iter_no_change,
            by_score=bool(settings.early_stopping),
            rate=rate if isinstance(rate, AdaptiveRate) else None,
            verbose=bool(settings.verbose),
            objective=objective,
            losses=list(state.loss_curve or ()),
            scores=list(state.scores or ()),
            best_loss=np.inf if state.best_loss is None else state.best_loss,
            best_score=-np.inf if state.best_score is None else state.best_score,
            without=state.no_improvement,
        )

    def _saved(self) -> dict[str, Any]:
        """Return what an interrupted run wrote down of itself."""
        path = self.settings.checkpoint
        if not self.settings.resume or path is None or not Path(path).exists():
            return {}
        return load_model(path).training

    def _replay(self, watch: Watch, parameters: Parameters) -> None:
        """Show the watch the epochs that an interrupted run has done already."""
        saved = self._saved().get("history")
        if saved is None:
            return  # no checkpoint: train says so
        done = History.from_dict(saved)
        for epoch, loss in enumerate(done.loss):
            score = done.val_metric[epoch] if done.val_metric else None
            watch.see(watch.objective(loss, parameters), score, silent=True)

    def _share_of_checkpoint(self, state: FitState) -> float:
        """Return with which share of its learning rates an interrupted run was learning."""
        settings: Any = self._saved().get("settings")
        optimizer: Optimizer = self.settings.optimizer_at(self._rate(state))
        for share in SHARES if settings else ():
            if settings["optimizer"] == optimizer_to_dict(shortened(optimizer, share)):
                return share
        return 1.0  # train says what differs

    def _came_to_nothing(self, history: History) -> bool:
        """Return whether training diverged, and no earlier epoch was kept."""
        kept = self.settings.early_stopping and history.best_epoch is not None
        return history.stopped_because == "diverged" and not kept

    def _say_how_it_ended(self, learnt: FitState) -> None:
        history, max_iter = learnt.history, self.settings.max_iter
        if history is None:
            return
        if self._came_to_nothing(history):
            raise DataError(
                f"Training diverged in epoch {history.n_epochs + 1}: the loss, a gradient or a "
                "weight was no longer a finite number. X or y may hold very large values. Scale "
                "them, for example with StandardScaler, or lower learning_rate_init."
            )
        if history.stopped_because == "diverged":
            warn_user(history.message, DivergedWarning)
        elif history.stopped_because == "interrupted":
            warn_user(history.message, UserWarning)
        elif history.stopped_because == "epochs" and not self.incremental:
            warn_user(
                f"Training has not converged in max_iter={max_iter} epochs. Raise max_iter, "
                "or tol, which says what counts as improvement.",
                ConvergenceWarning,
            )


def hold_out(
    sample: Sample, fraction: float, rng: np.random.RandomState, *, in_proportion: bool
) -> tuple[Sample, Sample]:
    """Split as scikit-learn does: two classes in proportion, anything else at random.

    Where it would refuse because a class has too few rows, the first row of each is learnt from.
    """
    n_held = ceil(fraction * sample.n)
    if n_held < 2 or n_held == sample.n:
        raise DataError(
            f"The validation set is too {'small' if n_held < 2 else 'large'}: "
            f"validation_fraction={fraction} of {sample.n} rows is {n_held}, a score needs 2 and "
            "learning 1. Change validation_fraction, give X_val and y_val, or leave early_stopping "
            "out."
        )
    counts = np.unique(sample.y, return_counts=True)[1] if in_proportion else np.empty(0)
    if in_proportion and (counts.min() < 2 or len(counts) > min(n_held, sample.n - n_held)):
        order = rng.permutation(sample.n)
        first = np.unique(sample.y[order], return_index=True)[1]
        held = np.delete(order, first)[:n_held]
        parts = np.setdiff1d(order, held), held
    else:
        parts = train_test_split(
            np.arange(sample.n),
            random_state=rng,
            test_size=fraction,
            stratify=sample.y if in_proportion else None,
        )
    learnt, scored = (sample.rows(some) for some in parts)
    return learnt, scored


def _objective(
    network: Network, parameters: Parameters, sample: Sample, *, whole: bool
) -> Objective:
    divisor, constant = 1, 0.0
    if network.loss_name == "half_squared_error":
        divisor = network.n_out
    elif network.loss_name == "poisson":
        t = sample.targets.reshape(sample.n, -1)
        deviance = np.sum(t * np.log(np.where(t > 0, t, 1.0)) - t, axis=1)
        constant = float(np.average(deviance, weights=sample.weights))
    return Objective(network, divisor, constant, whole, sum(penalties(network, parameters)))
