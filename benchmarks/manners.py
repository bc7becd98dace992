"""How training behaves among others: how soon it stops when told to, and how it shares the cores.

    python benchmarks/manners.py [--quick] [--only response,load] [--write]

Response: milliseconds until ``train`` has returned, from Ctrl-C (at a random moment), from the end
of a time budget, and from a callback that answered True; for a small and a large network, with the
length of a step beside: once its weights change, it is finished. Load: four trainings as a
cross-validation would run them, one after another with all cores, and several at once. Each part
is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from common import alone, machine_sentence, tell, write_part

import deltaprop as dp
from deltaprop.benchmark import Workload, describe_machine, workload_named
from deltaprop.benchmark.tables import markdown_table
from deltaprop.engines.cores import available_cores

AIM = 50.0  # milliseconds
STOPPED = "64-32-10@32x4000,784-1024-1024-10@512x8"
LOAD = "784-256-128-10@128x100"
FOLDS = 4
FOREVER = 1_000_000
TASKS = Path("/proc/self/task")


def ready(work: Workload, data: Any) -> Callable[..., dp.History]:
    """Return the call of train, its network drawn already."""
    network = dp.Network(work.widths, hidden="relu", loss="cross_entropy")
    parameters = network.init(np.random.default_rng(1))
    return partial(dp.train, network, parameters, *data, batch_size=work.batch)


def train(work: Workload, data: Any, **settings: Any) -> dp.History:
    return ready(work, data)(**settings)


# how soon it stops


def after_ctrl_c(work: Workload, data: Any) -> float:
    """Press Ctrl-C at some moment after the first epoch; return the seconds until it returned."""
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(random.uniform(0.02, 0.3), press)

    def begin(state: dp.TrainingState) -> None:
        if state.epoch == 0:
            timer.start()

    history = train(work, data, epochs=FOREVER, callbacks=[begin])
    seconds = time.perf_counter() - pressed[0]
    assert history.stopped_because == "interrupted"
    return seconds


def after_the_budget(work: Workload, data: Any) -> float:
    """Return by how many seconds it took longer than it was given, checking the rows included."""
    budget, run = random.uniform(0.2, 0.5), ready(work, data)
    began = time.perf_counter()
    history = run(epochs=FOREVER, time_budget=budget)
    seconds = time.perf_counter() - began - budget
    assert history.stopped_because == "time_budget"
    return seconds


def after_the_callback(work: Workload, data: Any) -> float:
    """Return the seconds from the answer True to the return."""
    answered = 0.0

    def stop(state: dp.TrainingState) -> bool:
        nonlocal answered
        answered = time.perf_counter()
        return state.epoch == 1

    history = train(work, data, epochs=FOREVER, callbacks=[stop])
    seconds = time.perf_counter() - answered
    assert history.stopped_because == "callback"
    return seconds


WAYS: dict[str, Callable[[Workload, Any], float]] = {
    "Ctrl-C": after_ctrl_c,
    "the end of the time budget": after_the_budget,
    "a callback's answer": after_the_callback,
}


def length_of_a_step(work: Workload, data: Any) -> float:
    """Return the median over a few epochs, in seconds."""
    return median(train(work, data, epochs=4).seconds[1:]) / work.steps


def responses(works: list[Workload], times: int) -> list[dict[str, Any]]:
    """Return, for each network and way to stop it, the milliseconds of every try."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started this may ignore it
    found = []
    for work in works:
        data = work.data()
        step = 1e3 * length_of_a_step(work, data)
        for way, measure in WAYS.items():
            tell(f"{work.name}: {way}")
            waits = [1e3 * measure(work, data) for _ in range(times)]
            found.append({"widths": work.widths, "batch": work.batch, "step": step, "way": way,
                          "waits": waits})  # fmt: skip
    return found


def response_part(found: list[dict[str, Any]]) -> str:
    """Return the table of waits, and what it shows."""
    rows = [
        ["-".join(map(str, f["widths"])), f"{f['batch']:,}", f"{f['step']:.2f}", f["way"],
         f"{median(f['waits']):.1f}", f"{max(f['waits']):.1f}"]
        for f in found
    ]  # fmt: skip
    header = ["widths", "batch", "ms of a step", "told by", "ms, median", "ms, longest"]
    longest = max(found, key=lambda f: max(f["waits"]))
    said = (
        f"The longest wait was {max(longest['waits']):.0f} ms ({longest['way']}, "
        f"{'-'.join(map(str, longest['widths']))}, {longest['step']:.0f} ms a step). The aim is "
        f"{AIM:.0f} ms: {'met' if max(longest['waits']) <= AIM else 'missed'}."
    )
    before = (
        f"Milliseconds until `train` has returned, {len(found[0]['waits'])} times each; the budget "
        "counts from the call, so checking the rows is part of it:"
    )
    return "\n\n".join(["### Stopping", before, markdown_table(header, rows), said])


# how it shares the cores


class Fold:
    """A task for whatever process or thread it is given to: train one of the folds."""

    def __init__(self, work: Workload, epochs: int, n_threads: int | None = None) -> None:
        self.work, self.epochs, self.n_threads = work, epochs, n_threads

    def __call__(self, seed: int) -> None:
        """Train it."""
        train(self.work, self.work.data(seed), epochs=self.epochs, seed=seed,
              n_threads=self.n_threads)  # fmt: skip

    def threads(self, _seed: int) -> int:
        """Return how many threads a training has here; where none are counted, may have."""
        if not TASKS.exists():
            return self.n_threads or available_cores()
        counts: list[int] = []

        def clock() -> float:
            """Count whenever the loop looks at the time: before, during and after an epoch."""
            counts.append(len(list(TASKS.iterdir())))
            return 0.0

        train(self.work, self.work.data(), epochs=1, n_threads=self.n_threads, time_budget=1e9,
              clock=clock)  # fmt: skip
        return max(counts) - min(counts) + 1


def one_after_another(task: Callable[[int], Any], _at_once: int) -> list[Any]:
    return [task(seed) for seed in range(FOLDS)]


def by_joblib(task: Callable[[int], Any], at_once: int, backend: str) -> list[Any]:
    joblib: Any = importlib.import_module("joblib")
    jobs = joblib.Parallel(n_jobs=at_once, backend=backend)
    results: list[Any] = jobs(joblib.delayed(task)(seed) for seed in range(FOLDS))
    return results


def by_processes(task: Callable[[int], Any], at_once: int) -> list[Any]:
    return by_joblib(task, at_once, "loky")


def by_threads(task: Callable[[int], Any], at_once: int) -> list[Any]:
    return by_joblib(task, at_once, "threading")


def by_fork(task: Callable[[int], Any], at_once: int) -> list[Any]:
    """Fork, with nothing that tells a process to leave cores to the others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with multiprocessing.get_context("fork").Pool(at_once) as pool:
            return pool.map(task, range(FOLDS), chunksize=1)


def loads(work: Workload, rounds: int, epochs: int) -> list[dict[str, Any]]:
    """Return the seconds of every turn of every way to run the folds."""
    cores, free, held = available_cores(), Fold(work, epochs), Fold(work, epochs, n_threads=1)
    ways: dict[str, tuple[Callable[..., list[Any]], int, Fold]] = {
        "one after another": (one_after_another, 1, free),
        "one after another, n_threads=1": (one_after_another, 1, held),
    }
    if find_spec("joblib"):
        ways["joblib, processes (loky)"] = (by_processes, cores, free)
        ways["joblib, threads"] = (by_threads, cores, free)
    if "fork" in multiprocessing.get_all_start_methods():
        ways["multiprocessing, fork"] = (by_fork, cores, free)
        ways["multiprocessing, fork, n_threads=1"] = (by_fork, cores, held)
    found: list[dict[str, Any]] = []
    for name, (way, at_once, task) in ways.items():
        tell(f"{name}: getting ready")
        way(Fold(work, 1), at_once)  # starts what stays
        # whose the threads of one process are cannot be told
        threads = None if way is by_threads else max(way(task.threads, at_once))
        found.append({"way": name, "at_once": at_once, "threads": threads, "seconds": []})
    for turn in range(rounds):
        for f, (name, (way, at_once, task)) in zip(found, ways.items(), strict=True):
            tell(f"{name}, turn {turn + 1} of {rounds}")
            began = time.perf_counter()
            way(task, at_once)
            f["seconds"].append(time.perf_counter() - began)
    return found


def load_part(work: Workload, found: list[dict[str, Any]]) -> str:
    """Return the table of seconds, and what it shows."""
    alone_takes = median(found[0]["seconds"])
    rows = [
        [f["way"], str(f["at_once"]), str(f["threads"] or "-"), f"{median(f['seconds']):.2f}",
         f"{max(f['seconds']):.2f}", f"{median(f['seconds']) / alone_takes:.2f}x"]
        for f in found
    ]  # fmt: skip
    header = ["how", "at once", "threads of each", "seconds, median", "longest", "beside the first"]
    slowest = max(found[1:], key=lambda f: median(f["seconds"]))
    fastest = min(found, key=lambda f: median(f["seconds"]))
    ratio = median(slowest["seconds"]) / median(fastest["seconds"])
    crowded = [f for f in found if (f["threads"] or available_cores()) * f["at_once"]
               > available_cores()]  # fmt: skip
    said = f"Fastest: {fastest['way']}. Slowest: {slowest['way']}, {ratio:.2f}x as long."
    if crowded:
        worst = max(median(f["seconds"]) for f in crowded) / alone_takes
        said += (
            f" With more threads than cores ({'; '.join(f['way'] for f in crowded)}) it took "
            f"at most {worst:.2f}x as long as one training after another."
        )
    cores = "1 core" if available_cores() == 1 else f"{available_cores()} cores"
    before = (
        f"{FOLDS} trainings of {'-'.join(map(str, work.widths))}, batch {work.batch}, "
        f"{work.rows:,} rows, as a cross-validation runs them (making the rows included), on "
        f"{cores}; {len(found[0]['seconds'])} turns:"
    )
    return "\n\n".join(["### Sharing the cores", before, markdown_table(header, rows), said])


def in_a_process(part: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    words = [sys.executable, __file__, "--one", part, *(["--quick"] if options.quick else [])]
    words += ["--stopped", options.stopped, "--load", options.load]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="How training behaves among others.")
    parser.add_argument("--only", default="response,load")
    parser.add_argument("--stopped", default=STOPPED, help="shapes to stop, WIDTHS@BATCHxSTEPS")
    parser.add_argument("--load", default=LOAD, help="the shape of which several are trained")
    parser.add_argument("--quick", action="store_true", help="twice, and one turn of one epoch")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    parser.add_argument("--one", help=argparse.SUPPRESS)  # what a process of its own is told
    options = parser.parse_args()
    stopped = [workload_named(name) for name in options.stopped.split(",")]
    load = workload_named(options.load)
    if options.one == "response":
        print(json.dumps(responses(stopped, times=2 if options.quick else 20)))
    elif options.one == "load":
        rounds, epochs = (1, 1) if options.quick else (5, 10)
        print(json.dumps(loads(load, rounds, epochs)))
    else:
        report(options, load)


def report(options: argparse.Namespace, load: Workload) -> None:
    """Measure what is wanted, print it, and write it where asked."""
    only = options.only.split(",")
    machine = describe_machine()
    parts = []
    with alone():
        if "response" in only:
            parts.append(response_part(in_a_process("response", options)))
        if "load" in only:
            parts.append(load_part(load, in_a_process("load", options)))
    joblib = {"joblib": version("joblib")} if find_spec("joblib") else {}
    text = "\n\n".join([machine_sentence(machine, joblib), *parts])
    print(text)
    if options.write:
        write_part("manners", text)


if __name__ == "__main__":
    main()
