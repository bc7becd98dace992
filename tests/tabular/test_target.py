"""Targets become labels or standardized numbers, and predictions become targets again."""

import datetime

import numpy as np
import pytest

from deltaprop.errors import DataError, SettingError, ShapeError
from deltaprop.tabular import TargetEncoder, load_dataset

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["cat", "dog", "cat"], "classification"),
        ([True, False, True], "classification"),
        ([0, 1], "classification"),
        ([0.0, 1.0, 1.0], "classification"),
        ([0.5, 1.5, 2.5], "regression"),
        (np.arange(100) % 10, "classification"),
        (np.repeat(np.arange(26), 40), "classification"),
        (np.repeat(np.arange(1, 27), 40), "classification"),
        (np.repeat([1, 2, 3, 4, 5, 7], 40), "classification"),
        (np.repeat([-1, 1], 40), "classification"),
        (np.repeat(np.arange(1995, 2005), 40), "regression"),
        (RNG.poisson(30, 2000), "regression"),
        (RNG.integers(0, 100_000, 5000), "regression"),
        (np.arange(10), "regression"),
        (np.arange(1000), "regression"),
    ],
)
def test_the_task_is_the_one_a_person_would_choose(values, task):
    encoder = TargetEncoder.fit(values)
    assert encoder.task == task
    assert encoder.reason


def test_the_caller_overrides_the_guess_and_is_told():
    encoder = TargetEncoder.fit([0, 1, 2, 1, 0, 2], "regression")
    assert encoder.task == "regression"
    assert "asked for" in encoder.reason
    assert TargetEncoder.fit([1, 2, 3, 9], "classification").classes.tolist() == [1, 2, 3, 9]


def test_classes_are_sorted_and_keep_their_type():
    assert TargetEncoder.fit([10, 9, 2, 9, 10, 2]).classes.tolist() == [2, 9, 10]
    assert TargetEncoder.fit(["b", "C", "a"]).classes.tolist() == ["C", "a", "b"]
    whole = TargetEncoder.fit(np.array([2.0, 1.0, 2.0, 1.0])).classes
    assert whole.dtype == np.int64
    assert TargetEncoder.fit([True, False]).classes.dtype == np.bool_
    assert TargetEncoder.fit([0.5, 1.5], "classification").classes.tolist() == [0.5, 1.5]


def test_labels_go_there_and_back():
    values = ["dog", "cat", "dog", "emu"]
    encoder = TargetEncoder.fit(values)
    labels = encoder.encode(values)
    assert labels.tolist() == [1, 0, 1, 2]
    assert labels.dtype == np.int64
    assert encoder.decode(labels).tolist() == values
    assert encoder.n_outputs == 3


@pytest.mark.parametrize(
    "later", [[1, 3], [1.0, 3.0], ["1", "3"], ["1.0", " 3 "], np.float32([1, 3])]
)
@pytest.mark.parametrize(
    "values", [[1, 3, 1, 3], [1.0, 3.0, 1.0, 3.0], ["1", "3", "1"], ["1.0", "3.0"]]
)
def test_a_class_is_found_again_whatever_its_type(values, later):
    assert TargetEncoder.fit(values, "classification").encode(later).tolist() == [0, 1]


@pytest.mark.parametrize("later", [[True, False], ["true", "False"], ["TRUE", "false"]])
def test_truth_values_are_found_again(later):
    assert TargetEncoder.fit([False, True]).encode(later).tolist() == [1, 0]


@pytest.mark.parametrize("later", [[1, 0], [1.0, 0.0], [True, False]])
@pytest.mark.parametrize("values", [[False, True], [0, 1], [0.0, 1.0]])
def test_truth_values_and_zero_and_one_are_the_same_classes(values, later):
    assert TargetEncoder.fit(values).encode(later).tolist() == [1, 0]


def test_an_unknown_class_is_refused_with_value_and_row():
    encoder = TargetEncoder.fit(["setosa", "virginica"], names=["species"])
    with pytest.raises(
        DataError, match=r"'species' of v\.csv is 'setossa' in row 2.*mean 'setosa'"
    ):
        encoder.encode(["setosa", "setossa"], where="v.csv")
    with pytest.raises(DataError, match="is 7 in row 1"):
        TargetEncoder.fit([0, 1]).encode([7])


def test_numbers_are_standardized_and_come_back():
    y = np.array([1.5, 2.5, 6.5])
    encoder = TargetEncoder.fit(y)
    z = encoder.encode(y)
    assert z.shape == (3, 1)
    np.testing.assert_allclose([z.mean(), z.std()], [0, 1], atol=1e-15)
    np.testing.assert_allclose(encoder.decode(z)[:, 0], y)
    np.testing.assert_allclose(encoder.decode(z[:, 0]), y)
    np.testing.assert_allclose([encoder.mean[0], encoder.std[0]], [y.mean(), y.std()])


def test_several_targets_are_standardized_each():
    y = RNG.normal([0, 100, 1e6], [1, 10, 1e-3], (50, 3))
    encoder = TargetEncoder.fit(y, names=["a", "b", "c"])
    assert encoder.task == "regression"
    np.testing.assert_allclose(encoder.encode(y).std(axis=0), 1, rtol=1e-6)
    np.testing.assert_allclose(encoder.decode(encoder.encode(y)), y)


def test_a_column_of_one_target_is_one_target():
    assert TargetEncoder.fit(np.array([[0], [1], [0]])).encode([[1], [0]]).tolist() == [1, 0]


@pytest.mark.parametrize("factor", [1e300, 1e-300])
def test_huge_and_tiny_targets_stay_finite(factor):
    y = np.array([-1.5, 0.2, 1.1]) * factor
    encoder = TargetEncoder.fit(y)
    np.testing.assert_allclose(encoder.encode(y).std(), 1)
    np.testing.assert_allclose(encoder.decode(encoder.encode(y))[:, 0], y)


def test_text_is_read_as_numbers_when_the_task_is_regression():
    np.testing.assert_allclose(TargetEncoder.fit(["1", "2", "4"], "regression").mean, 7 / 3)
    with pytest.raises(DataError, match="is 'x' in row 2: expected a finite number"):
        TargetEncoder.fit(["1", "x"], "regression")


@pytest.mark.parametrize(
    ("values", "task", "error", "match"),
    [
        (["a", "a"], None, DataError, r"'target' of t\.csv has the single class 'a' in all 2"),
        ([3, 3, 3], "regression", DataError, "is 3 in all 3 rows"),
        ([1.0, np.nan, 2.0, None], None, DataError, "is missing .* in row 2, 4"),
        (["a", None, "b"], None, DataError, "is missing .* in row 2"),
        (["a", " ", "b"], None, DataError, "is missing .* in row 2"),
        ([1.0] + [np.nan] * 9, None, DataError, "in row 2, 3, 4 and 6 more"),
        ([1.5, np.inf], None, DataError, "is infinite in row 2"),
        ([], None, DataError, "has no rows"),
        (np.eye(3), "classification", DataError, "3 target columns.*argmax"),
        (np.zeros((2, 2, 2)), None, ShapeError, "3 axes"),
        ([0, 1], "ranking", SettingError, "'ranking'"),
        ([datetime.date(2024, 1, 1)], None, DataError, "type Datetime"),
    ],
)
def test_what_cannot_be_learnt_is_refused(values, task, error, match):
    with pytest.raises(error, match=match):
        TargetEncoder.fit(values, task, where="t.csv")


@pytest.mark.parametrize("labels", [[2], [-1], [0.5]])
def test_only_labels_are_decoded(labels):
    with pytest.raises(ShapeError, match="whole numbers from 0 to 1"):
        TargetEncoder.fit(["a", "b"]).decode(np.array(labels))


def test_as_many_targets_as_at_training_are_needed():
    encoder = TargetEncoder.fit(np.array([[1.5, 2], [2.5, 4]]))
    with pytest.raises(ShapeError, match="has 1 columns: expected 2"):
        encoder.encode([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"shape \(2, 3\): expected \(n, 2\)"):
        encoder.decode(np.zeros((2, 3)))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_series_are_targets(library):
    series = pytest.importorskip(library).Series(["b", "a", "b"])
    assert TargetEncoder.fit(series).encode(series).tolist() == [1, 0, 1]


def test_a_pandas_category_is_classes():
    pandas = pytest.importorskip("pandas")
    series = pandas.Series(pandas.Categorical([3, 1, 3]))
    assert TargetEncoder.fit(series).encode([1, 3]).tolist() == [0, 1]


def test_a_hundred_thousand_classes_are_fine():
    values = [f"c{i}" for i in range(100_000)] * 2
    encoder = TargetEncoder.fit(values)
    assert encoder.encode(values).max() == 99_999


@pytest.mark.parametrize(
    ("name", "target", "task"),
    [("letter", "lettr", "classification"), ("pendigits", "class", "classification"),
     ("abalone", "Rings", "regression"), ("california_housing", None, "regression"),
     ("covtype20k", None, "classification"), ("beijing_pm25", "pm2.5", "regression"),
     ("auto_mpg", None, "regression"), ("zoo", "type", "classification")],
)  # fmt: skip
@pytest.mark.one_in(3)
def test_real_targets_ask_for_the_task_they_are_known_for(shared, name, target, task):
    from deltaprop.tabular import load_frame

    path = shared / f"data/{name}.csv.gz"
    columns = load_frame(path).columns
    data = load_dataset(path, target if target in columns else columns[-1])
    assert TargetEncoder.fit(data.target).task == task
