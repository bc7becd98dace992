"""The page can be used by anybody: by keys, by screen readers, in any theme; nothing harms."""

import shutil
import subprocess
from importlib.resources import files
from itertools import product

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names
from helpers.in_browser import press, what_keeps_people_out


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(6)
    network = dp.Network([4, 2, 2], "tanh")
    names = Names("A small batch", image=(2, 2))
    return dp.explain(network, network.init(rng), rng.random((2, 4)), [0, 1], names=names)


@pytest.mark.rest
def test_every_control_is_reached_by_the_tab_key_and_shows_it(page, iris):
    browser = page(iris)
    browser.execute_script(
        "window.reached = []; addEventListener('focusin', ({target: at}) => reached.push(["
        " at.tagName, getComputedStyle(at).outlineStyle,"
        " ...['data-go', 'data-sample', 'href', 'data-line'].map((n) => at.getAttribute(n))]));"
    )
    press(browser, *["TAB"] * 60)
    reached = set()
    for tag, outline, *names in browser.execute_script("return reached"):
        label = next(filter(None, names), None)
        reached.add(label)
        assert outline != "none" or tag not in ("BUTTON", "A"), label
    assert {"next", "last", "0", "1", "2", "x[0,0]", "a.1[0,0]"} <= reached
    assert any(name and name.endswith("#promise") for name in reached)


def test_what_is_shown_is_announced(page, tutorial):
    browser = page(tutorial)
    now = browser.find_element("css selector", ".now")
    assert now.get_attribute("aria-live") == "polite"
    press(browser, "ARROW_RIGHT")
    assert "z.1[0,1]" in now.text
    assert browser.find_element("css selector", "output.place").text == "2 of 29"


QUICK = [
    ("small", 1280, "light"), ("small", 390, "dark"), ("beside", 1280, "dark"),
    ("beside", 390, "light"), ("repeated", 390, "dark"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "width", "theme"),
    [
        pytest.param(*case, marks=[] if case in QUICK else pytest.mark.slow)
        for case in product(
            ["small", "beside", "repeated", "deep", "digit"], [1280, 390], ["light", "dark"]
        )
    ],
)
@pytest.mark.one_in(5)
def test_nothing_keeps_anybody_from_using_it(request, page, axe, name, width, theme):
    browser = page(request.getfixturevalue(name), width=width, height=844, theme=theme)
    press(browser, "ARROW_RIGHT", "ARROW_RIGHT")
    assert what_keeps_people_out(browser, axe) == []


@pytest.mark.slow
@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_nothing_keeps_anybody_from_other_numbers(page, axe, tutorial, width, theme):
    browser = page(tutorial, width=width, height=844, theme=theme)
    browser.execute_script("location.hash = '#set:x[0,0]=2;W.1[0,0]=-0.7'")
    button = browser.find_element("css selector", 'li[id="W.1[0,1]"] .change')
    browser.execute_script("arguments[0].click()", button)
    browser.switch_to.active_element.send_keys("x")
    browser.execute_script("document.activeElement.blur()")  # what is no number is said beside it
    assert browser.find_elements("css selector", ".unfit")
    assert what_keeps_people_out(browser, axe) == []


@pytest.mark.rest
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
def test_the_types_of_the_scripts_hold(installed):
    compiler = installed("typescript@5") / "typescript" / "bin" / "tsc"
    studio = files("deltaprop.studio") / "page"
    folders = files("deltaprop.explaining.live"), studio, studio / "views", studio / "away"
    modules = [path for folder in folders for path in folder.iterdir()]
    scripts = [str(path) for path in modules if path.name.endswith(".js")]
    scripts.append(str(files("deltaprop.explaining.renderers.html").joinpath("page.js")))
    options = [
        "--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2022", "--module",
        "es2022", "--moduleResolution", "bundler",
    ]  # fmt: skip
    libraries = ["--lib", "es2022,dom,dom.iterable"]
    checked = subprocess.run(
        [shutil.which("node"), compiler, *options, *libraries, *scripts],
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
