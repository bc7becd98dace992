"""What the encoders of tables, images and sparse matrices have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from deltaprop.model.stored import Stored
from deltaprop.tabular.encoding.sparse import SparseRows
from deltaprop.tabular.encoding.surprises import Surprises

__all__ = ["Encoder", "ReportRow", "Rows"]

Rows: TypeAlias = NDArray[Any] | SparseRows


class ReportRow(NamedTuple):
    """One line of the report about a table: what was made of a column."""

    column: str
    kind: str
    done: str
    missing: int


class Encoder(ABC):
    """Makes of features the numbers a network learns from, as it was fitted to some.

    Attributes
    ----------
    n_rows : int
        Rows, or images, it was fitted to.
    warnings : tuple of str
        What in these is worth a look.
    """

    format: ClassVar[str]
    described: ClassVar[str]  # what messages call it

    n_rows: int
    warnings: tuple[str, ...]

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """How many numbers a row becomes."""

    @property
    @abstractmethod
    def n_kept(self) -> int:
        """How many of them `encode` keeps of a row; of a text, or a sparse row, about."""

    @property
    @abstractmethod
    def output_names(self) -> tuple[str, ...]:
        """One readable name for each of them: of a pixel ``pixel[3,17]``."""

    def transform(
        self,
        features: object,
        *,
        where: str = "",
        ignore: Collection[str] = (),
        dtype: DTypeLike = np.float64,
    ) -> Rows:
        """Encode rows.

        Parameters
        ----------
        features : data frame, array of shape (n, ...) or sparse matrix
            A table with the columns of the training, in any order; images of the same shape; or a
            matrix of as many columns.
        where : str
            What messages call it, for example its file.
        ignore : collection of str
            Further columns of a table whose presence is no surprise, such as the target.
        dtype : dtype
            Of the result; it is computed in float64.

        Returns
        -------
        ndarray or SparseRows of shape (n, n_outputs)
            Images keep their shape. Sparse where a column is free text: of its terms a row has few.

        Raises
        ------
        ColumnError
            Columns are missing; names them all.
        ShapeError
            Images of another shape, or another number of columns.
        DataError
            A cell is of another kind than at training, or not finite; names row, column and cell.

        Warns
        -----
        TableWarning
            About further columns, and about categories not seen in training.
        """
        rows, found = self._encoded(features, where, ignore, dtype, few=False)
        found.warn(where)
        return rows

    def encode(
        self,
        features: object,
        *,
        where: str = "",
        ignore: Collection[str] = (),
        dtype: DTypeLike = np.float32,
    ) -> tuple[Rows, Surprises]:
        """Encode rows that come in parts, each in the form that takes least room.

        Takes and raises what ``transform`` does; rows count from the first of these. Beside them
        it returns what ``transform`` would warn of. Among the numbers of a sparse row may be zeros.
        """
        return self._encoded(features, where, ignore, dtype, few=True)

    @abstractmethod
    def _encoded(
        self, features: object, where: str, ignore: Collection[str], dtype: DTypeLike, *, few: bool
    ) -> tuple[Rows, Surprises]:
        """Encode rows; ``few`` asks for the form that takes least room."""

    @abstractmethod
    def check(self, features: object, *, where: str = "") -> None:
        """Raise what ``transform`` raises, without encoding the rows."""

    @abstractmethod
    def report(self) -> Sequence[ReportRow]:
        """Return what was made of each column, or of all together."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as plain values that JSON keeps exactly."""

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Return the encoder that `to_dict` described.

        Raises
        ------
        DataError
            Anything that `to_dict` would not have written; the values may come from a stranger.
        """
        stored = Stored(values, cls.described)
        stored.text("format", (cls.format,))
        return cls._from_stored(stored)

    @classmethod
    @abstractmethod
    def _from_stored(cls, stored: Stored) -> Self:
        """Return the encoder of these entries, each of them checked."""
