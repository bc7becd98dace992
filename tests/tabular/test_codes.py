"""Codes keep their digits, and truth values their meaning, from a file to a prediction."""

import decimal
import json
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaprop.errors import DataError
from deltaprop.tabular import TableEncoder, TargetEncoder, load_dataset, load_features

BIG = 1_600_000_000_000_000_000


def digits(values, kind):
    """Whole numbers as a column of some type."""
    if kind == "pandas Int64":
        pandas = pytest.importorskip("pandas")
        return pandas.Series([*values, None], dtype="Int64")[:-1]
    makers = {
        "list": list,
        "int64": lambda v: np.array(v, dtype=np.int64),
        "uint64": lambda v: np.array(v, dtype=np.uint64),
        "object": lambda v: np.array(v, dtype=object),
        "text": lambda v: list(map(str, v)),
        "decimal": lambda v: list(map(decimal.Decimal, v)),
        "polars decimal": lambda v: pl.Series(list(map(decimal.Decimal, v))),
    }
    return makers[kind](values)


KINDS = ["list", "int64", "uint64", "object", "text", "decimal", "polars decimal", "pandas Int64"]


@pytest.mark.parametrize("later", KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_two_long_codes_stay_apart_in_any_type_of_column(kind, later):
    encoder = TableEncoder.fit({"shop": digits([BIG + 1, BIG + 2, BIG + 1, BIG + 2], kind)})
    assert encoder.columns[0].kind == "binary"
    assert encoder.columns[0].categories == (str(BIG + 1), str(BIG + 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        matrix = encoder.transform({"shop": digits([BIG + 2, BIG + 1], later)})
    np.testing.assert_array_equal(matrix, encoder.transform({"shop": [str(BIG + 2), str(BIG + 1)]}))
    assert matrix[0] != matrix[1]


@pytest.mark.parametrize("size", [BIG, 2**64, 10**30])
def test_long_codes_are_classes_digit_by_digit(size):
    values = [size + 1, size + 2, size + 1]
    encoder = TargetEncoder.fit(values * 10)
    assert [int(c) for c in encoder.decode(encoder.encode(values))] == values
    again = TargetEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    assert again.encode(values).tolist() == [0, 1, 0]
    many = [size + i for i in range(30)] * 3
    assert TargetEncoder.fit(many).task == "classification"


@pytest.mark.rest
@given(
    st.lists(st.integers(2**53, 2**62), min_size=2, max_size=6, unique=True),
    st.sampled_from(KINDS),
)
def test_no_two_different_long_numbers_become_the_same(values, kind):
    column = digits(values * 2, kind)  # they return: codes
    matrix = np.asarray(TableEncoder.fit({"a": column}).transform({"a": column}))
    assert len(np.unique(matrix, axis=0)) == len(values)


@pytest.mark.parametrize("kind", KINDS)
def test_moments_in_nanoseconds_stay_numbers_and_apart(kind):
    values = [BIG + i for i in range(100)]
    encoder = TableEncoder.fit({"ns": digits(values, kind)})
    column = encoder.columns[0]
    assert (column.kind, column.offset) == ("numeric", BIG)
    assert f"counted from {BIG}" in column.note
    again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    for later in KINDS:
        matrix = again.transform({"ns": digits(values, later)})
        assert (np.diff(matrix[:, 0]) > 0).all()
    assert again.transform({"ns": [str(BIG + 5), None]})[0] == matrix[5]


def test_numbers_too_long_to_be_told_apart_are_left_out_truly():
    values = [10**50 + i for i in range(60)]
    encoder = TableEncoder.fit({"id": values, "x": list(range(60))})
    assert encoder.columns[0].outputs == ()
    assert "too many digits" in encoder.columns[0].note


CSV = "zip,shop,y\n" + "02134,1600000000000000001,no\n10001,1600000000000000002,yes\n" * 10


def test_codes_of_a_file_are_categories_and_found_in_frames(tmp_path):
    (tmp_path / "t.csv").write_text(CSV)
    data = load_dataset(tmp_path / "t.csv", "y")
    encoder = TableEncoder.fit(data.features)
    assert [c.kind for c in encoder.columns] == ["binary", "binary"]
    assert encoder.columns[0].categories == ("02134", "10001")
    assert "begin with a zero" in encoder.columns[0].note
    expected = encoder.transform(data.features)[:2]
    frame = {"zip": [2134, 10001], "shop": [BIG + 1, BIG + 2]}
    np.testing.assert_array_equal(encoder.transform(frame), expected)
    np.testing.assert_array_equal(encoder.transform({**frame, "zip": [2134.0, 10001.0]}), expected)


def test_leading_zeros_are_kept_in_classes_and_predictions(tmp_path):
    (tmp_path / "t.csv").write_text(CSV)
    data = load_dataset(tmp_path / "t.csv", "zip")
    encoder = TargetEncoder.fit(data.target)
    assert encoder.classes.tolist() == ["02134", "10001"]
    assert encoder.decode(encoder.encode([2134, "10001"])).tolist() == ["02134", "10001"]


@pytest.mark.parametrize("codes", [["02134", "10001"], [str(BIG + 1), str(BIG + 2)]])
def test_a_word_among_codes_makes_no_numbers_of_them(tmp_path, codes):
    cells = [*codes * 30, "unknown"]
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{cell},1\n" for cell in cells))
    for table in ({"a": cells}, load_features(tmp_path / "t.csv").features):
        column = TableEncoder.fit(table).columns[0]
        assert set(column.categories) == {*codes, "unknown"}


def test_a_zero_in_front_of_few_numbers_or_of_fractions_is_no_code():
    assert TableEncoder.fit({"a": ["01.5", "02.25", "10.5"]}).columns[0].kind == "numeric"
    cells = [str(i) for i in range(99)] + ["007"]
    assert TableEncoder.fit({"a": cells}).columns[0].kind == "numeric"


def test_a_target_of_codes_that_floats_do_not_tell_apart_is_told_truly():
    values = [BIG + i for i in range(120)]
    with pytest.raises(DataError, match=rf"from {BIG} to {BIG + 119}.*task='classification'"):
        TargetEncoder.fit(values)
    encoder = TargetEncoder.fit(values, "classification")
    assert encoder.decode(encoder.encode(values)).tolist() == values
    assert TargetEncoder.fit([BIG + 1000 * i for i in range(120)]).task == "regression"


# truth values


@pytest.mark.parametrize(
    ("cells", "two"),
    [
        (["TRUE", "True", "true", "FALSE", "False", "true"], ("false", "true")),
        (["Yes", "yes", "YES", "No", "no", "no", "yes"], ("no", "yes")),
        (["Y", "y", "n", "N", "N", "y"], ("N", "y")),
        (["T", "TRUE", "T", "F", "FALSE", "F"], ("F", "T")),
        (["ja", "Ja", "nein", "Nein", "Ja", "nein"], ("Ja", "nein")),
        (["on", "ON", "off", "off", "on"], ("off", "on")),
        (["是", "否", "是"], ("否", "是")),
    ],
)
def test_truth_values_are_two_categories_however_they_are_spelt(cells, two):
    encoder = TableEncoder.fit({"a": cells})
    column = encoder.columns[0]
    assert column.kind in ("binary", "boolean")
    assert {c.casefold() for c in column.categories} == {c.casefold() for c in two}
    matrix = encoder.transform({"a": cells})[:, 0]
    assert len(np.unique(matrix)) == 2
    other = encoder.transform({"a": [c.upper() for c in cells]})[:, 0]
    np.testing.assert_array_equal(other, matrix)


def test_what_was_brought_together_is_said():
    encoder = TableEncoder.fit({"a": ["yes", "Yes", "YES", "no", "yes"]})
    assert "'YES', 'Yes' count as 'yes'" in encoder.columns[0].note
    mixed = TargetEncoder.fit(["Yes", "yes", "No", "no", "NO"] * 4)
    assert mixed.classes.tolist() in (["No", "Yes"], ["no", "yes"])
    target = TargetEncoder.fit(["TRUE", "True", "FALSE", "True"])
    assert target.classes.tolist() == ["FALSE", "TRUE"]
    assert "'True' counts as 'TRUE'" in target.reason
    assert target.encode(["true", "FALSE", True]).tolist() == [1, 0, 1]


def test_other_words_that_differ_in_capitals_stay_apart_and_are_spoken_of():
    cells = ["Male", "male", "Female", "Female"] * 5
    assert (
        "'Male' and 'male' differ only in capitals"
        in TableEncoder.fit({"a": cells}).columns[0].note
    )
    target = TargetEncoder.fit(cells)
    assert target.n_outputs == 3
    assert "differ only in capitals" in target.reason


def test_words_that_are_no_pair_of_truth_values_stay_what_they_are():
    cells = ["y", "n", "Y", "maybe"] * 3
    assert len(TableEncoder.fit({"a": cells}).columns[0].categories) == 4
    assert TableEncoder.fit({"a": ["F", "M", "F"]}).columns[0].categories == ("F", "M")
