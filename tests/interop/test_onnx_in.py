"""Graphs of others, as their exporters write them: the same numbers as onnxruntime gives."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import ModelFileError, SettingError
from helpers.networks_out import EVERY, drawn
from helpers.onnx_graphs import TENSOR, Graph, H, gelu, holds, onnx, reading


@pytest.fixture
def read(tmp_path):
    return reading(tmp_path)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("network", EVERY.values(), ids=EVERY)
def test_what_is_written_here_is_read_here(network, dtype, tmp_path, rng):
    parameters, x, p = drawn(network, rng)
    dp.to_onnx(network, tmp_path / "m.onnx", parameters, dtype=dtype)
    if any(layer.kind.endswith("embedding") for layer in network.computing_layers):
        with pytest.raises(ModelFileError, match=r"\(Slice\) is an operation that is not read"):
            dp.from_onnx(tmp_path / "m.onnx")
        return
    found, numbers = dp.from_onnx(tmp_path / "m.onnx")
    within = 1e-12 if dtype == "float64" else 1e-6
    np.testing.assert_allclose(dp.predict(found, numbers, x), p, rtol=within, atol=within)
    assert found.loss.output == network.loss.output


@pytest.mark.parametrize(
    "told",
    [{"alpha": 0.5, "beta": 2.0, "transB": 1}, {"alpha": 3.0}, {"beta": 0.0}, {"transB": 1}],
)
@pytest.mark.parametrize("shape", [(6,), (1, 6), (1,), ()])
def test_gemm_has_all_its_attributes(told, shape, read):
    graph = Graph()
    w = graph.array(6, 4) if told.get("transB") else graph.array(4, 6)
    graph.node("Gemm", "x", w, graph.array(*shape), **told)
    holds(read, graph)


def test_gemm_without_c_matrices_turned_before_and_constant_nodes(read):
    graph = Graph()
    w = graph.node("Transpose", graph.array(6, 4), perm=[1, 0])
    graph.node("Gemm", "x", w)
    values = graph.rng.normal(size=(6, 3)).astype("float32")
    z = graph.last
    c = graph.node("Constant", value=onnx.numpy_helper.from_array(values))
    graph.node("MatMul", z, graph.node("Identity", c))
    z = graph.last
    graph.node("Sub", z, graph.node("Constant", value_floats=[1.0, 2.0, 3.0]))
    holds(read, graph)


def test_scalers_before_the_first_layer_are_within_it(read):
    graph = Graph()
    graph.node("Sub", "x", graph.array(1, 4))
    graph.node("Div", graph.last, graph.array(4))
    graph.node("Mul", graph.array(values=2.0), graph.last)
    graph.node("Sub", graph.array(values=1.0), graph.last)
    graph.dense(4, 3)
    network = holds(read, graph)
    assert network.sizes == (4, 3)


def test_scales_between_layers_are_within_them(read):
    graph = Graph()
    graph.dense(4, 5)
    graph.node("Mul", graph.last, graph.array(5))
    graph.node("Relu")
    graph.node("Add", graph.last, graph.array(5))
    graph.node("Mul", graph.last, graph.array(values=[[0.5]]))
    graph.dense(5, 2)
    graph.node("Tanh")
    graph.node("Mul", graph.last, graph.array(2))
    network = holds(read, graph)
    assert network.sizes == (4, 5, 2, 2)


@pytest.mark.parametrize("opset", [7, 9, 14, 17])
@pytest.mark.parametrize("place", ["before", "after", "first"])
def test_batch_normalization_of_inference_is_within_a_layer(place, opset, read):
    graph = Graph(opset=opset)

    def norm(n):
        variance = graph.array(values=graph.rng.uniform(0.5, 2.0, size=n))
        arrays = graph.array(n), graph.array(n), graph.array(n), variance
        graph.node("BatchNormalization", graph.last, *arrays, epsilon=1e-3)

    if place == "first":
        norm(4)
    graph.dense(4, 5)
    if place == "before":
        norm(5)
    graph.node("Relu")
    if place == "after":
        norm(5)
    graph.dense(5, 2)
    network = holds(read, graph)
    assert network.sizes == (4, 5, 2)


def normalized_by_operator(graph, z):
    graph.node("LayerNormalization", z, graph.array(6), graph.array(6), epsilon=1e-3)


def normalized_by_hand(graph, z):
    mean = graph.node("ReduceMean", z, axes=[-1])
    centred = graph.node("Sub", z, mean)
    squared = graph.node("Pow", centred, graph.array(values=2.0))
    variance = graph.node("ReduceMean", squared, axes=[-1])
    below = graph.node("Sqrt", graph.node("Add", variance, graph.array(values=1e-3)))
    normalized = graph.node("Div", centred, below)
    graph.node("Add", graph.node("Mul", normalized, graph.array(6)), graph.array(6))


@pytest.mark.parametrize("normalized", [normalized_by_operator, normalized_by_hand])
@pytest.mark.parametrize("order", ["norm gelu", "gelu norm", "norm Relu", "Relu norm"])
def test_layer_normalization_beside_activations(order, normalized, read):
    graph = Graph()
    graph.node("Add", graph.node("MatMul", "x", graph.array(4, 6)), graph.array(6))
    for each in order.split():
        if each == "norm":
            normalized(graph, graph.last)
        elif each == "gelu":
            gelu(graph, graph.last)
        else:
            graph.node(each)
    graph.dense(6, 2)
    network = holds(read, graph)
    (norm,) = [layer for layer in network.computing_layers if layer.kind == "layer_norm"]
    assert norm.epsilon == 1e-3


def by_hand(graph, logarithm=False):
    z = graph.last
    below = graph.node("Sub", z, graph.node("ReduceMax", z, axes=[1]))
    e = graph.node("Exp", below)
    total = graph.node("ReduceSum", e, graph.whole(1))
    if logarithm:
        graph.node("Sub", below, graph.node("Log", total))
    else:
        graph.node("Div", e, total)


@pytest.mark.parametrize(
    ("end", "loss"),
    [
        ("Softmax", "cross_entropy"), ("LogSoftmax", "cross_entropy"),
        ("Log of Softmax", "cross_entropy"), ("by hand", "cross_entropy"),
        ("logarithm by hand", "cross_entropy"), ("Sigmoid", "binary_cross_entropy"),
        ("Exp", "poisson"), ("Identity", "half_squared_error"), ("Tanh", "half_squared_error_tanh"),
        ("Softplus", "half_squared_error_softplus"),
    ],
)  # fmt: skip
def test_the_end_tells_the_loss(end, loss, read):
    graph = Graph()
    graph.dense(4, 3)
    match end:
        case "Log of Softmax":
            graph.node("Softmax")
            graph.node("Log")
        case "by hand" | "logarithm by hand":
            by_hand(graph, end != "by hand")
        case _:
            graph.node(end)
    is_logarithm = end.lower().startswith("log")
    network = holds(read, graph, after=np.log if is_logarithm else lambda p: p)
    assert network.loss_name == loss


def test_a_graph_of_logits_is_that_of_any_loss(read):
    graph = Graph()
    graph.dense(4, 3)
    for loss in ("cross_entropy", "binary_cross_entropy", "huber", "half_squared_error_softmax"):
        assert read(graph, loss=loss)[0].loss_name == loss
    graph.node("Softmax")
    assert read(graph, loss="half_squared_error_softmax")[0].loss.output == "softmax"
    with pytest.raises(SettingError, match="it is softmax, but huber has identity for its output"):
        read(graph, loss="huber")
    with pytest.raises(SettingError, match="No loss is called 'crossentropy'"):
        read(graph, loss="crossentropy")


def test_operations_that_change_nothing(read):
    graph = Graph(tail=(3, 2, 2))
    graph.node("Identity")
    graph.node("Flatten", axis=1)
    graph.node("Dropout", graph.last)
    graph.node("Cast", to=TENSOR.FLOAT)
    graph.dense(12, 5)
    graph.node("Reshape", graph.last, graph.whole(-1, 5))
    graph.node("Relu")
    graph.node("Reshape", graph.last, graph.whole(0, 1, -1))
    graph.node("Squeeze", graph.last, graph.whole(1))
    graph.node("Unsqueeze", graph.last, graph.whole(-1))
    graph.node("Transpose", perm=[0, 2, 1])
    graph.node("Squeeze", graph.last, graph.whole(-2))
    graph.dense(5, 1)
    graph.node("Squeeze", graph.last, graph.whole(-1))
    holds(read, graph)


def test_a_flatten_that_asks_for_the_shape(read):
    graph = Graph(tail=(3, 2))
    first = graph.array(values=np.array(0), dtype="int64")
    n = graph.node("Gather", graph.node("Shape", "x"), first)
    n = graph.node("Unsqueeze", n, graph.whole(0))
    shape = graph.node("Concat", n, graph.whole(-1), axis=0)
    graph.node("Reshape", "x", shape)
    graph.dense(6, 2)
    holds(read, graph)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_numbers(dtype, read):
    graph = Graph(dtype=dtype)
    graph.dense(4, 6)
    z = graph.last
    graph.node("Mul", z, graph.node("Sigmoid", z))
    graph.dense(6, 2)
    holds(read, graph, within=1e-2 if dtype == "float16" else 1e-12)


def test_bfloat16_and_numbers_that_are_written_one_by_one(read):
    values = np.array([[1.5, -2.0], [0.25, 3.0]])
    bits = values.astype("<f4").view("<u4") >> 16
    graph = Graph(tail=(2,))
    graph.node("MatMul", "x", "w")
    tensor = H.make_tensor("w", TENSOR.BFLOAT16, [2, 2], bits.astype("<u2").tobytes(), raw=True)
    graph.arrays.append(tensor)
    _, parameters = read(graph)
    np.testing.assert_array_equal(parameters.W[0], values)
    graph.arrays = [H.make_tensor("w", TENSOR.FLOAT, [2, 2], values.reshape(-1))]
    assert not graph.arrays[0].HasField("raw_data")
    np.testing.assert_array_equal(read(graph)[1].W[0], values)


def test_a_graph_for_so_many_rows_alone(read):
    graph = Graph(tail=(2, 2))
    graph.inputs = [graph.made("x", (9, 2, 2))]
    graph.node("Reshape", "x", graph.whole(9, -1))
    graph.dense(4, 3)
    graph.node("Reshape", graph.last, graph.whole(9, 3))
    holds(read, graph)
    graph.node("Reshape", graph.last, graph.whole(3, 9))
    with pytest.raises(ModelFileError, match="joins rows with each other"):
        read(graph)


def test_what_sklearn_s_classifiers_become(read):
    graph = Graph()
    graph.node("Cast", to=TENSOR.FLOAT)
    graph.node("Add", graph.node("MatMul", graph.last, graph.array(4, 6)), graph.array(6))
    graph.node("Relu")
    graph.node("Add", graph.node("MatMul", graph.last, graph.array(6, 1)), graph.array(1))
    p = graph.node("Sigmoid")
    q = graph.node("Sub", graph.array(values=[1.0]), p)
    both = graph.node("Concat", q, p, axis=1)
    holds(read, graph)
    label = graph.node("ArgMax", both, axis=1)
    label = graph.node("ArrayFeatureExtractor", graph.whole(3, 8), label, domain="ai.onnx.ml")
    mapped = graph.node("ZipMap", both, domain="ai.onnx.ml", classlabels_int64s=[3, 8])
    kind = H.make_sequence_type_proto(
        H.make_map_type_proto(TENSOR.INT64, H.make_tensor_type_proto(TENSOR.FLOAT, []))
    )
    outputs = [graph.made(label, kind=TENSOR.INT64), H.make_value_info(mapped, kind)]
    network, _ = read(graph.model(outputs))
    assert network.loss_name == "cross_entropy"
    with pytest.raises(ModelFileError, match=r"\(ArgMax\) is an operation that is not read"):
        read(graph.model(outputs), output=label)


def test_a_scaler_of_sklearn_and_columns_as_inputs_of_their_own(read):
    graph = Graph()
    graph.node("Scaler", domain="ai.onnx.ml", offset=[1.0, 2.0, 3.0, 4.0], scale=[0.5] * 4)
    graph.dense(4, 2)
    holds(read, graph)
    graph = Graph(tail=(1,))
    graph.inputs.append(graph.made("y", (None, 2)))
    graph.node("Concat", "y", "x", axis=1)
    graph.dense(3, 2)
    network, _ = read(graph)
    assert network.n_in == 3


def test_which_of_several_outputs(read):
    graph = Graph()
    z = graph.dense(4, 3)
    graph.node("Softmax")
    model = graph.model([graph.made(z), graph.made(graph.last)])
    with pytest.raises(SettingError, match=r"has 2 outputs of numbers \(v0, v1\); say which"):
        read(model)
    assert read(model, output="v0")[0].loss_name == "half_squared_error"
    assert read(model, output="v1")[0].loss_name == "cross_entropy"
    with pytest.raises(SettingError, match="no output 'v7'; it has v0, v1"):
        read(model, output="v7")


def test_a_width_that_only_the_matrix_tells(read):
    graph = Graph(tail=(None,))
    graph.dense(4, 3)
    assert read(graph)[0].sizes == (4, 3)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("opset", [11, 17])
@pytest.mark.parametrize("activation", ["SiLU", "GELU", "Mish", "PReLU", "LogSigmoid", "CELU"])
def test_what_pytorch_exports(activation, opset, read, tmp_path):
    torch = pytest.importorskip("torch")
    nn = torch.nn
    if activation == "CELU" and opset < 12:
        pytest.skip("there is no such operator yet")
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Flatten(), nn.BatchNorm1d(6), nn.Linear(6, 5), getattr(nn, activation)(),
        nn.LayerNorm(5), nn.Dropout(0.5), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3),
        nn.Softmax(1),
    )  # fmt: skip
    module(torch.randn(50, 2, 3))
    module.eval()
    x = torch.randn(8, 2, 3)
    try:
        torch.onnx.export(
            module, x, tmp_path / "t.onnx", dynamo=False, opset_version=opset,
            input_names=["x"], dynamic_axes={"x": {0: "n"}},
        )  # fmt: skip
    except (TypeError, ModuleNotFoundError):
        pytest.skip("this PyTorch has another exporter")
    network, parameters = dp.from_onnx(tmp_path / "t.onnx")
    p = dp.predict(network, parameters, x.numpy().reshape(8, -1).astype(float))
    np.testing.assert_allclose(p, module(x).detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("hidden", ["relu", "gelu", "silu"])
def test_biases_of_0_are_biases_and_none_are_none(bias, hidden, tmp_path, rng):
    network = dp.Network([4, 5, 1], hidden, "binary_cross_entropy", bias=bias)
    parameters = network.init(rng)
    dp.to_onnx(network, tmp_path / "m.onnx", parameters, dtype="float64")
    found, numbers = dp.from_onnx(tmp_path / "m.onnx")
    assert found == network
    np.testing.assert_array_equal(numbers.flat, parameters.flat)
