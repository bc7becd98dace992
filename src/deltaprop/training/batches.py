"""The order of rows, and the random numbers of each epoch, from a counter-based generator.

Every epoch has a generator of its own, addressed by (seed, purpose, epoch) instead of by what was
drawn before. A resumed run therefore draws exactly what an uninterrupted one would have drawn
(Philox: Salmon et al. 2011).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop._native import permutation
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
    order = np.empty(n, dtype=np.int64)
    permutation(order, [seed, _ORDER], [0, 0, 0, epoch])
    return order


def dropout_generator(seed: int, epoch: int) -> np.random.Generator:
    """Return the generator of this epoch's dropout masks."""
    key = np.array([seed, _DROPOUT], dtype=np.uint64)
    counter = np.array([0, 0, 0, epoch], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
