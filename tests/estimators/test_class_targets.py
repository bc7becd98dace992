"""Several classes of each row, by MLPClassifier with a preset: each column in its own kind."""

import json
import pickle
import signal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score

import deltaprop as dp
from deltaprop.cli.main import main
from deltaprop.errors import DataError, ModelFileError, SettingError
from deltaprop.estimators.several_targets import class_targets
from deltaprop.model.serialize import load_model, save_model
from deltaprop.tabular import TableWarning

N = 90
_rng = np.random.default_rng(0)
X = _rng.normal(size=(N, 2))
TABLE = pd.DataFrame(X, columns=["x", "z"])
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 12, "members": 1, "random_state": 0}
TARGETS = {
    "species": np.array(["cat", "dog", "owl"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)],
    "grade": np.digitize(X[:, 1], [-0.5, 0.5]),
    "code": np.where(X[:, 0] > 0.2, 2**53 + 1, 7),
    "tame": X[:, 0] > 0,
    "half": np.where(X[:, 1] > 0, 2.0, 1.0),
    "loud": np.where(X[:, 1] > 0, "yes", "no"),
    "only": np.full(N, "same"),
}
FRAME = pd.DataFrame(TARGETS)
THREE = ["species", "grade", "tame"]
GIVEN = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "objects": lambda columns: np.column_stack([c.astype(object) for c in columns.values()]),
    "rows": lambda columns: [list(row) for row in zip(*columns.values(), strict=True)],
}


def learner(**changed):
    return dp.MLPClassifier(**{"preset": "fast"} | SMALL | changed)


@pytest.fixture(scope="module")
def fitted():
    return learner(max_iter=30).fit(TABLE, FRAME[THREE])


@pytest.mark.rest
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_any_kinds_are_learnt_answered_scored_and_saved(data, tmp_path_factory):
    kinds = data.draw(st.lists(st.sampled_from(sorted(TARGETS)), min_size=2, max_size=4,
                               unique=True))  # fmt: skip
    columns = {name: TARGETS[name] for name in kinds}
    Y = GIVEN[data.draw(st.sampled_from(sorted(GIVEN)))](columns)
    preset = data.draw(st.sampled_from(["fast", "best"]))
    if class_targets(Y) is None:
        return
    model = learner(preset=preset, max_iter=2).fit(X, Y)
    found, p = model.predict(X), model.predict_proba(X)
    assert found.shape == (N, len(kinds))
    assert model.n_outputs_ == len(kinds) == len(p) == len(model.classes_)
    right = np.ones(N, bool)
    for i, name in enumerate(kinds):
        np.testing.assert_array_equal(model.classes_[i], np.unique(TARGETS[name]))
        assert isinstance(found[:, i].tolist()[0], type(TARGETS[name].tolist()[0]))
        assert p[i].sum(axis=1) == pytest.approx(np.ones(N))
        np.testing.assert_array_equal(model.classes_[i][p[i].argmax(axis=1)], found[:, i])
        np.testing.assert_allclose(np.exp(model.predict_log_proba(X)[i]), p[i])
        right &= found[:, i] == TARGETS[name]
    weights = np.arange(N) % 4
    assert model.score(X, Y) == pytest.approx(right.mean())
    assert model.score(X, Y, weights) == pytest.approx(np.average(right, weights=weights))
    path = tmp_path_factory.mktemp("m") / "m"
    model.save(path)
    for again in (dp.load(path), pickle.loads(pickle.dumps(model))):
        assert again.get_params() == model.get_params()
        np.testing.assert_array_equal(again.predict(X), found)
        assert again.predict(X).dtype == found.dtype
        for q, mine in zip(again.predict_proba(X), p, strict=True):
            np.testing.assert_array_equal(q, mine)
        assert again.score(X, Y) == model.score(X, Y)


def test_columns_of_one_kind_are_an_array_of_it():
    whole = learner().fit(X, FRAME[["grade", "code"]])
    assert whole.predict(X).dtype.kind == "i"
    words = learner().fit(X, np.column_stack([TARGETS["species"], TARGETS["loud"]]))
    assert words.predict(X).dtype.kind == "U"


def test_each_target_is_learnt_as_by_a_classifier_of_its_own(fitted):
    for i, name in enumerate(THREE):
        alone = learner(max_iter=30).fit(TABLE, FRAME[name])
        np.testing.assert_array_equal(fitted.predict_proba(TABLE)[i], alone.predict_proba(TABLE))
        assert (fitted.predict(TABLE)[:, i] == TARGETS[name]).mean() > 0.7


def test_labels_of_0_and_1_are_still_one_network():
    labels = FRAME[["tame"]].assign(loud=TARGETS["loud"] == "yes")
    model = learner().fit(X, labels)
    assert model.predict_proba(X).shape == (N, 2)
    assert not hasattr(model, "estimators_")


def test_weights_validation_rows_budget_and_checkpoints_reach_each(tmp_path):
    Y = FRAME[THREE]
    by_class = ["balanced", {0: 3, 1: 1, 2: 1}, None]
    model = learner(time_budget=60, checkpoint=tmp_path / "c", class_weight=by_class).fit(
        X, Y, np.arange(N) % 3, X[:20], Y[THREE[::-1]][:20])  # fmt: skip
    assert [part.time_budget for part in model.estimators_] == [20] * 3
    assert [part.class_weight for part in model.estimators_] == list(model.class_weight)
    assert all(part.model_.n_val == 20 for part in model.estimators_)
    for i, name in enumerate(THREE):
        alone = learner(class_weight=model.class_weight[i], time_budget=60)
        alone.fit(X, Y[name], np.arange(N) % 3, X[:20], Y[name][:20])
        np.testing.assert_array_equal(model.predict_proba(X)[i], alone.predict_proba(X))
    assert model.score(X, Y[THREE[::-1]]) == model.score(X, Y)
    path = tmp_path / "m"
    model.save(path)
    assert dp.load(path).class_weight == model.class_weight


@pytest.mark.rest
def test_searches_clones_and_other_fits_work(fitted):
    assert not hasattr(clone(fitted), "estimators_")
    Y = FRAME[THREE]
    for y, cv in ((Y, KFold(2)), (Y.astype(str), 2), (Y[["grade", "tame"]], 2)):
        assert len(cross_val_score(learner(max_iter=2), TABLE, y, cv=cv)) == 2
        assert cross_val_predict(learner(max_iter=2), X, y.to_numpy(), cv=cv).shape == y.shape
    codes = Y.apply(lambda column: pd.factorize(column)[0]).to_numpy()
    found = cross_val_predict(learner(max_iter=2), X, codes, cv=2, method="predict_proba")
    assert [p.shape for p in found] == [(N, 3), (N, 3), (N, 2)]
    search = GridSearchCV(learner(max_iter=2), {"hidden_layer_sizes": [(2,), (4,)]}, cv=2)
    assert search.fit(X, Y[["grade", "tame"]]).predict(X).shape == (N, 2)
    model = learner(max_iter=2).fit(X, Y)
    model.fit(X, TARGETS["species"])
    assert model.predict(X).shape == (N,)
    assert model.fit(X, Y).predict(X).shape == (N, 3)
    assert not hasattr(model, "model_")
    model.set_params(preset=None, members=None)
    model.partial_fit(X, TARGETS["species"], classes=["cat", "dog", "owl"])
    assert model.predict(X).shape == (N,)


def test_callbacks_are_told_of_every_network():
    callback = pytest.importorskip("sklearn.callback")
    epochs = []
    monitor = callback.ScoringMonitor(scoring=lambda model, X, y: {"right": model.score(X, y)})
    bar = callback.ProgressBar()
    model = learner(max_iter=2, callbacks=[lambda state: epochs.append(state.epoch)])
    model.set_callbacks(bar, monitor).fit(X, FRAME[THREE])
    assert epochs == [0, 1] * 3
    assert [row["task_name"] for row in monitor.get_logs().data] == ["fit"]
    assert model.estimators_[0].callbacks is model.callbacks
    GridSearchCV(learner(max_iter=2), {"alpha": [0.0]}, cv=2).set_callbacks(bar).fit(
        X, FRAME[["grade", "tame"]]
    )


def test_an_interrupt_ends_the_fit_unless_nothing_is_left():
    def interrupt(target):
        count = iter(range(99))
        return [lambda _: signal.raise_signal(signal.SIGINT) if next(count) == target else None]

    with pytest.raises(KeyboardInterrupt, match="'grade'"), pytest.warns(match="Interrupted"):
        learner(max_iter=2, callbacks=interrupt(2)).fit(X, FRAME[THREE])
    with pytest.warns(match="Interrupted"):
        model = learner(max_iter=2, callbacks=interrupt(4)).fit(X, FRAME[THREE])
    assert model.predict(X).shape == (N, 3)


def test_what_is_told_of_the_columns_is_told_once():
    with pytest.warns(TableWarning, match="'same'") as told:
        learner(max_iter=2).fit(TABLE.assign(same="a"), FRAME[THREE])
    assert len(told) == 1
    assert told[0].filename == __file__


@pytest.mark.parametrize(
    ("change", "y", "message"),
    [
        ({}, FRAME[THREE].assign(mass=X[:, 0]), "'mass' holds numbers that are no classes.*Models"),
        ({}, np.column_stack([X[:, 0], TARGETS["grade"]]), "'target0' holds numbers"),
        ({}, FRAME[THREE].assign(tame=[None, *TARGETS["tame"][1:]]), r"y\['tame'\].*row 1 has no"),
        ({}, [["a", 1]] * 8 + [["b"]], "2 entries in row 1 but 1 in row 9"),
        ({"class_weight": {0: 2}}, FRAME[THREE], "list of 3"),
        ({"class_weight": ["balanced"] * 2}, FRAME[THREE], "list of 3"),
        ({"class_weight": ["balanced"]}, FRAME["species"], "y is a single one"),
        ({"time_budget": "soon"}, FRAME[THREE], "time_budget is 'soon'"),
    ],
)
def test_what_cannot_be_learnt_is_refused(change, y, message):
    with pytest.raises((DataError, SettingError), match=message):
        learner(**change).fit(X, y)


def test_what_one_network_is_asked_names_the_classifiers(fitted, tmp_path):
    for ask in (fitted.explain, fitted.network_and_rows):
        with pytest.raises(SettingError, match=r"'species', 'grade', 'tame'.*estimators_\[0\]"):
            ask(TABLE[:1])
    with pytest.raises(SettingError, match=r"report.*estimators_\[0\]"):
        dp.report(fitted, TABLE, FRAME[THREE], tmp_path / "r.html")
    one = fitted.estimators_[1]
    assert one.explain(TABLE[:1], TARGETS["grade"][:1]).verify().ok
    assert dp.report(one, TABLE, TARGETS["grade"], tmp_path / "r.html").task == "classification"
    for name, y in (("1 column;", TARGETS["grade"]), ("2 columns;", FRAME[THREE[:2]])):
        with pytest.raises(DataError, match=f"y has {name} expected one for each of the 3"):
            fitted.score(TABLE, y)
    with pytest.raises(DataError, match=r"Target 'grade' of y is .* one is text"):
        fitted.score(TABLE, FRAME[THREE].astype(str))
    with pytest.raises(DataError, match="X has 90 rows but y has 5"):
        fitted.score(TABLE, FRAME[THREE][:5])


def test_the_commands_know_the_file(fitted, tmp_path, capsys):
    path, rows = str(tmp_path / "m.safetensors"), str(tmp_path / "rows.csv")
    fitted.save(path)
    pd.concat([TABLE, FRAME[THREE]], axis=1).to_csv(rows, index=False)
    assert main(["predict", path, rows, "--out", str(tmp_path / "p.csv")]) == 0
    answers = pd.read_csv(tmp_path / "p.csv")[THREE]
    assert (answers.to_numpy() == fitted.predict(TABLE)).all()
    capsys.readouterr()
    assert main(["evaluate", path, rows, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert main(["check", path, "--target", "grade"]) == 0
    assert main(["check", path, "--target", "grade", "--row", "1"]) != 0
    assert "--row belongs to --data" in capsys.readouterr().err
    assert main(["explain", path, "--data", rows, "--row", "1", "--target", "grade"]) == 0


def test_a_target_of_a_single_class_is_for_python(tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    learner(max_iter=2).fit(X, FRAME[["only", "grade"]]).save(path)
    assert set(dp.load(path).predict(X)[:, 0]) == {"same"}
    TABLE.to_csv(tmp_path / "rows.csv", index=False)
    assert main(["predict", str(path), str(tmp_path / "rows.csv")]) != 0
    assert "of 'only' it knows a single class" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("damage", ["names", "settings", "part", "columns"])
def test_a_damaged_file_is_refused(fitted, tmp_path, damage):
    path = tmp_path / "m"
    fitted.save(path)
    saved = load_model(path)
    training, others = saved.training, saved.training["targets"]["others"]
    if damage == "names":
        training["targets"]["names"] = training["targets"]["names"][::-1]
    elif damage == "settings":
        training["estimator"].pop("settings_of_all")
    elif damage == "part":
        others[1]["training"].pop("estimator")
    else:
        others[0]["training"]["estimator"]["arrays"]["feature_names_in_"]["values"] = ["x", "y"]
    save_model(
        path, saved.network, saved.parameters, table=saved.table, training=training,
        arrays=saved.arrays,
    )  # fmt: skip
    with pytest.raises(ModelFileError, match="damaged"):
        dp.load(path)
