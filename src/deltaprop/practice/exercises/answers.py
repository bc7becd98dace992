"""Answers as a learner types them, and what is left to say about each of them."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from fractions import Fraction
from typing import Any

from deltaprop.practice.exercises.items import Item
from deltaprop.practice.exercises.task import Task
from deltaprop.practice.marking.mark import VERDICTS, Mark
from deltaprop.practice.marking.precision import read_number

__all__ = ["Answers", "has_too_few_digits", "is_right", "read_answers"]

_LONGEST = 1000  # characters of a line
_FRACTION = re.compile(r"([-+]?\d{1,15})/(\d{1,15})")
_FEW_DIGITS = 3
_RIGHT, _ROUNDED, _, _ = VERDICTS


def read_answers(text: str, count: int) -> list[str] | None:
    """Return the numbers in a line; None when it does not hold so many.

    Parameters
    ----------
    text : str
        Separated by commas, semicolons or blanks; fractions such as 1/3 and brackets are read.
    count : int
        How many are expected.
    """
    plain = unicodedata.normalize("NFKC", text[:_LONGEST]).replace("\u2212", "-")
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


class Answers:
    """What has been answered so far, as ``claims``.

    Parameters
    ----------
    task : Task
        What is answered.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self._given: dict[str, dict[tuple[int, ...], str]] = {key: {} for key in task.asked}

    def put(self, item: Item, numbers: list[str]) -> None:
        """Write down the answer to an item, instead of an earlier one."""
        self._given[item.key] |= dict(zip(item.indices, numbers, strict=True))

    def claims(self) -> dict[str, Any]:
        """Return the answers as ``claims``; quantities without any are left out."""
        blank = self.task.blank()
        return {key: _with(blank[key], given, ()) for key, given in self._given.items() if given}

    def marks(self) -> dict[str, Mark]:
        """Return the marks of everything answered, by id."""
        claims = self.claims()
        return {mark.id: mark for mark in self.task.mark(claims).marks} if claims else {}

    def marks_of(self, item: Item) -> list[Mark]:
        """Return the marks of an answered item, the answers before it taken into account."""
        found = self.marks()
        return [found[name] for name in item.ids]


def _with(blank: Any, given: dict[tuple[int, ...], str], index: tuple[int, ...]) -> Any:
    if isinstance(blank, list):
        return [_with(part, given, (*index, i)) for i, part in enumerate(blank)]
    return given.get(index)


def is_right(mark: Mark) -> bool:
    """Return whether a number is right, perhaps rounded on the way."""
    return mark.verdict in (_RIGHT, _ROUNDED)


def has_too_few_digits(mark: Mark) -> bool:
    """Return whether a number is right only because it was rounded to a digit or two."""
    number = read_number(mark.claimed)
    return mark.verdict == _ROUNDED and number is not None and number.digits < _FEW_DIGITS
