"""Tables become matrices: the recipe, number by number, and everything that can go wrong."""

import datetime
import json
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deltaprop.errors import ColumnError, DataError
from deltaprop.tabular import TableEncoder, TableWarning, as_frame, load_frame

N = float("nan")


def squash(x):
    return x / np.sqrt(1 + (np.asarray(x, dtype=float) / 3) ** 2)


def fitted(**columns):
    return TableEncoder.fit(columns)


def encoded(**columns):
    return fitted(**columns).transform(columns)


def kind(*cells):
    """The kind of one column, fitted beside one that always works."""
    cells = list(cells)
    return fitted(c=cells, beside=list(range(len(cells)))).columns[0].kind


def test_a_number_is_centred_scaled_and_clipped():
    x = np.array([1.0, 2.0, 4.0, 8.0, 100.0])
    # median 4, quartiles 2 and 8
    np.testing.assert_allclose(encoded(x=x)[:, 0], squash((x - 4) / 6), rtol=1e-15)


def test_the_quartiles_interpolate_as_numpy_does(rng):
    x = rng.normal(size=38)
    low, median, high = np.quantile(x, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(encoded(x=x)[:, 0], squash((x - median) / (high - low)), rtol=1e-12)


def test_without_a_quartile_range_the_whole_range_scales():
    x = np.array([0.0] * 9 + [5.0])
    np.testing.assert_allclose(encoded(x=x)[:, 0], squash(x * 2 / 5), rtol=1e-15)


def test_a_missing_number_is_the_median_and_marked():
    encoder = fitted(x=[1.0, None, 3.0, 4.0, 9.0])
    matrix = encoder.transform({"x": [None, 3.5, N]})
    assert encoder.output_names == ("x", "x is missing")
    assert matrix[:, 0].tolist() == [0, 0, 0]
    # The indicator has median 0 and no quartile range: 2 / (1 - 0).
    np.testing.assert_allclose(matrix[:, 1], squash([2, 0, 2]))


def test_without_missing_numbers_at_training_none_are_marked():
    encoder = fitted(x=[1.0, 2.0, 3.0])
    assert encoder.output_names == ("x",)
    assert encoder.transform({"x": [None]}).tolist() == [[0.0]]


def test_categories_are_one_hot_and_the_unknown_are_zeros():
    encoder = fitted(c=["b", "a", "c", None, "a", "d", "e"])
    assert encoder.output_names == ("c=a", "c=b", "c=c", "c=d", "c=e")
    with pytest.warns(TableWarning, match=r"1 cell of column 'c' \('z'\)"):
        matrix = encoder.transform({"c": ["a", " b ", None, "?", "z"]})
    # a: 2 of 7 ones, quartiles 0 and 0.5; b: 1 of 7, no range.
    np.testing.assert_allclose(matrix[:, 0], squash([2, 0, 0, 0, 0]))
    np.testing.assert_allclose(matrix[:, 1], squash([0, 2, 0, 0, 0]))


def test_two_categories_are_one_column_of_minus_and_plus_one():
    encoder = fitted(sex=["MALE", "FEMALE", "FEMALE", "MALE", None])
    assert encoder.output_names == ("sex (MALE=+1)",)
    matrix = encoder.transform({"sex": ["FEMALE", None, "MALE"]})
    # -1 -1 0 1 1: median 0, quartiles -1 and 1
    np.testing.assert_allclose(matrix[:, 0], squash([-0.5, 0, 0.5]))


@pytest.mark.parametrize(
    "cells", [[True, False, None], ["true", "False", None], ["TRUE", "false", "?"]]
)
def test_truth_values_are_boolean_however_they_are_written(cells):
    encoder = fitted(t=cells)
    assert encoder.columns[0].kind == "boolean"
    assert encoder.output_names == ("t (true=+1)",)
    for later in ([True, False, None], ["true", "false", ""], [1, 0, None]):
        low = encoder.transform({"t": later})[:, 0]
        assert low[0] > low[2] > low[1]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ((1, 2, 3), "numeric"),
        (("1", "2.5", "?"), "numeric"),
        (("yes", "no", "yes"), "binary"),
        (("a", "b", "c"), "category"),
        ((7, 7, 7), "constant"),
        (("x", "x", "x"), "constant"),
        ((None, None, None), "constant"),
        (("", "?", "NA"), "constant"),
        ((True, True, True), "constant"),
        (tuple(f"name {i}" for i in range(51)), "text"),
        (tuple(f"name {i}" for i in range(32)), "category"),
        (tuple(f"name {i}" for i in range(33)), "text"),
        ((*(f"name {i}" for i in range(40)), "name 7"), "category"),
        ((datetime.date(2024, 1, 1), datetime.date(2024, 1, 2), None), "date"),
        (("2024-03-01", "2024-03-05", ""), "date"),
        (("2024-03-01 12:30", "2024-03-05T07:00:01.5Z", "2024-3-1"), "date"),
        (("31/01/2024", "01/02/2024"), "date"),
        (("1.2.2024", "03.02.2024"), "date"),
        (("01/02/2024", "03/02/2024"), "binary"),
        (("2024-13-01", "2024-03-01"), "binary"),
        (("13/13/2024", "01/02/2024"), "binary"),
        ((*map(str, range(99)), "oops"), "numeric"),
        ((*map(str, range(9)), "oops"), "category"),
    ],
)
def test_each_column_is_of_the_kind_a_person_would_say(cells, expected):
    assert kind(*cells) == expected


def test_columns_that_say_nothing_are_left_out_with_a_reason():
    encoder = fitted(a=[1, 1, 1], b=[None] * 3, c=[f"id {i}" for i in range(3)], d=[1, 2, 3])
    notes = {row.column: row.done for row in encoder.report()}
    assert "every cell is 1" in notes["a"]
    assert "no cell has a value" in notes["b"]
    assert encoder.needed == ("c", "d")


def test_free_text_is_left_out_with_a_reason():
    encoder = fitted(name=[f"person {i}" for i in range(99)], x=list(range(99)))
    assert encoder.output_names == ("x",)
    assert "99 of its 99 cells are different" in encoder.report()[0].done


def test_where_a_constant_is_missing_is_kept():
    encoder = fitted(phone=["yes", None, "yes", None, "yes"])
    assert encoder.output_names == ("phone is missing",)
    matrix = encoder.transform({"phone": ["yes", "?", None]})[:, 0]
    assert matrix[0] < matrix[1] == matrix[2]


def test_a_date_becomes_days_month_weekday_and_hour():
    cells = ["2024-03-01 06:00", "2024-04-02 18:30", "2025-07-09 12:00", None]
    encoder = fitted(d=cells)
    assert encoder.output_names == (
        "d (days)", "d (month)", "d (day of week)", "d (hour)", "d is missing",
    )  # fmt: skip
    # days 19783.25 19815.770833 20278.5; months 3 4 7; Friday Tuesday Wednesday
    outputs = {o.part: o for o in encoder.columns[0].outputs}
    assert outputs["days"].center == 19815 + 18.5 / 24
    assert outputs["month"].center == 4
    assert outputs["day of week"].center == 2
    assert outputs["hour"].center == 12
    row = encoder.transform({"d": [datetime.datetime(2024, 4, 2, 18, 30)]})[0]
    assert row[0] == row[1] == 0
    assert encoder.transform({"d": [None]})[0, :4].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["31/01/2024", "02/02/2024"], [19753, 19755]),
        (["01/31/2024", "02/02/2024"], [19753, 19755]),
        (["31.01.2024", "2.2.2024"], [19753, 19755]),
        (["2024/01/31", "2024/2/2"], [19753, 19755]),
        (["1969-12-31", "1600-02-29"], [-1, -135081]),
    ],
)
def test_dates_are_read_in_the_order_the_column_shows(cells, expected):
    output = fitted(d=cells).columns[0].outputs[0]
    assert output.part == "days"
    assert output.center == np.mean(expected)


def test_dates_that_do_not_tell_day_from_month_are_warned_about():
    encoder = fitted(d=["01/02/2024", "03/02/2024", "04/05/2024"])
    assert "'d'" in encoder.warnings[0]
    assert "YYYY-MM-DD" in encoder.warnings[0]


def test_numbers_as_text_convert_at_fit_and_later():
    encoder = fitted(x=["1", " 2 ", "?", "4e0"])
    expected = encoder.transform({"x": [1.0, 2.0, None, 4.0]})
    np.testing.assert_array_equal(encoder.transform({"x": ["1.0", "2", "NA", "4"]}), expected)
    np.testing.assert_array_equal(encoder.transform({"x": [1, 2, None, 4]}), expected)


def test_stray_cells_at_training_are_missing_and_reported():
    encoder = fitted(x=[str(i) for i in range(99)] + ["abc"])
    assert "'x'" in encoder.warnings[0]
    assert "'abc' in row 100" in encoder.warnings[0]
    with pytest.warns(TableWarning, match=r"1 cells of the numeric column 'x'"):
        encoder.transform({"x": ["7", "abc"]})


@pytest.mark.parametrize(
    ("columns", "cells", "match"),
    [
        ({"x": [1, 2, 3]}, ["1", "abc"], r"'x' of new\.csv has 'abc' in row 2: expected a number"),
        ({"x": [1, 2, 3]}, [1.0, float("inf")], r"'x' of new\.csv has inf in row 2"),
        (
            {"x": [1, 2, 3]},
            [datetime.date(2024, 1, 1)] * 2,
            r"'x' of new\.csv is of type D.*numbers",
        ),
        (
            {"x": ["2024-01-31", "2024-01-30"]},
            ["2024-01-30", "soon"],
            r"'soon' in row 2: .* date as",
        ),
        ({"x": ["2024-01-31", "2024-01-30"]}, [1, 2], r"is of type Int64.*expected dates"),
    ],
)
def test_a_cell_of_another_kind_than_at_training_is_refused(columns, cells, match):
    with pytest.raises(DataError, match=match):
        TableEncoder.fit(columns).transform({"x": cells}, where="new.csv")


def test_infinity_is_refused_at_fit():
    with pytest.raises(DataError, match=r"'x' of t\.csv has -inf in row 2.*1 more rows"):
        TableEncoder.fit({"x": [1.0, -np.inf, np.inf]}, where="t.csv")


@pytest.mark.parametrize("data", [{"x": []}, {}, {"x": [1, 1]}, {"x": [None, None]}])
def test_a_table_to_learn_nothing_from_is_refused(data):
    with pytest.raises(DataError, match=r"no rows|no column to learn from"):
        TableEncoder.fit(data)


def test_lists_in_cells_are_refused():
    with pytest.raises(ColumnError, match=r"'x'.*List"):
        TableEncoder.fit(pl.DataFrame({"x": [[1], [2]]}))


def test_columns_are_matched_by_name():
    encoder = fitted(a=[1, 2, 3], b=[5, 3, 9])
    np.testing.assert_array_equal(
        encoder.transform({"b": [5], "a": [2]}), encoder.transform({"a": [2], "b": [5]})
    )


def test_all_missing_columns_are_named_with_their_likely_names():
    encoder = fitted(length=[1, 2, 3], width=[5, 3, 9], height=[1, 5, 2])
    with pytest.raises(
        ColumnError, match=r"lacks columns 'length', 'width'.*'lenght' for 'length'"
    ):
        encoder.transform({"lenght": [1], "height": [1]})


def test_columns_left_out_at_training_need_not_come_back():
    encoder = fitted(a=[1, 2, 3], dull=[1, 1, 1])
    assert encoder.transform({"a": [2]}).shape == (1, 1)


def test_further_columns_are_warned_about_but_not_the_ignored():
    encoder = fitted(a=[1, 2, 3])
    with pytest.warns(TableWarning, match=r"columns that .* had not: 'b', 'c'\. Ignored"):
        encoder.transform({"a": [1], "b": [1], "c": [2], "y": [3]}, ignore=["y"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.transform({"a": [1], "y": [3]}, ignore=["y"])


EXTREMES = [0.0, -0.0, 1e300, -1e300, 1e-300, 5e-324, 1.7e308, -1.7e308, 2.0**53 + 2, 1.0]


@given(
    st.lists(
        st.sampled_from(EXTREMES) | st.floats(allow_nan=False, allow_infinity=False), min_size=2
    )
)
def test_no_finite_number_becomes_infinite_or_nan(values):
    if len(set(values)) == 1:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder = fitted(x=np.array(values))
        matrix = encoder.transform({"x": [*values, *EXTREMES]})
    assert np.isfinite(matrix).all()
    assert np.abs(matrix).max() <= 3


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40))
@example([0.0] * 8 + [-999938.0, -999939.0, -1.099609375])  # next to -3 the last bit is rounded
def test_encoding_keeps_the_order_of_numbers(values):
    if len(set(values)) == 1:
        return
    matrix = encoded(x=np.array(values))[:, 0]
    ordered = matrix[np.argsort(values, kind="stable")]
    assert (np.diff(ordered) >= -2 * np.spacing(np.abs(ordered[1:]))).all()


def test_integers_beyond_float_precision_are_numbers():
    matrix = encoded(x=[2**60, 2**61, 2**62, -(2**62)])
    assert np.isfinite(matrix).all()


MIXED = {
    "n": [1.1, None, 3.3, 1e-300], "c": ["a", "b", "é", None], "b": ["u", "v", "u", None],
    "t": [True, False, True, None], "d": ["2024-03-01", "2024-05-07", "2023-01-01", None],
    "k": ["one", None, "one", "one"], "z": [0, 0, 0, 0],
}  # fmt: skip


def test_the_encoder_comes_back_from_json_unchanged():
    encoder = fitted(**MIXED)
    again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict(), allow_nan=False)))
    assert again == encoder
    np.testing.assert_array_equal(again.transform(MIXED), encoder.transform(MIXED))


def test_every_output_has_a_name_and_every_column_a_report():
    encoder = fitted(**MIXED)
    assert (
        encoder.transform(MIXED).shape == (4, len(encoder.output_names)) == (4, encoder.n_outputs)
    )
    assert [row.column for row in encoder.report()] == list(MIXED)
    assert [row.missing for row in encoder.report()] == [1, 1, 1, 1, 1, 1, 0]
    assert all(row.done for row in encoder.report())


def test_frames_of_pandas_and_polars_encode_alike():
    pandas = pytest.importorskip("pandas")
    encoder = TableEncoder.fit(pandas.DataFrame(MIXED))
    assert encoder == fitted(**MIXED)
    np.testing.assert_array_equal(
        encoder.transform(pl.DataFrame(MIXED)), encoder.transform(pandas.DataFrame(MIXED))
    )


def test_the_result_can_be_float32():
    matrix = fitted(x=[1, 2, 3]).transform({"x": [1, 2]}, dtype=np.float32)
    assert matrix.dtype == np.float32


def test_penguins_are_encoded_under_readable_names(shared):
    frame = load_frame(shared / "data/penguins.csv.gz").drop("species")
    encoder = TableEncoder.fit(frame)
    names = encoder.output_names
    assert names[:3] == ("island=Biscoe", "island=Dream", "island=Torgersen")
    assert names[-1] == "sex (MALE=+1)"
    assert "bill_length_mm is missing" in names
    assert np.isfinite(encoder.transform(frame)).all()


def test_fifty_thousand_rows_are_fine(rng):
    frame = as_frame(rng.normal(size=(50_000, 12))).to_native()
    words = [["x", "y", "z"][i] for i in rng.integers(0, 3, 50_000)]
    frame = frame.with_columns(pl.Series(f"w{i}", words) for i in range(3))
    encoder = TableEncoder.fit(frame)
    assert encoder.transform(frame).shape == (50_000, 12 + 9)


def test_two_thousand_columns_are_fine(rng):
    frame = as_frame(rng.normal(size=(50, 2000)))
    assert TableEncoder.fit(frame).transform(frame).shape == (50, 2000)
