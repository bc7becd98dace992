"""Measuring: every library in a process of its own, in turns, and the median of the turns.

A library keeps its threads, and some let them spin for a while after the work is done; so each
has a process, which lives through the whole run and sleeps while the others are measured. The
turns go A B A B, so that whatever slows the machine for a minute slows all of them.
"""

from __future__ import annotations

import json
import os
import subprocess  # the same Python, with arguments of our own
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple, Self

from deltaprop.benchmark.machine import describe_machine
from deltaprop.benchmark.peers import Peer
from deltaprop.benchmark.workloads import Workload
from deltaprop.errors import DeltapropError

__all__ = ["LeftOut", "Measurement", "Results", "measure"]


class LeftOut(NamedTuple):
    """A library that was not measured, or not on one workload, and why."""

    peer: str
    work: str | None
    reason: str


@dataclass(frozen=True)
class Measurement:
    """What one library took for one workload.

    Attributes
    ----------
    work : Workload
        What was trained.
    peer : Peer
        By what.
    rounds : tuple of float
        Microseconds per step, one figure for each turn.
    first : float
        Seconds from the arrays to the end of the first epoch: preparing, compiling, and an epoch.
    """

    work: Workload
    peer: Peer
    rounds: tuple[float, ...]
    first: float

    @property
    def microseconds(self) -> float:
        """Return the median, per step."""
        return median(self.rounds)


@dataclass
class Results:
    """Everything that was measured, and where.

    Attributes
    ----------
    works : list of Workload
        In the order of the table.
    peers : list of Peer
        Those that were measured, in order.
    measurements : list of Measurement
        One for each pair that worked.
    left_out : list of LeftOut
        The others.
    machine : dict
        See ``describe_machine``.
    """

    works: list[Workload]
    peers: list[Peer] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    machine: dict[str, Any] = field(default_factory=describe_machine)

    @property
    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries that were measured."""
        return {name: value for peer in self.peers for name, value in peer.versions.items()}

    @property
    def remarks(self) -> list[str]:
        """Return a sentence for each reason why something was left out."""
        where: dict[tuple[str, str], list[str]] = {}
        for item in self.left_out:
            where.setdefault((item.peer, item.reason), []).extend([item.work] if item.work else [])
        return [
            f"{peer} is left out{f' in {_listed(works, len(self.works))}' if works else ''}: "
            f"{reason.rstrip('.')}."
            for (peer, reason), works in where.items()
        ]


def measure(
    works: Sequence[Workload],
    peers: Sequence[Peer],
    *,
    rounds: int = 5,
    seconds: float = 0.3,
    tell: Callable[[str], object] = lambda _text: None,
) -> Results:
    """Measure libraries on workloads.

    Parameters
    ----------
    works : sequence of Workload
        What to train.
    peers : sequence of Peer
        By what; one that is not installed, or fails, is left out and listed.
    rounds : int
        Turns of each library.
    seconds : float
        Whole epochs are repeated in a turn until it takes at least about this long.
    tell : callable
        Given a short text whenever something begins.

    Returns
    -------
    Results
        The times, and what was left out.
    """
    results = Results(list(works))
    for peer in peers:
        if peer.installed:
            results.peers.append(peer)
        else:
            results.left_out.append(LeftOut(peer.title, None, f"{peer.package} is not installed"))
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(peer)) for peer in results.peers]
        for work in works:
            _measure_one(work, workers, results, rounds, seconds, tell)
    return results


def _listed(works: list[str], of: int) -> str:
    return "every row" if len(works) == of > 1 else ", ".join(works)


def _measure_one(
    work: Workload,
    workers: list[Worker],
    results: Results,
    rounds: int,
    seconds: float,
    tell: Callable[[str], object],
) -> None:
    """Measure one workload with all of them, and enter it in the results."""
    firsts: dict[Worker, float] = {}
    counts: dict[Worker, int] = {}
    times: dict[Worker, list[float]] = {worker: [] for worker in workers}
    for turn in range(rounds + 1):  # the first one gets ready
        what = f", turn {turn} of {rounds}" if turn else " gets ready"
        for worker in tuple(times):
            tell(f"{work.name}: {worker.peer.title}{what}")
            try:
                if turn:
                    spent = worker.ask({"do": "run", "epochs": counts[worker]})
                    times[worker].append(1e6 * spent / (counts[worker] * work.steps))
                else:
                    firsts[worker] = worker.ask({"do": "start", "work": work.to_dict()})
                    once = worker.ask({"do": "run", "epochs": 1})
                    counts[worker] = max(1, min(1000, round(seconds / max(once, 1e-6))))
            except WorkerError as error:
                results.left_out.append(LeftOut(worker.peer.title, work.name, str(error)))
                del times[worker]
    results.measurements += [
        Measurement(work, worker.peer, tuple(found), firsts[worker])
        for worker, found in times.items()
    ]


class WorkerError(DeltapropError):
    """A library could not do it; the message is its own."""


class Worker:
    """A process that holds one library and sleeps between its turns.

    Parameters
    ----------
    peer : Peer
        The library.
    environment : mapping of str, optional
        Environment variables that differ from this process's; None takes one away.
    """

    def __init__(self, peer: Peer, environment: Mapping[str, str | None] | None = None) -> None:
        self.peer = peer
        changed = {**os.environ, **(environment or {})}
        self._environment = {name: value for name, value in changed.items() if value is not None}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
            [sys.executable, "-W", "ignore", "-m", "deltaprop.benchmark.worker", self.peer.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=self._environment,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._process.kill()
        with suppress(OSError):
            self._process.communicate()

    def ask(self, order: dict[str, Any]) -> float:
        """Return the seconds it took, or raise with the reason it could not."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            raise WorkerError(f"its process ended with status {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return float(answer["seconds"])
