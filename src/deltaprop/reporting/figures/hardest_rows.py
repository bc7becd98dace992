"""The rows a model is furthest from: where mistakes of the table, or of the model, show first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.reporting.figures.figures import HardRow, Importance
from deltaprop.reporting.figures.importance import losses_of
from deltaprop.reporting.figures.rows import Rows
from deltaprop.table_models import TableModel
from deltaprop.tabular import SparseEncoder, SparseRows

__all__ = ["hardest_rows"]

Array = npt.NDArray[np.float64]

_MOST_ROWS = 12
_MOST_CELLS = 10
_MOST_TEXT = 60  # characters of a cell
_LONG, _VERY_LONG = 1e6, 1e15  # from which on numbers would be, and are, written as powers of ten


def hardest_rows(
    model: TableModel, rows: Rows, outputs: Array, importance: Importance
) -> tuple[HardRow, ...]:
    """Return the judged rows with the largest loss, their most important cells first."""
    losses = np.nan_to_num(losses_of(model, outputs, rows.y), nan=np.inf)
    places = np.argsort(-losses, kind="stable")[:_MOST_ROWS]
    chosen = rows.take(places)
    is_image = isinstance(chosen.features, np.ndarray)
    cells: Sequence[tuple[tuple[str, str], ...]] = [()] * len(places)
    images: Sequence[tuple[tuple[float, ...], ...]] = [()] * len(places)
    if is_image:
        images = _images(chosen.features)
    elif isinstance(model.inputs, SparseEncoder):
        cells = _cells_of_matrix(chosen.features, model.inputs, importance)
    else:
        cells = _cells(chosen.features, importance)
    n_columns = 0 if is_image else chosen.features.shape[1]
    found = []
    for i, place in enumerate(places.tolist()):
        true, predicted, probability = _answers(model, outputs[place], chosen.y[i])
        found.append(
            HardRow(
                int(chosen.numbers[i]) + 1,
                cells[i],
                n_columns - len(cells[i]),
                true,
                predicted,
                probability,
                float(losses[place])
                if model.task != "regression"
                else _error(model, outputs[place], chosen.y[i]),
                images[i],
            )
        )
    return tuple(found)


def _answers(model: TableModel, output: Array, y: Any) -> tuple[str, str, float | None]:
    if model.task == "classification":
        names = model.class_names
        return names[int(y)], names[int(output.argmax())], float(output[int(y)])
    if model.task == "multilabel":
        names = model.class_names
        true, said = (
            ", ".join(name for name, there in zip(names, row > 0.5, strict=True) if there) or "–"
            for row in (y, output)
        )
        return true, said, None
    true, predicted = model.target.decode(np.stack([y, output]))
    return _numbers_text(true), _numbers_text(predicted), None


def _error(model: TableModel, output: Array, y: Any) -> float:
    """Return the absolute error in the target's unit, the mean over several targets."""
    true, predicted = model.target.decode(np.stack([y, output]))
    return float(np.abs(true - predicted).mean())


def _numbers_text(values: Array) -> str:
    return ", ".join(map(_number_text, values.tolist()))


def _number_text(value: float) -> str:
    """Return a number with six digits, or all of those before its point."""
    return f"{value:.0f}" if _LONG <= abs(value) < _VERY_LONG else f"{value:.6g}"


def _cells(frame: Any, importance: Importance) -> list[tuple[tuple[str, str], ...]]:
    ranked = [column.name for column in importance.columns]
    known = set(ranked)
    names = [*ranked, *(name for name in frame.columns if name not in known)][:_MOST_CELLS]
    present = [name for name in names if name in set(frame.columns)]
    table = frame[present].rows()
    return [
        tuple((name, _cell(value)) for name, value in zip(present, row, strict=True))
        for row in table
    ]


def _cells_of_matrix(
    rows: SparseRows, encoder: SparseEncoder, importance: Importance
) -> list[tuple[tuple[str, str], ...]]:
    names = [column.name for column in importance.columns[:_MOST_CELLS]]
    known = encoder.names or tuple(f"x{i}" for i in range(encoder.n_columns))
    places = [known.index(name) for name in names]
    return [
        tuple((name, _cell(float(row[place]))) for name, place in zip(names, places, strict=True))
        for row in rows.toarray()
    ]


def _cell(value: object) -> str:
    """Return a cell as text; empty where it is missing."""
    if value is None or value != value:
        return ""
    text = _number_text(value) if isinstance(value, float) else str(value)
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 1]}…"


def _images(images: npt.NDArray[Any]) -> list[tuple[tuple[float, ...], ...]]:
    """Return each image as ink from 0 to 1: channels averaged; nothing for other arrays."""
    if images.ndim not in (3, 4):
        return [()] * len(images)
    grey = images.astype(np.float64)
    grey = grey if grey.ndim == 3 else grey.mean(axis=3)
    low = grey.min(axis=(1, 2), keepdims=True)
    size = grey.max(axis=(1, 2), keepdims=True) - low
    ink = (grey - low) / np.where(size > 0, size, 1.0)
    return [tuple(tuple(row) for row in image) for image in ink.tolist()]
