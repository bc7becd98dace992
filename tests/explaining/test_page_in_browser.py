"""The page in a real browser: stepping, clicking through and back, offline, without errors."""

import json
import shutil
from itertools import pairwise

import pytest

import deltaprop as dp
from deltaprop.explaining import Names, built_in_example
from deltaprop.explaining.html import render

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--hide-scrollbars",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not (program and driver):
        pytest.skip("no chromium with its chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    with webdriver.Chrome(options=options, service=service) as started:
        yield started


@pytest.fixture
def page(browser, tmp_path):
    def visit(explanation, *, width=1280, height=900, script=True, **settings):
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
        path = tmp_path / "page.html"
        path.write_text(render(explanation, **settings), encoding="utf-8")
        browser.get(path.as_uri())
        return browser

    yield visit
    # whatever a test did: nothing was asked for but the file, and nothing was complained about
    requests = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            requests.append(message["params"]["request"]["url"].partition("#")[0])
    assert set(requests) <= {(tmp_path / "page.html").as_uri(), "about:blank", "data:,"}
    complaints = [e for e in browser.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]
    assert complaints == []
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    browser.get("about:blank")


@pytest.fixture(scope="module")
def tutorial():
    worked = built_in_example("tutorial")
    return dp.explain(
        worked.network, worked.parameters, worked.x, worked.targets,
        optimizer=worked.optimizer, names=Names(worked.title),
    )  # fmt: skip


@pytest.fixture
def iris(rng):
    network = dp.Network([4, 8, 3], "tanh")
    return dp.explain(network, network.init(rng), rng.normal(size=(2, 4)), [1, 2])


def current(browser):
    lines = browser.find_elements("css selector", "li.line.current")
    (only,) = [line.get_attribute("id") for line in lines]
    return only


def press(browser, *keys):
    from selenium.webdriver.common.keys import Keys

    for key in keys:
        browser.switch_to.active_element.send_keys(getattr(Keys, key))


def go(browser, name):
    """Click the chip of a number in the panel."""
    browser.find_element("css selector", f'#inspector .links [data-line="{name}"]').click()


def operand(browser, line, name):
    return browser.find_element("css selector", f'li[id="{line}"] .numbers [data-id="{name}"]')


def in_view(browser, element):
    return browser.execute_script(
        "const r = arguments[0].getBoundingClientRect();"
        "const m = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);"
        "return m !== null && arguments[0].closest('li').contains(m);",
        element,
    )


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
class TestTheTutorial:
    def test_from_a_gradient_to_the_loss_by_clicks_and_back(self, page, tutorial, width, height):
        browser = page(tutorial, width=width, height=height)
        way = ["dW.1[0,0]", "delta.1[0,0]", "delta.2[0,0]", "z.2[0,0]", "loss[0]"]
        start = browser.find_element("css selector", 'li[id="dW.1[0,0]"] .left')
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", start)
        start.click()
        assert current(browser) == way[0]
        for here, there in pairwise(way[:4]):
            operand(browser, here, there).click()
            assert current(browser) == there
            line = browser.find_element("css selector", f'li[id="{there}"] .left')
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

    def test_a_crumb_goes_back_to_where_it_says(self, page, tutorial, width, height):
        browser = page(tutorial, width=width, height=height)
        for name in ("a.1[0,0]", "z.2[0,0]", "loss[0]"):
            go(browser, name)
        browser.find_element("css selector", '.trail [data-line="a.1[0,0]"]').click()
        assert current(browser) == "a.1[0,0]"
        assert len(browser.find_elements("css selector", ".trail li")) == 2

    def test_to_the_end_and_back_by_keyboard(self, page, tutorial, width, height):
        browser = page(tutorial, width=width, height=height)
        ids = [step.id for step in tutorial.steps]
        assert current(browser) == ids[0]
        for name in ids[1:]:
            press(browser, "ARROW_RIGHT")
            assert current(browser) == name
            assert browser.switch_to.active_element.get_attribute("id") == name
        press(browser, "ARROW_RIGHT")
        assert current(browser) == ids[-1]
        for name in reversed(ids[:-1]):
            press(browser, "ARROW_LEFT")
            assert current(browser) == name
        press(browser, "END")
        assert current(browser) == ids[-1]
        press(browser, "HOME", "ARROW_DOWN", "ARROW_UP", "ARROW_DOWN")
        assert current(browser) == ids[1]

    def test_nothing_is_wider_than_the_window(self, page, tutorial, width, height):
        browser = page(tutorial, width=width, height=height)
        assert browser.execute_script("return document.documentElement.scrollWidth") == width

    def test_all_numbers_are_there_without_a_script(self, page, tutorial, width, height):
        browser = page(tutorial, width=width, height=height, script=False)
        text = browser.find_element("css selector", "body").text
        for number in ("0.55125", "2.9475", "0.338802", "−2.0399"):
            assert number in text
        assert not browser.find_element("css selector", "#inspector").is_displayed()


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


def test_the_picture_follows_the_sample(page, iris):
    browser = page(iris)
    shown = "figure.picture:not([hidden])"
    assert browser.find_element("css selector", shown).get_attribute("data-sample") == "0"
    browser.execute_script("location.hash = 'delta.1[1,3]'")
    browser.execute_async_script("setTimeout(arguments[0], 50)")
    assert browser.find_element("css selector", shown).get_attribute("data-sample") == "1"
    browser.find_element("css selector", 'button[data-sample="0"]').click()
    assert browser.find_element("css selector", shown).get_attribute("data-sample") == "0"


def test_names_do_nothing(page, rng):
    network = dp.Network([1, 2])
    name = "</script><img src=x onerror=\"document.title='owned'\">"
    explanation = dp.explain(
        network, network.init(rng), [[1.0]], [0], names=Names(name, (name,), (name, name))
    )
    browser = page(explanation)
    for _ in range(5):
        press(browser, "ARROW_RIGHT")
    assert not browser.find_elements("css selector", "img")
    assert browser.title == name


def test_an_inline_script_that_somebody_adds_does_not_run(browser, tmp_path, tutorial):
    text = render(tutorial).replace("</body>", "<script>document.title = 'owned'</script></body>")
    path = tmp_path / "tampered.html"
    path.write_text(text, encoding="utf-8")
    browser.get(path.as_uri())
    assert browser.title.startswith("The tutorial")
    browser.get_log("browser")  # it complains, as it should
    browser.get_log("performance")
