"""What one column of a table is, and the numbers it becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from deltaprop.model.stored import Stored
from deltaprop.tabular.encoding.cells import shorten
from deltaprop.tabular.encoding.dates import DATE_FORMATS
from deltaprop.tabular.encoding.scaling import squash
from deltaprop.tabular.encoding.vocabulary import Vocabulary
from deltaprop.tabular.reading.notation import Notation

__all__ = ["KINDS", "Column", "Kind", "Output", "ReportRow", "TableWarning", "stored_column"]

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
        +1), ``date``, ``constant`` (left out, but for where it is missing), ``text`` (free text,
        one output per term of its vocabulary; names and identifiers are left out).
    missing : int
        Cells that were missing at training.
    outputs : tuple of Output
        The numbers per row it becomes; empty when the column is left out, and for free text.
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
    vocabulary : Vocabulary or None
        The terms of a column of free text.
    edges : tuple of float
        Of the ranges of a numeric column, which become further outputs; see ``ranges.shares``.
    notation : Notation or None
        How a numeric column was written at training, if not as plain numbers.
    offset : int
        What is taken from whole numbers beyond 2^53 before they are floats.
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
    vocabulary: Vocabulary | None = None
    edges: tuple[float, ...] = ()
    notation: Notation | None = None
    offset: int = 0

    @property
    def n_outputs(self) -> int:
        """How many numbers per row the column becomes; 0 when it is left out."""
        return self.n_dense if self.vocabulary is None else self.vocabulary.n_terms

    @property
    def n_dense(self) -> int:
        """How many of them are not terms of a text."""
        return len(self.outputs) + self.n_ranges

    @property
    def n_ranges(self) -> int:
        """How many of them, the last ones, are shares of ranges."""
        return max(0, len(self.edges) - 1)

    @property
    def output_names(self) -> tuple[str, ...]:
        """One readable name per output: ``island=Biscoe``, ``review: "wonderful plot"``."""
        if self.vocabulary is not None:
            return tuple(f"{self.name}: {term}" for term in self.vocabulary.names)
        if self.kind == "category":
            return tuple(f"{self.name}={category}" for category in self.categories)
        named = [self._named(output.part) for output in self.outputs]
        named += [f"{self.name} from {low:.6g} to {high:.6g}" for low, high in pairwise(self.edges)]
        return tuple(named)

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
            ranges = f"{self.n_ranges} ranges beside it" if self.edges else ""
            return scaled, absent, ranges, self.note
        if self.kind == "category":
            return f"one-hot, {len(self.categories)} categories", self.note
        if self.kind in ("binary", "boolean"):
            low, high = (shorten(c, 30).strip("'") for c in self.categories)
            return f"{low} = -1, {high} = +1", self.note
        if self.kind == "date":
            parts = ", ".join(o.part for o in self.outputs if o.part != "missing")
            return f"{parts.replace('days', 'days since 1970')}", absent, self.note
        if self.vocabulary is not None:
            nothing = "zeros where missing" if self.missing else ""
            return self.vocabulary.told(), nothing, self.note
        return (self.note,) if not self.outputs else (self.note, "marked where missing")

    def to_dict(self) -> dict[str, Any]:
        """Return the column as plain values that JSON keeps exactly."""
        values = {
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
        # Only where there are some: other tables are stored as they were before them.
        if self.edges:
            values["edges"] = list(self.edges)
        if self.notation:
            values["notation"] = self.notation.to_dict()
        if self.offset:
            values["offset"] = str(self.offset)
        return values | ({"vocabulary": self.vocabulary.to_dict()} if self.vocabulary else {})


def stored_column(place: str, values: object) -> Column:
    """Return the column that `Column.to_dict` described; ``place`` names it in messages.

    Raises
    ------
    DataError
        Anything that ``to_dict`` would not have written; the values may come from a stranger.
    """
    stored = Stored(values, f"table encoder, {place}")

    def output(key: str, entry: object) -> Output:
        if not isinstance(entry, (list, tuple)) or len(entry) != 3 or not isinstance(entry[0], str):
            stored.refuse(key, entry, "a list of a text and two numbers")
        center = stored.as_number(key, entry[1])
        return Output(entry[0], center, stored.as_number(key, entry[2], positive=True))

    kind = stored.text("kind", KINDS)
    outputs = stored.items("outputs", output)
    categories = stored.texts("categories", different=True)
    date_notation = stored.text("date_format", DATE_FORMATS if kind == "date" else ("",))
    parts = tuple(output.part for output in outputs)
    if not _fits(kind, parts, len(categories)):
        stored.refuse("outputs", list(parts[:8]), f"the parts of a {kind} column")
    vocabulary = None
    if "vocabulary" in stored.values:
        if kind != "text":
            stored.refuse("vocabulary", stored.values["vocabulary"], "none beside a column of text")
        vocabulary = Vocabulary.from_dict(
            f"table encoder, {place}, vocabulary", stored.values["vocabulary"]
        )
    edges = stored.numbers("edges") if "edges" in stored.values else ()
    if edges and (kind != "numeric" or len(edges) < 2 or sorted(set(edges)) != list(edges)):
        stored.refuse("edges", list(edges[:8]), "ascending edges of the ranges of a numeric column")
    return Column(
        stored.text("name"),
        kind,  # type: ignore[arg-type]
        stored.count("missing"),
        outputs,
        categories,
        stored.count("rest"),
        date_notation,
        stored.count("strays"),
        stored.text("note"),
        vocabulary,
        edges,
        *_stored_reading(stored, kind),
    )


def _stored_reading(stored: Stored, kind: str) -> tuple[Notation | None, int]:
    """Return how the cells of a numeric column are read, and what is taken from them."""
    notation, offset = None, 0
    if kind == "numeric" and "notation" in stored.values:
        notation = Notation.from_dict(f"{stored.where}, notation", stored.values["notation"])
    if kind == "numeric" and "offset" in stored.values:
        text = stored.text("offset")
        if not re.fullmatch(r"-?[1-9]\d{0,37}", text):
            stored.refuse("offset", text, "a whole number of up to 38 digits")
        offset = int(text)
    return notation, offset


def _fits(kind: str, parts: tuple[str, ...], n_categories: int) -> bool:
    """Tell whether a column of this kind can have these parts."""
    if kind == "category":
        return parts == ("category",) * n_categories and n_categories > 0
    if kind in ("binary", "boolean"):
        return parts == ("value",) and n_categories == 2
    if n_categories:
        return False
    if kind == "numeric":
        return parts in (("value",), ("value", "missing"))
    if kind == "date":
        allowed = ("days", "month", "day of week", "hour", "missing")
        ordered = tuple(part for part in allowed if part in parts)
        return parts == ordered and parts not in ((), ("missing",))
    return parts == () or (kind == "constant" and parts == ("missing",))
