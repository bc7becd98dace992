"""Read what users bring as features: a table, or images."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import ColumnError, DataError, OutOfMemoryError
from deltaprop.memory import saying_when_memory_ends
from deltaprop.tabular.encoding.cells import Strays, listed, number_columns, picked
from deltaprop.tabular.encoding.codes import is_code
from deltaprop.tabular.forked import fork_safe
from deltaprop.tabular.libraries import nw, pl
from deltaprop.tabular.reading.arrays import read_array
from deltaprop.tabular.reading.decoding import check_encoding
from deltaprop.tabular.reading.delimited import Reading, TextTable, read_delimited
from deltaprop.tabular.reading.find_notation import with_numbers
from deltaprop.tabular.reading.frames import Frame, to_polars
from deltaprop.tabular.reading.missing import (
    MISSING,
    Gap,
    Words,
    as_missing_words,
    find_gaps,
    merge_gaps,
    numbers_without_words,
)
from deltaprop.tabular.reading.parquet import read_parquet
from deltaprop.tabular.reading.pieces import in_pieces, pieces_within
from deltaprop.tabular.reading.source import Blob, Source, open_blobs

__all__ = [
    "Table",
    "features_of",
    "load_features",
    "load_frame",
    "place",
    "table_of",
    "typed",
]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Features as they were read, before any encoding."""

    features: Frame | NDArray[Any]  # an array of 3 axes or more counts images first
    source: str  # what messages call the place it came from
    notes: tuple[str, ...] = ()  # what the reader decided
    warnings: tuple[str, ...] = ()  # what it found wrong but could read around
    parts: tuple[tuple[str, int], ...] = ()  # the files in order, with their numbers of rows
    # Of numeric columns with cells that are not numbers: the first of them, and the whole text.
    strays: dict[str, Strays] = field(default_factory=dict)
    texts: dict[str, pl.Series] = field(default_factory=dict)
    # Per column what its cells say that are missing but not empty.
    gaps: dict[str, tuple[Gap, ...]] = field(default_factory=dict)
    pieces: int | None = None  # of the file, where there was no time for all of it

    @property
    def n_rows(self) -> int:
        """Number of rows, or of images."""
        return len(self.features)

    @property
    def is_image(self) -> bool:
        """Whether the features are images and not a table."""
        return isinstance(self.features, np.ndarray)

    @property
    def frame(self) -> pl.DataFrame:
        """The columns of features that are no images."""
        assert not isinstance(self.features, np.ndarray)
        return self.features.to_native()


@fork_safe
@saying_when_memory_ends()
def load_features(
    source: Source,
    *,
    header: bool | None = None,
    missing: Words = None,
    encoding: str | None = None,
    text: Collection[str] = (),
) -> Table:
    """Read a table or images, without a target.

    Parameters
    ----------
    source : str or PathLike
        A CSV or other delimited text (also gzipped), Parquet, IDX, .npy or .npz file, a glob of
        them (rows are put below each other), or ``-`` for CSV on standard input.
    header : bool, optional
        Whether the first line of a text names its columns; found out when None.
    missing : sequence of str, optional
        Words of text files that stand for a missing value, in double quotes too; an empty cell
        always does. When left out ``?``, ``NA``, ``N/A``, ``NaN``, ``null``, ``None`` and the like
        do, but in double quotes are text. In a column of numbers, dates or truth values these are
        missing whatever is said here.
    encoding : str, optional
        Of text files, such as ``"gbk"`` or ``"windows-1252"``; found out when left out, and said in
        the notes when it is not UTF-8. A byte order mark goes first.
    text : collection of str
        Columns of text files that are known to hold words: though nearly all cells of one are
        numbers, the others are not taken as missing.

    Raises
    ------
    DataError
        When there is nothing to read, or what there is, is damaged; says where.
    """
    words, encoding = as_missing_words(missing), check_encoding(encoding)
    reading = Reading(header, words, encoding, text=frozenset(text))
    return table_of(open_blobs(source), str(source), reading)


def table_of(blobs: Sequence[Blob], source: str, reading: Reading) -> Table:
    """Read the files of one source and put their rows below each other."""
    hurried = reading.seconds is not None or reading.pieces is not None
    if hurried and len(blobs) == 1 and blobs[0].format == "text":
        return _in_time(blobs[0], reading)
    if all(blob.format == "text" for blob in blobs):
        texts = [read_delimited(blob.content, blob.name, reading) for blob in blobs]
        return typed(texts, source, reading)
    tables = [_read_one(blob, reading) for blob in blobs]
    return tables[0] if len(tables) == 1 else _stack(tables, source)


def _in_time(blob: Blob, reading: Reading) -> Table:
    """Read a text, or of a long one as many pieces as there is time for."""

    def read(content: bytes) -> Table:
        return typed([read_delimited(content, blob.name, reading)], blob.name, reading)

    pieces = reading.pieces
    if pieces is None and reading.seconds is not None:
        pieces = pieces_within(blob.content, reading.seconds, read)
    if pieces is None:
        return read(blob.content)
    part = in_pieces(blob.content, pieces)
    try:
        table = read(part)
    except OutOfMemoryError:
        raise
    except DataError:  # the whole of it says on which line
        return read(blob.content)
    about = round(table.n_rows * len(blob.content) / len(part))
    note = (
        f"There is no time to read all of {blob.name}, about {about:,} rows: {table.n_rows:,} of "
        f"them are read, in {pieces} pieces from its beginning to its end. Rows are counted among "
        "these."
    )
    return replace(table, notes=(note, *table.notes), pieces=pieces)


@fork_safe
@saying_when_memory_ends()
def load_frame(
    source: Source,
    *,
    header: bool | None = None,
    missing: Words = None,
    encoding: str | None = None,
) -> Frame:
    """Read a table as a narwhals frame backed by polars; see `load_features` for what is read.

    Raises a `DataError` for images, too.
    """
    table = load_features(source, header=header, missing=missing, encoding=encoding)
    if isinstance(table.features, np.ndarray):
        shape = " x ".join(map(str, table.features.shape))
        raise DataError(
            f"{table.source} holds images ({shape} numbers): expected a table of rows and columns. "
            "Read it with load_features or load_dataset."
        )
    frame: pl.DataFrame = table.features.to_native()
    codes = [column.name for column in frame.select(pl.col(pl.String)) if is_code(column)]
    return nw.from_native(with_numbers(frame, but=codes), eager_only=True)


def _read_one(blob: Blob, reading: Reading) -> Table:
    if blob.format == "text":
        return typed([read_delimited(blob.content, blob.name, reading)], blob.name, reading)
    if blob.format == "parquet":
        return Table(nw.from_native(read_parquet(blob), eager_only=True), blob.name)
    return Table(features_of(read_array(blob), blob.name), blob.name)


def features_of(array: NDArray[Any], name: str) -> Frame | NDArray[Any]:
    """Return images as they are, and rows of numbers as a table."""
    if array.ndim >= 3:
        return array
    if array.ndim == 2 and array.size:
        return nw.from_native(to_polars(array), eager_only=True)
    shape = " x ".join(map(str, array.shape)) or "a single number"
    raise DataError(
        f"{name} holds {shape}{' numbers' if array.ndim else ''}: expected rows x columns, or "
        "images x height x width. Labels alone are no features; name them as the target."
    )


def typed(tables: Sequence[TextTable], source: str, reading: Reading) -> Table:
    """Put text tables below each other, and make numbers of the columns that hold numbers."""
    first = tables[0]
    name = first.name if len(tables) == 1 else source
    frames = [_same_columns(table.frame, table.name, first.frame, first.name) for table in tables]
    text = pl.concat(frames)
    frame, with_words = text, list[str]()
    if any(table.quoted for table in tables) or not set(MISSING) <= set(reading.words.bare):
        frame, with_words = numbers_without_words(text)
    notes = [note for table in tables for note in table.notes]
    above = itertools.accumulate((table.frame.height for table in tables), initial=0)
    gaps = merge_gaps(
        [
            *zip(above, (table.gaps for table in tables), strict=False),
            (0, find_gaps(picked(text, with_words), picked(frame, with_words))),
        ]
    )
    columns: list[pl.Series] = []
    with_commas: list[str] = []
    strays: dict[str, Strays] = {}
    texts = {name: text[name] for name in with_words}
    read = number_columns(frame, separator=first.separator)
    for cells, (numbers, odd, has_commas) in zip(frame.iter_columns(), read, strict=True):
        if odd is not None and cells.name in reading.text:
            columns.append(cells)
            continue
        columns.append(cells if numbers is None else numbers)
        if has_commas:
            with_commas.append(cells.name)
        if odd is not None:
            strays[cells.name] = odd
            texts.setdefault(cells.name, cells)
    notes += _quoted_words(tables, name, with_words)
    if with_commas:
        notes.append(f"{name} writes numbers with a decimal comma in {listed(with_commas, 4)}.")
    parts = tuple((table.name, table.frame.height) for table in tables)
    if len(tables) > 1:
        notes.insert(0, f"{name} stands for {len(tables)} files with {frame.height} rows.")
    return Table(
        nw.from_native(frame.select(columns), eager_only=True),
        name,
        tuple(notes),
        tuple(odd.sentence(name, place(parts, odd.row)) for odd in strays.values()),
        parts,
        strays,
        texts,
        gaps,
    )


def _quoted_words(tables: Sequence[TextTable], name: str, but: Sequence[str]) -> list[str]:
    found = dict.fromkeys(column for table in tables for column in table.quoted)
    columns = [column for column in found if column not in but]
    if not columns:
        return []
    where = (
        f"column {listed(columns)}" if len(columns) == 1 else f"the columns {listed(columns, 4)}"
    )
    note = (
        f"Words such as NA in double quotes are text in {where} of {name}; a list of missing words "
        "(--missing NA; missing= in Python) counts them as missing there, too."
    )
    return [note]


def place(parts: Sequence[tuple[str, int]], row: int) -> str:
    """Say which row of which file a row of several files is (rows count from 1)."""
    if len(parts) < 2:
        return f"row {row}"
    for name, height in parts:
        if row <= height:
            return f"row {row} of {name}"
        row -= height
    return f"row {row}"


def _stack(tables: Sequence[Table], source: str) -> Table:
    """Put the rows of several tables below each other, columns matched by name."""
    frames: list[pl.DataFrame] = []
    for table in tables:
        if isinstance(table.features, np.ndarray):
            raise DataError(
                f"{table.source} holds images: expected, in a glob of several files, tables only. "
                "Put all images into one file."
            )
        frame = table.features.to_native()
        frames.append(
            _same_columns(frame, table.source, frames[0] if frames else frame, tables[0].source)
        )
    for name in frames[0].columns:
        dtypes = {frame[name].dtype for frame in frames}
        if pl.String in dtypes and len(dtypes) > 1:
            # Numbers in one file, words in another: as words, the column is judged as a whole.
            frames = [frame.with_columns(frame[name].cast(pl.String)) for frame in frames]
    try:
        whole = pl.concat(frames, how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        raise ColumnError(
            f"The {len(tables)} files of {source} cannot be put together ({error}): expected each "
            "column to be of one kind in all of them."
        ) from None
    heading = f"{source} stands for {len(tables)} files with {whole.height} rows."
    above = itertools.accumulate((table.n_rows for table in tables), initial=0)
    return Table(
        nw.from_native(whole, eager_only=True),
        source,
        (heading, *(note for table in tables for note in table.notes)),
        tuple(warning for table in tables for warning in table.warnings),
        tuple((table.source, table.n_rows) for table in tables),
        gaps=merge_gaps(zip(above, (table.gaps for table in tables), strict=False)),
    )


def _same_columns(
    frame: pl.DataFrame, name: str, first: pl.DataFrame, first_name: str
) -> pl.DataFrame:
    here, there = set(frame.columns), set(first.columns)
    lacks = [column for column in first.columns if column not in here]
    extra = [column for column in frame.columns if column not in there]
    if lacks or extra:
        found = [f"lacks {listed(lacks)}"] if lacks else []
        found += [f"also has {listed(extra)}"] if extra else []
        raise ColumnError(
            f"{name} {' and '.join(found)}: expected the {first.width} columns of {first_name}, "
            "the first of the files. Leave the file out of the pattern, or give it the same header."
        )
    return picked(frame, first.columns)
