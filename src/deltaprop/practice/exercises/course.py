"""The course: one exercise after another, harder when it goes well, easier when it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deltaprop.errors import DataError, OutputError
from deltaprop.practice.exercises.kinds import KINDS
from deltaprop.practice.exercises.levels import LEVELS
from deltaprop.practice.exercises.record import Done, Record, today
from deltaprop.practice.exercises.session import COMMANDS, Ask, Score, Tell
from deltaprop.practice.wording import wording_of
from deltaprop.widths import wrap

__all__ = ["ORDER", "Course", "first_level", "next_level"]

_WELL, _BADLY = 0.8, 0.5  # of the numbers, right at once and without a hint
ORDER = ("working", "working", "find", "working", "fix")  # of the kinds, over and over


def first_level(record: Record) -> int:
    """Return the level to begin with: where somebody left off, or the easiest."""
    graded = [
        one
        for one in record.done
        if one.kind in KINDS and KINDS[one.kind].has_levels and one.level in LEVELS
    ]
    return next_level(graded[-1].level, graded[-1]) if graded else min(LEVELS)


def next_level(level: int, score: Score | Done) -> int:
    """Return the level to go on with: the next one, the one before, or the same again."""
    share = score.first / max(score.asked, 1)
    if score.ok and share >= _WELL:
        level += 1
    elif share < _BADLY:
        level -= 1
    return min(max(level, min(LEVELS)), max(LEVELS))


@dataclass
class Course:
    """A dialogue of many exercises.

    Attributes
    ----------
    record : Record
        Where it is noted how each went.
    ask, tell, width
        As for ``Session``.
    language : str
        Of the words.
    level : int
        Of the next exercise.
    new_seed : callable
        Returns the seed of the next exercise.
    kinds : tuple of str
        What is to be done, in turn: keys of ``KINDS``.
    digits : int, optional
        Significant digits that are shown.
    """

    record: Record
    ask: Ask
    tell: Tell
    width: int
    language: str
    level: int
    new_seed: Callable[[], int]
    kinds: tuple[str, ...] = ORDER
    digits: int | None = None

    def run(self) -> bool:
        """Hold the dialogue until somebody has had enough; return whether all was right."""
        all_right, number = True, 0
        while True:
            kind = self.kinds[number % len(self.kinds)]
            score = self.one(kind, self.level, self.new_seed())
            all_right = all_right and score.ok
            level = next_level(self.level, score) if KINDS[kind].has_levels else self.level
            if score.stopped or not self._goes_on(level):
                break
            number += 1
        self.tell("")
        for line in self.record.summary(self.language, self.width).split("\n"):
            self.tell(line)
        return all_right

    def one(self, kind: str, level: int, seed: int) -> Score:
        """Hold the dialogue about one exercise, and note how it went."""
        drawn = KINDS[kind].draw(level, seed, self.language, self.digits)
        score = KINDS[kind].dialogue(self.ask, self.tell, self.width, drawn).run()
        done = Done(
            today(), kind, level, seed, score.asked, score.right, score.first, score.hints,
            score.mistakes,
        )  # fmt: skip
        if score.is_begun:
            try:
                self.record.add(done)
            except (DataError, OutputError) as error:
                self._say("record lost", error=error)
        return score

    def _goes_on(self, level: int) -> bool:
        """Ask how to go on, and set the level; return whether to."""
        while True:
            self.tell("")
            self._say(
                "next", level=level, title=LEVELS[level].names[self.language], last=max(LEVELS)
            )
            try:
                text = self.ask(wording_of(self.language)["next prompt"]).strip().lower()
            except (EOFError, KeyboardInterrupt):
                self.tell("")
                return False
            if text in COMMANDS["quit"]:
                return False
            if text.isascii() and text.isdigit() and int(text[:3]) in LEVELS:
                level = int(text[:3])
            if not text or text.isdigit():
                self.level = level
                return True

    def _say(self, key: str, **facts: object) -> None:
        for line in wrap(wording_of(self.language)[key].format(**facts), self.width):
            self.tell(line)
