"""fairlearn measures groups and moves thresholds, and weighs rows on the way."""

import numpy as np
import pytest

pytest.importorskip("fairlearn")


def test_metrics_of_groups(make, words):
    from fairlearn.metrics import MetricFrame
    from sklearn.metrics import accuracy_score

    X, y = words
    model = make().fit(X, y)
    found = MetricFrame(
        metrics=accuracy_score, y_true=y, y_pred=model.predict(X), sensitive_features=X["colour"]
    )
    assert set(found.by_group.index) == {"red", "blue", "green"}


def test_a_reduction_refits_it_with_weights(make, words):
    from fairlearn.reductions import DemographicParity, ExponentiatedGradient

    X, y = words
    yes = (y == "yes").astype(int)
    fair = ExponentiatedGradient(make(), DemographicParity(), max_iter=2)
    fair.fit(X, yes, sensitive_features=X["open"])
    assert np.mean(fair.predict(X, random_state=0) == yes) > 0.7


def test_thresholds_of_groups(make, words):
    from fairlearn.postprocessing import ThresholdOptimizer

    X, y = words
    yes = (y == "yes").astype(int)
    fair = ThresholdOptimizer(
        estimator=make().fit(X, yes), prefit=True, predict_method="predict_proba"
    ).fit(X, yes, sensitive_features=X["open"])
    assert np.mean(fair.predict(X, sensitive_features=X["open"], random_state=0) == yes) > 0.7
