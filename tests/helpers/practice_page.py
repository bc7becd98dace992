"""The studio's page, on which somebody practises."""

import numpy as np

import deltaprop as dp
from deltaprop.checking.step import Step
from deltaprop.functional.losses import sample_shares

SMALL = (
    "data=moons&data-n=40&data-noise=0.05&data-parts=1&layers=2-sigmoid&optimizer=gradient_descent"
    "&learningRate=0.3&batchSize=4&scheme=short"
)
READ = """
return Object.fromEntries(Array.from(document.querySelectorAll('.array'), (table) => [
  table.dataset.of,
  Array.from(table.rows, (row) => Array.from(row.cells, (cell) => cell.textContent))]))
"""
ANSWERS = """
for (const [id, text] of Object.entries(arguments[0])) {
  const field = document.getElementById(`answer-${id}`);
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
}
"""


class Practice:
    """A page on which somebody practises a small network of two decimals."""

    def __init__(self, page, topic="mixture", amount="layer", samples=1, numbers="short"):
        self.page = page
        page.press("tab-practise")
        page.until(lambda: page.browser.find_elements("id", "begin"))
        for name, value in (("topic", topic), ("amount", amount), ("samples", samples)):
            page.choose(f"practise-{name}", value)
        page.choose("practise-short", numbers)
        self.begin()

    def begin(self, button="begin"):
        self.page.until(lambda: self.page.browser.find_element("id", button).is_enabled())
        self.page.press(button)
        self.page.until(self.asked)
        self.step = self.step_shown()
        self.right = self.step and self.step.right

    def step_shown(self):
        """Return the step in Python, from what the page gives; None of one without biases."""
        given = {
            name: np.array([[float(t.replace("−", "-")) for t in row] for row in rows])
            for name, rows in self.page.browser.execute_script(READ).items()
            if not any("?" in t for row in rows for t in row)
        }
        if "b.1" not in given:
            return None
        layers = range(1, 1 + sum(name.startswith("W.") and name.count(".") == 1 for name in given))
        sizes = [len(given["W.1"]), *(given[f"W.{k}"].shape[1] for k in layers)]
        network = dp.Network(sizes, ["sigmoid"] * (len(sizes) - 2))
        flat = [np.ravel(given[f"{kind}.{k}"]) for k in layers for kind in "Wb"]
        parameters = dp.Parameters(network.layout, np.concatenate(flat))
        x = given["x"]
        eta = float(given["learning_rate"][0, 0])
        return Step(network, parameters, x, given["targets"], sample_shares(len(x)), eta)

    def asked(self):
        return [
            field.get_attribute("id").removeprefix("answer-")
            for field in self.page.browser.find_elements("css selector", ".question input")
        ]

    def value(self, name, of=None):
        key, _, place = name.partition("[")
        at = tuple(int(i) for i in place.rstrip("]").split(",")) if place else ()
        return float((of or self.right)[key][at])

    def answer(self, texts):
        before = self.said(), self.asked()
        self.page.browser.execute_script(ANSWERS, texts)
        self.page.press("check")
        self.page.until(lambda: (self.said(), self.asked()) != before)

    def said(self):
        return self.page.browser.execute_script(
            "return document.querySelector('.verdicts')?.textContent ?? ''"
        )

    def over(self):
        return self.page.browser.execute_script(
            "return document.querySelector('.over')?.textContent ?? ''"
        )

    def tally(self):
        return self.page.browser.execute_script(
            "return document.querySelector('.tally')?.textContent ?? ''"
        )
