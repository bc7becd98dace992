"""Choose an encoder by validation loss: which of several a table is learnt better from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np

from deltaprop.engines import precision_of
from deltaprop.functional.losses import sample_shares
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.table_models.calibration import calibrate
from deltaprop.table_models.initial_rates import least_loss
from deltaprop.table_models.learning import starts, train_briefly
from deltaprop.table_models.plan import Facts
from deltaprop.table_models.presets import plan_for
from deltaprop.table_models.recipe import Recipe
from deltaprop.table_models.rows import Indices, Portion, Rows, flat_rows
from deltaprop.table_models.split import fold_of_each_row
from deltaprop.tabular import Features, TableEncoder, TableWarning, TargetEncoder
from deltaprop.training.predict import logits

__all__ = ["better_encoder"]

_MOST_ROWS = 8_000
_FOLDS = 6
_LEARNT_FOLDS = 3  # of a table with many rows, where fewer tell enough
_MANY_ROWS = 2_500
_PRESET = "fast"
_SMALL: dict[str, Any] = {"hidden": (64, 64, 64), "members": _FOLDS}
_ENOUGH_STEPS, _FEWEST_EPOCHS, _SHARE_OF_EPOCHS = 400, 24, 3 / 8
_SHARE_OF_BUDGET, _TOO_SHORT = 0.06, 0.1  # for each encoder; seconds in which none shows anything
_ROWS_OF_A_CLASS = 4  # on average; of fewer nothing can be said
_MOST_LOGITS = 2_000_000
_CLEARLY = 0.98  # of the first one's loss; less is chance as often as not


def better_encoder(
    encoders: Sequence[TableEncoder],
    rows: Portion[Features],
    target: TargetEncoder,
    recipe: Recipe,
    epochs: int,
    n_threads: int | None,
    seconds: float | None = None,
) -> TableEncoder:
    """Return the encoder from whose inputs small networks learn best what they have not seen.

    Each encoder gets the same short training: a few members of narrow layers, on 8,000 rows at
    most, judged on the fold that each leaves out, by the log-loss of calibrated probabilities or
    by squared errors. They tell more than a count of errors, which a few rows decide. A training
    of too few steps would favour what is learnt sooner over what is learnt better.

    The first encoder is taken when none is clearly better, by 2 % of the loss, or when there are
    too few rows to tell; rows that weigh nothing have no say. The short training has three eighths
    of the ``epochs`` at most, and a part of the ``seconds`` that all that is left to do may take.
    """
    places = np.arange(len(rows)) if rows.weights is None else np.flatnonzero(rows.weights)
    if len(places) > _MOST_ROWS:
        rng = np.random.default_rng(recipe.seed)
        places = np.sort(rng.choice(places, _MOST_ROWS, replace=False))
    n = len(places)
    each_class = target.n_outputs if target.task == "classification" else 1
    hurried = seconds is not None and _SHARE_OF_BUDGET * seconds < _TOO_SHORT
    if len(encoders) == 1 or hurried or n < _ROWS_OF_A_CLASS * each_class:
        return encoders[0]
    folds = fold_of_each_row(rows.y[places], _FOLDS, recipe.seed)
    if folds is None:
        return encoders[0]
    learnt = range(_FOLDS if n <= _MANY_ROWS else _LEARNT_FOLDS)
    held = [np.flatnonzero(folds == i) for i in learnt]
    few = rows.take(places)
    losses = []
    for encoder in encoders:
        facts = Facts(n, encoder.n_outputs, target.n_outputs, target.task)
        plan = plan_for(_PRESET, facts, {**_SMALL, "loss": recipe.loss})
        enough = ceil(_ENOUGH_STEPS / ceil(n / plan.batch_size))
        network = plan.network(facts)
        dtype = precision_of(recipe.engine, [network], plan.optimizer())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TableWarning)
            x = flat_rows(encoder.transform(few.x, dtype=dtype))
        data = Portion(x, few.y, few.weights)
        members = starts(network, recipe.seeds(len(learnt)), data)
        train_briefly(
            plan, network, recipe, data, members,
            rows=[np.flatnonzero(folds != i) for i in learnt],
            validation_rows=held,
            epochs=max(_FEWEST_EPOCHS, min(enough, int(_SHARE_OF_EPOCHS * epochs))),
            monitor="val_metric" if plan.counts_errors_of(target.task) else "val_loss",
            prefer_latest=True,
            time_budget=seconds and _SHARE_OF_BUDGET * seconds,
            n_threads=n_threads,
        )  # fmt: skip
        losses.append(_loss_on_held_rows(network, members, data, held))
    best = int(np.argmin(losses))
    return encoders[best if losses[best] < _CLEARLY * losses[0] else 0]


def _loss_on_held_rows(
    network: Network, members: Sequence[Parameters], data: Portion[Rows], held: Sequence[Indices]
) -> float:
    """Return the mean loss of rows that a member has not seen; infinity where one diverged."""
    room = max(1, _MOST_LOGITS // (network.n_out * len(held)))
    held = [each[:room] for each in held]  # of very many classes some rows must do
    rows = np.concatenate(held)
    z = np.concatenate([logits(network, m, data.x[h]) for m, h in zip(members, held, strict=True)])
    y, each = data.y[rows], np.ones(len(rows)) if data.weights is None else data.weights[rows]
    if y.ndim == 1:
        found = calibrate(z, y, each)
        return np.inf if found is None else found.loss_after
    with np.errstate(over="ignore", invalid="ignore"):
        shares = sample_shares(len(rows), each)
        loss = network.loss.value(z, y, shares) - least_loss(network, y, shares)
    return loss if np.isfinite(loss) else np.inf
