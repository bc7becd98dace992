"""Two installations of deltaprop beside each other: training, and an explanation in all its forms.

    python benchmarks/versions.py BEFORE/.venv/bin/python AFTER/.venv/bin/python

Each interpreter has deltaprop installed. They take turns; of three turns the smallest figure is
kept. Milliseconds of processor time of two epochs in float32 on one thread; seconds, and the bytes,
of the explanation of a 784-128-10 network in seven forms.
"""

from __future__ import annotations

import json
import subprocess
import sys

TURNS = 3
WORK = """
import json, time
import numpy as np
import deltaprop as dp

rng, found = np.random.default_rng(0), {}
ROWS = {"4-8-3": 15_000, "20-64-32-2": 20_000, "64-32-10": 20_000, "784-256-128-10": 3_000}
for name, n in ROWS.items():
    sizes = [int(width) for width in name.split("-")]
    X = rng.normal(size=(n, sizes[0])).astype("float32")
    y = rng.integers(sizes[-1], size=n)
    network = dp.Network(sizes)
    seconds = []
    for _ in range(5):
        parameters, start = network.init(np.random.default_rng(0)), time.process_time()
        dp.train(network, parameters, X, y, optimizer=dp.Adam(1e-3), batch_size=128, epochs=2,
                 dtype="float32", n_threads=1)
        seconds.append(time.process_time() - start)
    found[f"{name}, ms"] = 1e3 * min(seconds)
network, start = dp.Network([784, 128, 10]), time.process_time()
explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 784)), [3])
forms = ("terminal", "html", "latex", "markdown", "json", "notebook", "spoken")
size = sum(len(explanation.to(form).encode()) for form in forms)
found["explanation, s"], found["explanation, bytes"] = time.process_time() - start, size
print(json.dumps(found))
"""


def figures(python: str) -> dict[str, float]:
    """Return what one turn of an interpreter comes to."""
    done = subprocess.run([python, "-c", WORK], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print a table with a column for each interpreter."""
    pythons = sys.argv[1:]
    if not pythons:
        raise SystemExit(__doc__)
    turns = [[figures(python) for python in pythons] for _ in range(TURNS)]
    for name in turns[0][0]:
        least = [min(turn[k][name] for turn in turns) for k in range(len(pythons))]
        print(f"{name:20}", *(f"{value:12,.2f}" for value in least))


if __name__ == "__main__":
    main()
