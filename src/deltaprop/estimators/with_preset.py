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

from deltaprop.errors import DataError, SettingError, warn_user
from deltaprop.estimators.answers import Answers, Classes, encoded_answers, learn_answers, weigh
from deltaprop.estimators.inputs import (
    Columns,
    Given,
    read_new_table,
    read_training_table,
    target_names,
    warn_of_columns,
    with_places_in,
)
from deltaprop.estimators.parameters import Settings
from deltaprop.estimators.recipes import recipe_of
from deltaprop.estimators.scoring import Scored, Scorer
from deltaprop.estimators.sklearn import BaseEstimator, ConvergenceWarning, safe_indexing
from deltaprop.estimators.state import FitState, fitted_state
from deltaprop.estimators.targets import refuse_unlearnt
from deltaprop.estimators.tasks import Tasks
from deltaprop.estimators.verbose import Lines
from deltaprop.estimators.without_preset import fit_without_preset
from deltaprop.explaining import Explanation
from deltaprop.model.spec import Network
from deltaprop.table_models.model import TableModel
from deltaprop.table_models.recipe import Recipe
from deltaprop.table_models.scoring import RowMetric
from deltaprop.tabular import (
    Encoder,
    SparseEncoder,
    TableEncoder,
    TargetEncoder,
    as_frame,
    in_memory,
    sorted_rows,
    take_rows,
)
from deltaprop.training.loop import TrainingState
from deltaprop.training.optimizers import Optimizer

__all__ = [
    "classes_for_tables", "explain_preset", "fit_with_preset", "preset_outputs", "rows_as_fitted",
    "table_as_known",
]  # fmt: skip

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_MOST_COUNTED = 10_000  # rows that whole weights may make of a table


@dataclass(frozen=True, eq=False)
class _Terms:
    """What the user calls what a model learns."""

    kind: str  # the class of the estimator
    columns: Columns
    answers: Answers
    places: Array | None  # of the classes that are learnt, among all
    rows: Any  # the table, in the user's order
    recipe: Recipe  # without the metric that looks at rows, which would keep them

    def state(self, model: TableModel) -> FitState:
        """Return what a fit leaves behind that came to this model."""
        target = replace(model.target, reason=f"that is what {self.kind} learns")
        places: tuple[int, ...] | None = None
        if self.places is not None and isinstance(self.answers, Classes):
            target = replace(target, classes=classes_for_tables(self.answers.classes[self.places]))
            places = tuple(self.places.tolist())
        inputs: Any = with_places_in(model.inputs, self.rows)  # type: ignore[arg-type]
        model = replace(model, target=target, inputs=inputs, recipe=self.recipe)
        return FitState.of_model(model, self.columns, self.answers, places)

    def ended(self, encoder: Any, target: Any, state: TrainingState) -> dict[str, Any]:
        """Return the attributes of an estimator whose one network ends as it is now."""
        members = (copy.deepcopy(state.parameters),)
        histories = (copy.deepcopy(state.history),)
        model = TableModel(state.network, members, encoder, target, histories, self.recipe, 0, 0)
        return self.state(model).attributes


def fit_with_preset(
    estimator: BaseEstimator, settings: Settings, given: Given, tasks: tuple[Tasks, ...] = ()
) -> FitState:
    """Return what learning a table comes to; see ``BaseMLP.fit``."""
    names = target_names(given.y)
    columns, table, y = read_training_table(estimator, given.X, given.y, numeric=settings.numeric)
    answers = learn_answers(y, names, settings)
    targets = _for_tables(answers, answers.codes(y))
    if len(targets) < 2:
        raise DataError("X has 1 sample; a network needs at least two that differ.")
    order, weights = _as_fitted(table, targets, weigh(settings, y, given.sample_weight))
    as_given, table, targets = table, take_rows(table, order), targets[order]
    held = None
    if given.X_val is not None:
        held = _read(estimator, columns, answers, given.X_val, given.y_val, "_val")
    scored = (given.X, targets, order) if held is None else (given.X_val, held[1], None)
    places = None
    if isinstance(answers, Classes) and not answers.multilabel:
        # places in classes_, by the order that the table's target has its classes in
        places = np.argsort(classes_for_tables(answers.classes), kind="stable")
        places = places[np.isin(places, targets)]
        if held is not None:
            refuse_unlearnt(answers.classes[held[1]], answers.classes[places])
        if len(places) == 1:  # to answer it needs no preset
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                return fit_without_preset(estimator, settings, given, tasks)
        targets = _ranks(places, targets)
        held = None if held is None else (held[0], _ranks(places, held[1]))
    recipe = recipe_of(estimator, len(targets))
    terms = _Terms(type(estimator).__name__, columns, answers, places, as_given, recipe)
    lines = [Lines()] if Lines.wanted(settings.verbose) else []

    def announce(encoder: Encoder, target: TargetEncoder, _: Network) -> None:
        if isinstance(encoder, TableEncoder):
            warn_of_columns(with_places_in(encoder, as_given), named=columns.names is not None)
        for task in tasks:
            task.fitted = partial(terms.ended, encoder, target)

    model = TableModel.fit(
        table,
        targets,
        target_names=names,
        validation=held,
        sample_weight=weights,
        task=answers.task,
        recipe=replace(recipe, metric=_metric(estimator, settings, terms, *scored)),
        where="X",
        validation_where="X_val",
        checkpoint=settings.checkpoint,
        resume=bool(settings.resume),
        callbacks=(*tasks, *lines, *settings.callbacks),
        progress=bool(settings.verbose),
        n_threads=settings.n_threads,
        announce=announce,
    )
    for line in lines:
        line.close()
    for history in model.histories:
        if history.stopped_because == "interrupted":
            warn_user(history.message, UserWarning)
            break
    return terms.state(model)


def _metric(
    estimator: BaseEstimator,
    settings: Settings,
    terms: _Terms,
    X: Any,
    targets: Array,
    order: Array | None,
) -> RowMetric | None:
    """Return what scores rows held out; None where the preset decides.

    Row i of the targets is row ``order[i]`` of X.
    """
    if settings.scoring is None:
        return None
    X = in_memory(X)
    if hasattr(X, "tocsr"):
        X = X.tocsr()
    elif not (hasattr(X, "iloc") or isinstance(X, (np.ndarray, list))):
        X = as_frame(X).to_native()
    answers, places = terms.answers, terms.places
    if places is not None and isinstance(answers, Classes):
        targets = answers.classes[targets]
    y = targets[:, 0] if targets.ndim == 2 and targets.shape[1] == 1 else targets
    scorer = Scorer(estimator, settings.scoring)
    fitted = terms.columns.attributes | answers.attributes | {"network_": None}  # so it counts

    def of(outputs: Array, rows: npt.NDArray[np.int64], weights: Floats | None) -> float:
        if not np.isfinite(outputs).all():
            return float("nan")
        some = safe_indexing(X, rows if order is None else order[rows])
        outputs = _of_all_classes(answers, places, outputs)
        return scorer(fitted, Scored(some, outputs, answers), y[rows], weights)

    return RowMetric(str(settings.scoring), of)


def _of_all_classes(answers: Answers, places: Sequence[int] | Array | None, p: Array) -> Array:
    """Return probabilities in the order of ``classes_``, of those at these places."""
    if places is None or not isinstance(answers, Classes):
        return p
    every = np.zeros((len(p), len(answers.classes)))
    every[:, places] = p
    return every


def _as_fitted(
    table: Any, targets: Array, weights: Floats | None
) -> tuple[npt.NDArray[np.int64], Floats | None]:
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


def _read(
    estimator: BaseEstimator, columns: Columns, answers: Answers, X: Any, y: Any, suffix: str = ""
) -> tuple[Any, Array]:
    """Return further rows as a table, and what is to be learnt of them."""
    rows = read_new_table(estimator, columns, X)
    return rows, _for_tables(answers, encoded_answers(answers, y, len(rows), suffix)[1])


def _for_tables(answers: Answers, targets: Array) -> Array:
    """Return places in ``classes_``, or numbers of shape (n, outputs)."""
    if answers.task == "regression":
        return targets
    targets = targets.astype(np.int64)
    return targets if answers.task == "multilabel" else targets.reshape(len(targets), -1)[:, 0]


def _ranks(places: Array, codes: Array) -> Array:
    """Return where each code stands among the places."""
    order = np.argsort(places)
    return np.asarray(order[np.searchsorted(places, codes, sorter=order)])


def rows_as_fitted(
    estimator: BaseEstimator, X: Any, y: Any
) -> tuple[Any, Array, npt.NDArray[np.int64]]:
    """Return rows and answers as ``model_`` knows them, in its order, and where each stood.

    They are those that it was fitted to with a preset, without weights.
    """
    state = fitted_state(estimator)
    table, targets = _read(estimator, state.columns, state.answers, X, y)
    order, _ = _as_fitted(table, targets, None)
    return take_rows(table, order), _as_known(state, targets)[order], order


def _as_known(state: FitState, targets: Array) -> Array:
    """Return what the model's target encoder takes: its own classes, or numbers."""
    if state.places is None or state.model is None or not isinstance(state.answers, Classes):
        return targets
    places, classes = np.asarray(state.places), state.answers.classes
    refuse_unlearnt(classes[targets], classes[places])
    return np.asarray(state.model.target.classes[_ranks(places, targets)])


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


def preset_outputs(estimator: BaseEstimator, state: FitState, model: TableModel, X: Any) -> Array:
    """Return probabilities in the order of ``classes_``, or numbers, one row each."""
    rows = read_new_table(estimator, state.columns, X)
    if model.task == "regression":
        return model.predict(rows, where="X").reshape(len(rows), -1)
    p = model.predict_proba(rows, where="X")
    return _of_all_classes(state.answers, state.places, p)


def table_as_known(estimator: BaseEstimator, state: FitState, X: Any, y: Any) -> tuple[Any, Array]:
    """Return rows and answers as ``model_`` knows them."""
    rows, targets = _read(estimator, state.columns, state.answers, X, y)
    return rows, _as_known(state, targets)


def explain_preset(
    state: FitState,
    model: TableModel,
    rows: Any,
    known: Array,
    learning_rate: float,
    optimizer: Optimizer | None,
    feature_names: Sequence[str] | None,
) -> Explanation:
    """Return the step these rows would cause; see ``BaseMLP.explain``."""
    if feature_names is not None:
        names = tuple(map(str, feature_names))
        n = state.columns.n
        if len(names) != n or not isinstance(model.inputs, SparseEncoder):
            raise SettingError(
                f"feature_names has {len(names)} names; with preset={model.recipe.preset!r} it "
                f"names the {n} columns of a sparse matrix, and a frame brings its names itself."
            )
        model = replace(model, inputs=replace(model.inputs, names=names))
    return model.explain(rows, known, learning_rate=learning_rate, optimizer=optimizer)
