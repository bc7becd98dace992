"""An MLP estimator without a preset: it learns rows of numbers, as scikit-learn does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from deltaprop.errors import SettingError
from deltaprop.estimators.answers import Answers, encoded_answers, learn_answers, weigh
from deltaprop.estimators.epochs import Epochs
from deltaprop.estimators.inputs import Given, read_new_rows, read_training_rows, target_names
from deltaprop.estimators.lbfgs import fit_lbfgs
from deltaprop.estimators.parameters import Settings
from deltaprop.estimators.sample import Sample, hold_out
from deltaprop.estimators.scoring import Scorer
from deltaprop.estimators.sklearn import BaseEstimator, check_random_state
from deltaprop.estimators.state import FitState
from deltaprop.estimators.targets import refuse_unlearnt
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
    sample = Sample(rows, targets, y, weigh(settings, y, given.sample_weight))
    if sample.weights is not None and not sample.weights.all():
        # a row of weight zero is absent: from the batches' size and the rows held out, too
        sample = sample.rows(np.flatnonzero(sample.weights))
    held = None
    if given.X_val is not None:
        X_val = read_new_rows(estimator, columns, given.X_val)
        y_val, codes = encoded_answers(answers, given.y_val, X_val.shape[0], "_val")
        held = Sample(X_val, codes, y_val, None)
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

    def ended(now: TrainingState) -> dict[str, Any]:
        """Return the attributes of an estimator whose fit ends with this epoch."""
        kind = state.coefs[0].dtype.type
        return state.with_numbers(state.network, now.parameters, kind).attributes

    for task in tasks:
        task.fitted = ended
    if settings.early_stopping and held is None:
        share = settings.validation_fraction
        sample, held = hold_out(sample, share, rng, in_proportion=answers.in_proportion)
    # other orders in later calls, though random_state is the same number
    seed = int(rng.randint(2**31 - 1)) + state.t
    callbacks: tuple[Callback, ...] = (*tasks, *settings.callbacks)
    scorer = Scorer(estimator, settings.scoring)
    return Epochs(settings, sample, held, seed, callbacks, incremental, scorer).train(state)
