"""Rates, the exponentials of a network's outputs: where they begin, and steps they survive.

A step that moves a logit by 100 multiplies its rate by 10^43. Unscaled inputs make such steps, and
such starts, out of settings that are right for scaled ones. So from scikit-learn's start, where its
rates are near enough to the mean of the targets, else from the mean itself, training is run as the
settings have it; only where it runs away it is run again with shorter steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from deltaprop.errors import warn_user
from deltaprop.estimators.sample import Sample
from deltaprop.estimators.sklearn import ConvergenceWarning
from deltaprop.estimators.state import FitState
from deltaprop.functional.losses import sample_shares
from deltaprop.model.spec import Network
from deltaprop.table_models.initial_rates import least_loss, log_of_mean
from deltaprop.training.predict import logits

__all__ = ["SHARES", "begin_at_the_mean", "begins_near_the_mean", "learn_rates"]

Array = npt.NDArray[np.float64]

_NEAR = 4.0  # from the logarithm of the mean: a rate within a factor of 55
SHARES = tuple(10.0**-k for k in range(9))
_CLOSE = 1.001  # of the loss of the constant, where training begins


def begins_near_the_mean(state: FitState, sample: Sample) -> bool:
    """Return whether the rates of all rows are within a factor of 55 of the mean."""
    aim = log_of_mean(sample.targets.reshape(sample.n, -1), sample.weights)
    return bool((np.abs(_logits(state, sample) - aim) <= _NEAR).all())


def begin_at_the_mean(state: FitState, sample: Sample) -> FitState:
    """Return a beginning at the mean instead of where scikit-learn would begin.

    The output's bias becomes the logarithm of the mean, and its weights are halved until the
    start is as good as that constant.
    """
    targets = sample.targets.reshape(sample.n, -1)
    aim = log_of_mean(targets, sample.weights)
    spread = _logits(state, sample) - state.intercepts[-1]
    spread = np.where(np.isfinite(spread), spread, np.finfo(np.float32).max)
    network, shares = state.network, sample_shares(sample.n, sample.weights)
    best, factor = _loss(network, np.broadcast_to(aim, spread.shape), targets, shares), 1.0
    least = least_loss(network, targets, shares)
    while factor > 1e-60 and not (
        _loss(network, aim + factor * spread, targets, shares) - least <= _CLOSE * (best - least)
    ):
        factor /= 2
    *others, last = state.coefs
    bias = np.empty_like(state.intercepts[-1])
    bias[:] = aim
    return replace(state, coefs=[*others, factor * last], intercepts=[*state.intercepts[:-1], bias])


def learn_rates(
    state: FitState,
    sample: Sample,
    run: Callable[[FitState, float], FitState],
    *,
    patience: float,
    begin_with: float = 1.0,
) -> FitState:
    """Run a training, and again with shorter steps as long as it is worse than the mean.

    ``run(state, share)`` trains with every learning rate multiplied by ``share``; ``begin_with`` is
    the first one of ``SHARES`` that is tried, of a training that is resumed the one it had. Where
    none came to anything, return the weights it began with, and the history of the last.
    """
    targets = sample.targets.reshape(sample.n, -1)
    shares = sample_shares(sample.n, sample.weights)
    aim = np.broadcast_to(log_of_mean(targets, sample.weights), targets.shape)
    constant = _loss(state.network, aim, targets, shares)

    def loss(state: FitState) -> float:
        return _loss(state.network, _logits(state, sample), targets, shares)

    first, start = state.t == 0, loss(state)
    if first and begin_with == 1 and begins_near_the_mean(state, sample):
        learnt = run(state, 1.0)
        # of so few epochs none could tell that nothing improves
        short = not _diverged(learnt) and learnt.n_iter < patience
        if _was_ended(learnt) or loss(learnt) <= (max(constant, start) if short else constant):
            return learnt
    if first:
        state, start = begin_at_the_mean(state, sample), constant
    for share in [share for share in SHARES if share <= begin_with]:
        learnt = run(state, share)
        good = not _diverged(learnt) and loss(learnt) <= max(constant, start)
        if good or _was_ended(learnt):
            if share < 1:
                _warn(share)
            return learnt
    return replace(state, history=learnt.history)


def _diverged(state: FitState) -> bool:
    return state.history is not None and state.history.stopped_because == "diverged"


def _was_ended(state: FitState) -> bool:
    ends = ("interrupted", "time_budget")
    return state.history is not None and state.history.stopped_because in ends


def _warn(share: float) -> None:
    warn_user(
        "With the learning rate as it was set the rates ran away; they were learnt at "
        f"{share:g} of it, which may be slow. Scale the inputs, for example with StandardScaler, "
        "or set preset='fast', which does.",
        ConvergenceWarning,
    )


def _logits(state: FitState, sample: Sample) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        parameters = state.network.parameters(state.coefs, state.intercepts)
        return logits(state.network, parameters, sample.X)


def _loss(network: Network, z: Array, targets: Array, shares: Array) -> float:
    """Return the loss of these logits; infinity where it is no number."""
    with np.errstate(over="ignore", invalid="ignore"):
        loss = network.loss.value(np.asarray(z), targets, shares)
    return loss if np.isfinite(loss) else np.inf
