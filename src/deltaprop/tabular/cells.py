"""Cells of text: when a column of text is a column of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from deltaprop.errors import of

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Strays", "in_every_column", "number_columns", "numbers", "shorten"]

# A text column is still read as numbers when at most this share of its cells is something else,
# and at least this many cells are numbers.
_STRAY_SHARE = 0.05
_FEWEST_NUMBERS = 20
_WIDE = 2000

Style = Literal["plain", "decimal comma", "thousands comma", "thousands point"]

_ENGLISH = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"
_GERMAN = r"^[+-]?\d{1,3}(\.\d{3})+,\d*$"
_COMMA = r"^[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?$"
_ANY_COMMA = f"{_ENGLISH}|{_GERMAN}|{_COMMA}"


@dataclass(frozen=True, slots=True)
class Strays:
    """Cells of a numeric column that are not numbers; they are taken as missing."""

    column: str
    count: int
    total: int
    row: int
    cell: str

    def sentence(self, where: str = "", place: str = "") -> str:
        """Say what was found and what was made of it.

        ``where`` names the table, ``place`` the first of the cells when the row number does not.
        """
        place = place or f"row {self.row}"
        rest = f", and {self.count - 1} more such cells" if self.count > 1 else ""
        return (
            f"Column {self.column!r}{of(where)} is read as numbers, but {self.count} of its "
            f"{self.total} cells {'is' if self.count == 1 else 'are'} not: {shorten(self.cell)} in "
            f"{place}{rest}. {'It is' if self.count == 1 else 'They are'} taken as missing; "
            "correct or empty these cells if that is not meant."
        )


def shorten(cell: object, width: int = 60) -> str:
    """Return ``repr(cell)``, cut in the middle when it is longer than ``width``."""
    if isinstance(cell, str) and len(cell) > width:
        return f"{cell[: width - 20]!r}... ({len(cell):,} characters)"
    text = repr(cell)
    return text if len(text) <= width + 2 else f"{text[:width]}..."


def in_every_column(frame: pl.DataFrame, expression: pl.Expr) -> pl.DataFrame:
    """Evaluate an expression on ``pl.all()`` that treats each cell by itself.

    A very wide frame is laid end to end first: planning a hundred thousand expressions takes
    polars far longer than evaluating them.
    """
    import polars as pl

    if frame.width <= _WIDE or frame.height == 0:
        return frame.select(expression)
    parts = [column.alias("all") for column in frame.iter_columns()]
    end_to_end = pl.concat(parts, rechunk=True)
    done = end_to_end.to_frame().select(expression).to_series().rechunk()
    n = frame.height
    return pl.DataFrame([done.slice(i * n, n).alias(name) for i, name in enumerate(frame.columns)])


def numbers(
    text: pl.Series, *, commas: bool = False, separator: str = ","
) -> tuple[pl.Series | None, Strays | None, str]:
    """Read a cleaned text column as numbers, if that is what it holds.

    Parameters
    ----------
    text : polars.Series of String
        Cells without padding, null where missing.
    commas : bool
        Whether a comma inside a number may be a decimal comma or group thousands.
    separator : str
        What separates the cells of the file; after anything but a comma, ``1,234`` is a decimal.

    Returns
    -------
    numbers : polars.Series of Int64 or Float64, or None
        None when the column is text.
    strays : Strays or None
        The few cells that are not numbers (null in ``numbers``).
    note : str
        What commas stand for in the numbers, if they have any.
    """
    return next(number_columns(text.to_frame(), commas=commas, separator=separator))


def number_columns(
    frame: pl.DataFrame, *, commas: bool, separator: str
) -> Iterator[tuple[pl.Series | None, Strays | None, str]]:
    """Do what `numbers` does for every column of ``frame``, casting all columns at once."""
    import polars as pl

    floats = in_every_column(frame, pl.all().cast(pl.Float64, strict=False))
    given = [column.len() - column.null_count() for column in frame.iter_columns()]
    read = [column.len() - column.null_count() for column in floats.iter_columns()]
    whole = [n == ok > 0 for n, ok in zip(given, read, strict=True)]
    names = [name for name, numeric in zip(frame.columns, whole, strict=True) if numeric]
    numeric_text = frame.select(names)
    as_integers = in_every_column(
        numeric_text, pl.all().cast(pl.Int64, strict=False)
    ).iter_columns()
    columns = zip(frame.iter_columns(), floats.iter_columns(), given, whole, strict=True)
    for text, as_floats, n_given, numeric in columns:
        if numeric:
            whole_numbers = next(as_integers)
            exact = whole_numbers.len() - whole_numbers.null_count() == n_given
            yield (whole_numbers if exact else as_floats.fill_nan(None)), None, ""
        elif n_given == 0:
            yield None, None, ""
        else:
            yield _with_exceptions(text, as_floats, commas, separator)


def _with_exceptions(
    text: pl.Series, floats: pl.Series, commas: bool, separator: str
) -> tuple[pl.Series | None, Strays | None, str]:
    import polars as pl

    total = text.len() - text.null_count()
    odd = text.is_not_null() & floats.is_null()
    note = ""
    # In a comma-separated file one 1,234 among plain numbers may be 1.234 as well as 1234.
    if commas and not (separator == "," and _few(int(odd.sum()), total)):
        cells = text.filter(odd)
        style = _comma_style(cells.filter(cells.str.contains(_ANY_COMMA)), separator)
        if style is not None:
            floats = _without_commas(text, style).cast(pl.Float64, strict=False)
            odd = text.is_not_null() & floats.is_null()
            note = style
    n_odd = int(odd.sum())
    if n_odd == 0:
        return floats.fill_nan(None), None, note
    if not _few(n_odd, total):
        return None, None, ""
    row = int(odd.arg_true()[0])
    strays = Strays(text.name, n_odd, total, row + 1, str(text[row]))
    return floats.fill_nan(None), strays, note


def _few(n_odd: int, total: int) -> bool:
    return n_odd <= _STRAY_SHARE * total and total - n_odd >= _FEWEST_NUMBERS


def _comma_style(cells: pl.Series, separator: str) -> Style | None:
    """Tell which notation all these cells follow, none of which is a plain number."""
    if cells.len() == 0:
        return None

    def fits(pattern: str) -> bool:
        return bool(cells.str.contains(pattern).all())

    decimal, english = fits(_COMMA), fits(_ENGLISH)
    if decimal and not (english and separator == ","):
        return "decimal comma"
    if english:
        return "thousands comma"
    return "thousands point" if fits(f"{_COMMA}|{_GERMAN}") else None


def _without_commas(text: pl.Series, style: Style) -> pl.Series:
    if style == "thousands comma":
        return text.str.replace_all(",", "", literal=True)
    if style == "thousands point":
        # Only where a comma follows is the point a separator of thousands.
        bare = text.str.replace_all(".", "", literal=True)
        text = bare.zip_with(text.str.contains(_GERMAN).fill_null(False), text)
    return text.str.replace(",", ".", literal=True)
