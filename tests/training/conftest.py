"""What tests of training share: a table, and two classes in the plane with a network."""

import numpy as np
import pytest

from deltaprop.model.spec import Network
from helpers.training import N


@pytest.fixture
def table(rng):
    return rng.normal(size=(N, 3)), rng.integers(3, size=N)


@pytest.fixture
def plane(rng):
    X = rng.normal(size=(20, 2))
    return X, (X[:, 0] > 0).astype(int)


@pytest.fixture
def network():
    return Network([2, 4, 2], "tanh")


@pytest.fixture
def parameters(network):
    return network.init(np.random.default_rng(5))
