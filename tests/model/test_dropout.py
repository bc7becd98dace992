"""Dropout: the right expectation, one mask forward and backward, and none in prediction."""

import numpy as np
import pytest

from deltaprop.errors import SettingError
from deltaprop.model.backprop import backpropagate, draw_masks, propagate
from deltaprop.model.layers import Dense, Dropout
from deltaprop.model.spec import Network


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_a_mask_drops_its_share_and_keeps_the_expectation(p, rng):
    mask = Dropout(p).draw_mask(rng, (400, 500))
    np.testing.assert_allclose(np.unique(mask), [0.0, 1.0 / (1.0 - p)], rtol=1e-15)
    error = 5 * np.sqrt(p * (1 - p) / mask.size)
    assert (mask == 0).mean() == pytest.approx(p, abs=error)
    assert mask.mean() == pytest.approx(1.0, abs=error / (1 - p))


def test_nothing_is_dropped_with_probability_zero(rng):
    assert (Dropout(0.0).draw_mask(rng, (3, 4)) == 1.0).all()
    assert Network([2, 3, 1], loss="huber", dropout=0.0).dropouts == (None, None)


def test_every_entry_is_dropped_independently(rng):
    mask = Dropout(0.5).draw_mask(rng, (2000, 6)) - 1.0  # -1 or 1
    correlations = mask.T @ mask / 2000 - np.eye(6)
    assert np.abs(correlations).max() < 5 / np.sqrt(2000)


def test_the_output_of_a_linear_network_is_right_on_average(rng):
    network = Network([3, 20, 2], "identity", "half_squared_error", dropout=0.4)
    parameters, x = network.init(rng), rng.normal(size=(1, 3))
    expected = propagate(network, parameters, x)[1][-1][0]
    many = np.repeat(x, 20000, axis=0)
    outputs = propagate(network, parameters, many, draw_masks(network, 20000, rng))[1][-1]
    error = 5 * outputs.std(axis=0) / np.sqrt(20000)
    assert (np.abs(outputs.mean(axis=0) - expected) < error).all()
    assert (outputs.std(axis=0) > 0).all()


def test_without_a_generator_nothing_is_dropped(rng):
    wet, dry = (Network([3, 8, 8, 2], "tanh", dropout=p) for p in (0.5, 0.0))
    parameters, x, y = dry.init(rng), rng.normal(size=(6, 3)), rng.integers(0, 2, 6)
    assert draw_masks(wet, 6, None) == [None, None, None]
    with_dropout, without = (backpropagate(network, parameters, x, y) for network in (wet, dry))
    assert with_dropout.masks == (None, None, None)
    np.testing.assert_array_equal(with_dropout.gradients.flat, without.gradients.flat)


def test_a_network_without_dropout_ignores_the_generator(rng):
    network = Network([3, 8, 2], "tanh")
    state = rng.bit_generator.state
    assert draw_masks(network, 6, rng) == [None, None]
    assert rng.bit_generator.state == state


def test_the_same_seed_draws_the_same_masks_and_another_seed_others(rng):
    network = Network([3, 8, 2], "tanh", dropout=0.5)
    case = (network, network.init(rng), rng.normal(size=(6, 3)), rng.integers(0, 2, 6))
    one, same, other = (backpropagate(*case, rng=np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.gradients.flat, same.gradients.flat)
    assert not np.array_equal(one.masks[1], other.masks[1])


@pytest.fixture
def dropped(rng):
    layers = [Dropout(0.3), Dense(6, "tanh"), Dense(5, "silu"), Dropout(0.5), Dense(3)]
    network = Network.from_layers(4, layers, l2=0.1)
    parameters = network.init(rng)
    x, y = rng.normal(size=(7, 4)), rng.integers(0, 3, 7)
    return backpropagate(network, parameters, x, y, rng=rng)


def test_a_mask_acts_where_an_activation_enters_the_next_layer(dropped):
    assert [mask is None for mask in dropped.masks] == [False, True, False]
    assert [mask.shape for mask in dropped.masks if mask is not None] == [(7, 4), (7, 5)]
    for layer, mask in enumerate(dropped.masks):
        a = dropped.a[layer]
        np.testing.assert_array_equal(dropped.inputs[layer], a if mask is None else a * mask)
        W, b = dropped.parameters.W[layer], dropped.parameters.b[layer]
        np.testing.assert_allclose(dropped.z[layer], dropped.inputs[layer] @ W + b)
    assert (dropped.a[2] != 0).all()  # a itself is kept whole


def test_the_same_mask_acts_on_the_way_back(dropped):
    delta, W, mask = dropped.delta[2], dropped.parameters.W[2], dropped.masks[2]
    np.testing.assert_allclose(dropped.upstream[1], (delta @ W.T) * mask)
    assert (dropped.delta[1][mask == 0] == 0).all()
    np.testing.assert_allclose(dropped.data_gradients.W[2], dropped.inputs[2].T @ delta)


def test_the_gradient_is_that_of_the_masked_network(dropped):
    network, p, h = dropped.network, dropped.parameters.copy(), 1e-5

    def loss():
        a = dropped.a[0]
        for layer, mask in enumerate(dropped.masks):
            z = (a if mask is None else a * mask) @ p.W[layer] + p.b[layer]
            a = network.activations[layer].f(z) if layer < 2 else z
        per_sample = network.loss.per_sample(z, dropped.targets)
        return per_sample.mean() + 0.05 * sum((W**2).sum() for W in p.W)

    assert loss() == pytest.approx(dropped.loss, rel=1e-13)
    measured = np.empty_like(p.flat)
    for i in range(len(p.flat)):
        kept = p.flat[i]
        p.flat[i] = kept + h
        right = loss()
        p.flat[i] = kept - h
        measured[i] = (right - loss()) / (2 * h)
        p.flat[i] = kept
    np.testing.assert_allclose(dropped.gradients.flat, measured, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5, np.nan, np.inf, "half", None, True])
def test_a_probability_outside_its_range_is_refused(p):
    with pytest.raises(SettingError, match="drop_probability"):
        Dropout(p)
