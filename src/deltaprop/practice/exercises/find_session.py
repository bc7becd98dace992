"""The dialogue about a working with a mistake in it: which line, which mistake."""

from __future__ import annotations

from deltaprop.practice.exercises.dialogue import Dialogue
from deltaprop.practice.exercises.finding import FindTask
from deltaprop.practice.marking.judge import FOLLOWS
from deltaprop.practice.wording import mistake_described

__all__ = ["FindSession"]


class FindSession(Dialogue[FindTask]):
    """A dialogue about one working with a mistake in it."""

    n_questions = 2

    @property
    def language(self) -> str:
        """Return the language of the words."""
        return self.task.task.language

    def hold(self) -> None:
        """Ask for the line, then for the mistake."""
        count = len(self.task.lines)
        self.question("find line prompt", self._is_line, "find hint line", count=count)
        self.question("find mistake prompt", self._is_mistake, "find hint mistake")

    def _is_line(self, text: str) -> bool | None:
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= len(self.task.lines)):
            self.say("find not a line", count=len(self.task.lines))
            return None
        line = int(text)
        if line == self.task.line:
            self.say("find line right", line=line)
            return True
        verdict = self.task.verdict(line)
        after = "find line follows" if verdict else "find line is right"
        self.say(after if verdict in ("", FOLLOWS) else "find line later", line=line)
        return False

    def _is_mistake(self, text: str) -> bool | None:
        choices = self.task.choices
        place = ord(text) - ord("a") if len(text) == 1 else -1
        name = choices[place] if 0 <= place < len(choices) else text
        if name not in choices and name not in self.task.accepted:
            self.say("find not a mistake", last=chr(ord("a") + len(choices) - 1))
            return None
        described = mistake_described(name, self.language)
        if name in self.task.accepted:
            self.say("find mistake right", described=described, mistake=name)
            return True
        self.say("find mistake wrong", described=described, mistake=name)
        return False

    def hint(self, key: str) -> None:
        """Tell the phase of the line, or the line as it should be, in symbols."""
        if key == "find hint line":
            self.say(key, phase=self.task.phase)
        else:
            self.say(key)
            self.tell("  " + " ".join(self.task.task.lines.parts(self.task.right_line)[:2]))
