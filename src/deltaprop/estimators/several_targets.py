"""An MLPClassifier with a preset for several classes of each row: a classifier for each target."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError
from deltaprop.estimators.inputs import check_weights
from deltaprop.estimators.sklearn import type_of_target
from deltaprop.estimators.targets import plain_columns
from deltaprop.estimators.tasks import Tasks
from deltaprop.estimators.with_preset import fit_preset
from deltaprop.tabular import in_memory
from deltaprop.tabular.encoding.cells import shorten

__all__ = ["class_targets", "fit_each", "refuse_several", "score_all", "take_over_each"]

Array = npt.NDArray[Any]
Targets = list[tuple[str, Array]]


def class_targets(y: Any) -> Targets | None:
    """Return the columns of y and their names, where each holds classes of its own.

    None for a single column, labels of 0 and 1, and numbers that are no classes.

    Raises
    ------
    DataError
        When some columns hold classes and others numbers, or two have one name.
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
    estimator: Any,
    X: Any,
    targets: Targets,
    sample_weight: Any,
    validation: tuple[Any, Any],
    tasks: tuple[Tasks, ...],
) -> Any:
    """Learn each target by a classifier of its own; see ``BaseMLP.fit``."""
    for task in tasks:  # an epoch of one target leaves others unlearnt: no estimator to show
        task.fitted = lambda _: None
    X_val, y_val = in_memory(validation[0]), validation[1]
    answers = None if y_val is None else _columns_like(targets, y_val, "y_val")
    X, names = in_memory(X), tuple(name for name, _ in targets)
    parts, told = [], set()
    for i, (name, column) in enumerate(targets):
        part = type(estimator)(**_settings_of_part(estimator, i, len(targets)))
        if estimator.verbose:
            print(f"Target {name} ({i + 1} of {len(targets)}):")
        # what the part says of its own fit stays with the copy
        each_task: Any = tuple(map(partial, tasks))
        held = X_val, None if answers is None else answers[i]
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            fit_preset(part, X, _named(column, name), sample_weight, held, each_task)
        for warning in found:  # what is told of the columns of X is told once
            if str(warning.message) not in told:
                warnings.warn(warning.message, stacklevel=4)
        told |= {str(warning.message) for warning in found}
        if i + 1 < len(targets) and _was_interrupted(part):
            raise KeyboardInterrupt(f"Target {name!r} was being learnt; nothing is kept.")
        parts.append(part)
    take_over_each(estimator, parts, names)
    return estimator


def _was_interrupted(part: Any) -> bool:
    histories = part.model_.histories if hasattr(part, "model_") else ()
    return any(history.stopped_because == "interrupted" for history in histories)


def _named(column: Array, name: str) -> Any:
    """Return a column as a series, which brings its name with it."""
    import polars as pl

    return pl.Series(name, column.tolist() if column.dtype.kind in "OU" else column)


def _settings_of_part(estimator: Any, i: int, n: int) -> dict[str, Any]:
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


def take_over_each(estimator: Any, parts: Sequence[Any], names: Sequence[str]) -> None:
    """Make fitted classifiers, one for each target, the estimator's."""
    for name in [name for name in vars(estimator) if name.endswith("_")]:
        delattr(estimator, name)  # of a fit to one target
    estimator.estimators_ = list(parts)
    estimator.classes_ = [part.classes_ for part in parts]
    estimator.n_outputs_ = len(parts)
    estimator.n_iter_ = max(part.n_iter_ for part in parts)
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(parts[0], name):
            setattr(estimator, name, getattr(parts[0], name))
    estimator._target_names = tuple(names)  # noqa: SLF001


def score_all(estimator: Any, X: Any, y: Any, sample_weight: Any) -> float:
    """Return the share of rows of which every target is predicted."""
    targets = list(zip(estimator._target_names, estimator.classes_, strict=True))  # noqa: SLF001
    columns = _columns_like(targets, y, "y")
    predicted = [part.predict(X) for part in estimator.estimators_]
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


def refuse_several(estimator: Any, what: str) -> None:
    """Raise where an estimator of several targets is asked what one network is asked."""
    if hasattr(estimator, "estimators_"):
        names = ", ".join(map(repr, estimator._target_names[:20]))  # noqa: SLF001
        raise SettingError(
            f"{what} tells of one target, but each of {names} has a classifier of its own: ask "
            f"one of them, in this order, such as estimators_[0].{what}(...)."
        )
