"""Tables for the page's own door: columns as numbers and words, which it encodes by itself."""

from __future__ import annotations

import base64
import gzip
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.studio import tables
from deltaprop.studio.frames import packed
from deltaprop.studio.tables import OpenTable, mixed_order, opened_bytes
from deltaprop.tabular import MISSING
from deltaprop.tabular.encoding import task, training_column
from deltaprop.tabular.encoding.fit import fit_column
from deltaprop.tabular.encoding.target_values import FEW_WORDS
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.find_notation import FEWEST_NUMBERS, STRAY_SHARE
from deltaprop.tabular.reading.missing import NO_VALUE

__all__ = ["BUILT_IN", "built_in_table", "packed_built_in", "packed_table", "rules"]

BUILT_IN = ("penguins", "digits")
_MOST_WORDS = 1_000  # of a column
_MOST_BYTES = 6_000_000  # of numbers and codes in a page
_FOLDER = files("deltaprop").joinpath("studio", "sets")


def rules() -> dict[str, Any]:
    """Return what the page goes by where it makes numbers of columns itself: see encoding.js."""
    return {
        "missing": list(MISSING), "noValue": list(NO_VALUE),
        "targetNames": list(tables.TARGET_NAMES),
        "mostCategories": training_column.MOST_CATEGORIES,
        "manyCategories": training_column.MANY_CATEGORIES,
        "distinctShare": training_column.DISTINCT_SHARE,
        "fewestToDiffer": training_column.FEWEST_TO_DIFFER,
        "fewLabels": task.FEW_LABELS, "mostLabels": task.MOST_LABELS,
        "rowsPerLabel": task.ROWS_PER_LABEL, "fewWords": FEW_WORDS, "strayShare": STRAY_SHARE,
        "fewestNumbers": FEWEST_NUMBERS, "mostClasses": tables.MOST_CLASSES,
        "mostInputs": tables.MOST_INPUTS, "mostNumbers": 2_000_000, "mostRows": 50_000,
        "mostTold": tables.MOST_TOLD,
        "sample": tables.SAMPLE, "numbersOfSample": tables.NUMBERS_OF_SAMPLE,
        "numbersOfAxes": tables.NUMBERS_OF_AXES, "smallestPicture": tables.SMALLEST_PICTURE,
    }  # fmt: skip


def built_in_table(name: str) -> OpenTable:
    """Return a table that comes with the package."""
    content = _FOLDER.joinpath(f"{name}.csv").read_bytes()
    found = opened_bytes(content, name)
    return replace(found, wanted=found.table.frame.columns[-1])


@cache
def packed_built_in(name: str) -> str:
    """Return a table that comes with the package as a page holds it."""
    return packed_table(built_in_table(name))


def packed_table(opened: OpenTable) -> str:
    """Return a table as a page holds it: a message (``frames.py``), gzipped, as base64.

    Of a large one some rows are taken, by chance, and it says so. Dates, and text, are said to be
    left out: what is to be made of them only the server knows.
    """
    frame, notes = opened.table.frame, []
    most = max(100, _MOST_BYTES // (8 * frame.width))
    if len(frame) > most:
        notes.append(["note sampled", {"rows": len(frame), "taken": most}])
        frame = frame[mixed_order(len(frame), 0)[:most]]
    columns: list[dict[str, Any]] = []
    told: dict[str, Any]
    arrays: dict[str, npt.NDArray[Any]] = {}
    for place, series in enumerate(frame.iter_columns()):
        if opened.as_it_is and series.dtype == pl.Float64:
            told, cells = {"asItIs": True}, _smallest(series.to_numpy())
        else:
            told, cells = _typed(series)
        columns.append({"name": series.name, **told})
        arrays[f"c{place}"] = cells
    message = {
        "name": Path(opened.table.source).name, "target": opened.wanted, "notes": notes,
        "columns": columns,
    }  # fmt: skip
    return base64.b64encode(gzip.compress(packed(message, arrays), 9, mtime=0)).decode("ascii")


def _typed(series: pl.Series) -> tuple[dict[str, Any], npt.NDArray[Any]]:
    """Return what is told of a column, and its cells: numbers, or which word of those told."""
    cells = fit_column(series, "")[0].plain_cells(series)
    if cells is not None and cells.dtype.is_float():
        return {}, _smallest(cells.to_numpy())
    words = [] if cells is None else sorted(set(cells.drop_nulls().to_list()))
    if cells is None or len(words) > _MOST_WORDS:
        return {"left": "became other"}, np.zeros(0, dtype=np.uint8)
    codes = {word: code for code, word in enumerate(words)}
    found = [-1 if word is None else codes[word] for word in cells.to_list()]
    return {"words": words}, np.array(found, dtype=np.int32)


def _smallest(values: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """Return numbers in the least room that keeps them."""
    for dtype in (np.uint8, np.float32):
        with np.errstate(invalid="ignore", over="ignore"):
            small = values.astype(dtype)
        if np.array_equal(small.astype(np.float64), values, equal_nan=dtype is np.float32):
            return small
    return values
