"""Every number of a step: named once, made of what came before, and equal to its arithmetic."""

import dataclasses
import re
from collections import Counter

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import built_in_example
from deltaprop.functional.arithmetic import evaluate
from deltaprop.functional.expressions import Operand, Rest, Sum

LOSSES = tuple(dp.LOSSES)
ACTIVATIONS = tuple(dp.ACTIVATIONS)
PHASES = ["forward", "loss", "backward", "gradient", "update", "after"]


def example(name="tutorial"):
    worked = built_in_example(name)
    return dp.explain(
        worked.network, worked.parameters, worked.x, worked.targets, optimizer=worked.optimizer
    )


class TestTheTutorial:
    """Section 6 of the mathematics, number by number, as steps."""

    NUMBERS = {  # noqa: RUF012
        "z.1[0,0]": 1.25, "z.1[0,1]": 3.8, "a.1[0,0]": 1.25, "a.1[0,1]": 3.8,
        "z.2[0,0]": 5.05, "a.2[0,0]": 5.05, "loss[0]": 0.55125,
        "delta.2[0,0]": 1.05, "delta.1[0,0]": 1.05, "delta.1[0,1]": 1.05,
        "dW.2[0,0]": 1.3125, "dW.2[1,0]": 3.99,
        "dW.1[0,0]": 1.05, "dW.1[1,0]": 0.525, "dW.1[0,1]": 1.05, "dW.1[1,1]": 0.525,
        "W.2.after[0,0]": 0.86875, "W.2.after[1,0]": 0.601,
        "W.1.after[0,0]": 0.395, "W.1.after[1,0]": 1.4475,
        "W.1.after[0,1]": 2.195, "W.1.after[1,1]": 2.9475,
        "z.1.after[0,0]": 0.395 + 0.5 * 1.4475, "a.1.after[0,0]": 0.395 + 0.5 * 1.4475,
        "z.1.after[0,1]": 2.195 + 0.5 * 2.9475, "a.1.after[0,1]": 2.195 + 0.5 * 2.9475,
        "z.2.after[0,0]": 3.1768328125, "a.2.after[0,0]": 3.1768328125,
        "loss.after[0]": (4 - 3.1768328125) ** 2 / 2,
    }  # fmt: skip

    def test_there_are_these_steps_and_no_others(self):
        assert {step.id for step in example().steps} == set(self.NUMBERS)

    @pytest.mark.parametrize("name", NUMBERS)
    def test_the_number(self, name):
        (step,) = [step for step in example().steps if step.id == name]
        assert step.value == pytest.approx(self.NUMBERS[name], rel=1e-13)

    def test_the_weights_are_the_old_ones_in_the_recursion_and_the_new_ones_afterwards(self):
        steps = {step.id: step for step in example().steps}
        assert steps["delta.1[0,0]"].operands == ("delta.2[0,0]", "W.2[0,0]")
        assert steps["z.2.after[0,0]"].operands == (
            "a.1.after[0,0]", "W.2.after[0,0]", "a.1.after[0,1]", "W.2.after[1,0]",
        )  # fmt: skip

    def test_the_promise_and_the_fact(self):
        explanation = example()
        squares = sum(v**2 for k, v in self.NUMBERS.items() if k.startswith("dW"))
        assert explanation.predicted_change == pytest.approx(-0.1 * squares, rel=1e-13)
        after = (4 - 3.1768328125) ** 2 / 2
        assert explanation.actual_change == pytest.approx(after - 0.55125, rel=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
class TestEveryKindOfNetwork:
    @pytest.mark.one_in(20)
    def test_every_number_is_what_its_expression_comes_to(
        self, draw, arithmetic, roots_of, activation, loss
    ):
        for _ in range(3):
            setting = draw(activation, loss, learning_rate=0.01)
            values = roots_of(setting)
            for step in setting.explanation.steps:
                result = arithmetic(step, values)
                assert step.value == pytest.approx(result, rel=1e-9, abs=1e-12), step
                values[step.id] = step.value

    @pytest.mark.one_in(5)
    def test_every_operand_is_a_root_or_an_earlier_step(self, draw, is_root, activation, loss):
        setting = draw(activation, loss)
        earlier = set()
        for step in setting.explanation.steps:
            made_of = [n for n in step.operands if n != step.id]
            strangers = [n for n in made_of if n not in earlier and not is_root(n)]
            assert not strangers, (step.id, strangers)
            earlier.add(step.id)

    @pytest.mark.one_in(5)
    def test_an_operand_has_the_value_of_its_step(self, draw, roots_of, activation, loss):
        setting = draw(activation, loss)
        values = roots_of(setting)
        for step in setting.explanation.steps:
            for operand in step.named_operands():
                if operand.id == step.id:
                    continue
                assert operand.value == pytest.approx(values[operand.id], rel=1e-14), operand
            values[step.id] = step.value

    @pytest.mark.one_in(5)
    def test_no_id_comes_twice(self, draw, activation, loss):
        counts = Counter(step.id for step in draw(activation, loss).explanation.steps)
        assert counts.most_common(1)[0][1] == 1


@pytest.mark.parametrize("optimizer", [None, dp.Adam(0.1), dp.Momentum(0.1)])
def test_from_every_number_the_way_back_ends_at_roots(draw, is_root, optimizer):
    explanation = draw("tanh", "cross_entropy", depth=2, optimizer=optimizer).explanation
    made_of = {step.id: step.operands for step in explanation.steps}
    for name in made_of:
        seen, waiting = set(), [name]
        while waiting:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            waiting += made_of.get(here, ())
            assert here in made_of or is_root(here), (name, here)
        assert any(is_root(n) for n in seen), name


def test_the_phases_come_in_the_order_of_the_tutorial(draw):
    steps = draw("relu", "cross_entropy", l2=0.1).explanation.steps
    assert list(dict.fromkeys(step.phase for step in steps)) == PHASES


def test_every_entry_of_the_trace_has_its_step(draw):
    setting = draw("sigmoid", "half_squared_error", depth=2, n=3, bias=True)
    trace = setting.explanation.trace
    values = {step.id: step.value for step in setting.explanation.steps}
    for layer in range(3):
        for name, array in (
            ("z", trace.z[layer]), ("a", trace.a[layer + 1]), ("delta", trace.delta[layer]),
            ("dW", trace.gradients.W[layer]), ("db", trace.gradients.b[layer]),
        ):  # fmt: skip
            for index in np.ndindex(array.shape):
                where = ",".join(map(str, index))
                assert values[f"{name}.{layer + 1}[{where}]"] == array[index]


def test_a_long_sum_shows_its_largest_terms_and_the_rest_as_one_number(arithmetic, roots_of, rng):
    network = dp.Network([40, 2], loss="half_squared_error", bias=False)
    parameters = network.init(rng)
    x, targets = rng.normal(size=(1, 40)), [[0.0, 0.0]]
    explanation = dp.explain(network, parameters, x, targets)
    step = explanation.steps[0]
    assert isinstance(step.expression, Sum)
    *shown, rest = step.expression.terms
    assert isinstance(rest, Rest)
    assert len(shown) + rest.count == 40
    sizes = np.sort(np.abs(x[0] * parameters.W[0][:, 0]))[::-1]
    products = [term.factors[0].value * term.factors[1].value for term in shown]
    np.testing.assert_allclose(sorted(map(abs, products))[::-1], sizes[: len(shown)])
    assert step.value == pytest.approx(sum(products) + rest.value, rel=1e-12)


def test_a_frozen_bias_keeps_its_number_and_the_weights_move(draw):
    setting = draw("tanh", "half_squared_error", depth=1, bias=True, train_biases=False)
    steps = {step.id: step for step in setting.explanation.steps}
    for j, b in enumerate(setting.parameters.b[0]):
        assert steps[f"b.1.after[{j}]"].value == b
        assert steps[f"b.1.after[{j}]"].expression == Operand(f"b.1[{j}]", b)
    weight = steps["W.1.after[0,0]"]
    assert weight.operands == ("W.1[0,0]", "learning_rate", "dW.1[0,0]")
    assert weight.value != setting.parameters.W[0][0, 0]


def test_summing_over_samples_multiplies_the_data_gradient_by_their_number(rng):
    network = dp.Network([3, 4, 2], "tanh", "cross_entropy")
    parameters, x, y = network.init(rng), rng.normal(size=(4, 3)), [0, 1, 1, 0]
    mean, total = (
        dp.explain(network, parameters, x, y, reduction=r).trace for r in ("mean", "sum")
    )
    np.testing.assert_allclose(total.gradients.flat, 4 * mean.gradients.flat, rtol=1e-12)
    assert total.loss == pytest.approx(4 * mean.loss, rel=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_steps_of_both_reductions_hold(draw, arithmetic, roots_of, reduction):
    setting = draw("tanh", "cross_entropy", n=3, l2=0.1, reduction=reduction)
    values = roots_of(setting)
    for step in setting.explanation.steps:
        assert step.value == pytest.approx(arithmetic(step, values), rel=1e-9)
        values[step.id] = step.value


def test_a_loss_somebody_registered_is_not_said_to_have_the_delta_p_minus_t(rng):
    loss = dp.huber(0.5, "narrow_huber")
    dp.register_loss(loss, replace=True)
    try:
        network = dp.Network([2, 1], loss="narrow_huber")
        steps = dp.explain(network, network.init(rng), [[1.0, 2.0]], [[100.0]]).steps
    finally:
        del dp.LOSSES._rows["narrow_huber"]
    (delta,) = [step for step in steps if step.quantity == "delta"]
    assert delta.value == -0.5
    assert evaluate(delta.expression) == -0.5
    assert delta.operands == ("z.1[0,0]", "targets[0,0]")


class TestThePromise:
    @pytest.mark.parametrize("optimizer", [None, dp.Adam(1e-3), dp.RMSProp(), dp.Momentum()])
    def test_the_promised_change_is_the_gradient_times_the_step(self, draw, optimizer):
        e = draw("silu", "cross_entropy", optimizer=optimizer).explanation
        step = e.update.after.parameters.flat - e.trace.parameters.flat
        assert step.any()
        assert e.predicted_change == pytest.approx(float(e.trace.gradients.flat @ step), rel=1e-12)

    def test_a_small_step_keeps_its_promise(self, draw):
        e = draw("tanh", "cross_entropy", l2=0.1, l1=0.0, learning_rate=1e-6).explanation
        assert e.actual_change == pytest.approx(e.predicted_change, rel=1e-3)
        assert e.predicted_change < 0

    def test_a_step_too_far_is_shown_and_not_warned_about(self, rng):
        network = dp.Network([1, 1], loss="poisson", bias=False)
        e = dp.explain(network, network.parameters([[[0.0]]]), [[1.0]], [[9e3]], learning_rate=1.0)
        assert e.update.after.loss == np.inf
        assert re.search("loss after +inf", e.to_terminal())
        assert "no number any more" in e.to_terminal()

    def test_the_users_parameters_are_left_as_they_are(self, rng):
        network = dp.Network([2, 3, 2], "tanh")
        parameters = network.init(rng)
        before = parameters.flat.copy()
        dp.explain(network, parameters, rng.normal(size=(2, 2)), [0, 1], learning_rate=5.0)
        np.testing.assert_array_equal(parameters.flat, before)


class TestVerify:
    @pytest.mark.parametrize("loss", LOSSES)
    def test_every_gradient_is_proved(self, draw, loss):
        report = draw("tanh", loss).explanation.verify()
        assert report
        assert len(report.entries) == report.n_parameters + 1  # and the loss itself

    @pytest.mark.parametrize("entry", [0, 3, -1])
    def test_one_wrong_gradient_is_found_and_named(self, draw, entry):
        e = draw("tanh", "cross_entropy", depth=1, n_out=3, bias=True).explanation
        wrong = e.trace.gradients.copy()
        wrong.flat[entry] += 1e-3
        planted = dataclasses.replace(e, trace=dataclasses.replace(e.trace, gradients=wrong))
        report = planted.verify()
        assert not report
        name = e.trace.network.layout.entry(entry % len(wrong.flat))
        assert [found.name for found in report.wrong] == [name]

    def test_a_sum_over_several_samples_is_proved_too(self, draw):
        e = draw("tanh", "cross_entropy", n=3, reduction="sum").explanation
        assert e.verify()
        doubled = dataclasses.replace(e.trace, loss=2 * e.trace.loss)
        assert [w.name for w in dataclasses.replace(e, trace=doubled).verify().wrong] == ["loss"]


@pytest.mark.parametrize(("names", "what"), [((("a",), ()), "1 input"), (((), ("b",)), "1 output")])
def test_names_that_do_not_fit_the_network_are_refused(rng, names, what):
    from deltaprop.explaining import Names

    network = dp.Network([2, 2])
    with pytest.raises(dp.errors.SettingError, match=what):
        dp.explain(network, network.init(rng), [[1, 2]], [0], names=Names("", *names))
