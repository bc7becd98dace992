"""What is taken away from the studio is the run: as a page, as code, as a model, as the step."""

import re
import runpy
from xml.etree import ElementTree

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DeltapropError
from deltaprop.explaining.examples import read_worked_example
from deltaprop.studio.session import Session
from helpers.latex import read_back
from helpers.studio_page import visiting

SETUP = "data=moons&data-n=40&layers=3-tanh.2-sigmoid&learningRate=0.1&batchSize=4&held=0.25"
WAVES = (
    "data=waves&data-n=30&layers=4-gelu&loss=huber&optimizer=momentum&l2=0.01&l1=0.001&batchSize=8"
)
MARGINS = "data=blobs&data-n=30&layers=&loss=binary_cross_entropy&optimizer=lion&learningRate=0.01"
SVG = "{http://www.w3.org/2000/svg}"
INKS = {"rgb(26, 29, 33)", "rgb(91, 100, 112)"}  # of the light page
PLAIN = "data=moons&data-n=30&layers=3-tanh&batchSize=8&biases=false"
NAMES = ["moons", "waves", "margins", "without biases"]
PART = ".crdownload"  # of a file that has not arrived


@pytest.fixture(params=[pytest.param(d, marks=pytest.mark.one_in(2)) for d in ("page", "server")])
def door(request):
    if request.param == "page":
        return (request.getfixturevalue("page_in_one_file") / "en.html").as_uri()
    return request.getfixturevalue("served")


@pytest.fixture
def visit(browser, tmp_path):
    browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    with visiting(browser) as visit:
        yield visit


def taken(page, thing, form, folder):
    """Return the path of a file that was taken away."""
    page.press("tab-away")
    page.until(lambda: page.browser.find_elements("id", f"take-{thing}-{form}"))
    page.press(f"take-{thing}-{form}")
    said = "return document.querySelector(`#away-${arguments[0]}`).closest('li').lastChild"
    page.until(lambda: page.browser.execute_script(f"{said}.textContent", thing))
    text = page.browser.execute_script(f"{said}.textContent", thing)
    assert "Saved as" in text or "已保存" in text, text
    page.until(lambda: [path.suffix for path in folder.glob("deltaprop-*")] not in ([], [PART]))
    (path,) = folder.glob("deltaprop-*")
    own = folder / str(len(list(folder.iterdir())))
    own.mkdir()
    return path.rename(own / path.name)


def numbers(page):
    """Return parameters and outputs, in all their digits."""
    found = page.browser.execute_async_script(
        "const done = arguments[0]; deltapropNumbers().then(done, (e) => done(String(e)))"
    )
    assert isinstance(found, dict), found
    return found


def changed_by_hand(page, value, what="[data-id='w.2.0.1']"):
    page.press("tab-ask")
    page.settle()
    page.turn(what, value)


def driven(page):
    """Take steps, with a change by hand among them; return the numbers behind each part."""
    page.step_to(3)
    changed_by_hand(page, 0.75)
    changed_by_hand(page, -0.5, "[data-neuron='n.0.1']")
    edited = numbers(page)
    page.step_to(5)
    changed_by_hand(page, 0.05, "#ask-loss")
    for epoch in ("1", "2"):
        page.press("one epoch")
        page.until(lambda epoch=epoch: page.text("epoch") == epoch)
    page.press("one step")
    page.until(lambda: page.text("step") == "17")
    return edited, numbers(page)


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", "&biases=false"])
def test_the_run_goes_with_the_page_and_is_played_again(door, visit, tmp_path, more):
    page = visit(f"{door}#{SETUP}{more}")
    edited, last = driven(page)
    path = taken(page, "run", "html", tmp_path)
    assert path.name == "deltaprop-moons-step-17.html"
    own = visit(path.as_uri(), at=17)
    is_page = not door.startswith("http")
    found = numbers(own)
    np.testing.assert_allclose(found["parameters"], last["parameters"], rtol=1e-11, atol=1e-13)
    if is_page:  # the same engine: the same bits
        assert found == last
    own.press("back to start")
    own.until(lambda: own.text("step") == "0")
    own.press("one epoch")
    own.until(lambda: own.text("step") == "8")
    own.press("back to start")
    own.until(lambda: own.text("step") == "0")
    own.step_to(3)
    found_edited = numbers(own)
    np.testing.assert_allclose(found_edited["parameters"], edited["parameters"], rtol=1e-11)
    own.step_to(17)
    assert numbers(own) == found
    # and once more from there
    again = visit(taken(own, "run", "html", tmp_path).as_uri(), at=17)
    assert numbers(again) == found
    again.choose("learning-rate", 0.3)
    again.until(lambda: again.text("step") == "0")
    again.browser.refresh()
    again.until(lambda: again.text("step") == "0" and again.text("loss"))
    assert "learningRate=0.3" in again.browser.current_url


@pytest.mark.one_in(12)
@pytest.mark.parametrize("setup", [SETUP, WAVES, MARGINS, PLAIN], ids=NAMES)
def test_the_code_ends_at_the_same_numbers(door, visit, tmp_path, setup):
    page = visit(f"{door}#{setup}")
    if setup is SETUP:
        _, last = driven(page)
    else:
        page.press("one epoch")
        page.until(lambda: page.text("epoch") == "1")
        last = numbers(page)
        page.press("one step")
        page.until(lambda: numbers(page) != last)
        last = numbers(page)
    ran = runpy.run_path(str(taken(page, "code", "py", tmp_path)))
    if door.startswith("http"):
        assert ran["params"].flat.tolist() == last["parameters"]
    np.testing.assert_allclose(ran["params"].flat, last["parameters"], rtol=1e-10, atol=1e-13)


@pytest.mark.one_in(12)
@pytest.mark.parametrize("setup", [SETUP, WAVES, MARGINS, PLAIN], ids=NAMES)
def test_the_model_is_read_and_comes_to_the_same_outputs(door, visit, tmp_path, setup):
    page = visit(f"{door}#{setup}")
    page.step_to(2)
    last = numbers(page)
    path = taken(page, "model", "safetensors", tmp_path)
    assert path.suffix == ".safetensors"
    saved = dp.load(path)
    assert saved.parameters.flat.tolist() == last["parameters"]
    assert saved.training["steps"] == 2
    ran = runpy.run_path(str(taken(page, "code", "py", tmp_path)))  # it has the rows
    assert saved.network == ran["net"]
    outputs = dp.predict(saved.network, saved.parameters, ran["X"])
    np.testing.assert_allclose(np.ravel(outputs), last["outputs"], rtol=1e-12, atol=1e-15)


@pytest.mark.slow
def test_the_step_is_read_back_with_all_its_numbers(door, visit, tmp_path):
    for setup, steps in ((SETUP, 3), (WAVES, 2), (MARGINS, 0), (PLAIN, 2)):
        page = visit(f"{door}#{setup}")
        page.step_to(steps)
        path = taken(page, "step", "json", tmp_path)
        step = read_worked_example(path).explain()
        given = page.browser.execute_script("return deltapropStep()")
        assert step.trace.a[0].tolist() == given["x"]
        found = page.browser.execute_script(
            "return arguments[0].map((id) => deltapropValue(id))", [s.id for s in step.steps]
        )
        expected = [s.value for s in step.steps]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


LINE = re.compile(r"^(.*?) &(.*?)(?: \\\\)? % (\S+)$((?:\n &.*)*)", re.MULTILINE)


@pytest.mark.slow
def test_the_latex_of_the_step_holds_as_arithmetic(page_in_one_file, visit, tmp_path):
    for setup, ask in ((SETUP, None), (WAVES, None), (MARGINS, None), (SETUP, "#ask-loss")):
        page = visit(f"{(page_in_one_file / 'en.html').as_uri()}#{setup}")
        page.step_to(2)
        if ask:
            page.ask(ask)
        text = taken(page, "step", "tex", tmp_path).read_text("utf-8")
        lines = LINE.findall(text + "\n")
        assert len(lines) == (3 if ask else text.count(" % ")) > 2
        for _, first, name, rest in lines:
            whole = re.sub(r"(?:\s*\\\\)?\n\s*&(?:\\quad )?", " ", first + rest).rstrip("\\ ")
            *formulas, result = re.split(r" (?==|\\approx)", " " + whole.strip())
            shown = re.sub(r"\\times 10\^\{(.*)\}", r"e\1", result).split("=")[-1]
            shown = shown.removeprefix(r"\approx")
            value = page.browser.execute_script("return deltapropValue(arguments[0])", name)
            assert float(shown) == pytest.approx(value, rel=1e-3, abs=1e-12), name
            if len(formulas) > 2:
                found = read_back(formulas[-1].lstrip("= "))
                assert found == pytest.approx(float(shown), rel=2e-3, abs=1e-9), (name, formulas)


def test_pictures_are_whole_and_light_in_a_dark_page(page_in_one_file, visit, tmp_path, browser):
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    page = visit(f"{(page_in_one_file / 'zh.html').as_uri()}#{SETUP}")
    page.step_to(1)
    network = ElementTree.parse(taken(page, "network", "svg", tmp_path)).getroot()
    assert len(network.findall(f".//{SVG}image")) == 2 + 3 + 2 + 2
    assert len(network.findall(f".//{SVG}path")) > 6 + 6 + 4
    assert all(i.get("href").startswith("data:image/png") for i in network.iter(f"{SVG}image"))
    assert network[0].get("fill") == "#fff"
    assert {text.get("fill") for text in network.findall(f"{SVG}text")} <= INKS
    for thing in ("network", "regions"):
        content = taken(page, thing, "png", tmp_path).read_bytes()
        assert content.startswith(b"\x89PNG")
        wide = int.from_bytes(content[16:20], "big")
        assert wide > 600
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_at_the_server_deltaprop_explains_the_step(served, visit, tmp_path):
    page = visit(f"{served}#{SETUP}")
    page.step_to(2)
    html = taken(page, "explained", "html", tmp_path).read_text("utf-8")
    assert "deltaprop studio: moons, step 3" in html
    assert r"\begin{align*}" in taken(page, "explained", "tex", tmp_path).read_text("utf-8")
    ElementTree.parse(taken(page, "explained", "svg", tmp_path))
    with pytest.raises(DeltapropError):
        Session().answer("explain", {"example": {"layers": 3}, "form": "html"}, {})


@pytest.mark.rest
def test_a_table_of_ones_own_goes_with_the_run(door, visit, tmp_path, monkeypatch):
    rng = np.random.default_rng(4)
    rows = [
        f"{a:.3f},{'rg'[int(b > 0)]},{b:.2f},{'yes' if a > b else 'no'}"
        for a, b in rng.normal(size=(60, 2))
    ]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["size,colour,<b>,bought", *rows]), encoding="utf-8")
    page = visit(f"{door}#layers=3-tanh&batchSize=16")
    page.browser.find_element("id", "own-file").send_keys(str(path))
    three = "return deltapropStep()?.x[0].length === 3"
    page.until(lambda: page.browser.execute_script(three))
    page.step_to(4)
    last = numbers(page)
    script = taken(page, "code", "py", tmp_path)
    assert script.name == "deltaprop-mine-step-4.py"
    assert ("opened_file(" in script.read_text("utf-8")) == door.startswith("http")
    monkeypatch.chdir(tmp_path)
    ran = runpy.run_path(str(script))
    np.testing.assert_allclose(ran["params"].flat, last["parameters"], rtol=1e-10, atol=1e-13)
    own = visit(taken(page, "run", "html", tmp_path).as_uri(), at=4)
    found = numbers(own)
    np.testing.assert_allclose(found["parameters"], last["parameters"], rtol=1e-10, atol=1e-13)
    if not door.startswith("http"):
        assert found == last
    again = visit(taken(own, "run", "html", tmp_path).as_uri(), at=4)
    assert numbers(again) == found
