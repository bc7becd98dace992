"""How an MLP estimator is trained: rows held out, epochs by ``train`` or L-BFGS, curves."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, DivergedWarning
from deltaprop.estimators.convergence import AdaptiveRate, Objective, Watch
from deltaprop.estimators.inputs import take
from deltaprop.estimators.lbfgs import minimize_lbfgs
from deltaprop.estimators.learning_rates import (
    SHARES,
    begin_at_the_mean,
    begins_near_the_mean,
    learn_rates,
)
from deltaprop.estimators.parameters import (
    continued,
    optimizer_of,
    rate_of,
    result_dtype,
    settings_of,
    shortened,
)
from deltaprop.estimators.scoring import figure
from deltaprop.estimators.sklearn import ConvergenceWarning, check_scoring, train_test_split
from deltaprop.model.backprop import penalties
from deltaprop.model.parameters import Parameters
from deltaprop.model.serialize import load_model
from deltaprop.model.spec import Network
from deltaprop.training.history import History
from deltaprop.training.loop import Callback, Metric, train
from deltaprop.training.optimizers import optimizer_to_dict

__all__ = ["Sample", "fit_lbfgs", "fit_stochastic"]

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


def fit_lbfgs(estimator: Any, sample: Sample) -> None:
    """Minimize the loss over all rows by L-BFGS."""
    settings = settings_of(estimator)
    rates = estimator.network_.loss.output == "exp"
    if rates and estimator.t_ == 0 and not begins_near_the_mean(estimator, sample):
        begin_at_the_mean(estimator, sample)
    network = estimator._network(sample.n * sample.mean_weight)  # noqa: SLF001
    parameters = _parameters(estimator, network)

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
        report=report if estimator.verbose else None,
    )
    _take_over(estimator, network, parameters, result_dtype(estimator, sample.X)[1])
    objective = _objective(estimator, network, parameters, sample, whole=True)
    estimator.loss_ = objective(loss, parameters)
    estimator.n_iter_ = n_iter
    if why is not None:
        warnings.warn(
            f"L-BFGS ended after {n_iter} iterations before it had converged ({why}). Raise "
            "max_iter or max_fun, or scale the inputs.",
            ConvergenceWarning,
            stacklevel=4,
        )


def fit_stochastic(
    estimator: Any,
    sample: Sample,
    held: Sample | None,
    rng: np.random.RandomState,
    callbacks: Sequence[Callback],
    *,
    incremental: bool,
) -> None:
    """Run epochs of mini-batches until nothing improves, or a single one."""
    if estimator.early_stopping and held is None:
        sample, held = _hold_out(estimator, sample, rng)
    # other orders in later calls, though random_state is the same number
    seed = int(rng.randint(2**31 - 1)) + estimator.t_

    def run(share: float) -> History:
        return _run(estimator, sample, held, seed, share, callbacks, incremental=incremental)

    if estimator.network_.loss.output == "exp":
        share = _share_of_checkpoint(estimator, sample)
        history = learn_rates(estimator, sample, run, first=estimator.t_ == 0, begin_with=share)
    else:
        history = run(1.0)
    _refuse_divergence(estimator, history)
    _warn(estimator, history, incremental=incremental)


def _run(
    estimator: Any,
    sample: Sample,
    held: Sample | None,
    seed: int,
    share: float,
    callbacks: Sequence[Callback],
    *,
    incremental: bool,
) -> History:
    """Run the epochs once, every learning rate multiplied by ``share``."""
    max_iter = settings_of(estimator).max_iter
    n, size = sample.n, _batch_size(estimator, sample.n)
    n_steps = -(-n // size)
    network = estimator._network(size * sample.mean_weight)  # noqa: SLF001
    parameters = _parameters(estimator, network)
    rate = rate_of(estimator, n, n_steps, incremental=incremental)
    optimizer = optimizer_of(estimator, rate)
    if incremental:
        done = estimator._n_steps  # noqa: SLF001
        optimizer = continued(optimizer, done, max(max_iter * n_steps, done + 1))
    else:
        estimator._state, estimator._n_steps = {}, 0  # noqa: SLF001
    objective = _objective(estimator, network, parameters, sample, whole=n_steps == 1)
    watch = _watch(estimator, rate, objective, validated=held is not None)
    before, best_before = parameters.flat.copy(), watch.best_score
    _replay(estimator, watch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergedWarning)  # told later, or raised
        history = train(
            network,
            parameters,
            sample.X,
            sample.targets,
            optimizer=shortened(optimizer, share),
            batch_size=size,
            epochs=1 if incremental else max_iter,
            seed=seed,
            sample_weight=sample.weights,
            callbacks=[watch, *callbacks],
            **_asked_for(estimator, sample),
            **_validation(estimator, parameters, held),
        )
    if _came_to_nothing(estimator, history):
        return history
    if estimator.early_stopping and not watch.best_score > best_before:
        parameters.flat[:] = before  # an earlier call was better
    _take_over(estimator, network, parameters, result_dtype(estimator, sample.X)[1])
    _enter(estimator, watch, history, n)
    return history


def _asked_for(estimator: Any, sample: Sample) -> dict[str, Any]:
    """Return the settings that ``train`` takes as they are."""
    return {
        "engine": estimator.engine,
        "dtype": result_dtype(estimator, sample.X)[0],
        "shuffle": bool(estimator.shuffle),
        "time_budget": estimator.time_budget,
        "checkpoint": estimator.checkpoint,
        "resume": bool(estimator.resume),
        "state": estimator._state,  # noqa: SLF001
        "n_threads": estimator.n_threads,
    }


def _validation(estimator: Any, parameters: Parameters, held: Sample | None) -> dict[str, Any]:
    """Return what ``train`` is told about the validation rows."""
    if held is None:
        return {}
    return {
        "X_val": held.X,
        "y_val": held.targets,
        "monitor": "val_metric",
        "metric": _metric(estimator, parameters, held),
        "keep_best": bool(estimator.early_stopping),
    }


def _hold_out(estimator: Any, sample: Sample, rng: np.random.RandomState) -> tuple[Sample, Sample]:
    """Split as scikit-learn does: two classes in proportion, anything else at random.

    Where it would refuse because a class has too few rows, the first row of each is learnt from.
    """
    fraction = settings_of(estimator).validation_fraction
    n_held = ceil(fraction * sample.n)
    if n_held < 2 or n_held == sample.n:
        raise DataError(
            f"The validation set is too {'small' if n_held < 2 else 'large'}: "
            f"validation_fraction={fraction} of {sample.n} rows is {n_held}, a score needs 2 and "
            "learning 1. Change validation_fraction, give X_val and y_val, or leave early_stopping "
            "out."
        )
    in_proportion = estimator._splits_in_proportion()  # noqa: SLF001
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
    of_sample = (sample.X, sample.targets, sample.y, sample.weights)
    learnt, scored = (Sample(*take(rows, *of_sample)) for rows in parts)
    return learnt, scored


def _batch_size(estimator: Any, n: int) -> int:
    size = settings_of(estimator).batch_size
    if size == "auto":
        return min(200, n)
    if size > n:
        warnings.warn(
            f"batch_size is {size} but there are {n} rows; every step takes all of them.",
            stacklevel=5,
        )
    return min(int(size), n)


def _parameters(estimator: Any, network: Network) -> Parameters:
    return network.parameters(estimator.coefs_, estimator.intercepts_)


def _take_over(
    estimator: Any, network: Network, parameters: Parameters, dtype: type[np.floating[Any]]
) -> None:
    estimator.network_ = network
    estimator.coefs_ = [np.array(W, dtype=dtype) for W in parameters.W]
    estimator.intercepts_ = [np.array(b, dtype=dtype) for b in parameters.b]


def _objective(
    estimator: Any, network: Network, parameters: Parameters, sample: Sample, *, whole: bool
) -> Objective:
    divisor, constant = 1, 0.0
    if network.loss_name == "half_squared_error":
        divisor = network.n_out
    elif network.loss_name == "poisson":
        t = sample.targets.reshape(sample.n, -1)
        deviance = np.sum(t * np.log(np.where(t > 0, t, 1.0)) - t, axis=1)
        constant = float(np.average(deviance, weights=sample.weights))
    return Objective(network, divisor, constant, whole, sum(penalties(network, parameters)))


def _watch(estimator: Any, rate: Any, objective: Objective, *, validated: bool) -> Watch:
    if validated and estimator.validation_scores_ is None:
        estimator.validation_scores_ = []
        estimator.best_validation_score_ = -np.inf
    best_loss, best_score = estimator.best_loss_, estimator.best_validation_score_
    settings = settings_of(estimator)
    return Watch(
        tol=float(settings.tol),
        n_iter_no_change=settings.n_iter_no_change,
        by_score=bool(estimator.early_stopping),
        rate=rate if isinstance(rate, AdaptiveRate) else None,
        verbose=bool(estimator.verbose),
        objective=objective,
        losses=estimator.loss_curve_,
        scores=estimator.validation_scores_ or [],
        best_loss=np.inf if best_loss is None else best_loss,
        best_score=-np.inf if best_score is None else best_score,
        without=estimator._no_improvement_count,  # noqa: SLF001
    )


def _replay(estimator: Any, watch: Watch) -> None:
    """Show the watch the epochs that an interrupted run has done already."""
    if not estimator.resume or not Path(estimator.checkpoint).exists():
        return
    saved = load_model(estimator.checkpoint).training.get("history")
    if saved is None:
        return  # no checkpoint: train says so
    done = History.from_dict(saved)
    parameters = _parameters(estimator, watch.objective.network)
    for epoch, loss in enumerate(done.loss):
        score = done.val_metric[epoch] if done.val_metric else None
        watch.see(watch.objective(loss, parameters), score, silent=True)


def _share_of_checkpoint(estimator: Any, sample: Sample) -> float:
    """Return with which share of its learning rates an interrupted run was learning."""
    if not estimator.resume or not Path(estimator.checkpoint).exists():
        return 1.0
    settings = load_model(estimator.checkpoint).training.get("settings")
    n_steps = -(-sample.n // _batch_size(estimator, sample.n))
    optimizer = optimizer_of(estimator, rate_of(estimator, sample.n, n_steps, incremental=False))
    for share in SHARES:
        if settings and settings["optimizer"] == optimizer_to_dict(shortened(optimizer, share)):
            return share
    return 1.0  # train says what differs


def _metric(estimator: Any, parameters: Parameters, held: Sample) -> Metric | None:
    """Return what scores the validation rows; None where accuracy or R^2 of all rows does."""
    if estimator.scoring is None and held.weights is None:
        return None
    scorer = check_scoring(estimator, estimator.scoring)

    def metric(logits: Array, _targets: Any) -> float:
        if not np.isfinite(logits).all():
            return float("nan")
        # a scorer asks the estimator itself, so it is given the weights of this epoch
        estimator.coefs_, estimator.intercepts_ = list(parameters.W), list(parameters.b)
        estimator._held = held.X  # noqa: SLF001
        try:
            return figure(scorer, estimator, held.X, held.y, held.weights)
        finally:
            del estimator._held  # noqa: SLF001

    metric.__name__ = str(estimator.scoring or "score")
    return metric


def _came_to_nothing(estimator: Any, history: History) -> bool:
    """Return whether training diverged, and no earlier epoch was kept."""
    kept = estimator.early_stopping and history.best_epoch is not None
    return history.stopped_because == "diverged" and not kept


def _refuse_divergence(estimator: Any, history: History) -> None:
    if history.stopped_because != "diverged":
        return
    if not _came_to_nothing(estimator, history):
        warnings.warn(history.message, DivergedWarning, stacklevel=5)
        return
    raise DataError(
        f"Training diverged in epoch {history.n_epochs + 1}: the loss, a gradient or a weight was "
        "no longer a finite number. X or y may hold very large values. Scale them, for example "
        "with StandardScaler, or lower learning_rate_init."
    )


def _enter(estimator: Any, watch: Watch, history: History, n: int) -> None:
    """Write down what happened in scikit-learn's attributes."""
    estimator.history_ = history
    estimator.n_iter_ = history.n_epochs
    estimator.t_ += n * history.n_epochs
    estimator.loss_ = watch.losses[-1] if watch.losses else float("nan")
    estimator.best_loss_ = None if watch.by_score else watch.best_loss
    if estimator.validation_scores_ is not None:
        estimator.validation_scores_ = watch.scores
        estimator.best_validation_score_ = watch.best_score
    estimator._no_improvement_count = watch.without  # noqa: SLF001
    estimator._n_steps += history.n_steps  # noqa: SLF001
    if watch.rate is not None:
        estimator._rate = watch.rate.learning_rate  # noqa: SLF001


def _warn(estimator: Any, history: History, *, incremental: bool) -> None:
    if history.stopped_because == "interrupted":
        warnings.warn(history.message, stacklevel=5)
    elif history.stopped_because == "epochs" and not incremental:
        max_iter = settings_of(estimator).max_iter
        warnings.warn(
            f"Training has not converged in max_iter={max_iter} epochs. Raise max_iter, "
            "or tol, which says what counts as improvement.",
            ConvergenceWarning,
            stacklevel=5,
        )
