"""A time budget from its first second to its last: what is left, and how many rows it buys."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf

import numpy as np

from deltaprop.errors import DeltapropError
from deltaprop.table_models.rows import Indices, Portion, Rows, encoder_for, flat_rows
from deltaprop.tabular import Encoder, Features, SparseRows, TableEncoder, TableWarning

__all__ = ["Budget", "rows_within", "some_rows"]

_SHARE_OF_ROWS = 0.7  # of what is left, for all that takes longer the more rows there are
# An epoch over new rows teaches more than another one over the same: two epochs of 200,000 rows are
# better than four of 105,000, and those better than twelve of 35,000.
_EPOCHS, _JUDGING = 2, 0.5  # how long rows held out are judged, in epochs
_FEWEST_ROWS = 1_000
_TRIED_ROWS, _TRIED_CELLS = 5_000, 4_000_000
_FEW_CELLS = 20_000_000  # that are encoded in a fraction of a second, whatever is left
_SHARE_OF_JUDGING, _LEAST_OF_JUDGING = 0.06, 0.01  # each of calibration and evaluation
# Written where they do not fit into a cache, as those of a few rows do.
_SECONDS_OF_A_CELL = 12e-9
_RANGES = 16  # of a number, as far as is not known yet


@dataclass
class Budget:
    """Seconds that a whole piece of work may take."""

    seconds: float | None  # from ``began``; None for as many as it takes
    began: float  # by ``time.perf_counter``
    reserved: float = 0.0  # must be left when the model is ready: for saving it, for a report
    judging: float = inf  # calibration takes, and about as many evaluation, as far as is known
    pieces: int | None = None  # of a file that were read, where there was no time for all of it

    @property
    def limited(self) -> bool:
        """Return whether there is an end to it."""
        return self.seconds is not None

    @property
    def left(self) -> float:
        """Return the seconds until the model is to be ready, at least a millisecond."""
        if self.seconds is None:
            return inf
        return max(1e-3, self.seconds - self.reserved - (time.perf_counter() - self.began))

    @property
    def rest(self) -> float:
        """Return the seconds until all is over, what was reserved included; 0 when it is late."""
        if self.seconds is None:
            return inf
        return max(0.0, self.seconds - (time.perf_counter() - self.began))

    @property
    def for_judging(self) -> float:
        """Return the seconds that calibration may take, and as many again evaluation."""
        if self.seconds is None:
            return inf
        known = max(self.judging, _LEAST_OF_JUDGING * self.seconds)
        return min(known, _SHARE_OF_JUDGING * self.seconds)

    @property
    def for_training(self) -> float:
        """Return the seconds left for training, what comes after it left out."""
        return inf if self.seconds is None else max(1e-3, self.left - 2 * self.for_judging)

    def share(self, n: int) -> Budget:
        """Return the budget of the first of n pieces of work, which share what is left."""
        if self.seconds is None:
            return self
        return Budget(self.left / n, time.perf_counter(), pieces=self.pieces)

    def rows_for_judging(self, n: int, work: Callable[[Indices], object], seed: int) -> Indices:
        """Return the rows, of n, that calibration, or evaluation, has the time for.

        ``work`` is what is to be done with rows of such numbers; it is tried on a few.
        """
        few = some_rows(n, _FEWEST_ROWS, seed)
        if not self.limited or len(few) == n:
            return np.arange(n)
        began = time.perf_counter()
        work(few)
        took = max(1e-9, time.perf_counter() - began)
        return some_rows(n, max(_FEWEST_ROWS, int(len(few) * self.for_judging / took)), seed)


def some_rows(n: int, most: int, seed: int) -> Indices:
    """Return the numbers of all rows, or of so many that are drawn, in their order.

    Of fewer rows each is among those that would be drawn if they were more.
    """
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).permutation(n)[:most])


def rows_within(
    budget: Budget,
    rows: Portion[Features],
    ranges: int | None,
    seed: int,
    epoch: Callable[[Encoder, Portion[Rows]], float] | None = None,
) -> int:
    """Return how many rows there is time to learn from, as far as a few of them tell.

    ``ranges`` is into how many numbers are divided, if that is known; ``epoch`` gives the seconds
    that a network takes to learn once from rows, by what encodes them and a few that are encoded.
    """
    n, features = len(rows), rows.x
    if not budget.limited or n <= _FEWEST_ROWS or isinstance(features, SparseRows):
        return n
    columns = features[0].size if isinstance(features, np.ndarray) else len(features.columns)
    size = min(n, max(_FEWEST_ROWS, min(_TRIED_ROWS, ceil(_TRIED_CELLS / columns))))
    took: list[float] = []
    for m in (size // 4, size):
        few = rows.take(some_rows(n, m, seed))
        began = time.perf_counter()
        encoded = _encoded(few, ranges)
        took.append(time.perf_counter() - began)
        if encoded is None:
            return n
        inputs, x = encoded
        words = isinstance(x, SparseRows)
        if not words and n * inputs.n_outputs <= _FEW_CELLS:
            return n
    each = max((took[1] - took[0]) / (size - size // 4), took[1] / size / 4)
    each = max(each, 0.0 if words else inputs.n_outputs * _SECONDS_OF_A_CELL)
    if epoch is not None:
        each += (_EPOCHS + _JUDGING) * epoch(inputs, Portion(x, few.y)) / size
    return min(n, max(_FEWEST_ROWS, int(_SHARE_OF_ROWS * budget.left / max(each, 1e-9))))


def _encoded(few: Portion[Features], ranges: int | None) -> tuple[Encoder, Rows] | None:
    """Return an encoder of some rows, and these; None where they cannot be learnt from."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)
        try:
            inputs = encoder_for(few.x)
            if isinstance(inputs, TableEncoder):
                inputs = inputs.with_ranges(few.x, _RANGES if ranges is None else ranges)
            return inputs, flat_rows(inputs.transform(few.x, dtype=np.float32))
        except DeltapropError:  # all rows together may do, or say better what is wrong
            return None
