"""What the page shows of a step, in each mode and phase, are the reference's numbers."""

import json
import re

import numpy as np
import pytest

import deltaprop as dp
from helpers.studio_page import PHASES, expected

SOFTMAX = "data=spirals&data-n=60&data-parts=3&layers=8-tanh.8-tanh&batchSize=16&learningRate=0.02"
MODES = ("values", "deltas", "gradients", "updates")


def agree(page, wanted):
    """All 17 digits from the server; the page's own kernels take sums in another order."""
    found = page.numbers()
    assert found.keys() == wanted.keys()
    if page.is_served:
        assert found == wanted
    largest = max(map(abs, wanted.values()))
    for name, number in found.items():
        assert number == pytest.approx(wanted[name], rel=1e-13, abs=1e-16 * largest), name


@pytest.mark.rest
@pytest.mark.parametrize("rule", [dp.GradientDescent(0.02), dp.Adam(0.02)], ids=lambda r: r.name)
def test_each_mode_shows_the_references_numbers(studio, rule):
    page = studio(f"{SOFTMAX}&optimizer={rule.name}")
    page.step_to(7)
    page.settle()
    page.choose("sample", 5)
    page.until(lambda: "w.1.0.0" in page.numbers())
    step = page.reference("tanh", "cross_entropy", rule)
    for mode in MODES:
        page.press(f"mode-{mode}")
        wanted = expected(step, mode, 4)
        page.until(lambda wanted=wanted: page.numbers().keys() == wanted.keys())
        agree(page, wanted)


@pytest.mark.rest
def test_each_phase_shows_its_numbers_and_the_fourth_takes_the_step(studio):
    page = studio(f"{SOFTMAX}&optimizer=gradient_descent")
    page.step_to(2)
    page.settle()
    rule = dp.GradientDescent(0.02)
    for round_ in (2, 3):
        for phase, mode in PHASES.items():
            page.press("one phase")
            shown = f".picture.phase-{phase}.of-{mode}"
            page.until(lambda shown=shown: page.browser.find_elements("css selector", shown))
            assert page.text("step") == str(round_ + (phase == "update"))
            step = page.reference("tanh", "cross_entropy", rule)
            agree(page, expected(step, mode, 0))


@pytest.mark.slow
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


def tables(page):
    return page.browser.execute_script(
        "return Array.from(document.querySelectorAll('.confusion'), (table) =>"
        "Array.from(table.querySelectorAll('tbody tr'), (row) =>"
        "Array.from(row.querySelectorAll('td'), (cell) => Number(cell.textContent))))"
    )


@pytest.mark.rest
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_the_confusion_of_the_points_is_numpys(studio, loss):
    # the batch is all there is to learn from, so that the step has all points
    page = studio(f"data=spirals&data-n=60&layers=4-tanh&batchSize=2000&held=0.3&loss={loss}")
    page.step_to(4)
    page.settle()
    page.press_first("#judged summary")
    page.until(lambda: len(tables(page)) == 2)
    trace = page.reference("tanh", loss, dp.Adam(0.02)).trace
    counts = np.zeros((3, 3), int)
    np.add.at(counts, (trace.targets.argmax(axis=1), trace.a[-1].argmax(axis=1)), 1)
    training, held = tables(page)
    assert training == counts.tolist()
    assert np.sum(held) == 18
    page.press("one step")  # it follows
    trace = None
    page.until(lambda: page.text("step") == "5")
    page.until(lambda: page.reference("tanh", loss, dp.Adam(0.02)).update.state["t"] == 5)
    trace = page.reference("tanh", loss, dp.Adam(0.02)).trace
    right = np.sum(trace.targets.argmax(axis=1) == trace.a[-1].argmax(axis=1))
    page.until(lambda: np.trace(tables(page)[0]) == right)


def test_numbers_stand_beside_what_they_should_be(studio):
    page = studio("data=waves&data-n=40&layers=3-tanh&batchSize=2000&held=0.25")
    page.press_first("#judged summary")
    page.until(lambda: page.browser.find_elements("css selector", ".beside .of-held"))
    path = page.browser.find_element("css selector", ".beside .of-training").get_attribute("d")
    places = np.array([dot.split("a")[0].split() for dot in path.split("M")[1:]], float)
    trace = page.reference("tanh", "half_squared_error", dp.Adam(0.02)).trace
    for place, said in ((places[:, 0], trace.targets[:, 0]), (-places[:, 1], trace.a[-1][:, 0])):
        # the batch comes in an order of its own, and the picture has a scale and a margin
        drawn, said = np.sort(place), np.sort(said)
        scale = np.ptp(drawn) / np.ptp(said)
        assert drawn - drawn[0] == pytest.approx(scale * (said - said[0]), abs=0.11)


def rms(values):
    return np.sqrt(np.mean(np.square(values)))


def test_gain_and_attenuation_are_numpys(studio):
    page = studio("data=spirals&layers=4-relu.5-sigmoid.3-identity&scheme=he&learningRate=0.02")
    page.step_to(3)
    page.settle()
    page.press("tab-flow")
    rule = dp.Adam(0.02)
    page.until(lambda: page.browser.find_elements("css selector", ".flow tfoot td[data-number]"))
    step = page.reference(["relu", "sigmoid", "identity"], "cross_entropy", rule)
    trace, after = step.trace, step.update.after.parameters.W
    deltas = [trace.dx, *trace.delta]
    wanted = {"forward": [], "backward": [], "update": []}
    for layer in range(1, 5):
        wanted["forward"].append(rms(trace.a[layer]) / rms(trace.a[layer - 1]))
        wanted["backward"].append(rms(deltas[layer - 1]) / rms(deltas[layer]))
        before = trace.parameters.W[layer - 1]
        wanted["update"].append(rms(after[layer - 1] - before) / rms(before))
    wanted["forward"].append(rms(trace.a[-1]) / rms(trace.a[0]))
    wanted["backward"].append(rms(deltas[1]) / rms(deltas[-1]))
    old, new = (
        np.concatenate([np.ravel(W) for W in every]) for every in (trace.parameters.W, after)
    )
    wanted["update"].append(rms(new - old) / rms(old))
    for kind, numbers in wanted.items():
        cells = page.browser.find_elements("css selector", f".flow td[data-kind={kind}]")
        texts = [cell.get_attribute("data-number") for cell in cells]
        found = [float(text) for text in texts if text is not None]
        assert found == pytest.approx(numbers, rel=1e-11), kind
    # what is told of the way back: the weights' gain times the slopes' attenuation
    small = page.browser.find_element("css selector", ".flow tbody tr:nth-child(3) small").text
    gain, slope = (float(part) for part in re.findall(r"[\d.]+(?:e-?\d+)?", small))
    assert gain * slope == pytest.approx(wanted["backward"][2], rel=0.01)


RULES = (dp.GradientDescent(0.1), dp.Momentum(0.1), dp.Adam(0.1), dp.AdamW(0.1), dp.Lion(0.1))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.slow
def test_the_curve_along_the_step_is_the_references_loss(studio, rule):
    page = studio(
        f"data=moons&data-n=40&layers=3-tanh&batchSize=8&learningRate=0.1&optimizer={rule.name}"
    )
    page.step_to(3)
    page.settle()
    page.press("tab-slope")
    now = ".along-told .now td[data-number]"

    def is_of_now():
        told = page.browser.find_element("css selector", now).get_attribute("data-number")
        return float(told) == page.numbers()["loss"]

    page.until(is_of_now)
    step = page.reference("tanh", "cross_entropy", rule)
    trace = step.trace

    def loss_at(flat):
        parameters = dp.Parameters(trace.network.layout, flat)
        return dp.backpropagate(trace.network, parameters, trace.a[0], trace.targets).loss

    before, after = trace.parameters.flat, step.update.after.parameters.flat
    plot = page.browser.find_element("css selector", ".along-plot")
    points = [(float(x), float(y)) for x, y in json.loads(plot.get_attribute("data-points"))]
    etas = np.array([eta for eta, _ in points])
    assert etas == pytest.approx(np.linspace(-0.1, 0.4, 51))
    wanted = [loss_at(before + eta / 0.1 * (after - before)) for eta in etas]
    assert [loss for _, loss in points] == pytest.approx(wanted, rel=1e-12)
    if rule.name == "gradient_descent":
        away = [loss_at(before - eta * trace.gradients.flat) for eta in etas]
        assert [loss for _, loss in points] == pytest.approx(away, rel=1e-12)
    cells = page.browser.find_elements("css selector", ".along-told td[data-number]")
    now, promised, then = (float(cell.get_attribute("data-number")) for cell in cells)
    assert now == pytest.approx(trace.loss, rel=1e-13)
    assert promised - now == pytest.approx(trace.gradients.flat @ (after - before), rel=1e-10)
    assert then == pytest.approx(step.update.after.loss, rel=1e-13)


@pytest.mark.rest
def test_the_learning_rate_moves_the_point_and_holds_from_there_on(studio):
    page = studio("data=moons&data-n=40&layers=3-tanh&batchSize=8&optimizer=gradient_descent")
    page.step_to(5)
    page.press("tab-slope")
    page.until(lambda: page.browser.find_elements("css selector", ".along-plot"))
    rates = "return document.getElementById('learning-rate').value"
    page.choose("eta", 0.06, "input")
    page.until(lambda: page.browser.execute_script(rates) == "0.06")
    wanted = page.reference("tanh", "cross_entropy", dp.GradientDescent(0.06)).update.after.loss
    after = ".along-told .after td[data-number]"

    def shown():
        return float(page.browser.find_element("css selector", after).get_attribute("data-number"))

    page.until(lambda: shown() == pytest.approx(wanted, rel=1e-12))
    assert page.text("step") == "5"  # it goes on, and does not begin anew
    page.step_to(7)
    seven = page.run_numbers()["parameters"]
    page.press("back to start")
    page.until(lambda: page.text("step") == "0")
    page.until(lambda: page.browser.execute_script(rates) == "0.02")
    page.step_to(5)
    page.until(lambda: page.browser.execute_script(rates) == "0.06")
    page.step_to(7)
    assert page.run_numbers()["parameters"] == seven
    page.choose("learning-rate", 0.02)
    page.until(lambda: page.browser.execute_script(rates) == "0.02")
    assert page.text("step") == "7"


def test_before_and_after_stand_side_by_side(studio):
    page = studio(f"{SOFTMAX}&optimizer=momentum&held=0")
    page.step_to(4)
    page.settle()
    page.choose("sample", 3)
    page.press("tab-sides")
    page.until(lambda: page.browser.find_elements("css selector", ".sides .both"))
    page.browser.execute_script(
        "for (const each of document.querySelectorAll('.sides details')) each.open = true"
    )
    step = page.reference("tanh", "cross_entropy", dp.Momentum(0.02))
    rows = page.browser.execute_script(
        "return Object.fromEntries(Array.from(document.querySelectorAll('.parameters tbody tr'),"
        "(row) => [row.dataset.edge, Array.from(row.querySelectorAll('td'),"
        "(cell) => Number(cell.dataset.number))]))"
    )
    ends = page.browser.execute_script(
        "return Array.from(document.querySelectorAll('.both tbody td[data-number]'),"
        "(cell) => Number(cell.dataset.number))"
    )
    before, after = step.trace, step.update.after
    assert len(rows) == before.network.n_parameters
    for layer in range(3):
        for kind in ("W", "b"):
            old, new, gradient = (
                getattr(own, kind)[layer]
                for own in (before.parameters, after.parameters, before.gradients)
            )
            for at, w in np.ndenumerate(old):
                name = "w" if kind == "W" else "n"
                found = rows[".".join(map(str, (name, layer + 1, *at)))]
                wanted = [w, gradient[at], new[at] - w, new[at]]
                assert found == pytest.approx(wanted, rel=1e-12, abs=1e-15)
    assert ends[:2] == pytest.approx([before.loss, after.loss], rel=1e-13)
    outputs = np.column_stack([before.a[-1][2], after.a[-1][2]]).ravel()
    assert ends[2:] == pytest.approx(outputs, rel=1e-12)
    page.press_first(".parameters [data-edge='w.2.1.3'] button")
    page.until(lambda: page.browser.find_elements("css selector", ".edge.asked[data-id='w.2.1.3']"))
