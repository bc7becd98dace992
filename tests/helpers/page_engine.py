"""Problems for the engine of the page, as it is told of them."""

from types import SimpleNamespace

import numpy as np

import deltaprop as dp
from deltaprop.engines.base import Problem
from deltaprop.studio.engine import description

N, BATCH, SEED = 23, 6, 5


def targets_for(network, rng, n):
    """Return targets that a loss learns from: labels where it knows classes."""
    kind, shape = network.loss.targets, (n, network.n_out)
    if kind == "distribution":
        return rng.integers(0, network.n_out, size=n)
    if kind == "unit":
        return rng.random(shape)
    return rng.poisson(2.0, size=shape).astype(float) if kind == "count" else rng.normal(size=shape)


def case(network, optimizer=None, weights=None, eta=0.02, n=N):
    """Return a problem with a start, and what a page is told of them before anything is run."""
    rng = np.random.default_rng(1)
    parameters = network.init(rng)
    parameters.flat[:] += 0.1 * rng.normal(size=parameters.flat.size)
    optimizer = optimizer or dp.GradientDescent()
    X = rng.normal(0.0, 0.5, (n, network.sizes[0]))
    targets = targets_for(network, rng, n)
    problem = Problem(network, X, targets, weights, optimizer, BATCH, "float64", 1)
    rows = {"x": X.tolist(), ("labels" if targets.ndim == 1 else "targets"): targets.tolist()}
    if weights is not None:
        rows["weights"] = weights.tolist()
    told = {
        "description": description(network, optimizer, batch_size=BATCH, seed=SEED),
        "calls": [
            ["setParameters", parameters.flat.tolist()],
            ["setLearningRate", eta],
            ["setRows", "training", rows],
        ],
    }
    return SimpleNamespace(problem=problem, parameters=parameters, eta=eta, told=told)


def then(one, *calls):
    """Return a case with further calls."""
    return {**one.told, "calls": [*one.told["calls"], *calls]}
