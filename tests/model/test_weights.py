"""An integer weight equals repetition, a zero weight equals absence, in loss and gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from deltaprop.errors import DataError, SettingError
from deltaprop.functional.losses import LOSSES
from deltaprop.model.backprop import backpropagate
from deltaprop.model.targets import class_weights, prepare_targets

LOSS = pytest.mark.parametrize("loss", LOSSES)
PENALTY = pytest.mark.parametrize("penalty", [{}, {"l2": 0.3}, {"l2": 0.3, "l1": 0.1}], ids=str)


def assert_same(one, other):
    assert one.loss == pytest.approx(other.loss, rel=1e-12)
    assert one.data_loss == pytest.approx(other.data_loss, rel=1e-12)
    np.testing.assert_allclose(one.gradients.flat, other.gradients.flat, rtol=1e-12, atol=1e-14)


def run(problem, rows=None, **more):
    rows = np.arange(len(problem.x)) if rows is None else rows
    return backpropagate(
        problem.network, problem.parameters, problem.x[rows], problem.targets[rows], **more
    )


@LOSS
@PENALTY
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_an_integer_weight_equals_repetition(make_problem, loss, penalty, reduction, rng):
    problem = make_problem(rng, "tanh", loss, (2, 3, 2), n=5, **penalty)
    weights = np.array([1, 3, 2, 1, 4])
    repeated = run(problem, np.repeat(np.arange(5), weights), reduction=reduction)
    assert_same(run(problem, sample_weight=weights, reduction=reduction), repeated)


@LOSS
@PENALTY
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_zero_weight_equals_absence(make_problem, loss, penalty, reduction, rng):
    problem = make_problem(rng, "tanh", loss, (2, 3, 2), n=5, **penalty)
    present = run(problem, [0, 2, 3], reduction=reduction)
    assert_same(run(problem, sample_weight=[1, 0, 1, 1, 0], reduction=reduction), present)


@LOSS
@settings(max_examples=40)
@given(
    weights=st.lists(st.integers(0, 4), min_size=4, max_size=4).filter(any),
    scale=st.floats(1e-3, 1e3),
)
@pytest.mark.one_in(3)
def test_only_the_proportions_of_weights_count_in_the_mean(make_problem, loss, weights, scale):
    problem = make_problem(np.random.default_rng(3), "tanh", loss, (2, 2, 1), n=4, l2=0.1)
    repeated = run(problem, np.repeat(np.arange(4), weights))
    assert_same(run(problem, sample_weight=scale * np.array(weights)), repeated)


@LOSS
def test_equal_weights_are_no_weights(make_problem, loss, rng):
    problem = make_problem(rng, "tanh", loss, (2, 3, 2), n=4)
    assert_same(run(problem, sample_weight=np.full(4, 0.7)), run(problem))


def test_the_shares_are_kept_in_the_trace(make_problem, rng):
    problem = make_problem(rng, n=3)
    trace = run(problem, sample_weight=[1.0, 0.0, 3.0])
    np.testing.assert_allclose(trace.shares, [0.25, 0.0, 0.75])
    assert trace.data_loss == pytest.approx(trace.shares @ trace.loss_per_sample, rel=1e-15)
    assert (trace.delta[-1][1] == 0).all()


LABELS = np.array([0, 2, 2, 1, 2, 0, 2])
K = 3


@pytest.fixture
def classes(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (2, 3, K), n=7, l2=0.1)
    problem.targets[:] = np.eye(K)[LABELS]
    return problem


BY_CLASS = {
    "list": [1, 3, 2],
    "array": np.array([1.0, 3.0, 2.0]),
    "dict": {0: 1, 1: 3, 2: 2},
    "dict with numpy keys": {np.int64(1): 3.0, np.int64(2): 2.0},
    "dict without the ones": {1: 3, 2: 2},
}


@pytest.mark.parametrize("given_as", BY_CLASS.values(), ids=BY_CLASS.keys())
def test_a_class_weight_equals_repetition_of_its_rows(classes, given_as):
    repeated = run(classes, np.repeat(np.arange(7), np.array([1, 3, 2])[LABELS]))
    assert_same(run(classes, class_weight=given_as), repeated)
    by_labels = backpropagate(
        classes.network, classes.parameters, classes.x, LABELS, class_weight=given_as
    )
    assert_same(by_labels, repeated)


def test_balanced_is_what_scikit_learn_calls_balanced(classes):
    table = compute_class_weight("balanced", classes=np.arange(K), y=LABELS)
    assert_same(run(classes, class_weight="balanced"), run(classes, class_weight=table))
    np.testing.assert_allclose(
        class_weights(classes.network, LABELS, "balanced"), table[LABELS], rtol=1e-15
    )


def test_balanced_counts_only_the_classes_that_are_there(classes):
    labels = np.array([0, 2, 2, 2, 0, 2, 2])
    there = compute_class_weight("balanced", classes=np.array([0, 2]), y=labels)
    np.testing.assert_allclose(
        class_weights(classes.network, labels, "balanced"), there[labels // 2], rtol=1e-15
    )


def test_balanced_classes_pull_equally(classes):
    shares = run(classes, class_weight="balanced").shares
    np.testing.assert_allclose([shares[c == LABELS].sum() for c in range(K)], 1 / 3, rtol=1e-14)


def test_sample_and_class_weights_multiply(classes):
    weights, by_class = np.array([1, 2, 0, 1, 1, 3, 1]), np.array([2, 1, 3])
    repeated = run(classes, np.repeat(np.arange(7), weights * by_class[LABELS]))
    assert_same(run(classes, sample_weight=weights, class_weight=by_class), repeated)


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "half_squared_error_sigmoid"])
def test_a_single_output_has_two_classes(make_problem, loss, rng):
    problem = make_problem(rng, "tanh", loss, (2, 3, 1), n=6)
    labels = np.array([0, 1, 1, 0, 1, 1])
    table = compute_class_weight("balanced", classes=np.arange(2), y=labels)
    case = (problem.network, problem.parameters, problem.x, labels)
    assert_same(
        backpropagate(*case, class_weight="balanced"),
        backpropagate(*case, sample_weight=table[labels]),
    )
    repeated = np.repeat(np.arange(6), np.where(labels == 1, 3, 1))
    assert_same(
        backpropagate(*case, class_weight={1: 3}),
        backpropagate(*case[:2], problem.x[repeated], labels[repeated]),
    )


def test_soft_targets_belong_to_the_class_with_the_largest_share(classes):
    soft = 0.8 * np.eye(K)[LABELS] + 0.2 / K
    np.testing.assert_array_equal(
        class_weights(classes.network, prepare_targets(classes.network, soft, 7), [1, 2, 3]),
        LABELS + 1.0,
    )


REFUSED = {
    "unknown word": ("balancd", SettingError, "balanced"),
    "too few": ([1.0, 2.0], SettingError, r"shape \(2,\)"),
    "unknown class": ({3: 1.0}, SettingError, "class 3"),
    "class by name": ({"cat": 1.0}, SettingError, "'cat'"),
    "negative": ([1.0, 1.0, -1.0], SettingError, "class_weight of class 2 is -1"),
    "NaN": ({2: np.nan}, SettingError, "class_weight of class 2 is nan"),
    "all zero": ([0.0, 0.0, 0.0], DataError, "zero"),
}


@pytest.mark.parametrize(("weights", "error", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_class_weights_that_mean_nothing_are_refused(classes, weights, error, reason):
    with pytest.raises(error, match=reason):
        run(classes, class_weight=weights)


@pytest.mark.parametrize("loss", ["half_squared_error", "huber", "poisson"])
def test_class_weights_of_a_regression_are_refused(make_problem, loss, rng):
    with pytest.raises(SettingError, match=f"no meaning for {loss}"):
        run(make_problem(rng, "tanh", loss), class_weight="balanced")


SAMPLE_WEIGHTS = {
    "too few": ([1.0, 1.0], "shape"),
    "a column": (np.ones((7, 1)), r"shape \(7, 1\)"),
    "a scalar": (2.0, r"shape \(\)"),
    "negative": ([1, 1, 1, -1, 1, 1, 1], "row 3 is -1"),
    "NaN": ([1, 1, 1, 1, 1, 1, np.nan], "row 6 is nan"),
    "infinite": ([np.inf, 1, 1, 1, 1, 1, 1], "row 0 is inf"),
    "all zero": (np.zeros(7), "zero"),
}


@pytest.mark.parametrize("by_class", [None, "balanced"])
@pytest.mark.parametrize(("weights", "reason"), SAMPLE_WEIGHTS.values(), ids=SAMPLE_WEIGHTS)
def test_sample_weights_that_mean_nothing_are_refused(classes, weights, reason, by_class):
    with pytest.raises(DataError, match=reason):
        run(classes, sample_weight=weights, class_weight=by_class)
