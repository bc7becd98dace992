"""The LaTeX document: the same numbers as everywhere, and it compiles."""

import math
import re
import string

import pytest

import deltaprop as dp
from deltaprop.explaining import Names, built_in_example, latex
from deltaprop.explaining.language import LANGUAGES
from deltaprop.explaining.latex_notation import (
    escaped,
    latex_number,
    latex_symbol,
)
from deltaprop.explaining.latex_width import broken, width
from deltaprop.explaining.names import read_ref
from deltaprop.explaining.to_json import to_data

KINDS = [(a, loss) for a in dp.ACTIVATIONS for loss in dp.LOSSES]
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


def equations_of(document):
    """Return by id the equation of a document, its rows joined."""
    found = {}
    for block in re.findall(r"\\begin\{align\*\}(.*?)\\end\{align\*\}", document, re.DOTALL):
        name = None
        for row in block.strip().splitlines():
            formula, _, comment = row.partition(" % ")
            formula = re.sub(r" \\\\\*?(\[4pt\])?$", "", formula)
            if comment:
                name = comment
                found[name] = formula.replace("&", " ", 1)
            elif name:
                found[name] += " " + formula.replace("&", " ", 1).replace(r"\quad ", "")
    return found


def same_as_json(explanation, document):
    """Hold the numbers of a document against those of the JSON, line by line."""
    equations = equations_of(document)
    steps = to_data(explanation)["steps"]
    assert list(equations) == [step["id"] for step in steps]
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
        same_as_json(tutorial(), latex.render(tutorial()))

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
    def test_every_optimizer(self, draw, rule):
        explanation = draw("tanh", "half_squared_error", optimizer=rule, depth=1).explanation
        same_as_json(explanation, latex.render(explanation, detail="neurons"))

    @pytest.mark.parametrize(("activation", "loss"), KINDS)
    def test_every_activation_with_every_loss(self, draw, activation, loss):
        explanation = draw(activation, loss, learning_rate=0.01).explanation
        same_as_json(explanation, latex.render(explanation, detail="neurons"))

    def test_a_long_sum_tells_how_many_terms_are_left_out(self, rng):
        network = dp.Network([40, 2], loss="half_squared_error")
        explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 40)), [[0, 0]])
        document = latex.render(explanation, detail="neurons")
        assert r"[\text{33 more}: " in document
        assert r"[\text{其余 33 项}: " in latex.render(explanation, language="zh", detail="neurons")
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
    for activation, loss in KINDS[::7]:
        explanation = draw(activation, loss, optimizer=dp.Adam()).explanation
        document = latex.render(explanation, language=language, detail=detail)
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
    document = latex.render(explanation, detail="layers")
    assert "z^{1} &= x \\, W^{1} + b^{1}" in document
    for shape in (r"2 \times 3", r"3 \times 4", r"1 \times 4", r"2 \times 4", r"4 \times 2"):
        assert rf"\underset{{{shape}}}" in document


def test_matrices_of_a_large_layer_are_cut_and_the_document_stays_small(rng):
    network = dp.Network([784, 128, 10])
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 784)), [3])
    document = latex.render(explanation)
    assert r"\cdots" in document
    assert r"\underset{784 \times 128}" in document
    assert len(document) < 1e5
    assert len(latex.render(explanation, detail="neurons")) < 1e6


class TestWording:
    def test_both_languages_have_the_same_keys_and_placeholders(self):
        english, chinese = LANGUAGES["en"], LANGUAGES["zh"]
        assert english.keys() == chinese.keys()

        def fields(text):
            return {name for _, name, _, _ in string.Formatter().parse(text) if name}

        for key in english:
            assert fields(english[key]) == fields(chinese[key]), key

    def test_no_english_is_left_in_a_chinese_document(self):
        document = latex.render(tutorial(names=Names("标题")), language="zh")
        text = document.split(r"\begin{document}")[1]
        text = re.sub(r"\\begin\{align\*\}.*?\\end\{align\*\}", "", text, flags=re.DOTALL)
        for words in ("forward", "Backward", "loss", "neuron", "weights", "change"):
            assert words not in text

    @pytest.mark.parametrize(
        ("setting", "value"),
        [("detail", "all"), ("notation", "french"), ("language", "fr"), ("digits", 0)],
    )
    def test_unknown_settings_are_refused_by_name(self, setting, value):
        with pytest.raises(dp.errors.DeltapropError, match=str(value)):
            latex.render(tutorial(), **{setting: value})

    def test_one_number_and_its_ancestry_is_all_that_is_told_of(self):
        document = latex.render(tutorial().only("dW.1[0,1]"))
        assert r"\frac{\partial L}{\partial W^{1}_{12}}" in document
        assert "W'" not in document
