"""Learning by doing: exercises, marking somebody's working, and naming the mistakes in it."""

from __future__ import annotations

from deltaprop.practice.exercise import Exercise, exercise
from deltaprop.practice.exercises.session import Score, Session
from deltaprop.practice.marking.mark import VERDICTS, Mark, Marking, mark
from deltaprop.practice.sheets.sheet import Sheet

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
