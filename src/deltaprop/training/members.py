"""Several networks trained at once on the same rows: folds, seeds, settings."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.engines import choose_engine
from deltaprop.engines.base import Engine, Problem
from deltaprop.engines.cores import available_cores
from deltaprop.errors import SettingError
from deltaprop.functional.losses import sample_shares
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import ClassWeight
from deltaprop.training.batches import check_seed
from deltaprop.training.checks import (
    check_computing,
    check_rows,
    check_trainable,
    check_validation,
    check_validation_weights,
    weigh_rows,
)
from deltaprop.training.history import History
from deltaprop.training.interrupt import Interrupt, catch_interrupt
from deltaprop.training.metrics import Metric, Score, as_score
from deltaprop.training.optimizers import Adam, Optimizer
from deltaprop.training.progress import ProgressLine, progress_line
from deltaprop.training.run import TrainingRun
from deltaprop.training.settings import Callback, Checkpointing, Stopping, Validation

__all__ = ["train_members"]

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_SHORT = 0.1e-3  # seconds of an epoch for each thread: of that, Python has half
_WORTH_A_THREAD = 0.5e-3  # seconds of work; starting one may take a third of that


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
    checkpoint_every, resume
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
    check_computing(batch_size, dtype, n_threads)
    stopping = Stopping.checked(
        epochs, patience, min_improvement, keep_best=keep_best, prefer_latest=prefer_latest,
        time_budget=time_budget, callbacks=callbacks, clock=clock,
    )  # fmt: skip
    checkpointing = Checkpointing(checkpoint, checkpoint_every, resume)
    if isinstance(parameters, Parameters):
        raise SettingError("parameters is one member's; give a list of them, one each.")
    k = len(parameters)
    if k == 0:
        raise SettingError("There are no members: parameters is empty.")
    each_network = _one_each(networks, Network, k, "networks")
    rules = _one_each(optimizer or Adam(), object, k, "optimizer")
    metrics = _one_each(metric, object, k, "metric")
    numbers = _one_each(range(k) if seeds is None else seeds, int, k, "seeds")
    for network, start in zip(each_network, parameters, strict=True):
        check_trainable(network, start)
    all_rows, targets = check_rows(each_network[0], X, y, "X")
    for network in each_network[1:]:
        if (network.n_in, network.n_out, network.loss_name) != (
            each_network[0].n_in, each_network[0].n_out, each_network[0].loss_name,
        ):  # fmt: skip
            raise SettingError(
                "The members' networks differ in inputs, outputs or loss; they share the rows, so "
                "these must be the same."
            )
    n = all_rows.shape[0]
    weights = None
    if sample_weight is not None:
        weights = sample_shares(n, sample_weight, reduction="sum")
    learnt = _rows_of(rows, k, n, "rows") or [np.arange(n)] * k
    held = _rows_of(validation_rows, k, n, "validation_rows")
    validation = check_validation(each_network[0], X_val, y_val)
    given = check_validation_weights(validation, weight_val)
    if held is not None and validation is not None:
        raise SettingError("Give validation_rows or X_val, not both.")
    cores = min(n_threads or available_cores(), available_cores())
    runs = []
    chosen: Engine | None = None
    for i, network in enumerate(each_network):
        own_rows, own_weights = _weighed(network, learnt[i], targets, weights, class_weight)
        alike = i > 0 and network is each_network[i - 1] and rules[i] is rules[i - 1]
        if chosen is None or not alike:  # one notice is enough
            chosen = choose_engine(engine, network, rules[i])
        size = len(own_rows) if batch_size is None else min(int(batch_size), len(own_rows))
        saved = checkpointing.of_member(i + 1)
        saved.check()
        score, data, places, counts = as_score(metrics[i], network), validation, None, given
        if held is not None:
            data, places, counts = (all_rows, targets), held[i], _counts(held[i], weights)
        runs.append(
            TrainingRun(
                Problem(
                    network=network, X=all_rows, targets=targets, weights=own_weights,
                    optimizer=rules[i], batch_size=size, dtype=dtype,
                    n_threads=max(1, cores // k),
                ),
                parameters[i],
                chosen,
                rules[i],
                check_seed(numbers[i]),
                shuffle,
                stopping,
                Validation.checked(score, monitor, data, places, counts),
                saved,
                own_rows,
            )
        )  # fmt: skip
    for run in runs:
        run.begin()
    line = progress_line(progress, stopping.epochs, k)
    together = _Together(line, k)
    lines: _Lines = {run: _Turn(together, i) for i, run in enumerate(runs)}
    try:
        with catch_interrupt() as interrupt:
            _advance(lines, interrupt, min(k, cores))
    finally:
        line.close()
    return [run.end() for run in runs]


def _advance(lines: _Lines, interrupt: Interrupt, n_workers: int) -> None:
    """Run epochs until every member is done, on so many threads.

    Of short epochs most would be Python's, of which one thread at a time gets on: each member's
    next one goes into a single call of the engine. Of others each thread takes a member's and then
    the next, so that none waits for the end of a round.
    """
    runs = list(lines)
    engines = {run.engine for run in runs}
    if len(engines) == 1 and _shortest_epoch(lines, interrupt) < n_workers * _SHORT:
        _advance_together(engines.pop(), lines, interrupt, n_workers)
        return
    lock = threading.Lock()
    waiting = [run for run in runs if run.goes_on]
    failed = False

    def work() -> None:
        nonlocal failed
        while True:
            with lock:
                if failed or not waiting:
                    return  # whoever is not waiting has a thread already
                run = min(waiting, key=lambda other: other.history.n_epochs)
                waiting.remove(run)
            try:
                run.epoch(lines[run], interrupt)
            except BaseException:
                failed = True
                raise
            with lock:
                if run.goes_on:
                    waiting.append(run)

    # the reference's limit on NumPy's threads is one for the whole process
    if n_workers == 1 or any(run.engine.name == "reference" for run in runs):
        work()
        return
    with ThreadPoolExecutor(n_workers) as pool:
        workers = [pool.submit(work) for _ in range(n_workers)]
        try:
            for done in workers:
                done.result()
        except BaseException:  # a second Ctrl-C comes here, where nothing is worked on
            failed = True
            raise


def _advance_together(engine: Engine, lines: _Lines, interrupt: Interrupt, n_workers: int) -> None:
    """Run an epoch of every member that goes on, round after round."""
    n_threads = 1
    while going := [run for run in lines if run.goes_on]:
        plans = [run.plan(lines[run], interrupt) for run in going]
        began = time.perf_counter()
        outcomes = engine.epochs([run.engine_run for run in going], plans, n_threads)
        took = time.perf_counter() - began
        if n_threads == 1:  # the first round tells how long one thread takes
            n_threads = max(1, min(n_workers, int(took / _WORTH_A_THREAD)))
        share = took / len(going)
        for run, outcome in zip(going, outcomes, strict=True):
            run.enter(outcome, run.stopping.clock() - share, lines[run], interrupt)


def _shortest_epoch(lines: _Lines, interrupt: Interrupt) -> float:
    """Run an epoch of two members; return the seconds of the shorter one."""
    shortest = np.inf
    for run in [run for run in lines if run.goes_on][:2]:
        began = time.perf_counter()
        run.epoch(lines[run], interrupt)
        shortest = min(shortest, time.perf_counter() - began)
    return shortest


class _Together:
    """Shows k members as one: their epochs, one after another, in a k-th of the width."""

    def __init__(self, line: ProgressLine, k: int) -> None:
        self._line, self._k, self._done = line, k, 0

    def rows(self, share: float, member: int) -> None:
        """Say which share of a member's epoch is done."""
        whole, part = divmod(self._done, self._k)
        self._line.rows(whole, (part + share) / self._k, member)

    def epoch(self, history: History, member: int) -> None:
        """Say that an epoch of a member is over."""
        self._done += 1
        self._line.epoch(history, member)


@dataclass(frozen=True)
class _Turn:
    """The line of all members, as one of them has it in its turn."""

    together: _Together
    member: int

    def rows(self, epoch: int, share: float, network: int = 0) -> None:
        """Say which share of the member's epoch is done."""
        self.together.rows(share, self.member)

    def epoch(self, history: History, network: int = 0) -> None:
        """Say that an epoch of the member is over."""
        self.together.epoch(history, self.member)

    def close(self) -> None:
        """Leave that to whoever opened the line."""


_Lines: TypeAlias = "dict[TrainingRun, _Turn]"


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


def _rows_of(given: Sequence[npt.ArrayLike] | None, k: int, n: int, name: str) -> list[Rows] | None:
    if given is None:
        return None
    found = []
    for i, chosen in enumerate(_one_each(given, int, k, name)):
        rows = np.asarray(chosen)
        if rows.ndim != 1 or rows.size == 0 or rows.dtype.kind not in "iu":
            raise SettingError(
                f"{name} of member {i + 1} has dtype {rows.dtype} and shape {rows.shape}; expected "
                "the numbers of one row or more."
            )
        if rows.min() < 0 or rows.max() >= n:
            raise SettingError(
                f"{name} of member {i + 1} runs from {rows.min()} to {rows.max()}, but there are "
                f"{n} rows."
            )
        found.append(rows.astype(np.int64))
    return found


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
