"""Epochs of several runs at once: whose turn it is, and on how many threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from deltaprop.engines.base import Engine
from deltaprop.training.history import History
from deltaprop.training.interrupt import Interrupt
from deltaprop.training.progress import ProgressLine
from deltaprop.training.run import TrainingRun

__all__ = ["advance", "lines_of"]

Lines: TypeAlias = "dict[TrainingRun, _Turn]"

_SHORT = 0.1e-3  # seconds of an epoch for each thread: of that, Python has half
_WORTH_A_THREAD = 0.5e-3  # seconds of work; starting one may take a third of that


def lines_of(runs: Sequence[TrainingRun], line: ProgressLine) -> Lines:
    """Return for each run its share of the line that shows all of them."""
    together = _Together(line, len(runs), sum(run.history.n_epochs for run in runs))
    return {run: _Turn(together, number) for number, run in enumerate(runs)}


def advance(lines: Lines, interrupt: Interrupt, n_workers: int) -> None:
    """Run epochs until every member is done, on so many threads.

    Of short epochs most would be Python's, of which one thread at a time gets on: each member's
    next one goes into a single call of the engine. Of others each thread takes a member's and then
    the next, so that none waits for the end of a round.
    """
    runs = list(lines)
    engines = {run.engine for run in runs}
    if (
        len(runs) > 1
        and len(engines) == 1
        and _shortest_epoch(lines, interrupt) < n_workers * _SHORT
    ):
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


def _advance_together(engine: Engine, lines: Lines, interrupt: Interrupt, n_workers: int) -> None:
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


def _shortest_epoch(lines: Lines, interrupt: Interrupt) -> float:
    """Run an epoch of two members; return the seconds of the shorter one."""
    shortest = np.inf
    for run in [run for run in lines if run.goes_on][:2]:
        began = time.perf_counter()
        run.epoch(lines[run], interrupt)
        shortest = min(shortest, time.perf_counter() - began)
    return shortest


class _Together:
    """Shows k members as one: their epochs, one after another, in a k-th of the width."""

    def __init__(self, line: ProgressLine, k: int, done: int) -> None:
        self._line, self._k, self._done = line, k, done

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
