"""The arithmetic of the JSON in a JavaScript engine: it parses, and comes to the same number."""

import json
import math

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.functional.arithmetic import evaluate, parse
from deltaprop.functional.expressions import Operand
from deltaprop.notation.digits import line_of
from deltaprop.notation.ids import Ref
from deltaprop.notation.latex import latex_notation
from deltaprop.notation.mathml import mathml_notation
from deltaprop.notation.steps import DerivationStep
from deltaprop.notation.unicode import unicode_notation
from deltaprop.notation.write import Notation, write

NAMES = ("exp", "log", "tanh", "sqrt", "cos", "sin", "erf")
PYTHON = {name: getattr(math, name) for name in NAMES} | {"abs": abs, "max": max}
# erf as a series of positive terms, for JavaScript has none
EVALUATED = """
const {exp, log, tanh, max, sqrt, abs, cos, sin} = Math;
function erf(x) {
  if (abs(x) > 6) return Math.sign(x);
  let term = 2 / sqrt(Math.PI) * exp(-x * x) * x, sum = 0;
  for (let n = 0; n < 400; n++) { sum += term; term *= 2 * x * x / (2 * n + 3); }
  return sum;
}
return arguments[0].map(text => {
  try { return Number(eval(text)); } catch (error) { return `${error.name}: ${text}`; }
});
"""


def explanations():
    rng = np.random.default_rng(11)
    for activation in dp.ACTIVATIONS:
        for scale in (1.0, 1e-5, 30.0):
            network = dp.Network([2, 2, 2], activation, l2=0.1, l1=0.1)
            x = rng.normal(size=(2, 2)) * scale
            yield dp.explain(network, network.init(rng), x, [0, 1], optimizer=dp.AdamW(0.01))
    targets = {
        "distribution": [[1, 0], [0.2, 0.8]], "unit": [[1, 0], [0.2, 0.8]],
        "real": [[-2.0, 3e-5], [1e7, -0.57]], "count": [[1, 0], [3, 4]],
    }  # fmt: skip
    for loss, row in dp.LOSSES.items():
        for scale in (1.0, 1e-5, 30.0):
            network = dp.Network([2, 2], loss=loss)
            x = rng.normal(size=(2, 2)) * scale
            yield dp.explain(network, network.init(rng), x, targets[row.targets])


@pytest.mark.slow
def test_every_expression_comes_to_the_same_number_in_javascript(browser):
    finite = (each for each in explanations() if np.isfinite(each.update.after.loss))
    texts = [s["expression"] for each in finite for s in json.loads(each.to_json())["steps"]]
    assert len(texts) > 3000
    found = browser.execute_script(EVALUATED, texts)
    assert not [value for value in found if isinstance(value, str)][:3]
    for text, value in zip(texts, found, strict=True):
        assert value == pytest.approx(eval(text, {}, PYTHON), rel=1e-12, abs=1e-300), text


FORMULAS = {
    "-x**2": "-((-0.57) ** 2)", "-(x**2)/2": "(-((-0.57) ** 2)) / 2",
    "-(x**2) * x": "(-((-0.57) ** 2)) * (-0.57)", "x - x**2": "(-0.57) - (-0.57) ** 2",
}  # fmt: skip


def line(formula, x):
    tree = parse(formula, {"x": Operand("x[0,0]", x)})
    return line_of(DerivationStep(Ref("z", 1, (0, 0)), tree, evaluate(tree)))


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_minus_stands_before_a_power(formula):
    shown = line(formula, -0.57)
    assert write(shown.step.expression, Notation(shown.text)) == FORMULAS[formula]


def test_a_power_of_a_power_of_ten_is_bracketed():
    squared = line("x**2", 1.2e-5)
    tree = squared.step.expression
    assert write(tree, Notation(squared.text)) == "(1.2e-05) ** 2"
    assert write(tree, unicode_notation(squared)) == "(1.2e-05)²"
    assert write(tree, latex_notation(squared)) == r"(1.2\times 10^{-5})^{2}"
    mathml = write(tree, mathml_notation(squared))
    assert mathml.index(">(<") < mathml.index("<mn>10</mn>") < mathml.index(">)<")
    divided = line("3 / x", 1.2e-5)
    flat = write(divided.step.expression, latex_notation(divided, flat=True))
    assert flat == r"3 / (1.2\times 10^{-5})"
