"""What the page shows of a step, in each mode and phase, are the reference's numbers."""

import numpy as np
import pytest

import deltaprop as dp

SOFTMAX = "data=spirals&data-n=60&data-parts=3&layers=8-tanh.8-tanh&batchSize=16&learningRate=0.02"
MODES = ("values", "deltas", "gradients", "updates")
PHASES = {"forward": "values", "loss": "values", "backward": "deltas", "update": "updates"}


def expected(step, mode, s):
    """Return the numbers of neurons, edges and loss, as the reference has them."""
    trace, after = step.trace, step.update.after.parameters
    before, gradients = trace.parameters, trace.gradients
    if mode == "values":
        neurons, edges = [a[s] for a in trace.a], before.W
    elif mode == "deltas":
        neurons = [trace.dx[s], *(delta[s] for delta in trace.delta)]
        edges = [W * delta[s] for W, delta in zip(before.W, trace.delta, strict=True)]
    elif mode == "gradients":
        neurons, edges = [(), *gradients.b], gradients.W
    else:
        neurons = [(), *(new - old for new, old in zip(after.b, before.b, strict=True))]
        edges = [new - old for new, old in zip(after.W, before.W, strict=True)]
    found = {"loss": trace.loss}
    for layer, values in enumerate(neurons):
        found |= {f"n.{layer}.{j}": value for j, value in enumerate(values)}
    for layer, values in enumerate(edges, 1):
        found |= {f"w.{layer}.{i}.{j}": value for (i, j), value in np.ndenumerate(values)}
    return found


def agree(found, wanted):
    """Every number to the last bits: sums may be taken in another order, tanh be another one."""
    assert found.keys() == wanted.keys()
    largest = max(map(abs, wanted.values()))
    for name, number in found.items():
        assert number == pytest.approx(wanted[name], rel=1e-13, abs=1e-16 * largest), name


@pytest.mark.parametrize("rule", [dp.GradientDescent(0.02), dp.Adam(0.02)], ids=lambda r: r.name)
def test_each_mode_shows_the_references_numbers(studio, rule):
    page = studio(f"{SOFTMAX}&optimizer={rule.name}")
    page.step_to(7)
    page.choose("sample", 5)
    page.until(lambda: "w.1.0.0" in page.numbers())
    step = page.reference("tanh", "cross_entropy", rule)
    for mode in MODES:
        page.press(f"mode-{mode}")
        wanted = expected(step, mode, 4)
        page.until(lambda wanted=wanted: page.numbers().keys() == wanted.keys())
        agree(page.numbers(), wanted)


def test_each_phase_shows_its_numbers_and_the_fourth_takes_the_step(studio):
    page = studio(f"{SOFTMAX}&optimizer=gradient_descent")
    page.step_to(2)
    rule = dp.GradientDescent(0.02)
    for round_ in (2, 3):
        for phase, mode in PHASES.items():
            page.press("one phase")
            shown = f".picture.phase-{phase}.of-{mode}"
            page.until(lambda shown=shown: page.browser.find_elements("css selector", shown))
            assert page.text("step") == str(round_ + (phase == "update"))
            step = page.reference("tanh", "cross_entropy", rule)
            agree(page.numbers(), expected(step, mode, 0))


def test_it_walks_one_phase_a_second_until_it_is_stopped(studio):
    page = studio("data=xor&data-n=40&layers=2-tanh")
    page.choose("speed", "phases")
    page.press("play")
    for name in ("forward", "loss", "backward", "update"):
        page.until(lambda name=name: page.text("phase").startswith(name), 10)
        assert page.browser.find_elements("id", "pause")
    assert page.text("step") == "1"
    page.press("pause")
    page.until(lambda: page.browser.find_elements("id", "play"))
    assert page.text("phase").startswith("update")
