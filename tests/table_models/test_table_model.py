"""TableModel: any table in, classes or numbers out; nothing of the held-out rows is learnt."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from safetensors.numpy import load_file

import deltaprop as dp
from deltaprop.errors import ColumnError, DataError, ModelFileError, SettingError
from deltaprop.model.serialize import SavedModel
from deltaprop.table_models import fitting, learning
from deltaprop.table_models import predictor as predicting
from deltaprop.table_models.evaluation import evaluate_numbers
from deltaprop.table_models.split import split as _split
from deltaprop.tabular import TableEncoder, TableWarning

QUICK = dp.Recipe(epochs=3, hidden=(8,), members=1)
N = 60


@pytest.fixture
def columns(rng):
    """A table whose target follows from its columns."""
    size, colour = rng.normal(size=N), rng.choice(["red", "green", "blue"], size=N)
    return {
        "size": size.tolist(),
        "colour": colour.tolist(),
        "big": (size > 1).tolist(),
        "count": rng.integers(0, 9, size=N).tolist(),
    }


@pytest.fixture
def answer(columns):
    return ["yes" if s > 0 or c == "red" else "no"
            for s, c in zip(columns["size"], columns["colour"], strict=True)]  # fmt: skip


FRAMES = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "lazy polars": lambda columns: pl.DataFrame(columns).lazy(),
    "pyarrow": pa.table,
    "dict": dict,
    "records": lambda columns: pl.DataFrame(columns).to_dicts(),
}


def head(columns, n):
    return {name: cells[:n] for name, cells in columns.items()}


class TestAnyKindOfTable:
    @pytest.mark.parametrize("kind", FRAMES)
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


class TestHoldingOut:
    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize(
        "counts", [[50, 50], [90, 8, 2], [30, 1, 1, 1], [5] * 20, [1000, 3], [19, 1], [2] * 10]
    )
    @pytest.mark.parametrize("share", [0.05, 0.15, 0.5, 0.9])
    def test_each_class_is_held_out_in_proportion_and_none_is_emptied(self, counts, seed, share):
        y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
        kept, held = _split(y, share, seed)
        assert sorted([*kept, *held]) == list(range(len(y)))
        held_counts = np.bincount(y[held], minlength=len(counts))
        assert len(held) >= 1
        for count, out in zip(counts, held_counts, strict=True):
            assert out < count
            assert abs(out - share * count) <= 2

    @pytest.mark.parametrize("seed", range(3))
    def test_where_every_class_has_one_row_nothing_is_held_out(self, seed):
        kept, held = _split(np.arange(30), 0.15, seed)
        assert (len(kept), len(held)) == (30, 0)

    @pytest.mark.parametrize("n", [20, 57, 1000])
    def test_of_numbers_a_share_is_held_out(self, n, rng):
        kept, held = _split(rng.normal(size=(n, 1)), 0.15, 0)
        assert len(held) == max(1, round(0.15 * n))
        assert sorted([*kept, *held]) == list(range(n))

    def test_the_seed_decides(self, rng):
        y = rng.integers(2, size=100)
        a, b, c = (_split(y, 0.2, seed)[1].tolist() for seed in (1, 1, 2))
        assert a == b != c

    @pytest.mark.parametrize(("share", "n"), [(0.0, 100), (0.15, 19), (0.15, 1)])
    def test_nothing_is_held_out_where_none_is_wanted_or_there_are_few(self, share, n):
        kept, held = _split(np.zeros(n, dtype=int), share, 0)
        assert (kept.tolist(), held.tolist()) == (list(range(n)), [])

    def test_the_rows_that_are_held_out_are_not_learnt_from(self, rng, monkeypatch):
        fitted, trained = [], []
        real_fit, real_train = TableEncoder.fit.__func__, learning.train

        def fit(cls, frame, *, where=""):
            fitted.append(frame)
            return real_fit(cls, frame, where=where)

        monkeypatch.setattr(TableEncoder, "fit", classmethod(fit))
        monkeypatch.setattr(
            learning, "train",
            lambda n, p, X, y, **s: trained.append((X, y, s)) or real_train(n, p, X, y, **s),
        )  # fmt: skip
        x, y = np.arange(100.0), rng.integers(2, size=100)
        model = dp.TableModel.fit({"x": x}, y, recipe=QUICK)
        (frame,), ((X, labels, settings),) = fitted, trained
        kept, held = _split(y, 0.15, 0)
        np.testing.assert_array_equal(frame["x"].to_numpy(), x[kept])
        np.testing.assert_array_equal(labels, y[kept])
        np.testing.assert_array_equal(settings["y_val"], y[held])
        assert (len(X), len(settings["X_val"])) == (len(kept), len(held))
        assert (model.n_train, model.n_val) == (len(kept), len(held))

    def test_an_outlier_that_is_held_out_does_not_move_the_scale(self):
        y = np.arange(100) % 2
        held = _split(y, 0.15, 0)[1]
        x = np.linspace(0, 1, 100)
        plain = dp.TableModel.fit({"x": x}, y, recipe=QUICK)
        x[held] = 1e9
        wild = dp.TableModel.fit({"x": x}, y, recipe=QUICK)
        assert wild.inputs.to_dict() == plain.inputs.to_dict()

    def test_a_rare_category_that_is_held_out_is_no_reason_to_warn(self):
        y = np.arange(100) % 2
        colour = ["red", "blue", "green", "pink"] * 25
        colour[_split(y, 0.15, 0)[1][0]] = "mauve"
        table = {"x": np.linspace(0, 1, 100), "colour": colour, "z": ["a", "b"] * 50}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dp.TableModel.fit(table, y, recipe=QUICK)

    def test_a_given_validation_table_is_used_whole_and_nothing_is_held_out(self, rng):
        x, y = rng.normal(size=100), rng.integers(2, size=100)
        model = dp.TableModel.fit(
            {"x": x[:70]}, y[:70], validation=({"x": x[70:]}, y[70:]), recipe=QUICK
        )
        assert (model.n_train, model.n_val) == (70, 30)
        best = model.history.best_epoch
        accuracy = np.mean(model.predict({"x": x[70:]}) == y[70:])
        assert model.history.val_metric[best] == pytest.approx(accuracy)

    def test_a_given_validation_table_is_warned_about(self):
        y = np.arange(40) % 2
        with pytest.warns(TableWarning, match="validation rows.*mauve"):
            dp.TableModel.fit(
                {"c": ["red", "blue", "green", "pink"] * 10}, y,
                validation=({"c": ["mauve", "red"]}, [0, 1]), recipe=QUICK,
            )  # fmt: skip

    def test_a_class_only_the_validation_table_has_is_refused(self):
        with pytest.raises(DataError, match="the validation rows is 'c' in row 2"):
            dp.TableModel.fit(
                {"x": [1, 2, 3, 4]}, list("abab"), validation=({"x": [1, 2]}, ["a", "c"])
            )

    def test_the_kept_epoch_is_the_one_with_the_best_validation_loss(self, rng):
        x, y = rng.normal(size=(200, 5)), rng.integers(2, size=200)
        recipe = dp.Recipe(
            preset="plain", epochs=60, learning_rate=0.5, patience=10, calibrate=False
        )
        model = dp.TableModel.fit(x, y, recipe=recipe)
        assert model.history.best_epoch == int(np.argmin(model.history.val_loss))
        assert model.history.best_epoch < model.history.n_epochs - 1
        held = _split(y, 0.15, 0)[1]
        evaluation = model.evaluate(x[held], y[held])
        best = min(model.history.val_loss)
        # the loop looks at the epochs in the precision it trains in, float32
        assert evaluation.figures["log_loss"] == pytest.approx(best, rel=1e-6)


class TestTinyTables:
    @pytest.mark.parametrize("n", range(2, 26))
    def test_a_few_rows_are_enough(self, n):
        x, y = list(range(n)), [i % 2 for i in range(n)]
        model = dp.TableModel.fit({"x": x}, y, recipe=QUICK)
        assert model.n_train + model.n_val == n
        assert (model.n_val > 0) == (n >= 20)
        assert (model.history.best_epoch is not None) == (n >= 20)
        assert model.predict_proba({"x": [0.5]}).shape == (1, 2)

    @pytest.mark.parametrize("n", [2, 5, 20, 25])
    def test_a_few_numbers_are_enough(self, n):
        model = dp.TableModel.fit({"x": range(n)}, [i + 0.5 for i in range(n)], recipe=QUICK)
        assert model.predict({"x": [1]}).shape == (1,)

    def test_one_row_is_too_few(self):
        with pytest.raises(DataError, match=r"single class.*all 1 rows"):
            dp.TableModel.fit({"x": [1]}, ["a"])

    @pytest.mark.parametrize("rows", [1, 2])
    def test_one_column_and_one_row_to_predict(self, columns, answer, rows):
        model = dp.TableModel.fit({"size": columns["size"]}, answer, recipe=QUICK)
        one = model.predict_proba({"size": columns["size"][:rows]})
        np.testing.assert_allclose(
            one, model.predict_proba({"size": columns["size"]})[:rows], rtol=1e-12
        )

    @pytest.mark.parametrize("n", [20, 25, 30])
    def test_a_table_in_which_every_row_is_its_own_class(self, n):
        table, names = {"x": range(n)}, [f"k{i:02}" for i in range(n)]
        with pytest.raises(DataError, match=f"{n} different words in {n} rows"):
            dp.TableModel.fit(table, names, recipe=QUICK)
        model = dp.TableModel.fit(table, names, task="classification", recipe=QUICK)  # as advised
        assert len(model.class_names) == n
        assert model.n_train == n


class TestEvaluate:
    def test_the_figures_of_classes_are_those_of_scikit_learn(self, columns, answer):
        from sklearn.metrics import (
            accuracy_score,
            log_loss,
            precision_recall_fscore_support,
        )  # fmt: skip

        model = dp.TableModel.fit(columns, answer, recipe=dp.Recipe(epochs=2, hidden=(4,)))
        evaluation = model.evaluate(columns, answer)
        predicted, p = model.predict(columns), model.predict_proba(columns)
        assert evaluation.figures["accuracy"] == accuracy_score(answer, predicted.tolist())
        assert evaluation.figures["log_loss"] == pytest.approx(log_loss(answer, p), rel=1e-9)
        assert evaluation.figures["majority"] == max(answer.count("yes"), answer.count("no")) / N
        precision, recall, _, support = precision_recall_fscore_support(
            answer, predicted.tolist(), labels=["no", "yes"], zero_division=np.nan
        )
        for i, figures in enumerate(evaluation.classes):
            assert (figures.name, figures.rows) == (["no", "yes"][i], support[i])
            assert figures.recall == pytest.approx(recall[i])
            if figures.precision is None:
                assert np.isnan(precision[i])
            else:
                assert figures.precision == pytest.approx(precision[i])

    def test_the_figures_of_numbers_are_those_of_scikit_learn(self, rng):
        from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

        X = rng.normal(size=(80, 3))
        Y = np.column_stack([100 + X[:, 0], 1e-3 * X[:, 1] + rng.normal(size=80)])
        model = dp.TableModel.fit(X, Y, recipe=QUICK)
        evaluation = model.evaluate(X, Y)
        predicted = model.predict(X)
        assert evaluation.figures == pytest.approx(
            {
                "r2": r2_score(Y, predicted),
                "rmse": root_mean_squared_error(Y, predicted),
                "mae": mean_absolute_error(Y, predicted),
                "baseline_rmse": root_mean_squared_error(Y, np.tile(Y.mean(axis=0), (80, 1))),
            },
            rel=1e-9,
        )

    @pytest.mark.parametrize("unit", [1e-300, 1e300])
    def test_the_figures_of_huge_and_tiny_numbers_are_finite(self, rng, unit):
        t, p = rng.normal(size=(2, 30, 2))
        figures, scaled = (
            evaluate_numbers(p, t).figures,
            evaluate_numbers(p * unit, t * unit).figures,
        )
        assert scaled["r2"] == pytest.approx(figures["r2"])
        assert scaled["rmse"] == pytest.approx(figures["rmse"] * unit)
        assert scaled["mae"] == pytest.approx(figures["mae"] * unit)

    def test_a_class_that_does_not_occur_has_no_recall(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, recipe=QUICK)
        evaluation = model.evaluate(head(columns, 2), ["yes", "yes"])
        assert evaluation.classes[0].rows == 0
        assert evaluation.classes[0].recall is None
        assert evaluation.rows == 2

    def test_it_is_plain_data_for_json(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, recipe=QUICK)
        data = json.loads(json.dumps(model.evaluate(columns, answer).to_dict(), allow_nan=False))
        assert data["task"] == "classification"
        assert [c["name"] for c in data["classes"]] == ["no", "yes"]

    def test_an_unknown_class_is_refused_by_name(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, recipe=QUICK)
        with pytest.raises(DataError, match="'maybe' in row 3"):
            model.evaluate(head(columns, 3), ["yes", "no", "maybe"])

    def test_rows_and_answers_must_be_as_many(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, recipe=QUICK)
        with pytest.raises(DataError, match="There are 3 rows but 2 targets"):
            model.evaluate(head(columns, 3), ["yes", "no"])


class TestVeryManyClasses:
    """The same with blocks of few rows as with all rows at once, and with rows that are drawn."""

    @pytest.fixture
    def table(self, rng):
        y = np.repeat(np.arange(12), 20)
        return np.column_stack([np.sin(y), np.cos(y)]) + rng.normal(scale=0.1, size=(240, 2)), y

    def test_outputs_are_worked_out_some_rows_at_a_time(self, table, monkeypatch):
        X, y = table
        model = dp.TableModel.fit(X, y, task="classification", recipe=QUICK)
        p, evaluation = model.predict_proba(X), model.evaluate(X, y)
        np.testing.assert_array_equal(model.predict(X), p.argmax(axis=1))
        monkeypatch.setattr(predicting, "_NUMBERS_AT_ONCE", 7 * 12)
        monkeypatch.setattr(predicting, "_FEWEST_ROWS", 1)
        np.testing.assert_array_equal(model.predict(X), p.argmax(axis=1))
        np.testing.assert_allclose(model.predict_proba(X), p, rtol=1e-12)
        assert model.evaluate(X, y).figures == pytest.approx(evaluation.figures)

    @pytest.mark.parametrize("members", [1, 3])
    def test_some_rows_fit_the_temperature(self, table, monkeypatch, members):
        monkeypatch.setattr(fitting, "_MOST_LOGITS", 30 * 12)
        recipe = dp.Recipe(epochs=3, hidden=(8,), members=members)
        model = dp.TableModel.fit(*table, task="classification", recipe=recipe)
        assert model.calibration.rows == 30
        assert model.n_val > 30

    @pytest.mark.parametrize("members", [1, 3])
    def test_some_rows_choose_the_epoch(self, table, monkeypatch, members):
        seen = []

        def watched(name):
            train = getattr(learning, name)

            def call(*arrays, **settings):
                if "X_val" in settings:
                    assert len(settings["X_val"]) == len(settings["y_val"])
                    seen.append(len(settings["y_val"]))
                if "checkpoint" in settings:  # not those that only choose an encoder
                    seen.extend(map(len, settings.get("validation_rows", [])))
                return train(*arrays, **settings)

            monkeypatch.setattr(learning, name, call)

        watched("train" if members == 1 else "train_members")
        monkeypatch.setattr(learning, "_MOST_JUDGED", 10 * 12)
        monkeypatch.setattr(learning, "_ENOUGH_JUDGED", 5)
        recipe = dp.Recipe(epochs=3, hidden=(8,), members=members)
        dp.TableModel.fit(*table, task="classification", recipe=recipe)
        assert seen == [10] * members


class TestExplain:
    def test_a_row_is_explained_in_the_users_names(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, target_names=["answer"], recipe=QUICK)
        explanation = model.explain(head(columns, 1), answer[:1], where="row 1")
        assert explanation.names.inputs == model.inputs.output_names
        assert explanation.names.outputs == ("no", "yes")
        assert explanation.names.title == "The step row 1 would cause"
        assert explanation.verify()
        text = explanation.to_terminal(detail="overview")
        assert "size" in text
        assert "yes = " in text

    def test_it_shows_the_network_as_it_predicts(self, columns, answer):
        recipe = dp.Recipe(epochs=2, dropout=0.5, calibrate=False, members=1)
        model = dp.TableModel.fit(columns, answer, recipe=recipe)
        explanation = model.explain(head(columns, 3), answer[:3])
        np.testing.assert_allclose(
            explanation.trace.a[-1], model.predict_proba(head(columns, 3)), rtol=0, atol=1e-6
        )

    def test_of_several_networks_each_can_be_shown(self, columns, answer):
        recipe = dp.Recipe(epochs=2, calibrate=False, members=3, hidden=(4,))
        model = dp.TableModel.fit(columns, answer, recipe=recipe)
        each = [model.explain(head(columns, 3), answer[:3], member=i) for i in range(3)]
        np.testing.assert_allclose(
            np.mean([one.trace.a[-1] for one in each], axis=0),
            model.predict_proba(head(columns, 3)),
            rtol=0,
            atol=1e-6,
        )
        assert each[2].names.title == "The step these rows would cause, in network 3 of 3"
        with pytest.raises(SettingError, match="the model has 3, from 0 to 2"):
            model.explain(head(columns, 1), answer[:1], member=3)

    def test_a_networks_gradients_on_rows_of_the_table_are_proved(self, columns, answer):
        recipe = dp.Recipe(preset="best", epochs=2, members=2, hidden=(4,))
        model = dp.TableModel.fit(columns, answer, recipe=recipe)
        for member in range(2):
            given = model.network_and_rows(head(columns, 4), answer[:4], member=member)
            assert dp.check_gradients(*given).ok
        with pytest.raises(DataError, match="There are 4 rows but 3 targets"):
            model.network_and_rows(head(columns, 4), answer[:3])

    def test_the_model_is_left_as_it_is(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, recipe=QUICK)
        before = model.parameters.flat.copy()
        model.explain(head(columns, 1), answer[:1], learning_rate=10.0)
        np.testing.assert_array_equal(model.parameters.flat, before)

    def test_the_loss_falls_along_the_step_it_shows(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, recipe=QUICK)
        explanation = model.explain(head(columns, 1), answer[:1], learning_rate=1e-4)
        assert explanation.actual_change < 0


class TestFiles:
    @pytest.fixture
    def model(self, columns, answer):
        return dp.TableModel.fit(columns, answer, target_names=["answer"], recipe=QUICK)

    def test_everything_comes_back(self, model, columns, tmp_path):
        model.save(tmp_path / "m")
        again = dp.load(tmp_path / "m")
        assert again.network == model.network
        assert again.recipe == model.recipe
        assert again.history == model.history
        assert again.inputs == model.inputs
        assert again.target.to_dict() == model.target.to_dict()
        assert (again.n_train, again.n_val) == (model.n_train, model.n_val)
        np.testing.assert_array_equal(again.predict_proba(columns), model.predict_proba(columns))

    def test_a_bare_network_is_loaded_as_what_it_is(self, tmp_path, rng):
        network = dp.Network([2, 2])
        parameters = network.init(rng)
        dp.save(tmp_path / "m", network, parameters)
        loaded = dp.load(tmp_path / "m")
        assert isinstance(loaded, SavedModel)
        assert loaded.network == network
        np.testing.assert_array_equal(loaded.parameters.flat, parameters.flat)

    def test_a_model_whose_history_has_infinite_figures_is_saved(self, model, tmp_path):
        model.history.val_loss[0] = float("inf")
        model.save(tmp_path / "m")
        assert dp.load(tmp_path / "m").history == model.history

    @pytest.mark.parametrize(
        "change",
        [
            lambda t, r: t.pop("inputs"),
            lambda t, r: t.update(inputs=t["target"]),
            lambda t, r: t.update(target=t["inputs"]),
            lambda t, r: t["inputs"].pop("columns"),
            lambda t, r: t["target"].update(classes=["a", "b", "c"]),
            lambda t, r: t["target"].update(names=3),
            lambda t, r: r.pop("recipe"),
            lambda t, r: r.update(recipe={"hidden": 3}),
            lambda t, r: r.update(recipe={"evil": 3, "hidden": []}),
            lambda t, r: r.update(history="none"),
            lambda t, r: r.update(history={"loss": "x"}),
            lambda t, r: r.update(n_train="many"),
            lambda t, r: r.update(n_val=None),
        ],
    )
    def test_a_table_that_does_not_fit_is_refused(self, model, tmp_path, change):
        table = {"inputs": model.inputs.to_dict(), "target": model.target.to_dict()}
        record = {
            "history": model.history.to_dict(), "recipe": {"hidden": [8]}, "n_train": 1, "n_val": 0,
        }  # fmt: skip
        change(table, record)
        dp.save(tmp_path / "m", model.network, model.parameters, table=table, training=record)
        with pytest.raises(ModelFileError, match="damaged"):
            dp.load(tmp_path / "m")

    def test_the_file_is_plain_safetensors(self, model, tmp_path):
        model.save(tmp_path / "m")
        np.testing.assert_array_equal(
            load_file(tmp_path / "m")["parameters"], model.parameters.flat
        )

    def test_every_flipped_byte_of_a_model_is_noticed(self, model, columns, tmp_path, rng):
        path = tmp_path / "m"
        model.save(path)
        content, before = path.read_bytes(), model.predict_proba(columns)
        refused = 0
        for place in rng.integers(len(content), size=120).tolist():
            damaged = bytearray(content)
            damaged[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(bytes(damaged))
            try:
                loaded = dp.load(path)
            except ModelFileError:
                refused += 1
                continue
            np.testing.assert_array_equal(loaded.predict_proba(columns), before)
        assert refused > 100


class TestFitting:
    def test_the_same_seed_gives_the_same_bits_and_another_others(self, columns, answer):
        a, b, c = (
            dp.TableModel.fit(columns, answer, recipe=dp.Recipe(epochs=2, seed=seed))
            for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(a.parameters.flat, b.parameters.flat)
        assert (a.parameters.flat != c.parameters.flat).any()

    def test_what_the_table_says_is_learnt(self, columns, answer):
        recipe = dp.Recipe(epochs=150, hidden=(16,), dropout=0.0, learning_rate=0.02)
        model = dp.TableModel.fit(columns, answer, recipe=recipe)
        assert model.evaluate(columns, answer).figures["accuracy"] > 0.9

    def test_callbacks_are_told_and_can_stop(self, columns, answer):
        model = dp.TableModel.fit(
            columns, answer, recipe=QUICK, callbacks=[lambda state: state.epoch == 1]
        )
        assert model.history.stopped_because == "callback"
        assert model.history.n_epochs == 2

    def test_a_fit_that_was_stopped_goes_on_from_its_checkpoint(self, columns, answer, tmp_path):
        whole = dp.TableModel.fit(columns, answer, recipe=QUICK)
        settings = {"recipe": QUICK, "checkpoint": tmp_path / "c"}
        dp.TableModel.fit(columns, answer, callbacks=[lambda s: s.epoch == 0], **settings)
        resumed = dp.TableModel.fit(columns, answer, resume=True, **settings)
        np.testing.assert_array_equal(resumed.parameters.flat, whole.parameters.flat)
        assert resumed.history.loss == whole.history.loss

    @pytest.mark.parametrize(
        ("features", "target", "message"),
        [
            ({"x": [1, 2, 3]}, ["a", "b"], "There are 3 rows but 2 targets"),
            ({"x": [1, 2, 3]}, ["a", "a", "a"], "single class 'a'"),
            ({"x": [1, 2, 3]}, [0.5, 0.5, 0.5], "0.5 in all 3 rows"),
            ({"x": [1, 2, 3]}, ["a", None, "b"], "is missing .* in row 2"),
            ({"x": [1, 2, 3]}, [0.5, float("inf"), 1.0], "is infinite in row 2"),
            ({"x": [5, 5, 5]}, ["a", "b", "a"], "no column to learn from"),
            ({"x": [1.0, float("inf"), 3.0]}, ["a", "b", "a"], "inf in row 2"),
            ({}, ["a", "b"], "There are 0 rows but 2 targets"),
            ([], [], "list of 0 entries"),
        ],
    )
    def test_what_cannot_be_learnt_from_is_refused(self, features, target, message):
        with pytest.raises(DataError, match=message):
            dp.TableModel.fit(features, target)

    def test_no_rows_cannot_be_predicted(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, recipe=QUICK)
        with pytest.raises(DataError, match="no rows to predict"):
            model.predict({name: [] for name in columns})


class TestRecipe:
    @pytest.mark.parametrize("share", [-0.1, 1.0, 2.0, float("nan")])
    def test_a_share_of_the_rows_is_below_one(self, share):
        with pytest.raises(SettingError, match="validation_share"):
            dp.Recipe(validation_share=share)

    @pytest.mark.parametrize(
        "settings",
        [{"hidden": (0,)}, {"hidden": (4.5,)}, {"activation": "reluu"}, {"dropout": 1.0},
         {"dropout": -0.1}, {"learning_rate": 0.0}, {"learning_rate": -1.0}, {"l2": -1.0},
         {"batch_size": 0}, {"epochs": 0}, {"patience": 0}, {"seed": -1}, {"engine": "gpu"},
         {"time_budget": 0.0}],
    )  # fmt: skip
    def test_a_setting_out_of_range_is_refused(self, columns, answer, settings):
        (name,) = settings
        shown = {"hidden": "width", "dropout": "drop"}.get(name, name.split("_")[0])
        with pytest.raises(dp.errors.DeltapropError, match=shown):
            dp.TableModel.fit(columns, answer, recipe=dp.Recipe(**settings))

    def test_the_network_is_as_the_recipe_says(self, columns, answer):
        recipe = dp.Recipe(
            preset="plain", hidden=(7, 5), activation="gelu", dropout=0.25, l2=0.5, epochs=1
        )
        network = dp.TableModel.fit(columns, answer, recipe=recipe).network
        assert network.sizes[1:] == (7, 5, 2)
        assert {row.name for row in network.activations} == {"gelu"}
        assert network.l2 == 0.5
        assert [d.drop_probability for d in network.dropouts if d] == [0.25, 0.25]

    def test_without_hidden_layers_it_is_softmax_regression(self, columns, answer):
        recipe = dp.Recipe(preset="plain", hidden=(), epochs=1)
        assert len(dp.TableModel.fit(columns, answer, recipe=recipe).network.computing_layers) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "target", "best", "figure"),
    [("penguins", "species", 0.95, "accuracy"), ("sonar", "Class", 0.70, "accuracy"),
     ("concrete", "compressive_strength", 0.75, "r2")],
)  # fmt: skip
def test_a_real_table_is_learnt_about_as_well_as_it_can_be(shared, name, target, best, figure):
    data = pl.read_csv(shared / "data" / f"{name}.csv.gz", null_values=["NA"])
    column = {c.casefold(): c for c in data.columns}[target.casefold()]
    data = data.filter(pl.col(column).is_not_null()).sample(fraction=1.0, shuffle=True, seed=0)
    n = int(0.75 * len(data))
    train, test = data[:n], data[n:]
    model = dp.TableModel.fit(train.drop(column), train[column])
    assert model.evaluate(test.drop(column), test[column]).figures[figure] > best


class TestOverflow:
    """Weights whose products are no floats answer nothing, instead of the first class."""

    @pytest.fixture(params=["classes", "numbers"])
    def overflowing(self, request):
        columns = {"x": np.arange(30.0), "c": ["a", "b", "c"] * 10}
        y = columns["c"] if request.param == "classes" else columns["x"]
        recipe = dp.Recipe(preset="plain", hidden=(3,), epochs=1)
        model = dp.TableModel.fit(columns, y, recipe=recipe)
        signs = np.where(np.arange(model.parameters.flat.size) % 3, 1.0, -1.0)
        huge = model.parameters.like(1e300 * signs)
        network = dp.Network(model.network.sizes, "identity", model.network.loss_name)
        return replace(model, members=(huge,), network=network), columns, y

    def test_every_question_is_refused_with_a_sentence(self, overflowing):
        model, columns, y = overflowing
        asked = {"predict": (), "evaluate": (y,)}
        if model.task == "classification":
            asked["predict_proba"] = ()
        for name, more in asked.items():
            with pytest.raises(DataError, match=r"Nothing can be predicted for row 1.*beyond all"):
                getattr(model, name)(columns, *more)
        with pytest.raises(DataError, match=r"z\.2\[0,\d\] is .*inf, beyond all numbers"):
            model.explain(columns, y)
