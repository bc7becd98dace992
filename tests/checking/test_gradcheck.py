"""The referee: it accepts the right gradient, names the wrong entry, and excuses only kinks."""

import numpy as np
import pytest

from deltaprop.checking.gradients import check_gradients
from deltaprop.errors import DataError, SettingError, ShapeError
from deltaprop.explaining import explain
from deltaprop.model.backprop import backpropagate
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network


@pytest.fixture
def problem(make_problem, rng):
    return make_problem(rng, "tanh", "cross_entropy", (3, 4, 3, 2), n=5)


def arguments(problem):
    return problem.network, problem.parameters, problem.x, problem.targets


def right_gradients(problem):
    return backpropagate(*arguments(problem)).gradients.copy()


ENTRIES = {
    "W.1[0,2]": ("W", 0, (0, 2)),
    "W.2[1,0]": ("W", 1, (1, 0)),
    "W.3[2,1]": ("W", 2, (2, 1)),
    "b.1[2]": ("b", 0, (2,)),
    "b.3[1]": ("b", 2, (1,)),
}


def test_the_right_gradients_are_accepted_and_every_entry_was_judged(problem):
    report = check_gradients(*arguments(problem), gradients=right_gradients(problem))
    assert report
    assert report.ok
    assert len(report.entries) == report.n_parameters == problem.network.n_parameters
    assert {entry.verdict for entry in report.entries} == {"right"}
    assert (report.wrong, report.n_kinks, report.tolerance) == ((), 0, 1e-6)


def test_entries_are_named_in_the_order_of_the_flat_vector():
    network = Network([2, 2, 1], "tanh", "half_squared_error")
    parameters = network.init(np.random.default_rng(0))
    report = check_gradients(network, parameters, [[1.0, 2.0]], [[1.0]])
    assert [entry.name for entry in report.entries] == [
        "W.1[0,0]", "W.1[0,1]", "W.1[1,0]", "W.1[1,1]", "b.1[0]", "b.1[1]",
        "W.2[0,0]", "W.2[1,0]", "b.2[0]",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("slip", [2e-5, 0.1, 1.0, -3.0])
@pytest.mark.one_in(5)
def test_one_wrong_number_is_found_and_named(problem, name, slip):
    array, layer, index = ENTRIES[name]
    claimed = right_gradients(problem)
    right = float(getattr(claimed, array)[layer][index])
    getattr(claimed, array)[layer][index] *= 1 + slip
    report = check_gradients(*arguments(problem), gradients=claimed)
    assert not report
    assert [entry.name for entry in report.wrong] == [name]
    assert report.worst.name == name
    assert report.worst.claimed == pytest.approx(right * (1 + slip), rel=1e-12)
    assert report.worst.measured == pytest.approx(right, rel=1e-6)
    expected = abs(slip) / max(abs(1 + slip), 1.0)
    assert report.worst.relative_error == pytest.approx(expected, rel=1e-2)
    assert name in str(report)
    n = report.n_parameters
    assert f"{n - 1} of {n} gradients agree" in str(report)


def test_wrong_entries_come_worst_first(problem):
    claimed = right_gradients(problem)
    claimed.W[1][1, 0] *= 1.001
    claimed.b[0][2] *= 1.5
    claimed.W[0][0, 0] *= 1.01
    report = check_gradients(*arguments(problem), gradients=claimed)
    assert [entry.name for entry in report.wrong] == ["b.1[2]", "W.1[0,0]", "W.2[1,0]"]
    assert report.worst.name == "b.1[2]"


@pytest.mark.parametrize("nonsense", [np.nan, np.inf, -np.inf])
def test_a_claim_that_is_no_number_is_wrong(problem, nonsense):
    claimed = right_gradients(problem)
    claimed.W[1][1, 0] = nonsense
    report = check_gradients(*arguments(problem), gradients=claimed)
    assert [entry.name for entry in report.wrong] == ["W.2[1,0]"]
    assert report.worst.name == "W.2[1,0]"
    assert "W.2[1,0]" in str(report)


def test_nothing_but_nan_is_not_accepted(problem):
    report = check_gradients(
        *arguments(problem), gradients=np.full(len(problem.parameters.flat), np.nan)
    )
    assert len(report.wrong) == report.n_parameters


def test_a_loss_that_is_infinite_proves_nothing_right():
    network = Network([1, 1], loss="poisson")
    parameters = network.parameters([[[1.0]]])
    assert not check_gradients(network, parameters, [[800.0]], [[1.0]], gradients=[1.0, 1.0])


@pytest.mark.parametrize("distance", [1e-3, 1e-4, 1e-6])
def test_near_a_minimum_a_wrong_gradient_is_wrong_and_no_kink(distance):
    network = Network([1, 1], loss="half_squared_error", bias=False)
    report = check_gradients(
        network, network.parameters([[[2.0 + distance]]]), [[1.0]], [[2.0]],
        gradients=[2.0 * distance],
    )  # fmt: skip
    assert not report, report
    assert report.n_kinks == 0


@pytest.mark.parametrize("size", [1e-6, 1e-8, 1e-9])
def test_a_small_gradient_is_judged_as_sharply_as_the_rounding_of_the_loss_allows(size):
    network = Network([1, 1], loss="half_squared_error", bias=False)
    # L = 1/2 (x w - t)^2 with dL/dw = x (x w - t)
    case = (network, network.parameters([[[1.0]]]), [[size]], [[1.0 + size]])
    assert check_gradients(*case)
    assert not check_gradients(*case, gradients=[-2.0 * size])


def test_the_claimed_loss_is_an_entry_of_its_own(problem):
    loss = backpropagate(*arguments(problem)).loss
    report = check_gradients(*arguments(problem), loss=loss)
    assert report
    assert len(report.entries) == report.n_parameters + 1
    wrong = check_gradients(*arguments(problem), loss=2 * loss)
    assert [entry.name for entry in wrong.wrong] == ["loss"]
    assert wrong.worst.relative_error == pytest.approx(0.5)
    assert wrong.worst.measured == pytest.approx(loss)


@pytest.mark.parametrize("nonsense", [np.nan, np.inf, -np.inf])
def test_a_claimed_loss_that_is_no_number_is_the_worst_entry(problem, nonsense):
    report = check_gradients(*arguments(problem), loss=nonsense)
    assert not report
    assert report.worst.name == "loss"


def test_a_claim_may_be_parameters_numbers_or_a_function(problem):
    right = right_gradients(problem)

    def by_the_book(network, parameters, x, targets):
        return backpropagate(network, parameters, x, targets).gradients

    def by_the_book_flat(*case):
        return by_the_book(*case).flat.tolist()

    for claim in (right, right.flat, right.flat.tolist(), by_the_book, by_the_book_flat):
        assert check_gradients(*arguments(problem), gradients=claim)
    wrong = right.flat * 2
    for claim in (Parameters(right.layout, wrong), wrong, wrong.tolist(), lambda *case: wrong):
        report = check_gradients(*arguments(problem), gradients=claim)
        assert len(report.wrong) == report.n_parameters


def test_a_function_is_given_prepared_arrays(problem):
    seen = []

    def claim(network, parameters, x, targets):
        seen.append((network, parameters, x, targets))
        return right_gradients(problem)

    labels = problem.targets.argmax(axis=1)
    check_gradients(
        problem.network, problem.parameters, problem.x.tolist(), labels, gradients=claim
    )
    ((network, parameters, x, targets),) = seen
    assert network is problem.network
    assert parameters is problem.parameters
    np.testing.assert_array_equal(x, problem.x)
    np.testing.assert_array_equal(targets, np.eye(2)[labels])


@pytest.mark.parametrize("claim", [[1.0, 2.0], np.zeros((2, 2)), 0.5], ids=str)
def test_a_claim_of_another_shape_is_refused(problem, claim):
    with pytest.raises(ShapeError, match=r"order of parameters\.flat"):
        check_gradients(*arguments(problem), gradients=claim)


@pytest.mark.parametrize("tolerance", [0.0, -1e-6, np.nan])
def test_a_tolerance_that_is_not_positive_is_refused(problem, tolerance):
    with pytest.raises(SettingError, match="tolerance"):
        check_gradients(*arguments(problem), tolerance=tolerance)


def test_the_tolerance_decides_what_is_right(problem):
    claimed = right_gradients(problem).flat * (1 + 1e-4)
    assert not check_gradients(*arguments(problem), gradients=claimed, tolerance=1e-5)
    assert check_gradients(*arguments(problem), gradients=claimed, tolerance=1e-3)


@pytest.mark.parametrize("at_most", [1, 2, 7])
def test_a_sample_of_entries_is_spread_over_the_whole_vector(problem, at_most):
    report = check_gradients(*arguments(problem), max_entries=at_most)
    n = problem.network.n_parameters
    assert (len(report.entries), report.n_parameters) == (at_most, n)
    assert f"A sample of {n} parameters" in str(report)
    if at_most > 1:
        assert report.entries[0].name == "W.1[0,0]"
        assert report.entries[-1].name == "b.3[1]"


@pytest.mark.parametrize("at_most", [0, -1, 2.5])
def test_a_sample_that_could_judge_nothing_is_refused(problem, at_most):
    with pytest.raises(SettingError, match="max_entries"):
        check_gradients(*arguments(problem), max_entries=at_most)


def test_every_entry_is_measured_when_asked(problem):
    n = problem.network.n_parameters
    for at_most in (None, n, n + 1):
        report = check_gradients(*arguments(problem), max_entries=at_most)
        assert len(report.entries) == n
        assert "sample" not in str(report)


def test_the_parameters_are_left_as_they_were(problem):
    before = problem.parameters.flat.copy()
    check_gradients(*arguments(problem))
    np.testing.assert_array_equal(problem.parameters.flat, before)


def test_frozen_parameters_can_be_checked(problem):
    assert check_gradients(
        problem.network, problem.parameters.frozen_copy(), problem.x, problem.targets
    )


def test_weights_are_the_weights_of_back_propagation(problem):
    weights = [1.0, 0.0, 2.5, 3.0, 0.1]
    trace = backpropagate(*arguments(problem), sample_weight=weights)
    case = {"gradients": trace.gradients, "loss": trace.loss}
    assert check_gradients(*arguments(problem), sample_weight=weights, **case)
    assert not check_gradients(*arguments(problem), **case)
    with pytest.raises(DataError):
        check_gradients(*arguments(problem), sample_weight=[1.0])


def test_an_entry_on_a_kink_is_reported_and_not_judged():
    # z = 0 exactly: the derivative of ReLU there is a convention, and no number can be measured
    network = Network([1, 1, 1], "relu", "half_squared_error")
    parameters = network.parameters([[[1.0]], [[1.0]]], [[-1.0], [0.0]])
    report = check_gradients(network, parameters, [[1.0]], [[5.0]])
    assert {e.name: e.verdict for e in report.entries} == {
        "W.1[0,0]": "kink", "b.1[0]": "kink", "W.2[0,0]": "right", "b.2[0]": "right",
    }  # fmt: skip
    assert report.n_kinks == 2
    assert report.ok
    assert "2 stand on a kink" in str(report)
    assert report.worst.name in ("W.2[0,0]", "b.2[0]")


def test_a_zero_weight_under_l1_stands_on_a_kink_where_any_slope_between_may_be_claimed():
    network = Network([2, 1], loss="half_squared_error", l1=0.5)
    case = (network, network.parameters([[[0.0], [1.0]]]), [[1.0, 2.0]], [[5.0]])
    right = backpropagate(*case).gradients.flat
    assert check_gradients(*case, gradients=right).n_kinks == 0
    report = check_gradients(*case, gradients=right + np.array([0.2, 0.0, 0.0]))
    assert [entry.verdict for entry in report.entries] == ["kink", "right", "right"]


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("distance", [1.5e-3, 3e-4, 3e-5, 5e-6])
def test_a_kink_nearby_neither_hides_a_wrong_gradient_nor_spoils_a_right_one(distance, side):
    network = Network([1, 1, 1], "relu", "half_squared_error")
    parameters = network.parameters([[[1.0]], [[1.0]]], [[-1.0 + side * distance], [0.0]])
    case = (network, parameters, [[1.0]], [[5.0]])
    report = check_gradients(*case)
    assert {entry.verdict for entry in report.entries} == {"right"}
    other = backpropagate(*case).gradients.copy()
    other.b[0][0] += 1.0
    report = check_gradients(*case, gradients=other)
    assert [entry.name for entry in report.wrong] == ["b.1[0]"]


def test_a_report_of_kinks_alone_has_no_worst_entry():
    network = Network([1, 1], loss="half_squared_error", bias=False, l1=1.0)
    case = (network, network.parameters([[[0.0]]]), [[0.0]], [[0.0]])
    report = check_gradients(*case, gradients=[0.7])
    assert report.worst is None
    assert "0 of 0" in str(report)


def test_one_set_of_dropout_masks_is_used_throughout(rng):
    network = Network([3, 8, 8, 2], "tanh", dropout=0.4)
    parameters, x, labels = network.init(rng), rng.normal(size=(6, 3)), rng.integers(0, 2, 6)
    claimed = backpropagate(network, parameters, x, labels, rng=np.random.default_rng(5)).gradients
    case = (network, parameters, x, labels)
    assert check_gradients(*case, rng=np.random.default_rng(5))
    assert check_gradients(*case, rng=np.random.default_rng(5), gradients=claimed)
    assert not check_gradients(*case, rng=np.random.default_rng(6), gradients=claimed)
    assert not check_gradients(*case, gradients=claimed)


def test_targets_the_loss_cannot_learn_from_are_refused(problem):
    with pytest.raises(DataError):
        check_gradients(problem.network, problem.parameters, problem.x, np.full((5, 2), 0.7))


def test_where_the_loss_overflows_beside_a_slope_of_zero_nothing_is_right():
    network = Network([3, 2, 2], "tanh", l2=0.5, l1=0.25)
    huge = Parameters(network.layout, np.full(network.n_parameters, 1e300))
    with np.errstate(over="ignore", invalid="ignore"):
        report = check_gradients(network, huge, [[1.0, -1.0, 0.5]], [0], gradients=np.zeros(14))
    assert not report.ok
    assert {entry.verdict for entry in report.entries} == {"wrong"}


@pytest.mark.parametrize(
    ("loss", "weight"),
    [("half_squared_error", 1e200), ("poisson", 800.0), ("half_squared_error", np.nan)],
)
def test_an_infinite_loss_is_told(loss, weight):
    network = Network([1, 1], loss=loss)
    parameters = network.parameters([[[weight]]], [[0.0]])
    right = [0.0, 0.0]
    for claim in (None, right):
        report = check_gradients(network, parameters, [[1.0]], [[1.0]], gradients=claim)
        assert not report
        assert "no gradient can be measured" in str(report).replace("\n", " ")
    with pytest.raises(DataError, match="nothing of this step can be shown"):
        explain(network, parameters, [[1.0]], [[1.0]])


@pytest.mark.parametrize("claim", [None, [0.0, 0.0], [6e153, 3e153], [-1e200, 5.0]])
def test_beside_a_loss_of_1e306_nothing_is_told_of_any_claim(claim):
    network = Network([1, 1], loss="half_squared_error")
    case = (network, network.parameters([[[1.0]]], [[0.0]]), [[2.0]], [[-3e153]])
    report = check_gradients(*case, gradients=claim)
    assert not report
    assert (report.wrong, report.worst, report.mistakes) == ((), None, ())
    assert [entry.name for entry in report.undecided] == ["W.1[0,0]", "b.1[0]"]
    assert "Of 2 nothing can be told: the loss is so large" in str(report)
    assert not check_gradients(*case, gradients=[1e299, 0.0]).undecided[0].name.startswith("W")
    text = explain(*case).to_terminal(width=200)
    assert text.count("not judged: the loss is so large") == 2
    assert "gradients agree" not in text


@pytest.mark.parametrize("target", [1.0, 1e3, 1e6])
def test_what_is_told_of_unscaled_targets_stays(target):
    network = Network([1, 1], loss="half_squared_error")
    case = (network, network.parameters([[[1.0]]], [[0.0]]), [[2.0]], [[target]])
    right = backpropagate(*case).gradients.flat
    assert check_gradients(*case, gradients=right)
    assert [e.name for e in check_gradients(*case, gradients=1.001 * right).wrong] == [
        "W.1[0,0]", "b.1[0]",
    ]  # fmt: skip
