"""SHAP explains: values add up to the prediction, for numbers and for words."""

import numpy as np
import pytest

import deltaprop as dp

shap = pytest.importorskip("shap")


def adds_up(values, base, predicted):
    np.testing.assert_allclose(np.sum(values, axis=1) + base, predicted, atol=1e-6)


@pytest.mark.parametrize("algorithm", ["permutation", "exact", "partition"])
def test_values_add_up_to_the_prediction(make, numbers, algorithm):
    X, y = numbers
    model = make().fit(X, y)
    found = shap.Explainer(model.predict_proba, X, algorithm=algorithm)(X[:3])
    adds_up(found.values, found.base_values, model.predict_proba(X[:3]))


def test_numbers_are_explained(make, numbers):
    X, _ = numbers
    model = make(dp.MLPRegressor).fit(X, 3 * X["height"] + 1)
    found = shap.Explainer(model.predict, X)(X[:3])
    adds_up(found.values, found.base_values, model.predict(X[:3]))
    assert np.abs(found.values).mean(axis=0).argmax() == 0


@pytest.mark.parametrize("as_array", [False, True])
def test_words_are_explained_by_the_kernel(make, words, as_array):
    """It gives the model object arrays, and takes the names off a copy of it."""
    X, y = words
    model = make().fit(X, y)
    few, rows = (X[:8].to_numpy(), X[:2].to_numpy()) if as_array else (X[:8], X[:2])
    explainer = shap.KernelExplainer(model.predict_proba, few)
    values = np.asarray(explainer.shap_values(rows, nsamples=40, silent=True))
    adds_up(values, explainer.expected_value, model.predict_proba(X[:2]))
    assert list(model.feature_names_in_) == list(X.columns)
