"""The order of rows, and the random numbers of each epoch, from a counter-based generator.

Every epoch has a generator of its own, addressed by (seed, purpose, epoch) instead of by what was
drawn before. A resumed run therefore draws exactly what an uninterrupted one would have drawn
(Philox: Salmon et al. 2011).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.compiled import compiled_part
from deltaprop.errors import SettingError

__all__ = ["check_seed", "dropout_generator", "epoch_order"]

_ORDER, _DROPOUT = 1, 2


def check_seed(seed: Any) -> int:
    """Return ``seed`` as an int, or raise SettingError."""
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if not (whole and 0 <= seed < 2**64):
        raise SettingError(f"seed is {seed!r}; it is a whole number from 0 to 2**64 - 1.")
    return int(seed)


def epoch_order(seed: int, epoch: int, n: int, shuffle: bool) -> npt.NDArray[np.int64]:
    """Return the rows 0..n-1 in the order this epoch visits them."""
    if not shuffle:
        return np.arange(n, dtype=np.int64)
    native, key, counter = compiled_part(), [seed, _ORDER], [0, 0, 0, epoch]
    if native is None:
        return _shuffled(n, key, counter)
    order = np.empty(n, dtype=np.int64)
    native.permutation(order, key, counter)
    return order


def _shuffled(n: int, key: Sequence[int], counter: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return what native/permutation.cpp does: Fisher and Yates by the halves of Philox's words."""
    philox = np.random.Philox(
        key=np.array(key, dtype=np.uint64), counter=np.array(counter, dtype=np.uint64)
    )

    def halves() -> Iterator[int]:
        while True:
            for word in philox.random_raw(1024).tolist():
                yield from (word & 0xFFFFFFFF, word >> 32)

    numbers, order = halves(), list(range(n))
    for bound in range(n, 1, -1):
        product = next(numbers) * bound
        while product % 2**32 < 2**32 % bound:  # as many numbers for each (Lemire 2019)
            product = next(numbers) * bound
        j, last = product >> 32, bound - 1
        order[last], order[j] = order[j], order[last]
    return np.array(order, dtype=np.int64)


def dropout_generator(seed: int, epoch: int, drawn: int = 0) -> np.random.Generator:
    """Return the generator of this epoch's dropout masks, behind so many words of 64 bits."""
    key = np.array([seed, _DROPOUT], dtype=np.uint64)
    counter = np.array([drawn // 4, 0, 0, epoch], dtype=np.uint64)  # of blocks of four words
    generator = np.random.Generator(np.random.Philox(key=key, counter=counter))
    if drawn % 4:
        generator.bytes(8 * (drawn % 4))
    return generator
