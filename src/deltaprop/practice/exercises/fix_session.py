"""The dialogue about a run that does not learn: which change helps."""

from __future__ import annotations

from deltaprop.practice.exercises.dialogue import Dialogue
from deltaprop.practice.exercises.fixing import FixTask

__all__ = ["FixSession"]


class FixSession(Dialogue[FixTask]):
    """A dialogue about one run."""

    @property
    def language(self) -> str:
        """Return the language of the words."""
        return self.task.language

    def hold(self) -> None:
        """Ask for a change that helps."""
        self.question("fix prompt", self._helps, "fix hint")

    def _helps(self, text: str) -> bool | None:
        choices = {chr(ord("a") + i): fix for i, fix in enumerate(self.task.choices)}
        choices |= {fix.name: fix for fix in self.task.choices}
        if text not in choices:
            self.say("find not a mistake", last=chr(ord("a") + len(self.task.choices) - 1))
            return None
        name = choices[text].name
        helps = name in self.task.helping
        loss = f"{self.task.outcomes[name]:.3g}"
        self.say("fix right" if helps else "fix wrong", loss=loss)
        return helps

    def hint(self, key: str) -> None:
        """Tell what keeps the run from learning."""
        self.say(key, fault=self.task.fault.names[self.language])
