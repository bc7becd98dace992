"""Practising in the page, through both doors: right, with mistakes, given up; what is hidden."""

import re

import numpy as np
import pytest

from deltaprop.checking.step import work_out
from deltaprop.explaining.examples import built_in_example
from deltaprop.studio.language import wording
from helpers.in_browser import press, what_keeps_people_out
from helpers.practice_page import READ, SMALL, Practice
from helpers.studio_page import Studio

# all that the page says or holds, but for its scripts, and paths that draw
TEXTS = """
const found = [];
const walk = (node) => {
  if (node.nodeName === 'SCRIPT' || node.nodeName === 'STYLE') return;
  if (node.nodeType === 3) found.push(node.data);
  for (const { name, value } of node.attributes ?? []) {
    if (!['d', 'style', 'viewBox'].includes(name)) found.push(value);
  }
  for (const child of node.childNodes) walk(child);
};
walk(document.body);
return [...found, JSON.stringify(globalThis.deltapropStep() ?? '')].join('\\n');
"""


@pytest.mark.slow
def test_a_whole_session_that_is_right(studio):
    practice = Practice(studio(SMALL), samples=2)
    count = 0
    while names := practice.asked():
        practice.answer({name: f"{practice.value(name):.4g}" for name in names})
        assert practice.said().count("is right.") == len(names), (names, practice.said())
        count += len(names)
    assert practice.over() == f"Done: {count} of {count} right."
    assert f"{count} of {count} numbers right at once." in practice.tally()
    # the next samples of the batch, then the next step
    first = practice.page.browser.execute_script(READ)["x"]
    practice.begin("another")
    assert practice.page.browser.execute_script(READ)["x"] != first
    assert practice.page.text("step") == "0"
    practice.page.press("stop")
    practice.page.until(lambda: not practice.page.browser.find_elements("id", "stop"))


@pytest.mark.slow
def test_long_numbers_are_worked_with_as_they_are_shown(studio):
    page = studio(SMALL.replace("scheme=short", "scheme=glorot").replace("layers=2", "layers=3"))
    page.step_to(3)
    practice = Practice(page, samples=2, numbers="view")
    assert any(len(t) > 6 for row in page.browser.execute_script(READ)["W.1"] for t in row)
    while names := practice.asked():
        practice.answer({name: f"{practice.value(name):.3g}" for name in names})
        assert practice.said().count("is right.") == len(names), (names, practice.said())
    # nothing of it was the run's
    assert page.text("step") == "3"


@pytest.mark.rest
def test_a_mistake_is_named_and_what_follows_from_it_is_told_so(studio):
    practice = Practice(studio(SMALL), topic="forward", amount="layer")
    x, w, b = practice.step.x, *practice.step.parameters.layers[0].values()
    slip = (x @ w)[0]
    names = practice.asked()
    assert names == ["z.1[0,0]", "z.1[0,1]"]
    practice.answer({name: f"{value:.4f}" for name, value in zip(names, slip, strict=True)})
    assert practice.said().count("is wrong: the bias is left out of z.") == 2
    assert "What to do: z = a W + b" in practice.said()
    assert "the bias is left out of z" in practice.tally()
    practice.page.press("keep")
    practice.page.until(lambda: practice.asked()[:1] == ["a.1[0,0]"])
    assert "Going on with" in practice.said()
    follows = 1 / (1 + np.exp(-slip))
    practice.answer({f"a.1[0,{j}]": f"{follows[j]:.3f}" for j in range(2)})
    assert practice.said().count("follows from the wrong number") == 2
    # the right one is right all the same
    practice.answer({name: f"{practice.value(name):.4f}" for name in practice.asked()})
    assert practice.said().count("is right.") == 2
    while practice.asked():
        practice.answer({name: f"{practice.value(name):.4f}" for name in practice.asked()})
    assert practice.over() == "Done: 4 of 8 right."
    lines = practice.page.browser.find_elements("css selector", ".round > div > .lines .line")
    assert len(lines) == 4  # what it should be
    right = np.abs(practice.right["z.1"])
    assert any(f"{right[0, 0]:.4g}"[:5] in line.text for line in lines)
    assert np.abs(b).sum() > 0


def test_a_number_of_another_index_is_told(studio):
    practice = Practice(studio(SMALL), topic="forward", amount="each")
    assert practice.asked() == ["z.1[0,0]"]
    x, w, b = practice.step.x, *practice.step.parameters.layers[0].values()
    practice.answer({"z.1[0,0]": f"{x[0, 0] * w[0, 0] + x[0, 0] * w[1, 0] + b[0]:.5f}"})
    assert "a number with another index stands in it" in practice.said()
    assert "x₁ seems to stand where x₂ belongs." in practice.said()


def test_too_coarse_no_number_hints_and_giving_up(studio):
    practice = Practice(studio(SMALL), topic="delta", amount="each")
    (name,) = practice.asked()
    assert name == "delta.2[0,0]"
    value = practice.value(name)
    practice.answer({name: "x"})
    assert "is no number" in practice.said()
    practice.answer({name: f"{value:.1g}"})
    assert "rounded" in practice.said()
    shown = "return Array.from(document.querySelectorAll('.lines .line'), (l) => l.textContent)"
    browser = practice.page.browser
    for n in (1, 2):
        practice.page.press("hint")
        practice.page.until(lambda n=n: len(browser.execute_script(shown)) == n)
    texts = browser.execute_script(shown)
    assert all(f"{abs(value):.4g}" not in text for text in texts)
    practice.page.press("give-up")
    practice.page.until(lambda: practice.asked() == ["delta.2[0,1]"])
    assert f"{abs(value):.4g}" in practice.said()
    (solution,) = browser.execute_script(shown)
    assert f"{abs(value):.4g}" in solution
    practice.answer({"delta.2[0,1]": f"{value:.4g}"})
    assert "is wrong" in practice.said()
    assert "1 shown." in practice.tally()
    # the run goes on: the round is over, and its numbers are there again
    practice.page.press("one step")
    practice.page.until(lambda: not practice.asked())
    practice.page.until(lambda: "went on" in practice.page.text("panel"))


def numbers_told(page, hidden):
    """Return which of these numbers the page tells anywhere, to four digits and more."""
    told = set()
    tokens = set(re.findall(r"[-−]?\d*\.\d+(?:e[-+−]?\d+)?", page.browser.execute_script(TEXTS)))
    for token in tokens:
        number = float(token.replace("−", "-"))
        digits = len(re.sub(r"e.*", "", token).replace("-", "").replace(".", "").lstrip("0−"))
        places = len(token.partition("e")[0].partition(".")[2])
        exponent = int(token.partition("e")[2].replace("−", "-") or 0)
        for name, value in hidden.items():
            if digits >= 4 and abs(number - value) <= 0.5 * 10.0 ** (exponent - places):
                told.add((name, token))
    return told


@pytest.mark.slow
@pytest.mark.parametrize("topic", ["mixture", "update"])
def test_what_is_hidden_is_told_nowhere(studio, topic):
    page = studio(SMALL)
    practice = Practice(page, topic=topic, amount="layer")
    browser = page.browser
    everything = work_out(practice.step)[0]
    order = [key for key in everything if key[:2] not in ("W.", "b.") or key.endswith(".after")]
    answered = set()

    def is_asked_later(key):
        """Return whether a round asks for it, or could: the second pass is never told."""
        is_after = key.endswith(".after")
        return is_after if topic == "update" else not is_after or key[0] in "Wb"

    for _ in range(6):
        asked = practice.asked()
        place = order.index(asked[0].partition("[")[0])
        hidden = {
            f"{key}[{','.join(map(str, index))}]" if index else key: float(everything[key][index])
            for key in filter(is_asked_later, order[place:])
            for index in np.ndindex(*everything[key].shape)
        }
        hidden = {name: value for name, value in hidden.items() if name not in answered}
        known = {round(float(v), 3) for key in order[:place] for v in everything[key].ravel()}
        hidden = {n: v for n, v in hidden.items() if round(v, 3) not in known and abs(v) > 1e-3}
        for mode in ("values", "deltas", "gradients", "updates"):
            page.press(f"mode-{mode}")
            browser.execute_script(
                "for (const e of document.querySelectorAll('[data-neuron], .edge')) {"
                " e.dispatchEvent(new MouseEvent('mouseenter', { bubbles: true }));"
                " e.dispatchEvent(new MouseEvent('mouseover', { bubbles: true })); }"
            )
            assert numbers_told(page, hidden) == set(), (mode, asked)
        tabs = [
            tab.get_attribute("id").removeprefix("tab-")
            for tab in browser.find_elements("css selector", "[role=tab]")
        ]
        assert {"ask", "flow", "practise"} < {*tabs}
        for tab in (*(tab for tab in tabs if tab != "practise"), "practise"):
            page.press(f"tab-{tab}")
            page.until(
                lambda tab=tab: (
                    browser.find_element("id", f"tab-{tab}").get_attribute("aria-selected")
                    == "true"
                )
            )
            assert numbers_told(page, hidden) == set(), (tab, asked)
        browser.execute_script("document.querySelector('[data-neuron=\"n.1.0\"]').click()")
        page.until(practice.asked)  # a click asks about nothing
        practice.answer({name: f"{practice.value(name):.6g}" for name in asked})
        answered |= {*asked}
        assert numbers_told(page, {n: practice.value(n) for n in asked}) or topic == "mixture"
        if not practice.asked():
            break


def test_a_small_network_is_a_click_away_and_undone(studio):
    page = studio()
    page.press("tab-practise")
    page.until(lambda: page.browser.find_elements("id", "small-network"))
    page.press("small-network")
    page.until(lambda: len(page.browser.find_elements("css selector", "[data-neuron^='n.']")) == 6)
    page.until(lambda: page.browser.find_element("id", "begin").is_enabled())
    page.press("begin")
    page.until(lambda: page.browser.find_elements("css selector", ".question input"))
    given = page.browser.execute_script(READ)
    for name in ("x", "W.1", "b.1", "W.2", "b.2"):
        assert all(len(text.partition(".")[2]) <= 2 for row in given[name] for text in row)
    page.press("undo")
    page.until(lambda: len(page.browser.find_elements("css selector", "[data-neuron^='n.']")) > 6)
    assert not page.browser.find_elements("css selector", ".question input")


def test_by_keys_alone(studio):
    practice = Practice(studio(SMALL), topic="forward", amount="some")
    browser = practice.page.browser
    for _ in range(2):
        (name,) = practice.asked()
        practice.page.until(
            lambda name=name: (
                browser.switch_to.active_element.get_attribute("id") == f"answer-{name}"
            )
        )
        browser.switch_to.active_element.send_keys(f"{practice.value(name):.4f}")
        press(browser, "ENTER")
        practice.page.until(lambda name=name: practice.asked() != [name])
        assert "is right" in practice.said()
    assert browser.find_element("css selector", ".verdicts").get_attribute("role") == "status"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "width", "theme"), [("en", 1280, "light"), ("zh", 390, "dark")]
)
def test_nothing_keeps_anybody_from_practising(
    browser, page_in_one_file, axe, language, width, theme
):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        page = Studio(browser, f"{(page_in_one_file / f'{language}.html').as_uri()}#{SMALL}")
        practice = Practice(page, topic="gradient", amount="layer", samples=2)
        practice.answer(dict.fromkeys(practice.asked(), "0.1234"))
        page.press("hint")
        page.until(lambda: browser.find_elements("css selector", ".practise .line"))
        assert what_keeps_people_out(browser, axe) == []
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width
        if language == "zh":
            said = browser.find_element("id", "panel").text
            assert not re.search(r"[A-Za-z]{4,}", re.sub("sigmoid|softmax|delta", "", said)), said
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        browser.get("about:blank")


WITH_PENALTY = (
    "data=plane&data-n=60&layers=2-relu&optimizer=adam&l2=0.1&l1=0.1&batchSize=4&scheme=short"
)


@pytest.mark.rest
def test_hints_of_a_gradient_with_a_penalty_do_not_tell_it(studio):
    page = studio(WITH_PENALTY)
    practice = Practice(page, topic="gradient", amount="some")
    browser = page.browser
    lines = "return Array.from(document.querySelectorAll('.lines .line'), (l) => l.textContent)"
    assert practice.asked()[0].startswith("dW.2")
    for _ in range(2):
        page.press("hint")
    page.until(lambda: len(browser.execute_script(lines)) == 3)
    page.press("give-up")
    page.until(lambda: not practice.asked()[0].startswith("dW.2"))
    (data, whole) = browser.execute_script(lines)
    assert "λ" not in data
    assert "λ" in whole
    while practice.asked():
        before = practice.asked()
        page.press("give-up")
        page.until(lambda before=before: practice.asked() != before)
    assert practice.over().startswith("Done: 0 of ")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_word_that_is_put_together_is_there(language):
    words = wording(language)
    kinds = ("z", "a", "loss", "delta", "dW", "db", "W after", "b after")
    topics = ("mixture", "forward", "loss", "delta", "gradient", "update")
    verdicts = ("right", "follows", "kept", "shown", "unread", "coarse", "wrong", "named")
    keys = {
        *(f"practise what {kind}" for kind in kinds), *(f"practise {each}" for each in verdicts),
        *(f"topic {name}" for name in topics),
        *(f"amount {name}" for name in ("some", "each", "layer")),
        *(f"tally {name}" for name in ("first", "later", "follows", "kept", "shown", "mistake")),
        *(f"practise {name}" for name in ("large", "hint", "more hint", "begin", "anew")),
    }  # fmt: skip
    assert keys <= {*words}


@pytest.mark.rest
def test_the_tutorials_example_is_practised(studio):
    """A network without biases, of which the loss of all points is that of the only one."""
    page = studio()
    page.browser.execute_script("document.querySelector('[data-set=tutorial]').click()")
    page.until(lambda: len(page.browser.find_elements("css selector", "[data-neuron^='n.']")) == 5)
    loss = page.text("loss")
    practice = Practice(page)
    steps = {step.id: step.value for step in built_in_example("tutorial").explain().steps}
    steps["loss"] = steps["loss[0]"]
    assert page.text("loss") == "?"
    while names := practice.asked():
        if "delta.1[0,0]" in names:  # which is what the line to it carries
            assert "w.2.0.0" not in page.numbers()
        practice.answer({name: f"{steps[name]:.5g}" for name in names})
        assert practice.said().count("is right.") == len(names), (names, practice.said())
    assert page.text("loss") == loss


def test_another_round_takes_the_next_samples_and_then_the_next_step(studio):
    page = studio(SMALL)
    practice = Practice(page, topic="loss", samples=2)
    seen = []
    for step in ("0", "0", "1"):
        assert page.text("step") == step
        seen.append(page.browser.execute_script(READ)["x"])
        page.press("give-up")
        page.until(practice.over)
        if step == "1":
            break
        practice.begin("another")
    assert seen[0] != seen[1] != seen[2]
    # its weights are those after the step, with two decimals where that is asked for
    page.choose("practise-short", "view")
    page.press("begin")
    page.until(practice.asked)
    weights = page.browser.execute_script(READ)["W.1"]
    assert any(len(text) > 6 for row in weights for text in row)
    # what is undone ends it as well
    page.choose("learning-rate", 0.1)
    page.until(lambda: not practice.asked())
