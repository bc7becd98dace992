"""A report about one training: its figures as data, and the same as one offline page."""

from __future__ import annotations

from deltaprop.reporting.report import Report, report

__all__ = ["Report", "report"]
