"""Gradients as people hold them, and the faults their code has: read, or one sentence; named."""

from collections import OrderedDict, deque
from typing import NamedTuple

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import ShapeError


class Grads(NamedTuple):
    first: np.ndarray
    first_biases: np.ndarray
    second: np.ndarray
    second_biases: np.ndarray


RNG = np.random.default_rng(5)
X, LABELS = RNG.normal(size=(6, 3)), np.array([0, 2, 1, 1, 0, 2])
W1, B1 = RNG.normal(size=(3, 4)), RNG.normal(size=4)
W2, B2 = RNG.normal(size=(4, 3)), RNG.normal(size=3)
T = np.eye(3)[LABELS]


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def tanh_softmax(delta2=None, slope=lambda z, a: 1 - a**2, back=lambda d, w, g: d @ w.T, scale=1):
    """Return dW1, db1, dW2, db2 of a tanh layer and softmax, by hand, perhaps with a slip."""
    z1 = X @ W1 + B1
    a1 = np.tanh(z1)
    p = softmax(a1 @ W2 + B2)
    d2 = (p - T) / len(X) if delta2 is None else delta2(p)
    g2 = a1.T @ d2
    d1 = back(d2, W2, g2) * slope(z1, a1)
    return [scale * X.T @ d1, scale * d1.sum(axis=0), scale * g2, scale * d2.sum(axis=0)]


def check(gradients, hidden="tanh", loss="cross_entropy", targets=LABELS, **more):
    network = dp.Network([3, 4, 3], hidden=hidden, loss=loss)
    parameters = network.parameters([W1, W2], [B1, B2])
    return dp.check_gradients(network, parameters, X, targets, gradients=gradients, **more)


RIGHT = g1, c1, g2, c2 = tanh_softmax()
HELD = {
    "a list by layers": [g1, c1, g2, c2],
    "pairs, as TensorFlow's apply_gradients is given them": zip([g1, g2], [c1, c2], strict=True),
    "a dict of deeplearning.ai, with its other entries, biases as columns, W by outputs": {
        "dZ2": X, "dW2": g2.T, "db2": c2[:, None], "dA1": X, "dW1": g1.T, "db1": c1[:, None],
    },
    "PyTorch's names without PyTorch": OrderedDict(
        [("fc1.weight", g1.T), ("fc1.bias", c1), ("fc2.weight", g2.T), ("fc2.bias", c2)]
    ),
    "layers with names instead of numbers": {
        "hidden.weight": g1.T, "hidden.bias": c1, "output.weight": g2.T, "output.bias": c2,
    },
    "Keras' names": {"dense/kernel:0": g1, "dense/bias:0": c1, "dense_1/kernel:0": g2,
                     "dense_1/bias:0": c2},
    "a tree of Flax": {"params": {"Dense_0": {"kernel": g1, "bias": c1},
                                  "Dense_1": {"kernel": g2, "bias": c2}}},
    "a tree of Haiku": {"linear": {"w": g1, "b": c1}, "linear_1": {"w": g2, "b": c2}},
    "scikit-learn's lists": ([g1, g2], [c1, c2]),
    "coefs_ and intercepts_": {"coefs_": [g1, g2], "intercepts_": [c1, c2]},
    "min-char-rnn's names": {"Wxh": g1, "bh": c1, "Why": g2, "by": c2},
    "dicts in a list": [{"dW": g1, "db": c1}, {"dW": g2, "db": c2}],
    "one array of arrays": np.array([g1, c1, g2, c2], dtype=object),
    "the values of a dict": {"dW1": g1, "db1": c1, "dW2": g2, "db2": c2}.values(),
    "a deque, filled from the last layer": deque([g1, c1, g2, c2]),
    "a named tuple": Grads(g1, c1, g2, c2),
    "unrolled as a column": np.concatenate([g.ravel() for g in (g1, c1, g2, c2)])[:, None],
    "unrolled as a row": np.concatenate([g.ravel() for g in (g1, c1, g2, c2)])[None],
    "in single precision": [g.astype(np.float32) for g in (g1, c1, g2, c2)],
    "imaginary parts that are 0, of a complex step": [g + 0j for g in (g1, c1, g2, c2)],
    "numbers in lists": [g.tolist() for g in (g1, c1, g2, c2)],
    "from the last layer to the first": [g2, c2, g1, c1],
}  # fmt: skip


@pytest.mark.parametrize("held", HELD)
def test_gradients_are_read_as_they_are_held(held):
    assert check(HELD[held], tolerance=1e-4), held


def test_a_wrong_one_is_not_taken_for_a_right_one():
    wrong = {"params": {"Dense_0": {"kernel": 1.01 * g1, "bias": c1},
                        "Dense_1": {"kernel": g2, "bias": c2}}}  # fmt: skip
    assert not check(wrong, tolerance=1e-4)


UNCLEAR = {
    # https://www.coursera.org/learn/machine-learning: Theta with the biases in its first column
    "Theta": ([np.c_[c1, g1.T], np.c_[c2, g2.T]], "hand its biases over apart"),
    "Theta by name": (
        {"Theta1_grad": np.c_[c1, g1.T], "Theta2_grad": np.c_[c2, g2.T]}, "lack b.1, b.2.*apart",
    ),
    "no gradient yet": ([g1, None, g2, c2], "hold None where an array"),
    "a complex one": ([g1 + 1j, c1, g2, c2], "where an array of numbers was expected"),
    "weights only": ([g1, g2], r"there are \(3, 4\), \(4, 3\); expected W.1 \(3, 4\), b.1"),
    "names of nothing": ({1: g1, 2: c1, 3: g2, 4: c2}, "'1' names no array"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_cannot_be_read_gets_one_sentence(case):
    gradients, words = UNCLEAR[case]
    with pytest.raises(ShapeError, match=words) as found:
        check(gradients)
    assert "\n" not in str(found.value)


def relu_softmax(gate):
    z1 = X @ W1 + B1
    a1 = np.maximum(z1, 0)
    d2 = (softmax(a1 @ W2 + B2) - T) / len(X)
    d1 = d2 @ W2.T
    d1 = gate(d1, z1, a1)
    return [X.T @ d1, d1.sum(axis=0), a1.T @ d2, d2.sum(axis=0)]


def sigmoid_squared(slope_out, slope_in):
    z1 = X @ W1 + B1
    a1 = sigmoid(z1)
    z2 = a1 @ W2 + B2
    p = sigmoid(z2)
    d2 = (p - T) / len(X) * slope_out(z2, p)
    d1 = d2 @ W2.T * slope_in(z1, a1)
    return [X.T @ d1, d1.sum(axis=0), a1.T @ d2, d2.sum(axis=0)]


def twice_softmax(p):
    d = (softmax(p) - T) / len(X)
    return p * (d - (d * p).sum(axis=1, keepdims=True))


def summed_without_axis():
    g = tanh_softmax()
    return [g[0], np.full(4, g[1].sum()), g[2], np.full(3, g[3].sum())]


def a_slope(z, a):
    return a * (1 - a)


# what the code does, where it is asked about, and the name
FAULTS = {
    # https://runebook.dev/en/docs/pytorch/generated/torch.nn.softmax:
    # CrossEntropyLoss after Softmax
    "softmax twice": (tanh_softmax(twice_softmax), "softmax_twice", {}),
    # https://stackoverflow.com/questions/40575841: the derivative of softmax as a (1 - a)
    "softmax' on top of p - t": (
        tanh_softmax(lambda p: (p - T) / len(X) * p * (1 - p)), "extra_output_prime", {},
    ),
    "the diagonal of softmax": (
        tanh_softmax(lambda p: -T * (1 - p) / len(X)), "softmax_diagonal", {},
    ),
    "-t / p": (tanh_softmax(lambda p: -T / p / len(X)), "delta_by_a", {}),
    "labels from 1": (
        tanh_softmax(lambda p: (p - np.roll(T, 1, 1)) / len(X)), "one_hot_shifted", {},
    ),
    # https://cs231n.github.io: the division by N forgotten
    "no division by N": (tanh_softmax(scale=6), "batch_mean", {}),
    "zero_grad forgotten": (tanh_softmax(scale=2), "stale_gradients", {}),
    "t - p": (tanh_softmax(lambda p: (T - p) / len(X)), "sign", {}),
    "1 - a for tanh": (tanh_softmax(slope=lambda z, a: 1 - a), "half_a_slope", {}),
    "sigmoid' for tanh": (tanh_softmax(slope=lambda z, a: a_slope(z, a)), "other_slope", {}),
    "tanh'(a)": (tanh_softmax(slope=lambda z, a: 1 - np.tanh(a) ** 2), "f_prime_wrong_point", {}),
    "1 - z^2": (tanh_softmax(slope=lambda z, a: 1 - z**2), "f_prime_wrong_point", {}),
    "f for f'": (tanh_softmax(slope=lambda z, a: a), "other_slope", {}),
    "no f'": (tanh_softmax(slope=lambda z, a: np.ones_like(a)), "missing_f_prime", {}),
    # https://community.deeplearning.ai/t/w3-ex-6-assertionerror-wrong-values-for-dw1/402919:
    # dW2 for W2
    "through the gradient": (
        tanh_softmax(back=lambda d, w, g: d @ g.T), "gradient_for_weights", {},
    ),
    "after the step": (
        tanh_softmax(back=lambda d, w, g: d @ (w - 0.3 * g).T), "updated_weights",
        {"learning_rate": 0.3},
    ),
    "np.sum without an axis": (summed_without_axis(), "bias_over_everything", {}),
    # https://stackoverflow.com/questions/46411180: the derivative of ReLU
    "relu of the gradient": (
        relu_softmax(lambda d, z, a: np.maximum(d, 0)), "relu_gate", {"hidden": "relu"},
    ),
    "relu times the gradient": (
        relu_softmax(lambda d, z, a: d * a), "other_slope", {"hidden": "relu"},
    ),
    # https://iamtrask.github.io/2015/07/12/basic-python-network: nonlin(x, deriv=True) given z
    "x (1 - x) of z, everywhere": (
        sigmoid_squared(lambda z, a: a_slope(a, z), lambda z, a: a_slope(a, z)),
        "f_prime_wrong_point", {"hidden": "sigmoid", "loss": "half_squared_error_sigmoid"},
    ),
    "x (1 - x) of z at the output": (
        sigmoid_squared(lambda z, a: a_slope(a, z), a_slope),
        "f_prime_wrong_point", {"hidden": "sigmoid", "loss": "half_squared_error_sigmoid"},
    ),
    "sigma'(a), everywhere": (
        sigmoid_squared(lambda z, a: a_slope(z, sigmoid(a)), lambda z, a: a_slope(z, sigmoid(a))),
        "f_prime_wrong_point", {"hidden": "sigmoid", "loss": "half_squared_error_sigmoid"},
    ),
    "no f' at the output": (
        sigmoid_squared(lambda z, a: np.ones_like(a), a_slope),
        "missing_f_prime", {"hidden": "sigmoid", "loss": "half_squared_error_sigmoid"},
    ),
}  # fmt: skip


@pytest.mark.one_in(6)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_gradient_code_is_named(fault):
    gradients, name, case = FAULTS[fault]
    targets = T if "loss" in case else LABELS
    report = check(gradients, targets=targets, **case)
    assert not report
    assert name in report.candidates, report
