"""Predicting and judging take the same memory, however many rows there are."""

import json
import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from deltaprop.cli.main import main

# not getrusage: its peak counts what the process had that began this one
PEAK = """
import json, re, sys
from deltaprop.cli.main import main
status = main(sys.argv[2:])
with open("/proc/self/status") as file:
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", file.read())[1]) / 1024
with open(sys.argv[1], "w") as file:
    json.dump([status, peak], file)
"""


def table(n, seed=0):
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n, 6)).round(4)
    kinds = {f"k{i}": [f"v{c}" for c in rng.integers(0, 20 + 60 * i, n)] for i in range(5)}
    y = np.where(numbers[:, 0] + rng.normal(size=n) > 0, "u", "v")
    return pl.DataFrame({**{f"n{i}": numbers[:, i] for i in range(6)}, **kinds, "y": y})


def megabytes(folder, *words):
    """Run a command in a process of its own; return the most memory it had."""
    # of one thread, whose buffers are as many on any machine
    env = {**os.environ, "POLARS_MAX_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"}
    told = folder / "told.json"
    subprocess.run([sys.executable, "-c", PEAK, told, *words], env=env, check=True, cwd=folder)
    status, peak = json.loads(told.read_text())
    assert status == 0
    return peak


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read in /proc")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_memory_does_not_grow_with_the_rows(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    table(2_000).write_csv("few.csv")
    assert (
        main(
            ["train", "few.csv", "--target", "y", "--members", "1", "--epochs", "2", "--model", "m"]
        )
        == 0
    )
    peaks = {}
    for n in (200_000, 800_000):
        rows = table(n, seed=n)
        if form == "csv":
            rows.write_csv(f"{n}.csv")
        else:
            rows.write_parquet(f"{n}.parquet")
        for command in (["predict", "--out", "a.csv"], ["evaluate"]):
            words = [command[0], "m", f"{n}.{form}", *command[1:]]
            peaks[command[0], n] = megabytes(tmp_path, *words)
    for command in ("predict", "evaluate"):
        assert peaks[command, 800_000] < 300
        # what is kept of a row: of evaluate its answer, its class, its probability and its mark
        assert peaks[command, 800_000] - peaks[command, 200_000] < 60
