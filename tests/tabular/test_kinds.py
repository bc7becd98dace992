"""Every kind of column: what was fitted comes back from a file, and says of itself what it is."""

import datetime
import json
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from deltaprop.tabular import SparseRows, TableEncoder, described_in
from deltaprop.tabular.encoding.kinds import COLUMN_KINDS

SENTENCES = [
    "the",
    "plot",
    "was",
    "very",
    "good",
    "and",
    "all",
    "actors",
    "play",
    "a",
    "bad",
    "film",
    "with",
    "no",
    "story",
    "at",
]


def some(cells, least=24):
    return st.lists(cells, min_size=least, max_size=60)


def day(written):
    days = st.dates(datetime.date(1970, 1, 1), datetime.date(2060, 1, 1))
    return days.map(lambda d: d.strftime(written))


# Cells of each kind, in all the ways they are written; a kind that is registered needs some.
CELLS = {
    "constant": st.sampled_from([["same"] * 30, [2.5] * 30, [None] * 30, ["2024-02-03"] * 30]),
    "boolean": st.one_of(
        some(st.booleans()),
        some(st.sampled_from(["true", "False", "TRUE"])),
        some(st.sampled_from(["true", "yes", "no"])),
    ),
    "date": st.one_of(*(some(day(f)) for f in ("%Y-%m-%d", "%d %B %Y", "%d.%m.%y", "%Y%m%d"))),
    "numeric": st.one_of(
        some(st.floats(-1e6, 1e6)),
        some(st.integers(100, 999).map(lambda i: f"${i},{i}.50")),
        some(st.integers(1, 9).map(lambda i: f"{i}.{i}0{i}")),
        some(st.integers(2**60, 2**62), 40),
        some(st.integers(0, 999), 40).map(lambda numbers: [*map(str, numbers), "x", *"12345"]),
    ),
    "text": st.one_of(
        some(st.lists(st.sampled_from(SENTENCES), min_size=6, max_size=12).map(" ".join)),
        st.integers(51, 90).map(lambda n: [f"n{i}{chr(97 + i % 26)}" for i in range(n)]),
        st.integers(2, 9).map(lambda n: [str(10**45 + i) for i in range(n)]),
        st.integers(40, 50).map(lambda n: [f"{chr(97 + i % 26)}-{i}" for i in range(n)]),
    ),
    "binary": st.one_of(some(st.sampled_from(["a; b", "c, d"])), some(st.sampled_from("yn"))),
    "category": st.one_of(
        some(st.sampled_from(["abc", "ABC", "x = -1"]), 40),
        some(st.integers(0, 999).map("{:05d}".format), 40),
        some(st.sampled_from([2**60, 2**60 + 1, 2**60 + 7]), 40),
        some(st.sampled_from(["1 kg", "2 kg", "2 lb"]), 40),
        some(st.integers(0, 45).map("w{}".format), 60),
    ),
}


@st.composite
def columns(draw, kind):
    cells = draw(CELLS[kind])
    for row in draw(st.sets(st.integers(0, len(cells) - 1), max_size=3)):
        cells[row] = None
    return pl.DataFrame({"c": cells, "beside": range(len(cells))})


def dense(rows):
    return rows.toarray() if isinstance(rows, SparseRows) else rows


def same(some, others):
    np.testing.assert_array_equal(dense(some), dense(others))


@pytest.mark.filterwarnings("ignore::deltaprop.tabular.TableWarning")  # strays, said once more
@pytest.mark.parametrize("kind", COLUMN_KINDS)
@settings(max_examples=30)
@given(data=st.data())
@pytest.mark.one_in(9)
def test_a_fitted_column_comes_back_encodes_the_same_and_describes_itself(kind, data):
    frame = data.draw(columns(kind))
    encoder = TableEncoder.fit(frame)
    event(f"{kind}: {encoder.columns[0].kind}")
    if data.draw(st.booleans()):
        encoder = encoder.with_ranges(frame, 4)
    stored = json.dumps(encoder.to_dict())
    again = TableEncoder.from_dict(json.loads(stored))
    assert again == encoder
    assert json.dumps(again.to_dict()) == stored
    rows = encoder.transform(frame)
    same(again.transform(frame), rows)
    same(again.encode(frame, dtype=np.float64)[0], rows)
    assert rows.shape[1] == len(set(encoder.output_names)) == len(again.output_names)
    column = encoder.columns[0]
    if column.n_outputs:
        values, _ = column.one_number(dense(rows)[:, : column.n_outputs])
        assert values.shape == (frame.height,)
        assert np.isfinite(values).all()
    assert_described(column)


def assert_described(column):
    row = column.report()
    assert row.column == column.name
    assert row.done
    assert described_in("en", row.kind, row.done)[1] == row.done
    called, done = described_in("zh", row.kind, row.done)
    assert re.fullmatch(r"[\u4e00-\u9fff]+", called)
    for part in done.split("；"):
        assert re.search(r"[\u4e00-\u9fff]|[-+]1", part), (part, row.done)
