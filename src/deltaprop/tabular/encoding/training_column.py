"""A column of the training table before its kind is known: what is found out about it, once."""

from __future__ import annotations

from functools import cached_property

from deltaprop.tabular.encoding.codes import (
    are_long,
    digits_of,
    exact_differences,
    have_leading_zeros,
)
from deltaprop.tabular.encoding.dates import DateFormat, date_format
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.find_notation import Found, find_notation, written_plainly
from deltaprop.tabular.reading.missing import clean_text
from deltaprop.tabular.reading.truth import differ_in_capitals, one_spelling

__all__ = [
    "DISTINCT_SHARE",
    "FEWEST_TO_DIFFER",
    "MANY_CATEGORIES",
    "MOST_CATEGORIES",
    "TrainingColumn",
    "hardly_repeat",
]

MOST_CATEGORIES = 256  # that have an output
MANY_CATEGORIES = 32  # of more, those of a single row are noise: another row never confirms them
DISTINCT_SHARE = 0.95  # of the cells; where so many differ they hardly return
FEWEST_TO_DIFFER = 50  # cells; so few may all differ and still be categories


class TrainingColumn:
    """What the kinds of columns ask, one after another; each answer is worked out once.

    Attributes
    ----------
    text : polars.Series or None
        The cells, cleaned, of a column of text; None of another.
    numbers : polars.Series or None
        The cells as numbers where all are such, as programs write them; times are numbers.
    has_leading_zeros : bool
        Whether they are numbers such as 02134.
    is_long : bool
        Whether they are whole numbers, of which some are beyond 2^53.
    words : polars.Series or None
        The cells as words: text, categories, or the digits of codes; None where they are none.
    merged : str
        Which words for true and false that differ in their spelling were brought together.
    warnings : list of str
        What in the column is worth a look; a kind adds to it.
    """

    def __init__(self, series: pl.Series, where: str) -> None:
        self.series, self.name, self.where = series, series.name, where
        self.dtype = series.dtype
        self.text = clean_text(series) if self.dtype == pl.String else None
        self.numbers: pl.Series | None = None
        self.has_leading_zeros = False
        self.warnings: list[str] = []
        if self.text is not None:
            floats = self.text.cast(pl.Float64, strict=False)
            if floats.null_count() == self.text.null_count():
                self.numbers, self.has_leading_zeros = floats, have_leading_zeros(self.text)
        elif self.dtype.is_numeric() or self.dtype in (pl.Duration, pl.Time):
            self.numbers = series
        self.digits = series if self.text is None else self.text
        may_be_long = self.numbers is not None and not self.has_leading_zeros
        self.is_long = may_be_long and are_long(self.digits)
        self.words, self.merged = self._as_words()

    def _as_words(self) -> tuple[pl.Series | None, str]:
        if self.dtype in (pl.Categorical, pl.Enum):
            return clean_text(self.series.cast(pl.String)), ""
        if self.is_long:
            return digits_of(self.digits), ""
        if self.text is None or self.numbers is not None:
            return self.text, ""
        return one_spelling(self.text)

    @property
    def is_code(self) -> bool:
        """Whether they are numbers that name something: kept digit by digit."""
        return self.has_leading_zeros or (self.is_long and self.returns)

    @cached_property
    def n_different(self) -> int:
        """How many different words there are."""
        assert self.words is not None
        return self.words.drop_nulls().n_unique()  # old versions of polars count no decimals

    @cached_property
    def returns(self) -> bool:
        """Whether the words of a code come back in other cells."""
        assert self.words is not None
        return self.n_different < DISTINCT_SHARE * (self.words.len() - self.words.null_count())

    @cached_property
    def differences(self) -> tuple[pl.Series, int] | None:
        """Long numbers less the smallest, and that; None where they would not be told apart."""
        exact = exact_differences(self.digits)
        apart = exact is not None and exact[0].drop_nulls().n_unique() == self.n_different
        return exact if apart else None

    @cached_property
    def written(self) -> Found:
        """How cells of text write numbers, if they are such."""
        assert self.text is not None
        plain = written_plainly(self.text) if self.numbers is not None else None
        return plain or find_notation(self.text)

    @cached_property
    def date_format(self) -> tuple[DateFormat | None, bool]:
        """How cells of text write dates, if they are such; see `dates.date_format`."""
        assert self.words is not None
        return date_format(self.words)

    @cached_property
    def counts(self) -> pl.DataFrame:
        """The different words as ``category``, with how many cells hold each, commonest first."""
        words = pl.DataFrame({"category": self.words}).drop_nulls().group_by("category").len()
        return words.sort(["len", "category"], descending=[True, False])

    @property
    def returning(self) -> pl.DataFrame:
        """Those of them that may return in later cells: of many, those of more than one cell."""
        many = self.counts.height > MANY_CATEGORIES
        return self.counts.filter(pl.col("len") > 1) if many else self.counts

    def said_of_words(self, categories: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return what is particular about cells that are taken as words."""
        if self.has_leading_zeros:
            return ("codes, for some begin with a zero",)
        if self.is_code:
            return ("codes, for they return and a number keeps but 15 digits of them",)
        if self.text is None or self.is_long:
            return ()
        return self.written.why_not, self.merged or differ_in_capitals(categories)


def hardly_repeat(n_different: int, n: int) -> bool:
    """Tell whether so many of n cells differ that they are names, or text, and no categories."""
    return n > FEWEST_TO_DIFFER and n_different >= DISTINCT_SHARE * n
