"""Each of the prepared settings does what is said of it, and can be taken over."""

import numpy as np
import pytest

from deltaprop.studio.language import wording
from helpers.studio_modules import answer_of_modules
from helpers.studio_page import Studio

TRAINED = """
const { loadEngine } = await of("engine");
const { learningOf } = await of("learning");
const { problemOf } = await of("problem");
const { ENTRIES, setupOf } = await of("settings");
const { toAddress } = await of("setup");
const { RECIPES } = await of("sets");
const engine = await loadEngine(bytes());
const entries = ENTRIES.map((entry) => {
  const { plan, arrays } = problemOf(setupOf(entry));
  const learning = learningOf(engine, plan, arrays);
  const figures = [0.75, 1].map((share) => {
    learning.goTo(Math.round(share * entry.steps));
    return learning.figures();
  });
  const { diverged } = learning;
  learning.network.free();
  return { ...entry, figures, diverged, address: toAddress(setupOf(entry)) };
});
console.log(JSON.stringify({ entries, sets: [...RECIPES.map(({ name }) => name), "tutorial"] }));
"""


@pytest.fixture(scope="module")
def trained():
    return answer_of_modules(TRAINED)


def test_every_entry_comes_to_what_is_said_of_it(trained):
    for entry in trained["entries"]:
        of = (entry["set"], entry["name"], entry["figures"])
        if entry["sees"] == "diverged":
            assert entry["diverged"], of
            continue
        assert entry["diverged"] is None, of
        for figure, bound, value in entry["sees"]:
            last = entry["figures"][-1][figure]
            assert last >= value if bound == "least" else last <= value, of
            if not entry["works"]:  # and it is not on its way either
                before = entry["figures"][0][figure]
                assert before >= value if bound == "least" else before <= value, of


def test_what_works_and_what_does_not_lie_well_apart(trained):
    for name in trained["sets"]:
        own = [entry for entry in trained["entries"] if entry["set"] == name]
        assert sum(entry["works"] for entry in own) >= 2, name
        assert len({entry["name"] for entry in own if not entry["works"]}) >= 3, name
        figure = next(entry["sees"][0][0] for entry in own if entry["works"])
        best = {works: [e["figures"][-1][figure] for e in own if e["works"] == works
                        and e["sees"] != "diverged" and len(e["sees"]) == 1]
                for works in (True, False)}  # fmt: skip
        if figure == "right":
            assert min(best[True]) > max(best[False]) + 0.04, name
        else:
            assert 5 * max(best[True]) < min(best[False]), name


def test_why_is_said_of_every_entry_and_of_nothing_else(trained):
    asked = {f"settings {entry['set']} {entry['name']}" for entry in trained["entries"]}
    sets = tuple(f"settings {name} " for name in trained["sets"])
    for language in ("en", "zh"):
        assert {key for key in wording(language) if key.startswith(sets)} == asked


@pytest.mark.slow
def test_every_entry_can_be_taken_over_and_undone(browser, page_in_one_file, trained):
    base = (page_in_one_file / "en.html").as_uri()
    page = Studio(browser, f"{base}#data-seed=7")
    page.press("tab-settings")
    addresses = [browser.current_url]
    for name in trained["sets"]:
        browser.execute_script(f"document.querySelector('[data-set={name}]').click()")
        for entry in [entry for entry in trained["entries"] if entry["set"] == name]:
            card = f".setting[data-entry='{entry['name']}'] .take"
            page.until(lambda card=card: browser.find_elements("css selector", card))
            browser.execute_script(f'document.querySelector("{card}").click()')
            to = f"{base}#{entry['address']}".rstrip("#")
            page.until(lambda to=to: browser.current_url == to)
            addresses.append(to)
    for address in reversed(addresses[:-1]):
        page.press("undo")
        if browser.current_url != address:  # choosing the set was undone
            page.press("undo")
        page.until(lambda address=address: browser.current_url == address)
    assert page.complaints() == []


def test_what_was_taken_over_runs_as_far_as_is_said(browser, page_in_one_file, trained):
    page = Studio(browser, f"{(page_in_one_file / 'en.html').as_uri()}#data=blobs")
    page.press("tab-settings")
    (entry,) = (e for e in trained["entries"] if (e["set"], e["works"], e["name"])
                == ("blobs", True, "four tanh"))  # fmt: skip
    card = "document.querySelector(\".setting[data-entry='four tanh'] %s\").click()"
    page.until(lambda: browser.find_elements("css selector", ".setting"))
    browser.execute_script(card % ".take")
    page.until(lambda: browser.find_elements("css selector", ".setting .run"))
    browser.execute_script(card % ".run")
    page.until(lambda: page.text("step") == str(entry["steps"]))
    expected = entry["figures"][-1]["loss"]
    assert float(page.text("loss")) == pytest.approx(expected, rel=1e-3)
    assert np.isclose(float(page.text("right").split()[0]) / 100, entry["figures"][-1]["right"])
