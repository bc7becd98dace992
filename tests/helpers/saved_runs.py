"""Small runs that are saved on their way, and whether two of them are the same."""

import numpy as np

import deltaprop as dp

N, EPOCHS = 17, 6


def network_of(**settings):
    return dp.Network([3, 5, 2], "tanh", **({"dropout": 0.3} | settings))


def fit(table, *, network=None, **settings):
    network = network or network_of()
    parameters = network.init(np.random.default_rng(3))
    history = dp.train(
        network, parameters, *table, **({"epochs": EPOCHS, "batch_size": 4, "seed": 9} | settings)
    )
    return parameters.flat, history


def stop_after(k):
    return lambda state: state.epoch == k - 1


def fail_in(k):
    def callback(state):
        if state.epoch == k - 1:
            raise ZeroDivisionError

    return callback


def same(a, b):
    """Two results are the same run: parameters to the bit, and every figure but the time."""
    np.testing.assert_array_equal(a[0], b[0])
    left, right = a[1].to_dict(), b[1].to_dict()
    assert left.pop("seconds") != []
    right.pop("seconds")
    assert left == right
