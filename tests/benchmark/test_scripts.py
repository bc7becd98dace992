"""The scripts of benchmarks/ run with tiny settings, and write where they should."""

import importlib
import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch, tmp_path):
    """Import a script as it is when run, with everything it writes in a folder of the test."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    common = importlib.import_module("common")
    page = tmp_path / "performance.md"
    page.write_text(
        "".join(f"<!-- {p}: begin -->\nold\n<!-- {p}: end -->\n" for p in ("speed", "scaling"))
    )
    monkeypatch.setattr(common, "PAGE", page)
    monkeypatch.setattr(common, "BUILD", tmp_path / "build")

    def run(name, *words):
        module = importlib.import_module(name)
        if hasattr(module, "BUILD"):
            monkeypatch.setattr(module, "BUILD", tmp_path / "build")
        monkeypatch.setattr(module, "machine_limit", lambda: LIMIT)
        monkeypatch.setattr(sys, "argv", [name, *words])
        module.main()
        return page.read_text()

    yield run
    for name in ("common", "speed", "scaling"):
        sys.modules.pop(name, None)


LIMIT = {"float32": [50.0, 100.0], "threads": 2}


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
