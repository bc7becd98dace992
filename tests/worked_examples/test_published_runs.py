"""Published calculations of many steps, of losses, of optimizers: number by number."""

import numpy as np
import pytest

from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.model.backprop import backpropagate, trace_step
from deltaprop.model.layers import Dense
from deltaprop.model.spec import Network
from deltaprop.training.optimizers import Adam, GradientDescent, Momentum, RMSProp
from helpers.worked_examples import assert_published, exactly


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
