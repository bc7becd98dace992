"""What is taken away from the studio is the run: as a page, as code, as a model, as the step."""

import runpy

import numpy as np
import pytest

import deltaprop as dp
from helpers.studio_page import Studio

SETUP = "data=moons&data-n=40&layers=3-tanh.2-sigmoid&learningRate=0.1&batchSize=4&held=0.25"
WAVES = (
    "data=waves&data-n=30&layers=4-gelu&loss=huber&optimizer=momentum&l2=0.01&l1=0.001&batchSize=8"
)
MARGINS = "data=blobs&data-n=30&layers=&loss=binary_cross_entropy&optimizer=lion&learningRate=0.01"
PART = ".crdownload"  # of a file that has not arrived


@pytest.fixture(params=["page", "server"])
def door(request):
    if request.param == "page":
        return (request.getfixturevalue("page_in_one_file") / "en.html").as_uri()
    return request.getfixturevalue("served")


@pytest.fixture
def visit(browser, tmp_path):
    browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    opened = []

    def visit(address, at=0):
        opened.append(Studio(browser, address, at))
        return opened[-1]

    yield visit
    for each in opened:
        assert each.complaints() == []
    browser.get("about:blank")
    nowhere = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", nowhere)


def taken(page, thing, folder):
    """Return the path of a file that was taken away."""
    page.press("tab-away")
    page.until(lambda: page.browser.find_elements("id", f"take-{thing}"))
    page.press(f"take-{thing}")
    said = "return document.querySelector(`#take-${arguments[0]}`).closest('li').lastChild"
    page.until(lambda: page.browser.execute_script(f"{said}.textContent", thing))
    assert "Saved as" in page.browser.execute_script(f"{said}.textContent", thing)
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


def changed_by_hand(page, value):
    page.press("tab-ask")
    page.ask("[data-id='w.2.0.1']")
    page.until(lambda: page.browser.find_elements("id", "weight"))
    before = numbers(page)
    page.choose("weight", value)
    page.until(lambda: numbers(page) != before)


def driven(page):
    """Take steps, with a change by hand among them; return the numbers behind each part."""
    page.step_to(3)
    changed_by_hand(page, 0.75)
    edited = numbers(page)
    for epoch in ("1", "2"):
        page.press("one epoch")
        page.until(lambda epoch=epoch: page.text("epoch") == epoch)
    page.press("one step")
    page.until(lambda: page.text("step") == "17")
    return edited, numbers(page)


def test_the_run_goes_with_the_page_and_is_played_again(door, visit, tmp_path):
    page = visit(f"{door}#{SETUP}")
    edited, last = driven(page)
    path = taken(page, "run", tmp_path)
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
    again = visit(taken(own, "run", tmp_path).as_uri(), at=17)
    assert numbers(again) == found
    again.choose("learning-rate", 0.3)
    again.until(lambda: again.text("step") == "0")
    again.browser.refresh()
    again.until(lambda: again.text("step") == "0" and again.text("loss"))
    assert "learningRate=0.3" in again.browser.current_url


@pytest.mark.parametrize("setup", [SETUP, WAVES, MARGINS], ids=["moons", "waves", "margins"])
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
    ran = runpy.run_path(str(taken(page, "code", tmp_path)))
    if door.startswith("http"):
        assert ran["params"].flat.tolist() == last["parameters"]
    np.testing.assert_allclose(ran["params"].flat, last["parameters"], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("setup", [SETUP, WAVES, MARGINS], ids=["moons", "waves", "margins"])
def test_the_model_is_read_and_comes_to_the_same_outputs(door, visit, tmp_path, setup):
    page = visit(f"{door}#{setup}")
    page.step_to(2)
    last = numbers(page)
    path = taken(page, "model", tmp_path)
    assert path.suffix == ".safetensors"
    saved = dp.load(path)
    assert saved.parameters.flat.tolist() == last["parameters"]
    assert saved.training["steps"] == 2
    ran = runpy.run_path(str(taken(page, "code", tmp_path)))  # it has the rows
    assert saved.network == ran["net"]
    outputs = dp.predict(saved.network, saved.parameters, ran["X"])
    np.testing.assert_allclose(np.ravel(outputs), last["outputs"], rtol=1e-12, atol=1e-15)
