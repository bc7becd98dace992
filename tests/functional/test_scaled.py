"""Activations with a gain: each is proved as one that is registered."""

from dataclasses import replace

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import UnknownNameError
from deltaprop.functional.activations import ACTIVATIONS, BUILT_IN

Z = np.linspace(-6, 6, 49)


@pytest.mark.parametrize("row", BUILT_IN, ids=lambda row: row.name)
@pytest.mark.parametrize(("scale", "slope"), [("", "0.5"), ("1.7159 ", "2/3"), ("2*", "3 * ")])
def test_a_gain_keeps_every_formula_right(row, scale, slope):
    found = ACTIVATIONS[f"{scale}{row.name}({slope} z)"]
    ACTIVATIONS.check(replace(found, name="proved"))
    outer = {"": 1.0, "1.7159 ": 1.7159, "2*": 2.0}[scale]
    inner = {"0.5": 0.5, "2/3": 2 / 3, "3 * ": 3.0}[slope]
    np.testing.assert_allclose(found.f(Z), outer * row.f(inner * Z), rtol=1e-15)


def test_the_bipolar_sigmoid_is_that_of_the_textbooks():
    row = ACTIVATIONS["bipolar_sigmoid"]
    np.testing.assert_allclose(row.f(Z), 2 / (1 + np.exp(-Z)) - 1, atol=1e-15)
    a = row.f(Z)
    np.testing.assert_allclose(row.f_prime(Z, a), (1 + a) * (1 - a) / 2, atol=1e-15)


@pytest.mark.parametrize(
    "name", ["tanh(0 z)", "0 tanh(z)", "tanh(2/0 z)", "tanhh(2 z)", "tanh(tanh(2 z))", "tanh(2 a)",
             "-1 tanh(2 z)", "tanh(1e999 z)", "tanh(2 z)\n"]
)  # fmt: skip
def test_what_is_no_gain_is_no_activation(name):
    with pytest.raises(UnknownNameError):
        ACTIVATIONS[name]


def test_a_network_with_a_gain_is_trained_saved_and_read_again(tmp_path, rng):
    network = dp.Network([3, 4, 2], hidden="1.7159 tanh(2/3 z)")
    parameters = network.init(rng)
    X, y = rng.normal(size=(20, 3)), rng.integers(0, 2, 20)
    assert dp.check_gradients(network, parameters, X, y)
    more = {"epochs": 20, "optimizer": dp.Adam(0.05), "engine": "reference"}
    loss = dp.train(network, parameters, X, y, **more).loss
    assert loss[-1] < loss[0]
    dp.save(tmp_path / "n.safetensors", network, parameters)
    again = dp.load(tmp_path / "n.safetensors")
    assert again.network == network
    np.testing.assert_array_equal(again.parameters.flat, parameters.flat)
