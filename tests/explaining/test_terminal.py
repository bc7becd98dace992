"""The explanation as text: it fits the width, keeps the digits, and says what the steps say."""

import re

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names
from deltaprop.widths import text_width

ANSI = re.compile(r"\x1b\[\d+m")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]\d+)?(?![\w.])")


def too_long(text, width):
    return [line for line in ANSI.sub("", text).split("\n") if text_width(line) > width]


@pytest.mark.one_in(15)
def test_no_line_is_wider_than_the_terminal(draw, activation, loss):
    for width in (80, 60, 120):
        explanation = draw(activation, loss, learning_rate=0.01).explanation
        for color in (False, True):
            assert not too_long(explanation.to_terminal(width=width, color=color), width)


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "digits", [1, pytest.param(6, marks=SLOW), pytest.param(12, marks=SLOW), 17]
)
@pytest.mark.parametrize("sizes", [[30, 40, 12], [3, 9, 9, 8], [200, 1], [1, 100]])
@pytest.mark.one_in(9)
def test_wide_networks_fit_the_width_at_any_precision(rng, sizes, digits):
    network = dp.Network(sizes, "tanh", "half_squared_error")
    x, targets = rng.normal(size=(2, sizes[0])), rng.normal(size=(2, sizes[-1]))
    names = Names(
        "a title as long as somebody may want it " * 4,
        tuple(f"the column with a rather long name {i}" for i in range(sizes[0])),
        tuple(f"output {i}, which is long as well, and longer" for i in range(sizes[-1])),
    )
    explanation = dp.explain(network, network.init(rng), x, targets, names=names)
    for detail in (None, "overview", "layers", "neurons"):
        text = explanation.to_terminal(detail=detail, digits=digits)
        assert not too_long(text, 80), too_long(text, 80)[:3]


def test_the_tutorials_numbers_are_all_there(tutorial):
    text = tutorial.to_terminal()
    for number in (
        "1.25", "3.8", "5.05", "0.55125", "1.05", "1.3125", "3.99", "0.525", "0.86875", "0.601",
        "0.395", "1.4475", "2.195", "2.9475", "3.17683", "0.338802", "-2.0399",
    ):  # fmt: skip
        assert number in NUMBER.findall(text), number


def test_the_three_altitudes_come_in_the_order_of_the_tutorial(tutorial):
    text = tutorial.to_terminal()
    places = [text.index(word) for word in ("Overview", "Layers", "Neurons", "promise")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("detail", "word", "others"),
    [
        ("overview", "Overview", ("Layers", "Neurons")),
        ("layers", "Layers", ("Overview", "Neurons")),
        ("neurons", "Neurons", ("Overview", "Layers")),
    ],
)
def test_one_altitude_leaves_the_others_out(tutorial, detail, word, others):
    text = tutorial.to_terminal(detail=detail)
    assert word in text
    assert not any(other in text for other in others)


@pytest.mark.parametrize("digits", [1, 3, 6, 10, 17])
def test_no_number_has_more_digits_than_asked_for(draw, digits):
    text = draw("tanh", "cross_entropy", depth=1).explanation.to_terminal(
        detail="layers", digits=digits
    )
    matrices = [line for line in text.split("\n") if line.startswith("    [")]
    for number in NUMBER.findall(" ".join(line.split("]")[0] for line in matrices)):
        mantissa = number.split("e")[0].lstrip("-").replace(".", "").lstrip("0")
        assert len(mantissa) <= max(digits, 1), number


def test_seventeen_digits_give_back_every_number_to_the_bit(draw):
    explanation = draw("silu", "cross_entropy", depth=1, n=1, n_out=2).explanation
    text = explanation.to_terminal(detail="neurons", digits=17, width=2000)
    found = {float(number) for number in NUMBER.findall(text)}
    assert {step.value for step in explanation.steps} <= found


def test_an_exact_result_has_an_equals_sign_and_a_rounded_one_has_not(tutorial):
    text = tutorial.to_terminal(detail="neurons", digits=6)
    assert "= 1 × 0.5 + 0.5 × 1.5 = 1.25" in text
    assert "≈ 3.17683" in text
    assert "= 3.17683\n" not in text.replace("a²₁′ = z²₁′ = 3.17683\n", "")


def test_negative_operands_stand_in_parentheses(rng):
    network = dp.Network([2, 1], loss="half_squared_error", bias=False)
    parameters = network.parameters([[[-2.0], [-3.0]]])
    text = dp.explain(network, parameters, [[-1.0, 4.0]], [[0.0]]).to_terminal(detail="neurons")
    assert "(-1) × (-2) + 4 × (-3) = -10" in text


def test_without_colour_there_is_no_escape_code_and_with_colour_the_text_is_the_same(tutorial):
    plain, coloured = tutorial.to_terminal(), tutorial.to_terminal(color=True)
    assert "\x1b" not in plain
    assert "\x1b[34m" in coloured
    assert ANSI.sub("", coloured) == plain


def test_the_sign_of_a_number_has_its_colour(rng):
    network = dp.Network([1, 1], loss="half_squared_error", bias=False)
    text = dp.explain(network, network.parameters([[[-2.0]]]), [[1.0]], [[0.0]]).to_terminal(
        detail="neurons", color=True
    )
    assert "\x1b[33m-2\x1b[0m" in text
    assert "\x1b[34m2\x1b[0m" in text


def test_the_users_names_stand_in_the_overview(rng):
    network = dp.Network([2, 3, 2], "tanh")
    names = Names("The flower", ("petal", "sepal"), ("iris", "rose"))
    text = dp.explain(network, network.init(rng), [[1.0, 2.0]], [1], names=names).to_terminal()
    assert text.startswith("The flower\n")
    for name in ("petal = 1", "sepal = 2", "iris = ", "rose = "):
        assert name in text


@pytest.mark.parametrize(
    ("reduction", "words"), [("mean", "mean over 3 samples"), ("sum", "sum over 3 samples")]
)
def test_the_header_says_how_samples_are_combined(draw, reduction, words):
    text = draw("tanh", "cross_entropy", n=3, reduction=reduction).explanation.to_terminal()
    assert words in text


def test_the_header_says_when_penalties_count(draw):
    with_penalty = draw("tanh", l2=0.1).explanation.to_terminal(width=500)
    without = draw("tanh", l2=0.0, l1=0.0).explanation.to_terminal(width=500)
    assert "Penalties count" in with_penalty
    assert "Penalties count" not in without


def test_the_loss_of_a_sample_and_the_objective_have_different_symbols(draw):
    text = draw("tanh", "half_squared_error", n=1, l2=0.3, l1=0.0).explanation.to_terminal(
        detail="neurons", width=1000
    )
    assert not re.search(r"^ *L = .*\bL\b", text, re.MULTILINE)


def test_a_large_network_is_not_spelt_out_unasked(rng):
    network = dp.Network([50, 60, 3], "relu")
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 50)), [1])
    assert "--detail neurons" in explanation.to_terminal()
    assert len(explanation.to_terminal()) < 20_000
    assert "∂L/∂W¹" in explanation.to_terminal(detail="neurons")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"detail": "everything"}, "No detail is called 'everything'"),
        ({"digits": 0}, "digits is 0; it is from 1 to 17"),
        ({"digits": 18}, "digits is 18"),
    ],
)
def test_an_impossible_setting_is_refused(tutorial, setting, message):
    with pytest.raises(dp.errors.SettingError, match=message):
        tutorial.to_terminal(**setting)


def test_the_text_is_the_same_each_time(draw):
    explanation = draw("mish", "huber").explanation
    assert explanation.to_terminal() == explanation.to_terminal()


def test_layers_show_shapes(rng):
    network = dp.Network([3, 5, 2], "tanh")
    text = dp.explain(network, network.init(rng), np.ones((4, 3)), [0, 1, 0, 1]).to_terminal(
        detail="layers"
    )
    assert "z¹ = x W¹ + b¹" in text
    for shape in ("4×5", "4×2", "3×5", "5×2", "1×2"):
        assert shape in text
