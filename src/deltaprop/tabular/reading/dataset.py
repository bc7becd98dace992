"""Features with their target, as they were read."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import ColumnError, DataError, nearest_name
from deltaprop.memory import saying_when_memory_ends
from deltaprop.tabular.encoding.cells import listed, picked, shorten
from deltaprop.tabular.encoding.target_values import array_of, plain_cells, rows_of
from deltaprop.tabular.encoding.task import Task, check_task
from deltaprop.tabular.forked import fork_safe
from deltaprop.tabular.libraries import nw, pl
from deltaprop.tabular.reading.arrays import pick_arrays, read_array, read_arrays
from deltaprop.tabular.reading.decoding import check_encoding
from deltaprop.tabular.reading.delimited import Reading
from deltaprop.tabular.reading.frames import Frame
from deltaprop.tabular.reading.missing import (
    NO_WORDS,
    Gap,
    Words,
    as_missing_words,
    clean_frame,
    clean_text,
    find_gaps,
    probable_word,
)
from deltaprop.tabular.reading.read import Table, features_of, place, table_of
from deltaprop.tabular.reading.source import Blob, Source, open_blobs, read_blob

__all__ = ["Dataset", "Task", "load_dataset", "split_target"]


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Features and target, row by row, as they were read; for the others see `Table`."""

    features: Frame | NDArray[Any]
    # One axis, or rows x targets: int64, float64, bool, or text in an object array, which also
    # holds targets of several kinds.
    target: NDArray[Any]
    target_names: tuple[str, ...]
    source: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    pieces: int | None = None

    @property
    def target_name(self) -> str:
        """The names of all targets, separated by commas."""
        return ",".join(self.target_names)

    @property
    def n_rows(self) -> int:
        """Number of rows, or of images."""
        return len(self.features)

    @property
    def frame(self) -> pl.DataFrame:
        """The columns of features that are no images."""
        assert not isinstance(self.features, np.ndarray)
        return self.features.to_native()

    def of_targets(self, places: Sequence[int]) -> Dataset:
        """Return the rows with some of their targets."""
        if len(places) == len(self.target_names):
            return self
        names = tuple(self.target_names[i] for i in places)
        chosen = list(places) if len(places) > 1 else places[0]
        return replace(self, target=self.target[:, chosen], target_names=names)

    @property
    def is_image(self) -> bool:
        """Whether the features are images and not a table."""
        return isinstance(self.features, np.ndarray)


@fork_safe
@saying_when_memory_ends()
def load_dataset(
    source: Source,
    target: Source | Sequence[str],
    *,
    task: Task | None = None,
    header: bool | None = None,
    missing: Words = None,
    encoding: str | None = None,
    seconds: float | None = None,
    pieces: int | None = None,
    text: Collection[str] = (),
) -> Dataset:
    """Read features and target.

    Parameters
    ----------
    source, header, missing, encoding, text
        See `load_features`.
    target : str, PathLike or list of str
        The target column; several, in a list or separated by commas. For IDX and .npy files the
        path of the file with the labels, for .npz the name of the target array or such a path.
    task : {"classification", "regression", "multilabel"}, optional
        What will be learnt. A text target in which nearly everything is a number is refused
        unless this says ``"classification"``.
    seconds : float, optional
        How long it may take; of a long text pieces from its beginning to its end are read where
        there is not the time for all, and that is noted.
    pieces : int, optional
        How many such pieces to read, where that was decided before.

    Raises
    ------
    ColumnError
        No such target column; offers the nearest name.
    DataError
        As `load_features` does; a missing target; features and labels of different number.
    """
    check_task(task)
    began = time.perf_counter()
    blobs = open_blobs(source)
    if seconds is not None:
        seconds -= time.perf_counter() - began
    if len(blobs) == 1 and blobs[0].format in ("idx", "npy", "npz"):
        return _array_dataset(blobs[0], target)
    words, encoding = as_missing_words(missing), check_encoding(encoding)
    reading = Reading(header, words, encoding, seconds, pieces, frozenset(text))
    table = table_of(blobs, str(source), reading)
    if isinstance(table.features, np.ndarray):
        raise DataError(
            f"{table.source} stands for several array files: expected one file of features and, as "
            "the target, the file of its labels."
        )
    return split_target(table, target, task)


def _array_dataset(blob: Blob, target: Source | Sequence[str]) -> Dataset:
    """Put an array of features together with its labels."""
    if not isinstance(target, (str, os.PathLike)):
        raise DataError(
            f"{blob.name} holds arrays, but the target is {target!r}: expected the path of the "
            "file with the labels, or the name of an array in an .npz file."
        )
    path = os.fspath(target)
    if blob.format == "npz" and not Path(path).is_file():
        features, labels = pick_arrays(read_arrays(blob), path, blob.name)
        where, name = f"array {path!r} of {blob.name}", path
    else:
        features = read_array(blob)
        beside = Path(blob.name).parent / path
        as_given = Path(path).exists() or not beside.is_file()
        label_blob = read_blob(path if as_given else str(beside))
        if label_blob.format not in ("idx", "npy", "npz"):
            raise DataError(
                f"{label_blob.name} is not an IDX, .npy or .npz file: expected one with the labels "
                f"of {blob.name}."
            )
        labels = read_array(label_blob)
        where, name = label_blob.name, "target"
    if labels.ndim == 0 or labels.ndim > 2 or (blob.format == "idx" and labels.ndim != 1):
        shape = " x ".join(map(str, labels.shape)) or "a single number"
        raise DataError(
            f"The labels of {where} are {shape}: expected one label per row, so one axis"
            f"{'' if blob.format == 'idx' else ' (or two, for several targets)'}. "
            "Perhaps features and labels are the wrong way round."
        )
    shaped = features_of(features, blob.name)
    if len(shaped) != len(labels):
        raise DataError(
            f"{blob.name} has {len(shaped)} {'images' if features.ndim > 2 else 'rows'} but "
            f"{where} has {len(labels)} labels: expected equally many. Check that both belong to "
            "the same part (training or test) of the data."
        )
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    names = (name,) if labels.ndim == 1 else tuple(f"{name}{i}" for i in range(labels.shape[1]))
    _refuse_nan(labels, names, where)
    if labels.dtype.kind == "U":
        labels = labels.astype(object)
    elif labels.dtype.kind in "iu":
        labels = labels.astype(np.int64)
    return Dataset(shaped, labels, names, blob.name)


def _refuse_nan(labels: NDArray[Any], names: Sequence[str], where: str) -> None:
    if labels.dtype.kind == "f":
        absent = np.isnan(labels) if labels.ndim == 1 else np.isnan(labels).any(axis=1)
        if absent.any():
            rows = rows_of(pl.Series(absent))
            raise DataError(
                f"{where}, {rows}: target {names[0]!r} is missing (NaN). "
                "Expected a number in every row; leave these rows out."
            )


def split_target(table: Table, target: Source | Sequence[str], task: Task | None) -> Dataset:
    """Return the features and the target of a table; see `load_dataset` for what it raises."""
    frame = table.frame
    names = _target_columns(frame.columns, target, table.source)
    columns = [_target_values(frame[name], name, table, task) for name in names]

    features = picked(frame, [column for column in frame.columns if column not in names])
    if features.width == 0:
        raise DataError(
            f"{table.source} has no column beside the target {listed(names)}: expected at least "
            "one to learn from. If cells ran together, check the separator."
        )
    if len(columns) == 1:
        values = columns[0]
    else:
        mixed = len({column.dtype.kind for column in columns}) > 1
        values = np.column_stack([c.astype(object) if mixed else c for c in columns])
    about = set(names)
    warnings = tuple(
        text
        for text, column in zip(table.warnings, table.strays or [""] * len(table.warnings),
                                strict=False)
        if column not in about
    )  # fmt: skip
    return Dataset(
        nw.from_native(features, eager_only=True),
        values,
        tuple(names),
        table.source,
        table.notes,
        (*warnings, *_doubtful_words(features, table)),
        table.pieces,
    )


def _doubtful_words(features: pl.DataFrame, table: Table) -> Iterator[str]:
    """Yield a warning per column in which a word was taken as missing that looks like the rest."""
    for column in features.iter_columns():
        gaps = table.gaps.get(column.name)
        found = probable_word(column, gaps) if gaps and column.dtype == pl.String else None
        if found is not None:
            rest = f" and {found.count - 1} more" if found.count > 1 else ""
            others = " and ".join(map(repr, column.drop_nulls().unique().sort().head(2)))
            yield (
                f"Column {column.name!r} of {table.source} says {found.word!r} in "
                f"{place(table.parts, found.row)}{rest}, which is read as missing; beside {others} "
                f"it may be a word. {_kept(found.word)}"
            )


def _kept(word: str) -> str:
    return (
        f"--missing '' (missing=() in Python) keeps {word!r} as a word, and so do double quotes "
        "around it."
    )


def _target_columns(
    columns: Sequence[str], target: Source | Sequence[str], source: str
) -> list[str]:
    """Return the names of the target columns; ``a,b`` is two when no column has that name."""
    if isinstance(target, (str, os.PathLike)):
        text = str(os.fspath(target))
        names = [text] if text in columns or "," not in text else text.split(",")
        names = [name if name in columns else name.strip() for name in names]
    else:
        names = [str(name) for name in target]
    if not names or len(set(names)) < len(names):
        raise ColumnError(
            f"The target is {target!r}: expected one or several different columns of {source}, "
            f"which has {listed(columns)}."
        )
    known = set(columns)
    unknown = [name for name in names if name not in known]
    if unknown:
        near = [nearest_name(name, columns) for name in unknown]
        hint = " and ".join(repr(name) for name in near if name)
        raise ColumnError(
            f"{source} has no target column {listed(unknown)}: expected one of its "
            f"{len(columns)} columns. {f'Did you mean {hint}? ' if hint else ''}"
            f"The columns are {listed(columns, 20)}."
        )
    return names


def _target_values(column: pl.Series, name: str, table: Table, task: Task | None) -> NDArray[Any]:
    odd, classifies = table.strays.get(name), task == "classification"
    if odd is not None and not classifies:
        raise DataError(
            f"{table.source}, {place(table.parts, odd.row)}: target {name!r} is "
            f"{shorten(odd.cell)}, {odd.among_numbers}"
        )
    gaps, found = table.gaps.get(name, ()), dict[str, tuple[Gap, ...]]()
    if classifies and name in table.texts:
        column, gaps = table.texts[name], ()
    column = plain_cells(column, name, table.source)
    if column.dtype == pl.String and classifies:
        column = clean_frame(column.to_frame(), NO_WORDS).to_series()
    elif column.dtype == pl.String:
        cells, column = column, clean_text(column)
        found = find_gaps(cells.to_frame(), column.to_frame())
    absent = column.is_null()
    if absent.any():
        where, several = rows_of(absent), len(table.parts) > 1
        if several:
            first = place(table.parts, int(absent.arg_true()[0]) + 1)
            where = f"{first} (of all files together: {where})"
        said = _said(
            (*gaps, *found.get(name, ())), int(absent.sum()), name in {*table.texts, *found}
        )
        raise DataError(f"{table.source}, {where}: target {name!r} is missing{said}")
    return array_of(column)


def _said(gaps: Sequence[Gap], n_missing: int, among_numbers: bool) -> str:
    """Say what stands in the cells of a target that are missing, and what to do."""
    if not gaps:
        return ". Expected a value in every row; fill in or remove these rows."
    said = [f"{gap.word!r} stands in {gap.count:,} of these rows" for gap in gaps[:3]]
    n_empty = n_missing - sum(gap.count for gap in gaps)
    said += [f"{n_empty:,} are empty"] if n_empty else []
    kept = _kept(gaps[0].word)
    if among_numbers:
        kept = "--task classification (task='classification') keeps it as a class."
    return (
        f": {', '.join(said)}. Expected a value in every row. If that is a word and no gap: "
        f"{kept} Otherwise fill in or remove these rows."
    )
