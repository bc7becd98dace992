"""What is changed by hand in the page: by typing, dragging and keys; gone back beyond."""

import re

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining.examples import built_in_example
from helpers.in_browser import press
from helpers.studio_page import PHASES, Studio, expected

SMALL = (
    "data=moons&data-n=40&layers=3-tanh.2-sigmoid&batchSize=4&optimizer=momentum&learningRate=0.1"
)
TUTORIAL = (
    "data=plane&data-n=10&held=0&layers=2-identity&batchSize=1&optimizer=gradient_descent"
    "&learningRate=0.1&loss=half_squared_error"
)


def outcome(page):
    text = page.browser.find_element("css selector", ".promise").text
    return [float(n) for n in re.findall(r"-?\d[\d.]*(?:e-?\d+)?(?=[; ]|\.$)", text)]


def made_by_hand(studio):
    page = studio(TUTORIAL)
    for what, value in {
        "[data-neuron='n.0.0']": 1, "[data-neuron='n.0.1']": 0.5, ".edge[data-id='w.1.0.0']": 0.5,
        ".edge[data-id='w.1.0.1']": 2.3, ".edge[data-id='w.1.1.0']": 1.5,
        ".edge[data-id='w.1.1.1']": 3, ".edge[data-id='w.2.0.0']": 1, ".edge[data-id='w.2.1.0']": 1,
    }.items():  # fmt: skip
        page.turn(what, value)
    page.ask("#ask-loss")
    page.turn(".line [data-id='targets[0,0]']", 4)
    return page


def as_a_set(studio):
    page = studio()
    page.press_first("[data-set='tutorial']")
    page.until(lambda: len(page.numbers()) == 12)  # 5 neurons, 6 edges, the loss
    return page


@pytest.mark.slow
@pytest.mark.parametrize("made", [made_by_hand, as_a_set])
def test_every_phase_of_the_tutorials_example_has_its_numbers(studio, made):
    page = made(studio)
    claims = built_in_example("tutorial").claims
    for phase, mode in PHASES.items():
        page.press("one phase")
        shown = f".picture.phase-{phase}.of-{mode}"
        page.until(lambda shown=shown: page.browser.find_elements("css selector", shown))
        step = page.reference("identity", "half_squared_error", dp.GradientDescent(0.1))
        found = page.numbers()
        assert found == expected(step, mode, 0)  # in all digits
        if mode == "values":
            for layer in (1, 2):
                own = [found[f"n.{layer}.{j}"] for j in range(len(claims[f"a.{layer}"][0]))]
                assert own == pytest.approx(list(map(float, claims[f"a.{layer}"][0])))
        if mode == "deltas":
            assert found["n.2.0"] == pytest.approx(float(claims["delta.2"][0][0]))
        assert found["loss"] == pytest.approx(float(claims["loss"]))
    after = step.update.after.parameters
    for layer in (1, 2):
        assert after.W[layer - 1] == pytest.approx(np.array(claims[f"W.{layer}.after"], float))


@pytest.mark.rest
@pytest.mark.parametrize(
    ("what", "by", "close"),
    [(".edge[data-id='w.2.0.1']", 1e-4, 1e-2), ("[data-neuron='n.1.2']", -1e-4, 1e-2),
     ("[data-neuron='n.0.1']", 1e-4, 1e-2)],
)  # fmt: skip
def test_of_a_small_turn_the_promise_is_kept(studio, what, by, close):
    page = studio(SMALL)
    page.step_to(2)
    page.settle()
    loss = page.numbers()["loss"]
    page.ask(what)
    now = float(page.browser.execute_script("return document.getElementById('weight').value"))
    page.turn(what, now + by)
    page.until(lambda: page.numbers()["loss"] != loss)
    page.until(lambda: len(outcome(page)) == 2)
    promised, done = outcome(page)
    assert done == pytest.approx(promised, rel=close)
    assert done == pytest.approx(page.numbers()["loss"] - loss, rel=1e-2)


def test_of_the_learning_rate_the_step_is_told(studio):
    page = studio(SMALL)
    page.step_to(2)
    page.settle()
    page.turn("#ask-loss", 0.001)
    page.until(lambda: len(outcome(page)) == 2)
    promised, done = outcome(page)
    step = page.reference(["tanh", "sigmoid"], "cross_entropy", dp.Momentum(0.001))
    assert done == pytest.approx(step.update.after.loss - step.trace.loss, rel=1e-3)
    moved = step.update.after.parameters.flat - step.trace.parameters.flat
    assert promised == pytest.approx(step.trace.gradients.flat @ moved, rel=1e-3)


@pytest.mark.rest
def test_another_input_is_the_rows_from_there_on_and_not_before(studio):
    page = studio(SMALL)
    page.step_to(3)
    page.settle()
    before = page.run_numbers()
    given = "return globalThis.deltapropStep().x[0]"
    first = page.browser.execute_script(given)
    page.turn("[data-neuron='n.0.0']", 0.75)
    assert page.browser.execute_script(given) == [0.75, first[1]]
    now = page.run_numbers()
    assert now["parameters"] == before["parameters"]
    assert now["outputs"] != before["outputs"]
    page.step_to(12)
    page.settle()
    last = page.run_numbers()
    page.press("back to start")
    page.until(lambda: page.text("step") == "0")
    page.step_to(12)
    assert page.run_numbers() == last
    page.press("back to start")
    page.until(lambda: page.text("step") == "0")
    page.step_to(2)
    page.press("one step")
    page.until(lambda: page.text("step") == "3")
    page.settle()
    assert page.browser.execute_script(given) == [0.75, first[1]]


@pytest.mark.slow
def test_both_doors_go_on_alike_from_what_was_changed(browser, page_in_one_file, served):
    found = []
    for base in ((page_in_one_file / "en.html").as_uri(), served):
        page = Studio(browser, f"{base}#{SMALL}")
        page.step_to(3)
        page.settle()
        page.turn("[data-neuron='n.0.1']", -0.25)
        page.turn("[data-neuron='n.1.0']", 0.125)
        page.turn("#ask-loss", 0.05)
        page.step_to(20)
        found.append(page.run_numbers())
    for name in ("parameters", "outputs"):
        np.testing.assert_allclose(found[0][name], found[1][name], rtol=1e-10, atol=1e-13)


@pytest.mark.rest
def test_an_edge_is_dragged_and_a_neuron_turned_by_the_arrows(studio):
    from selenium.webdriver.common.action_chains import ActionChains

    page = studio("data=xor&data-n=40&layers=2-tanh&batchSize=4")
    browser = page.browser
    page.settle()
    loss = page.numbers()["loss"]
    weight = page.numbers()["w.1.0.0"]
    edge = ".edge[data-id='w.1.0.0']"
    place = browser.execute_script(
        "const e = document.querySelector(arguments[0]);"
        "e.scrollIntoView({ block: 'center' });"
        "const p = e.getPointAtLength(0.1 * e.getTotalLength());"
        "const b = e.ownerSVGElement.getBoundingClientRect(); return [b.x + p.x, b.y + p.y]",
        edge,
    )
    hand = ActionChains(browser, duration=50)
    hand.w3c_actions.pointer_action.move_to_location(*map(round, place))
    hand.w3c_actions.pointer_action.pointer_down()
    for by in (10, 20, 30):
        hand.w3c_actions.pointer_action.move_to_location(round(place[0]), round(place[1]) - by)
    hand.w3c_actions.pointer_action.pointer_up()
    hand.perform()
    wanted = float(f"{weight + 0.3 * max(abs(weight), 0.5):.5g}")
    page.until(lambda: page.numbers()["w.1.0.0"] == wanted)
    page.until(lambda: len(outcome(page)) == 2)
    assert outcome(page)[1] == pytest.approx(page.numbers()["loss"] - loss, rel=1e-2)
    # by keys: from a neuron along an edge to another one, and up
    page.browser.execute_script("document.querySelector(\"[data-neuron='n.2.1']\").focus()")
    focus = "return document.activeElement.dataset.neuron ?? document.activeElement.dataset.id"
    for key, where in (
        ("ARROW_LEFT", "w.2.0.1"), ("PAGE_DOWN", "w.2.1.1"), ("ARROW_LEFT", "n.1.1"),
    ):  # fmt: skip
        press(browser, key)
        page.until(lambda where=where: browser.execute_script(focus) == where)
    press(browser, "ARROW_UP")
    read = "return document.getElementById('weight')?.value"
    page.until(lambda: browser.execute_script(read) == "0.005")
    press(browser, "ARROW_DOWN")
    page.until(lambda: browser.execute_script(read) == "0")


def test_the_samples_point_is_dragged_over_the_plane(studio):
    from selenium.webdriver.common.action_chains import ActionChains

    page = studio("data=xor&data-n=40&layers=2-tanh&batchSize=4")
    page.settle()
    given = "return globalThis.deltapropStep().x"
    before = page.browser.execute_script(given)
    ring = page.browser.find_element("css selector", ".sampled")
    page.browser.execute_script("arguments[0].scrollIntoView({ block: 'center' })", ring)
    wide = page.browser.find_element("css selector", ".plane").size["width"]
    by = -30 if before[0][0] > 0 else 30
    ActionChains(page.browser).drag_and_drop_by_offset(ring, by, 0).perform()
    wanted = before[0][0] + by * 2 * 1.15 / wide
    page.until(lambda: abs(page.browser.execute_script(given)[0][0] - wanted) < 0.03)
    page.settle()
    after = page.browser.execute_script(given)
    assert after[0][1] == pytest.approx(before[0][1], abs=0.03)
    assert after[1:] == before[1:]


def lit(page, kind):
    return set(
        page.browser.execute_script(
            "return Array.from(document.querySelectorAll(`.picture .${arguments[0]}`),"
            "(e) => e.dataset.neuron ?? e.dataset.id)",
            kind,
        )
    )


@pytest.mark.rest
def test_what_a_number_is_made_of_is_lit_and_points_both_ways(studio):
    from selenium.webdriver.common.action_chains import ActionChains

    page = studio("data=moons&data-n=40&layers=3-tanh.2-tanh&batchSize=4")
    page.settle()
    page.ask("[data-neuron='n.2.1']")
    direct = {f"w.2.{i}.1" for i in range(3)} | {f"n.1.{i}" for i in range(3)}
    page.until(lambda: lit(page, "direct") == direct)
    further = {f"w.1.{i}.{j}" for i in range(2) for j in range(3)} | {"n.0.0", "n.0.1"}
    assert lit(page, "further") == further
    page.press("mode-deltas")
    page.until(lambda: {"w.3.1.0", "w.3.1.1", "n.3.0", "n.3.1"} <= lit(page, "direct"))
    assert "w.2.0.1" not in lit(page, "direct")
    # from a number of the equation to the picture, and the other way round
    page.press("mode-values")
    hand = ActionChains(page.browser)
    operand = "li[data-id='z.2[0,1]'] .symbols [data-id='W.2[2,1]']"
    place = page.browser.find_element("css selector", operand)
    page.browser.execute_script("arguments[0].scrollIntoView({ block: 'center' })", place)
    hand.move_to_element(place).perform()
    page.until(lambda: lit(page, "pointed") == {"w.2.2.1"})
    hand.move_to_element(page.browser.find_element("css selector", "[data-neuron='n.1.0']"))
    hand.perform()
    seen = "li[data-id='z.2[0,1]'] .symbols [data-id='a.1[0,0]'].lit"
    page.until(lambda: page.browser.find_elements("css selector", seen))
    # by keys alone: along the numbers of a line
    page.browser.execute_script("document.querySelector(\"li[data-id='z.2[0,1]']\").focus()")
    for where in ("n.1.0", "w.2.0.1", "n.1.1"):
        press(page.browser, "ARROW_RIGHT")
        page.until(lambda where=where: lit(page, "pointed") == {where})
    # a weight of the equation is the weight of the picture
    page.ask(operand)
    page.until(lambda: lit(page, "asked") == {"w.2.2.1"})
