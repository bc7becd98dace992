"""Of a long text the pieces are read that there is time for, and it is said which."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaprop.errors import DataError
from deltaprop.tabular import load_dataset
from deltaprop.tabular.reading import pieces
from deltaprop.tabular.reading.pieces import in_pieces, pieces_within


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(1, 12), st.integers(1, 20)
)
def test_pieces_are_whole_lines_in_their_order_and_none_twice(lengths, n, size):
    lines = [b"head", *(b"%d:" % i + b"x" * k for i, k in enumerate(lengths))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_PIECE", size)
        found = in_pieces(b"\n".join(lines) + b"\n", n).splitlines()
    assert found[0] == b"head"
    places = [lines.index(line) for line in found]
    assert places == sorted(set(places))
    assert len(found) > 1


@pytest.fixture
def clock(monkeypatch):
    """Small sizes, and a clock that goes on with what is read."""
    for name, size in {"_PIECE": 100, "_TRIED": (200, 800), "_WARMING": 50, "_SHORTEST": 1}.items():
        monkeypatch.setattr(pieces, name, size)

    class Clock:
        now = 0.0

        def perf_counter(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(pieces, "time", clock)
    return clock


@pytest.mark.parametrize(("seconds", "pieces"), [(1e9, None), (10.0, 81), (1.0, 9), (0.1, 8)])
def test_as_many_pieces_as_there_is_time_for(clock, seconds, pieces):
    def read(content):
        clock.now += 1e-3 * len(content)

    assert pieces_within(b"a,b\n" * 10_000, seconds, read) == pieces


def test_what_cannot_be_cut_is_read_as_a_whole(clock):
    def refuse(_):
        raise DataError("a damaged line")

    assert pieces_within(b"a,b\n" * 10_000, 0.0, refuse) is None
    assert pieces_within(b'a,"b\n"\n' * 10_000, 0.0, lambda _: 1) is None
    assert pieces_within("a,b\n".encode("utf-16") * 10_000, 0.0, lambda _: 1) is None


def test_a_table_says_of_which_rows_it_is(tmp_path, clock):
    path, rows = tmp_path / "t.csv", np.arange(5_000)
    path.write_text("x,y\n" + "\n".join(f"{i},{i % 2}" for i in rows))
    whole = load_dataset(path, "y", seconds=1e9)
    assert (whole.n_rows, whole.pieces) == (5_000, None)
    some = load_dataset(path, "y", pieces=9)
    x = some.features.to_native()["x"].to_numpy()
    assert 100 < len(x) < 400
    assert (x[0], x[-1] > 4_000) == (0, True)
    assert (np.diff(x) > 0).all()
    assert some.pieces == 9
    assert some.notes[0].startswith(f"There is no time to read all of {path}, about 5,")
    assert f"{len(x)} of them are read, in 9 pieces" in some.notes[0]


def test_what_is_wrong_in_a_piece_is_said_as_of_the_whole(tmp_path, clock):
    lines = ["x,y", *(f"{i},{i % 2}" for i in range(5_000))]
    lines[4_990] = "1,2,3"
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match="on line 4991 "):
        load_dataset(path, "y", pieces=200)
