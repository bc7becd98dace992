"""The README's commands and code do what they say."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deltaprop.cli.main import main
from helpers.processes import assert_ended_well, run_parts

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TABLES = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")


def blocks(language, text=README):
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


NAMES = ["from Python", "own activation", "scikit-learn", "looking inside", "layers"]
PYTHON = dict(zip(NAMES, [*blocks("python"), *blocks("python", TABLES)], strict=True))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return run_parts(tmp_path_factory.mktemp("python"), PYTHON, options=["-W", "error"])


@pytest.mark.parametrize("name", NAMES)
def test_the_python_runs(done, name):
    assert_ended_well(done, name)


@pytest.mark.slow
def test_the_commands_on_a_table_run_one_after_another(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples" / "data", tmp_path / "examples" / "data")
    (text,) = (block for block in blocks("sh") if "deltaprop train" in block)
    commands = text.strip().splitlines()
    assert len(commands) >= 5
    for command in commands:
        program, *words = shlex.split(command)
        assert program == ".venv/bin/deltaprop"
        assert main(words) == 0, command
    assert "accuracy" in capsys.readouterr().out
    assert (tmp_path / "answers.csv").read_text().startswith("species,P(Adelie)")


@pytest.mark.rest
def test_the_picture_is_what_the_program_prints():
    (picture,) = blocks("text")
    env = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-m", "deltaprop", "explain", "tutorial"],
        capture_output=True, text=True, env=env, check=True,
    )  # fmt: skip
    printed = done.stdout.splitlines()
    for line in picture.splitlines():
        assert line.rstrip() in printed


@pytest.mark.rest
def test_the_demo_ends_well_and_shows_its_scenes(tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    done = subprocess.run(
        [sys.executable, "examples/demo.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"validation +accuracy (0\.9\d+|1\.0000)", done.stdout)
    assert "67 of 67 gradients agree" in done.stdout
    assert "∂E/∂w₅ = h₁ × ∂E/∂y = 1.25 × 1.05 = 1.3125" in done.stdout
