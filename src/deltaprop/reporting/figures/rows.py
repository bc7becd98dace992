"""The rows a report is about: encoded once, and of a large table a sample."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError
from deltaprop.table_models import TableModel
from deltaprop.table_models.budget import some_rows
from deltaprop.table_models.split import fold_of_each_row, split
from deltaprop.tabular import (
    Column,
    ImageEncoder,
    SparseRows,
    TableEncoder,
    TableWarning,
    as_features,
    take_rows,
    unsquash,
)

__all__ = ["Block", "Rows", "blocks_of", "split_as_fitted"]

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_PATCHES = 8  # an image is cut into at most so many, from top to bottom and from left to right


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a table whose answers are known.

    Attributes
    ----------
    features : narwhals.DataFrame or ndarray
        The cells, or the images.
    y : ndarray
        Labels, or standardized numbers.
    numbers : ndarray of int
        Where each row stands in its table, from 0.
    x : ndarray, optional
        What the network sees, once ``prepared`` has worked it out.
    member : ndarray of int, optional
        Of an ensemble: which member has not learnt the row, and answers for it.
    """

    features: Any
    y: npt.NDArray[Any]
    numbers: Indices
    x: Array | SparseRows | None = None
    member: Indices | None = None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, places: Indices) -> Rows:
        """Return the rows at these places."""
        x = None if self.x is None else self.x[places]
        member = None if self.member is None else self.member[places]
        taken = take_rows(self.features, places)
        return Rows(taken, self.y[places], self.numbers[places], x, member)

    def sample(self, most: int, rng: np.random.Generator) -> Rows:
        """Return all rows, or where there are more, ``most`` of them in their order."""
        if len(self) <= most:
            return self
        return self.take(np.sort(rng.choice(len(self), most, replace=False)))

    def prepared(self, model: TableModel) -> Rows:
        """Return the rows with x; what is strange in them was said when the table was learnt."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TableWarning)
            return replace(self, x=model.encode(self.features))

    def encoded(self) -> Array | SparseRows:
        """Return x of prepared rows; sparse where it is a sparse matrix, or of columns of text."""
        assert self.x is not None
        return self.x

    def dense(self) -> Array:
        """Return x of a few prepared rows with its zeros."""
        x = self.encoded()
        return x.toarray() if isinstance(x, SparseRows) else x


def split_as_fitted(
    model: TableModel,
    features: Any,
    target: Any,
    validation: tuple[Any, Any] | None,
    numbers: Indices | None = None,
) -> tuple[Rows, Rows]:
    """Return the rows the model learnt from, and those that chose its best epoch.

    ``numbers`` says where the rows stand in the user's table; in this order when left out.

    Raises
    ------
    DataError
        When these cannot be the rows it was fitted to.
    """
    rows = _rows(model, features, target)
    rows = rows if numbers is None else replace(rows, numbers=numbers)
    if model.rows_given is not None and len(rows) == model.rows_given:
        own = 0 if model.folded or validation is not None else model.n_val
        rows = rows.take(some_rows(len(rows), model.n_train + own, model.recipe.seed))
    k = len(model.members)
    folds = fold_of_each_row(rows.y, k, model.recipe.seed) if k > 1 and validation is None else None
    if folds is not None and model.recipe.held_share > 0:
        parts = rows, replace(rows, member=folds)
    elif validation is None:
        kept, held = split(rows.y, model.recipe.held_share, model.recipe.seed)
        parts = rows.take(kept), rows.take(held)
    else:
        given = _rows(model, *validation)
        if model.rows_given is not None and len(given) > model.n_val:
            given = given.take(some_rows(len(given), model.n_val, model.recipe.seed))
        parts = rows, given
    if tuple(map(len, parts)) != (model.n_train, model.n_val):
        raise DataError(
            f"The model learnt from {model.n_train} rows and was validated on {model.n_val}, but "
            f"{len(parts[0])} and {len(parts[1])} were given: expected the table it was fitted to"
            f"{', and as validation= the one' if validation is None else ''} it was validated on."
        )
    return parts


def _rows(model: TableModel, features: Any, target: Any) -> Rows:
    features = as_features(features)
    y = model.target.encode(target)
    if len(features) != len(y):
        raise DataError(f"There are {len(features)} rows but {len(y)} targets.")
    return Rows(features, y, np.arange(len(y)))


@dataclass(frozen=True, eq=False)
class Block:
    """The columns of x that stem from one column of the table.

    Attributes
    ----------
    name : str
        The column, or which patch of an image.
    places : ndarray of int
        Columns of x.
    column : Column, optional
        What knows what they mean; None of an image and of a sparse matrix.
    """

    name: str
    places: Indices
    column: Column | None = None

    def one_number(self, x: Array) -> tuple[Array, bool]:
        """Return these columns of x as one number per row; see `Column.one_number`."""
        own = x[:, self.places]
        return (unsquash(own[:, 0]), True) if self.column is None else self.column.one_number(own)


def blocks_of(model: TableModel) -> tuple[list[Block], tuple[int, ...]]:
    """Return the blocks of x, and for images how many patches there are in each direction."""
    if isinstance(model.inputs, ImageEncoder):
        return _patches(model.inputs.shape)
    if not isinstance(model.inputs, TableEncoder):
        return [Block(name, np.array([i])) for i, name in enumerate(model.inputs.output_names)], ()
    columns = [column for column in model.inputs.columns if column.n_outputs]
    ends = np.cumsum([column.n_outputs for column in columns]).tolist()
    return [
        Block(column.name, np.arange(end - column.n_outputs, end), column)
        for column, end in zip(columns, ends, strict=True)
    ], ()


def _patches(shape: tuple[int, ...]) -> tuple[list[Block], tuple[int, ...]]:
    pixels = np.arange(prod(shape)).reshape(shape[0], shape[1], -1)
    edges = [np.unique(np.linspace(0, n, min(n, _PATCHES) + 1).astype(int)) for n in shape[:2]]
    blocks = []
    for top, bottom in zip(edges[0][:-1].tolist(), edges[0][1:].tolist(), strict=True):
        for left, right in zip(edges[1][:-1].tolist(), edges[1][1:].tolist(), strict=True):
            name = f"[{_span(top, bottom)}, {_span(left, right)}]"
            blocks.append(Block(name, pixels[top:bottom, left:right].ravel()))
    return blocks, (len(edges[0]) - 1, len(edges[1]) - 1)


def _span(first: int, end: int) -> str:
    """Return the pixels from first up to below end, counted from 1."""
    return f"{first + 1}" if end - first == 1 else f"{first + 1}–{end}"
