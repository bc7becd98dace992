"""What the tests of the commands share: a small table, two small models, and a way to call."""

import io
import json
import os
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from deltaprop.cli.main import main
from deltaprop.table_models import Recipe, TableModel
from deltaprop.tabular import load_dataset


class Called(NamedTuple):
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out, parse_constant=_no_constant)


def _no_constant(text):
    raise ValueError(f"{text} is not JSON")


@pytest.fixture
def call(capfd, monkeypatch):
    """Run a command in this process, on a terminal of 80 columns that is none."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words, stdin=b""):
        capfd.readouterr()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = main([str(word) for word in words])
        return Called(status, *capfd.readouterr())

    return run


def flowers(n=60, seed=3):
    """Return a table as CSV: two numbers and a colour that tell three kinds of flowers."""
    rng = np.random.default_rng(seed)
    lines = ["height,width,colour,petals,kind"]
    for i in range(n):
        k = i % 3
        height, width = rng.normal(k, 0.3), rng.normal(-k, 0.3)
        colour = ("red", "green", "blue")[(k + (rng.random() < 0.2)) % 3]
        kind = ("aster", "borage", "clover")[k]
        lines.append(f"{height:.3f},{width:.3f},{colour},{3 * height - width + k:.3f},{kind}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """The bytes of two trained models: one of classes, one of numbers."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "t.csv").write_text(flowers())
    contents = {}
    for name, target in (("kinds.safetensors", "kind"), ("petals.safetensors", "petals")):
        data = load_dataset(folder / "t.csv", target)
        fitted = TableModel.fit(
            data.features,
            data.target,
            target_names=data.target_names,
            recipe=Recipe(hidden=(4,), activation="tanh", epochs=20, members=1),
        )
        fitted.save(folder / name)
        contents[name] = (folder / name).read_bytes()
    return contents


@pytest.fixture
def folder(tmp_path, models, monkeypatch):
    """A folder with flowers.csv and both models; the current one."""
    (tmp_path / "flowers.csv").write_text(flowers())
    for name, content in models.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def put(folder):
    """Write files into the folder; a name with a slash at its end becomes a folder."""

    def write(files):
        for name, content in files.items():
            if name.endswith("/"):
                (folder / name).mkdir()
                continue
            made = content(folder) if callable(content) else content
            (folder / name).write_bytes(made.encode() if isinstance(made, str) else made)

    return write


@pytest.fixture
def refused(folder, put, call):
    """Run a command that must be refused, and hold the answer against what every refusal keeps."""

    def run(command, files, says, stdin=b"", old=None, late=False):
        """``late``: what is planned has been told already, and the refusal comes after it."""
        put(files)
        words = command.split(" ") if isinstance(command, str) else command
        output = next((words[i + 1] for i, w in enumerate(words) if w in ("--model", "--out")), "")
        if old is not None and output and "/" not in output and not Path(output).exists():
            Path(output).write_bytes(old)
        before = _contents(folder)
        status, out, err = call(*words, stdin=stdin)
        if late:
            assert "predicts" in err
            err = err.splitlines(keepends=True)[-1]
        wrong = []
        if status != 2:
            wrong.append(f"exit status {status}")
        if out:
            wrong.append(f"standard output is not empty: {out[:200]!r}")
        if not (err.startswith("deltaprop: ") and err.endswith("\n") and err.count("\n") == 1):
            wrong.append("standard error is not one paragraph")
        if not err.rstrip("\n").endswith((".", "?", "--help", "utf8.csv")):
            wrong.append("it does not end like a sentence")
        if len(err) > 1200:
            wrong.append(f"it is {len(err)} characters long")
        if any(ord(c) < 32 for c in err[:-1]):
            wrong.append("control characters")
        wrong += [
            f"it says {w!r}" for w in ("Traceback", "mistake in deltaprop", "None ") if w in err
        ]
        wrong += [f"it does not say {text!r}" for text in says if text not in err]
        if _contents(folder) != before:
            wrong.append("files were changed or left behind")
        assert not wrong, "\n".join([*wrong, err])
        return err

    return run


def _contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(scope="session")
def environment():
    """Variables for a process of its own: no terminal, 80 columns, one thread."""
    return {**os.environ, "COLUMNS": "80", "OPENBLAS_NUM_THREADS": "1", "NO_COLOR": "1"}
