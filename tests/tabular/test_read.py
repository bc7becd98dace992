"""Delimited text is read right, however it is written."""

import gzip
import io
import subprocess
import sys

import numpy as np
import pytest

from deltaprop.errors import ColumnError, DataError
from deltaprop.tabular import TableEncoder, as_frame, load_dataset, load_features, load_frame


@pytest.fixture
def written(tmp_path):
    """Write bytes or text to a file and return its path."""

    def write(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def cells(path, **options):
    return load_frame(path, **options).to_dict(as_series=False)


AB = {"a": [1.5, 2.5], "b": ["x", "y"]}


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1.5,x\n2.5,y\n",
        "a;b\n1.5;x\n2.5;y\n",
        "a\tb\n1.5\tx\n2.5\ty\n",
        "a|b\n1.5|x\n2.5|y\n",
        "a b\n1.5 x\n2.5 y\n",
        "  a    b\n  1.5  x\n  2.5   y  \n",
        "a;b\n1,5;x\n2,5;y\n",
        "a;b\n1,5 ;x\n 2,5; y \n",
        "a,b\r\n1.5,x\r\n2.5,y\r\n",
        "a,b\r1.5,x\r2.5,y\r",
        "a,b\n1.5,x\n2.5,y",
        "\n\na,b\n\n1.5,x\n\n  \n2.5,y\n\n",
        '"a","b"\n"1.5","x"\n"2.5","y"\n',
        ' a , b \n 1.5 , "x" \n 2.5,  y\n',
        "sep=;\na;b\n1.5;x\n2.5;y\n",
        "a;b;\n1.5;x;\n2.5;y;\n",
        "a;b\n1.5;x;\n2.5;y;\n",
        ",a,b\n0,1.5,x\n1,2.5,y\n",
        'a b\n"1" 1.5 "x"\n"2" 2.5 "y"\n',
        "\ufeffa,b\n1.5,x\n2.5,y\n",
        "a,b\n1.5,x\n2.5,y\n".encode("utf-16"),
        "a,b\n1.5,x\n2.5,y\n".encode("utf-32"),
        gzip.compress(b"a,b\n1.5,x\n2.5,y\n", mtime=0),
    ],
)
def test_a_table_reads_the_same_however_it_is_written(written, content):
    assert cells(written(content, "table.anything")) == AB


def test_every_marker_of_missing_values_is_missing(written):
    markers = ["", "?", "NA", "N/A", "NaN", "nan", "null", "None", "#N/A", " ? ", '" "']
    text = "a,b\n" + "".join(f"{marker},{i}\n" for i, marker in enumerate(markers)) + "x,99\n"
    assert cells(written(text))["a"] == [None] * len(markers) + ["x"]


def test_a_marker_inside_a_longer_cell_is_text(written):
    assert cells(written("a,b\nNASA,1\nNone of it,2\n"))["a"] == ["NASA", "None of it"]


def test_quotes_protect_separators_line_breaks_and_quotes(written):
    path = written('a,b\n"x, y",1\n"two\nlines",2\n"says ""no""",3\n')
    assert cells(path) == {"a": ["x, y", "two\nlines", 'says "no"'], "b": [1, 2, 3]}


def test_inches_are_not_quotes(written):
    path = written('n,size\n1,5" pipe\n2,6" pipe\n3,7 pipe\n')
    assert cells(path)["size"] == ['5" pipe', '6" pipe', "7 pipe"]


def test_quotes_after_padding_still_quote(written):
    assert cells(written('n, text\n1, "x, y"\n2, "z"\n'))["text"] == ["x, y", "z"]


def test_whole_numbers_stay_whole(written):
    frame = load_frame(written("a,b,c\n1,1.0,12345678901234567890\n2,2.5,1\n"))
    assert [str(frame[name].dtype) for name in frame.columns] == ["Int64", "Float64", "String"]
    assert frame["c"].to_list() == ["12345678901234567890", "1"]  # no type of numbers holds it


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('a,b\n"1,234",x\n"2,345,678",y\n999,z\n', [1234.0, 2345678.0, 999.0]),
        ("a;b\n1.234,5;x\n2.345,75;y\n999;z\n", [1234.5, 2345.75, 999.0]),
        ("a;b\n1,234;x\n0,5;y\n7;z\n", [1.234, 0.5, 7.0]),
    ],
)
def test_commas_in_numbers_are_read_by_the_whole_column_and_reported(written, content, expected):
    assert load_frame(written(content))["a"].to_list() == expected
    encoder = TableEncoder.fit(load_features(written(content)).features)
    (value,) = encoder.columns[0].outputs
    assert value.center == np.median(expected)
    assert "is read as" in encoder.columns[0].note


def test_in_a_file_of_semicolons_a_comma_that_could_be_either_is_a_decimal_one(written):
    table = load_features(written("a;b;c\n1,234;x;z\n5,678;y;z\n"))
    assert table.features["a"].to_list() == [1.234, 5.678]
    (note,) = table.notes
    assert "writes numbers with a decimal comma in 'a'" in note
    with_points = load_features(written("a;b;c\n1,234;0.5;x\n5,678;1;y\n"))
    assert TableEncoder.fit(with_points.features).columns[0].outputs[0].center == 3456


def test_what_reading_would_change_stays_text(written):
    table = load_features(written("zip,code,dot,n\n02134,1600000000000000001,1.234,007.5\n"
                                  "10001,16000000000000000012,12.345,1\n"))  # fmt: skip
    assert table.features["zip"].to_list() == ["02134", "10001"]
    assert table.features["code"].to_list() == ["1600000000000000001", "16000000000000000012"]
    assert table.features["dot"].to_list() == ["1.234", "12.345"]
    assert table.features["n"].to_list() == [7.5, 1.0]


@pytest.mark.parametrize("stray", ["abc", '"1,234"'])
def test_a_stray_cell_among_numbers_is_missing_and_reported(written, stray):
    rows = [f"{i},{i % 3}" for i in range(1000)]
    rows[16] = f"{stray},1"
    table = load_features(written("a,b\n" + "\n".join(rows) + "\n"))
    assert table.features["a"].null_count() == 1
    (warning,) = table.warnings
    for part in ("'a'", "1 of its 1000", "row 17", stray.strip('"')):
        assert part in warning


@pytest.mark.parametrize("n_words", [2, 40])
def test_more_than_a_few_words_make_a_text_column(written, n_words):
    cells_ = [str(i) for i in range(20)] + ["word"] * n_words
    table = load_features(written("a,b\n" + "".join(f"{cell},1\n" for cell in cells_)))
    assert table.features["a"].to_list() == cells_
    assert not table.warnings


@pytest.mark.parametrize(
    "content",
    [
        "39,State-gov,Male\n50,Private,Female\n38,Private,Male\n",
        "1\t0.5\t-2\n4\t0.1\t3\n",
        "republican,n,y\ndemocrat,y,y\nrepublican,n,n\n",
        "2024-01-01,3\n2024-01-02,4\n",
        "?,a,7\n3,b,8\n4,a,9\n",
        "$5.00,a\n$6.50,b\n$7.25,a\n",
        "12 %;(3)\n13 %;(4)\n15 %;5\n",
        "1,2,3\n",
    ],
)
def test_a_first_line_of_data_is_no_header(written, content):
    path = written(content)
    table = load_features(path)
    names = table.features.columns
    assert names == [f"column_{i + 1}" for i in range(len(names))]
    assert len(table.features) == content.count("\n")
    assert "no header" in table.notes[0]
    assert path.name in table.notes[0]


@pytest.mark.parametrize(
    "header",
    ["age,job,sex", "2-norm,1st,sex", "?,job,sex", "2019,2020,2021", "0,1,2", "AGE,age,Age"],
)
def test_a_line_of_names_is_a_header(written, header):
    path = written(header + "\n39,4,1.5\n50,5,2.5\n38,6,3.5\n")
    assert load_frame(path)["column_1" if header[0] == "?" else header.split(",")[0]].len() == 3


def test_labels_over_words_are_a_header_unless_they_come_back(written):
    assert load_frame(written("party,vote\nrep,n\ndem,y\nrep,y\n")).columns == ["party", "vote"]


def test_the_caller_decides_about_the_header(written):
    path = written("a,b\n1,2\n")
    assert cells(path, header=False) == {"column_1": ["a", "1"], "column_2": ["b", "2"]}
    assert cells(written("1,2\n3,4\n"), header=True) == {"1": [3], "2": [4]}


def test_a_text_without_separators_is_one_column(written):
    assert cells(written("note\nhello world\nfoo bar\n")) == {"note": ["hello world", "foo bar"]}


def test_a_cell_of_a_million_characters_is_read(written):
    frame = load_frame(written("a,b\n" + "x" * 1_000_000 + ',1\n5" y,2\n'))
    assert len(frame["a"][0]) == 1_000_000


def test_standard_input_is_read(monkeypatch):
    class Stream:
        buffer = io.BytesIO(gzip.compress(b"a,b\n1.5,x\n2.5,y\n", mtime=0))

    monkeypatch.setattr(sys, "stdin", Stream)
    assert cells("-") == AB


def test_a_glob_reads_all_files_in_order_and_matches_columns_by_name(written, tmp_path):
    written("a,b\n3,z\n", "part2.csv")
    written("b,a\nx,1\ny,2\n", "part1.csv")
    table = load_features(tmp_path / "part*.csv")
    assert table.features.to_dict(as_series=False) == {"b": ["x", "y", "z"], "a": [1, 2, 3]}
    assert "2 files with 3 rows" in table.notes[0]


def test_a_glob_judges_a_column_as_a_whole(written, tmp_path):
    written("a,b\n01,1\n", "part1.csv")
    written("a,b\nword,1\n", "part2.csv")
    assert load_frame(tmp_path / "part*.csv")["a"].to_list() == ["01", "word"]


def test_a_stray_cell_in_a_glob_is_found_in_its_file(written, tmp_path):
    written("a,b\n" + "1,2\n" * 30, "part1.csv")
    written("a,b\n" + "1,2\n" * 4 + "oops,2\n" + "1,2\n" * 10, "part2.csv")
    (warning,) = load_features(tmp_path / "part*.csv").warnings
    assert "row 5 of " in warning
    assert "part2.csv" in warning


def test_a_glob_names_the_file_whose_columns_differ(written, tmp_path):
    written("a,b\n1,2\n", "part1.csv")
    written("a,c\n1,2\n", "part2.csv")
    with pytest.raises(ColumnError, match=r"part2\.csv lacks 'b' and also has 'c'.*part1\.csv"):
        load_frame(tmp_path / "part*.csv")


def test_parquet_is_known_by_its_content(tmp_path):
    polars = pytest.importorskip("polars")
    polars.DataFrame(AB).write_parquet(tmp_path / "table.data")
    assert cells(tmp_path / "table.data") == AB


def test_parquet_and_csv_can_stand_together(written, tmp_path):
    polars = pytest.importorskip("polars")
    polars.DataFrame(AB).write_parquet(tmp_path / "t1.parquet")
    written("b,a\nz,3\n", "t2.csv")
    assert cells(tmp_path / "t*") == {"a": [1.5, 2.5, 3.0], "b": ["x", "y", "z"]}


def test_a_matrix_becomes_a_table(tmp_path):
    np.save(tmp_path / "m.npy", np.array([[1.0, np.nan], [3.0, 4.0]]))
    assert cells(tmp_path / "m.npy") == {"x0": [1.0, 3.0], "x1": [None, 4.0]}


def test_images_are_no_frame(tmp_path):
    np.save(tmp_path / "m.npy", np.zeros((2, 3, 4)))
    with pytest.raises(DataError, match=r"holds images \(2 x 3 x 4.*load_dataset"):
        load_frame(tmp_path / "m.npy")
    assert load_features(tmp_path / "m.npy").is_image


def test_importing_the_room_loads_no_data_library():
    code = (
        "import sys, deltaprop.tabular; "
        "print([m for m in ('polars', 'narwhals', 'pandas', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("raw", "clean", "start", "stop"),
    [("adult-train.csv.gz", "adult", 0, 32561), ("adult-test.csv.gz", "adult", 32561, 48842),
     ("pendigits.tra.gz", "pendigits", 0, 7494),
     ("concrete_decimal_comma.csv", "concrete", 0, 1030)],
)  # fmt: skip
@pytest.mark.one_in(2)
def test_files_as_people_get_them_hold_what_the_clean_ones_do(shared, raw, clean, start, stop):
    found = load_frame(shared / "data/raw_formats" / raw).to_native()
    expected = load_frame(shared / f"data/{clean}.csv.gz").to_native()[start:stop]
    assert found.shape == expected.shape
    for a, b in zip(found.iter_columns(), expected.iter_columns(), strict=True):
        if a.dtype.is_numeric():
            np.testing.assert_array_equal(a.to_numpy(), b.to_numpy())
        else:
            assert a.str.strip_suffix(".").to_list() == b.to_list()


def test_the_other_raw_files_are_read(shared):
    lgb = load_features(shared / "data/raw_formats/lgb_multiclass.test")
    assert lgb.features.shape == (500, 29)
    assert lgb.features["column_2"][0] == 0.109
    assert "no header" in lgb.notes[0]
    air = load_frame(shared / "data/raw_formats/pollution.csv.gz")
    assert air.shape == (43824, 13)
    assert air["pm2.5"].null_count() == 2067
    assert air["Iws"][-1] == 249.85


@pytest.mark.rest
def test_a_very_wide_table_is_read_like_a_narrow_one(written):
    names = ",".join(f"c{i}" for i in range(3000))
    rows = [",".join(kind * 1000) for kind in ([" 1", "x", "?"], ["2.5", "y", "7"])]
    frame = load_frame(written(f"{names}\n{rows[0]}\n{rows[1]}\n"))
    assert frame.columns == names.split(",")
    assert frame.to_native().rows() == [(1.0, "x", None) * 1000, (2.5, "y", 7) * 1000]


ODD_NAMES = ["**", "^a.*", ".*$", "ab", "", " ", "a.b", "[0]", "{x}", "%s", "价格", "NA", "a\nb"]


def test_columns_may_have_any_name(written, tmp_path):
    names = [name.strip() or f"column_{i + 1}" for i, name in enumerate(ODD_NAMES)]
    head = ",".join('"' + name + '"' for name in ODD_NAMES)
    rows = [",".join(str(i * k % 17) for k in range(1, len(names) + 1)) for i in range(20)]
    path = written(head + "\n" + "\n".join(rows) + "\n")
    assert cells(path) == {n: [i * (k + 1) % 17 for i in range(20)] for k, n in enumerate(names)}
    for target in names:
        data = load_dataset(path, [target], missing=())
        assert data.features.columns == [name for name in names if name != target]
    written(",".join('"' + name + '"' for name in reversed(names)) + "\n" + rows[0], "b.csv")
    assert load_frame(tmp_path / "*.csv").columns in (names, names[::-1])


@pytest.mark.parametrize("name", ["*", "^a.*$", "^$"])
def test_a_name_that_stands_for_other_columns_is_refused(written, name):
    with pytest.raises(ColumnError, match=r"table\.csv has a column called .* \(column 2\)"):
        load_features(written(f"a,{name}\n1,2\n"))
    with pytest.raises(ColumnError, match=r"column called .* \(column 2\).*Rename it"):
        as_frame({"a": [1], name: [2]})


def test_a_name_of_very_many_columns_is_refused_shortly(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(",".join(["abcd"] * 18_054) + "\n" + ",".join(["1"] * 18_054) + "\n")
    with pytest.raises(ColumnError, match=r"columns 1, 2, .* and 18,046 more") as refused:
        load_features(path)
    assert len(str(refused.value)) < 400
