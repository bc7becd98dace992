"""By how much ``deltaprop train --time-budget`` ends later than it was told.

    python benchmarks/budget.py [--seconds 20] [--processor] [NAME ...]

The tables are made here: 10,000 columns, 2,000 classes, 200,000 texts, a million categories, and a
million rows of 20 mixed columns; with --all five million of them, too. Seconds are those of the
whole command, start to exit, a model saved and a report written. On a machine that others use as
well, --processor gives the command one core and makes its clock the processor time of its own
process, which is what the seconds would be if nobody else were there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

_OWN_CLOCK = """
import sys, time
time.perf_counter = time.process_time
import deltaprop.cli.began as began
began._PROCESS_BEGAN = 0.0
from deltaprop.cli.main import main
sys.argv = ["deltaprop", *sys.argv[1:]]
status = main()
print("took", time.process_time(), file=sys.stderr)
sys.exit(status)
"""


def columns(rng: np.random.Generator) -> pl.DataFrame:
    """Return 2,000 rows of 10,000 numbers."""
    x = rng.normal(size=(2_000, 10_000)).round(3)
    y = np.where(x[:, :5].sum(axis=1) > 0, "a", "b")
    return pl.DataFrame({**{f"c{i}": x[:, i] for i in range(10_000)}, "y": y})


def classes(rng: np.random.Generator) -> pl.DataFrame:
    """Return 40,000 rows of 2,000 classes."""
    kind, centers = rng.integers(0, 2_000, 40_000), rng.normal(size=(2_000, 20))
    x = (centers[kind] + 0.5 * rng.normal(size=(40_000, 20))).round(4)
    return pl.DataFrame({**{f"c{i}": x[:, i] for i in range(20)}, "y": [f"k{i}" for i in kind]})


def texts(rng: np.random.Generator) -> pl.DataFrame:
    """Return 200,000 texts of 5 to 40 words, which follow Zipf's law."""
    weights = 1 / np.arange(1, 20_001)
    lengths = rng.integers(5, 40, 200_000)
    words = rng.choice(20_000, lengths.sum(), p=weights / weights.sum())
    each = np.split(words, np.cumsum(lengths)[:-1])
    good = [int(((part > 10) & (part < 60)).sum()) > 1 for part in each]
    told = [" ".join(f"w{word}" for word in part) for part in each]
    return pl.DataFrame({"text": told, "y": np.where(good, "pos", "neg")})


def categories(rng: np.random.Generator) -> pl.DataFrame:
    """Return a million rows, of a column with as many categories."""
    n = 1_000_000
    a = rng.normal(size=n).round(4)
    y = np.where(a + rng.normal(size=n) > 0, "u", "v")
    ids = [f"id{i}" for i in rng.integers(0, n, n)]
    return pl.DataFrame({"id": ids, "a": a, "b": rng.integers(0, 50, n), "y": y})


def rows(rng: np.random.Generator, n: int = 1_000_000) -> pl.DataFrame:
    """Return a million rows of twelve numbers and eight columns of categories."""
    x = rng.normal(size=(n, 12)).round(4)
    kinds = {f"k{j}": [f"v{i}" for i in rng.integers(0, 10 + 30 * j, n)] for j in range(8)}
    y = np.where(x[:, 0] * x[:, 1] + rng.normal(size=n) > 0, "u", "v")
    return pl.DataFrame({**{f"n{i}": x[:, i] for i in range(12)}, **kinds, "y": y})


TABLES: dict[str, Callable[[np.random.Generator], pl.DataFrame]] = {
    "columns": columns, "classes": classes, "texts": texts, "categories": categories, "rows": rows,
}  # fmt: skip


def measured(path: Path, seconds: float, processor: bool) -> tuple[float, str]:
    """Run the command; return how long it took, and what it reached."""
    given = ["train", str(path), "--target", "y", "--time-budget", f"{seconds:g}s"]
    saved = ["--model", str(path.with_suffix(".model")), "--report", str(path.with_suffix(".html"))]
    program = ["-c", _OWN_CLOCK] if processor else ["-m", "deltaprop"]
    alone = {os.sched_getaffinity(0).pop()} if processor else os.sched_getaffinity(0)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *program, *given, *saved, "--json"], capture_output=True, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, alone), check=False,
    )  # fmt: skip
    took = time.perf_counter() - began
    if done.returncode:
        return took, done.stderr.strip().splitlines()[-1]
    if processor:
        took = float(done.stderr.split()[-1])
    facts = json.loads(done.stdout)
    learnt, epochs = facts["rows"]["training"], len(facts["history"]["loss"])
    reached = f"{facts['held_out']['figure']:.4f}"
    return took, f"{learnt:,} | {facts['members']} x {epochs} | {reached}"


def main() -> None:
    """Measure the tables that are named, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--processor", action="store_true")
    parser.add_argument("--all", action="store_true")
    given = parser.parse_args()
    tables = dict(TABLES)
    if given.all:
        tables["five million rows"] = lambda rng: rows(rng, 5_000_000)
    print("| table | seconds | rows learnt | members x epochs | held-out accuracy |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in given.names or tables:
            path = Path(folder) / f"{name.replace(' ', '-')}.csv"
            tables[name](np.random.default_rng(0)).write_csv(path)
            took, told = measured(path, given.seconds, given.processor)
            print(f"| {name} | {took:.1f} | {told} |")
            sys.stdout.flush()
            path.unlink()


if __name__ == "__main__":
    main()
