"""An MLPClassifier with a preset for several classes of each row: a classifier for each target."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError, warn_user
from deltaprop.estimators.inputs import Given
from deltaprop.estimators.parameters import Settings
from deltaprop.estimators.sample import check_weights
from deltaprop.estimators.sklearn import BaseEstimator, type_of_target
from deltaprop.estimators.state import fitted_state
from deltaprop.estimators.targets import plain_columns
from deltaprop.estimators.tasks import Tasks
from deltaprop.tabular import in_memory
from deltaprop.tabular.encoding.cells import shorten

if TYPE_CHECKING:
    from deltaprop.estimators.classifier import MLPClassifier
    from deltaprop.table_models.model import TableModel

__all__ = ["class_targets", "fit_each", "names_of", "refuse_several", "score_all", "together"]

Array = npt.NDArray[Any]
Targets = list[tuple[str, Array]]


def class_targets(y: Any) -> Targets | None:
    """Return the columns of y and their names, where each holds classes of its own.

    None for a single column, labels of 0 and 1, and numbers that are no classes. Raise DataError
    when some columns hold classes and others numbers, or two have one name.
    """
    columns = plain_columns(in_memory(y))
    if columns is None or len(columns) < 2:
        return None
    arrays = [column for _, column in columns]
    numeric = all(column.dtype.kind in "biuf" for column in arrays)
    if numeric and type_of_target(np.column_stack(arrays)).startswith("multilabel"):
        return None
    are_classes = [type_of_target(column) in ("binary", "multiclass") for column in arrays]
    if not any(are_classes):
        return None
    if not all(are_classes):
        name, _ = columns[are_classes.index(False)]
        raise DataError(
            f"Target {name!r} holds numbers that are no classes, beside targets that are classes. "
            "Learn it by MLPRegressor, or all of them by deltaprop.TargetModels."
        )
    names = [name for name, _ in columns]
    if len(set(names)) < len(names) or not all(names):
        raise DataError(f"The columns of y are called {names[:20]}; give each a name of its own.")
    return columns


def fit_each(
    estimator: MLPClassifier,
    settings: Settings,
    given: Given,
    targets: Targets,
    tasks: tuple[Tasks, ...],
) -> dict[str, Any]:
    """Learn each target by a classifier of its own; return what that comes to, as attributes."""
    X, X_val = in_memory(given.X), in_memory(given.X_val)
    answers = None if given.y_val is None else _columns_like(targets, given.y_val, "y_val")
    parts: list[MLPClassifier] = []
    said: set[str] = set()
    for i, (name, column) in enumerate(targets):
        part = type(estimator)(**_settings_of_part(estimator, i, len(targets)))
        if settings.verbose:
            print(f"Target {name} ({i + 1} of {len(targets)}):")
        part.callbacks = (*tasks, *settings.callbacks)
        held = None if answers is None else answers[i]
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            part.fit(X, _named(column, name), given.sample_weight, X_val, held)
        part.callbacks = settings.callbacks
        for warning in found:  # what is said of the columns of X is said once
            if str(warning.message) not in said:
                warn_user(str(warning.message), warning.category)
        said |= {str(warning.message) for warning in found}
        model: TableModel | None = getattr(part, "model_", None)
        if i + 1 < len(targets) and model is not None and model.interrupted:
            raise KeyboardInterrupt(f"Target {name!r} was being learnt; nothing is kept.")
        parts.append(part)
    return together(parts)


def _named(column: Array, name: str) -> Any:
    """Return a column as a series, which brings its name with it."""
    import polars as pl

    return pl.Series(name, column.tolist() if column.dtype.kind in "OU" else column)


def _settings_of_part(estimator: MLPClassifier, i: int, n: int) -> dict[str, Any]:
    """Return the settings of the classifier of target i of n."""
    settings: dict[str, Any] = estimator.get_params(deep=False)
    weights, budget = settings["class_weight"], settings["time_budget"]
    if isinstance(weights, (list, tuple)) and len(weights) == n:
        settings["class_weight"] = weights[i]
    elif weights is not None and weights != "balanced":
        raise SettingError(
            f"class_weight is {weights!r}; with {n} targets it is 'balanced', or a list of {n}: "
            "for each target a dict, 'balanced' or None."
        )
    if isinstance(budget, (int, float)):  # all else is refused by the recipe
        settings["time_budget"] = budget / n
    if settings["checkpoint"] is not None:
        settings["checkpoint"] = f"{os.fspath(settings['checkpoint'])}.target{i + 1}"
    return settings


def _columns_like(targets: Targets, y: Any, name: str) -> list[Array]:
    """Return the columns of further answers in the order of the targets.

    They are found by name where all names are the same, else by place.
    """
    columns = plain_columns(in_memory(y), name)
    if columns is None or len(columns) != len(targets):
        found = 1 if columns is None else len(columns)
        raise DataError(
            f"{name} has {found} column{'s' * (found != 1)}; expected one for each of the "
            f"{len(targets)} targets."
        )
    by_name = dict(columns)
    if set(by_name) == {name for name, _ in targets}:
        return [by_name[name] for name, _ in targets]
    return [column for _, column in columns]


def together(parts: Sequence[BaseEstimator]) -> dict[str, Any]:
    """Return the attributes of the estimator of all targets: a fitted classifier for each."""
    states = [fitted_state(part) for part in parts]
    return states[0].columns.attributes | {
        "estimators_": list(parts), "n_outputs_": len(parts),
        "classes_": [state.answers.attributes["classes_"] for state in states],
        "n_iter_": max(state.n_iter for state in states),
    }  # fmt: skip


def names_of(parts: Sequence[BaseEstimator]) -> tuple[str, ...]:
    """Return what the targets are called that have a classifier each."""
    return tuple(name for part in parts for name in fitted_state(part).answers.names)


def score_all(estimator: MLPClassifier, X: Any, y: Any, sample_weight: Any) -> float:
    """Return the share of rows of which every target is predicted."""
    parts = estimator.estimators_
    targets = [(n, part.classes_) for n, part in zip(names_of(parts), parts, strict=True)]
    columns = _columns_like(targets, y, "y")
    predicted = [part.predict(X) for part in parts]
    if len(columns[0]) != len(predicted[0]):
        raise DataError(f"X has {len(predicted[0])} rows but y has {len(columns[0])}.")
    for (name, classes), column in zip(targets, columns, strict=True):
        if (classes.dtype.kind in "OU") != (column.dtype.kind in "OU"):
            raise DataError(
                f"Target {name!r} of y is {shorten(column[0])} in row 1, but its classes are such "
                f"as {shorten(classes[0])}: one is text, the other is not. Convert the column."
            )
    right = np.all([p == c for p, c in zip(predicted, columns, strict=True)], axis=0)
    return float(np.average(right, weights=check_weights(sample_weight, len(right))))


def refuse_several(parts: Sequence[BaseEstimator], what: str) -> None:
    """Raise where an estimator of several targets is asked what one network is asked."""
    if parts:
        names = ", ".join(map(repr, names_of(parts)[:20]))
        raise SettingError(
            f"{what} tells of one target, but each of {names} has a classifier of its own: ask "
            f"one of them, in this order, such as estimators_[0].{what}(...)."
        )
