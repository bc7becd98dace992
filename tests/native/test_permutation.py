"""The order of rows is Fisher and Yates's shuffle on NumPy's Philox stream."""

import numpy as np
import pytest

from deltaprop._native import permutation


def shuffled(n, key, counter):
    """The same in Python: halves of the words, the lower one first."""
    words = np.random.Philox(key=np.array(key, "u8"), counter=np.array(counter, "u8"))
    halves = (
        half for word in iter(words.random_raw, None) for half in (word & 0xFFFFFFFF, word >> 32)
    )
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        bound = i + 1
        product = next(halves) * bound
        while product % 2**32 < 2**32 % bound:  # as many numbers for each
            product = next(halves) * bound
        j = product >> 32
        order[i], order[j] = order[j], order[i]
    return order


@pytest.mark.parametrize("n", [0, 1, 2, 3, 40, 1000, 5003])
def test_it_is_the_shuffle_of_the_same_words(n):
    for seed in (0, 7, 2**64 - 1):
        for epoch in (0, 3):
            order = np.full(n, -1)
            permutation(order, [seed, 1], [0, 0, 0, epoch])
            assert order.tolist() == shuffled(n, [seed, 1], [0, 0, 0, epoch])


def test_every_order_comes_as_often():
    counts = {}
    order = np.empty(4, dtype=np.int64)
    for epoch in range(24_000):
        permutation(order, [5, 1], [0, 0, 0, epoch])
        counts[tuple(order.tolist())] = counts.get(tuple(order.tolist()), 0) + 1
    assert len(counts) == 24
    # chi-squared with 23 degrees of freedom is above 60 once in 30,000 times; the draw is fixed
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 60


@pytest.mark.parametrize(
    ("key", "counter"), [([1], [0] * 4), ([1, 2], [0] * 3), ([1, 2, 3], [0] * 4)]
)
def test_a_key_of_another_length_is_refused(key, counter):
    with pytest.raises(TypeError, match="incompatible function arguments"):
        permutation(np.empty(3, dtype=np.int64), key, counter)
