"""The page in a real browser: stepping, clicking through and back, offline, without errors."""

import json
import shutil
import subprocess
from importlib.resources import files
from itertools import pairwise, product

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names, built_in_example
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--hide-scrollbars",
)  # fmt: skip


@pytest.fixture(scope="session")
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
        started.set_script_timeout(300)  # axe reads a large page for 20 s where nothing else runs
        started.execute_cdp_cmd("Network.enable", {})
        nowhere = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        started.execute_cdp_cmd("Network.emulateNetworkConditions", nowhere)
        yield started


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """Return a function that has npm fetch a package, and skips where it cannot."""
    folder = tmp_path_factory.mktemp("npm")

    def install(package):
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("no npm")
        command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder]
        try:
            subprocess.run([*command, package], check=True, capture_output=True, timeout=90)
        except (subprocess.SubprocessError, OSError):
            pytest.skip(f"npm cannot install {package} here")
        return folder / "node_modules"

    return install


@pytest.fixture(scope="session")
def axe(installed):
    """The program of axe-core, which looks for what keeps people from using a page."""
    return (installed("axe-core@4") / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def page(browser, tmp_path):
    def visit(explained, *, width=1280, height=900, script=True, theme="light", **style):
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
        media = {
            "prefers-color-scheme": theme,
            "prefers-reduced-motion": "reduce",  # colours are there at once
        }
        features = [{"name": name, "value": value} for name, value in media.items()]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        path = tmp_path / "page.html"
        path.write_text(explained.to_html(**style), encoding="utf-8")
        browser.get("about:blank")
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


@pytest.fixture(scope="module")
def iris():
    rng = np.random.default_rng(7)
    network = dp.Network([4, 5, 3], "tanh")
    names = Names(
        "Three flowers",
        ("sepal length", "sepal width", "petal length", "petal width"),
        ("setosa", "versicolor", "virginica"),
    )
    x = rng.normal(size=(3, 4)).round(1)
    return dp.explain(network, network.init(rng), x, [0, 1, 2], names=names)


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(6)
    network = dp.Network([4, 2, 2], "tanh")
    names = Names("A small batch", image=(2, 2))
    return dp.explain(network, network.init(rng), rng.random((2, 4)), [0, 1], names=names)


@pytest.fixture(scope="module")
def deep():
    rng = np.random.default_rng(8)
    network = dp.Network([2, 3, 3, 3, 3, 2], "relu", loss="half_squared_error")
    return dp.explain(network, network.init(rng), [[0.5, -1.2]], [[1.0, 0.0]])


@pytest.fixture(scope="module")
def digit():
    rng = np.random.default_rng(9)
    network = dp.Network([784, 128, 10], "relu")
    x = np.where(rng.random((1, 784)) < 0.2, rng.random((1, 784)), 0)
    return dp.explain(network, network.init(rng), x, [3], names=Names(image=(28, 28)))


@pytest.fixture(scope="module")
def beside():
    return SoftmaxBesideSigmoid((2.0, 1.0, -0.5), ("cat", "dog", "bird"), 0)


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
class TestAtAnyWidth:
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

    @pytest.mark.parametrize("name", ["tutorial", "iris", "deep", "digit", "beside"])
    @pytest.mark.parametrize("language", ["en", "zh"])
    def test_nothing_is_wider_than_its_place(self, request, page, name, language, width, height):
        browser = page(request.getfixturevalue(name), width=width, height=height, language=language)
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width
        cut = browser.execute_script(
            "return Array.from(document.querySelectorAll('.parts > *, header *, p, h2, h3'))"
            ".filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1)"
            ".filter((e) => !e.closest('nav') && e.namespaceURI.endsWith('xhtml'))"
            ".map((e) => (e.closest('li.line') || e).id + e.textContent)"
        )
        assert cut == []

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


def test_a_cell_of_a_matrix_leads_to_its_line(page, iris):
    browser = page(iris)
    cell = browser.find_element("css selector", '.equation [data-id="delta.1[1,2]"]')
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", cell)
    cell.click()
    assert current(browser) == "delta.1[1,2]"


def test_stepping_to_the_end_and_back_to_the_start_by_the_buttons(page, tutorial):
    browser = page(tutorial)
    ids = [step.id for step in tutorial.steps]
    forward = browser.find_element("css selector", '[data-go="next"]')
    back = browser.find_element("css selector", '[data-go="previous"]')
    for name in ids[1:]:
        forward.click()
        assert current(browser) == name
    assert not forward.is_enabled()
    for name in reversed(ids[:-1]):
        back.click()
        assert current(browser) == name
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


def test_every_control_is_reached_by_the_tab_key_and_shows_it(page, iris):
    browser = page(iris)
    reached = set()
    for _ in range(60):
        press(browser, "TAB")
        at = browser.switch_to.active_element
        label = at.get_attribute("data-go") or at.get_attribute("data-sample")
        reached.add(label or at.get_attribute("href") or at.get_attribute("data-line"))
        if at.tag_name in ("button", "a"):
            outline = at.value_of_css_property("outline-style")
            assert outline != "none", label
    assert {"next", "last", "0", "1", "2", "x[0,0]", "a.1[0,0]"} <= reached
    assert any(name and name.endswith("#promise") for name in reached)


def test_what_is_shown_is_announced(page, tutorial):
    browser = page(tutorial)
    now = browser.find_element("css selector", ".now")
    assert now.get_attribute("aria-live") == "polite"
    press(browser, "ARROW_RIGHT")
    assert "z.1[0,1]" in now.text
    assert browser.find_element("css selector", "output.place").text == "2 of 29"


def what_keeps_people_out(browser, axe):
    browser.execute_script(axe)
    found = browser.execute_async_script(
        "const done = arguments[0];"
        "axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations"
        ".map((v) => [v.impact, v.id, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))])));"
    )
    return [v for v in found if v[0] in ("serious", "critical")]


QUICK = [
    ("small", 1280, "light"), ("small", 390, "dark"), ("beside", 1280, "dark"),
    ("beside", 390, "light"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "width", "theme"),
    [
        pytest.param(*case, marks=[] if case in QUICK else pytest.mark.slow)
        for case in product(["small", "beside", "deep", "digit"], [1280, 390], ["light", "dark"])
    ],
)
def test_nothing_keeps_anybody_from_using_it(request, page, axe, name, width, theme):
    browser = page(request.getfixturevalue(name), width=width, height=844, theme=theme)
    press(browser, "ARROW_RIGHT", "ARROW_RIGHT")
    assert what_keeps_people_out(browser, axe) == []


def test_the_referee_finds_what_keeps_people_out(page, axe, tutorial):
    browser = page(tutorial)
    browser.execute_script(
        "document.querySelector('[data-go=next]').removeAttribute('aria-label');"
        "document.querySelector('[data-go=next]').removeAttribute('title');"
        "document.querySelector('[data-go=next]').replaceChildren();"
        "document.querySelector('h1').style.color = '#eeeeee'"
    )
    found = {name for _, name, _ in what_keeps_people_out(browser, axe)}
    assert {"button-name", "color-contrast"} <= found


@pytest.mark.slow
def test_the_types_of_the_script_hold(installed):
    compiler = installed("typescript@5") / "typescript" / "bin" / "tsc"
    script = files("deltaprop.explaining.renderers.html").joinpath("page.js")
    options = ["--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2022"]
    libraries = ["--lib", "es2022,dom,dom.iterable"]
    checked = subprocess.run(
        [shutil.which("node"), compiler, *options, *libraries, str(script)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (checked.returncode, checked.stdout) == (0, "")


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
    text = tutorial.to_html().replace("</body>", "<script>document.title = 'owned'</script></body>")
    path = tmp_path / "tampered.html"
    path.write_text(text, encoding="utf-8")
    browser.get(path.as_uri())
    assert browser.title.startswith("The tutorial")
    browser.get_log("browser")  # it complains, as it should
    browser.get_log("performance")
