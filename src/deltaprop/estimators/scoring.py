"""A scorer of scikit-learn, asked after each epoch about rows that are held out."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.estimators.answers import Answers, Classes
from deltaprop.estimators.sklearn import BaseEstimator, check_scoring, safe_indexing
from deltaprop.estimators.state import adopt
from deltaprop.table_models.scoring import RowMetric
from deltaprop.tabular.encoding.cells import shorten

__all__ = ["Scored", "Scorer"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Scored:
    """What a network says of rows, and of no others, before an estimator has it."""

    rows: Any
    outputs: Array
    answers: Answers


@dataclass(frozen=True)
class Scorer:
    """What an estimator's ``scoring`` says of a network that is being trained.

    A scorer asks an estimator, and is given a copy that has the answers.
    """

    estimator: BaseEstimator
    scoring: str | Callable[..., Any] | None

    def prepared(
        self,
    ) -> Callable[[dict[str, Any], Scored, Array, npt.NDArray[np.float64] | None], float]:
        """Return ``score(attributes, scored, y, weights)``; the copy has such attributes."""
        scorer = check_scoring(self.estimator, self.scoring)

        def score(
            attributes: dict[str, Any],
            scored: Scored,
            y: Array,
            weights: npt.NDArray[np.float64] | None,
        ) -> float:
            asked = copy.copy(self.estimator)
            adopt(asked, attributes | {"_scored": scored})
            return self._figure(scorer, asked, scored.rows, y, weights)

        return score

    def of_rows(
        self,
        attributes: dict[str, Any],
        answers: Answers,
        X: Any,
        y: Array,
        order: Array | None,
        places: Array | None,
    ) -> RowMetric | None:
        """Return the metric of rows of X by the outputs of one network; None where none is set.

        Row i of y is row ``order[i]`` of X, where that is no None; the outputs are for the classes
        at these places among all. The copy that is asked has such attributes.
        """
        if self.scoring is None:
            return None
        score = self.prepared()

        def of(
            outputs: Array, rows: npt.NDArray[np.int64], weights: npt.NDArray[np.float64] | None
        ) -> float:
            if not np.isfinite(outputs).all():
                return float("nan")
            if places is not None and isinstance(answers, Classes):
                p = np.zeros((len(outputs), len(answers.classes)))
                p[:, places] = outputs
                outputs = p
            some = safe_indexing(X, rows if order is None else order[rows])
            fitted = attributes | {"network_": None}  # so it counts
            return score(fitted, Scored(some, outputs, answers), y[rows], weights)

        return RowMetric(str(self.scoring), of)

    def _figure(
        self,
        scorer: Callable[..., Any],
        asked: BaseEstimator,
        X: Any,
        y: Array,
        weights: npt.NDArray[np.float64] | None,
    ) -> float:
        """Return what a scorer says of these rows; raise SettingError where it is no number."""
        more = {} if weights is None else {"sample_weight": weights}
        try:
            found = scorer(asked, X, y, **more)
        except TypeError as error:
            if weights is None or "sample_weight" not in str(error):
                raise
            raise SettingError(
                f"scoring is {self.scoring!r}, which takes no sample_weight, but the rows held "
                "out have weights. Choose a metric that takes them, or leave sample_weight and "
                "class_weight out."
            ) from None
        if not isinstance(found, Real):
            raise SettingError(
                f"scoring is {self.scoring!r}, which gives {shorten(found)}; expected one number, "
                "higher being better, to choose the best epoch by."
            )
        return float(found)
