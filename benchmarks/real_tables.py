"""Accuracy of ``deltaprop train`` on real tables, with no option but the target and the split.

    python benchmarks/real_tables.py [NAME ...]

Reads the tables of the folder named by DELTAPROP_SHARED (default ../shared). Where a table has an
official split, its test rows are used twice, in two runs: as ``--val`` (they choose the epoch, as
many published figures quietly do) and as ``--test`` (they only judge; a part of the training rows
chooses the epoch). Prints one row per table, with the machine and the versions.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deltaprop import __version__
from deltaprop.cli.main import main as deltaprop

DATA = Path(os.environ.get("DELTAPROP_SHARED", "../shared")).resolve() / "data"
FASHION = DATA / "fashion-mnist"


@dataclass(frozen=True)
class Table:
    """A table, where its official test rows begin, and what others reached."""

    name: str
    target: str
    first_test_row: int | None = None
    published: str = "-"


TABLES = (
    Table("penguins", "species"),
    Table("pendigits", "class", 7494, "0.978 (k-NN)"),
    Table("adult", "income", 32561, "0.8540 (tuned MLP)"),
    Table("wa_churn", "churn"),
)


def train(*words: str) -> dict[str, object]:
    """Run one command and return what it prints as JSON."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = deltaprop(["train", *words, "--json"])
    if status:
        raise SystemExit(f"deltaprop train {' '.join(words)} ended with status {status}")
    result: dict[str, object] = json.loads(out.getvalue())
    return result


def report(name: str, how: str, result: dict[str, object], seconds: float, published: str) -> None:
    """Print one row."""
    history: dict[str, list[float]] = result["history"]  # type: ignore[assignment]
    judged = result.get("test") or result.get("validation")
    if isinstance(judged, dict):
        accuracy = judged["figures"]["accuracy"]
    else:
        accuracy = history["val_metric"][history["best_epoch"]]  # type: ignore[call-overload]
    epochs = len(history["loss"])
    print(
        f"{name:<15}{how:<22}{accuracy:<10.4f}{published:<22}{epochs:>6}{seconds:>9.1f}", flush=True
    )


def timed(name: str, how: str, published: str, *words: str) -> None:
    """Train, and print the row."""
    began = time.perf_counter()
    result = train(*words)
    report(name, how, result, time.perf_counter() - began, published)


def split(table: Table, folder: Path) -> tuple[Path, Path]:
    """Write the official training and test rows as two files."""
    lines = gzip.decompress((DATA / f"{table.name}.csv.gz").read_bytes()).splitlines(keepends=True)
    parts = lines[1 : 1 + (table.first_test_row or 0)], lines[1 + (table.first_test_row or 0) :]
    paths = folder / f"{table.name}-train.csv", folder / f"{table.name}-test.csv"
    for path, part in zip(paths, parts, strict=True):
        path.write_bytes(b"".join([lines[0], *part]))
    return paths


def fashion(folder: Path) -> None:
    """Train on the IDX files, and on the same arrays in one .npz."""
    published = "0.8833 (MLP 256-128-100)"
    rows = [str(FASHION / "train-images-idx3-ubyte.gz"), "--target"]
    rows += [str(FASHION / "train-labels-idx1-ubyte.gz")]
    test = [str(FASHION / "t10k-images-idx3-ubyte.gz"), str(FASHION / "t10k-labels-idx1-ubyte.gz")]
    timed("fashion-mnist", "IDX, test judges", published, *rows, "--test", test[0],
          "--test-target", test[1])  # fmt: skip
    timed("fashion-mnist", "IDX, --val chooses", published, *rows, "--val", test[0],
          "--val-target", test[1])  # fmt: skip
    arrays = {}
    for key, name, offset in (("images", "images-idx3", 16), ("labels", "labels-idx1", 8)):
        raw = gzip.decompress((FASHION / f"t10k-{name}-ubyte.gz").read_bytes())
        values = np.frombuffer(raw, dtype=np.uint8, offset=offset)
        arrays[key] = values.reshape(-1, 28, 28) if key == "images" else values
    np.savez(folder / "fashion.npz", images=arrays["images"], labels=arrays["labels"])
    timed(
        "fashion-t10k",
        ".npz, part held out",
        "-",
        str(folder / "fashion.npz"),
        "--target",
        "labels",
    )


def run(names: list[str]) -> None:
    """Print the table for the named data sets, or all."""
    print(f"deltaprop {__version__}, numpy {np.__version__}, python {platform.python_version()}, "
          f"{os.cpu_count()} cores, {platform.machine()}")  # fmt: skip
    head = ("table", "rows judged", "accuracy", "published", "epochs", "seconds")
    print("{:<15}{:<22}{:<10}{:<22}{:>6}{:>9}".format(*head))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for table in TABLES:
            if names and table.name not in names:
                continue
            path = str(DATA / f"{table.name}.csv.gz")
            if table.first_test_row is None:
                timed(table.name, "part held out", table.published, path, "--target", table.target)
                continue
            rows, test = (str(part) for part in split(table, folder))
            for how, option in (("test judges", "--test"), ("--val chooses", "--val")):
                timed(
                    table.name, how, table.published, rows, "--target", table.target, option, test
                )
        if not names or "fashion-mnist" in names:
            fashion(folder)


if __name__ == "__main__":
    run(sys.argv[1:])
