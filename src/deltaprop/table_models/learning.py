"""The training of a table's networks: of those that predict, and of small ones that tell of it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DivergedWarning
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.table_models.budget import some_rows
from deltaprop.table_models.initial_rates import start
from deltaprop.table_models.plan import Plan
from deltaprop.table_models.recipe import Recipe
from deltaprop.table_models.resumed_plan import Begun
from deltaprop.table_models.rows import Portion, Rows
from deltaprop.table_models.scoring import score_for
from deltaprop.training.history import History
from deltaprop.training.loop import train
from deltaprop.training.members import train_members

if TYPE_CHECKING:
    from deltaprop.table_models.parts import Job
    from deltaprop.table_models.prepare import Prepared

__all__ = ["learn", "starts", "train_briefly"]

_MOST_JUDGED, _ENOUGH_JUDGED = 20_000_000, 1_000  # logits and rows that choose a member's epoch

# Where one class has so large a share, errors are few and hardly move: the loss then chooses epochs
# whose probabilities order rows better; see benchmarks/choosing_epochs.py.
_IMBALANCED = 0.75


def starts(network: Network, seeds: Sequence[int], rows: Portion[Rows]) -> list[Parameters]:
    """Return where each member starts; whether they fit into the memory shows here."""
    return [start(network, np.random.default_rng(seed), rows.y, rows.weights) for seed in seeds]


def train_briefly(
    plan: Plan,
    network: Network,
    recipe: Recipe,
    data: Portion[Rows],
    members: Sequence[Parameters],
    **settings: Any,
) -> list[History]:
    """Train networks that only tell something; one that diverges does not warn.

    ``members`` are where each starts, and hold the results afterwards; ``settings`` are further
    ones of ``train_members``. Raise KeyboardInterrupt when somebody interrupts it: no network of
    the table's own has been trained yet.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergedWarning)  # the training itself will say it
        histories = train_members(
            network, members, data.x, data.y, optimizer=plan.optimizer(),
            batch_size=min(plan.batch_size, len(data)), seeds=recipe.seeds(len(members)),
            engine=recipe.engine, sample_weight=data.weights, **settings,
        )  # fmt: skip
    if any(history.stopped_because == "interrupted" for history in histories):
        raise KeyboardInterrupt
    return histories


def learn(prepared: Prepared, job: Job, members: list[Parameters]) -> list[History]:
    """Train the members, one or several, from where they start."""
    plan, recipe, learnt, held = prepared.plan, job.recipe, prepared.learnt, prepared.held
    network, budget = prepared.network, job.budget
    if job.checkpoint is not None and not (job.resume and Begun.file(job.checkpoint).exists()):
        drawn = prepared.rows_drawn if prepared.rows_given is not None else None
        Begun.write(plan, drawn, job.checkpoint, budget.pieces)
    metric = recipe.metric
    if metric is None and network.loss.targets == "count":
        metric = "poisson_deviance"
    counts_errors = plan.counts_errors_of(prepared.target.task)
    scored = metric is not None or (counts_errors and _commonest(learnt) < _IMBALANCED)
    settings: dict[str, Any] = {
        "optimizer": plan.optimizer(),
        "batch_size": min(plan.batch_size, len(learnt)),
        "epochs": plan.epochs,
        # the preset's own watches rows held out; one that was asked for, else the training loss
        "patience": plan.patience if prepared.n_val else recipe.patience,
        "engine": recipe.engine,
        "sample_weight": learnt.weights,
        "monitor": "val_metric" if prepared.n_val and scored else None,
        "metric": None,
        "prefer_latest": plan.counts_errors,
        "time_budget": budget.for_training if budget.limited else None,
        "checkpoint": job.checkpoint,
        "checkpoint_every": None,  # of small networks saving takes longer than an epoch
        "resume": job.resume,
        "callbacks": job.callbacks,
        "progress": job.progress,
        "n_threads": job.n_threads,
    }
    weighted = _count_differently(learnt.weights, None if held is None else held.weights)
    folds, most = prepared.folds, max(_ENOUGH_JUDGED, _MOST_JUDGED // network.n_out)
    if folds is not None:
        own = [np.flatnonzero(folds != i) for i in range(plan.members)]
        others = [np.flatnonzero(folds == i) for i in range(plan.members)]
        others = [rows[some_rows(len(rows), most, recipe.seed)] for rows in others]
        scores = [score_for(metric, prepared.target, r, weighted=weighted) for r in others]
        settings |= {"rows": own, "validation_rows": others, "metric": scores}
    elif held is not None and len(held):
        judged = some_rows(len(held), most, recipe.seed)
        few = held.take(judged)
        settings |= {"X_val": few.x, "y_val": few.y, "weight_val": few.weights}
        rows = judged if prepared.held_rows is None else prepared.held_rows[judged]
        settings["metric"] = score_for(metric, prepared.target, rows, weighted=weighted)
    if plan.members == 1:
        return [train(network, members[0], learnt.x, learnt.y, seed=recipe.seed, **settings)]
    seeds = recipe.seeds(plan.members)
    return train_members(prepared.networks, members, learnt.x, learnt.y, seeds=seeds, **settings)


def _count_differently(*weights: npt.NDArray[np.float64] | None) -> bool:
    given = [each for each in weights if each is not None and each.size]
    return len({end for each in given for end in (each.min(), each.max())}) > 1


def _commonest(rows: Portion[Rows]) -> float:
    """Return the share of the commonest class among the rows, as they weigh; 0 for numbers."""
    if rows.y.ndim > 1:
        return 0.0
    counts = np.bincount(rows.y, rows.weights)
    return float(counts.max() / counts.sum())
