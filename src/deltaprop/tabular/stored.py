"""Checks on what comes out of a file: every value of the right type, or a refusal."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from deltaprop.errors import DataError

__all__ = ["Stored"]

T = TypeVar("T")


class Stored:
    """A stored mapping whose entries are taken out with their type checked.

    Every refusal is a `DataError` that names the entry.
    """

    def __init__(self, values: object, where: str) -> None:
        self.where = where
        if not isinstance(values, Mapping):
            self.refuse("the whole", values, "a mapping")
        self.values: Mapping[Any, Any] = values

    def refuse(self, key: str, found: object, expected: str) -> NoReturn:
        """Raise the error that says what is wrong with an entry."""
        text = repr(found)
        shown = text if len(text) <= 60 else f"{text[:60]}..."
        raise DataError(
            f"The stored {self.where} is damaged: {key} is {shown}; expected {expected}. "
            "The model file was not written by deltaprop, or was changed since; train and save it "
            "again."
        )

    def _get(self, key: str, expected: str) -> object:
        if key not in self.values:
            self.refuse(key, "absent", expected)
        return self.values[key]

    def text(self, key: str, among: tuple[str, ...] = ()) -> str:
        """Take a text, one of ``among`` if given."""
        expected = f"one of {', '.join(among)}" if among else "a text"
        value = self._get(key, expected)
        if not isinstance(value, str) or (among and value not in among):
            self.refuse(key, value, expected)
        return value

    def count(self, key: str, least: int = 0) -> int:
        """Take a whole number that is at least ``least``."""
        return self._count(key, self._get(key, "a whole number"), least)

    def _count(self, key: str, value: object, least: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
            self.refuse(key, value, f"a whole number of at least {least}")
        return value

    def number(self, key: str, *, positive: bool = False) -> float:
        """Take a finite number."""
        return self.as_number(key, self._get(key, "a number"), positive=positive)

    def as_number(self, key: str, value: object, *, positive: bool = False) -> float:
        """Check one number of an entry."""
        expected = "a finite number above 0" if positive else "a finite number"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.refuse(key, value, expected)
        try:
            number = float(value)
        except OverflowError:
            self.refuse(key, value, expected)
        if not math.isfinite(number) or (positive and number <= 0):
            self.refuse(key, value, expected)
        return number

    def items(self, key: str, each: Callable[[str, object], T]) -> tuple[T, ...]:
        """Take a list, its entries checked by ``each``."""
        value = self._get(key, "a list")
        if not isinstance(value, (list, tuple)):
            self.refuse(key, value, "a list")
        return tuple(each(f"{key}[{i}]", entry) for i, entry in enumerate(value))

    def texts(self, key: str, *, different: bool = False) -> tuple[str, ...]:
        """Take a list of texts."""

        def each(place: str, entry: object) -> str:
            if not isinstance(entry, str):
                self.refuse(place, entry, "a text")
            return entry

        found = self.items(key, each)
        if different and len(set(found)) < len(found):
            twice = Counter(found).most_common(1)[0][0]
            self.refuse(key, twice, "texts that are all different")
        return found

    def counts(self, key: str, least: int = 0) -> tuple[int, ...]:
        """Take a list of whole numbers."""
        return self.items(key, lambda place, entry: self._count(place, entry, least))

    def numbers(self, key: str, *, positive: bool = False) -> tuple[float, ...]:
        """Take a list of finite numbers."""
        return self.items(key, lambda place, e: self.as_number(place, e, positive=positive))
