"""Task: a step with tidy numbers, some of them to be found, their marking and hints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt

from deltaprop._version import __version__
from deltaprop.checking.step import Quantities, Step
from deltaprop.errors import SettingError
from deltaprop.explaining import Explanation, Names, WorkedExample, explain, worked_example
from deltaprop.notation.digits import number_text
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.practice.exercises.generate import generate, has_exact_answers
from deltaprop.practice.exercises.items import Item, items_of
from deltaprop.practice.exercises.levels import Level, level_of
from deltaprop.practice.exercises.lines import TaskLines, quantity_of
from deltaprop.practice.marking.mark import Marking, mark
from deltaprop.practice.marking.step import step_of
from deltaprop.practice.wording import wording_of

__all__ = ["HINTS", "Task", "Texts", "check_seed", "texts_of"]

Texts: TypeAlias = "str | list[Texts]"

HINTS = (1, 2, 3)  # parts of a line: in symbols, with its numbers, with the result
_SHOWN_IF_EXACT, _SHOWN_IF_ROUNDED, _MOST_SHOWN = 6, 4, 17  # significant digits


@dataclass(frozen=True)
class Task:
    """What is given and asked in an exercise, and its right numbers; see ``Exercise``."""

    level: int
    seed: int
    language: str
    digits: int
    given: Mapping[str, Any]

    @classmethod
    def drawn(cls, level: int, seed: int, language: str, digits: int | None) -> Self:
        """Return the task of a level and a seed, as ``exercise`` describes it."""
        rules = level_of(level)
        check_seed(seed)
        least = rules.least_digits
        if digits is not None and not (_is_whole(digits) and least <= digits <= _MOST_SHOWN):
            raise SettingError(f"digits is {digits!r}; it is from {least} to {_MOST_SHOWN}.")
        wording_of(language)
        given = generate(rules, seed)
        if digits is None:
            exact = has_exact_answers(step_of(worked_example(given)))
            digits = _SHOWN_IF_EXACT if exact else _SHOWN_IF_ROUNDED
        return cls(level, seed, language, digits, given)

    @property
    def words(self) -> Mapping[str, str]:
        """Return the wording in its language."""
        return wording_of(self.language)

    @property
    def title(self) -> str:
        """Return what it is about."""
        return self.rules.names[self.language]

    @property
    def titles(self) -> dict[str, Any]:
        """Return it as keys of a worked example: in its language, and in each."""
        return {"title": self.title, "titles": dict(self.rules.names)}

    @property
    def rules(self) -> Level:
        """Return what all exercises of the level have in common."""
        return level_of(self.level)

    @property
    def asked(self) -> tuple[str, ...]:
        """Return the quantities to find, as keys of ``claims``."""
        return self.rules.asked

    @property
    def told(self) -> tuple[str, ...]:
        """Return the quantities that are told, although they have to be worked out."""
        return self.rules.told

    @cached_property
    def worked(self) -> WorkedExample:
        """Return the network, its numbers and the batch."""
        return worked_example({**self.given, **self.titles})

    @cached_property
    def step(self) -> Step:
        """Return the step that is to be worked out."""
        return step_of(self.worked)

    @property
    def values(self) -> Quantities:
        """Return every right number, by quantity."""
        return self.step.right

    @cached_property
    def explanation(self) -> Explanation:
        """Return the step with every number accounted for."""
        worked = self.worked
        return explain(
            worked.network, worked.parameters, worked.x, worked.targets,
            optimizer=worked.optimizer, names=Names(self.title),
        )  # fmt: skip

    @property
    def has_exact_answers(self) -> bool:
        """Return whether all answers are short decimals."""
        return has_exact_answers(self.step)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Return what is asked for, row by row, in the order in which it is worked out."""
        return tuple(
            item for name in self.asked for item in items_of(name, self.values[name].shape)
        )

    @property
    def n_asked(self) -> int:
        """Return how many numbers are asked for."""
        return len(self.asked_ids)

    @property
    def key(self) -> dict[str, Texts]:
        """Return the answers as ``claims``, with the digits that are shown."""
        return {name: self.texts(name) for name in self.asked}

    def texts(self, quantity: str) -> Texts:
        """Return the right numbers of a quantity as they are shown, in nested lists."""
        return texts_of(self.values[quantity], self.digits)

    def blank(self) -> dict[str, Any]:
        """Return ``claims`` with None where an answer belongs."""
        return {name: np.full(self.values[name].shape, None).tolist() for name in self.asked}

    def mark(self, answers: Mapping[str, object]) -> Marking:
        """Mark answers.

        Parameters
        ----------
        answers : mapping
            In the form of ``claims``: numbers or (nested) lists of them by quantity, None for what
            is left out. A string such as "0.50" says how precisely it is written.

        Returns
        -------
        Marking
            A verdict on each number; wrong ones carry the name of the mistake.

        Raises
        ------
        DataError
            When a quantity, a shape or a number is impossible, or nothing is answered.
        """
        return mark({**self._asked_for, "claims": answers, "conventions": "house"})

    @property
    def _asked_for(self) -> dict[str, Any]:
        return {**self.given, **self.titles, "digits": self.rules.least_digits}

    def hint(self, name: str, parts: int = 1) -> str:
        """Return a hint: the line of the derivation that works out a number.

        Parameters
        ----------
        name : str
            The id of a number, such as "dW.1[0,1]"; a quantity stands for its first one.
        parts : {1, 2, 3}
            Of the line: in symbols, also with the numbers put in, also with the result.

        Returns
        -------
        str
            The line as ``explanation.to_terminal()`` shows it, after those of the numbers in
            between that nobody asks for.

        Raises
        ------
        SettingError
            When the number is not asked for.
        """
        if parts not in HINTS:
            raise SettingError(f"parts is {parts!r}; it is from {HINTS[0]} to {HINTS[-1]}.")
        *before, last = self.lines.to(self._asked_ref(name))
        described = [(line, parts + 1) for line in before] + [(last, parts)]
        return "\n".join(" ".join(self.lines.parts(line)[: 1 + count]) for line, count in described)

    def _asked_ref(self, name: str) -> Ref:
        found = read_ref(name)
        quantity = quantity_of(found)
        if quantity not in self.asked:
            raise SettingError(
                f"{name} is not asked for here; asked for are {', '.join(self.asked)}."
            )
        if not found.index:
            found = read_ref(next(item.ids[0] for item in self.items if item.quantity == quantity))
        if found.index not in set(np.ndindex(*self.values[quantity].shape)):
            shape = " x ".join(map(str, self.values[quantity].shape))
            raise SettingError(f"There is no {name}; {quantity} is {shape}, counted from 0.")
        return found

    @cached_property
    def lines(self) -> TaskLines:
        """Return what numbers are called and how they are worked out."""
        return TaskLines(self.explanation, (*self.asked, *self.told), self.digits)

    @property
    def asked_ids(self) -> tuple[str, ...]:
        """Return the ids of all numbers asked for."""
        return tuple(name for item in self.items for name in item.ids)

    def to_dict(self) -> dict[str, Any]:
        """Return the exercise as a worked example whose claims are left open, fit for JSON."""
        return {
            "format": "deltaprop-exercise/1",
            **self.titles,
            "practice": {"level": self.level, "seed": self.seed, "version": __version__},
            **self.given,
            "digits": self.rules.least_digits,
            "told": {name: self.texts(name) for name in self.told},
            "claims": self.blank(),
        }


def check_seed(seed: object) -> None:
    """Raise SettingError where a seed is no whole number from 0 on."""
    if not _is_whole(seed) or seed < 0:
        raise SettingError(f"seed is {seed!r}; it is a whole number from 0 on.")


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def texts_of(values: npt.NDArray[Any], digits: int) -> Texts:
    """Return numbers as they are shown, in nested lists."""
    if values.ndim == 0:
        return number_text(float(values), digits)
    return [texts_of(part, digits) for part in values]
