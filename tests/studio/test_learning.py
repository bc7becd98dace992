"""A network that learns step by step, and goes back to the same bits, however it was taken."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.studio.learning import Learning, Rows
from helpers.piles import ToldOf, rules_of

RATES = ToldOf(
    "how fast it learns here", gradient_descent=0.1, momentum=0.05, rmsprop=0.005, adam=0.01,
    adamw=0.01, lion=0.003, muon=0.01,
)  # fmt: skip
OPTIMIZERS = rules_of(lambda cls: cls(RATES[cls.name]))


def started(optimizer, *, n=50, batch_size=16, held=None, sizes=(2, 5, 2), edits=()):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 2))
    network = dp.Network(sizes, "tanh")
    rows = Rows(x, (x[:, 0] * x[:, 1] > 0).astype(np.int64))
    return Learning(
        network, network.init(rng), optimizer, rows, held, batch_size, seed=5, edits=dict(edits)
    )


@pytest.mark.one_in(3)
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_it_goes_back_to_the_same_bits(optimizer):
    one, other = started(optimizer), started(optimizer)
    seen = {0: one.parameters.flat.copy()}
    for step in range(1, 301):
        one.go(1)
        seen[step] = one.parameters.flat.copy()
    other.go(300)
    np.testing.assert_array_equal(other.parameters.flat, seen[300])
    for step in (299, 257, 64, 63, 1, 0, 170, 300):
        other.go_to(step)
        assert other.step == step
        np.testing.assert_array_equal(other.parameters.flat, seen[step])


def test_its_steps_are_those_of_train():
    learning = started(dp.Adam(0.01))
    parameters = started(dp.Adam(0.01)).parameters
    dp.train(
        learning.network, parameters, learning.rows.x, learning.rows.t, optimizer=dp.Adam(0.01),
        batch_size=16, epochs=3, dtype="float64", seed=5, keep_best=False,
    )  # fmt: skip
    learning.go(3 * learning.steps_per_epoch)
    np.testing.assert_array_equal(learning.parameters.flat, parameters.flat)


def test_memory_and_curve_stay_bounded_and_reach_from_first_to_last():
    learning = started(dp.GradientDescent(0.1), n=4, batch_size=4)
    learning.go(20_000)
    assert len(learning._snapshots) <= 64
    assert learning._snapshots[0].step == 0
    assert len(learning.curve) <= 512
    assert learning.curve[0][0] == 0
    assert learning.curve[-1][0] > 19_000
    near = [s.step for s in learning._snapshots if s.step > 19_000]
    assert len(near) > 8  # the younger, the nearer to each other


def test_a_step_that_diverges_is_said_and_gone_back_from():
    rng = np.random.default_rng(0)
    network = dp.Network([2, 1], loss="half_squared_error")
    rows = Rows(rng.normal(size=(8, 2)), rng.normal(size=(8, 1)))
    learning = Learning(network, network.init(rng), dp.GradientDescent(1e3), rows, None, 8, 0)
    learning.go(10_000)
    assert learning.diverged is not None
    assert learning.step < 10_000
    learning.go_to(3)
    assert learning.diverged is None
    assert learning.step == 3


def test_changed_by_hand_it_goes_on_and_what_was_is_repeated_with_the_change():
    learning = started(dp.Adam(0.01))
    learning.go(10)
    before = learning.parameters.flat.copy()
    flat = before.copy()
    flat[0] = 3.0
    learning.set_parameters(flat)
    learning.go(200)
    after = learning.parameters.flat.copy()
    for step in (10, 0, 9, 10, 210, 0, 210):
        learning.go_to(step)
        if step in (10, 210):
            np.testing.assert_array_equal(learning.parameters.flat, {10: flat, 210: after}[step])
    assert learning.curve[0][0] == 0
    # from its first weights and the changes alone: the same bits
    again = started(dp.Adam(0.01), edits=learning.edits)
    again.go(210)
    np.testing.assert_array_equal(again.parameters.flat, after)
    assert again.curve == learning.curve


def test_another_row_and_another_rate_hold_from_their_step_on_and_are_repeated():
    learning = started(dp.Momentum(0.05))
    x = learning.rows.x.copy()
    learning.go(7)
    learning.set_row(4, (0.25, -2.0))
    learning.go(30)
    learning.set_learning_rate(0.2)
    learning.set_row(4, (1.0, 1.0))
    learning.go(63)
    seen = {100: learning.parameters.flat.copy()}
    for step in (99, 0, 6, 37, 100, 8, 7, 100, 36):
        learning.go_to(step)
        flat = learning.parameters.flat.copy()
        np.testing.assert_array_equal(flat, seen.setdefault(step, flat))
        row = x[4] if step < 7 else [0.25, -2.0] if step < 37 else [1.0, 1.0]
        np.testing.assert_array_equal(learning.rows.x[4], row)
        assert learning.learning_rate() == (0.2 if step >= 37 else 0.05)
    # the same from its beginning, and by hand
    again = started(dp.Momentum(0.05))
    again.changes.update(learning.changes)
    again.go(100)
    np.testing.assert_array_equal(again.parameters.flat, seen[100])
    learning.go_to(20)
    learning.set_row(1, (0.0, 0.0))
    assert list(learning.changes) == [7, 20]


def test_a_change_forgets_those_that_came_later():
    learning = started(dp.Adam(0.01))
    for step in (5, 20, 30):
        learning.go_to(step)
        learning.set_parameters(learning.parameters.flat + 0.5)
    learning.go_to(20)
    learning.set_parameters(np.zeros_like(learning.parameters.flat))
    assert list(learning.edits) == [5, 20]
    learning.go_to(0)
    learning.set_parameters(np.ones_like(learning.parameters.flat))
    assert list(learning.edits) == [0]
    learning.go(3)
    learning.go_to(0)
    assert set(learning.parameters.flat) == {1.0}


def test_figures_are_those_of_the_house():
    held = Rows(np.array([[0.5, 0.5], [-1.0, 2.0]]), np.array([1, 0]))
    learning = started(dp.Adam(0.01), held=held)
    learning.go(30)
    trace = dp.backpropagate(learning.network, learning.parameters, held.x, held.t)
    found = learning.figures(held)
    assert found.loss == pytest.approx(trace.loss, rel=1e-12)
    assert found.right == np.mean(trace.a[-1].argmax(axis=1) == held.t)
