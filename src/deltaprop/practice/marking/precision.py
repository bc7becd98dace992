"""Numbers as people write them: with so many digits, rounded or cut off."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from statistics import median

from deltaprop.checking.precision import is_close
from deltaprop.explaining.examples import Written

__all__ = ["SURE", "Habit", "Number", "habit_of", "read_number"]

_DECIMAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?")
_NOTICEABLE = 1e-3  # relative error from which rounding can be seen
_ROUNDED_ON_THE_WAY = 3  # significant digits from which a whole unit may be lost either way
SURE = 4e-15  # relative error of a number worked out in float64


@dataclass(frozen=True)
class Number:
    """One claimed number and the precision it is written with.

    Attributes
    ----------
    text : str
        As it was written.
    value : float
        What that is.
    decimals : int
        Places behind the point; negative in 12e3.
    digits : int
        Significant digits.
    whole : bool
        Written without a point: nothing says how precise it is.
    """

    text: str
    value: float
    decimals: int
    digits: int
    whole: bool

    @property
    def unit(self) -> float:
        """Return one unit in the last place."""
        return float(Decimal(1).scaleb(-self.decimals))

    def is_written_for(self, right: float, habit: Habit) -> bool:
        """Return whether ``right`` may be written like this: rounded, or cut off.

        Parameters
        ----------
        right : float
            The number that should stand here.
        habit : Habit
            How precisely the whole working is written; a bare 0 says nothing of itself.
        """
        near = is_close(self.value, right, self.room(habit), SURE)
        return bool(near) or self.is_cut_off(right)

    def room(self, habit: Habit) -> float:
        """Return by how much it may be off: half a unit, or a whole one of many digits."""
        unit = self.unit
        if self._is_bare_zero:
            unit = min(unit, 10.0**-habit.decimals)
        return unit * (1.0 - 1e-6) if self.digits >= _ROUNDED_ON_THE_WAY else unit / 2.0

    @property
    def _is_bare_zero(self) -> bool:
        return self.value == 0 and self.decimals <= 1  # "0", or the repr of 0.000

    def is_cut_off(self, right: float) -> bool:
        """Return whether it is ``right`` up to its last place, exactly as a program cuts it off."""
        if self.whole or self._is_bare_zero or not isfinite(right) or self.value * right < 0:
            return False
        rest = abs(Decimal(right)) - abs(Decimal(self.text))
        unit = Decimal(1).scaleb(-self.decimals)
        if not 0 <= rest < unit:
            return False
        # where 2.3 is 2.2999...98 in binary, a program cuts it to 2.2; with few digits nobody does
        return self.digits >= _ROUNDED_ON_THE_WAY or float(rest) < float(unit) * (1.0 - 1e-6)

    def is_rounded(self, right: float, habit: Habit) -> bool:
        """Return whether it is written with noticeably fewer digits than the rest.

        True when it is off by more than a thousandth, with fewer places and fewer significant
        digits than usual in the working.
        """
        off = abs(self.value - right) > _NOTICEABLE * abs(right)
        return off and self.decimals < habit.decimals and self.digits < habit.digits


@dataclass(frozen=True)
class Habit:
    """How precisely a working is usually written."""

    decimals: int = 3
    digits: int = 3


def habit_of(numbers: list[tuple[Number, float]]) -> Habit:
    """Return the usual precision of a working.

    Parameters
    ----------
    numbers : list of (Number, float)
        What is claimed, and what is right.

    Returns
    -------
    Habit
        The median over the numbers that had to be rounded; three digits where these are few.
    """
    inexact = [
        number
        for number, right in numbers
        if not number.whole and number.value != 0
        and abs(number.value - right) > 1e-9 * abs(right)
    ]  # fmt: skip
    if len(inexact) < 3:
        return Habit()
    return Habit(
        int(median(number.decimals for number in inexact)),
        int(median(number.digits for number in inexact)),
    )


def read_number(value: object) -> Number | None:
    """Return a claimed number with its precision; None when it is no finite decimal number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    text = _text_of(value).strip()
    if len(text) > 400 or not _DECIMAL.fullmatch(text):
        return None
    exact = Decimal(text)
    number = float(exact)
    if number in (float("inf"), float("-inf")):
        return None
    whole = "." not in text and "e" not in text.lower()
    digits, exponent = len(exact.as_tuple().digits), exact.as_tuple().exponent
    assert isinstance(exponent, int)
    if whole and number:  # the zeros of 120 may only keep the place, but for two digits
        zeros = min(len(text) - len(text.rstrip("0")), max(digits - 2, 0))
        digits, exponent = digits - zeros, zeros
    return Number(text, number, -exponent, digits, whole)


def _text_of(value: float | str) -> str:
    if isinstance(value, Written):
        return value.text
    if isinstance(value, str):
        return value
    # by the plain type, so that no subclass (numpy's float64) writes itself otherwise
    if isinstance(value, float):
        return repr(float(value)).removesuffix(".0")  # 13.0 may have been 13 as well
    return repr(int(value)) if abs(value) < 10**300 else ""
