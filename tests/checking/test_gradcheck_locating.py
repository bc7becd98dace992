"""What is wrong is located: by array, neuron, input or entry, with and without a mistake's name."""

import numpy as np
import pytest

from deltaprop.checking.gradients import check_gradients
from deltaprop.model.backprop import backpropagate
from deltaprop.model.spec import Network
from helpers.by_hand import ETA, arguments, by_hand, check


def test_one_wrong_entry_is_arithmetic_with_layer_and_index(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 3, 2), n=5)
    for name in ("W.1[2,3]", "b.2[1]", "W.3[0,1]"):
        entries = [problem.network.layout.entry(i) for i in range(problem.network.n_parameters)]
        claimed = backpropagate(*arguments(problem)).gradients.flat.copy()
        claimed[entries.index(name)] *= 1.01
        report = check_gradients(*arguments(problem), gradients=claimed)
        assert report.mistake.name == "arithmetic"
        assert report.mistake.layers == (int(name[2]),)
        assert (report.mistake.entry, report.mistake.places) == (name, (f"d{name}",))
        assert f"Look at d{name} by itself" in report.where


def test_what_no_mistake_explains_is_located(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 3, 2), n=5)
    right = backpropagate(*arguments(problem)).gradients

    def where(change):
        claimed = right.copy()
        change(claimed)
        report = check_gradients(*arguments(problem), gradients=claimed)
        assert not report
        assert report.mistakes == ()
        return report.where

    noise = rng.normal(size=100)

    def disturb_below(claimed):
        claimed.W[0][...] += noise[:12].reshape(3, 4)
        claimed.b[0][...] += noise[:4]

    assert where(disturb_below) == (
        "Wrong in all of W.1 and all of b.1. Layers 2 to 3 are right. Look at delta.1 first, which "
        "all of them are made with."
    )

    def one_neuron(claimed):
        claimed.W[1][:, 2] *= 1.5
        claimed.b[1][2] *= 1.5

    assert "5 times the right numbers. Look at delta.2[:,2], the delta" in where(one_neuron)

    def one_input(claimed):
        claimed.W[1][3] += noise[:3]
        claimed.W[0][...] += noise[:12].reshape(3, 4)

    told = where(one_input)
    assert "Look at a.1[:,3], the input of that row." in told
    assert "What is wrong in the layers below may follow from it." in told

    def other_order(claimed):
        claimed.flat[...] = claimed.flat[::-1].copy()

    assert "right numbers in another order" in where(other_order)

    def nonsense(claimed):
        claimed.flat[:] = np.nan

    assert "no numbers at all" in where(nonsense)


def test_of_two_mistakes_the_upper_one_is_named_first(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 3, 2), n=5)
    gradients = by_hand("missing_f_prime 1")(*arguments(problem))[1]
    claimed = problem.parameters.like(gradients)
    for b in claimed.b:
        b[...] = 0.0
    report = check_gradients(*arguments(problem), gradients=claimed)
    assert report.candidates[0] == "bias_frozen"
    assert (report.mistake.places, report.mistake.layers) == (("db.3",), (3,))
    assert not report.mistake.explains_all
    assert report.mistake.entry in ("b.3[0]", "b.3[1]")
    assert "Correct it and check again." in str(report)


SCALED = {"batch_mean": 5.0, "half": 2.0, "stale_gradients": 2.0, "sign": -1.0}


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize("place", ["dW.1", "dW.2", "db.1", "db.2"])
@pytest.mark.one_in(5)
def test_a_factor_in_one_array_is_named_with_that_array(make_problem, rng, name, place):
    problem = make_problem(rng, "tanh", "half_squared_error", (3, 4, 2), n=5)
    claimed = backpropagate(*arguments(problem)).gradients.copy()
    getattr(claimed, place[1])[int(place[-1]) - 1][...] *= SCALED[name]
    report = check_gradients(*arguments(problem), gradients=claimed)
    found = report.mistakes[report.candidates.index(name)]
    assert (found.places, found.layers) == ((place,), (int(place[-1]),))


def test_weights_kept_with_a_row_per_output_are_recognized(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 2), n=5)
    right = backpropagate(*arguments(problem)).gradients
    claimed = np.concatenate([np.concatenate([W.T.ravel(), b])
                              for W, b in zip(right.W, right.b, strict=True)])  # fmt: skip
    report = check_gradients(*arguments(problem), gradients=claimed)
    assert report.candidates == ("transpose",)
    assert report.mistake.places == ("dW.1", "dW.2")


def test_a_kink_is_no_mistake_and_hides_none():
    # z of the second hidden neuron is 0: any slope of ReLU there is as good as another
    network = Network([1, 2, 1], "relu", "half_squared_error")
    parameters = network.parameters([[[1.0, 1.0]], [[1.0], [2.0]]], [[0.5, -1.0], [0.3]])
    case = (network, parameters, [[1.0]], [[5.0]])

    def steep(network, parameters, x, t):
        gradients = backpropagate(network, parameters, x, t).gradients.copy()
        gradients.W[0][0, 1] = gradients.b[0][1] = 2 * (1.5 + 0.3 - 5.0)
        return gradients

    assert check_gradients(*case, gradients=steep)

    def frozen_too(*case):
        gradients = steep(*case)
        gradients.b[1][0] = 0.0
        return gradients

    report = check_gradients(*case, gradients=frozen_too)
    assert [entry.name for entry in report.wrong] == ["b.2[0]"]
    assert report.candidates[0] == "bias_frozen"
    assert report.mistake.places == ("db.2",)


def test_a_sample_of_a_large_network_is_enough(rng):
    network = Network([200, 30, 10], "sigmoid")
    parameters, x = network.init(rng), rng.normal(size=(4, 200))
    targets = rng.integers(10, size=4)
    report = check_gradients(
        network, parameters, x, targets, gradients=by_hand("missing_f_prime 1"),
        learning_rate=ETA, max_entries=60,
    )  # fmt: skip
    assert len([entry for entry in report.entries if entry.part == "gradients"]) == 60
    assert report.candidates[0] == "missing_f_prime"
    assert report.mistake.layers == (1,)


def test_with_dropout_masks_wrong_gradients_are_located_and_not_named(rng):
    network = Network([3, 8, 2], "tanh", dropout=0.4)
    parameters, x, labels = network.init(rng), rng.normal(size=(6, 3)), rng.integers(0, 2, 6)
    case = (network, parameters, x, labels)
    right = backpropagate(*case, rng=np.random.default_rng(5)).gradients.flat
    report = check_gradients(*case, rng=np.random.default_rng(5), gradients=2 * right)
    assert report.mistakes == ()
    assert "They are 2 times the right numbers." in report.where


def test_with_label_smoothing_a_mistake_still_has_its_name(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (2, 3, 3), n=4, label_smoothing=0.2)
    right = backpropagate(*arguments(problem)).gradients.copy()
    for b in right.b:
        b[...] = 0.0
    assert check_gradients(*arguments(problem), gradients=right).candidates == ("bias_frozen",)


def test_two_mistakes_in_two_parts_are_two_names(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 2), n=5)
    loss, _, _ = by_hand("log10 1")(*arguments(problem))
    _, gradients, _ = by_hand("missing_f_prime 1")(*arguments(problem))
    after = problem.parameters.flat + ETA * gradients
    report = check(problem, lambda *case: (loss, gradients, after))
    parts = {mistake.part: mistake.name for mistake in reversed(report.mistakes)}
    assert parts == {"gradients": "missing_f_prime", "loss": "log10", "update": "sign"}


def test_a_report_says_what_is_wrong_what_it_is_called_and_what_to_change():
    network = Network([2, 2, 1], "tanh", "half_squared_error")
    parameters = network.parameters([[[0.5, -0.5], [0.25, 1.0]], [[1.0], [2.0]]])
    case = (network, parameters, [[1.0, 0.5], [-1.0, 2.0]], [[1.0], [0.0]])
    report = check_gradients(*case, gradients=by_hand("batch_mean 1"), learning_rate=ETA)
    assert str(report).splitlines()[:7] == [
        "0 of 9 gradients agree with central differences (relative error up to 1e-06).",
        f"Worst: d/d{report.worst.name}, relative error 0.5",
        f"  claimed {report.worst.claimed:.10g}, measured {report.worst.measured:.10g}",
        "Wrong in all of W.1, all of b.1, all of W.2 and b.2[0]. They are 2 times the right",
        "numbers.",
        "Several mistakes give these very numbers:",
        "batch_mean, made in delta.2: 1/n is missing, applied twice, or 1/n_outputs is mixed in.",
    ]
    report = check_gradients(*case, gradients=by_hand("updated_weights 1"), learning_rate=ETA)
    assert str(report).splitlines()[3:] == [
        "Wrong in all of W.1 and all of b.1. Layer 2 is right.",
        "updated_weights, made in delta.1: the recursion uses the already updated W of the next",
        "layer. To change: take all gradients at the old weights, and update afterwards.",
    ]
