"""The dialogue: one row after another is asked for, marked at once, and may be tried again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from deltaprop.notation.ids import read_ref
from deltaprop.practice.exercise import Exercise
from deltaprop.practice.exercises.answers import read_answers
from deltaprop.practice.exercises.feedback import feedback
from deltaprop.practice.exercises.items import Item
from deltaprop.practice.exercises.task import HINTS
from deltaprop.practice.marking.mark import COARSE, WRONG, Mark
from deltaprop.widths import text_width, wrap

__all__ = ["COMMANDS", "Ask", "Quit", "Score", "Session", "Tell"]

Ask = Callable[[str], str]
Tell = Callable[[str], None]

COMMANDS = {
    "hint": ("?", "？", "hint", "h", "提示"),
    "skip": ("skip", "s", "跳过"),
    "show": ("show", "题目"),
    "quit": ("quit", "q", "exit", "退出", "结束"),
}


@dataclass
class Score:
    """How a session went.

    Attributes
    ----------
    asked, right, first : int
        How many numbers were asked for, are right, and were right at once without a hint.
    wrong, follows : int
        How many are wrong in the end, or follow from such.
    hints : int
        How many were asked for.
    stopped : bool
        Whether somebody stopped before the end.
    mistakes : dict of str to int
        In how many rows each mistake was made, later mended or not.
    """

    asked: int
    right: int = 0
    first: int = 0
    wrong: int = 0
    follows: int = 0
    hints: int = 0
    stopped: bool = False
    mistakes: dict[str, int] = field(default_factory=dict)

    @property
    def left_out(self) -> int:
        """Return how many numbers have no answer."""
        return self.asked - self.right - self.wrong - self.follows

    @property
    def is_begun(self) -> bool:
        """Return whether anything was answered, or a hint asked for."""
        return self.left_out < self.asked or self.hints > 0

    def note(self, mistakes: Iterable[str]) -> None:
        """Count the mistakes made in a row, each once."""
        for name in dict.fromkeys(mistakes):
            self.mistakes[name] = self.mistakes.get(name, 0) + 1

    @property
    def ok(self) -> bool:
        """Return whether every number is right."""
        return self.right == self.asked


class Quit(Exception):  # noqa: N818 - no error: somebody has had enough
    """Somebody wants to stop."""


@dataclass
class Session:
    """A dialogue about one exercise.

    Attributes
    ----------
    task : Exercise
        What is practised.
    ask : callable
        ``ask(prompt) -> line``; raises EOFError or KeyboardInterrupt at the end.
    tell : callable
        ``tell(line)`` shows a line.
    width : int
        Columns.
    """

    task: Exercise
    ask: Ask
    tell: Tell
    width: int = 80
    score: Score = field(init=False)
    _hinted: set[Item] = field(init=False, default_factory=set)
    _hint_now: tuple[str, int] = field(init=False, default=("", 0))

    def __post_init__(self) -> None:
        self.score = Score(self.task.n_asked)
        self._answers = {k: np.array(v, dtype=object) for k, v in self.task.blank().items()}

    def run(self) -> Score:
        """Ask for everything, and return how it went."""
        self._show()
        self._say("how")
        try:
            for number, item in enumerate(self.task.items, start=1):
                self._item(number, item)
        except Quit:
            self.score.stopped = True
        except (EOFError, KeyboardInterrupt):
            self.score.stopped = True
            self.tell("")
            self._say("left")
        marks = self._marks().values()
        self.score.right = sum(mark.ok for mark in marks)
        self.score.wrong = sum(mark.verdict == WRONG for mark in marks)
        self.score.follows = len(marks) - self.score.right - self.score.wrong
        self._end()
        return self.score

    def _item(self, number: int, item: Item) -> None:
        """Ask for one row until it is right or left out, and count the mistakes made in it."""
        made: list[str] = []
        try:
            self._row(number, item, made)
        finally:
            self.score.note(made)

    def _row(self, number: int, item: Item, made: list[str]) -> None:
        prompt = self._prompt(number, item)
        tries = 0
        while True:
            text = self.ask(prompt).strip()
            command = next((c for c, names in COMMANDS.items() if text.lower() in names), "")
            if command == "quit":
                raise Quit
            if command == "skip":
                self._say("skipped")
                return
            if command == "show":
                self._show()
                continue
            if command == "hint":
                self._hint(item)
                continue
            numbers = read_answers(text, len(item.indices))
            if numbers is None:
                one = len(item.indices) == 1
                self._say("not understood one" if one else "not understood", count=len(item.ids))
                continue
            for index, answer in zip(item.indices, numbers, strict=True):
                self._answers[item.quantity][index] = answer
            found = self._marks()
            marks = [found[name] for name in item.ids]
            made += [mark.mistake for mark in marks if mark.mistake]
            tries += 1
            if tries == 1 and item not in self._hinted:
                self.score.first += sum(mark.ok for mark in marks)
            if self._judge(marks):
                return

    def _prompt(self, number: int, item: Item) -> str:
        words, symbol = self.task.words, self.task.lines.symbol
        symbols = words["separator"].join(symbol(read_ref(name)) for name in item.ids)
        return words["prompt"].format(number=number, count=len(self.task.items), symbols=symbols)

    def _judge(self, marks: list[Mark]) -> bool:
        """Say what is right and wrong in a row; return whether to go on."""
        few = [mark for mark in marks if mark.verdict == COARSE]
        wrong = [mark for mark in marks if mark.verdict == WRONG]
        if all(mark.ok for mark in marks) and not few:
            self._say("right")
            return True
        for mark in marks:
            self._tell(feedback(self.task, mark))
        if wrong:
            self._say("try again")
        return not wrong and not few

    def _hint(self, item: Item) -> None:
        """Show the line of the first number that is not right yet, a bit more each time."""
        marks = self._marks()
        name = next((n for n in item.ids if n not in marks or not marks[n].ok), item.ids[0])
        shown = self._hint_now[1] if self._hint_now[0] == name else 0
        parts = min(shown + 1, HINTS[-1])
        self._hint_now = (name, parts)
        self._hinted.add(item)
        self.score.hints += 1
        self._say(f"hint {parts}")
        for line in self.task.hint(name, parts).split("\n"):
            first, *rest = _formula(line, self.width - 2)
            self.tell(f"  {first}")
            for more in rest:
                self.tell(f"      {more}")

    def _marks(self) -> dict[str, Mark]:
        """Return the marks of everything answered, by id."""
        if all(answer is None for blank in self._answers.values() for answer in blank.flat):
            return {}
        return {mark.id: mark for mark in self.task.mark(self._answers).marks}

    def _end(self) -> None:
        score, task = self.score, self.task
        self.tell("")
        self._say("score", right=score.right, count=score.asked, first=score.first)
        if not score.ok:
            self._say(
                "score open", left_out=score.left_out, wrong=score.wrong, follows=score.follows
            )
        if score.hints:
            self._say("score hints", hints=score.hints)
        self._say("again", level=task.level, seed=task.seed)
        self._say("to know")

    def _show(self) -> None:
        self.tell(self.task.to_terminal(width=self.width).rstrip("\n"))

    def _say(self, key: str, **facts: object) -> None:
        self._tell(self.task.words[key].format(**facts))

    def _tell(self, text: str) -> None:
        for line in wrap(text, self.width):
            self.tell(line)


def _formula(line: str, width: int) -> list[str]:
    """Return a formula in lines, broken before its equals signs where it is too long."""
    if text_width(line) <= width:
        return [line]
    parts = line.replace(" = ", "\n= ").replace(" ≈ ", "\n≈ ").split("\n")
    first = " ".join(parts[:2])
    return [piece for part in (first, *parts[2:]) for piece in wrap(part, width - 4)]
