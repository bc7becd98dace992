"""Epochs of several runs at once: whose turn it is, and on how many threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from deltaprop.engines.base import Engine
from deltaprop.training.interrupt import Interrupt
from deltaprop.training.progress import ProgressLine
from deltaprop.training.run import TrainingRun

__all__ = ["advance"]

_SHORT = 0.1e-3  # seconds of an epoch for each thread: of that, Python has half
_WORTH_A_THREAD = 0.5e-3  # seconds of work; starting one may take a third of that


def advance(
    runs: Sequence[TrainingRun], line: ProgressLine, interrupt: Interrupt, n_workers: int
) -> None:
    """Run epochs until every member is done, on so many threads.

    Of short epochs most would be Python's, of which one thread at a time gets on: each member's
    next one goes into a single call of the engine. Of others each thread takes a member's and then
    the next, so that none waits for the end of a round.
    """
    engines = {run.engine for run in runs}
    alike = len(runs) > 1 and len(engines) == 1
    if alike and _shortest_epoch(runs, line, interrupt) < n_workers * _SHORT:
        _advance_together(engines.pop(), runs, line, interrupt, n_workers)
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
                run.epoch(line, interrupt)
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


def _advance_together(
    engine: Engine,
    runs: Sequence[TrainingRun],
    line: ProgressLine,
    interrupt: Interrupt,
    n_workers: int,
) -> None:
    """Run an epoch of every member that goes on, round after round."""
    n_threads = 1
    while going := [run for run in runs if run.goes_on]:
        plans = [run.plan(line, interrupt) for run in going]
        began = time.perf_counter()
        outcomes = engine.epochs([run.engine_run for run in going], plans, n_threads)
        took = time.perf_counter() - began
        if n_threads == 1:  # the first round tells how long one thread takes
            n_threads = max(1, min(n_workers, int(took / _WORTH_A_THREAD)))
        share = took / len(going)
        for run, outcome in zip(going, outcomes, strict=True):
            run.enter(outcome, run.stopping.clock() - share, line, interrupt)


def _shortest_epoch(runs: Sequence[TrainingRun], line: ProgressLine, interrupt: Interrupt) -> float:
    """Run an epoch of two members; return the seconds of the shorter one."""
    shortest = np.inf
    for run in [run for run in runs if run.goes_on][:2]:
        began = time.perf_counter()
        run.epoch(line, interrupt)
        shortest = min(shortest, time.perf_counter() - began)
    return shortest
