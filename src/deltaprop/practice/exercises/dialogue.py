"""What dialogues about a few questions have in common: commands, tries, hints, the score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Protocol, TypeVar

from deltaprop.practice.exercises.session import COMMANDS, Ask, Quit, Score, Tell
from deltaprop.practice.wording import wording_of
from deltaprop.widths import wrap

__all__ = ["Dialogue"]


class Told(Protocol):
    """What a dialogue can be about."""

    def to_terminal(self, *, width: int = 80) -> str:
        """Return it as text."""

    def to_key_terminal(self, *, width: int = 80) -> str:
        """Return the answers as text."""


T = TypeVar("T", bound=Told)


@dataclass
class Dialogue(Generic[T]):
    """A dialogue of a few questions about a task, each asked until it is right or left out."""

    ask: Ask
    tell: Tell
    width: int
    task: T
    score: Score = field(init=False)
    n_questions: ClassVar[int] = 1

    def __post_init__(self) -> None:
        self.score = Score(self.n_questions)

    @property
    def language(self) -> str:
        """Return the language of the words."""
        raise NotImplementedError

    def show(self) -> None:
        """Show what it is about."""
        self.tell(self.task.to_terminal(width=self.width).rstrip("\n"))

    def hold(self) -> None:
        """Ask the questions."""
        raise NotImplementedError

    def hint(self, key: str) -> None:
        """Give a hint."""
        raise NotImplementedError

    def end(self) -> None:
        """Tell the answer."""
        self.tell("")
        for line in self.task.to_key_terminal(width=self.width).rstrip("\n").split("\n"):
            self.tell(line)

    def run(self) -> Score:
        """Show it, ask the questions, tell the answer, and return how it went."""
        self.show()
        try:
            self.hold()
        except Quit:
            self.score.stopped = True
        except (EOFError, KeyboardInterrupt):
            self.score.stopped = True
            self.tell("")
            self.say("left")
        self.end()
        return self.score

    def question(
        self, prompt: str, is_right: Callable[[str], bool | None], hint: str, **facts: object
    ) -> None:
        """Ask until it is right or left out; ``is_right`` is None for what is no answer."""
        is_first, tried = True, False
        try:
            while True:
                text = self.ask(self.words(prompt, **facts)).strip().lower()
                command = next((c for c, names in COMMANDS.items() if text in names), "")
                if command == "quit":
                    raise Quit
                if command == "skip":
                    self.say("skipped")
                    return
                if command == "show":
                    self.show()
                elif command == "hint":
                    is_first = False
                    self.score.hints += 1
                    self.hint(hint)
                elif (answer := is_right(text)) is not None:
                    tried = not answer
                    if answer:
                        self.score.right += 1
                        self.score.first += is_first
                        return
                    is_first = False
        finally:
            self.score.wrong += tried

    def words(self, key: str, **facts: object) -> str:
        """Return a sentence in the language."""
        return wording_of(self.language)[key].format(**facts)

    def say(self, key: str, **facts: object) -> None:
        """Tell a sentence."""
        for line in wrap(self.words(key, **facts), self.width):
            self.tell(line)
