"""Answers as a learner types them."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from deltaprop.characters import plain_digits
from deltaprop.practice.marking.precision import read_number

__all__ = ["read_answers"]

_LONGEST = 1000  # characters of a line
_EQUALS = re.compile("[^,;、=≈]*[=≈]")  # "z = 1.25": what a number is the value of
_FRACTION = re.compile(r"([-+]?\d{1,15})/(\d{1,15})")


def read_answers(text: str, count: int) -> list[str] | None:
    """Return the numbers in a line; None when it does not hold so many.

    Parameters
    ----------
    text : str
        Separated by commas, semicolons or blanks; fractions such as 1/3 and brackets are read, and
        what stands before an equals sign is passed over.
    count : int
        How many are expected.
    """
    plain = plain_digits(text[:_LONGEST])
    plain = _EQUALS.sub(" ", plain)
    plain = re.sub(r"\s*/\s*", "/", re.sub(r"[\[\](){}]", " ", plain))
    words = [word for word in re.split(r"[,;、\s]+", plain) if word]
    numbers = [_decimal(word) for word in words]
    found = [number for number in numbers if number is not None]
    return found if len(found) == len(words) == count else None


def _decimal(word: str) -> str | None:
    fraction = _FRACTION.fullmatch(word)
    if fraction is None:
        return word if word.isascii() and read_number(word) is not None else None
    if not int(fraction[2]):
        return None
    value = Fraction(int(fraction[1]), int(fraction[2]))
    exact = Decimal(value.numerator) / Decimal(value.denominator)  # 28 digits
    text = format(exact, "f")
    return text if Fraction(text) == value else f"{float(value):.10f}"
