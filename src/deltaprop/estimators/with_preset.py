"""An MLP estimator with a preset: it learns through ``TableModel``, by a recipe."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError
from deltaprop.estimators.columns import told_of_rows, warn_of_columns
from deltaprop.estimators.inputs import (
    check_weights,
    read_new_table,
    read_training_table,
    target_names,
)
from deltaprop.estimators.parameters import OUTPUT_NAMES
from deltaprop.estimators.recipes import recipe_of
from deltaprop.estimators.scoring import metric_of_rows
from deltaprop.estimators.sklearn import ConvergenceWarning
from deltaprop.estimators.targets import refuse_unlearnt
from deltaprop.estimators.tasks import Tasks
from deltaprop.estimators.verbose import Lines
from deltaprop.explaining import Explanation
from deltaprop.model.layers import Dense
from deltaprop.table_models.model import TableModel
from deltaprop.table_models.recipe import Recipe
from deltaprop.table_models.scoring import RowMetric
from deltaprop.tabular import SparseEncoder, as_frame, in_memory, sorted_rows, take_rows
from deltaprop.training.loop import TrainingState
from deltaprop.training.metrics import METRICS
from deltaprop.training.optimizers import Optimizer

__all__ = [
    "as_fitted",
    "classes_for_tables",
    "explain_preset",
    "fit_preset",
    "preset_outputs",
    "rows_as_fitted",
    "table_as_known",
    "take_over",
]

Array = npt.NDArray[Any]

_MOST_COUNTED = 10_000  # rows that whole weights may make of a table


@dataclass(frozen=True)
class _Terms:
    """What the user calls what a model learns.

    Attributes
    ----------
    names : tuple of str
        The targets.
    places : ndarray of int or None
        The classes that are learnt, by their places in ``classes_``.
    rows : narwhals.DataFrame
        The table, in the user's order.
    recipe : Recipe
        Without the metric that looks at rows, which would keep them.
    """

    names: tuple[str, ...]
    places: Array | None
    rows: Any
    recipe: Recipe

    def take_up(self, estimator: Any, model: TableModel) -> None:
        """Make the model the estimator's, in these terms."""
        estimator._target_names = self.names  # noqa: SLF001
        estimator._places = None if self.places is None else self.places.tolist()  # noqa: SLF001
        target = replace(model.target, reason=f"that is what {type(estimator).__name__} learns")
        if self.places is not None:
            classes = classes_for_tables(estimator.classes_[self.places])
            target = replace(target, classes=classes)
        inputs: Any = told_of_rows(model.inputs, self.rows)  # type: ignore[arg-type]
        take_over(estimator, replace(model, target=target, inputs=inputs, recipe=self.recipe))

    def ended(
        self, estimator: Any, encoder: Any, target: Any, state: TrainingState
    ) -> dict[str, Any]:
        """Return the attributes of an estimator whose one network ends as it is now."""
        learner, members = copy.copy(estimator), (copy.deepcopy(state.parameters),)
        histories = (copy.deepcopy(state.history),)
        model = TableModel(state.network, members, encoder, target, histories, self.recipe, 0, 0)
        self.take_up(learner, model)
        return dict(vars(learner))


def fit_preset(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    validation: tuple[Any, Any],
    tasks: tuple[Tasks, ...] = (),
) -> Any:
    """Learn a table; see ``BaseMLP.fit``."""
    if (validation[0] is None) != (validation[1] is None):
        raise SettingError("X_val and y_val belong together; one of them is missing.")
    names = target_names(y)
    table, answers = read_training_table(estimator, X, y, y_numeric=estimator._y_numeric)  # noqa: SLF001
    targets = _targets(estimator, answers, first=True)
    if len(targets) < 2:
        raise DataError("X has 1 sample; a network needs at least two that differ.")
    weights = estimator._weigh(answers, check_weights(sample_weight, len(targets)))  # noqa: SLF001
    order, weights = as_fitted(table, targets, check_weights(weights, len(targets)))
    as_given, table, targets = table, take_rows(table, order), targets[order]
    held = None if validation[0] is None else _validation(estimator, *validation)
    scored = (X, targets, order) if held is None else (validation[0], held[1], None)
    places = None
    task = "regression"
    if hasattr(estimator, "classes_"):
        task = "multilabel" if estimator._multilabel else "classification"  # noqa: SLF001
    if task == "classification":
        # places in classes_, by the order that the table's target has its classes in
        places = np.argsort(classes_for_tables(estimator.classes_), kind="stable")
        places = places[np.isin(places, targets)]
        if held is not None:
            refuse_unlearnt(estimator.classes_[held[1]], estimator.classes_[places])
        if len(places) == 1:
            return _fit_single_class(estimator, X, y, sample_weight, validation, tasks)
        targets = _ranks(places, targets)
        held = None if held is None else (held[0], _ranks(places, held[1]))
    terms = _Terms(names, places, as_given, recipe_of(estimator, len(targets)))
    lines = [Lines()] if Lines.wanted(estimator.verbose) else []

    def announce(encoder: Any, target: Any, _: Any) -> None:
        named = estimator._columns is not None  # noqa: SLF001
        warn_of_columns(told_of_rows(encoder, as_given), named=named)
        for task in tasks:
            task.fitted = partial(terms.ended, estimator, encoder, target)

    model = TableModel.fit(
        table,
        targets,
        target_names=names,
        validation=held,
        sample_weight=weights,
        task=task,
        recipe=replace(terms.recipe, metric=_metric(estimator, places, *scored)),
        where="X",
        validation_where="X_val",
        checkpoint=estimator.checkpoint,
        resume=bool(estimator.resume),
        callbacks=(*tasks, *lines, *estimator.callbacks),
        progress=bool(estimator.verbose),
        n_threads=estimator.n_threads,
        announce=announce,
    )
    for line in lines:
        line.close()
    terms.take_up(estimator, model)
    for history in model.histories:
        if history.stopped_because == "interrupted":
            warnings.warn(history.message, stacklevel=3)
            break
    return estimator


def _fit_single_class(estimator: Any, *what: Any) -> Any:
    """Learn to answer the only class there is, as scikit-learn does; that needs no preset."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator._fit(*what, first=True, incremental=False)  # noqa: SLF001


def _metric(
    estimator: Any, places: Array | None, X: Any, targets: Array, order: Array | None
) -> RowMetric | None:
    """Return what scores rows held out; None where the preset decides.

    Row i of the targets is row ``order[i]`` of X.
    """
    if estimator.scoring is None:
        return None
    X = in_memory(X)
    if hasattr(X, "tocsr"):
        X = X.tocsr()
    elif not (hasattr(X, "iloc") or isinstance(X, (np.ndarray, list))):
        X = as_frame(X).to_native()
    y = targets if places is None else estimator.classes_[targets]
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    return metric_of_rows(estimator, X, y, order, places)


def as_fitted(
    table: Any, targets: Array, weights: npt.NDArray[np.float64] | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64] | None]:
    """Return the rows in the order they are learnt in, and their weights there.

    scikit-learn's contract: a weight of 2 is the row twice, a weight of 0 is no row, and the order
    of the rows changes nothing. So the rows are sorted by what they hold, and of a small table
    weights that are whole numbers count the rows, for the medians of the columns, the batches and
    the rows held out as well; else they weigh the loss.
    """
    order = sorted_rows(table, [*targets.reshape(len(targets), -1).T, weights])
    if weights is None:
        return order, None
    order = order[weights[order] > 0]
    counts = np.round(weights)
    if (counts == weights).all() and counts.sum() <= max(_MOST_COUNTED, len(targets)):
        return np.repeat(order, counts[order].astype(np.int64)), None
    return order, weights[order]


def _validation(estimator: Any, X_val: Any, y_val: Any) -> tuple[Any, Array]:
    rows, answers = read_new_table(estimator, X_val), estimator._answers(y_val, "y_val")  # noqa: SLF001
    if len(answers) != len(rows):
        raise DataError(f"X_val has {len(rows)} rows but y_val has {len(answers)}.")
    return rows, _targets(estimator, answers, first=False)


def _targets(estimator: Any, answers: Array, *, first: bool) -> Array:
    """Return places in ``classes_``, or numbers of shape (n, outputs)."""
    targets = estimator._targets(answers, first=first, incremental=not first)  # noqa: SLF001
    if not hasattr(estimator, "classes_"):
        return np.asarray(targets, dtype=np.float64)
    if estimator._multilabel:  # noqa: SLF001
        return np.asarray(targets, dtype=np.int64)
    return np.asarray(targets).reshape(len(answers), -1)[:, 0].astype(np.int64)


def _ranks(places: Array, codes: Array) -> Array:
    """Return where each code stands among the places."""
    order = np.argsort(places)
    return np.asarray(order[np.searchsorted(places, codes, sorter=order)])


def rows_as_fitted(estimator: Any, X: Any, y: Any) -> tuple[Any, Array, npt.NDArray[np.int64]]:
    """Return rows and answers as ``model_`` knows them, in its order, and where each stood.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted with a preset, without weights.
    X, y : array_like
        The rows it was fitted to.

    Returns
    -------
    table : data frame
        The rows.
    answers : ndarray
        Their classes or numbers.
    order : ndarray of int
        The places of these rows in X.
    """
    table, answers = read_new_table(estimator, X), estimator._answers(y)  # noqa: SLF001
    if len(answers) != len(table):
        raise DataError(f"X has {len(table)} rows but y has {len(answers)}.")
    targets = _targets(estimator, answers, first=False)
    order, _ = as_fitted(table, targets, None)
    return take_rows(table, order), _as_known(estimator, targets)[order], order


def _as_known(estimator: Any, targets: Array) -> Array:
    """Return what the model's target encoder takes: its own classes, or numbers."""
    model: TableModel = estimator.model_
    if model.task != "classification":
        return targets
    places = np.asarray(estimator._places)  # noqa: SLF001
    refuse_unlearnt(estimator.classes_[targets], estimator.classes_[places])
    return np.asarray(model.target.classes[_ranks(places, targets)])


def classes_for_tables(classes: Array) -> Array:
    """Return classes as a ``TargetEncoder`` holds them: numbers, truth values or trimmed text."""
    if classes.dtype.kind == "f":
        return classes.astype(np.float64)
    if classes.dtype.kind == "b":
        return classes
    whole = all(isinstance(c, (int, np.integer)) and -(2**63) <= c < 2**63 for c in classes)
    if whole and not any(isinstance(c, (bool, np.bool_)) for c in classes):
        return classes.astype(np.int64)
    text = [str(c) for c in classes]
    trimmed = [c.strip() for c in text]
    different = all(trimmed) and len(set(trimmed)) == len(text)
    return np.array(trimmed if different else text, dtype=object)


def take_over(estimator: Any, model: TableModel) -> None:
    """Give the estimator the attributes of a fitted one, as far as they have a meaning."""
    estimator.model_ = model
    estimator.network_, estimator.encoder_ = model.network, model.inputs
    estimator.history_ = model.history
    dense = [
        arrays
        for layer, arrays in zip(
            model.network.computing_layers, model.parameters.layers, strict=True
        )
        if isinstance(layer, Dense)
    ]
    estimator.coefs_ = [np.array(arrays["W"]) for arrays in dense]
    estimator.intercepts_ = [np.array(arrays["b"]) for arrays in dense]
    estimator.n_layers_ = len(dense) + 1
    estimator.n_outputs_ = model.network.n_out
    output = model.network.loss.output
    estimator.out_activation_ = OUTPUT_NAMES.get(output, output)
    histories = model.histories
    estimator.n_iter_ = max(history.n_epochs for history in histories)
    estimator.t_ = model.n_train * estimator.n_iter_
    estimator.loss_curve_ = _mean_curve([history.loss for history in histories])
    estimator.loss_ = estimator.loss_curve_[-1] if estimator.loss_curve_ else float("nan")
    scored = any(history.val_metric for history in histories)
    # a score is the better the higher it is
    named = METRICS.get(model.history.metric)
    sign = -1.0 if named is not None and named.lower_is_better else 1.0
    scores = _mean_curve([[sign * v for v in history.val_metric] for history in histories])
    estimator.validation_scores_ = scores if scored else None
    best = [
        sign * h.val_metric[h.best_epoch]
        for h in histories
        if h.val_metric and h.best_epoch is not None
    ]
    estimator.best_validation_score_ = float(np.mean(best)) if best else None
    estimator.best_loss_ = None if scored else min(estimator.loss_curve_, default=None)
    if hasattr(estimator, "classes_"):
        estimator._multilabel = model.task == "multilabel"  # noqa: SLF001


def _mean_curve(curves: list[list[float]]) -> list[float]:
    """Return the mean of the members after each epoch, of those that ran it."""
    longest = max(map(len, curves))
    return [float(np.mean([c[i] for c in curves if i < len(c)])) for i in range(longest)]


def preset_outputs(estimator: Any, X: Any) -> Array:
    """Return probabilities in the order of ``classes_``, or numbers, one row each."""
    model: TableModel = estimator.model_
    rows = read_new_table(estimator, X)
    if model.task == "regression":
        return model.predict(rows, where="X").reshape(len(rows), -1)
    p = model.predict_proba(rows, where="X")
    if model.task == "multilabel":
        return p
    every = np.zeros((len(p), len(estimator.classes_)))
    every[:, estimator._places] = p  # noqa: SLF001
    return every


def explain_preset(
    estimator: Any,
    X: Any,
    y: Any,
    learning_rate: float,
    optimizer: Optimizer | None,
    feature_names: Sequence[str] | None = None,
) -> Explanation:
    """Return the step these rows would cause; see ``BaseMLP.explain``."""
    model: TableModel = estimator.model_
    rows, known = table_as_known(estimator, X, y)
    if feature_names is not None:
        names = tuple(map(str, feature_names))
        n = estimator.n_features_in_
        if len(names) != n or not isinstance(model.inputs, SparseEncoder):
            raise SettingError(
                f"feature_names has {len(names)} names; with preset={estimator.preset!r} it names "
                f"the {n} columns of a sparse matrix, and a frame brings its names itself."
            )
        model = replace(model, inputs=replace(model.inputs, names=names))
    return model.explain(rows, known, learning_rate=learning_rate, optimizer=optimizer)


def table_as_known(estimator: Any, X: Any, y: Any) -> tuple[Any, Array]:
    """Return rows and answers, or what is predicted for them, as ``model_`` knows them."""
    rows = read_new_table(estimator, X)
    answers = estimator._answers(estimator.predict(X) if y is None else y)  # noqa: SLF001
    if len(answers) != len(rows):
        raise DataError(f"X has {len(rows)} rows but y has {len(answers)}.")
    return rows, _as_known(estimator, _targets(estimator, answers, first=False))
