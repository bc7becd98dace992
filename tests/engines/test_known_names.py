"""What the kernels know is asked of them, and stands in one list."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import deltaprop as dp
from deltaprop import _native
from deltaprop.engines import ENGINES
from deltaprop.errors import EngineWarning
from deltaprop.model.layers import LAYERS
from deltaprop.training.optimizers import GradientDescent

NAMES = _native.known_names()


def test_every_name_is_one_of_ours():
    assert set(NAMES["activations"]) <= set(dp.ACTIVATIONS)
    assert set(NAMES["losses"]) <= set(dp.LOSSES)
    assert set(NAMES["layers"]) <= set(LAYERS)
    assert set(NAMES["optimizers"]) - {"nesterov"} <= set(dp.OPTIMIZERS)


@pytest.mark.parametrize("name", NAMES["losses"])
def test_a_row_of_targets_is_the_same_on_both_sides(name):
    assert NAMES["losses"][name] == dp.LOSSES[name].targets


@pytest.mark.parametrize("name", NAMES["losses"])
def test_labels_are_smoothed_by_what_the_targets_are(name):
    """As native/panels/output.hpp has it: towards 1/k where a row sums to 1, else towards 1/2."""
    row = dp.LOSSES[name]
    if row.smooth is not None:
        t, evenly = np.eye(5), {"distribution": 1 / 5, "unit": 1 / 2}[NAMES["losses"][name]]
        np.testing.assert_allclose(row.smooth(t, 0.2), 0.8 * t + 0.2 * evenly, rtol=1e-15)


@pytest.mark.parametrize("name", dp.OPTIMIZERS)
def test_an_optimizer_keeps_as_many_numbers_on_both_sides(name):
    if name in NAMES["optimizers"]:
        kept = dp.OPTIMIZERS[name]().init(1)
        assert NAMES["optimizers"][name] == sum(isinstance(v, np.ndarray) for v in kept.values())


def test_what_is_ours_and_not_the_kernels_runs_on_the_reference(rng, monkeypatch):
    """A rule, an activation and a loss put where ours are, and not yet written in C++."""

    @dataclass(frozen=True)
    class Newcomer(GradientDescent):
        name: ClassVar[str] = "newcomer"

    Newcomer.__module__ = "deltaprop.training.optimizers.newcomer"
    network, X, y = dp.Network([2, 3, 2]), rng.normal(size=(6, 2)), rng.integers(2, size=6)
    with pytest.warns(EngineWarning, match="has no optimizer Newcomer; the reference engine"):
        history = dp.train(network, network.init(rng), X, y, optimizer=Newcomer(0.1), epochs=1)
    assert history.engine == "reference"
    known = ENGINES["native"]
    assert known.refusal(network) is None
    fewer = dict(NAMES, activations=[n for n in NAMES["activations"] if n != "tanh"])
    fewer["losses"] = {n: t for n, t in NAMES["losses"].items() if n != "poisson"}
    from deltaprop.engines import kernels, native

    monkeypatch.setattr(kernels, "known_names", lambda: fewer)
    native._known.cache_clear()
    try:
        assert known.refusal(dp.Network([2, 3, 2], hidden="tanh")) == "activation 'tanh'"
        assert known.refusal(dp.Network([2, 1], loss="poisson")) == "loss 'poisson'"
    finally:
        native._known.cache_clear()
