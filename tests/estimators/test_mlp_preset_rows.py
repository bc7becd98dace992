"""Estimators with presets: rows of any kind, and classes that come back as they were."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import deltaprop as dp
from deltaprop.errors import ColumnError, DataError, SettingError
from deltaprop.tabular import TableWarning
from helpers.presets import COLUMNS, FRAME, KIND, NUMBERS, PRICE, SIGN, N, classifier, regressor


class TestClasses:
    @pytest.mark.parametrize(
        "classes",
        [[7, -3, 100], ["b", "a", "c"], [" z", "a ", "m"], [False, True], [5.0, 2.0, 1.0],
         [2, 3, 2**40], np.array([1, 4, 9], dtype=np.uint8)],
        ids=str,
    )  # fmt: skip
    @pytest.mark.one_in(5)
    def test_they_come_back_as_they_were(self, classes, tmp_path):
        classes = np.asarray(classes)
        y = classes[(np.digitize(NUMBERS[:, 0], [-0.4, 0.4]) if len(classes) == 3 else SIGN)]
        model = classifier(max_iter=40).fit(NUMBERS, y)
        np.testing.assert_array_equal(model.classes_, np.unique(classes))
        assert set(model.predict(NUMBERS).tolist()) <= set(classes.tolist())
        assert model.score(NUMBERS, y) > 0.6
        model.save(tmp_path / "m")
        loaded = dp.load(tmp_path / "m")
        np.testing.assert_array_equal(loaded.predict_proba(NUMBERS), model.predict_proba(NUMBERS))
        assert loaded.classes_.tolist() == model.classes_.tolist()
        assert model.explain(NUMBERS[:2], y[:2]).verify()

    def test_probabilities_stand_in_the_order_of_classes(self):
        # trimmed, they are in another order than with their blanks
        y = np.array([" z", "a"])[SIGN]
        model = classifier(max_iter=60).fit(NUMBERS, y)
        assert model.classes_.tolist() == [" z", "a"]
        p = model.predict_proba(NUMBERS)
        assert p[SIGN == 1, 1].mean() > 0.5 > p[SIGN == 0, 1].mean()

    def test_a_class_whose_rows_weigh_nothing_is_never_predicted(self):
        y = np.digitize(NUMBERS[:, 0], [-0.4, 0.4]) * 5
        model = classifier().fit(NUMBERS, y, sample_weight=np.where(y == 5, 0.0, 1.0))
        assert model.classes_.tolist() == [0, 5, 10]
        assert (model.predict_proba(NUMBERS)[:, 1] == 0).all()
        assert set(model.predict(NUMBERS).tolist()) <= {0, 10}
        with pytest.raises(DataError, match="Class 5 has no row that counts"):
            model.explain(NUMBERS[:1], [5])

    def test_what_is_no_class_for_each_row_is_refused(self):
        with pytest.raises(ValueError, match="Unknown label type"):
            classifier().fit(NUMBERS, PRICE + 0.5)


class TestRows:
    @pytest.mark.parametrize(
        "convert", [pl.from_pandas, pa.Table.from_pandas, lambda f: pl.from_pandas(f).lazy()]
    )
    @pytest.mark.one_in(3)
    def test_every_kind_of_frame_gives_the_same_bits(self, convert):
        expected = classifier().fit(FRAME, KIND)
        model = classifier().fit(convert(FRAME), KIND.to_numpy())
        np.testing.assert_array_equal(model.predict_proba(convert(FRAME)),
                                      expected.predict_proba(FRAME))  # fmt: skip

    def test_columns_with_words_are_matched_by_name(self):
        model = classifier().fit(FRAME, KIND)
        expected = model.predict_proba(FRAME)
        np.testing.assert_array_equal(model.predict_proba(FRAME[FRAME.columns[::-1]]), expected)
        with pytest.warns(TableWarning, match="'more'"):
            np.testing.assert_array_equal(model.predict_proba(FRAME.assign(more=1)), expected)
        with pytest.raises(ColumnError, match="lacks column 'colour'"):
            model.predict(FRAME.drop(columns="colour"))
        with pytest.warns(TableWarning, match="mauve"):
            model.predict(FRAME.assign(colour="mauve"))

    def test_arrays_and_lists_are_learnt_alike(self):
        gaps = NUMBERS.copy()
        gaps[::7, 1] = np.nan
        expected = classifier().fit(gaps, SIGN).predict_proba(gaps)
        for rows in (gaps.tolist(), gaps.astype(object), np.asfortranarray(gaps)):
            model = classifier().fit(rows, SIGN.tolist())
            np.testing.assert_array_equal(model.predict_proba(rows), expected)
            assert model.n_features_in_ == 3
            assert not hasattr(model, "feature_names_in_")

    def test_lists_of_words_are_a_table(self):
        rows = [[str(c), float(s)] for c, s in zip(COLUMNS["colour"], COLUMNS["size"], strict=True)]
        model = classifier().fit(rows, KIND)
        np.testing.assert_array_equal(
            model.predict_proba(rows), model.predict_proba(np.array(rows, dtype=object))
        )
        assert model.explain(rows[:1]).names.inputs[-1] in ("x1", "x0=red")

    def test_complete_numbers_keep_scikit_learns_rule_of_names(self):
        frame = pd.DataFrame(NUMBERS, columns=["a", "b", "c"])
        model = classifier().fit(frame, SIGN)
        with pytest.raises(ValueError, match="same order"):
            model.predict(frame[["b", "a", "c"]])
        with pytest.warns(UserWarning, match="valid feature names"):
            p = model.predict_proba(NUMBERS)
        np.testing.assert_array_equal(p, model.predict_proba(frame))
        names = [name for name in model.explain(frame[:1]).names.inputs if " from " not in name]
        assert names == ["a", "b", "c"]  # beside them their ranges

    def test_validation_rows_choose_the_epoch(self):
        model = classifier().fit(FRAME[:40], KIND[:40], X_val=FRAME[40:], y_val=KIND[40:])
        assert (model.model_.n_train, model.model_.n_val) == (40, 20)
        numbers = regressor().fit(NUMBERS[:40], PRICE[:40], None, NUMBERS[40:], PRICE[40:])
        assert numbers.model_.n_val == 20
        with pytest.raises(DataError, match="X_val has 20 rows but y_val has 10"):
            classifier().fit(FRAME[:40], KIND[:40], X_val=FRAME[40:], y_val=KIND[50:])
        with pytest.raises(SettingError, match="belong together"):
            classifier().fit(FRAME, KIND, X_val=FRAME)

    def test_weights_count_rows_and_their_order_is_nothing(self, rng):
        counts = rng.integers(0, 3, size=N)
        order = rng.permutation(N)
        one = classifier().fit(FRAME.iloc[order], KIND[order], sample_weight=counts[order])
        two = classifier().fit(FRAME.loc[FRAME.index.repeat(counts)], KIND.repeat(counts))
        np.testing.assert_array_equal(one.predict_proba(FRAME), two.predict_proba(FRAME))

    def test_class_weights_move_the_prediction(self):
        y = (NUMBERS[:, 0] > 1).astype(int)
        models = [classifier(max_iter=40, class_weight=w) for w in ({0: 1e-3}, None, {1: 1e-3})]
        share = [m.fit(NUMBERS, y).predict_proba(NUMBERS)[:, 1].mean() for m in models]
        assert share[0] > share[1] > share[2]

    def test_one_row_is_too_few(self):
        with pytest.raises(DataError, match="1 sample"):
            regressor().fit([[1.0]], [1.0])
