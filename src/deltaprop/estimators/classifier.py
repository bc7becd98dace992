"""MLPClassifier: scikit-learn's estimator for classes, on deltaprop's engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError
from deltaprop.estimators.answers import Classes
from deltaprop.estimators.base import BaseMLP, is_stochastic
from deltaprop.estimators.documentation import documented
from deltaprop.estimators.inputs import Given, target_names
from deltaprop.estimators.parameters import Settings
from deltaprop.estimators.several_targets import class_targets, fit_each, score_all
from deltaprop.estimators.sklearn import ClassifierMixin, available_if, unique_labels
from deltaprop.estimators.state import state_of
from deltaprop.estimators.targets import answers_of
from deltaprop.estimators.tasks import Tasks
from deltaprop.masked import refuse_masked

__all__ = ["MLPClassifier"]

Array = npt.NDArray[Any]


@documented
@dataclass(eq=False, repr=False)
class MLPClassifier(ClassifierMixin, BaseMLP):
    """A multi-layer perceptron for classes: a drop-in for scikit-learn's, and more.

    It minimizes the mean cross-entropy plus alpha / (2 n) sum(W^2) over mini-batches of n rows,
    from the weights that scikit-learn would draw for the same ``random_state``. Two classes, and
    each label of a multi-label task, have one sigmoid output; more classes have softmax.

    A setting that is None is as scikit-learn has it or, with a preset, as the preset has it; both
    are named below (free text and sparse rows have a plan of their own, see docs/tables.md). What
    is given is used, or refused with a sentence.

    Parameters
    ----------
    activation : str or sequence of str, optional
        "relu", "logistic", "tanh", "identity" or any other that is registered in deltaprop, for
        all hidden layers or one each. None: "relu"; a preset "selu".
    learning_rate_init : float, optional
        eta; of a preset the highest of its waves. None: 0.001; a preset 0.04.
    preset : {"fast", "best", "plain"}, optional
        None learns as scikit-learn does, by the settings. A preset learns as ``TableModel`` does:
        columns encoded and scaled, rows held out; "fast" and "best" calibrate probabilities, "best"
        is an ensemble, "plain" the textbook; see ``Recipe``. What is given takes the place of their
        own, or is refused where they have nothing like it.
    calibrate : bool, optional
        Whether the rows held out fit a temperature of the probabilities, too, with a preset. None:
        they do where there are some.
    class_weight : dict or "balanced", optional
        A further factor of each row's weight, by its class; "balanced" is n / (classes * rows of
        the class). Of several targets "balanced", or a list of one for each.
    label_smoothing : float, optional
        e in t' = (1 - e) t + e / k. None: 0; a preset 0.1, of
        several labels for each row 0.
    scoring : str or callable, optional
        A metric of scikit-learn, or ``scoring(estimator, X, y)``, that scores the validation rows;
        accuracy when left out. With a preset it chooses the epoch of each network that is kept (of
        probabilities those before they are calibrated).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or a list of them
        The classes, sorted; column numbers for a multi-label task, a list for several targets.
    estimators_ : list of MLPClassifier
        Of several targets the classifier of each, in their order. These have the attributes below;
        beside ``classes_`` the whole has ``n_outputs_``, the targets, ``n_iter_``,
        ``n_features_in_`` and ``feature_names_in_`` alone.
    out_activation_ : str
        "softmax" or "logistic".

    Examples
    --------
    >>> clf = MLPClassifier((8,), solver="lbfgs", random_state=1)
    >>> clf.fit([[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]).predict([[0.5]])
    array(['low'], dtype='<U4')
    """

    hidden_layer_sizes: int | Sequence[int] | None = None
    activation: str | Sequence[str] | None = None
    _: KW_ONLY
    calibrate: bool | None = None
    class_weight: Mapping[Any, float] | str | Sequence[Any] | None = None
    label_smoothing: float | None = None

    loss = "log_loss"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = self.preset is not None
        return tags

    def _learn(self, settings: Settings, given: Given, tasks: tuple[Tasks, ...]) -> dict[str, Any]:
        targets = None if settings.preset is None else class_targets(given.y)
        if targets is None:
            return super()._learn(settings, given, tasks)
        return fit_each(self, settings, given, targets, tasks)

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Learn for a single epoch, going on from where the estimator is; return the estimator.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``; y has classes of shape (n,), or labels of shape (n, n_labels).
        classes : array_like, optional
            All classes that any call will bring; needed in the first call.
        """
        self._forget_several()
        if isinstance(self.class_weight, str):
            raise SettingError(
                f"class_weight={self.class_weight!r} counts all rows, and partial_fit sees some. "
                "Give the weights as a dict."
            )
        if classes is not None:
            classes = answers_of(classes, numeric=False, name="classes")
        return self._partial_fit(X, y, sample_weight, self._known_classes(y, classes))

    def _known_classes(self, y: Any, classes: Array | None) -> Classes:
        state = state_of(self)
        if state is None or not isinstance(state.answers, Classes):
            if classes is not None:
                return Classes.given(answers_of(y, numeric=False), target_names(y), classes)
            raise DataError(
                "classes must be passed on the first call to partial_fit: all that any later call "
                "will bring, such as classes=numpy.unique(y)."
            )
        known = state.answers
        if classes is not None and not np.array_equal(known.classes, unique_labels(classes)):
            raise DataError(
                f"classes is {classes!r}, but in an earlier call the classes were "
                f"{known.classes!r}. Give the same ones, or leave classes out."
            )
        return known

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy: the share of rows whose class is predicted.

        Several labels or targets of a row, columns of y, count as one; ``sample_weight`` of shape
        (n,) is what each row counts.
        """
        refuse_masked(y, "y")
        refuse_masked(sample_weight, "sample_weight")
        if hasattr(self, "estimators_"):
            return score_all(self, X, y, sample_weight)
        return float(super().score(X, answers_of(y, numeric=False), sample_weight))

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class, for rows such as ``predict`` takes.

        Returns
        -------
        ndarray of shape (n, n_classes), or a list of them
            In the order of ``classes_``; of a multi-label task the probability of each label; of
            several targets a list, an array for each.
        """
        if hasattr(self, "estimators_"):
            return [part.predict_proba(X) for part in self.estimators_]
        answers, p = self._outputs(X)
        return answers.probabilities(p) if isinstance(answers, Classes) else p

    def predict_log_proba(self, X: Any) -> Any:
        """Return ln p of the same shape as ``predict_proba``; minus infinity where p is 0."""
        p = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return [np.log(each) for each in p] if isinstance(p, list) else np.log(p)
