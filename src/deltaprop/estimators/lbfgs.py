"""All rows at once: L-BFGS over the reference's loss and gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.engines.reference import dense_rows
from deltaprop.errors import DataError
from deltaprop.functional.losses import sample_shares
from deltaprop.model.backprop import penalties, trace_step
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import dense_targets
from deltaprop.training.checks import check_rows

__all__ = ["loss_and_gradient", "minimize_lbfgs"]

Array = npt.NDArray[np.float64]

_ROWS_AT_ONCE = 4096


def loss_and_gradient(
    network: Network, X: Any, y: Any, weights: Array | None
) -> Callable[[Array], tuple[float, Array]]:
    """Return the function of the flat parameters that training minimizes, with its gradient.

    Parameters
    ----------
    network : Network
        The description; its penalty is part of the loss.
    X : ndarray of shape (n, n_0) or scipy CSR matrix
        The rows.
    y : ndarray
        Labels or targets.
    weights : ndarray of shape (n,), optional
        Row weights.

    Returns
    -------
    callable
        ``f(flat) -> (loss, gradient)``, float64.
    """
    rows, targets = check_rows(network, X, y, "X")
    n = rows.shape[0]
    shares = sample_shares(n, weights)
    penalized = network.layout.penalized()

    def value(flat: Array) -> tuple[float, Array]:
        parameters = Parameters(network.layout, flat)
        loss, gradient = sum(penalties(network, parameters)), network.l2 * flat * penalized
        for start in range(0, n, _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            # a step of the line search that goes too far is told by its infinite loss
            with np.errstate(over="ignore", invalid="ignore"):
                trace = trace_step(
                    network,
                    parameters,
                    dense_rows(rows, some),
                    dense_targets(targets[some], network.n_out),
                    shares[some],
                )
            loss += trace.data_loss
            gradient += trace.data_gradients.flat
        return loss, gradient

    return value


def minimize_lbfgs(
    network: Network,
    parameters: Parameters,
    X: Any,
    y: Any,
    weights: Array | None,
    *,
    max_iter: int,
    max_fun: int,
    tol: float,
    report: Callable[[int, float], object] | None = None,
) -> tuple[float, int, str | None]:
    """Minimize the loss over all rows, updating ``parameters`` in place.

    Parameters
    ----------
    network : Network
        The description.
    parameters : Parameters
        Where to start; holds the result afterwards.
    X, y, weights : array_like
        As for ``loss_and_gradient``.
    max_iter, max_fun : int
        Iterations and evaluations, at most.
    tol : float
        It is done when no entry of the gradient is larger.
    report : callable, optional
        Given the iteration, from 1, and its loss.

    Returns
    -------
    tuple of float, int and str or None
        The loss, the iterations, and why it ended too early, if it did.

    Raises
    ------
    DataError
        When the loss where it starts is not a finite number.
    """
    from scipy.optimize import minimize

    value = loss_and_gradient(network, X, y, weights)
    loss, gradient = value(parameters.flat)
    if not (np.isfinite(loss) and np.isfinite(gradient).all()):
        raise DataError(
            "The loss or its gradient at the initial weights is not a finite number: values in X "
            "or y are too large. Scale them, for example with StandardScaler."
        )
    done = 0

    def told(intermediate_result: Any) -> None:  # SciPy goes by this name
        nonlocal done
        done += 1
        if report is not None:
            report(done, float(intermediate_result.fun))

    found = minimize(
        value,
        parameters.flat.copy(),
        method="L-BFGS-B",
        jac=True,
        callback=told,
        options={"maxiter": max_iter, "maxfun": max_fun, "gtol": tol},
    )
    parameters.flat[:] = found.x
    why = None if found.status == 0 else str(found.message)
    return float(found.fun), min(int(found.nit), max_iter), why
