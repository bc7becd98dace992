"""The page in Firefox: the same numbers as in Chromium."""

import pytest

from helpers import firefox
from helpers.studio_page import Studio

SETUP = "data=moons&data-n=40&layers=3-tanh.2-sigmoid&learningRate=0.1&batchSize=4&held=0.25"
STEP = "Number(document.getElementById('step').textContent)"
NUMBER = "document.querySelector('.ask li.line[data-id=\"W.2.after[0,1]\"]')?.dataset.value"


@pytest.fixture(scope="module")
def fox(tmp_path_factory):
    pytest.importorskip("websockets")
    with firefox.started(tmp_path_factory.mktemp("profile")) as found:
        if found is None:
            pytest.skip("no Firefox")
        yield found


@pytest.mark.rest
def test_it_trains_goes_back_and_tells_the_same_numbers(fox, browser, page_in_one_file):
    address = f"{(page_in_one_file / 'en.html').as_uri()}#{SETUP}"
    page = Studio(browser, address)
    page.step_to(5)
    page.ask("[data-id='w.2.0.1']")
    page.until(lambda: "W.2.after[0,1]" in page.values())
    fox.visit(address)
    fox.until("document.getElementById('loss')?.textContent")
    fox.run("document.getElementById('play').click()")
    fox.until(f"{STEP} > 300")
    fox.run("document.getElementById('pause').click()")
    fox.until("document.getElementById('play')")
    fox.run("document.getElementById('back to start').click()")
    fox.until(f"{STEP} === 0")
    for step in range(1, 6):
        fox.run("document.getElementById('one step').click()")
        fox.until(f"{STEP} === {step}")
    fox.run(
        "document.querySelector('[data-id=\"w.2.0.1\"]')"
        ".dispatchEvent(new MouseEvent('click', { bubbles: true })) && null"
    )
    fox.until(NUMBER)
    # the engine's bits are the same; exp and log of JavaScript may differ in the last one
    assert float(fox.run(NUMBER)) == pytest.approx(
        float(page.values()["W.2.after[0,1]"]), rel=1e-14
    )
