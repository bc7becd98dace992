"""The notebook runs and holds; the piece of HTML is read without a kernel."""

import base64
import dataclasses
import json
import re
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names
from deltaprop.explaining.document import outline
from deltaprop.explaining.document.blocks import Proof
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.language import LANGUAGES
from deltaprop.explaining.renderers.json import to_data
from deltaprop.explaining.renderers.notebook import fragment
from deltaprop.notation.image import Image
from deltaprop.notation.png import data_uri
from helpers.explained import BESIDE, large, tutorial
from helpers.notebooks import SignDescent, executed

RULES = [None, dp.Momentum(0.1, nesterov=True), dp.RMSProp(), dp.Adam(), dp.AdamW(0.1)]


EVIL = "</details><script>alert('x')</script> & \"q\" 数"


def fragment_of(explanation, **style):
    return fragment.write_document(explanation.document(Style(**style), shortened=True))


class TestTheFile:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_it_is_a_notebook_of_format_4_5(self, draw, language):
        book = json.loads(draw("tanh").explanation.to_notebook(language=language))
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

    def test_proofs_stand_beside_the_formulas(self):
        assert tutorial().to_notebook().count(r"{\\scriptstyle \\checkmark") == 6

    def test_nbformat_accepts_it(self):
        nbformat = pytest.importorskip("nbformat")
        nbformat.validate(nbformat.reads(tutorial().to_notebook(), as_version=4))

    def test_the_same_step_gives_the_same_file(self):
        assert tutorial().to_notebook() == tutorial().to_notebook()


class TestItRuns:
    def test_the_tutorial(self):
        names, output = executed(tutorial().to_notebook())
        assert names["trace"].loss == pytest.approx(0.55125, rel=1e-12)
        counts = [int(n) for n in re.findall(r"(\d+) numbers hold", output)]
        assert sum(counts) == len(tutorial().steps)

    @pytest.mark.parametrize("loss", dp.LOSSES)
    @pytest.mark.parametrize("activation", list(dp.ACTIVATIONS)[::2])
    @pytest.mark.one_in(15)
    def test_every_kind_of_network(self, draw, activation, loss):
        explanation = draw(activation, loss).explanation
        names, _ = executed(explanation.to_notebook(detail="neurons"))
        assert names["trace"].loss == explanation.trace.loss
        assert names["step"].update.after.loss == explanation.update.after.loss

    @pytest.mark.parametrize("rule", [*RULES, SignDescent()], ids=lambda r: type(r).__name__)
    @pytest.mark.parametrize("fixed", [{}, {"train_biases": False, "reduction": "sum"}])
    @pytest.mark.one_in(5)
    def test_every_optimizer(self, draw, rule, fixed):
        explanation = draw("silu", optimizer=rule, depth=1, bias=True, n=3, **fixed).explanation
        names, output = executed(explanation.to_notebook())
        after = names["step"].update.after.parameters.flat
        np.testing.assert_array_equal(after, explanation.update.after.parameters.flat)
        assert "numbers hold" in output

    @pytest.mark.parametrize("kind", ["float32", "float64"])
    def test_many_parameters_are_packed_and_come_back_the_same(self, rng, kind):
        network = dp.Network([60, 20, 3], "relu")
        parameters = network.init(rng)
        parameters.flat[:] = parameters.flat.astype(kind)
        explanation = dp.explain(network, parameters, rng.normal(size=(1, 60)), [1])
        text = explanation.to_notebook()
        names, _ = executed(text)
        np.testing.assert_array_equal(names["params"].flat, parameters.flat)
        assert len(text) < 60_000

    def test_a_schedule_is_written_as_the_rate_of_the_step(self, draw):
        rule = dp.Adam(dp.schedules.Warmup(0.5, 4))
        explanation = draw("tanh", optimizer=rule).explanation
        names, _ = executed(explanation.to_notebook())
        assert names["step"].update.learning_rate == explanation.update.learning_rate

    def test_a_number_that_does_not_hold_is_named(self):
        text = tutorial().to_notebook().replace('\\"5.05\\"', '\\"5.15\\"')
        with pytest.raises(AssertionError, match=r"z\.2\[0,0\] is 5\.05, but 5\.15 is displayed"):
            executed(text)


def test_what_is_displayed_is_what_the_json_shows(draw):
    explanation = draw("gelu", "cross_entropy", depth=1).explanation
    text = explanation.to_notebook(detail="neurons")
    code = "".join(
        "".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"
    )
    shown = dict(re.findall(r'"([^"]+\])": "([^"]+)"', code))
    for step in to_data(explanation.document(Style(detail="neurons")), explanation)["steps"]:
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


@pytest.mark.parametrize("arithmetic", [None, ("z**2", "2 * z")], ids=["unsaid", "said"])
def test_with_an_activation_of_the_users_the_displayed_arithmetic_is_worked_out(rng, arithmetic):
    row = dp.Activation(
        "square_of_mine", lambda z: z * z, lambda z, a: 2 * z, ("z^2", "2z"), "z squared",
        arithmetic=arithmetic,
    )  # fmt: skip
    dp.register_activation(row)
    try:
        network = dp.Network([2, 3, 2], "square_of_mine")
        explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 2)), [0])
    finally:
        del dp.ACTIVATIONS._rows["square_of_mine"]
    names, output = executed(explanation.to_notebook())
    assert "step" not in names
    held = sum(int(n) for n in re.findall(r"(\d+) numbers hold", output))
    untold = [s for s in explanation.steps if s.operands == (s.id,)]
    assert held == len(explanation.steps) - len(untold)


def test_a_step_that_overflows_is_told_and_runs(rng):
    network = dp.Network([3, 3, 2], "identity", "half_squared_error")
    x = rng.normal(size=(2, 3))
    with np.errstate(all="ignore"):
        explanation = dp.explain(
            network, network.init(rng), x, np.eye(2), learning_rate=1e200, names=Names()
        )
        text = explanation.to_notebook()
        assert "inf" in text
        executed(text)


class TestTheStart:
    """What a step in the middle of a run starts from is written into the code."""

    def same_again(self, explanation):
        names, _ = executed(explanation.to_notebook(detail="neurons"))
        step = names["step"]
        assert step.trace.loss == explanation.trace.loss
        np.testing.assert_array_equal(step.moved, explanation.moved)
        assert [s.value for s in step.steps] == [s.value for s in explanation.steps]
        return names

    @pytest.mark.parametrize(
        ("rule", "n_in"), [*((rule, 3) for rule in RULES if rule), (dp.Adam(), 300)]
    )
    @pytest.mark.slow
    def test_the_state_of_an_optimizer(self, rng, rule, n_in):
        network = dp.Network([n_in, 3, 2], "tanh")
        parameters = network.init(rng)
        state = rule.init(parameters.flat.size)
        gradients = rng.normal(size=(3, parameters.flat.size))
        weights = network.layout.penalized()
        for gradient in gradients:
            rule.step(state, parameters.flat, gradient, 0.01, weights)
        x = rng.normal(size=(2, n_in))
        explanation = dp.explain(network, parameters, x, [0, 1], optimizer=rule, state=state)
        names = self.same_again(explanation)
        assert names["step"].update.state.keys() == state.keys()

    def test_a_first_step_needs_no_state(self, draw):
        text = draw("tanh", optimizer=dp.Adam()).explanation.to_notebook()
        assert "state={" not in text

    def test_a_later_step_of_a_schedule(self, draw):
        rule = dp.Adam(dp.schedules.Cosine(0.5))
        explanation = draw("tanh", optimizer=rule, step=7, n_steps=10).explanation
        self.same_again(explanation)

    @pytest.mark.parametrize("reduction", ["mean", "sum"])
    def test_weights_of_samples(self, draw, reduction):
        fixed = {"n": 3, "sample_weight": [0.3, 2.0, 1.1], "reduction": reduction}
        self.same_again(draw("tanh", **fixed).explanation)

    def test_dropout_masks(self, rng):
        network = dp.Network([6, 5, 4, 2], "tanh", dropout=0.4)
        x = rng.normal(size=(3, 6))
        explanation = dp.explain(network, network.init(rng), x, [0, 1, 1], rng=rng)
        assert any(mask is not None and (mask == 0).any() for mask in explanation.trace.masks)
        self.same_again(explanation)


class TestSize:
    def test_a_row_of_an_image_takes_less_than_a_megabyte(self):
        an_image = large()
        assert len(an_image.to_notebook().encode()) < 1_000_000
        assert len(an_image.to_latex().encode()) < 200_000
        assert len(an_image.to_markdown().encode()) < 50_000

    def test_what_is_packed_is_hidden_and_comes_back_the_same(self):
        an_image = large()
        text = an_image.to_notebook()
        (hidden,) = (
            cell for cell in json.loads(text)["cells"] if cell["metadata"] != {}
        )  # fmt: skip
        assert hidden["metadata"] == {"jupyter": {"source_hidden": True}}
        names, _ = executed(text)
        np.testing.assert_array_equal(names["params"].flat, an_image.trace.parameters.flat)
        np.testing.assert_array_equal(names["x"], an_image.trace.a[0])


def pixels(uri):
    """Return the picture of a data address, read as PNG by its own rules."""
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, compressed = 8, b""
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert int.from_bytes(data[at + 8 + size : at + 12 + size]) == zlib.crc32(name + body)
        if name == b"IHDR":
            width, height = int.from_bytes(body[:4]), int.from_bytes(body[4:8])
        compressed += body if name == b"IDAT" else b""
        at += 12 + size
    rows = np.frombuffer(zlib.decompress(compressed), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


class TestPictures:
    def test_ink_is_black_on_white(self):
        values = np.array([[0.0, 0.5, 1.0], [1.0, 0.0, 0.0]])
        shown = pixels(data_uri(Image("It", values)))[1:-1, 1:-1]
        every = shown.shape[1] // 3
        expected = np.rint(255 * (1 - values))
        np.testing.assert_array_equal(shown[::every, ::every, 0], expected)

    def test_signs_have_their_colours(self):
        shown = pixels(data_uri(Image("It", np.array([[1.0, -1.0, 0.0]]), signed=True)))[1, 1:-1]
        plus, minus, none = shown[:: len(shown) // 3]
        assert plus[2] > plus[0]
        assert minus[0] > minus[2]
        assert list(none) == [255, 255, 255]

    def test_the_overview_has_them(self, rng):
        network = dp.Network([12, 2])
        names = Names(image=(3, 4))
        e = dp.explain(network, network.init(rng), rng.random((1, 12)), [0], names=names)
        assert e.to_notebook().count("(data:image/png;base64,") == 2
        assert "Blue is +, orange is −." in e.to_notebook()
        assert e._repr_html_().count('<img src="data:image/png;base64,') == 2


class TestSoftmaxBesideSigmoid:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_its_arithmetic_is_worked_out_again(self, language):
        _, output = executed(BESIDE.to_notebook(language=language))
        holds = LANGUAGES[language]["notebook holds"].format(count=r"(\d+)")
        n_lines = len(list(BESIDE.document(Style()).lines()))
        assert sum(map(int, re.findall(holds, output))) == n_lines

    def test_a_number_that_does_not_hold_is_named(self):
        text = BESIDE.to_notebook().replace('\\"0.880797\\"', '\\"0.880799\\"')
        with pytest.raises(AssertionError, match=r"sigmoid\[0\] is 0\.8807970\d+, but 0.880799"):
            executed(text)

    def test_the_piece_of_html(self):
        page = Page(BESIDE._repr_html_())
        assert page.seen.count("details") == 5
        assert "<b>" in page.words


class TestTheFragment:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_it_is_closed_and_has_no_script(self, draw, language):
        page = Page(fragment_of(draw("gelu").explanation, language=language))
        grouping, table = (
            {"div", "p", "strong", "br", "details", "summary", "pre"},
            {"table", "tr", "th", "td"},
        )
        assert set(page.seen) <= grouping | table | {"thead", "tbody"}
        assert page.seen.count("details") == 4 + 6  # phases of the layers, and of the neurons

    def test_names_are_escaped(self):
        text = fragment_of(tutorial(names=Names(EVIL)))
        assert "<script" not in text
        assert EVIL in Page(text).words

    def test_it_tells_the_tutorial(self):
        words = Page(fragment_of(tutorial())).words
        at = words.index("x₁ × W¹₁₁ + x₂ × W¹₂₁")
        assert words[at : at + 3] == ["x₁ × W¹₁₁ + x₂ × W¹₂₁", "1 × 0.5 + 0.5 × 1.5", "= 1.25"]
        assert "-2.0399" in words

    @pytest.mark.rest
    def test_a_large_network_stays_small(self, rng):
        network = dp.Network([784, 128, 10])
        explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 784)), [3])
        text = fragment_of(explanation)
        assert len(text) < 300_000
        assert "more)" in text

    def test_every_gradient_has_its_proof_in_a_column(self):
        document = outline.document(tutorial(), Style())
        words = Page(fragment.write_document(document)).words
        told = [word for word in words if word.startswith("✓")]
        proofs = document.proofs.values()
        assert told == [f"✓ {proof.measured}, relative error {proof.error}" for proof in proofs]

    def test_a_wrong_gradient_has_a_cross_and_a_kink_a_question_mark(self):
        document = outline.document(tutorial(), Style())
        proofs = {"dW.1[0,0]": Proof("wrong", "2", "0.5"), "dW.1[0,1]": Proof("kink", "", "")}
        told = dataclasses.replace(document, proofs=proofs)
        words = Page(fragment.write_document(told)).words
        assert "✗ 2, relative error 0.5" in words
        assert "? not judged: the loss has a kink here" in words

    def test_it_tells_the_batch(self, draw):
        words = Page(draw("tanh", n=3).explanation._repr_html_()).words
        assert {"|g|", "cosine with g", "ℓ₁"} <= set(words)
