"""Rows of a table on their way into a network: what is known of each, and what it should say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, of
from deltaprop.functional.losses import LOSSES
from deltaprop.tabular import (
    Encoder,
    Features,
    ImageEncoder,
    SparseEncoder,
    SparseRows,
    TableEncoder,
    TargetEncoder,
    row_marks,
    take_rows,
)
from deltaprop.training.predict import refuse_overflow

__all__ = [
    "Array",
    "Indices",
    "Marks",
    "Portion",
    "Rows",
    "decoded_answers",
    "encoded_targets",
    "encoder_for",
    "flat_rows",
    "marks_of",
]

Array: TypeAlias = npt.NDArray[np.float64]
Indices: TypeAlias = npt.NDArray[np.int64]
Rows: TypeAlias = Array | SparseRows
Marks: TypeAlias = npt.NDArray[np.uint64]
X = TypeVar("X", bound=Features)


@dataclass(frozen=True, eq=False)
class Portion(Generic[X]):
    """Some rows, with what is to be learnt of them."""

    x: X  # what is known of each: as it came, or encoded
    y: npt.NDArray[Any]  # encoded targets of shape (n,) or (n, n_L)
    weights: Array | None = None  # what each row counts; all the same when left out
    marks: Marks | None = None  # by which each is known again

    def __len__(self) -> int:
        return len(self.y)

    def take(self, places: Indices) -> Portion[X]:
        """Return the rows at these places, which ascend: all of them without a copy."""
        if len(places) == len(self):
            return self
        weights = None if self.weights is None else self.weights[places]
        marks = None if self.marks is None else self.marks[places]
        return Portion(take_rows(self.x, places), self.y[places], weights, marks)

    @property
    def counted(self) -> Portion[X]:
        """Return the rows with their weights, or without any where all of these are 0."""
        weighs = self.weights is None or self.weights.any()
        return self if weighs else replace(self, weights=None)


def encoder_for(features: Features, where: str = "") -> Encoder:
    """Return what encodes rows of this kind, fitted to them."""
    if isinstance(features, SparseRows):
        return SparseEncoder.fit(features, where=where)
    if isinstance(features, np.ndarray):
        return ImageEncoder.fit(features, where=where)
    return TableEncoder.fit(features, where=where)


def flat_rows(encoded: npt.NDArray[Any] | SparseRows) -> Rows:
    """Return rows of one dimension: the pixels of an image one after another."""
    if isinstance(encoded, SparseRows):
        return encoded
    return encoded.reshape(len(encoded), prod(encoded.shape[1:]))


def marks_of(rows: Portion[Features], inputs: Encoder, target: TargetEncoder) -> Marks:
    """Return a number for each row, of all that a network sees of it and of its answer."""
    columns = inputs.needed if isinstance(inputs, TableEncoder) else ()
    answers = target.decode(rows.y) if target.task == "regression" else rows.y
    return row_marks(rows.x, columns, answers)


def decoded_answers(target: TargetEncoder, answers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return classes, labels or numbers in the target's unit, which must be no infinite ones."""
    with np.errstate(over="ignore"):
        decoded = target.decode(answers)
    if target.task == "regression":
        refuse_overflow(decoded)
    return decoded


def encoded_targets(
    target: TargetEncoder, loss: str | None, values: object, where: str
) -> npt.NDArray[Any]:
    """Return what the network learns of a target; counts must not be negative."""
    y = target.encode(values, where=where)
    if loss is not None and LOSSES[loss].targets == "count" and (y < 0).any():
        row, column = np.argwhere(y < 0)[0]
        raise DataError(
            f"Target {target.names[column]!r}{of(where)} is {y[row, column]:g} in row {row + 1}, "
            f"but loss={loss!r} learns counts and rates, which are at least 0. Correct the row, or "
            "take another loss."
        )
    return y
