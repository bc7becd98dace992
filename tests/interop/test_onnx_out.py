"""A network as an ONNX graph: onnxruntime comes to the same numbers."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import MissingExtraError, OutputError, SettingError, ShapeError
from helpers.networks_out import EVERY, drawn

WITHIN = {"float64": 1e-12, "float32": 1e-6}


@pytest.fixture
def answers(tmp_path):
    """Return a function that gives all outputs of a network's graph by name."""
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")

    def run(network, parameters, x, dtype="float32"):
        path = tmp_path / "model.onnx"
        dp.to_onnx(network, path, parameters, dtype=dtype)
        onnx.checker.check_model(path, full_check=True)
        session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (given,) = session.get_inputs()
        assert given.name == "x"
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, {"x": x.astype(dtype)}), strict=True))

    return run


@pytest.mark.parametrize("dtype", WITHIN)
@pytest.mark.parametrize("network", EVERY.values(), ids=EVERY)
def test_every_network_gives_the_same_numbers(network, dtype, answers, rng):
    parameters, x, p = drawn(network, rng)
    found = answers(network, parameters, x, dtype)
    is_classifier = network.loss.output in ("softmax", "sigmoid")
    (name, *label) = found
    assert name == ("probabilities" if is_classifier else "prediction")
    assert label == (["label"] if is_classifier else [])
    assert found[name].dtype == dtype
    np.testing.assert_allclose(found[name], p, rtol=WITHIN[dtype], atol=WITHIN[dtype])


@pytest.mark.parametrize("dtype", WITHIN)
@pytest.mark.parametrize("hidden", ["sigmoid", "gelu", "silu", "softplus", "mish", "elu", "selu"])
def test_far_out_nothing_overflows(hidden, dtype, answers, rng):
    network = dp.Network([3, 8, 3], hidden)
    parameters, x, p = drawn(network, rng, far=300.0)
    x = x.astype(np.float32).astype(np.float64)
    p = dp.predict(network, parameters, x, engine="reference")
    found = answers(network, parameters, x, dtype)["probabilities"]
    np.testing.assert_allclose(found, p, atol=1e-12 if dtype == "float64" else 1e-3)


def test_labels_are_the_largest_or_over_a_half(answers, rng):
    network = dp.Network([3, 5, 4], "tanh")
    parameters, x, p = drawn(network, rng, n=50)
    label = answers(network, parameters, x)["label"]
    assert label.dtype == np.int64
    np.testing.assert_array_equal(label, p.argmax(axis=1))
    for n_out in (1, 3):
        network = dp.Network([3, 5, n_out], "tanh", "binary_cross_entropy")
        parameters, x, p = drawn(network, rng, n=50)
        over = (p > 0.5).astype(int)
        label = answers(network, parameters, x)["label"]
        np.testing.assert_array_equal(label, over[:, 0] if n_out == 1 else over)


@pytest.mark.parametrize("n", [0, 1, 300])
def test_any_number_of_rows(n, answers, rng):
    network = dp.Network([3, 40, 2], "gelu")
    parameters, x, p = drawn(network, rng, n=300)
    found = answers(network, parameters, x[:n])["probabilities"]
    assert found.shape == (n, 2)
    np.testing.assert_allclose(found, p[:n], atol=1e-6)


def test_layers_of_the_same_numbers_and_wide_ones(answers, rng):
    network = dp.Network([4, 4, 4, 4], "relu")
    W, b = rng.normal(size=(4, 4)), np.ones(4)
    parameters = network.parameters(W=[W, W, W], b=[b, b, b])
    x = rng.normal(size=(5, 4))
    p = dp.predict(network, parameters, x)
    np.testing.assert_allclose(answers(network, parameters, x)["probabilities"], p, atol=1e-6)
    network = dp.Network([784, 300, 300, 10], "relu")
    parameters, x, p = drawn(network, rng, n=20, far=1.0)
    np.testing.assert_allclose(answers(network, parameters, x)["probabilities"], p, atol=1e-5)
    found = answers(network, parameters, x, "float64")["probabilities"]
    np.testing.assert_allclose(found, p, atol=1e-12)


def test_its_versions_are_old_and_its_stages_have_their_names(tmp_path, rng):
    onnx = pytest.importorskip("onnx")
    network = dp.Network([2, 3, 3, 2], "silu")
    dp.to_onnx(network, tmp_path / "m.onnx", network.init(rng))
    model = onnx.load(tmp_path / "m.onnx")
    assert model.ir_version == 7
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 13)]
    made = {name for node in model.graph.node for name in node.output}
    assert {"z1", "a1", "z2", "a2", "z3", "p", "probabilities", "label"} <= made
    assert {each.name for each in model.graph.initializer} >= {"W1", "b1", "W2", "W3"}
    assert len({node.name for node in model.graph.node}) == len(model.graph.node)


def test_what_it_cannot_be_is_said(tmp_path, rng):
    pytest.importorskip("onnx")
    network = dp.Network([2, 3, 2])
    parameters = network.init(rng)
    path = tmp_path / "m.onnx"
    with pytest.raises(SettingError, match="dtype is 'float16'; an ONNX graph is of float32 or"):
        dp.to_onnx(network, path, parameters, dtype="float16")
    with pytest.raises(ShapeError, match="do not belong to this network"):
        dp.to_onnx(dp.Network([2, 4, 2]), path, parameters)
    parameters.flat[0] = -1e39
    with pytest.raises(SettingError, match=r"1e\+39 is beyond float32"):
        dp.to_onnx(network, path, parameters)
    assert not path.exists()
    dp.to_onnx(network, path, parameters, dtype="float64")
    with pytest.raises(OutputError, match="could not be written"):
        dp.to_onnx(network, tmp_path / "no" / "m.onnx", network.init(rng))


def test_without_onnx_the_line_that_installs_it_is_told(monkeypatch, tmp_path, rng):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    network = dp.Network([2, 2])
    with pytest.raises(MissingExtraError, match=r'pip install "deltaprop\[onnx\]"'):
        dp.to_onnx(network, tmp_path / "m.onnx", network.init(rng))
