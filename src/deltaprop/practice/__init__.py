"""Learning by doing: exercises, marking somebody's working, and naming the mistakes in it."""

from __future__ import annotations

from deltaprop.practice.exercises import Exercise, exercise
from deltaprop.practice.marking import VERDICTS, Mark, Marking, mark
from deltaprop.practice.session import Score, Session
from deltaprop.practice.sheet import Sheet

__all__ = [
    "VERDICTS",
    "Exercise",
    "Mark",
    "Marking",
    "Score",
    "Session",
    "Sheet",
    "exercise",
    "mark",
]
