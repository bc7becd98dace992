"""The parts of benchmarks/accuracy.py that need no other library: rows, figures, and resuming."""

import gzip
import importlib
import json
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
MODULES = ("common", "accuracy_learners", "accuracy_report", "accuracy_worker", "accuracy")


@pytest.fixture
def modules(monkeypatch, tmp_path):
    """Import the script and its parts, over shared data of the test's own."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("DELTAPROP_SHARED", str(tmp_path / "shared"))
    for name in MODULES:
        sys.modules.pop(name, None)
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def learners(modules):
    return modules["accuracy_learners"]


@pytest.fixture
def reporting(modules):
    return modules["accuracy_report"]


@pytest.fixture
def accuracy(modules):
    return modules["accuracy"]


@pytest.mark.parametrize(
    ("n", "n_train", "n_test"),
    [
        (4, 3, 1),
        (101, 75, 26),
        (8_000, 6_000, 2_000),
        (11_000, 8_000, 3_000),
        (20_000, 8_000, 8_000),
    ],
)
def test_the_split_has_the_sizes_of_the_specification(learners, n, n_train, n_test):
    train, test = learners.split_rows(n, 0)
    assert (len(train), len(test)) == (n_train, n_test)
    assert len(set(train) | set(test)) == n_train + n_test


def test_the_split_is_fixed_and_shuffled(learners):
    first, again, other = (learners.split_rows(100, split)[0] for split in (0, 0, 1))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()
    assert first.tolist() != sorted(first)


def test_the_error_is_1_minus_the_accuracy_or_1_minus_r_squared(learners):
    classes = learners.table_named("zoo")
    # what one library reads as a number is text to another
    assert (
        learners.error_of(classes, np.array([1, 2, 2, 1]), np.array(["1", "2", "1", "1"])) == 0.25
    )
    numbers = learners.table_named("abalone")
    y = np.array([1.0, 2.0, 3.0])
    assert learners.error_of(numbers, y, y) == 0.0
    assert learners.error_of(numbers, y, np.full(3, 2.0)) == 1.0
    with pytest.raises(ValueError, match="2 answers to 3 rows"):
        learners.error_of(numbers, y, y[:2])


def test_every_table_of_the_list_is_shared_and_has_its_target(learners, shared):
    index = (shared / "data" / "INDEX.md").read_text()
    for table in learners.TABLES:
        with gzip.open(shared / "data" / f"{table.name}.csv.gz", "rt") as file:
            columns = file.readline().strip().split(",")
        assert {table.target, *table.without} <= set(columns)
        assert f"| {table.name}.csv.gz | {table.task}" in index


def test_a_table_nobody_knows_is_named(learners):
    with pytest.raises(SystemExit, match="No table is called 'zoos'"):
        learners.table_named("zoos")


class TestFigures:
    def test_ranks_are_shared_by_equals(self, reporting):
        assert reporting.ranks([0.3, 0.1, 0.2]) == [3, 1, 2]
        assert reporting.ranks([0.2, 0.1, 0.2, 0.4]) == [2.5, 1, 2.5, 4]
        assert reporting.ranks([0.5, 0.5, 0.5]) == [2, 2, 2]

    def test_normalized_goes_from_the_best_to_the_worst(self, reporting):
        assert reporting.normalized([3.0, 1.0, 2.0]) == [1.0, 0.0, 0.5]
        assert reporting.normalized([2.0, 2.0]) == [0.0, 0.0]

    def test_a_cell_is_the_mean_over_the_seeds_and_has_a_floor(self, reporting):
        runs = [
            {"error": 0.0, "seconds": 1.0, "n_test": 50, "disturbed": False},
            {"error": 0.0, "seconds": 3.0, "n_test": 50, "disturbed": True},
        ]
        cell = reporting.Cell.of(runs, regression=False)
        assert (cell.error, cell.seconds, cell.runs, cell.disturbed) == (0.0, 2.0, 2, True)
        assert cell.floored == 0.01  # half a row of fifty
        assert reporting.Cell.of(runs[:1], regression=True).floored == reporting.REGRESSION_FLOOR
        assert not reporting.Cell.of(runs[:1], regression=True).disturbed

    def grid(self, reporting, **errors):
        """Two tables a and b of a thousand test rows; seconds are ten times the errors."""
        cells = {
            (name.replace("_", "-"), table): reporting.Cell(value, 10 * value, 0.0005, 1, False)
            for name, values in errors.items()
            for table, value in zip("ab", values, strict=False)
        }
        return reporting.Grid(tuple(name.replace("_", "-") for name in errors), ("a", "b"), cells)

    def test_means_are_over_the_tables_that_all_have(self, reporting):
        grid = self.grid(reporting, x=(0.1, 0.4), y=(0.2,))
        assert grid.common == ("a",)
        assert grid.summaries()["x"].error == pytest.approx(0.1)
        both = grid.only("x").summaries()["x"]
        assert both.error == pytest.approx(0.2)  # geometric
        assert both.seconds == pytest.approx(5.0)
        assert "| b | 0.4000 (4.0 s) | - |" in grid.by_table()

    def test_ranks_and_normalized_errors_are_averaged(self, reporting):
        found = self.grid(reporting, x=(0.1, 0.4), y=(0.2, 0.3), z=(0.3, 0.2)).summaries()
        assert [found[n].rank for n in "xyz"] == [2.0, 2.0, 2.0]
        assert [found[n].normalized for n in "xyz"] == pytest.approx([0.5, 0.5, 0.5])

    def test_goals_are_met_or_missed(self, reporting):
        grid = self.grid(
            reporting, fast=(0.1, 0.1), best=(0.1, 0.2), RealMLP_TD_S=(0.1, 0.2),
            RealMLP_TD=(0.1, 0.2),
        )  # fmt: skip
        fast, best = grid.verdicts()
        assert "0.707x (goal: at most 1x, met)" in fast
        assert "time 0.67x (goal: at most 0.25x, missed)" in fast
        assert "(goal: at most that, met)" in fast
        assert "2 tables" in fast
        assert "1.000x (goal: at most 0.94x, missed)" in best
        assert "rank" not in best

    def test_a_goal_without_figures_is_not_judged(self, reporting):
        assert self.grid(reporting, fast=(0.1, 0.1)).verdicts() == [
            "fast beside RealMLP-TD-S: not measured yet.",
            "best beside RealMLP-TD: not measured yet.",
        ]

    def test_nothing_measured_is_no_failure(self, reporting):
        grid = reporting.Grid((), ("a",), {})
        assert grid.common == ()
        assert grid.summaries() == {}


class TestResults:
    def test_what_is_written_is_found_again(self, accuracy, tmp_path):
        path = tmp_path / "build" / "results.jsonl"
        job = accuracy.Job("LightGBM", "zoo", 0, 0, 2)
        line = {**vars(job), "error": 0.1, "machine": "m", "versions": {"lightgbm": "4"}}
        accuracy.Results.read(path).add(line)
        results = accuracy.Results.read(path)
        assert results.find(job, "m", {"lightgbm": "4"}) == line
        assert results.find(job, "m", {"lightgbm": "5"}) is None
        assert results.find(job, "m", None) == line
        assert results.find(job, "another", None) is None
        assert results.find(accuracy.Job("LightGBM", "zoo", 1, 0, 2), "m", None) is None

    def test_a_later_line_replaces_an_earlier_one(self, accuracy, tmp_path):
        job = accuracy.Job("LightGBM", "zoo", 0, 0, 2)
        results = accuracy.Results.read(tmp_path / "results.jsonl")
        for error in (0.1, 0.2):
            results.add({**vars(job), "error": error, "machine": "m", "versions": {}})
        found = accuracy.Results.read(results.path).find(job, "m", {})
        assert found is not None
        assert found["error"] == 0.2

    def test_a_line_that_was_cut_off_costs_no_other(self, accuracy, tmp_path):
        path = tmp_path / "results.jsonl"
        path.write_text('{"table": "zoo"}\n{"table": "let')
        accuracy.Results.read(path).add({"table": "adult"})
        assert [line["table"] for line in accuracy.Results.read(path).lines] == ["zoo", "adult"]

    def test_what_is_measured_again(self, accuracy):
        quiet, disturbed, failed = {"disturbed": False}, {"disturbed": True}, {"failed": "killed"}
        ask = accuracy.wanted_again
        assert ask(None, None)
        assert not any(ask(found, None) for found in (quiet, disturbed, failed))
        assert all(ask(found, "all") for found in (quiet, disturbed, failed))
        assert [ask(found, "disturbed") for found in (quiet, disturbed, failed)] == [0, 1, 0]
        assert [ask(found, "failed") for found in (quiet, disturbed, failed)] == [0, 0, 1]


def test_the_slowest_of_all_comes_last_of_its_seed(accuracy):
    jobs = accuracy.plan(["CatBoost", "RealMLP-TD"], ["income_marketing", "zoo"], [0, 1], [0])
    assert [(job.learner, job.table, job.seed) for job in jobs[:5]] == [
        ("CatBoost", "zoo", 0),
        ("RealMLP-TD", "income_marketing", 0),
        ("RealMLP-TD", "zoo", 0),
        ("CatBoost", "income_marketing", 0),
        ("CatBoost", "zoo", 1),
    ]
    assert len(jobs) == len(set(jobs)) == 8


def test_nothing_is_measured_while_quiet_is_wanted(accuracy, monkeypatch, tmp_path):
    quiet, events = tmp_path / "quiet", []
    quiet.touch()

    def sleep(_seconds):
        events.append("slept")
        quiet.unlink()

    monkeypatch.setattr(accuracy.time, "sleep", sleep)
    options = accuracy.argparse.Namespace(pause_while=quiet, limit=1.0, busy=False)
    worker = SimpleNamespace(measure=lambda *_: events.append("measured"))
    accuracy.measure_in_turn(worker, accuracy.Job("today", "zoo", 0, 0, 1), options)
    assert events == ["slept", "measured"]


def test_the_fingerprint_is_that_of_the_code(accuracy):
    assert accuracy.fingerprint() == accuracy.fingerprint()
    assert accuracy.versions_of("today")["deltaprop"].endswith(f"+{accuracy.fingerprint()}")


@pytest.fixture
def zoo(tmp_path, rng):
    """A small table in place of the real one."""
    folder = tmp_path / "shared" / "data"
    folder.mkdir(parents=True)
    rows = "".join(f"{x:.3f},{'cat' if x > 0 else 'dog'}\n" for x in rng.normal(size=120))
    (folder / "zoo.csv.gz").write_bytes(gzip.compress(f"legs,type\n{rows}".encode()))


@pytest.mark.rest
def test_a_run_measures_writes_and_is_resumed(accuracy, zoo, monkeypatch, tmp_path, capsys):
    page = tmp_path / "performance.md"
    page.write_text("<!-- accuracy: begin -->\nold\n<!-- accuracy: end -->\n")
    monkeypatch.setattr(sys.modules["common"], "PAGE", page)
    path = tmp_path / "results.jsonl"

    def run(*more):
        words = ["--tables", "zoo", "--learners", "today", "--results", str(path), *more]
        monkeypatch.setattr(sys, "argv", ["accuracy", *words])
        accuracy.main()
        return [json.loads(line) for line in path.read_text().splitlines()], capsys.readouterr()

    lines, (printed, said) = run("--seeds", "0", "--write")
    assert len(lines) == 1
    assert lines[0].get("failed") is None
    assert (lines[0]["n_train"], lines[0]["n_test"]) == (90, 30)
    assert 0 <= lines[0]["error"] < 0.3
    assert lines[0]["seconds"] > 0
    assert lines[0]["load"] >= 0
    assert "1 of 1: today, zoo, seed 0" in said
    assert "| zoo | 0." in printed
    assert "fast beside RealMLP-TD-S: not measured yet." in printed
    assert "old" not in page.read_text()
    assert printed.strip() in page.read_text()
    lines, (printed, said) = run("--seeds", "0,1")
    assert [line["seed"] for line in lines] == [0, 1]
    assert "seed 0" not in said
    assert "2 seeds of the learner" in printed
    lines, _ = run("--report")
    assert len(lines) == 2
    lines, (printed, _) = run("--seeds", "0", "--again", "--busy")
    assert len(lines) == 3
    assert lines[-1]["error"] == lines[0]["error"]
    assert lines[-1]["disturbed"]
    assert "s*)" in printed


def test_a_learner_that_cannot_is_a_missing_cell(accuracy, zoo, monkeypatch, tmp_path, capsys):
    (tmp_path / "shared" / "data" / "zoo.csv.gz").write_bytes(gzip.compress(b"legs,type\n1,cat\n"))
    words = ["--tables", "zoo", "--learners", "today", "--seeds", "0"]
    words += ["--results", str(tmp_path / "results.jsonl")]
    monkeypatch.setattr(sys, "argv", ["accuracy", *words])
    accuracy.main()
    printed = capsys.readouterr().out
    assert "today is missing on zoo:" in printed


def test_a_process_that_dies_is_a_missing_cell(accuracy, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with accuracy.Worker({}) as worker:
        answer = worker.measure(accuracy.Job("today", "zoo", 0, 0, 1), limit=60.0)
    assert answer["failed"] == "its process ended with status 1"


def test_a_measurement_that_is_killed_costs_no_other(learners, monkeypatch):
    def run(job):
        if job.seed == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"error": 0.5}

    monkeypatch.setattr(learners, "run", run)
    jobs = [learners.Job("today", "zoo", seed, 0, 1) for seed in range(3)]
    answers = [learners.run_in_a_fork(job) for job in jobs]
    assert all(answer.pop("cpu") >= 0 for answer in answers)
    killed = {"failed": "its process ended with status -9"}
    assert answers == [{"error": 0.5}, killed, {"error": 0.5}]


def test_what_takes_too_long_is_ended(accuracy, monkeypatch, tmp_path):
    program = tmp_path / "sleeper"
    program.write_text(f"#!/bin/sh\necho '{{}}'\necho $$ >{tmp_path}/pid\nread job\nsleep 600\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with accuracy.Worker(dict(os.environ)) as worker:
        answer = worker.measure(accuracy.Job("today", "zoo", 0, 0, 1), limit=0.2)
    assert answer["failed"] == "took more than 0.2 seconds"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
