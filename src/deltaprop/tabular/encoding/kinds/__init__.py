"""The kinds of columns, one file each: what one of them knows stands there and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

from deltaprop.model.stored import Stored
from deltaprop.tabular.encoding.column import Column
from deltaprop.tabular.encoding.kinds.category import CategoryColumn
from deltaprop.tabular.encoding.kinds.constant import ConstantColumn
from deltaprop.tabular.encoding.kinds.date import DateColumn
from deltaprop.tabular.encoding.kinds.numeric import NumericColumn
from deltaprop.tabular.encoding.kinds.text import TextColumn
from deltaprop.tabular.encoding.kinds.two_values import BinaryColumn, BooleanColumn

__all__ = ["COLUMN_KINDS", "stored_column"]

# In the order in which they are asked whether a column is of theirs; the last one takes all words.
COLUMN_KINDS: Mapping[str, type[Column]] = {
    kind.kind: kind
    for kind in (
        ConstantColumn,
        BooleanColumn,
        DateColumn,
        NumericColumn,
        TextColumn,
        BinaryColumn,
        CategoryColumn,
    )
}


def stored_column(place: str, values: object) -> Column:
    """Return the column that `Column.to_dict` described; ``place`` names it in messages."""
    stored = Stored(values, f"table encoder, {place}")
    return COLUMN_KINDS[stored.text("kind", tuple(COLUMN_KINDS))].from_stored(stored)
