"""Decide what each column of a training table is, and fit the numbers that encode it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import ColumnError, DataError, of
from deltaprop.model.stored import LONGEST_NAME
from deltaprop.tabular.encoding.cells import shorten, strays_of
from deltaprop.tabular.encoding.codes import (
    are_long,
    digits_of,
    exact_differences,
    have_leading_zeros,
    is_code,
)
from deltaprop.tabular.encoding.column import Column, Kind, Output
from deltaprop.tabular.encoding.dates import (
    compact_dates,
    date_format,
    date_parts,
    days_of,
    has_short_years,
)
from deltaprop.tabular.encoding.scaling import counted_scale, robust_scale
from deltaprop.tabular.encoding.vocabulary import Vocabulary
from deltaprop.tabular.encoding.words import is_free_text
from deltaprop.tabular.reading.missing import clean_text, without_words
from deltaprop.tabular.reading.notation import Notation, find_notation, written_plainly
from deltaprop.tabular.reading.truth import differ_in_capitals, one_spelling

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MOST_CATEGORIES", "fit_column", "refuse_infinite", "to_floats"]

MOST_CATEGORIES = 256
_MANY_CATEGORIES = 32  # of more, those of a single row are noise: another row never confirms them
_DISTINCT_SHARE = 0.95
_FEWEST_FOR_TEXT = 50


def fit_column(series: pl.Series, where: str) -> tuple[Column, list[str]]:
    """Return what ``series`` is and how it is encoded, and the warnings about it."""
    import polars as pl

    name, dtype = series.name, series.dtype
    if dtype == pl.Boolean:
        return _truth(name, series), []
    if dtype.is_numeric() and are_long(series):
        return _long_integers(name, series, where), []
    dates = compact_dates(series) if dtype.is_numeric() else None
    if dates is not None:
        return _written_dates(name, dates, "yearmonthday", where), []
    if dtype.is_numeric() or dtype in (pl.Duration, pl.Time):
        return _numeric(name, to_floats(series), where), []
    if dtype in (pl.Date, pl.Datetime):
        return _date(name, days_of(series, "date"), "date", where), []
    if dtype in (pl.Categorical, pl.Enum):
        return _category(name, clean_text(series.cast(pl.String)), as_text=False), []
    if dtype == pl.Null:
        return _left_out(name, "constant", series.len(), "no cell has a value"), []
    if dtype != pl.String:
        raise ColumnError(
            f"Column {name!r}{of(where)} is of type {dtype}: expected numbers, text, truth values "
            "or dates. Split it into columns, or leave it out."
        )
    return _text(name, clean_text(series), where)


def to_floats(series: pl.Series) -> NDArray[np.float64]:
    """Return a numeric series as float64, NaN where missing; times and durations in seconds."""
    import polars as pl

    if series.dtype == pl.Duration:
        series = series.dt.total_microseconds().cast(pl.Float64) / 1e6
    elif series.dtype == pl.Time:
        series = series.cast(pl.Int64).cast(pl.Float64) / 1e9
    return np.asarray(series.cast(pl.Float64).to_numpy(), dtype=np.float64)


def refuse_infinite(values: NDArray[np.float64], name: str, where: str) -> None:
    """Raise a `DataError` that names the first infinite cell, if there is one."""
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        row = int(infinite[0])
        others = f" So have {infinite.size - 1} more rows." if infinite.size > 1 else ""
        raise DataError(
            f"Column {name!r}{of(where)} has {values[row]} in row {row + 1}: expected a finite "
            f"number.{others} Infinity, or a number beyond 1.8e308, cannot be learnt from; correct "
            "the cell, or leave it empty if its value is not known."
        )


def _text(name: str, text: pl.Series, where: str) -> tuple[Column, list[str]]:
    if text.null_count() == text.len():
        return _left_out(name, "constant", text.len(), "no cell has a value"), []
    column = _plain_numbers(name, text, where)
    if column is not None:
        return column, []
    text, merged = one_spelling(text)
    lower = text.str.to_lowercase()
    if lower.drop_nulls().is_in(["true", "false"]).all():
        return _with_note(_truth(name, lower == "true"), merged), []
    notation, ambiguous = date_format(text)
    if notation is not None:
        return _written_dates(name, text, notation, where), []
    found = find_notation(text)
    if found.notation is not None and not is_code(text):
        return _written_numbers(name, text, found.notation, found.doubt, where)
    column = _free_text(name, text) or _category(name, text, as_text=True)
    if column.kind in ("category", "binary"):
        merged = merged or differ_in_capitals(column.categories)
    column = _with_note(column, found.why_not, merged)
    if not ambiguous:
        return column, []
    example = text.drop_nulls()[0]
    warning = (
        f"Column {name!r}{of(where)} looks like dates ({example!r}), but no cell tells whether the "
        "day or the month comes first, so it is not read as dates. Write them as YYYY-MM-DD."
    )
    return column, [warning]


def _with_note(column: Column, *notes: str) -> Column:
    return replace(column, note="; ".join(filter(None, (column.note, *notes))))


def _plain_numbers(name: str, text: pl.Series, where: str) -> Column | None:
    """Return the column if every cell is a number as programs write it, or a code of digits."""
    import polars as pl

    floats = text.cast(pl.Float64, strict=False)
    if floats.null_count() > text.null_count():
        return None
    if have_leading_zeros(text):
        return _with_note(_category(name, text, as_text=True), "codes, for some begin with a zero")
    if are_long(text):
        return _long_integers(name, text, where)
    dates = compact_dates(floats)
    if dates is not None:
        return _written_dates(name, dates, "yearmonthday", where)
    found = written_plainly(text) or find_notation(text)
    if found.notation in (None, Notation()):
        return _with_note(_numeric(name, to_floats(floats), where), found.doubt)
    return _written_numbers(name, text, found.notation, found.doubt, where)[0]


def _written_dates(name: str, text: pl.Series, notation: str, where: str) -> Column:
    column = _date(name, days_of(text, notation), notation, where)
    if column.kind != "date" or notation == "year-month-day":
        return column
    short = ""
    if has_short_years(text, notation):
        short = "years of two digits are those from 1969 to 2068"
    return _with_note(column, f"written as {notation}", short)


def _written_numbers(
    name: str, text: pl.Series, notation: Notation, doubt: str, where: str
) -> tuple[Column, list[str]]:
    """Return a column of numbers with a unit, marks of thousands and the like."""
    numbers = notation.read(text)
    strays = strays_of(text, numbers)
    column = _numeric(name, to_floats(numbers), where, strays.count if strays else 0)
    plain = notation.is_plain(text)
    told = "" if plain else notation.told(text)
    if column.kind == "numeric" and not plain:
        column = replace(column, notation=notation)
    return _with_note(column, told, doubt), [strays.sentence(where)] if strays else []


def _long_integers(name: str, series: pl.Series, where: str) -> Column:
    """Return whole numbers beyond 2^53: codes where they return, numbers where all differ."""
    known = series.drop_nulls()
    text = digits_of(series)
    n_different = text.drop_nulls().n_unique()  # old versions of polars count no decimals
    if n_different < _DISTINCT_SHARE * known.len():
        column = _category(name, text, as_text=False)
        return _with_note(column, "codes, for they return and a number keeps but 15 digits of them")
    exact = exact_differences(series)
    if exact is None or exact[0].drop_nulls().n_unique() < n_different:
        why = "they hardly return, and have too many digits to be told apart as numbers"
        return _left_out(name, "text", series.null_count(), why)
    column = _numeric(name, to_floats(exact[0]), where)
    if column.kind != "numeric":
        return column
    return _with_note(replace(column, offset=exact[1]), f"counted from {exact[1]}")


def _left_out(name: str, kind: Kind, missing: int, why: str) -> Column:
    return Column(name, kind, missing, note=f"left out: {why}")


def _constant(name: str, missing: int, n: int, value: object) -> Column:
    """Leave a constant column out; but where it is missing may say something."""
    if not missing:
        return _left_out(name, "constant", 0, f"every cell is {shorten(value, 30)}")
    note = f"every cell that is not missing is {shorten(value, 30)}"
    return Column(name, "constant", missing, (_indicator(missing, n),), note=note)


def _indicator(missing: int, n: int) -> Output:
    return Output("missing", *counted_scale([(0.0, n - missing), (1.0, missing)]))


def _numeric(name: str, values: NDArray[np.float64], where: str, strays: int = 0) -> Column:
    refuse_infinite(values, name, where)
    known = values[~np.isnan(values)]
    missing = values.size - known.size
    if not known.size:
        return _left_out(name, "constant", missing, "no cell has a value")
    center, scale = robust_scale(known)
    if scale == 0.0:
        return _constant(name, missing, values.size, float(known[0]))
    outputs = [Output("value", center, scale)]
    if missing:
        outputs.append(_indicator(missing, values.size))
    note = f"{strays} cells that are no numbers taken as missing" if strays else ""
    return Column(name, "numeric", missing, tuple(outputs), strays=strays, note=note)


def _date(name: str, days: NDArray[np.float64], notation: str, where: str) -> Column:
    refuse_infinite(days, name, where)
    known = ~np.isnan(days)
    missing = int(days.size - known.sum())
    if not known.any():
        return _left_out(name, "constant", missing, "no cell has a value")
    outputs = []
    for part, values in date_parts(days[known]).items():
        center, scale = robust_scale(values)
        if scale > 0.0:
            outputs.append(Output(part, center, scale))
    if not outputs:
        return _constant(name, missing, days.size, "the same date")
    if missing:
        outputs.append(_indicator(missing, days.size))
    return Column(name, "date", missing, tuple(outputs), date_format=notation)


def _truth(name: str, truth: pl.Series) -> Column:
    missing = truth.null_count()
    n_true = int(truth.sum() or 0)
    n_false = truth.len() - missing - n_true
    if not n_true + n_false:
        return _left_out(name, "constant", missing, "no cell has a value")
    if not (n_true and n_false):
        return _constant(name, missing, truth.len(), bool(n_true))
    return _two_valued(name, "boolean", ("false", "true"), (n_false, n_true), missing)


def _two_valued(
    name: str, kind: Kind, categories: Sequence[str], counts: Sequence[int], missing: int
) -> Column:
    present = [(-1.0, counts[0]), (0.0, missing), (1.0, counts[1])]
    output = Output("value", *counted_scale([pair for pair in present if pair[1]]))
    return Column(name, kind, missing, (output,), tuple(categories))


def _free_text(name: str, text: pl.Series) -> Column | None:
    """Return a column of free text; None where it is none, or no word of it returns."""
    text = without_words(text)  # a text that says no more than NA says nothing
    known = text.len() - text.null_count()
    if not is_free_text(text, hardly_repeats=_hardly_repeats(text.drop_nulls().n_unique(), known)):
        return None
    vocabulary = Vocabulary.fit(text)
    if not vocabulary.words:
        return None
    return Column(name, "text", text.null_count(), vocabulary=vocabulary)


def _hardly_repeats(n_different: int, known: int) -> bool:
    return known > _FEWEST_FOR_TEXT and n_different >= _DISTINCT_SHARE * known


def _category(name: str, text: pl.Series, *, as_text: bool) -> Column:
    import polars as pl

    missing = text.null_count()
    n = text.len()
    counts = (
        pl.DataFrame({"category": text})
        .drop_nulls()
        .group_by("category")
        .len()
        .sort(["len", "category"], descending=[True, False])
    )
    n_different = counts.height
    if n_different == 0:
        return _left_out(name, "constant", missing, "no cell has a value")
    if n_different == 1:
        return _constant(name, missing, n, counts["category"][0])
    known = n - missing
    if int(text.str.len_chars().max() or 0) > LONGEST_NAME:  # type: ignore[arg-type]
        why = f"cells of more than {LONGEST_NAME:,} characters are no categories"
        return _left_out(name, "text", missing, why)
    if as_text and _hardly_repeats(n_different, known):
        share = f"{n_different:,} of its {known:,} cells are different"
        return _left_out(name, "text", missing, f"{share}, so it is a name or free text")
    returning = counts.filter(pl.col("len") > 1) if n_different > _MANY_CATEGORIES else counts
    if returning.is_empty():
        return _left_out(name, "text", missing, f"none of its {n_different:,} values returns")
    kept = returning.head(MOST_CATEGORIES).sort("category")
    categories, sizes = kept["category"].to_list(), kept["len"].to_list()
    if n_different == 2:
        return _two_valued(name, "binary", categories, sizes, missing)
    outputs = tuple(
        Output("category", *counted_scale([(0.0, n - size), (1.0, size)])) for size in sizes
    )
    rest = n_different - len(categories)
    note = f"{rest} rarer categories are encoded like unknown ones" if rest else ""
    return Column(name, "category", missing, outputs, tuple(categories), rest, note=note)


def no_rows(where: str) -> NoReturn:
    """Raise the error for an empty training table."""
    raise DataError(
        f"The table{of(where)} has no rows: expected at least one to learn from. "
        "Check how it is selected."
    )
