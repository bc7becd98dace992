"""Which rows a model has learnt: a few bytes of each, so that nobody takes them for new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError

__all__ = ["LearntRows", "Overlap"]

Marks = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

_BYTES = 5  # of a row: among a million new ones, one is taken for one of 200,000 once in five times
_MOST_BYTES = 1_000_000  # of a model file
_LEARNT, _CHOSE = "rows.learnt", "rows.chose"


@dataclass(frozen=True)
class Overlap:
    """How many rows of a table a model has seen in its training."""

    learnt: int  # how many it learnt from
    chose: int  # how many others chose its epoch
    about: bool = False  # whether both are estimated from a share of the rows


@dataclass(frozen=True, eq=False)
class LearntRows:
    """The rows that were learnt, and those that only chose the epoch.

    Of each the first 40 bits of what ``row_marks`` made of it, once, in ascending order.
    """

    learnt: Marks
    chose: Marks
    one_in: int = 1  # the share of all rows that is kept: whose number can be divided by it

    @classmethod
    def of(cls, learnt: Marks, chose: Marks) -> LearntRows:
        """Return what is kept of the rows: all, or of very many a share."""
        learnt, chose = _shortened(learnt), _shortened(chose)
        one_in = 1
        while _BYTES * (len(learnt) + len(chose)) > _MOST_BYTES:
            one_in *= 2
            learnt, chose = (m[m % np.uint64(one_in) == 0] for m in (learnt, chose))
        return cls(learnt, chose, one_in)

    def overlap(self, marks: Marks) -> Overlap:
        """Return how many of these rows were seen, by what ``row_marks`` makes of them."""
        return self.overlap_of(self.counts(marks))

    def counts(self, marks: Marks) -> Counts:
        """Return how many rows these are, which could be known, were learnt, chose the epoch.

        Those of several parts of a table can be added.
        """
        short = marks >> np.uint64(64 - 8 * _BYTES)
        known = short[short % np.uint64(self.one_in) == 0]
        learnt = np.isin(known, self.learnt)
        chose = np.isin(known, self.chose) & ~learnt
        return np.array([len(marks), len(known), learnt.sum(), chose.sum()], dtype=np.int64)

    def overlap_of(self, counts: Counts) -> Overlap:
        """Return how many rows were seen, from what ``counts`` found."""
        n, known, learnt, chose = counts.tolist()
        if self.one_in == 1:
            return Overlap(learnt, chose)
        times = n / max(1, known)
        return Overlap(round(times * learnt), round(times * chose), about=True)

    def seen(self, marks: Marks) -> npt.NDArray[np.bool_]:
        """Return which of these rows were seen, as far as they are among those that are kept."""
        short = marks >> np.uint64(64 - 8 * _BYTES)
        return np.isin(short, self.learnt) | np.isin(short, self.chose)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what a model file holds: each row in five bytes, and how many stand for one."""
        return {
            _LEARNT: _as_bytes(self.learnt),
            _CHOSE: _as_bytes(self.chose),
            "rows.one_in": np.array([self.one_in], dtype=np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> LearntRows | None:
        """Return what ``to_arrays`` described, or None where a file tells nothing of its rows."""
        if _LEARNT not in arrays:
            return None
        one_in = arrays.get("rows.one_in")
        if one_in is None or one_in.shape != (1,) or not 1 <= one_in[0] <= 2**40:
            raise DataError("its learnt rows are a share of all, but it does not say which")
        learnt, chose = (_from_bytes(arrays.get(name)) for name in (_LEARNT, _CHOSE))
        return cls(learnt, chose, int(one_in[0]))


def _shortened(marks: Marks) -> Marks:
    return np.unique(marks >> np.uint64(64 - 8 * _BYTES))


def _as_bytes(marks: Marks) -> npt.NDArray[np.uint8]:
    return marks.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :_BYTES].copy()


def _from_bytes(rows: npt.NDArray[Any] | None) -> Marks:
    if rows is None or rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] != _BYTES:
        raise DataError(f"its learnt rows are not {_BYTES} bytes each")
    whole = np.zeros((len(rows), 8), dtype=np.uint8)
    whole[:, :_BYTES] = rows
    return whole.reshape(-1).view("<u8").astype(np.uint64)
