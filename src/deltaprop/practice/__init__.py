"""Learning by doing: exercises, marking somebody's working, and naming the mistakes in it."""

from __future__ import annotations

from deltaprop.practice.classroom.class_marking import ClassMarking, mark_class
from deltaprop.practice.exercise import Exercise, exercise
from deltaprop.practice.exercises.session import Score, Session
from deltaprop.practice.marking.mark import VERDICTS, Mark, Marking, mark
from deltaprop.practice.sheets.sheet import Sheet

__all__ = [
    "VERDICTS",
    "ClassMarking",
    "Exercise",
    "Mark",
    "Marking",
    "Score",
    "Session",
    "Sheet",
    "exercise",
    "mark",
    "mark_class",
]
