"""The figures of a report, held against numbers by hand and against scikit-learn."""

import copy
import json
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, r2_score

import deltaprop as dp
from deltaprop.errors import DataError, OutputError, UnknownNameError
from deltaprop.reporting.figures import compute
from deltaprop.reporting.figures.importance import losses_of, permutation_importance, score_of
from deltaprop.reporting.figures.rows import Rows, blocks_of
from deltaprop.reporting.figures.warnings import small_samples, wilson_interval
from deltaprop.table_models.split import split

QUICK = dp.Recipe(preset="plain", epochs=30, hidden=(16,), learning_rate=0.3)


def fit(features, target, **settings):
    settings = {"epochs": 60, "hidden": (16,), "learning_rate": 0.3, **settings}
    recipe = dp.Recipe(preset="plain", **settings)
    return dp.TableModel.fit(features, target, recipe=recipe)


def kinds(report):
    return [finding.kind for finding in report.findings]


@pytest.mark.parametrize(
    ("losses", "best_epoch", "improves"),
    [
        ([1.0], 0, True),
        ([1.0, 0.8, 0.6], 2, True),
        ([0.9 - 0.02 * i for i in range(40)], 39, True),
        ([0.5 + 0.5 * 0.7**i for i in range(40)], 39, False),  # it has arrived
        ([0.9 - 0.02 * i for i in range(40)], 38, False),  # and was not the best one
        ([0.9] * 38 + [0.5, np.nan], 39, False),
    ],
)
def test_only_a_loss_that_falls_to_the_end_might_still_improve(losses, best_epoch, improves, rng):
    x = rng.normal(size=(100, 2))
    model = fit(x, x[:, 0] > 0, epochs=2)
    history = copy.deepcopy(model.history)
    history.loss = history.val_loss = losses
    history.val_metric = history.seconds = history.learning_rate = [0.5] * len(losses)
    history.best_epoch, history.stopped_because = best_epoch, "epochs"
    report = dp.report(replace(model, histories=(history,)), x, x[:, 0] > 0)
    assert ("still improving" in kinds(report)) == improves


class TestFigures:
    @pytest.fixture(scope="class")
    @classmethod
    def three(cls):
        rng = np.random.default_rng(2)
        x = rng.normal(size=(300, 2))
        y = np.array(["a", "b", "c"])[
            np.digitize(x[:, 0] + 0.7 * rng.normal(size=300), [-0.4, 0.8])
        ]
        model = fit(x, y)
        _, held = split(np.searchsorted(["a", "b", "c"], y), 0.15, 0)
        return x, y, model, held, dp.report(model, x, y)

    def test_confusion_and_class_figures_are_those_of_sklearn_on_the_held_out_rows(self, three):
        x, y, model, held, report = three
        predicted = model.predict(x[held])
        names = ["a", "b", "c"]
        expected = confusion_matrix(y[held], predicted, labels=names)
        np.testing.assert_array_equal(report.confusion.matrix, expected)
        wrong = expected - np.diag(np.diag(expected))
        assert report.confusion.n_mistakes == wrong.sum()
        true, taken, count = report.confusion.commonest[0]
        assert count == wrong.max() == wrong[true, taken]
        figures = precision_recall_fscore_support(
            y[held], predicted, labels=names, zero_division=np.nan
        )
        for k, row in enumerate(report.classes):
            assert (row.name, row.rows) == (names[k], figures[3][k])
            assert (row.precision, row.recall, row.f1) == pytest.approx([f[k] for f in figures[:3]])
            assert row.learnt == np.sum(np.delete(y, held) == names[k])

    def test_the_hardest_rows_are_those_with_the_least_probability(self, three):
        x, y, model, held, report = three
        p = model.predict_proba(x[held])[
            np.arange(len(held)), np.searchsorted(["a", "b", "c"], y[held])
        ]
        order = np.argsort(p)[:12]
        assert [row.row for row in report.hardest] == (held[order] + 1).tolist()
        assert [row.probability for row in report.hardest] == pytest.approx(p[order])
        assert [row.loss for row in report.hardest] == pytest.approx(-np.log(p[order]))
        first = report.hardest[0]
        place = first.row - 1
        assert first.true == y[place]
        assert dict(first.cells) == {f"x{j}": f"{x[place, j]:.6g}" for j in range(2)}

    def test_accuracy_comes_with_an_interval(self, three):
        report = three[-1]
        low, high = report.interval
        assert low < report.validation.figures["accuracy"] < high

    def test_training_and_validation_rows_are_judged_apart(self, three):
        x, y, model, held, report = three
        kept = np.delete(np.arange(300), held)
        for rows, evaluation in ((kept, report.training), (held, report.validation)):
            assert evaluation.rows == len(rows)
            assert evaluation.figures["accuracy"] == (model.predict(x[rows]) == y[rows]).mean()

    def test_it_is_the_same_each_time_and_plain_data(self, three):
        x, y, model, _, report = three
        again = dp.report(model, x, y)
        assert again == report
        assert json.loads(json.dumps(report.to_dict()))["origin"]["n_val"] == len(three[3])

    def test_numbers_are_in_the_unit_of_their_target(self):
        rng = np.random.default_rng(1)
        x = rng.normal(size=(200, 2))
        y = np.column_stack([1000 + 50 * x[:, 0], x[:, 1] / 100])
        model = dp.TableModel.fit(x, y, target_names=["big", "small"], recipe=QUICK)
        report = dp.report(model, x, y)
        _, held = split(y, 0.15, 0)
        predicted = model.predict(x[held])
        for k, part in enumerate(report.numbers):
            assert part.name == ("big", "small")[k]
            assert part.r2 == pytest.approx(r2_score(y[held, k], predicted[:, k]))
            error = y[held, k] - predicted[:, k]
            assert part.rmse == pytest.approx(np.sqrt((error**2).mean()))
            assert part.mae == pytest.approx(np.abs(error).mean())
            np.testing.assert_allclose(part.points, np.column_stack([y[held, k], predicted[:, k]]))


@pytest.mark.parametrize(("right", "n"), [(0, 5), (5, 5), (45, 50), (997, 1000)])
def test_the_interval_is_that_of_wilson(right, n):
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert wilson_interval(right, n) == pytest.approx((expected.low, expected.high))


class TestRows:
    def test_other_rows_than_those_of_the_fit_are_refused(self):
        x = np.random.default_rng(0).normal(size=(60, 2))
        y = x[:, 0] > 0
        model = dp.TableModel.fit(x, y, recipe=QUICK)
        with pytest.raises(DataError, match="learnt from 51 rows and was validated on 9"):
            dp.report(model, x[:50], y[:50])
        given = dp.TableModel.fit(x[:40], y[:40], validation=(x[40:], y[40:]), recipe=QUICK)
        with pytest.raises(DataError, match="as validation="):
            dp.report(given, x[:40], y[:40])
        found = dp.report(given, x[:40], y[:40], validation=(x[40:], y[40:]))
        assert (found.origin.n_train, found.validation.rows) == (40, 20)
        assert found.origin.own_validation

    def test_an_unknown_language_and_a_place_that_is_none_are_refused(self, tmp_path):
        x = np.random.default_rng(0).normal(size=(30, 2))
        model = dp.TableModel.fit(x, x[:, 0] > 0, recipe=QUICK)
        with pytest.raises(UnknownNameError, match="'fr'"):
            dp.report(model, x, x[:, 0] > 0, tmp_path / "r.html", language="fr")
        with pytest.raises(OutputError, match="folder does not exist"):
            dp.report(model, x, x[:, 0] > 0, tmp_path / "no" / "r.html")
        assert list(tmp_path.iterdir()) == []


class TestImportance:
    @pytest.fixture(scope="class")
    @classmethod
    def model(cls):
        rng = np.random.default_rng(3)
        n = 400
        table = {
            "noise": rng.normal(size=n),
            "matters": rng.normal(size=n),
            "colour": rng.choice(["red", "green", "blue"], size=n),
            "more noise": rng.choice(["a", "b", "c"], size=n),
        }
        y = np.where(table["colour"] == "red", 1, np.where(table["matters"] > 0, 1, 0))
        model = fit(table, y, validation_share=0.3)
        return table, y, model, dp.report(model, table, y).importance

    def test_what_matters_is_told_from_noise(self, model):
        found = {c.name: c for c in model[-1].columns}
        assert {c.name for c in model[-1].columns[:2]} == {"matters", "colour"}
        for name in ("matters", "colour"):
            assert found[name].loss_rise > 0.2
            assert found[name].score_drop > 0.1
        for name in ("noise", "more noise"):
            assert abs(found[name].loss_rise) < 0.1
            assert abs(found[name].score_drop) < 0.05
        assert all(c.loss_spread > 0 for c in model[-1].columns[:2])

    def test_it_is_the_definition_spelt_out(self, model):
        table, y, fitted, _ = model
        rows = Rows(_frame(table), y, np.arange(400))
        blocks, grid = blocks_of(fitted)
        found = permutation_importance(fitted, rows.prepared(fitted), blocks, grid, seed=4)
        rng = np.random.default_rng(4)
        orders = [rng.permutation(400) for _ in range(5)]
        base = fitted.predict_proba(table)
        for column in found.columns:
            rises, drops = [], []
            for order in orders:
                shuffled = {**table, column.name: table[column.name][order]}
                p = fitted.predict_proba(shuffled)
                rises.append(losses_of(fitted, p, y).mean() - losses_of(fitted, base, y).mean())
                drops.append(score_of(base, y) - score_of(p, y))
            assert column.loss_rise == pytest.approx(np.mean(rises))
            assert column.loss_spread == pytest.approx(np.std(rises))
            assert (column.score_drop, column.score_spread) == pytest.approx(
                (np.mean(drops), np.std(drops))
            )

    @pytest.mark.rest
    def test_of_a_wide_table_the_strongest_columns_are_tried_at_a_bounded_cost(self):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(300, 1500))
        y = x[:, 1234] + 0.1 * rng.normal(size=300) > 0
        model = fit(x, y, hidden=(), epochs=60, l2=0.03, dropout=0.0)
        begun = time.process_time()
        found = dp.report(model, x, y).importance
        assert time.process_time() - begun < 30
        assert (found.n_candidates, len(found.columns)) == (1500, 40)
        assert found.columns[0].name == "x1234"
        _, held = split(y.astype(int), 0.15, 0)
        variance = model.encode(x[held]).var(axis=0)
        strength = variance * (model.parameters.W[0] ** 2).sum(axis=1)
        strongest = {f"x{j}" for j in np.argsort(-strength)[:40]}
        assert {column.name for column in found.columns} == strongest

    def test_of_an_image_patches_are_shuffled(self):
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, size=(300, 12, 20), dtype=np.uint8)
        y = (images[:, 4, 18] > 127).astype(int)
        images[:, 4:6, 17:20] = np.where(y, 255, 0)[:, None, None]
        model = fit(images, y)
        found = dp.report(model, images, y).importance
        assert found.grid == (8, 8)
        assert sorted(found.places) == list(range(64))
        top, left = divmod(found.places[0], 8)
        assert (top, left) in {(2, 6), (2, 7), (3, 6), (3, 7)}


def _frame(table):
    from deltaprop.tabular import as_frame

    return as_frame(table)


class TestSuspects:
    @pytest.fixture
    def table(self):
        rng = np.random.default_rng(8)
        x = rng.normal(size=(200, 2))
        y = np.array(["no", "yes"])[((x[:, 0] + rng.normal(size=200)) > 0).astype(int)]
        return {"good": x[:, 0], "noise": x[:, 1]}, y

    def leaks(self, table, y):
        report = dp.report(fit(table, y, epochs=2), table, y)
        return {f.values["column"] for f in report.findings if f.kind in ("leak", "identical")}

    def test_a_clean_table_has_none(self, table):
        assert self.leaks(*table) == set()

    def test_the_target_under_another_name_is_found_as_words_and_as_numbers(self, table):
        features, y = table
        told = {"answer": np.where(y == "yes", "genehmigt", "abgelehnt"),
                "code": np.where(y == "yes", 17.0, 3.0),
                "score": np.where(y == "yes", 1.0, -1.0) * (1 + np.arange(200) % 7)}  # fmt: skip
        assert self.leaks({**features, **told}, y) == set(told)

    def test_a_leak_with_missing_cells_is_found(self, table):
        features, y = table
        closed = [None if answer == "no" else 2020.0 + i % 3 for i, answer in enumerate(y)]
        assert self.leaks({**features, "closed": closed}, y) == {"closed"}

    def test_a_number_that_is_the_target_is_found_and_one_that_tells_it(self, table):
        features, _ = table
        rng = np.random.default_rng(1)
        y = 5 * features["good"] + rng.normal(size=200)
        told = {
            "in another unit": -3.6 * y + 7 + 1e-3 * rng.normal(size=200),
            "cube": np.exp(y / 4),
        }
        report = dp.report(fit({**features, **told}, y, epochs=2), {**features, **told}, y)
        found = {f.values["column"]: f.kind for f in report.findings if "column" in f.values}
        assert found == {"in another unit": "identical", "cube": "leak"}

    def test_rows_on_both_sides_are_counted(self, table):
        features, y = table
        twice = {name: np.r_[cells, cells] for name, cells in features.items()}
        report = dp.report(fit(twice, np.r_[y, y], epochs=2), twice, np.r_[y, y])
        (found,) = [f for f in report.findings if f.kind == "duplicates"]
        labels = (np.r_[y, y] == "yes").astype(int)
        kept, held = split(labels, 0.15, 0)
        assert found.values["rows"] == sum(row % 200 in set(kept % 200) for row in held)
        assert found.serious

    def test_a_table_of_few_different_rows_is_not_accused(self):
        x = {"a": np.arange(200) % 2, "b": np.arange(200) % 3}
        y = np.random.default_rng(0).choice(["p", "q"], size=200)
        report = dp.report(fit(x, y, epochs=2), x, y)
        assert "coarse" in kinds(report)
        assert "duplicates" not in kinds(report)

    def test_tiny_and_unseen_classes_and_few_rows_are_named(self):
        found = small_samples(np.array([50, 3, 9]), np.array([8, 1, 0]), ["a", "b", "c"], 9, (8, 9))
        assert [f.kind for f in found] == ["tiny classes", "unjudged classes", "few rows"]
        assert found[0].values["classes"] == [("b", 3), ("c", 9)]
        assert found[1].values["classes"] == ["c"]
        assert (found[2].values["low"], found[2].values["high"]) == pytest.approx(
            (0.565, 0.980), abs=1e-3
        )
        assert (
            small_samples(np.array([50, 50]), np.array([60, 60]), ["a", "b"], 120, (100, 120)) == []
        )

    def test_without_validation_rows_it_says_so(self, reported):
        _, report = reported("nothing held out")
        assert kinds(report)[0] == "no validation"
        assert report.validation is None
        assert report.calibration is None
        assert report.judged is report.training

    def test_a_model_that_learnt_nothing_is_told(self):
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(100, 1)), np.arange(100) % 4 == 0
        report = dp.report(fit(x, y, epochs=1, learning_rate=1e-9), x, y)
        assert "no better" in kinds(report)


@pytest.mark.parametrize("slow", [False, True])
def test_of_a_model_that_answers_slowly_there_is_time_for_fewer_rows(rng, monkeypatch, slow):
    """Answers take the longer the more classes and members there are, not by the columns alone."""
    x = rng.normal(size=(20_000, 1))
    recipe = dp.Recipe(preset="plain", epochs=1, hidden=(2,))
    model = dp.TableModel.fit(x, np.where(x[:, 0] > 0, "a", "b"), recipe=recipe)
    asked, judge = [], compute.judge_rows

    def judged(model, rows, *given):
        asked.append(rows.shape[0])
        return judge(model, rows, *given)

    monkeypatch.setattr(compute, "judge_rows", judged)
    clock = iter((0.0, 100.0 if slow else 0.01))
    monkeypatch.setattr(compute, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    report = dp.report(model, x, np.where(x[:, 0] > 0, "a", "b"), seconds=30.0)
    assert report.training.rows == (1_000 if slow else 17_000)
    assert asked[0] == 1_000
