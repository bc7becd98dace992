"""What dialogues about a few questions have in common: commands, tries, hints, the score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from deltaprop.practice.exercises.session import COMMANDS, Ask, Quit, Score, Tell
from deltaprop.practice.wording import wording_of
from deltaprop.widths import wrap

__all__ = ["Dialogue"]


@dataclass
class Dialogue:
    """A dialogue of a few questions, each asked until it is right or left out."""

    ask: Ask
    tell: Tell
    width: int
    score: Score = field(init=False)

    @property
    def language(self) -> str:
        """Return the language of the words."""
        raise NotImplementedError

    def show(self) -> None:
        """Show what it is about."""
        raise NotImplementedError

    def hold(self) -> None:
        """Ask the questions."""
        raise NotImplementedError

    def hint(self, key: str) -> None:
        """Give a hint."""
        raise NotImplementedError

    def end(self) -> None:
        """Tell the answer."""
        raise NotImplementedError

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
