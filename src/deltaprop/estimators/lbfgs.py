"""All rows at once: L-BFGS over the reference's loss and gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.engines.reference import dense_rows
from deltaprop.errors import DataError, warn_user
from deltaprop.estimators.convergence import Objective
from deltaprop.estimators.learning_rates import begin_at_the_mean, begins_near_the_mean
from deltaprop.estimators.parameters import Settings
from deltaprop.estimators.sample import Sample
from deltaprop.estimators.sklearn import ConvergenceWarning
from deltaprop.estimators.state import FitState, network_of
from deltaprop.functional.losses import sample_shares
from deltaprop.model.backprop import penalties, trace_step
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import dense_targets
from deltaprop.training.checks import check_rows

__all__ = ["fit_lbfgs"]

Array = npt.NDArray[np.float64]

_ROWS_AT_ONCE = 4096


def fit_lbfgs(settings: Settings, state: FitState, sample: Sample) -> FitState:
    """Return what minimizing the loss over all rows comes to.

    It is done when no entry of the gradient is larger than ``tol``.
    """
    from scipy.optimize import minimize

    rates = state.network.loss.output == "exp"
    if rates and state.t == 0 and not begins_near_the_mean(state, sample):
        state = begin_at_the_mean(state, sample)
    n_in, n = state.network.n_in, sample.n * sample.mean_weight
    network = network_of(settings, n_in, state.answers, n)
    parameters = network.parameters(state.coefs, state.intercepts)
    value = _loss_and_gradient(network, sample)
    loss, gradient = value(parameters.flat)
    if not (np.isfinite(loss) and np.isfinite(gradient).all()):
        raise DataError(
            "The loss or its gradient at the initial weights is not a finite number: values in X "
            "or y are too large. Scale them, for example with StandardScaler."
        )
    limits = {"maxiter": settings.max_iter, "maxfun": settings.max_fun, "gtol": settings.tol}
    done = 0

    def after(intermediate_result: Any) -> None:  # SciPy goes by this name
        nonlocal done
        done += 1
        if settings.verbose:
            print(f"Iteration {done}, loss = {intermediate_result.fun:.8f}")

    found = minimize(
        value,
        parameters.flat.copy(),
        method="L-BFGS-B",
        jac=True,
        callback=after,
        options=limits,
    )
    n_iter = min(int(found.nit), settings.max_iter)
    if found.status != 0:
        warn_user(
            f"L-BFGS ended after {n_iter} iterations before it had converged ({found.message}). "
            "Raise max_iter or max_fun, or scale the inputs.",
            ConvergenceWarning,
        )
    parameters.flat[:] = found.x
    objective = Objective.of(network, parameters, sample, whole=True)
    learnt = state.with_numbers(network, parameters, settings.dtypes(sample.X)[1])
    return replace(learnt, loss=objective(float(found.fun), parameters), n_iter=n_iter)


def _loss_and_gradient(network: Network, sample: Sample) -> Callable[[Array], tuple[float, Array]]:
    """Return ``f(flat parameters) -> (loss, gradient)``: what training minimizes, penalty too."""
    rows, targets = check_rows(network, sample.X, sample.targets, "X")
    n, shares = sample.n, sample_shares(sample.n, sample.weights)
    penalized = network.layout.penalized()

    def value(flat: Array) -> tuple[float, Array]:
        parameters = Parameters(network.layout, flat)
        loss, gradient = sum(penalties(network, parameters)), network.l2 * flat * penalized
        for start in range(0, n, _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            # a step of the line search that goes too far shows by its infinite loss
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
