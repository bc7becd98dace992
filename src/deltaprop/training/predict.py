"""Outputs of a trained network for new rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.engines import ENGINES, engine_named
from deltaprop.model.backprop import require_fit
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.training.checks import check_inputs

__all__ = ["logits", "predict"]

Array = npt.NDArray[np.float64]


def predict(network: Network, parameters: Parameters, X: Any, *, engine: str = "auto") -> Array:
    """Return p = the network's output for each row: probabilities, or values.

    Parameters
    ----------
    network : Network
        The description.
    parameters : Parameters
        Its numbers.
    X : array_like of shape (n, n_0) or scipy CSR matrix
        The rows.
    engine : str
        "auto", or a key of ``ENGINES``.

    Returns
    -------
    ndarray of shape (n, n_L)
        The outputs, float64.
    """
    return network.loss.predict(logits(network, parameters, X, engine=engine))


def logits(network: Network, parameters: Parameters, X: Any, *, engine: str = "auto") -> Array:
    """Return z^L for each row: what ``predict`` turns into probabilities or values.

    Parameters
    ----------
    network : Network
        The description.
    parameters : Parameters
        Its numbers.
    X : array_like of shape (n, n_0) or scipy CSR matrix
        The rows.
    engine : str
        "auto", or a key of ``ENGINES``.

    Returns
    -------
    ndarray of shape (n, n_L)
        The logits, float64.
    """
    require_fit(network, parameters)
    chosen = engine_named(engine)
    if chosen.refusal(network) is not None:  # in float64 all give the same numbers
        chosen = ENGINES["reference"]
    return chosen.logits(network, parameters, check_inputs(network, X, "X"))
