"""skrub prepares tables, and the estimator is the end of its pipelines."""

import numpy as np
import pytest

skrub = pytest.importorskip("skrub")


def test_a_tabular_pipeline(make, words):
    X, y = words
    model = skrub.tabular_pipeline(make()).fit(X, y)
    assert np.mean(model.predict(X) == y) > 0.8


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_vectorizer_before_it(make, words, library):
    from sklearn.pipeline import make_pipeline

    X, y = words
    if library == "polars":
        X = pytest.importorskip("polars").from_pandas(X)
    model = make_pipeline(skrub.TableVectorizer(), make()).fit(X, y)
    assert np.mean(model.predict(X) == y) > 0.8


def test_operations_on_data(make, words):
    X, y = words
    rows = skrub.var("rows", X).skb.mark_as_X()
    learnt = rows.skb.apply(make(), y=skrub.var("y", y).skb.mark_as_y())
    learner = learnt.skb.make_learner(fitted=True)
    assert np.mean(learner.predict({"rows": X}) == y) > 0.8
