"""What a time budget buys: fewer epochs, and where those would be too few, fewer networks."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.engines.cores import available_cores
from deltaprop.errors import DivergedWarning
from deltaprop.estimators.presets import Facts, Plan
from deltaprop.estimators.recipe import Recipe
from deltaprop.estimators.starting import start
from deltaprop.training.members import train_members

__all__ = ["paced", "within"]

_SHARE_OF_BUDGET = 0.05  # for finding out how long an epoch takes
_SHARE_OF_TRAINING = 0.8  # of what is left; an epoch is validated too, and not always so fast
_SHARE_OF_EPOCHS = 1 / 4  # that each network gets at least, if need be for fewer networks

Rows = npt.NDArray[np.int64]


def paced(
    plan: Plan,
    recipe: Recipe,
    facts: Facts,
    X: Any,
    y: npt.NDArray[Any],
    budget: float,
    n_threads: int | None,
) -> Plan:
    """Return a plan that ends within a budget, after a look at how fast this machine is.

    A learning rate that has followed its curve to the end leaves a better network than one that
    was cut off on its way, and few trained networks are better than many that have hardly begun.

    Parameters
    ----------
    plan : Plan
        What would be done with all the time there is.
    recipe : Recipe
        Its ``epochs`` and ``members``, where somebody chose them, stay as they are.
    facts : Facts
        Of the table.
    X, y : array_like
        The rows that are learnt from, encoded.
    budget : float
        Seconds left for the training.
    n_threads : int or None
        As for ``train``.

    Returns
    -------
    Plan
        With as many epochs and members as there is time for. The textbook's, whose learning rate
        follows no curve, is left as it is.
    """
    if plan.form == "textbook":
        return plan
    cores = min(n_threads or available_cores(), available_cores())
    at_once = min(plan.members, cores)
    network = plan.networks(facts)[0]
    n = len(y)
    order = np.random.default_rng(recipe.seed).permutation(n)
    learnt = order[n // max(2, plan.members) :]
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergedWarning)  # the training itself will say it
        history = train_members(
            network,
            [start(network, np.random.default_rng(recipe.seed), y, None)],
            X,
            y,
            rows=[learnt],
            optimizer=plan.optimizer(),
            batch_size=min(plan.batch_size, n),
            epochs=1,
            seeds=[recipe.seed],
            engine=recipe.engine,
            time_budget=_SHARE_OF_BUDGET * budget,
            n_threads=max(1, cores // at_once),
        )[0]
    if history.stopped_because == "interrupted":
        raise KeyboardInterrupt
    if not history.seconds:
        return plan  # it diverged at once
    steps = -(-len(learnt) // min(plan.batch_size, n))
    epoch = history.seconds[0] * steps / history.n_steps
    left = _SHARE_OF_TRAINING * (budget - (time.perf_counter() - began))
    return within(plan, recipe, max(0.0, left) * at_once / epoch)


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
