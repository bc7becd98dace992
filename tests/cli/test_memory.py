"""Under a limit on memory every command says in one sentence what there is not."""

import signal
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from deltaprop import memory
from deltaprop.errors import OutOfMemoryError
from deltaprop.memory import Room
from deltaprop.table_models import Recipe, TableModel
from deltaprop.tabular import load_dataset

resource = pytest.importorskip("resource")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table of many categories, and a model of it."""
    rng = np.random.default_rng(0)
    kinds = {f"k{j}": [f"v{i}" for i in rng.integers(0, 250, 10_000)] for j in range(6)}
    table = pl.DataFrame({**kinds, "y": rng.choice(["u", "v"], 10_000)})
    path = tmp_path_factory.mktemp("memory")
    table.write_csv(path / "t.csv")
    few = table.head(500)
    recipe = Recipe("plain", epochs=1, hidden=(2,))
    model = TableModel.fit(few.drop("y"), few["y"], target_names=["y"], recipe=recipe)
    model.save(path / "m")
    return path


def run(folder, limit, *words):
    return subprocess.run(
        [sys.executable, "-m", "deltaprop", *words], cwd=folder, capture_output=True, text=True,
        check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )  # fmt: skip


TRAIN = ("train", "t.csv", "--target", "y", "--preset", "plain", "--epochs", "1", "--hidden")


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (900_000_000, (*TRAIN, "2")),
        (1_200_000_000, (*TRAIN, "2")),
        (1_200_000_000, (*TRAIN, "60000,60000")),
        (900_000_000, ("predict", "m", "t.csv")),
        (900_000_000, ("evaluate", "m", "t.csv")),
        (900_000_000, ("explain", "m", "--data", "t.csv", "--row", "1")),
    ],
)
@pytest.mark.rest
def test_too_little_memory_is_one_sentence(folder, limit, words):
    done = run(folder, limit, *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith("deltaprop: ")
    assert "memory" in done.stderr
    assert "of addresses that ulimit -v allows" in done.stderr


def test_what_a_training_needs_is_said_before_it_begins(folder, monkeypatch):
    table = pl.read_csv(folder / "t.csv")
    monkeypatch.setattr(memory, "memory_left", lambda: Room(3e7, "a small machine"))
    with pytest.raises(OutOfMemoryError, match=r"Learning from 10,000 rows of 1,500 inputs") as no:
        TableModel.fit(table.drop("y"), table["y"], recipe=Recipe("fast"))
    for cure in ("fewer rows", "fewer categories", "--members 1", "a small machine"):
        assert cure in str(no.value)


def test_a_file_too_large_for_the_memory_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(memory, "memory_left", lambda: Room(1e5, "a small machine"))
    with pytest.raises(OutOfMemoryError, match=r"Reading .*t\.csv takes about 1 MB.*part of it"):
        load_dataset(folder / "t.csv", "y")


ABORT = """
import os, resource
from deltaprop.cli import main
resource.setrlimit(resource.RLIMIT_AS, (1 << 46, 1 << 46))
def app(*args, **settings):
    os.write(2, b"{said}")
    {then}
    return 0
main._command = lambda: app
raise SystemExit(main.main(["train"]))
"""


def ended(said, then):
    code = ABORT.format(said=said, then=then)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "said",
    ["memory allocation of 35 bytes failed\\nstack backtrace:\\n",
     "terminate called after throwing an instance of 'std::bad_alloc'\\n"],
)  # fmt: skip
def test_a_library_that_aborts_for_want_of_memory_ends_in_a_sentence(said):
    done = ended(said, "os.abort()")
    assert done.returncode == 2
    assert done.stderr.startswith("deltaprop: There is not enough memory for this. Use fewer rows")
    assert done.stderr.count("\n") == 1


def test_another_abort_and_what_is_said_without_one_stay_as_they_are():
    done = ended("something else\\n", "os.abort()")
    assert (done.returncode, done.stderr) == (-signal.SIGABRT, "something else\n")
    done = ended("a word\\n", "pass")
    assert (done.returncode, done.stderr) == (0, "a word\n")
