"""What tests of table models share: a table, and an answer that follows from it."""

import pytest

from helpers.tables import N


@pytest.fixture
def columns(rng):
    """A table whose target follows from its columns."""
    size, colour = rng.normal(size=N), rng.choice(["red", "green", "blue"], size=N)
    return {
        "size": size.tolist(),
        "colour": colour.tolist(),
        "big": (size > 1).tolist(),
        "count": rng.integers(0, 9, size=N).tolist(),
    }


@pytest.fixture
def answer(columns):
    return ["yes" if s > 0 or c == "red" else "no"
            for s, c in zip(columns["size"], columns["colour"], strict=True)]  # fmt: skip
