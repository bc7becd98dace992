"""What a table holds that the training did not: counted block by block, said once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from deltaprop.errors import of, warn_user
from deltaprop.tabular.encoding.cells import listed

__all__ = ["MOST_NAMED", "Surprises", "TableWarning"]

MOST_NAMED = 9  # unknown categories of a column


class TableWarning(UserWarning):
    """Something about a table that is worth a look but no reason to refuse it."""


@dataclass(slots=True)
class Surprises:
    """What is to be warned about, of one table or of several below each other."""

    extra: dict[str, None] = field(default_factory=dict)  # columns that the training had not
    # Of each column how many cells are strange, and the first categories that are not known.
    cells: dict[str, tuple[int, dict[str, None]]] = field(default_factory=dict)

    def add(self, others: Surprises) -> None:
        """Take over what the rows below held."""
        self.extra |= others.extra
        for column, (count, first) in others.cells.items():
            self.of_cells(column, count, first)

    def of_cells(self, column: str, count: int, first: Iterable[str] = ()) -> None:
        """Take note of cells that are strange, and of the first categories that are not known."""
        known, named = self.cells.get(column, (0, {}))
        self.cells[column] = known + count, named | dict.fromkeys(first)

    def clear(self) -> None:
        """Forget all of it."""
        self.extra.clear()
        self.cells.clear()

    def warn(self, where: str = "") -> None:
        """Warn of all of it with a `TableWarning`; ``where`` names the table."""
        if self.extra:
            columns = "a column" if len(self.extra) == 1 else "columns"
            warn_user(
                f"The table{of(where)} has {columns} that the training table had not: "
                f"{listed(list(self.extra))}. Ignored.",
                TableWarning,
            )
        if self.cells:
            warn_user(
                f"The table{of(where)} holds what the training did not: "
                f"{'; '.join(self._described(name) for name in self.cells)}. "
                "Such cells are encoded as unknown.",
                TableWarning,
            )

    def _described(self, column: str) -> str:
        count, first = self.cells[column]
        if not first:
            return f"{count} cells of the numeric column {column!r} are no numbers"
        named = listed(list(first)[:MOST_NAMED], 3)
        return f"{count} {'cell' if count == 1 else 'cells'} of column {column!r} ({named})"
