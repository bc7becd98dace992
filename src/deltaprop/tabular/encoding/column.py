"""What one column of a table is, and the numbers it becomes: what all kinds of columns share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple, NoReturn, Self, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from deltaprop.errors import DataError, of
from deltaprop.model.stored import Stored
from deltaprop.tabular.encoding.cells import shorten
from deltaprop.tabular.encoding.encoder import ReportRow
from deltaprop.tabular.encoding.scaling import counted_scale, squash, unsquash
from deltaprop.tabular.encoding.sparse import SparseRows
from deltaprop.tabular.encoding.surprises import Surprises
from deltaprop.tabular.encoding.training_column import TrainingColumn
from deltaprop.tabular.libraries import pl

__all__ = [
    "Column",
    "Encoded",
    "Floats",
    "Output",
    "Wording",
    "joined",
    "words_of",
]

Floats: TypeAlias = NDArray[np.float64]
Wording: TypeAlias = tuple[tuple[str, str], ...]
Encoded: TypeAlias = NDArray[np.floating]  # in the precision that was asked for

# Every version of the format has these for columns of every kind; here they are some kind's own.
_EMPTY: Mapping[str, object] = {"categories": [], "rest": 0, "date_format": "", "strays": 0}
_FIELDS = ("name", "missing", "outputs", "note")


class Output(NamedTuple):
    """One number per row that a column gives: which part of it, and how that is scaled.

    ``part`` is ``value``, ``missing``, a part of a date, or for categories ``category``.
    """

    part: str
    center: float
    scale: float

    @classmethod
    def counted(cls, part: str, *counts: tuple[float, int]) -> Output:
        """Return an output of few different numbers, ascending, each with how often it occurs."""
        return cls(part, *counted_scale([pair for pair in counts if pair[1]]))

    @classmethod
    def of_missing(cls, missing: int, n: int) -> Output:
        """Return the output that is 1 where one of n cells is missing, and 0 where not."""
        return cls.counted("missing", (0.0, n - missing), (1.0, missing))

    def squashed(self, values: Floats) -> Floats:
        """Scale and clip this part of a column."""
        return squash(values, self.center, self.scale)


@dataclass(frozen=True)
class Column(ABC):
    """One column of the training table; each kind is a class of its own, in a file of its own.

    A kind knows how a column of it is recognised, what is fitted, how later cells are read and
    become numbers, what these are called, what is said of it, and what is stored. Its row in
    ``kinds/__init__.py`` is all that else is needed.
    """

    kind: ClassVar[str]  # its name in files
    kind_names: ClassVar[tuple[str, str]]  # in English and Chinese
    parts: ClassVar[tuple[str, ...]]  # what its outputs may be, in order
    in_chinese: ClassVar[Wording] = ()  # patterns of what `described` and the note say
    is_number: ClassVar[bool] = False  # its outputs are amounts, that are more or less
    takes_ranges: ClassVar[bool] = False  # they may be cut into ranges
    is_one_hot: ClassVar[bool] = False  # each output stands for one category
    is_constant: ClassVar[bool] = False  # its cells are all the same
    holds_text: ClassVar[bool] = True  # a file is to be read so that its cells stay text

    name: str  # by which it is found at prediction
    missing: int  # cells that were at training
    # The numbers per row it becomes, but for ranges and the terms of a text; none if left out.
    outputs: tuple[Output, ...] = ()
    note: str = ""  # why the column is left out, or what else is particular about it

    def __new__(cls, *_given: object, **_named: object) -> Self:
        """Refuse to be a column of no kind, as the pickles of version 0.1 hold them."""
        if cls is Column:
            raise DataError(
                "These columns were pickled by an earlier version of deltaprop. Load them with "
                "that version, write a model file with save(), and read that with deltaprop.load."
            )
        return super().__new__(cls)

    @classmethod
    @abstractmethod
    def recognised(cls, column: TrainingColumn) -> Column | None:
        """Return what is fitted to a column, if it is one of this kind.

        That may be a column of another kind: numbers that are all the same are a constant.
        """

    @abstractmethod
    def described(self) -> tuple[str, ...]:
        """Say in a few words what was made of the column, the note included."""

    @abstractmethod
    def fill(self, block: Encoded, series: pl.Series, where: str, found: Surprises) -> None:
        """Encode later cells into ``block``; what is to be warned about goes to ``found``."""

    @classmethod
    def fits(cls, parts: tuple[str, ...], own: Mapping[str, Any]) -> bool:
        """Tell whether a column can have outputs of these parts, beside its own entries."""
        if parts != tuple(part for part in cls.parts if part in parts):
            return False
        return parts not in ((), ("missing",)) or cls.parts in ((), ("missing",))

    @property
    def n_dense(self) -> int:
        """How many numbers per row `fill` gives."""
        return len(self.outputs)

    @property
    def n_outputs(self) -> int:
        """How many numbers per row the column becomes; 0 when it is left out."""
        return self.n_dense

    @property
    def n_kept(self) -> int:
        """How many of them are kept of a row where zeros are not; of a text about."""
        return self.n_dense

    @property
    def n_ranges(self) -> int:
        """How many of them, the last ones, are shares of ranges."""
        return 0

    @property
    def rest(self) -> int:
        """How many rarer categories have no output: others are no surprise then."""
        return 0

    @property
    def is_sparse(self) -> bool:
        """Whether `sparse` encodes it, and not `fill`."""
        return False

    @property
    def words(self) -> tuple[str, ...]:
        """The words that its cells are known to hold."""
        return ()

    @property
    def plain_cells_are(self) -> str | None:
        """What cells another program can make its numbers of: "number", "word"; None: of none."""
        return None

    @property
    def range_edges(self) -> tuple[float, ...]:
        """The edges of its ranges, ascending; empty where it has none."""
        return ()

    def codes(self, series: pl.Series, found: Surprises) -> NDArray[np.int64]:
        """Return which of its ``words`` each later cell is; -1 where it is none."""
        raise NotImplementedError(self.kind)

    @property
    def output_names(self) -> tuple[str, ...]:
        """One readable name per output: ``island=Biscoe``, ``review: "wonderful plot"``."""
        return tuple(self._named(output.part) for output in self.outputs)

    def _named(self, part: str) -> str:
        if part == "missing":
            return f"{self.name} is missing"
        return self.name if part == "value" else f"{self.name} ({part})"

    def report(self) -> ReportRow:
        """Say in a few words what was made of the column."""
        return ReportRow(self.name, self.kind, joined(*self.described()), self.missing)

    def check(self, series: pl.Series, where: str) -> None:  # noqa: B027 - of most any cell will do
        """Raise what encoding later cells raises, without encoding them."""

    def fill_parts(self, block: Encoded, values: Mapping[str, Floats]) -> None:
        """Write the parts of the column, scaled, into ``block``; NaN is missing in all of them."""
        for i, output in enumerate(self.outputs):
            if output.part == "missing":
                absent = np.isnan(next(iter(values.values())))
                block[:, i] = output.squashed(absent.astype(np.float64))
            else:
                block[:, i] = output.squashed(values[output.part])

    def fill_few(
        self, data: Encoded, places: NDArray[np.int32], series: pl.Series, found: Surprises
    ) -> None:
        """Encode later cells into ``n_kept`` numbers per row, and where they stand, ascending."""
        raise NotImplementedError(self.kind)

    def sparse(self, series: pl.Series, where: str, dtype: DTypeLike) -> SparseRows:
        """Return later cells as rows without zeros, where ``is_sparse``."""
        raise NotImplementedError(self.kind)

    def plain_cells(self, series: pl.Series) -> pl.Series | None:
        """Return training cells as floats, or as words; None where they are neither."""
        return None

    def divided(self, series: pl.Series, most: int, where: str) -> Column:
        """Return the column with up to ``most`` ranges of these cells, where it takes such."""
        return self

    def one_number(self, x: Floats) -> tuple[Floats, bool]:
        """Return cells of shape (n, n_outputs) as one number each, and whether these are ordered.

        It is the first output before it was clipped; less than any of them where the cell is
        missing. Where they are not ordered, equal numbers are equal cells, and that is all.
        """
        if self.is_one_hot or self.is_sparse:
            return equal_rows(x), False
        values = unsquash(x[:, 0])
        if len(self.outputs) > 1 and self.outputs[-1].part == "missing":
            marks = x[:, len(self.outputs) - 1]
            values = np.where(marks > (marks.min() + marks.max()) / 2, values.min() - 1.0, values)
        return values, True

    def refuse_cell(
        self, text: pl.Series, strange: pl.Series, expected: str, where: str
    ) -> NoReturn:
        """Raise the error for later cells that are none of this column; ``strange`` says which."""
        row = int(strange[0])
        others = f" {strange.len() - 1} more rows have such a cell." if strange.len() > 1 else ""
        raise DataError(
            f"Column {self.name!r}{of(where)} has {shorten(text[row])} in row {row + 1}: expected "
            f"{expected}, as in training.{others} Correct the cell, or leave it empty if its value "
            "is not known."
        )

    def refuse_type(self, series: pl.Series, expected: str, where: str) -> NoReturn:
        """Raise the error for later cells that are of a type that none of this column is."""
        first = " ".join(shorten(series[0]).split())
        raise DataError(
            f"Column {self.name!r}{of(where)} is of type {series.dtype} (row 1 has "
            f"{first}): expected {expected}, as in training. Convert the column."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the column as plain values that JSON keeps exactly."""
        common = {
            "name": self.name,
            "kind": self.kind,
            "missing": self.missing,
            "outputs": [list(output) for output in self.outputs],
            **_EMPTY,
            "note": self.note,
        }
        return common | self.own_values()

    def own_values(self) -> dict[str, Any]:
        """Return what only this kind stores; what was added later, only where there is some."""
        own = {item.name: getattr(self, item.name) for item in fields(self)[len(_FIELDS) :]}
        return {key: _plain(value) for key, value in own.items() if value or key in _EMPTY}

    @classmethod
    def own_entries(cls, stored: Stored) -> dict[str, Any]:
        """Return what only this kind has, checked: the fields of its class."""
        return {}

    @classmethod
    def from_stored(cls, stored: Stored) -> Self:
        """Return the column that `to_dict` described, each entry checked."""

        def output(key: str, entry: object) -> Output:
            match entry:
                case [str(part), center, scale]:
                    positive = stored.as_number(key, scale, positive=True)
                    return Output(part, stored.as_number(key, center), positive)
            return stored.refuse(key, entry, "a list of a text and two numbers")

        outputs = stored.items("outputs", output)
        own = cls.own_entries(stored)
        for key, value in (*((key, stored.get(key)) for key in _EMPTY), *stored.values.items()):
            if key not in ("kind", *_FIELDS, *own) and (key, value) not in _EMPTY.items():
                stored.refuse(key, value, f"none in a {cls.kind} column")
        parts = tuple(output.part for output in outputs)
        if not cls.fits(parts, own):
            stored.refuse("outputs", list(parts[:8]), f"the parts of a {cls.kind} column")
        missing = stored.count("missing")
        return cls(stored.text("name"), missing, outputs, stored.text("note"), **own)


def words_of(series: pl.Series) -> pl.Series | None:
    """Return training cells as words, null where missing; None where they are none."""
    if series.dtype == pl.Boolean:
        return series.cast(pl.String)
    return TrainingColumn(series, "").words


def joined(*notes: str) -> str:
    """Return notes as one, without those that are empty."""
    return "; ".join(filter(None, notes))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, int | str) else value.to_dict()


def equal_rows(x: NDArray[Any]) -> Floats:
    """Return the same number for rows that are equal, and other numbers for others."""
    _, codes = np.unique(x, axis=0, return_inverse=True)
    return codes.reshape(-1).astype(np.float64)
