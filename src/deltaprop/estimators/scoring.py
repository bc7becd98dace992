"""A scorer of scikit-learn, asked after each epoch about rows that are held out."""

from __future__ import annotations

import copy
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.estimators.sklearn import check_scoring, safe_indexing
from deltaprop.table_models.scoring import RowMetric
from deltaprop.tabular.encoding.cells import shorten

__all__ = ["figure", "metric_of_rows"]

Array = npt.NDArray[Any]


def figure(scorer: Any, estimator: Any, X: Any, y: Array, weights: Array | None) -> float:
    """Return what a scorer says of these rows.

    Raises
    ------
    SettingError
        When it takes no weights though there are some, or gives something else than a number.
    """
    more = {} if weights is None else {"sample_weight": weights}
    try:
        found = scorer(estimator, X, y, **more)
    except TypeError as error:
        if weights is None or "sample_weight" not in str(error):
            raise
        raise SettingError(
            f"scoring is {estimator.scoring!r}, which takes no sample_weight, but the rows held "
            "out have weights. Choose a metric that takes them, or leave sample_weight and "
            "class_weight out."
        ) from None
    if not isinstance(found, Real):
        raise SettingError(
            f"scoring is {estimator.scoring!r}, which gives {shorten(found)}; expected one number, "
            "higher being better, to choose the best epoch by."
        )
    return float(found)


def metric_of_rows(
    estimator: Any, X: Any, y: Array, order: Array | None, places: Array | None
) -> RowMetric:
    """Return what asks the estimator's scorer about rows of X, by the outputs of one network.

    The scorer is given a copy of the estimator that knows these outputs, and the rows themselves.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        With a preset, about to be fitted.
    X : array_like or data frame
        The table that rows are held out from, or that of X_val.
    y : ndarray
        Their answers.
    order : ndarray of int or None
        Row i of y is row ``order[i]`` of X; None where they stand in the same order.
    places : ndarray of int or None
        The classes that the outputs are for, by their places in ``classes_``.
    """
    scorer = check_scoring(estimator, estimator.scoring)
    shown = copy.copy(estimator)
    for name in ("model_", "_scored"):
        shown.__dict__.pop(name, None)

    def of(outputs: Array, rows: Array, weights: Array | None) -> float:
        if not np.isfinite(outputs).all():
            return float("nan")
        if places is not None:
            p = np.zeros((len(outputs), len(estimator.classes_)))
            p[:, places] = outputs
            outputs = p
        asked = copy.copy(shown)
        asked.network_ = None  # it counts as fitted
        some = safe_indexing(X, rows if order is None else order[rows])
        asked._scored = (some, outputs)  # noqa: SLF001
        return figure(scorer, asked, some, y[rows], weights)

    return RowMetric(str(estimator.scoring), of)
