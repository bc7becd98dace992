"""The guided tour: walked to its end in both languages, left and resumed, by mouse and by keys."""

import re

import pytest

from deltaprop.explaining.examples import built_in_example
from deltaprop.studio.language import wording
from helpers.in_browser import press, resize, what_keeps_people_out
from helpers.studio_page import Studio

N_STEPS = 18


def click(selector):
    return lambda page: page.browser.execute_script(
        "document.querySelector(arguments[0]).dispatchEvent("
        "new MouseEvent('click', {bubbles: true}))",
        selector,
    )


def press_button(name, times=1):
    def do(page):
        for _ in range(times):
            before = page.text("step"), page.text("phase")
            page.press(name)
            page.until(lambda before=before: (page.text("step"), page.text("phase")) != before)

    return do


STEP = "return JSON.stringify(globalThis.deltapropStep())"


def choose(name, value, and_then=None):
    def do(page):
        before = page.browser.execute_script(STEP)
        page.choose(name, value)
        if and_then:  # as soon as the run has begun anew
            page.until(lambda: page.browser.execute_script(STEP) != before)
            page.until(lambda: page.text("step") == "0")
            and_then(page)

    return do


def play_until(share):
    def do(page):
        page.press("play")
        page.until(lambda: float(page.text("right").split()[0]) >= 100 * share)
        page.press("pause")

    return do


def focused(browser):
    return browser.switch_to.active_element.get_attribute("id")


# what a learner does at the steps that wait
DONE = {
    3: press_button("one phase"),
    4: press_button("one phase"),
    5: press_button("one phase"),
    6: click("[data-neuron='n.1.0']"),
    8: click(".network [data-id='w.2.1.0']"),
    9: press_button("one step"),
    11: press_button("one step", 12),
    12: choose("learning-rate", 0.3, press_button("one step", 3)),
    13: play_until(0.95),
    14: click("[data-neuron='n.2.2']"),
    15: choose("loss-of", "binary_cross_entropy"),
    16: press_button("one epoch", 13),
    17: choose("scheme", "glorot", play_until(0.95)),
}


def at(page, k):
    page.until(lambda: page.text("tour-title").startswith(f"{k}. "))
    return page.browser.find_element("id", "tour-next")


def walked(page, *, by_itself=False):
    """Walk the tour, as a learner does or by itself; return what was said at each step."""
    said = []
    for k in range(1, N_STEPS + 1):
        following = at(page, k)
        if k in DONE:
            page.until(lambda: page.browser.find_elements("id", "tour-show"))
            assert not following.is_enabled(), k
            # its state has been reached when it is told in the picture
            page.until(lambda: page.text("step") in ("0", "1", "30"))
            if by_itself:
                page.press("tour-show")
            else:
                DONE[k](page)
        page.until(lambda: page.browser.find_element("id", "tour-next").is_enabled())
        said.append(page.browser.find_element("css selector", ".tour-said").text)
        page.press("tour-next")
    page.until(lambda: not page.browser.find_elements("css selector", ".tour"))
    return said


@pytest.mark.slow
def test_the_tour_is_walked_to_its_end(studio):
    page = studio("tour")
    said = walked(page)
    words = wording("en")
    for text, key in zip(said, [k for k in words if re.fullmatch(r"tour \w+ title", k)],
                         strict=True):  # fmt: skip
        assert words[key] in text
        assert words[key.removesuffix(" title")] in text


@pytest.mark.slow
def test_in_chinese_every_step_is_done_for_the_learner(browser, page_in_one_file):
    page = Studio(browser, f"{(page_in_one_file / 'zh.html').as_uri()}#tour=1")
    said = walked(page, by_itself=True)
    assert all(re.search("[\u4e00-\u9fff]", text) for text in said)
    assert page.complaints() == []


@pytest.mark.rest
def test_it_is_not_shown_by_itself_and_resumed_where_it_was_left(studio):
    page = studio("data=moons")
    browser = page.browser
    assert not browser.find_elements("css selector", ".tour")
    page.press("tour")
    at(page, 1)
    page.press("tour-next")
    page.press("tour-next")
    at(page, 3)
    address = browser.current_url
    assert address.endswith("tour=3")
    press(browser, "ESCAPE")
    page.until(lambda: not browser.find_elements("css selector", ".tour"))
    assert focused(browser) == "tour"
    assert "tour" not in browser.current_url
    page.press("tour")
    at(page, 3)
    page = studio(address.partition("#")[2])
    at(page, 3)
    page.choose("tour-step", 13)
    at(page, 14)
    page.until(lambda: page.text("step") == "30")


@pytest.mark.slow
def test_the_tour_is_taken_by_keys_alone(studio):
    page = studio("tour")
    browser = page.browser

    def go_to(name):
        for _ in range(60):
            if focused(browser) == name:
                return
            press(browser, "TAB")
        raise AssertionError(f"the keyboard does not come to {name}")

    for k in (1, 2):
        at(page, k)
        page.until(lambda: focused(browser) == "tour-title")
        go_to("tour-next")
        press(browser, "ENTER")
    for k in (3, 4, 5):
        at(page, k)
        page.until(lambda: focused(browser) == "tour-title")
        go_to("tour-there")
        press(browser, "ENTER")
        assert focused(browser) == "one phase"
        press(browser, "ENTER")
        page.until(lambda: browser.find_element("id", "tour-next").is_enabled())
        browser.execute_script("document.getElementById('tour-title').focus()")
        go_to("tour-next")
        press(browser, "ENTER")
    at(page, 6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "width", "theme"), [("en", 1280, "light"), ("zh", 390, "dark")]
)
def test_nothing_keeps_anybody_from_the_tour(
    browser, page_in_one_file, axe, language, width, theme
):
    resize(browser, width, 900)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        for k in (1, 5, 8, 14, 16):
            base = (page_in_one_file / f"{language}.html").as_uri()
            page = Studio(browser, f"{base}#tour={k}", at=30 if k == 14 else 0)
            at(page, k)
            if k in DONE:
                page.press("tour-show")
                page.until(lambda: browser.find_element("id", "tour-next").is_enabled())
            assert what_keeps_people_out(browser, axe) == [], k
            wide = "return document.documentElement.scrollWidth"
            assert browser.execute_script(wide) <= width, k
            assert page.complaints() == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


WHAT = {
    "[data-neuron='n.0.0']", "[data-neuron='n.1.0']", "[data-neuron='n.1.1']",
    "[data-neuron='n.2.0']", ".network [data-id='w.1.0.0']", ".network [data-id='w.1.0.1']",
    ".network [data-id='w.1.1.0']", ".network [data-id='w.1.1.1']", ".network [data-id='w.2.0.0']",
    ".network [data-id='w.2.1.0']", "#ask-loss",
}  # fmt: skip


def test_the_tutorials_example_has_the_numbers_of_the_trace(studio):
    page = studio("tour=2")
    at(page, 2)
    page.press("tour-leave")
    seen = {}
    for place in sorted(WHAT):
        page.browser.execute_script("document.querySelector('#tab-ask').click()")
        click(place)(page)
        page.until(lambda: page.values())
        seen |= page.values()
    steps = {step.id: step.value for step in built_in_example("tutorial").explain().steps}
    for name in ("z.1[0,0]", "z.1[0,1]", "z.2[0,0]", "loss", "delta.2[0,0]", "delta.1[0,0]",
                 "dW.1[1,1]", "dW.2[1,0]", "W.2.after[1,0]", "W.1.after[0,1]"):  # fmt: skip
        assert name in seen
    for name, text in seen.items():
        if name in steps:
            assert float(text) == steps[name], name  # in every bit
    assert not any(name.startswith(("b.", "db.")) for name in seen)
    page.press("one step")
    page.until(lambda: page.text("step") == "1")
    assert page.text("loss") == "0.3388"
