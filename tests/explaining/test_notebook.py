"""The notebook runs and holds; the piece of HTML is read without a kernel."""

import contextlib
import dataclasses
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names, built_in_example, notebook
from deltaprop.explaining.language import LANGUAGES
from deltaprop.explaining.to_json import to_data

RULES = [None, dp.Momentum(0.1, nesterov=True), dp.RMSProp(), dp.Adam(), dp.AdamW(0.1)]
EVIL = "</details><script>alert('x')</script> & \"q\" 数"


@dataclasses.dataclass(frozen=True)
class SignDescent:
    """Somebody's own optimizer, with a state."""

    learning_rate: float = 0.05
    name = "sign"

    def init(self, n):
        return {"u": np.zeros(n)}

    def step(self, state, flat, gradient, eta, decayed):
        state["u"] += gradient
        flat -= eta * np.sign(gradient)


def tutorial(**fixed):
    worked = built_in_example("tutorial")
    return dp.explain(worked.network, worked.parameters, worked.x, worked.targets, **fixed)


def executed(text):
    """Return the names and the output of the code cells, run one after the other."""
    book = json.loads(text)
    names, output = {}, io.StringIO()
    with contextlib.redirect_stdout(output):
        for cell in book["cells"]:
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), "<cell>", "exec"), names)
    return names, output.getvalue()


class TestTheFile:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_it_is_a_notebook_of_format_4_5(self, draw, language):
        book = json.loads(notebook.render(draw("tanh").explanation, language=language))
        assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
        assert book["metadata"]["kernelspec"]["name"] == "python3"
        assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
        for cell in book["cells"]:
            assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", cell["id"])
            assert all(isinstance(row, str) for row in cell["source"])
            code = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
            assert set(cell) == {"cell_type", "id", "metadata", "source"} | code
            assert cell.get("outputs", []) == []
            assert cell["cell_type"] in ("code", "markdown")

    def test_nbformat_accepts_it(self):
        nbformat = pytest.importorskip("nbformat")
        nbformat.validate(nbformat.reads(notebook.render(tutorial()), as_version=4))

    def test_the_same_step_gives_the_same_file(self):
        assert notebook.render(tutorial()) == notebook.render(tutorial())


class TestItRuns:
    def test_the_tutorial(self):
        names, output = executed(notebook.render(tutorial()))
        assert names["trace"].loss == pytest.approx(0.55125, rel=1e-12)
        counts = [int(n) for n in re.findall(r"(\d+) numbers hold", output)]
        assert sum(counts) == len(tutorial().steps)

    @pytest.mark.parametrize("loss", dp.LOSSES)
    @pytest.mark.parametrize("activation", list(dp.ACTIVATIONS)[::2])
    def test_every_kind_of_network(self, draw, activation, loss):
        explanation = draw(activation, loss).explanation
        names, _ = executed(notebook.render(explanation, detail="neurons"))
        assert names["trace"].loss == explanation.trace.loss
        assert names["step"].update.after.loss == explanation.update.after.loss

    @pytest.mark.parametrize("rule", [*RULES, SignDescent()], ids=lambda r: type(r).__name__)
    @pytest.mark.parametrize("fixed", [{}, {"train_biases": False, "reduction": "sum"}])
    def test_every_optimizer(self, draw, rule, fixed):
        explanation = draw("silu", optimizer=rule, depth=1, bias=True, n=3, **fixed).explanation
        names, output = executed(notebook.render(explanation))
        after = names["step"].update.after.parameters.flat
        np.testing.assert_array_equal(after, explanation.update.after.parameters.flat)
        assert "numbers hold" in output

    @pytest.mark.parametrize("kind", ["float32", "float64"])
    def test_many_parameters_are_packed_and_come_back_the_same(self, rng, kind):
        network = dp.Network([60, 20, 3], "relu")
        parameters = network.init(rng)
        parameters.flat[:] = parameters.flat.astype(kind)
        explanation = dp.explain(network, parameters, rng.normal(size=(1, 60)), [1])
        text = notebook.render(explanation)
        names, _ = executed(text)
        np.testing.assert_array_equal(names["params"].flat, parameters.flat)
        assert len(text) < 60_000

    def test_a_schedule_is_written_as_the_rate_of_the_step(self, draw):
        rule = dp.Adam(dp.schedules.Warmup(0.5, 4))
        explanation = draw("tanh", optimizer=rule).explanation
        names, _ = executed(notebook.render(explanation))
        assert names["step"].update.learning_rate == explanation.update.learning_rate

    def test_a_number_that_does_not_hold_is_named(self):
        text = notebook.render(tutorial()).replace('\\"5.05\\"', '\\"5.15\\"')
        with pytest.raises(AssertionError, match=r"z\.2\[0,0\] is 5\.05, but 5\.15 is displayed"):
            executed(text)


def test_what_is_displayed_is_what_the_json_shows(draw):
    explanation = draw("gelu", "cross_entropy", depth=1).explanation
    text = notebook.render(explanation, detail="neurons")
    code = "".join(
        "".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"
    )
    shown = dict(re.findall(r'"([^"]+\])": "([^"]+)"', code))
    for step in to_data(explanation)["steps"]:
        if step["id"] in shown:
            assert shown[step["id"]] == step["shown"]
    assert len(shown) > 10


class Page(HTMLParser):
    """Whether every tag is closed, and what is told."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.words = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


class TestTheFragment:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_it_is_closed_and_has_no_script(self, draw, language):
        page = Page(notebook.to_html_fragment(draw("gelu").explanation, language=language))
        grouping, table = (
            {"div", "p", "strong", "br", "details", "summary"},
            {"table", "tr", "th", "td"},
        )
        assert set(page.seen) <= grouping | table | {"thead", "tbody"}
        assert page.seen.count("details") == 6

    def test_names_are_escaped(self):
        text = notebook.to_html_fragment(tutorial(names=Names(EVIL)))
        assert "<script" not in text
        assert EVIL in Page(text).words

    def test_it_tells_the_tutorial(self):
        words = Page(notebook.to_html_fragment(tutorial())).words
        at = words.index("x₁ × W¹₁₁ + x₂ × W¹₂₁")
        assert words[at : at + 3] == ["x₁ × W¹₁₁ + x₂ × W¹₂₁", "1 × 0.5 + 0.5 × 1.5", "= 1.25"]
        assert "-2.0399" in words

    def test_a_large_network_stays_small(self, rng):
        network = dp.Network([784, 128, 10])
        explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 784)), [3])
        text = notebook.to_html_fragment(explanation)
        assert len(text) < 300_000
        assert "more)" in text
