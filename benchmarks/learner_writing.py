"""How learners (``learner.py``) round their numbers and write them down."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def to_decimals(places: int) -> Callable[[Array], Array]:
    """Round to so many places behind the point."""
    return lambda values: np.round(values, places)


def to_digits(digits: int) -> Callable[[Array], Array]:
    """Round to so many significant digits."""
    return lambda values: np.vectorize(lambda v: float(f"{v:.{digits}g}"), otypes=[float])(values)


def plain(value: float) -> str:
    """Write a number as it is, without an exponent."""
    return np.format_float_positional(value, trim="-")


def scientific(value: float) -> str:
    """Write 0.0123 as 1.23e-2."""
    return np.format_float_scientific(value, trim="-", exp_digits=1) if value else "0"


def percent(value: float) -> str:
    """Write 0.123 as 12.3 %."""
    return f"{plain(float(repr_shift(value, 2)))} %"


def repr_shift(value: float, places: int) -> str:
    """Return the decimal text of value times 10^places, exactly."""
    from decimal import Decimal

    return str(Decimal(plain(value)).scaleb(places))


def thousands(value: float) -> str:
    """Write 1234.5 as 1,234.5."""
    whole, _, rest = plain(abs(value)).partition(".")
    return f"{'-' if value < 0 else ''}{int(whole):,}{'.' * bool(rest)}{rest}"


def full_width(value: float) -> str:
    """Write a number in full-width digits, as Chinese keyboards type them."""
    return plain(value).translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789.-"})


def fraction(value: float) -> str:
    """Write a short number as a fraction; a long one as it is."""
    exact = Fraction(plain(value))
    return f"{exact.numerator}/{exact.denominator}" if exact.denominator <= 400 else plain(value)


def comma(value: float) -> str:
    """Write 0.5 as 0,5."""
    return plain(value).replace(".", ",")


WRITERS = {
    "plain": plain, "scientific": scientific, "percent": percent, "thousands": thousands,
    "full width": full_width, "fraction": fraction, "comma": comma,
}  # fmt: skip


def written(array: Array, how: str) -> Any:
    """Return (nested lists of) texts, or numbers for "number"."""
    if np.ndim(array):
        return [written(part, how) for part in array]
    if not np.isfinite(array):
        return None
    return float(array) if how == "number" else WRITERS[how](float(array))
