"""The form for screen readers: words only, in reading order, and unambiguous."""

import re
import unicodedata

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names, built_in_example
from deltaprop.explaining.document import outline
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.renderers.spoken_words import SPOKEN, said
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid
from deltaprop.functional.arithmetic import evaluate, parse

UNREADABLE = {"Sm", "Sk", "So", "No", "Lm", "Mn", "Pc"}  # signs, raised and lowered, marks
EN = SPOKEN["en"]
BACK = [
    (EN["open"].strip(), "("), (EN["close"].strip(), ")"), (EN["*"], " * "), (EN["+"], " + "),
    (EN["/"], " / "), (EN["log"], "log"), (EN["sqrt"], "sqrt"), (EN["abs"], "abs"),
    (r"\bof together [-.\de]+", ""), ("minus ", "-"), (" to the power of ", " ** "),
    (" squared", " ** 2"), (" of ", " "),
]  # fmt: skip


def words_only(text):
    return {c for c in text if unicodedata.category(c) in UNREADABLE or c in "=<>^*_|[]{}+"}


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.rest
def test_there_are_words_only(draw, draw_layers, language):
    told = [draw(a, loss, n=2).explanation for a in dp.ACTIVATIONS for loss in list(dp.LOSSES)[:2]]
    told += [draw(a, loss).explanation for a in list(dp.ACTIVATIONS)[:2] for loss in dp.LOSSES]
    told += [draw_layers(kind).explanation for kind in ("scaling", "periodic", "categories")]
    for one in (*told, SoftmaxBesideSigmoid((2.0, -1.0, 1e-9))):
        text = one.to("spoken", language=language)
        assert not words_only(text), [line for line in text.split("\n") if words_only(line)][:3]
        assert "  " not in text


def test_both_languages_say_the_same_things():
    assert SPOKEN["en"].keys() == SPOKEN["zh"].keys()
    for key, text in SPOKEN["en"].items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", SPOKEN["zh"][key]))


@pytest.mark.one_in(5)
def test_who_hears_it_can_work_it_out(draw, activation, loss):
    explanation = draw(activation, loss, optimizer=dp.Adam()).explanation
    document = outline.document(explanation, Style(detail="neurons"))
    lines = iter(document.lines())
    told = explanation.to("spoken", detail="neurons")
    heard = re.findall(r"^In numbers: (.*)(?: equals | is about )(.*)\.$", told, re.MULTILINE)
    assert heard
    for formula, _ in heard:
        if " more of together " in formula or ", else 0" in formula:
            continue
        formula = re.sub(r"([\d.]+) times ten to the (minus )?(\d+)", _power, formula)
        for word, sign in BACK:
            formula = re.sub(word, sign, formula)
        value = evaluate(parse(formula, {}))
        assert any(abs(line.evaluated() - value) <= 1e-12 * abs(value) for line in lines), formula


def _power(found):
    return f"{found[1]}e{'-' if found[2] else ''}{found[3]}"


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("δ = dL/dz", "delta equals the derivative of L by z"),
        ("f'(0) is -1e-05", "f prime of 0 is minus 1 times ten to the minus 5"),
        ("cross-entropy of well-known A/B", "cross-entropy of well-known A/B"),
        ("flow forward →, back ←", "flow forward, back"),
        ("∂L/∂z₁ → 2", "the derivative of L by z 1 to 2"),
        ("a \u202e b", "a b"),
        ("sex (MALE = +1)", "sex (MALE equals plus 1)"),
        ("leaky_relu (½ of Σ)", "leaky relu (1/2 of sum)"),
        ("see https://a.b/97e5-3_x (2e5)", "see https://a.b/97e5-3_x (2 times ten to the 5)"),
        ("L = -Σᵢ tᵢ", "L equals minus the sum over i of t i"),
        ("∂L/∂zᵢ = pᵢ - tᵢ", "the derivative of L by z i equals p i minus t i"),
        (
            "s = 1 / (1 + exp(-z))",
            (
                "s equals 1 divided by open parenthesis 1 plus exp of open parenthesis minus z "
                "close parenthesis close parenthesis"
            ),
        ),
        (
            "(y - t)^2, with 2 (y - t)",
            (
                "open parenthesis y minus t close parenthesis squared, with 2 open parenthesis "
                "y minus t close parenthesis"
            ),
        ),
        ("|g| of mass (kg) → 3 z²", "the norm of g of mass (kg) to 3 z squared"),
        ("--step 1, not -step", "--step 1, not minus step"),
    ],
)
def test_sentences(text, heard):
    assert said(text, EN) == heard


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("sex (MALE = +1)", "sex (MALE 等于 正 1)"),
        ("f'(0) 取 1", "f 的导函数 作用于 0 取 1"),
        ("(y - t)²", "左括号 y 减 t 右括号 的平方"),
        ("|各部分之和| = 2", "各部分之和 的范数 等于 2"),
    ],
)
def test_chinese_sentences(text, heard):
    assert said(text, SPOKEN["zh"]) == heard


def test_matrices_between_layers_are_said_so():
    worked = built_in_example("tutorial")
    told = worked.explain().to("spoken", language="zh")
    assert "\n第 1、2 层之间的 W，2 行 2 列：第 1 行：0.5，2.3；" in told
    assert "\nW between layers 1 and 2, 2 by 2: row 1:" in worked.explain().to("spoken")


def test_a_number_is_named_letter_first():
    worked = built_in_example("tutorial")
    step = dp.explain(
        worked.network, worked.parameters, worked.x, worked.targets,
        names=Names(inputs=("size", "price - old"), outputs=("sold",)),
    )  # fmt: skip
    told = step.to("spoken")
    assert "\nx 1, size, equals 1.\nx 2, price minus old, equals 0.5.\n" in told
    assert "new W 1 2 of layer 1 equals W 1 2 of layer 1 minus eta times the derivative" in told
    assert "\nW of layer 1, 2 by 2: row 1: 0.5, 2.3; row 2: 1.5, 3.\n" in told


def test_an_index_of_several_digits_is_one_number(rng):
    network = dp.Network([112, 11])
    step = dp.explain(network, network.init(rng), np.eye(112)[[111]], [10])
    told = step.only("z.1[0,10]").to("spoken")
    assert "x 112 times W 112 11 of layer 1" in told
    assert "z 11 of layer 1 equals" in told
