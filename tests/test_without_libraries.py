"""The mathematics, its explanations and the reference engine need NumPy and nothing else.

So the same code runs where nothing is compiled, as in a browser's Python.
"""

import subprocess
import sys

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.training import batches
from helpers.processes import assert_ended_well, run_parts

BLOCKED = (
    "deltaprop._native",
    "polars",
    "narwhals",
    "torch",
    "sklearn",
    "pandas",
    "scipy",
    "pyarrow",
)
HOOK = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name in {BLOCKED!r} or name.partition(".")[0] in {BLOCKED!r}:
            raise ImportError(f"{{name}} is blocked")

sys.meta_path.insert(0, Blocked())
import warnings
import numpy as np
import deltaprop as dp
net = dp.Network([2, 3, 2], hidden="tanh")
params = net.init(np.random.default_rng(0))
x, y = np.random.default_rng(1).normal(size=(6, 2)), [0, 1, 0, 1, 1, 0]
"""
WORK = {
    "backpropagate": "assert dp.backpropagate(net, params, x, y).loss > 0",
    "explain": """
e = dp.explain(net, params, x, y, optimizer=dp.Adam())
for language in ("en", "zh"):
    for form in ("terminal", "html", "latex", "markdown", "notebook", "json", "svg"):
        assert getattr(e, f"to_{form}")(language=language)
assert e._repr_html_() and e.verify()
""",
    "check_gradients": "assert dp.check_gradients(net, params, x, y).ok",
    "mark": """
claims = {"z.1": [[6.0]], "delta.1": [[-1.0]]}
worked = {"layers": [{"W": [[2.0]]}], "loss": "half_squared_error", "x": [[3.0]]}
assert dp.mark({**worked, "targets": [[5.0]], "claims": claims}).mistakes == ("sign",)
""",
    "exercise": """
for level in (1, 4, 8):
    exercise = dp.exercise(level, seed=3)
    assert exercise.to_html() and exercise.to_latex() and exercise.to_terminal()
""",
    "train on the reference": """
history = dp.train(net, params, x, y, engine="reference", epochs=3, batch_size=2)
assert len(history.loss) == 3 and dp.predict(net, params, x).shape == (6, 2)
""",
    "train on what there is": """
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    dp.train(net, params, x, y, epochs=1)
assert "has no compiled part here (deltaprop._native is blocked)" in str(said[0].message), said
""",
    "save and load": """
import os, tempfile
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "m.safetensors")
    dp.save(path, net, params)
    assert (dp.load(path).parameters.flat == params.flat).all()
""",
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return run_parts(tmp_path_factory.mktemp("without"), WORK, HOOK)


@pytest.mark.parametrize("what", WORK)
def test_it_works_without_them(done, what):
    assert_ended_well(done, what)


def test_the_compiled_engine_says_that_it_is_not_there():
    work = 'dp.train(net, params, x, y, engine="native", epochs=1)'
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", HOOK + work],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "EngineWarning: The native engine has no compiled part here" in done.stderr


@pytest.mark.parametrize("n", [0, 1, 2, 7, 1000, 5003])
@pytest.mark.parametrize("seed", [0, 9, 2**64 - 1])
def test_rows_are_shuffled_alike_with_and_without(monkeypatch, n, seed):
    compiled = batches.epoch_order(seed, 5, n, shuffle=True)
    monkeypatch.setattr(batches, "compiled_part", lambda: None)
    np.testing.assert_array_equal(batches.epoch_order(seed, 5, n, shuffle=True), compiled)


def test_a_run_without_them_has_the_bits_of_one_with_them(monkeypatch, rng):
    network = dp.Network([2, 3, 2])
    x, y = rng.normal(size=(20, 2)), rng.integers(2, size=20)
    ends = []
    for compiled in (True, False):
        parameters = network.init(np.random.default_rng(0))
        if not compiled:
            monkeypatch.setattr(batches, "compiled_part", lambda: None)
        dp.train(network, parameters, x, y, engine="reference", epochs=2, batch_size=3)
        ends.append(parameters.flat.copy())
    np.testing.assert_array_equal(*ends)
