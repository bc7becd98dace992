"""Accuracy of ``deltaprop train`` on real tables, with no option but the target and the split.

    python benchmarks/real_tables.py [--write] [NAME ...]

Reads the tables of the folder named by DELTAPROP_SHARED (default ../shared). Where a table has an
official split, its test rows are used twice, in two runs: as ``--val`` (they choose the epoch, as
many published figures quietly do) and as ``--test`` (they only judge; the training rows choose
the epoch).
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import alone, machine_sentence, tell, write_part

from deltaprop.benchmark import describe_machine
from deltaprop.cli.main import main as deltaprop

DATA = Path(os.environ.get("DELTAPROP_SHARED", "../shared")).resolve() / "data"
FASHION = DATA / "fashion-mnist"
JUDGE, CHOOSE = "official test rows, only judging", "official test rows, choosing the epoch"
HELD = "held out"


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


def timed(name: str, how: str, published: str, *words: str) -> str:
    """Train, and return a row of the table."""
    tell(f"{name}, {how}")
    began = time.perf_counter()
    result = train(*words)
    seconds = time.perf_counter() - began
    judged: Any = result.get("test") or result.get("validation")
    held: Any = result["held_out"]
    accuracy = held["figure"] if judged is None else judged["figures"]["accuracy"]
    rows = held["rows"] if judged is None else judged["rows"]
    cells = (name, f"{rows:,} {how}", f"{accuracy:.4f}", published, f"{seconds:.1f}")
    return f"| {' | '.join(cells)} |"


def split(table: Table, folder: Path) -> tuple[Path, Path]:
    """Write the official training and test rows as two files."""
    lines = gzip.decompress((DATA / f"{table.name}.csv.gz").read_bytes()).splitlines(keepends=True)
    parts = lines[1 : 1 + (table.first_test_row or 0)], lines[1 + (table.first_test_row or 0) :]
    paths = folder / f"{table.name}-train.csv", folder / f"{table.name}-test.csv"
    for path, part in zip(paths, parts, strict=True):
        path.write_bytes(b"".join([lines[0], *part]))
    return paths


def fashion(folder: Path) -> list[str]:
    """Train on the IDX files, and on the same arrays in one .npz."""
    published = "0.8833 (MLP 256-128-100)"
    images, labels = (f"train-{kind}-idx{n}-ubyte.gz" for kind, n in (("images", 3), ("labels", 1)))
    rows = [str(FASHION / images), "--target", str(FASHION / labels)]
    test = [str(FASHION / name.replace("train", "t10k")) for name in (images, labels)]
    arrays = {}
    for key, name, offset in (("images", "images-idx3", 16), ("labels", "labels-idx1", 8)):
        raw = gzip.decompress((FASHION / f"t10k-{name}-ubyte.gz").read_bytes())
        values = np.frombuffer(raw, dtype=np.uint8, offset=offset)
        arrays[key] = values.reshape(-1, 28, 28) if key == "images" else values
    both = folder / "fashion.npz"
    np.savez(both, images=arrays["images"], labels=arrays["labels"])
    name = "Fashion-MNIST (IDX)"
    return [
        timed(name, JUDGE, published, *rows, "--test", test[0], "--test-target", test[1]),
        timed(name, CHOOSE, published, *rows, "--val", test[0], "--val-target", test[1]),
        timed("its test rows (.npz)", HELD, "-", str(both), "--target", "labels"),
    ]


def run(names: list[str]) -> str:
    """Return the table for the named data sets, or all, as Markdown."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for table in TABLES:
            if names and table.name not in names:
                continue
            words = (str(DATA / f"{table.name}.csv.gz"), "--target", table.target)
            if table.first_test_row is None:
                rows.append(timed(table.name, HELD, table.published, *words))
                continue
            learnt, test = (str(part) for part in split(table, folder))
            words = (learnt, "--target", table.target)
            rows.append(timed(table.name, JUDGE, table.published, *words, "--test", test))
            rows.append(timed(table.name, CHOOSE, table.published, *words, "--val", test))
        if not names or "fashion-mnist" in names:
            rows += fashion(folder)
    head = "| table | rows judged | accuracy | published | seconds, whole command |"
    table_of_all = "\n".join([head, "|---|---|---|---|---|", *rows])
    return f"{machine_sentence(describe_machine(), {'numpy': np.__version__})}\n\n{table_of_all}"


def main() -> None:
    known = [*(table.name for table in TABLES), "fashion-mnist"]
    parser = argparse.ArgumentParser(description="deltaprop train with no option.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"no table is called {', '.join(unknown)}; known: {', '.join(known)}")
    with alone():
        text = run(options.names)
    print(text)
    if options.write:
        write_part("real-tables", text)


if __name__ == "__main__":
    main()
