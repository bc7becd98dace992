"""Several labels of a row: from the columns to the answers, the figures, the file, the report."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_multilabel_classification
from sklearn.metrics import accuracy_score, log_loss

import deltaprop as dp
from deltaprop.errors import DataError
from deltaprop.tabular import TargetEncoder

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_multilabel_classification(260, 8, n_classes=4, random_state=0)
X_NEW, Y_NEW = X[200:], Y[200:]
X, Y = X[:200], Y[:200]
NAMES = ["red", "round", "small", "hot"]
FRAME = pd.DataFrame(X, columns=[f"c{i}" for i in range(8)])
LABELS = pd.DataFrame(Y.astype(bool), columns=NAMES)
QUICK = {"epochs": 6, "hidden": (8,)}
_FITTED: dict = {}


def fitted(preset, kind=lambda y: y):
    """Return a classifier that has learnt the labels, in few epochs."""
    key = preset, getattr(kind, "__name__", "")
    if key not in _FITTED:
        model = dp.MLPClassifier((8,), preset=preset, max_iter=20, random_state=0)
        _FITTED[key] = model.fit(X, kind(Y))
    return _FITTED[key]


@pytest.mark.parametrize("preset", ["fast", "best"])
def test_the_estimator_answers_as_scikit_learns_does(preset):
    model = fitted(preset)
    assert model.classes_.tolist() == [0, 1, 2, 3]
    assert model.n_outputs_ == 4
    assert model.out_activation_ == fitted(None).out_activation_
    p, said = model.predict_proba(X_NEW), model.predict(X_NEW)
    assert p.shape == said.shape == Y_NEW.shape
    np.testing.assert_array_equal(said, (p > 0.5).astype(int))
    assert said.dtype == fitted(None).predict(X_NEW).dtype
    assert model.score(X_NEW, Y_NEW) == accuracy_score(Y_NEW, said)
    np.testing.assert_allclose(model.predict_log_proba(X_NEW), np.log(p))


@pytest.mark.parametrize("preset", ["fast", "best"])
def test_the_labels_are_learnt_better_than_their_shares(preset):
    p = dp.MLPClassifier(preset=preset, random_state=0, max_iter=40).fit(X, Y).predict_proba(X_NEW)
    own = np.mean([log_loss(Y_NEW[:, k], p[:, k]) for k in range(4)])
    shares = np.tile(Y.mean(axis=0), (len(Y_NEW), 1))
    usual = np.mean([log_loss(Y_NEW[:, k], shares[:, k]) for k in range(4)])
    assert own < 0.9 * usual


@pytest.mark.parametrize(
    "kind",
    [scipy.sparse.csr_matrix, scipy.sparse.coo_array, lambda y: LABELS, lambda y: y.astype(float)],
    ids=["csr", "coo", "frame of truth values", "floats"],
)
def test_labels_come_in_any_form(kind):
    model = dp.MLPClassifier((8,), preset="fast", max_iter=20, random_state=0).fit(X, kind(Y))
    np.testing.assert_array_equal(model.predict_proba(X_NEW), fitted("fast").predict_proba(X_NEW))


@pytest.mark.parametrize("preset", ["fast", "best", "plain", None])
def test_saved_and_read_again_it_is_the_same(preset, tmp_path):
    model = fitted(preset)
    model.save(tmp_path / "m")
    again = dp.load(tmp_path / "m")
    np.testing.assert_array_equal(again.predict_proba(X_NEW), model.predict_proba(X_NEW))
    np.testing.assert_array_equal(again.predict(X_NEW), model.predict(X_NEW))
    assert again.classes_.tolist() == model.classes_.tolist()


@pytest.mark.parametrize("preset", ["fast", "best"])
def test_one_temperature_makes_the_held_out_labels_no_worse(preset):
    found = fitted(preset).model_.calibration
    assert found.rows == len(X)
    assert found.loss_after <= found.loss_before


def test_a_row_is_explained_by_the_names_of_its_labels():
    model = dp.MLPClassifier((8,), preset="fast", max_iter=5, random_state=0).fit(FRAME, LABELS)
    explained = model.explain(FRAME[:1], LABELS[:1])
    assert explained.names.outputs == tuple(NAMES)
    assert explained.verify().ok


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_tells_of_each_label(language, tmp_path):
    model = dp.MLPClassifier((8,), preset="fast", max_iter=5, random_state=0).fit(FRAME, LABELS)
    found = dp.report(model, FRAME, LABELS, tmp_path / "r.html", language=language)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert [row.name for row in found.classes] == NAMES
    assert [row.learnt for row in found.classes] == Y.sum(axis=0).tolist()
    assert found.calibration is not None
    assert {"accuracy", "label_accuracy", "log_loss"} <= set(found.judged.figures)
    assert all(name in page for name in NAMES)
    assert len(found.hardest) == 12


def test_the_figures_are_scikit_learns():
    model = fitted("fast").model_
    found = model.evaluate(X_NEW, Y_NEW)
    p = fitted("fast").predict_proba(X_NEW)
    assert found.task == "multilabel"
    assert found.figures["accuracy"] == accuracy_score(Y_NEW, p > 0.5)
    each = [log_loss(Y_NEW[:, k], p[:, k]) for k in range(4)]
    assert found.figures["log_loss"] == pytest.approx(np.mean(each))
    assert [part.rows for part in found.classes] == Y_NEW.sum(axis=0).tolist()


def test_weights_validation_rows_and_a_budget_are_taken():
    weights = np.where(Y[:, 0] == 1, 2.0, 0.5)
    model = dp.MLPClassifier((8,), preset="fast", max_iter=5, time_budget=20, random_state=0)
    model.fit(X, Y, sample_weight=weights, X_val=X_NEW, y_val=Y_NEW)
    plain = dp.MLPClassifier((8,), preset="fast", max_iter=5, random_state=0)
    plain.fit(X, Y, X_val=X_NEW, y_val=Y_NEW)
    assert model.model_.n_val == len(X_NEW)
    means = [m.predict_proba(X_NEW)[:, 0].mean() for m in (model, plain)]
    assert means[0] > means[1]


@pytest.mark.rest
@settings(max_examples=12, deadline=None)
@given(
    data=st.data(),
    kind=st.sampled_from([bool, int, float, "words"]),
    preset=st.sampled_from(["fast", "best", "plain"]),
    k=st.integers(2, 5),
)
def test_truth_values_of_any_table_go_all_the_way(data, kind, preset, k, tmp_path_factory):
    n = data.draw(st.integers(2, 40))
    seed = data.draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    truths = rng.random((n, k)) < rng.random(k)
    columns = {f"y{i}": truths[:, i].tolist() for i in range(k)}
    if kind == "words":
        columns = {name: [str(v) for v in values] for name, values in columns.items()}
    elif kind is not bool:
        columns = {name: [kind(v) for v in values] for name, values in columns.items()}
    features = {"a": rng.normal(size=n).tolist(), "b": rng.choice(["u", "v"], n).tolist()}
    features["a"][0] = 9.0
    targets = pl.DataFrame(columns)
    model = dp.TableModel.fit(
        features, targets, target_names=tuple(columns), recipe=dp.Recipe(preset, **QUICK)
    )
    assert model.task == "multilabel"
    said = model.predict(features)
    assert said.shape == (n, k)
    assert set(np.unique(said).tolist()) <= {0, 1}
    path = tmp_path_factory.mktemp("m") / "m"
    model.save(path)
    again = dp.load(path)
    np.testing.assert_array_equal(again.predict_proba(features), model.predict_proba(features))
    np.testing.assert_array_equal(again.predict(features), said)
    assert again.evaluate(features, targets) == model.evaluate(features, targets)
    model.explain({name: cells[:1] for name, cells in features.items()}, targets[:1])


def test_numbers_stay_numbers_where_they_are_asked_for():
    assert (
        dp.TableModel.fit(X, Y, task="regression", recipe=dp.Recipe(**QUICK)).task == "regression"
    )
    model = dp.MLPRegressor((8,), preset="fast", max_iter=3).fit(X, Y)
    assert model.model_.task == "regression"


def test_what_is_no_truth_value_is_named():
    with pytest.raises(DataError, match="'target1' holds more than 0 and 1"):
        TargetEncoder.fit(np.array([[0, 2], [1, 0]]), "multilabel")
    model = fitted("fast").model_
    with pytest.raises(DataError, match=r"'target2'.*is 5 in row 2"):
        model.evaluate(X_NEW[:2], np.array([[0, 1, 0, 1], [0, 1, 5, 1]]))
