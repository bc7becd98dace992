"""A set is drawn by mouse, by finger and by keys; it stands in the address and is undone."""

import pytest

from helpers.in_browser import press, resize
from helpers.studio_modules import answer_of_modules

KEPT = """
const { MOST_DRAWN, drawnOf, textOfDrawn, rounded } = await of("drawn");
const { pointsOf, classesOf } = await of("sets");
const told = given.drawings.map(([task, points]) => {
  const text = textOfDrawn(task, points);
  return [text, drawnOf(text), points.map((point) => rounded(task, point)), MOST_DRAWN];
});
const wild = given.wild.map((points) => {
  const wish = { name: "drawn", n: 1, noise: 0, seed: 1, parts: 1, points };
  return [pointsOf("drawn", wish), classesOf(wish)];
});
console.log(JSON.stringify({ told, wild }));
"""


def test_a_drawing_is_kept_as_text(rng):
    def drawing(task, n):
        x, y = rng.uniform(-1.3, 1.3, size=(2, n))
        of = rng.integers(6, size=n) if task == "classes" else rng.uniform(-1.2, 1.2, size=n)
        rows = zip(x, y, of, strict=True)
        return [task, [{"x": a, "y": b, "answer": float(t)} for a, b, t in rows]]

    cases = [(task, n) for task in ("classes", "numbers") for n in (0, 1, 50, 700)]
    wild = ["", "x", "c123", "cAAAA", "n____", "c" + "!" * 8, "c" + "____" * 3, "n<b>", "c" * 9]
    found = answer_of_modules(KEPT, drawings=[drawing(*case) for case in cases], wild=wild)
    for (task, n), (text, read, expected, most) in zip(cases, found["told"], strict=True):
        assert read == {"task": task, "points": expected[:most]}
        assert len(text) == 1 + 4 * min(n, most)
        for point in expected:
            assert abs(point["x"]) <= 1.15
            assert abs(point["y"]) <= 1.15
            assert -1 <= point["answer"] <= 5
    for points, classes in found["wild"]:
        assert classes in range(7)
        assert all(0 <= label < classes for label in points.get("labels", ()))


@pytest.fixture(autouse=True)
def on_a_desk(request):
    if "studio" in request.fixturenames:
        browser = request.getfixturevalue("browser")
        resize(browser, 1280, 900)
        yield
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    else:
        yield


def stroke(browser, *places):
    """Press the mouse on the board, and move it on."""
    from selenium.webdriver import ActionChains

    board = browser.find_element("id", "board")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", board)
    actions = ActionChains(browser, duration=50)
    actions.move_to_element_with_offset(board, *places[0]).click_and_hold()
    for place in places[1:]:
        actions.pause(0.1).move_to_element_with_offset(board, *place)
    actions.pause(0.1).release().perform()


def count(page):
    return int(page.text("drawn-count").split()[0])


def begin(studio, address="data=drawn"):
    page = studio("data=moons") if address == "data=drawn" else studio(address)
    if address == "data=drawn":
        page.browser.execute_script("document.querySelector('[data-set=drawn]').click()")
        page.until(lambda: count(page) > 100)  # those of the set before
        page.press("clear-drawn")
        page.until(lambda: not page.browser.find_elements("css selector", ".output"))
    return page


@pytest.mark.slow
def test_a_set_is_drawn_with_the_mouse_and_learnt(studio):
    page = begin(studio)
    browser = page.browser
    stroke(browser, (-80, -70), (80, -70))
    page.until(lambda: page.text("step") == "0")
    first = browser.current_url
    page.press("class-3")
    stroke(browser, (-80, 60), (80, 60))
    both, n = browser.current_url, count(page)
    assert n >= 6
    page.until(lambda: len(browser.find_elements("css selector", "[data-neuron^='n.3.']")) == 3)
    page.press("play")
    page.until(lambda: page.text("right") == "100.0 %")
    page.press("pause")
    page.press("undo")
    page.until(lambda: browser.current_url == first)
    page.press("redo")
    page.until(lambda: browser.current_url == both)
    page.press("tool-erase")
    stroke(browser, (-80, 60), (-40, 60), (0, 60), (40, 60), (80, 60))
    page.until(lambda: 0 < count(page) < n)
    again = studio(both.partition("#")[2])
    assert count(again) == n


def test_a_set_is_drawn_with_a_finger(studio):
    page = begin(studio)
    board = page.browser.find_element("id", "board")
    page.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", board)
    box = page.browser.execute_script("return arguments[0].getBoundingClientRect().toJSON()", board)
    x, y = box["x"] + box["width"] / 4, box["y"] + box["height"] / 4
    touch = "Input.dispatchTouchEvent"
    down = {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}
    page.browser.execute_cdp_cmd(touch, down)
    page.browser.execute_cdp_cmd(touch, {"type": "touchEnd", "touchPoints": []})
    page.until(lambda: count(page) >= 1)
    assert "data-points=c" in page.browser.current_url


def test_a_set_is_drawn_with_keys_alone(studio):
    page = begin(studio)
    browser = page.browser
    browser.execute_script("document.getElementById('board').focus()")
    press(browser, "ARROW_RIGHT", "ARROW_UP", "SPACE")
    browser.switch_to.active_element.send_keys("2")
    press(browser, "ARROW_LEFT", "ARROW_LEFT", "ARROW_LEFT", "SPACE")
    page.until(lambda: count(page) == 2)
    page.until(lambda: page.text("step") == "0")
    shown = "#board path[d^='M']:not(.axes):not(.cursor)"
    assert len(browser.find_elements("css selector", shown)) == 2
    assert "-0.1, 0.05" in page.text("drawn-count")
    press(browser, "DELETE")
    page.until(lambda: count(page) == 1)
    assert not browser.find_elements("id", "pause")  # Space did not play


@pytest.mark.rest
def test_numbers_are_drawn_too(studio):
    page = begin(studio)
    page.press("draw-numbers")
    stroke(page.browser, (-60, 0))
    page.choose("draw-number", -1)
    stroke(page.browser, (60, 0))
    page.until(lambda: "data-points=n" in page.browser.current_url and count(page) >= 2)
    page.until(lambda: page.text("right") == "–" and page.text("step") == "0")
    page.press("play")
    page.until(lambda: float(page.text("loss")) < 0.01)


@pytest.mark.rest
@pytest.mark.parametrize("more", [0, 100])
def test_how_many_can_be_drawn_is_said(studio, more):
    page = begin(studio, f"data=drawn&data-points=c{'gAgA' * (600 + more)}")
    assert "600" in page.text("drawn-count")
    stroke(page.browser, (0, 0))
    assert "600" in page.text("drawn-count")
    page.press("clear-drawn")
    page.until(lambda: not page.text("drawn-count").count("600"))


@pytest.mark.rest
@pytest.mark.parametrize("address", ["data=penguins", "data=tutorial"])
def test_of_a_set_that_has_no_plane_the_board_begins_empty(studio, address):
    page = studio(address)
    page.browser.execute_script("document.querySelector('[data-set=drawn]').click()")
    page.until(lambda: page.browser.find_elements("id", "board"))
    assert not page.text("drawn-count").strip()[0].isdigit()
    stroke(page.browser, (0, 0))
    page.until(lambda: count(page) >= 1)
    page.until(lambda: page.text("step") == "0" and page.text("loss"))
