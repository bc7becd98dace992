"""What is displayed holds: Python itself evaluates every displayed line of random networks."""

import json
import math

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.notation.digits import number_text

FUNCTIONS = {
    "exp": math.exp, "log": math.log, "tanh": math.tanh, "max": max, "sqrt": math.sqrt,
    "abs": abs, "erf": math.erf,
}  # fmt: skip
OPTIMIZERS = [
    dp.GradientDescent(0.1), dp.Momentum(0.1), dp.Momentum(0.1, nesterov=True), dp.RMSProp(0.01),
    dp.Adam(0.01), dp.AdamW(0.01, weight_decay=0.1),
]  # fmt: skip


def any_explanation(number):
    """Return the explanation of a random step; the same number gives the same one."""
    rng = np.random.default_rng(number)
    depth, n = int(rng.integers(1, 7)), int(rng.integers(1, 5))
    # wide and deep and many rows at once would only repeat the same lines
    widest = 8 if depth * n < 9 else 4
    sizes = [int(k) for k in rng.integers(1, widest + 1, size=depth + 1)]
    activations, losses = list(dp.ACTIVATIONS), list(dp.LOSSES)
    loss = losses[number % len(losses)]
    row = dp.LOSSES[loss]
    network = dp.Network(
        sizes,
        hidden=[activations[int(k)] for k in rng.integers(len(activations), size=depth - 1)],
        loss=loss,
        bias=bool(rng.integers(2)),
        l2=float(rng.choice([0.0, 0.05])),
        l1=float(rng.choice([0.0, 0.01])),
        label_smoothing=float(rng.choice([0.0, 0.1])) if row.smooth else 0.0,
    )
    parameters = network.init(rng)
    parameters.flat[:] += rng.normal(
        scale=float(rng.choice([0.01, 0.5])), size=len(parameters.flat)
    )
    x, k = rng.normal(size=(n, sizes[0])), sizes[-1]
    targets = {
        "distribution": lambda: np.eye(k)[rng.integers(k, size=n)],
        "unit": lambda: rng.integers(2, size=(n, k)).astype(float),
        "real": lambda: rng.normal(scale=2.0, size=(n, k)),
        "count": lambda: rng.poisson(2.0, size=(n, k)).astype(float),
    }[row.targets]()
    return dp.explain(
        network, parameters, x, targets, optimizer=OPTIMIZERS[number // 7 % len(OPTIMIZERS)]
    )


def broken_lines(explanation, digits=6):
    """Return the displayed lines whose right-hand side does not come to what they display."""
    broken = []
    for step in json.loads(explanation.to_json(digits=digits))["steps"]:
        if not step["from"]:
            continue
        try:
            evaluated = eval(step["expression"], {"__builtins__": {}}, FUNCTIONS)
        except OverflowError:
            evaluated = math.inf
        if not math.isfinite(evaluated) and str(evaluated) == step["shown"]:
            continue
        if abs(evaluated - float(step["shown"])) > last_unit(step["shown"]) * (1 + 1e-9):
            broken.append((step["id"], step["expression"], step["shown"], evaluated))
    return broken


def last_unit(text):
    """Return one unit in the last digit of a displayed number."""
    mantissa, _, exponent = text.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals)


@pytest.mark.parametrize("number", range(20))
@pytest.mark.one_in(6)
def test_every_displayed_line_holds(number):
    explanation = any_explanation(number)
    assert broken_lines(explanation) == []


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_every_displayed_line_of_a_thousand_networks_holds(block):
    for number in range(1000 + 50 * block, 1050 + 50 * block):
        assert broken_lines(any_explanation(number)) == [], number


@pytest.mark.parametrize("digits", [1, 2, 3, 9, 15])
@pytest.mark.one_in(3)
def test_it_holds_with_any_number_of_digits(digits):
    for number in range(4):
        assert broken_lines(any_explanation(number), digits) == []


@pytest.mark.parametrize("number", range(0, 60, 7))
@pytest.mark.one_in(5)
def test_what_is_displayed_is_the_number(number):
    for step in json.loads(any_explanation(number).to_json())["steps"]:
        if step["value"] in ("inf", "nan"):
            continue
        assert float(step["shown"]) == pytest.approx(step["value"], rel=1e-5, abs=1e-15)
        if step["exact"]:
            assert float(step["shown"]) == pytest.approx(step["value"], rel=1e-12)


def test_where_rounding_would_break_a_line_it_shows_more_digits():
    network = dp.Network([2, 1], loss="half_squared_error", bias=False)
    w = [[1.23456789], [1.0]]
    explanation = dp.explain(network, network.parameters([w]), [[1.0, -1.23456]], [[0.0]])
    (line,) = [line for line in explanation.lines() if line.step.id == "z.1[0,0]"]
    assert line.operand_digits > 6
    assert line.shown == "7.89e-06"
    assert line.evaluated() == pytest.approx(7.89e-6, rel=1e-5)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1.25, 6, "1.25"), (5.05, 6, "5.05"), (1 / 3, 4, "0.3333"), (-0.0, 6, "0"), (3.0, 6, "3"),
        (1e-7, 6, "1e-07"), (123456789.0, 6, "1.23457e+08"), (float("inf"), 6, "inf"),
        (float("nan"), 6, "nan"), (-float("inf"), 6, "-inf"),
    ],
)  # fmt: skip
def test_a_number_is_written_with_so_many_digits(value, digits, text):
    assert number_text(value, digits) == text
