"""TableModel: any table in, classes or numbers out; nothing of the held-out rows is learnt."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import deltaprop as dp
from deltaprop.errors import ColumnError, SettingError
from deltaprop.tabular import TableWarning
from helpers.tables import QUICK, N

FRAMES = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "lazy polars": lambda columns: pl.DataFrame(columns).lazy(),
    "pyarrow": pa.table,
    "dict": dict,
    "records": lambda columns: pl.DataFrame(columns).to_dicts(),
}


class TestAnyKindOfTable:
    @pytest.mark.parametrize("kind", FRAMES)
    @pytest.mark.one_in(5)
    def test_every_kind_gives_the_same_model_and_the_same_predictions(self, columns, answer, kind):
        expected = dp.TableModel.fit(columns, answer, recipe=QUICK)
        model = dp.TableModel.fit(FRAMES[kind](columns), answer, recipe=QUICK)
        assert model.network == expected.network
        np.testing.assert_array_equal(model.parameters.flat, expected.parameters.flat)
        for other in FRAMES.values():
            np.testing.assert_array_equal(
                model.predict_proba(other(columns)), expected.predict_proba(columns)
            )

    def test_a_matrix_has_columns_too(self, rng):
        X = rng.normal(size=(N, 3))
        model = dp.TableModel.fit(X, X[:, 0] > 0, recipe=QUICK)
        assert [column.name for column in model.inputs.columns] == ["x0", "x1", "x2"]
        assert model.predict(X).dtype == bool
        named = {f"x{i}": X[:, i] for i in range(3)}
        np.testing.assert_array_equal(model.predict_proba(named), model.predict_proba(X))

    @pytest.mark.parametrize(
        "as_target",
        [list, np.array, pd.Series, pl.Series, lambda y: pa.array(y), lambda y: pd.Categorical(y),
         lambda y: np.array(y, dtype=object)],
    )  # fmt: skip
    @pytest.mark.one_in(5)
    def test_the_target_may_be_any_kind_of_column(self, columns, answer, as_target):
        expected = dp.TableModel.fit(columns, answer, recipe=QUICK)
        model = dp.TableModel.fit(columns, as_target(answer), recipe=QUICK)
        np.testing.assert_array_equal(model.parameters.flat, expected.parameters.flat)
        assert model.class_names == ("no", "yes")

    def test_an_index_of_pandas_is_no_column(self, columns, answer):
        frame = pd.DataFrame(columns, index=np.arange(N)[::-1] * 7)
        target = pd.Series(answer, index=np.arange(N)[::-1] * 7)
        model = dp.TableModel.fit(frame, target, recipe=QUICK)
        expected = dp.TableModel.fit(columns, answer, recipe=QUICK)
        np.testing.assert_array_equal(model.parameters.flat, expected.parameters.flat)

    def test_columns_are_matched_by_name(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, recipe=QUICK)
        turned = {name: columns[name] for name in reversed(columns)}
        np.testing.assert_array_equal(model.predict_proba(turned), model.predict_proba(columns))

    def test_a_missing_column_is_named_and_a_further_one_ignored_with_a_warning(
        self, columns, answer
    ):
        model = dp.TableModel.fit(columns, answer, recipe=QUICK)
        less = {name: cells for name, cells in columns.items() if name != "colour"}
        with pytest.raises(ColumnError, match="lacks column 'colour'"):
            model.predict(less)
        with pytest.warns(TableWarning, match="'extra'"):
            more = model.predict(columns | {"extra": [0] * N})
        np.testing.assert_array_equal(more, model.predict(columns))

    def test_the_target_may_still_be_among_the_columns(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, target_names=["answer"], recipe=QUICK)
        with_target = model.predict(columns | {"answer": answer})
        np.testing.assert_array_equal(with_target, model.predict(columns))

    def test_missing_cells_and_unseen_categories_are_predicted(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, recipe=QUICK)
        with pytest.warns(TableWarning, match="mauve"):
            p = model.predict_proba(
                {
                    "size": [None, 1.0],
                    "colour": [None, "mauve"],
                    "big": [None, True],
                    "count": [1, 2],
                }
            )
        np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)

    def test_images_are_learnt(self, rng):
        images = rng.integers(0, 256, size=(40, 5, 5), dtype=np.uint8)
        labels = (images[:, 2, 2] > 127).astype(int)
        model = dp.TableModel.fit(images, labels, recipe=QUICK)
        assert model.network.n_in == 25
        assert model.predict(images[:3]).shape == (3,)

    def test_best_learns_images_with_several_networks(self, rng):
        images = rng.integers(0, 256, size=(200, 3, 3), dtype=np.uint8)
        labels = (images[:, 1, 1] > 127).astype(int)
        recipe = dp.Recipe(preset="best", epochs=40, hidden=(16,))
        model = dp.TableModel.fit(images, labels, recipe=recipe)
        assert len(model.members) == 6
        assert model.evaluate(images, labels).figures["accuracy"] > 0.9


CLASSES = {
    "words": (["a", "b", "c"], object),
    "truth values": ([False, True], bool),
    "whole numbers": ([0, 1, 2], np.int64),
    "gapped numbers": ([-7, 3, 42], np.int64),
    "two large numbers": ([10**15, 10**15 + 1], np.int64),
    "floats": ([0.0, 1.0, 5.0], np.int64),
    "floats with fractions": ([0.5, 1.5, 2.25], np.float64),
}


@pytest.mark.parametrize("kind", CLASSES)
class TestClasses:
    @pytest.fixture
    def table(self, rng, kind):
        classes, _ = CLASSES[kind]
        x = rng.normal(size=N)
        which = np.digitize(x, [-0.5, 0.5]) if len(classes) == 3 else (x > 0).astype(int)
        return {"x": x, "z": rng.normal(size=N)}, [classes[i] for i in which]

    def test_predictions_are_classes_as_they_came(self, table, kind):
        classes, dtype = CLASSES[kind]
        recipe = dp.Recipe(preset="plain", epochs=60, hidden=(8,), learning_rate=0.5)
        model = dp.TableModel.fit(*table, task="classification", recipe=recipe)
        predicted = model.predict(table[0])
        assert predicted.dtype == dtype
        assert set(predicted.tolist()) <= set(classes)
        assert np.mean([a == b for a, b in zip(predicted, table[1], strict=True)]) > 0.8

    def test_probabilities_belong_to_the_classes_in_their_order(self, table, kind):
        model = dp.TableModel.fit(*table, task="classification", recipe=QUICK)
        p = model.predict_proba(table[0])
        assert p.shape == (N, len(model.class_names))
        np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
        assert (p >= 0).all()
        expected = model.target.classes[p.argmax(axis=1)]
        np.testing.assert_array_equal(model.predict(table[0]), expected)
        assert model.class_names == tuple(
            map(str, sorted(np.unique(model.target.classes).tolist()))
        )

    def test_saving_and_loading_changes_nothing(self, table, kind, tmp_path):
        model = dp.TableModel.fit(*table, task="classification", recipe=QUICK)
        model.save(tmp_path / "m")
        again = dp.load(tmp_path / "m")
        assert isinstance(again, dp.TableModel)
        np.testing.assert_array_equal(again.predict_proba(table[0]), model.predict_proba(table[0]))
        assert again.predict(table[0]).dtype == model.predict(table[0]).dtype


class TestNumbers:
    @pytest.fixture
    def table(self, rng):
        x = rng.normal(size=200)
        return {"x": x, "z": rng.normal(size=200)}, 1e6 + 5e4 * x

    RECIPE = dp.Recipe(hidden=(16,), dropout=0.0, epochs=60, learning_rate=0.02)

    def test_predictions_are_in_the_unit_of_the_target(self, table):
        model = dp.TableModel.fit(*table, recipe=self.RECIPE)
        assert model.task == "regression"
        predicted = model.predict(table[0])
        assert predicted.shape == (200,)
        assert np.abs(predicted - table[1]).mean() < 1e4

    def test_several_targets_are_predicted_together_each_in_its_unit(self, table, rng):
        targets = np.column_stack([table[1], 1e-6 * np.asarray(table[0]["z"])])
        model = dp.TableModel.fit(
            table[0], targets, target_names=["price", "noise"], recipe=self.RECIPE
        )
        predicted = model.predict(table[0])
        assert predicted.shape == (200, 2)
        assert np.abs(predicted[:, 0] - targets[:, 0]).mean() < 1e4
        assert np.abs(predicted[:, 1] - targets[:, 1]).mean() < 5e-7
        evaluation = model.evaluate(table[0], targets)
        assert evaluation.figures["r2"] > 0.8

    def test_probabilities_belong_to_classes(self, table):
        model = dp.TableModel.fit(*table, recipe=QUICK)
        assert model.class_names == ()
        with pytest.raises(SettingError, match="Probabilities belong to classes"):
            model.predict_proba(table[0])

    def test_the_task_can_be_asked_for(self, rng):
        X, y = rng.normal(size=(N, 2)), rng.integers(3, size=N)
        assert dp.TableModel.fit(X, y, recipe=QUICK).task == "classification"
        model = dp.TableModel.fit(X, y, task="regression", recipe=QUICK)
        assert model.task == "regression"
        assert model.network.n_out == 1

    @pytest.mark.parametrize("k", [1, 3])
    def test_saving_and_loading_changes_nothing(self, table, tmp_path, rng, k):
        targets = rng.normal(size=(200, k)) * 1e-9 + 1e-5
        model = dp.TableModel.fit(table[0], targets, recipe=QUICK)
        model.save(tmp_path / "m")
        again = dp.load(tmp_path / "m")
        np.testing.assert_array_equal(again.predict(table[0]), model.predict(table[0]))
