"""How good predictions are, in numbers a person reads."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deltaprop.model.spec import Network
from deltaprop.model.targets import dense_targets

__all__ = ["metric_name", "score"]

Array = npt.NDArray[np.float64]


def metric_name(network: Network) -> str:
    """Return "accuracy" where the loss knows classes, else "r2"."""
    return "accuracy" if network.loss.targets in ("distribution", "unit") else "r2"


def score(
    network: Network,
    logits: Array,
    targets: Array | npt.NDArray[np.int64],
    weights: Array | None = None,
) -> float:
    """Return the accuracy, or R^2 averaged over outputs.

    Accuracy is the share of rows whose every decision is right: the largest output for softmax,
    each output against 1/2 for sigmoid. R^2 = 1 - sum (t - p)^2 / sum (t - mean t)^2, and 0 for an
    output whose targets do not vary.

    Parameters
    ----------
    network : Network
        Its loss decides which of the two.
    logits : ndarray of shape (n, n_L)
        z^L.
    targets : ndarray of shape (n,) or (n, n_L)
        Labels or targets.
    weights : ndarray of shape (n,), optional
        What each row counts; all the same when left out.

    Returns
    -------
    float
        At most 1.
    """
    softmax = network.loss.output == "softmax" and network.n_out > 1
    if softmax and targets.ndim == 1:
        return float(np.average(logits.argmax(axis=1) == targets, weights=weights))
    dense = dense_targets(targets, network.n_out)
    if metric_name(network) == "r2":
        each = np.ones(len(dense)) if weights is None else weights
        mean = np.average(dense, axis=0, weights=each)
        residual = each @ (dense - network.loss.predict(logits)) ** 2
        spread = each @ (dense - mean) ** 2
        r2 = np.where(spread > 0, 1.0 - residual / np.where(spread > 0, spread, 1.0), 0.0)
        return float(np.mean(r2))
    if softmax:
        right = logits.argmax(axis=1) == dense.argmax(axis=1)
    else:
        right = np.all((logits > 0) == (dense > 0.5), axis=1)
    return float(np.average(right, weights=weights))
