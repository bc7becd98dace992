"""A model judged on a table whose rows come some after another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError
from deltaprop.table_models.evaluation import Evaluation, Tally
from deltaprop.table_models.rows import Indices, Rows
from deltaprop.tabular import SparseRows, Surprises, TableEncoder

if TYPE_CHECKING:
    from deltaprop.table_models.model import TableModel

__all__ = ["Judge", "judge_rows"]


class Judge:
    """Keeps of each row what the figures need: its answer, and what the model says of it.

    ``found`` gets what is to be said of the rows.
    """

    def __init__(self, model: TableModel, found: Surprises) -> None:
        self._model, self._found, self._n_given = model, found, 0
        self._tally = _tally_of(model)
        self._seen = np.zeros(4, dtype=np.int64)

    def add(
        self, features: object, target: object, *, where: str = "", unseen: bool = False
    ) -> None:
        """Have the model answer for further rows, or for those that it has not seen."""
        model, rows = self._model, self._model.known(features, target, where)
        self._n_given += len(rows)
        table = not isinstance(rows.x, (np.ndarray, SparseRows))
        if table and isinstance(model.inputs, TableEncoder):
            model.inputs.check_columns(rows.x, where=where)  # before anybody looks for them
        if model.learnt_rows is not None:
            marks = model.marks(rows)
            if unseen:
                new = np.flatnonzero(~model.learnt_rows.seen(marks))
                rows, marks = rows.take(new), marks[new]
            self._seen += model.learnt_rows.counts(marks)
        if unseen and not len(rows):
            return
        for places, p in model.outputs_in_blocks(rows.x, where, self._found):
            self._tally.add(p, rows.y[places])

    def figures(self) -> Evaluation:
        """Return how good the answers are, and how many of the rows were learnt.

        Raise DataError when the model has seen all rows, and was to be judged by others.
        """
        if not self._tally.n_rows:
            raise DataError(f"The model has seen all {self._n_given:,} rows.")
        judged, known = self._tally.figures(), self._model.learnt_rows
        return judged if known is None else replace(judged, overlap=known.overlap_of(self._seen))


def judge_rows(
    model: TableModel, x: Rows, encoded: npt.NDArray[Any], member: Indices | None = None
) -> Evaluation:
    """Return the figures of encoded rows and targets, each said by all members or by one."""
    tally = _tally_of(model)
    for rows, p in model.predictor.of_rows(x, member):
        tally.add(p, encoded[rows])
    return tally.figures()


def _tally_of(model: TableModel) -> Tally:
    return Tally(model.target, counts=model.network.loss.targets == "count")
