"""How sure one must be of a mistake, and which one it is where several give a number."""

import pytest

import deltaprop as dp
from deltaprop.explaining import worked_example
from deltaprop.practice import mark
from deltaprop.practice.exercises.task import texts_of
from deltaprop.practice.marking.step import step_of

# db = -0.03 - 0.03 + 0.037 = -0.023; each delta is rounded to three decimals
ROUNDED = {
    "layers": [{"W": [[-0.12], [0.86]]}], "loss": "half_squared_error_sigmoid",
    "x": [[0.423, -0.04], [0.647, -0.265], [-0.783, 0.784]], "targets": [[0.77], [0.74], [0.13]],
    "learning_rate": 0.5,
}  # fmt: skip
ROUNDED["layers"][0]["b"] = [-0.39]
LINES = {
    "z.1": [["-0.475"], ["-0.696"], ["0.378"]], "a.1": [["0.383"], ["0.333"], ["0.593"]],
    "delta.1": [["-0.030"], ["-0.030"], ["0.037"]],
}  # fmt: skip


@pytest.mark.parametrize(
    ("db", "mistake"),
    [
        ("-0.046", "bias_per_weight"),  # just twice the sum of what is written
        ("-0.041", "arithmetic"),  # near it, as rounding might have it: a slip as likely
    ],
)
def test_what_the_written_lines_give_just_so_is_no_chance(db, mistake):
    marking = mark({**ROUNDED, "claims": {**LINES, "db.1": [db]}})
    assert [(one.id, one.mistake) for one in marking.wrong] == [("db.1[0]", mistake)]


TWO_LAYERS = {
    "layers": [
        {"W": [[-1.37, -0.12], [-0.45, -0.81]], "activation": "relu", "b": [0.21, -0.09]},
        {"W": [[1.26, 0.33, 0.98], [-0.0, 0.44, 0.35]], "b": [-0.19, 0.47, -0.12]},
    ],
    "loss": "cross_entropy", "x": [[-0.12, -0.64]], "targets": [[0, 0, 1]], "learning_rate": 0.05,
}  # fmt: skip


def whole(example, **changes):
    """Return claims of one step, with four digits, and some otherwise."""
    right = step_of(worked_example(example)).right
    keys = [k for k in right if k.endswith(".after") == (k[0] in "Wb")]
    return {key: texts_of(right[key], 4) for key in keys} | changes


def test_a_layer_that_keeps_its_weights_is_not_taken_for_frozen_biases():
    layer = TWO_LAYERS["layers"][0]
    claims = whole(TWO_LAYERS, **{"W.1.after": layer["W"], "b.1.after": layer["b"]})
    assert mark({**TWO_LAYERS, "claims": claims}).mistakes == ("not_updated",)


def test_biases_alone_that_are_kept_are_not_taken_for_a_layer():
    task = dp.exercise(1, 9)
    marking = task.mark({**task.key, "b.1.after": task.given["layers"][0]["b"]})
    assert marking.mistakes == ("bias_frozen",)


def test_a_gate_by_the_sign_of_the_error_signal_is_a_gate_by_delta():
    example = {
        "layers": [{"W": [[0.25, 0.27], [-0.94, -0.11]], "activation": "relu"},
                   {"W": [[-0.89, 0.46], [-0.14, 0.06]]}],
        "loss": "half_squared_error", "x": [[-0.14, -0.74]], "targets": [[0.6, -0.3]],
        "learning_rate": 0.05,
    }  # fmt: skip
    right = whole(example)
    turned = {  # t - y, and what is above is below 0
        "delta.2": [[str(-float(v)) for v in row] for row in right["delta.2"]],
        "dW.2": [[str(-float(v)) for v in row] for row in right["dW.2"]],
        "delta.1": [["0", "0"]], "dW.1": [["0", "0"], ["0", "0"]],
        "W.1.after": example["layers"][0]["W"],
    }  # fmt: skip
    marking = mark({**example, "claims": {**right, **turned}})
    assert marking.conventions == ("error_signal: t_minus_y",)
    assert "relu_gate" in marking.mistakes


def test_a_mistake_in_the_loss_is_made_with_p_as_it_is_written():
    example = {
        "layers": [{"W": [[-5.12051, 1.4865]]}], "loss": "cross_entropy", "x": [[1]],
        "targets": [[0, 1]],
    }  # fmt: skip
    claims = {"z.1": [["-5.12051", "1.4865"]], "a.1": [["0.00134904", "0.998651"]]}
    marking = mark({**example, "claims": {**claims, "loss": "0.000586259"}})  # -log10(0.998651)
    assert marking.mistakes == ("log10",)
