"""What comes out of a file: every value of the right type, or a refusal. One way for all of it.

- What is kept is written by a ``to_dict`` as plain data, and read by a ``from_dict`` that takes
  every entry through `Stored`: there is no other way into the program.
- A frozen dataclass of simple fields needs no code for it: ``record(cls, values, where)`` reads
  what ``asdict`` wrote, by the types of the fields. A field that is added is checked like the
  others, and one that an older file has not stands at its default.
- Ranges, and what must fit together, are the class's own business (``__post_init__``); what must
  fit between classes is checked where they meet, in the reader of the file.
- ``save_model`` reads what it is about to write, so what one side adds the other has to know;
  tests/estimators/test_saving.py does so for random tables, tests/estimators/test_hostile_files.py
  for files that somebody changed.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from deltaprop.errors import DataError, shown

__all__ = ["LONGEST_NAME", "LONGEST_TEXT", "Stored", "longest_text", "record"]

T = TypeVar("T")

LONGEST_NAME = 10_000  # characters of what is learnt from: names of columns, categories, classes
LONGEST_TEXT = 20 * LONGEST_NAME  # of what is read: sentences hold names, odd characters escaped
_LARGEST_COUNT = 2**63  # of cells, classes, columns; seeds may be twice that


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
        raise DataError(
            f"The stored {self.where} is damaged: {key} is {shown(found)}; expected {expected}."
        )

    def get(self, key: str, expected: str = "an entry") -> object:
        """Take whatever stands there; for what is checked further on."""
        if key not in self.values:
            raise DataError(
                f"The stored {self.where} is damaged: {key} is absent; expected {expected}."
            )
        return self.values[key]

    def text(self, key: str, among: tuple[str, ...] = ()) -> str:
        """Take a text, one of ``among`` if given."""
        expected = f"one of {', '.join(among)}" if among else "a text"
        value = self.as_text(key, self.get(key, expected))
        if among and value not in among:
            self.refuse(key, value, expected)
        return value

    def as_text(self, key: str, value: object) -> str:
        """Check one text of an entry."""
        if not isinstance(value, str):
            self.refuse(key, value, "a text")
        if len(value) > LONGEST_TEXT:
            self.refuse(key, value, f"a text of at most {LONGEST_TEXT:,} characters")
        return value

    def count(self, key: str, least: int = 0) -> int:
        """Take a whole number that is at least ``least``."""
        return self.as_count(key, self.get(key, "a whole number"), least)

    def as_count(self, key: str, value: object, least: int) -> int:
        """Check one whole number of an entry."""
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not least <= value < _LARGEST_COUNT:  # type: ignore[operator]
            self.refuse(key, value, f"a whole number of at least {least}")
        return value  # type: ignore[return-value]

    def number(self, key: str, *, positive: bool = False) -> float:
        """Take a finite number."""
        return self.as_number(key, self.get(key, "a number"), positive=positive)

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
        return self.as_items(key, self.get(key, "a list"), each)

    def as_items(self, key: str, value: object, each: Callable[[str, object], T]) -> tuple[T, ...]:
        """Check a list of an entry, its own entries by ``each``."""
        if not isinstance(value, (list, tuple)):
            self.refuse(key, value, "a list")
        return tuple(each(f"{key}[{i}]", entry) for i, entry in enumerate(value))

    def texts(self, key: str, *, different: bool = False) -> tuple[str, ...]:
        """Take a list of texts."""
        found = self.items(key, self.as_text)
        if different and len(set(found)) < len(found):
            twice = Counter(found).most_common(1)[0][0]
            self.refuse(key, twice, "texts that are all different")
        return found

    def counts(self, key: str, least: int = 0) -> tuple[int, ...]:
        """Take a list of whole numbers."""
        return self.items(key, lambda place, entry: self.as_count(place, entry, least))

    def numbers(self, key: str, *, positive: bool = False) -> tuple[float, ...]:
        """Take a list of finite numbers."""
        return self.items(key, lambda place, e: self.as_number(place, e, positive=positive))

    def of_type(self, key: str, value: object, hint: Any) -> Any:
        """Check a value by a type: simple ones, lists, mappings and unions of them, dataclasses."""
        kind, inner = get_origin(hint), get_args(hint)
        if kind in (Union, UnionType):
            return self._of_any(key, value, inner)
        if kind in (list, tuple):
            found = self.as_items(key, value, lambda at, entry: self.of_type(at, entry, inner[0]))
            return kind(found)
        if kind is Mapping:
            stored = Stored(value, f"{self.where}, {key}")
            return {
                stored.as_text("a key", name): stored.of_type(str(name)[:60], entry, inner[1])
                for name, entry in stored.values.items()
            }
        if isinstance(hint, type) and is_dataclass(hint):
            return record(hint, value, f"{self.where}, {key}")
        if hint is bool and not isinstance(value, bool):
            self.refuse(key, value, "true or false")
        checks: dict[Any, Callable[[str, object], Any]] = {
            int: self._as_whole, float: self.as_number, str: self.as_text,
        }  # fmt: skip
        if hint in checks:
            return checks[hint](key, value)
        return value if hint is bool else self.refuse(key, value, "nothing that a file can hold")

    def _as_whole(self, key: str, value: object) -> int:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or abs(value) >= 2 * _LARGEST_COUNT:  # type: ignore[arg-type]
            self.refuse(key, value, "a whole number")
        return value  # type: ignore[return-value]

    def _of_any(self, key: str, value: object, hints: tuple[Any, ...]) -> Any:
        """Check a value by the types of a union; the refusal is that of the first."""
        if value is None and type(None) in hints:
            return None
        refusal: DataError | None = None
        for hint in hints:
            if hint is not type(None):
                try:
                    return self.of_type(key, value, hint)
                except DataError as error:
                    refusal = refusal or error
        raise refusal or AssertionError(hints)


def longest_text(facts: object) -> str:
    """Return the longest of all texts in plain data, keys included."""
    longest, waiting = "", [facts]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            longest = max(longest, value, key=len)
        elif isinstance(value, Mapping):
            waiting += [*value, *value.values()]
        elif isinstance(value, (list, tuple)):
            waiting += value
    return longest


def record(
    kind: type[T],
    values: object,
    where: str,
    readers: Mapping[str, Callable[[str, object], Any]] | None = None,
) -> T:
    """Return the dataclass that ``dataclasses.asdict`` described.

    Its fields are ``bool``, ``int``, ``float``, ``str``, lists, tuples (of any length), mappings
    and unions of them, or dataclasses. Floats are finite, whole numbers below 2^64. ``where`` is
    what messages call it; ``readers`` read fields of other types, from the field's name and value.

    Raises
    ------
    DataError
        When an entry is of another type, unknown, or absent and without default.
    """
    stored = Stored(values, where)
    known = {item.name: item for item in fields(kind) if item.init}  # type: ignore[arg-type]
    for key in stored.values:
        if key not in known:
            stored.refuse("the name of an entry", key, f"one of {', '.join(known)}")
    readers = readers or {}
    annotations = {name: item.type for name, item in known.items() if name not in readers}
    hints = get_type_hints(
        type(kind.__name__, (), {"__annotations__": annotations}),
        vars(sys.modules[kind.__module__]),
    )
    found: dict[str, Any] = {}
    for name, item in known.items():
        if name not in stored.values:
            if item.default is MISSING and item.default_factory is MISSING:
                stored.get(name)
            continue
        value = stored.values[name]
        if name in readers:
            found[name] = readers[name](name, value)
        else:
            found[name] = stored.of_type(name, value, hints[name])
    return kind(**found)
