"""Accuracy on real tables beside LightGBM, CatBoost, scikit-learn's network and RealMLP.

    python benchmarks/accuracy.py [--quick] [--tables zoo,letter] [--learners fast,best] [--write]

The tables are those of the folder named by DELTAPROP_SHARED (default ../shared). Each measurement
has a process of its own (accuracy_worker.py), and its result is appended to a file of JSON lines
at once, under the machine, the versions, the learner, the table, the seed and the split. What is in
the file is not measured again, so a run can be stopped at any time and started again. Of deltaprop
the version includes a fingerprint of the code that decides the result.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from accuracy_learners import DATA, PEERS, TABLES, Job, presets, table_named
from accuracy_report import REGRESSION_FLOOR, Cell, Grid
from accuracy_worker import BUSY, Worker
from common import HERE, alone, machine_sentence, tell, write_part

from deltaprop import __version__
from deltaprop.benchmark import describe_machine
from deltaprop.engines.cores import available_cores

FILE = HERE.parent / "build" / "accuracy.jsonl"
QUICK = ("penguins", "vehicle", "auto_mpg")
LATE = {("CatBoost", "income_marketing")}  # minutes, where others take seconds
DECIDING = ("engines", "estimators", "functional", "model", "tabular", "training")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


def machine_name() -> str:
    """Return what a result is filed under."""
    machine = describe_machine()
    return f"{machine['cores']} cores of {machine['processor']}"


def fingerprint() -> str:
    """Return a few digits that change with the code that decides what deltaprop answers."""
    spec = importlib.util.find_spec("deltaprop")
    native = importlib.util.find_spec("deltaprop._native")
    assert spec is not None
    found = hashlib.sha256()
    for folder in spec.submodule_search_locations or ():
        for room in DECIDING:
            for path in sorted((Path(folder) / room).rglob("*.py")):
                found.update(path.read_bytes())
    if native is not None and native.origin is not None:
        found.update(Path(native.origin).read_bytes())
    return found.hexdigest()[:8]


def versions_of(learner: str) -> dict[str, str]:
    """Return the versions that a learner's results depend on."""
    if learner not in PEERS:
        return {"deltaprop": f"{__version__}+{fingerprint()}"}
    return {package: version(package) for package in PEERS[learner].packages}


@dataclass
class Results:
    """The lines of the results file; a later one replaces an earlier one."""

    path: Path
    lines: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read what is there; a line that was cut off is left out."""
        lines: list[dict[str, Any]] = []
        if path.exists():
            for text in path.read_text(encoding="utf-8").splitlines():
                try:
                    lines.append(json.loads(text))
                except ValueError:
                    tell(f"a line of {path.name} is damaged and left out")
        return cls(path, lines)

    def find(
        self, job: Job, machine: str, versions: Mapping[str, str] | None
    ) -> dict[str, Any] | None:
        """Return the latest result of a job; without versions, that of any version."""
        wanted: dict[str, Any] = {**asdict(job), "machine": machine}
        if versions is not None:
            wanted["versions"] = dict(versions)
        fitting = (line for line in reversed(self.lines) if wanted.items() <= line.items())
        return next(fitting, None)

    def add(self, line: dict[str, Any]) -> None:
        """Append a result to the file at once."""
        self.lines.append(line)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            cut_off = file.tell() > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read() != b"\n"
            file.write((b"\n" if cut_off else b"") + json.dumps(line).encode() + b"\n")


def environment_of(threads: int, busy_machine: bool) -> dict[str, str]:
    """Return the variables that the measuring processes run with."""
    environment = {**os.environ, "DELTAPROP_SHARED": str(DATA.parent)}
    environment |= dict.fromkeys(THREADS, str(threads))
    if busy_machine:
        environment["OMP_WAIT_POLICY"] = "passive"
    return environment


def wanted_again(found: Mapping[str, Any] | None, again: str | None) -> bool:
    """Say whether a job is to be run."""
    if found is None or again == "all":
        return True
    if again == "failed":
        return "failed" in found
    return again == "disturbed" and bool(found.get("disturbed"))


def plan(
    learners: Iterable[str], tables: Iterable[str], seeds: Iterable[int], splits: Iterable[int]
) -> list[Job]:
    """Return the jobs, one seed after another, and in it one learner after another."""
    threads = available_cores()
    pairs = [(learner, table) for learner in learners for table in tables]
    pairs.sort(key=lambda pair: pair in LATE)
    return [
        Job(learner, table, seed, split, threads)
        for split in splits
        for seed in seeds
        for learner, table in pairs
    ]


def wait_while(path: Path | None) -> None:
    """Wait as long as a file exists."""
    if path is not None and path.exists():
        tell(f"waiting while {path} exists")
        while path.exists():
            time.sleep(2.0)


def measure_in_turn(worker: Worker, job: Job, options: argparse.Namespace) -> dict[str, Any]:
    """Measure when no other benchmark runs and nobody wants quiet."""
    while True:
        wait_while(options.pause_while)
        with alone(wait=float("inf")):
            # it may have come while the other benchmark ran
            if options.pause_while is None or not options.pause_while.exists():
                return worker.measure(job, options.limit)


def run(worker: Worker, jobs: list[Job], path: Path, options: argparse.Namespace) -> None:
    """Measure what is not in the file yet."""
    machine = machine_name()
    versions: dict[str, dict[str, str]] = {}
    for i, job in enumerate(jobs):
        try:
            known = versions.setdefault(job.learner, versions_of(job.learner))
        except PackageNotFoundError as error:
            tell(f"{job.learner} is left out: {error}")
            continue
        # read again each time: another run may have measured it meanwhile
        if not wanted_again(Results.read(path).find(job, machine, known), options.again):
            continue
        result = measure_in_turn(worker, job, options)
        said = result.get("failed") or f"{result['error']:.4f}, {result['seconds']:.1f} s"
        tell(f"{i + 1} of {len(jobs)}: {job.learner}, {job.table}, seed {job.seed}: {said}")
        when = time.strftime("%Y-%m-%dT%H:%M:%S")
        facts = {"machine": machine, "versions": known, "when": when}
        Results.read(path).add({**asdict(job), **result, **facts})


def grid_of(
    jobs: list[Job], results: Results, any_version: bool
) -> tuple[Grid, list[dict[str, Any]]]:
    """Return the cells, and the lines they come from, failures included."""
    machine = machine_name()
    lines: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for job in jobs:
        try:
            line = results.find(job, machine, None if any_version else versions_of(job.learner))
        except PackageNotFoundError:
            line = None
        if line is not None:
            lines.setdefault((job.learner, job.table), []).append(line)
    cells = {
        (learner, table): Cell.of(good, table_named(table).regression)
        for (learner, table), found in lines.items()
        if (good := [line for line in found if "failed" not in line])
    }
    learners = [n for n in dict.fromkeys(j.learner for j in jobs) if any(n == c[0] for c in cells)]
    tables = dict.fromkeys(job.table for job in jobs)
    used = [line for found in lines.values() for line in found]
    return Grid(tuple(learners), tuple(tables), cells), used


def report(grid: Grid, used: list[dict[str, Any]]) -> str:
    """Return all there is to say, as Markdown."""
    versions: dict[str, list[str]] = {}
    for line in used:
        for package, number in line["versions"].items():
            if number not in versions.setdefault(package, []):
                versions[package].append(number)
    machine = describe_machine()
    machine["deltaprop"] = " and ".join(versions.pop("deltaprop", [machine["deltaprop"]]))
    machine["load"] = None  # each measurement has its own
    where = machine_sentence(machine, {name: " and ".join(n) for name, n in versions.items()})
    seeds, splits = ({line[name] for line in used} for name in ("seed", "split"))
    about = (
        f"Error on the test rows (1 - accuracy; for regression 1 - R^2) and seconds of fit and "
        f"predict, means over {_count(seeds, 'seed')} of the learner"
        f"{'' if len(splits) < 2 else f' and {len(splits)} splits'}; {_threads(used)}. At most "
        "8,000 rows to learn from, at most 8,000 others judge."
    )
    parts = [where, about, grid.by_table()]
    if any(cell.disturbed for cell in grid.cells.values()):
        parts.append(
            f"Seconds with a * were disturbed: other work had more than {BUSY:.0%} of the cores."
        )
    if grid.common:
        over = (
            f"Over the {_count(grid.common, 'table')} that all of them have (for the geometric "
            "mean an error counts as at least half a test row, for regression as at least "
            f"{REGRESSION_FLOOR:g}; normalized: the best of a table is 0, the worst 1; seconds of "
            "one run of all these tables):"
        )
        parts += [over, grid.by_learner()]
    parts.append("\n".join(f"- {said}" for said in grid.verdicts()))
    failed = {(line["learner"], line["table"], line["failed"]) for line in used if "failed" in line}
    parts += [f"{name} is missing on {table}: {why}." for name, table, why in sorted(failed)]
    return "\n\n".join(parts)


def _threads(used: list[dict[str, Any]]) -> str:
    most = max((line["threads"] for line in used), default=available_cores())
    return f"up to {most} threads" if most > 1 else "one thread"


def _count(things: Iterable[Any], what: str) -> str:
    n = len(list(things))
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def main() -> None:
    learners = (*presets(), *PEERS)
    parser = argparse.ArgumentParser(description="How accurate deltaprop is, beside others.")
    parser.add_argument("--tables", type=words, help="of the shared data; all when left out")
    parser.add_argument("--learners", type=words, help=f"of {', '.join(learners)}, today")
    parser.add_argument("--seeds", type=numbers, help="of the learners; 0,1,2 when left out")
    parser.add_argument("--splits", type=numbers, default=[0], help="seeds of the shuffled rows")
    parser.add_argument("--quick", action="store_true", help="three small tables, one seed")
    parser.add_argument(
        "--again", nargs="?", const="all", choices=("all", "failed", "disturbed"),
        help="measure again what is in the file: all, or what failed or was disturbed",
    )  # fmt: skip
    parser.add_argument(
        "--report", action="store_true", help="measure nothing; the latest result of any version"
    )
    parser.add_argument("--results", type=Path, default=FILE, help="the file of JSON lines")
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds of one measurement")
    parser.add_argument(
        "--busy", action="store_true",
        help="the machine has other work: threads sleep while they wait, since spinning would cost "
        "them most of their time, and the seconds count as disturbed",
    )  # fmt: skip
    parser.add_argument("--pause-while", type=Path, metavar="FILE", help="wait while it exists")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    options = parser.parse_args()
    chosen = options.learners or learners
    if unknown := [name for name in chosen if name not in (*learners, "today")]:
        parser.error(f"no learner is called {', '.join(unknown)}; known: {', '.join(learners)}")
    everything = QUICK if options.quick else [table.name for table in TABLES]
    tables = [table_named(name).name for name in options.tables or everything]
    seeds = options.seeds or ([0] if options.quick else [0, 1, 2])
    jobs = plan(chosen, tables, seeds, options.splits)
    if not options.report:
        environment = environment_of(available_cores(), options.busy)
        with Worker(environment, options.busy) as worker:
            run(worker, jobs, options.results, options)
    text = report(*grid_of(jobs, Results.read(options.results), options.report))
    print(text)
    if options.write:
        write_part("accuracy", text)


if __name__ == "__main__":
    # ended from outside, it takes the process it waits for along
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
