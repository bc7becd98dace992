"""Evaluation, with very many classes, too, and of weights whose products overflow."""

import json
from dataclasses import replace

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DataError
from deltaprop.table_models import fitting, learning
from deltaprop.table_models import predictor as predicting
from deltaprop.table_models.evaluation import evaluate_numbers
from helpers.tables import QUICK, N, head


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
