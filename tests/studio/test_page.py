"""The page in Chromium: it trains by itself or by the server, with the reference's numbers."""

import json
import re
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining.live.program import program
from deltaprop.notation.page_script import one_script
from deltaprop.studio.page import studio_page
from helpers.studio_page import Studio

SETUP = "data=moons&data-n=40&layers=3-tanh.2-sigmoid&learningRate=0.1&batchSize=4&held=0.25"


def test_it_trains_and_goes_back(studio):
    page = studio(SETUP)
    page.press("play")
    page.until(lambda: int(page.text("step")) > 300)
    page.press("pause")
    page.until(lambda: page.browser.find_elements("id", "play"))
    assert float(page.text("loss")) < 0.7
    page.press("back to start")
    page.until(lambda: page.text("step") == "0")
    page.step_to(2)
    two = page.text("loss")
    page.press("one epoch")
    page.until(lambda: page.text("epoch") == "1")
    page.press("back to start")
    page.until(lambda: page.text("step") == "0")
    page.step_to(2)
    assert page.text("loss") == two


def test_who_plays_at_once_plays_what_was_chosen(studio):
    page = studio(SETUP)
    page.browser.execute_script(
        "const scheme = document.getElementById('scheme');"
        "scheme.value = 'zero'; scheme.dispatchEvent(new Event('change', { bubbles: true }));"
        "document.getElementById('play').click()"
    )
    page.until(lambda: int(page.text("step")) > 50)
    assert page.browser.find_elements("id", "pause")
    assert page.browser.execute_script("return document.getElementById('scheme').value") == "zero"
    page.press("pause")
    page.until(lambda: page.browser.find_elements("id", "play"))


WHAT = {
    "[data-neuron='n.1.1']": ("z.1[0,1]", "a.1[0,1]", "delta.1[0,1]", "db.1[1]", "b.1.after[1]"),
    "[data-neuron='n.3.0']": ("z.3[0,0]", "a.3[0,0]", "delta.3[0,0]"),
    "[data-id='w.2.0.1']": ("dW.2[0,1]", "W.2.after[0,1]"),
    "#ask-loss": ("loss[0]", "loss", "loss.after"),
}


def test_what_is_asked_is_the_references_number(studio):
    page = studio(SETUP)
    page.step_to(3)
    page.ask("#ask-loss")
    seen = {}
    for place, names in WHAT.items():
        page.ask(place)
        page.until(lambda names=names: set(names) <= set(page.values()))
        seen |= page.values()
    explained = page.reference(["tanh", "sigmoid"], "cross_entropy", dp.Adam(0.1))
    steps = {step.id: step.value for step in explained.steps}
    for name, text in seen.items():
        number = float(text)
        assert number == pytest.approx(steps[name], rel=1e-12, abs=1e-15), name
        if page.is_served:  # all 17 digits
            assert number == steps[name], name


def test_the_step_that_is_shown_is_the_one_that_is_taken(browser, page_in_one_file):
    """In all 17 digits: the kernels of the page tell what they do."""
    page = Studio(browser, f"{(page_in_one_file / 'en.html').as_uri()}#{SETUP}")
    page.step_to(2)
    wanted = {}
    for i, j in np.ndindex(3, 2):
        page.ask(f"[data-id='w.2.{i}.{j}']")
        page.until(lambda i=i, j=j: f"W.2.after[{i},{j}]" in page.values())
        wanted[f"w.2.{i}.{j}"] = float(page.values()[f"W.2.after[{i},{j}]"])
    page.step_to(3)
    page.press("mode-values")
    page.until(lambda: wanted.items() <= page.numbers().items())


@pytest.mark.rest
def test_both_doors_come_to_the_same_numbers(browser, page_in_one_file, served):
    found = []
    for base in ((page_in_one_file / "en.html").as_uri(), served):
        page = Studio(browser, f"{base}#{SETUP}")
        page.step_to(5)
        page.ask("[data-id='w.2.0.1']")
        found.append({name: float(value) for name, value in page.values().items()})
    assert found[0].keys() == found[1].keys()
    for name, value in found[0].items():
        assert value == pytest.approx(found[1][name], rel=1e-11, abs=1e-14), name


@pytest.mark.slow
def test_what_is_changed_is_in_the_address_and_undone(studio):
    page = studio()
    before = page.browser.current_url
    page.choose("learning-rate", 0.3)
    page.press("add-layer")
    page.until(lambda: "learningRate=0.3" in page.browser.current_url)
    page.until(lambda: "layers=8-tanh.8-tanh.8-tanh" in page.browser.current_url)
    address = page.browser.current_url
    page.press("undo")
    page.press("undo")
    page.until(lambda: page.browser.current_url.rstrip("#") == before.rstrip("#"))
    page.press("redo")
    page.press("redo")
    page.until(lambda: page.browser.current_url == address)
    again = studio(address.partition("#")[2])
    assert len(again.browser.find_elements("css selector", "[data-neuron^='n.3.']")) == 8


@pytest.mark.rest
@pytest.mark.parametrize(
    "address", ["data=nothing&layers=x", "layers=99-tanh", "learningRate=-1&l2=x"]
)
def test_an_address_that_tells_nonsense_opens_as_usual(studio, address):
    page = studio(address)
    page.press("one step")
    page.until(lambda: page.text("step") == "1")


def test_the_promise_of_a_small_change_is_kept(studio):
    page = studio(SETUP)
    page.step_to(1)
    page.ask("[data-id='w.2.0.1']")
    now = float(page.browser.execute_script("return document.getElementById('weight').value"))
    page.choose("weight", now + 1e-4)
    page.until(lambda: page.browser.find_element("css selector", ".promise").text)
    text = page.browser.find_element("css selector", ".promise").text
    promised, done = (float(n) for n in re.findall(r"-?\d[\d.]*(?:e-?\d+)?(?=[; ]|\.$)", text))
    assert done == pytest.approx(promised, rel=1e-2)


def test_no_words_are_said_twice():
    """Of two under one key the second would be told in the place of the first."""
    for language in ("en", "zh"):
        keys = [
            key
            for place in files("deltaprop").joinpath("studio", "language").iterdir()
            if re.fullmatch(rf"{language}(_\w+)?\.py", place.name)
            for key in import_module(f"deltaprop.studio.language.{place.name[:-3]}").WORDS
        ]
        assert {key for key in keys if keys.count(key) > 1} == set()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_word_is_there(language):
    words = studio_page(language, "run")
    told = json.loads(re.search(r'id="facts">(.*?)</script>', words, re.DOTALL)[1])["words"]
    asked = set()
    folder = files("deltaprop").joinpath("studio", "page")
    for place in Path(str(folder)).rglob("*.js"):
        asked |= set(re.findall(r'told\("([^"]+)"', place.read_text(encoding="utf-8")))
    assert asked <= set(told)


def test_programs_are_those_that_python_writes(browser, page_in_one_file):
    page = Studio(browser, (page_in_one_file / "en.html").as_uri())
    script = one_script(
        files("deltaprop"), "studio/page/program", "globalThis.tested = program.programOf;"
    )
    page.browser.execute_script(script)
    rng = np.random.default_rng(4)
    losses = [name for name, row in dp.LOSSES.items() if row.targets != "count"]
    for case in range(30):
        sizes = [int(n) for n in rng.integers(1, 4, size=rng.integers(2, 5))]
        hidden = [str(n) for n in rng.choice(list(dp.ACTIVATIONS), size=len(sizes) - 2)]
        loss = losses[case % len(losses)]
        l2, l1 = float(rng.choice([0, 0.1])), float(rng.choice([0, 0.2]))
        network = dp.Network(sizes, hidden, loss, l2=l2, l1=l1)
        rules = (dp.GradientDescent, dp.Momentum, dp.RMSProp, dp.Adam, dp.AdamW, dp.Lion)
        rule = rules[case % len(rules)](0.1)
        x = rng.normal(size=(3, sizes[0])).round(2)
        targets = np.full((3, sizes[-1]), 1 / sizes[-1])
        parameters = network.init(rng)
        expected = program(dp.explain(network, parameters, x, targets, optimizer=rule))
        settings = {
            name: expected["given"][name]
            for name in ("momentum", "decay", "epsilon", "beta_1", "beta_2", "weight_decay")
            if name in expected["given"]
        }
        plan = {
            "sizes": sizes, "activations": hidden, "loss": loss, "l2": l2, "l1": l1,
            "learningRate": 0.1, "optimizer": {"name": rule.name, **settings},
        }  # fmt: skip
        zeros = [[0.0] * network.n_parameters] * 2
        now = {
            "x": x.tolist(), "targets": targets.tolist(), "parameters": parameters.flat.tolist(),
            "states": zeros, "steps": 0,
        }  # fmt: skip
        found = page.browser.execute_script("return globalThis.tested(...arguments)", plan, now)
        expected = json.loads(json.dumps(expected))
        for part in set(expected) - {"given", "functions", "reach"}:
            assert found[part] == expected[part], (part, hidden, loss, rule.name)
        assert found["given"] == expected["given"]
        used = expected["functions"]
        assert {name: found["functions"][name] for name in used} == used
