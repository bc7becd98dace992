"""The one definition of close: whether a stated number may stand for another one.

    |stated - number| <= absolute + relative size

What is stated knows how precisely: a gradient in float64 or float32 (``Computed``), a number
written with so many digits (``practice.marking.claims``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "DOUBLE",
    "EPSILON",
    "SINGLE",
    "Claim",
    "Computed",
    "WrittenClaim",
    "is_close",
    "may_stand_for",
    "relative_error",
]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Digits = npt.NDArray[np.int64]

EPSILON = float(np.finfo(np.float64).eps)
DOUBLE, SINGLE = 1e-8, 1e-4  # how near the same sums come in float64, and in float32
_OF_LARGEST = 0.01  # of the largest number of an array: what cancels has the others' rounding
_OF_ALL = 1e-15  # of the largest number of all
_BINARY = 1e-13  # relative error to which a result of float64 is the decimal number it stands for
_SURE = 4e-15  # relative error of a number worked out in float64


def is_close(
    stated: Array | float,
    number: Array | float,
    absolute: Array | float = 0.0,
    relative: float = 0.0,
    size: Array | float | None = None,
) -> Flags:
    """Return where |stated - number| <= absolute + relative size; never where one is not finite.

    ``absolute`` is what neither can be surer of: half a digit, the noise of a measurement;
    ``relative`` the share of ``size``, or of |number|, by which they may differ.
    """
    with np.errstate(all="ignore"):
        room = absolute + relative * (np.abs(number) if size is None else size)
        return np.asarray((np.abs(stated - number) <= room) & np.isfinite(number))


def relative_error(stated: float, number: float, absolute: float = 0.0, size: float = 0.0) -> float:
    """Return the least ``relative`` with which ``is_close`` holds; infinity where none is enough.

    ``size`` is the larger one of both numbers, unless it is given.
    """
    error = abs(stated - number) - absolute
    if not np.isfinite(error):
        return np.inf  # what is no number is never right
    return 0.0 if error <= 0 else float(error / (size or max(abs(stated), abs(number))))


def may_stand_for(
    stated: Array, room: Array, cut: Array, right: Array, slack: Array | float = 0.0
) -> Flags:
    """Return where ``right``, unsure by ``slack``, may be written as stated: rounded or cut off.

    Parameters
    ----------
    stated, room, cut : ndarray
        The numbers, and of each half a unit and what may have been cut off.
    right, slack : ndarray
        What should stand there, and how unsure it is.
    """
    with np.errstate(all="ignore"):
        rest = np.abs(right) - np.abs(stated)
        binary = _BINARY * np.abs(right)  # 1.9 is 1.8999...9, and is not cut to 1.89
        is_cut = (rest >= -slack - binary) & (rest < cut - binary + slack) & (cut > 0)
        is_cut &= stated * right >= 0
    return np.asarray((is_close(stated, right, room + slack, _SURE) | is_cut) & np.isfinite(right))


class Claim(Protocol):
    """What somebody says of one quantity: its numbers, or some of them."""

    @property
    def key(self) -> str:
        """Return the quantity, as ``work_out`` calls it: "dW.2"."""

    @property
    def values(self) -> Array:
        """Return the stated numbers, NaN where nothing is stated."""

    @property
    def units(self) -> Array:
        """Return by how much each may be off: one unit in its last place."""

    @property
    def digits(self) -> Digits:
        """Return how many significant digits each has."""

    def close(self, numbers: Array, slack: Array | float = 0.0) -> Flags:
        """Return where these numbers, unsure by ``slack``, may be meant, or nothing is stated."""


class WrittenClaim(Claim, Protocol):
    """A claim that is written down, in decimal numbers."""

    @property
    def room(self) -> Array:
        """Return half a unit in the last place of each number."""

    @property
    def cut(self) -> Array:
        """Return what may have been cut off from each; 0 where nothing."""


@dataclass(frozen=True, eq=False)
class Computed:
    """Numbers that a program computed, as precisely as its type is.

    ``stated`` says where there are any: what is no number may be stated, too. An array is as
    precise as the largest of its ``right`` numbers, to ``relative``, ``DOUBLE`` or ``SINGLE``;
    ``floor`` is the largest right number of all arrays. With ``before``, what the numbers were
    before the step, it is the change that is compared.
    """

    key: str
    values: Array
    stated: Flags
    right: Array
    relative: float
    floor: float
    before: Array | float = 0.0

    @property
    def units(self) -> Array:
        """Return by how much each may be off."""
        return self.relative * np.abs(self.values)

    @property
    def digits(self) -> Digits:
        """Return how many significant digits each has."""
        return np.full(self.values.shape, -round(np.log10(self.relative)))

    @cached_property
    def _largest(self) -> float:
        return float(np.max(np.abs(self.right - self.before)[self.stated], initial=0.0))

    def close(self, numbers: Array, slack: Array | float = 0.0) -> Flags:
        """Return where these numbers, unsure by ``slack``, may be meant, or nothing is stated."""
        sizes = np.abs(numbers - self.before)
        largest = max(float(np.max(sizes[self.stated], initial=0.0)), self._largest)
        absolute = _OF_ALL * self.floor + 8.0 * EPSILON * np.abs(self.before) + slack
        size = sizes + _OF_LARGEST * largest
        return ~self.stated | is_close(self.values, numbers, absolute, self.relative, size)
