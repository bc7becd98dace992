"""A report about one training: its figures as data, and the same as one offline page."""

from __future__ import annotations

from deltaprop.reporting.figures.report import Report
from deltaprop.reporting.writing import report

__all__ = ["Report", "report"]
