"""Large tables: seconds and memory of each library, and how long a single row takes.

    python benchmarks/large.py [--rows 10000,100000,1000000,5000000] [--only NAMES] [--write]

The table: twelve numbers and eight columns of 4 to 56 categories, 222 inputs, as CSV. Every library
learns 20,000 rows before; measured is a process of its own that reads so many rows, predicts and
writes the answers as CSV, and one that reads and learns them: 100 trees, or two epochs of one
network, since how long all epochs take is another question. Seconds are by the clock and of the
processors, memory is the peak of the process. "polars alone" reads, and writes one column. A single
row is predicted again and again in one process, from a data frame.

LightGBM (as it is by default) and scikit-learn (one-hot, StandardScaler, an MLP of the three layers
of ``fast``; one network, where ``fast`` predicts with six) are what is installed beside; the
environment of `make accuracy` has both.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import pickle
import re
import resource
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from common import machine_sentence, tell, write_part

from deltaprop.benchmark import describe_machine
from deltaprop.benchmark.tables import markdown_table

LEARNT, SINGLE = 20_000, 1_000
SIZES = (4, 8, 14, 20, 28, 36, 44, 56)
NUMBERS = [f"n{i}" for i in range(12)]
KINDS = [f"k{i}" for i in range(len(SIZES))]
PATIENCE = 600  # seconds


def make_rows(seed: int, n: int) -> pl.DataFrame:
    """Return n rows of twelve numbers, eight columns of categories, and two classes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, len(NUMBERS))).round(4)
    kinds = {
        name: np.array([f"v{i}" for i in range(size)])[rng.integers(0, size, n)]
        for name, size in zip(KINDS, SIZES, strict=True)
    }
    y = np.where(x[:, 0] * x[:, 1] + x[:, 2] + rng.normal(size=n) > 0, "u", "v")
    return pl.DataFrame({**{name: x[:, i] for i, name in enumerate(NUMBERS)}, **kinds, "y": y})


class Polars:
    """Reads and writes, no more."""

    name = "polars alone"

    def fit(self, data: str, *, short: bool) -> Any:
        """Return nothing that is learnt."""
        return pl.read_csv(data).height

    def predict(self, model: Any, data: str, out: str) -> None:
        """Read all rows, and write one of their columns."""
        pl.read_csv(data).select("k0").write_csv(out)


class Deltaprop:
    """The command, as it is by default."""

    name = "deltaprop"
    preset = "fast"

    def fit(self, data: str, *, short: bool) -> Any:
        """Return the model of ``deltaprop train``."""
        import deltaprop as dp
        from deltaprop.cli.main import main

        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "m")
            words = ["train", data, "--target", "y", "--preset", self.preset, "--model", path]
            words += ["--epochs", "2", "--members", "1"] if short else []
            with contextlib.redirect_stdout(io.StringIO()):
                if main(words):
                    raise SystemExit(1)
            return Path(path).read_bytes(), dp.load(path)

    def predict(self, model: Any, data: str, out: str) -> None:
        """Run ``deltaprop predict``."""
        from deltaprop.cli.main import main

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "m"
            path.write_bytes(model[0])
            if main(["predict", str(path), data, "--out", out]):
                raise SystemExit(1)

    def single(self, model: Any, frame: Any) -> Any:
        """Return what answers for a frame of one row."""
        return model[1].predict(frame)


class DeltapropPlain(Deltaprop):
    """One network and no choices."""

    name = "deltaprop, plain"
    preset = "plain"


class LightGBM:
    """Gradient-boosted trees."""

    name = "LightGBM"

    def frame(self, data: str, types: Any = None) -> Any:
        """Read CSV into pandas, its words as categories."""
        import pandas as pd

        frame = pd.read_csv(data, engine="c")
        if types is None:
            return frame.astype(dict.fromkeys(KINDS, "category"))
        return frame.astype(types)

    def fit(self, data: str, *, short: bool) -> Any:
        """Return the classifier and the types of the columns."""
        from lightgbm import LGBMClassifier

        frame = self.frame(data)
        x = frame[NUMBERS + KINDS]
        return LGBMClassifier(verbose=-1).fit(x, frame["y"]), x.dtypes[KINDS].to_dict()

    def predict(self, model: Any, data: str, out: str) -> None:
        """Predict all rows."""
        import pandas as pd

        classifier, types = model
        x = self.frame(data, types)[NUMBERS + KINDS]
        pd.DataFrame({"y": classifier.predict(x)}).to_csv(out, index=False)

    def single(self, model: Any, frame: Any) -> Any:
        """Return what answers for a frame of one row."""
        return model[0].predict(frame.astype(model[1]))


class ScikitLearn:
    """A pipeline of one-hot columns and a multi-layer perceptron."""

    name = "scikit-learn"

    def fit(self, data: str, *, short: bool) -> Any:
        """Return the pipeline."""
        import pandas as pd
        from sklearn.compose import make_column_transformer
        from sklearn.neural_network import MLPClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        frame = pd.read_csv(data)
        encoder = make_column_transformer(
            (StandardScaler(), NUMBERS), (OneHotEncoder(handle_unknown="ignore"), KINDS)
        )
        net = MLPClassifier((96, 96, 96), early_stopping=True, max_iter=2 if short else 200)
        return make_pipeline(encoder, net).fit(frame[NUMBERS + KINDS], frame["y"])

    def predict(self, model: Any, data: str, out: str) -> None:
        """Predict all rows."""
        import pandas as pd

        x = pd.read_csv(data)[NUMBERS + KINDS]
        pd.DataFrame({"y": model.predict(x)}).to_csv(out, index=False)

    def single(self, model: Any, frame: Any) -> Any:
        """Return what answers for a frame of one row."""
        return model.predict(frame)


LIBRARIES = {each.name: each for each in (Polars, Deltaprop, DeltapropPlain, LightGBM, ScikitLearn)}


def work(name: str, task: str, data: str, model: str, out: str) -> None:
    """Do one task in this process, and print what it took."""
    library: Any = LIBRARIES[name]()
    learnt = None if task == "fit" else pickle.loads(Path(model).read_bytes())
    began, spent = time.perf_counter(), time.process_time()
    if task == "fit":
        learnt = library.fit(data, short=not model)
    elif task == "predict":
        library.predict(learnt, data, out)
    took = {"seconds": time.perf_counter() - began, "processor": time.process_time() - spent}
    took["peak"] = peak()
    if task == "fit" and model:
        Path(model).write_bytes(pickle.dumps(learnt))
    if task == "single":
        took = latencies(library, learnt, data)
    Path(out if task != "predict" else f"{out}.json").write_text(json.dumps(took))


def peak() -> float:
    """Return the most memory this program had, in MB, without what began it."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def latencies(library: Any, learnt: Any, data: str) -> dict[str, float]:
    """Return the median and the 99th percentile of the milliseconds of one row."""
    import pandas as pd

    frame = pd.read_csv(data, nrows=SINGLE)[NUMBERS + KINDS]
    each = []
    for i in range(len(frame)):
        row = frame.iloc[i : i + 1]
        began = time.perf_counter()
        library.single(learnt, row)
        each.append(1e3 * (time.perf_counter() - began))
    return {"p50": float(np.percentile(each, 50)), "p99": float(np.percentile(each, 99))}


def measured(
    name: str, task: str, data: Path, model: Path | None, folder: Path
) -> dict[str, float] | None:
    """Do one task in a process of its own; None where the library is not installed, or fails."""
    out = folder / "out.csv"
    words = [sys.executable, __file__, "--work", name, task, str(data), str(model or ""), str(out)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        tell(f"{name}, {task}: more than {PATIENCE} s")
        return None
    if done.returncode:
        tell(f"{name}, {task}: {(done.stderr.strip().splitlines() or ['ended'])[-1][:150]}")
        return None
    file = Path(f"{out}.json") if task == "predict" else out
    found: dict[str, float] = json.loads(file.read_text())
    return found


def versions() -> dict[str, str]:
    """Return the versions of the libraries that are installed."""
    found = {}
    for name in ("polars", "lightgbm", "scikit-learn"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def cell(took: dict[str, float] | None) -> str:
    """Write seconds by the clock, of the processors, and megabytes."""
    if took is None:
        return "-"
    return f"{took['seconds']:.1f} ({took['processor']:.1f}), {took['peak']:,.0f} MB"


def main() -> None:
    """Measure, and print or write the tables."""
    if sys.argv[1:2] == ["--work"]:
        work(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", default="10000,100000,1000000,5000000")
    parser.add_argument("--learn", default="10000,100000,1000000,5000000")
    parser.add_argument("--only", default="; ".join(LIBRARIES), help="names, or parts of them")
    parser.add_argument("--write", action="store_true", help="put the tables into the page")
    given = parser.parse_args()
    names = [name for name in LIBRARIES if name in given.only]
    predicting, learning, single = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        few = place / "few.csv"
        make_rows(0, LEARNT).write_csv(few)
        models = {name: place / f"model{i}" for i, name in enumerate(names)}
        names = [name for name in names if measured(name, "fit", few, models[name], place)]
        for name in names:
            if hasattr(LIBRARIES[name], "single"):
                took = measured(name, "single", few, models[name], place)
                if took is not None:
                    single.append([name, f"{took['p50']:.2f}", f"{took['p99']:.2f}"])
        for n in sorted({int(n) for n in f"{given.rows},{given.learn}".split(",") if n}):
            data = place / "many.csv"
            make_rows(1, n).write_csv(data)
            if str(n) in given.rows.split(","):
                found = [measured(name, "predict", data, models[name], place) for name in names]
                predicting.append([f"{n:,}", *map(cell, found)])
                tell(" | ".join(predicting[-1]))
            if str(n) in given.learn.split(","):
                found = [measured(name, "fit", data, None, place) for name in names]
                learning.append([f"{n:,}", *map(cell, found)])
                tell(" | ".join(learning[-1]))
    parts = [
        machine_sentence(describe_machine(), versions()),
        f"{os.cpu_count()} cores; seconds by the clock (of the processors), peak memory.",
        "Reading the table, predicting it and writing the answers:",
        markdown_table(["rows", *names], predicting),
        "Reading the table and learning it (100 trees; two epochs of one network):",
        markdown_table(["rows", *names], learning),
        "One row at a time, milliseconds:",
        markdown_table(["", "median", "99th percentile"], single),
    ]
    page = "\n\n".join(parts)
    print(page)
    if given.write:
        write_part("large", page)


if __name__ == "__main__":
    main()
