"""MAPIE gives sets and intervals that hold as often as they say."""

import numpy as np
import pytest

import deltaprop as dp

pytest.importorskip("mapie")


@pytest.mark.parametrize("table", ["numbers", "words"])
def test_sets_of_classes(make, request, table):
    from mapie.classification import CrossConformalClassifier, SplitConformalClassifier

    X, y = request.getfixturevalue(table)
    model = make().fit(X[:80], y[:80])
    split = SplitConformalClassifier(model, confidence_level=0.9, prefit=True)
    sets = split.conformalize(X[80:130], y[80:130]).predict_set(X[130:])[1]
    assert sets.shape == (30, 2, 1)
    cross = CrossConformalClassifier(make(), confidence_level=0.9, cv=3)
    cross.fit_conformalize(X[:120], y[:120])
    predicted, sets = cross.predict_set(X[120:])
    truth = np.searchsorted(["no", "yes"], y[120:])
    assert sets[np.arange(40), truth, 0].mean() > 0.7
    assert set(predicted) <= {"no", "yes"}


@pytest.mark.parametrize("table", ["numbers", "words"])
def test_intervals_of_numbers(make, request, table):
    from mapie.regression import CrossConformalRegressor

    X, _ = request.getfixturevalue(table)
    y = (2 * X["height"] - X["weight"]).to_numpy()
    model = CrossConformalRegressor(make(dp.MLPRegressor), confidence_level=0.9, cv=3)
    model.fit_conformalize(X[:120], y[:120])
    predicted, intervals = model.predict_interval(X[120:])
    held = (intervals[:, 0, 0] <= y[120:]) & (y[120:] <= intervals[:, 1, 0])
    assert predicted.shape == (40,)
    assert held.mean() > 0.7
