"""The kinds of exercises: what is to be done, and what draws one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from deltaprop.practice.exercise import exercise
from deltaprop.practice.exercises.session import Ask, Score, Session, Tell

__all__ = ["KINDS", "Dialogue"]


class Dialogue(Protocol):
    """A dialogue about one exercise."""

    def run(self) -> Score:
        """Hold it, and return how it went."""


# Given level, seed, language, digits and how to ask and tell in how many columns: the dialogue.
Opens = Callable[[int, int, str, "int | None", Ask, Tell, int], Dialogue]


def _working(
    level: int, seed: int, language: str, digits: int | None, ask: Ask, tell: Tell, width: int
) -> Dialogue:
    return Session(exercise(level, seed, language, digits=digits), ask, tell, width)


KINDS: Mapping[str, Opens] = {"working": _working}
