"""``check_gradients(gradients=...)`` takes what people hold; what it cannot gets a sentence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.checking.given_gradients import flat_numbers
from deltaprop.errors import DeltapropError, ShapeError


class Tensor:
    """What PyTorch's tensors are to a reader: ``detach().cpu().double().numpy()``, and ``grad``."""

    def __init__(self, array, grad=None):
        self.array, self.grad = array, grad

    def detach(self):
        return self

    cpu = double = detach

    def numpy(self):
        return self.array


class Module:
    """A PyTorch module: W with a row per output, the gradients beside the numbers."""

    def __init__(self, g):
        self.pairs = []
        for i, (W, b) in enumerate(zip(g.W, g.b, strict=True)):
            self.pairs.append((f"{2 * i}.weight", Tensor(0 * W.T, Tensor(W.T))))
            if b is not None:
                self.pairs.append((f"{2 * i}.bias", Tensor(0 * b, Tensor(b))))

    def named_parameters(self):
        return iter(self.pairs)

    def __call__(self, x):
        raise AssertionError("a module is asked for its gradients, not called")


def forms(g):
    """Yield the same gradients in the forms people hold them in."""
    W, b = list(g.W), [part for part in g.b if part is not None]
    layers = [[w, *([c] if c is not None else [])] for w, c in zip(g.W, g.b, strict=True)]
    yield "flat", g.flat
    yield "flat list", g.flat.tolist()
    yield "by layer", [array for layer in layers for array in layer]
    yield "pairs", [tuple(layer) for layer in layers]
    yield "from the last layer", [array for layer in layers[::-1] for array in layer]
    yield "weights, then biases", [*W, *b]
    yield "two lists", (W, b)
    yield "lists of numbers", [[array.tolist() for array in layer] for layer in layers]
    yield (
        "rows of biases",
        [array if array.ndim == 2 else array[None] for p in layers for array in p],
    )
    yield "columns", [array if array.ndim == 2 else array[:, None] for p in layers for array in p]
    yield "an iterator", iter([array for layer in layers for array in layer])
    yield "tensors, a row per output", [Tensor(array.T) for layer in layers for array in layer]
    yield "a module", Module(g)
    named = {}
    for i, (w, c) in enumerate(zip(g.W, g.b, strict=True), start=1):
        named |= {f"dW{i}": w} | ({} if c is None else {f"db{i}": c})
    yield "dW1", named
    yield "lists by name", {"dW": W} | ({"db": b} if b else {})
    yield (
        "dicts",
        [{"W": w} | ({} if c is None else {"b": c}) for w, c in zip(g.W, g.b, strict=True)],
    )
    for w_key, b_key, start, stride in (
        ("W{}", "b{}", 0, 1), ("W.{}", "b.{}", 1, 1), ("layer_{}/kernel", "layer_{}/bias", 0, 1),
        ("{}.weight", "{}.bias", 0, 2), ("grad_w_{}", "grad_b_{}", 1, 1), ("dw{}", "dB{}", 9, 1),
    ):  # fmt: skip
        some = {}
        for i, (w, c) in enumerate(zip(g.W, g.b, strict=True)):
            some[w_key.format(start + stride * i)] = w
            some |= {} if c is None else {b_key.format(start + stride * i): c}
        yield w_key, dict(reversed(some.items()))


@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=5), st.booleans(), st.integers(0, 2**32 - 1)
)
def test_every_form_says_the_same(sizes, bias, seed):
    network = dp.Network(sizes, hidden="tanh", loss="half_squared_error", bias=bias)
    g = network.init(np.random.default_rng(seed))
    g.flat[...] = np.random.default_rng(seed).normal(size=g.flat.size)
    shapes = [tuple(sorted(slot.shape)) for slot in network.layout.slots]
    for name, form in forms(g):
        found = flat_numbers(g, form, "gradients")
        # where shapes repeat, arrays in an unusual order cannot be told apart
        if "last" in name and len(set(shapes)) < len(shapes):
            continue
        if name == "weights, then biases" and any(1 in shape for shape in shapes):
            continue
        np.testing.assert_array_equal(found, g.flat, err_msg=name)


def test_weights_with_a_row_per_output_are_read_so_throughout():
    network = dp.Network([3, 4, 2], loss="half_squared_error")
    g = network.parameters(
        [np.arange(12.0).reshape(3, 4), np.ones((4, 2))], [np.ones(4), np.ones(2)]
    )
    turned = [g.W[0].T, g.b[0], g.W[1].T, g.b[1]]
    np.testing.assert_array_equal(flat_numbers(g, turned, "gradients"), g.flat)
    with pytest.raises(ShapeError, match=r"cannot be matched.*\(4, 3\), \(4,\), \(4, 2\)"):
        flat_numbers(g, [g.W[0].T, g.b[0], g.W[1], g.b[1]], "gradients")


@pytest.mark.parametrize(
    ("claimed", "words"),
    [
        ({}, "lack W.1, b.1, W.2, b.2"),
        ({"dW1": np.ones((2, 3)), "db1": np.ones(3), "dW2": np.ones((3, 1))}, "cannot be"),
        ({"dW1": np.ones((2, 3))}, "cannot be matched|lack"),
        ({"dQ1": np.ones((2, 3))}, "'dQ1' names no array of this network; expected dW1, db1"),
        ([np.ones((2, 3)), np.ones(3)], r"there are \(2, 3\), \(3,\); expected W.1 \(2, 3\)"),
        (["a", "b"], "hold 'a', where an array of numbers was expected"),
        (np.ones(5), r"have shape \(5,\); expected one number for each of the 13"),
        (3.0, r"have shape \(\)"),
        ("gradients", "where an array of numbers was expected"),
        ([], "there are none; expected W.1"),
        (object(), "where an array of numbers was expected"),
    ],
)
def test_what_cannot_be_matched_gets_one_sentence(claimed, words):
    network = dp.Network([2, 3, 1], loss="half_squared_error")
    parameters = network.init(np.random.default_rng(0))
    with pytest.raises(DeltapropError, match=words):
        dp.check_gradients(network, parameters, [[1.0, 2.0]], [[1.0]], gradients=claimed)


def test_a_function_may_return_any_of_them():
    network = dp.Network([2, 3, 1], hidden="tanh", loss="half_squared_error")
    parameters = network.init(np.random.default_rng(0))
    case = network, parameters, [[1.0, 2.0]], [[1.0]]
    trace = dp.backpropagate(*case)
    g = trace.gradients
    for returned in (
        (list(g.W), list(g.b)), {"dW1": g.W[0], "db1": g.b[0], "dW2": g.W[1], "db2": g.b[1]},
        (trace.loss, [g.W[0], g.b[0], g.W[1], g.b[1]]), (None, (list(g.W), list(g.b))),
    ):  # fmt: skip
        assert dp.check_gradients(*case, gradients=lambda *_a, r=returned: r)
    wrong = dp.check_gradients(*case, gradients={"W": list(g.W), "b": [2 * part for part in g.b]})
    assert {entry.name for entry in wrong.wrong} == {"b.1[0]", "b.1[1]", "b.1[2]", "b.2[0]"}


@pytest.mark.torch
def test_a_module_of_pytorch_is_asked_for_its_gradients(rng):
    import torch

    network = dp.Network([3, 3, 3], hidden="tanh", loss="cross_entropy")
    parameters, x, labels = network.init(rng), rng.normal(size=(5, 3)), rng.integers(0, 3, 5)
    module = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Tanh(), torch.nn.Linear(3, 3))
    module.double()
    with torch.no_grad():
        for i, layer in enumerate((module[0], module[2])):
            layer.weight[:] = torch.tensor(parameters.W[i].T.copy())
            layer.bias[:] = torch.tensor(parameters.b[i])
    torch.nn.functional.cross_entropy(module(torch.tensor(x)), torch.tensor(labels)).backward()
    assert dp.check_gradients(network, parameters, x, labels, gradients=module)
    assert dp.check_gradients(network, parameters, x, labels, gradients=list(module.parameters()))


def test_numbers_as_objects_are_numbers(rng):
    network = dp.Network([2, 3, 1])
    parameters = network.init(rng)
    arrays = [layer[name].astype(object) for layer in parameters.layers for name in layer]
    assert np.array_equal(flat_numbers(parameters, arrays, "gradients"), parameters.flat)


def test_an_empty_dict_holds_none(rng):
    network = dp.Network([2, 1])
    with pytest.raises(ShapeError, match=r"lack W\.1, b\.1; there are none\."):
        flat_numbers(network.init(rng), {}, "gradients")


class TestNeuronsWithoutBias:
    """``b: [0.1, null]``: in its place stand None, NaN, 0 or nothing."""

    @pytest.fixture
    def step(self):
        layers = [dp.Dense(3, "tanh", bias=[True, False, True]), dp.Dense(1, bias=False)]
        network = dp.Network.from_layers(2, layers, loss="half_squared_error")
        parameters = network.init(np.random.default_rng(2))
        return network, parameters, [[1.0, -0.5]], [[0.5]]

    @pytest.mark.parametrize("b", [lambda b: b, lambda b: [b[0], None, b[2]], lambda b: b[[0, 2]],
                                   lambda b: [b[0], np.nan, b[2]]])  # fmt: skip
    def test_what_people_hold_is_taken(self, step, b):
        g = dp.backpropagate(*step).gradients
        for held in ([g.W[0], b(g.b[0]), g.W[1]], {"dW1": g.W[0], "db1": b(g.b[0]), "dW2": g.W[1]}):
            report = dp.check_gradients(*step, gradients=held)
            assert report.ok
            assert len(report.entries) == report.n_parameters == 11
            assert "b.1[1]" not in [entry.name for entry in report.entries]

    def test_flat_numbers_with_and_without_it(self, step):
        flat = dp.backpropagate(*step).gradients.flat
        for held in (flat, np.delete(flat, 7)):
            assert dp.check_gradients(*step, gradients=held).ok

    def test_a_wrong_number_beside_it_is_found(self, step):
        flat = dp.backpropagate(*step).gradients.flat.copy()
        flat[8] += 1
        report = dp.check_gradients(*step, gradients=flat)
        assert [entry.name for entry in report.wrong] == ["b.1[2]"]

    def test_a_number_in_its_place_is_refused(self, step):
        flat = dp.backpropagate(*step).gradients.flat.copy()
        flat[7] = 0.5
        said = r"claimed gradients: b.1\[1\] is 0.5, but neuron 2 of layer 1 has no bias"
        with pytest.raises(ShapeError, match=said):
            dp.check_gradients(*step, gradients=flat)
