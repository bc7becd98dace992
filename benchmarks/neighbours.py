"""How much a busy machine slows training: other programs on every core, with and without a retreat.

    python benchmarks/neighbours.py [--quick] [--trained 12-128-128-3@32x10] [--write]

Threads of a team wait for each other, so one that has lost its core holds all of them up. A team
that loses much of its time becomes smaller for a while (native/team_size.hpp);
DELTAPROP_LOST_SHARE=1 takes that away. Milliseconds of one call of ``train``, median of the turns,
the settings taking turns, first beside nothing and then beside as many processes that only count as
there are cores.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

import numpy as np
from common import alone, machine_sentence, tell, write_part

import deltaprop as dp
from deltaprop.benchmark import Workload, describe_machine, workload_named
from deltaprop.benchmark.tables import markdown_table
from deltaprop.engines.cores import available_cores

TRAINED = "12-128-128-3@32x10,256-256-256-10@128x20,784-1024-1024-10@512x4"
NEVER = "1"


class Setting(NamedTuple):
    """How many threads may be had, and whether they may become fewer."""

    name: str
    n_threads: int | None
    lost_share: str | None


SETTINGS = (
    Setting("one thread", 1, None),
    Setting("a team that never changes", None, NEVER),
    Setting("as it comes", None, None),
)


def count_for_ever() -> None:
    n = 0
    while True:
        n += 1


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """Keep so many processes counting meanwhile."""
    processes = [multiprocessing.Process(target=count_for_ever, daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


@contextmanager
def lost_share(share: str | None) -> Iterator[None]:
    """Set what a team may lose, as the kernels read it when training begins."""
    before = os.environ.pop("DELTAPROP_LOST_SHARE", None)
    if share is not None:
        os.environ["DELTAPROP_LOST_SHARE"] = share
    try:
        yield
    finally:
        os.environ.pop("DELTAPROP_LOST_SHARE", None)
        if before is not None:
            os.environ["DELTAPROP_LOST_SHARE"] = before


def once(work: Workload, setting: Setting, epochs: int) -> float:
    """Return the milliseconds of one training."""
    network = dp.Network(work.widths, hidden="relu", loss="cross_entropy")
    parameters, data = network.init(np.random.default_rng(1)), work.data()
    with lost_share(setting.lost_share):
        began = time.perf_counter()
        dp.train(
            network, parameters, *data, batch_size=work.batch, epochs=epochs,
            n_threads=setting.n_threads,
        )  # fmt: skip
        return 1e3 * (time.perf_counter() - began)


def measure_work(work: Workload, turns: int, seconds: float) -> list[list[str]]:
    """Return a row for each setting: milliseconds on a quiet and on a busy machine."""
    tell(f"{work.name}: getting ready")
    first = once(work, SETTINGS[0], 2) / 2
    epochs = max(2, min(500, round(1e3 * seconds / first)))
    found: dict[tuple[str, bool], list[float]] = {}
    for busy in (False, True):
        with neighbours(available_cores() if busy else 0):
            for turn in range(turns):
                tell(f"{work.name}, {'busy' if busy else 'quiet'}: turn {turn + 1} of {turns}")
                for setting in SETTINGS:
                    spent = once(work, setting, epochs)
                    found.setdefault((setting.name, busy), []).append(spent)
    rows = []
    for setting in SETTINGS:
        quiet, busy_ms = (median(found[setting.name, busy]) for busy in (False, True))
        rows.append(
            ["-".join(map(str, work.widths)), f"{work.batch:,}", str(epochs), setting.name,
             f"{quiet:,.1f}", f"{busy_ms:,.1f}", f"{busy_ms / quiet:.1f}x"]
        )  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="How a busy machine slows training.")
    parser.add_argument("--trained", default=TRAINED, help="networks, WIDTHS@BATCHxSTEPS")
    parser.add_argument("--quick", action="store_true", help="one short turn")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    options = parser.parse_args()
    works = [workload_named(name) for name in options.trained.split(",")]
    turns, seconds = (1, 0.05) if options.quick else (5, 0.5)
    machine = describe_machine()
    with alone():
        rows = [row for work in works for row in measure_work(work, turns, seconds)]
    header = ["widths", "batch", "epochs", "threads", "ms, quiet", "ms, busy", "busy beside quiet"]
    about = (
        f"Milliseconds of one `train`, median of {turns}; busy means {available_cores()} processes "
        "beside it that only count:"
    )
    text = "\n\n".join([machine_sentence(machine, {}), about, markdown_table(header, rows)])
    print(text)
    if options.write:
        write_part("neighbours", text)


if __name__ == "__main__":
    main()
