"""A scorer of scikit-learn, asked after each epoch about rows that are held out."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.estimators.answers import Answers
from deltaprop.estimators.sklearn import BaseEstimator, check_scoring
from deltaprop.estimators.state import adopt
from deltaprop.tabular.encoding.cells import shorten

__all__ = ["Scored", "Scorer"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


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

    @cached_property
    def _scorer(self) -> Callable[..., Any]:
        scorer: Callable[..., Any] = check_scoring(self.estimator, self.scoring)
        return scorer

    def __call__(
        self, attributes: dict[str, Any], scored: Scored, y: Array, weights: Floats | None
    ) -> float:
        """Return what it says of rows by a copy with such attributes; higher is better.

        Raise SettingError where that is no number, or it takes no weights.
        """
        asked = copy.copy(self.estimator)
        adopt(asked, attributes | {"_scored": scored})
        more = {} if weights is None else {"sample_weight": weights}
        try:
            found = self._scorer(asked, scored.rows, y, **more)
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
