"""What is used of scikit-learn, in one place: the estimators follow its contract.

scikit-learn is an optional part; where it is missing, importing this module says so in a sentence.
"""

from __future__ import annotations

from deltaprop.errors import MissingExtraError

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
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
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import (
        check_classification_targets,
        type_of_target,
        unique_labels,
    )
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:
    raise MissingExtraError("scikit-learn 1.7 or newer", "scikit-learn>=1.7") from None

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9 there are none
    CallbackSupportMixin, with_callbacks = object, None

__all__ = [
    "BaseEstimator",
    "CallbackSupportMixin",
    "ClassifierMixin",
    "ConvergenceWarning",
    "RegressorMixin",
    "available_if",
    "check_X_y",
    "check_array",
    "check_classification_targets",
    "check_consistent_length",
    "check_is_fitted",
    "check_random_state",
    "check_scoring",
    "column_or_1d",
    "compute_sample_weight",
    "safe_indexing",
    "train_test_split",
    "type_of_target",
    "unique_labels",
    "validate_data",
    "with_callbacks",
]
