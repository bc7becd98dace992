"""What a user's function may return, or be given as: gradients, loss, parameters after the step."""

import numpy as np
import pytest

from deltaprop.checking.gradients import check_gradients
from deltaprop.errors import SettingError, ShapeError
from deltaprop.model.backprop import backpropagate
from deltaprop.model.spec import Network
from helpers.by_hand import ETA, arguments, by_hand, check

# ---- what a function may return


def test_loss_gradients_and_the_parameters_after_may_be_given_or_returned(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 2), n=5)
    n = problem.network.n_parameters
    loss, gradients, after = by_hand()(*arguments(problem))
    as_parameters = problem.parameters.like(gradients), problem.parameters.like(after)
    for claim, count in (
        (lambda *case: gradients, n),
        (lambda *case: (loss, gradients), n + 1),
        (lambda *case: (loss, as_parameters[0]), n + 1),
        (lambda *case: (loss, gradients, after), 2 * n + 1),
        (lambda *case: (loss, *as_parameters), 2 * n + 1),
        (lambda *case: (None, gradients, after), 2 * n),
    ):
        report = check(problem, claim)
        assert report
        assert len(report.entries) == count
        assert f"{n} of {n} gradients agree" in str(report)
    report = check_gradients(
        *arguments(problem), gradients=gradients, loss=2 * loss, after=after, learning_rate=0.5
    )
    assert {entry.part for entry in report.wrong} == {"loss", "update"}
    assert check_gradients(*arguments(problem), after=after, learning_rate=ETA)


def test_two_gradients_in_a_tuple_are_two_gradients():
    network = Network([1, 1], loss="half_squared_error")
    case = (network, network.parameters([[[2.0]]]), [[1.0]], [[1.0]])
    assert check_gradients(*case, gradients=lambda *case: (1.0, 1.0))


def test_a_wrong_step_is_told_by_its_entry(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 2), n=5)
    _, gradients, after = by_hand()(*arguments(problem))
    after[1] += 0.1
    report = check_gradients(
        *arguments(problem), gradients=gradients, after=after, learning_rate=ETA
    )
    assert [entry.name for entry in report.wrong] == ["W.1.after[0,1]"]
    assert "Worst: W.1.after[0,1]" in str(report)
    assert report.mistakes == ()


def test_a_step_without_its_learning_rate_is_refused(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 2))
    with pytest.raises(SettingError, match="needs learning_rate"):
        check(problem, by_hand(), learning_rate=None)
    with pytest.raises(SettingError, match="learning_rate"):
        check(problem, by_hand(), learning_rate=0.0)
    with pytest.raises(ShapeError, match="parameters after the step have shape"):
        check(problem, by_hand(), after=[1.0])


def test_a_function_that_changes_the_parameters_is_told_so_and_they_are_restored(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 2))
    before = problem.parameters.flat.copy()

    def in_place(network, parameters, x, t):
        gradients = backpropagate(network, parameters, x, t).gradients.flat.copy()
        parameters.flat[...] -= ETA * gradients
        return gradients

    with pytest.raises(SettingError, match=r"changed the parameters.*parameters\.copy"):
        check(problem, in_place)
    np.testing.assert_array_equal(problem.parameters.flat, before)
