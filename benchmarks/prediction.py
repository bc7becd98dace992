"""What prediction by the native engine costs: processor time of one thread, and of one row.

python benchmarks/prediction.py            print the table
python benchmarks/prediction.py --write    put it into docs/performance.md
"""

from __future__ import annotations

import argparse
import functools
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse
from common import machine_sentence, write_part

import deltaprop as dp
from deltaprop.benchmark.machine import describe_machine
from deltaprop.engines import ENGINES

ROWS, REPEATS = 100_000, 7
HIDDEN = (96, 96, 96)


def best(work: Callable[[], object], calls: int = 1) -> float:
    """Return the least processor time of a call, of some repeats."""
    times = []
    for _ in range(REPEATS):
        before = time.process_time()
        for _ in range(calls):
            work()
        times.append((time.process_time() - before) / calls)
    return min(times)


def one_hot(n: int, entries: int, width: int, rng: np.random.Generator) -> Any:
    """Return rows of so many ones, one in each of as many groups of columns."""
    each = width // entries
    columns = rng.integers(0, each, (n, entries)) + each * np.arange(entries)
    starts = np.arange(n + 1) * entries
    return scipy.sparse.csr_array(
        (np.ones(n * entries, np.float32), columns.ravel(), starts), shape=(n, width)
    )


def line(what: str, rows: Any, activation: str = "selu") -> str:
    """Return a line of the table: milliseconds for all rows, in each precision."""
    network = dp.Network([rows.shape[1], *HIDDEN, 2], activation)
    parameters = network.init(np.random.default_rng(0))
    times = []
    for dtype in ("float32", "float64"):
        predictor = ENGINES["native"].predictor(
            network, parameters, dtype, sparse=hasattr(rows, "indptr")
        )
        times.append(f"{1000 * best(functools.partial(predictor.logits, rows)):.1f}")
    return f"| {what} | {activation} | {' | '.join(times)} |"


def latency() -> str:
    """Return what a single row costs, in microseconds."""
    network = dp.Network([20, *HIDDEN, 2], "selu")
    parameters, engine = network.init(np.random.default_rng(0)), ENGINES["native"]
    row = np.zeros((1, 20), np.float32)
    kept = engine.predictor(network, parameters, "float32")
    anew = 1e6 * best(lambda: engine.logits(network, parameters, row, "float32"), 200)
    asked = 1e6 * best(lambda: kept.logits(row), 2000)
    return (
        f"One row of 20 numbers in float32 takes {asked:.1f} us with a predictor that is kept and "
        f"{anew:.0f} us where it is made anew."
    )


def main() -> None:
    """Measure and print or write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    where = machine_sentence(describe_machine(), {})
    os.environ["DELTAPROP_NUM_THREADS"] = "1"
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(ROWS, 20))
    wide = rng.normal(size=(ROWS // 5, 900))
    lines = [line("20 numbers, float64", dense)]
    lines += [
        line("20 numbers, float32", dense.astype(np.float32), f)
        for f in ("selu", "relu", "sigmoid", "tanh", "silu", "softplus", "gelu", "mish")
    ]
    lines += [
        line(f"900 numbers, float64, {ROWS // 5:,} rows", wide),
        line(f"900 numbers, float32, {ROWS // 5:,} rows", wide.astype(np.float32)),
        line("900 columns, 20 ones in a row, sparse", one_hot(ROWS, 20, 900, rng)),
    ]
    end = latency()
    head = [
        where, "",
        f"Milliseconds of processor time on one thread for {ROWS:,} rows through 96-96-96-2:", "",
        "| rows | activation | float32 | float64 |", "| --- | --- | --- | --- |",
    ]  # fmt: skip
    text = "\n".join([*head, *lines, "", end])
    print(text)
    if chosen.write:
        write_part("prediction", text)


if __name__ == "__main__":
    main()
