"""Two small tables, and the estimators that other people's programs are given."""

import ast
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deltaprop as dp


def pytest_collection_modifyitems(items):
    """Mark every test of this folder; the libraries' own warnings are their own affair."""
    for item in items:
        if "ecosystem" in item.path.parts:
            item.add_marker(pytest.mark.ecosystem)
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(params=["plain", "fast"])
def preset(request):
    return request.param


@pytest.fixture
def make(preset):
    """Make an estimator that learns a small table in a moment."""

    def maker(kind=dp.MLPClassifier, **settings):
        epochs = {"plain": 60, "fast": 12}[preset]
        rate = {"learning_rate_init": 0.02} if preset == "plain" else {}
        settings = {"max_iter": epochs, "random_state": 0} | rate | settings
        return kind(hidden_layer_sizes=(16,), preset=preset, **settings)

    return maker


@pytest.fixture(scope="session")
def trusted():
    """Return the types that the documentation says skops has to trust."""
    page = Path(__file__).parents[2] / "docs" / "ecosystem.md"
    listed = page.read_text(encoding="utf-8").split("TRUSTED = ", 1)[1]
    return ast.literal_eval(listed.split("]", 1)[0] + "]")


@pytest.fixture
def numbers():
    """Return two informative columns of numbers and one of noise, and classes."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(160, 3)), columns=["height", "weight", "noise"])
    return X, np.where(X["height"] + X["weight"] > 0, "yes", "no")


@pytest.fixture
def words(numbers):
    """Return the same with a column of words, one of truth values, and missing cells."""
    X, y = numbers
    rng = np.random.default_rng(1)
    X = X.assign(colour=rng.choice(["red", "blue", "green"], len(X)), open=rng.random(len(X)) > 0.5)
    X.loc[::9, "noise"] = np.nan
    return X, y


@pytest.fixture(autouse=True)
def _few_epochs_are_enough():
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
