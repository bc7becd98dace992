"""One network or several, trained at once on the same rows: folds, seeds, settings."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.engines import choose_engine
from deltaprop.engines.base import Problem
from deltaprop.engines.cores import available_cores
from deltaprop.errors import SettingError
from deltaprop.functional.losses import sample_shares
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import ClassWeight
from deltaprop.training.batches import check_seed
from deltaprop.training.checks import (
    check_rows,
    check_trainable,
    check_validation,
    check_validation_weights,
    weigh_rows,
)
from deltaprop.training.history import History
from deltaprop.training.interrupt import catch_interrupt
from deltaprop.training.metrics import Metric, Score, as_score
from deltaprop.training.optimizers import Adam, Optimizer, State, require_optimizer
from deltaprop.training.progress import progress_line
from deltaprop.training.run import TrainingRun
from deltaprop.training.settings import (
    Callback,
    Checkpointing,
    Computing,
    Stopping,
    TrainingData,
    Validation,
)
from deltaprop.training.together import advance

__all__ = ["Member", "train_each", "train_members"]

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def train_members(
    networks: Network | Sequence[Network],
    parameters: Sequence[Parameters],
    X: Any,
    y: npt.ArrayLike,
    *,
    rows: Sequence[npt.ArrayLike] | None = None,
    validation_rows: Sequence[npt.ArrayLike] | None = None,
    X_val: Any = None,
    y_val: npt.ArrayLike | None = None,
    weight_val: npt.ArrayLike | None = None,
    optimizer: Optimizer | Sequence[Optimizer] | None = None,
    batch_size: int | None = 128,
    epochs: int = 10,
    engine: str = "auto",
    dtype: str = "float32",
    seeds: Sequence[int] | None = None,
    shuffle: bool = True,
    sample_weight: npt.ArrayLike | None = None,
    class_weight: ClassWeight = None,
    monitor: str | None = None,
    metric: Metric | Score | Sequence[Metric | Score | None] | None = None,
    patience: int | None = None,
    min_improvement: float = 0.0,
    keep_best: bool = True,
    prefer_latest: bool = False,
    time_budget: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float | None = 0.0,
    checkpoint_steps: int | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
    n_threads: int | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[History]:
    """Train k networks at once, each as ``train`` would train it alone, to the last bit.

    The rows stand in memory once. Every core takes a member's epoch and then the next, always of
    the member that is furthest behind, so that none waits for another as the threads of one
    network do.

    Parameters
    ----------
    networks : Network or sequence of Network
        One for all members, or one each.
    parameters : sequence of Parameters
        Where each member starts; hold the results afterwards.
    X : array_like of shape (n, n_0) or scipy CSR matrix
        The rows of all members.
    y : array_like of shape (n,) or (n, n_L)
        Integer labels, one-hot rows, or values.
    rows, validation_rows : sequence of array_like of int, optional
        Which rows each member learns from, and is scored on after each epoch; all, and none, when
        left out.
    X_val, y_val, weight_val : array_like, optional
        Rows to score all members on, instead, and what each of them counts. Of
        ``validation_rows`` each counts as ``sample_weight`` says.
    optimizer : Optimizer or sequence of Optimizer, optional
        One for all members, or one each; ``Adam(1e-3)`` when left out.
    batch_size, epochs, engine, dtype
        As for ``train``, the same for all members.
    seeds : sequence of int, optional
        Of shuffling and dropout; 0, 1, ..., when left out.
    shuffle, sample_weight, class_weight, monitor
        As for ``train``.
    metric : callable or sequence of callable, optional
        As for ``train``: one for all members, or one each.
    patience, min_improvement, keep_best, prefer_latest
        As for ``train``.
    time_budget : float, optional
        Seconds for all members together.
    checkpoint : path, optional
        Member i = 1, 2, ... is saved to a file of this name with ``.i`` behind it.
    checkpoint_every, checkpoint_steps, resume
        As for ``train``.
    callbacks : sequence of callable
        Called after each epoch of any member, possibly by several threads at once.
    progress : bool
        As for ``train``.
    n_threads : int, optional
        At most this many threads in all.
    clock : callable
        As for ``train``.

    Returns
    -------
    list of History
        One for each member.

    Raises
    ------
    ShapeError, DataError, SettingError
        When an array or a setting does not fit; nothing has been changed then.
    """
    stopping = Stopping(
        epochs, patience, min_improvement, keep_best, prefer_latest, time_budget, callbacks, clock
    )
    saved = Checkpointing(checkpoint, checkpoint_every, resume, checkpoint_steps)
    if isinstance(parameters, Parameters):
        raise SettingError("parameters is one member's; give a list of them, one each.")
    k = len(parameters)
    if k == 0:
        raise SettingError("There are no members: parameters is empty.")
    each = zip(
        _one_each(networks, Network, k, "networks"),
        parameters,
        _one_each(optimizer or Adam(), object, k, "optimizer"),
        _one_each(range(k) if seeds is None else seeds, int, k, "seeds"),
        _one_each(metric, object, k, "metric"),
        (saved.of_member(number) for number in range(1, k + 1)),
        _one_each(rows, object if rows is None else int, k, "rows"),
        _one_each(validation_rows, object if validation_rows is None else int, k,
                  "validation_rows"),
        strict=True,
    )  # fmt: skip
    return train_each(
        [Member(*own) for own in each],
        TrainingData(X, y, sample_weight, class_weight, X_val, y_val, weight_val),
        Computing(engine, dtype, batch_size, shuffle, n_threads),
        stopping, monitor, progress=progress,
    )  # fmt: skip


@dataclass(frozen=True)
class Member:
    """One of the networks that are trained at once, and what is its own, as for ``train``.

    It learns from ``rows`` and is scored on ``validation_rows``; all, and none, when left out.
    """

    network: Network
    parameters: Parameters
    optimizer: Optimizer
    seed: int
    metric: Metric | Score | None
    checkpointing: Checkpointing
    rows: npt.ArrayLike | None = None
    validation_rows: npt.ArrayLike | None = None
    state: State | None = None

    def __post_init__(self) -> None:
        require_optimizer(self.optimizer)


def train_each(
    members: Sequence[Member],
    data: TrainingData,
    computing: Computing,
    stopping: Stopping,
    monitor: str | None,
    *,
    progress: bool,
) -> list[History]:
    """Train every member; what all have in common is checked once, before anything is changed."""
    network, k = members[0].network, len(members)
    for member in members:
        member.checkpointing.check()
        check_trainable(member.network, member.parameters)
    X, targets = check_rows(network, data.X, data.y, "X")
    for member in members[1:]:
        _refuse_unlike(network, member.network)
    alone = k == 1 and members[0].rows is None
    weights: Array | None = None
    if alone:  # rows that count nothing are gone before anything is counted
        X, targets, weights = weigh_rows(network, X, targets, data.sample_weight, data.class_weight)
    elif data.sample_weight is not None:
        weights = sample_shares(X.shape[0], data.sample_weight, reduction="sum")
    held = check_validation(network, data.X_val, data.y_val)
    counts = check_validation_weights(held, data.weight_val)
    cores = min(computing.n_threads or available_cores(), available_cores())
    runs: list[TrainingRun] = []
    for number, member in enumerate(members):
        rows, own_weights = None, weights
        if not alone:
            rows = _rows_of(member.rows, number, X.shape[0], "rows")
            rows, own_weights = _weighed(member.network, rows, targets, weights, data.class_weight)
        optimizer = member.optimizer
        score = as_score(member.metric, member.network)
        if member.validation_rows is None:
            validation = Validation(score, monitor, held, None, counts)
        elif held is not None:
            raise SettingError("Give validation_rows or X_val, not both.")
        else:
            places = _rows_of(member.validation_rows, number, X.shape[0], "validation_rows")
            validation = Validation(score, monitor, (X, targets), places, _counts(places, weights))
        last = runs[-1] if runs else None
        alike = last and last.problem.network is member.network and last.optimizer is optimizer
        runs.append(
            TrainingRun(
                Problem(
                    network=member.network, X=X, targets=targets, weights=own_weights,
                    optimizer=optimizer,
                    batch_size=computing.rows_per_step(X.shape[0] if rows is None else len(rows)),
                    dtype=computing.dtype,
                    n_threads=computing.n_threads if alone else max(1, cores // k),
                ),
                member.parameters,
                last.engine if last and alike  # one notice is enough
                else choose_engine(computing.engine, member.network, optimizer),
                optimizer,
                check_seed(member.seed),
                computing.shuffle,
                stopping,
                validation,
                member.checkpointing,
                rows,
                member.state,
                number,
            )
        )  # fmt: skip
    for run in runs:
        run.begin()
    line = progress_line(progress, stopping.epochs, k, sum(run.history.n_epochs for run in runs))
    try:
        with catch_interrupt() as interrupt:
            advance(runs, line, interrupt, min(k, cores))
    finally:
        line.close()
    return [run.end() for run in runs]


def _refuse_unlike(network: Network, other: Network) -> None:
    if (network.n_in, network.n_out, network.loss_name) != (
        other.n_in, other.n_out, other.loss_name,
    ):  # fmt: skip
        raise SettingError(
            "The members' networks differ in inputs, outputs or loss; they share the rows, so "
            "these must be the same."
        )


def _one_each(given: Any, kind: type, k: int, name: str) -> list[Any]:
    listed = isinstance(given, (Sequence, np.ndarray)) and not isinstance(given, str)
    if kind is not int and not listed:
        return [given] * k
    if not listed:
        raise SettingError(f"{name} is {given!r}; it is a list with one entry for each member.")
    each = list(given)
    if len(each) != k:
        raise SettingError(f"{name} has {len(each)} entries for {k} members; give one each.")
    return each


def _rows_of(given: npt.ArrayLike | None, number: int, n: int, name: str) -> Rows:
    rows = np.arange(n) if given is None else np.asarray(given)
    if rows.ndim != 1 or rows.size == 0 or rows.dtype.kind not in "iu":
        raise SettingError(
            f"{name} of member {number + 1} has dtype {rows.dtype} and shape {rows.shape}; "
            "expected the numbers of one row or more."
        )
    if rows.min() < 0 or rows.max() >= n:
        raise SettingError(
            f"{name} of member {number + 1} runs from {rows.min()} to {rows.max()}, but there are "
            f"{n} rows."
        )
    return rows.astype(np.int64)


def _weighed(
    network: Network, rows: Rows, targets: Any, weights: Array | None, class_weight: ClassWeight
) -> tuple[Rows, Array | None]:
    """Return the rows of a member that count, and what each row of all weighs for it."""
    own = None if weights is None else weights[rows]
    kept, _, found = weigh_rows(network, rows, targets[rows], own, class_weight)
    if found is None:
        return kept, None
    every = np.zeros(len(targets))
    every[kept] = found
    return kept, every


def _counts(rows: Rows, weights: Array | None) -> Array | None:
    """Return what validation rows count; None where all count the same, or none would count."""
    if weights is None or not weights[rows].any():
        return None
    counts: Array = weights[rows]
    return counts
