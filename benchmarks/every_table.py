"""Every table from its file to its report: trained, saved, read again, judged, with every preset.

    python benchmarks/every_table.py [--presets plain,fast,best] [--write] [NAME ...]

The tables are those of the folder named by DELTAPROP_SHARED (default ../shared), scikit-learn's,
and ten awkward ones (awkward.py). Of each, some rows are written to one file and others to a
second; ``deltaprop train`` learns from the first with no option but target, preset, model and
report, and ``predict`` and ``evaluate`` read the model in processes of their own and judge it on
the second. Whatever is not as it should be (an exit status, a warning of another library, rows
without an answer, a report that is not whole) is listed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import awkward
import numpy as np
import polars as pl
from accuracy_learners import DATA
from accuracy_learners import TABLES as SHARED
from common import HERE, alone, machine_sentence, tell, write_part

from deltaprop import __version__
from deltaprop.benchmark import describe_machine
from deltaprop.benchmark.tables import markdown_table

PRESETS = ("plain", "fast", "best")
MOST_ROWS = 8_000  # to learn from, and as many to judge by
SKLEARN = ("iris", "wine", "breast_cancer", "digits", "diabetes", "linnerud")
FOREIGN = re.compile(r"Traceback|mistake in deltaprop|\w*Warning: ")

Files = tuple[Path, Path, str]


@dataclass(frozen=True)
class Found:
    """What one table and preset came to."""

    table: str
    preset: str
    rows: int
    columns: int
    figure: float
    base: float
    metric: str
    seconds: float
    troubles: list[str] = field(default_factory=list)


def tables() -> dict[str, Callable[[Path], Files]]:
    """Return every table by name, as a function that writes its two files."""
    found: dict[str, Callable[[Path], Files]] = {}
    if DATA.is_dir():
        for table in SHARED:
            found[table.name] = lambda folder, t=table: _shared(t, folder)
    for name in SKLEARN:
        found[name] = lambda folder, n=name: _of_sklearn(n, folder)
    for one in awkward.TABLES:
        found[one.name] = lambda folder, t=one: (*awkward.write(t, folder), t.target)
    return found


def _shared(table: Any, folder: Path) -> Files:
    frame = pl.read_csv(DATA / f"{table.name}.csv.gz", infer_schema=False)
    classes = None if table.regression else table.target
    return *_split(frame.drop(table.without), table.name, folder, classes), table.target


def _of_sklearn(name: str, folder: Path) -> Files:
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    answers = bunch.target.to_frame() if bunch.target.ndim == 1 else bunch.target
    frame = pl.DataFrame({c: bunch.data[c].to_numpy() for c in bunch.data})
    frame = frame.with_columns(**{c: pl.Series(answers[c].to_numpy()) for c in answers})
    return *_split(frame, name, folder), ",".join(answers)


def _split(
    frame: pl.DataFrame, name: str, folder: Path, classes: str | None = None
) -> tuple[Path, Path]:
    """Write some rows to learn from and others to judge by, of the classes that were learnt."""
    order = np.random.default_rng(0).permutation(frame.height)
    n = min(MOST_ROWS, frame.height * 3 // 4)
    paths = folder / f"{name}-train.csv", folder / f"{name}-test.csv"
    learnt, judged = (frame[rows.tolist()] for rows in (order[:n], order[n : n + MOST_ROWS]))
    if classes is not None:
        judged = judged.filter(pl.col(classes).is_in(learnt[classes].unique().to_list()))
    for path, part in zip(paths, (learnt, judged), strict=True):
        part.write_csv(path)
    return paths


def run(*words: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run one command in a process of its own; return it with what is wrong about it."""
    command = [sys.executable, "-m", "deltaprop", "--debug", *words]
    environment = {**os.environ, "PYTHONWARNINGS": "always"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    wrong = [f"{words[0]}: exit status {done.returncode}"] if done.returncode else []
    wrong += [f"{words[0]}: {line}" for line in done.stderr.splitlines() if FOREIGN.search(line)]
    return done, wrong


def measure(name: str, files: Files, preset: str, folder: Path) -> Found:
    """Take one table all the way with one preset."""
    train, test, target = files
    model, report = folder / f"{name}.safetensors", folder / f"{name}.html"
    answers = folder / f"{name}-answers.csv"
    began = time.perf_counter()
    trained, wrong = run(
        "train", str(train), "--target", target, "--preset", preset, "--model", str(model),
        "--report", str(report), "--json",
    )  # fmt: skip
    seconds = time.perf_counter() - began
    if trained.returncode:
        last = " ".join(trained.stderr.strip().splitlines()[-3:])
        return Found(name, preset, 0, 0, np.nan, np.nan, "", seconds, [*wrong, last])
    facts = json.loads(trained.stdout)
    _, also_wrong = run("predict", str(model), str(test), "--out", str(answers))
    judged, still_wrong = run("evaluate", str(model), str(test), "--json")
    wrong += also_wrong + still_wrong
    if not report.is_file() or "</html>" not in report.read_text(encoding="utf-8"):
        wrong.append("the report is not whole")
    if judged.returncode:
        return Found(name, preset, 0, 0, np.nan, np.nan, "", seconds, wrong)
    result = json.loads(judged.stdout)
    figures = result["figures"]
    metric = "accuracy" if "accuracy" in figures else "R^2"
    key = metric if metric in figures else next(k for k in figures if k.lower().startswith("r"))
    given = pl.read_csv(answers, infer_schema=False)
    if given.height != result["rows"] or sum(given.null_count().row(0)):
        wrong.append(f"{given.height} answers to {result['rows']} rows, or empty ones")
    rows = facts["rows"]["training"]
    if facts["members"] == 1:  # of several each row is learnt by all but one
        rows += facts["rows"]["validation"]
    base = figures.get("majority", 0.0)
    return Found(
        name, preset, rows, len(facts["columns"]), figures[key], base, metric, seconds, wrong
    )


def report_of(found: list[Found]) -> str:
    """Return the results as Markdown, a row for each table."""
    header = ["table", "rows", "columns", "metric", "baseline"]
    presets = [preset for preset in PRESETS if any(f.preset == preset for f in found)]
    header += [f"{preset} (s)" for preset in presets]
    rows = []
    for name in dict.fromkeys(f.table for f in found):
        own = {f.preset: f for f in found if f.table == name}
        one = next(iter(own.values()))
        cells = [name, f"{one.rows:,}", str(one.columns), one.metric, f"{one.base:.4f}"]
        for preset in presets:
            each = own.get(preset)
            cells.append("-" if each is None else f"{each.figure:.4f} ({each.seconds:.1f})")
        rows.append(cells)
    wrong = [f"- {f.table}, {f.preset}: {w}" for f in found for w in f.troubles]
    n = len({f.table for f in found})
    went = "went wrong:\n\n" + "\n".join(wrong) if wrong else "went wrong: nothing."
    said = f"Tables: {n}; trainings: {len(found)}; {went}"
    versions = {"deltaprop": __version__, "numpy": np.__version__, "polars": pl.__version__}
    sentence = machine_sentence(describe_machine(), versions)
    return f"{sentence}\n\n{said}\n\n{markdown_table(header, rows)}"


def main() -> None:
    known = tables()
    parser = argparse.ArgumentParser(description="Every table, all the way.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--presets", default=",".join(PRESETS))
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    parser.add_argument(
        "--file", type=Path, default=HERE.parent / "build" / "every_table.jsonl",
        help="where results are kept; what is there is not measured again",
    )  # fmt: skip
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"no table is called {', '.join(unknown)}; known: {', '.join(known)}")
    options.file.parent.mkdir(parents=True, exist_ok=True)
    kept: dict[tuple[str, str], Found] = {}
    if options.file.exists():
        for line in options.file.read_text(encoding="utf-8").splitlines():
            one = Found(**json.loads(line))
            kept[one.table, one.preset] = one
    wanted = [(n, p) for n in options.names or known for p in options.presets.split(",")]
    with alone(), tempfile.TemporaryDirectory() as place:
        for name, preset in wanted:
            if (name, preset) in kept and not kept[name, preset].troubles:
                continue
            tell(f"{name}, {preset}")
            folder = Path(place)
            one = measure(name, known[name](folder), preset, folder)
            kept[name, preset] = one
            for trouble in one.troubles:
                tell(f"  {trouble}")
            with options.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(one)) + "\n")
    found = [kept[key] for key in wanted]
    text = report_of(found)
    print(text)
    if options.write:
        write_part("every-table", text)
    sys.exit(any(one.troubles for one in found))


if __name__ == "__main__":
    main()
