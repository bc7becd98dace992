"""Find the mistake: a working in which one of the named mistakes was made, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from deltaprop._version import __version__
from deltaprop.checking.mistakes import MISTAKES
from deltaprop.checking.mistakes.forms import Form, forms_for
from deltaprop.checking.search import workings
from deltaprop.checking.step import Quantities, work_out
from deltaprop.explaining.language import words_of
from deltaprop.notation.digits import Line
from deltaprop.notation.ids import read_ref
from deltaprop.practice.exercises.generate import Draws, is_told_apart
from deltaprop.practice.exercises.items import Item, items_of
from deltaprop.practice.exercises.task import Task, Texts, texts_of
from deltaprop.practice.marking.judge import FOLLOWS, WRONG
from deltaprop.practice.marking.mark import Mark, Marking

__all__ = ["FindTask"]

_MOST_PICKS = 300  # of a mistake to plant; a few are usual
_MOST_ALIKE = 3  # mistakes that give the same working
_OTHERS = 5  # mistakes to choose from that were not made


@dataclass(frozen=True)
class FindTask:
    """A working with one mistake in it, to be found.

    Attributes
    ----------
    task : Task
        The exercise that is worked, rightly but for the mistake.
    planted : Form
        The mistake, in the form in which it was made.
    """

    task: Task
    planted: Form

    @classmethod
    def drawn(cls, level: int, seed: int, language: str, digits: int | None) -> FindTask:
        """Return the one of a level and a seed; the same everywhere.

        Raises
        ------
        SettingError
            When there is no such level, seed, language or number of digits.
        """
        task = Task.drawn(level, seed, language, digits)
        draws = Draws(f"deltaprop find 1, level {level}, seed {seed}")
        forms = [form for form in forms_for(task.step.network) if is_told_apart(form)]
        names = list(dict.fromkeys(form.name for form in forms))
        for _ in range(_MOST_PICKS):
            name = draws.pick(names)
            found = cls(task, draws.pick([form for form in forms if form.name == name]))
            if found._is_to_be_found():
                return found
        raise AssertionError(f"level {level}, seed {seed} shows no mistake")

    def _is_to_be_found(self) -> bool:
        """Return whether marking finds the mistake where it is made, and nothing else."""
        keys = [item.quantity for item in self.lines]
        if not all(np.isfinite(self.values[key]).all() for key in keys):
            return False
        if all(self.texts(key) == self.task.texts(key) for key in keys):
            return False
        wrong = self.marking.wrong
        return (
            bool(wrong)
            and all(self.planted.name in mark.candidates for mark in wrong)
            and len(self.accepted) <= _MOST_ALIKE
        )

    @cached_property
    def values(self) -> Quantities:
        """Return the numbers of the working."""
        return work_out(self.task.step, self.planted.rules)[0]

    def texts(self, quantity: str) -> Texts:
        """Return the numbers of a quantity as they stand in the working, in nested lists."""
        return texts_of(self.values[quantity], self.task.digits)

    @cached_property
    def lines(self) -> tuple[Item, ...]:
        """Return the lines of the working: rows, in the order they are worked out."""
        listed = {*self.task.asked, *self.task.told}
        return tuple(
            item
            for key, right in self.task.values.items()
            if key in listed
            for item in items_of(key, right.shape)
        )

    def numbers(self) -> Iterator[list[tuple[str, str]]]:
        """Yield the lines of the working: the id of each number, and how it is written."""
        for item in self.lines:
            texts = np.array(self.texts(item.quantity), dtype=object)
            pairs = zip(item.ids, item.indices, strict=True)
            yield [(name, str(texts[index])) for name, index in pairs]

    @cached_property
    def marking(self) -> Marking:
        """Return the verdicts of ``mark`` on the working."""
        return self.task.mark({item.quantity: self.texts(item.quantity) for item in self.lines})

    @cached_property
    def _marks(self) -> Mapping[str, Mark]:
        return {mark.id: mark for mark in self.marking.marks}

    def verdict(self, line: int) -> str:
        """Return of a line, counted from 1, whether it is right: the worst verdict in it."""
        found = {self._marks[name].verdict for name in self.lines[line - 1].ids}
        return WRONG if WRONG in found else FOLLOWS if FOLLOWS in found else ""

    @cached_property
    def line(self) -> int:
        """Return the first line that is wrong, counted from 1."""
        return next(n for n in range(1, len(self.lines) + 1) if self.verdict(n) == WRONG)

    @cached_property
    def wrong_id(self) -> str:
        """Return the first wrong number of that line."""
        ids = self.lines[self.line - 1].ids
        return next(name for name in ids if self._marks[name].verdict == WRONG)

    @cached_property
    def accepted(self) -> tuple[str, ...]:
        """Return the mistakes that give the line: the planted one, and what is like it."""
        return tuple(dict.fromkeys((self.planted.name, *self._marks[self.wrong_id].candidates)))

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """Return mistakes to choose from, in the order of ``MISTAKES``; one of them was made."""
        draws = Draws(f"choices 1, level {self.task.level}, seed {self.task.seed}")
        others = [name for name in self._moving if name not in self.accepted]
        chosen = {self.planted.name}
        while len(chosen) <= min(_OTHERS, len(others)):
            chosen.add(draws.pick(others))
        return tuple(name for name in MISTAKES if name in chosen)

    @cached_property
    def _moving(self) -> tuple[str, ...]:
        """Return the mistakes that would change a number of the working."""
        right, keys = self.task.values, {item.quantity for item in self.lines}
        found = [
            form.name
            for form, values in workings(self.task.step)
            if is_told_apart(form) and not all(np.allclose(values[k], right[k]) for k in keys)
        ]
        return tuple(dict.fromkeys(found))

    @property
    def phase(self) -> str:
        """Return what is worked out in that line: forward, loss, backward, ..."""
        return words_of(self.task.language)[read_ref(self.wrong_id).phase]

    @property
    def right_line(self) -> Line:
        """Return that number's line as it should be."""
        return self.task.lines.to(read_ref(self.wrong_id))[-1]

    def to_terminal(self, *, width: int = 80) -> str:
        """Return it as text of at most ``width`` columns."""
        from deltaprop.practice.sheets.finding import sheet

        return sheet(self, width)

    def to_key_terminal(self, *, width: int = 80) -> str:
        """Return the answer as text of at most ``width`` columns."""
        from deltaprop.practice.sheets.finding import key

        return key(self, width)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a worked example whose claims are the working, fit for JSON."""
        return {
            "format": "deltaprop-find/1",
            **self.task.titles,
            "practice": {
                "level": self.task.level, "seed": self.task.seed, "version": __version__,
                "choices": list(self.choices),
            },
            **self.task.given,
            "digits": self.task.rules.least_digits,
            "claims": {item.quantity: self.texts(item.quantity) for item in self.lines},
        }  # fmt: skip
