"""Questions that stand by themselves: one row of an exercise, with all before it shown.

The right answer is worked out from the digits that are shown, and so is what each named mistake
gives. A draw in which a wrong answer, as somebody may round it, could be taken for the right one is
no question.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np

from deltaprop.checking.precision import is_close
from deltaprop.checking.search import workings
from deltaprop.checking.step import Given, Quantities, work_out
from deltaprop.notation.digits import number_text
from deltaprop.practice.exercises.items import Item
from deltaprop.practice.exercises.task import Task

__all__ = ["Answer", "Draw", "Question", "questions"]

_SAME = 1e-9  # relative difference of numbers that are one, worked out in two ways
_NOTHING = 1e-12  # below this a number is 0, but for rounding in float64
_LEAST_PLACES = 3  # to which a 0 is written
_HAIR = 1.001  # more than is lost by writing four digits of a tolerance
_MOST_SEEDS = 500  # that are tried for a row; a few are usual


@dataclass(frozen=True)
class Answer:
    """A number somebody may write: the right one, or what mistakes give.

    Attributes
    ----------
    value : float
        The number.
    text : str
        With the digits that are shown.
    tolerance : float
        How far from ``text`` it may be, rounded to as few digits as are asked for.
    mistakes : tuple of str
        Which mistakes give it, the likeliest first; none give the right one.
    """

    value: float
    text: str
    tolerance: float
    mistakes: tuple[str, ...] = ()

    def touches(self, other: Answer) -> bool:
        """Return whether a number may be taken for either."""
        apart = abs(float(self.text) - float(other.text))
        return apart <= _HAIR * (self.tolerance + other.tolerance)


@dataclass(frozen=True)
class Draw:
    """An exercise, and what each of its quantities comes to from those before it, as shown.

    Attributes
    ----------
    task : Task
        The exercise.
    """

    task: Task

    @cached_property
    def listed(self) -> tuple[str, ...]:
        """Return what is asked or told, in the order it is worked out."""
        return tuple(k for k in self.task.values if k in self.task.asked or k in self.task.told)

    @cached_property
    def right(self) -> Quantities:
        """Return what each quantity comes to from the digits shown."""
        return work_out(self.task.step, given=self._shown)[0]

    @cached_property
    def _shown(self) -> Given:
        return Given({k: np.array(self.task.texts(k), dtype=np.float64) for k in self.listed})

    def wrong(self, key: str, index: tuple[int, ...]) -> Iterator[tuple[str, float]]:
        """Yield what the mistakes that are made in this very place give, the commonest first."""
        for name, exactly, values in self._wrong:
            # what only the digits shown make differ is no mistake made here
            if not _is_same(exactly[key][index], self.task.values[key][index]):
                yield name, float(values[key][index])

    @cached_property
    def _wrong(self) -> list[tuple[str, Quantities, Quantities]]:
        step, task = self.task.step, self.task
        exactly = workings(step, Given({k: task.values[k] for k in self.listed}))
        pairs = zip(exactly, workings(step, self._shown), strict=True)
        found = sorted(pairs, key=lambda pair: pair[0][0].rank)
        return [(form.name, values, shown) for (form, values), (_, shown) in found]


@dataclass(frozen=True)
class Question:
    """One row of an exercise to work out, from what is given and all that comes before it.

    Attributes
    ----------
    draw : Draw
        The exercise.
    item : Item
        Which of its numbers are asked for.
    """

    draw: Draw
    item: Item

    @property
    def task(self) -> Task:
        """Return the exercise."""
        return self.draw.task

    @property
    def known(self) -> tuple[str, ...]:
        """Return the quantities that come before, and are shown."""
        return self.draw.listed[: self.draw.listed.index(self.item.quantity)]

    @cached_property
    def answers(self) -> tuple[tuple[Answer, ...], ...]:
        """Return for each number asked for the right answer, then the wrong ones."""
        key, right = self.item.quantity, self.draw.right
        return tuple(
            self._answers(float(right[key][index]), self.draw.wrong(key, index))
            for index in self.item.indices
        )

    @property
    def is_clear(self) -> bool:
        """Return whether no wrong answer, rounded, could be taken for the right one."""
        return not any(answer.touches(right) for right, *wrong in self.answers for answer in wrong)

    def _answers(self, right: float, wrong: Iterable[tuple[str, float]]) -> tuple[Answer, ...]:
        first = self._answer(right)
        found: list[Answer] = []
        for name, value in wrong:
            if not math.isfinite(value) or _is_same(value, right):
                continue
            at = next((i for i, one in enumerate(found) if _is_same(one.value, value)), None)
            if at is None:
                found.append(self._answer(value, name))
            else:
                names = dict.fromkeys((*found[at].mistakes, name))
                found[at] = replace(found[at], mistakes=tuple(names))
        return (first, *(_with_neighbours(answer, found) for answer in found))

    def _answer(self, value: float, *mistakes: str) -> Answer:
        value = 0.0 if abs(value) < _NOTHING else value
        text = number_text(value, self.task.digits)
        least = self.task.rules.least_digits
        place = math.floor(math.log10(abs(value))) + 1 - least if value else -_LEAST_PLACES
        room = 10.0**place / 2 + abs(value - float(text))
        # as it is written down, and not below what has to count
        return Answer(value, text, float(f"{_HAIR * room:.4g}"), mistakes)


def _is_same(one: Any, other: Any) -> bool:
    return bool(is_close(one, other, _NOTHING, _SAME))


def _with_neighbours(answer: Answer, others: list[Answer]) -> Answer:
    """Return an answer with the names of all that it may be taken for."""
    near = [other for other in others if other is not answer and other.touches(answer)]
    names = [*answer.mistakes, *(name for other in near for name in other.mistakes)]
    return replace(answer, mistakes=tuple(dict.fromkeys(names)))


def questions(
    level: int, seed: int, language: str = "en", digits: int | None = None
) -> Iterator[Question]:
    """Yield questions without end: of each exercise one, so that none tells another's answer.

    The first asks for the first row of the first exercise, the next for the second row of the next,
    and so on. Seeds at which a question would be unclear are passed over.
    """
    next_seed = seed
    for number in count():
        for drawn in range(next_seed, next_seed + _MOST_SEEDS):
            task = Task.drawn(level, drawn, language, digits)
            question = Question(Draw(task), task.items[number % len(task.items)])
            if question.is_clear:
                next_seed = drawn + 1
                yield question
                break
