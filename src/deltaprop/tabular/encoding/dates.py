"""Columns of dates: which notation a text column follows, and the numbers a date becomes."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from deltaprop.tabular.libraries import pl

__all__ = [
    "DATE_FORMATS",
    "DATE_PARTS",
    "DateFormat",
    "compact_dates",
    "date_format",
    "date_parts",
    "dates_of_two_kinds",
    "days_of",
    "has_short_years",
    "plain_order",
]

DateFormat = Literal[
    "date", "year-month-day", "day/month/year", "month/day/year", "day.month.year",
    "short year-month-day", "yearmonthday", "day month year", "month day year", "year month day",
    "month year", "year-month",
]  # fmt: skip
DATE_FORMATS: tuple[str, ...] = get_args(DateFormat)
DATE_PARTS = ("days", "month", "day of week", "hour")

# Notations that can be told at a glance; of the others the order is what the column decided.
_SHORT = "short year-month-day"
_PLAIN_ORDERS = ("year-month-day", "yearmonthday", "day month year", "month day year",
                 "year month day")  # fmt: skip

_MONTHS = (
    "jan january januar jänner jaenner janvier janv enero ene gennaio gen janeiro januari",
    "feb february februar feber février fevrier févr fév fev febrero febbraio fevereiro februari",
    "mar march märz maerz mär mrz mars marzo março marco maart mrt",
    "apr april avril avr abril abr aprile",
    "may mai mayo maggio mag maio mei",
    "jun june juni juin junio giugno giu junho",
    "jul july juli juillet juil julio luglio lug julho",
    "aug august août aout agosto ago augustus",
    "sep sept september septembre septiembre setiembre settembre setembro set",
    "oct october oktober okt octobre octubre ottobre ott outubro out",
    "nov november novembre noviembre novembro",
    "dec december dezember dez décembre decembre déc diciembre dic dicembre dezembro",
)
_MONTH_OF = {word: month for month, words in enumerate(_MONTHS, start=1) for word in words.split()}

_WORD = r"(?P<m>\p{L}{3,12})\.?"
_WEEKDAY = r"(?:\p{L}{2,10}\.?,? )?"
_OF = r"[ ,/.-]*(?:of |de |del )?"
_YEAR = r"(?P<y>\d{4}|'?\d{2})"
_DAY_OF_MONTH = r"(?P<d>\d{1,2})(?:st|nd|rd|th|er|º|\.)?"
_DATES = {
    "year-month-day": r"(?P<y>\d{4})(?:[-/]|\. ?|[年년] ?)(?P<m>\d{1,2})(?:[-/]|\. ?|[月월] ?)"
    r"(?P<d>\d{1,2})[.日일号號]?",
    "day/month/year": r"(?P<d>\d{1,2})[/-](?P<m>\d{1,2})[/-](?P<y>\d{4}|\d{2})",
    "month/day/year": r"(?P<m>\d{1,2})[/-](?P<d>\d{1,2})[/-](?P<y>\d{4}|\d{2})",
    "day.month.year": r"(?P<d>\d{1,2})\. ?(?P<m>\d{1,2})\. ?(?P<y>\d{4}|\d{2})",
    "short year-month-day": r"(?P<y>\d{2})[-/.](?P<m>\d{2})[-/.](?P<d>\d{2})",
    "yearmonthday": r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
    "day month year": rf"{_WEEKDAY}{_DAY_OF_MONTH}{_OF}{_WORD}{_OF}{_YEAR}",
    "month day year": rf"(?:\p{{L}}{{2,10}}\.?,? )??{_WORD}[ -]{_DAY_OF_MONTH}(?:,? |-){_YEAR}",
    "year month day": rf"(?P<y>\d{{4}})[ -]{_WORD}[ -](?P<d>\d{{1,2}})",
    "month year": rf"{_WORD},?[ -](?P<y>\d{{4}})",
    "year-month": r"(?P<y>1[89]\d{2}|2[01]\d{2})(?:[-/]|[年년] ?)(?P<m>\d{1,2})[月월]?",
}
_HALF = r"[AaPp]\.?[Mm]\.?"
_CLOCK = (
    rf"(?P<H>\d{{1,2}})(?::(?P<M>\d{{2}})(?::(?P<S>\d{{2}}(?:[.,]\d+)?))?)? ?(?P<half>{_HALF})?"
)
_ZONE = r"(?:Z|UTC|GMT|CES?T|[ECMP][SD]T|[+-]\d{2}:?(?:\d{2})?)"
_TIME = rf"(?:[T ,]+(?P<before>{_HALF})? ?{_CLOCK} ?{_ZONE}?|(?:Z|UTC|[+-]\d{{2}}:\d{{2}}))?$"
_COMPACT_TIME = r"(?:[T ]?(?P<H>\d{2}):?(?P<M>\d{2})(?::?(?P<S>\d{2}(?:\.\d+)?))?)?Z?$"
_PATTERNS = {
    name: f"^{date}{_COMPACT_TIME if name == 'yearmonthday' else _TIME}"
    for name, date in _DATES.items()
}
_LOOKS = (
    r"^(?:\d{8}|(?:\d{1,4} ?(?:[-/.º]|\p{L})|\d{1,2} |"
    r"\p{L}{2,12}\.?,? ?-?\d|\p{L}+\.?,? \p{L}+\.? \d).*\d)"
)
# The clock in Chinese, Japanese and Korean.
_CLOCK_WORDS = {
    "上午": " AM ", "午前": " AM ", "오전": " AM ", "凌晨": " AM ", "早上": " AM ",
    "下午": " PM ", "午後": " PM ", "오후": " PM ", "晚上": " PM ",
    "时": ":", "時": ":", "點": ":", "点": ":", "시": ":",
    "\u00a0": " ", "\u202f": " ", "\u3000": " ",
}  # fmt: skip
_DAY = 86_400.0
_LAST_OF_2000 = 68  # a year of two digits is one of 1969 to 2068, as in POSIX
_SAMPLE = 20
_MANY = 2000  # different cells; one in another notation shows among them
_FEWEST_COMPACT = 3
_DATE_WORDS = r"(?i)date|datum|fecha|data|tag|day|dt$|jour|日期|时间|日付"


def date_format(text: pl.Series) -> tuple[DateFormat | None, bool]:
    """Find the notation in which every cell of a cleaned text column is a date; None for no dates.

    The second value says whether they are dates that do not tell the day from the month, such as
    01/02/2024, and therefore have no notation either.
    """
    cells = text.drop_nulls()
    if not cells.len() or not cells.head(1).str.contains(_LOOKS).all():
        return None, False
    cells = cells.unique(maintain_order=True)
    names: tuple[DateFormat, ...] = get_args(DateFormat)
    some = _normal(cells.head(_SAMPLE))
    possible = [n for n in names if n in _PATTERNS and some.str.contains(_PATTERNS[n]).all()]
    fitting = [name for name in possible if not np.isnan(_days_of_text(cells, name)).any()]
    if len(fitting) > 1 and _SHORT in fitting:
        year_first = _years_come_first(cells)
        if year_first is None:
            return None, True
        fitting = [name for name in fitting if (name == _SHORT) == year_first]
    sure = [name for name in fitting if name not in ("day/month/year", "month/day/year")]
    if not sure and len(fitting) > 1:
        return None, True
    return next(iter(sure or fitting), None), False


def dates_of_two_kinds(text: pl.Series) -> tuple[str, str] | None:
    """Return a date of each, where every cell is a date, but no notation is that of all of them."""
    cells = text.drop_nulls()
    if not cells.len() or not cells.head(1).str.contains(_LOOKS).all():
        return None
    cells = cells.unique(maintain_order=True).head(_MANY)
    normal = _normal(cells)
    fits = [normal.str.contains(pattern) for pattern in _PATTERNS.values()]
    first = next((fit for fit in fits if fit[0]), None)
    if first is None or not np.any(fits, axis=0).all() or first.all():
        return None
    return cells[0], cells.filter(~first)[0]


def _years_come_first(cells: pl.Series) -> bool | None:
    """Tell whether dates such as 22-03-05 begin with the year; None where no cell decides.

    Between points and slashes they hardly ever do. Of many dates the years are few.
    """
    if not cells.head(1).str.contains("-", literal=True).all():
        return False
    first, last = (cells.str.extract(part).n_unique() for part in (r"^(\d+)", r"^\d+-\d+-(\d+)"))
    if 2 * min(first, last) > max(first, last):
        return None
    return first < last


def compact_dates(series: pl.Series) -> pl.Series | None:
    """Return whole numbers such as 20220305 as text, if all of them are days from 1900 to 2100.

    At least three different ones must be, or the column must be called a date: hardly any number
    between is one by chance.
    """
    first = series[0] if series.len() else None
    if first is not None and not 1900_01_01 <= first <= 2100_12_31 and first == first:
        return None  # nearly always, and at once
    known = series.drop_nulls()
    if series.dtype.is_float():
        known = known.drop_nans()
    if not known.len() or not 1900_01_01 <= known.min() <= known.max() <= 2100_12_31:  # type: ignore[operator]
        return None
    whole = known.unique().cast(pl.Int64)
    if (whole != known.unique()).any():
        return None
    named = bool(pl.Series([series.name]).str.contains(_DATE_WORDS).all())
    if whole.len() < _FEWEST_COMPACT and not named:
        return None
    if np.isnan(_days_of_text(whole.cast(pl.String), "yearmonthday")).any():
        return None
    return series.cast(pl.Int64, strict=False).cast(pl.String)


def plain_order(notation: str) -> bool:
    """Tell whether one date in this notation shows its order by itself."""
    return notation in _PLAIN_ORDERS


def has_short_years(text: pl.Series, notation: str) -> bool:
    """Tell whether years of two digits are written."""
    years = _normal(text).str.extract_groups(_PATTERNS[notation]).struct.field("y")
    return bool((years.str.len_chars() < 4).any()) if years.dtype == pl.String else False


def _normal(text: pl.Series) -> pl.Series:
    """Bring the clock of other languages to the form it is known by."""
    if not text.str.contains(r"[^\x00-\x7F]").any():
        return text
    text = text.str.replace_many(list(_CLOCK_WORDS), list(_CLOCK_WORDS.values()))
    text = text.str.replace_all(r"([0-9])[分분] ?([0-9])", "$1:$2")
    text = text.str.replace_all(r"([日号號일])([0-9])", "$1 $2")
    return text.str.replace_all("[分분秒초]", "").str.replace(":$", ":00")


def days_of(series: pl.Series, notation: str) -> NDArray[np.float64]:
    """Return days since 1970-01-01, with fraction; NaN where missing or no date of ``notation``.

    A time zone is left aside: the hour on the clock of the place is what can be learnt from.
    """
    if series.dtype == pl.Date:
        return _floats(series.cast(pl.Int32))
    if isinstance(series.dtype, pl.Datetime):
        moment = series.dt.replace_time_zone(None).dt.cast_time_unit("us").cast(pl.Int64)
        return _floats(moment) / (_DAY * 1e6)
    # A model trained on real dates reads their usual text too.
    notation = "year-month-day" if notation == "date" else notation
    different = series.unique()
    if 2 * different.len() > series.len():
        return _days_of_text(series, notation)
    days = pl.Series(_days_of_text(different, notation), nan_to_null=True)
    return _floats(series.replace_strict(different, days, return_dtype=pl.Float64))


def _floats(series: pl.Series) -> NDArray[np.float64]:
    return np.asarray(series.cast(pl.Float64).to_numpy(), dtype=np.float64)


def _days_of_text(text: pl.Series, notation: str) -> NDArray[np.float64]:
    found = _normal(text).str.extract_groups(_PATTERNS[notation]).struct.unnest()
    if "y" not in found.columns:  # no cell to tell the groups by
        return np.full(text.len(), np.nan)
    year = pl.col("y").str.strip_prefix("'")
    short = year.cast(pl.Int64) + pl.when(year.cast(pl.Int64) > _LAST_OF_2000).then(1900).otherwise(
        2000
    )
    year = pl.when(year.str.len_chars() < 4).then(short).otherwise(year.cast(pl.Int64))
    month = pl.col("m")
    if r"\p{L}" in _DATES[notation]:
        month = month.str.to_lowercase().replace_strict(
            _MONTH_OF, default=None, return_dtype=pl.Int64
        )
    day = pl.col("d") if "d" in found.columns else pl.lit("1")
    date = pl.concat_str(
        year.cast(pl.String), month.cast(pl.String), day, separator="-"
    ).str.to_date("%Y-%m-%d", strict=False)
    nothing = pl.lit(None, pl.String)
    before, half, *clock = (
        pl.col(name) if name in found.columns else nothing
        for name in ("before", "half", "H", "M", "S")
    )
    half = pl.coalesce(before, half).str.to_lowercase().str.head(1)
    bare = clock[0].is_not_null() & clock[1].is_null() & half.is_null()
    hour, minute, second = (
        part.str.replace(",", ".", literal=True).cast(pl.Float64) for part in clock
    )
    past_noon, past_midnight = (half == "p") & (hour < 12), (half == "a") & (hour == 12)
    turned = pl.when(past_noon).then(hour + 12).when(past_midnight).then(0.0).otherwise(hour)
    parts = found.select(
        date.cast(pl.Int32).cast(pl.Float64).alias("day"),
        turned.fill_null(0.0).alias("H"), minute.fill_null(0.0).alias("M"),
        second.fill_null(0.0).alias("S"), bare.alias("bare"),
    )  # fmt: skip
    days, hours, minutes, seconds = (_floats(parts[name]) for name in ("day", "H", "M", "S"))
    no_time = (hours > 24) | (minutes > 59) | (seconds >= 61) | parts["bare"].to_numpy()
    return np.where(no_time, np.nan, days + (hours * 3600 + minutes * 60 + seconds) / _DAY)


def date_parts(days: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return what is learnt from a date: days since 1970, month (1-12), day of week, hour.

    The week starts with Monday = 0. NaN stays NaN.
    """
    known = np.isfinite(days)
    whole = np.floor(np.where(known, days, 0.0))
    month = whole.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    # Days carry about twelve decimals; a millionth of an hour is what they can tell.
    hour = np.round((days - whole) * 24, 6)
    parts = zip(DATE_PARTS, (days, month, (whole + 3) % 7, hour), strict=True)
    return {name: np.where(known, part, np.nan) for name, part in parts}
