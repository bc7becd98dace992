"""Back-propagation gives the derivative of the loss: every activation, loss and depth.

Two judges: ``check_gradients``, and central differences of a loss that the tests write down
themselves, so that the referee is not its own judge.
"""

import itertools
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaprop.checking.gradients import check_gradients
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES
from deltaprop.model.backprop import backpropagate
from deltaprop.model.spec import Network

DEPTHS = range(6)
PENALTIES = {"plain": {}, "l2": {"l2": 0.3}, "l1": {"l1": 0.2}, "l2 and l1": {"l2": 0.1, "l1": 0.2}}
OUTPUTS = (1, 2, 5)

GRID = list(itertools.product(ACTIVATIONS, LOSSES, DEPTHS))
# each case of the grid takes one combination of settings, scattered over all of them
SETTINGS = list(itertools.product((True, False), (False, True), PENALTIES, OUTPUTS))
CASES = [
    pytest.param(
        *case, *SETTINGS[zlib.crc32(repr(case).encode()) % len(SETTINGS)],
        id="-".join(map(str, case)),
    )
    for case in GRID
]  # fmt: skip
CASE = pytest.mark.parametrize(
    ("activation", "loss", "depth", "bias", "weighted", "penalty", "n_out"), CASES
)


def sizes_for(depth, n_out):
    return (2, *(3, 2, 3, 2, 3)[:depth], n_out)


def generator(*key):
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def assert_is_gradient(problem, claimed):
    measured = problem.measured_gradient()
    noise = 2e-11 * (1.0 + abs(float(problem.objective(problem.parameters.flat)[0])))
    np.testing.assert_allclose(claimed, measured, rtol=1e-7, atol=noise)


@CASE
@pytest.mark.one_in(4)
def test_the_gradient_agrees_with_the_tests_own_central_differences(
    make_problem, activation, loss, depth, bias, weighted, penalty, n_out
):
    problem = make_problem(
        generator(activation, loss, depth), activation, loss, sizes_for(depth, n_out),
        bias=bias, weighted=weighted, **PENALTIES[penalty],
    )  # fmt: skip
    trace = backpropagate(
        problem.network, problem.parameters, problem.x, problem.targets,
        sample_weight=problem.weights,
    )  # fmt: skip
    assert trace.loss == pytest.approx(problem.objective(problem.parameters.flat)[0], rel=1e-12)
    assert_is_gradient(problem, trace.gradients.flat)


@CASE
@pytest.mark.one_in(16)
def test_the_referee_agrees_with_the_gradient(
    make_problem, activation, loss, depth, bias, weighted, penalty, n_out
):
    problem = make_problem(
        generator(activation, loss, depth), activation, loss, sizes_for(depth, n_out),
        bias=bias, weighted=weighted, **PENALTIES[penalty],
    )  # fmt: skip
    report = check_gradients(
        problem.network, problem.parameters, problem.x, problem.targets,
        sample_weight=problem.weights, max_entries=12,
    )  # fmt: skip
    assert report, report
    assert report.n_kinks == 0
    assert report.worst.relative_error <= 1e-6


def test_the_settings_meet_every_activation_loss_and_depth():
    for axis in range(3):
        for value in {case.values[axis] for case in CASES}:
            met = {case.values[3:] for case in CASES if case.values[axis] == value}
            for position, everything in enumerate(zip(*SETTINGS, strict=True)):
                assert {chosen[position] for chosen in met} == set(everything)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_right_in_every_combination_of_settings(make_problem, activation, loss):
    for depth, (bias, weighted, penalty, n_out) in itertools.product(DEPTHS, SETTINGS):
        problem = make_problem(
            generator(activation, loss, depth, bias, weighted, penalty, n_out), activation, loss,
            sizes_for(depth, n_out), bias=bias, weighted=weighted, **PENALTIES[penalty],
        )  # fmt: skip
        trace = backpropagate(
            problem.network, problem.parameters, problem.x, problem.targets,
            sample_weight=problem.weights,
        )  # fmt: skip
        assert_is_gradient(problem, trace.gradients.flat)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_referee_agrees_at_every_depth_and_penalty(make_problem, activation, loss):
    for depth, bias, penalty in itertools.product(DEPTHS, (True, False), PENALTIES):
        problem = make_problem(
            generator(activation, loss, depth, bias, penalty), activation, loss,
            sizes_for(depth, 2), bias=bias, **PENALTIES[penalty],
        )  # fmt: skip
        report = check_gradients(
            problem.network, problem.parameters, problem.x, problem.targets, max_entries=None
        )
        assert report, report


@settings(max_examples=80)
@given(
    seed=st.integers(0, 2**32 - 1),
    hidden=st.lists(st.tuples(st.sampled_from(sorted(ACTIVATIONS)), st.integers(1, 4)), max_size=4),
    loss=st.sampled_from(sorted(LOSSES)),
    n_in=st.integers(1, 4),
    n_out=st.sampled_from(OUTPUTS),
    n=st.integers(1, 5),
    bias=st.booleans(),
    weighted=st.booleans(),
    penalty=st.sampled_from(sorted(PENALTIES)),
)
def test_the_gradient_is_right_for_any_network(
    make_problem, seed, hidden, loss, n_in, n_out, n, bias, weighted, penalty
):
    problem = make_problem(
        np.random.default_rng(seed), [name for name, _ in hidden], loss,
        (n_in, *(width for _, width in hidden), n_out),
        bias=bias, weighted=weighted, n=n, **PENALTIES[penalty],
    )  # fmt: skip
    trace = backpropagate(
        problem.network, problem.parameters, problem.x, problem.targets,
        sample_weight=problem.weights,
    )  # fmt: skip
    assert_is_gradient(problem, trace.gradients.flat)


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
@pytest.mark.parametrize("depth", [0, 2])
def test_the_gradient_is_right_with_smoothed_labels(make_problem, loss, depth, rng):
    problem = make_problem(rng, "tanh", loss, sizes_for(depth, 5), label_smoothing=0.2)
    report = check_gradients(problem.network, problem.parameters, problem.x, problem.targets)
    assert report, report
    k = 5 if loss == "cross_entropy" else 2
    by_hand = type(problem)(
        problem.network, problem.parameters, problem.x, 0.8 * problem.targets + 0.2 / k, None
    )
    trace = backpropagate(problem.network, problem.parameters, problem.x, problem.targets)
    assert trace.loss == pytest.approx(by_hand.objective(problem.parameters.flat)[0], rel=1e-13)
    np.testing.assert_array_equal(trace.targets, problem.targets)
    assert_is_gradient(by_hand, trace.gradients.flat)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_sum_over_samples_is_n_times_the_mean_and_leaves_the_penalty_alone(
    make_problem, loss, rng
):
    problem = make_problem(rng, "tanh", loss, (2, 3, 2), n=4, l2=0.3, l1=0.1)
    case = (problem.network, problem.parameters, problem.x, problem.targets)
    mean, total = (backpropagate(*case, reduction=r) for r in ("mean", "sum"))
    assert total.data_loss == pytest.approx(4 * mean.data_loss, rel=1e-14)
    assert (total.l2_penalty, total.l1_penalty) == (mean.l2_penalty, mean.l1_penalty)
    np.testing.assert_allclose(
        total.data_gradients.flat, 4 * mean.data_gradients.flat, rtol=1e-13, atol=1e-17
    )
    np.testing.assert_allclose(
        total.gradients.flat - total.data_gradients.flat,
        mean.gradients.flat - mean.data_gradients.flat, rtol=1e-12, atol=1e-15,
    )  # fmt: skip


def test_penalties_are_lines_of_their_own_on_weights_and_never_on_biases(make_problem, rng):
    problem = make_problem(rng, sizes=(2, 3, 3, 2), l2=0.3, l1=0.2)
    p = problem.parameters
    trace = backpropagate(problem.network, p, problem.x, problem.targets)
    squares = sum((W**2).sum() for W in p.W)
    assert trace.l2_penalty == pytest.approx(0.3 / 2 * squares, rel=1e-14)
    assert trace.l1_penalty == pytest.approx(0.2 * sum(abs(W).sum() for W in p.W), rel=1e-14)
    assert trace.loss == trace.data_loss + trace.l2_penalty + trace.l1_penalty
    for layer in range(3):
        np.testing.assert_allclose(
            trace.gradients.W[layer] - trace.data_gradients.W[layer],
            0.3 * p.W[layer] + 0.2 * np.sign(p.W[layer]), rtol=1e-12, atol=1e-15,
        )  # fmt: skip
        np.testing.assert_array_equal(trace.gradients.b[layer], trace.data_gradients.b[layer])


def test_a_weight_of_zero_has_no_slope_under_l1(make_problem, rng):
    problem = make_problem(rng, sizes=(2, 2), l1=0.5)
    problem.parameters.W[0][0, 0] = 0.0
    trace = backpropagate(problem.network, problem.parameters, problem.x, problem.targets)
    assert trace.gradients.W[0][0, 0] == trace.data_gradients.W[0][0, 0]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", [name for name in LOSSES if name != "poisson"])
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_huge_logits_give_finite_numbers_everywhere(activation, loss, size, make_targets, rng):
    network = Network([1, 2, 3], activation, loss)
    parameters = network.parameters(
        [[[1.0, -1.0]], [[size, -size, size / 2], [-size, size, 0.0]]], [None, [size, 0.0, -size]]
    )
    targets = make_targets(network.loss.targets, (2, 3), rng)
    trace = backpropagate(network, parameters, [[1.0], [-1e4]], targets)
    assert np.isfinite(trace.loss)
    assert np.isfinite(trace.gradients.flat).all()
    hard = np.eye(3)[[0, 2]] if network.loss.targets == "distribution" else np.ones((2, 3))
    trace = backpropagate(network, parameters, [[1.0], [-1e4]], hard)
    assert np.isfinite(trace.gradients.flat).all()
