"""The page in a real browser: stepping, clicking through and back, offline, without errors."""

from itertools import pairwise

import pytest

from helpers.in_browser import current, go, in_view, operand, passed_by, press, resize

WIDTHS = [(1280, 900), (390, 844)]


@pytest.mark.parametrize(("width", "height"), WIDTHS)
class TestAtAnyWidth:
    @pytest.mark.rest
    def test_from_a_gradient_to_the_loss_by_clicks_and_back(self, page, tutorial, width, height):
        browser = page(tutorial, width=width, height=height)
        way = ["dW.1[0,0]", "delta.1[0,0]", "delta.2[0,0]", "z.2[0,0]", "loss[0]"]
        start = browser.find_element("css selector", 'li[id="dW.1[0,0]"] .result')
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", start)
        start.click()
        assert current(browser) == way[0]
        for here, there in pairwise(way[:4]):
            operand(browser, here, there).click()
            assert current(browser) == there
            line = browser.find_element("css selector", f'li[id="{there}"] .result')
            assert in_view(browser, line), there
        go(browser, "loss[0]")  # where z goes to
        assert current(browser) == "loss[0]"
        crumbs = browser.find_elements("css selector", ".trail li")
        assert len(crumbs) == 5
        for name in reversed(way[1:4]):
            browser.find_element("css selector", '[data-go="back"]').click()
            assert current(browser) == name
        press(browser, "BACKSPACE")
        assert current(browser) == way[0]
        assert not browser.find_element("css selector", '[data-go="back"]').is_enabled()

    @pytest.mark.rest
    def test_a_crumb_goes_back_to_where_it_says(self, page, tutorial, width, height):
        browser = page(tutorial, width=width, height=height)
        for name in ("a.1[0,0]", "z.2[0,0]", "loss[0]"):
            go(browser, name)
        browser.find_element("css selector", '.trail [data-line="a.1[0,0]"]').click()
        assert current(browser) == "a.1[0,0]"
        assert len(browser.find_elements("css selector", ".trail li")) == 2

    @pytest.mark.rest
    def test_to_the_end_and_back_by_keyboard(self, page, tutorial, width, height):
        browser = page(tutorial, width=width, height=height)
        ids = [step.id for step in tutorial.steps]
        assert current(browser) == ids[0]
        there = passed_by(browser, lambda: press(browser, *["ARROW_RIGHT"] * (len(ids) - 1)))
        assert there == [[name, name] for name in ids[1:]]
        press(browser, "ARROW_RIGHT")
        assert current(browser) == ids[-1]
        back = passed_by(browser, lambda: press(browser, *["ARROW_LEFT"] * (len(ids) - 1)))
        assert [name for name, _ in back] == ids[-2::-1]
        press(browser, "END")
        assert current(browser) == ids[-1]
        press(browser, "HOME", "ARROW_DOWN", "ARROW_UP", "ARROW_DOWN")
        assert current(browser) == ids[1]

    @pytest.mark.rest
    def test_all_numbers_are_there_without_a_script(self, page, tutorial, width, height):
        browser = page(tutorial, width=width, height=height, script=False)
        text = browser.find_element("css selector", "body").text
        for number in ("0.55125", "2.9475", "0.338802", "−2.0399"):
            assert number in text
        assert not browser.find_element("css selector", "#inspector").is_displayed()


@pytest.mark.parametrize("name", ["tutorial", "iris", "deep", "digit", "beside"])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.slow
def test_nothing_is_wider_than_its_place(request, page, name, language):
    browser = page(request.getfixturevalue(name), language=language)
    for width, height in WIDTHS:
        resize(browser, width, height)
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width
        cut = browser.execute_script(
            "return Array.from(document.querySelectorAll('.parts > *, header *, p, h2, h3'))"
            ".filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1)"
            ".filter((e) => !e.closest('nav') && e.namespaceURI.endsWith('xhtml'))"
            ".map((e) => (e.closest('li.line') || e).id + e.textContent)"
        )
        assert cut == []


def test_the_operands_of_a_line_light_up_in_the_picture(page, tutorial):
    browser = page(tutorial)
    for _ in range(4):
        press(browser, "ARROW_RIGHT")
    assert current(browser) == "z.2[0,0]"
    lit = browser.find_elements("css selector", ".network .lit")
    names = {element.get_attribute("data-id") for element in lit}
    assert {"a.1[0,0]", "a.1[0,1]", "W.2[0,0]", "W.2[1,0]"} <= names
    assert "W.1[0,0]" not in names
    node = browser.find_element("css selector", ".network .node.current")
    assert node.get_attribute("data-id") == "a.2[0,0]"


def test_pointing_at_a_term_shows_its_node(page, tutorial):
    from selenium.webdriver import ActionChains

    browser = page(tutorial)
    term = operand(browser, "z.1[0,1]", "x[0,1]")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", term)
    ActionChains(browser).move_to_element(term).perform()
    hovered = browser.find_elements("css selector", ".network .node.hovered")
    assert [node.get_attribute("data-id") for node in hovered] == ["x[0,1]"]


def test_a_number_in_the_picture_leads_to_its_line(page, tutorial):
    browser = page(tutorial)
    browser.find_element("css selector", '.network .row[data-id="delta.1[0,1]"] .number').click()
    assert current(browser) == "delta.1[0,1]"


def test_an_address_opens_the_page_at_a_number(page, tutorial):
    browser = page(tutorial)
    browser.execute_script("location.hash = 'W.1.after[1,1]'")
    browser.execute_async_script("setTimeout(arguments[0], 50)")
    assert current(browser) == "W.1.after[1,1]"


@pytest.mark.rest
def test_the_picture_follows_the_sample(page, iris):
    browser = page(iris)
    shown = "figure.picture:not([hidden])"
    assert browser.find_element("css selector", shown).get_attribute("data-sample") == "0"
    browser.execute_script("location.hash = 'delta.1[1,3]'")
    browser.execute_async_script("setTimeout(arguments[0], 50)")
    assert browser.find_element("css selector", shown).get_attribute("data-sample") == "1"
    browser.find_element("css selector", 'button[data-sample="0"]').click()
    assert browser.find_element("css selector", shown).get_attribute("data-sample") == "0"


@pytest.mark.rest
def test_a_cell_of_a_matrix_leads_to_its_line(page, iris):
    browser = page(iris)
    cell = browser.find_element("css selector", '.equation [data-id="delta.1[1,2]"]')
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", cell)
    cell.click()
    assert current(browser) == "delta.1[1,2]"


@pytest.mark.rest
def test_stepping_to_the_end_and_back_to_the_start_by_the_buttons(page, tutorial):
    from selenium.webdriver import ActionChains

    browser = page(tutorial)
    ids = [step.id for step in tutorial.steps]
    forward = browser.find_element("css selector", '[data-go="next"]')
    back = browser.find_element("css selector", '[data-go="previous"]')
    clicks = ActionChains(browser, duration=0)
    for _ in ids[1:]:
        clicks.click(forward)
    assert [name for name, _ in passed_by(browser, clicks.perform)] == ids[1:]
    assert not forward.is_enabled()
    clicks = ActionChains(browser, duration=0)
    for _ in ids[1:]:
        clicks.click(back)
    assert [name for name, _ in passed_by(browser, clicks.perform)] == ids[-2::-1]
    assert not back.is_enabled()
    assert browser.find_element("css selector", ".place").text == f"1 of {len(ids)}"


def test_the_gradients_of_softmax_lead_back_to_the_scores(page, beside):
    browser = page(beside)
    way = ["cancelled_delta[0]", "softmax[0]", "z[1]"]
    browser.execute_script(f"location.hash = '{way[0]}'")
    browser.execute_async_script("setTimeout(arguments[0], 50)")
    for here, there in pairwise(way):
        operand(browser, here, there).click()
        assert current(browser) == there
    go(browser, "sigmoid[1]")  # where z goes to
    assert current(browser) == "sigmoid[1]"
    for name in reversed(way):
        press(browser, "BACKSPACE")
        assert current(browser) == name


@pytest.mark.rest
def test_many_given_numbers_are_folded_until_one_is_asked_for(page, digit):
    browser = page(digit)
    folded = browser.find_element("css selector", "details")
    assert folded.get_attribute("open") is None
    first = folded.find_element("css selector", "li.given").get_attribute("id")
    go_to = next(n for n in (s.id for s in digit.steps) if n == "z.1[0,0]" or n.startswith("z.1"))
    browser.execute_script(f"location.hash = '{go_to}'")
    browser.execute_async_script("setTimeout(arguments[0], 50)")
    x = browser.find_element("css selector", '#made-of [data-line^="x["]')
    name = x.get_attribute("data-line")
    x.click()
    assert current(browser) == name
    assert first.startswith("x[")
    assert folded.get_attribute("open") is not None
