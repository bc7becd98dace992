"""Delimited text (CSV and its relatives): bytes in, a polars frame of text cells out."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import DataError
from deltaprop.memory import check_memory
from deltaprop.tabular.encoding.cells import shorten
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.decoding import line_of, to_utf8
from deltaprop.tabular.reading.frames import refuse_patterns, refuse_twice
from deltaprop.tabular.reading.missing import (
    MISSING,
    Gap,
    MissingWords,
    clean_frame,
    find_gaps,
    mark_quoted,
    unmarked,
)
from deltaprop.tabular.reading.records import Layout, scan
from deltaprop.tabular.reading.sniff import (
    BLANKS,
    first_row_names_columns,
    rows_like,
    sniff_separator,
    split_blanks,
)

__all__ = ["MOST_COLUMNS", "SEPARATOR_LINE", "Reading", "TextTable", "read_delimited"]

MOST_COLUMNS = 100_000
SEPARATOR_LINE = re.compile(rb"(?i)sep=([,;\t|])[ \t]*(?:\n|$)")
_MEMORY_OF_A_CELL = (
    28  # bytes: as text of a few characters, as a number, and what is asked about it
)
_CSV_LIMIT = threading.Lock()


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known beforehand about how text files are written; see `load_dataset`."""

    header: bool | None = None
    words: MissingWords = field(default_factory=MissingWords)
    encoding: str | None = None
    seconds: float | None = None
    pieces: int | None = None
    text: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TextTable:
    """One delimited file as it stands: text cells, null where missing, named columns.

    ``gaps`` says what stands in the cells that are missing but not empty; ``quoted`` names the
    columns in which such words are text, because they stand in double quotes.
    """

    name: str
    frame: pl.DataFrame
    separator: str
    has_header: bool
    notes: tuple[str, ...]
    gaps: dict[str, tuple[Gap, ...]]
    quoted: tuple[str, ...]


def read_delimited(
    content: bytes,
    name: str,
    reading: Reading | None = None,
) -> TextTable:
    """Read a delimited text whose separator, quoting and header are found out from it.

    Undecodable bytes, rows of different lengths, an open quote, no rows, and two columns of one
    name are refused.
    """
    reading = reading or Reading()
    content, about = to_utf8(content, name, reading.encoding)
    first_line = 1
    given = SEPARATOR_LINE.match(content)
    if given:
        content, first_line = content[given.end() :], 2
    body = content.lstrip(b"\n")
    first_line += len(content) - len(body)
    if not body or body.isspace():
        raise _no_cells(name)
    separator = given[1].decode() if given else sniff_separator(body)
    body, mark = mark_quoted(body, separator, reading.words)
    text, short_header, padded = _cells(body, name, separator, first_line)
    cleaned = clean_frame(text, reading.words, padded=padded)
    table = _named(text, cleaned, mark, short_header, name, separator, reading.header)
    return replace(table, notes=(about, *table.notes)) if about else table


def _no_cells(name: str) -> DataError:
    return DataError(
        f"{name} holds no cells: expected a header line and at least one row. "
        "Check that the program that writes it has finished."
    )


def _cells(
    content: bytes, name: str, separator: str, first_line: int
) -> tuple[pl.DataFrame, bool, bool]:
    """Return all cells, the first row included, and whether that row lacks the last cell.

    The cells are as they stand there, null where nothing does; the third value says whether there
    may be blanks around some.
    """
    if separator == BLANKS:
        return *_from_rows(_blank_separated(content, first_line), name), True
    layout = scan(content, separator)
    if not layout.plain_quotes:
        rows = _quoted_rows(content, separator, name, first_line)
        return *_from_rows(rows, name), True
    keep, width = _even(layout, content, name, first_line)
    n_cells = layout.separators.size * width
    check_memory(
        _MEMORY_OF_A_CELL * n_cells + len(content),
        f"Reading the {n_cells:,} cells of {name}",
        "Give fewer rows or columns, or save it as Parquet, which takes less.",
    )
    short = int(layout.separators[0]) + 1 < width
    if short:
        at = int(layout.ends[0])
        content = content[:at] + separator.encode() + content[at:]
    try:
        frame = pl.read_csv(
            content,
            has_header=False,
            schema={f"{i}": pl.String for i in range(width)},
            separator=separator,
            infer_schema=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        why = str(error).partition("\n")[0][:200]
        raise DataError(
            f"{name} cannot be read as a table separated by {separator!r}: {why}. Expected rows "
            "of equally many cells. Look for a quotation mark that is never closed."
        ) from None
    if keep is not None:
        frame = frame.filter(pl.Series(keep))
    return frame, short, layout.padded


def _even(
    layout: Layout, content: bytes, name: str, first_line: int
) -> tuple[NDArray[np.bool_] | None, int]:
    """Refuse rows of different lengths; return which records are not blank, and the width."""
    widths = layout.separators + 1
    starts = layout.ends - layout.lengths
    filled = np.ones(widths.size, dtype=bool)
    for i in np.flatnonzero((widths == 1) & (layout.lengths < 1000)):
        filled[i] = bool(content[starts[i] : layout.ends[i]].strip())
    records = np.flatnonzero(filled)

    def line(row: int) -> int:
        return first_line + line_of(content, int(starts[records[row]])) - 1

    width = _common_width(widths[records], name, line)
    return (None if filled.all() else filled), width


def _common_width(widths: NDArray[np.int64], name: str, line: Callable[[int], int]) -> int:
    """Return the number of columns; a header may be one cell shorter than every row below it."""
    widest = int(widths.max())
    if widest > MOST_COLUMNS:
        raise DataError(
            f"{name} has {widest:,} cells on line {line(int(widths.argmax()))}: expected at most "
            f"{MOST_COLUMNS:,} columns. Check the line ends of the file; keep arrays this wide in "
            "an .npy or .npz file."
        )
    first = int(widths[0])
    if (widths == first).all():
        return first
    if first > 1 and widths.size > 2 and (widths[1:] == first + 1).all():
        return first + 1
    usual = Counter(widths.tolist()).most_common(1)[0][0]
    by_most = first != usual and 2 * int((widths == usual).sum()) > widths.size
    expected = usual if by_most else first
    odd = np.flatnonzero(widths != expected)
    found = int(widths[odd[0]])
    others = f" {odd.size - 1} more rows differ too." if odd.size > 1 else ""
    raise DataError(
        f"{name} has {found} {'cell' if found == 1 else 'cells'} on line {line(int(odd[0]))} (row "
        f"{int(odd[0]) + 1}, the first line counted): expected {expected}, as "
        f"{'most rows have' if by_most else 'the first row has'}.{others} Look there for a "
        "separator inside a cell (put such a cell in double quotes), a missing separator, or a "
        "line of remarks (delete it)."
    )


def _blank_separated(content: bytes, first_line: int) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(content.decode("utf-8").split("\n"), first_line):
        if line.strip():
            yield number, split_blanks(line)


def _quoted_rows(
    content: bytes, separator: str, name: str, first_line: int
) -> Iterator[tuple[int, list[str]]]:
    """Read quotes that do not follow the rules as well as they can be understood."""
    # A last line of its own shows whether a quote before it was left open.
    end = "\x01end of the table"
    text = content.decode("utf-8").rstrip("\n") + f"\n{end}"
    lines = text.split("\n")
    with _CSV_LIMIT:
        limit = csv.field_size_limit(max(len(text), 131_072))
        try:
            reader = csv.reader(
                io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True
            )
            start = 0
            row: list[str] = []
            for row in reader:
                several = reader.line_num > start + 1
                if several and not _closed(lines[start : reader.line_num], separator):
                    break
                if row == [end]:
                    return
                if row and (len(row) > 1 or row[0].strip()):
                    yield first_line + start, row
                start = reader.line_num
        finally:
            csv.field_size_limit(limit)
    raise DataError(
        f"{name} opens a double quote on line {first_line + start} that is not closed properly: "
        f"expected a second one at the end of the cell. The line begins "
        f"{shorten(lines[start][:60])}. Close the quote, or delete it; a quote inside a quoted "
        "cell is written twice."
    )


def _closed(lines: list[str], separator: str) -> bool:
    text = io.StringIO("\n".join(lines), newline="")
    try:
        return sum(1 for _ in csv.reader(text, delimiter=separator, strict=True)) == 1
    except csv.Error:
        return False


def _from_rows(rows: Iterator[tuple[int, list[str]]], name: str) -> tuple[pl.DataFrame, bool]:
    lines: list[int] = []
    cells: list[list[str]] = []
    for line, row in rows:
        lines.append(line)
        cells.append(row)
    if not cells:
        raise _no_cells(name)
    width = _common_width(np.array([len(row) for row in cells]), name, lines.__getitem__)
    short = len(cells[0]) < width
    if short:
        cells[0] = [*cells[0], ""]
    frame = pl.DataFrame(
        {f"{i}": column for i, column in enumerate(zip(*cells, strict=True))},
        schema={f"{i}": pl.String for i in range(width)},
    )
    return frame, short


def _named(
    text: pl.DataFrame,
    frame: pl.DataFrame,
    mark: str,
    short_header: bool,
    name: str,
    separator: str,
    header: bool | None,
) -> TextTable:
    """Take the header off the cells, name the columns, and drop what is no column.

    ``text`` has the cells as they stand, ``frame`` the cleaned ones.
    """
    first = tuple((cell or "").strip().replace(mark, "") for cell in text.row(0))
    found = first_row_names_columns(first, frame[1:]) if header is None else header
    notes: list[str] = []
    if found:
        text, frame, names = text[1:], frame[1:], _names(first)
        if frame.height == 0:
            raise DataError(
                f"{name} has a header line ({shorten(', '.join(names))}) and no rows: expected at "
                "least one row below it. Check that the program that writes it has finished."
            )
        again = rows_like(first, text)
        if again is not None:
            text, frame = text.filter(~again), frame.filter(~again)
            notes.append(
                f"{name} repeats its header line below it ({int(again.sum())} times): left out."
            )
    else:
        names = [f"column_{i + 1}" for i in range(frame.width)]
        how = "looks like data" if header is None else "is data, as was asked for"
        notes.append(
            f"{name} has no header line: its first line {how}. The columns are called "
            f"column_1 to column_{frame.width}."
        )
    frame, quoted = unmarked(frame, mark)
    gaps = find_gaps(text, frame)
    if found and names[-1] == "" and frame.width > 1:
        if frame[frame.columns[-1]].null_count() == frame.height:
            frame, names = frame.drop(frame.columns[-1]), names[:-1]
            notes.append(f"Every row of {name} ends with a separator: no column follows it.")
        elif short_header:
            # R writes the names of the rows in front and gives them no header.
            names = ["", *names[:-1]]
    labels = [label or f"column_{i + 1}" for i, label in enumerate(names)]
    refuse_twice(labels, name, "Rename or remove one; say header=False if the first line is data.")
    refuse_patterns(labels, name)
    called = dict(zip(frame.columns, labels, strict=True))
    frame = frame.rename(called)
    if found and names[0] == "" and frame.width > 1 and _counts_rows(frame[labels[0]]):
        frame = frame.drop(labels[0])
        notes.append(f"The first column of {name} has no name and numbers the rows: left out.")
    return TextTable(
        name,
        frame,
        separator,
        found,
        tuple(notes),
        {called[key]: of_column for key, of_column in gaps.items() if key in called},
        tuple(called[key] for key in quoted if key in called),
    )


def _names(first: Sequence[str]) -> list[str]:
    """Return the names in a header, "" where it has none; a single NA may be a name (of sodium)."""
    return ["" if cell == "?" or (cell in MISSING and first.count(cell) > 1) else cell
            for cell in first]  # fmt: skip


def _counts_rows(text: pl.Series) -> bool:
    n = text.cast(pl.Int64, strict=False)
    start = n[0]
    if start not in (0, 1) or n.null_count():
        return False
    return bool((n == pl.int_range(start, start + n.len(), eager=True)).all())
