"""Numbers as shares of ranges: the edges, the shares, and what an encoder makes of them."""

import json

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

from deltaprop.errors import ColumnError, DataError
from deltaprop.tabular import TableEncoder
from deltaprop.tabular.encoding.ranges import MOST_RANGES, find_edges, shares

FINITE = st.floats(allow_nan=False, allow_infinity=False)

TABLE = {
    "n": [0.0, 1, 2, 3, 4, 5, 6, 7, 8, None],
    "kind": ["a", "b", "c", "a", "b", "c", "a", "b", "c", "a"],
    "two": [0, 1, 0, 1, 0, 1, 0, 1, 0, 1],
    "text number": ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"],
}


class TestEdges:
    def test_ranges_hold_equally_many(self, rng):
        x = rng.exponential(size=4000)
        edges = find_edges(x, 8)
        held = np.histogram(x, edges)[0]
        assert len(edges) == 9
        assert (edges[0], edges[-1]) == (x.min(), x.max())
        assert abs(held - 500).max() <= 2

    def test_a_common_value_does_not_swallow_the_others(self, rng):
        x = np.r_[np.zeros(900), np.arange(1, 101)]
        edges = find_edges(x, 8)
        assert edges[0] == 0
        assert len(edges) >= 5

    def test_few_values_are_the_edges_themselves(self):
        assert find_edges(np.array([2.0, 0, 1, 0]), 8) == (0, 1, 2)

    @pytest.mark.parametrize("x", [[], [5.0], [5.0, 5], [0.0, 1, 1, 0]])
    def test_of_one_value_or_two_ranges_say_nothing_new(self, x):
        assert find_edges(np.array(x), 8) == ()

    def test_one_range_is_the_number_itself(self, rng):
        assert find_edges(rng.normal(size=50), 1) == ()

    @given(hn.arrays(float, st.integers(0, 60), elements=FINITE), st.integers(0, 12))
    def test_they_ascend_within_the_values(self, x, most):
        edges = find_edges(x, most)
        assert list(edges) == sorted(set(edges))
        assert len(edges) <= most + 1
        assert set(edges) <= set(x.tolist())
        assert edges == () or (edges[0], edges[-1]) == (x.min(), x.max())


class TestShares:
    def test_how_far_beyond_the_median(self):
        got = shares(np.array([-1.0, 0, 2, 4, 5, 7, 11, np.nan]), (0.0, 4, 6, 10), 5.0)
        expected = [
            [-1, -0.5, 0], [-1, -0.5, 0], [-0.5, -0.5, 0], [0, -0.5, 0], [0, 0, 0],
            [0, 0.5, 0.25], [0, 0.5, 1], [0, 0, 0],
        ]  # fmt: skip
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-15)

    @given(
        hn.arrays(float, st.integers(1, 20), elements=st.floats(allow_infinity=False)),
        st.lists(FINITE, min_size=3, max_size=9, unique=True),
        FINITE,
    )
    def test_whatever_numbers_come(self, x, edges, center):
        got = shares(x, tuple(sorted(edges)), center)
        assert got.shape == (len(x), len(edges) - 1)
        assert np.isfinite(got).all()
        assert np.abs(got).max() <= 1
        order = np.argsort(x[~np.isnan(x)])
        assert (np.diff(got[~np.isnan(x)][order], axis=0) >= 0).all()


class TestEncoder:
    def fitted(self, most=4):
        return TableEncoder.fit(TABLE).with_ranges(TABLE, most)

    def test_ranges_stand_behind_the_number_and_its_mark(self):
        encoder = self.fitted()
        names = encoder.output_names
        assert names[:6] == (
            "n", "n is missing", "n from 0 to 2", "n from 2 to 4", "n from 4 to 6", "n from 6 to 8"
        )  # fmt: skip
        assert encoder.n_outputs == len(names) == encoder.transform(TABLE).shape[1]
        matrix = encoder.transform({**TABLE, "n": [3.0, None] + [8] * 8})
        np.testing.assert_allclose(matrix[:3, 2:6], [[0, -0.5, 0, 0], [0] * 4, [0, 0, 1, 1]])

    def test_everything_else_stays(self):
        plain = TableEncoder.fit(TABLE)
        kept = [
            i for i, name in enumerate(self.fitted().output_names) if name in plain.output_names
        ]
        got = self.fitted().transform(TABLE)[:, kept]
        np.testing.assert_array_equal(got, plain.transform(TABLE))
        assert not any("two from" in name for name in self.fitted().output_names)
        assert any("text number from" in name for name in self.fitted().output_names)

    @pytest.mark.parametrize("most", [0, 1])
    def test_none_or_one_changes_nothing(self, most):
        assert self.fitted(most) == TableEncoder.fit(TABLE)

    def test_many_columns_share_the_room(self, rng):
        for n, each in ((50, 5), (MOST_RANGES, 0)):
            table = {f"c{i}": rng.normal(size=40) for i in range(n)}
            encoder = TableEncoder.fit(table).with_ranges(table, 8)
            assert encoder.n_outputs == n * (1 + each)

    def test_it_is_kept_exactly(self):
        encoder = self.fitted()
        stored = json.loads(json.dumps(encoder.to_dict()))
        assert TableEncoder.from_dict(stored) == encoder
        assert "edges" not in json.dumps(TableEncoder.fit(TABLE).to_dict())

    @given(hn.arrays(float, st.integers(2, 60), elements=FINITE), st.integers(0, 20))
    @example(np.r_[np.zeros(1000), 10.0, 20.0, 30.0], 16)  # so rare that one range holds them all
    def test_whatever_edges_are_found_they_are_kept_exactly(self, x, most):
        assume(len(set(x.tolist())) > 1)
        encoder = TableEncoder.fit({"x": x}).with_ranges({"x": x}, most)
        again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
        assert again == encoder
        assert again.transform({"x": x}).tobytes() == encoder.transform({"x": x}).tobytes()

    @pytest.mark.parametrize("edges", [[1.0], [2.0, 1.0, 3.0], [1.0, 1.0, 2.0], ["a"], 7])
    def test_what_could_not_have_been_written_is_refused(self, edges):
        stored = self.fitted().to_dict()
        stored["columns"][0]["edges"] = edges
        with pytest.raises(DataError, match="edges"):
            TableEncoder.from_dict(stored)
        stored["columns"][0]["edges"] = [0.0, 1.0, 2.0]
        stored["columns"][1]["edges"] = [0.0, 1.0, 2.0]  # of categories
        with pytest.raises(DataError, match="edges"):
            TableEncoder.from_dict(stored)

    def test_the_report_counts_them(self):
        assert "4 ranges beside it" in self.fitted().report()[0].done

    def test_a_table_without_the_column_is_refused(self):
        with pytest.raises(ColumnError, match="lacks columns 'n'"):
            TableEncoder.fit(TABLE).with_ranges({"kind": ["a"]}, 4)
