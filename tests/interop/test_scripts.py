"""A network as a script: it runs as it is, with NumPy or PyTorch alone, to the same numbers."""

import subprocess
import sys

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError, ShapeError
from helpers.networks_out import EVERY, drawn

LIBRARIES = ["numpy", pytest.param("torch", marks=pytest.mark.torch)]
# a script sees no more than its library: whatever is ours is away
ALONE = "import sys; sys.modules['deltaprop'] = None; exec(open({!r}).read())"


def answers(text, x):
    names = {"__name__": "script"}
    exec(text, names)
    if "predict" in names:
        return names["predict"](x)
    torch = names["torch"]
    with torch.no_grad():
        return names["Model"]()(torch.tensor(x)).numpy()


@pytest.mark.parametrize("language", LIBRARIES)
@pytest.mark.parametrize("network", EVERY.values(), ids=EVERY)
def test_every_network_gives_the_same_numbers(network, language, rng):
    if language == "torch":
        pytest.importorskip("torch")
    parameters, x, p = drawn(network, rng)
    np.testing.assert_allclose(
        answers(dp.to_code(network, parameters, language), x), p, rtol=1e-12, atol=1e-13
    )


@pytest.mark.parametrize("language", LIBRARIES)
def test_it_runs_as_it_is_from_rows_to_outputs(language, rng, tmp_path):
    if language == "torch":
        pytest.importorskip("torch")
    network = dp.Network([4, 60, 60, 3], "gelu")  # its arrays are packed
    parameters, x, p = drawn(network, rng)
    path = tmp_path / "model.py"
    path.write_text(dp.to_code(network, parameters, language), encoding="utf-8")
    rows = "".join(",".join(map(repr, row)) + "\n" for row in x.tolist())
    done = subprocess.run(
        [sys.executable, "-c", ALONE.format(str(path))], input=rows, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    found = [[float(word) for word in line.split(",")] for line in done.stdout.splitlines()]
    np.testing.assert_allclose(found, p, rtol=1e-12, atol=1e-13)
    assert done.stderr == ""


@pytest.mark.torch
def test_the_model_of_pytorch_has_our_gradients(rng):
    torch = pytest.importorskip("torch")
    network = dp.Network([4, 6, 3], "silu")
    parameters, x, _ = drawn(network, rng)
    labels = rng.integers(3, size=len(x))
    names = {"__name__": "script"}
    exec(dp.to_code(network, parameters, "torch"), names)
    model = names["Model"]()
    logits = model.logits(torch.tensor(x))
    torch.nn.functional.cross_entropy(logits, torch.tensor(labels)).backward()
    gradients = dp.backpropagate(network, parameters, x, labels).gradients
    for number, arrays in enumerate(gradients.layers, 1):
        for name, gradient in arrays.items():
            found = getattr(model, f"{name}{number}").grad.numpy()
            np.testing.assert_allclose(found, gradient, rtol=1e-10, atol=1e-12)


def test_it_has_nothing_that_it_does_not_use():
    network = dp.Network([2, 3, 2], "relu")
    text = dp.to_code(network, network.init(np.random.default_rng(0)))
    for word in ("math", "base64", "normal_cdf"):
        assert word not in text
    assert max(map(len, text.splitlines())) < 160


def test_what_it_cannot_be_is_said():
    network = dp.Network([2, 3, 2])
    parameters = network.init(np.random.default_rng(0))
    with pytest.raises(SettingError, match="no script in 'perl'; it is numpy or torch"):
        dp.to_code(network, parameters, "perl")
    with pytest.raises(ShapeError, match="do not belong to this network"):
        dp.to_code(dp.Network([2, 4, 2]), parameters)


def test_what_has_no_formula_is_named():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dp.ACTIVATIONS, "_rows", dict(dp.ACTIVATIONS._rows))
        dp.register_activation(
            dp.Activation("bent", lambda z: z + z**3 / 9, lambda z, _a: 1 + z**2 / 3, ("", ""), "")
        )
        network = dp.Network([2, 3, 2], "bent")
        with pytest.raises(SettingError, match="The activation 'bent' of layer 1 has no formula"):
            dp.to_code(network, network.init(np.random.default_rng(0)))
