"""Numbers as people write them: found from the whole column, read to the last digit, kept."""

import json
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deltaprop.errors import DataError
from deltaprop.tabular import TableEncoder, TableWarning, TargetEncoder
from deltaprop.tabular.reading.find_notation import find_notation
from deltaprop.tabular.reading.notation import Notation

NARROW, NO_BREAK, MINUS = "\u202f", "\u00a0", "\u2212"


def read(*cells):
    """The numbers of a column of text, or None where it is none of numbers."""
    text = pl.Series("a", cells, dtype=pl.String)
    found = find_notation(text)
    return None if found.notation is None else found.notation.read(text).to_list()


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1,234.50 USD", "999.00 USD"], [1234.5, 999]),
        (["$3,533.48", "-$7,468.96", "$-5"], [3533.48, -7468.96, -5]),
        (["1.234,50 €", "12,00€"], [1234.5, 12]),
        (["€1.234,50", "€ 12"], [1234.5, 12]),
        ([f"1{NARROW}234,50{NO_BREAK}€", "0,5 €"], [1234.5, 0.5]),
        (["1 234 567", "12"], [1234567, 12]),
        (["1'234.50", "12.00"], [1234.5, 12]),
        (["CHF 1’234.50", "Chf 12"], [1234.5, 12]),
        (["1,23,456.00", "12,34,567.00", "1,000"], [123456, 1234567, 1000]),
        (["(1,234)", "500", "(0.5)"], [-1234, 500, -0.5]),
        (["($1,234.00)", "$5.00"], [-1234, 5]),
        (["1234-", "50"], [-1234, 50]),
        (["(1,234.50)", "(2.00)"], [-1234.5, -2]),
        ([f"{MINUS}5,5", "3,25"], [-5.5, 3.25]),
        (["12 %", "15%", "0"], [12, 15, 0]),
        (["¥1,200", "￥90"], [1200, 90]),
        (["1,200円", "300円"], [1200, 300]),
        (["3.5万", "4万"], [3.5, 4]),
        (["US$ 5", "US$7.5"], [5, 7.5]),
        (["Rs. 500", "Rs 700"], [500, 700]),
        (["4.5 kg", "3KG", "0"], [4.5, 3, 0]),
        (["36 months", "1 month"], [36, 1]),
        (["120 m2", "90 m²"], [120, 90]),
        (["1.234.567", "2.345"], [1234567, 2345]),
        (["１２３円", "４５円"], [123, 45]),
        ([",5", "1,25"], [0.5, 1.25]),
        (["1e5 kg", "2 kg"], [100000, 2]),
    ],
)
def test_a_number_is_read_however_it_is_written(cells, numbers):
    assert read(*cells) == numbers


@pytest.mark.parametrize(
    "cells",
    [
        ["1.2.3", "1.2.4"], ["192.168.100.200", "192.168.100.201"], ["10.0.0.1", "10.0.0.2"],
        ["555-1234", "555-2345"], ["+49 151 123 456", "+49 30 123 456"],
        ["612 345 678", "612 999 111"], ["(555) 123-4567", "(555) 123-9876"],
        ["2022-03-05", "2022-03-06"], ["05.03.2022", "06.03.2022"],
        ["2022年3月5日", "2022年3月6日"],
        ["3-4", "1-2"], ["1/2", "3/4"], ["12:30", "13:30"], ["3 am", "4 am"], ["A12", "A13"],
        ["12A", "15A"], ["v1.2", "v1.3"], ["1st", "2nd"], ["5th", "6th"], ["(1)", "(2)"],
        ["3 of 5", "4 of 5"], ["10+ years", "3 years"], ["< 1 kg", "2 kg"], ["5'11", "6'01"],
        ["4.5 kg", "300 g"], ["4.5 kg", "3"], ["5 mW", "5 MW"], ["$1.5M", "$200K"], ["12%", "0.5"],
        ["5 €", "5 $"], ["5 Main Street", "7 Oak Avenue"], ["1,234.5", "1.234,5"], ["", "-"],
        ["$", "€"], ["1,2,3", "4,5,6"], ["one", "two"], ["5 - 6", "7 - 8"],
        ["--5", "-5"], ["(5", "6"], ["(-5)", "6"], ["1 2 3", "2 3 4"],
    ],
)  # fmt: skip
def test_nothing_else_is_taken_for_a_number(cells):
    assert read(*cells) is None


@pytest.mark.parametrize(
    ("cells", "first", "says"),
    [
        (["1.234", "2.345"], 1.234, "point"),
        (["1,234", "2,345"], 1234, "comma"),
        (["€1.234", "€850"], 1234, "point"),  # money has two decimals
        (["KWD 1.234", "KWD 2.345"], 1.234, "point"),  # but for some
        (["1.234 kg", "2.345 kg"], 1.234, "point"),
        (["1.234", "0.500"], 1.234, ""),  # no thousands begin with 0
        (["1,234", "2,5"], 1.234, ""),
        (["1.234", "2.345.678"], 1234, ""),
        (["1,234", "5000"], 1.234, "comma"),  # who groups thousands groups all of them
        ([str(i) for i in range(200, 900, 10)]
         + [f"{i}.{j}" for i in range(1, 30) for j in (120, 450, 777)], 200, "point"),
    ],
)  # fmt: skip
def test_the_whole_column_decides_and_what_it_cannot_decide_is_said(cells, first, says):
    text = pl.Series("a", cells)
    found = find_notation(text)
    assert found.notation.read(text)[0] == first
    assert says in found.doubt
    assert bool(found.doubt) == bool(says)


def test_points_that_group_the_thousands_of_many_cells_are_known_by_their_small_numbers():
    small, large = [str(i) for i in range(200, 900, 10)], ["1.123", "12.450", "7.777", "8.800"]
    assert read(*small, *large)[-4:] == [1123, 12450, 7777, 8800]
    thirds = [f"{i}.{j}" for i in range(1, 5) for j in ("333", "667")]
    assert read(*map(str, range(1, 9)), *thirds)[-1] == 4.667


def test_mixed_units_stay_words_and_are_spoken_of():
    encoder = TableEncoder.fit({"w": ["4.5 kg", "300 g"] * 20, "x": list(range(40))})
    assert encoder.columns[0].kind == "binary"
    assert "different units (g, kg)" in encoder.columns[0].note


NUMBERS = st.integers(-(10**9), 10**9).map(lambda n: n / 1000) | st.integers(-(10**12), 10**12)
WRITERS = {
    "plain": lambda x: repr(x),
    "us": lambda x: f"{x:,}",
    "german": lambda x: f"{x:,}".translate(str.maketrans(",.", ".,")),
    "french": lambda x: f"{x:,}".translate(str.maketrans(",.", f"{NARROW},")),
    "swiss": lambda x: f"{x:,}".replace(",", "’"),
    "comma": lambda x: repr(x).replace(".", ","),
}
NEGATIVES = {
    "hyphen": lambda text: f"-{text}",
    "minus": lambda text: f"{MINUS}{text}",
    "behind": lambda text: f"{text}-",
    "parentheses": lambda text: f"({text})",
}
UNITS = [("", ""), ("$", ""), ("US$ ", ""), ("", " €"), ("", "%"), ("", " kg"), ("", "円"),
         ("CHF ", ""), ("", f"{NO_BREAK}USD")]  # fmt: skip


@st.composite
def written_columns(draw):
    """True numbers, and the cells of a column that holds them."""
    numbers = draw(st.lists(NUMBERS, min_size=1, max_size=8))
    number = WRITERS[draw(st.sampled_from(sorted(WRITERS)))]
    negative = NEGATIVES[draw(st.sampled_from(sorted(NEGATIVES)))]
    before, after = draw(st.sampled_from(UNITS))

    def cell(x):
        text = f"{before}{number(abs(x))}{after}"
        return negative(text) if x < 0 else text

    return numbers, [cell(x) for x in numbers]


@given(written_columns())
def test_a_column_in_any_notation_is_read_to_the_last_digit_or_the_doubt_is_told(case):
    numbers, cells = case
    text = pl.Series("a", cells)
    found = find_notation(text)
    grouped = [cell for cell in cells if " " in cell or NARROW in cell]
    if found.notation is None and (grouped or all(x < 0 for x in numbers)):
        return  # an enumeration, or telephone numbers: refusing is allowed
    assert found.notation is not None
    if not found.doubt:
        assert found.notation.read(text).to_list() == numbers


@pytest.mark.rest
@settings(max_examples=30)
@given(written_columns())
def test_what_training_read_prediction_reads_alike_after_a_file(case):
    numbers, cells = case
    assume(len(set(numbers)) > 2 and find_notation(pl.Series(cells)).notation is not None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder = TableEncoder.fit({"a": cells})
        again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict(), allow_nan=False)))
        assert again == encoder
        if encoder.columns[0].kind != "numeric":
            return  # codes, whose digits are kept
        matrix = encoder.transform({"a": cells})
        for row, cell in enumerate(cells):  # one by one: what undecides a row, the column decided
            np.testing.assert_array_equal(again.transform({"a": [cell]})[0], matrix[row])


@pytest.mark.parametrize("cells", [["$1,234.50", "$2,000.00", "$3.25"], ["1.234,5", "2,0", "3,25"]])
def test_plain_numbers_at_prediction_are_the_same_numbers(cells):
    encoder = TableEncoder.fit({"a": cells})
    plain = [1234.5, 2000.0, 3.25] if "$" in cells[0] else [1234.5, 2.0, 3.25]
    expected = encoder.transform({"a": plain})
    np.testing.assert_array_equal(encoder.transform({"a": cells}), expected)
    np.testing.assert_array_equal(encoder.transform({"a": list(map(str, plain))}), expected)


def test_a_unit_that_training_did_not_have_is_refused():
    encoder = TableEncoder.fit({"a": ["4 kg", "5 kg", "7 kg"]})
    with pytest.raises(DataError, match="'300 g' in row 1: expected a number in kg"):
        encoder.transform({"a": ["300 g"]})
    with pytest.raises(DataError, match="'12%' in row 1"):
        TableEncoder.fit({"a": [0.1, 0.2, 0.3]}).transform({"a": ["12%"]})
    grouped = TableEncoder.fit({"a": [100.0, 2000.0, 3.5]})
    assert (grouped.transform({"a": ["2,000.0"]}) == grouped.transform({"a": [2000.0]})).all()


def test_few_cells_that_are_no_numbers_are_missing_and_told():
    cells = [f"${1000 + i:,}.50" for i in range(99)] + ["call us"]
    encoder = TableEncoder.fit({"a": cells})
    assert encoder.columns[0].strays == 1
    assert "'call us' in row 100" in encoder.warnings[0]


@pytest.mark.parametrize("wrong", [
    {"point": ";"}, {"group": "."}, {"before": 3}, {"group": None}, {"after": "x" * 99}, [], "x",
])  # fmt: skip
def test_a_hostile_notation_is_refused_and_named(wrong):
    stored = TableEncoder.fit({"a": ["1,234.5", "2.5", "7"]}).to_dict()
    good = stored["columns"][0]["notation"]
    stored["columns"][0]["notation"] = {**good, **wrong} if isinstance(wrong, dict) else wrong
    with pytest.raises(DataError, match="notation"):
        TableEncoder.from_dict(json.loads(json.dumps(stored)))


# targets


@pytest.mark.parametrize("n", [80, 300])
def test_a_price_is_a_number_and_the_reason_says_so(n):
    numbers = np.round(np.random.default_rng(0).uniform(900, 9000, n), 2)
    cells = [f"{x:,.2f} USD" for x in numbers]
    for task in (None, "regression"):
        encoder = TargetEncoder.fit(cells, task, names=["price"])
        assert encoder.task == "regression"
        assert "is read as" in encoder.reason
        assert "plain numbers in USD" in encoder.reason
        np.testing.assert_allclose(encoder.decode(encoder.encode(cells))[:, 0], numbers)
        np.testing.assert_array_equal(encoder.encode(cells), encoder.encode(numbers))
        again = TargetEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
        assert again.notations == (Notation(".", ",", "", "USD"),)
        np.testing.assert_array_equal(again.encode(cells), encoder.encode(cells))


def test_each_of_several_targets_has_its_own_notation():
    cells = np.array([[f"${i},000.50", f"{i} %"] for i in range(1, 30)], dtype=object)
    encoder = TargetEncoder.fit(cells, names=["a", "b"])
    assert "'a': '$1,000.50' is read as 1000.5 $" in encoder.reason
    assert [n.unit for n in encoder.notations] == ["$", "%"]
    expected = [[i * 1000 + 0.5, i] for i in range(1, 30)]
    np.testing.assert_allclose(encoder.decode(encoder.encode(cells)), expected)


def test_plain_numbers_as_text_are_numbers():
    cells = [f"{i / 7:.4f}" for i in range(100)]
    assert TargetEncoder.fit(cells).task == "regression"
    assert TargetEncoder.fit(["1", "2", "1", "3"] * 5).classes.tolist() == ["1", "2", "3"]


def test_a_price_that_is_no_number_is_refused_with_its_row():
    cells = [f"${1000 + i:,}.50" for i in range(99)] + ["call us"]
    with pytest.raises(DataError, match=r"'call us' in row 100.*99 of its 100 cells"):
        TargetEncoder.fit(cells)


TARGETS = {
    "words": [f"word {i}" for i in range(80)],
    "few words": [f"word {i}" for i in range(11)],
    "kilos and grams": [f"{i} {'kg' if i % 2 else 'g'}" for i in range(1, 90)],
    "prices": [f"${i * 100:,}.00" for i in range(1, 90)],
    "numbers": [i / 7 for i in range(300)],
    "codes": [10**18 + i for i in range(300)],
    "long codes": [16 * 10**17 + i for i in range(300)],
    "zips": [f"0{i:04}" for i in range(300)],
    "a stray": [*(f"{i}.5" for i in range(200)), "oops"],
    "digits and a letter": ["1", "2", "3", "X"] * 30,
    "dates": [f"2024-01-{i:02}" for i in range(1, 31)],
    "one": ["a"] * 30,
    "constant": [2.5] * 30,
}


@pytest.mark.parametrize("case", TARGETS)
def test_no_two_messages_send_each_other_in_a_circle(case):
    """What a message advises leads to success, or to another message that advises no task."""
    seen = [None]  # tasks
    while (advised := advice_on(TARGETS[case], seen[-1])) is not None:
        assert advised not in seen
        seen.append(advised)


def advice_on(values, task):
    """Return the task that a refusal advises; None where it is none, or all is well."""
    try:
        TargetEncoder.fit(values, task)
    except DataError as error:
        advised = [t for t in ("classification", "regression") if f"task='{t}'" in str(error)]
        assert len(advised) <= 1
        return next(iter(advised), None)
    return None


@pytest.mark.parametrize("case", ["words", "few words", "kilos and grams", "zips", "dates"])
def test_words_that_hardly_return_are_asked_about_and_the_advice_works(case):
    with pytest.raises(DataError, match=r"different words in .* rows.*--task classification"):
        TargetEncoder.fit(TARGETS[case])
    encoder = TargetEncoder.fit(TARGETS[case], "classification")
    assert encoder.decode(encoder.encode(TARGETS[case])).tolist() == TARGETS[case]


@pytest.mark.parametrize("dash", ["-", "–", "—", "N/A"])
def test_a_dash_in_the_place_of_a_number_is_missing(dash):
    for cells in (["$1,000.50", "$3.20"], ["1.5", "2.5", "4"], ["2022-03-05", "2022-03-06"]):
        encoder = TableEncoder.fit({"a": [*cells, dash, dash], "x": list(range(len(cells) + 2))})
        assert encoder.columns[0].missing == 2
        assert encoder.columns[0].kind in ("numeric", "date")
    later = TableEncoder.fit({"a": ["1.5", "2.5", "4"]})
    np.testing.assert_array_equal(later.transform({"a": [dash]}), later.transform({"a": [None]}))
    assert "-" in TableEncoder.fit({"a": ["+", "-", "+"]}).columns[0].categories


ALPHABET = "0129.,' -()+/:$€%kgEe年月日\u202f\u2212"


@pytest.mark.rest
@settings(max_examples=150)
@given(st.lists(st.text(ALPHABET, max_size=9), min_size=2, max_size=6))
def test_no_cells_however_strange_break_anything_and_a_file_keeps_them(cells):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)
        try:
            encoder = TableEncoder.fit({"a": cells, "x": list(range(len(cells)))})
        except DataError:  # 9e999 is no finite number
            return
        again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict(), allow_nan=False)))
        table = {"a": cells, "x": list(range(len(cells)))}
        np.testing.assert_array_equal(again.transform(table), encoder.transform(table))
    for task in (None, "classification", "regression"):
        try:
            target = TargetEncoder.fit(cells, task)
        except DataError:
            continue
        stored = TargetEncoder.from_dict(json.loads(json.dumps(target.to_dict())))
        np.testing.assert_array_equal(stored.encode(cells), target.encode(cells))
