"""What only the rows can tell: which of several encoders a table is learnt better from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DivergedWarning
from deltaprop.estimators.presets import Facts, plan_for
from deltaprop.estimators.recipe import Recipe
from deltaprop.estimators.splitting import fold_of_each_row
from deltaprop.tabular import TableEncoder, TargetEncoder
from deltaprop.training.history import History
from deltaprop.training.members import train_members

__all__ = ["better_encoder"]

_MOST_ROWS = 8_000
_FOLDS = 6
_LEARNT_FOLDS = 3  # of a table with many rows, where fewer tell enough
_MANY_ROWS = 2_500
_SMALL: dict[str, Any] = {"hidden": (64, 64, 64), "epochs": 24, "members": _FOLDS}
_SHARE_OF_BUDGET = 0.1


def better_encoder(
    encoders: Sequence[TableEncoder],
    features: Any,
    target: TargetEncoder,
    y: npt.NDArray[Any],
    weights: npt.NDArray[np.float64] | None,
    recipe: Recipe,
    n_threads: int | None,
) -> TableEncoder:
    """Return the encoder from whose inputs small networks learn best what they have not seen.

    Each encoder gets the same short training: a few members of narrow layers, on 8,000 rows at
    most, judged by accuracy or R^2 on the fold that each leaves out.

    Parameters
    ----------
    encoders : sequence of TableEncoder
        The first one is taken when none is better, or when there are too few rows to tell.
    features : data frame
        The rows to learn from.
    target : TargetEncoder
        Of the classes or numbers.
    y : ndarray of shape (n,) or (n, n_L)
        Encoded targets.
    weights : ndarray of shape (n,) or None
        What each row weighs.
    recipe : Recipe
        Seed, engine and time budget.
    n_threads : int or None
        As for ``train``.

    Raises
    ------
    KeyboardInterrupt
        When somebody interrupts it: no network of the table's own has been trained yet.
    """
    rows = np.arange(len(y)) if weights is None else np.flatnonzero(weights)
    if len(rows) > _MOST_ROWS:
        rng = np.random.default_rng(recipe.seed)
        rows = np.sort(rng.choice(rows, _MOST_ROWS, replace=False))
    folds = fold_of_each_row(y[rows], _FOLDS, recipe.seed) if len(encoders) > 1 else None
    if folds is None:
        return encoders[0]
    learnt = range(_FOLDS if len(rows) <= _MANY_ROWS else _LEARNT_FOLDS)
    seeds = recipe.seeds(len(learnt))
    loss = "cross_entropy" if target.task == "classification" else "half_squared_error"
    shown = features[rows.tolist(), :]
    scores = []
    for encoder in encoders:
        x = encoder.transform(shown)
        facts = Facts(len(rows), encoder.n_outputs, target.n_outputs, target.task)
        plan = plan_for("fast", facts, _SMALL)
        network = plan.network(facts, loss)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DivergedWarning)  # then the other one is better
            histories = train_members(
                network,
                [network.init(np.random.default_rng(seed)) for seed in seeds],
                x,
                y[rows],
                rows=[np.flatnonzero(folds != i) for i in learnt],
                validation_rows=[np.flatnonzero(folds == i) for i in learnt],
                optimizer=plan.optimizer(),
                batch_size=min(plan.batch_size, len(rows)),
                epochs=plan.epochs,
                seeds=seeds,
                sample_weight=None if weights is None else weights[rows],
                monitor="val_metric",
                engine=recipe.engine,
                time_budget=recipe.time_budget and _SHARE_OF_BUDGET * recipe.time_budget,
                n_threads=n_threads,
            )
        if any(history.stopped_because == "interrupted" for history in histories):
            raise KeyboardInterrupt
        scores.append(float(np.mean([_best(history) for history in histories])))
    return encoders[int(np.argmax(scores))]


def _best(history: History) -> float:
    return -np.inf if history.best_epoch is None else history.val_metric[history.best_epoch]
