"""Losses that are made of two rows: an error, and the activation that gives the output."""

import pickle

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.functional.activations import ACTIVATIONS, Activation
from deltaprop.functional.loss_checks import check_loss
from deltaprop.functional.losses import LOSSES
from deltaprop.functional.outputs import OUTPUTS


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_has_a_squared_error_that_is_proved(activation):
    check_loss(LOSSES[f"half_squared_error_{activation}"])


@pytest.mark.parametrize("error", ["cross_entropy", "binary_cross_entropy"])
def test_a_cross_entropy_on_probabilities_is_proved_too(error):
    check_loss(LOSSES[f"{error}_sigmoid"])


def test_they_can_be_looked_up_and_are_not_listed():
    assert "half_squared_error_tanh" in LOSSES
    assert "half_squared_error_tanh" not in list(LOSSES)
    assert OUTPUTS["tanh"].f(np.zeros(1)) == 0
    assert "thanh" not in OUTPUTS
    for name in ("half_squared_error_", "half_squared_error_thanh", "poisson_tanh", "tanh", ""):
        assert name not in LOSSES
        with pytest.raises(UnknownNameError):
            LOSSES[name]
    with pytest.raises(SettingError, match="registered already"):
        LOSSES.register(LOSSES["half_squared_error"])


def test_a_users_own_activation_may_be_an_output():
    row = Activation("cubed", lambda z: z**3, lambda z, _a: 3 * z**2, ("z^3", "3 z^2"), "z cubed",
                     arithmetic=("z**3", "3 * z**2"))  # fmt: skip
    dp.register_activation(row)
    try:
        check_loss(LOSSES["half_squared_error_cubed"])
    finally:
        ACTIVATIONS._rows.pop("cubed")
    assert "half_squared_error_cubed" not in LOSSES


@pytest.mark.parametrize("loss", ["half_squared_error_tanh", "huber_softsign"])
def test_a_network_with_one_trains_explains_and_comes_back_from_a_file(tmp_path, rng, loss):
    network = dp.Network([3, 4, 2], hidden="tanh", loss=loss)
    parameters, x = network.init(rng), rng.normal(size=(20, 3))
    targets = np.tanh(x[:, :2])
    with pytest.warns(dp.errors.EngineWarning, match=f"no loss '{loss}'"):
        history = dp.train(network, parameters, x, targets, epochs=30)
    assert history.loss[-1] < history.loss[0]
    assert dp.check_gradients(network, parameters, x[:3], targets[:3])
    assert dp.explain(network, parameters, x[:2], targets[:2]).verify()
    dp.save(tmp_path / "m.safetensors", network, parameters)
    again = dp.load(tmp_path / "m.safetensors")
    assert again.network.loss_name == loss
    np.testing.assert_array_equal(again.parameters.flat, parameters.flat)
    assert pickle.loads(pickle.dumps(network)).loss_name == loss
