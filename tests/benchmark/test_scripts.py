"""The scripts of benchmarks/ run with tiny settings, and write where they should."""

import gzip
import importlib
import json
import multiprocessing
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
PARTS = (
    "speed", "scaling", "choice", "manners", "members", "neighbours", "startup", "fashion",
    "real-tables", "every-table",
)  # fmt: skip


@pytest.fixture
def script(monkeypatch, tmp_path):
    """Import a script as it is when run, with everything it writes in a folder of the test."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    common = importlib.import_module("common")
    page = tmp_path / "performance.md"
    page.write_text("".join(f"<!-- {p}: begin -->\nold\n<!-- {p}: end -->\n" for p in PARTS))
    monkeypatch.setattr(common, "PAGE", page)
    monkeypatch.setattr(common, "BUILD", tmp_path / "build")

    def run(name, *words):
        module = importlib.import_module(name)
        if hasattr(module, "BUILD"):
            monkeypatch.setattr(module, "BUILD", tmp_path / "build")
        if hasattr(module, "machine_limit"):
            monkeypatch.setattr(module, "machine_limit", lambda: LIMIT)
        monkeypatch.setattr(sys, "argv", [name, *words])
        module.main()
        return page.read_text()

    yield run
    for name in ("common", "real_tables", "every_table", *PARTS):
        sys.modules.pop(name, None)


LIMIT = {"float32": [50.0, 100.0], "threads": 2}


def tables(text):
    """The rows of every table of a text, each a list of cells, the header first."""
    found, inside = [], False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        if not inside:
            found.append([])
        inside = True
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if set(cells) != {"---"}:
            found[-1].append(cells)
    return found


def is_written(page, name, printed):
    """Whether what was printed, and nothing else, took the place of a part."""
    others = [other for other in PARTS if other != name]
    old = all(f"<!-- {other}: begin -->\nold\n" in page for other in others)
    return old and f"<!-- {name}: begin -->\n\n{printed.strip()}\n\n<!-- {name}: end" in page


def test_speed_writes_a_table_between_its_markers(script, capsys, tmp_path):
    page = script("speed", "--quick", "--rows", "4-3-2@8x4", "--against", "deltaprop:1", "--write")
    assert "old" not in page.partition("speed: end")[0]
    assert "old" in page.partition("scaling: begin")[2]
    printed = capsys.readouterr().out
    assert "| 4-3-2 | 8 |" in printed
    assert "deltaprop, 1 thread" in printed
    assert "50 GFLOP/s on one thread and 100 on 2" in printed
    assert printed.strip() in page
    facts = json.loads((tmp_path / "build" / "speed.json").read_text())
    assert facts["limit_gflop_per_second"] == 100.0
    assert not (tmp_path / "bench.lock").exists()


def test_scaling_measures_what_changes(script, monkeypatch, capsys, tmp_path):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    scaling = importlib.import_module("scaling")
    monkeypatch.setattr(
        scaling, "STUDIES", {"width": [scaling.work((w,), 8, 32, n_in=w) for w in (2, 4)]}
    )
    script("scaling", "--quick", "--against", "", "--only", "width")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert [line.split("|")[1].strip() for line in lines] == ["width", "---", "2", "4"]


def test_a_page_without_the_markers_is_left_alone(script, tmp_path):
    (tmp_path / "performance.md").write_text("nothing here\n")
    with pytest.raises(SystemExit, match="has no part 'speed'"):
        script("speed", "--quick", "--rows", "4-3-2@8x2", "--against", "", "--write")
    assert (tmp_path / "performance.md").read_text() == "nothing here\n"


def test_choice_compares_engines_and_threads(script, capsys):
    shapes = "16-8-4@32x4,4-3-2@8x4"
    page = script("choice", "--quick", "--only", shapes, "--write")
    printed = capsys.readouterr().out
    assert is_written(page, "choice", printed)
    (header, *rows), = tables(printed)  # fmt: skip
    assert [row[:3] for row in rows] == [["4-3-2", "8", "432"], ["16-8-4", "32", "15,360"]]
    assert header[-1] == "gain of the threads"
    assert all(float(cell.strip("x").replace(",", "")) > 0 for row in rows for cell in row[3:])
    assert re.search(r"faster than the reference in \d of 2 shapes", printed)


class TestVerdict:
    """Of shapes with 1, 2, 3, ... times as many multiply-adds, by what the threads gained."""

    def of(self, script, monkeypatch, gains, cores=2):
        monkeypatch.syspath_prepend(str(BENCHMARKS))
        choice = importlib.import_module("choice")
        monkeypatch.setattr(choice, "available_cores", lambda: cores)
        found = [
            choice.Found(
                choice.Workload("", (10, 10), batch, 1),
                {"reference": 300.0, "native": 100.0, "one thread": 100.0 * g, "all cores": 100.0},
            )
            for batch, g in enumerate(gains, start=1)
        ]
        return choice.verdict(found)

    def test_where_the_threads_begin_to_pay(self, script, monkeypatch):
        said = self.of(script, monkeypatch, [0.5, 0.9, 1.2, 1.01, 1.5, 1.9])
        assert "in 6 of 6 shapes, by 3.0x where by the least" in said
        assert "from 1,500 on always, up to 600 never" in said
        assert "took 100% longer than the better of the two where it was worst (10-10 at 1)" in said

    def test_nowhere(self, script, monkeypatch):
        assert "in no shape, up to 600 never" in self.of(script, monkeypatch, [0.5, 1.0])

    def test_everywhere(self, script, monkeypatch):
        said = self.of(script, monkeypatch, [1.5, 1.6])
        assert "from 300 on always (" in said
        assert "never" not in said

    def test_one_core_says_nothing_of_threads(self, script, monkeypatch):
        said = self.of(script, monkeypatch, [1.0], cores=1)
        assert said.endswith("nothing is known of the threads.")


def test_members_compares_networks_at_once_with_one_after_another(script, capsys):
    page = script("members", "--quick", "--k", "3", "--trained", "6-8-3@16x5", "--write")
    printed = capsys.readouterr().out
    assert is_written(page, "members", printed)
    (header, row), *_ = tables(printed)
    assert "ms, 3 `train`" in header
    each, members = (float(cell.replace(",", "")) for cell in row[5:7])
    assert float(row[7]) == pytest.approx(members / each, abs=0.02, rel=0.05)


def test_neighbours_compares_a_quiet_and_a_busy_machine(script, capsys, monkeypatch):
    monkeypatch.setenv("DELTAPROP_LOST_SHARE", "0.7")
    page = script("neighbours", "--quick", "--trained", "6-40-3@16x5,9-20-2@8x4", "--write")
    printed = capsys.readouterr().out
    assert is_written(page, "neighbours", printed)
    (_, *rows), *_ = tables(printed)
    settings = ["one thread", "a team that never changes", "as it comes"]
    assert [row[3] for row in rows] == 2 * settings
    for row in rows:
        quiet, busy = (float(cell.replace(",", "")) for cell in row[4:6])
        assert quiet > 0
        assert float(row[6].rstrip("x")) == pytest.approx(busy / quiet, rel=0.1, abs=0.1)
    assert os.environ["DELTAPROP_LOST_SHARE"] == "0.7"
    assert multiprocessing.active_children() == []


@pytest.mark.rest
def test_manners_presses_ctrl_c_and_shares_the_cores(script, capsys):
    small = ["--stopped", "4-3-2@8x400,8-6-4@16x40", "--load", "8-6-4@16x40"]
    page = script("manners", "--quick", *small, "--write")
    printed = capsys.readouterr().out
    assert is_written(page, "manners", printed)
    (_, *waits), (_, *loads) = tables(printed)
    ways = ["Ctrl-C", "the end of the time budget", "a callback's answer"]
    assert [(row[0], row[3]) for row in waits] == [
        (widths, way) for widths in ("4-3-2", "8-6-4") for way in ways
    ]
    assert all(0 <= float(row[4]) <= float(row[5]) for row in waits)
    assert loads[0][0] == "one after another"
    assert loads[0][-1] == "1.00x"
    threads = {row[0]: row[2] for row in loads}
    assert threads["one after another, n_threads=1"] == "1"
    assert "The longest wait was" in printed


@pytest.mark.rest
def test_startup_times_commands_and_the_first_step(script, capsys):
    page = script("startup", "--quick", "--write")
    printed = capsys.readouterr().out
    assert is_written(page, "startup", printed)
    (_, *rows), = tables(printed)  # fmt: skip
    seconds = {row[0]: float(row[1]) for row in rows}
    assert {'`python -c "import numpy"`', "`deltaprop --help`"} < set(seconds)
    assert seconds["`deltaprop train examples/data/penguins.csv --target species`"] > 0
    assert [row[3].partition(":")[0] for row in rows if row[3] != "-"] == [
        "under 0.06", "under 0.3", "under 1.5",
    ]  # fmt: skip


@pytest.fixture
def images(tmp_path, rng):
    """Files like Fashion-MNIST's: 600 training rows and 100 test rows of ten classes."""
    folder = tmp_path / "images"
    folder.mkdir()
    prototypes = rng.integers(256, size=(10, 784))
    for part, n in (("train", 600), ("t10k", 100)):
        labels = np.arange(n) % 10
        noisy = np.clip(prototypes[labels] + rng.normal(0, 40, size=(n, 784)), 0, 255)
        for name, header, numbers in (
            ("images-idx3", 16, noisy), ("labels-idx1", 8, labels),
        ):  # fmt: skip
            content = bytes(header) + numbers.astype(np.uint8).tobytes()
            (folder / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(content))
    return folder


def test_fashion_judges_every_library_on_the_test_rows(images, script, capsys, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(BENCHMARKS))
    words = ["--data", str(images), "--seeds", "1", "--against", "", "--write"]
    page = script("fashion", *words)
    printed = capsys.readouterr().out
    assert is_written(page, "fashion", printed)
    (_, headline), (_, plain) = tables(printed)
    assert headline[0] == plain[0] == "deltaprop"
    assert float(headline[3]) > 0.5


def test_fashion_chooses_the_fastest_plan_that_is_good_enough(images, script, capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    fashion = importlib.import_module("fashion")
    plans = [fashion.one_cycle((16,), 20, epochs, peak) for epochs, peak in
             ((20, 1e-2), (40, 1e-2), (1, 1e-6))]  # fmt: skip
    monkeypatch.setattr(fashion, "CANDIDATES", tuple(plans))
    script("fashion", "--choose", "--seeds", "2", "--data", str(images))
    printed = capsys.readouterr().out
    (_, *rows), = tables(printed)  # fmt: skip
    assert "first 500 training rows, judged on the other 100, 2 seeds" in printed
    assert len(rows) == 3
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
    good = [row for row in rows if min(map(float, row[2].split(", "))) >= 0.895]
    assert [row for row in rows if row[3] == "chosen"] == good[:1]
    assert good
    assert f"Chosen: {good[0][0]}." in printed


@pytest.mark.rest
def test_real_tables_are_learnt_by_the_command(rng, script, capsys, monkeypatch, tmp_path):
    folder = tmp_path / "shared" / "data"
    folder.mkdir(parents=True)
    x = rng.normal(size=400)
    rows = "".join(f"{value:.3f},{'cat' if value > 0 else 'dog'}\n" for value in x)
    for name, target in (("penguins", "species"), ("pendigits", "class")):
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(f"legs,{target}\n{rows}".encode()))
    monkeypatch.setenv("DELTAPROP_SHARED", str(tmp_path / "shared"))
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    real = importlib.import_module("real_tables")
    small = real.Table("pendigits", "class", 300, "0.9")
    monkeypatch.setattr(real, "TABLES", (real.TABLES[0], small))
    page = script("real_tables", "penguins", "pendigits", "--write")
    printed = capsys.readouterr().out
    assert is_written(page, "real-tables", printed)
    ((_, held, judged, chose),) = tables(printed)
    assert held[:2] == ["penguins", "400 held out"]
    assert judged[:2] == ["pendigits", "100 official test rows, only judging"]
    assert chose[1] == "100 official test rows, choosing the epoch"
    assert all(float(row[2]) > 0.9 for row in (held, judged, chose))
    assert (held[3], judged[3]) == ("-", "0.9")
    with pytest.raises(SystemExit):
        script("real_tables", "zebras")


@pytest.mark.rest
def test_every_table_goes_all_the_way(script, capsys, tmp_path):
    results = tmp_path / "results.jsonl"
    words = ("codes", "--presets", "plain", "--file", str(results), "--write")
    with pytest.raises(SystemExit) as ended:
        script("every_table", *words)
    printed = capsys.readouterr().out
    assert ended.value.code == 0, printed
    assert is_written((tmp_path / "performance.md").read_text(), "every-table", printed)
    assert "Tables: 1; trainings: 1; went wrong: nothing." in printed
    (_, (name, rows, columns, metric, *_)), = tables(printed)  # fmt: skip
    assert (name, rows, columns, metric) == ("codes", "1,200", "5", "accuracy")


def test_what_goes_wrong_with_a_table_is_listed(script, capsys, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    every = importlib.import_module("every_table")

    def failing(folder):
        for part in ("train", "test"):
            (folder / f"{part}.csv").write_text("a,b\n1,2\n")
        return folder / "train.csv", folder / "test.csv", "nothing"

    monkeypatch.setattr(every, "tables", lambda: {"failing": failing})
    with pytest.raises(SystemExit) as ended:
        script("every_table", "--presets", "plain", "--file", str(tmp_path / "results.jsonl"))
    assert ended.value.code == 1
    assert "train: exit status 2" in capsys.readouterr().out
