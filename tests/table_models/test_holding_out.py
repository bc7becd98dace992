"""Rows are held out in proportion, are not learnt from, and tiny tables do without."""

import warnings

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DataError
from deltaprop.table_models import learning
from deltaprop.table_models.split import split as _split
from deltaprop.tabular import TableEncoder, TableWarning
from helpers.tables import QUICK


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
