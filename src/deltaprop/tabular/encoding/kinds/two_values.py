"""Columns of two values, words or truths: a single number, -1 or +1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from deltaprop.tabular.encoding.cells import shorten
from deltaprop.tabular.encoding.column import Column, Encoded, Output, Wording, joined
from deltaprop.tabular.encoding.kinds.category import CategoricalColumn
from deltaprop.tabular.encoding.kinds.constant import ConstantColumn
from deltaprop.tabular.encoding.surprises import Surprises
from deltaprop.tabular.encoding.training_column import TrainingColumn
from deltaprop.tabular.libraries import pl

__all__ = ["BinaryColumn", "BooleanColumn"]


@dataclass(frozen=True)
class BinaryColumn(CategoricalColumn):
    """A column of two words; 0 where it is missing or holds another."""

    kind = "binary"
    kind_names = ("two values", "二值")
    in_chinese: ClassVar[Wording] = (
        *CategoricalColumn.in_chinese,
        (r"(.*) = -1, (.*) = \+1", r"\1 = -1，\2 = +1"),
    )

    @classmethod
    def recognised(cls, column: TrainingColumn) -> Column | None:
        """Take words of which there are two."""
        if column.words is None or column.counts.height != 2:
            return None
        low, high = column.counts.sort("category").rows()
        words = low[0], high[0]
        note = joined(*column.said_of_words(words))
        return cls.counted(column, words, (low[1], high[1]), column.words.null_count(), note)

    @classmethod
    def counted(
        cls,
        column: TrainingColumn,
        words: tuple[str, str],
        counts: tuple[int, int],
        missing: int,
        note: str,
    ) -> Self:
        """Return the column of two words, each with how many cells hold it."""
        low, high = counts
        output = Output.counted("value", (-1.0, low), (0.0, missing), (1.0, high))
        return cls(column.name, missing, (output,), note, words)

    def _named(self, part: str) -> str:
        return f"{self.name} ({self.categories[1]}=+1)"

    def described(self) -> tuple[str, ...]:
        shown = (shorten(word, 30) for word in self.categories)
        low, high = (word if ";" in word else word.strip("'") for word in shown)
        return f"{low} = -1, {high} = +1", self.note

    def fill(self, block: Encoded, series: pl.Series, where: str, found: Surprises) -> None:
        numbers = self.outputs[0].squashed(np.array([0.0, -1.0, 1.0]))
        block[:, 0] = numbers[self.codes(series, found) + 1]

    @classmethod
    def fits(cls, parts: tuple[str, ...], own: Mapping[str, Any]) -> bool:
        return parts == ("value",) and len(own["categories"]) == 2


@dataclass(frozen=True)
class BooleanColumn(BinaryColumn):
    """A column of truth values: false is -1, true is +1."""

    kind = "boolean"
    kind_names = ("truth value", "真假")

    @classmethod
    def recognised(cls, column: TrainingColumn) -> Column | None:
        """Take truth values, and text of which every cell is true or false."""
        if column.dtype == pl.Boolean:
            return cls._fitted(column, column.series)
        words = column.words if column.text is not None and column.numbers is None else None
        if words is None or words.drop_nulls()[0].lower() not in ("true", "false"):
            return None
        lower = words.str.to_lowercase()
        if not lower.drop_nulls().is_in(["true", "false"]).all():
            return None
        return cls._fitted(column, lower == "true", column.merged)

    @classmethod
    def _fitted(cls, column: TrainingColumn, truths: pl.Series, note: str = "") -> Column:
        missing, n_true = truths.null_count(), int(truths.sum() or 0)
        n_false = truths.len() - missing - n_true
        if not (n_true and n_false):
            return ConstantColumn.of(column, missing, bool(n_true), note)
        return cls.counted(column, ("false", "true"), (n_false, n_true), missing, joined(note))

    def spelt(self, series: pl.Series) -> tuple[str, ...]:
        return ("0", "1") if series.dtype.is_numeric() else self.categories
