"""An estimator as scikit-learn knows it, asked about tables with named columns as a model is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import ColumnError, DataError, ModelFileError, of
from deltaprop.estimators.with_preset import classes_for_tables
from deltaprop.explaining import Explanation
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.table_models.evaluation import (
    Evaluation,
    evaluate_classes,
    evaluate_labels,
    evaluate_numbers,
)
from deltaprop.tabular import TargetEncoder, as_frame
from deltaprop.tabular.reading.notation import with_numbers

__all__ = ["EstimatorOnTables", "on_tables"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class EstimatorOnTables:
    """What the commands ask a ``TableModel``, answered by an estimator.

    Attributes
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted, without a preset.
    target : TargetEncoder
        What the target is called, and its classes; numbers as they are.
    """

    estimator: Any
    target: TargetEncoder

    @property
    def task(self) -> str:
        """Return "classification", "regression" or "multilabel"."""
        return self.target.task

    @property
    def inputs(self) -> Any:
        """Return what encodes the rows; None where they are numbers."""
        return self.estimator.encoder_

    @property
    def missing(self) -> None:
        """Return None: it was fitted to a table in memory, where cells are what they say."""
        return None

    @property
    def network(self) -> Network:
        """Return the description."""
        network: Network = self.estimator.network_
        return network

    @property
    def parameters(self) -> Parameters:
        """Return the numbers."""
        return self.network.parameters(self.estimator.coefs_, self.estimator.intercepts_)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return the classes, or the labels, as text; empty for regression."""
        return self.target.class_names

    def predict(self, features: Any, *, where: str = "") -> Array:
        """Return the class, the labels, or the number, of each row."""
        answers = self.estimator.predict(self._rows(features, where))
        if self.task != "classification":
            return np.asarray(answers)
        return self.target.decode(np.searchsorted(self.estimator.classes_, answers))

    def predict_proba(self, features: Any, *, where: str = "") -> Array:
        """Return the probability of each class, or label, of shape (n, k)."""
        return np.asarray(self.estimator.predict_proba(self._rows(features, where)))

    def evaluate(self, features: Any, target: Any, *, where: str = "") -> Evaluation:
        """Return accuracy and the like on rows whose answers are known."""
        encoded = self.target.encode(target, where=where)
        if self.task == "classification":
            p = self.predict_proba(features, where=where).astype(np.float64)
            p_true = p[np.arange(len(p)), encoded]
            return evaluate_classes(p.argmax(axis=1), p_true, encoded, self.class_names)
        if self.task == "multilabel":
            p = self.predict_proba(features, where=where).astype(np.float64)
            return evaluate_labels(p, encoded, self.class_names)
        numbers = self.predict(features, where=where).reshape(len(encoded), -1)
        counts = self.network.loss.targets == "count"
        return evaluate_numbers(numbers.astype(np.float64), encoded, counts=counts)

    def explain(self, features: Any, target: Any, *, where: str = "") -> Explanation:
        """Return the training step these rows would cause, in the user's names."""
        answers = self.target.encode(target, where=where)
        if self.task == "classification":
            answers = self.estimator.classes_[answers]
        explained: Explanation = self.estimator.explain(self._rows(features, where), answers)
        titles = {"zh": f"{where or '这些行'} 会引起的一步"}
        title = f"The step {where or 'these rows'} would cause"
        return replace(explained, names=replace(explained.names, title=title, titles=titles))

    def _rows(self, features: Any, where: str) -> Any:
        """Return the columns that the estimator was fitted to, found by their names."""
        frame = as_frame(features)
        if self.inputs is None:
            frame = as_frame(with_numbers(frame.to_native()))
        known = getattr(self.estimator, "feature_names_in_", None)
        if known is None:
            return self._nameless(frame, where)
        absent = [name for name in known if name not in frame.columns]
        if absent:
            raise ColumnError(
                f"The table{of(where)} lacks {', '.join(map(repr, absent[:20]))}: expected the "
                f"{len(known)} columns of the training table, in any order. Its columns are "
                f"{', '.join(map(repr, frame.columns[:20]))}."
            )
        return frame[list(known)].to_native()

    def _nameless(self, frame: Any, where: str) -> Array:
        """Return all columns but the target's, in their order, as they were in training."""
        n = self.estimator.n_features_in_
        columns = _without(frame.columns, self.target.names, n)
        if len(columns) != n:
            raise DataError(
                f"The table{of(where)} has {len(frame.columns)} columns, but the estimator was "
                f"fitted to an array of {n}, which had no names. Give a table of these {n} "
                "columns in their order, or fit the estimator to a data frame."
            )
        odd = [name for name in columns if not frame[name].dtype.is_numeric()]
        if odd or any(frame[name].null_count() for name in columns):
            name = (odd or [name for name in columns if frame[name].null_count()])[0]
            raise DataError(
                f"Column {name!r}{of(where)} has words, dates or missing cells, but the estimator "
                "was fitted to numbers alone. Correct the column, or fit the estimator to a data "
                "frame that has such cells too."
            )
        return np.column_stack([frame[name].to_numpy() for name in columns]).astype(np.float64)


def _without(columns: list[str], names: Collection[str], n: int) -> list[str]:
    return columns if len(columns) == n else [name for name in columns if name not in names]


def on_tables(estimator: Any, path: str) -> EstimatorOnTables:
    """Return what answers for an estimator that was read from a file.

    Raises
    ------
    ModelFileError
        When it knows a single class.
    """
    names = estimator._target_names  # noqa: SLF001
    if not hasattr(estimator, "classes_"):
        k = estimator.n_outputs_
        names = names if len(names) == k else _default_names(k)
        zeros, ones = np.zeros(k), np.ones(k)
        target = TargetEncoder("regression", "it was saved", names, np.empty(0), zeros, ones)
        return EstimatorOnTables(estimator, target)
    empty = np.empty(0)
    if estimator._multilabel:  # noqa: SLF001
        k = estimator.n_outputs_
        names = names if len(names) == k else _default_names(k)
        truths = np.array([0, 1])
        target = TargetEncoder("multilabel", "it was saved", names, truths, empty, empty)
        return EstimatorOnTables(estimator, target)
    if len(estimator.classes_) < 2:
        raise ModelFileError(
            f"{path} holds an estimator for a single class; the commands know one of several "
            "classes. Load it in Python: deltaprop.load(path)."
        )
    classes = classes_for_tables(estimator.classes_)
    names = names if len(names) == 1 else _default_names(1)
    target = TargetEncoder("classification", "it was saved", names, classes, empty, empty)
    return EstimatorOnTables(estimator, target)


def _default_names(n: int) -> tuple[str, ...]:
    return ("target",) if n == 1 else tuple(f"target{i}" for i in range(n))
