"""Decide what each column of a training table is: the kinds are asked, one after another."""

from __future__ import annotations

from deltaprop.errors import ColumnError, of
from deltaprop.tabular.encoding.column import Column
from deltaprop.tabular.encoding.kinds import COLUMN_KINDS
from deltaprop.tabular.encoding.training_column import TrainingColumn
from deltaprop.tabular.libraries import pl

__all__ = ["fit_column"]


def fit_column(series: pl.Series, where: str) -> tuple[Column, list[str]]:
    """Return what ``series`` is and how it is encoded, and the warnings about it."""
    column = TrainingColumn(series, where)
    for kind in COLUMN_KINDS.values():
        found = kind.recognised(column)
        if found is not None:
            return found, column.warnings
    raise ColumnError(
        f"Column {column.name!r}{of(where)} is of type {series.dtype}: expected numbers, text, "
        "truth values or dates. Split it into columns, or leave it out."
    )
