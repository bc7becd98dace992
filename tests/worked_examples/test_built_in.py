"""The built-in examples are the published ones, number for number."""

import json

import numpy as np
import pytest

from deltaprop.explaining.examples import EXAMPLES, built_in_example
from deltaprop.model.backprop import backpropagate
from deltaprop.training.optimizers import GradientDescent
from helpers.worked_examples import exactly, numbers, same_arrays

# ---- the built-in examples

BUILT_IN = {
    "mazur": "mazur_2015",
    "han_kamber": "han_kamber_3_2_1",
    "negnevitsky_xor": "negnevitsky_xor_2_2_1",
    "generation5_xor": "generation5_xor_2_2_1",
    "hmkcode": "hmkcode_linear_2_2_1",
    "prakash_jay": "prakash_jay_relu_sigmoid_softmax",
}


def test_every_built_in_example_is_compared():
    assert set(BUILT_IN) | {"tutorial", "iamtrask", "ng_ex4"} == set(EXAMPLES)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_example_is_the_published_one_number_for_number(load, examples, name):
    worked, published = built_in_example(name), examples[BUILT_IN[name]]
    assert worked.network == published.network
    np.testing.assert_array_equal(worked.parameters.flat, published.before.flat)
    np.testing.assert_array_equal(worked.x, published.x)
    np.testing.assert_array_equal(worked.targets, published.targets)
    assert worked.optimizer == GradientDescent(published.learning_rate)
    assert worked.train_biases == published.train_biases
    expected = load(BUILT_IN[name])["computed_float64"]
    expected = expected.get("biases_fixed", expected)
    trace = backpropagate(
        worked.network, worked.parameters, worked.x, worked.targets, reduction=worked.reduction
    )
    same_arrays(trace.z, expected["pre_activations"])
    same_arrays(trace.delta, expected["deltas"])
    same_arrays(trace.gradients.W, expected["grad_W"])
    exactly(trace.loss, expected["loss"])


CLAIMED = {
    "tutorial": "tutorial",
    "mazur": "mazur_2015",
    "han_kamber": "han_kamber_3_2_1",
    "generation5_xor": "generation5_xor_2_2_1",
    "hmkcode": "hmkcode_linear_2_2_1",
    "prakash_jay": "prakash_jay_relu_sigmoid_softmax_original",
}


@pytest.mark.parametrize("name", CLAIMED)
def test_a_built_in_example_claims_what_was_published(shared, name):
    path = shared / "worked_examples" / "claims" / f"{CLAIMED[name]}.json"
    published = json.loads(path.read_text(encoding="utf-8"), parse_float=str)
    worked = EXAMPLES[name]

    def written(cell):
        if isinstance(cell, list):
            return [written(one) for one in cell]
        return getattr(cell, "text", cell)

    assert {k: written(claim) for k, claim in worked["claims"].items()} == published["claims"]
    assert numbers([layer["W"] for layer in worked["layers"]]) == numbers(
        [layer["W"] for layer in published["layers"]]
    )
    assert numbers(worked["x"]) == numbers(published["x"])
    assert numbers(worked["targets"]) == numbers(published["targets"])


def test_the_built_in_test_case_of_exercise_4(load):
    spec, worked = load("ng_ex4_tutorial_case")["spec"], built_in_example("ng_ex4")
    expected = load("ng_ex4_tutorial_case")["computed_float64"]["lambda4"]
    assert worked.network.l2 == 4 / 3
    np.testing.assert_array_equal(worked.x, spec["X"])
    np.testing.assert_array_equal(worked.targets, spec["T"])
    trace = backpropagate(worked.network, worked.parameters, worked.x, worked.targets)
    exactly(trace.loss, expected["loss"])
    same_arrays(trace.gradients.W, expected["grad_W"])
    same_arrays(trace.gradients.b, expected["grad_b"])


def test_the_built_in_network_of_iamtrask(load):
    spec, worked = load("iamtrask_11_lines")["spec"], built_in_example("iamtrask")
    assert (worked.reduction, worked.optimizer) == ("sum", GradientDescent(1.0))
    assert numbers(list(map(list, worked.x))) == spec["X"]
    assert numbers(list(map(list, worked.targets))) == spec["T_b"]
    for W, published in zip(worked.parameters.W, spec["init_b"], strict=True):
        np.testing.assert_array_equal(W, published)
    trace = backpropagate(
        worked.network, worked.parameters, worked.x, worked.targets, reduction="sum"
    )
    error = np.abs(np.array(worked.targets) - trace.a[-1]).mean()
    assert error == pytest.approx(0.496410031903, abs=6e-13)  # the first that he prints
