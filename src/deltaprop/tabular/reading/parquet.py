"""Parquet files, from strangers too: what they announce is checked before polars believes it.

polars ends the whole process when a damaged page announces more values than there is memory for,
and panics at others. So the sizes in the footer and in every page's header are compared with the
bytes that are there.
"""

from __future__ import annotations

import io
import mmap
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from deltaprop.errors import DataError, DeltapropError
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.source import Blob, most_unpacked, too_large

__all__ = ["parquet_parts", "read_parquet"]

_STDERR = threading.Lock()
_CELLS_AT_ONCE = 1 << 21
_DEEPEST, _MOST_ENTRIES = 12, 1_000_000
_WIDTHS = {0: 0.125, 1: 4, 2: 8, 4: 4, 5: 8}  # bytes of a value in memory, by its type
_SLACK = 100  # old writers forget the header of a dictionary when they add up
_STRUCT, _LIST, _SET, _MAP = 12, 9, 10, 11

Fields = dict[int, object]


def read_parquet(blob: Blob) -> pl.DataFrame:
    """Read a Parquet file; refuse what is damaged, too large when it is unpacked, or empty."""
    with _refusing(blob.name):
        _check(blob)
        frame = pl.read_parquet(io.BytesIO(blob.content))
    if frame.height == 0 or frame.width == 0:
        raise DataError(
            f"{blob.name} has {frame.height} rows and {frame.width} columns: expected at least one "
            "of each. Check the program that writes it."
        )
    return frame


def parquet_parts(name: str) -> Iterator[pl.DataFrame]:
    """Yield the rows of a Parquet file, some after another; raise what `read_parquet` does."""
    with Path(name).open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with content, _refusing(name):
        _check(Blob(name, cast("bytes", content), "parquet"))  # it is read by slices only
    lazy = pl.scan_parquet(Path(name), glob=False)
    start, at_once = 0, 0
    while True:
        with _refusing(name):
            at_once = at_once or max(1, _CELLS_AT_ONCE // max(1, len(lazy.collect_schema())))
            frame = lazy.slice(start, at_once).collect()
        if frame.height == 0 or frame.width == 0:
            return
        yield frame
        start += frame.height


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Raise a `DataError` for what is found wrong with a file."""
    try:
        with _panics_unsaid():
            yield
    except DeltapropError:
        raise
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        why = str(error).partition("\n")[0][:200]
        raise DataError(
            f"{name} begins as Parquet but cannot be read ({why}): expected an intact Parquet "
            "file. Fetch or write it again."
        ) from None


@contextmanager
def _panics_unsaid() -> Iterator[None]:
    """Hold back what Rust writes to the standard error when it panics: the error says it."""
    from polars.exceptions import PanicException

    with _STDERR, tempfile.TemporaryFile() as held:
        try:
            before = os.dup(2)
        except OSError:  # it is closed
            yield
            return
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        said = True
        try:
            yield
        except PanicException:
            said = False
            raise
        finally:
            os.dup2(before, 2)
            os.close(before)
            held.seek(0)
            if said and (text := held.read()):
                os.write(2, text)


class _Damaged(ValueError):  # noqa: N818 - caught in this file
    """What is wrong with a file."""


def _check(blob: Blob) -> None:
    """Compare what the file announces with what it holds."""
    content = blob.content
    size = int.from_bytes(content[-8:-4], "little")
    if content[-4:] != b"PAR1" or not 0 < size <= len(content) - 12:
        raise _Damaged("its end is missing")
    footer = _Thrift(content, len(content) - 8 - size, len(content) - 8).struct()
    groups = _listed(footer, 4)
    rows = sum(_count(group, 3) for group in groups)
    if rows != _count(footer, 3):
        raise _Damaged("its footer counts the rows in two ways")
    columns = [_fields(chunk, 3) for group in groups for chunk in _listed(group, 1)]
    limit = most_unpacked(len(content))
    left: float = limit
    for column in filter(lambda column: column.get(5) != 0, columns):
        in_memory = _count(column, 5) * _WIDTHS.get(_count(column, 1), 16)
        left -= max(in_memory, _check_pages(content, column))
        if left < 0:
            raise too_large(blob.name, len(content), limit)


def _check_pages(content: bytes, column: Fields) -> int:
    """Walk over the pages of one column; return how many bytes they are when unpacked."""
    first, dictionary = _count(column, 9), column.get(11, 0)
    at = min(first, dictionary or first) if isinstance(dictionary, int) else -1
    end = min(len(content), at + _count(column, 7) + _SLACK)
    values, n_values, unpacked = 0, _count(column, 5), 0
    if not 4 <= at <= end <= len(content):
        raise _Damaged("a column lies outside of it")
    while at < end and values < n_values:
        header = _Thrift(content, at, end)
        page = header.struct()
        packed = _count(page, 3)
        at = header.at + packed
        unpacked += _count(page, 2)
        about = next((_fields(page, key) for key in (5, 8) if key in page), None)
        if about is not None:
            values += _count(about, 1)
            parts = [_count(about, key) for key in (2, 3, 5, 6) if 8 in page]
            if parts and (max(parts[:2]) > n_values or sum(parts[2:]) > packed):
                raise _Damaged("a page announces parts larger than itself")
        elif 7 in page and _count(_fields(page, 7), 1) > max(n_values, _count(page, 2)):
            raise _Damaged("a dictionary announces more entries than it has bytes")
        if at > end:
            raise _Damaged("a page goes on beyond its column")
    if values != n_values:
        raise _Damaged("its pages do not hold the values that the footer counts")
    return unpacked


def _count(fields: Fields, key: int) -> int:
    value = fields.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _Damaged("a size is missing or negative")
    return value


def _fields(fields: Fields, key: int) -> Fields:
    value = fields.get(key)
    if not isinstance(value, dict):
        raise _Damaged("a part of its description is missing")
    return value


def _listed(fields: Fields, key: int) -> list[Fields]:
    value = fields.get(key)
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise _Damaged("a part of its description is missing")
    return value


class _Thrift:
    """Reads structures of Thrift's compact protocol, by the numbers of their fields."""

    def __init__(self, content: bytes, at: int, end: int) -> None:
        self.content, self.at, self.end = content, at, end
        self.entries = 0

    def struct(self, depth: int = 0) -> Fields:
        """Read one structure."""
        found: Fields = {}
        key = 0
        while True:
            head = self._byte()
            if head == 0:
                return found
            delta, kind = head >> 4, head & 15
            key = key + delta if delta else self._zigzag()
            found[key] = self._value(kind, depth, inside=False)

    def _value(self, kind: int, depth: int, *, inside: bool) -> object:
        self.entries += 1
        if depth > _DEEPEST or self.entries > _MOST_ENTRIES:
            raise _Damaged("its description is nested too deeply or too long")
        if kind in (1, 2):
            return self._byte() == 1 if inside else kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._zigzag()
        if kind == 7:
            return self._bytes(8)
        if kind == 8:
            return self._bytes(self._varint())
        if kind in (_LIST, _SET):
            head = self._byte()
            n = head >> 4 if head >> 4 < 15 else self._varint()
            return [self._value(head & 15, depth + 1, inside=True) for _ in self._each(n)]
        if kind == _MAP:
            n = self._varint()
            kinds = self._byte() if n else 0
            return [
                (self._value(kinds >> 4, depth + 1, inside=True),
                 self._value(kinds & 15, depth + 1, inside=True))
                for _ in self._each(n)
            ]  # fmt: skip
        if kind == _STRUCT:
            return self.struct(depth + 1)
        raise _Damaged("its description has a field of no known type")

    def _each(self, n: int) -> range:
        if n > self.end - self.at:
            raise _Damaged("a list is longer than the file")
        return range(n)

    def _byte(self) -> int:
        if self.at >= self.end:
            raise _Damaged("its description is cut off")
        self.at += 1
        return self.content[self.at - 1]

    def _bytes(self, n: int) -> bytes:
        if n > self.end - self.at:
            raise _Damaged("its description is cut off")
        self.at += n
        return self.content[self.at - n : self.at]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise _Damaged("a number in its description is too long")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
