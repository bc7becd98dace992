"""Small tables and the reports about them."""

import numpy as np
import pytest

import deltaprop as dp

QUICK = dp.Recipe(preset="plain", epochs=30, hidden=(16,), learning_rate=0.3)


def cases(rng):
    """Return tables of every kind: (features, target, recipe)."""
    n = 120
    x = rng.normal(size=(n, 3))
    words = rng.choice(["red", "green", "blue"], size=n)
    table = {
        "size": x[:, 0].tolist(),
        "noise": x[:, 1].tolist(),
        "colour": [None if i % 17 == 0 else w for i, w in enumerate(words)],
    }
    two = ["yes" if v > 0 else "no" for v in x[:, 0] + 0.3 * x[:, 2]]
    many = [f"class {i % 100:02d}" for i in range(400)]
    wide = {f"x{i}": [(i + j) % 40 / 40 for j in range(400)] for i in range(4)}
    return {
        "two classes": (table, two, QUICK),
        "a hundred classes": (wide, many, QUICK),
        "a number": (table, (3 * x[:, 0] + x[:, 1]).tolist(), QUICK),
        "two numbers": (table, np.column_stack([x[:, 0], -x[:, 1] * 100]), QUICK),
        "nothing held out": (table, two, dp.Recipe(epochs=3, hidden=(4,), validation_share=0.0)),
        "an ensemble": (table, two, dp.Recipe(preset="best", epochs=3, hidden=(4,))),
        "an ensemble of numbers": (table, x[:, 0].tolist(), dp.Recipe(epochs=3, hidden=(4,))),
        "images": (
            rng.integers(0, 256, size=(60, 9, 5), dtype=np.uint8), np.arange(60) % 2, QUICK
        ),
        "1,200 columns": (rng.normal(size=(60, 1200)), np.arange(60) % 2, QUICK),
    }  # fmt: skip


@pytest.fixture(scope="session")
def reported():
    """Return a function from the name of a table to its model and its report."""
    known = cases(np.random.default_rng(5))
    made = {}

    def of(name):
        if name not in made:
            features, target, recipe = known[name]
            model = dp.TableModel.fit(features, target, recipe=recipe)
            command = "deltaprop train 'my table.csv' --target y"
            found = dp.report(model, features, target, source="my table.csv", command=command)
            made[name] = model, found
        return made[name]

    return of
