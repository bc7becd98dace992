"""Rates, the exponentials of a network's outputs: where they begin, and steps they survive.

A step that moves a logit by 100 multiplies its rate by 10^43. Unscaled inputs make such steps, and
such starts, out of settings that are right for scaled ones. So from scikit-learn's start, where its
rates are near enough to the mean of the targets, else from the mean itself, training is run as the
settings have it; only where it runs away it is run again with shorter steps.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deltaprop.estimators.parameters import settings_of
from deltaprop.estimators.sklearn import ConvergenceWarning
from deltaprop.functional.losses import sample_shares
from deltaprop.model.spec import Network
from deltaprop.table_models.initial_rates import least_loss, log_of_mean
from deltaprop.training.history import History
from deltaprop.training.predict import logits

if TYPE_CHECKING:
    from deltaprop.estimators.fitting import Sample

__all__ = ["SHARES", "begin_at_the_mean", "begins_near_the_mean", "learn_rates"]

Array = npt.NDArray[np.float64]

_NEAR = 4.0  # from the logarithm of the mean: a rate within a factor of 55
SHARES = tuple(10.0**-k for k in range(9))
_CLOSE = 1.001  # of the loss of the constant, where training begins
_CHANGED = (
    "coefs_", "intercepts_", "loss_curve_", "best_loss_", "validation_scores_",
    "best_validation_score_", "n_iter_", "t_", "loss_", "history_", "_state", "_n_steps",
    "_no_improvement_count", "_rate",
)  # fmt: skip


def begins_near_the_mean(estimator: Any, sample: Sample) -> bool:
    """Return whether the rates of all rows are within a factor of 55 of the mean."""
    aim = log_of_mean(sample.targets.reshape(sample.n, -1), sample.weights)
    return bool((np.abs(_logits(estimator, sample) - aim) <= _NEAR).all())


def begin_at_the_mean(estimator: Any, sample: Sample) -> None:
    """Begin at the mean instead of where scikit-learn would.

    The output's bias becomes the logarithm of the mean, and its weights are halved until the
    start is as good as that constant.
    """
    targets = sample.targets.reshape(sample.n, -1)
    aim = log_of_mean(targets, sample.weights)
    spread = _logits(estimator, sample) - estimator.intercepts_[-1]
    spread = np.where(np.isfinite(spread), spread, np.finfo(np.float32).max)
    network, shares = estimator.network_, sample_shares(sample.n, sample.weights)
    best, factor = _loss(network, np.broadcast_to(aim, spread.shape), targets, shares), 1.0
    least = least_loss(network, targets, shares)
    while factor > 1e-60 and not (
        _loss(network, aim + factor * spread, targets, shares) - least <= _CLOSE * (best - least)
    ):
        factor /= 2
    estimator.coefs_[-1] *= factor
    estimator.intercepts_[-1][:] = aim


def learn_rates(
    estimator: Any,
    sample: Sample,
    run: Callable[[float], History],
    *,
    first: bool,
    begin_with: float = 1.0,
) -> History:
    """Run a training, and again with shorter steps as long as it is worse than the mean.

    Parameters
    ----------
    estimator : MLPRegressor
        Holds the weights it begins with, and afterwards those it ended with.
    sample : Sample
        The rows that are learnt from.
    run : callable
        ``run(share)`` trains with every learning rate multiplied by ``share``.
    first : bool
        Whether the weights are new, so that training may begin elsewhere.
    begin_with : float
        The first one of ``SHARES`` that is tried: of a training that is resumed the one it had.

    Returns
    -------
    History
        Of the training that is kept; of the last one where none came to anything, and then the
        weights are those it began with.
    """
    targets = sample.targets.reshape(sample.n, -1)
    shares = sample_shares(sample.n, sample.weights)
    aim = np.broadcast_to(log_of_mean(targets, sample.weights), targets.shape)
    constant = _loss(estimator.network_, aim, targets, shares)

    def loss() -> float:
        return _loss(estimator.network_, _logits(estimator, sample), targets, shares)

    start, before = loss(), _snapshot(estimator)
    if first and begin_with == 1 and begins_near_the_mean(estimator, sample):
        history = run(1.0)
        # of so few epochs none could tell that nothing improves
        short = history.stopped_because != "diverged" and (
            history.n_epochs < settings_of(estimator).n_iter_no_change
        )
        if _was_ended(history) or loss() <= (max(constant, start) if short else constant):
            return history
        vars(estimator).update(before)
    if first:
        begin_at_the_mean(estimator, sample)
        start, before = constant, _snapshot(estimator)
    for share in [share for share in SHARES if share <= begin_with]:
        history = run(share)
        good = history.stopped_because != "diverged" and loss() <= max(constant, start)
        if good or _was_ended(history):
            if share < 1:
                _tell(share)
            return history
        vars(estimator).update(deepcopy(before))
    return history


def _snapshot(estimator: Any) -> dict[str, Any]:
    known = vars(estimator)
    return {name: deepcopy(known[name]) for name in _CHANGED if name in known}


def _was_ended(history: History) -> bool:
    return history.stopped_because in ("interrupted", "time_budget")


def _tell(share: float) -> None:
    warnings.warn(
        "With the learning rate as it was set the rates ran away; they were learnt at "
        f"{share:g} of it, which may be slow. Scale the inputs, for example with StandardScaler, "
        "or set preset='fast', which does.",
        ConvergenceWarning,
        stacklevel=7,
    )


def _logits(estimator: Any, sample: Sample) -> Array:
    network = estimator.network_
    with np.errstate(over="ignore", invalid="ignore"):
        parameters = network.parameters(estimator.coefs_, estimator.intercepts_)
        return logits(network, parameters, sample.X)


def _loss(network: Network, z: Array, targets: Array, shares: Array) -> float:
    """Return the loss of these logits; infinity where it is no number."""
    with np.errstate(over="ignore", invalid="ignore"):
        loss = network.loss.value(np.asarray(z), targets, shares)
    return loss if np.isfinite(loss) else np.inf
