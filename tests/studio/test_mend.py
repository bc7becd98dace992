"""Runs that do not learn, and four changes of which one helps: tried in either door."""

import numpy as np
import pytest

from deltaprop.errors import DeltapropError
from deltaprop.practice.exercises.fixing import FixTask
from deltaprop.practice.exercises.runs import PREPARED
from deltaprop.studio.language import wording
from deltaprop.studio.mending import mending
from deltaprop.studio.session import Session
from helpers.in_browser import resize, what_keeps_people_out
from helpers.studio_page import Studio

FAULTS = [row[1] for row in PREPARED]


@pytest.mark.one_in(30)
@pytest.mark.parametrize("row", PREPARED, ids=FAULTS)
def test_the_runs_are_those_of_practice(row):
    seed, fault, is_bent, rows, changes = row
    task = FixTask.drawn(1, seed, "en")
    assert (task.fault.name, task.run.setup.is_bent, task.run.seed) == (fault, is_bent, rows)
    assert set(changes) <= set(task.outcomes)
    assert len(set(changes) & set(task.helping)) == 1


def tried(session, run, change):
    own = {**run, **change}
    plan = {
        "sizes": own["sizes"], "activations": [own["activation"]] * (len(own["sizes"]) - 2),
        "loss": "binary_cross_entropy", "optimizer": {"name": "gradient_descent"}, "l2": 0, "l1": 0,
        "learningRate": own["learningRate"], "batchSize": 32, "seed": 0, "biases": True,
    }  # fmt: skip
    arrays = {
        "x": np.ravel(own["x"]), "targets": np.array(own["targets"], dtype=float),
        "parameters": np.array(own["parameters"]),
    }  # fmt: skip
    return session.answer("try", {"plan": plan, "steps": own["steps"]}, arrays)


@pytest.mark.one_in(9)
@pytest.mark.parametrize("number", range(len(PREPARED)), ids=FAULTS)
def test_one_change_helps_and_the_others_do_not(number):
    run = mending("en")[number]
    session = Session()
    losses = {}
    for change in [{"name": ""}, *run["changes"]]:
        answer, arrays = tried(session, run, change)
        curve = arrays["curve"].reshape(-1, 5)
        assert curve[0, 0] == 0
        assert np.all(np.diff(curve[:, 0]) > 0)
        loss = answer["loss"]
        losses[change["name"]] = np.inf if loss is None or answer["diverged"] else loss
    assert losses.pop("") > 0.45
    assert sum(loss <= 0.15 for loss in losses.values()) == 1
    assert all(loss <= 0.15 or loss >= 0.3 for loss in losses.values())


def test_what_is_tried_is_bounded_and_leaves_the_run_alone():
    session = Session()
    run = mending("zh")[0]
    with pytest.raises(DeltapropError, match="10,000"):
        tried(session, {**run, "steps": 10_001}, {})
    with pytest.raises(DeltapropError):
        tried(session, {**run, "sizes": [2, 100_000, 1_000]}, {})
    tried(session, run, {})
    with pytest.raises(DeltapropError, match="no network"):
        session.answer("go", {"steps": 1}, {})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_run_has_its_why(language):
    words = wording(language)
    assert {f"mend why {fault}" for fault in FAULTS} <= set(words)
    assert len(mending(language)[0]["facts"]) >= 4


def texts(page, selector):
    return page.browser.execute_script(
        "return Array.from(document.querySelectorAll(arguments[0]), (e) => e.textContent)", selector
    )


@pytest.mark.rest
def test_a_change_is_picked_tried_and_judged(studio):
    page = studio("data=moons&data-n=40")
    page.step_to(2)
    page.press("tab-mend")
    click = "document.querySelector(`.mend-pick[data-change='${arguments[0]}']`).click()"
    for number, (_, _, _, _, changes) in enumerate(PREPARED):
        page.until(
            lambda number=number: (
                texts(page, ".mend h2")[0].startswith("A run")
                and f"{number + 1} of" in texts(page, ".mend h2")[0]
                and page.browser.find_elements("css selector", ".mend-pick:not(:disabled)")
            )
        )
        page.browser.execute_script(click, changes[number % 4])
        page.until(lambda: texts(page, ".mend-why p"))
        helping = page.browser.execute_script(
            "return Array.from(document.querySelectorAll('.mend-tried.works'),"
            "(e) => e.dataset.change)"
        )
        assert len(helping) == 1
        is_right = helping[0] == changes[number % 4]
        said = texts(page, ".mend-why p")[0]
        assert said.startswith("Right." if is_right else "That does not help.")
        assert len(page.browser.find_elements("css selector", ".mend-tried svg .line")) == 4
        page.press("mend-again" if number == 0 else "mend-next")
        if number == 0:
            page.until(lambda: page.browser.find_elements("css selector", ".mend-pick"))
            page.press("mend-next")
    assert page.text("step") == "2"  # the run that is shown was left alone


@pytest.mark.rest
def test_runs_are_tried_beside_a_table_too(studio):
    page = studio("data=penguins")
    page.press("tab-mend")
    page.until(lambda: page.browser.find_elements("css selector", ".mend-pick:not(:disabled)"))
    page.browser.execute_script("document.querySelector('.mend-pick').click()")
    page.until(lambda: texts(page, ".mend-why p"))
    assert len(page.browser.find_elements("css selector", ".mend-tried.works")) == 1
    page.press("one step")
    page.until(lambda: page.text("step") == "1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "width", "theme"), [("en", 1280, "light"), ("zh", 390, "dark")]
)
def test_nothing_keeps_anybody_from_mending(browser, page_in_one_file, axe, language, width, theme):
    resize(browser, width, 900)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        page = Studio(browser, (page_in_one_file / f"{language}.html").as_uri())
        page.press("tab-mend")
        page.until(lambda: browser.find_elements("css selector", ".mend-pick:not(:disabled)"))
        assert what_keeps_people_out(browser, axe) == []
        browser.execute_script("document.querySelector('.mend-pick').click()")
        page.until(lambda: texts(page, ".mend-why p"))
        assert what_keeps_people_out(browser, axe) == []
        wide = "return document.documentElement.scrollWidth"
        assert browser.execute_script(wide) <= width
        assert page.complaints() == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
