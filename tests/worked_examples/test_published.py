"""Every published calculation, number by number, with the library's own functions."""

import numpy as np
import pytest

from deltaprop.checking.gradients import check_gradients
from deltaprop.checking.mistakes import MISTAKES
from deltaprop.checking.rules import work_step
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.model.backprop import backpropagate
from deltaprop.model.layers import Dense
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from helpers.worked_examples import FILES, NETWORKS, assert_published, exactly, example, same_arrays


def test_every_file_is_tested(shared):
    assert sorted(path.stem for path in (shared / "worked_examples").glob("*.json")) == FILES


RECOMPUTED = [
    pytest.param(name, key, trained, id=name + (f" {key}" if key else ""))
    for name in NETWORKS
    for key, trained in (
        [("biases_fixed", False), ("biases_trained", True)]
        if name == "mazur_2015"
        else [("", None)]
    )
]


@pytest.mark.parametrize(("name", "key", "trained"), RECOMPUTED)
def test_every_recomputed_number_of_the_step(load, name, key, trained):
    file = load(name)
    expected = file["computed_float64"]
    expected = expected[key] if key else expected
    more = {} if trained is None else {"train_biases": trained}
    e = example(file["spec"], **more)
    same_arrays(e.trace.z, expected["pre_activations"])
    same_arrays(e.trace.a[1:], expected["activations"])
    same_arrays(e.trace.delta, expected["deltas"])
    same_arrays(e.trace.gradients.W, expected["grad_W"])
    same_arrays(e.trace.gradients.b, expected["grad_b"])
    same_arrays([d.sum(axis=0) for d in e.trace.delta], expected["grad_b"])
    exactly(e.trace.loss, expected["loss"])
    same_arrays(e.after.W, [layer["W"] for layer in expected["after_one_step"]])
    same_arrays(e.after.b, [layer["b"] for layer in expected["after_one_step"]])
    exactly(e.again.loss, expected["loss_after_one_step"])
    exactly(e.again.a[-1], expected["output_after_one_step"])
    assert e.again.loss < e.trace.loss


@pytest.mark.parametrize("name", NETWORKS)
def test_the_referee_accepts_every_example(examples, name):
    e = examples[name]
    report = check_gradients(e.network, e.before, e.x, e.targets)
    assert report, report


def test_generation5(load, examples):
    e = examples["generation5_xor_2_2_1"]
    changes = e.after.flat - e.before.flat
    changed = Parameters(e.network.layout, changes)
    assert_published(load("generation5_xor_2_2_1")["checks"], {
        "hidden net": e.trace.z[0],
        "hidden out": e.trace.a[1],
        "output net": e.trace.z[1],
        "output": e.trace.a[2],
        "delta out": -e.trace.delta[1],  # his delta points downhill
        "delta hidden": -e.trace.delta[0],
        "weight changes output [w1,w2,b]": [*changed.W[1][:, 0], *changed.b[1]],
        "bias changes hidden": changed.b[0],
    })  # fmt: skip


def test_han_kamber(load, examples):
    file, e = load("han_kamber_3_2_1"), examples["han_kamber_3_2_1"]
    second = [1.0, 1.0, 0.0], [1.0]
    online = e.after
    next_row = backpropagate(e.network, online, [second[0]], [second[1]])
    online = e.step(online, next_row.gradients.flat)
    assert_published(file["checks"], {
        "net inputs 4,5": e.trace.z[0],
        "O4,O5": e.trace.a[1],
        "net 6": e.trace.z[1],
        "O6": e.trace.a[2],
        "Err6": -e.trace.delta[1],  # Err is t - o times o (1 - o), downhill
        "Err5,Err4": -e.trace.delta[0][:, ::-1],
        "w46,w56": e.after.W[1],
        "w14,w15": e.after.W[0][0],
        "w24,w25": e.after.W[0][1],
        "w34,w35": e.after.W[0][2],
        "theta6": e.after.b[1],
        "theta5,theta4": e.after.b[0][::-1],
        "2 samples: w46,w56": online.W[1],
        "2 samples: hidden weights (row=unit)": online.W[0].T,
        "2 samples: biases": [*online.b[1], *online.b[0]],
    })  # fmt: skip
    expected = file["computed_float64"]
    same_arrays(online.W, [layer["W"] for layer in expected["two_samples_online"]])
    same_arrays(online.b, [layer["b"] for layer in expected["two_samples_online"]])
    both = example(
        file["spec"], x=[*file["spec"]["X"], second[0]], targets=[[1.0], [1.0]], reduction="sum"
    )
    same_arrays(both.after.W, [layer["W"] for layer in expected["two_samples_batch_sum"]])
    same_arrays(both.after.b, [layer["b"] for layer in expected["two_samples_batch_sum"]])


def test_hmkcode(load, examples):
    e = examples["hmkcode_linear_2_2_1"]
    assert_published(load("hmkcode_linear_2_2_1")["checks"], {
        "hidden": e.trace.a[1],
        "prediction": e.trace.a[2],
        "error": e.trace.loss,
        "delta": e.trace.delta[1],
        "W2 new": e.after.W[1],
        "W1 new": e.after.W[0],
        "prediction after step": e.again.a[2],
    })  # fmt: skip


def test_negnevitsky(load, examples):
    e = examples["negnevitsky_xor_2_2_1"]
    assert_published(load("negnevitsky_xor_2_2_1")["checks"], {
        "y3,y4": e.trace.a[1],
        "y5": e.trace.a[2],
        "delta5": -e.trace.delta[1],  # downhill
        "delta3,delta4": -e.trace.delta[0],
        "w35,w45": e.after.W[1],
        "w13,w14,w23,w24": e.after.W[0].ravel(),
        "theta3,theta4,theta5": [*-e.after.b[0], *-e.after.b[1]],  # thresholds are -b
    })  # fmt: skip


def test_victor_zhou(load, examples):
    file, e = load("victorzhou_2_2_1"), examples["victorzhou_2_2_1"]
    forward = example(
        file["spec"], file["spec"]["forward_example"]["layers"],
        file["spec"]["forward_example"]["X"], [[0.0]],
    ).trace  # fmt: skip
    neuron = Network.from_layers(2, [Dense(1)], "half_squared_error_sigmoid")
    seven = backpropagate(neuron, neuron.parameters([[[0.0], [1.0]]], [[4.0]]), [[2, 3]], [[0]])
    p = e.trace.a[2]
    assert_published(file["checks"], {
        "neuron f(7)": seven.a[1],
        "h for [2,3]": forward.a[1][0, 0],
        "output for [2,3]": forward.a[2],
        "h for Alice": e.trace.a[1][0, 0],
        "y_pred": p,
        "dL/dypred": e.trace.delta[1] / ACTIVATIONS["sigmoid"].f_prime(e.trace.z[1], p),
        "dL/dw1": e.trace.gradients.W[0][0, 0],
    })  # fmt: skip


@pytest.mark.slow
def test_mazur_one_step_and_ten_thousand(load, examples):
    file, e = load("mazur_2015"), examples["mazur_2015"]
    bug = MISTAKES["updated_weights"].variants[0]
    with_bug = e.run(e.descend_by(bug, 1))
    nearly = e.descend(9999)
    last = e.run(nearly)
    end = e.run(e.step(nearly, last.gradients.flat))
    end_with_bug = e.run(e.descend_by(bug, 10000))
    assert_published(file["checks"], {
        "net_h1": e.trace.z[0][0, 0],
        "out_h": e.trace.a[1],
        "net_o1": e.trace.z[1][0, 0],
        "outputs": e.trace.a[2],
        "E_total": e.trace.loss,
        "delta_o1 (dE/dnet_o1)": e.trace.delta[1][0, 0],
        "dE/dw5": e.trace.gradients.W[1][0, 0],
        "w5..w8 new": e.after.W[1].T.ravel(),
        "w1..w4 new": e.after.W[0].T.ravel(),
        "dE/dw1": e.trace.gradients.W[0][0, 0],
        "E_total after 1 step": e.again.loss,
        "E_total after 10 000 steps": end.loss,
        "outputs after 10 000 steps": end.a[2],
        "E after 1 step with the updated-weights bug": with_bug.loss,
        "outputs after 10 000 steps with the bug": end_with_bug.a[2],
        "E after 9 999 correct steps": last.loss,
    })  # fmt: skip
    expected = file["computed_float64"]["biases_fixed"]["after_10000_steps"]
    exactly(end.a[2], expected["output"])
    exactly(end.loss, expected["loss"])
    trained = example(file["spec"], train_biases=True)
    end = trained.run(trained.descend(10000))
    expected = file["computed_float64"]["biases_trained"]["after_10000_steps"]
    exactly(end.a[2], expected["output"])
    exactly(end.loss, expected["loss"])


def test_mazurs_wrong_numbers_are_those_of_the_updated_weights(load, examples):
    e = examples["mazur_2015"]
    wrong = {c["what"]: c for c in load("mazur_2015")["checks"] if c["status"] != "verified"}
    after = {
        name: e.run(e.descend_by(mistake.variants[0], 1)).loss
        for name, mistake in MISTAKES.items()
        if mistake.applies(e.network)
    }
    published = wrong["E_total after 1 step"]
    explained = {n for n, loss in after.items()
                 if abs(loss - published["published"]) <= published["tolerance"]}  # fmt: skip
    assert explained == {"updated_weights"}


def test_prakash_jay(load, examples):
    file, e = load("prakash_jay_relu_sigmoid_softmax"), examples["prakash_jay_relu_sigmoid_softmax"]
    wrong = MISTAKES["softmax_without_exp"].variants[0]
    # his sigmoid layer, rounded as he rounds it, is the input of the last layer alone
    last = Network([3, 3])
    rounded, weights = (
        np.array([[0.938, 0.94, 0.98]]),
        last.parameters([e.before.W[2]], [e.before.b[2]]),
    )
    right_from_rounded = backpropagate(last, weights, rounded, e.targets)
    wrong_from_rounded = work_step(wrong, last, weights, rounded, e.targets)
    assert_published(file["checks"], {
        "softmax output (author correction)": e.trace.a[3],
        "author correction from his rounded sigmoid layer": right_from_rounded.a[1],
        "softmax output (original article)": e.trace.a[3],
        "explanation: z/sum(z) with his rounded layer": wrong_from_rounded.a[1],
    })  # fmt: skip
    (published,) = [c for c in file["checks"] if c["status"] != "verified"]
    explained = set()
    for name, mistake in MISTAKES.items():
        if mistake.applies(e.network):
            working = work_step(mistake.variants[0], e.network, e.before, e.x, e.targets)
            # from his rounded layer, above, it is his number to the last digit; from the exact
            # one the third probability is 0.40793
            if np.abs(working.a[3][0] - published["published"]).max() <= 2e-4:
                explained.add(name)
    assert explained == {"softmax_without_exp"}


def test_ng_exercise_4(load):
    file = load("ng_ex4_tutorial_case")
    spec, expected = file["spec"], file["computed_float64"]
    x, t = np.array(spec["X"]), np.array(spec["T"])
    W, b = ([layer[name] for layer in spec["layers"]] for name in ("W", "b"))
    computed = {}
    for penalty in spec["lambdas"]:
        network = Network([2, 2, 4], "sigmoid", "binary_cross_entropy", l2=penalty / len(x))
        trace = backpropagate(network, network.parameters(W, b), x, t)
        g = trace.gradients
        # Theta is (n_out, 1 + n_in) with the bias first, written down by columns
        computed[f"J lambda={penalty}"] = trace.loss
        computed[f"grad lambda={penalty}"] = np.concatenate(
            [np.vstack([g.b[layer], g.W[layer]]).ravel() for layer in range(2)]
        )
        exact = expected[f"lambda{penalty}"]
        same_arrays(trace.z, exact["pre_activations"])
        same_arrays(trace.a[1:], exact["activations"])
        same_arrays(trace.delta, exact["deltas"])
        same_arrays(g.W, exact["grad_W"])
        same_arrays(g.b, exact["grad_b"])
        exactly(trace.loss, exact["loss"])
    assert_published(file["checks"], computed)
