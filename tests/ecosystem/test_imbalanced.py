"""imbalanced-learn balances before the estimator learns."""

import numpy as np
import pytest

pytest.importorskip("imblearn")


def rare(y):
    return np.flatnonzero((y == "no") | (np.arange(len(y)) % 6 == 0))


def test_numbers_are_made_up(make, numbers):
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import make_pipeline

    X, y = numbers
    rows = rare(y)
    model = make_pipeline(SMOTE(random_state=0), make()).fit(X.iloc[rows], y[rows])
    assert np.mean(model.predict(X) == y) > 0.7


def test_words_are_drawn_again_and_made_up(make, words):
    from imblearn.over_sampling import SMOTENC, RandomOverSampler
    from imblearn.pipeline import make_pipeline

    X, y = words
    X = X.fillna({"noise": 0.0}).astype({"colour": "category"})
    rows = rare(y)
    for sampler in (
        RandomOverSampler(random_state=0),
        SMOTENC(["colour", "open"], random_state=0),
    ):
        model = make_pipeline(sampler, make()).fit(X.iloc[rows], y[rows])
        assert np.mean(model.predict(X) == y) > 0.7


def test_a_balanced_bagging_of_estimators(make, numbers):
    from imblearn.ensemble import BalancedBaggingClassifier

    X, y = numbers
    rows = rare(y)
    model = BalancedBaggingClassifier(make(), n_estimators=2, random_state=0)
    assert np.mean(model.fit(X.iloc[rows], y[rows]).predict(X) == y) > 0.7
