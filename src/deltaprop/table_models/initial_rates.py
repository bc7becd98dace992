"""Where a network begins, as far as the targets say it: rates at their mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["least_loss", "log_of_mean", "start"]

Array = npt.NDArray[np.float64]
_TINY = 1e-9  # a rate at which nothing is counted


def start(
    network: Network, rng: np.random.Generator, y: npt.NDArray[Any], weights: Array | None
) -> Parameters:
    """Return initial parameters; where the output is an exponential, with the mean for its bias."""
    parameters = network.init(rng)
    if network.loss.output == "exp":
        bias = parameters.b[-1]
        assert bias is not None  # a preset's output layer has one
        bias[:] = log_of_mean(y, weights)
    return parameters


def log_of_mean(targets: Array, weights: Array | None = None) -> Array:
    """Return ln of the mean of each column of targets >= 0, finite where all of them are 0.

    These are the logits of the constant rates that fit best.
    """
    total = len(targets) if weights is None else weights.sum()
    mean = np.average(targets, axis=0, weights=weights)
    # nothing was counted: half of one in as many rows and one more
    return np.asarray(np.log(np.where(mean > 0, mean, 0.5 / (total + 1))))


def least_loss(network: Network, targets: Array, shares: Array) -> float:
    """Return the loss of knowing every target; that of counts is often below 0."""
    if network.loss.output == "exp":
        return network.loss.value(np.log(np.maximum(targets, _TINY)), targets, shares)
    if network.loss.output == "identity":
        return network.loss.value(targets, targets, shares)
    return 0.0
