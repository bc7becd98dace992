"""Columns of dates: which notation a text column follows, and the numbers a date becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

__all__ = ["DATE_FORMATS", "DateFormat", "date_format", "date_parts", "days_of"]

DateFormat = Literal["date", "year-month-day", "day/month/year", "month/day/year", "day.month.year"]
DATE_FORMATS: tuple[str, ...] = get_args(DateFormat)

_TIME = (
    r"(?:[T ] *\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)? ?(?:Z|UTC|[+-]\d{2}:?\d{2})?$"
)  # fmt: skip
_PATTERNS = {
    "year-month-day": r"^\d{4}(?:-\d{1,2}-|/\d{1,2}/)\d{1,2}" + _TIME,
    "day/month/year": r"^\d{1,2}(?:/\d{1,2}/|-\d{1,2}-)\d{4}" + _TIME,
    "day.month.year": r"^\d{1,2}\.\d{1,2}\.\d{4}" + _TIME,
}
_PATTERNS["month/day/year"] = _PATTERNS["day/month/year"]
_ORDERS = {
    "year-month-day": "%Y-%m-%d",
    "day/month/year": "%d-%m-%Y",
    "month/day/year": "%m-%d-%Y",
    "day.month.year": "%d-%m-%Y",
}
_DAY = 86_400.0


def date_format(text: pl.Series) -> tuple[DateFormat | None, bool]:
    """Find the notation in which every cell of a cleaned text column is a date.

    Returns
    -------
    format : str or None
        None when the cells are not dates, or do not tell the day from the month.
    ambiguous : bool
        Whether they are dates of which the latter is true, such as 01/02/2024.
    """
    cells = text.drop_nulls()
    if not cells.len() or not cells.head(1).str.contains(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d").all():
        return None, False
    certain: tuple[DateFormat, ...] = ("year-month-day", "day.month.year")
    for name in certain:
        if _all_dates(cells, name):
            return name, False
    day_first = _all_dates(cells, "day/month/year")
    month_first = _all_dates(cells, "month/day/year")
    if day_first and month_first:
        return None, True
    if day_first:
        return "day/month/year", False
    return ("month/day/year", False) if month_first else (None, False)


def _all_dates(cells: pl.Series, notation: str) -> bool:
    matching = bool(cells.str.contains(_PATTERNS[notation]).all())
    return matching and not np.isnan(_days_of_text(cells, notation)).any()


def days_of(series: pl.Series, notation: str) -> NDArray[np.float64]:
    """Return days since 1970-01-01, with fraction; NaN where missing or no date of ``notation``.

    A time zone is left aside: the hour on the clock of the place is what can be learnt from.
    """
    import polars as pl

    if series.dtype == pl.Date:
        return _floats(series.cast(pl.Int32))
    if isinstance(series.dtype, pl.Datetime):
        moment = series.dt.replace_time_zone(None).dt.cast_time_unit("us").cast(pl.Int64)
        return _floats(moment) / (_DAY * 1e6)
    # A model trained on real dates reads their usual text too.
    return _days_of_text(series, "year-month-day" if notation == "date" else notation)


def _floats(series: pl.Series) -> NDArray[np.float64]:
    import polars as pl

    return np.asarray(series.cast(pl.Float64).to_numpy(), dtype=np.float64)


def _days_of_text(text: pl.Series, notation: str) -> NDArray[np.float64]:
    import polars as pl

    cell = pl.when(pl.col("text").str.contains(_PATTERNS[notation])).then(pl.col("text"))
    date = cell.str.extract(r"^(\d+[-/.]\d+[-/.]\d+)").str.replace_all(r"[/.]", "-")
    clock = cell.str.extract_groups(r"[T ] *(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?")
    parts = (
        pl.DataFrame({"text": text})
        .select(date.str.to_date(_ORDERS[notation], strict=False).alias("date"), clock.alias("c"))
        .unnest("c")
    )
    hours, minutes, seconds = (
        _floats(parts[name].cast(pl.Float64).fill_null(0.0)) for name in ("1", "2", "3")
    )
    days = _floats(parts["date"].cast(pl.Int32))
    no_time = (hours > 24) | (minutes > 59) | (seconds >= 61)
    return np.where(no_time, np.nan, days + (hours * 3600 + minutes * 60 + seconds) / _DAY)


def date_parts(days: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Return what is learnt from a date: days since 1970, month (1-12), day of week, hour.

    The week starts with Monday = 0. NaN stays NaN.
    """
    known = np.isfinite(days)
    whole = np.floor(np.where(known, days, 0.0))
    month = whole.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    parts = {
        "days": days,
        "month": month,
        "day of week": (whole + 3) % 7,
        # Days carry about twelve decimals; a millionth of an hour is what they can tell.
        "hour": np.round((days - whole) * 24, 6),
    }
    return {name: np.where(known, part, np.nan) for name, part in parts.items()}
