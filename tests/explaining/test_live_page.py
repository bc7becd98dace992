"""The page with other numbers, worked out in the browser, is the page that Python makes of them."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import EXAMPLES, Names, built_in_example
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.live.page_data import page_data
from deltaprop.notation.ids import read_ref
from deltaprop.notation.mathml import symbol
from deltaprop.notation.unicode import symbol_of
from helpers.explained import tutorial as explained_tutorial
from helpers.live_pages import (
    ULPS,
    address,
    broken_lines,
    changed,
    differences,
    judge,
    with_numbers,
    worst_value,
)  # fmt: skip
from helpers.pages import Document, without_scripts


@pytest.fixture(scope="module")
def batch():
    """Two rows, two classes, a missing bias, a momentum that has moved before, and a penalty."""
    layers = [dp.Dense(2, "relu", bias=[True, False]), dp.Dense(2)]
    network = dp.Network.from_layers(2, layers, l2=0.1)
    parameters = network.parameters(
        [[[0.5, -1.5], [0.25, 1.0]], [[1.0, -0.5], [2.0, 0.75]]], [[0.1, None], [0.0, -0.1]]
    )
    rule, state = dp.Momentum(0.1), {"v": np.arange(12) / 100}
    return dp.explain(network, parameters, [[1, 2], [-1, 0.5]], [0, 1], optimizer=rule, state=state)


class TestTyping:
    @pytest.mark.rest
    def test_a_number_is_typed_and_everything_follows(self, page, tutorial):
        from selenium.webdriver.common.keys import Keys

        browser = page(tutorial)
        near = browser.execute_script(  # the outline of a number that has the focus, 2px
            "return Array.from(document.querySelectorAll('.given button.change'), (button) =>"
            " button.getBoundingClientRect().left - 2"
            " - button.previousElementSibling.getBoundingClientRect().right)"
        )
        assert min(near) >= 0, "the outline lies over the symbol"
        browser.find_element("css selector", 'li[id="x[0,0]"] button.change').click()
        field = browser.switch_to.active_element
        assert (field.tag_name, field.get_attribute("value")) == ("input", "1")
        field.send_keys("a third", Keys.ENTER)
        alert = browser.find_element("css selector", '[role="alert"]')
        assert "no number" in alert.text
        assert field.get_attribute("aria-describedby") == alert.get_attribute("id")
        field.clear()
        field.send_keys("-5/2", Keys.ENTER)
        focused = browser.switch_to.active_element
        assert "x₁" in focused.get_attribute("textContent")
        said = browser.find_element("css selector", '#changes [role="status"]').text
        assert "x₁ = −2.5" in said
        assert "The loss was 0.55125" in said
        assert address({"x[0,0]": -2.5}) in browser.current_url
        odd, _ = differences(browser, with_numbers(tutorial, {"x[0,0]": -2.5}))
        assert odd == {}
        assert "was 1.25" in browser.find_element("css selector", 'li[id="z.1[0,0]"]').text
        # away from a number without changing it
        focused.send_keys(Keys.ENTER)
        browser.switch_to.active_element.send_keys("9", Keys.ESCAPE)
        assert not browser.find_elements("css selector", ".given input")
        browser.find_element("css selector", 'li[id="x[0,0]"] button.was').click()
        assert differences(browser, tutorial)[0] == {}
        assert "#set" not in browser.current_url

    def test_what_cannot_be_is_refused_and_nothing_changes(self, page, tutorial):
        browser = page(tutorial)
        take = (
            'document.querySelector(`li[id="${arguments[0]}"] .change`).click();'
            "const field = document.activeElement; field.value = arguments[1];"
            "field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));"
            "const said = document.querySelector('.unfit')?.textContent || '';"
            "field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}));"
            "return said"
        )
        for name, text, words in (
            ("x[0,0]", "", "no number"),
            ("x[0,0]", "1e999", "too large"),
            ("W.1[0,0]", "1e200", "beyond all numbers"),
            ("learning_rate", "0", "above 0"),
        ):
            assert words in browser.execute_script(take, name, text)
        assert browser.execute_script(take, "x[0,0]", "１，5") == ""  # full width, decimal comma
        odd, _ = differences(browser, with_numbers(tutorial, {"x[0,0]": 1.5}))
        assert odd == {}
        browser.find_element("css selector", ".back-to-original").click()
        assert differences(browser, tutorial)[0] == {}

    def test_an_address_that_asks_for_what_cannot_be_changes_nothing(self, page, tutorial):
        browser = page(tutorial)
        for bad in ({"y[0,0]": 1.0}, {"learning_rate": -1.0}, {"z.1[0,0]": 2.0}):
            browser.execute_script("location.hash = arguments[0]", address(bad))
            assert "cannot take" in browser.find_element("css selector", "#changes .said").text
        assert differences(browser, tutorial)[0] == {}


@pytest.mark.rest
def test_a_batch_with_penalty_and_momentum(page, batch):
    browser = page(batch)
    assert differences(browser, batch)[0] == {}
    told = browser.execute_script(
        "return Array.from(document.querySelectorAll('li.given:has(button)'),"
        " (e) => [e.id, e.querySelector('button').textContent])"
    )
    assert len(told) > 30
    for name, text in told:
        assert f"{symbol_of(read_ref(name), 2)}" in text
    judge(browser, batch, {"x[1,0]": -800.0, "v_W.1[0,1]": 1.0, "l2": 0.5, "b.2[0]": 1e-8})
    judge(browser, batch, {"W.1[0,0]": 1e3, "momentum": 0.5, "learning_rate": 2.0, "x[0,1]": 0.0})


@pytest.mark.slow
@pytest.mark.parametrize("rule", [dp.Momentum(0.1), dp.Adam(0.1)])
def test_steps_are_taken_one_after_another(page, batch, rule):
    trace = batch.trace
    first = dp.explain(trace.network, trace.parameters, trace.a[0], trace.targets, optimizer=rule)
    browser, step = page(first), first
    for count in (1, 2):
        browser.find_element("css selector", "button.take-step").click()
        said = browser.find_element("css selector", "#changes .said").text
        assert said.startswith(f"Steps taken: {count}. The loss is")
        step = dp.explain(
            trace.network, step.update.after.parameters, trace.a[0], trace.targets,
            optimizer=rule, state=step.update.new_state,
        )  # fmt: skip
        odd, values = differences(browser, step)
        assert odd == {}
        assert worst_value(step, values)[0] < ULPS
    browser.find_element("css selector", ".back-to-original").click()
    assert differences(browser, first)[0] == {}


@pytest.mark.slow
def test_targets_of_classes_go_on_adding_up_to_one(page, batch):
    from selenium.webdriver.common.keys import Keys

    browser = page(batch)
    browser.find_element("css selector", 'li[id="targets[0,1]"] button.change').click()
    browser.switch_to.active_element.send_keys("0.25", Keys.ENTER)
    other = with_numbers(batch, {"targets[0,0]": 0.75, "targets[0,1]": 0.25})
    assert differences(browser, other)[0] == {}


# every kind of network, of loss and of optimizer, with numbers that are far out

KINDS = (
    "scaling", "ntk", "parametric", "periodic", "waves", "categories", "many categories",
    "normalized", "real", "deep", "missing biases",
)  # fmt: skip
FAR = (0.0, -1.5, 1e3, 1e-8, 0.25, -3.0, 40.0, -800.0, 7.0)


def any_changes(rng, explained, names):
    loss = explained.trace.network.loss
    allowed = {"unit": (0.0, 0.25, 1.0), "count": (0.0, 3.0)}.get(loss.targets, FAR)
    chosen = {}
    for name in rng.permutation(names)[: int(rng.integers(1, 5))]:
        quantity = read_ref(str(name)).quantity
        value = float(rng.choice(FAR))
        if quantity in ("l2", "l1", "learning_rate", "epsilon", "momentum", "decay", "weight_decay",
                        "beta_1", "beta_2"):  # fmt: skip
            value = 0.75
        elif quantity == "targets":
            if loss.targets == "distribution":
                continue
            value = float(rng.choice(allowed))
        elif quantity.startswith(("v_", "s_")):
            value = abs(value)  # mean squares
        elif quantity in ("t", "mask"):
            continue
        chosen[str(name)] = value
    return chosen


def judge_far_out(page, explained, rng):
    browser = page(explained)
    names = browser.execute_script(
        "return Array.from(document.querySelectorAll('li.given'), (e) => e.id)"
    )
    for _ in range(3):
        changes = any_changes(rng, explained, names)
        try:
            other = with_numbers(explained, changes)
        except dp.errors.DataError:
            continue  # beyond all numbers
        if not changes or not np.isfinite(other.update.after.loss):
            continue
        changed(browser, changes)
        if "cannot take" in browser.find_element("css selector", "#changes .said").text:
            assert (
                explained.trace.network.loss_name == "in_bits"
            )  # ln 0, of which nobody knows more
            continue
        odd, values = differences(browser, other, close=1e-5)
        # where terms cancel to nothing, what is left is the rounding of one side or the other
        assert len(odd) <= 0.02 * len(values), (changes, odd)
        pairs = [(values[s.id], s.value) for s in other.steps if s.id in values]
        close = np.isclose(*np.transpose(pairs), rtol=1e-9, atol=0.0, equal_nan=True)
        assert np.mean(close) > 0.97, changes
        assert broken_lines(browser.execute_script("return document.body.outerHTML")) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_of_layer_with_any_numbers(page, draw_layers, kind):
    judge_far_out(page, draw_layers(kind).explanation, np.random.default_rng(5))


CONVENTIONS = (
    ["per_sample", "t_minus_y_in_delta", "out_in"], ["t_minus_y", "columns", "base_10"],
    ["per_sample_dW_summed", "in_loss_and_update", "base_2"], ["in_update", "t_minus_y"],
    ["sum", "over_samples", "out_in", "columns"],
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_of_layer_in_conventions(page, draw_layers, kind):
    names = CONVENTIONS[KINDS.index(kind) % len(CONVENTIONS)]
    step = draw_layers(kind).explanation.in_convention(names)
    judge_far_out(page, step, np.random.default_rng(5))


@pytest.mark.slow
@pytest.mark.parametrize(
    "formulas",
    [
        {"formulas": ("tanh(z)", "1 - a**2")},
        {
            "formulas": ("(exp(z) - exp(-z)) / (exp(z) + exp(-z))", "1 - a**2"),
            "elsewhere": (
                ("1 - 2 / (exp(2 * z) + 1)", "2 / (1 + exp(-(2 * z))) - 1", "z - z**3 / 3"), ()
            ),
        },
    ],
)  # fmt: skip
def test_what_somebody_registered_with_any_numbers(page, draw, monkeypatch, formulas):
    own = registered(monkeypatch, "mine", **formulas)
    judge_far_out(page, draw(own, "huber", depth=1).explanation, np.random.default_rng(5))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_any_step_with_any_numbers(page, draw, monkeypatch, seed):
    base = dp.LOSSES["cross_entropy"]
    in_bits = replace(
        base, name="in_bits", per_label=None, smooth=None,
        per_sample=lambda z, t: 1.4426950408889634 * base.per_sample(z, t),
        delta_per_sample=lambda z, t: 1.4426950408889634 * base.delta_per_sample(z, t),
        arithmetic=("-(t * log(p)) * 1.4426950408889634", "(p - t) * 1.4426950408889634"),
        by_output="-(t / p) * 1.4426950408889634",
    )  # fmt: skip
    monkeypatch.setattr(dp.LOSSES, "_rows", {**dp.LOSSES._rows, "in_bits": in_bits})
    rng = np.random.default_rng(seed)
    activation = list(dp.ACTIVATIONS)[seed % len(dp.ACTIVATIONS)]
    losses = [*dp.LOSSES, *(f"half_squared_error_{f}" for f in ("tanh", "relu"))]
    losses += ["cross_entropy_sigmoid", "in_bits"]
    loss = losses[seed % len(losses)]
    rule = list(dp.OPTIMIZERS.values())[seed % len(dp.OPTIMIZERS)](0.05)
    settings = {"l2": 0.1 * (seed % 3 == 0), "l1": 0.05 * (seed % 5 == 0)}
    explained = draw(
        activation, loss, depth=1 + seed % 2, n=1 + seed % 3, bias=bool(seed % 2), optimizer=rule,
        **settings,
    ).explanation  # fmt: skip
    judge_far_out(page, explained, rng)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_a_row_of_a_tables_model(page, rng, width):
    """As large as what is trained on penguins: 12 -> 12 scaling -> 3 x 96 selu -> 3 softmax."""
    ntk = {"parametrization": "ntk"}
    hidden = [dp.Dense(96, "selu", **ntk) for _ in range(3)]
    network = dp.Network.from_layers(12, [dp.Scaling(6.0), *hidden, dp.Dense(3, **ntk)])
    parameters = network.init(rng)
    parameters.flat[:] = parameters.flat.astype(np.float32)
    explained = dp.explain(network, parameters, rng.normal(size=(1, 12)).round(3), [1])
    assert len(explained.to_html().encode()) < 1_000_000
    browser = page(explained, width=width)
    root = "document.documentElement"
    wide, high = browser.execute_script(f"return [{root}.scrollWidth, {root}.scrollHeight]")
    assert wide <= width
    assert high < 25_000
    judge(browser, explained, {"x[0,3]": 2.0, "learning_rate": 0.5}, ulps=1e-9)


# without a browser


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.one_in(5)
def test_the_page_of_an_example_is_small(name):
    limit = 300_000 if name == "tutorial" else 400_000
    assert len(built_in_example(name).explain().to_html().encode()) <= limit


def test_symbols_of_the_data_are_those_of_the_page(batch):
    document = batch.document(Style())
    symbols = json.loads(page_data(document))["symbols"]
    steps = [step for line in document.lines() for step in (line.step.id, *line.step.operands)]
    for name in dict.fromkeys(steps):
        ref = read_ref(name)
        base = name.partition("[")[0]
        template, front, behind, _ = symbols.get(f"{base}[]" if ref.index else base, symbols[base])
        index = [str(place + 1) for place in ref.index][front : len(ref.index) - behind]
        assert template.replace("{}", "".join(index)) == symbol(ref, 2), name


def test_the_data_cannot_end_its_element(rng):
    network = dp.Network([1, 1])
    step = dp.explain(network, network.init(rng), [[1.0]], [0], names=Names("</script><b>"))
    data = re.search(r'id="step-data">(.*?)</script>', step.to_html(), re.DOTALL).group(1)
    assert not set("<>&") & set(data)
    assert json.loads(data)["program"]["n"] == 1


def registered(monkeypatch, name, formulas, **more):
    """Register tanh under another name, with formulas or without, as long as the test."""
    row = dp.Activation(
        name, np.tanh, lambda _z, a: 1 - a**2, ("", ""), "mine", arithmetic=formulas, **more
    )
    monkeypatch.setattr(dp.ACTIVATIONS, "_rows", {**dp.ACTIVATIONS._rows, name: row})
    return name


def test_what_was_registered_without_a_formula_cannot_be_changed_and_says_so(monkeypatch):
    own = registered(monkeypatch, "silent", None)
    network = dp.Network([1, 2, 1], own, loss="half_squared_error")
    step = dp.explain(network, network.init(np.random.default_rng(1)), [[1.0]], [[0.5]])
    assert "step-data" not in (text := step.to_html(detail="overview"))
    assert "step-data" not in (text := step.to_html())
    assert "cannot be changed in this page: silent was registered without its formula" in text


def test_a_network_too_large_to_carry_along_says_so(rng):
    network, x = dp.Network([200, 150, 10], "relu"), rng.normal(size=(1, 200))
    parameters = network.init(rng)
    text = dp.explain(network, parameters, x, [3]).only("db2[0]").to_html()
    assert "step-data" not in text
    assert "31,660 parameters, too many" in text
    parameters.flat[:] = parameters.flat.astype(np.float32)  # as a trained model has them
    assert "step-data" in dp.explain(network, parameters, x, [3]).only("db2[0]").to_html()


def test_of_very_many_lines_the_strongest_path_comes_first(rng):
    network = dp.Network([30, 20, 5], "relu")
    step = dp.explain(network, network.init(rng), rng.normal(size=(1, 30)), [3])
    document = Document(step.to_html())
    first = [e for e in document.with_class("step") if "brief" not in e.get("class")]
    others = document.with_class("brief")
    assert len(first) < 40 < len(others)
    quantities = {read_ref(e.get("id")).quantity for e in first}
    assert {"z", "a", "loss", "delta", "dW", "W", "db", "b"} <= quantities
    # without a script every other number is there to be read, folded
    text = without_scripts(step.to_html())
    assert text.count('<details class="further">') >= 4
    assert all(document.with_class("result", e) for e in others)


def test_the_tutorial_is_read_without_a_script_as_before():
    text = without_scripts(explained_tutorial().to_html())
    assert "brief" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
