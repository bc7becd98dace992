"""A table in the studio: opened, its target chosen, its columns made the numbers of a network.

Everything is as ``deltaprop train`` does it: reading, what a column is, which task the target asks
for. What is fitted, is fitted to the rows that are learnt from. ``page/tables.js`` and
``page/encoding.js`` do the same in the page, for numbers and categories.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError
from deltaprop.languages import told
from deltaprop.memory import saying_when_memory_ends
from deltaprop.studio.learning import Rows
from deltaprop.tabular import (
    ImageEncoder,
    SparseRows,
    Table,
    TableEncoder,
    TargetEncoder,
    Task,
    as_frame,
    described_in,
    load_dataset,
    load_features,
)
from deltaprop.tabular.encoding.encoder import ReportRow
from deltaprop.tabular.reading.dataset import Dataset, split_target
from deltaprop.tabular.reading.delimited import Reading
from deltaprop.tabular.reading.missing import Words, as_missing_words
from deltaprop.tabular.reading.read import table_of
from deltaprop.tabular.reading.source import blob_of, open_blobs

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "MOST_CLASSES",
    "MOST_INPUTS",
    "MOST_TOLD",
    "NUMBERS_OF_AXES",
    "NUMBERS_OF_SAMPLE",
    "SAMPLE",
    "SMALLEST_PICTURE",
    "TARGET_NAMES",
    "Choice",
    "Chosen",
    "OpenTable",
    "mixed_order",
    "opened_bytes",
    "opened_file",
]

Array = npt.NDArray[np.float64]

TARGET_NAMES = ("target", "label", "class", "y", "目标", "标签", "类别")
_MOST_NUMBERS = 100_000_000  # of all rows together
MOST_INPUTS = 20_000
MOST_CLASSES = 100
MOST_TOLD = 300  # columns
SAMPLE, NUMBERS_OF_SAMPLE = 2_000, 1_000_000  # rows that the page is shown
NUMBERS_OF_AXES = 400_000
SMALLEST_PICTURE = 64  # pixels
_LAST = 5  # columns that are tried as the target where nobody named one
_TASKS: dict[str, Task] = {"classes": "classification", "numbers": "regression"}


@dataclass(frozen=True)
class Choice:
    """What is to be made of a table.

    ``target`` and ``task`` ("classes", "numbers") are found out where they are empty; ``without``
    are columns that are left out, ``held`` the share of the rows that only judge.
    """

    target: str
    task: str
    without: frozenset[str]
    held: float
    seed: int


@dataclass(frozen=True, eq=False)
class Chosen:
    """Rows as numbers; ``told`` and ``sample`` are what the page is told of them."""

    training: Rows
    held: Rows | None
    told: dict[str, Any]
    sample: dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class OpenTable:
    """A table as it was read; ``wanted`` is its target where one was named with it.

    ``as_it_is`` says that a page leaves its floats what they are, instead of scaling them.
    """

    table: Table
    wanted: str = ""
    picture: tuple[int, int] | None = None  # height and width, of a file of images
    as_it_is: bool = False

    def check_target(self, target: str) -> None:
        """Raise the ColumnError of ``load_dataset`` where there is no such column."""
        if self.picture is None and target not in self.table.frame.columns:
            split_target(self.table, [target], None)

    @saying_when_memory_ends()
    def choose(self, choice: Choice, language: str = "en") -> Chosen:
        """Return the rows to learn from and to judge by.

        Raises
        ------
        DeltapropError
            The target cannot be learnt, or no column is left to learn it from.
        """
        data, target, notes = self._split(choice)
        features = data.frame
        used = features.select([c for c in features.columns if c not in choice.without])
        if used.width == 0:
            raise DataError("No column is left to learn from. Take one in again.")
        order = mixed_order(len(features), choice.seed)
        picture = self.picture if used.width == features.width else None
        picture = picture or picture_of(used)
        if picture:
            order, more = _within(order, used.width)
            x = used[order].to_numpy().reshape(-1, *picture)
            n_held = int(len(order) * choice.held)
            images = ImageEncoder.fit(x[n_held:], where=data.source)
            encoded = _dense(images.encode(x, dtype=np.float64)[0]).reshape(len(x), -1)
            report: Sequence[ReportRow] = images.report()
            inputs = [[name, True] for name in images.output_names]
            held_x, own_x = encoded[:n_held], encoded[n_held:]
        else:
            encoder, report, inputs = _fitted(
                used[order[int(len(order) * choice.held) :]], data.source
            )
            order, more = _within(order, len(inputs))
            n_held = int(len(order) * choice.held)
            held_x, own_x = (
                _dense(encoder.encode(used[rows], dtype=np.float64)[0])
                for rows in (order[:n_held], order[n_held:])
            )
        if more:
            notes.append(f"Of the {len(features):,} rows {len(order):,} are taken, by chance.")
        answers = target.encode(data.target, where=data.source)[order]
        training = Rows(own_x, answers[n_held:])
        held = Rows(held_x, answers[:n_held]) if n_held else None
        numbers = target.task == "regression"
        kinds = {row.column: row for row in report}
        left = [name for name in features.columns if name in choice.without]
        columns = [_row(row, language) for row in kinds.values()]
        columns += [{"name": name, "kind": "", "done": "", "missing": 0} for name in left]
        place = {name: i for i, name in enumerate(features.columns)}
        columns.sort(key=lambda row: place.get(row["name"], -1))
        return Chosen(training, held, {
            "name": Path(data.source).name, "rows": len(features), "taken": len(order),
            "target": data.target_name, "task": "numbers" if numbers else "classes",
            "why": told(target.reason, language),
            "columns": columns[:MOST_TOLD], "moreColumns": max(0, len(columns) - MOST_TOLD),
            "targets": self.table.frame.columns[-1000:], "inputs": inputs,
            "classes": list(target.class_names), "picture": picture,
            "notes": [told(note, language) for note in (*notes, *data.notes, *data.warnings)],
            "unit": [float(target.mean[0]), float(target.std[0])] if numbers else None,
        }, _sample(training, held))  # fmt: skip

    def _split(self, choice: Choice) -> tuple[Dataset, TargetEncoder, list[str]]:
        """Return features and target; of several that may be meant the first that can be learnt."""
        names = [choice.target or self.wanted] if choice.target or self.wanted else self._likely()
        task = _TASKS.get(choice.task)
        for place, name in enumerate(names):
            try:
                table, notes = self._where_known(name)
                data = split_target(table, [name], task)
                target = TargetEncoder.fit(data.target, task, names=(name,), where=data.source)
                if target.classes.size > MOST_CLASSES:
                    raise SettingError(
                        f"Target {name!r} has {target.classes.size:,} classes; the studio takes up "
                        f"to {MOST_CLASSES}. Choose another target, or ask for numbers."
                    )
            except (DataError, SettingError):
                if place + 1 == len(names):
                    raise
            else:
                return data, target, notes
        raise DataError("The table has no column.")

    def _likely(self) -> list[str]:
        """Return which columns may be meant as the target: one that is called so, or the last."""
        columns = self.table.frame.columns
        called = [name for name in columns if name.lower() in TARGET_NAMES]
        last = [name for name in reversed(columns[-_LAST:]) if name not in called]
        return [*called, *last]

    def _where_known(self, name: str) -> tuple[Table, list[str]]:
        """Return the rows whose target is there, and a note about the others."""
        frame, table = self.table.frame, self.table
        if name not in frame.columns or name in table.texts:
            return table, []
        known = frame[name].is_not_null()
        missing = len(frame) - int(known.sum())
        if not missing or missing == len(frame):
            return table, []
        features = as_frame(frame.filter(known))
        strays = {key: odd for key, odd in table.strays.items() if key != name}
        texts = {key: cells.filter(known) for key, cells in table.texts.items()}
        note = f"In {missing:,} rows the target is missing: they are left out."
        kept = replace(table, features=features, strays=strays, texts=texts, gaps={})
        return replace(kept, warnings=(), parts=((table.source, len(features)),)), [note]


@saying_when_memory_ends()
def opened_file(
    source: str, target: str = "", missing: Words = None, encoding: str | None = None
) -> OpenTable:
    """Return what is in a file of this computer: a table, or images whose labels are ``target``.

    Raises
    ------
    DeltapropError
        It cannot be read.
    """
    blobs = open_blobs(source)
    if blobs[0].format not in ("idx", "npz", "npy") or not target:
        table = load_features(source, missing=missing, encoding=encoding)
        if table.is_image:
            raise DataError(f"{source} holds images: --target names the file of their labels.")
        return _checked(OpenTable(table, target))
    data = load_dataset(source, target)
    x = data.features
    if not isinstance(x, np.ndarray):
        frame = x.to_native()
        picture = None
    elif x.ndim == 3:
        import polars

        pixels = [f"pixel_{i}" for i in range(x.shape[1] * x.shape[2])]
        frame = polars.DataFrame(x.reshape(len(x), -1), schema=pixels)
        picture = x.shape[1], x.shape[2]
    else:
        raise DataError(f"{source} holds images of several colours: the studio shows one alone.")
    name = "label" if "label" not in frame.columns else "label of the file"
    frame = frame.with_columns(**{name: data.target})
    return OpenTable(Table(as_frame(frame), data.source, data.notes), name, picture)


@saying_when_memory_ends()
def opened_bytes(content: bytes, name: str) -> OpenTable:
    """Return the table that a page sends; its name is for messages alone.

    Raises
    ------
    DeltapropError
        It is no table in CSV or Parquet.
    """
    blob = blob_of(content, name)
    if blob.format not in ("text", "parquet"):
        raise DataError(
            f"{name} holds arrays: through the page come CSV and Parquet. Start the studio with "
            "the file: deltaprop studio FILE --target LABELS."
        )
    return _checked(OpenTable(table_of([blob], name, Reading(None, as_missing_words(None), None))))


def _checked(opened: OpenTable) -> OpenTable:
    if opened.table.frame.width < 2:
        raise DataError(
            f"{opened.table.source} has one column: expected a target and at least one column to "
            "learn it from. If cells ran together, check the separator."
        )
    return opened


def picture_of(frame: pl.DataFrame) -> tuple[int, int] | None:
    """Return height and width where the columns are pixels: numbered, whole, a square of them."""
    side = isqrt(frame.width)
    if side * side != frame.width or frame.width < SMALLEST_PICTURE:
        return None
    found = [re.fullmatch(r"(.*?)(\d+)", name) for name in frame.columns]
    if not all(found) or len({each[1] for each in found if each}) > 1:
        return None
    numbers = [int(each[2]) for each in found if each]
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return None
    whole = all(
        column.dtype.is_integer() and not column.null_count() for column in frame.iter_columns()
    )
    return (side, side) if whole else None


def mixed_order(n: int, seed: int) -> npt.NDArray[np.int64]:
    """Return 0 to n - 1 in an order that only n and the seed decide; the page has the same.

    The key of a row is its number with its bits mixed (lowbias32, Wellons 2018): no two are equal.
    """

    def mixed(x: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
            x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
        return x ^ (x >> np.uint32(16))

    start = mixed(np.array([seed % 2**32], dtype=np.uint32))
    return np.argsort(mixed(np.arange(n, dtype=np.uint32) + start), kind="stable")


def _fitted(
    frame: pl.DataFrame, where: str
) -> tuple[TableEncoder, list[ReportRow], list[list[Any]]]:
    """Return an encoder without free text, what it made of each column, and its inputs."""
    encoder = TableEncoder.fit(frame, where=where)
    report = [
        ReportRow(row.column, row.kind, "left out: free text", row.missing)
        if column.is_sparse
        else row
        for row, column in zip(encoder.report(), encoder.columns, strict=True)
    ]
    encoder = replace(encoder, columns=tuple(c for c in encoder.columns if not c.is_sparse))
    if not 0 < encoder.n_outputs <= MOST_INPUTS:
        raise SettingError(
            f"The columns become {encoder.n_outputs:,} inputs; the studio takes from 1 to "
            f"{MOST_INPUTS:,}. Take columns in, or leave some out."
        )
    inputs = [
        [name, column.is_number and output.part != "missing"]
        for column in encoder.columns
        for name, output in zip(column.output_names, column.outputs, strict=True)
    ]
    return encoder, report, inputs


def _within(order: npt.NDArray[np.int64], width: int) -> tuple[npt.NDArray[np.int64], bool]:
    """Return as many rows as there is room for, and whether that is fewer."""
    most = max(1000, _MOST_NUMBERS // width)
    return order[:most], len(order) > most


def _dense(rows: npt.NDArray[Any] | SparseRows) -> Array:
    return np.asarray(rows if isinstance(rows, np.ndarray) else rows.toarray(), dtype=np.float64)


def _row(row: ReportRow, language: str) -> dict[str, Any]:
    kind, done = described_in(language, row.kind, row.done)
    return {"name": row.column, "kind": kind, "done": done, "missing": row.missing}


def _sample(training: Rows, held: Rows | None) -> dict[str, npt.NDArray[Any]]:
    """Return the rows that the page shows, and the plane in which they lie most."""
    n = min(SAMPLE, max(50, NUMBERS_OF_SAMPLE // training.x.shape[1]))
    x, mean, axes = training.x[:n], *principal_axes(training.x[:n])
    found = {
        "x": x.reshape(-1), "answers": _flat(training.t[:n]), "mean": mean, "axes": axes.reshape(-1)
    }  # fmt: skip
    if held is not None:
        found |= {"heldX": held.x[: n // 2].reshape(-1), "heldAnswers": _flat(held.t[: n // 2])}
    return found


def _flat(answers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return answers.astype(np.int32 if answers.dtype.kind == "i" else np.float64).reshape(-1)


def principal_axes(x: Array) -> tuple[Array, Array]:
    """Return the mean of rows, and the two directions in which they differ most, one below another.

    Of wide rows the first few are taken. Of each direction the largest number is positive; a single
    input has a second one of zeros.
    """
    x = x[: max(50, NUMBERS_OF_AXES // x.shape[1])]
    mean = x.mean(axis=0)
    about = x - mean
    axes = np.zeros((2, x.shape[1]))
    if x.shape[1] <= len(x):
        directions = np.linalg.eigh(about.T @ about)[1].T[::-1][:2]
    else:
        directions = (about.T @ np.linalg.eigh(about @ about.T)[1]).T[::-1][:2]
    sizes = np.linalg.norm(directions, axis=1, keepdims=True)
    axes[: len(directions)] = directions / np.where(sizes > 0, sizes, 1.0)
    largest = axes[[0, 1], np.abs(axes).argmax(axis=1)]
    return mean, axes * np.where(largest < 0, -1.0, 1.0)[:, None]
