"""Cosine and sine of the kernels, laid bare by a wave with omega = 1, phi = 0 and V = 1."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.engines.kernels import NativePredictor
from helpers.piles import BUILDS


def of_build(network, parameters, X, dtype, build):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DELTAPROP_BUILD", build)
        return NativePredictor(network, parameters, dtype, sparse=False).logits(X)[:, 0]


# two units in the last place of 1 for float, two for double, NumPy's own error among them
BOUNDS = pytest.mark.parametrize(
    ("dtype", "bound", "most"), [("float32", 1.2e-7, 12_000.0), ("float64", 5e-16, 1e6)]
)


def numbers(rng, dtype, most):
    quarters = np.pi / 2 * np.arange(-40, 41)
    near = quarters[:, None] * (1.0 + np.array([0.0, 1e-7, -1e-7, 1e-15, 1e-3]))
    spread = [rng.uniform(-size, size, 4000) for size in (0.8, 4.0, 100.0, most, 3.0 * most)]
    chosen = [0.0, -0.0, 1e-30, -1e-8, most, -most, 1e9, -1e18, 1e30, 3e38]
    return np.concatenate([near.ravel(), *spread, chosen]).astype(dtype)


@BOUNDS
@pytest.mark.parametrize("build", BUILDS)
def test_cosines_are_numpys(rng, build, dtype, bound, most):
    network = dp.Network.from_layers(1, [dp.PeriodicEmbedding(1, 1, 1), dp.Dense(1)],
                                     "half_squared_error")  # fmt: skip
    parameters = network.parameters(
        [None, [[0.0], [1.0]]], omega=[[[1.0]], None], phi=[[[0.0]], None],
        V=[[[[1.0]]], None], v=[[[0.0]], None],
    )  # fmt: skip
    x = numbers(rng, dtype, most)
    found = of_build(network, parameters, x[:, None], dtype, build)
    # a product with 0 of what is infinite as float32 would tell of nothing
    assert np.abs(found - np.cos(x.astype(np.float64))).max() <= bound
    for odd in (np.nan, np.inf, -np.inf):
        row = np.array([[odd]], dtype=dtype)
        assert np.isnan(of_build(network, parameters, row, dtype, build)).all()


@BOUNDS
@pytest.mark.parametrize("build", BUILDS)
def test_sines_are_numpys(of_engines, rng, build, dtype, bound, most):
    """One row, a column for each number; delta is 1 and the step moves phi by its sine."""
    x = numbers(rng, dtype, most)
    x = x[np.abs(x) < 1e17].astype(np.float64)
    n, small = len(x), 2.0**-12
    network = dp.Network.from_layers(n, [dp.PeriodicEmbedding(n, 1, 1), dp.Dense(1)],
                                     "half_squared_error")  # fmt: skip
    W, ones, zeros = np.zeros((2 * n, 1)), np.ones((n, 1)), np.zeros((n, 1))
    W[1::2] = small
    start = network.parameters(
        [None, W], omega=[ones, None], phi=[zeros, None], V=[ones[..., None], None],
        v=[zeros, None],
    )  # fmt: skip
    target = np.array([[small * np.cos(x).sum() - 1.0]])
    problem = of_engines.problem(
        network, rng, n=1, X=x[None, :], targets=target, dtype=dtype, n_threads=1
    )
    found = of_engines.epochs(problem, start, build=build, eta=1.0 / small)
    moved = start.like(found.flat)
    delta = -small * moved.b[1][0]  # 1, but for the roundings of a long sum
    assert delta == pytest.approx(1.0, rel=1e-5)
    # delta by V, and the measured delta, round once more
    found = moved.layers[0]["phi"][:, 0] / delta
    assert np.abs(found - np.sin(x)).max() <= 2.5 * bound
