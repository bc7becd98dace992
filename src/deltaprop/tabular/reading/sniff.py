"""How a delimited text is laid out: its separator, and whether its first line names columns."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence

from deltaprop.tabular.encoding.cells import in_every_column
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.missing import MISSING

__all__ = ["BLANKS", "first_row_names_columns", "rows_like", "sniff_separator", "split_blanks"]

# Stands for "one or more spaces or tabs between two cells".
BLANKS = " "

_SAMPLE_BYTES = 1 << 16
_SAMPLE_ROWS = 200
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_TOKEN = re.compile(r'"((?:[^"]|"")*)"(?=[ \t]|$)|([^ \t]+)')


def sniff_separator(content: bytes) -> str:
    """Return the separator of a delimited text: ``,``, ``;``, tab, ``|`` or blanks.

    A separator is believed when every sampled row has the same number (at least 2) of cells. Of
    several such, the one that makes the most cells wins; but one that leaves decimal commas whole
    wins over the comma, and blanks win over a tab only.
    """
    sample = _sample(content)
    tables = {separator: _split(sample, separator) for separator in (",", ";", "\t", "|")}
    even = {separator: table for separator, table in tables.items() if _width(table) > 1}
    blank_table = [split_blanks(line) for line in sample.splitlines() if line.strip()]
    blanks = _width(blank_table) or _width(blank_table[1:])
    if blank_table and len(blank_table[0]) not in (blanks, blanks - 1):
        blanks = 0
    if not even:
        if _mostly_numbers(blank_table):
            tables[BLANKS] = blank_table
        return BLANKS if blanks > 1 and BLANKS in tables else _least_ragged(tables)
    best = max(even, key=lambda separator: _width(even[separator]))
    for separator in ("\t", ";", "|"):
        if separator in even and best == "," and _whole_with_commas(even[separator]):
            best = separator
    if best == "\t" and blanks > _width(even["\t"]) and _mostly_numbers(blank_table):
        return BLANKS
    return best


def split_blanks(line: str) -> list[str]:
    """Split a line at runs of spaces and tabs, except inside double quotes."""
    return [
        match[1].replace('""', '"') if match[1] is not None else match[2]
        for match in _TOKEN.finditer(line.strip(" \t\r\n"))
    ]


def _sample(content: bytes) -> str:
    head = content[:_SAMPLE_BYTES]
    if len(content) > _SAMPLE_BYTES and b"\n" in head:
        head = head[: head.rindex(b"\n")]
        if head.count(b'"') % 2 and b'"' in head:
            # The cut fell into a quoted cell that holds a line break.
            head = head[: head.rindex(b'"')]
            head = head[: head.rindex(b"\n")] if b"\n" in head else head
    return head.decode("utf-8", errors="replace")


def _split(sample: str, separator: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(sample), delimiter=separator, skipinitialspace=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row and any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) == _SAMPLE_ROWS:
                break
    except csv.Error:
        pass
    return rows


def _width(rows: list[list[str]]) -> int:
    """Return the common number of cells, 0 where rows differ; a last empty cell may be lacking."""
    if not rows:
        return 0
    counts = {len(row) for row in rows}
    if len(counts) == 1:
        return counts.pop()
    if len({len(row) for row in rows[1:]}) == 1 and abs(len(rows[0]) - len(rows[1])) == 1:
        trailing = max(rows[0], rows[1], key=len)[-1]
        return 0 if trailing.strip() or len(rows[0]) < 2 else min(counts)
    return 0


def _mostly_numbers(rows: list[list[str]]) -> bool:
    cells = [cell for row in (rows[1:] or rows) for cell in row]
    found = sum(1 for cell in cells if _NUMBER.fullmatch(cell) or cell in ("", *MISSING))
    return 2 * found >= len(cells)


def _whole_with_commas(rows: list[list[str]]) -> bool:
    cells = [cell.strip() for row in rows[1:] or rows for cell in row if "," in cell]
    return bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)


def _least_ragged(tables: dict[str, list[list[str]]]) -> str:
    """Choose the separator on which most rows agree, for the message about those that do not."""
    best, agreement = ",", 0.0
    for separator, rows in tables.items():
        wide = Counter(len(row) for row in rows if len(row) > 1)
        share = wide.most_common(1)[0][1] / len(rows) if wide else 0.0
        if share > agreement + 1e-9:
            best, agreement = separator, share
    # Two lines out of three: less than that is a text with a comma here and there.
    return best if agreement >= 0.5 else ","


def first_row_names_columns(first: Sequence[str], body: pl.DataFrame) -> bool:
    """Tell whether the first row of a table is a header.

    A header has words over columns of numbers (or dates, or truth values). In a table of words
    only, it has labels that are all different and that do not come back in their columns.
    """
    cells = ["" if cell in MISSING else cell for cell in first]
    if body.height == 0:
        return not any(_typed(cell) for cell in cells)
    head = body.head(2000)
    again = rows_like(first, head)
    head = head if again is None else head.filter(~again)
    valid = [column.len() - column.null_count() for column in head.iter_columns()]
    is_typed = in_every_column(head, pl.all().str.contains(_TYPED))
    typed = [column.sum() for column in is_typed.iter_columns()]
    names_over_numbers = numbers_over_numbers = 0
    for cell, n_valid, n_typed in zip(cells, valid, typed, strict=True):
        if cell and n_valid and n_typed >= 0.9 * n_valid:
            names_over_numbers += not _typed(cell)
            numbers_over_numbers += _typed(cell)
    if numbers_over_numbers and _counts_up([cell for cell in cells if _typed(cell)]):
        return True
    if names_over_numbers or numbers_over_numbers:
        return names_over_numbers >= numbers_over_numbers
    if any(_typed(cell) for cell in cells):
        return False
    return not _come_back(cells, body)


def rows_like(first: Sequence[str], body: pl.DataFrame) -> pl.Series | None:
    """Tell which rows repeat the header, as in files that were put together; None for none."""
    if body.width < 2:
        return None
    alike: pl.Series | None = None
    for cell, column in zip(first, body.iter_columns(), strict=True):
        same = column.fill_null("").str.strip_chars() == cell
        alike = same if alike is None else alike & same
        if not alike.any():
            return None
    return alike


_TYPED = (
    r"^(?:[+(-]{0,2}[$€£¥₹]? ?[+-]?(?:\d+(?:[.,' ]\d*)*|[.,]\d+)(?:[eE][+-]?\d+)?"
    r" ?[%$€£¥₹円元]?[)-]?|"
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?|(?i:true|false|inf|-inf))$"
)
_TYPED_CELL = re.compile(_TYPED)


def _typed(cell: str) -> bool:
    return _TYPED_CELL.match(cell) is not None


def _counts_up(cells: list[str]) -> bool:
    """Tell whether at least 3 cells read 0, 1, 2, ... or are years that follow each other."""
    if len(cells) < 3 or not all(re.fullmatch("[0-9]{1,9}", cell) for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    in_sequence = all(b - a == 1 for a, b in itertools.pairwise(numbers))
    return in_sequence and (numbers[0] in (0, 1) or 1900 <= numbers[0] <= 2100)


def _come_back(cells: list[str], body: pl.DataFrame) -> bool:
    """Tell whether a label of the first row is a value of its column further down."""
    return any(
        bool((column == cell).any())
        for cell, column in zip(cells, body.iter_columns(), strict=True)
        if cell
    )
