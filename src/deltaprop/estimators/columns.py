"""What an MLP estimator says of the columns it does not learn from as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from deltaprop.errors import warn_user
from deltaprop.tabular import TableEncoder, TableWarning
from deltaprop.tabular.encoding.fit import fit_column

__all__ = ["told_of_rows", "warn_of_columns"]

_MOST_TOLD = 20  # columns in one warning


def warn_of_columns(encoder: TableEncoder, *, named: bool) -> None:
    """Warn of the columns that are left out or reduced, by their names.

    Of an array, whose columns have no names, constant ones are not worth a word.
    """
    told = []
    for column in encoder.columns:
        if column.rest:
            told.append(f"{column.name!r} ({column.rest:,} rarer categories are taken as unknown)")
        elif not column.n_outputs and (named or not column.is_constant):
            told.append(f"{column.name!r} ({column.note})")
    if len(told) > _MOST_TOLD:
        told[_MOST_TOLD:] = [f"{len(told) - _MOST_TOLD:,} more"]
    sentences = [f"Columns of X are left out or reduced: {'; '.join(told)}."] if told else []
    sentences += encoder.warnings
    if sentences:
        sentences.append("Convert such columns, or leave them out yourself.")
        warn_user(" ".join(sentences), TableWarning)


def told_of_rows(encoder: TableEncoder, table: Any) -> TableEncoder:
    """Return an encoder whose warnings tell where in this table the rows stand."""
    about: list[str] = []
    for column in encoder.columns:
        if any(told.startswith(f"Column {column.name!r} ") for told in encoder.warnings):
            about += fit_column(table[column.name].to_native(), "X")[1]
    return replace(encoder, warnings=tuple(about))
