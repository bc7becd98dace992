"""The promise and the fact, a step in the middle of a run, and the same masks twice."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names
from deltaprop.training.schedules import Cosine

RULES = [dp.Momentum(0.1), dp.Momentum(0.1, nesterov=True), dp.RMSProp(), dp.Adam(), dp.AdamW()]


def one_step(rng, **fixed):
    network = dp.Network([3, 4, 2], "relu", l2=0.1)
    x, y = rng.normal(size=(4, 3)), [0, 1, 1, 0]
    return network, network.init(rng), x, y, fixed


class TestPromise:
    def test_a_straight_loss_keeps_its_promise(self):
        # |w| is straight on each side of 0, and so is the loss of one sample of no data
        network = dp.Network([1, 1], loss="half_squared_error", bias=False, l1=0.5)
        e = dp.explain(network, network.parameters([[[2.0]]]), [[0.0]], [[0.0]])
        assert e.actual_change == pytest.approx(e.predicted_change)
        assert "The promise is kept" in e.to_terminal()

    def test_the_gap_is_told_with_its_parts(self, rng):
        network, parameters, x, y, _ = one_step(rng)
        e = dp.explain(network, parameters, x, y, learning_rate=0.5)
        text = " ".join(e.to_terminal(digits=4).split())
        gap = e.actual_change - e.predicted_change
        rest = gap - e.second_order_change
        assert f"promise is {gap:.4g}; bending, the second order, accounts for" in text
        assert (
            f"{e.second_order_change:.4g}, and higher orders for the remaining {rest:.4g}" in text
        )

    def test_a_step_too_long_is_called_so(self):
        network = dp.Network([1, 1], loss="half_squared_error", bias=False)
        e = dp.explain(network, network.parameters([[[1.0]]]), [[2.0]], [[0.0]], learning_rate=0.8)
        text = " ".join(e.to_terminal().split())
        assert "The step is too long" in text
        # L = 2 w^2: the best eta is 1/4, and 0.25 / 0.8 = 0.3125
        assert "0.313 times this step" in text

    def test_the_kinks_crossed_are_counted(self):
        network = dp.Network([1, 1, 1], "relu", "half_squared_error", bias=False)
        parameters = network.parameters([[[1.0]], [[1.0]]])
        e = dp.explain(network, parameters, [[1.0]], [[-9.0]], learning_rate=0.2)
        assert e.trace.z[0][0, 0] > 0 > e.update.after.z[0][0, 0]
        assert e.n_crossed_kinks == 1
        assert "1 hidden values crossed a kink" in e.to_terminal()


class TestStateInTheMiddle:
    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.name}-{vars(rule)}"[:40])
    def test_the_third_step_is_the_third_step(self, rng, rule):
        network, parameters, x, y, _ = one_step(rng)
        state, current = rule.init(parameters.flat.size), parameters.copy()
        weights = network.layout.penalized()
        for _ in range(2):
            g = dp.backpropagate(network, current, x, y).gradients.flat
            rule.step(state, current.flat, g, rule.learning_rate, weights)
        kept = {name: np.copy(value) for name, value in state.items()}
        e = dp.explain(network, current, x, y, optimizer=rule, state=state)
        for name, value in kept.items():
            np.testing.assert_array_equal(state[name], value)  # what was given is left alone
        g = dp.backpropagate(network, current, x, y).gradients.flat
        expected = current.copy()
        rule.step(state, expected.flat, g, rule.learning_rate, weights)
        np.testing.assert_array_equal(e.update.after.parameters.flat, expected.flat)
        for line in e.lines():
            if line.step.phase == "update":
                assert line.evaluated() == pytest.approx(line.step.value, rel=1e-4, abs=1e-9)

    def test_another_rules_state_is_refused(self, rng):
        network, parameters, x, y, _ = one_step(rng)
        with pytest.raises(dp.errors.SettingError, match="but Adam keeps m of shape"):
            dp.explain(network, parameters, x, y, optimizer=dp.Adam(), state={})

    def test_a_schedule_is_asked_for_its_step(self, rng):
        network, parameters, x, y, _ = one_step(rng)
        rule = dp.GradientDescent(Cosine(0.4))
        e = dp.explain(network, parameters, x, y, optimizer=rule, step=3, n_steps=4)
        assert e.update.learning_rate == Cosine(0.4)(3, 4)


class TestDropout:
    def test_both_passes_have_the_same_masks_and_the_proof_holds(self, rng):
        network = dp.Network.from_layers(
            4, [dp.Dropout(0.3), dp.Dense(6, activation="tanh"), dp.Dropout(0.5), dp.Dense(3)]
        )
        parameters, x = network.init(rng), rng.normal(size=(2, 4))
        e = dp.explain(network, parameters, x, [0, 2], rng=np.random.default_rng(3))
        assert any(mask is not None and not mask.all() for mask in e.trace.masks)
        for before, after in zip(e.trace.masks, e.update.after.masks, strict=True):
            np.testing.assert_array_equal(before, after)
        assert e.verify()
        assert all(entry.verdict == "right" for entry in e.proof.values())
        kinds = {step.quantity for step in e.steps}
        assert "kept" in kinds
        assert {"z", "a", "delta", "dW"} <= kinds


class TestImages:
    def test_the_deltas_of_the_pixels_are_gradients_of_the_input(self, rng):
        network = dp.Network([6, 5, 3], "tanh")
        parameters, x = network.init(rng), rng.normal(size=(2, 6))
        e = dp.explain(network, parameters, x, [0, 2])
        h = 1e-6
        for s, i in np.ndindex(x.shape):
            right, left = x.copy(), x.copy()
            right[s, i] += h
            left[s, i] -= h
            losses = [dp.backpropagate(network, parameters, v, [0, 2]).loss for v in (right, left)]
            measured = (losses[0] - losses[1]) / (2 * h)
            assert e.trace.dx[s, i] == pytest.approx(measured, rel=1e-6, abs=1e-9)
        step = e.only("dx[1,3]").steps[-1]
        assert step.id == "dx[1,3]"
        assert step.value == e.trace.dx[1, 3]

    def test_a_row_that_is_an_image_is_drawn(self, rng):
        network = dp.Network([64, 3])
        x = np.zeros((1, 64))
        x[0, 8:16] = 1.0  # one row of ink
        e = dp.explain(network, network.init(rng), x, [1], names=Names(image=(8, 8)))
        lines = e.to_terminal(detail="overview").splitlines()
        at = lines.index("The input as a picture")
        assert [line.strip() for line in lines[at + 1 : at + 4]] == ["", "█" * 16, ""]

    def test_an_image_of_another_size_is_refused(self, rng):
        network = dp.Network([64, 3])
        with pytest.raises(dp.errors.SettingError, match="no row of 64 inputs"):
            dp.explain(network, network.init(rng), np.ones((1, 64)), [1], names=Names(image=(8, 9)))
