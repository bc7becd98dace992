"""The studio's page, open in a browser."""

import contextlib
import threading
import time

import numpy as np
import pytest

import deltaprop as dp

PHASES = {"forward": "values", "loss": "values", "backward": "deltas", "update": "updates"}


def expected(step, mode, s):
    """Return the numbers of neurons, edges and loss, as the reference has them."""
    trace, after = step.trace, step.update.after.parameters
    before, gradients = trace.parameters, trace.gradients
    if mode == "values":
        neurons, edges = [a[s] for a in trace.a], before.W
    elif mode == "deltas":
        neurons = [trace.dx[s], *(delta[s] for delta in trace.delta)]
        edges = [W * delta[s] for W, delta in zip(before.W, trace.delta, strict=True)]
    elif mode == "gradients":
        neurons, edges = [(), *(b if b is not None else () for b in gradients.b)], gradients.W
    else:
        biases = zip(after.b, before.b, strict=True)
        neurons = [(), *(() if new is None else new - old for new, old in biases)]
        edges = [new - old for new, old in zip(after.W, before.W, strict=True)]
    found = {"loss": trace.loss}
    for layer, values in enumerate(neurons):
        found |= {f"n.{layer}.{j}": value for j, value in enumerate(values)}
    for layer, values in enumerate(edges, 1):
        found |= {f"w.{layer}.{i}.{j}": value for (i, j), value in np.ndenumerate(values)}
    return found


class Studio:
    """A page that is open."""

    def __init__(self, browser, address, at=0):
        self.browser = browser
        browser.get("about:blank")
        browser.get_log("browser")
        # a page in one file has no network at all
        network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        network["offline"] = address.startswith("file:")
        browser.execute_cdp_cmd("Network.emulateNetworkConditions", network)
        browser.get(address)
        self.until(lambda: self.text("step") == str(at) and self.text("loss"))

    def until(self, holds, seconds=60):
        from selenium.common.exceptions import WebDriverException

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if holds():
                    return
            except WebDriverException as error:  # the page is being drawn
                last = error
            else:
                last = None
            time.sleep(0.03)
        raise AssertionError(f"{holds} {last} {self.browser.get_log('browser')}")

    def text(self, name):
        return self.browser.execute_script(
            "return document.getElementById(arguments[0]).textContent", name
        )

    def press(self, name):
        self.browser.execute_script("document.getElementById(arguments[0]).click()", name)

    def press_first(self, selector):
        self.browser.execute_script("document.querySelector(arguments[0]).click()", selector)

    def choose(self, name, value, how="change"):
        self.browser.execute_script(
            "const it = document.getElementById(arguments[0]); it.value = arguments[1];"
            "it.dispatchEvent(new Event(arguments[2], { bubbles: true }))",
            name, str(value), how,
        )  # fmt: skip

    def run_numbers(self):
        """Return the parameters and outputs of the run."""
        return self.browser.execute_async_script(
            "const done = arguments[0]; deltapropNumbers().then(done, (e) => done(String(e)))"
        )

    def settle(self):
        """Wait until the step that comes is worked out of the numbers that there are now."""
        given = "return globalThis.deltapropStep()?.['W.1'][0][0]"
        self.until(
            lambda: self.browser.execute_script(given) == self.run_numbers()["parameters"][0]
        )

    def step_to(self, n):
        while int(self.text("step")) < n:
            before = int(self.text("step"))
            self.press("one step")
            self.until(lambda before=before: int(self.text("step")) == before + 1)

    def ask(self, what):
        self.browser.execute_script(
            "document.querySelector(arguments[0]).dispatchEvent("
            "new MouseEvent('click', { bubbles: true }))", what,
        )  # fmt: skip
        self.until(lambda: self.values())

    def values(self):
        return self.browser.execute_script(
            "return Object.fromEntries(Array.from(document.querySelectorAll('.ask li.line'),"
            "(line) => [line.dataset.id, line.dataset.value]))"
        )

    @property
    def is_served(self):
        return self.browser.current_url.startswith("http")

    def numbers(self):
        """Return what the picture of the network shows, by "n.1.3", "w.2.0.4", "loss"."""
        found = self.browser.execute_script(
            "return Object.fromEntries(Array.from(document.querySelectorAll('[data-number]'),"
            "(e) => [e.dataset.neuron ?? e.dataset.id, e.dataset.number]))"
        )
        return {name: float(text) for name, text in found.items()}

    def reference(self, activations, loss, rule):
        """Return the step that is shown as Python works it out, from the numbers it begins with."""
        given = self.browser.execute_script("return globalThis.deltapropStep()")
        layers = range(1, 1 + sum(name.startswith("W.") for name in given))
        sizes = [len(given["W.1"]), *(len(given[f"W.{k}"][0]) for k in layers)]
        kinds = "Wb" if "b.1" in given else "W"

        def flat(of):
            arrays = [np.ravel(given[f"{of}{kind}.{k}"]) for k in layers for kind in kinds]
            return np.concatenate(arrays).astype(float)

        network = dp.Network(sizes, activations, loss, bias=kinds == "Wb")
        state = rule.init(flat("").size)
        state |= {name: flat(f"{name}_") for name, v in state.items() if isinstance(v, np.ndarray)}
        if "t" in state:
            state["t"] = given["t"] - 1
        return dp.explain(
            network, dp.Parameters(network.layout, flat("")), given["x"], given["targets"],
            optimizer=rule, state=state,
        )  # fmt: skip

    def turn(self, what, value):
        """Ask about something and type what it shall be."""
        self.ask(what)
        self.until(lambda: self.browser.find_elements("id", "weight"))
        self.choose("weight", value)
        typed = "return Number(document.getElementById('weight').value)"
        self.until(lambda: self.browser.execute_script(typed) == value)
        self.settle()

    def complaints(self):
        return [e for e in self.browser.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]


@contextlib.contextmanager
def visiting(browser):
    """Give what opens pages; none of them may have complained at the end."""
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


@contextlib.contextmanager
def serving(port=0, **settings):
    """Serve it; give its address."""
    server = pytest.importorskip("deltaprop.studio.server")
    opened, found, stop = threading.Event(), [], server.Stop()

    def told(address):
        found.append(address)
        opened.set()

    thread = threading.Thread(
        target=server.serve, args=(port, "en", told, stop), kwargs=settings, daemon=True
    )
    thread.start()
    assert opened.wait(30)
    yield found[0]
    stop.now()
    thread.join(20)
    assert not thread.is_alive()
