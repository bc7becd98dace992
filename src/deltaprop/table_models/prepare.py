"""From a table to networks that have learnt it: encoders, rows held out, a plan, the training."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.engines import precision_of
from deltaprop.engines.cores import available_cores
from deltaprop.errors import DataError, SettingError, of
from deltaprop.functional.losses import LOSSES
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.table_models.budget import Budget, rows_within, some_rows
from deltaprop.table_models.encoder_search import better_encoder
from deltaprop.table_models.initial_rates import start
from deltaprop.table_models.learnt_rows import LearntRows
from deltaprop.table_models.memory_needed import check_room, check_room_for_looking
from deltaprop.table_models.plan import Facts, Plan
from deltaprop.table_models.recipe import Recipe
from deltaprop.table_models.resumed_plan import Begun
from deltaprop.table_models.scoring import score_for, weight_of
from deltaprop.table_models.split import (
    FEWEST_ROWS_TO_SPLIT,
    fold_of_each_row,
    scaled_by,
    split,
)
from deltaprop.table_models.time_budget import paced, seconds_of_epoch
from deltaprop.tabular import (
    ImageEncoder,
    SparseEncoder,
    SparseRows,
    TableEncoder,
    TableWarning,
    TargetEncoder,
    arranged,
    as_features,
    row_marks,
    take_rows,
)
from deltaprop.training.history import History
from deltaprop.training.loop import Callback, train
from deltaprop.training.members import train_members
from deltaprop.training.predict import logits
from deltaprop.training.progress import phase

__all__ = [
    "Encoder",
    "Prepared",
    "Rows",
    "encoded_targets",
    "flat_rows",
    "learn",
    "marks_of",
    "prepare",
    "starts",
]

_MOST_JUDGED, _ENOUGH_JUDGED = 20_000_000, 1_000  # logits and rows that choose a member's epoch
_NUMBERS_AT_ONCE = 4_000_000  # of rows that are copied
_SHARE_OF_LOOKING = 0.03  # of a time budget, at how fast a network learns here

# Where one class has so large a share, errors are few and hardly move: the loss then chooses epochs
# whose probabilities order rows better; see benchmarks/choosing_epochs.py.
_IMBALANCED = 0.75

Array = npt.NDArray[np.float64]
Indices: TypeAlias = npt.NDArray[np.int64]
Rows: TypeAlias = Array | SparseRows
Encoder: TypeAlias = TableEncoder | ImageEncoder | SparseEncoder


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table, ready to be learnt.

    Attributes
    ----------
    inputs, target
        What encodes rows and targets.
    plan : Plan
        Every setting.
    networks : list of Network
        What learns: one for each member, with the same parameters.
    X, y : ndarray
        All rows that are learnt from, encoded; X in the precision of the steps.
    weights : ndarray of shape (n,) or None
        What each row weighs.
    X_val, y_val : ndarray or None
        Rows that only choose the best epoch.
    weight_val : ndarray or None
        What each of them counts.
    held_rows : ndarray of int or None
        Where they stand in the table; None for those of another one.
    folds : ndarray of int of shape (n,) or None
        Which of several members each row is held out from.
    choosing_took : float
        Seconds of the time budget that the choices among encoders and plans took.
    learnt_rows : LearntRows or None
        Which rows these are, if the model is to remember them.
    rows_given : int or None
        How many rows there were, where a time budget was too short for all.
    budget : Budget
        What is left of it.
    """

    inputs: Encoder
    target: TargetEncoder
    plan: Plan
    networks: list[Network]
    X: Rows
    y: npt.NDArray[Any]
    weights: Array | None
    X_val: Rows | None
    y_val: npt.NDArray[Any] | None
    weight_val: Array | None
    held_rows: Indices | None
    folds: Indices | None
    choosing_took: float
    learnt_rows: LearntRows | None
    rows_given: int | None
    budget: Budget

    @property
    def network(self) -> Network:
        """Return what predicts: the first member's, which differs from others by its dropout."""
        return self.networks[0]

    @property
    def n_train(self) -> int:
        """Return how many rows are learnt from."""
        return len(self.y)

    @property
    def rows_drawn(self) -> int:
        """Return how many rows of the table are used, those held out counted once."""
        own = 0 if self.folds is not None or self.held_rows is None else len(self.held_rows)
        return self.n_train + own

    @property
    def n_val(self) -> int:
        """Return how many rows choose the best epoch."""
        if self.folds is not None:
            return len(self.y)
        return 0 if self.y_val is None else len(self.y_val)

    def held_out_logits(
        self, members: Sequence[Parameters], most: int, seed: int
    ) -> tuple[Array, npt.NDArray[Any], Array | None]:
        """Return z of rows that a member has not learnt, their targets, and their weights.

        Where there are more than ``most`` such rows, they are drawn.
        """
        k = len(members)
        if self.folds is None:
            assert self.X_val is not None
            assert self.y_val is not None
            rows = some_rows(len(self.y_val), max(1, most // k), seed)
            X, y = _chosen(self.X_val, rows), self.y_val[rows]
            of_all = None if self.weight_val is None else np.tile(self.weight_val[rows], k)
            return (
                np.concatenate([logits(self.network, member, X) for member in members]),
                np.concatenate([y] * k),
                of_all,
            )
        rows = some_rows(len(self.y), most, seed)
        z = np.empty((len(rows), self.network.n_out))
        at_once = max(_ENOUGH_JUDGED, _NUMBERS_AT_ONCE // self.network.n_in)
        for i, member in enumerate(members):
            held = np.flatnonzero(self.folds[rows] == i)
            for first in range(0, len(held), at_once):  # no second copy of all rows
                some = held[first : first + at_once]
                z[some] = logits(self.network, member, self.X[rows[some]])
        return z, self.y[rows], None if self.weights is None else self.weights[rows]


def prepare(
    recipe: Recipe,
    features: Any,
    target: Any,
    target_names: Sequence[str],
    validation: tuple[Any, Any] | None,
    sample_weight: npt.ArrayLike | None,
    task: str | None,
    where: str,
    validation_where: str,
    n_threads: int | None,
    checkpoint: str | os.PathLike[str] | None,
    resume: bool,
    budget: Budget,
    progress: bool,
) -> Prepared:
    """Encode a table and decide how it is learnt; see ``TableModel.fit``."""
    check_room_for_looking(features)
    begun = Begun.read(checkpoint) if resume and checkpoint is not None else None
    if recipe.loss is not None and task in (None, "multilabel"):
        task = "regression"
    decided = TargetEncoder.fit(
        target, task, names=target_names, where=where, standardize=recipe.standardizes
    )
    if recipe.loss is not None and decided.task != "regression":
        raise SettingError(
            f"loss={recipe.loss!r} learns numbers, but the target is to be learnt as "
            f"{decided.task}. Leave one of the two out."
        )
    y = encoded_targets(decided, recipe.loss, target, where)
    if len(features) != len(y):
        raise DataError(f"There are {len(features)} rows but {len(y)} targets{of(where)}.")
    weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weights is not None and weights.shape != (len(y),):
        raise DataError(f"There are {len(y)} rows but sample_weight has shape {weights.shape}.")
    score_for(recipe.metric, decided)
    counts = y if weights is None else y[weights > 0]
    by_class = weight_of(recipe.class_weight, decided, counts)
    if by_class is not None:
        weights = by_class[y] if weights is None else weights * by_class[y]
    encoder: Any = TableEncoder
    if isinstance(features, SparseRows):
        encoder = SparseEncoder
    elif isinstance(features, np.ndarray) and features.ndim > 2:
        encoder = ImageEncoder
    n_given = len(y)
    if begun is not None:
        n_drawn = begun.rows or n_given
    else:
        n_drawn = rows_within(
            budget, features, encoder, recipe.ranges, recipe.seed,
            lambda inputs, X, rows: _epoch(
                recipe, inputs, decided, X, y[rows], n_given, budget, n_threads
            ),
        )  # fmt: skip
    if n_drawn < n_given:
        _say_how_many(n_drawn, n_given, budget)
        drawn = some_rows(n_given, n_drawn, recipe.seed)
        features, y = take_rows(features, drawn), y[drawn]
        weights = None if weights is None else weights[drawn]
    folds, held_features, y_val, weight_val, inputs = None, None, None, None, None
    held: Indices | None = None
    if validation is not None:
        held_features = as_features(validation[0])
        y_val = encoded_targets(decided, recipe.loss, validation[1], validation_where)
        if n_drawn < n_given and len(y_val) > n_drawn:  # they are encoded, too
            drawn = some_rows(len(y_val), n_drawn, recipe.seed)
            held_features, y_val = take_rows(held_features, drawn), y_val[drawn]
        weight_val = None if by_class is None else by_class[y_val]
    elif recipe.held_share > 0 and recipe.plan(Facts(len(y), 1, 1, decided.task)).members > 1:
        with phase(progress, "looking at the columns"):
            # of texts and images there may be one member
            inputs = encoder.fit(features, where=where)
        members = recipe.plan(_facts(inputs, decided, len(y))).members
        folds = fold_of_each_row(y, members, recipe.seed)
    if validation is None and folds is None:
        kept, held = split(y, recipe.held_share, recipe.seed)
        if decided.task == "regression" and recipe.standardizes:
            decided, y = scaled_by(decided, y, kept)
        if len(held):
            held_features, y_val, inputs = take_rows(features, held), y[held], None
        features, y = take_rows(features, kept), y[kept]
        weights, weight_val = _parted(weights, kept, held)
    held_out = None if validation is not None else folds is not None or held_features is not None
    _refuse_unused(recipe, decided.task, held_out, dealt=folds is not None)
    if inputs is None:
        with phase(progress, "looking at the columns"):
            inputs = encoder.fit(features, where=where)
    if inputs.n_outputs == 0:
        raise DataError(
            f"No column{of(where)} is left to learn from: every one is constant, empty or an "
            "identifier."
        )
    began = time.perf_counter()
    choices = recipe
    if begun is not None and recipe.ranges is None:
        choices = replace(recipe, ranges=begun.ranges)
    with phase(progress, "trying out how the columns are learnt best"):
        inputs, facts, plan = _plan(
            choices,
            inputs,
            features,
            decided,
            y,
            weights,
            where,
            n_threads,
            budget,
            0 if held_features is None else len(held_features),
        )
    choosing_took = time.perf_counter() - began
    dtype = precision_of(recipe.engine, plan.networks(facts), plan.optimizer())
    with phase(progress, "encoding the rows"), warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)  # what these rows hold, the encoder says
        X = flat_rows(inputs.transform(features, where=where, ignore=target_names, dtype=dtype))
    X_val: Rows | None = None
    if held_features is not None:
        shown = validation_where if validation is not None else where
        with phase(progress, "encoding the rows held out"), warnings.catch_warnings():
            if validation is None:  # a rare category that was held out is no surprise
                warnings.simplefilter("ignore", TableWarning)
            encoded = inputs.transform(held_features, where=shown, ignore=target_names, dtype=dtype)
        X_val = flat_rows(encoded)
    marks, held_marks, dealt_again = None, np.empty(0, dtype=np.uint64), False
    if recipe.remember_rows:
        with phase(progress, "noting which rows are learnt"):
            marks = marks_of(features, inputs, decided, y)
            if held_features is not None and y_val is not None:
                held_marks = marks_of(held_features, inputs, decided, y_val)
    members = plan.members
    if begun is not None:
        plan = begun.plan(plan, recipe)
    elif budget.limited:
        began = time.perf_counter()
        with phase(progress, "timing an epoch"):
            n_val = None if validation is None or y_val is None else len(y_val)
            plan = paced(plan, recipe, facts, X, y, budget, n_threads, n_val)
        choosing_took += time.perf_counter() - began
    if folds is not None and plan.members < members:
        folds = fold_of_each_row(y, plan.members, recipe.seed)
        if folds is None:
            kept, held = split(y, recipe.held_share, recipe.seed)
            weights, weight_val = _parted(weights, kept, held)
            X, X_val, y, y_val = X[kept], X[held], y[kept], y[held]
            dealt_again = True
    learnt_rows = None
    if marks is not None:
        marks, held_marks = (marks[kept], marks[held]) if dealt_again else (marks, held_marks)
        marks = marks if weights is None else marks[weights > 0]
        learnt_rows = LearntRows.of(marks, held_marks)
    networks = plan.networks(facts)
    weight_val = None if weight_val is None or not weight_val.any() else weight_val
    return Prepared(
        inputs, decided, plan, networks, X, y, weights, X_val, y_val, weight_val, held, folds,
        choosing_took, learnt_rows, n_given if n_drawn < n_given else None, budget,
    )  # fmt: skip


def _epoch(
    recipe: Recipe,
    inputs: Encoder,
    target: TargetEncoder,
    X: Any,
    y: npt.NDArray[Any],
    n_rows: int,
    budget: Budget,
    n_threads: int | None,
) -> float:
    """Return how many seconds some rows take in an epoch of a network that is made for more."""
    facts = _facts(inputs, target, n_rows)
    cores = min(n_threads or available_cores(), available_cores())
    return seconds_of_epoch(
        recipe.plan(facts), recipe, facts, flat_rows(X), y, np.arange(len(y)),
        _SHARE_OF_LOOKING * budget.left, cores,
    )  # fmt: skip


def _facts(inputs: Encoder, target: TargetEncoder, n_rows: int) -> Facts:
    columns = isinstance(inputs, TableEncoder) and not any(c.vocabulary for c in inputs.columns)
    sparse = isinstance(inputs, SparseEncoder)
    return Facts(
        n_rows, inputs.n_outputs, target.n_outputs, target.task, columns=columns, sparse=sparse
    )


def _say_how_many(n_drawn: int, n_given: int, budget: Budget) -> None:
    warnings.warn(
        f"The time budget of {budget.seconds:g} s is too short for all {n_given:,} rows: "
        f"{n_drawn:,} of them, drawn by lot, are learnt from. Give it more time, or fewer columns.",
        TableWarning,
        stacklevel=4,
    )


def marks_of(
    features: Any,
    inputs: Encoder,
    target: TargetEncoder,
    encoded: npt.NDArray[Any],
) -> npt.NDArray[np.uint64]:
    """Return a number for each row, of all that a network sees of it and of its answer."""
    columns = inputs.needed if isinstance(inputs, TableEncoder) else ()
    answers = target.decode(encoded) if target.task == "regression" else encoded
    return row_marks(features, columns, answers)


def _plan(
    recipe: Recipe,
    inputs: Encoder,
    features: Any,
    target: TargetEncoder,
    y: npt.NDArray[Any],
    weights: Array | None,
    where: str,
    n_threads: int | None,
    budget: Budget,
    n_held: int,
) -> tuple[Encoder, Facts, Plan]:
    """Return the inputs with the ranges that the rows ask for, and the plan for them."""
    facts = _facts(inputs, target, len(y))
    if recipe.loss is not None and LOSSES[recipe.loss].output == "exp":
        facts = replace(facts, mean_rate=float(y.mean()))
    plan = recipe.plan(facts)
    check_room(facts, plan, inputs, features, n_held)
    if not isinstance(inputs, TableEncoder):
        if recipe.ranges:
            raise SettingError(
                f"ranges is {recipe.ranges}, but images and sparse rows are not divided into "
                "ranges. Leave it out."
            )
        return inputs, facts, plan
    encoders = [inputs.with_ranges(features, most, where=where) for most in plan.range_choices]
    different = [e for i, e in enumerate(encoders) if e not in encoders[:i]]
    inputs = better_encoder(
        different, features, target, y, weights, recipe, plan.epochs, n_threads,
        budget.left if budget.limited else None,
    )  # fmt: skip
    ranges = plan.range_choices[encoders.index(inputs)]
    divided = any(column.edges for column in inputs.columns)
    facts = replace(facts, n_in=inputs.n_outputs, divided=divided)
    plan = replace(recipe.plan(facts), range_choices=(ranges,))
    if plan.embeds:
        inputs, n_numbers, categories = arranged(inputs)
        facts = replace(facts, n_numbers=n_numbers, categories=categories)
    check_room(facts, plan, inputs, features, n_held)
    return inputs, facts, plan


def _refuse_unused(recipe: Recipe, task: str, held_out: bool | None, *, dealt: bool) -> None:
    """Raise SettingError for a setting that nothing would come of.

    ``held_out`` says whether rows of the table are held out, None that there is another table of
    such rows; ``dealt`` whether every member holds out another part.
    """
    if task == "regression":
        for name in ("label_smoothing", "calibrate"):
            if getattr(recipe, name):
                raise SettingError(
                    f"{name} is for classes, but the target is numbers. Leave it out."
                )
    if recipe.validation_share and (dealt or not held_out):
        why = "other rows are given to choose the best epoch by"
        if dealt:
            why = "each of several networks holds out another part, so that together they learn all"
        elif held_out is False:
            why = f"of so few rows (under {FEWEST_ROWS_TO_SPLIT}) none are held out"
        raise SettingError(
            "validation_share (of an estimator: validation_fraction) is "
            f"{recipe.validation_share}, but {why}. Leave it out"
            f"{', or set members=1' if dealt else ''}."
        )
    if held_out is False and (recipe.calibrate or recipe.metric is not None):
        raise SettingError(
            f"{'calibrate=True' if recipe.calibrate else 'A metric of the epochs'} needs rows that "
            "are held out, and here none are. Leave it out, or give validation rows."
        )


def _parted(
    weights: Array | None, kept: Indices, held: Indices
) -> tuple[Array | None, Array | None]:
    """Return the weights of rows that are kept and of those held out, if any of these weighs."""
    if weights is None:
        return None, None
    return weights[kept], weights[held] if weights[held].any() else None


def encoded_targets(
    target: TargetEncoder, loss: str | None, values: Any, where: str
) -> npt.NDArray[Any]:
    """Return what the network learns of a target; counts must not be negative."""
    y = target.encode(values, where=where)
    if loss is not None and LOSSES[loss].targets == "count" and (y < 0).any():
        row, column = np.argwhere(y < 0)[0]
        raise DataError(
            f"Target {target.names[column]!r}{of(where)} is {y[row, column]:g} in row {row + 1}, "
            f"but loss={loss!r} learns counts and rates, which are at least 0. Correct the row, or "
            "take another loss."
        )
    return y


def starts(prepared: Prepared, recipe: Recipe) -> list[Parameters]:
    """Return where each member starts; whether they fit into the memory shows here."""
    seeds, y, weights = recipe.seeds(prepared.plan.members), prepared.y, prepared.weights
    return [start(prepared.network, np.random.default_rng(seed), y, weights) for seed in seeds]


def learn(
    prepared: Prepared,
    recipe: Recipe,
    members: list[Parameters],
    *,
    checkpoint: str | os.PathLike[str] | None,
    resume: bool,
    callbacks: Sequence[Callback],
    progress: bool,
    n_threads: int | None,
) -> list[History]:
    """Train the members, one or several, from where they start."""
    plan, network, n = prepared.plan, prepared.network, prepared.n_train
    if checkpoint is not None and not (resume and Begun.file(checkpoint).exists()):
        drawn = prepared.rows_drawn if prepared.rows_given is not None else None
        Begun.write(plan, drawn, checkpoint, prepared.budget.pieces)
    budget = prepared.budget
    counts_errors = (
        plan.counts_errors_of(prepared.target.task) and _commonest(prepared) < _IMBALANCED
    )
    metric = recipe.metric
    if metric is None and network.loss.targets == "count":
        metric = "poisson_deviance"
    scored = counts_errors or metric is not None
    settings: dict[str, Any] = {
        "optimizer": plan.optimizer(),
        "batch_size": min(plan.batch_size, n),
        "epochs": plan.epochs,
        # the preset's own watches rows held out; one that was asked for, else the training loss
        "patience": plan.patience if prepared.n_val else recipe.patience,
        "engine": recipe.engine,
        "sample_weight": prepared.weights,
        "monitor": "val_metric" if prepared.n_val and scored else None,
        "metric": None,
        "prefer_latest": plan.counts_errors,
        "time_budget": budget.for_training if budget.limited else None,
        "checkpoint": checkpoint,
        "checkpoint_every": None,  # of small networks saving takes longer than an epoch
        "resume": resume,
        "callbacks": callbacks,
        "progress": progress,
        "n_threads": n_threads,
    }
    folds, most = prepared.folds, max(_ENOUGH_JUDGED, _MOST_JUDGED // network.n_out)
    if folds is not None:
        learnt = [np.flatnonzero(folds != i) for i in range(plan.members)]
        held = [np.flatnonzero(folds == i) for i in range(plan.members)]
        held = [rows[some_rows(len(rows), most, recipe.seed)] for rows in held]
        scores = [score_for(metric, prepared.target, rows) for rows in held]
        settings |= {"rows": learnt, "validation_rows": held, "metric": scores}
    elif prepared.y_val is not None and len(prepared.y_val):
        assert prepared.X_val is not None
        judged = some_rows(len(prepared.y_val), most, recipe.seed)
        counts = prepared.weight_val
        settings["X_val"] = _chosen(prepared.X_val, judged)
        settings["y_val"] = prepared.y_val[judged]
        settings["weight_val"] = None if counts is None else counts[judged]
        rows = judged if prepared.held_rows is None else prepared.held_rows[judged]
        settings["metric"] = score_for(metric, prepared.target, rows)
    if plan.members == 1:
        return [train(network, members[0], prepared.X, prepared.y, seed=recipe.seed, **settings)]
    seeds = recipe.seeds(plan.members)
    return train_members(
        prepared.networks, members, prepared.X, prepared.y, seeds=seeds, **settings
    )


def _chosen(rows: Rows, places: Indices) -> Rows:
    """Return the rows at these places, which ascend: all of them without a copy."""
    return rows if len(places) == len(rows) else rows[places]


def _commonest(prepared: Prepared) -> float:
    """Return the share of the commonest class among the rows, as they weigh; 0 for numbers."""
    if prepared.y.ndim > 1:
        return 0.0
    counts = np.bincount(prepared.y, prepared.weights)
    return float(counts.max() / counts.sum())


def flat_rows(encoded: npt.NDArray[Any] | SparseRows) -> Rows:
    """Return rows of one dimension: the pixels of an image one after another."""
    if isinstance(encoded, SparseRows):
        return encoded
    return encoded.reshape(len(encoded), prod(encoded.shape[1:]))
