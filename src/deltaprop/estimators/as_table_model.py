"""An estimator as scikit-learn knows it, asked about tables with named columns as a model is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import ColumnError, DataError, ModelFileError, SettingError, of
from deltaprop.estimators.answers import Classes, Numbers
from deltaprop.estimators.classifier import MLPClassifier
from deltaprop.estimators.regressor import MLPRegressor
from deltaprop.estimators.state import FitState, fitted_state
from deltaprop.estimators.with_preset import classes_for_tables
from deltaprop.explaining import Explanation, Names
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.table_models.evaluation import Evaluation, Tally
from deltaprop.tabular import Encoder, Surprises, TargetEncoder, as_frame
from deltaprop.tabular.reading.find_notation import with_numbers

__all__ = ["EstimatorOnTables", "on_tables"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class EstimatorOnTables:
    """What the commands ask a ``TableModel``, answered by an estimator without a preset."""

    estimator: MLPClassifier | MLPRegressor
    state: FitState  # what its fit left behind
    target: TargetEncoder  # what the target is called, and its classes; numbers as they are
    task: str
    class_names: tuple[str, ...]  # or the labels, as text; empty for regression
    network: Network
    parameters: Parameters
    inputs: Encoder | None  # None where the rows are numbers
    missing: None = None  # it was fitted to a table in memory, where cells are what they say

    def predict(self, features: Any, *, where: str = "", found: Surprises | None = None) -> Array:
        """Return the class, the labels, or the number, of each row."""
        answers = self.estimator.predict(self._rows(features, where))
        if self.task != "classification":
            return np.asarray(answers)
        return self.target.decode(np.searchsorted(self._classes, answers))

    @property
    def _classes(self) -> Array:
        answers = self.state.answers
        return answers.classes if isinstance(answers, Classes) else np.empty(0)

    def predict_proba(
        self, features: Any, *, where: str = "", found: Surprises | None = None
    ) -> Array:
        """Return the probability of each class, or label, of shape (n, k)."""
        if not isinstance(self.estimator, MLPClassifier):
            raise SettingError("Probabilities belong to classes; this model predicts numbers.")
        return np.asarray(self.estimator.predict_proba(self._rows(features, where)))

    def evaluate(self, features: Any, target: Any, *, where: str = "") -> Evaluation:
        """Return accuracy and the like on rows whose answers are known."""
        tally = Tally(self.target, counts=self.network.loss.targets == "count")
        encoded = self.target.encode(target, where=where)
        numbers = self.task == "regression"
        outputs = (self.predict if numbers else self.predict_proba)(features, where=where)
        outputs = outputs.reshape(len(encoded), -1) if numbers else outputs
        tally.add(outputs.astype(np.float64), encoded)
        return tally.figures()

    def explain(self, features: Any, target: Any, *, where: str = "") -> Explanation:
        """Return the training step these rows would cause, in the user's names."""
        answers = self.target.encode(target, where=where)
        if self.task == "classification":
            answers = self._classes[answers]
        explained = self.estimator.explain(self._rows(features, where), answers)
        own = explained.names
        return replace(explained, names=Names.of_step(own.inputs, own.outputs, where))

    def _rows(self, features: Any, where: str) -> Any:
        """Return the columns that the estimator was fitted to, found by their names."""
        frame = as_frame(features)
        if self.inputs is None:
            frame = as_frame(with_numbers(frame.to_native()))
        known = self.state.columns.feature_names
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
        n = self.state.columns.n
        columns = frame.columns
        if len(columns) != n:
            columns = [name for name in columns if name not in self.target.names]
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


def on_tables(estimator: MLPClassifier | MLPRegressor, path: str) -> EstimatorOnTables:
    """Return what answers for an estimator of the file; raise where it knows a single class."""
    state, empty = fitted_state(estimator), np.empty(0)
    answers = state.answers
    classes, mean, spread = empty, empty, empty
    n = answers.n_outputs if answers.task != "classification" else 1
    if isinstance(answers, Numbers):
        mean, spread = np.zeros(n), np.ones(n)
    elif answers.multilabel:
        classes = np.array([0, 1])
    elif len(answers.classes) < 2:
        raise ModelFileError(
            f"{path} holds an estimator for a single class; the commands know one of several "
            "classes. Load it in Python: deltaprop.load(path)."
        )
    else:
        classes = classes_for_tables(answers.classes)
    default = ("target",) if n == 1 else tuple(f"target{i}" for i in range(n))
    names = answers.names if len(answers.names) == n else default
    target = TargetEncoder(answers.task, "it was saved", names, classes, mean, spread)
    of_target = (target, target.task, target.class_names)
    return EstimatorOnTables(
        estimator, state, *of_target, state.network, state.parameters, state.encoder
    )
