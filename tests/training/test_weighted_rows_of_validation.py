"""What validation rows count: an integer weight is repetition, a zero is absence."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DataError, SettingError

NETWORKS = {
    "classes": dp.Network([3, 5, 2], "tanh"),
    "sigmoid": dp.Network([3, 5, 1], "tanh", "binary_cross_entropy"),
    "numbers": dp.Network([3, 5, 2], "tanh", "half_squared_error"),
}


def validated(network, X_val, y_val, **settings):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(20, 3))
    y = targets_for(network, 20, rng)
    history = dp.train(
        network, network.init(rng), X, y, X_val=X_val, y_val=y_val, epochs=3, dtype="float64",
        **settings,
    )  # fmt: skip
    return history.val_loss, history.val_metric


def targets_for(network, n, rng):
    if network.loss_name == "half_squared_error":
        return rng.normal(size=(n, 2))
    labels = rng.integers(2, size=n)
    return labels if network.n_out == 2 else labels.astype(float)[:, None]


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_weight_is_repetition_and_zero_is_absence(network, engine, rng):
    X, y, weights = rng.normal(size=(9, 3)), targets_for(network, 9, rng), rng.integers(0, 4, 9)
    weights[0] = 2
    repeated = np.repeat(np.arange(9), weights)
    weighed = validated(network, X, y, weight_val=weights, engine=engine)
    np.testing.assert_allclose(
        weighed, validated(network, X[repeated], y[repeated], engine=engine), rtol=1e-12
    )


def test_wrong_weights_are_refused(rng):
    network = NETWORKS["classes"]
    X, y = rng.normal(size=(4, 3)), [0, 1, 0, 1]
    with pytest.raises(DataError, match="zero"):
        validated(network, X, y, weight_val=np.zeros(4))
    with pytest.raises(SettingError, match="weight_val needs validation rows"):
        validated(network, None, None, weight_val=np.ones(4))
