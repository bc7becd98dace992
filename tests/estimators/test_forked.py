"""Tables in a forked child, where the threads of polars are gone: the same bits, within seconds."""

import os
import subprocess
import sys

import pytest

from helpers.processes import assert_ended_well, run_parts

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")

# Each child that does not end by itself is ended by its alarm.
BEGINNING = """
import faulthandler, os, signal, sys, warnings
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import deltaprop as dp
from deltaprop.tabular import TableEncoder, as_frame, load_dataset, load_frame

rng = np.random.default_rng(0)
n = 60
cells = {
    "number": rng.normal(size=n).tolist(),
    "word": rng.choice(["x", "y", "z"], n).tolist(),
    "truth": (rng.random(n) > 0.5).tolist(),
    "gaps": [None if i % 9 == 0 else float(i % 7) for i in range(n)],
    "day": [f"2024-01-{i % 28 + 1:02}" for i in range(n)],
    "said": [f"this is the sentence number {i % 40} of {i % 7} many" for i in range(n)],
}
numbers = {"a": rng.normal(size=n), "b": rng.normal(size=n)}
classes = np.where(rng.random(n) > 0.5, "yes", "no")

frames = {
    "pandas": pd.DataFrame(cells).astype({"word": "category"}),
    "polars": pl.DataFrame(cells),
    "lazy polars": pl.LazyFrame(cells),
    "pyarrow": pa.table(cells),
    "dict": cells,
    "numpy": np.column_stack(list(numbers.values())),
    "polars numbers": pl.DataFrame(numbers),
}

def in_a_child(work):
    if (child := os.fork()) == 0:
        signal.alarm(240)
        try:
            work()
        except BaseException as error:
            print("in the child:", repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return child

def ended_well(*children):
    for child in children:
        assert os.waitpid(child, 0)[1] == 0, "a child failed, or hung"

def fitted(estimator, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(X, classes)

def answer(estimator, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.predict_proba(X).tobytes()

def answers(make, X):
    return answer(fitted(make(), X), X)

pl.DataFrame({"a": [2, 1]}).sort("a").select(pl.col("a").sum())  # its threads have begun
faulthandler.register(signal.SIGALRM, chain=True)  # says where a child hangs before it ends
"""


PREDICTING = """
def make(preset):
    return dp.MLPClassifier((6,), preset=preset, max_iter=2, random_state=0)
others = ("best", "plain", None)  # each with two frames or three, "fast" with all
cases = [(name, p) for i, name in enumerate(frames) for p in ("fast", others[i % 3])]
models = {case: fitted(make(case[1]), frames[case[0]]) for case in cases}
expected = {case: answer(models[case], frames[case[0]]) for case in cases}
def work(some):
    for name, preset in some:
        X, right = frames[name], expected[name, preset]
        assert answer(models[name, preset], X) == right, (name, preset, "predicts otherwise")
        assert answers(lambda: make(preset), X) == right, (name, preset, "learns otherwise")
ended_well(*[in_a_child(lambda: work(cases[i::4])) for i in range(4)])
"""

FILES = """
folder = os.path.dirname(__file__)
pd.DataFrame(cells).assign(target=classes).to_csv(folder + "/t.csv", index=False)
pd.DataFrame(cells).to_parquet(folder + "/t.parquet")
data = load_dataset(folder + "/t.csv", "target")
recipe = dp.Recipe(hidden=(6,), epochs=2)
model = dp.TableModel.fit(data.features, data.target, recipe=recipe)
expected = model.predict_proba(data.features).tobytes()
figures = model.evaluate(data.features, data.target)
whole = load_frame(folder + "/t.parquet").to_native().to_dict(as_series=False)
def work():
    assert model.predict_proba(data.features).tobytes() == expected
    again = load_dataset(folder + "/t.csv", "target")
    assert dp.TableModel.fit(
        again.features, again.target, recipe=recipe
    ).predict_proba(again.features).tobytes() == expected
    assert load_frame(folder + "/t.parquet").to_native().to_dict(as_series=False) == whole
    assert model.evaluate(data.features, data.target) == figures
    model.explain(data.features[:1], data.target[:1])
def older():
    work()
    ended_well(in_a_child(work))
    work()
ended_well(in_a_child(older))
work()
"""

ERRORS = """
from deltaprop.errors import ColumnError, ForkError
from deltaprop.tabular import TableWarning, forked
encoder = TableEncoder.fit(cells)
def work():
    try:
        encoder.transform({"number": [1.0]})
    except ColumnError as error:
        assert "lacks columns" in str(error)
    else:
        raise AssertionError("nothing was raised")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        encoder.transform(cells | {"word": ["new"] * n})
    assert [w.category for w in caught] == [TableWarning] and "'word'" in str(caught[0].message)
    assert caught[0].filename == __file__
def without_python():
    sys.executable, sys.prefix, sys.base_prefix = "/usr/bin/uwsgi", "/nowhere", "/nowhere"
    try:
        encoder.transform(cells)
    except ForkError as error:
        assert "spawn" in str(error)
    else:
        raise AssertionError("nothing was raised")
    sys.executable, sys.prefix = "", sys.exec_prefix  # as where Python is a part of a server
    encoder.transform(cells)
def bereft():
    encoder.transform(cells)
    forked._helper.process.kill()
    for raised in (True, False):  # the next one is a new one
        try:
            encoder.transform(cells)
            assert not raised
        except ForkError as error:
            assert raised and "ended" in str(error)
ended_well(in_a_child(work), in_a_child(without_python), in_a_child(bereft))
"""

HELPER = """
import time
from deltaprop.tabular import forked
encoder = TableEncoder.fit(cells)
read, write = os.pipe()
def work():
    encoder.transform(cells)
    os.write(write, str(forked._helper.process.pid).encode())
ended_well(in_a_child(work))
helper = int(os.read(read, 20))
def runs():
    try:
        os.kill(helper, 0)
        return open(f"/proc/{helper}/stat").read().split()[2] != "Z"
    except OSError:
        return False
for _ in range(300):
    if not runs():
        break
    time.sleep(0.1)
assert not runs()
"""

PARTS = {
    "children predict and fit as their parent does": PREDICTING,
    "a child of a child, and its files and models": FILES,
    "errors and warnings arrive in the child": ERRORS,
    "a helper ends with its child": HELPER,
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    options = ["-W", "ignore::DeprecationWarning"]
    # with one thread polars does some things in the thread that calls it: nothing would hang
    environment = os.environ | {"POLARS_MAX_THREADS": "2"}
    return run_parts(tmp_path_factory.mktemp("forks"), PARTS, BEGINNING, options, environment)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.one_in(4)
def test_in_forked_children(done, part):
    assert_ended_well(done, part)


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.slow
def test_a_child_of_a_process_that_used_polars_alone(tmp_path, threads):
    """Whoever loaded polars: in the child, its threads are found to be gone."""
    script = tmp_path / "late.py"
    script.write_text(
        "import os, signal, polars as pl\n"
        "pl.DataFrame({'a': [2, 1]}).sort('a').select(pl.col('a').sum())\n"
        "if (child := os.fork()) == 0:\n"
        "    signal.alarm(120)\n"
        "    from deltaprop.tabular import TableEncoder\n"
        "    x = TableEncoder.fit({'a': ['x', 'y', 'x']}).transform({'a': ['x']})\n"
        "    os._exit(x.shape != (1, 1))\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "from deltaprop.tabular import TableEncoder, forked\n"
        "TableEncoder.fit({'a': ['x', 'y']})\n"
        "assert forked._helper is None\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-W", "ignore::DeprecationWarning", script]
    environment = os.environ | {"POLARS_MAX_THREADS": threads}
    subprocess.run(command, timeout=300, check=True, env=environment)
