"""A table of words, truths and holes, numbers, and estimators with presets that fit it quickly."""

import numpy as np
import pandas as pd

import deltaprop as dp

N = 60


_rng = np.random.default_rng(3)


COLUMNS = {
    "colour": np.array(["red", "green", "blue"])[_rng.integers(3, size=N)],
    "weight": np.where(_rng.random(N) < 0.1, np.nan, _rng.normal(10, 3, N)),
    "sold": _rng.random(N) < 0.5,
    "size": _rng.integers(1, 9, N),
}


FRAME = pd.DataFrame(COLUMNS)


KIND = pd.Series(np.where((COLUMNS["colour"] == "red") | COLUMNS["sold"], "new", "old"), name="age")


PRICE = 3.0 * (COLUMNS["colour"] == "blue") + COLUMNS["size"]


NUMBERS = _rng.normal(size=(N, 3))


SIGN = (NUMBERS[:, 0] > 0).astype(int)


QUICK = {"hidden_layer_sizes": (6,), "max_iter": 3, "random_state": 0}


def classifier(**settings):
    return dp.MLPClassifier(**{"preset": "fast", **QUICK, **settings})


def regressor(**settings):
    return dp.MLPRegressor(**{"preset": "fast", **QUICK, **settings})
