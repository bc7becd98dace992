"""From a table to networks that can learn it: encoders, rows held out, a plan."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace

from numpy.typing import DTypeLike

from deltaprop.engines import precision_of
from deltaprop.errors import DataError, SettingError, of
from deltaprop.functional.losses import LOSSES
from deltaprop.model.spec import Network
from deltaprop.table_models.encoder_search import better_encoder
from deltaprop.table_models.learnt_rows import LearntRows
from deltaprop.table_models.memory_needed import check_room, check_room_for_looking
from deltaprop.table_models.parts import Job, Parts, looked_at, parts_of
from deltaprop.table_models.plan import Facts, Plan
from deltaprop.table_models.resumed_plan import Begun
from deltaprop.table_models.rows import Indices, Portion, Rows, flat_rows, marks_of
from deltaprop.table_models.split import fold_of_each_row, split
from deltaprop.table_models.time_budget import paced
from deltaprop.tabular import (
    Encoder,
    Features,
    TableEncoder,
    TableWarning,
    TargetEncoder,
    column_order,
)
from deltaprop.training.progress import phase

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table, ready to be learnt; see ``Parts``."""

    inputs: Encoder
    target: TargetEncoder
    plan: Plan
    networks: list[Network]  # one for each member, with the same parameters
    learnt: Portion[Rows]  # all rows that are learnt from, in the precision of the steps
    held: Portion[Rows] | None  # rows that only choose the best epoch
    held_rows: Indices | None
    folds: Indices | None
    choosing_took: float  # seconds that the choices among encoders and plans took
    learnt_rows: LearntRows | None  # which rows these are, if the model is to remember them
    rows_given: int | None

    @property
    def network(self) -> Network:
        """Return what predicts: the first member's, which differs from others by its dropout."""
        return self.networks[0]

    @property
    def rows_drawn(self) -> int:
        """Return how many rows of the table are used, those held out counted once."""
        own = 0 if self.folds is not None or self.held_rows is None else len(self.held_rows)
        return len(self.learnt) + own

    @property
    def n_val(self) -> int:
        """Return how many rows choose the best epoch."""
        judged = self.learnt if self.folds is not None else self.held
        return 0 if judged is None else len(judged)


def prepare(job: Job) -> Prepared:
    """Encode a table and decide how it is learnt; see ``TableModel.fit``."""
    recipe, budget = job.recipe, job.budget
    check_room_for_looking(job.features)
    begun = None
    if job.resume and job.checkpoint is not None:
        begun = Begun.read(job.checkpoint)
    parts = parts_of(job, begun)
    target, folds, held_rows = parts.target, parts.folds, parts.held_rows
    inputs = parts.inputs or looked_at(job, parts.learnt)
    if inputs.n_outputs == 0:
        raise DataError(
            f"No column{of(job.where)} is left to learn from: every one is constant, empty or an "
            "identifier."
        )
    began = time.perf_counter()
    with phase(job.progress, "trying out how the columns are learnt best"):
        inputs, facts, plan = _planned(job, begun, inputs, parts)
    choosing_took = time.perf_counter() - began
    dtype = precision_of(recipe.engine, plan.networks(facts), plan.optimizer())
    learnt = _encoded(job, inputs, target, parts.learnt, dtype)
    held = None
    if parts.held is not None:
        given = job.validation is not None
        held = _encoded(job, inputs, target, parts.held, dtype, held=True, given=given)
    members = plan.members
    if begun is not None:
        plan = begun.plan(plan, recipe)
    elif budget.limited:
        began = time.perf_counter()
        with phase(job.progress, "timing an epoch"):
            n_val = None if job.validation is None or held is None else len(held)
            plan = paced(plan, recipe, facts, learnt, budget, job.n_threads, n_val)
        choosing_took += time.perf_counter() - began
    if folds is not None and plan.members < members:
        folds = fold_of_each_row(learnt.y, plan.members, recipe.seed)
        if folds is None:
            kept, held_rows = split(learnt.y, recipe.held_share, recipe.seed)
            learnt, held = learnt.take(kept), learnt.take(held_rows)
    learnt_rows = None
    if learnt.marks is not None:
        marks = learnt.marks if learnt.weights is None else learnt.marks[learnt.weights > 0]
        chose = held.marks if held is not None else None
        learnt_rows = LearntRows.of(marks, marks[:0] if chose is None else chose)
    return Prepared(
        inputs, target, plan, plan.networks(facts), learnt, None if held is None else held.counted,
        held_rows, folds, choosing_took, learnt_rows, parts.rows_given,
    )  # fmt: skip


def _planned(
    job: Job, begun: Begun | None, inputs: Encoder, parts: Parts
) -> tuple[Encoder, Facts, Plan]:
    """Return the inputs with the ranges that the rows ask for, and the plan for them."""
    recipe, budget, rows = job.recipe, job.budget, parts.learnt
    if begun is not None and recipe.ranges is None:
        recipe = replace(recipe, ranges=begun.ranges)
    facts = Facts.of(inputs, parts.target, len(rows))
    if recipe.loss is not None and LOSSES[recipe.loss].output == "exp":
        facts = replace(facts, mean_rate=float(rows.y.mean()))
    plan = recipe.plan(facts)
    n_held = 0 if parts.held is None else len(parts.held)
    check_room(facts, plan, inputs, rows.x, n_held)
    if not isinstance(inputs, TableEncoder):
        if recipe.ranges:
            raise SettingError(
                f"ranges is {recipe.ranges}, but images and sparse rows are not divided into "
                "ranges. Leave it out."
            )
        return inputs, facts, plan
    encoders = [inputs.with_ranges(rows.x, most, where=job.where) for most in plan.range_choices]
    different = [e for i, e in enumerate(encoders) if e not in encoders[:i]]
    inputs = better_encoder(
        different, rows, parts.target, recipe, plan.epochs, job.n_threads,
        budget.left if budget.limited else None,
    )  # fmt: skip
    ranges = plan.range_choices[encoders.index(inputs)]
    divided = any(column.n_ranges for column in inputs.columns)
    facts = replace(facts, n_in=inputs.n_outputs, divided=divided)
    plan = replace(recipe.plan(facts), range_choices=(ranges,))
    if plan.embeds:
        inputs, n_numbers, categories = column_order(inputs)
        facts = replace(facts, n_numbers=n_numbers, categories=categories)
    check_room(facts, plan, inputs, rows.x, n_held)
    return inputs, facts, plan


def _encoded(
    job: Job,
    inputs: Encoder,
    target: TargetEncoder,
    rows: Portion[Features],
    dtype: DTypeLike,
    *,
    held: bool = False,
    given: bool = False,
) -> Portion[Rows]:
    """Return rows as a network reads them, and marks by which they are known again."""
    what = "encoding the rows held out" if held else "encoding the rows"
    with phase(job.progress, what), warnings.catch_warnings():
        if not given:  # what these rows hold, the encoder says; a rare category is no surprise
            warnings.simplefilter("ignore", TableWarning)
        where = job.validation_where if given else job.where
        x = flat_rows(inputs.transform(rows.x, where=where, ignore=job.target_names, dtype=dtype))
    marks = None
    if job.recipe.remember_rows:
        with phase(job.progress, "noting which rows are learnt"):
            marks = marks_of(rows, inputs, target)
    return Portion(x, rows.y, rows.weights, marks)
