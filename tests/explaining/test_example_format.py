"""The worked-example format: what textbooks print can be entered, and a wrong key is an error."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DataError, TargetWarning
from deltaprop.explaining import worked_example
from deltaprop.explaining.example_keys import KEYS, LAYER_KEYS
from deltaprop.functional.activations import ACTIVATIONS

EXAMPLE = {
    "layers": [
        {"W": [[0.5, 0.1], [-0.3, 0.8]], "b": [0.1, -0.2], "activation": "tanh"},
        {"W": [[0.7], [-0.4]], "b": [0.3]},
    ],
    "loss": "half_squared_error",
    "x": [[1.0, 0.5]],
    "targets": [[0.75]],
    "learning_rate": 0.5,
}


def explained(example):
    worked = worked_example(example)
    return dp.explain(
        worked.network, worked.parameters, worked.x, worked.targets, optimizer=worked.optimizer,
        state=worked.state, train_biases=worked.train_biases, reduction=worked.reduction,
    )  # fmt: skip


def after(example):
    return explained(example).update.after.parameters.flat


def with_layer(index, **changes):
    layers = [dict(layer) for layer in EXAMPLE["layers"]]
    layers[index] |= changes
    return EXAMPLE | {"layers": layers}


@pytest.mark.parametrize(
    "changes",
    [
        {"x": "1, 0.5"}, {"x": "１ ０．５"}, {"x": [["1", "1/2"]]}, {"x": ["1,0", "0,5"]},
        {"targets": 0.75}, {"targets": "3/4"}, {"targets": ["0,75"]}, {"targets": [["6/8"]]},
        {"learning_rate": "1/2"}, {"learning_rate": "0,5"}, {"learning_rate": " 5e-1 "},
        {"l2": "0"}, {"optimizer": {"name": "gradient_descent", "learning_rate": "1/2"}},
        {"layers": [
            {"W": "1/2, 0.1; -0.3, 0.8", "b": ["1/10", "−0,2"], "activation": "tanh"},
            {"W": [["7/10"], ["-0,4"]], "b": "3/10"},
        ]},
    ],
)  # fmt: skip
def test_text_is_a_number_wherever_one_stands(changes):
    assert after(EXAMPLE | changes).tolist() == after(EXAMPLE).tolist()


def test_single_numbers_need_no_brackets():
    layers = [{"W": 0.5}, {"W": "1/4"}]
    one = {"layers": layers, "loss": "half_squared_error", "x": 2, "targets": 1}
    assert explained(one).trace.loss == 0.5 * 0.75**2
    labelled = EXAMPLE | {"loss": "cross_entropy", "targets": 1}
    labelled |= {"layers": [EXAMPLE["layers"][0], {"W": [[1, 0], [0, 1]]}]}
    assert after(labelled).tolist() == after(labelled | {"targets": [[0, 1]]}).tolist()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"learning_rate": "fast"}, "learning_rate is 'fast'; expected a finite number"),
        ({"l2": True}, "l2 is True; expected a finite number"),
        ({"x": "1, a"}, "x is '1, a'; write numbers like 0.5 or 1/3"),
        ({"x": [["1/0", 1]]}, "x holds '1/0' in row 1"),
        ({"conventions": {"delta": "nonsense"}}, "mine.yaml: No convention of delta is called"),
    ],
)
def test_what_is_no_number_is_refused_where_it_stands(changes, said):
    with pytest.raises(DataError) as error:
        worked_example(EXAMPLE | changes, "mine.yaml")
    assert said in str(error.value)


def test_conventions_may_be_called_as_on_the_command_line():
    delta = float(explained(EXAMPLE).trace.delta[-1][0, 0])
    claims = {"claims": {"delta.2": [[-delta]]}}
    for given in ("t-minus-y", ["t-minus-y"], {"error_signal": "t_minus_y"}):
        marking = dp.mark(EXAMPLE | claims | {"conventions": given})
        assert marking.ok, str(marking)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "identity"])
@pytest.mark.one_in(5)
def test_any_activation_may_be_the_output(name):
    example = with_layer(1, activation=name)
    worked = worked_example(example)
    loss = name == "sigmoid" and "half_squared_error_sigmoid"
    assert worked.network.loss_name == (loss or f"half_squared_error_{name}")
    found = explained(example)
    a, row = found.trace.a[-1], ACTIVATIONS[name]
    assert found.trace.loss == pytest.approx(0.5 * (0.75 - a[0, 0]) ** 2)
    z = found.trace.z[-1]
    np.testing.assert_allclose(found.trace.delta[-1], (a - 0.75) * row.f_prime(z, row.f(z)))
    assert found.verify()
    claims = {
        "a.2": a.tolist(),
        "loss": found.trace.loss,
        "delta.2": found.trace.delta[-1].tolist(),
    }
    assert dp.mark(example | {"claims": claims}).ok
    wrong = claims | {"delta.2": (1.5 * found.trace.delta[-1]).tolist()}
    assert not dp.mark(example | {"claims": wrong}).ok


def test_cross_entropy_on_an_activation_and_what_it_cannot_take():
    example = with_layer(1, activation="sigmoid") | {"loss": "cross_entropy", "targets": [[1.0]]}
    p = explained(example).trace.a[-1][0, 0]
    assert explained(example).trace.loss == pytest.approx(-np.log(p))
    negative = with_layer(1, activation="tanh", b=[-3.0]) | {"loss": "cross_entropy"}
    with pytest.raises(DataError, match=r"logarithm of an output that is -0\.9"):
        explained(negative)


def test_targets_out_of_reach_are_warned_of_where_the_error_is_squared():
    example = with_layer(1, activation="sigmoid") | {"targets": [[1.5]]}
    with pytest.warns(TargetWarning, match=r"row 0 are \[1.5\]"):
        assert explained(example).trace.delta[-1][0, 0] < 0
    with pytest.raises(DataError, match="values from 0 to 1"):
        explained(EXAMPLE | {"loss": "binary_cross_entropy", "targets": [[1.5]]})


@pytest.mark.parametrize(
    ("example", "words"),
    [
        (EXAMPLE | {"momentum": 0.5}, "option of an optimizer. Write optimizer: {name: momentum,"),
        (EXAMPLE | {"beta_2": 0.9}, "option of an optimizer. Write optimizer: {name: adam, beta_2"),
        (EXAMPLE | {"lerning_rate": 0.5}, "Did you mean 'learning_rate'?"),
        (EXAMPLE | {"activation": "tanh"}, "belongs to a layer, beside its W"),
        (with_layer(0, l2=0.1), "layer 1 has no key 'l2': it stands beside layers"),
        (with_layer(0, activations="tanh"), "layer 1 has no key 'activations'.*'activation'"),
        (EXAMPLE | {"los": "huber"}, "Did you mean 'loss'?"),
        (EXAMPLE | {"optimizer": {"name": "adam", "beta2": 0.9}}, "beta2.*Did you mean 'beta_2'"),
        (EXAMPLE | {"optimizer": {"momentum": 0.9}}, "optimizer has no name"),
        (EXAMPLE | {"bias_row": "middle"}, "No bias_row is called 'middle'"),
        (with_layer(0, w0=[1.0, 2.0]), "b and w0, which are the same"),
        (with_layer(1, activation="thanh"), "'thanh'. Did you mean 'tanh'?"),
    ],
)
def test_an_unknown_key_or_one_in_the_wrong_place_is_an_error(example, words):
    with pytest.raises(DataError, match=words):
        worked_example(example)


def test_every_key_misspelt_is_an_error_and_a_remark_is_none():
    for key in KEYS:
        with pytest.raises(DataError, match="has no key"):
            worked_example(EXAMPLE | {f"{key}x": 1.0})
    for key in LAYER_KEYS:
        with pytest.raises(DataError, match="layer 2 has no key"):
            worked_example(with_layer(1, **{f"{key}_": 1.0}))
    worked_example(EXAMPLE | {"author": "somebody", "note": "from the blackboard"})


def test_one_row_and_one_bias_may_stand_without_brackets():
    flat = with_layer(1, b=0.3) | {"x": [1.0, 0.5], "targets": [0.75]}
    np.testing.assert_array_equal(after(flat), after(EXAMPLE))
    two = {"layers": [{"W": [[1.0, 2.0]]}], "loss": "half_squared_error", "x": [3.0],
           "targets": [1.0, 2.0]}  # fmt: skip
    np.testing.assert_array_equal(after(two), after(two | {"x": [[3.0]], "targets": [[1.0, 2.0]]}))


@pytest.mark.parametrize(("where", "at"), [("first", 0), ("last", 2)])
def test_biases_as_weights_of_an_input_that_is_1(where, at):
    layers = []
    for layer in EXAMPLE["layers"]:
        rows = [list(row) for row in layer["W"]]
        rows.insert(at, list(layer["b"]))
        layers.append({"W": rows, "activation": layer.get("activation", "identity")})
    x = [1.0, 0.5]
    x.insert(at, 1.0)
    example = EXAMPLE | {"layers": layers, "x": [x], "bias_row": where}
    np.testing.assert_array_equal(after(example), after(EXAMPLE))
    np.testing.assert_array_equal(after(example | {"x": [[1.0, 0.5]]}), after(EXAMPLE))
    found = explained(EXAMPLE).trace.gradients
    dw = found.W[1].tolist()
    dw.insert(at, found.b[1].tolist())
    assert dp.mark(example | {"claims": {"dW.2": dw}}).ok
    dw[at] = [2 * dw[at][0]]
    (wrong,) = dp.mark(example | {"claims": {"dW.2": dw}}).wrong
    assert wrong.id == "db.2[0]"
    with pytest.raises(DataError, match="x has not a 1 there"):
        worked_example(example | {"x": [[2.0, 0.5, 2.0]]})
    named = with_layer(0, b=None, w0=EXAMPLE["layers"][0]["b"])
    np.testing.assert_array_equal(after(named), after(EXAMPLE))


def test_the_options_of_an_optimizer_and_its_state():
    example = EXAMPLE | {"optimizer": {"name": "adam", "beta_2": 0.99, "learning_rate": 0.01}}
    optimizer = worked_example(example).optimizer
    assert (optimizer.beta_2, optimizer.learning_rate, optimizer.beta_1) == (0.99, 0.01, 0.9)
    moving = {"name": "momentum", "momentum": 0.5,
              "state": {"v": {"W.1": [[0.1, 0.2], [0.3, 0.4]], "b.2": [1.0]}}}  # fmt: skip
    still = EXAMPLE | {"optimizer": {"name": "momentum", "momentum": 0.5}}
    moved = after(EXAMPLE | {"optimizer": moving}) - after(still)
    np.testing.assert_allclose(moved, [0.05, 0.1, 0.15, 0.2, 0, 0, 0, 0, 0.5], atol=1e-15)
    right = explained(EXAMPLE | {"optimizer": moving}).update.after.parameters
    claims = {"W.1.after": right.W[0].tolist(), "b.2.after": right.b[1].tolist()}
    assert dp.mark(EXAMPLE | {"optimizer": moving, "claims": claims}).ok
    assert not dp.mark(still | {"claims": claims}).ok
    for state, words in (
        ({"velocity": {}}, "state of momentum"),
        ({"v": {"W.3": []}}, "array of v"),
        ({"v": {"W.1": [[1.0]]}}, r"shape \(1, 1\)"),
    ):
        with pytest.raises(DataError, match=words):
            worked_example(EXAMPLE | {"optimizer": moving | {"state": state}})


def test_layers_may_have_learning_rates_of_their_own():
    example = with_layer(0, learning_rate=0.1, bias_learning_rate=0.2)
    trace = explained(EXAMPLE).trace
    old, g = trace.parameters, trace.gradients
    new = explained(example).update.after.parameters
    np.testing.assert_allclose(new.W[0], old.W[0] - 0.1 * g.W[0])
    np.testing.assert_allclose(new.b[0], old.b[0] - 0.2 * g.b[0])
    np.testing.assert_allclose(new.W[1], old.W[1] - 0.5 * g.W[1])
    assert dp.mark(example | {"claims": {"W.1.after": new.W[0].tolist()}}).ok
