"""column_order: numbers first, large categories last, and nothing else changed."""

import numpy as np
import pytest

from deltaprop.tabular import TableEncoder, column_order
from deltaprop.tabular.encoding.table_encoder import TableEncoder as Encoder

N = 90
_rng = np.random.default_rng(1)
TABLE = {
    "town": [f"t{i}" for i in _rng.integers(12, size=N)],
    "size": np.where(_rng.random(N) < 0.1, np.nan, _rng.normal(size=N)),
    "colour": _rng.choice(["red", "green", "blue"], size=N),
    "same": [1] * N,
    "day": np.datetime64("2020-01-01") + _rng.integers(0, 900, size=N),
    "old": _rng.random(N) < 0.5,
    "street": [None if i % 11 == 0 else f"s{i % 9}" for i in range(N)],
    "count": _rng.integers(0, 5, size=N),
}


@pytest.fixture(scope="module")
def encoder():
    return TableEncoder.fit(TABLE)


def test_numbers_come_first_and_large_categories_last(encoder):
    ordered, n_numbers, sizes = column_order(encoder)
    names = [column.name for column in ordered.columns]
    assert names == ["size", "day", "count", "colour", "same", "old", "town", "street"]
    assert n_numbers == sum(c.n_outputs for c in ordered.columns[:3])
    assert sizes == (12, 9)
    assert sum(sizes) + n_numbers < ordered.n_outputs == encoder.n_outputs


def test_the_same_columns_stand_in_another_order(encoder):
    ordered, _, sizes = column_order(encoder)
    before = dict(zip(encoder.output_names, encoder.transform(TABLE).T, strict=True))
    x = ordered.transform(TABLE)
    last = x.shape[1] - sum(sizes)
    for name, column in zip(ordered.output_names[:last], x[:, :last].T, strict=True):
        np.testing.assert_array_equal(column, before[name])


def test_a_large_category_is_zero_or_nearly_one_and_nothing_where_missing(encoder):
    ordered, _, sizes = column_order(encoder)
    x = ordered.transform(TABLE)
    start = x.shape[1] - sum(sizes)
    for size, name in zip(sizes, ("town", "street"), strict=True):
        block = x[:, start : start + size]
        start += size
        on = block > 0
        assert np.unique(block).size == 2
        assert (block[on] > 0.9).all()
        known = [cell is not None for cell in TABLE[name]]
        np.testing.assert_array_equal(on.sum(axis=1), known)
    unknown = ordered.transform({**{k: v[:1] for k, v in TABLE.items()}, "street": [None]})
    assert not unknown[:, -sizes[1] :].any()


def test_how_many_categories_are_many_can_be_said(encoder):
    sizes = column_order(encoder, most_one_hot=2)[2]
    assert sizes == (12, 3, 9)
    assert column_order(encoder, most_one_hot=100)[2] == ()


def test_it_is_stored_and_restored_like_any(encoder):
    ordered, _, _ = column_order(encoder)
    again = Encoder.from_dict(ordered.to_dict())
    assert again == ordered
    np.testing.assert_array_equal(again.transform(TABLE), ordered.transform(TABLE))


def test_arranging_twice_changes_nothing(encoder):
    once = column_order(encoder)
    assert column_order(once[0]) == once


def test_a_table_of_one_kind():
    numbers = TableEncoder.fit({"a": [1.0, 2.0, 3.0], "b": [0.0, 5.0, 1.0]})
    assert column_order(numbers) == (numbers, 2, ())
    words = TableEncoder.fit({"a": [f"k{i % 10}" for i in range(30)]})
    _, n_numbers, sizes = column_order(words)
    assert (n_numbers, sizes) == (0, (10,))
