"""A set given as a formula: right ones draw the points they say, wrong ones are told where."""

import math
import random

import pytest

from deltaprop.studio.language import wording
from helpers.in_browser import what_keeps_people_out
from helpers.studio_modules import answer_of_modules
from helpers.studio_page import Studio

READ = """
const { FormulaError, readFormula } = await of("formula");
const { pointsOf, classesOf } = await of("sets");
const found = given.texts.map((text) => {
  try {
    const formula = readFormula(text);
    const wish = { name: "formula", n: 40, noise: 0, seed: 1, parts: 1, points: "", formula: text };
    return {
      classes: formula.classes, at: given.places.map(([a, b]) => formula.at(a, b)),
      points: pointsOf("formula", wish), of: classesOf(wish),
    };
  } catch (error) {
    if (!(error instanceof FormulaError)) return { fault: String(error.stack) };
    return { key: error.key, values: error.values };
  }
});
console.log(JSON.stringify(found));
"""
PLACES = [[0.3, -0.7], [-0.25, 0.5], [0.9, 0.8], [-0.6, -0.1]]
RIGHT = {
    "sin(3*x1)*x2": lambda x, y: math.sin(3 * x) * y,
    "2 - -x1^2": lambda x, y: 2 + x * x,
    "-x1^2": lambda x, y: -(x * x),
    "2^-1*x1": lambda x, y: x / 2,
    "x1/x2/2 - x1 - 1": lambda x, y: x / y / 2 - x - 1,
    "2^3^0.5": lambda x, y: 2 ** (3**0.5),
    "max(x1, x2, 0) + min(x1, -.5)": lambda x, y: max(x, y, 0) + min(x, -0.5),
    "exp(-(x^2 + y^2)/0.5) + 1e-1*pi": lambda x, y: math.exp(-(x**2 + y**2) / 0.5) + 0.1 * math.pi,
    "x1² × x2 − π": lambda x, y: x * x * y - math.pi,
    "（x1＋x2）＊2": lambda x, y: 2 * (x + y),
    "x1^2 + x2^2 < 0.5": lambda x, y: int(x * x + y * y < 0.5),
    "(x1 > 0) * x2": lambda x, y: (x > 0) * y,
    "x1 > 0 and x2 > 0 or x1 < -0.5": lambda x, y: int((x > 0 and y > 0) or x < -0.5),
    "x1 ≤ 0 & (x2 >= 0 | x1 < -0.5)": lambda x, y: int(x <= 0 and (y >= 0 or x < -0.5)),
    "x1 > x2; x1 < -x2; x2 > 0": lambda x, y: 1 if x > y else 2 if x < -y else 3 if y > 0 else 0,
    "x1 > 0; x2 > 0": lambda x, y: 1 if x > 0 else 2 if y > 0 else 0,
}
WRONG = {
    "": ("formula empty", {}),
    "  ": ("formula empty", {}),
    "x1 $ 2": ("formula sign", {"place": 4, "found": "$"}),
    "x1² $": ("formula sign", {"place": 5, "found": "$"}),
    "x3": ("formula name", {"place": 1, "found": "x3"}),
    "alert(1)": ("formula name", {"place": 1, "found": "alert"}),
    "x1 + <b>": ("formula wanted", {"place": 6, "found": "<"}),
    "x1 +": ("formula ends", {"place": 5, "found": ""}),
    "2 x1": ("formula after", {"place": 3, "found": "x1"}),
    "(x1 + 2": ("formula open", {"place": 8, "opened": 1}),
    "sin(x1": ("formula open", {"place": 7, "opened": 4}),
    "x1)": ("formula after", {"place": 3, "found": ")"}),
    "sin x1": ("formula call", {"place": 1, "name": "sin"}),
    "sin(x1, 2)": ("formula one", {"place": 1, "name": "sin"}),
    "max(x1)": ("formula several", {"place": 1, "name": "max"}),
    "0 < x1 < 1": ("formula chain", {"place": 8, "found": "<"}),
    "x1 > 0; x2": ("formula no condition", {"place": 9}),
    "x1 > 0;" * 6 + "x2 > 0": ("formula many", {"most": 5}),
    "log(-1 - x1^2)": ("formula nowhere", {}),
    "1/0": ("formula nowhere", {}),
    "exp(20*x1)": ("formula large", None),
    "x1" + "+x2" * 70: ("formula long", {"most": 200}),
    "constructor": ("formula name", None),
    "(" * 190: ("formula ends", None),
}


@pytest.fixture(scope="module")
def read():
    found = answer_of_modules(READ, texts=[*RIGHT, *WRONG], places=PLACES)
    return dict(zip([*RIGHT, *WRONG], found, strict=True))


@pytest.mark.parametrize("text", RIGHT)
def test_a_formula_comes_to_what_it_says(read, text):
    found, expected = read[text], RIGHT[text]
    assert found["at"] == pytest.approx([expected(*place) for place in PLACES], rel=1e-14)
    points = found["points"]
    is_condition = any(sign in text for sign in "<>≤") and "*" not in text.replace("* x2", "*")[-4:]
    values = points.get("values") or points["labels"]
    assert [expected(*place) for place in points["x"]] == pytest.approx(values, rel=1e-13)
    classes = text.count(";") + 2 if "labels" in points else 0
    assert found["classes"] == found["of"] == points["classes"] == classes
    assert ("labels" in points) == (is_condition and text != "(x1 > 0) * x2")


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:12])
def test_what_is_no_formula_is_told_where(read, text):
    key, values = WRONG[text]
    assert read[text].get("key") == key, read[text]
    if values is not None:
        got = read[text]["values"]
        assert {name: got[name] for name in values} == values
    for language in ("en", "zh"):
        said = wording(language)[key].format(**read[text]["values"])
        assert "{" not in said


def test_any_text_is_read_or_refused():
    rng = random.Random(3)
    parts = ["x1", "x2", "+", "-", "*", "/", "^", "(", ")", "<", ">", ";", "sin", "max", ",", "2",
             ".5", "and", "or", " ", "é", "\\", "'", "1e9", "e", "pi", "__proto__"]  # fmt: skip
    texts = ["".join(rng.choices(parts, k=rng.randrange(1, 12))) for _ in range(3000)]
    found = answer_of_modules(READ, texts=texts, places=PLACES)
    assert not [(t, f) for t, f in zip(texts, found, strict=True) if "fault" in f]
    assert sum("classes" in f for f in found) > 20


@pytest.mark.rest
def test_a_formula_is_learnt_undone_and_kept_in_the_address(studio):
    page = studio("data=moons")
    browser = page.browser
    browser.execute_script("document.querySelector('[data-set=formula]').click()")
    page.until(lambda: page.text("right") == "–")  # a number is asked for
    before = browser.current_url
    page.choose("formula", "x1^2 + x2^2 < 0.4; x1 > 0")
    page.until(lambda: len(browser.find_elements("css selector", "[data-neuron^='n.3.']")) == 3)
    address = browser.current_url
    page.press("play")
    page.until(lambda: page.text("right") != "–" and float(page.text("right").split()[0]) > 90)
    page.press("pause")
    page.press("undo")
    page.until(lambda: browser.current_url == before)
    page.press("redo")
    page.until(lambda: browser.current_url == address)
    again = studio(address.partition("#")[2])
    value = "return document.getElementById('formula').value"
    assert again.browser.execute_script(value) == "x1^2 + x2^2 < 0.4; x1 > 0"
    again.choose("formula", "x1 + + ) 2")
    again.until(lambda: "character 8" in again.text("formula-wrong"))
    assert browser.current_url == address  # the set is as it was
    assert browser.execute_script(value) == "x1 + + ) 2"
    again.choose("formula", "x1")
    again.until(lambda: not again.text("formula-wrong") and browser.current_url != address)


def test_an_address_with_no_formula_opens_as_usual(studio):
    page = studio("data=formula&data-formula=alert(1)<script>")
    value = "return document.getElementById('formula').value"
    assert page.browser.execute_script(value) == "sin(3*x1)*x2"


@pytest.mark.slow
@pytest.mark.parametrize(
    "address", ["data=formula", "data=drawn&data-points=cgAgAgBBB", "data=xor"]
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_keeps_anybody_from_sets_and_settings(
    browser, page_in_one_file, axe, address, language
):
    page = Studio(browser, f"{(page_in_one_file / f'{language}.html').as_uri()}#{address}")
    page.press("tab-settings")
    if "formula" in address:
        page.choose("formula", "x1 +")
    assert what_keeps_people_out(browser, axe) == []
    assert page.complaints() == []
