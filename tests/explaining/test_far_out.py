"""Wherever the numbers are, every displayed line works out to its number, for any reader."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import DataError

FUNCTIONS = {
    name: getattr(math, name) for name in ("exp", "log", "tanh", "sqrt", "erf", "cos", "sin")
} | {"abs": abs, "max": max}
NO_NUMBER = re.compile(r"(?<![a-zA-Z])(inf|nan|NaN|∞|infinity|infty|not a number)(?![a-zA-Z])")
FORMS = ("terminal", "html", "latex", "markdown", "notebook", "json", "spoken", "svg")

# where functions overflow, underflow, lose their digits, and anywhere else
SIZES = st.floats(-323.0, 308.0).map(lambda power: 10.0**power) | st.floats(0.0, 800.0)
NUMBERS = st.builds(math.copysign, SIZES, st.sampled_from([-1.0, 1.0]))


def explained(network, weights, x, targets):
    """Return the explanation of a step; None where a number of it is beyond all floats."""
    parameters = network.parameters(weights, [np.zeros(W.shape[1]) for W in weights])
    try:
        explanation = dp.explain(network, parameters, x, targets, learning_rate=1e-3)
    except DataError:
        return None
    return (
        explanation if all(map(is_finite, (explanation.trace, explanation.update.after))) else None
    )


def is_finite(trace):
    arrays = (*trace.z, *trace.a, *trace.delta, trace.gradients.flat, trace.loss_per_sample)
    return np.isfinite(trace.loss) and all(np.isfinite(array).all() for array in arrays)


def one_unit(shown):
    """Return one unit in the last of six digits, or of those that are shown if they are fewer."""
    mantissa, _, exponent = shown.partition("e")
    last = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    of_six = 10.0 ** (math.floor(math.log10(abs(float(shown)))) - 5) if float(shown) else 0.0
    # the least numbers have few digits, and lose them in another order
    return max(last if float(shown) and "." in mantissa else 0.0, of_six, 2e-322)


def assert_every_line_works_out(explanation):
    data = json.loads(explanation.to_json())
    ids = {step["id"] for step in data["steps"]}
    for step in data["steps"]:
        name, shown, text = step["id"], step["shown"], step["expression"]
        value = eval(text, {"__builtins__": {}}, FUNCTIONS)  # exp(800) is an OverflowError
        room = 1.001 * one_unit(shown)
        assert abs(value - float(shown)) <= room, (name, text, shown)
        assert abs(step["value"] - float(shown)) <= room, (name, shown, step["value"])
        assert step["from"] or re.search(r"delta|loss", name), f"{name} is told by no formula"
        assert not {
            of for of in step["from"] if of not in ids and of.startswith(("upstream", "jacobian"))
        }


def assert_no_form_shows_an_infinity(explanation):
    for form in FORMS:
        text = explanation.to(form)
        if form == "html":
            text = re.sub(r"<(style|script).*?</\1>", "", text, flags=re.DOTALL)
        if form == "notebook":
            cells = json.loads(text)["cells"]
            text = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        if form == "json":
            text = json.dumps(json.loads(text)["steps"])
        found = NO_NUMBER.search(text)
        assert not found, (form, text[max(0, found.start() - 90) : found.end() + 20])


@pytest.mark.parametrize("activation", dp.ACTIVATIONS)
@settings(max_examples=15)
@given(z=st.lists(NUMBERS, min_size=1, max_size=2))
@pytest.mark.one_in(5)
def test_every_line_of_an_activation_works_out_wherever_z_is(activation, z):
    network = dp.Network([1, len(z), 1], activation, loss="half_squared_error_sigmoid")
    step = explained(network, [np.array([z]), np.ones((len(z), 1))], [[1.0]], [[0.5]])
    if step is not None:
        assert_every_line_works_out(step)


TARGETS = {
    "distribution": [[1.0, 0.0], [0.0, 1.0], [0.3, 0.7]],
    "unit": [[1.0, 0.0], [0.0, 1.0], [0.3, 0.7]],
    "real": [[1.0, 0.0], [0.3, -0.7]],
    "count": [[3.0, 0.0], [0.0, 1.0]],
}


@pytest.mark.parametrize("loss", dp.LOSSES)
@settings(max_examples=20)
@given(z=st.tuples(NUMBERS, NUMBERS), which=st.integers(0, 2), rows=st.sampled_from([1, 3]))
@pytest.mark.one_in(5)
def test_every_line_of_a_loss_works_out_wherever_z_is(loss, z, which, rows):
    network = dp.Network([1, 2], loss=loss)
    targets = TARGETS[network.loss.targets]
    targets = [targets[which % len(targets)]] * rows
    step = explained(network, [np.array([z])], [[1.0], [0.5], [-1.0]][:rows], targets)
    if step is not None:
        assert_every_line_works_out(step)


FAR = (-1e308, -800.0, -745.0, 5e-324, 709.9, 1e200)


@pytest.mark.parametrize(
    ("activation", "loss"),
    [*((name, "half_squared_error_sigmoid") for name in dp.ACTIVATIONS),
     *(("tanh", name) for name in dp.LOSSES)],
)  # fmt: skip
@pytest.mark.one_in(15)
def test_no_form_shows_an_infinity(activation, loss):
    network = dp.Network([1, 1, 2], activation, loss=loss)
    targets = TARGETS[network.loss.targets][0]
    for z in FAR[:: 1 if activation != "tanh" else 2]:
        last = np.array([[z if activation == "tanh" else 1.0, 0.5]])
        first = np.array([[20.0 if activation == "tanh" else z]])
        step = explained(network, [first, last], [[1.0], [-0.5]], [targets] * 2)
        if step is not None:
            assert_no_form_shows_an_infinity(step)


def test_the_batch_is_told_where_squares_would_overflow():
    network = dp.Network([1, 1, 1], "tanh", loss="half_squared_error_sigmoid", bias=False)
    told = []
    for size in (1.0, 2.0**700, 2.0**-700):
        parameters = network.parameters([[[1.0 / size]], [[0.5]]])
        step = dp.explain(network, parameters, [[size], [-0.5 * size]], [[1.0], [0.2]])
        told.append(step.batch)
    norms = [[each.norm for each in batch.samples] for batch in told]
    assert np.isfinite(norms).all()
    assert np.min(norms) > 0
    cosines = [[each.cosine for each in batch.samples] for batch in told]
    assert np.abs(cosines).min() > 0.9


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_promise_beyond_all_numbers_is_told_in_words(language):
    network = dp.Network([1, 2], loss="poisson")
    step = dp.explain(
        network, network.parameters([[[-800.0, 708.0]]], [[0.0, 0.0]]), [[1.0]], [[3.0, 0.0]]
    )
    text = step.to_terminal(language=language)
    assert "inf" not in text
    assert {"en": "beyond all numbers", "zh": "超出了数的范围"}[language] in text


def test_a_step_to_an_infinite_loss_promises_no_infinity():
    network = dp.Network([1, 1], loss="half_squared_error")
    step = dp.explain(network, network.parameters([[[1e-3]]], [[0.0]]), [[1e3]], [[-3e153]])
    assert step.predicted_change == -np.inf
    text = step.to_terminal()
    assert not re.search("-inf|nan", text)
    assert re.search("loss after +inf", text)
    assert json.loads(step.to_json())["change"] == dict.fromkeys(
        ("predicted", "second_order", "actual")
    )


def test_a_jacobian_beyond_all_numbers_is_left_out_of_its_sample_alone():
    network = dp.Network([1, 2], loss="cross_entropy", bias=False)
    step = dp.explain(
        network, network.parameters([[[800.0, 0.0]]]), [[1.0], [0.001]], [[0, 1], [0, 1]]
    )
    told = {s.id for s in step.steps}
    assert "jacobian.1[1,0,0]" in told
    assert "jacobian.1[0,0,0]" not in told


def test_a_row_whose_further_forms_are_of_another_function_is_refused():
    row = dp.Activation(
        "swish", lambda z: z / (1 + np.exp(-np.clip(z, -700, None))),
        lambda z, a: 1 / (1 + np.exp(-np.clip(z, -700, None)))
        + a * (1 - 1 / (1 + np.exp(-np.clip(z, -700, None)))),
        ("", ""), "", arithmetic=dp.ACTIVATIONS["silu"].arithmetic,
        elsewhere=(("exp(z)",), ("exp(z)",)),
    )  # fmt: skip
    with pytest.raises(Exception, match="none of its formulas"):
        dp.ACTIVATIONS.check(row)
