"""The Markdown document: the same numbers as everywhere, and names that stay names."""

import dataclasses
import math
import operator
import re

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names
from deltaprop.explaining.document import outline
from deltaprop.explaining.document.blocks import Document, Proof, Section, Sentence
from deltaprop.explaining.document.equations import equations
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.language import LANGUAGES
from deltaprop.explaining.renderers import markdown
from deltaprop.explaining.renderers.json import to_data
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid
from deltaprop.notation.image import Image
from deltaprop.widths import text_width
from helpers.explained import tutorial

KINDS = [(a, loss) for a in dp.ACTIVATIONS for loss in dp.LOSSES]
RULES = [None, dp.Momentum(0.1, nesterov=True), dp.RMSProp(), dp.Adam(), dp.AdamW()]
PYTHON = {"exp": math.exp, "ln": math.log, "log": math.log, "tanh": math.tanh, "max": max,
          "sqrt": math.sqrt, "abs": abs, "erf": math.erf}  # fmt: skip
JOINED = {"": operator.matmul, "*": operator.mul, "+": operator.add, "-": operator.sub}
PROVED = ("    ✓", "    ✗", "    ?")
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def arithmetic_of(page):
    """Return the equations of the neurons, the rows of each joined."""
    page = page[page.index("\n## ") :]
    found = []
    for block in re.findall(r"```text\n(.*?)```", page, re.DOTALL):
        for row in block.splitlines():
            if row.startswith(PROVED):
                continue
            if row.startswith(" "):
                found[-1] += " " + row.strip()
            else:
                found.append(row)
    return found


def as_python(formula):
    """Return Unicode arithmetic as Python has it."""
    formula = re.sub(r"\[\d+ more: ([^\]]*)\]", r"(\1)", formula)
    formula = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: f" ** {m[0].translate(RAISED)}", formula)
    formula = re.sub(r"\|([^|]*)\|", r"abs(\1)", formula)
    for sign, python in (("×", "*"), ("√", "sqrt"), ("^", "**"), ("≤", "<="), ("≥", ">=")):
        formula = formula.replace(sign, python)
    return re.sub(r"\[([^\[\]]*)\]", r"(\1)", formula)


def same_as_json(explanation, page):
    steps = to_data(explanation.document(Style(detail="neurons")), explanation)["steps"]
    rows = arithmetic_of(page)
    assert len(rows) == len(steps)
    for row, step in zip(rows, steps, strict=True):
        parts = re.split(r" (?:=|≈) (?![^\[]*\])", row)
        assert parts[-1] == step["shown"], (row, step)
        assert row.endswith(f"{'=' if step['exact'] else '≈'} {step['shown']}")
        if len(parts) == 4:
            names = {"__builtins__": {}}
            expected = eval(step["expression"], names, PYTHON)
            assert eval(as_python(parts[2]), names, PYTHON) == pytest.approx(expected, rel=1e-12)


class TestNumbers:
    def test_the_tutorial_line_by_line(self):
        same_as_json(tutorial(), tutorial().to_markdown(detail="neurons"))

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
    def test_every_optimizer(self, draw, rule):
        explanation = draw("tanh", "half_squared_error", optimizer=rule, depth=1).explanation
        same_as_json(explanation, explanation.to_markdown(detail="neurons"))

    @pytest.mark.one_in(5)
    def test_every_activation_with_every_loss(self, draw, activation, loss):
        explanation = draw(activation, loss, learning_rate=0.01).explanation
        same_as_json(explanation, explanation.to_markdown(detail="neurons"))

    def test_a_long_sum_tells_how_many_terms_are_left_out(self, rng):
        network = dp.Network([40, 2], loss="half_squared_error")
        explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 40)), [[0, 0]])
        page = explanation.to_markdown(detail="neurons")
        assert "[33 more: " in page
        same_as_json(explanation, page)


class TestMatrices:
    """The equations of the layers hold as they are displayed."""

    @pytest.mark.parametrize("digits", [2, 4, 6])
    @pytest.mark.parametrize(("activation", "loss"), KINDS[::5])
    def test_what_is_displayed_holds(self, draw, worked_out, activation, loss, digits):
        explanation = draw(activation, loss, learning_rate=0.01).explanation
        for equation in equations(explanation, digits):
            total = worked_out(equation, explanation.trace.network)
            if total is None:
                continue
            shown = np.array(equation.result.texts, dtype=float)
            with np.errstate(divide="ignore"):
                unit = 10.0 ** (np.floor(np.log10(np.abs(shown))) - digits + 1)
            assert np.all(np.abs(total - shown) <= 1.01 * unit + 1e-15), equation.left

    def test_the_tutorial_stands_side_by_side(self):
        page = tutorial().to_markdown(detail="layers")
        for row in (
            "z¹ = x W¹",
            "     [ 1  0.5 ] [ 0.5  2.3 ] = [ 1.25  3.8 ]",
            "        1×2     [ 1.5    3 ]        1×2",
            "                    2×2",
        ):
            assert row in page.splitlines()

    def test_a_frozen_bias_repeats_its_numbers(self, draw):
        e = draw("tanh", "half_squared_error", depth=1, bias=True, train_biases=False).explanation
        (bias, *_) = [q for q in equations(e, 3) if q.left.after and q.left.quantity == "b"]
        assert bias.right[0].cells == bias.result


class TestNames:
    HOSTILE = (
        "a|b", "*bold* _it_ ~~no~~", "<script>alert(1)</script>", "[x](http://evil)", "`code`",
        "$x^2$", "@someone", "#12", ":smile:", "# title", "&amp;", "a\nb\r\n| c",
        "\u202eevil", "数值",
    )  # fmt: skip

    @pytest.mark.parametrize("name", HOSTILE)
    def test_no_sign_of_a_name_is_markup(self, name):
        text = markdown.escaped(name)
        assert "\n" not in text
        assert "\u202e" not in text
        bare = re.sub(r"\\.|<!-- -->", "", text)
        assert not set(bare) & set("|*_~<>[]`$#&"), text
        assert not re.search(r"@\w|#\d|:\w+:", text)

    def test_a_row_of_the_table_keeps_its_cells(self, rng):
        network = dp.Network([len(self.HOSTILE), 2])
        names = Names("Title\n# other", self.HOSTILE, ("|", "||"))
        x = rng.normal(size=(1, len(self.HOSTILE)))
        page = dp.explain(network, network.init(rng), x, [0], names=names).to_markdown()
        rows = [row for row in page.splitlines() if row.startswith("| ")][:12]
        assert len({len(re.split(r"(?<!\\)\|", row)) for row in rows}) == 1
        assert page.splitlines()[0] == r"# Title \# other"

    def test_names_stand_beside_their_neurons(self, rng):
        network = dp.Network([2, 2])
        names = Names("", ("age", "income"), ("yes", "no"))
        e = dp.explain(network, network.init(rng), [[1, 2]], [0], names=names)
        assert "| inputs | x₁ | age |  | 1 |  |" in e.to_markdown()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("detail", [None, "overview", "layers", "neurons"])
@pytest.mark.one_in(5)
def test_code_blocks_are_closed_and_no_row_is_long(draw, language, detail):
    explanation = draw("gelu", "cross_entropy", optimizer=dp.Adam(), n_out=3).explanation
    page = explanation.to_markdown(language=language, detail=detail)
    fences = [row for row in page.splitlines() if row.startswith("```")]
    assert fences == ["```text", "```"] * (len(fences) // 2)
    assert page.startswith("# ")
    assert page.endswith("\n")
    assert not page.endswith("\n\n")
    code = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    assert max([text_width(row) for block in code for row in block.splitlines()], default=0) <= 96


def test_the_tutorials_notation():
    page = tutorial().to_markdown(notation="tutorial")
    assert "z² = z¹ W⁽¹²⁾" in page
    assert "∂E/∂y = y - t" in page


def test_a_large_network_is_told_on_request(rng):
    network = dp.Network([784, 128, 10])
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 784)), [3])
    page = explanation.to_markdown()
    assert "numbers; --detail neurons" in page
    assert len(page) < 5e4
    assert "strongest of" in explanation.to_markdown(detail="neurons")


def test_the_promise_stands_beside_the_fact():
    page = tutorial().to_markdown()
    assert "| change promised (gradient · step) | -2.0399 |" in page
    assert "| change brought | -0.212448 |" in page


class TestProofs:
    def test_every_gradient_has_a_line_with_what_was_measured(self, draw):
        explanation = draw("tanh", depth=1, n=2, n_out=2).explanation
        document = outline.document(explanation, Style())
        rows = markdown.write_document(document).splitlines()
        assert [row for row in rows if row.startswith(PROVED)] == [
            f"    ✓ central difference {proof.measured}, relative error {proof.error}"
            for proof in document.proofs.values()
        ]

    def test_a_wrong_gradient_has_a_cross_and_a_kink_a_question_mark(self):
        document = outline.document(tutorial(), Style())
        proofs = {"dW.1[0,0]": Proof("wrong", "2", "0.5"), "dW.1[0,1]": Proof("kink", "", "")}
        rows = markdown.write_document(dataclasses.replace(document, proofs=proofs)).splitlines()
        at = next(n for n, row in enumerate(rows) if row.startswith("∂L/∂W¹₁₁ "))
        assert rows[at + 1] == "    ✗ central difference 2, relative error 0.5"
        assert rows[at + 3] == "    ? not judged: the loss has a kink here"


class TestEveryBlock:
    def test_the_batch_is_a_table(self, draw):
        page = draw("tanh", n=3, n_out=2).explanation.to_markdown()
        assert r"| sample | ℓ | \|g\| | cosine with g |  |" in page
        assert "| :-- | --: | --: | --: | :-- |" in page

    def test_softmax_beside_sigmoid(self):
        page = SoftmaxBesideSigmoid((2.0, -1.0), ("a|b", "c"), 0).to_markdown()
        assert r"| a\|b | 2 | 0.952574 | 0.880797 | -0.0474259 | ← t |" in page
        assert "p₁ = exp(z₁) / (exp(z₁) + exp(z₂))" in page

    def test_a_row_that_is_an_image_is_drawn(self, rng):
        network = dp.Network([6, 2])
        e = dp.explain(
            network, network.init(rng), [[1, 0, 0.5, 0, 1, 0]], [0], names=Names(image=(2, 3))
        )
        assert "The input as a picture\n\n```text\n██  ▓▓\n  ██\n```" in e.to_markdown(
            detail="overview"
        ).replace("▒", "▓")

    def test_a_picture_and_a_sentence_may_stand_alone(self):
        blocks = (Image("a *b*", np.ones((1, 1))), Sentence("1 < 2 | 3"))
        page = markdown.write_document(Document("T", (), (Section("s", "", blocks),), Style()))
        assert page == "# T\n\na \\*b\\*\n\n```text\n██\n```\n\n1 \\< 2 \\| 3\n"
