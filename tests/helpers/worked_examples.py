"""A published calculation as a network, its numbers, and the step they are of."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deltaprop.checking.rules import work_step
from deltaprop.model.backprop import Trace, backpropagate, trace_step
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.training.optimizers import GradientDescent

FILES = [
    "cs231n_optimizers_layers", "generation5_xor_2_2_1", "han_kamber_3_2_1",
    "hmkcode_linear_2_2_1", "iamtrask_11_lines", "keras_losses", "mazur_2015",
    "negnevitsky_xor_2_2_1", "ng_ex4_tutorial_case", "prakash_jay_relu_sigmoid_softmax",
    "victorzhou_2_2_1",
]  # fmt: skip


NETWORKS = [
    "generation5_xor_2_2_1", "han_kamber_3_2_1", "hmkcode_linear_2_2_1", "mazur_2015",
    "negnevitsky_xor_2_2_1", "prakash_jay_relu_sigmoid_softmax", "victorzhou_2_2_1",
]  # fmt: skip


@dataclass(frozen=True)
class Example:
    """One step of gradient descent on a network given by its numbers."""

    network: Network
    before: Parameters
    x: np.ndarray
    targets: np.ndarray
    learning_rate: float = 0.1
    sample_weight: tuple[float, ...] | None = None
    reduction: str = "mean"
    train_biases: bool = True

    def run(self, parameters):
        return backpropagate(
            self.network, parameters, self.x, self.targets,
            sample_weight=self.sample_weight, reduction=self.reduction,
        )  # fmt: skip

    def step(self, parameters, gradient):
        """Return the parameters after one step of the library's gradient descent."""
        after, weights = parameters.copy(), self.network.layout.penalized()
        gradient = gradient if self.train_biases else gradient * weights
        rule = GradientDescent(self.learning_rate)
        rule.step(rule.init(len(gradient)), after.flat, gradient, self.learning_rate, weights)
        return after

    @cached_property
    def trace(self) -> Trace:
        return self.run(self.before)

    @cached_property
    def after(self) -> Parameters:
        return self.step(self.before, self.trace.gradients.flat)

    @cached_property
    def again(self) -> Trace:
        return self.run(self.after)

    def descend(self, steps):
        """Return the parameters after many steps, by the inner function that skips the checks."""
        parameters = self.before.copy()
        shares = self.trace.shares
        for _ in range(steps):
            trace = trace_step(self.network, parameters, self.x, self.targets, shares)
            parameters = self.step(parameters, trace.gradients.flat)
        return parameters

    def descend_by(self, rules, steps):
        """The same by the rules of a mistake."""
        parameters = self.before
        for _ in range(steps):
            working = work_step(
                rules, self.network, parameters, self.x, self.targets,
                learning_rate=self.learning_rate, shares=self.trace.shares,
            )  # fmt: skip
            parameters = self.step(parameters, working.gradients.flat)
        return parameters


def example(spec, layers=None, x=None, targets=None, **more):
    layers = layers or spec["layers"]
    n_in = len(layers[0]["W"])
    bias = layers[0].get("b") is not None
    loss = {
        ("half_sse_sum", "sigmoid"): "half_squared_error_sigmoid",
        ("half_sse_sum", "linear"): "half_squared_error",
        ("softmax_ce_mean", "softmax"): "cross_entropy",
        ("mse", "sigmoid"): "half_squared_error_sigmoid",
    }[spec["loss"], layers[-1]["act"]]
    hidden = [{"linear": "identity"}.get(layer["act"], layer["act"]) for layer in layers[:-1]]
    network = Network([n_in, *(len(layer["W"][0]) for layer in layers)], hidden, loss, bias)
    settings = {"learning_rate": spec["learning_rate"], "train_biases": spec["biases_trained"]}
    if spec["loss"] == "mse":  # not halved: every sample counts twice
        settings |= {"sample_weight": (2.0,), "reduction": "sum"}
    return Example(
        network,
        network.parameters(
            [layer["W"] for layer in layers], [layer["b"] for layer in layers] if bias else None
        ),
        np.array(spec["X"] if x is None else x, dtype=float),
        np.array(spec["T"] if targets is None else targets, dtype=float),
        **settings | more,
    )


def exactly(got, expected, tolerance=1e-12):
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def assert_published(checks, computed):
    """Hold every number an author prints against the library's, by its status."""
    assert {check["what"] for check in checks} == set(computed)
    for check in checks:
        got, published = np.asarray(computed[check["what"]]), np.asarray(check["published"])
        got = got.reshape(published.shape)
        difference = np.abs(got - published).max()
        exactly(got, np.reshape(check["computed"], published.shape))
        if check["status"] == "verified":
            assert difference <= check["tolerance"], check["what"]
        else:
            assert check["status"] == "PUBLISHED_NUMBER_WRONG"
            assert difference > check["tolerance"], check["what"]


def same_arrays(got, expected):
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        if other is not None and one is not None:
            exactly(one, other)


def numbers(nested):
    if isinstance(nested, list):
        return [numbers(item) for item in nested]
    return None if nested is None else float(nested)
