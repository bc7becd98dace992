"""A model judged on a table whose rows come some after another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError
from deltaprop.table_models.evaluation import Evaluation, evaluate_classes
from deltaprop.table_models.prepare import encoded_targets, marks_of
from deltaprop.tabular import SparseRows, Surprises, TableEncoder, as_features, take_rows

if TYPE_CHECKING:
    from deltaprop.table_models.model import TableModel

__all__ = ["Judge"]


class Judge:
    """Keeps of each row what the figures need: its answer, and what the model says of it.

    Parameters
    ----------
    model : TableModel
        Which is judged.
    found : Surprises
        Gets what is to be said of the rows.
    """

    def __init__(self, model: TableModel, found: Surprises) -> None:
        self._model, self._found, self._n_given = model, found, 0
        self._encoded: list[npt.NDArray[Any]] = []
        self._said: list[npt.NDArray[Any]] = []
        self._p_true: list[npt.NDArray[np.float64]] = []
        self._seen = np.zeros(4, dtype=np.int64)
        # of classes, which may be few, numbers of the least size
        self._kept = np.min_scalar_type(max(0, model.network.n_out - 1))

    def add(self, features: Any, target: Any, *, where: str = "", unseen: bool = False) -> None:
        """Have the model answer for further rows, or for those that it has not seen."""
        model, features = self._model, as_features(features)
        encoded = encoded_targets(model.target, model.network.loss_name, target, where)
        if len(features) != len(encoded):
            raise DataError(f"There are {len(features)} rows but {len(encoded)} targets.")
        self._n_given += len(encoded)
        table = not isinstance(features, (np.ndarray, SparseRows))
        if table and isinstance(model.inputs, TableEncoder):
            model.inputs.check_columns(features, where=where)  # before anybody looks for them
        if model.learnt_rows is not None:
            marks = marks_of(features, model.inputs, model.target, encoded)
            if unseen:
                new = np.flatnonzero(~model.learnt_rows.seen(marks))
                features, encoded, marks = take_rows(features, new), encoded[new], marks[new]
            self._seen += model.learnt_rows.counts(marks)
        if unseen and not len(encoded):
            return
        classes = model.task == "classification"
        for rows, p in model.outputs_in_blocks(features, where=where, found=self._found):
            if classes:
                self._p_true.append(p[np.arange(len(p)), encoded[rows]])
            self._said.append(p.argmax(axis=1).astype(self._kept) if classes else p)
        self._encoded.append(encoded.astype(self._kept) if classes else encoded)

    def figures(self) -> Evaluation:
        """Return how good the answers are, and how many of the rows were learnt.

        Raises
        ------
        DataError
            When the model has seen all rows, and was to be judged by others.
        """
        if not self._encoded:
            raise DataError(f"The model has seen all {self._n_given:,} rows.")
        model, encoded, said = self._model, *map(np.concatenate, (self._encoded, self._said))
        if model.task == "classification":
            p_true = np.concatenate(self._p_true)
            judged = evaluate_classes(said, p_true, encoded, model.class_names)
        else:
            judged = model.evaluate_outputs(said, encoded)
        if model.learnt_rows is None:
            return judged
        return replace(judged, overlap=model.learnt_rows.overlap_of(self._seen))
