"""The studio in a notebook: Python's side alone, and its module with a stand-in for the model."""

import json
import re
import time
from importlib.resources import files

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DeltapropError, SettingError
from deltaprop.studio.engine import engine_bytes

pytest.importorskip("anywidget")
widget = pytest.importorskip("deltaprop.studio.widget")
pytestmark = pytest.mark.skipif(engine_bytes() is None, reason="the engine was not built")


def until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


BARE_LOSS = "half_squared_error"
NETWORK = dp.Network([2, 3, 2, 2], ["tanh", "relu"], l2=0.01)
# as anywidget's own front end does: the module from a blob, a model with traits
CELLS = """<!doctype html><meta charset="utf-8"><div id="one"></div><div id="two"></div>
<script type="module">
const esm = new Blob([%s], { type: "text/javascript" });
const { default: { render } } = await import(URL.createObjectURL(esm));
globalThis.models = %s.map((traits, k) => {
  const model = {
    traits, saved: 0, get: (name) => traits[name], set: (name, value) => (traits[name] = value),
    save_changes: () => (model.saved += 1), on() {}, off() {},
  };
  model.end = render({ model, el: document.getElementById(["one", "two"][k]) });
  return model;
});
</script>"""


def test_it_opens_with_a_network_and_parameters():
    parameters = NETWORK.init(np.random.default_rng(0))
    own = widget.Studio(
        NETWORK, parameters=parameters, data="moons", learning_rate=0.1, language="zh"
    )
    run = json.loads(re.search(r'id="run">(.*?)</script>', own._page)[1].replace("\\u0026", "&"))
    assert run["edits"] == [[0, parameters.flat.tolist()]]
    assert "layers=3-tanh.2-relu" in run["address"]
    assert "learningRate=0.1" in run["address"]
    assert 'lang="zh-Hans"' in own._page
    other = widget.Studio(NETWORK)
    assert other.model_id != own.model_id


@pytest.mark.parametrize(
    "network",
    [
        dp.Network([2, 400, 2]),
        dp.Network.from_layers(2, [dp.Dense(2), dp.Dense(2, bias=False)], "cross_entropy"),
        dp.Network.from_layers(2, [dp.Dense(2), dp.LayerNorm(), dp.Dense(2)], "cross_entropy"),
    ],
)
def test_what_it_cannot_show_is_refused(network):
    with pytest.raises(SettingError, match="studio shows"):
        widget.Studio(network)


def test_its_bounds_are_those_of_the_page():
    setup = files("deltaprop").joinpath("studio", "page", "setup.js").read_text("utf-8")
    assert f"MOST_LAYERS = {widget.MOST_LAYERS};" in setup
    assert f"MOST_NEURONS = facts.server === null ? {widget.MOST_NEURONS} :" in setup


def test_what_the_page_tells_becomes_parameters():
    own = widget.Studio(NETWORK)
    layers = [{"n": 3, "activation": "tanh"}, {"n": 2, "activation": "relu"}]
    own.setup = {
        "sizes": [2, 3, 2, 2], "layers": layers, "loss": "cross_entropy", "l2": 0.01, "l1": 0,
        "biases": True,
    }  # fmt: skip
    own._numbers = NETWORK.init(np.random.default_rng(1)).flat.tolist()
    assert own.network == NETWORK
    assert own.parameters.flat.tolist() == own._numbers


def opened(browser, folder, both):
    """Show widgets as a notebook does; return what gives them what their pages have told."""
    traits = [{"_page": one._page, "height": one.height} for one in both]
    told = (json.dumps(each).replace("</", "<\\/") for each in (str(widget.Studio._esm), traits))
    (folder / "cells.html").write_text(CELLS % tuple(told), encoding="utf-8")
    browser.get((folder / "cells.html").as_uri())

    def told_by(k):
        found = browser.execute_script("return globalThis.models?.[arguments[0]].traits", k) or {}
        for name in ("setup", "step", "figures", "_numbers"):
            if name in found:
                setattr(both[k], name, found[name])
        return "step" in found

    return told_by


@pytest.mark.rest
def test_two_in_a_notebook_do_not_disturb_each_other(browser, tmp_path):
    parameters = NETWORK.init(np.random.default_rng(2))
    both = [
        widget.Studio(NETWORK, parameters=parameters, data="moons", data_n=40, batch_size=4),
        widget.Studio(
            dp.Network([2, 4, 1], "gelu", BARE_LOSS, bias=False), data="waves", language="zh"
        ),
    ]
    told_by = opened(browser, tmp_path, both)
    until(lambda: told_by(0) and told_by(1))
    assert both[0].network.sizes == NETWORK.sizes
    assert both[0].parameters.flat.tolist() == parameters.flat.tolist()
    assert both[1].network == dp.Network([2, 4, 1], "gelu", BARE_LOSS, bias=False)
    assert both[1].parameters.flat.size == 2 * 4 + 4
    frames = browser.find_elements("css selector", "iframe")
    assert [frame.get_attribute("title") for frame in frames] == ["deltaprop studio"] * 2
    browser.switch_to.frame(frames[0])
    browser.execute_script("document.getElementById('one step').click()")
    until(lambda: browser.find_element("id", "step").text == "1")
    browser.switch_to.default_content()
    until(lambda: told_by(0) and both[0].step == 1)
    told_by(1)
    assert both[1].step == 0
    assert both[0].parameters.flat.tolist() != parameters.flat.tolist()
    browser.switch_to.frame(frames[1])
    assert browser.execute_script("return document.documentElement.lang") == "zh-Hans"
    browser.switch_to.default_content()
    complaints = [e for e in browser.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]
    assert complaints == []
    browser.execute_script("globalThis.models.forEach((model) => model.end())")
    browser.get("about:blank")


@pytest.mark.rest
def test_own_rows_stay_what_they_are(browser, tmp_path, rng):
    x = rng.normal(3, 10, size=(40, 3))
    labels = np.array([5, 7, 9])[rng.integers(3, size=40)]
    network = dp.Network([3, 4, 3], "tanh")
    parameters = network.init(rng)
    scores = rng.normal(100, 5, size=30)
    line = dp.Network([1, 1], loss="half_squared_error")
    both = [
        widget.Studio(network, x, labels, parameters=parameters, held=0, batch_size=8),
        widget.Studio(line, x[:30, :1], scores, held=0, learning_rate=0.001),
    ]
    told_by = opened(browser, tmp_path, both)
    until(lambda: told_by(0) and told_by(1))
    assert both[0].parameters.flat.tolist() == parameters.flat.tolist()
    browser.switch_to.frame(browser.find_element("css selector", "iframe"))
    browser.execute_script("document.getElementById('one step').click()")
    browser.switch_to.default_content()
    until(lambda: told_by(0) and both[0].step == 1)
    answers = np.searchsorted([5, 7, 9], labels)
    for studio, inputs, targets in ((both[0], x, answers), (both[1], x[:30, :1], scores[:, None])):
        trace = dp.backpropagate(studio.network, studio.parameters, inputs, targets)
        assert studio.figures["loss"] == pytest.approx(trace.data_loss, rel=1e-12)


def test_a_frames_columns_become_numbers_as_a_files_do(browser, tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"size": [1.0, 2, 3, 4] * 9, "colour": ["red", "blue"] * 18})
    studio = widget.Studio(x=frame, y=["yes", "no", "no"] * 12)
    told_by = opened(browser, tmp_path, [studio])
    until(lambda: told_by(0))
    assert studio.network.sizes == (2, 8, 8, 2)


@pytest.mark.parametrize(
    ("network", "x", "y"),
    [
        (NETWORK, np.zeros((4, 3)), [0, 1, 0, 1]),
        (NETWORK, np.zeros((4, 2)), [0, 1, 2, 1]),
        (NETWORK, np.zeros((4, 2)), [0.5, 1, 2, 1]),
        (None, np.zeros((4, 2)), [0, 1]),
        (None, np.full((2, 2), np.nan), [0, 1]),
        (None, np.zeros((4, 2)), None),
        (None, {"y": [1, 2]}, [0, 1]),
        (dp.Network([3, 2]), None, None),
    ],
)
def test_rows_and_networks_that_do_not_fit_are_refused(network, x, y):
    with pytest.raises(DeltapropError):
        widget.Studio(network, x, y)
