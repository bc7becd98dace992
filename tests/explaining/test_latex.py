"""The LaTeX document: the same numbers as everywhere, and it compiles."""

import dataclasses
import math
import re
import string
from itertools import cycle

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names, built_in_example
from deltaprop.explaining.document import outline
from deltaprop.explaining.document.blocks import Document, Proof, Section, Sentence, Table
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.language import LANGUAGES
from deltaprop.explaining.renderers.json import to_data
from deltaprop.explaining.renderers.latex import document as latex
from deltaprop.explaining.renderers.latex.picture import picture
from deltaprop.explaining.renderers.latex.width import broken, width
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid
from deltaprop.notation.ids import read_ref
from deltaprop.notation.image import Image
from deltaprop.notation.latex import (
    escaped,
    latex_number,
    latex_symbol,
    unknown_to_pdflatex,
)

RULES = [
    None,
    dp.Momentum(0.1),
    dp.Momentum(0.1, nesterov=True),
    dp.RMSProp(),
    dp.Adam(),
    dp.AdamW(),
]
HOSTILE = [
    r"\input{/etc/passwd}", "100% $x^2$ & #1_~", "}{\\end{document}", "^^M^^5c", "a|b<c>\"d\"`e`",
    "数值", "😀\u202e\x07\n\nline", "né ß ø", "?` !` -- ---", "",
]  # fmt: skip


def tutorial(**fixed):
    worked = built_in_example("tutorial")
    fixed = {"optimizer": worked.optimizer, "names": Names(worked.title), **fixed}
    return dp.explain(worked.network, worked.parameters, worked.x, worked.targets, **fixed)


# LaTeX read back as arithmetic


class Reader:
    """Reads the arithmetic that LatexNotation writes, knowing LaTeX and not the renderer."""

    TOKEN = re.compile(r"\s*(\\[A-Za-z]+|\d+\.?\d*|\.\d+|.)")
    RELATIONS = {">": ">", "<": "<", "=": "==", r"\ge": ">=", r"\le": "<="}  # noqa: RUF012

    def __init__(self, text):
        self.tokens = [t for t in self.TOKEN.findall(text) if t not in (r"\left", r"\right")]
        self.at = 0

    def read(self):
        value = self.sum()
        assert self.at == len(self.tokens), self.tokens[self.at :]
        return value

    @property
    def here(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *expected):
        token = self.here
        assert not expected or token in expected, (token, expected, "".join(self.tokens))
        self.at += 1
        return token

    def sum(self):
        sign = -1 if self.here == "-" and self.take() else 1
        value = sign * self.product()
        while self.here in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            value += sign * self.product()
        return value

    def product(self):
        value = self.power()
        while self.here in (r"\times", r"\cdot", "/"):
            if self.take() == "/":
                value /= self.power()
            else:
                value *= self.power()
        return value

    def power(self):
        base = self.atom()
        if self.here == "^":
            self.take()
            base **= self.group()
        return base

    def group(self):
        self.take("{")
        value = self.sum()
        self.take("}")
        return value

    def atom(self):
        token = self.take()
        if token[0].isdigit() or token[0] == ".":
            return float(token)
        if token == "(":
            value = self.sum()
            self.take(")")
            return value
        if token == "[":
            return self.bracket()
        if token == "|":
            value = self.sum()
            self.take("|")
            return abs(value)
        if token == r"\frac":
            above = self.group()
            return above / self.group()
        if token == r"\sqrt":
            return math.sqrt(self.group())
        if token == r"\mathrm":
            return self.upright()
        return {r"\ln": math.log, r"\exp": math.exp, r"\tanh": math.tanh, r"\max": max}[token](
            *self.arguments()
        )

    def upright(self):
        self.take("{")
        name = ""
        while self.here != "}":
            name += self.take()
        self.take("}")
        if name == "e":
            self.take("^")
            return math.exp(self.group())
        assert name == "erf", name
        return math.erf(*self.arguments())

    def arguments(self):
        self.take("(")
        values = [self.sum()]
        while self.here == ",":
            self.take()
            values.append(self.sum())
        self.take(")")
        return values

    def bracket(self):
        if self.here == r"\text":  # [13 more: 0.5]
            while self.take() != ":":
                pass
            value = self.sum()
            self.take("]")
            return value
        left = self.sum()
        relation = self.RELATIONS[self.take()]
        right = self.sum()
        self.take("]")
        return float(eval(f"{left!r} {relation} {right!r}"))


def read_back(formula):
    try:
        return Reader(formula).read()
    except OverflowError:
        return math.inf


PYTHON = {"exp": math.exp, "log": math.log, "tanh": math.tanh, "max": max, "sqrt": math.sqrt,
          "abs": abs, "erf": math.erf}  # fmt: skip


PROOF = re.compile(r" *\\q?quad \{\\scriptstyle (.*)\}$")


def equations_and_proofs(document):
    """Return by id the equation of a document, its rows joined; and the proof beside it."""
    found, proofs = {}, {}
    for block in re.findall(r"\\begin\{align\*\}(.*?)\\end\{align\*\}", document, re.DOTALL):
        name = None
        for row in block.strip().splitlines():
            formula, _, comment = row.partition(" % ")
            formula = re.sub(r" \\\\\*?(\[4pt\])?$", "", formula)
            name = comment or name
            if name is None:
                continue
            proof = PROOF.search(formula)
            if proof:
                formula = formula[: proof.start()].rstrip("&")
                proofs[name] = proof[1]
            before = "" if comment else found[name]
            found[name] = (
                before + " " + formula.replace("&", " ", 1).replace(r"\quad ", "")
            ).strip()
    return found, proofs


def equations_of(document):
    return equations_and_proofs(document)[0]


def same_as_json(explanation, document):
    """Hold the numbers of a document against those of the JSON, line by line."""
    equations, proofs = equations_and_proofs(document)
    steps = to_data(explanation.document(Style(detail="neurons")), explanation)["steps"]
    assert list(equations) == [step["id"] for step in steps]
    assert list(proofs) == [step["id"] for step in steps if "proof" in step]
    for step in steps:
        parts = re.split(r" *(?:=|\\approx)(?![^\[\]]*\]) *", equations[step["id"]])
        assert parts[-1] == latex_number(step["shown"]), step
        relation = r"\approx" if not step["exact"] else "="
        assert equations[step["id"]].rstrip().endswith(f"{relation} {parts[-1]}")
        if len(parts) == 4:
            expected = eval(step["expression"], {"__builtins__": {}}, PYTHON)
            assert read_back(parts[-2]) == pytest.approx(expected, rel=1e-12), (step, parts)


class TestNumbers:
    def test_the_tutorial_line_by_line(self):
        same_as_json(tutorial(), tutorial().to_latex())

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
    def test_every_optimizer(self, draw, rule):
        explanation = draw("tanh", "half_squared_error", optimizer=rule, depth=1).explanation
        same_as_json(explanation, explanation.to_latex(detail="neurons"))

    def test_every_activation_with_every_loss(self, draw, activation, loss):
        explanation = draw(activation, loss, learning_rate=0.01).explanation
        same_as_json(explanation, explanation.to_latex(detail="neurons"))

    def test_a_long_sum_tells_how_many_terms_are_left_out(self, rng):
        network = dp.Network([40, 2], loss="half_squared_error")
        explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 40)), [[0, 0]])
        document = explanation.to_latex(detail="neurons")
        assert r"[\text{33 more}: " in document
        assert r"[\text{其余 33 项}: " in explanation.to_latex(language="zh", detail="neurons")
        same_as_json(explanation, document)

    def test_the_reader_is_no_yes_man(self):
        assert read_back(r"\frac{1 + 2 \times 3}{(-0.5)^{2}}") == 28
        assert read_back(r"-1.5\times 10^{-2} \times \mathrm{e}^{-(-1)}") == -0.015 * math.e
        assert read_back(r"[1 > 2] + [0.5 \le 0.5]") == 1
        with pytest.raises(AssertionError):
            read_back("1)")


@pytest.mark.parametrize(
    ("name", "standard", "tutorial"),
    [
        ("z.1[0,0]", "z^{1}_{1}", "z^{1}_{1}"),
        ("W.1[0,1]", "W^{1}_{12}", "W^{(0,1)}_{12}"),
        ("W.2.after[10,0]", "W'^{2}_{11,1}", "W'^{(1,2)}_{11,1}"),
        ("delta.2[0,0]", r"\delta^{2}_{1}", r"\delta^{2}_{1}"),
        (
            "dW.1[0,1]",
            r"\frac{\partial L}{\partial W^{1}_{12}}",
            r"\frac{\partial L}{\partial W^{(0,1)}_{12}}",
        ),
        ("db.2[0]", *[r"\frac{\partial L}{\partial b^{2}_{1}}"] * 2),
        ("m_W.1.after[0,0]", "m'_{W^{1}_{11}}", "m'_{W^{(0,1)}_{11}}"),
        ("learning_rate", r"\eta", r"\eta"),
        ("my_rate", r"\mathrm{my\_rate}", r"\mathrm{my\_rate}"),
        ("loss", "L", "L"),
        ("W.1", "W^{1}", "W^{(0,1)}"),
    ],
)  # fmt: skip
def test_symbols(name, standard, tutorial):
    assert latex_symbol(read_ref(name), 1) == standard
    assert latex_symbol(read_ref(name), 1, "tutorial") == tutorial


def test_the_sample_is_named_where_there_are_several():
    assert latex_symbol(read_ref("z.1[2,0]"), 3) == "z^{1}_{31}"
    assert latex_symbol(read_ref("loss[2]"), 3) == r"\ell_{3}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2e-05", r"1.2\times 10^{-5}"),
        ("-3e+12", r"-3\times 10^{12}"),
        ("-inf", r"-\infty"),
        ("nan", r"\mathrm{nan}"),
        ("0.5", "0.5"),
    ],
)
def test_numbers(text, expected):
    assert latex_number(text) == expected


# form


def balanced(text):
    text = re.sub(r"\\[\\{}|]", "", text)
    depth = 0
    for c in text:
        depth += (c == "{") - (c == "}")
        assert depth >= 0, text
    assert depth == 0, text
    heights = re.findall(r"\\(left|right)(?![A-Za-z])", text)
    assert heights.count("left") == heights.count("right"), text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("detail", [None, "overview", "layers", "neurons"])
def test_braces_and_brackets_balance_in_every_row(draw, language, detail):
    for activation, loss in zip(dp.ACTIVATIONS, cycle(dp.LOSSES), strict=False):
        explanation = draw(activation, loss, optimizer=dp.Adam()).explanation
        document = explanation.to_latex(language=language, detail=detail)
        for row in document.splitlines():
            if not row.startswith((r"{\renewcommand", r"\end{tabular}}", r"\end{longtable}}")):
                balanced(row.partition(" % ")[0])
        balanced("\n".join(row.partition(" % ")[0] for row in document.splitlines()))
        begun = re.findall(r"\\begin\{(\w+\*?)\}", document)
        assert sorted(begun) == sorted(re.findall(r"\\end\{(\w+\*?)\}", document))


@pytest.mark.parametrize("name", HOSTILE)
def test_no_sign_of_a_name_is_left_to_latex(name):
    text = escaped(name)
    balanced(text)
    bare = re.sub(r"\\text[a-z]+\{\}|\\[#$%&_{}]|\$\\?\S+\$|\{['?!-]\}|\\hspace\{0pt\}", "", text)
    assert not set(bare) & set('\\{}#$%&_^~|<>"`'), (name, text)
    assert not any(ord(c) < 32 or c == "\u202e" for c in text)


def test_long_formulas_are_broken_before_signs():
    formula = " + ".join(f"{k}.5 \\times (-{k}.25)" for k in range(10, 30))
    rows = broken(formula, 30.0)
    assert len(rows) > 3
    assert " ".join(rows) == formula
    assert all(width(row) <= 30.0 for row in rows)
    assert all(row.startswith("+") for row in rows[1:])


def test_the_equations_of_the_layers_have_their_shapes(rng):
    network = dp.Network([3, 4, 2], "tanh", "cross_entropy")
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(2, 3)), [0, 1])
    document = explanation.to_latex(detail="layers")
    assert "z^{1} &= x \\, W^{1} + b^{1}" in document
    for shape in (r"2 \times 3", r"3 \times 4", r"1 \times 4", r"2 \times 4", r"4 \times 2"):
        assert rf"\underset{{{shape}}}" in document


def test_matrices_of_a_large_layer_are_cut_and_the_document_stays_small(rng):
    network = dp.Network([784, 128, 10])
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 784)), [3])
    document = explanation.to_latex()
    assert r"\cdots" in document
    assert r"\underset{784 \times 128}" in document
    assert len(document) < 1e5
    assert len(explanation.to_latex(detail="neurons")) < 1e6


class TestWording:
    def test_both_languages_have_the_same_keys_and_placeholders(self):
        english, chinese = LANGUAGES["en"], LANGUAGES["zh"]
        assert english.keys() == chinese.keys()

        def fields(text):
            return {name for _, name, _, _ in string.Formatter().parse(text) if name}

        for key in english:
            assert fields(english[key]) == fields(chinese[key]), key

    def test_no_english_is_left_in_a_chinese_document(self):
        document = tutorial(names=Names("标题")).to_latex(language="zh")
        text = document.split(r"\begin{document}")[1]
        text = re.sub(r"\\begin\{align\*\}.*?\\end\{align\*\}", "", text, flags=re.DOTALL)
        for words in ("forward", "Backward", "loss", "neuron", "weights", "change"):
            assert words not in text

    def test_pdflatex_has_a_glyph_for_every_word(self):
        assert unknown_to_pdflatex("".join(LANGUAGES["en"].values())) == []

    @pytest.mark.parametrize(
        ("setting", "value"),
        [("detail", "all"), ("notation", "french"), ("language", "fr"), ("digits", 0)],
    )
    def test_unknown_settings_are_refused_by_name(self, setting, value):
        with pytest.raises(dp.errors.DeltapropError, match=str(value)):
            tutorial().to_latex(**{setting: value})

    def test_one_number_and_its_ancestry_is_all_that_is_told_of(self):
        document = tutorial().only("dW.1[0,1]").to_latex()
        assert r"\frac{\partial L}{\partial W^{1}_{12}}" in document
        assert "W'" not in document


class TestProofs:
    """What the referee found stands beside every gradient."""

    def test_every_gradient_has_its_tick_and_its_measurement(self, draw):
        explanation = draw("tanh", depth=1, n=2, n_out=2, l2=0.0, l1=0.0).explanation
        document = outline.document(explanation, Style())
        _, proofs = equations_and_proofs(latex.write_document(document))
        assert list(proofs) == [s.id for s in explanation.steps if s.quantity in ("dW", "db")]
        for name, text in proofs.items():
            proof = document.proofs[name]
            assert text.startswith(r"\checkmark")
            assert rf"\text{{central difference~}}{latex_number(proof.measured)}" in text
            assert rf"\text{{, relative error~}}{latex_number(proof.error)}" in text

    def test_a_wrong_gradient_has_a_cross_and_a_kink_a_question_mark(self):
        document = outline.document(tutorial(), Style())
        proofs = {"dW.1[0,0]": Proof("wrong", "2", "0.5"), "dW.1[0,1]": Proof("kink", "", "")}
        text = latex.write_document(dataclasses.replace(document, proofs=proofs))
        _, found = equations_and_proofs(text)
        assert found["dW.1[0,0]"].startswith(r"\boldsymbol{\times}")
        assert found["dW.1[0,1]"] == r"?\;\, \text{not judged: the loss has a kink here}"

    def test_it_stands_below_an_equation_that_fills_its_row(self, rng):
        network = dp.Network([3, 1], loss="half_squared_error", bias=False)
        x = rng.normal(size=(4, 3))
        explanation = dp.explain(network, network.init(rng), x, np.ones((4, 1)))
        text = explanation.only("dW.1[0,0]").to_latex(digits=12)
        assert re.search(r"^&\\quad \{\\scriptstyle", text, re.MULTILINE)


class TestPictures:
    WORDS = LANGUAGES["en"]

    def squares(self, values, signed=False):
        text = "\n".join(picture(Image("It", np.asarray(values), signed), self.WORDS))
        found = re.findall(r"\\(inked|hollow)\{(.*?)\}\{(.*?)\}\{(.*?)\}", text)
        return [(kind, *map(float, numbers)) for kind, *numbers in found]

    def test_the_area_of_a_square_is_its_ink(self):
        squares = self.squares([[1.0, 0.25], [0.0, 0.04]])
        assert [s[0] for s in squares] == ["inked"] * 3
        sides = np.array([s[3] for s in squares])
        np.testing.assert_allclose(sides / sides[0], [1.0, 0.5, 0.2], atol=0.02)

    def test_rows_run_downwards_and_squares_stand_in_the_middle_of_their_pixel(self):
        (_, x, y, side), *_ = self.squares([[0.0, 0.25], [0.0, 0.0]])
        assert (x + side / 2, y + side / 2) == pytest.approx((1.5, 1.5), abs=0.02)

    def test_what_is_negative_is_outlined_and_the_legend_says_so(self):
        assert [s[0] for s in self.squares([[1.0, -1.0]], signed=True)] == ["inked", "hollow"]
        text = "\n".join(picture(Image("It", np.array([[-1.0]]), True), self.WORDS))
        assert "Full squares are +" in text

    def test_a_large_picture_is_thinned_out(self):
        assert len(self.squares(np.ones((200, 300)))) == 40 * 60

    def test_the_row_and_its_delta_stand_in_the_overview(self, rng):
        network = dp.Network([12, 2])
        names = Names("", image=(3, 4))
        x = rng.random((2, 12))
        text = dp.explain(network, network.init(rng), x, [0, 1], names=names).to_latex()
        assert text.count(r"\begin{picture}(4,3)") == 4
        assert r"\newcommand{\hollow}" in text
        assert r"\newcommand{\hollow}" not in tutorial().to_latex()


class TestEveryBlock:
    def test_the_batch_and_the_promise_are_told(self, draw):
        text = draw("tanh", n=3, n_out=2).explanation.to_latex()
        assert r"$\ell_{1}$" in text
        assert "cosine with g" in text
        assert r"change promised (gradient $\cdot$ step)" in text

    def test_softmax_beside_sigmoid(self):
        document = SoftmaxBesideSigmoid((2.0, -1.0), ("a_b", "数"), 0).document(Style())
        text = latex.write_document(document)
        assert r"a\_b & ${2}$ &" in text
        assert r"\DeclareUnicodeCharacter{6570}" in text
        assert list(equations_of(text)) == list(
            dict.fromkeys(line.step.id for line in document.lines())
        )

    def test_a_long_table_may_be_broken_over_pages(self):
        scores = tuple(np.linspace(-1, 1, 60))
        text = SoftmaxBesideSigmoid(scores).to_latex()
        assert r"\begin{longtable}[l]{@{}lrrrl@{}}" in text

    def test_a_minus_in_a_sentence_is_a_minus(self):
        section = Section("it", "", (Sentence("It is -1.5e-05 of f'(0), p - t, x-y."),))
        text = latex.write_document(Document("", (), (section,), Style()))
        assert r"It is ${-1.5\times 10^{-5}}$ of f{'}(0), p -- t, x{-}y." in text

    def test_a_long_name_in_a_table_is_broken_into_lines(self):
        table = Table(("name",), (("a long name " * 6,),))
        text = latex.write_document(Document("", (), (Section("it", "", (table,)),), Style()))
        assert "{@{}p{16em}@{}}" in text
