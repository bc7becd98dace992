"""Outputs of a trained network for new rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.engines import ENGINES, engine_named
from deltaprop.errors import DataError, SettingError, of
from deltaprop.model.backprop import require_fit
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.training.checks import check_inputs

__all__ = ["logits", "predict", "refuse_overflow"]

Array = npt.NDArray[np.float64]


def predict(
    network: Network,
    parameters: Parameters,
    X: Any,
    *,
    engine: str = "auto",
    dtype: str = "float64",
) -> Array:
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
    dtype : {"float64", "float32"}
        What the logits are computed in; "float32" takes a fraction of the time. The reference knows
        float64 only.

    Returns
    -------
    ndarray of shape (n, n_L)
        The outputs, float64.
    """
    z = logits(network, parameters, X, engine=engine, dtype=dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # it shows as infinity or NaN
        return network.loss.predict(z)


def refuse_overflow(outputs: npt.NDArray[Any], where: str = "", first: int = 0) -> None:
    """Raise DataError where an output is infinite or NaN: it would name any class, or no number.

    ``where`` is what the message calls the rows, of which the first is number ``first`` from 0.
    """
    if not np.isfinite(outputs).all():
        row = first + int(np.argwhere(~np.isfinite(outputs))[0, 0])
        raise DataError(
            f"Nothing can be predicted for row {row + 1}{of(where)}: what the network computes "
            "there is beyond all numbers. Is a cell of that row very large? If it is so for every "
            "row, the weights are; train again with a smaller learning rate, or scaled inputs."
        )


def logits(
    network: Network,
    parameters: Parameters,
    X: Any,
    *,
    engine: str = "auto",
    dtype: str = "float64",
) -> Array:
    """Return z^L (n, n_L), float64, for each row: what ``predict`` makes its outputs of."""
    require_fit(network, parameters)
    chosen = engine_named(engine)
    if chosen.refusal(network) is not None:  # in float64 all give the same numbers
        chosen = ENGINES["reference"]
    if dtype not in ("float64", "float32"):
        raise SettingError(f"dtype is {dtype!r}; predictions are computed in float64 or float32.")
    return chosen.logits(network, parameters, check_inputs(network, X, "X"), dtype)
