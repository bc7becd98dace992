"""A column of dates, with or without a time: days, month, day of the week, hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from deltaprop.errors import of
from deltaprop.model.stored import Stored
from deltaprop.tabular.encoding.cells import refuse_infinite
from deltaprop.tabular.encoding.column import Column, Encoded, Floats, Output, Wording, joined
from deltaprop.tabular.encoding.dates import (
    DATE_FORMATS,
    DATE_PARTS,
    compact_dates,
    date_format,
    date_parts,
    dates_of_two_kinds,
    days_of,
    has_short_years,
    plain_order,
)
from deltaprop.tabular.encoding.kinds.constant import ConstantColumn
from deltaprop.tabular.encoding.scaling import robust_scale
from deltaprop.tabular.encoding.surprises import Surprises
from deltaprop.tabular.encoding.training_column import TrainingColumn
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.missing import without_dashes

__all__ = ["DateColumn"]


@dataclass(frozen=True)
class DateColumn(Column):
    """A column of dates."""

    parts: ClassVar[tuple[str, ...]] = (*DATE_PARTS, "missing")
    kind = "date"
    kind_names = ("date", "日期")
    in_chinese: ClassVar[Wording] = (
        ("days since 1970", "1970 年起的天数"),
        ("month", "月份"),
        ("day of week", "星期"),
        ("hour", "小时"),
        (r"written as (.*)", r"写作 \1"),
        ("years of two digits are those from 1969 to 2068", "两位数的年份指 1969 至 2068 年"),
    )
    is_number = True

    date_format: str = "date"  # the notation at training; of real dates this

    @classmethod
    def recognised(cls, column: TrainingColumn) -> Column | None:
        """Take dates of a frame, text in one notation for dates, and numbers such as 20240131."""
        if column.dtype in (pl.Date, pl.Datetime):
            return cls._fitted(column, column.series, "date", "")
        if column.numbers is not None:
            codes = column.has_leading_zeros or not column.numbers.dtype.is_numeric()
            dates = None if codes else compact_dates(column.numbers)
            note = "written as yearmonthday"
            return None if dates is None else cls._fitted(column, dates, "yearmonthday", note)
        if column.text is None or column.words is None:
            return None
        notation, ambiguous = column.date_format
        if notation is not None:
            note = "" if notation == "year-month-day" else f"written as {notation}"
            if note and has_short_years(column.words, notation):
                note = joined(note, "years of two digits are those from 1969 to 2068")
            return cls._fitted(column, column.words, notation, note)
        if ambiguous:
            example = column.words.drop_nulls()[0]
            column.warnings.append(
                f"Column {column.name!r}{of(column.where)} looks like dates ({example!r}), but no "
                "cell tells whether the day or the month comes first, so it is not read as dates. "
                "Write them as YYYY-MM-DD."
            )
        elif two := dates_of_two_kinds(column.words):
            column.warnings.append(
                f"Column {column.name!r}{of(column.where)} looks like dates, but they are written "
                f"in several ways ({two[0]!r}, {two[1]!r}), so it is not read as dates. Write them "
                "all as YYYY-MM-DD."
            )
        return None

    @classmethod
    def _fitted(cls, column: TrainingColumn, series: pl.Series, notation: str, note: str) -> Column:
        days = days_of(series, notation)
        refuse_infinite(days, column.name, column.where)
        known = ~np.isnan(days)
        missing = int(days.size - known.sum())
        scales = ((part, *robust_scale(v)) for part, v in date_parts(days[known]).items())
        outputs = [Output(*scaled) for scaled in scales if scaled[2] > 0.0]
        if not outputs:
            return ConstantColumn.of(column, missing, "the same date")
        if missing:
            outputs.append(Output.of_missing(missing, days.size))
        return cls(column.name, missing, tuple(outputs), note, notation)

    def described(self) -> tuple[str, ...]:
        parts = ", ".join(o.part for o in self.outputs if o.part != "missing")
        absent = "missing marked in a column of its own" if self.missing else ""
        return parts.replace("days", "days since 1970"), absent, self.note

    def fill(self, block: Encoded, series: pl.Series, where: str, found: Surprises) -> None:
        self.fill_parts(block, date_parts(self.days(series, where)))

    def check(self, series: pl.Series, where: str) -> None:
        self.days(series, where)

    def days(self, series: pl.Series, where: str) -> Floats:
        """Return later cells as days since 1970-01-01, NaN where missing."""
        if series.dtype in (pl.Date, pl.Datetime):
            return days_of(series, "date")
        if series.dtype in (pl.Categorical, pl.Enum):
            series = series.cast(pl.String)
        if series.null_count() == series.len():
            return np.full(series.len(), np.nan)
        if series.dtype.is_numeric() and self.date_format == "yearmonthday":
            series = series.cast(pl.Int64, strict=False).cast(pl.String)
        if series.dtype != pl.String:
            self.refuse_type(series, "dates", where)
        text = without_dashes(series)
        days = days_of(text, self.date_format)
        strange = pl.Series(np.isnan(days)) & text.is_not_null()
        if strange.any():
            other, _ = date_format(text)
            if other is not None and plain_order(other):
                return days_of(text, other)
            notation = self.date_format.replace("date", "year-month-day")
            self.refuse_cell(text, strange.arg_true(), f"a date as {notation}", where)
        return days

    @classmethod
    def own_entries(cls, stored: Stored) -> dict[str, Any]:
        return {"date_format": stored.text("date_format", DATE_FORMATS)}
