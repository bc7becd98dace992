"""Words that stand for a missing value, and the same words where they are words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from deltaprop.errors import SettingError
from deltaprop.tabular.encoding.cells import holds_numbers, in_every_column, picked, shorten
from deltaprop.tabular.encoding.dates import date_format
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.truth import are_truth_values

__all__ = [
    "BLANKS",
    "MISSING",
    "NO_VALUE",
    "NO_WORDS",
    "Gap",
    "MissingWords",
    "Words",
    "as_missing_words",
    "clean_frame",
    "clean_text",
    "find_gaps",
    "mark_quoted",
    "merge_gaps",
    "numbers_without_words",
    "probable_word",
    "unmarked",
    "without_dashes",
    "without_words",
]

MISSING = (
    "?", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "-nan", "-NaN",
    "null", "NULL", "None",
    "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!",  # a sheet's, of a cell that failed
)  # fmt: skip

# What stands in the place of a number, a date or a truth value that there is none of.
_DASHES = ("-", "--", "---", "–", "—", "―", "−")
NO_VALUE = (*MISSING, *_DASHES)
# What polars strips from cells: the blanks of Unicode, which for Python are a few more.
BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)

# Of these, the ones that are somebody's name for something: Namibia, no damage, zero.
_LIKE_WORDS = ("NA", "null", "NULL", "None")
_MOST_CATEGORIES = 256
# Noncharacters: no text has them, and programs may use them inside.
_MARKS = tuple(map(chr, range(0xFDD0, 0xFDF0)))


@dataclass(frozen=True, slots=True)
class MissingWords:
    """Which cells of a delimited text are missing, beside the empty ones."""

    bare: tuple[str, ...] = MISSING
    quoted: bool = False  # whether these words are missing in double quotes, too


NO_WORDS = MissingWords(())
Words = str | Sequence[str] | MissingWords | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Cells of a column that are missing because of what they say; rows count from 1."""

    word: str
    count: int
    row: int


def as_missing_words(given: Words) -> MissingWords:
    """Return what a caller means by ``missing``: his own words count in quotes as well."""
    if given is None or isinstance(given, MissingWords):
        return given or MissingWords()
    words: tuple[object, ...] = (given,) if isinstance(given, str) else tuple(given)
    odd = [word for word in words if not isinstance(word, str)]
    if odd:
        raise SettingError(
            f"missing holds {shorten(odd[0])}: expected the words that stand for a missing value, "
            "as text, such as ('NA', '-999'); () when only empty cells are missing."
        )
    stripped = (str(word).strip() for word in words)
    return MissingWords(tuple(filter(None, stripped)), quoted=True)


def mark_quoted(content: bytes, separator: str, words: MissingWords) -> tuple[bytes, str]:
    """Put a mark before the words that stand in double quotes, and return it ("" for none).

    Readers of delimited text do not tell which cells were quoted.
    """
    if words.quoted or not words.bare or b'"' not in content:
        return content, ""
    blanks = rb"[ ]*" if separator == "\t" else rb"[ \t]*"
    ends = rb"[ \t\n]" if separator == " " else b"[" + re.escape(separator.encode()) + rb"\n]"
    cell = b"|".join(re.escape(word.encode()) for word in words.bare)
    pattern = re.compile(rb'"(?=[ ]*(?:' + cell + rb')[ ]*"' + blanks + rb"(?:" + ends + rb"|\Z))")
    before = re.compile(rb"(?:\A|" + ends + rb")" + blanks + rb"\Z")
    mark = next((one for one in _MARKS if one.encode() not in content), _MARKS[0])
    marked = b'"' + mark.encode()
    found = False

    def opened(match: re.Match[bytes]) -> bytes:
        nonlocal found
        at = match.start()
        if not before.search(content, max(0, at - 200), at):
            return match[0]
        found = True
        return marked

    content = pattern.sub(opened, content)
    return content, mark if found else ""


def unmarked(frame: pl.DataFrame, mark: str) -> tuple[pl.DataFrame, list[str]]:
    """Take the mark off all cells; return also the columns that had one."""
    if not mark:
        return frame, []
    has = in_every_column(frame, pl.all().str.contains(mark, literal=True))
    names = [column.name for column in has.iter_columns() if column.any()]
    bare = pl.col(names).str.replace_all(mark, "", literal=True).str.strip_chars()
    return frame.with_columns(bare) if names else frame, names


def clean_frame(frame: pl.DataFrame, words: MissingWords, *, padded: bool = True) -> pl.DataFrame:
    """Strip the blanks around every cell, and make a null of empty ones and of ``words``.

    Without ``padded`` there are no blanks around any.
    """
    if padded:
        frame = in_every_column(frame, pl.all().str.strip_chars())
    is_missing = pl.all().is_in(["", *words.bare])
    has = in_every_column(frame, is_missing)
    names = [column.name for column in has.iter_columns() if column.any()]
    if not names:
        return frame
    cleaned = in_every_column(picked(frame, names), pl.when(~is_missing).then(pl.all()))
    return frame.with_columns(cleaned.iter_columns())


def clean_text(text: pl.Series) -> pl.Series:
    """Strip the blanks around every cell, and make a null of what is missing.

    What has been read is text: NA among words is a word. Among numbers, dates and truth values
    it is a missing one, and so is a dash.
    """
    frame, _ = numbers_without_words(clean_frame(text.to_frame(), NO_WORDS))
    return frame.to_series()


def without_words(text: pl.Series) -> pl.Series:
    """Do what `clean_text` does for a column of which it is known that words are missing there."""
    return clean_frame(text.to_frame(), MissingWords()).to_series()


def without_dashes(text: pl.Series) -> pl.Series:
    """Do what `clean_text` does for a column of numbers, dates or truth values."""
    return clean_frame(text.to_frame(), MissingWords(NO_VALUE)).to_series()


def numbers_without_words(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Make nulls of words for missing, and of dashes, among cleaned numbers, dates or truth values.

    Beside the frame stand the columns that had such cells.
    """
    is_word = pl.all().is_in(NO_VALUE)
    has = in_every_column(frame, is_word)
    concerned = [
        column.name
        for column in has.iter_columns()
        if column.any() and not _words(frame[column.name].filter(~column))
    ]
    return frame.with_columns([without_dashes(frame[name]) for name in concerned]), concerned


def _words(rest: pl.Series) -> bool:
    """Tell whether a column is one of words, by its cells that may not be missing."""
    rest = rest.drop_nulls()
    if rest.is_empty() or are_truth_values(rest) or holds_numbers(rest):
        return False
    return date_format(rest) == (None, False)


def find_gaps(text: pl.DataFrame, cleaned: pl.DataFrame) -> dict[str, tuple[Gap, ...]]:
    """Return, per column, what the cells say that are missing but not empty."""
    gaps: dict[str, tuple[Gap, ...]] = {}
    for before, after in zip(text.iter_columns(), cleaned.iter_columns(), strict=True):
        if after.null_count() == before.null_count():
            continue
        rows = (after.is_null() & before.is_not_null()).arg_true()
        said = pl.DataFrame({"word": before.gather(rows).str.strip_chars(), "row": rows + 1})
        counted = said.filter(pl.col("word") != "").group_by("word", maintain_order=True)
        found = counted.agg(pl.len(), pl.col("row").min().alias("first")).rows()
        if found:
            gaps[after.name] = tuple(Gap(word, count, row) for word, count, row in found)
    return gaps


def merge_gaps(
    parts: Iterable[tuple[int, Mapping[str, tuple[Gap, ...]]]],
) -> dict[str, tuple[Gap, ...]]:
    """Return the gaps of tables below each other; each comes with the rows above it."""
    merged: dict[str, dict[str, Gap]] = {}
    for above, gaps in parts:
        for name, found in gaps.items():
            known = merged.setdefault(name, {})
            for gap in found:
                first = known.get(gap.word, Gap(gap.word, 0, gap.row + above))
                known[gap.word] = replace(first, count=first.count + gap.count)
    return {name: tuple(known.values()) for name, known in merged.items()}


def probable_word(column: pl.Series, gaps: Sequence[Gap]) -> Gap | None:
    """Return the word of a column of words that was taken as missing but looks like the others.

    NA beside ZA and BW is Namibia, None beside Minor is no damage. It looks like them when it is
    written as all of them are (in capitals, with one capital, without; NA with two letters), or
    when the column has empty cells for what is missing.
    """
    others = column.drop_nulls().unique().sort()
    if not 2 <= others.len() <= _MOST_CATEGORIES or others.len() > 0.5 * column.len():
        return None
    missing = column.null_count()
    for gap in gaps:
        if gap.word not in _LIKE_WORDS:
            continue
        empty = missing > sum(other.count for other in gaps)
        alike = others.str.contains(_written_like(gap.word)).all()
        if alike or (empty and others.str.contains(r"^\p{L}").all()):
            return gap
    return None


def _written_like(word: str) -> str:
    """Return the pattern of words that are written as this one is."""
    if word.isupper():
        return r"^\p{Lu}{2}$" if len(word) == 2 else r"^\p{Lu}[\p{Lu}\d_ -]*$"
    return r"^\p{Ll}[\p{Ll}\d_ -]*$" if word.islower() else r"^\p{Lu}\p{Ll}+(?:[ _-]\p{L}+)*$"
