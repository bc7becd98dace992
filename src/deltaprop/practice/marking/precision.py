"""Numbers as people write them: how precisely, and what each may stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Self

import numpy as np
import numpy.typing as npt

from deltaprop.characters import plain_digits
from deltaprop.checking.precision import EPSILON, is_close, may_stand_for
from deltaprop.explaining.examples import Written

__all__ = ["MORE_ON_THE_WAY", "Habit", "Number", "habit_of", "has_decimal_commas", "read_number"]

Array = npt.NDArray[np.float64]

_DECIMAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?")
_FRACTION = re.compile(r"([-+]?\d{1,15})/(\d{1,15})")
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?:([,. '_])\d{3})(?:\1\d{3})*(?P<rest>[.,]\d*)?")
_COMMA = re.compile(r"[-+]?(\d+,\d*|,\d+)([eE][-+]?\d{1,3})?")
_EQUALS = re.compile("[=≈~∼≃≅]")
_POWER = re.compile(r"\s*[x*×·]\s*10\s*(\^|\*\*)\s*\(?([-+]?\d{1,3})\)?")
_PLAIN = (("\u2013", "-"), ("\u2019", "'"))
MORE_ON_THE_WAY = 2  # digits with which to work, than are asked for
_LONGEST = 400  # characters of a number
_REPEATING = 12  # digits to which 1/3 is written out
_FAR_BELOW = 1e-3  # of the unit in the last place
_NOTICEABLE = 1e-3  # relative error from which rounding can be seen
_ENOUGH, _ENOUGH_WHOLE = 2, 3  # significant digits that say a number, with a point and without
_ODD_ONES = 1  # of a habit: 0.0223 by chance, in a working of four digits
_TELLING_APART = 6  # numbers of which a few odd ones are
_USUAL = 3  # decimals, where nothing tells
_FEWEST_TELLING = 3  # numbers from which a habit is seen
_EXACT = 1e-9  # relative error of a number that is written in full


@dataclass(frozen=True)
class Habit:
    """How precisely a working is usually written.

    Attributes
    ----------
    decimals, digits : int
        Places behind the point, and significant digits.
    by_decimals, by_digits : bool
        Which of them it is that is always the same; both where the numbers do not tell.
    asked : bool
        Whether so many significant digits are asked for, rounded. Otherwise they are what is seen.
    expected : int, optional
        Places behind the point below which a number is called rounded, where the numbers do not
        tell what is usual: none of them may be as precise. As many as usual unless told.
    """

    decimals: int = 3
    digits: int = 3
    by_decimals: bool = True
    by_digits: bool = False
    asked: bool = False
    expected: int | None = None

    def is_by(self, numbers: Iterable[Number], count: str) -> bool:
        """Return whether all numbers have the usual "decimals", or "digits"."""
        return all(getattr(number, count) == getattr(self, count) for number in numbers)

    @classmethod
    def of_digits(cls, digits: int) -> Self:
        """Return what is asked for: so many significant digits, rounded."""
        return cls(digits=digits, by_decimals=False, by_digits=True, asked=True)

    @property
    def kept(self) -> Self | None:
        """Return how precisely to work where digits are asked for; None where none are."""
        places = self.digits + MORE_ON_THE_WAY
        return type(self)(places, places, by_digits=True) if self.asked else None

    def unit(self, values: Array) -> Array:
        """Return the unit in the last place of numbers written like the rest.

        Of a number far below it one digit is kept: nobody goes on with 0.000 where a probability is
        2e-9. No program is more precise than float64.
        """
        places = np.full(np.shape(values), 10.0**-self.decimals)
        with np.errstate(all="ignore"):
            first = 10.0 ** np.floor(np.log10(np.abs(values)))
        first = np.where(np.isfinite(first) & (first > 0), first, np.inf)
        far_below = np.where(first < _FAR_BELOW * places, first, np.inf)
        unit = places
        if self.by_digits:
            unit = np.where(np.isfinite(first), first * 10.0 ** (1 - self.digits), places)
            unit = np.maximum(unit, places) if self.by_decimals else unit
        return np.asarray(np.maximum(np.minimum(unit, far_below), EPSILON * np.abs(values)))


@dataclass(frozen=True)
class Number:
    """One written number and how precisely it is written.

    Attributes
    ----------
    text : str
        As it was written.
    exact : Decimal
        What that is.
    decimals : int
        Places behind the point; negative in 12e3.
    digits : int
        Significant digits.
    whole : bool
        Written without a point: nothing says how precise it is.
    zeros : int
        How many zeros at the end may only keep the place.
    """

    text: str
    exact: Decimal
    decimals: int
    digits: int
    whole: bool
    zeros: int = 0

    @property
    def value(self) -> float:
        """Return the number."""
        return float(self.exact)

    @property
    def unit(self) -> float:
        """Return one unit in the last place."""
        return float(Decimal(1).scaleb(-self.decimals))

    def is_written_for(self, right: float, habit: Habit, slack: float = 0.0) -> bool:
        """Return whether ``right`` may be written like this: with enough digits, the rest cut off.

        Parameters
        ----------
        right : float
            The number that should stand here.
        habit : Habit
            How precisely the whole working is written.
        slack : float
            What ``right`` itself is not sure of.
        """
        stated, room, cut = np.array(self.value), np.array(self.room(habit)), self.cut(habit)
        return bool(may_stand_for(stated, room, np.array(cut), np.array(right), slack))

    def room(self, habit: Habit) -> float:
        """Return half a unit of the last place: of its own, or the usual one if it says little."""
        unit = self._meant(habit)
        if not self.says_enough(habit):
            unit = min(unit, float(habit.unit(np.array(self.value))))
        return 0.5 * unit * (1.0 + 1e-9)  # 0.125 is 0.12 and 0.13

    def cut(self, habit: Habit) -> float:
        """Return what may have been cut off: less than a unit; 0 where it says little.

        Where digits are asked for, only what is behind them.
        """
        if habit.asked and self.digits <= habit.digits:
            return 0.0
        return self._meant(habit) if self.says_enough(habit) and not self.exact.is_zero() else 0.0

    def _meant(self, habit: Habit) -> float:
        """Return the unit in its last place; of zeros that may only keep the place, as is usual."""
        if not self.zeros:
            return self.unit
        usual = float(habit.unit(np.array(self.value)))
        return min(self.unit, max(usual, self.unit * 10.0**-self.zeros))

    def says_enough(self, habit: Habit) -> bool:
        """Return whether its digits say a number: as many as usual, or two and a point."""
        if habit.asked:
            return self.digits >= habit.digits
        least = _ENOUGH_WHOLE if self.whole else _ENOUGH
        return self.decimals >= habit.decimals or self.digits >= least

    def is_too_coarse(self, right: float, habit: Habit) -> bool:
        """Return whether it is ``right`` rounded to fewer digits than are asked for."""
        near = abs(self.value - right) <= 0.5 * self.unit * (1.0 + 1e-9)
        return habit.asked and self.digits < habit.digits and near

    def may_go_on_with_zeros(self, right: float) -> bool:
        """Return whether a digit more would be a zero that is not written: 0.28 for 0.28001."""
        longer = is_close(self.value, right, 0.05 * self.unit)
        return bool(longer) and self.exact.as_tuple().digits[-1] != 0

    def is_rounded(self, right: float, habit: Habit) -> bool:
        """Return whether it is written with noticeably fewer digits than the rest.

        True when it is off by more than a thousandth, with fewer places and fewer significant
        digits than usual in the working.
        """
        off = abs(self.value - right) > _NOTICEABLE * abs(right)
        expected = habit.decimals if habit.expected is None else habit.expected
        return off and self.decimals < expected and self.digits < habit.digits


def habit_of(numbers: Iterable[tuple[Number, float]]) -> Habit:
    """Return the usual precision of a working: three digits where few numbers tell.

    Told by the numbers that are right and had to be rounded, each value once; where these are few,
    by all that are not exact; and by those that are exact, where more of them are longer, or where
    all the others together tell nothing.
    """
    pointed = [(n, right) for n, right in numbers if not n.whole]
    exact = {n.exact: n for n, r in pointed if is_close(n.value, r, relative=_EXACT)}
    inexact = {n.exact: (n, right) for n, right in pointed if n.exact not in exact}.values()
    close = [(n, right) for n, right in inexact if is_close(n.value, right, n.unit)]
    near = [n for n, right in close if not n.may_go_on_with_zeros(right)]
    near = near if len(near) >= _FEWEST_TELLING else [n for n, _ in close]
    others = [n for n, _ in inexact]  # wrong, or in another convention
    if len(near) >= _FEWEST_TELLING:
        told, found = near, _habit(near, others)
        if found.is_by(near, "decimals") and found.is_by(near, "digits"):  # the others may tell
            kind = _habit(others, others)
            found = replace(found, by_decimals=kind.by_decimals, by_digits=kind.by_digits)
    else:
        unsure = Habit(
            _longest([*exact.values(), *others]),
            by_digits=True,
            expected=_longest(list(exact.values())),
        )
        own = _habit(others, others, bool(near)) if _is_habit(others) else unsure
        told, found = others, own
    longer = [n for n in exact.values() if n.decimals > found.decimals and n.digits > found.digits]
    return _habit(longer, longer) if len(longer) >= max(_FEWEST_TELLING, len(told)) else found


def _longest(numbers: list[Number]) -> int:
    """Return the places of the longest number, two or three; three where there is none."""
    longest = max((n.decimals for n in numbers), default=_USUAL)
    return min(max(longest, _ENOUGH), _USUAL)


def _is_habit(told: list[Number]) -> bool:
    """Return whether there are many numbers, or some that are all rounded alike."""
    alike = any({*each} - {0, 1} and len({*each}) == 1
                for each in ([n.decimals for n in told], [n.digits for n in told]))  # fmt: skip
    return len(told) >= _TELLING_APART or (alike and len(told) >= _FEWEST_TELLING)


def _habit(told: list[Number], others: list[Number], some_right: bool = True) -> Habit:
    """Return what most are like; by digits and by places alike where nearly as many are.

    Nobody who rounds to places writes several ``others`` with more of them; nor does one with
    digits, where zeros at the end are left out. Where none of a few is right, ``some_right``,
    nothing is left open: their digits are all there is to tell a mistake by.
    """
    decimals, by_places = _usual([n.decimals for n in told])
    digits, by_digits = _usual([n.digits for n in told])
    finer = sum(n.decimals > decimals for n in others) > _ODD_ONES
    longer = sum(n.digits > digits for n in others) > _ODD_ONES
    if finer != longer and len(told) >= _FEWEST_TELLING:
        return Habit(decimals, max(digits, _ENOUGH), longer, finer)
    if len(told) >= _TELLING_APART:
        is_either = abs(by_places - by_digits) <= _ODD_ONES
    else:  # as many of a few tell nothing; but seldom is anything worked out in two digits
        is_either = by_places == by_digits and digits > _ENOUGH and some_right
    return Habit(
        decimals,
        max(digits, _ENOUGH),
        is_either or by_places >= by_digits,
        is_either or by_digits > by_places,
    )


def _usual(counts: list[int]) -> tuple[int, int]:
    """Return the median, and how many are just that."""
    usual = sorted(counts)[len(counts) // 2]
    return usual, counts.count(usual)


def read_number(value: object, *, comma: bool = False) -> Number | None:
    """Return a written number with its precision; None when it is no finite number.

    Parameters
    ----------
    value : object
        A number or a text: 0.25, "1/4", "25 %", "2.5e-1", "2.5 × 10⁻¹", "≈ 0.25", "0.25...",
        "1,250.5", "1 250,5", "1.250,5", "1'250.5", full-width digits.
    comma : bool
        Whether 0,25 and 1,250 have a decimal comma.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    written = _text_of(value).strip()
    if not 0 < len(written) <= _LONGEST:
        return None
    text = _plain(written)
    percent = text.endswith("%")
    text = text.removesuffix("%").strip()
    if comma and _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    text = _ungrouped(text) or text
    if _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    text = _as_decimal(text)
    if not text.isascii() or not _DECIMAL.fullmatch(text):
        return None
    exact = Decimal(text).scaleb(-2 if percent else 0)
    if not np.isfinite(float(exact)):
        return None
    plain = "." not in text and "e" not in text.lower()
    digits, exponent = len(exact.as_tuple().digits), exact.as_tuple().exponent
    assert isinstance(exponent, int)
    zeros = 0
    if plain and exact:  # the zeros of 120 may only keep the place, but for two digits
        zeros = min(len(text) - len(text.rstrip("0")), max(digits - 2, 0))
        digits, exponent = digits - zeros, exponent + zeros
    return Number(written, exact, -exponent, digits, plain and not percent, zeros)


def has_decimal_commas(claims: object) -> bool:
    """Return whether a number in claims can only be read with a decimal comma: 0,25."""
    if isinstance(claims, Mapping):
        return any(map(has_decimal_commas, claims.values()))
    if isinstance(claims, (list, tuple)):
        return any(map(has_decimal_commas, claims))
    if not isinstance(claims, str) or len(claims) > _LONGEST:
        return False
    text = _plain(claims).removesuffix("%").strip()
    grouped = _GROUPED.fullmatch(text)
    if grouped is not None and _ungrouped(text):
        return (grouped["rest"] or "").startswith(",")
    return bool(_COMMA.fullmatch(text))


def _plain(written: str) -> str:
    """Return what is written in ASCII digits and signs, without a sign for about and dots.

    Of "E = 0.55" it is what stands behind the last sign.
    """
    text = plain_digits(_EQUALS.split(written)[-1].strip("\"'“”„‟«» \t"))
    for sign, plain in _PLAIN:
        text = text.replace(sign, plain)
    text = text.removesuffix("...").strip()
    text = _POWER.sub(lambda found: f"e{found[2]}", text, count=1)
    return re.sub(r"\s*/\s*", "/", text)


def _ungrouped(text: str) -> str:
    """Return a number without the separators of its thousands; "" where it has none.

    1,250 is grouped; 1.250 is not, as long as no second group and no decimal comma says so.
    """
    found = _GROUPED.fullmatch(text)
    if found is None:
        return ""
    by, rest = found[1], found["rest"] or ""
    whole = text.removesuffix(rest)
    if rest[:1] == by or (by == "." and not rest and whole.count(by) == 1):
        return ""
    return whole.replace(by, "") + rest.replace(",", ".")


def _as_decimal(text: str) -> str:
    """Return a fraction as a decimal number, 1/3 to many digits; anything else as it is."""
    fraction = _FRACTION.fullmatch(text)
    if fraction is None or not int(fraction[2]):
        return text
    exact = Fraction(int(fraction[1]), int(fraction[2]))
    value = Decimal(exact.numerator) / Decimal(exact.denominator)  # 28 digits
    plain = format(value, "f")
    return plain if Fraction(plain) == exact else f"{float(value):.{_REPEATING}g}"


def _text_of(value: float | str) -> str:
    if isinstance(value, Written):
        return value.text
    if isinstance(value, str):
        return value
    # by the plain type, so that no subclass (numpy's float64) writes itself otherwise
    if isinstance(value, float):
        return repr(float(value)).removesuffix(".0")  # 13.0 may have been 13 as well
    return repr(int(value)) if abs(value) < 10**300 else ""
