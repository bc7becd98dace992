"""A column of free text: the TF-IDF of its terms. Names, identifiers and the like are left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from numpy.typing import DTypeLike

from deltaprop.model.stored import LONGEST_NAME, Stored
from deltaprop.tabular.encoding.column import Column, Encoded, Wording, joined, words_of
from deltaprop.tabular.encoding.sparse import SparseRows
from deltaprop.tabular.encoding.surprises import Surprises
from deltaprop.tabular.encoding.training_column import TrainingColumn, hardly_repeat
from deltaprop.tabular.encoding.vocabulary import Vocabulary
from deltaprop.tabular.encoding.words import is_free_text
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.missing import without_words

__all__ = ["TextColumn"]

_TERMS = 300  # of a cell


@dataclass(frozen=True)
class TextColumn(Column):
    """A column of text, one output per term of its vocabulary."""

    parts: ClassVar[tuple[str, ...]] = ()
    kind = "text"
    kind_names = ("text", "文本")
    in_chinese: ClassVar[Wording] = (
        (r"TF-IDF of (\S+) words", r"词频-逆文档频率（TF-IDF）：\1 个词"),
        (r"TF-IDF of (\S+) pairs of words", r"词频-逆文档频率（TF-IDF）：\1 个词对"),
        (r"(\S+) pairs of words", r"\1 个词对"),
        (r"(\S+) pieces of words", r"\1 个词片段"),
        ("zeros where missing", "缺失处为零"),
        ("left out: free text", "略去：自由文本"),
        (r"left out: none of its (\S+) values returns", r"略去：它的 \1 个不同值都只出现一次"),
        (r"left out: (\S+) of its (\S+) cells are different, so it is a name or free text",
         r"略去：\2 个单元格中有 \1 个各不相同，是名称或自由文本"),
        (r"left out: cells of more than (\S+) characters are no categories",
         r"略去：超过 \1 个字符的单元格不是类别"),
        ("left out: they hardly return, and have too many digits to be told apart as numbers",
         "略去：几乎不重复，而且位数太多，无法作为数值区分"),
    )  # fmt: skip

    vocabulary: Vocabulary | None = None  # None where the column is left out

    @classmethod
    def recognised(cls, column: TrainingColumn) -> Column | None:
        """Take free text, and leave out words that are too long, or too different, to return."""
        if column.words is None or column.counts.height == 1:
            return None
        found = cls._free(column, column.words) if column.numbers is None else None
        why = "" if found else cls._left_out(column)
        if not why:
            return found
        note = joined(f"left out: {why}", *column.said_of_words())
        return cls(column.name, column.words.null_count(), note=note)

    @classmethod
    def _free(cls, column: TrainingColumn, words: pl.Series) -> Column | None:
        """Return a column of free text; None where it is none, or no word of it returns."""
        if column.text is None:
            return None
        text = without_words(words)  # a text that says no more than NA says nothing
        known = text.drop_nulls()
        if not is_free_text(text, hardly_repeats=hardly_repeat(known.n_unique(), known.len())):
            return None
        vocabulary = Vocabulary.fit(text)
        if not vocabulary.words:
            return None
        note = joined(*column.said_of_words())
        return cls(column.name, text.null_count(), note=note, vocabulary=vocabulary)

    @classmethod
    def _left_out(cls, column: TrainingColumn) -> str:
        """Return why words are none that a network can learn from; empty where they may be."""
        if column.is_long and not column.returns:
            return "they hardly return, and have too many digits to be told apart as numbers"
        n_different, n = column.counts.height, int(column.counts["len"].sum())
        longest = column.counts["category"].str.len_chars().max() or 0
        if longest > LONGEST_NAME:  # type: ignore[operator]
            return f"cells of more than {LONGEST_NAME:,} characters are no categories"
        if column.text is not None and not column.is_long and hardly_repeat(n_different, n):
            share = f"{n_different:,} of its {n:,} cells are different"
            return f"{share}, so it is a name or free text"
        if n_different and column.returning.is_empty():
            return f"none of its {n_different:,} values returns"
        return ""

    @property
    def n_outputs(self) -> int:
        return self.vocabulary.n_terms if self.vocabulary else 0

    @property
    def n_kept(self) -> int:
        """About how many terms a cell has."""
        return _TERMS if self.vocabulary else 0

    @property
    def is_sparse(self) -> bool:
        return self.vocabulary is not None

    @property
    def output_names(self) -> tuple[str, ...]:
        terms = self.vocabulary.names if self.vocabulary else ()
        return tuple(f"{self.name}: {term}" for term in terms)

    def described(self) -> tuple[str, ...]:
        if self.vocabulary is None:
            return (self.note,)
        nothing = "zeros where missing" if self.missing else ""
        return self.vocabulary.described(), nothing, self.note

    def plain_cells(self, series: pl.Series) -> pl.Series | None:
        return None if self.vocabulary else words_of(series)

    def fill(self, block: Encoded, series: pl.Series, where: str, found: Surprises) -> NoReturn:
        raise NotImplementedError(self.kind)

    def sparse(self, series: pl.Series, where: str, dtype: DTypeLike) -> SparseRows:
        assert self.vocabulary is not None
        return self.vocabulary.encode(self.texts(series, where), dtype)

    def check(self, series: pl.Series, where: str) -> None:
        self.texts(series, where)

    def texts(self, series: pl.Series, where: str) -> pl.Series:
        """Return later cells as text; numbers and dates among them are words too."""
        if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
            self.refuse_type(series, "text", where)
        return without_words(series.cast(pl.String))

    @classmethod
    def own_entries(cls, stored: Stored) -> dict[str, Any]:
        if "vocabulary" not in stored.values:
            return {}
        place = f"{stored.where}, vocabulary"
        return {"vocabulary": Vocabulary.from_dict(place, stored.values["vocabulary"])}
