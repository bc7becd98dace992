"""What one column of a table is, and the numbers it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from deltaprop.tabular.cells import shorten
from deltaprop.tabular.scaling import squash

__all__ = ["KINDS", "Column", "Kind", "Output", "ReportRow", "TableWarning"]

Kind = Literal["numeric", "category", "binary", "boolean", "date", "constant", "text"]
KINDS: tuple[str, ...] = get_args(Kind)


class TableWarning(UserWarning):
    """Something about a table that is worth a look but no reason to refuse it."""


class Output(NamedTuple):
    """One number per row that a column gives: which part of it, and how that is scaled.

    ``part`` is ``value``, ``missing``, a part of a date, or for categories ``category``.
    """

    part: str
    center: float
    scale: float

    def squashed(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale and clip this part of a column."""
        return squash(values, self.center, self.scale)


class ReportRow(NamedTuple):
    """One line of the report about a table: what was made of a column."""

    column: str
    kind: str
    done: str
    missing: int


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the training table.

    Attributes
    ----------
    name : str
        Its name, by which it is found at prediction.
    kind : str
        ``numeric``, ``category`` (one output per category), ``binary`` and ``boolean`` (-1 or
        +1), ``date``, ``constant`` (left out, but for where it is missing), ``text`` (left out).
    missing : int
        Cells that were missing at training.
    outputs : tuple of Output
        The numbers per row it becomes; empty when the column is left out.
    categories : tuple of str
        In the order of the outputs; of a binary column first the one that is -1.
    rest : int
        Rarer categories that have no output.
    date_format : str
        The notation of a date, ``date`` when the column held real dates.
    strays : int
        Cells of a numeric column that were no numbers at training and were taken as missing.
    note : str
        Why the column is left out, or what else is particular about it.
    """

    name: str
    kind: Kind
    missing: int
    outputs: tuple[Output, ...] = ()
    categories: tuple[str, ...] = ()
    rest: int = 0
    date_format: str = ""
    strays: int = 0
    note: str = ""

    @property
    def output_names(self) -> tuple[str, ...]:
        """One readable name per output, such as ``island=Biscoe`` or ``sex (MALE=+1)``."""
        if self.kind == "category":
            return tuple(f"{self.name}={category}" for category in self.categories)
        return tuple(self._named(output.part) for output in self.outputs)

    def _named(self, part: str) -> str:
        if part == "missing":
            return f"{self.name} is missing"
        if self.kind in ("binary", "boolean"):
            return f"{self.name} ({self.categories[1]}=+1)"
        return self.name if part == "value" else f"{self.name} ({part})"

    def report(self) -> ReportRow:
        """Say in a few words what was made of the column."""
        return ReportRow(self.name, self.kind, "; ".join(filter(None, self._done())), self.missing)

    def _done(self) -> tuple[str, ...]:
        absent = "" if not self.missing else "missing marked in a column of its own"
        if self.kind == "numeric":
            value = self.outputs[0]
            scaled = f"median {value.center:.6g}, scale {value.scale:.6g}"
            return scaled, absent, self.note
        if self.kind == "category":
            return f"one-hot, {len(self.categories)} categories", self.note
        if self.kind in ("binary", "boolean"):
            low, high = (shorten(c, 30).strip("'") for c in self.categories)
            return f"{low} = -1, {high} = +1", self.note
        if self.kind == "date":
            parts = ", ".join(o.part for o in self.outputs if o.part != "missing")
            return f"{parts.replace('days', 'days since 1970')}", absent, self.note
        return (self.note,) if not self.outputs else (self.note, "marked where missing")

    def to_dict(self) -> dict[str, Any]:
        """Return the column as plain values that JSON keeps exactly."""
        return {
            "name": self.name,
            "kind": self.kind,
            "missing": self.missing,
            "outputs": [list(output) for output in self.outputs],
            "categories": list(self.categories),
            "rest": self.rest,
            "date_format": self.date_format,
            "strays": self.strays,
            "note": self.note,
        }
