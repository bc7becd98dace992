"""NA, None and null: missing where they stand bare, words where they are quoted or said to be."""

import csv
import io
import warnings

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaprop.errors import DataError, SettingError
from deltaprop.table_models import Recipe, TableModel
from deltaprop.tabular import (
    MISSING,
    TableEncoder,
    load_dataset,
    load_features,
    load_frame,
)
from deltaprop.tabular.reading.delimited import Reading, read_delimited
from deltaprop.tabular.reading.missing import MissingWords


@pytest.fixture
def written(tmp_path):
    def write(text, name="table.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def column(path, name="c", **options):
    return load_frame(path, **options)[name].to_list()


CODES = "n,c\n1,ZA\n2,{}\n3,BW\n4,ZA\n"


@pytest.mark.parametrize("word", MISSING)
def test_a_bare_word_is_missing_and_a_quoted_one_is_text(written, word):
    assert column(written(CODES.format(word))) == ["ZA", None, "BW", "ZA"]
    assert column(written(CODES.format(f'"{word}"'))) == ["ZA", word, "BW", "ZA"]


@pytest.mark.parametrize(
    "text",
    [
        'n;c\n1;"ZA"\n2;"NA"\n3;NA\n4;"ZA"\n',
        'n\tc\n1\t"ZA"\n2\t"NA"\n3\tNA\n4\t"ZA"\n',
        'n|c\r\n1|"ZA"\r\n2|"NA"\r\n3|NA\r\n4|"ZA"\r\n',
        'n c\n1 "ZA"\n2 "NA"\n3 NA\n4 "ZA"\n',
        'n, c\n1, "ZA"\n2, "NA" \n3, NA\n4, "ZA"\n',  # read by another path: blanks before quotes
        'n,c\n1,"ZA"\n2," NA "\n3,NA\n4,"ZA"',
        'n,c\n1,"ZA"\n2,"NA"\n3,\n4,"ZA"',
    ],
)
def test_the_quotes_are_seen_however_the_table_is_written(written, text):
    assert column(written(text)) == ["ZA", "NA", None, "ZA"]


def test_a_quoted_word_inside_a_longer_cell_stays_what_it_is(written):
    text = 'n,c\n1,"says ""NA"", twice"\n2,"a\n""None""\nb"\n3,"NA, or not"\n4,"NA"\n'
    found = column(written(text))
    assert found == ['says "NA", twice', 'a\n"None"\nb', "NA, or not", "NA"]


@given(
    st.lists(
        st.tuples(*[st.sampled_from(["NA", "None", "?", "x y", 'q"q', "a,b", "l\nb", "NA "])] * 2),
        min_size=1,
    ),
    st.sampled_from(",;\t|"),
)
@settings(max_examples=150, deadline=None)
def test_whatever_is_quoted_comes_back_as_it_was(rows, separator):
    rows = [["word", "some text"], *rows]
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL, delimiter=separator, lineterminator="\n").writerows(
        [["a", "b"], *rows]
    )
    table = read_delimited(buffer.getvalue().encode(), "t", Reading(header=True))
    assert [list(row) for row in table.frame.rows()] == [[c.strip() for c in r] for r in rows]


def test_in_a_column_of_numbers_dates_or_truth_values_no_word_is_text(written):
    text = 'a,b,c,d\n1,2024-01-02,true,x\n"NA","null",None,"NA"\n2.5,2025-01-02,false,NA\n'
    frame = load_frame(written(text), missing=())
    assert frame["a"].to_list() == [1.0, None, 2.5]
    assert frame["b"].to_list() == ["2024-01-02", None, "2025-01-02"]
    assert frame["c"].to_list() == ["true", None, "false"]
    assert frame["d"].to_list() == ["x", "NA", "NA"]


def test_the_caller_says_which_words_are_missing(written):
    path = written('n,c\n1,ZA\n-999,NA\n3,"-"\n4,-\n')
    assert column(path) == ["ZA", None, "-", "-"]
    assert column(path, missing=()) == ["ZA", "NA", "-", "-"]
    assert column(path, missing="") == ["ZA", "NA", "-", "-"]
    assert column(path, missing=("-", "-999")) == ["ZA", "NA", None, None]
    assert column(path, "n", missing=("-", "-999")) == [1, None, 3, 4]
    with pytest.raises(SettingError, match="missing holds 7"):
        load_frame(path, missing=[7])


def test_it_is_said_where_quotes_made_a_word(written):
    notes = load_features(written('n,c\n1,ZA\n2,"NA"\n3,BW\n')).notes
    assert len(notes) == 1
    assert "'c'" in notes[0]
    assert "--missing NA" in notes[0]
    assert not load_features(written("n,c\n1,ZA\n2,NA\n3,BW\n")).notes
    assert not load_features(written('n,c\n"1",ZA\n"NA",US\n"3",BW\n')).notes


@pytest.mark.parametrize(
    ("others", "word", "told"),
    [
        (["ZA", "BW"], "NA", True),
        (["Minor", "Major"], "None", True),
        (["Minor", "Very bad"], "None", True),
        (["minor", "major"], "null", True),
        (["minor", "major"], "None", False),
        (["minor", "major", ""], "None", True),
        (["Grvl", "Pave"], "NA", False),
        (["12", "Pave"], "NA", False),
        (["ZA", "BW"], "?", False),
        (["1", "2"], "NA", False),
    ],
)
def test_a_word_that_looks_like_its_neighbours_is_asked_about(written, others, word, told):
    cells = [*(others * 10)[:20], word]
    path = written("c,n,y\n" + "".join(f"{cell},{i % 3},{i}\n" for i, cell in enumerate(cells)))
    warnings = load_dataset(path, "y").warnings
    assert bool(warnings) == told
    if told:
        for part in ("'c'", repr(word), "row 21", "--missing ''", "double quotes"):
            assert part in warnings[0]
    assert not load_dataset(path, "y", missing=()).warnings


def test_a_missing_target_quotes_what_stands_there_and_how_to_keep_it(written):
    rows = [f"{i},{['NA', 'ZA', '', 'BW'][i % 4]}" for i in range(20)]
    with pytest.raises(DataError) as caught:
        load_dataset(written("n,country\n" + "\n".join(rows) + "\n"), "country")
    message = str(caught.value)
    for part in ("row 1, 3, 5 and 7 more", "'NA' stands in 5", "5 are empty", "--missing ''"):
        assert part in message
    assert "double quotes" in message


def test_a_missing_target_of_a_glob_is_counted_over_all_files(written, tmp_path):
    written("n,y\n1,a\n2,NA\n", "t1.csv")
    written("n,y\n1,b\n2,NA\n3,\n", "t2.csv")
    with pytest.raises(DataError, match=r"row 2 of .*t1\.csv.*'NA' stands in 2 .*1 are empty"):
        load_dataset(tmp_path / "t*.csv", "y")


def test_a_word_among_numeric_classes_is_a_class_when_the_task_says_so(written):
    path = written(
        "n,y\n" + "".join(f"{i},{i % 3 or chr(34) + 'NA' + chr(34)}\n" for i in range(9))
    )
    with pytest.raises(DataError, match=r"'NA' stands in 3 .*--task classification"):
        load_dataset(path, "y")
    target = load_dataset(path, "y", task="classification").target
    assert target.tolist() == ["NA", "1", "2"] * 3


@pytest.mark.parametrize("name", ["NA", "None", '"null"'])
def test_a_column_may_be_called_like_a_missing_value(written, name):
    assert load_frame(written(f"n,{name}\n1,2.5\n2,3.5\n")).columns == ["n", name.strip('"')]


def test_a_header_that_is_repeated_below_is_left_out(written):
    table = load_features(written("n,c\n1,x\nn,c\n2,y\n3,c\n"))
    assert table.features["c"].to_list() == ["x", "y", "c"]
    assert "repeats its header" in table.notes[0]


def test_in_a_table_in_memory_text_is_text():
    cells = ["ZA", "NA", "BW", "ZA", "NA", None]
    (found,) = TableEncoder.fit({"c": cells}).columns
    assert found.categories == ("BW", "NA", "ZA")
    assert found.missing == 1
    (numeric,) = TableEncoder.fit({"n": ["1", "NA", "2.5", "4"]}).columns
    assert (numeric.kind, numeric.missing) == ("numeric", 1)


def test_a_word_that_is_no_category_is_missing_without_a_warning():
    encoder = TableEncoder.fit({"c": ["x", "y", "z", "x"], "n": [1, 2, 3, 4]})
    later = encoder.transform({"c": ["NA", "y", None, "?"], "n": ["1", "NA", "?", "4"]})
    assert later[0, :3].tolist() == later[2, :3].tolist() == later[3, :3].tolist()


def test_the_words_are_kept_with_the_model(tmp_path):
    frame = {"c": ["x", "y"] * 20, "n": list(range(40))}
    recipe = Recipe(preset="plain", epochs=1)
    model = TableModel.fit(frame, ["a", "b"] * 20, recipe=recipe, missing=("-", "-999"))
    model.save(tmp_path / "m.safetensors")
    import deltaprop as dp

    assert dp.load(tmp_path / "m.safetensors").missing == ("-", "-999")


def test_nothing_is_marked_where_no_word_is_quoted():
    from deltaprop.tabular.reading.missing import mark_quoted

    content = b'a,b\n"x",NA\n"y, NA",1\n'
    assert mark_quoted(content, ",", MissingWords()) == (content, "")


@given(
    st.lists(st.sampled_from(["0", "7", "0012", "01", "1.0", "-3"]), min_size=1, unique=True),
    st.sampled_from(["-", "--", "—"]),
)
def test_a_table_that_was_fitted_holds_no_dash_that_it_did_not(cells, dash):
    """Among numbers it is missing, or one of the values; never unknown to its own table."""
    frame = pl.DataFrame({"c": [*cells, dash] * 20, "d": range(20 * (len(cells) + 1))})
    encoder = TableEncoder.fit(frame)
    for some in (frame, frame[: len(cells) + 1]):  # few rows go another way
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            encoder.transform(some)
