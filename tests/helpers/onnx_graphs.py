"""Graphs as exporters of ONNX write them, for whoever reads them."""

import numpy as np
import pytest

import deltaprop as dp

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
H, TENSOR = onnx.helper, onnx.TensorProto
FLOATS = {"float32": TENSOR.FLOAT, "float64": TENSOR.DOUBLE, "float16": TENSOR.FLOAT16}


class Graph:
    """Builds a graph node by node; the arrays are drawn."""

    def __init__(self, tail=(4,), dtype="float32", opset=17, seed=0):
        self.rng = np.random.default_rng(seed)
        self.dtype, self.opset = dtype, opset
        self.nodes, self.arrays, self.domains = [], [], {"": opset}
        self.inputs = [self.made("x", (None, *tail))]
        self.last = "x"

    def made(self, name, shape=None, kind=None):
        return H.make_tensor_value_info(name, kind or FLOATS[self.dtype], shape)

    def array(self, *shape, values=None, dtype=None):
        values = self.rng.normal(size=shape) if values is None else np.asarray(values)
        name = f"w{len(self.arrays)}"
        self.arrays.append(onnx.numpy_helper.from_array(values.astype(dtype or self.dtype), name))
        return name

    def whole(self, *values):
        return self.array(values=np.array(values), dtype="int64")

    def node(self, operator, *inputs, domain="", name="", **told):
        """Add a node; it reads the last one unless inputs are named."""
        result = f"v{len(self.nodes)}"
        self.nodes.append(
            H.make_node(operator, inputs or [self.last], [result], name, domain=domain, **told)
        )
        if domain:
            self.domains[domain] = 1
        self.last = result
        return result

    def dense(self, n_in, n_out):
        w, b = self.array(n_out, n_in), self.array(n_out)
        return self.node("Gemm", self.last, w, b, transB=1)

    def model(self, outputs=None, **told):
        outputs = outputs or [self.made(self.last)]
        graph = H.make_graph(self.nodes, "g", self.inputs, outputs, self.arrays, **told)
        versions = [H.make_opsetid(*each) for each in self.domains.items()]
        return H.make_model(graph, opset_imports=versions, ir_version=8)


def reading(folder):
    """Return a function that reads a graph, a model or the bytes of a file."""

    def read(graph, **told):
        path = folder / "m.onnx"
        model = graph.model() if isinstance(graph, Graph) else graph
        path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
        return dp.from_onnx(path, **told)

    return read


def holds(read, graph, within=1e-5, n=9, after=lambda p: p, **told):
    """Hold what is read against what onnxruntime gives; return the network."""
    model = graph.model()
    network, parameters = read(model, **told)
    session = runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (given,) = session.get_inputs()
    x = graph.rng.normal(size=(n, *given.shape[1:])).astype(graph.dtype)
    expected = session.run(None, {"x": x})[0]
    p = dp.predict(network, parameters, x.reshape(n, -1).astype(float), engine="reference")
    np.testing.assert_allclose(
        after(p), expected.reshape(n, -1), rtol=within, atol=within, equal_nan=False
    )
    return network


def gelu(graph, z):
    """Add the exact GELU as PyTorch writes it."""
    erf = graph.node("Erf", graph.node("Div", z, graph.array(values=2**0.5)))
    one = graph.node("Add", erf, graph.array(values=1.0))
    graph.node("Mul", graph.node("Mul", z, one), graph.array(values=0.5))
