"""Find the notation of a column of text: whether cells are numbers, and what their marks say."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.notation import GROUPS, POINTS, Notation, fits, parts_of
from deltaprop.tabular.reading.units import THREE_DECIMALS, is_currency, is_unit, key_of

__all__ = [
    "FEWEST_NUMBERS",
    "STRAY_SHARE",
    "Found",
    "few",
    "find_notation",
    "read_numbers",
    "with_numbers",
    "written_plainly",
]

_MAY_BE_GROUPED = re.compile(r"[+-]?(?:[1-9]\d{0,2}\.\d{3}|\d{1,3})", re.ASCII)
_ADDRESS = r"^(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])(?:\.(?:1\d\d|2[0-4]\d|25[0-5])){3}$"
_DIGIT = re.compile(r"\d")
_SAMPLE = 200
_FIRST = 20
_MOST_UNITS = 10  # in a sample; of more the cells are addresses and the like
STRAY_SHARE = 0.05
FEWEST_NUMBERS = 20
_FEWEST_ENDINGS = 3  # of the digits behind a mark; thirds of a number have but two
_LONGEST_GROUPED = 7  # digits; where all cells have as many or more, they number telephones


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out about how a column writes its numbers."""

    notation: Notation | None = None  # None where the cells are no numbers
    doubt: str = ""  # what no cell decides, and how it is read therefore
    why_not: str = ""  # why cells that look like numbers are none


def written_plainly(text: pl.Series) -> Found | None:
    """Return how cells that all are plain numbers are read, or None where that takes a closer look.

    Cells such as 1.234 and 12.500 may be thousands; one 0.5, 1.25 or 1000 says that they are not.
    Where every cell has a point, as numbers of three decimals have, it is taken for a decimal one.
    """
    certain = Found(Notation())
    # Of most columns some of the first cells tell, which costs little where there are many columns.
    if not all(_MAY_BE_GROUPED.fullmatch(cell) for cell in text.head(_FIRST).to_list() if cell):
        return certain
    cells = text.drop_nulls()
    if not cells.str.contains(f"^(?:{_MAY_BE_GROUPED.pattern})$").all():
        return certain
    points = cells.str.contains(".", literal=True)
    if not points.any():
        return certain
    if points.all():
        example = str(cells.str.strip_chars("+-").min())
        return Found(Notation(), _doubt(".", example, "is a decimal one", example))
    return None


def find_notation(text: pl.Series) -> Found:
    """Find the one notation in which the cells of a cleaned text column are numbers.

    The whole column decides. All cells must have the same currency or unit (0 may go without); a
    few may be something else, as in a column of plain numbers. What are dates, telephone numbers,
    addresses, versions, ordinals or identifiers is no number with a unit. Where nothing but a
    decimal point is written, the plain notation is found.
    """
    cells = text.drop_nulls().alias("cell")
    n = cells.len()
    if n == 0:
        return Found()
    sample = cells.gather_every(max(1, n // _SAMPLE))
    size, most_odd = sample.len(), 0.2 * sample.len()
    if sum(_DIGIT.search(cell) is None for cell in sample.to_list()) > most_odd:
        return Found()  # words, most often: without taking them apart
    parts = _counted(sample)
    numeric = parts.filter(~parts["odd"])
    n_units = numeric.select("before", "after").n_unique()
    if size - numeric["rows"].sum() > most_odd or n_units > max(_MOST_UNITS, size / 4):
        return Found()
    if size < n:
        parts = _counted(cells)
        numeric = parts.filter(~parts["odd"])
    numeric, unit, why_not = _one_unit(numeric, n)
    if numeric.height == 0:
        return Found(why_not=why_not)
    # Of two marks that explain equally many cells neither is certain.
    explained = {marks: _rows(numeric, *marks) for marks in _possible_marks(numeric["body"])}
    most = max(explained.values(), default=0)
    if most < n and not few(n - most, n):
        return Found(why_not=why_not)
    best = [marks for marks, rows in explained.items() if rows == most]
    numeric = numeric.filter(fits(numeric, *best[0]))
    if _numbers_something_off(numeric, best[0][1]):
        return Found()
    (point, group), doubt = best[0], ""
    if len(best) > 1:
        (point, group), doubt = _decided(numeric["body"], unit, best)
    return Found(Notation(point, group, *unit), doubt)


def _counted(cells: pl.Series) -> pl.DataFrame:
    """Return the different cells taken apart, and how many ``rows`` each has."""
    counts = cells.value_counts(name="rows")
    return parts_of(counts["cell"]).with_columns(counts["rows"])


def few(n_odd: int, total: int) -> bool:
    """Tell whether so few cells are no numbers that the column still is one of numbers."""
    return n_odd <= STRAY_SHARE * total and total - n_odd >= FEWEST_NUMBERS


def read_numbers(text: pl.Series, notation: Notation | None) -> pl.Series:
    """Return later cells of a numeric column as Float64, null where they are no numbers.

    They are read as the column was written at training; or, where some are not written so, as
    plain numbers; or as the column itself proves to be written, if it has the same unit.
    """
    values = notation.read(text) if notation else text.cast(pl.Float64, strict=False)
    n_known = text.len() - text.null_count()
    if n_known == values.len() - values.null_count():
        return values
    if notation:
        plain = text.cast(pl.Float64, strict=False)
        if n_known == plain.len() - plain.null_count():
            return plain
    found = find_notation(text)
    own = key_of(notation.unit) if notation else ""
    if found.notation is None or found.doubt or key_of(found.notation.unit) != own:
        return values
    other = found.notation.read(text)
    return other if other.null_count() < values.null_count() else values


def with_numbers(frame: pl.DataFrame, *, but: Collection[str] = ()) -> pl.DataFrame:
    """Return a frame whose columns of text are numbers where every cell is one, except ``but``."""
    read = []
    for text in frame.select(pl.col(pl.String)).iter_columns():
        found = Found() if text.name in but else find_notation(text)
        if found.notation is not None:
            numbers = found.notation.read(text)
            read += [numbers] if numbers.null_count() == text.null_count() else []
    return frame.with_columns(read)


def _one_unit(parts: pl.DataFrame, n: int) -> tuple[pl.DataFrame, tuple[str, str], str]:
    """Return the cells of the commonest unit, that unit, and why the others spoil the column."""
    written = (
        parts.group_by("before", "after")
        .agg(pl.col("rows").sum(), (pl.col("body").str.contains(r"[1-9]").any()).alias("some"))
        .sort(["rows", "before", "after"], descending=[True, False, False])
    )
    rows: dict[tuple[str, str], int] = {}
    for before, after, count, some in written.iter_rows():
        key = (key_of(before), key_of(after))
        if some or before or after:
            rows[key] = rows.get(key, 0) + count
    if not rows:
        return parts, ("", ""), ""
    key = max(rows, key=rows.__getitem__)
    same = [
        (before, after)
        for before, after, *_ in written.iter_rows()
        if (key_of(before), key_of(after)) == key
    ]
    others = [" ".join(filter(None, k)) or "no unit" for k in rows if k != key]
    why_not = ""
    known = all(not after or is_unit(after, apart=False) for _, after in rows)
    if known and others and not few(sum(rows.values()) - rows[key], n):
        own = " ".join(filter(None, key)) or "no unit"
        units = ", ".join([own, *others][:4]) + (", ..." if len(others) > 3 else "")
        why_not = f"its numbers have different units ({units}), so they are words"
    of_it = pl.struct("before", "after").is_in([{"before": b, "after": a} for b, a in same])
    bare_zero = (pl.col("before") + pl.col("after") == "") & ~pl.col("body").str.contains("[1-9]")
    return parts.filter(of_it | bare_zero), same[0], why_not


def _possible_marks(bodies: pl.Series) -> list[tuple[str, str]]:
    """Return the pairs of decimal mark and mark of thousands that use just the marks there are."""
    used = {mark for mark in ".,' " if bodies.str.contains(mark, literal=True).any()}
    return [
        (point, group)
        for point in POINTS
        for group in GROUPS
        if point != group
        and used <= {point, group}
        and (not group or group in used)
        and (point in used or point == "." or group == ".")
    ]


def _rows(parts: pl.DataFrame, point: str, group: str) -> int:
    return int(parts["rows"].filter(fits(parts, point, group)).sum())


def _numbers_something_off(parts: pl.DataFrame, group: str) -> bool:
    """Tell whether the cells are telephone numbers, addresses of machines, or an enumeration."""
    bodies = parts["body"]
    if parts["accounting"].all() and bodies.str.contains(r"^\d+$").all():
        return True
    if group == "." and bodies.str.contains(_ADDRESS).all():
        return True
    if group != " ":
        return False
    digits = bodies.str.replace_all(" ", "", literal=True).str.len_chars()
    whole = not bodies.str.contains(r"[.,]").any()
    same = digits.n_unique() == 1 and int(digits[0]) >= _LONGEST_GROUPED and bodies.len() > 1
    bare = bool(((parts["before"] == "") & (parts["after"] == "")).all())
    return bool(parts["plus"].any()) or (whole and same and bare)


def _decided(
    bodies: pl.Series, unit: tuple[str, str], marks: list[tuple[str, str]]
) -> tuple[tuple[str, str], str]:
    """Choose between a decimal mark and a mark of thousands where each cell may be either."""
    decimal = next((pair for pair in marks if not pair[1]), marks[0])
    grouped = next((pair for pair in marks if pair[1]), marks[0])
    both = decimal == grouped  # 1,234 and 5.678: one of the marks is of decimals, as in English
    mark = "," if both else grouped[1]
    marked = bodies.filter(bodies.str.contains(mark, literal=True))
    whole = bodies.filter(~bodies.str.contains(mark, literal=True))
    example = str(marked.min())
    if both:
        return (".", ","), f"nothing tells the decimal mark; {example} is read as in English"
    endings = marked.str.slice(-3).n_unique()
    if whole.len() and not whole.str.contains(r"^\d{1,3}$").all():
        chosen = decimal
    elif mark == "," or _counts_money(unit):
        chosen = grouped
    else:
        mixed = whole.str.contains("[1-9]").sum() >= max(3, 0.05 * bodies.len())
        chosen = grouped if mixed and endings >= _FEWEST_ENDINGS else decimal
    value = example.replace(mark, "" if chosen is grouped else ".")
    what = "groups thousands" if chosen is grouped else "is a decimal one"
    return chosen, _doubt(mark, example, what, value)


def _doubt(mark: str, example: str, what: str, value: str) -> str:
    name = {",": "comma", ".": "point"}[mark]
    return f"no cell tells what the {name} is: taken that it {what}, so {example} is {value}"


def _counts_money(unit: tuple[str, str]) -> bool:
    money = [part for part in unit if part and is_currency(part)]
    return bool(money) and not any(key_of(part) in THREE_DECIMALS for part in money)
