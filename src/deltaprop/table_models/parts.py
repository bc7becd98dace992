"""Which rows of a table are learnt from, and which are held out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from deltaprop.engines.cores import available_cores
from deltaprop.errors import DataError, SettingError, of
from deltaprop.table_models.budget import Budget, rows_within, some_rows
from deltaprop.table_models.plan import Facts
from deltaprop.table_models.recipe import Recipe
from deltaprop.table_models.resumed_plan import Begun
from deltaprop.table_models.rows import (
    Array,
    Indices,
    Portion,
    Rows,
    encoded_targets,
    encoder_for,
)
from deltaprop.table_models.scoring import score_for, weight_of
from deltaprop.table_models.split import FEWEST_ROWS_TO_SPLIT, fold_of_each_row, scaled_by, split
from deltaprop.table_models.time_budget import seconds_of_epoch
from deltaprop.tabular import Encoder, Features, TableWarning, TargetEncoder, as_features
from deltaprop.training.loop import Callback
from deltaprop.training.progress import phase

__all__ = ["Job", "Parts", "looked_at", "parts_of"]

_SHARE_OF_LOOKING = 0.03  # of a time budget, at how fast a network learns here


@dataclass(frozen=True, eq=False)
class Job:
    """What is asked for; see ``TableModel.fit``, whose parameters these are."""

    recipe: Recipe
    features: Features
    target: object
    budget: Budget
    target_names: Sequence[str] = ()
    validation: tuple[object, object] | None = None
    sample_weight: npt.ArrayLike | None = None
    task: str | None = None
    where: str = ""
    validation_where: str = "the validation rows"
    checkpoint: str | os.PathLike[str] | None = None
    resume: bool = False
    callbacks: Sequence[Callback] = ()
    progress: bool = False
    n_threads: int | None = None


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows that are learnt from, and those that only choose the epoch, as they came."""

    target: TargetEncoder  # what encoded their targets
    learnt: Portion[Features]
    held: Portion[Features] | None = None  # None, too, where each member holds out others
    held_rows: Indices | None = None  # where those stand in the table; None of another one
    folds: Indices | None = None  # which of several members each row is held out from
    inputs: Encoder | None = None  # what encodes the rows learnt from, where that had to be known
    rows_given: int | None = None  # how many there were, where a budget was too short for all


def parts_of(job: Job, begun: Begun | None) -> Parts:
    """Return the rows that are learnt from and those held out, as far as not ``begun`` decided.

    Raise DataError or SettingError when rows, targets and weights do not fit, or nothing would come
    of a setting.
    """
    target, every, by_class = _given(job)
    rows = _drawn(job, begun, target, every)
    drawn = len(rows) if len(rows) < len(every) else None
    parts = _parted(job, target, rows, by_class, drawn)
    _refuse_unused(job, parts)
    return parts if drawn is None else replace(parts, rows_given=len(every))


def _given(job: Job) -> tuple[TargetEncoder, Portion[Features], Array | None]:
    """Return what encodes the target, all rows, and what a row of each class counts."""
    recipe, task = job.recipe, job.task
    if recipe.loss is not None and task in (None, "multilabel"):
        task = "regression"
    target = TargetEncoder.fit(
        job.target, task, names=job.target_names, where=job.where,
        standardize=recipe.standardizes,
    )  # fmt: skip
    if recipe.loss is not None and target.task != "regression":
        raise SettingError(
            f"loss={recipe.loss!r} learns numbers, but the target is to be learnt as "
            f"{target.task}. Leave one of the two out."
        )
    y = encoded_targets(target, recipe.loss, job.target, job.where)
    n = len(job.features)
    if n != len(y):
        raise DataError(f"There are {n} rows but {len(y)} targets{of(job.where)}.")
    weights = None
    if job.sample_weight is not None:
        weights = np.asarray(job.sample_weight, dtype=np.float64)
        if weights.shape != (n,):
            raise DataError(f"There are {n} rows but sample_weight has shape {weights.shape}.")
    score_for(recipe.metric, target)
    counts = y if weights is None else y[weights > 0]
    by_class = weight_of(recipe.class_weight, target, counts)
    if by_class is not None:
        weights = by_class[y] if weights is None else weights * by_class[y]
    return target, Portion(job.features, y, weights), by_class


def _drawn(
    job: Job, begun: Begun | None, target: TargetEncoder, every: Portion[Features]
) -> Portion[Features]:
    """Return all rows, or of too many for a time budget some that are drawn."""
    recipe, budget, n = job.recipe, job.budget, len(every)

    def seconds(inputs: Encoder, few: Portion[Rows]) -> float:
        """Return how long few rows take in an epoch of a network that is made for all."""
        facts = Facts.of(inputs, target, n)
        cores = min(job.n_threads or available_cores(), available_cores())
        most = _SHARE_OF_LOOKING * budget.left
        return seconds_of_epoch(
            recipe.plan(facts), recipe, facts, few, np.arange(len(few)), most, cores
        )

    if begun is not None:
        n_drawn = begun.rows or n
    else:
        unweighted = replace(every, weights=None)
        n_drawn = rows_within(budget, unweighted, recipe.ranges, recipe.seed, seconds)
    if n_drawn >= n:
        return every
    warnings.warn(
        f"The time budget of {budget.seconds:g} s is too short for all {n:,} rows: "
        f"{n_drawn:,} of them, drawn by lot, are learnt from. Give it more time, or fewer columns.",
        TableWarning,
        stacklevel=4,
    )
    return every.take(some_rows(n, n_drawn, recipe.seed))


def _parted(
    job: Job,
    target: TargetEncoder,
    rows: Portion[Features],
    by_class: Array | None,
    most: int | None,
) -> Parts:
    """Return the rows learnt from and those that only choose the epoch, ``most`` of given ones."""
    recipe = job.recipe
    if job.validation is not None:
        y = encoded_targets(target, recipe.loss, job.validation[1], job.validation_where)
        weights = None if by_class is None else by_class[y]
        held = Portion(as_features(job.validation[0]), y, weights)
        if most is not None:  # they are encoded, too
            held = held.take(some_rows(len(held), most, recipe.seed))
        return Parts(target, rows, held)
    inputs = None
    # of texts and images there may be one member, whatever there is of other columns
    if recipe.held_share > 0 and recipe.plan(Facts(len(rows), 1, 1, target.task)).members > 1:
        inputs = looked_at(job, rows)
        members = recipe.plan(Facts.of(inputs, target, len(rows))).members
        folds = fold_of_each_row(rows.y, members, recipe.seed)
        if folds is not None:
            return Parts(target, rows, folds=folds, inputs=inputs)
    kept, held_rows = split(rows.y, recipe.held_share, recipe.seed)
    if target.task == "regression" and recipe.standardizes:
        target, y = scaled_by(target, rows.y, kept)
        rows = replace(rows, y=y)
    if not len(held_rows):
        return Parts(target, rows, None, held_rows, inputs=inputs)
    return Parts(target, rows.take(kept), rows.take(held_rows), held_rows)


def looked_at(job: Job, rows: Portion[Features]) -> Encoder:
    """Return what encodes rows, fitted to them."""
    with phase(job.progress, "looking at the columns"):
        return encoder_for(rows.x, job.where)


def _refuse_unused(job: Job, parts: Parts) -> None:
    """Raise SettingError for a setting that nothing would come of."""
    recipe, dealt, given = job.recipe, parts.folds is not None, job.validation is not None
    none_held = not dealt and parts.held is None
    if parts.target.task == "regression":
        for name in ("label_smoothing", "calibrate"):
            if getattr(recipe, name):
                raise SettingError(
                    f"{name} is for classes, but the target is numbers. Leave it out."
                )
    if recipe.validation_share and (dealt or given or none_held):
        why = "other rows are given to choose the best epoch by"
        if dealt:
            why = "each of several networks holds out another part, so that together they learn all"
        elif none_held:
            why = f"of so few rows (under {FEWEST_ROWS_TO_SPLIT}) none are held out"
        raise SettingError(
            "validation_share (of an estimator: validation_fraction) is "
            f"{recipe.validation_share}, but {why}. Leave it out"
            f"{', or set members=1' if dealt else ''}."
        )
    if none_held and (recipe.calibrate or recipe.metric is not None):
        raise SettingError(
            f"{'calibrate=True' if recipe.calibrate else 'A metric of the epochs'} needs rows that "
            "are held out, and here none are. Leave it out, or give validation rows."
        )
