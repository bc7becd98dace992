"""Numbers as they are written: what 0.34 may stand for."""

import json

import numpy as np
import pytest

from deltaprop.explaining import Written
from deltaprop.practice import mark
from deltaprop.practice.marking.precision import Habit, habit_of, has_decimal_commas, read_number

HABIT = Habit()


@pytest.mark.parametrize(
    ("text", "decimals", "digits", "whole"),
    [("0.34", 2, 2, False), ("0.340", 3, 3, False), ("-12", 0, 2, True), ("1e-05", 5, 1, False),
     ("1.50e3", -1, 3, False), (".5", 1, 1, False), ("4.", 0, 1, False),
     ("120", -1, 2, True), ("-400", -1, 2, True), ("20", 0, 2, True), ("0", 0, 1, True)],
)  # fmt: skip
def test_the_text_says_how_precise_a_number_is(text, decimals, digits, whole):
    number = read_number(text)
    assert (number.decimals, number.digits, number.whole) == (decimals, digits, whole)
    assert number.value == float(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1 250,5", 1250.5), ("1\u202f250", 1250), ("1.250,5", 1250.5), ("1.250.000", 1250000),
     ("1'250.5", 1250.5), ("1’250’000", 1250000), ("1,250", 1250), ("1.250", 1.25), ("1,25", 1.25),
     ("≈ 0.55", 0.55), ("= 0.5", 0.5), ("0.333...", 0.333), ("0.34…", 0.34),
     ("E = 0.55", 0.55), ("y=5,05", 5.05), ("1*0.5 + 0.5*1.5 = 1.25 ≈ 1.3", 1.3), ("E =", None),
     ("2.5 × 10⁻¹", 0.25), ("2,5·10^-1", 0.25), ("－１．５", -1.5),
     ("1 25", None), ("1.250.5", None), ("1,2,3", None), ("10²", None), ("1½", None), ("≈", None),
     ("...", None), ("12 345 67", None)],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(text, value):
    number = read_number(text)
    assert (number and number.value) == value


@pytest.mark.parametrize(
    ("text", "is_comma"),
    [("1 250,5", True), ("1.250,5", True), ("0,551", True), ("2,5 × 10^-1", True), ("1,250", False),
     ("1,250.5", False), ("1'250.5", False)],
)  # fmt: skip
def test_a_decimal_comma_shows_where_nothing_else_can_be_meant(text, is_comma):
    assert has_decimal_commas({"loss": text}) is is_comma


@pytest.mark.parametrize(
    "value",
    [True, None, "abc", "", "nan", "inf", "1e999", "0x10", "1_0", np.nan, np.inf, 10**400, [1.0],
     "9" * 500],
)  # fmt: skip
def test_what_is_no_finite_decimal_number_is_not_read(value):
    assert read_number(value) is None


def test_a_file_and_a_string_keep_zeros_that_a_float_has_lost():
    assert read_number(Written("0.50")).decimals == 2
    assert read_number("0.50").decimals == 2
    assert read_number(0.50).decimals == 1
    assert read_number(np.float64(0.25)).text == "0.25"
    assert read_number(13.0).whole


@pytest.mark.parametrize(
    ("text", "right", "fits"),
    [
        ("0.3388", 0.338802109, True), ("0.34", 0.338802109, True), ("0.33", 0.338802109, True),
        ("0.35", 0.338802109, False), ("0.3387", 0.338802109, False),
        ("0.3389", 0.338802109, False), ("1.89", 1.9, False), ("3", 3.5, False), ("4", 3.5, False),
        ("0.3390", 0.338802109, False), ("1.04", 1.05, False), ("1.06", 1.05, False),
        ("5", 5.05, False), ("4", 4.6, False), ("0", 0.26, False), ("0", 0.0, True),
        ("-0.26", 0.26, False), ("120", 117.26, False), ("118", 117.6, True), ("20", 17.2, False),
        ("0.1", float("nan"), False), ("0.1", float("inf"), False),
    ],
)  # fmt: skip
def test_a_number_may_be_rounded_or_cut_off_and_no_more(text, right, fits):
    assert read_number(text).is_written_for(right, HABIT) is fits


def test_few_digits_are_noticed_where_the_rest_has_more():
    assert read_number("0.34").is_rounded(0.338802109, HABIT)
    assert not read_number("0.3388").is_rounded(0.338802109, HABIT)
    assert not read_number("0.34").is_rounded(0.34, HABIT)
    coarse = habit_of([(read_number(t), v) for t, v in
                       [("0.17", 0.17438), ("0.12", 0.1213), ("0.26", 0.2604)]])  # fmt: skip
    assert coarse == Habit(2, 2)
    assert not read_number("0.17").is_rounded(0.17438, coarse)
    assert read_number("0.1").is_rounded(0.0982, coarse)


EXAMPLE = {
    "layers": [{"W": [[1.0]]}], "loss": "half_squared_error", "x": [[0.5]], "targets": [[0.0]],
}  # fmt: skip


@pytest.mark.parametrize(
    ("literal", "verdict"),
    [("0.5", "right"), ("0.50", "right"), ("0.501", "wrong"), ("5e-1", "right")],
)
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_files_are_read_with_the_text_of_their_numbers(tmp_path, literal, verdict, form):
    text = json.dumps(EXAMPLE)[:-1] + f', "claims": {{"z.1": [[{literal}]]}}}}'
    path = tmp_path / f"worked.{form}"
    path.write_text(text, encoding="utf-8")
    (only,) = mark(path).marks
    assert (only.claimed, only.verdict) == (literal, verdict)


def habit(*pairs):
    return habit_of([(read_number(text), right) for text, right in pairs])


def test_zeros_that_are_not_written_say_nothing_of_a_habit():
    """New weights that hardly move: 0.28 stands for 0.2800."""
    told = [("0.1313", 0.13129), ("0.3484", 0.34842), ("0.8279", 0.82787)]
    short = [("0.28", 0.280001), ("0.5", 0.500002), ("-0.6", -0.6000001), ("1.2", 1.20001)]
    assert habit(*told, *short).decimals == 4
    kept = [("0.280", 0.280001), ("0.500", 0.500002), ("-0.600", -0.6000001)]
    assert habit(*kept).decimals == 3


def test_whoever_writes_many_places_of_small_numbers_rounds_to_digits():
    told = [("0.971", 0.97133), ("0.571", 0.57124), ("0.691", 0.69128), ("0.488", 0.48786)]
    small = [("0.000971", 0.2), ("0.00194", 0.3)]  # rounding on the way has moved them
    assert habit(*told).by_decimals
    found = habit(*told, *small)
    assert (found.by_digits, found.by_decimals, found.digits) == (True, False, 3)
    large = [("12.345", 0.2), ("123.456", 0.3)]
    assert not habit(*told, *large).by_digits


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("rounded", ["to digits", "to decimals"])
def test_a_few_numbers_below_one_leave_open_whether_digits_or_decimals_are_kept(seed, rounded):
    """-1.0463 went on as -1.046 where four digits are kept, and no number on the page tells so."""
    rng = np.random.default_rng(seed)
    w, b, x = -rng.uniform(0.3, 0.7), -rng.uniform(0.8, 1.2), -rng.uniform(0.2, 0.5)
    w, b, x = (float(f"{value:.2f}") for value in (w, b, x))

    def kept(value):
        return float(f"{value:.4g}" if rounded == "to digits" else f"{value:.4f}")

    def output(w, b):
        return kept(1 / (1 + np.exp(-kept(w * x + b))))

    a = output(w, b)
    dw = kept(a * x)
    page = {
        "a.1": [[a]], "loss": kept(-np.log(1 - a)), "dW.1": [[dw]], "db.1": [a],
        "a.1.after": [[output(kept(w - 0.3 * dw), kept(b - 0.3 * a))]],
    }  # fmt: skip
    example = {"layers": [{"W": [[w]], "b": [b]}], "loss": "binary_cross_entropy", "x": [[x]]}
    marking = mark({**example, "targets": [[0]], "learning_rate": 0.3, "claims": page})
    assert not marking.wrong, marking
