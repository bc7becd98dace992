"""Settings checked in one place: a number of the right kind and range, or one sentence."""

from __future__ import annotations

from math import inf
from numbers import Integral, Real
from typing import Any

from deltaprop.errors import SettingError

__all__ = ["at_least_zero", "from_zero_below_one", "positive", "positive_int"]


def positive(value: Any, what: str) -> float:
    """Return ``value`` as a finite float > 0, or raise SettingError naming ``what``."""
    if not (_is_real(value) and 0 < value < inf):
        raise SettingError(f"{what} is {value!r}; it is a finite number > 0.")
    return float(value)


def at_least_zero(value: Any, what: str) -> float:
    """Return ``value`` as a finite float >= 0, or raise SettingError naming ``what``."""
    if not (_is_real(value) and 0 <= value < inf):
        raise SettingError(f"{what} is {value!r}; it is a finite number >= 0.")
    return float(value)


def from_zero_below_one(value: Any, what: str) -> float:
    """Return ``value`` as a float in [0, 1), or raise SettingError naming ``what``."""
    if not (_is_real(value) and 0 <= value < 1):
        raise SettingError(f"{what} is {value!r}; it is a number from 0 up to below 1.")
    return float(value)


def positive_int(value: Any, what: str) -> int:
    """Return ``value`` as an int >= 1, or raise SettingError naming ``what``."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < 1:
        raise SettingError(f"{what} is {value!r}; it is a whole number of at least 1.")
    return int(value)


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
