"""Layers in which some neurons have no bias: what is 0 there stays 0, and is no parameter."""

import re

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DataError, EngineWarning, SettingError, ShapeError
from deltaprop.model.serialize import load_model, network_from_dict, network_to_dict, save_model
from deltaprop.model.stored import Stored

LAYERS = [dp.Dense(3, "tanh", bias=[True, False, True]), dp.Dense(2, bias=[False, True])]
ABSENT = (7, 15)  # of W.1 (6), b.1 (3), W.2 (6), b.2 (2)


def network():
    return dp.Network.from_layers(2, LAYERS)


@pytest.fixture
def rows(rng):
    X = rng.normal(size=(40, 2))
    return X, (X[:, 0] > X[:, 1]).astype(int)


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def test_all_or_none_is_one_word():
    assert dp.Dense(2, bias=[True, True]) == dp.Dense(2)
    assert dp.Dense(2, bias=np.array([False, False])) == dp.Dense(2, bias=False)
    assert hash(dp.Dense(2, bias=[True, False])) == hash(dp.Dense(2, bias=(True, np.False_)))


@pytest.mark.parametrize("bias", [[True], [1, 0], "yes", None, [[True, False]], [True, None], 1])
def test_anything_else_is_refused(bias):
    with pytest.raises(SettingError, match="for each of the 2 neurons"):
        dp.Dense(2, bias=bias)


def test_what_is_absent_is_no_parameter(rng):
    net = network()
    assert net.n_parameters == 15
    assert tuple(net.layout.absent) == ABSENT
    assert [net.layout.entry(i) for i in ABSENT] == ["b.1[1]", "b.2[0]"]
    drawn = dp.Network.from_layers(2, [dp.Dense(3, bias=[True, False, True],
                                                bias_initializer="standard_normal")])  # fmt: skip
    b = drawn.init(rng).b[0]
    assert b[1] == 0
    assert b[[0, 2]].all()


def test_numbers_are_given_with_none_or_0():
    net, W = network(), [np.ones((2, 3)), np.ones((3, 2))]
    for b in ([[0.5, None, 1], [None, 2]], [np.array([0.5, 0, 1]), [0, 2]]):
        parameters = net.parameters(W, b)
        np.testing.assert_array_equal(parameters.b[0], [0.5, 0, 1])
        np.testing.assert_array_equal(parameters.b[1], [0, 2])


@pytest.mark.parametrize(
    ("b", "message"),
    [
        ([0.5, 0.25, 1], r"b.1\[1\] is 0.25, but neuron 2 of layer 1 has no bias"),
        ([None, None, 1], "b of layer 1 has None for neuron 1, which has a bias"),
        ([0.5, 1], r"b of layer 1 has shape \(2,\); expected \(3,\)"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(b, message):
    with pytest.raises(ShapeError, match=message):
        network().parameters([np.ones((2, 3)), np.ones((3, 2))], [b, None])


def test_a_number_written_there_later_is_refused(rng, rows):
    net = network()
    parameters = net.init(rng)
    parameters.b[0][1] = 0.5
    for use in (dp.backpropagate, dp.check_gradients, dp.train, dp.explain):
        with pytest.raises(ShapeError, match="neuron 2 of layer 1 has no bias"):
            use(net, parameters, *rows)
    with pytest.raises(ShapeError, match="neuron 2 of layer 1 has no bias"):
        dp.predict(net, parameters, rows[0])


class Noisy:
    """An optimizer that moves every number, whatever its gradient is."""

    learning_rate = 0.1

    def init(self, n):
        return {}

    def step(self, state, flat, gradient, eta, decayed):
        flat -= eta * (gradient + 0.1)


@pytest.mark.parametrize("rule", [*(row(0.01) for row in dp.OPTIMIZERS.values()), Noisy()],
                         ids=lambda rule: type(rule).__name__)  # fmt: skip
def test_training_leaves_them_out(rng, rows, rule):
    net = network()
    parameters = net.init(rng)
    before = parameters.flat.copy()
    with pytest.warns(EngineWarning):
        dp.train(net, parameters, *rows, optimizer=rule, epochs=2)
    moved = parameters.flat != before
    assert moved[net.layout.places].all()
    assert not moved[list(ABSENT)].any()


def test_training_is_that_of_biases_that_stay_0(rng, rows):
    net, whole = network(), dp.Network([2, 3, 2], "tanh")
    parameters = net.init(rng)
    other = whole.init(rng).like(parameters.flat.copy())
    for _ in range(5):
        gradient = dp.backpropagate(whole, other, *rows).gradients.flat
        other.flat[net.layout.places] -= 0.5 * gradient[net.layout.places]
    dp.train(net, parameters, *rows, optimizer=dp.GradientDescent(0.5), epochs=5, batch_size=40,
             engine="reference")  # fmt: skip
    np.testing.assert_allclose(parameters.flat, other.flat, rtol=1e-9, atol=1e-12)


def test_the_native_engine_says_who_runs_it_and_predicts(rng, rows):
    net = network()
    parameters = net.init(rng)
    parameters.flat[net.layout.places] += 0.25
    said = "no layer in which only some neurons have a bias; the reference engine runs it"
    with pytest.warns(EngineWarning, match=said):
        history = dp.train(net, parameters, *rows, epochs=1)
    assert history.engine == "reference"
    fast, slow = (dp.predict(net, parameters, rows[0], engine=e) for e in ("native", "reference"))
    np.testing.assert_allclose(fast, slow, rtol=1e-5)


def test_a_file_keeps_them_and_is_resumed(tmp_path, rng, rows):
    net, path = network(), tmp_path / "run.safetensors"
    whole, parts = net.init(np.random.default_rng(3)), net.init(np.random.default_rng(3))
    settings = {"optimizer": dp.Adam(0.1), "engine": "reference", "seed": 1}
    dp.train(net, whole, *rows, epochs=4, **settings)
    stops = [lambda state: state.epoch == 1]
    dp.train(net, parts, *rows, epochs=4, checkpoint=path, callbacks=stops, **settings)
    assert (whole.flat != parts.flat).any()
    dp.train(net, parts, *rows, epochs=4, checkpoint=path, resume=True, **settings)
    np.testing.assert_array_equal(whole.flat, parts.flat)
    assert network_from_dict(network_to_dict(net)) == net
    save_model(tmp_path / "m.safetensors", net, parts)
    saved = load_model(tmp_path / "m.safetensors")
    assert saved.network == net
    np.testing.assert_array_equal(saved.parameters.flat, parts.flat)
    parts.b[1][0] = 1.0
    with pytest.raises(ShapeError, match=re.escape("b.2[0] is 1")):
        save_model(tmp_path / "m.safetensors", net, parts)
    assert load_model(tmp_path / "m.safetensors").parameters.b[1][0] == 0


def test_an_earlier_version_refuses_such_a_file_and_reads_the_others():
    """It reads a bias that is true or false; of another it says so."""
    described = network_to_dict(network())["layers"][0]["bias"]
    with pytest.raises(DataError, match="expected true or false"):
        Stored({"bias": described}, "layer").of_type("bias", described, bool)
    assert "bias" not in network_to_dict(dp.Network([2, 3, 2]))["layers"][0]
    assert network_to_dict(dp.Network([2, 2], bias=False))["layers"][0]["bias"] is False
