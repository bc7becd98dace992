"""Training keeps its rows once, in the precision of its steps, and learns the same from them."""

import subprocess
import sys
import tracemalloc

import numpy as np
import polars as pl
import pytest

from deltaprop.table_models import Recipe, TableModel
from deltaprop.table_models import prepare as module
from deltaprop.tabular import ImageEncoder, SparseEncoder, TableEncoder


def mixed(n, rng):
    """A table of which most inputs come from a few columns of categories."""
    x = rng.normal(size=(n, 4)).round(4)
    kinds = {f"k{j}": [f"v{i}" for i in rng.integers(0, 60, n)] for j in range(3)}
    kinds["gaps"] = [None if i % 7 == 0 else i for i in range(n)]
    y = np.where(x[:, 0] * x[:, 1] + 0.3 * rng.normal(size=n) > 0, "u", "v")
    return pl.DataFrame({**{f"n{i}": x[:, i] for i in range(4)}, **kinds}), y


def learnt(features, y, **settings):
    model = TableModel.fit(features, y, recipe=Recipe(epochs=2, **settings))
    return [member.flat for member in model.members]


def in_float64(monkeypatch):
    """Have every encoder keep its rows as they are computed, whatever is asked for."""
    for encoder in (TableEncoder, ImageEncoder, SparseEncoder):

        def transform(self, *args, own=encoder.transform, dtype=None, **names):
            assert dtype in (None, np.float32)
            return own(self, *args, **names)

        monkeypatch.setattr(encoder, "transform", transform)


@pytest.mark.parametrize("preset", ["plain", "fast", "best"])
@pytest.mark.one_in(3)
def test_rows_in_float32_teach_the_same_bits(preset, monkeypatch, rng):
    features, y = mixed(200, rng)
    numbers = rng.normal(size=200) * 1e3
    settings = {"preset": preset, "ranges": 8, "members": 1 if preset == "plain" else 2}
    found = [learnt(features, t, **settings) for t in (y, numbers)]
    in_float64(monkeypatch)
    for each, t in zip(found, (y, numbers), strict=True):
        np.testing.assert_array_equal(each, learnt(features, t, **settings))


def test_images_and_texts_in_float32_teach_the_same_bits(monkeypatch, rng):
    images = rng.normal(size=(120, 6, 6)) * 7 + 1
    texts = [" ".join(f"w{w}" for w in rng.integers(0, 40, 12)) for _ in range(120)]
    tables = [images, (images * 9).astype(np.uint8), pl.DataFrame({"text": texts, "n": range(120)})]
    y = rng.integers(0, 2, 120)
    found = [learnt(table, y, preset="fast") for table in tables]
    in_float64(monkeypatch)
    for each, table in zip(found, tables, strict=True):
        np.testing.assert_array_equal(each, learnt(table, y, preset="fast"))


def test_the_reference_engine_keeps_its_float64(monkeypatch, rng):
    features, y = mixed(60, rng)
    asked = []
    own = TableEncoder.transform

    def transform(self, *args, **names):
        asked.append(names.get("dtype", np.float64))
        return own(self, *args, **names)

    monkeypatch.setattr(TableEncoder, "transform", transform)
    learnt(features, y, preset="plain", engine="reference")
    assert asked
    assert all(dtype == np.float64 for dtype in asked)


@pytest.mark.parametrize("preset", ["plain", "fast"])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.one_in(9)
def test_no_more_than_twice_the_rows_in_float32_is_needed(preset, given, monkeypatch, rng):
    features, y = mixed(12_000, rng)
    prepared = []
    own = module.prepare
    monkeypatch.setattr(
        "deltaprop.table_models.fitting.prepare",
        lambda *args: prepared.append(own(*args)) or prepared[0],
    )
    recipe = Recipe(preset, epochs=1, hidden=(8,), ranges=0, members=3, remember_rows=False)
    tracemalloc.start()  # of NumPy's arrays, which the rows are
    try:
        model = TableModel.fit(
            features, y, recipe=recipe, validation=(features, y) if given else None
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    rows = (2 if given else 1) * 12_000
    assert peak < 2 * rows * model.inputs.n_outputs * 4
    assert prepared[0].learnt.x.dtype == np.float32


COMMAND = """
import resource, sys
from deltaprop.cli.main import main
assert main(sys.argv[1:]) == 0
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is counted otherwise")
@pytest.mark.parametrize("preset", ["plain", "fast"])
def test_the_command_takes_less_than_twice_its_rows_in_float32(preset, tmp_path, rng):
    n = 60_000
    kinds = {f"k{j}": [f"v{i}" for i in rng.integers(0, 250, n)] for j in range(8)}
    pl.DataFrame({**kinds, "y": rng.choice(["u", "v"], n)}).write_csv(tmp_path / "t.csv")
    words = [
        "train", tmp_path / "t.csv", "--target", "y", "--preset", preset, "--epochs", "1",
        "--hidden", "4", "--model", tmp_path / "m",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *words], capture_output=True, text=True, check=True
    )
    peak = 1024 * int(done.stdout.split()[-1])
    assert peak < 200e6 + 2 * n * 8 * 250 * 4  # Python and its libraries take the first part
