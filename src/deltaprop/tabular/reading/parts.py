"""The rows of a large file, some after another: never more than a part of it is in memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TypeVar, cast

import numpy as np

from deltaprop.errors import DataError, OutOfMemoryError
from deltaprop.memory import addresses_are_limited
from deltaprop.tabular.encoding.cells import Strays, picked
from deltaprop.tabular.libraries import nw
from deltaprop.tabular.reading.dataset import Dataset, Task, split_target
from deltaprop.tabular.reading.decoding import check_encoding
from deltaprop.tabular.reading.delimited import SEPARATOR_LINE, Reading, read_delimited
from deltaprop.tabular.reading.missing import Words, as_missing_words
from deltaprop.tabular.reading.parquet import parquet_parts
from deltaprop.tabular.reading.read import Table, typed
from deltaprop.tabular.reading.records import scan
from deltaprop.tabular.reading.sniff import BLANKS
from deltaprop.tabular.reading.source import Source, format_of, paths_of

__all__ = ["by_parts", "datasets_of"]

T = TypeVar("T")
Read = TypeVar("Read", Table, Dataset)

_AT_ONCE = 1 << 22  # bytes of a text
_LONGEST = 1 << 26  # of a record
_HEAD = 1 << 12
_QUOTE, _NEWLINE = ord('"'), ord("\n")


@dataclass(slots=True)
class _Remarks:
    """What reading the parts found, put together for the whole table.

    Of each column ``strays`` holds the cells that are no numbers among numbers, and ``cells`` how
    many are not missing.
    """

    n_rows: int = 0
    notes: dict[str, None] = field(default_factory=dict)
    strays: dict[str, Strays] = field(default_factory=dict)
    cells: dict[str, int] = field(default_factory=dict)

    def of(self, tables: Iterator[Table]) -> Iterator[Table]:
        """Yield the tables, whose rows follow each other, and take note of what was found."""
        for table in tables:
            self._add(table)
            yield table

    def _add(self, table: Table) -> None:
        if not self.n_rows:
            self.notes |= dict.fromkeys(table.notes)
        if not table.is_image:
            for column in table.frame.iter_columns():
                known = column.len() - column.null_count()
                self.cells[column.name] = self.cells.get(column.name, 0) + known
        for name, odd in table.strays.items():
            self.cells[name] += odd.count  # missing among the numbers
            first = self.strays.get(name, replace(odd, count=0, row=odd.row + self.n_rows))
            self.strays[name] = replace(first, count=first.count + odd.count)
        self.n_rows += table.n_rows

    def remarks(self, where: str) -> list[str]:
        """Return all of it in sentences about the table that is called so."""
        of_strays = [
            replace(odd, total=self.cells[name]).sentence(where)
            for name, odd in self.strays.items()
        ]
        return [*self.notes, *of_strays]


def by_parts(
    source: Source,
    work: Callable[[Iterator[Read]], T],
    whole: Callable[[], Read],
    each: Callable[[Table], Read],
    *,
    missing: Words = None,
    encoding: str | None = None,
    text: Collection[str] = (),
) -> tuple[T, list[str]]:
    """Return what ``work`` makes of the rows of a file, some after another, and what reading found.

    What a part cannot tell surely, such as an encoding that shows far below, or what is an error in
    one, is left to the whole: then ``work`` is called again, with all rows at once. So are files
    that are small, or neither text nor Parquet.

    Parameters
    ----------
    source, missing, encoding, text
        See `load_features`.
    work : callable
        Given an iterator over the rows; may be called twice.
    whole : callable
        Reads all rows: `load_features` or `load_dataset`. What it raises is raised.
    each : callable
        Returns of a part what ``whole`` returns of all; may raise a DataError to have that.
    """
    words, encoding = as_missing_words(missing), check_encoding(encoding)
    reading = Reading(None, words, encoding, text=frozenset(text))
    parts = _parts_of(source, reading)
    if parts is not None:
        found = _Remarks()
        try:
            return work(_ahead(map(each, found.of(parts)))), found.remarks(str(source))
        except OutOfMemoryError:
            raise
        except DataError:
            pass  # the whole table tells what is wrong with it, and where
    together: Read = whole()
    return work(iter([together])), [*together.notes, *together.warnings]


def datasets_of(target: Sequence[str], task: Task | None) -> Callable[[Table], Dataset]:
    """Return what splits the target off the rows of a part, for `by_parts`."""

    def split(table: Table) -> Dataset:
        rows: Dataset = split_target(table, target, task)
        if set(rows.target_names) & set(table.strays) or len(rows.warnings) > len(table.strays):
            raise DataError("What is strange here has to be judged by all rows.")
        return rows

    return split


def _ahead(parts: Iterator[T]) -> Iterator[T]:
    """Yield the parts, while a thread reads the one that follows.

    A thread that gets no memory can hang, so there is none where addresses are limited.
    """
    if addresses_are_limited():
        yield from parts
        return
    end = object()
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, parts, end)
        while (part := coming.result()) is not end:
            coming = reader.submit(next, parts, end)
            yield cast("T", part)


def _parts_of(source: Source, reading: Reading) -> Iterator[Table] | None:
    """Return the tables of files that are read in parts; None where they are to be read whole."""
    names = [] if str(source) == "-" else paths_of(str(source))
    paths = [Path(name) for name in names]
    if not paths or not all(path.is_file() for path in paths):
        return None
    if sum(path.stat().st_size for path in paths) <= _AT_ONCE or not _keeps_ascii(reading.encoding):
        return None
    return _in_columns_of_the_first(_parts(name, reading) for name in names)


def _keeps_ascii(encoding: str | None) -> bool:
    """Tell whether line ends and quotes are single bytes, which cannot be parts of others."""
    return encoding is None or '\n"'.encode(encoding) == b'\n"'


def _in_columns_of_the_first(files: Iterator[Iterator[Table]]) -> Iterator[Table]:
    names: list[str] = []
    for tables in files:
        for table in tables:
            frame = table.frame
            names = names or frame.columns
            if not set(names) <= set(frame.columns):
                raise DataError("The parts have different columns.")
            features = nw.from_native(picked(frame, names), eager_only=True)
            yield replace(table, features=features)
    if not names:
        raise DataError("There are no rows.")


def _parts(name: str, reading: Reading) -> Iterator[Table]:
    try:
        yield from _parts_of_file(name, reading)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name} cannot be read: {error}.") from None


def _parts_of_file(name: str, reading: Reading) -> Iterator[Table]:
    with Path(name).open("rb") as file:
        head = file.read(_HEAD)
        zipped = head[:2] == b"\x1f\x8b"
        file.seek(0)
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if zipped else file
        if zipped:
            head = stream.read(_HEAD)
            stream.seek(0)
        found = format_of(head, name)
        if found == "text":
            yield from _text_parts(stream, name, reading)
        elif found == "parquet" and not zipped:
            for frame in parquet_parts(name):
                yield Table(nw.from_native(frame, eager_only=True), name)
        else:
            raise DataError(f"{name} is not read in parts.")


def _text_parts(stream: IO[bytes], name: str, reading: Reading) -> Iterator[Table]:
    """Yield the tables of a text whose records are complete, each below the same header."""
    reading = replace(reading, encoding=reading.encoding or "utf-8")
    header, notes = b"", tuple[str, ...]()
    for i, records in enumerate(_records(stream)):
        content = header + records
        table = read_delimited(content, name, reading)
        if i == 0:
            header = records[: _end_of_header(records)]
            if not table.has_header:
                header = f"{table.separator.join(table.frame.columns)}\n".encode()
            reading = replace(reading, header=True)
            notes = table.notes
        if not set(table.notes) <= set(notes):
            raise DataError(f"The parts of {name} are not read alike.")
        if b'"' in content and (
            table.separator == BLANKS or not scan(content, table.separator).plain_quotes
        ):
            raise DataError(f"The quotes of {name} do not follow the rules.")
        yield typed([table], name, reading)


def _records(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield a text in parts that end where a record does; the last one is not a small one."""
    held, following = stream.read(_AT_ONCE), stream.read(_AT_ONCE)
    while following:
        after = stream.read(_AT_ONCE)
        if not after and len(following) < _AT_ONCE // 2:
            held, following = held + following, b""
            break
        end = _last_end(held)
        if end:
            yield held[:end]
        elif len(held) > _LONGEST:
            raise DataError(f"No line ends within {len(held):,} bytes.")
        held, following = held[end:] + following, after
    yield held


def _last_end(text: bytes) -> int:
    """Return where the last record ends that is complete; 0 where none is."""
    if b'"' not in text:
        return text.rfind(b"\n") + 1
    ends = _ends(text)
    return int(ends[-1]) + 1 if ends.size else 0


def _end_of_header(text: bytes) -> int:
    """Return where the first record ends that names columns."""
    start = 0
    for end in _ends(text):
        line = text[start : end + 1]
        if line.strip(b"\xef\xbb\xbf \t\r\n") and not SEPARATOR_LINE.fullmatch(line.strip(b"\r\n")):
            return int(end) + 1
        start = int(end) + 1
    return len(text)


def _ends(text: bytes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the places of the newlines that are not inside of quotes."""
    cells = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(cells == _NEWLINE)
    if b'"' in text:
        before = np.searchsorted(np.flatnonzero(cells == _QUOTE), ends)
        ends = ends[before % 2 == 0]
    return ends
