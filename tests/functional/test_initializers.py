"""Initializers: the variance each promises, the shape of its distribution, and the seed."""

import numpy as np
import pytest

from deltaprop.functional.initializers import INITIALIZERS

VARIANCE = {
    "glorot_uniform": lambda i, o: 2 / (i + o),
    "glorot_normal": lambda i, o: 2 / (i + o),
    "he_uniform": lambda i, o: 2 / i,
    "he_normal": lambda i, o: 2 / i,
    "lecun_uniform": lambda i, o: 1 / i,
    "lecun_normal": lambda i, o: 1 / i,
    "standard_normal": lambda i, o: 1.0,
    "orthogonal": lambda i, o: 1 / max(i, o),
    "zeros": lambda i, o: 0.0,
}
SHAPES = [(300, 100), (100, 300), (200, 200)]

ROWS = pytest.mark.parametrize("row", INITIALIZERS.values(), ids=lambda row: row.name)


def test_the_table_names_every_initializer():
    assert set(VARIANCE) == set(INITIALIZERS)


@ROWS
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_weights_have_mean_zero_and_the_promised_variance(row, shape, rng):
    W = row.draw(rng, *shape)
    variance = VARIANCE[row.name](*shape)
    # 5 standard errors of the mean, and of the variance of a normal distribution
    assert abs(W.mean()) <= 5 * np.sqrt(variance / W.size)
    assert abs(W.var() - variance) <= 5 * variance * np.sqrt(2 / W.size)


@pytest.mark.parametrize("name", [name for name in INITIALIZERS if name.endswith("_uniform")])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_uniform_weights_fill_their_interval_and_stay_inside(name, shape, rng):
    W = INITIALIZERS[name].draw(rng, *shape)
    limit = np.sqrt(3 * VARIANCE[name](*shape))
    assert np.abs(W).max() <= limit
    assert np.abs(W).max() > 0.99 * limit


@pytest.mark.parametrize("name", [name for name in INITIALIZERS if name.endswith("_normal")])
def test_normal_weights_have_the_kurtosis_of_a_normal_distribution(name, rng):
    W = INITIALIZERS[name].draw(rng, 300, 300)
    assert np.mean((W / W.std()) ** 4) == pytest.approx(3.0, abs=5 * np.sqrt(96 / W.size))


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (7, 3), (3, 7)], ids=str)
def test_orthogonal_weights_are_orthonormal(shape, rng):
    W = INITIALIZERS["orthogonal"].draw(rng, *shape)
    gram = W.T @ W if shape[0] >= shape[1] else W @ W.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-14)


def test_orthogonal_weights_prefer_no_sign(rng):
    signs = [np.sign(INITIALIZERS["orthogonal"].draw(rng, 3, 3)[0, 0]) for _ in range(400)]
    assert abs(sum(signs)) < 5 * np.sqrt(400)


@ROWS
def test_the_same_seed_draws_the_same_weights_and_another_seed_others(row):
    one, same, other = (row.draw(np.random.default_rng(seed), 4, 3) for seed in (7, 7, 8))
    np.testing.assert_array_equal(one, same)
    assert row.name == "zeros" or (one != other).all()
