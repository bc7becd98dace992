"""The named metrics are those of the literature, weighted or not: scikit-learn is the referee."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaprop.training.metrics import METRICS, area_of

sklearn = pytest.importorskip("sklearn.metrics")


def _one_vs_rest(labels, p, weights):
    if p.shape[1] == 2:
        return sklearn.roc_auc_score(labels, p[:, 1], sample_weight=weights)
    areas = [
        sklearn.roc_auc_score(labels == c, p[:, c], sample_weight=weights)
        for c in range(p.shape[1])
        if (labels == c).any()
    ]
    return np.mean(areas)


REFEREES = {
    "accuracy": lambda t, p, w: sklearn.accuracy_score(t, p.argmax(1), sample_weight=w),
    "balanced_accuracy": lambda t, p, w: sklearn.recall_score(
        t, p.argmax(1), average="macro", labels=np.unique(t), sample_weight=w
    ),
    "f1": lambda t, p, w: sklearn.f1_score(
        t, p.argmax(1), average="macro", sample_weight=w, zero_division=0
    ),
    "auc": _one_vs_rest,
    "log_loss": lambda t, p, w: sklearn.log_loss(
        t, p, sample_weight=w, labels=np.arange(p.shape[1])
    ),
    "r2": lambda t, p, w: sklearn.r2_score(t, p, sample_weight=w),
    "rmse": lambda t, p, w: sklearn.root_mean_squared_error(t, p, sample_weight=w),
    "mae": lambda t, p, w: sklearn.mean_absolute_error(t, p, sample_weight=w),
    "poisson_deviance": lambda t, p, w: np.mean(
        [
            sklearn.mean_poisson_deviance(t[:, j], p[:, j], sample_weight=w)
            for j in range(t.shape[1])
        ]
    ),
}


def test_every_metric_has_a_referee():
    assert set(REFEREES) == set(METRICS)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("name", REFEREES)
def test_a_metric_is_what_its_name_says(name, k, weighted, rng):
    n = 211
    weights = rng.uniform(0.1, 3.0, n) if weighted else None
    if METRICS[name].task == "classification":
        # one decimal: many probabilities are equal; the last class has no rows
        labels = rng.choice(k - (k > 2), n)
        z = rng.normal(size=(n, k)) + 2 * np.eye(k)[labels]
        p = np.round(np.exp(z) / np.exp(z).sum(1, keepdims=True), 1) + 0.01
        p /= p.sum(1, keepdims=True)
        truth = labels
    else:
        truth = np.round(rng.gamma(3.0, 6.0, (n, k)) - 4.0).clip(0.0)  # counts, some of them 0
        p = truth * rng.uniform(0.6, 1.5, (n, k)) + 0.5
    found = METRICS[name].of(p, truth, weights)
    assert found == pytest.approx(REFEREES[name](truth, p, weights), rel=1e-9)


def test_numbers_whose_squares_are_no_floats_are_still_measured(rng):
    t = rng.normal(size=(50, 1)) * 1e300
    p = 0.9 * t
    assert METRICS["r2"].of(p, t, None) == pytest.approx(0.99, abs=0.01)
    assert METRICS["rmse"].of(p, t, None) == pytest.approx(1e299, rel=0.5)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()), max_size=40))
def test_the_area_of_rows_that_count_alike_is_that_of_weights_of_1(rows):
    p = np.array([value for value, _ in rows])
    own = np.array([is_own for _, is_own in rows], dtype=bool)
    assert area_of(p, own) == area_of(p, own, np.ones(len(rows)))
