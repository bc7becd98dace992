"""Masked arrays, wherever arrays come in: what lies under a mask is no data, and is refused."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DataError
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid

ROWS = np.random.default_rng(3).normal(size=(30, 3))
LABELS = np.arange(30) % 2
VALUES = ROWS[:, 0] * 2 - ROWS[:, 1]
NETWORK = dp.Network([3, 4, 2])
PARAMETERS = NETWORK.init(np.random.default_rng(1))


def hiding(values):
    """Return an array that hides one entry, under which stands what would be believed."""
    masked = np.ma.masked_array(np.array(values, dtype=float), shrink=False)
    masked[(3,) + (0,) * (masked.ndim - 1)] = np.ma.masked
    return masked


def fitted(**settings):
    return dp.MLPClassifier(max_iter=2, random_state=0, **settings).fit(ROWS, LABELS)


def of_network(function):
    """Return the ways into a function of a network, its parameters, rows and targets."""
    return {
        f"{function.__name__} x": lambda: function(NETWORK, PARAMETERS, hiding(ROWS), LABELS),
        f"{function.__name__} t": lambda: function(NETWORK, PARAMETERS, ROWS, hiding(LABELS)),
        f"{function.__name__} rows": lambda: function(
            NETWORK, PARAMETERS, list(hiding(ROWS)), LABELS
        ),
        f"{function.__name__} weights": lambda: function(
            NETWORK, PARAMETERS, ROWS, LABELS, sample_weight=hiding(np.ones(30))
        ),
    }


def train(*given, **settings):
    network, parameters, *rest = given
    return dp.train(network, parameters.copy(), *rest, epochs=1, **settings)


def of_estimator(name, make, y):
    return {
        f"{name} X": lambda: make().fit(hiding(ROWS), y),
        f"{name} y": lambda: make().fit(ROWS, hiding(y)),
        f"{name} weights": lambda: make().fit(ROWS, y, sample_weight=hiding(np.ones(30))),
        f"{name} X_val": lambda: make().fit(ROWS, y, X_val=hiding(ROWS), y_val=y),
        f"{name} y_val": lambda: make().fit(ROWS, y, X_val=ROWS, y_val=hiding(y)),
    }


WAYS = {
    **of_network(dp.backpropagate),
    **of_network(dp.explain),
    **of_network(dp.check_gradients),
    **of_network(train),
    **of_estimator("classifier", lambda: dp.MLPClassifier(max_iter=2), LABELS),
    **of_estimator("regressor", lambda: dp.MLPRegressor(max_iter=2), VALUES),
    **of_estimator("fast", lambda: dp.MLPClassifier(preset="fast"), LABELS),
    **of_estimator("plain", lambda: dp.MLPRegressor(preset="plain"), VALUES),
    "train X_val": lambda: train(
        NETWORK, PARAMETERS, ROWS, LABELS, X_val=hiding(ROWS), y_val=LABELS
    ),
    "train y_val": lambda: train(
        NETWORK, PARAMETERS, ROWS, LABELS, X_val=ROWS, y_val=hiding(LABELS)
    ),
    "class_weight": lambda: train(
        NETWORK, PARAMETERS, ROWS, LABELS, class_weight=np.ma.masked_array([1, 2], [0, 1])
    ),
    "predict": lambda: dp.predict(NETWORK, PARAMETERS, hiding(ROWS)),
    "partial_fit": lambda: dp.MLPRegressor().partial_fit(ROWS, hiding(VALUES)),
    "predict of classes": lambda: fitted().predict(hiding(ROWS)),
    "score X": lambda: fitted().score(hiding(ROWS), LABELS),
    "score y": lambda: fitted().score(ROWS, hiding(LABELS)),
    "score of values": lambda: (
        dp.MLPRegressor(max_iter=2).fit(ROWS, VALUES).score(ROWS, hiding(VALUES))
    ),
    "explain of rows": lambda: fitted().explain(hiding(ROWS)),
    "explain of answers": lambda: fitted().explain(ROWS, hiding(LABELS)),
    "columns": lambda: dp.MLPClassifier(preset="fast").fit(
        {"a": hiding(ROWS[:, 0]), "b": ROWS[:, 1]}, LABELS
    ),
    "W": lambda: dp.Network([4, 2]).parameters([hiding(np.ones((4, 2)))]),
    "flat": lambda: PARAMETERS.like(hiding(PARAMETERS.flat)),
    "gradients": lambda: dp.check_gradients(
        NETWORK, PARAMETERS, ROWS, LABELS, gradients=hiding(PARAMETERS.flat)
    ),
    "scores": lambda: SoftmaxBesideSigmoid(hiding([1, 2, 3, 4])),
}


pytestmark = pytest.mark.filterwarnings("ignore:Training has not converged")


@pytest.mark.parametrize("way", WAYS)
def test_a_mask_that_hides_an_entry_is_refused(way):
    with pytest.raises(DataError, match=r"masked array whose mask hides 1 entry.*\[\d"):
        WAYS[way]()


def test_a_mask_that_hides_nothing_is_no_matter():
    trace = dp.backpropagate(NETWORK, PARAMETERS, np.ma.masked_array(ROWS), LABELS)
    assert trace.loss == dp.backpropagate(NETWORK, PARAMETERS, ROWS, LABELS).loss
    dp.MLPClassifier(max_iter=2).fit(np.ma.masked_array(ROWS), np.ma.masked_array(LABELS))
