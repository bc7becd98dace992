"""A column whose cells are all the same, or all missing: left out, but for where it is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deltaprop.tabular.encoding.cells import shorten, to_floats
from deltaprop.tabular.encoding.column import Column, Encoded, Output, Wording, joined, words_of
from deltaprop.tabular.encoding.surprises import Surprises
from deltaprop.tabular.encoding.training_column import TrainingColumn
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.missing import without_words

__all__ = ["ConstantColumn"]


@dataclass(frozen=True)
class ConstantColumn(Column):
    """A column to learn nothing from, unless where it is missing says something."""

    parts: ClassVar[tuple[str, ...]] = ("missing",)
    kind = "constant"
    kind_names = ("constant", "常数")
    in_chinese: ClassVar[Wording] = (
        ("marked where missing", "缺失处有标记"),
        ("left out: no cell has a value", "略去：所有单元格都为空"),
        (r"left out: every cell is (.*)", r"略去：每个单元格都是 \1"),
        (r"every cell that is not missing is (.*)", r"非缺失的单元格都是 \1"),
    )
    is_constant = True
    holds_text = False

    @classmethod
    def recognised(cls, column: TrainingColumn) -> Column | None:
        """Return a column without a value; of one that has one, other kinds say which."""
        cells = column.series if column.text is None else column.text
        return cls.empty(column) if cells.null_count() == cells.len() else None

    @classmethod
    def empty(cls, column: TrainingColumn) -> Column:
        """Return a column of which no cell has a value."""
        return cls(column.name, column.series.len(), note="left out: no cell has a value")

    @classmethod
    def of(cls, column: TrainingColumn, missing: int, value: object, *notes: str) -> Column:
        """Return a column of which every cell that is not missing is ``value``."""
        shown = shorten(value, 30)
        if not missing:
            return cls(column.name, 0, note=joined(f"left out: every cell is {shown}", *notes))
        output = Output.of_missing(missing, column.series.len())
        note = joined(f"every cell that is not missing is {shown}", *notes)
        return cls(column.name, missing, (output,), note)

    def described(self) -> tuple[str, ...]:
        return self.note, "marked where missing" if self.outputs else ""

    def plain_cells(self, series: pl.Series) -> pl.Series | None:
        return pl.Series(to_floats(series)) if series.dtype.is_numeric() else words_of(series)

    def fill(self, block: Encoded, series: pl.Series, where: str, found: Surprises) -> None:
        absent = series.is_null() | _absent(series)
        block[:, 0] = self.outputs[0].squashed(absent.to_numpy().astype(np.float64))


def _absent(series: pl.Series) -> pl.Series:
    if series.dtype in (pl.String, pl.Categorical, pl.Enum):
        return without_words(series.cast(pl.String)).is_null()
    return series.is_nan().fill_null(True) if series.dtype.is_float() else series.is_null()
