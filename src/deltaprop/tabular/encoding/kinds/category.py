"""A column of some categories: one output for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from deltaprop.model.stored import Stored
from deltaprop.tabular.encoding.categories import category_codes
from deltaprop.tabular.encoding.column import (
    Column,
    Encoded,
    Floats,
    Output,
    Wording,
    joined,
    words_of,
)
from deltaprop.tabular.encoding.kinds.constant import ConstantColumn
from deltaprop.tabular.encoding.scaling import squash
from deltaprop.tabular.encoding.surprises import Surprises
from deltaprop.tabular.encoding.training_column import MOST_CATEGORIES, TrainingColumn
from deltaprop.tabular.libraries import pl

__all__ = ["CategoricalColumn", "CategoryColumn"]


@dataclass(frozen=True)
class CategoricalColumn(Column):
    """A column whose cells are some of a few words."""

    in_chinese: ClassVar[Wording] = (
        (r"(.*) counts? as (.*)", r"\1 视同 \2"),
        (r"(.*) and (.*) differ only in capitals and stay apart",
         r"\1 与 \2 只有大小写不同，仍作不同类别"),
        ("codes, for some begin with a zero", "编码，因为有的以零开头"),
        ("codes, for they return and a number keeps but 15 digits of them",
         "编码，因为会重复出现，而一个数只保留 15 位"),
        (r"its numbers have different units \((.*)\), so they are words",
         r"其中的数单位不同（\1），因此作为词"),
    )  # fmt: skip

    # In the order of the outputs; of two values first the one that is -1.
    categories: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        return self.categories

    @property
    def plain_cells_are(self) -> str | None:
        return "word"

    def codes(self, series: pl.Series, found: Surprises) -> NDArray[np.int64]:
        """Return the place of each later cell among the categories; -1 where it is none."""
        codes, n_unknown, unknown = category_codes(series, self.spelt(series))
        if n_unknown and not self.rest:
            found.of_cells(self.name, n_unknown, unknown)
        return codes

    def plain_cells(self, series: pl.Series) -> pl.Series | None:
        return words_of(series)

    def spelt(self, series: pl.Series) -> tuple[str, ...]:
        """Return the categories as later cells of this type write them."""
        return self.categories

    @classmethod
    def own_entries(cls, stored: Stored) -> dict[str, Any]:
        return {"categories": stored.texts("categories", different=True)}


@dataclass(frozen=True)
class CategoryColumn(CategoricalColumn):
    """A column of categories; missing and unknown ones are zeros."""

    kind = "category"
    kind_names = ("category", "类别")
    in_chinese: ClassVar[Wording] = (
        (r"one-hot, (\d+) categories", r"独热编码，\1 类"),
        (r"(\d+) rarer categories are encoded like unknown ones", r"另有 \1 个少见类别按未知处理"),
    )
    is_one_hot = True

    rest: int = 0  # rarer categories that have no output

    @classmethod
    def recognised(cls, column: TrainingColumn) -> Column | None:
        """Take words, whatever they are; the kinds before have taken what they are good for."""
        if column.words is None:
            return None
        missing, n = column.words.null_count(), column.words.len()
        if column.counts.height == 0:
            return ConstantColumn.empty(column)
        if column.counts.height == 1:
            only = column.counts["category"][0]
            return ConstantColumn.of(column, missing, only, *column.said_of_words())
        kept = column.returning.head(MOST_CATEGORIES).sort("category")
        words, sizes = tuple(kept["category"].to_list()), kept["len"].to_list()
        outputs = (Output.counted("category", (0.0, n - k), (1.0, k)) for k in sizes)
        rest = column.counts.height - len(words)
        note = f"{rest} rarer categories are encoded like unknown ones" if rest else ""
        note = joined(note, *column.said_of_words(words))
        return cls(column.name, missing, tuple(outputs), note, words, rest)

    @property
    def n_kept(self) -> int:
        """How many numbers per row `fill_few` gives: at most two are not 0."""
        needed = 1 + int(np.count_nonzero(self._off_and_on[0]))
        return needed if needed <= 2 < self.n_outputs else self.n_dense

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(f"{self.name}={category}" for category in self.categories)

    def described(self) -> tuple[str, ...]:
        return f"one-hot, {len(self.categories)} categories", self.note

    @cached_property
    def _off_and_on(self) -> tuple[Floats, Floats]:
        """What each output is for other categories, and for its own."""
        centers = np.array([output.center for output in self.outputs])
        scales = np.array([output.scale for output in self.outputs])
        off, on = (squash(np.full(len(centers), x), centers, scales) for x in (0.0, 1.0))
        return off, on

    def fill(self, block: Encoded, series: pl.Series, where: str, found: Surprises) -> None:
        codes = self.codes(series, found)
        off, on = self._off_and_on
        block[:] = off
        rows = np.flatnonzero(codes >= 0)
        block[rows, codes[rows]] = on[codes[rows]]

    def fill_few(
        self, data: Encoded, places: NDArray[np.int32], series: pl.Series, found: Surprises
    ) -> None:
        """Write the one or two numbers of each later cell that are not 0, and where they stand.

        ``data`` and ``places``, both of shape (n, n_kept), get these numbers and which of the
        outputs they are, in ascending order; a 0 may be among them.
        """
        codes = self.codes(series, found)
        off, on = self._off_and_on
        known = codes >= 0
        chosen = np.where(known, codes, 0)
        value = np.where(known, on[chosen], 0.0)
        if data.shape[1] == 1:
            data[:, 0], places[:, 0] = value, chosen
            return
        always = int(np.flatnonzero(off)[0])
        is_it = known & (codes == always)
        first = np.where(is_it, on[always], off[always])
        # where it is that one, the other number is a 0 beside it
        other = np.where(is_it | ~known, 1 if always == 0 else 0, chosen)
        value = np.where(is_it, 0.0, value)
        before = other < always
        data[:, 0], data[:, 1] = np.where(before, value, first), np.where(before, first, value)
        places[:, 0], places[:, 1] = np.minimum(other, always), np.maximum(other, always)

    @classmethod
    def fits(cls, parts: tuple[str, ...], own: Mapping[str, Any]) -> bool:
        return bool(parts) and parts == ("category",) * len(own["categories"])

    @classmethod
    def own_entries(cls, stored: Stored) -> dict[str, Any]:
        return super().own_entries(stored) | {"rest": stored.count("rest")}
