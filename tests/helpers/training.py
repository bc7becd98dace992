"""A small network of three classes, trained for a few epochs from the same start."""

import numpy as np

import deltaprop as dp

N, EPOCHS = 23, 5


def network_of(**settings):
    return dp.Network([3, 6, 3], "tanh", **settings)


def start(network, seed=7):
    return network.init(np.random.default_rng(seed))


def fit(network, X, y, **settings):
    """Train from the same start and return the flat parameters and the history."""
    parameters = start(network)
    history = dp.train(network, parameters, X, y, **({"epochs": EPOCHS} | settings))
    return parameters.flat, history


def fit64(network, X, y, **settings):
    return fit(network, X, y, **({"dtype": "float64"} | settings))
