"""Activations of others' graphs, one operator or many: told by their numbers."""

import pytest

from deltaprop.errors import ModelFileError
from helpers.onnx_graphs import Graph, gelu, holds, reading


@pytest.fixture
def read(tmp_path):
    return reading(tmp_path)


ACTIVATIONS = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Elu": "elu", "Selu": "selu",
    "Softplus": "softplus", "Softsign": "softsign", "LeakyRelu": "leaky_relu",
}  # fmt: skip


@pytest.mark.parametrize("opset", [7, 11, 13, 17, 21])
@pytest.mark.parametrize("operator", ACTIVATIONS)
def test_an_operator_is_the_activation_that_it_is(operator, opset, read):
    graph = Graph(opset=opset)
    graph.dense(4, 6)
    graph.node(operator)
    graph.dense(6, 3)
    graph.node("Softmax", axis=1)
    network = holds(read, graph)
    assert [row.name for row in network.activations] == [ACTIVATIONS[operator]]
    assert network.loss_name == "cross_entropy"


@pytest.mark.parametrize(
    ("operator", "opset", "told"),
    [
        ("Gelu", 20, {}), ("Mish", 18, {}), ("LeakyRelu", 17, {"alpha": 0.3}),
        ("Celu", 17, {"alpha": 0.7}), ("Selu", 17, {"alpha": 1.0, "gamma": 2.0}),
    ],
)  # fmt: skip
def test_operators_with_numbers_of_their_own(operator, opset, told, read):
    graph = Graph(opset=opset)
    graph.dense(4, 6)
    graph.node(operator, **told)
    graph.dense(6, 3)
    holds(read, graph)


def test_the_gelu_of_onnxruntime(read):
    graph = Graph()
    graph.dense(4, 6)
    graph.node("Gelu", domain="com.microsoft")
    graph.dense(6, 3)
    assert [row.name for row in holds(read, graph).activations] == ["gelu"]


def silu(graph, z):
    graph.node("Mul", z, graph.node("Sigmoid", z))


def silu_of_twice(graph, z):
    twice = graph.node("Mul", z, graph.array(values=1.702))
    graph.node("Mul", graph.node("Sigmoid", twice), z)


def gelu_of_halves(graph, z):
    half = graph.node("Mul", z, graph.array(values=0.5))
    scaled = graph.node("Mul", z, graph.array(values=0.5**0.5))
    graph.node("Mul", half, graph.node("Add", graph.node("Erf", scaled), graph.array(values=[1.0])))


def mish(graph, z):
    graph.node("Mul", z, graph.node("Tanh", graph.node("Softplus", z)))


def softplus(graph, z):
    graph.node("Log", graph.node("Add", graph.node("Exp", z), graph.array(values=1.0)))


def sigmoid(graph, z):
    below = graph.node("Add", graph.array(values=1.0), graph.node("Exp", graph.node("Neg", z)))
    graph.node("Div", graph.array(values=1.0), below)


def sigmoid_by_tanh(graph, z):
    t = graph.node("Tanh", graph.node("Mul", z, graph.array(values=0.5)))
    graph.node("Mul", graph.node("Add", t, graph.array(values=1.0)), graph.array(values=0.5))


def leaky(graph, z):
    above = graph.node("Greater", z, graph.array(values=0.0))
    graph.node("Where", above, z, graph.node("Mul", z, graph.array(values=0.01)))


def prelu(graph, z):
    graph.node("PRelu", z, graph.array(6))


def relu_by_max(graph, z):
    graph.node("Max", z, graph.array(values=0.0))


def relu_by_clip(graph, z):
    graph.node("Clip", z, graph.array(values=0.0))


def log_sigmoid(graph, z):
    graph.node("Log", graph.node("Sigmoid", z))


def scaled_tanh(graph, z):
    t = graph.node("Tanh", graph.node("Mul", z, graph.array(values=2 / 3)))
    graph.node("Mul", t, graph.array(values=1.7159))


DECOMPOSED = (silu, silu_of_twice, gelu, gelu_of_halves, mish, softplus, sigmoid, sigmoid_by_tanh,
              leaky, prelu, relu_by_max, relu_by_clip, log_sigmoid, scaled_tanh)  # fmt: skip


@pytest.mark.parametrize("dense", ["Gemm", "MatMul"])
@pytest.mark.parametrize("activation", DECOMPOSED)
def test_activations_of_several_operations(activation, dense, read):
    graph = Graph()
    if dense == "Gemm":
        graph.dense(4, 6)
    else:
        graph.node("Add", graph.node("MatMul", "x", graph.array(4, 6)), graph.array(6))
    activation(graph, graph.last)
    graph.dense(6, 1)
    graph.node("Sigmoid")
    network = holds(read, graph)
    assert (network.n_in, network.n_out, network.loss_name) == (4, 1, "binary_cross_entropy")


@pytest.mark.parametrize("made", ["gelu of tanh", "HardSwish", "HardSigmoid", "Elu", "Clip"])
def test_what_is_nearly_an_activation_is_refused(made, read):
    graph = Graph(opset=20)
    z = graph.dense(4, 6)
    match made:
        case "gelu of tanh":
            graph.node("Gelu", approximate="tanh", name="act")
        case "Elu":
            graph.node("Elu", alpha=0.9, name="act")
        case "Clip":
            graph.node("Clip", z, graph.array(values=0.0), graph.array(values=6.0), name="act")
        case _:
            graph.node(made, name="act")
    graph.dense(6, 3)
    with pytest.raises(ModelFileError, match=r"The node 'act' \(.*is none of the functions that"):
        read(graph)
