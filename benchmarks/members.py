"""What several networks cost that are trained at once, beside as many trained one after another.

    python benchmarks/members.py [--quick] [--k 8] [--trained 16-96-96-96-26@256x28] [--write]

Each way gets the same k networks from the same starts, over the same rows, to the same bits: k
calls of ``train`` with every core, and one of ``train_members``. Milliseconds, median of the turns,
which the ways take one after another.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from common import alone, machine_sentence, tell, write_part

import deltaprop as dp
from deltaprop.benchmark import Workload, describe_machine, workload_named
from deltaprop.benchmark.tables import markdown_table

TRAINED = "4-16-3@32x5,12-128-128-3@32x16,16-96-96-96-26@256x28,54-256-256-256-7@256x28"


def ways(work: Workload, k: int, epochs: int) -> dict[str, Callable[[], list[dp.Parameters]]]:
    """Return what is timed: each gives the networks it has trained."""
    network = dp.Network(work.widths, hidden="relu", loss="cross_entropy")
    data = work.data()
    settings = {"batch_size": work.batch, "epochs": epochs}

    def starts(n: int) -> list[dp.Parameters]:
        return [network.init(np.random.default_rng(seed)) for seed in range(n)]

    def one_by_one(n: int) -> list[dp.Parameters]:
        members = starts(n)
        for seed, member in enumerate(members):
            dp.train(network, member, *data, seed=seed, **settings)
        return members

    def at_once() -> list[dp.Parameters]:
        members = starts(k)
        dp.train_members(network, members, *data, **settings)
        return members

    return {"one": lambda: one_by_one(1), "k": lambda: one_by_one(k), "members": at_once}


def measure_work(work: Workload, k: int, turns: int, seconds: float) -> list[str]:
    """Return a row: milliseconds, and how the ways compare."""
    tell(f"{work.name}: getting ready")
    began = time.perf_counter()
    ways(work, k, 3)["one"]()
    epochs = max(3, min(500, round(3 * seconds / (time.perf_counter() - began))))
    timed = ways(work, k, epochs)
    spent: dict[str, list[float]] = {name: [] for name in timed}
    for turn in range(turns):
        tell(f"{work.name}: turn {turn + 1} of {turns}")
        found = {}
        for name, way in timed.items():
            began = time.perf_counter()
            found[name] = way()
            spent[name].append(1e3 * (time.perf_counter() - began))
        for a, b in zip(found["k"], found["members"], strict=True):
            assert np.array_equal(a.flat, b.flat), "members differ from networks trained alone"
    one, each, members = (median(spent[name]) for name in ("one", "k", "members"))
    widths = "-".join(map(str, work.widths))
    return [
        widths, f"{work.batch:,}", f"{work.rows:,}", str(epochs), f"{one:,.1f}", f"{each:,.1f}",
        f"{members:,.1f}", f"{members / each:.2f}", f"{members / one:.1f}x",
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="What networks cost that are trained at once.")
    parser.add_argument("--trained", default=TRAINED, help="networks, WIDTHS@BATCHxSTEPS")
    parser.add_argument("--k", type=int, default=8, help="how many networks")
    parser.add_argument("--quick", action="store_true", help="one short turn")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    options = parser.parse_args()
    works = [workload_named(name) for name in options.trained.split(",")]
    turns, seconds = (1, 0.02) if options.quick else (5, 0.25)
    machine, k = describe_machine(), options.k
    with alone():
        rows = [measure_work(work, k, turns, seconds) for work in works]
    header = [
        "widths", "batch", "rows", "epochs", "ms, 1 `train`", f"ms, {k} `train`",
        "ms, `train_members`", f"beside {k} `train`", "beside 1 `train`",
    ]  # fmt: skip
    about = f"k = {k} networks over the same rows, to the same bits; median of {turns}:"
    text = "\n\n".join([machine_sentence(machine, {}), about, markdown_table(header, rows)])
    print(text)
    if options.write:
        write_part("members", text)


if __name__ == "__main__":
    main()
