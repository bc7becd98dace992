"""What a time budget buys: fewer epochs, and where those would be too few, fewer networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deltaprop.engines.cores import available_cores
from deltaprop.table_models.budget import Budget
from deltaprop.table_models.learning import starts, train_briefly
from deltaprop.table_models.plan import Facts, Plan
from deltaprop.table_models.recipe import Recipe
from deltaprop.table_models.rows import Indices, Portion, Rows

__all__ = ["paced", "seconds_of_epoch", "within"]

_SHARE_OF_BUDGET = 0.05  # for finding out how long an epoch takes
_SHARE_OF_TRAINING = 0.9  # of what is left; an epoch is validated too, and not always so fast
_JUDGING_OF_AN_EPOCH = 1.0  # to predict takes a third as long, and in float64 twice that
_SHARE_OF_EPOCHS = 1 / 4  # that each network gets at least, if need be for fewer networks


def paced(
    plan: Plan,
    recipe: Recipe,
    facts: Facts,
    data: Portion[Rows],
    budget: Budget,
    n_threads: int | None,
    n_val: int | None = None,
) -> Plan:
    """Return a plan that ends within a budget, after a look at how fast this machine is.

    A learning rate that has followed its curve to the end leaves a better network than one that
    was cut off on its way, and few trained networks are better than many that have hardly begun.
    A plan whose learning rate follows no curve, as the textbook's, is left as it is, and so are
    ``epochs`` and ``members`` of the recipe, where somebody chose them. The budget gets to know how
    long it takes to judge the rows: ``n_val`` of another table, or of ``data``.
    """
    if not callable(plan.optimizer().learning_rate):
        return plan
    cores = min(n_threads or available_cores(), available_cores())
    at_once = min(plan.members, cores)
    n = len(data)
    order = np.random.default_rng(recipe.seed).permutation(n)
    learnt = order[n // max(2, plan.members) :]
    most = _SHARE_OF_BUDGET * budget.for_training
    epoch = seconds_of_epoch(plan, recipe, facts, data, learnt, most, max(1, cores // at_once))
    if not epoch:
        return plan
    a_row = _JUDGING_OF_AN_EPOCH * epoch / len(learnt)

    def judging(members: int) -> float:
        """Return how long it takes: all rows are held out by one of several, or a share by one."""
        if n_val is not None:
            return a_row * n_val * members
        return a_row * n * (1.0 if members > 1 else recipe.held_share)

    budget.judging = judging(plan.members)
    found = within(plan, recipe, _SHARE_OF_TRAINING * budget.for_training * at_once / epoch)
    budget.judging = judging(found.members)
    return found


def seconds_of_epoch(
    plan: Plan,
    recipe: Recipe,
    facts: Facts,
    data: Portion[Rows],
    rows: Indices,
    most: float,
    n_threads: int,
) -> float:
    """Return the seconds one network takes to learn from each of some rows of ``data`` once.

    After ``most`` of them the rest is reckoned; 0 where it diverged at once. Raise
    KeyboardInterrupt when somebody interrupts it.
    """
    network, data = plan.networks(facts)[0], Portion(data.x, data.y)
    (history,) = train_briefly(
        plan, network, recipe, data, starts(network, recipe.seeds(1), data), rows=[rows], epochs=1,
        time_budget=most, n_threads=n_threads,
    )  # fmt: skip
    if not history.seconds:
        return 0.0
    steps = -(-len(rows) // min(plan.batch_size, len(data)))
    return history.seconds[0] * steps / history.n_steps


def within(plan: Plan, recipe: Recipe, n_epochs: float) -> Plan:
    """Return a plan of so many epochs, those of all members together.

    First each member gets fewer; below a quarter of what is planned there are fewer members. Of
    epochs that somebody chose each member gets one at least.
    """
    members, epochs = plan.members, plan.epochs
    least = 1 if recipe.epochs is not None else max(1, round(_SHARE_OF_EPOCHS * epochs))
    if recipe.members is None:
        members = int(min(members, max(1, n_epochs // least)))
    if recipe.epochs is None:
        epochs = int(min(epochs, max(1, n_epochs // members)))
    return replace(plan, members=members, epochs=epochs)
