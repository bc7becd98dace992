"""An MLP estimator without a preset: it learns rows of numbers, as scikit-learn does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deltaprop.errors import DataError, SettingError
from deltaprop.estimators.answers import Answers, learn_answers, weigh
from deltaprop.estimators.epochs import Epochs
from deltaprop.estimators.inputs import (
    Columns,
    Given,
    read_new_rows,
    read_training_rows,
    target_names,
)
from deltaprop.estimators.lbfgs import fit_lbfgs
from deltaprop.estimators.parameters import Settings
from deltaprop.estimators.sample import Sample, check_weights, hold_out
from deltaprop.estimators.scoring import Scorer
from deltaprop.estimators.sklearn import BaseEstimator, check_random_state
from deltaprop.estimators.state import FitState
from deltaprop.estimators.targets import answers_of, refuse_unlearnt
from deltaprop.estimators.tasks import Tasks
from deltaprop.training.loop import Callback, TrainingState

__all__ = ["fit_without_preset"]


def fit_without_preset(
    estimator: BaseEstimator,
    settings: Settings,
    given: Given,
    tasks: tuple[Tasks, ...] = (),
    *,
    begun: FitState | None = None,
    answers: Answers | None = None,
    incremental: bool = False,
) -> FitState:
    """Return what learning rows of numbers comes to; see ``BaseMLP.fit``.

    The estimator gets to know its columns. Training goes on from ``begun``, if there is one;
    ``answers`` says what y can be, where that is known before; ``incremental`` training is a single
    epoch, of rows that are some of many.
    """
    known = None if begun is None else begun.columns
    columns, rows, y = read_training_rows(estimator, given.X, given.y, known, settings)
    if begun is not None:
        answers = begun.answers.go_on(y, settings, all_rows=not incremental)
    first = answers is None
    answers = answers or learn_answers(y, target_names(given.y), settings)
    targets = answers.codes(y) if first else answers.encode(y)
    weights = weigh(settings.class_weight, y, check_weights(given.sample_weight, len(targets)))
    sample = Sample(rows, targets, y, check_weights(weights, len(targets)))
    if sample.weights is not None and not sample.weights.all():
        # a row of weight zero is absent: from the batches' size and the rows held out, too
        sample = sample.rows(np.flatnonzero(sample.weights))
    held = _held(estimator, columns, answers, given)
    if begun is None and held is not None and not settings.numeric and y.ndim == 1:
        refuse_unlearnt(held.y, sample.y)
    rng = check_random_state(settings.random_state)
    state = begun or FitState.begin(settings, columns, answers, sample.X, rng)
    state = replace(state, answers=answers)
    if settings.lbfgs:
        if held is not None:
            raise SettingError(
                "solver='lbfgs' has no epochs to score X_val after; leave X_val out."
            )
        return fit_lbfgs(settings, state, sample)
    for task in tasks:
        task.fitted = lambda now: _as_it_is(state, now).attributes
    if settings.early_stopping and held is None:
        share = settings.validation_fraction
        sample, held = hold_out(sample, share, rng, in_proportion=answers.in_proportion)
    # other orders in later calls, though random_state is the same number
    seed = int(rng.randint(2**31 - 1)) + state.t
    callbacks: tuple[Callback, ...] = (*tasks, *settings.callbacks)
    scorer = Scorer(estimator, settings.scoring)
    return Epochs(settings, sample, held, seed, callbacks, incremental, scorer).train(state)


def _held(
    estimator: BaseEstimator, columns: Columns, answers: Answers, given: Given
) -> Sample | None:
    if given.X_val is None:
        return None
    rows = read_new_rows(estimator, columns, given.X_val)
    y = answers_of(given.y_val, numeric=answers.task == "regression", name="y_val")
    if len(y) != rows.shape[0]:
        raise DataError(f"X_val has {rows.shape[0]} rows but y_val has {len(y)}.")
    return Sample(rows, answers.encode(y), y, None)


def _as_it_is(state: FitState, now: TrainingState) -> FitState:
    """Return what a fit that began with ``state`` would leave behind, ended with this epoch."""
    return state.with_numbers(state.network, now.parameters, state.coefs[0].dtype.type)
