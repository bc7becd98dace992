"""Graphs that are broken, hostile, or no chain of layers: one sentence, and nothing done."""

import struct

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import MissingExtraError, ModelFileError, SettingError
from helpers.onnx_graphs import TENSOR, Graph, H, gelu, onnx, reading


@pytest.fixture
def read(tmp_path):
    return reading(tmp_path)


def external(model, name="m.bin", **told):
    model = onnx.ModelProto.FromString(model.SerializeToString())
    data = b""
    for tensor in model.graph.initializer:
        facts = {"location": name, "offset": len(data), "length": len(tensor.raw_data)} | told
        data += tensor.raw_data
        tensor.ClearField("raw_data")
        tensor.data_location = TENSOR.EXTERNAL
        for key, value in facts.items():
            tensor.external_data.add(key=key, value=str(value))
    return model, data


def test_numbers_in_a_file_beside_it(read, tmp_path):
    graph = Graph()
    graph.dense(4, 3)
    right = read(graph)[1].flat
    model, data = external(graph.model())
    (tmp_path / "m.bin").write_bytes(data)
    np.testing.assert_array_equal(read(model)[1].flat, right)
    (tmp_path / "m.bin").write_bytes(data[:-1])
    with pytest.raises(ModelFileError, match="do not stand at its place"):
        read(model)
    for told in ({"offset": -4}, {"length": 2**60}, {"offset": "x"}, {"offset": 2**63}):
        with pytest.raises(ModelFileError, match="do not stand at its place"):
            read(external(graph.model(), **told)[0])
    for name in ("../m.bin", "/etc/passwd", "", "..", "a/m.bin", "a\\m.bin", "m\0.bin"):
        with pytest.raises(ModelFileError, match="only one in the same folder is read"):
            read(external(graph.model(), name)[0])
    (tmp_path / "link").symlink_to(tmp_path / "m.bin")
    for name in ("none.bin", "link"):
        with pytest.raises(ModelFileError, match="which is not there"):
            read(external(graph.model(), name)[0])


def broken(how):
    """Return a graph with something wrong, and what is said of it."""
    graph = Graph()
    z = graph.dense(4, 3)
    match how:
        case "convolution":
            graph.node("Conv", z, graph.array(1, 1, 3), name="conv1")
            return graph, r"The node 'conv1' \(Conv\) is an operation that is not read"
        case "residual":
            graph.node("Add", graph.dense(3, 3), z, name="skip")
            return graph, r"'skip' \(Add\) joins two branches"
        case "rows by rows":
            graph.node("MatMul", z, z)
            return graph, "does not multiply rows by a constant matrix"
        case "shapes":
            graph.node("MatMul", z, graph.array(4, 2))
            return graph, r"rows of the shape \[3\] by a matrix of the shape \[4, 2\]"
        case "bias":
            graph.node("Add", z, graph.array(4))
            return graph, "with a constant of the shape \\[4\\], which does not fit"
        case "bias over rows":
            graph.node("Add", z, graph.array(7, 3))
            return graph, "with a constant of the shape \\[7, 3\\], which does not fit"
        case "circle":
            graph.nodes[0].input[0] = "v1"
            graph.node("Relu")
            return graph, "the graph goes in a circle"
        case "nothing":
            graph.nodes[0].input[0] = "y"
            return graph, "Nothing in the graph gives the value 'y'"
        case "two of a name":
            graph.node("Relu")
            graph.nodes[-1].output[0] = z
            graph.last = z
            return graph, "Two values of the graph are called 'v0'"
        case "arrays of a name":
            graph.arrays.append(graph.arrays[0])
            return graph, "Two values of the graph are called 'w0'"
        case "announced":
            del graph.arrays[0].dims[:]
            graph.arrays[0].dims.extend([2**40, 2**40])
            return graph, "says that it has the shape"
        case "negative":
            graph.arrays[0].dims[0] = -3
            return graph, "says that it has the shape"
        case "short":
            graph.arrays[0].raw_data = graph.arrays[0].raw_data[:-4]
            return graph, r"has the shape \[3, 4\], but 11 numbers stand there"
        case "ragged":
            graph.arrays[0].raw_data = graph.arrays[0].raw_data[:-1]
            return graph, "but 11 numbers stand there"
        case "NaN":
            graph.arrays[0].raw_data = struct.pack("<12f", *[float("nan")] * 12)
            return graph, "infinite or NaN"
        case "texts":
            graph.arrays[0] = H.make_tensor("w0", TENSOR.STRING, [1], [b"a"])
            return graph, "is of the type STRING, which is not read"
        case "type":
            graph.arrays[0].data_type = 77
            return graph, "is of the type 77"
        case "expand":
            graph.node("Add", z, graph.node("Expand", graph.array(1), graph.whole(2**30, 2**30)))
            return graph, "makes too many numbers of a few"
        case "filled":
            graph.node("Add", z, graph.node("ConstantOfShape", graph.whole(2**30, 2**30)))
            return graph, "makes too many numbers of a few"
        case "training":
            arrays = [graph.array(3) for _ in range(4)]
            graph.node("BatchNormalization", z, *arrays, training_mode=1)
            return graph, "export the model in evaluation mode"
        case "axis":
            graph.node("Softmax", axis=0)
            return graph, "is not over the numbers of a row"
        case "batch":
            graph.node("ReduceMean", z, axes=[0])
            return graph, "takes numbers of several rows"
        case "reshape":
            graph.node("Reshape", z, graph.whole(3, -1))
            return graph, "joins rows with each other"
        case "attribute":
            graph.node("LeakyRelu", alpha="0.1")
            return graph, "does not fit what comes in|none of the functions"
        case "long":
            for _ in range(400):
                graph.node("Tanh")
            return graph, "behind too many operations"
        case "middle":
            graph.node("Softmax")
            graph.dense(3, 2)
            return graph, "a softmax that is not its end"
        case "domain":
            graph.node("Relu", domain="com.example")
            return graph, r"\(com.example.Relu\) is an operation that is not read"
        case "old":
            graph.domains[""] = 6
            return graph, "The graph is of opset 6; those from 7 to"
        case "new":
            graph.domains[""] = 999
            return graph, "The graph is of opset 999"
        case "wide":
            graph.inputs = [graph.made("x", (None, 2**40))]
            return graph, "has rows of 1,099,511,627,776 numbers"
        case "flat":
            graph.inputs = [graph.made("x", (4,))]
            return graph, "has 1 dimensions; rows of numbers have two"
        case "words":
            graph.inputs = [graph.made("x", (None, 4), TENSOR.STRING)]
            return graph, "The input 'x' is no tensor of real numbers"
        case "none":
            graph.inputs = []
            return graph, "The graph has no input"
        case "constant":
            graph.node("Constant", value_floats=[1.0])
            return graph, "is no function of the inputs' rows"
        case "mask":
            graph.node("Dropout", z)
            graph.nodes[-1].output.append("mask")
            graph.last = graph.node("Cast", "mask", to=TENSOR.FLOAT)
            return graph, "gives 'mask' besides, which is not read"


@pytest.mark.parametrize(
    "how",
    [
        "convolution", "residual", "rows by rows", "shapes", "bias", "bias over rows", "circle",
        "nothing", "two of a name", "arrays of a name", "announced", "negative", "short", "ragged",
        "NaN", "texts", "type", "expand", "filled", "training", "axis", "batch", "reshape",
        "attribute", "long", "middle", "domain", "old", "new", "wide", "flat", "none", "constant",
        "mask", "words",
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(how, read):
    graph, match = broken(how)
    with pytest.raises(ModelFileError, match=match) as refused:
        read(graph)
    assert "\n" not in str(refused.value)


def test_files_that_are_none(read, tmp_path):
    for content in (b"", b"hello", b"\xff" * 100, b"PK\x03\x04", bytes(1000)):
        with pytest.raises(ModelFileError, match="is no ONNX file, or not a whole one"):
            read(content)
    with pytest.raises(ModelFileError, match="could not be read: No such file"):
        dp.from_onnx(tmp_path / "none.onnx")
    with pytest.raises(ModelFileError, match="could not be read: Is a directory"):
        dp.from_onnx(tmp_path)


def test_whatever_is_cut_or_changed_is_refused_or_read(read, rng):
    graph = Graph()
    graph.dense(4, 6)
    gelu(graph, graph.last)
    graph.dense(6, 2)
    content = graph.model().SerializeToString()
    for cut in range(0, len(content), 7):
        try:
            read(content[:cut])
        except (ModelFileError, SettingError):
            continue
    for _ in range(300):
        changed = bytearray(content)
        for place in rng.integers(len(changed), size=3):
            changed[place] = rng.integers(256)
        try:
            read(bytes(changed))
        except dp.errors.DeltapropError:
            continue


def test_without_onnx_the_line_that_installs_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r'pip install "deltaprop\[onnx\]"'):
        dp.from_onnx(tmp_path / "m.onnx")
