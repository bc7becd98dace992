"""Whole numbers that are names of something: with leading zeros, or with more digits than a float.

A float64 tells whole numbers apart up to 2^53. Order numbers, keys and codes beyond it, and such as
02134, are kept digit by digit.
"""

from __future__ import annotations

from deltaprop.tabular.libraries import pl

__all__ = [
    "DECIMALS",
    "EXACT",
    "ZERO_FIRST",
    "are_long",
    "digits_of",
    "exact_differences",
    "exact_text",
    "have_leading_zeros",
    "is_code",
]

EXACT = 2**53
ZERO_FIRST, DECIMALS = r"^0\d", r"^[+-]?\d*\.\d"  # a column with the latter has no codes
_ZEROS_SHARE = 0.05  # of the cells; fewer are slips of the pen, unless all are of one length
_MOST_DIGITS = 37  # of an Int128, whose differences still are
_DIGITS = r"^[+-]?\d+$"


def have_leading_zeros(text: pl.Series) -> bool:
    """Tell whether the numbers among cleaned cells of text are codes such as 02134."""
    zeros = int(text.str.contains(ZERO_FIRST).sum() or 0)
    if not zeros:
        return False
    digits = text.filter(text.str.contains(_DIGITS))
    if digits.len() < (text.len() - text.null_count()) / 2:
        return False
    if text.str.contains(DECIMALS).any():
        return False
    return digits.str.len_chars().n_unique() == 1 or zeros > _ZEROS_SHARE * digits.len()


def are_long(series: pl.Series) -> bool:
    """Tell whether these are whole numbers (or text of such) of which some are beyond 2^53."""
    if series.dtype == pl.String:
        if not (series.str.len_chars().max() or 0) > 15:  # type: ignore[operator]
            return False
        cells = series.drop_nulls()
        return bool(cells.str.contains(_DIGITS).all()) and any(
            abs(int(cell)) > EXACT for cell in cells.filter(cells.str.len_chars() > 15).unique()
        )
    if series.dtype.is_decimal():
        return bool((series == series.floor()).all()) and are_long(digits_of(series))
    if not series.dtype.is_integer() or series.null_count() == series.len():
        return False
    low, high = _as_int(series.min()), _as_int(series.max())
    return low < -EXACT or high > EXACT


def digits_of(series: pl.Series) -> pl.Series:
    """Return whole numbers of any type as their digits."""
    text = series.cast(pl.String)
    return text.str.replace(r"\.0*$", "") if series.dtype.is_decimal() else text


def exact_differences(series: pl.Series, offset: int | None = None) -> tuple[pl.Series, int] | None:
    """Return long whole numbers less the smallest (or ``offset``) as Float64, and what was taken.

    The difference is exact before it is rounded, so that moments in nanoseconds stay apart. None
    where the numbers have too many digits.
    """
    if series.dtype.is_float():
        return series.cast(pl.Float64) - float(offset or 0), offset or 0
    digits = digits_of(series) if series.dtype.is_decimal() else series
    if digits.dtype == pl.String and (digits.str.len_chars().max() or 0) > _MOST_DIGITS:  # type: ignore[operator]
        return None
    whole = digits.cast(pl.Int128, strict=False)
    if whole.null_count() > series.null_count():
        return None
    start = _as_int(whole.min()) if offset is None else offset
    return (whole - pl.Series([start], dtype=pl.Int128)).cast(pl.Float64), start


def is_code(text: pl.Series) -> bool:
    """Tell whether most cleaned cells of text are digits that are kept one by one."""
    digits = text.filter(text.str.contains(_DIGITS).fill_null(False))
    if digits.is_empty() or 2 * digits.len() < text.len() - text.null_count():
        return False
    return have_leading_zeros(text) or are_long(digits)


def exact_text(series: pl.Series) -> pl.Series:
    """Return whole numbers that are no int64 as their digits; anything else as it is."""
    exact = series.dtype.is_integer() or (series.dtype.is_decimal() and are_long(series))
    if not exact or series.null_count() == series.len():
        return series
    least, most = _as_int(series.min()), _as_int(series.max())
    if least >= -(2**63) and most < 2**63:
        return series.cast(pl.Int64)
    return digits_of(series)


def _as_int(value: object) -> int:
    return int(value)  # type: ignore[call-overload,no-any-return]
