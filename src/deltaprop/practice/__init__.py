"""Learning by doing: marking somebody's working, and naming the mistakes in it."""

from __future__ import annotations

from deltaprop.practice.marking import VERDICTS, Mark, Marking, mark

__all__ = ["VERDICTS", "Mark", "Marking", "mark"]
