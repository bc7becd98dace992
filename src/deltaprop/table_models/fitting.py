"""A fit from its beginning to its end: prepared, learnt, calibrated, judged by rows held out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.table_models.budget import some_rows
from deltaprop.table_models.calibration import Calibration, calibrate
from deltaprop.table_models.evaluation import Evaluation
from deltaprop.table_models.judge import judge_rows
from deltaprop.table_models.learning import learn, starts
from deltaprop.table_models.parts import Job
from deltaprop.table_models.prepare import Prepared, prepare
from deltaprop.table_models.rows import Array, Indices
from deltaprop.tabular import Encoder, TargetEncoder
from deltaprop.training.predict import logits
from deltaprop.training.progress import phase

if TYPE_CHECKING:
    from deltaprop.table_models.model import TableModel

__all__ = ["Announce", "fit"]

Announce: TypeAlias = Callable[[Encoder, TargetEncoder, Network], object]

_MOST_LOGITS = 8_000_000  # of the rows that calibrate
_FEWEST_AT_ONCE, _NUMBERS_AT_ONCE = 1_000, 4_000_000  # rows, and numbers, that are copied


def fit(
    kind: type[TableModel],
    job: Job,
    announce: Announce | None = None,
    missing: Sequence[str] | None = None,
) -> TableModel:
    """Return the model that is asked for; see ``TableModel.fit``."""
    recipe = job.recipe
    prepared = prepare(job)
    members = starts(prepared.network, recipe.seeds(prepared.plan.members), prepared.learnt)
    if announce is not None:
        announce(prepared.inputs, prepared.target, prepared.network)
    began = time.perf_counter()
    histories = learn(prepared, job, members)
    numbers = prepared.target.task == "regression"
    calibration = None
    if recipe.calibrate is not False and not numbers and prepared.n_val:
        with phase(job.progress, "calibrating the probabilities"):
            calibration = _calibrated(prepared, job, members)
    limits = None
    if prepared.plan.squashes and numbers:
        y = prepared.learnt.y.reshape(len(prepared.learnt), -1)
        limits = np.stack([y.min(axis=0), y.max(axis=0)])
    model = kind(
        prepared.network, tuple(members), prepared.inputs, prepared.target, tuple(histories),
        recipe, len(prepared.learnt), prepared.n_val, calibration, limits,
        prepared.choosing_took + time.perf_counter() - began,
        None if missing is None else tuple(missing), learnt_rows=prepared.learnt_rows,
        rows_given=prepared.rows_given,
    )  # fmt: skip
    with phase(job.progress, "judging the model on the rows held out"):
        return replace(model, held_out=_judged(model, prepared, job))


def _calibrated(prepared: Prepared, job: Job, members: Sequence[Parameters]) -> Calibration | None:
    """Return the temperature of as many rows held out as there is time for."""
    seed = job.recipe.seed
    n = prepared.n_val * (1 if prepared.folds is not None else len(members))
    most = min(n, max(1, _MOST_LOGITS // prepared.network.n_out))

    def of_some(rows: Indices) -> Calibration | None:
        return calibrate(*_held_out_logits(prepared, members, len(rows), seed))

    return of_some(job.budget.rows_for_judging(most, of_some, seed))


def _held_out_logits(
    prepared: Prepared, members: Sequence[Parameters], most: int, seed: int
) -> tuple[Array, npt.NDArray[Any], Array | None]:
    """Return z of rows that a member has not learnt, their targets, and their weights.

    Where there are more than ``most`` such rows, they are drawn.
    """
    k, network = len(members), prepared.network
    if prepared.folds is None:
        assert prepared.held is not None
        few = prepared.held.take(some_rows(len(prepared.held), max(1, most // k), seed))
        z = np.concatenate([logits(network, member, few.x) for member in members])
        of_all = None if few.weights is None else np.tile(few.weights, k)
        return z, np.concatenate([few.y] * k), of_all
    learnt, rows = prepared.learnt, some_rows(len(prepared.learnt), most, seed)
    z = np.empty((len(rows), network.n_out))
    at_once = max(_FEWEST_AT_ONCE, _NUMBERS_AT_ONCE // network.n_in)
    for i, member in enumerate(members):
        held = np.flatnonzero(prepared.folds[rows] == i)
        for first in range(0, len(held), at_once):  # no second copy of all rows
            some = held[first : first + at_once]
            z[some] = logits(network, member, learnt.x[rows[some]])
    return z, learnt.y[rows], None if learnt.weights is None else learnt.weights[rows]


def _judged(model: TableModel, prepared: Prepared, job: Job) -> Evaluation | None:
    """Return the figures of the rows held out: each judged by whoever has not learnt it."""
    folds = prepared.folds
    every = prepared.held if folds is None else prepared.learnt
    if every is None or not len(every):
        return None

    def judge(places: Indices) -> Evaluation:
        some = every.take(places)
        return judge_rows(model, some.x, some.y, None if folds is None else folds[places])

    with suppress(DataError):  # of a network that diverged nothing can be said
        return judge(job.budget.rows_for_judging(len(every), judge, job.recipe.seed))
    return None
