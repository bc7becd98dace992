"""The kinds of exercises: what draws one, and the dialogue about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from deltaprop.practice.exercise import exercise
from deltaprop.practice.exercises.find_session import FindSession
from deltaprop.practice.exercises.finding import FindTask
from deltaprop.practice.exercises.fix_session import FixSession
from deltaprop.practice.exercises.fixing import FixTask
from deltaprop.practice.exercises.session import Ask, Score, Session, Tell
from deltaprop.practice.sheets import finding

__all__ = ["KINDS", "Drawn", "Kind"]


class Drawn(Protocol):
    """One exercise of any kind."""

    def to_terminal(self, *, width: int = 80) -> str:
        """Return it as text."""

    def to_key_terminal(self, *, width: int = 80) -> str:
        """Return the answers as text."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""


class Held(Protocol):
    """A dialogue about one exercise."""

    def run(self) -> Score:
        """Hold it, and return how it went."""


@dataclass(frozen=True)
class Kind:
    """A kind of exercise.

    Attributes
    ----------
    doc : str
        What is to be done, in a few words.
    draw : callable
        ``draw(level, seed, language, digits)`` returns one.
    dialogue : callable
        ``dialogue(ask, tell, width, drawn)`` returns the dialogue about it.
    has_levels : bool
        Whether how it went says something about the level.
    printed : mapping
        By format, beside the terminal, ``printed(drawn, "sheet" or "key")`` returns the text.
    """

    doc: str
    draw: Callable[[int, int, str, int | None], Drawn]
    dialogue: Callable[[Ask, Tell, int, Any], Held]
    has_levels: bool = True
    printed: Mapping[str, Callable[[Sequence[Any], str], str]] = field(default_factory=dict)


KINDS: Mapping[str, Kind] = {
    "working": Kind(
        "work out one step",
        lambda level, seed, language, digits: exercise(level, seed, language, digits=digits),
        lambda ask, tell, width, drawn: Session(drawn, ask, tell, width),
    ),
    "find": Kind(
        "find the mistake in a working",
        FindTask.drawn,
        FindSession,
        printed={"html": finding.to_html, "latex": finding.to_latex},
    ),
    "fix": Kind(
        "choose what makes a run of training learn", FixTask.drawn, FixSession, has_levels=False
    ),
}
