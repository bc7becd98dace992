"""A page whose numbers were changed in it, beside the page that Python makes of those numbers."""

import math
import re
from dataclasses import replace
from unittest.mock import patch

import numpy as np

import deltaprop as dp
from deltaprop.model.parameters import Parameters
from deltaprop.notation.ids import read_ref
from deltaprop.training.optimizers import hyperparameters
from helpers.pages import Document, evaluated, number_of, spoken

# what a page says: places and their texts, of the live page and of another one's HTML
BOTH = """
const read = (page) => {
  const found = {};
  const note = (place, element) => { if (element) found[place] = element.textContent; };
  const every = (kind, selector, say) =>
    page.querySelectorAll(selector).forEach((e, k) => {
      found[`${kind} ${e.closest('[data-sample]')?.dataset.sample} ${e.dataset.of || k}`] = say(e);
    });
  for (const old of page.querySelectorAll('.was, .unseen, li[hidden]')) old.remove();
  for (const line of page.querySelectorAll('li.line')) {
    // Python's page has no formula of a brief line: its value is compared, and it has to hold
    if (!line.classList.contains('brief')) note(line.id, line.querySelector('.parts, .number'));
    const proof = line.querySelector('.proof');
    if (proof) found['proof ' + line.id] = proof.className;
  }
  every('equation', '.equation', (e) => e.textContent);
  every('picture', '.network text[data-of]', (e) => e.textContent);
  every('again', '.network [data-again]', (e) => e.dataset.again);
  every('edge', '.network .edge[data-of]', (e) =>
    e.getAttribute('class').replace(/ (lit|current)\\b/g, '') + e.textContent);
  every('description', '.network desc', (e) => e.textContent);
  every('sentence', '#promise td, #batch td, #batch > p, .proved, .failed, .conventions li',
    (e) => e.textContent);
  return found;
};
const values = {};
for (const line of document.querySelectorAll('li.line:not([hidden])')) {
  values[line.id] = line.dataset.value;
}
const other = new DOMParser().parseFromString(arguments[0], 'text/html');
return [read(document.body.cloneNode(true)), read(other.body), values];
"""
ULPS = 1e-13  # relative: some units in the last place of numbers that went through many others
NUMBER = re.compile(r"[−-]?\d+(?:\.\d+)?(?:×10[−-]?\d+)?")


def with_numbers(explained, changes):
    """Return the explanation of the same step with other given numbers, by id."""
    (trace, reduction), update = explained.as_given, explained.update
    x, targets = np.array(trace.a[0]), np.array(trace.targets)
    parameters = trace.parameters.like(trace.parameters.flat.copy())
    flat = {k: v.copy() for k, v in update.state.items() if isinstance(v, np.ndarray)}
    states = {k: trace.parameters.like(v) for k, v in flat.items()}
    rule, network = replace(update.rule, learning_rate=update.learning_rate), trace.network
    for name, value in changes.items():
        ref = read_ref(name)
        kept, _, array = ref.quantity.rpartition("_")
        if ref.quantity in ("x", "targets"):
            {"x": x, "targets": targets}[ref.quantity][ref.index] = value
        elif ref.quantity == "learning_rate" or ref.quantity in hyperparameters(rule):
            rule = replace(rule, **{ref.quantity: value})
        elif ref.quantity in ("l2", "l1"):
            strengths = {"l2": network.l2, "l1": network.l1, ref.quantity: value}
            network = dp.Network.from_layers(
                network.n_in, network.layers, loss=network.loss_name, **strengths
            )
            parameters = Parameters(network.layout, parameters.flat)
        elif kept:
            states[kept].layers[ref.layer - 1][array][ref.index] = value
        else:
            parameters.layers[ref.layer - 1][ref.quantity][ref.index] = value
    with patch("deltaprop.model.backprop.draw_masks", lambda *_: trace.masks):
        return dp.explain(
            network, parameters, x, targets, optimizer=rule, state={**update.state, **flat},
            train_biases=update.train_biases, reduction=reduction, names=explained.names,
            convention=explained.written.asked,
        )  # fmt: skip


def address(changes):
    """Return the end of an address that carries changes."""
    return "#set:" + ";".join(f"{name}={value!r}" for name, value in changes.items())


def numbers_in(text):
    """Return the numbers of a text, and the text without them."""
    found = [float(n.replace("−", "-").replace("×10", "e")) for n in NUMBER.findall(text)]
    return found, NUMBER.sub("#", text)


def differences(browser, explained, close=1e-9, **style):
    """Return where the page in the browser says something else than that of an explanation.

    Of two texts with the same words the numbers have to be ``close``, relative to the largest.
    """
    live, python, values = browser.execute_script(BOTH, explained.to_html(**style))
    odd = {}
    for place, text in python.items():
        if place not in live:  # of very many numbers a page tells the strongest
            continue
        (one, words), (other, expected) = numbers_in(live[place]), numbers_in(text)
        size = max(map(abs, other), default=0) if place.startswith("sentence") else 0
        alike = words == expected and all(
            math.isclose(a, b, rel_tol=close, abs_tol=close * size)
            for a, b in zip(one, other, strict=True)
        )
        if not alike:
            odd[place] = (live[place], text)
    return odd, {name: float(value) for name, value in values.items()}


def worst_value(explained, values):
    """Return the largest relative difference of a page's numbers from those of an explanation."""
    worst = (0.0, "")
    for name, value in values.items():
        step = explained.derivation.step(read_ref(name))
        if step is not None and value != step.value:
            worst = max(worst, (abs(value - step.value) / max(abs(step.value), 1e-300), name))
    return worst


def broken_lines(html):
    """Return the lines of a page whose displayed formula does not come to their result."""
    document = Document(html)
    broken = []
    for item in document.with_class("step"):
        numbers = document.with_class("numbers", item)
        if not numbers or "hidden" in item.attrib:
            continue
        (result,) = document.with_class("result", item)
        shown = number_of(result)
        text = "".join(spoken(m) for m in numbers[0].iter("math")).lstrip("=")
        digits = len(re.sub(r"e.*|\D", "", f"{abs(shown):.6g}").strip("0")) or 1
        if not math.isfinite(shown):
            if str(evaluated(text)) != str(shown):
                broken.append((item.get("id"), text, shown))
            continue
        size = math.floor(math.log10(abs(shown))) if shown else -math.inf
        least = 10.0 ** (size - (digits if "≈" in "".join(result.itertext()) else 6) + 1)
        if not (abs(evaluated(text) - shown) <= 1.01 * least or evaluated(text) == shown):
            broken.append((item.get("id"), text, shown))
    return broken


def changed(browser, changes):
    """Change numbers in the page."""
    browser.execute_script("location.hash = ''")
    browser.execute_script("location.hash = arguments[0]", address(changes))
    said = browser.find_element("css selector", "#changes .said").text
    assert "The loss is" in said or "cannot take" in said, said


def judge(browser, explained, changes, ulps=ULPS, **style):
    """Change numbers in the page, and hold it against the page that Python makes of them."""
    changed(browser, changes)
    assert "Changed" in browser.find_element("css selector", "#changes .said").text
    other = with_numbers(explained, changes)
    odd, values = differences(browser, other, **style)
    assert odd == {}
    worst, name = worst_value(other, values)
    assert worst <= ulps, name
    assert broken_lines(browser.execute_script("return document.body.outerHTML")) == []
