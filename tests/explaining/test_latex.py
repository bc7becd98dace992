"""The LaTeX document: the same numbers as everywhere, and it compiles."""

import itertools
import math
import re
from itertools import cycle

import pytest

import deltaprop as dp
from deltaprop.explaining.language import LANGUAGES
from deltaprop.explaining.renderers.latex.width import broken, width
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.latex import (
    escaped,
    latex_number,
    latex_symbol,
    unknown_to_pdflatex,
)
from deltaprop.notation.naming import NOTATIONS
from deltaprop.notation.unicode import symbol_of
from helpers.explained import tutorial
from helpers.latex import read_back, same_as_json

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


class TestNumbers:
    def test_the_tutorial_line_by_line(self):
        same_as_json(tutorial(), tutorial().to_latex())

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
    @pytest.mark.one_in(5)
    def test_every_optimizer(self, draw, rule):
        explanation = draw("tanh", "half_squared_error", optimizer=rule, depth=1).explanation
        same_as_json(explanation, explanation.to_latex(detail="neurons"))

    @pytest.mark.one_in(5)
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
        ("z.1[0,0]", "z^{1}_{1}", "z^{2}_{1}"),
        ("W.1[0,1]", "W^{1}_{12}", "W^{(1,2)}_{12}"),
        ("W.2.after[10,0]", "W'^{2}_{11,1}", "W'^{(2,3)}_{11,1}"),
        ("delta.2[0,0]", r"\delta^{2}_{1}", r"\delta^{3}_{1}"),
        (
            "dW.1[0,1]",
            r"\frac{\partial L}{\partial W^{1}_{12}}",
            r"\frac{\partial L}{\partial W^{(1,2)}_{12}}",
        ),
        ("db.2[0]", *(rf"\frac{{\partial L}}{{\partial b^{{{k}}}_{{1}}}}" for k in (2, 3))),
        ("m_W.1.after[0,0]", "m'_{W^{1}_{11}}", "m'_{W^{(1,2)}_{11}}"),
        ("learning_rate", r"\eta", r"\eta"),
        ("my_rate", r"\mathrm{my\_rate}", r"\mathrm{my\_rate}"),
        ("loss", "L", "E"),
        ("W.1", "W^{1}", "W^{(1,2)}"),
    ],
)  # fmt: skip
def test_symbols(name, standard, tutorial):
    assert latex_symbol(read_ref(name), 1) == standard
    assert latex_symbol(read_ref(name), 1, NOTATIONS["tutorial"]) == tutorial


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
@pytest.mark.rest
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


def test_every_symbol_of_a_number_has_its_glyphs():
    """What was changed is told with symbols in a sentence: W²₃₄, whatever its place."""
    for layer, place in itertools.product(range(1, 10), range(10)):
        symbol = symbol_of(Ref("W", layer, (place, place)), 1)
        assert unknown_to_pdflatex(symbol) == [], symbol
        assert escaped(symbol).isascii()
