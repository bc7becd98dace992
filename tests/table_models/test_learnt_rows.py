"""A model knows the rows it has learnt, and says how many of those that judge it are among them."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import deltaprop as dp
from deltaprop.errors import DataError, SettingError
from deltaprop.table_models.learnt_rows import LearntRows, Overlap
from deltaprop.tabular import load_dataset

FOLDED = {"hidden": (4,), "epochs": 2, "ranges": 0, "members": 2}
SPLIT = {**FOLDED, "members": 1, "validation_share": 0.2}


def _table(rng, n=100):
    x = rng.normal(size=(n, 3))
    words = rng.choice(["red", "green", "blue"], n)
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": words}), np.where(x[:, 0] > 0, "u", "v")


def _numbers(rng, n=100):
    features, _ = _table(rng, n)
    return features, 500 + 20 * features["a"].to_numpy() + rng.normal(size=n)


@pytest.mark.parametrize("make", [_table, _numbers])
@pytest.mark.parametrize("saved", [False, True])
def test_learnt_rows_rows_that_chose_and_new_ones_are_told_apart(make, saved, rng, tmp_path):
    features, target = make(rng)
    model = dp.TableModel.fit(features, target, recipe=dp.Recipe(**SPLIT))
    if saved:
        model.save(tmp_path / "m.safetensors")
        model = dp.load(tmp_path / "m.safetensors")
    assert model.evaluate(features, target).overlap == Overlap(model.n_train, model.n_val)
    assert model.evaluate(*make(rng)).overlap == Overlap(0, 0)
    assert model.evaluate(features[:30], target[:30]).overlap.learnt == pytest.approx(24, abs=6)


def test_of_folds_every_row_was_learnt(rng):
    features, target = _table(rng)
    model = dp.TableModel.fit(features, target, recipe=dp.Recipe(**FOLDED))
    assert model.evaluate(features, target).overlap == Overlap(100, 0)


def test_given_validation_rows_only_chose_and_rows_without_weight_were_not_learnt(rng):
    features, target = _table(rng)
    held = _table(rng, 40)
    weights = np.where(np.arange(100) < 25, 0.0, 1.0)
    recipe = dp.Recipe(**FOLDED)
    model = dp.TableModel.fit(
        features, target, validation=held, sample_weight=weights, recipe=recipe
    )
    assert model.evaluate(*held).overlap == Overlap(0, 40)
    assert model.evaluate(features, target).overlap == Overlap(75, 0)


def test_a_row_is_known_from_a_file_too(rng, tmp_path):
    features, target = _table(rng)
    model = dp.TableModel.fit(features, target, recipe=dp.Recipe(**FOLDED))
    features.with_columns(y=pl.Series(target)).write_csv(tmp_path / "t.csv")
    data = load_dataset(tmp_path / "t.csv", "y")
    assert model.evaluate(data.features, data.target).overlap == Overlap(100, 0)


def test_images_and_estimators_with_presets_remember_their_rows(rng, tmp_path):
    images, y = rng.integers(0, 255, (60, 4, 4)), rng.integers(0, 2, 60)
    model = dp.TableModel.fit(images, y, recipe=dp.Recipe(**SPLIT))
    assert model.evaluate(images, y).overlap == Overlap(48, 12)
    pytest.importorskip("sklearn")
    features, target = _table(rng)
    fitted = dp.MLPClassifier(preset="fast", max_iter=2, ranges=0, random_state=0)
    fitted.fit(features.to_pandas(), target).save(tmp_path / "e.safetensors")
    loaded = dp.load(tmp_path / "e.safetensors")
    assert loaded.model_.evaluate(features, target).overlap == Overlap(100, 0)


def test_a_model_that_is_not_to_remember_says_nothing(rng, tmp_path):
    features, target = _table(rng)
    model = dp.TableModel.fit(features, target, recipe=dp.Recipe(**FOLDED, remember_rows=False))
    assert model.evaluate(features, target).overlap is None
    with pytest.raises(SettingError, match="does not remember"):
        model.seen(features, target)
    model.save(tmp_path / "m.safetensors")
    assert not any(
        name.startswith("rows.")
        for name in dp.load(tmp_path / "m.safetensors").contents()["arrays"]
    )


def test_of_very_many_rows_a_share_is_kept_and_the_rest_is_estimated(rng):
    marks = rng.integers(0, 2**64, 1_000_000, dtype=np.uint64)
    kept = LearntRows.of(marks, np.empty(0, dtype=np.uint64))
    arrays = kept.to_arrays()
    assert sum(array.nbytes for array in arrays.values()) <= 1_000_100
    assert kept.one_in > 1
    again = LearntRows.from_arrays(arrays)
    half = np.concatenate([marks[:50_000], rng.integers(0, 2**64, 50_000, dtype=np.uint64)])
    found = again.overlap(half)
    assert found.about
    assert found.learnt == pytest.approx(50_000, rel=0.03)


@pytest.mark.parametrize("change", [
    {"rows.learnt": np.zeros((3, 4), np.uint8)}, {"rows.learnt": np.zeros((3, 5))},
    {"rows.one_in": np.array([0])}, {"rows.one_in": np.array([1, 2])}, {"rows.chose": None},
])  # fmt: skip
def test_what_was_not_written_by_it_is_refused(change, rng):
    marks = rng.integers(0, 2**64, 10, dtype=np.uint64)
    arrays = {**LearntRows.of(marks, marks[:2]).to_arrays(), **change}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    with pytest.raises(DataError, match="learnt rows"):
        LearntRows.from_arrays(arrays)


def test_the_figures_of_held_out_rows_are_kept(rng, tmp_path):
    features, target = _table(rng)
    for settings in (FOLDED, SPLIT):
        model = dp.TableModel.fit(features, target, recipe=dp.Recipe(**settings))
        model.save(tmp_path / "m.safetensors")
        assert dp.load(tmp_path / "m.safetensors").held_out == model.held_out
        assert model.held_out.rows == model.n_val
    broken = replace(model, held_out=replace(model.held_out, figures={"r2": float("nan")}))
    broken.save(tmp_path / "m.safetensors")
    assert dp.load(tmp_path / "m.safetensors").held_out is None


def test_a_report_about_other_rows_says_so(rng):
    model = dp.TableModel.fit(*_table(rng), recipe=dp.Recipe(**FOLDED))
    kinds = [finding.kind for finding in dp.report(model, *_table(rng)).findings]
    assert "other rows" in kinds


def test_a_report_about_its_own_rows_does_not(rng):
    table = _table(rng)
    for settings in (FOLDED, SPLIT):
        model = dp.TableModel.fit(*table, recipe=dp.Recipe(**settings))
        assert "other rows" not in [finding.kind for finding in dp.report(model, *table).findings]
