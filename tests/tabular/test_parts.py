"""A file read in parts is the table that it is as a whole."""

import gzip
import io
import threading
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deltaprop.errors import DataError
from deltaprop.tabular import TableEncoder, load_dataset, load_features
from deltaprop.tabular.reading import parts
from deltaprop.tabular.reading.parts import by_parts, datasets_of

N = 200


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(parts, "_AT_ONCE", 900)
    monkeypatch.setattr(parts, "_HEAD", 64)


class Whole(Exception):  # noqa: N818 - it tells the test, and is no error
    """The rows were asked for all at once."""


def in_parts(path, **how):
    """Return the tables of the parts and the remarks; raise Whole where there are none."""

    def whole():
        raise Whole

    return by_parts(path, list, whole, lambda table: table, **how)


def same_table(path, found, **how):
    """Compare what a network would see."""
    whole = load_features(path, **how)
    encoder = TableEncoder.fit(whole.features)
    parts_of_x = [encoder.encode(table.features, dtype=np.float64)[0] for table in found]
    dense = [x if isinstance(x, np.ndarray) else x.toarray() for x in parts_of_x]
    np.testing.assert_array_equal(np.concatenate(dense), encoder.transform(whole.features))
    return whole


def columns(n=N, seed=0):
    rng = np.random.default_rng(seed)
    words = rng.choice(["red", "green", 'say "hi"', "a, b", "two\nlines", "naïve", "汉字"], n)
    return {
        "number": rng.normal(size=n).round(2),
        "count": rng.integers(0, 9, n),
        "word": words,
        "code": [f"{i:04d}" for i in rng.integers(0, 30, n)],
        "date": [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(n)],
        "sometimes": [None if i % 7 == 0 else float(i % 5) for i in range(n)],
        "true": rng.choice([True, False], n),
    }


def write(path, frame, **how):
    content = frame.write_csv(**how)
    path.write_text(content, encoding="utf-8", newline="")
    return path


def test_all_kinds_of_columns(tmp_path):
    path = write(tmp_path / "t.csv", pl.DataFrame(columns()))
    found, remarks = in_parts(path)
    assert len(found) > 5
    assert remarks == []
    same_table(path, found)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: "sep=,\n" + text,
        lambda text: "\n\n" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: "\n".join(f"{i - 1 if i else ''},{line}" for i, line in enumerate(
            text.replace("two\nlines", "two lines").splitlines())),
        lambda text: text.split("\n", 1)[1],
    ],
    ids=["mark", "sep", "blank lines", "CRLF", "no last end", "numbered rows", "no header"],
)  # fmt: skip
@pytest.mark.one_in(3)
def test_all_ways_to_write_it(tmp_path, change):
    path = tmp_path / "t.csv"
    text = pl.DataFrame(columns()).write_csv()
    path.write_bytes(change(text).encode())
    found, remarks = in_parts(path)
    assert len(found) > 5
    assert remarks == list(same_table(path, found).notes)


def test_gzip_that_is_damaged_or_cut_off_is_left_to_the_whole(tmp_path):
    packed = gzip.compress(pl.DataFrame(columns()).write_csv().encode(), mtime=0)
    path = tmp_path / "a.csv.gz"
    for content in (
        packed[: len(packed) // 2],
        packed[:10] + b"\xff" * 9 + packed[19:],  # no block of deflate begins so
        packed[:-8] + bytes(8),
    ):
        path.write_bytes(content)
        with pytest.raises(Whole):
            in_parts(path)


def test_gzip_and_a_pattern_of_files(tmp_path):
    text = pl.DataFrame(columns()).write_csv().encode()
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text))
    found, _ = in_parts(tmp_path / "a.csv.gz")
    assert len(found) > 5
    same_table(tmp_path / "a.csv.gz", found)
    shuffled = pl.DataFrame(columns(seed=1))
    write(tmp_path / "b.csv", shuffled.select(shuffled.columns[::-1]))
    found, _ = in_parts(tmp_path / "*.csv*")
    same_table(tmp_path / "*.csv*", found)


def test_parquet(tmp_path, monkeypatch):
    frame = pl.DataFrame(columns())
    frame.write_parquet(tmp_path / "t.parquet", row_group_size=90)
    monkeypatch.setattr("deltaprop.tabular.reading.parquet._CELLS_AT_ONCE", 7 * 50)
    found, _ = in_parts(tmp_path / "t.parquet")
    assert [table.n_rows for table in found] == [50] * 4
    same_table(tmp_path / "t.parquet", found)
    content = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(content[:-400] + content[-300:])
    with pytest.raises(Whole):
        in_parts(tmp_path / "cut.parquet")


@pytest.mark.parametrize(
    "spoiled",
    [
        pytest.param("naïve".encode("latin-1"), id="not UTF-8"),
        pytest.param(b'5" pipe', id="a quote inside"),
        pytest.param(b"one,cell,more", id="longer row"),
        pytest.param(b'"never closed', id="open quote"),
    ],
)
def test_what_shows_far_below_is_left_to_the_whole(tmp_path, spoiled):
    path = tmp_path / "t.csv"
    lines = b"".join(b"%d,red\n" % i for i in range(600))
    path.write_bytes(b"x,word\n" + lines + b"1," + spoiled + b"\n" + lines)
    with pytest.raises(Whole):
        in_parts(path)


def test_small_files_and_others_are_read_whole(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    np.save(tmp_path / "t.npy", np.zeros((300, 4)))
    (tmp_path / "16.csv").write_bytes("a,b\n1,2\n".join(["x"] * 300).encode("utf-16"))
    for file in (path, tmp_path / "t.npy", tmp_path / "16.csv", "-", tmp_path / "absent.csv"):
        with pytest.raises(Whole):
            in_parts(file)


def test_strays_are_told_of_all_parts_together(tmp_path):
    path = tmp_path / "t.csv"
    cells = [str(i / 4) for i in range(2000)]
    cells[700] = "oops"
    cells[1500] = "none"
    path.write_text("x,y\n" + "".join(f"{cell},{i % 3}\n" for i, cell in enumerate(cells)))
    found, remarks = in_parts(path)
    assert len(found) > 5
    assert remarks == list(load_features(path).warnings)
    assert "2 of its 2000 cells are not: 'oops' in row 701" in remarks[0]


def test_words_among_numbers_stay_words_where_the_column_is_known_to_hold_such(tmp_path):
    path = tmp_path / "t.csv"
    cells = [str(i % 5) for i in range(2000)]
    cells[700:720] = ["five"] * 20
    path.write_text("x,y\n" + "".join(f"{cell},{i % 3}\n" for i, cell in enumerate(cells)))
    assert load_features(path).features["x"].null_count() == 20
    for table in (load_features(path, text=["x"]), *in_parts(path, text=["x"])[0]):
        assert table.features["x"].null_count() == 0
        assert table.strays == {}


def test_targets_are_split_off_and_strange_ones_left_to_the_whole(tmp_path):
    path = write(tmp_path / "t.csv", pl.DataFrame(columns()))

    def judge(target, task):
        def whole():
            raise Whole

        return by_parts(path, list, whole, datasets_of([target], task))[0]

    whole = load_dataset(path, "word", task="classification")
    rows = judge("word", "classification")
    np.testing.assert_array_equal(np.concatenate([r.target for r in rows]), whole.target)
    assert [list(r.features.columns) for r in rows] == [whole.features.columns] * len(rows)
    with pytest.raises(Whole):  # some cells are missing
        judge("sometimes", "regression")


def test_work_begins_anew_with_the_whole(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"x,y\n" + b"1,2\n" * 900 + b"1,2,3\n")
    asked = []

    def work(tables):
        asked.append([table.n_rows for table in tables])

    with pytest.raises(DataError, match="3 cells on line 902"):
        by_parts(path, work, lambda: load_features(path), lambda table: table)
    assert asked == []  # the parts ended in an error, the whole was one


CELLS = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(-1e6, 1e6, width=32).map(str),
    st.sampled_from(["", "NA", "1,5", "1.234", "1.234,5", "0012", "true", "no", "2024-05-01", "-"]),
    st.text(alphabet='ab ,;"\n\u00e9\u6c49', max_size=6),
)


@pytest.mark.rest
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_table_is_the_same_or_left_to_the_whole(tmp_path, data):
    width = data.draw(st.integers(1, 4))
    kinds = [data.draw(st.lists(CELLS, min_size=1, max_size=6)) for _ in range(width)]
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    separator = data.draw(st.sampled_from(",;\t"))
    out = io.StringIO(newline="")
    frame = pl.DataFrame({f"c{i}": rng.choice(cells, 250) for i, cells in enumerate(kinds)})
    out.write(frame.write_csv(separator=separator))
    path = tmp_path / "t.csv"
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    try:
        encoder = TableEncoder.fit(load_features(path).features)
        text = [c.name for c in encoder.columns if c.kind not in ("numeric", "constant")]
        found, _ = in_parts(path, text=text)
        same_table(path, found)
    except (Whole, DataError):
        return


@pytest.mark.parametrize("limited", [False, True])
def test_the_next_part_is_read_ahead_unless_addresses_are_limited(tmp_path, monkeypatch, limited):
    path = tmp_path / "t.csv"
    path.write_bytes(b"x,y\n" + b"1,2\n" * 3_000)
    monkeypatch.setattr("deltaprop.tabular.reading.parts.addresses_are_limited", lambda: limited)
    read, ahead = [], []

    def each(table):
        read.append(threading.get_ident())
        return table.n_rows

    def work(parts):
        total = 0
        for rows in parts:
            total += rows
            deadline = time.monotonic() + 5
            while not limited and len(read) < 2 and time.monotonic() < deadline:
                time.sleep(0.001)
            ahead.append(len(read))
        return total

    total, _ = by_parts(path, work, lambda: pytest.fail("the whole"), each)
    assert total == 3_000
    assert len(ahead) == len(read) > 2
    assert ahead[0] == (1 if limited else 2)
    assert (set(read) == {threading.get_ident()}) == limited


def test_reading_ahead_ends_where_the_work_does(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"x,y\n" + b"1,2\n" * 3_000)
    threads = threading.active_count()

    def work(parts):
        next(parts)
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        by_parts(path, work, lambda: pytest.fail("the whole"), lambda table: table)
    assert threading.active_count() == threads
