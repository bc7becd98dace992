"""A page in another convention works itself out again as `explain` writes those numbers there."""

import numpy as np
import pytest

from deltaprop.checking.conventions import CONVENTIONS
from deltaprop.explaining import built_in_example, worked_example
from deltaprop.functional.losses import LOSSES
from helpers.conventions import example
from helpers.live_pages import changed, differences, judge, with_numbers, worst_value

CHANGES = {"W.1[0,0]": 0.7, "b.2[0]": 1e-3, "learning_rate": 2.0, "x[0,1]": -2.5, "l2": 0.5}
ULPS = 1e-11  # relative: softmax of far logits leaves few digits to some


def explained(conventions, loss="half_squared_error", **others):
    data = example(
        loss, **{"l2": 0.25, "optimizer": {"name": "momentum", "momentum": 0.5}, **others}
    )
    return worked_example(data).explain(conventions)


def judge_in(page, step, changes, **style):
    browser = page(step, **style)
    assert differences(browser, step, **style)[0] == {}
    judge(browser, step, changes, ulps=ULPS, **style)


@pytest.mark.parametrize("name", [choice.name for choice in CONVENTIONS])
@pytest.mark.slow
def test_every_convention(page, name):
    loss = "cross_entropy" if name.startswith("logarithm") else "half_squared_error"
    loss = "huber" if name == "loss: mean_over_outputs" else loss
    reduction = "sum" if name == "samples: mean" else "mean"
    step = explained(name, loss, loss_reduction=reduction)
    assert step.written.conventions.names == (name,)
    judge_in(page, step, CHANGES)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_sets_of_conventions(page, seed):
    rng = np.random.default_rng(seed)
    chosen = {}
    for choice in rng.permutation(np.array(CONVENTIONS, dtype=object))[:5]:
        chosen[choice.about] = choice.choice
    rule = ["gradient_descent", {"name": "momentum", "momentum": 0.5}, "adam", "muon"][seed % 4]
    step = explained(
        chosen, sorted(LOSSES)[seed % len(LOSSES)],
        activation=["identity", "relu", "sigmoid", "softplus"][int(rng.integers(4))],
        n=int(rng.integers(1, 4)), optimizer=rule, l1=0.125 * int(rng.integers(2)),
        loss_reduction=["mean", "sum"][int(rng.integers(2))],
    )  # fmt: skip
    judge_in(page, step, CHANGES, notation=["standard", "tutorial"][seed % 2])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["t_minus_y", "columns"])
def test_what_is_absent_is_in_no_convention(page, name):
    data = example(l2=0.25)
    data["layers"][0]["b"] = [0.1, None, 0.3]
    changes = {**CHANGES, "b.1[2]": -1.0}
    judge_in(page, worked_example(data).explain(name), changes)


@pytest.mark.rest
def test_a_step_is_taken_in_the_convention(page):
    step = built_in_example("tutorial").explain(["squared-error", "t-minus-y"])
    browser = page(step)
    browser.find_element("css selector", "button.take-step").click()
    said = browser.find_element("css selector", "#changes .said").text
    assert f"The loss is {step.update.after.loss:.6g}" in said
    again = with_numbers(step, {
        f"W.{k + 1}[{i},{j}]": w
        for k, W in enumerate(step.update.after.parameters.W) for (i, j), w in np.ndenumerate(W)
    })  # fmt: skip
    odd, values = differences(browser, again)
    assert odd == {}
    assert worst_value(again, values)[0] < ULPS
    changed(browser, {"targets[0,0]": 3.0})
    loss = with_numbers(step, {"targets[0,0]": 3.0}).shown.loss
    assert loss == pytest.approx((5.05 - 3) ** 2)
    said = browser.find_element("css selector", "#changes .said").text
    assert f"The loss is {loss:.6g}" in said
