"""How good predictions are, in numbers a person reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.model.spec import Network
from deltaprop.model.targets import dense_targets

__all__ = [
    "METRICS",
    "Metric",
    "Score",
    "area_of",
    "as_score",
    "mae",
    "mean_f1",
    "mean_recall",
    "metric_name",
    "poisson_deviance",
    "r2",
    "rmse",
    "score",
]

Array = npt.NDArray[np.float64]
Targets: TypeAlias = npt.NDArray[Any]
Labels: TypeAlias = npt.NDArray[np.integer[Any]]
Metric: TypeAlias = Callable[[Array, Targets], float]
"""``metric(logits, targets)``: higher is better."""


@dataclass(frozen=True)
class Score:
    """What the validation rows are scored with after each epoch.

    Attributes
    ----------
    name : str
        What the history calls it.
    of : callable
        ``of(network, logits, targets, weights)`` gives the figure; ``weights`` may be None.
    lower_is_better : bool
        Whether the epoch with the least figure is the best one.
    averages_rows : bool
        Whether it is a mean over rows, so that many rows may be scored part by part.
    """

    name: str
    of: Callable[[Network, Array, Targets, Array | None], float]
    lower_is_better: bool = False
    averages_rows: bool = False


def as_score(metric: Metric | Score | None, network: Network) -> Score:
    """Return the score that ``train(metric=...)`` asks for; the loss decides when it is None."""
    if isinstance(metric, Score):
        return metric
    if metric is None:
        name = metric_name(network)
        return Score(name, score, averages_rows=name == "accuracy")
    own = metric
    return Score(getattr(own, "__name__", "metric"), lambda _, z, y, __: float(own(z, y)))


@dataclass(frozen=True)
class _Named:
    """A metric with a name: of outputs of shape (n, k), targets and weights, or none."""

    task: str
    of: Callable[[Array, Targets, Array | None], float]
    lower_is_better: bool = False


def metric_name(network: Network) -> str:
    """Return "accuracy" where the loss knows classes, else "r2"."""
    return "accuracy" if network.loss.targets in ("distribution", "unit") else "r2"


def score(
    network: Network,
    logits: Array,
    targets: Array | npt.NDArray[np.int64],
    weights: Array | None = None,
) -> float:
    """Return the accuracy, or R^2 averaged over outputs, as the loss of the network decides.

    Accuracy is the share of rows whose every decision is right: the largest output for softmax,
    each output against 1/2 for sigmoid. R^2 = 1 - sum (t - p)^2 / sum (t - mean t)^2, and 0 for an
    output whose targets do not vary. ``logits`` are z^L (n, n_L), ``targets`` labels (n,) or
    targets (n, n_L); ``weights`` (n,) are what each row counts, all the same when left out.
    """
    softmax = network.loss.output == "softmax" and network.n_out > 1
    if softmax and targets.ndim == 1:
        return float(np.average(logits.argmax(axis=1) == targets, weights=weights))
    dense = dense_targets(targets, network.n_out)
    if metric_name(network) == "r2":
        return r2(network.loss.predict(logits), dense, weights)
    if softmax:
        right = logits.argmax(axis=1) == dense.argmax(axis=1)
    else:
        right = np.all((logits > 0) == (dense > 0.5), axis=1)
    return float(np.average(right, weights=weights))


def r2(predicted: Array, targets: Array, weights: Array | None = None) -> float:
    """Return R^2, averaged over outputs; 0 for an output whose targets do not vary."""
    p, t, _ = _in_units(predicted, targets)
    error, spread = _mean((t - p) ** 2, weights), _mean((t - _mean(t, weights)) ** 2, weights)
    each = np.where(spread > 0, 1.0 - error / np.where(spread > 0, spread, 1.0), 0.0)
    # in units of an infinite prediction no target varies, and that is no R^2 of 0
    return float(np.where(np.isnan(error), np.nan, each).mean())


def rmse(predicted: Array, targets: Array, weights: Array | None = None) -> float:
    """Return the root of the mean squared error, averaged over outputs."""
    p, t, unit = _in_units(predicted, targets)
    return float((np.sqrt(_mean((t - p) ** 2, weights)) * unit).mean())


def mae(predicted: Array, targets: Array, weights: Array | None = None) -> float:
    """Return the mean absolute error, averaged over outputs."""
    p, t, unit = _in_units(predicted, targets)
    return float((_mean(np.abs(t - p), weights) * unit).mean())


def poisson_deviance(predicted: Array, targets: Array, weights: Array | None = None) -> float:
    """Return the mean of 2 (t ln(t / p) - t + p), averaged over outputs; infinity for no rates."""
    p = np.maximum(predicted, _TINY)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        logs = np.where(targets > 0, targets * np.log(np.maximum(targets, _TINY) / p), 0.0)
        found = float(_mean(2 * (logs - targets + p), weights).mean())
    return found if (targets >= 0).all() and (predicted >= 0).all() else np.inf


def accuracy(p: Array, labels: Labels, weights: Array | None = None) -> float:
    """Return the share of rows whose likeliest class is the true one."""
    return float(np.average(p.argmax(axis=1) == labels, weights=weights))


def log_loss(p: Array, labels: Labels, weights: Array | None = None) -> float:
    """Return the mean of -log p of the true class."""
    of_true = p[np.arange(len(p)), labels]
    return float(np.average(-np.log(np.maximum(of_true, _TINY)), weights=weights))


def balanced_accuracy(p: Array, labels: Labels, weights: Array | None = None) -> float:
    """Return the mean, over the classes that have rows, of the share of their rows found."""
    return mean_recall(*_counted(p.argmax(axis=1), labels, p.shape[1], weights)[:2])


def f1(p: Array, labels: Labels, weights: Array | None = None) -> float:
    """Return 2 found / (rows + said), averaged over the classes that there are, or that are said.

    It is the harmonic mean of precision and recall.
    """
    return mean_f1(*_counted(p.argmax(axis=1), labels, p.shape[1], weights))


def auc(p: Array, labels: Labels, weights: Array | None = None) -> float:
    """Return the area under the ROC curve, averaged over the classes, each against the rest.

    It is the probability that a row of the class is given a larger probability of it than another
    row, equal ones counting half; 1/2 where no class has both.
    """
    k = p.shape[1]
    each = np.ones(len(p)) if weights is None else weights
    areas = [area_of(p[:, c], labels == c, each) for c in (range(1, 2) if k == 2 else range(k))]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else 0.5


METRICS = {
    "accuracy": _Named("classification", accuracy),
    "balanced_accuracy": _Named("classification", balanced_accuracy),
    "f1": _Named("classification", f1),
    "auc": _Named("classification", auc),
    "log_loss": _Named("classification", log_loss, lower_is_better=True),
    "r2": _Named("regression", r2),
    "rmse": _Named("regression", rmse, lower_is_better=True),
    "mae": _Named("regression", mae, lower_is_better=True),
    "poisson_deviance": _Named("regression", poisson_deviance, lower_is_better=True),
}
_TINY = np.finfo(np.float64).tiny


def _mean(values: Array, weights: Array | None) -> Array:
    return np.asarray(np.average(values, axis=0, weights=weights))


def _in_units(predicted: Array, targets: Array) -> tuple[Array, Array, Array]:
    """Return both in units of the largest number, for squares of 1e300 and 1e-300 are no floats."""
    unit = np.maximum(np.abs(targets).max(axis=0), np.abs(predicted).max(axis=0))
    unit = np.where(unit == 0, 1.0, unit)
    return predicted / unit, targets / unit, unit


def _counted(
    predicted: Labels, labels: Labels, k: int, weights: Array | None
) -> tuple[Array, Array, Array]:
    """Return, of each class, the weight of its rows, of those found, and of those said to be it."""
    right = predicted == labels
    of_right = None if weights is None else weights[right]
    return (
        np.bincount(labels, weights, k).astype(np.float64),
        np.bincount(labels[right], of_right, k).astype(np.float64),
        np.bincount(predicted, weights, k).astype(np.float64),
    )


def mean_recall(rows: npt.NDArray[Any], found: npt.NDArray[Any]) -> float:
    """Return the mean of found / rows over the classes that have rows."""
    there = rows > 0
    return float((found[there] / rows[there]).mean())


def mean_f1(rows: npt.NDArray[Any], found: npt.NDArray[Any], said: npt.NDArray[Any]) -> float:
    """Return the mean of 2 found / (rows + said) over the classes that are there, or are said."""
    there = rows + said > 0
    return float((2 * found[there] / (rows + said)[there]).mean())


def area_of(p: Array, own: npt.NDArray[np.bool_], weights: Array | None = None) -> float | None:
    """Return the area under one class's ROC curve; None where it, or the rest, has no rows.

    ``p`` is larger where the class is likelier, ``own`` says which rows are of the class, and
    ``weights`` what each row counts; all three of shape (n,).
    """
    if weights is None:
        of_class, others = np.sort(p[own]), np.sort(p[~own])
        if not (of_class.size and others.size):
            return None
        # of a row of the class and another one, it is likelier: half counts where they are equal
        twice = sum(int(np.searchsorted(others, of_class, s).sum()) for s in ("left", "right"))
        return twice / 2 / (of_class.size * others.size)
    order = np.argsort(p, kind="stable")
    p, of_own, of_rest = p[order], (weights * own)[order], (weights * ~own)[order]
    if not (of_own.any() and of_rest.any()):
        return None
    last = np.flatnonzero(np.r_[p[1:] != p[:-1], True])  # of each group of equal ones
    rest, own_up_to = np.cumsum(of_rest)[last], np.cumsum(of_own)[last]
    here = np.diff(rest, prepend=0.0)
    below = rest - here
    hits = np.diff(own_up_to, prepend=0.0)
    return float((hits * (below + here / 2)).sum() / (of_own.sum() * of_rest.sum()))
