"""Several targets of different kinds: one command, one file, each answered in its own kind."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import DataError, ModelFileError
from deltaprop.model.serialize import load_model, save_model
from deltaprop.table_models.several_targets import columns_together

N = 120
RECIPE = dp.Recipe(epochs=30, hidden=(16,), members=2)
_rng = np.random.default_rng(0)
FEATURES = {"x": _rng.normal(size=N), "z": _rng.normal(size=N)}
TARGETS = {
    "species": np.array(["cat", "dog", "owl"])[
        (FEATURES["x"] > 0).astype(int) + (FEATURES["z"] > 0.5)
    ],
    "mass": 3 * FEATURES["x"] + 20,
    "tame": FEATURES["x"] > 0,
    "grade": np.digitize(FEATURES["z"], [-0.5, 0.5]),
    "height": FEATURES["z"] / 7,
    "loud": FEATURES["z"] > 0,
}
NAMES = tuple(TARGETS)


def as_objects(columns):
    return np.column_stack([np.asarray(cells, object) for cells in columns.values()])


@pytest.fixture(scope="module")
def models():
    return dp.TargetModels.fit(FEATURES, pl.DataFrame(TARGETS), target_names=NAMES, recipe=RECIPE)


def test_numbers_share_a_network_and_so_do_truth_values(models):
    shared = [part.target.names for part in models.parts]
    assert shared == [("species",), ("mass", "height"), ("tame", "loud"), ("grade",)]
    assert [part.task for part in models.parts] == [
        "classification", "regression", "multilabel", "classification",
    ]  # fmt: skip


def test_answers_stand_side_by_side_in_their_kinds(models):
    answers = models.predict(FEATURES)
    assert answers.shape == (N, 6)
    assert isinstance(answers[0, 0], str)
    assert isinstance(answers[0, 1], float)
    assert isinstance(answers[0, 2], bool)
    assert isinstance(answers[0, 3], int)
    assert (answers[:, 2] == TARGETS["tame"]).mean() > 0.9
    assert (answers[:, 0] == TARGETS["species"]).mean() > 0.6


def test_probabilities_are_a_list_as_scikit_learn_has_them(models):
    found = models.predict_proba(FEATURES)
    assert [p.shape for p in found] == [(N, 3), (N, 2), (N, 3), (N, 2)]
    assert all(p.sum(axis=1) == pytest.approx(np.ones(N)) for p in found)
    np.testing.assert_array_equal(found[1].argmax(axis=1) == 1, models.predict(FEATURES)[:, 2])


def test_each_model_is_judged(models):
    found = models.evaluate(FEATURES, pl.DataFrame(TARGETS))
    assert list(found) == ["species", "mass,height", "tame,loud", "grade"]
    assert found["species"].figures["accuracy"] > 0.6
    assert found["mass,height"].figures["r2"] > 0.7


def test_one_file_holds_all_and_gives_the_same_bits(models, tmp_path):
    models.save(tmp_path / "m")
    again = dp.load(tmp_path / "m")
    assert again.names == NAMES
    np.testing.assert_array_equal(again.predict(FEATURES), models.predict(FEATURES))
    for p, q in zip(again.predict_proba(FEATURES), models.predict_proba(FEATURES), strict=True):
        np.testing.assert_array_equal(p, q)


def test_a_part_is_explained_and_reported_as_any_model(models, tmp_path):
    part = models.part_of("grade")
    assert part.explain({k: v[:1] for k, v in FEATURES.items()}, TARGETS["grade"][:1]).verify().ok
    assert models.part_of("colour") is None
    for part, own in zip(models.parts, models.targets_of_parts(pl.DataFrame(TARGETS)), strict=True):
        assert dp.report(part, FEATURES, own, tmp_path / "r.html").task == part.task


def test_targets_among_the_columns_are_no_surprise(models, recwarn):
    table = {**FEATURES, **TARGETS}
    np.testing.assert_array_equal(models.predict(table), models.predict(FEATURES))
    assert not recwarn.list


@pytest.mark.parametrize("damage", ["names", "others", "arrays"])
def test_a_damaged_file_is_refused(models, tmp_path, damage):
    models.save(tmp_path / "m")
    saved = load_model(tmp_path / "m")
    training, arrays = saved.training, dict(saved.arrays)
    if damage == "names":
        training["targets"]["names"] = ["a", "b"]
    elif damage == "others":
        training["targets"]["others"][0]["network"] = {"layers": 3}
    else:
        arrays.pop("target.2.parameters")
    save_model(
        tmp_path / "m", saved.network, saved.parameters, table=saved.table, training=training,
        arrays=arrays,
    )  # fmt: skip
    with pytest.raises(ModelFileError, match="damaged"):
        dp.load(tmp_path / "m")


def test_validation_rows_weights_and_a_budget_reach_every_model():
    held = {name: cells[:30] for name, cells in FEATURES.items()}
    targets = pl.DataFrame(TARGETS)
    recipe = dp.Recipe(epochs=2, hidden=(4,), members=1, time_budget=20)
    models = dp.TargetModels.fit(
        FEATURES, targets, target_names=NAMES, recipe=recipe, validation=(held, targets[:30]),
        sample_weight=np.arange(N) % 3,
    )  # fmt: skip
    assert all(part.n_val == 30 for part in models.parts)


def test_what_a_target_cannot_be_is_said_of_it():
    bad = {**TARGETS, "mass": [None, *TARGETS["mass"][1:]]}
    with pytest.raises(DataError, match="Target 'mass' is missing"):
        dp.TargetModels.fit(FEATURES, pl.DataFrame(bad), target_names=NAMES)


def test_one_model_says_who_learns_several_kinds():
    with pytest.raises(DataError, match=r"'species' holds words, beside 5 more.*TargetModels"):
        dp.TableModel.fit(FEATURES, pl.DataFrame(TARGETS), target_names=NAMES)
    several = pd.DataFrame(TARGETS)[["species", "grade", "tame"]]
    for targets in (several, several.to_numpy(), several.astype(str).to_numpy()):
        with pytest.raises(DataError, match=r"several classes for each row.*'fast'.*TargetModels"):
            dp.MLPClassifier().fit(np.column_stack(list(FEATURES.values())), targets)


@pytest.mark.rest
@settings(max_examples=8, deadline=None)
@given(data=st.data(), seed=st.integers(0, 999))
def test_any_kinds_go_together(data, seed, tmp_path_factory):
    kinds = data.draw(st.lists(st.sampled_from(sorted(NAMES)), min_size=2, max_size=4, unique=True))
    targets = pl.DataFrame({name: TARGETS[name] for name in kinds})
    recipe = dp.Recipe(data.draw(st.sampled_from(["fast", "best", "plain"])), epochs=1, hidden=(4,))
    groups = columns_together(targets, kinds, None, recipe)
    assert sorted(i for group in groups for i in group) == list(range(len(kinds)))
    models = dp.TargetModels.fit(FEATURES, targets, target_names=kinds, recipe=recipe)
    path = tmp_path_factory.mktemp("m") / "m"
    models.save(path)
    np.testing.assert_array_equal(dp.load(path).predict(FEATURES), models.predict(FEATURES))


@pytest.mark.parametrize(
    "frame", [pd.DataFrame, pl.DataFrame, as_objects], ids=["pandas", "polars", "objects"]
)
@pytest.mark.one_in(3)
def test_targets_come_in_any_table(models, frame):
    again = dp.TargetModels.fit(FEATURES, frame(TARGETS), target_names=NAMES, recipe=RECIPE)
    np.testing.assert_array_equal(again.predict(FEATURES), models.predict(FEATURES))


def test_ctrl_c_ends_all_of_them_and_not_one_after_another(monkeypatch):
    asked = []

    def interrupted(*_, **settings):
        asked.append(settings["target_names"])
        return SimpleNamespace(interrupted=True)

    monkeypatch.setattr(dp.TableModel, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dp.TargetModels.fit(FEATURES, pl.DataFrame(TARGETS), target_names=NAMES)
    assert len(asked) == 1
