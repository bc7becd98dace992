"""Showing the work: from a trace to steps, from steps to a terminal."""

from __future__ import annotations

from deltaprop.explaining.document.labels import Names
from deltaprop.explaining.examples import (
    EXAMPLES,
    WorkedExample,
    Written,
    built_in_example,
    read_worked_example,
    worked_example,
)
from deltaprop.explaining.explanation import Explanation, explain
from deltaprop.explaining.repeated import Measure, Repeated, repeat

__all__ = [
    "EXAMPLES",
    "Explanation",
    "Measure",
    "Names",
    "Repeated",
    "WorkedExample",
    "Written",
    "built_in_example",
    "explain",
    "read_worked_example",
    "repeat",
    "worked_example",
]
