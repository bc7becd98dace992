"""The second-order term along a step, against closed forms and against the loss itself."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.checking.curvature import second_order_change


def test_linear_regression_bends_by_its_hessian(rng):
    network = dp.Network([3, 1], loss="half_squared_error", bias=False, l2=0.2)
    x, t = rng.normal(size=(5, 3)), rng.normal(size=(5, 1))
    trace = dp.backpropagate(network, network.init(rng), x, t)
    step = rng.normal(size=3)
    hessian = x.T @ x / 5 + 0.2 * np.eye(3)
    assert second_order_change(trace, step) == pytest.approx(step @ hessian @ step / 2, rel=1e-9)


def test_a_binary_logistic_unit_bends_by_p_times_1_minus_p(rng):
    network = dp.Network([2, 1], loss="binary_cross_entropy", bias=True)
    x = rng.normal(size=(1, 2))
    trace = dp.backpropagate(network, network.init(rng), x, [1.0])
    step = rng.normal(size=3)
    p, along = float(trace.a[-1][0, 0]), float(np.append(x, 1.0) @ step)
    assert second_order_change(trace, step) == pytest.approx(p * (1 - p) * along**2 / 2, rel=1e-8)


@pytest.mark.parametrize("loss", list(dp.LOSSES))
def test_promise_and_bending_leave_a_gap_of_third_order(rng, loss):
    network = dp.Network([3, 4, 2], "tanh", loss)
    targets = {"distribution": [0, 1], "unit": [[0, 1], [1, 0]]}.get(
        dp.LOSSES[loss].targets, [[1, 2], [0, 3]]
    )
    x, parameters = rng.normal(size=(2, 3)), network.init(rng)
    gaps = []
    for eta in (0.02, 0.01):
        e = dp.explain(network, parameters, x, targets, learning_rate=eta)
        gaps.append(e.actual_change - e.predicted_change - e.second_order_change)
    # half the step, an eighth of the gap
    assert abs(gaps[1]) <= abs(gaps[0]) / 8 * 1.2 + 1e-12


def test_no_step_bends_nothing(rng):
    network = dp.Network([2, 2])
    trace = dp.backpropagate(network, network.init(rng), [[1.0, 2.0]], [1])
    assert second_order_change(trace, np.zeros(network.n_parameters)) == 0.0
