"""Biases that single neurons lack: ``b: [0.1, null]``, in every number, form and file."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import DataError, SettingError
from deltaprop.explaining import Names, explain, read_worked_example, worked_example
from deltaprop.explaining.as_example import with_claims
from deltaprop.explaining.repeated import repeat
from deltaprop.notation.ids import read_ref
from helpers.explained import assert_lines_hold

EXAMPLE = {
    "layers": [
        {"W": [[0.5, -0.3], [0.2, 0.4]], "b": [0.1, None], "activation": "tanh"},
        {"W": [[0.7], [-0.6]], "b": [0.2]},
    ],
    "loss": "half_squared_error",
    "x": [[1, 2], [0.5, -1]],
    "targets": [[0.5], [1]],
    "learning_rate": 0.5,
}
RULES = (dp.GradientDescent(0.2), dp.Momentum(0.2), dp.Adam(0.1), dp.AdamW(0.1), dp.Muon(0.1))


def with_b(b, key="b", **others):
    first, last = EXAMPLE["layers"]
    rest = {name: value for name, value in first.items() if name != "b"}
    return {**EXAMPLE, "layers": [{**rest, key: b}, last], **others}


@st.composite
def steps(draw):
    """Draw a step of a network of which some neurons have no bias."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    activations = [*draw(st.permutations(("tanh", "sigmoid", "softplus"))), None]
    layers = [
        dp.Dense(
            n, activation, draw(st.lists(st.booleans(), min_size=n, max_size=n)),
            parametrization=draw(st.sampled_from(("standard", "ntk"))),
        )
        for n, activation in zip(sizes[1:], [*activations[: len(sizes) - 2], None], strict=True)
    ]  # fmt: skip
    l2 = draw(st.sampled_from((0.0, 0.3)))
    network = dp.Network.from_layers(sizes[0], layers, loss="half_squared_error", l2=l2)
    flat = rng.normal(size=network.layout.size).round(2)
    flat[network.layout.absent] = 0.0
    parameters = network.init(rng).like(flat)
    n = draw(st.integers(1, 3))
    x, targets = rng.normal(size=(n, sizes[0])), rng.normal(size=(n, sizes[-1]))
    rule = draw(st.sampled_from(RULES))
    return dp.explain(network, parameters, x, targets, optimizer=rule)


def with_all_biases(network):
    """Return the same network with a bias of every neuron of a layer that has any."""
    layers = [replace(layer, bias=bool(layer.bias)) for layer in network.layers]
    return dp.Network.from_layers(network.n_in, layers, loss=network.loss_name, l2=network.l2)


@settings(max_examples=20)
@given(steps())
def test_the_numbers_are_those_of_biases_that_stay_0(step):
    trace, network, layout = step.trace, step.trace.network, step.trace.network.layout
    other = with_all_biases(network)
    whole = dp.explain(
        other, other.parameters(*([p[k] for p in trace.parameters.layers] for k in "W"),
                                [p.get("b") for p in trace.parameters.layers]),
        trace.a[0], trace.targets, optimizer=step.update.rule,
    )  # fmt: skip
    for name in ("z", "a", "delta"):
        for own, its in zip(getattr(trace, name), getattr(whole.trace, name), strict=True):
            np.testing.assert_array_equal(own, its)
    places, absent = layout.places, layout.absent
    for own, its in (
        (trace.gradients, whole.trace.gradients),
        (step.update.after.parameters, whole.update.after.parameters),
    ):
        np.testing.assert_array_equal(own.flat[places], its.flat[places])
        assert not own.flat[absent].any()
    assert network.n_parameters == len(places) == other.n_parameters - len(absent)


@settings(max_examples=12)
@given(steps())
def test_every_line_holds_and_every_gradient_is_proved(step):
    assert_lines_hold(step)
    report = step.verify()
    assert report
    assert len(report.entries) == step.trace.network.n_parameters + 1
    told = {s.id for s in step.steps}
    for slot in step.trace.network.layout.slots:
        for index in np.ndindex(slot.shape):
            array, at = f"{slot.name}.{slot.layer + 1}", f"[{','.join(map(str, index))}]"
            is_there = slot.name != "b" or index[0] not in slot.absent
            assert (f"d{array}{at}" in told) == (f"{array}.after{at}" in told) == is_there
            names = [f"{q}{array}{at}" for q in ("", "d")] + [f"{array}.after{at}"]
            kept = [name for name, v in step.update.new_state.items() if isinstance(v, np.ndarray)]
            names += [f"{name}_{array}.after{at}" for name in kept]
            for name in () if is_there else names:
                number = f"neuron {index[0] + 1} of layer {slot.layer + 1} has no bias"
                with pytest.raises(SettingError, match=number):
                    step.only(name)
                with pytest.raises(SettingError, match=number):
                    step.derivation.step(read_ref(name))


@settings(max_examples=3)
@given(steps())
def test_it_is_read_back_from_json(step):
    data = json.loads(step.to_json())
    if "example" in data:  # none for layers in NTK parametrization
        again = worked_example(data["example"])
        assert again.network == step.trace.network
        np.testing.assert_array_equal(again.parameters.flat, step.trace.parameters.flat)
        claimed = with_claims(again)
        if not step.trace.network.l2:
            assert dp.mark(claimed).ok
        for slot in step.trace.network.layout.slots:
            claims = claimed["claims"][f"d{slot.name}.{slot.layer + 1}"]
            assert [j for j, c in enumerate(claims) if c is None] == list(slot.absent)


def test_what_is_shown_of_it():
    step = worked_example(EXAMPLE).explain()
    text = step.to_terminal(detail="layers")
    assert "Neurons of layer 1 without a bias (–): 2." in text
    assert "+ [ 0.1  – ] =" in text
    assert "[ 0.1  – ] - 0.5 [ -0.141836  – ]" in text
    assert "z¹₁₂ = x₁₁ × W¹₁₂ + x₁₂ × W¹₂₂ = " in step.to_terminal()
    assert "0.1, none." in step.to("spoken")
    assert r"0.1 & \text{--}" in step.to_latex()
    assert "第 1 层中没有偏置（–）的神经元：2。" in step.to_markdown(language="zh")
    nodes = json.loads(step.to_json())["diagram"]["layers"][1]["nodes"]
    assert ["b.1[0]" in node["ids"] for node in nodes] == [True, False]
    assert "b.1[1]" not in step.to_json() + step.to_html() + step.to_notebook()


def test_biases_are_counted_through_where_they_are():
    worked = worked_example(with_b([None, 0.1], notation="tutorial"))
    text = worked.explain().to_terminal()
    assert "z²₁₂ = x₁₁ × w₃ + x₁₂ × w₄ + b₁ =" in text
    assert "b₂′ = b₂" in text
    assert "b₃" not in text


def test_the_sum_of_all_samples_gradients_leaves_it_out():
    step = worked_example(EXAMPLE).explain()
    parts = [
        dp.explain(step.trace.network, step.trace.parameters, [x], [t], reduction="sum").trace
        for x, t in zip(step.trace.a[0], step.trace.targets, strict=True)
    ]
    norms = [np.linalg.norm(part.gradients.flat) / 2 for part in parts]
    assert [s.norm for s in step.batch.samples] == pytest.approx(norms)


# files


@pytest.mark.parametrize("b", [[0.1, None], [None, -2], [[0.1, None]], [None, None], None])
@pytest.mark.parametrize("key", ["b", "w0"])
def test_a_file_has_null_for_a_missing_bias(tmp_path, b, key):
    path = tmp_path / "worked.json"
    path.write_text(json.dumps(with_b(b, key)), encoding="utf-8")
    worked = read_worked_example(path)
    (flat,) = np.reshape(b if b is not None else [None, None], (1, 2))
    has = tuple(each is not None for each in flat)
    assert worked.network.layers[0].bias == (has if any(has) else False)
    assert worked.explain().verify()


def test_a_row_of_biases_may_have_null():
    rows = [
        {"W": [[0.1, None], [0.5, -0.3], [0.2, 0.4]], "activation": "tanh"},
        {"W": [[0.2], [0.7], [-0.6]]},
    ]
    row = {**EXAMPLE, "layers": rows, "bias_row": "first", "x": [[1, 1, 2], [1, 0.5, -1]]}
    worked, other = worked_example(row), worked_example(EXAMPLE)
    assert worked.network == other.network
    gradients = other.explain().trace.gradients
    claims = [[gradients.b[0][0], None], *gradients.W[0].tolist()]
    assert dp.mark({**row, "claims": {"dW.1": claims}}).ok


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": [{"W": [[0.5, None]], "b": [1, None]}]}, "W of layer 1 holds null"),
        (with_b([None, 1, 2]), r"b of layer 1 has shape \(3,\); expected \(2,\)"),
        (with_b([None, "x"]), "b of layer 1 holds 'x'"),
        ({"x": [[1, None]]}, "x holds null"),
        (
            {"optimizer": {"name": "momentum", "state": {"v": {"b.1": [0, 1]}}}},
            r"v of b.1\[1\] is 1, but neuron 2 of layer 1 has no bias",
        ),
    ],
)
def test_null_elsewhere_is_refused(changes, message):
    with pytest.raises(DataError, match=message):
        worked_example({**EXAMPLE, **changes})


def test_the_state_of_an_optimizer_has_null_there_too():
    state = {"v": {"b.1": [0.5, None]}, "name": "momentum"}
    optimizer = {"name": "momentum", "state": {"v": {"b.1": [0.5, None]}}}
    worked = worked_example({**EXAMPLE, "optimizer": optimizer})
    assert worked.explain().verify()
    again = json.loads(worked.explain().to_json())["example"]
    assert again["optimizer"]["state"]["v"]["b.1"] == state["v"]["b.1"]


# other numbers


@pytest.mark.parametrize(
    ("changes", "b"),
    [
        ({"b1": "0.3,null"}, [0.3, None]),
        ({"b1": "None 0.25"}, [None, 0.25]),
        ({"b1": [None, 2]}, [None, 2]),
        ({"b1": 0.9}, [0.9, None]),  # the biases that there are
        ({"b.1[1]": "0.4"}, [0.1, 0.4]),
        ({"b1[0]": "null"}, None),
        ({"b1": "null"}, None),
        ({"b1": None}, None),
        ({"b1": "null", "b1[1]": 3}, [None, 3]),
        ({"b1": "null", "b.1": 3}, [3, 3]),
    ],
)
def test_a_bias_is_set_and_taken_away(changes, b):
    worked = worked_example(EXAMPLE).with_(changes)
    assert worked.data["layers"][0].get("b") == b
    assert worked.explain().verify()


@pytest.mark.parametrize("name", ["W1", "x", "t", "learning_rate", "W1[0,0]"])
def test_only_a_bias_may_be_missing(name):
    with pytest.raises(SettingError, match=r"is 'null'"):
        worked_example(EXAMPLE).with_({name: "null"})


def test_a_missing_bias_cannot_be_watched():
    worked = worked_example(EXAMPLE)
    with pytest.raises(SettingError, match="neuron 2 of layer 1 has no bias"):
        worked.repeat(2, watch=["b1[1]"])
    shown = worked.repeat(3, until=None, watch=["b1"])
    assert [ref.id for _, ref in shown.watched] == ["b.1[0]"]
    chosen = repeat(worked.explain(), 2, until=None)
    assert "b.1[1]" not in [ref.id for _, ref in chosen.watched]
    with pytest.raises(SettingError, match="neuron 2 of layer 1 has no bias"):
        repeat(worked.explain(), 2, watch=["b.1[1]"])


def test_steps_go_on_without_it():
    worked = worked_example(EXAMPLE)
    again = explain(
        worked.network, worked.explain().update.after.parameters, worked.x, worked.targets,
        learning_rate=0.5, names=Names("again"),
    )  # fmt: skip
    claims = {"b.1.after": again.update.after.parameters.b[0].round(4).tolist()[:1]}
    assert dp.mark({**EXAMPLE, "steps": [{}, claims]}).ok
    assert worked.repeat(2, until=None).step(2).trace.parameters.b[0][1] == 0


def test_frozen_biases_and_rates_of_their_own_leave_it_out():
    frozen = worked_example({**EXAMPLE, "train_biases": False}).explain()
    slower = worked_example({**EXAMPLE, "layers": [
        {**EXAMPLE["layers"][0], "bias_learning_rate": 0.25}, EXAMPLE["layers"][1]
    ]}).explain()  # fmt: skip
    assert [step.verify().ok for step in (frozen, slower)] == [True, True]
    assert "b¹₁′ = b¹₁ = 0.1" in frozen.to_terminal()
    np.testing.assert_array_equal(frozen.update.after.parameters.b[0], [0.1, 0])
    moved = slower.moved[slower.trace.network.layout.places]
    assert (moved != 0).all()
    assert slower.update.after.parameters.b[0][1] == 0
