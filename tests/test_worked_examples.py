"""Every published calculation, number by number, with the library's own functions.

For each file of ``shared/worked_examples`` a table says where the library holds the number that an
author printed. Verified numbers agree to the precision they are printed in, the recomputed ones
to 1e-12; a number that its author got wrong must not come out, unless his mistake is made.
"""

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

from deltaprop.checking.gradients import check_gradients
from deltaprop.checking.mistakes import MISTAKES, work_step
from deltaprop.explaining.examples import EXAMPLES, built_in_example
from deltaprop.functional.activations import ACTIVATIONS, sigmoid
from deltaprop.functional.losses import LOSSES
from deltaprop.model.backprop import Trace, backpropagate, trace_step
from deltaprop.model.layers import Dense
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.training.optimizers import Adam, GradientDescent, Momentum, RMSProp

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


@pytest.fixture(scope="module")
def load(shared):
    def read(name):
        path = shared / "worked_examples" / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8"))

    return read


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


@pytest.fixture(scope="module")
def examples(load):
    return {name: example(load(name)["spec"]) for name in NETWORKS}


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


def test_every_file_is_tested(shared):
    assert sorted(path.stem for path in (shared / "worked_examples").glob("*.json")) == FILES


def same_arrays(got, expected):
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        if other is not None and one is not None:
            exactly(one, other)


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


@pytest.mark.parametrize("steps", [10_001, pytest.param(60_000, marks=pytest.mark.slow)])
def test_iamtrask_both_networks_to_the_end(load, steps):
    """All 60,000 steps in the slow tests; the quick ones stop behind the second printed error."""
    file = load("iamtrask_11_lines")
    spec, expected = file["spec"], file["computed_float64"]
    x = np.array(spec["X"])
    loss = "half_squared_error_sigmoid"
    eta, ones = spec["learning_rate"], np.ones(4)

    def descend(network, parameters, targets, steps, every=None):
        """Return the parameters, the last forward pass, and his error now and then."""
        rule, errors, decayed = GradientDescent(eta), [], network.layout.penalized()
        parameters = parameters.copy()
        for step in range(steps):
            # shares of 1: the gradient is summed over the rows, reduction="sum"
            trace = trace_step(network, parameters, x, targets, ones)
            if every and step % every == 0:
                errors.append(float(np.abs(targets - trace.a[-1]).mean()))
            rule.step({}, parameters.flat, trace.gradients.flat, eta, decayed)
        return parameters, trace.a[-1], errors

    small = Network([3, 1], loss=loss, bias=False)
    given = small.parameters([[[0.67423821], [-0.33473064], [-0.40469539]]])
    first = backpropagate(small, given, x, spec["T_a"], reduction="sum")
    a_end, a_out, _ = descend(
        small, small.parameters([spec["init_a"]]), np.array(spec["T_a"]), 10000
    )
    large = Network([3, 4, 1], "sigmoid", loss, bias=False)
    b_end, b_out, b_errors = descend(
        large, large.parameters(spec["init_b"]), np.array(spec["T_b"]), steps, every=10000
    )
    exactly(a_end.W[0], expected["a_final"])
    exactly(b_errors, expected["b_errors"][: len(b_errors)])
    if steps < 60_000:
        assert len(b_errors) == 2
        return
    assert_published(file["checks"], {
        "a: Singman part 2, outputs for weights 0.67423821 -0.33473064 -0.40469539": first.a[1],
        "a: outputs (of last forward pass)": a_out,
        "a: weights": a_end.W[0],
        "b: mean abs error every 10 000": b_errors,
        "b: final outputs": b_out,
        "b: final W0": b_end.W[0],
        "b: final W1": b_end.W[1],
    })  # fmt: skip
    exactly(b_end.W[0], expected["b_W0"])
    exactly(b_end.W[1], expected["b_W1"])
    exactly(b_out, expected["b_out"])


def on_logits(loss, logits, targets, **more):
    """Return the trace of a network that passes its logits on unchanged."""
    k = len(logits[0])
    settings = {name: more.pop(name) for name in ("label_smoothing",) if name in more}
    network = Network([k, k], loss=loss, bias=False, **settings)
    return backpropagate(network, network.parameters([np.eye(k)]), logits, targets, **more)


def test_keras_losses(load):
    file = load("keras_losses")
    spec = file["spec"]
    t, weights = spec["y_true"], np.array(spec["sample_weight"])
    log_p, logits = np.log(spec["y_pred"]), spec["logits"]  # softmax(log p) is p over its sum
    p = np.array(spec["bce_pred"])
    # from keras/src/losses/losses_test.py; not in the file
    yes_no = ([[10.0, -10.0, 10.0], [10.0, 10.0, -10.0]], [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])

    def weighted(z, w):  # Keras divides by the batch size
        return on_logits("cross_entropy", z, t, sample_weight=w, reduction="sum").loss / 3

    assert_published(file["checks"], {
        "CCE of unnormalised y_pred (Keras renormalises rows)": (
            on_logits("cross_entropy", log_p, t).loss
        ),
        "CCE logits": on_logits("cross_entropy", logits, t).loss,
        "CCE weight 2.3": weighted(log_p, [2.3] * 3),
        "CCE logits weight 2.3": weighted(logits, [2.3] * 3),
        "CCE sample weights (sum/batch)": weighted(log_p, weights),
        "CCE logits sample weights": weighted(logits, weights),
        "CCE logits per sample": on_logits("cross_entropy", logits, t).loss_per_sample,
        "label smoothing .1, logits [100,-100,-100]": (
            on_logits("cross_entropy", [[100.0, -100.0, -100.0]], [0], label_smoothing=0.1).loss
        ),
        # Keras takes the mean over outputs as well
        "BCE mean": on_logits("binary_cross_entropy", np.log(p / (1 - p)), np.eye(3)).loss / 3,
        "BCE logits": on_logits("binary_cross_entropy", *yes_no).loss / 3,
    })  # fmt: skip
    exact = file["computed_float64"]
    exactly(on_logits("cross_entropy", log_p, t).loss_per_sample, exact["cce"])
    exactly(on_logits("cross_entropy", logits, t).loss_per_sample, exact["cce_logits"])


def test_cs231n(load):
    file = load("cs231n_optimizers_layers")
    exact = file["computed_float64"]
    x = np.linspace(-0.1, 0.5, 240).reshape(2, 120)
    affine = Dense(3).forward(
        {"W": np.linspace(-0.2, 0.3, 360).reshape(120, 3), "b": np.linspace(-0.3, 0.1, 3)}, x
    )
    z = np.linspace(-0.5, 0.5, 12).reshape(3, 4)
    w, dw = np.linspace(-0.4, 0.6, 20), np.linspace(-0.6, 0.4, 20)
    up, down = np.linspace(0.6, 0.9, 20), np.linspace(0.7, 0.5, 20)
    rules = {
        "sgd": (GradientDescent(1e-3), {}),
        "momentum": (Momentum(1e-3, 0.9), {"v": up.copy()}),
        "rmsprop": (RMSProp(1e-2, 0.99, 1e-8), {"s": up.copy()}),
        "adam": (Adam(1e-2, 0.9, 0.999, 1e-8), {"m": up.copy(), "v": down.copy(), "t": 5}),
    }
    after = {}
    for name, (rule, state) in rules.items():
        after[name] = w.copy()
        rule.step(state, after[name], dw, rule.learning_rate, np.ones(20, dtype=bool))
        exactly(after[name], np.ravel(exact[name]))
    exactly(rules["momentum"][1]["v"], np.ravel(exact["velocity"]))
    exactly(rules["rmsprop"][1]["s"], np.ravel(exact["cache"]))
    exactly(rules["adam"][1]["m"], np.ravel(exact["adam_m"]))
    exactly(rules["adam"][1]["v"], np.ravel(exact["adam_v"]))
    assert_published(file["checks"], {
        "affine": affine,
        "relu": ACTIVATIONS["relu"].f(z),
        **{f"{name} next_w": flat for name, flat in after.items()},
    })  # fmt: skip


# ---- the claims files: the format of spec/interface.md

CLAIMS = [
    "generation5_xor_2_2_1", "han_kamber_3_2_1", "hmkcode_linear_2_2_1", "mazur_2015",
    "prakash_jay_relu_sigmoid_softmax_corrected", "prakash_jay_relu_sigmoid_softmax_original",
    "tutorial",
]  # fmt: skip


def test_every_file_of_claims_is_tested(shared):
    folder = shared / "worked_examples" / "claims"
    assert sorted(path.stem for path in folder.glob("*.json")) == CLAIMS


@pytest.fixture(params=CLAIMS)
def claims(request, shared):
    path = shared / "worked_examples" / "claims" / f"{request.param}.json"
    # parse_float keeps the digits a number was written with
    return json.loads(path.read_text(encoding="utf-8"), parse_float=str, parse_int=str)


def numbers(nested):
    if isinstance(nested, list):
        return [numbers(item) for item in nested]
    return None if nested is None else float(nested)


def described(claims):
    layers = claims["layers"]
    bias = "b" in layers[0] and layers[0]["b"] is not None
    network = Network(
        [len(layers[0]["W"]), *(len(layer["W"][0]) for layer in layers)],
        [layer["activation"] for layer in layers[:-1]], claims["loss"], bias,
        l2=float(claims.get("l2", 0)),
    )  # fmt: skip
    return Example(
        network,
        network.parameters(
            [numbers(layer["W"]) for layer in layers],
            [numbers(layer["b"]) for layer in layers] if bias else None,
        ),
        np.array(numbers(claims["x"])), np.array(numbers(claims["targets"])),
        learning_rate=float(claims["learning_rate"]),
        reduction=claims.get("loss_reduction", "mean"),
        train_biases=claims.get("train_biases", True),
    )  # fmt: skip


def look_up(quantity, trace, after, again):
    """Return what the library has under an id such as "dW.2", "W.1.after" or "loss"."""
    name, *rest = quantity.split(".")
    later = rest[-1:] == ["after"]
    run = again if later else trace
    if name == "loss":
        return np.asarray(run.loss)
    layer = int(rest[0]) - 1
    if name in ("W", "b"):
        return getattr(after if later else trace.parameters, name)[layer]
    if name in ("dW", "db"):
        return getattr(run.gradients, name[1])[layer]
    return {"z": run.z, "a": run.a[1:], "delta": run.delta}[name][layer]


def agrees(claim, value):
    """Compare each number at the precision it is written with, one unit of its last place."""
    if isinstance(claim, list):
        assert len(claim) == len(value)
        return all(agrees(c, v) for c, v in zip(claim, value, strict=True))
    if claim is None:
        return True
    unit = 10.0 ** -len(claim.partition(".")[2])
    return abs(float(claim) - float(value)) <= unit * (1 + 1e-9)


def test_every_claim_gets_the_verdict_expected_of_it(claims):
    e = described(claims)
    wrong = {c for c, v in claims["expected"].items() if v["verdict"] == "wrong"}
    found = {
        quantity
        for quantity, claim in claims["claims"].items()
        if not agrees(claim, look_up(quantity, e.trace, e.after, e.again))
    }
    assert found == wrong


def test_a_wrong_claim_is_what_the_named_mistake_gives(claims):
    e = described(claims)
    for quantity, verdict in claims["expected"].items():
        if verdict["verdict"] != "wrong" or verdict["mistake"] not in MISTAKES:
            continue
        mistake = MISTAKES[verdict["mistake"]]
        assert mistake.applies(e.network)
        working = work_step(
            mistake.variants[0], e.network, e.before, e.x, e.targets,
            learning_rate=e.learning_rate, shares=e.trace.shares,
        )  # fmt: skip
        after = e.step(e.before, working.gradients.flat)
        value = look_up(quantity, working, after, e.run(after))
        claim = np.array(numbers(claims["claims"][quantity]))
        # Mazur prints nine digits of an exact number, Prakash Jay four of one rounded on the way
        np.testing.assert_allclose(value, claim, rtol=0, atol=6e-10 if claim.ndim == 0 else 2e-4)


def test_the_tutorials_claims_are_exact_but_for_the_two_numbers_rounded_to_four_places(shared):
    path = shared / "worked_examples" / "claims" / "tutorial.json"
    claims = json.loads(path.read_text(encoding="utf-8"))
    e = described(claims)
    rounded = {"a.2.after", "loss.after"}
    for quantity, claim in claims["claims"].items():
        value = look_up(quantity, e.trace, e.after, e.again)
        exactly(np.round(value, 4) if quantity in rounded else value, claim, 1e-14)


def test_sigmoid_outputs_of_the_examples_are_the_librarys_sigmoid(examples):
    for name in ("mazur_2015", "victorzhou_2_2_1", "negnevitsky_xor_2_2_1"):
        trace = examples[name].trace
        np.testing.assert_array_equal(trace.a[-1], sigmoid(trace.z[-1]))
        assert LOSSES[trace.network.loss_name].output == "sigmoid"


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
