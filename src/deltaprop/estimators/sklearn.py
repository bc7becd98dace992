"""What is used of scikit-learn, in one place: the estimators follow its contract.

scikit-learn is an optional part; where it is missing, importing this module says so in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy.typing as npt

from deltaprop.errors import MissingExtraError

try:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import check_scoring
    from sklearn.model_selection import train_test_split
    from sklearn.utils import _safe_indexing as safe_indexing
    from sklearn.utils import (
        check_array,
        check_consistent_length,
        check_random_state,
        check_X_y,
        column_or_1d,
    )
    from sklearn.utils.class_weight import compute_sample_weight
    from sklearn.utils.multiclass import (
        check_classification_targets,
        type_of_target,
        unique_labels,
    )
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:
    raise MissingExtraError("scikit-learn 1.7 or newer", "scikit-learn>=1.7") from None

if TYPE_CHECKING:  # scikit-learn has no types, and what a class inherits from Any is never checked
    _Method = TypeVar("_Method", bound=Callable[..., Any])

    class BaseEstimator:
        """What is used of scikit-learn's class."""

        n_features_in_: int
        feature_names_in_: npt.NDArray[Any]
        get_params: Callable[..., dict[str, Any]]
        set_params: Callable[..., Self]
        get_metadata_routing: Callable[[], Any]
        set_fit_request: Callable[..., Self]
        set_partial_fit_request: Callable[..., Self]
        set_score_request: Callable[..., Self]

        @classmethod
        def _get_param_names(cls) -> list[str]: ...
        def __sklearn_tags__(self) -> Any: ...

    class ClassifierMixin:
        """Scores by accuracy."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
            """Return the mean accuracy."""

    class RegressorMixin:
        """Scores by R^2."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
            """Return R^2."""

    class CallbackSupportMixin:
        """Has callbacks set, from scikit-learn 1.9 on."""

        set_callbacks: Callable[..., Self]
        _init_callback_context: Callable[..., Any]

    with_callbacks: Callable[[Callable[..., Any]], Callable[..., Any]] | None

    def available_if(check: Callable[[Any], bool]) -> Callable[[_Method], _Method]:
        """Return what hides a method where the check raises AttributeError."""
else:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.metaestimators import available_if

    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks
    except ImportError:  # before scikit-learn 1.9 there are none
        CallbackSupportMixin, with_callbacks = object, None

__all__ = [
    "BaseEstimator", "CallbackSupportMixin", "ClassifierMixin", "ConvergenceWarning",
    "RegressorMixin", "available_if", "check_X_y", "check_array", "check_classification_targets",
    "check_consistent_length", "check_is_fitted", "check_random_state", "check_scoring",
    "column_or_1d", "compute_sample_weight", "safe_indexing", "train_test_split",
    "type_of_target", "unique_labels", "validate_data", "with_callbacks",
]  # fmt: skip
