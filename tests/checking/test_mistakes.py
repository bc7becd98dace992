"""The named mistakes: the right rules are back-propagation, and every wrong one is caught."""

import functools
import re
import zlib

import numpy as np
import pytest

from deltaprop.checking.gradients import check_gradients
from deltaprop.checking.mistakes import MISTAKES
from deltaprop.checking.rules import RIGHT, work_step
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES, sample_shares
from deltaprop.model.backprop import backpropagate
from deltaprop.model.spec import Network

NAMES = [
    "missing_f_prime",
    "f_prime_wrong_point",
    "softmax_diagonal",
    "extra_output_prime",
    "softmax_index",
    "softmax_without_exp",
    "transpose",
    "bias_frozen",
    "bias_per_weight",
    "bias_mean",
    "updated_weights",
    "batch_mean",
    "half",
    "sign",
    "delta_by_a",
    "stale_gradients",
    "learning_rate",
    "relu_gate",
    "penalty",
    "log10",
    # the rest is not in mathematics.md
    "bias_ignored",
    "activation_forgotten",
    "swapped_weights",
    "sigmoid_for_softmax",
    "softmax_twice",
    "one_hot_shifted",
    "log2",
    "square_missing",
    "root_taken",
    "second_term_missing",
    "half_a_slope",
    "other_slope",
    "gradient_for_weights",
    "weights_left_out",
    "z_for_a",
    "input_left_out",
    "one_sample",
    "bias_times_input",
    "bias_over_everything",
    "not_updated",
    "plain_step",
    "old_weights",
    "norm_as_constant",
    "wrong_operand",
    "no_bias_correction",
    "epsilon_in_root",
    "other_momentum",
    "decay_elsewhere",
    "wrong_entry",
    "swapped_entries",
]
# what shows in another step, in a second pass, or in a layer of its own kind: tests of these
IN_STEPS = {"no_bias_correction", "epsilon_in_root", "other_momentum", "decay_elsewhere"}
ELSEWHERE = {"plain_step", "old_weights", "norm_as_constant", *IN_STEPS}

# networks in which mistakes can be made: n > 1 rows, several outputs, square and other matrices
CASES = {
    "softmax": ("sigmoid", "cross_entropy", (2, 3, 3), {"bias": True}),
    "softmax with l2": ("tanh", "cross_entropy", (2, 2, 2, 3), {"l2": 0.3}),
    "softmax with l1": ("tanh", "cross_entropy", (2, 2, 2), {"l1": 0.2}),
    "brier": ("tanh", "half_squared_error_softmax", (2, 2, 3), {}),
    "logistic": ("silu", "binary_cross_entropy", (3, 2, 2), {}),
    "relu": ("relu", "half_squared_error", (2, 3, 3, 2), {"l2": 0.1}),
    "linear neurons": ("identity", "half_squared_error", (2, 2, 2), {"bias": False}),
    "old textbook": ("sigmoid", "half_squared_error_sigmoid", (2, 2, 2), {}),
    "huber": ("gelu", "huber", (2, 2, 2, 2), {}),
    "counts": ("softplus", "poisson", (2, 3, 2), {}),
    "softmax regression": ("relu", "cross_entropy", (3, 4), {}),
    "linear regression": ("relu", "half_squared_error", (3, 2), {"bias": False}),
}
VARIANTS = [
    pytest.param(mistake, rules, id=f"{mistake.name} {number}")
    for mistake in MISTAKES.values()
    for number, rules in enumerate(mistake.variants, start=1)
    if mistake.name not in ELSEWHERE
]
IN_GRADIENTS = pytest.mark.parametrize(
    "mistake", [m for m in MISTAKES.values() if m.name not in ELSEWHERE], ids=lambda m: m.name
)


@pytest.fixture(scope="module")
def problems(make_problem):
    """One problem per case, with one-hot targets where the loss wants classes."""
    found = {}
    for name, (hidden, loss, sizes, more) in CASES.items():
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        problem = make_problem(rng, hidden, loss, sizes, n=5, **more)
        if loss == "cross_entropy":
            problem.targets[:] = np.eye(sizes[-1])[rng.integers(0, sizes[-1], 5)]
        found[name] = problem
    return found


def work(rules, problem, learning_rate=0.3, **more):
    return work_step(
        rules, problem.network, problem.parameters, problem.x, problem.targets,
        learning_rate=learning_rate, **more,
    )  # fmt: skip


def implied_gradient(problem, working):
    return (problem.parameters.flat - working.after.flat) / working.learning_rate


def referee(problem, working):
    """Judge a working by its loss, its gradients, and the gradient its update implies."""
    case = (problem.network, problem.parameters, problem.x, problem.targets)
    reports = [check_gradients(*case, gradients=working.gradients, loss=working.loss)]
    implied = implied_gradient(problem, working)
    if not np.allclose(implied, working.gradients.flat, rtol=1e-12, atol=1e-13):
        reports.append(check_gradients(*case, gradients=implied))
    return reports


def test_every_mistake_of_the_mathematics_has_its_name():
    assert list(MISTAKES) == NAMES


def test_the_names_are_those_of_the_specification(shared):
    text = (shared / "spec" / "mathematics.md").read_text(encoding="utf-8")
    section = text.split("## 5.")[1].split("## 6.")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(NAMES[:20])


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=lambda mistake: mistake.name)
def test_every_mistake_says_what_goes_wrong_and_differs_from_the_right_rules(mistake):
    assert mistake.doc
    assert mistake.fix
    assert mistake.variants
    assert RIGHT not in mistake.variants
    assert len(set(mistake.variants)) == len(mistake.variants)


@pytest.mark.parametrize("case", CASES)
def test_the_right_rules_are_back_propagation_number_for_number(problems, case):
    problem = problems[case]
    working = work(RIGHT, problem)
    trace = backpropagate(problem.network, problem.parameters, problem.x, problem.targets)
    for layer in range(len(trace.z)):
        np.testing.assert_array_equal(working.z[layer], trace.z[layer])
        np.testing.assert_array_equal(working.delta[layer], trace.delta[layer])
        np.testing.assert_array_equal(working.a[layer + 1], trace.a[layer + 1])
        if layer < len(trace.z) - 1:
            np.testing.assert_array_equal(working.upstream[layer], trace.upstream[layer])
    np.testing.assert_allclose(working.gradients.flat, trace.gradients.flat, rtol=1e-14, atol=1e-16)
    assert working.loss == pytest.approx(trace.loss, rel=1e-15)
    np.testing.assert_allclose(
        working.after.flat, problem.parameters.flat - 0.3 * trace.gradients.flat, rtol=1e-15
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_right_rules_are_right_for_every_activation_and_loss(
    make_problem, activation, loss, rng
):
    problem = make_problem(rng, activation, loss, (2, 3, 2, 2), l2=0.1, l1=0.1)
    trace = backpropagate(problem.network, problem.parameters, problem.x, problem.targets)
    working = work(RIGHT, problem)
    np.testing.assert_allclose(working.gradients.flat, trace.gradients.flat, rtol=1e-14, atol=1e-16)
    assert working.loss == pytest.approx(trace.loss, rel=1e-15)


def test_the_right_rules_take_the_shares_of_weighted_samples(problems):
    problem, weights = problems["softmax"], [1.0, 2.0, 0.0, 0.5, 3.0]
    trace = backpropagate(
        problem.network, problem.parameters, problem.x, problem.targets, sample_weight=weights
    )
    working = work(RIGHT, problem, shares=sample_shares(5, weights))
    np.testing.assert_array_equal(working.gradients.flat, trace.gradients.flat)


@pytest.mark.parametrize("case", CASES)
def test_the_right_working_is_never_rejected(problems, case):
    for report in referee(problems[case], work(RIGHT, problems[case])):
        assert report, report
        assert report.n_kinks == 0


@functools.cache
def right_working(problem):
    return work(RIGHT, problem)


def changes_something(problem, working):
    right = right_working(problem)
    pairs = (
        (working.gradients.flat, right.gradients.flat),
        (implied_gradient(problem, working), implied_gradient(problem, right)),
        (working.loss, right.loss),
    )
    return any(not np.allclose(wrong, good, rtol=1e-4, atol=1e-8) for wrong, good in pairs)


@pytest.mark.parametrize(("mistake", "rules"), VARIANTS)
@pytest.mark.one_in(144)
def test_the_referee_rejects_every_form_of_a_mistake_wherever_it_changes_a_number(
    problems, mistake, rules
):
    caught = 0
    for name, problem in problems.items():
        if not mistake.applies(problem.network):
            continue
        working = work(rules, problem)
        accepted = all(referee(problem, working))
        assert accepted != changes_something(problem, working), name
        shown = np.abs(working.a[-1] - right_working(problem).a[-1]).max() > 1e-6
        caught += bool(not accepted or shown)  # an output that is printed, and not gone on with
    assert caught >= 1


@IN_GRADIENTS
def test_the_commonest_form_changes_numbers_in_most_networks_it_applies_to(problems, mistake):
    applicable = [p for p in problems.values() if mistake.applies(p.network)]
    changed = [changes_something(p, work(mistake.variants[0], p)) for p in applicable]
    assert sum(changed) > len(applicable) / 2


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=lambda mistake: mistake.name)
def test_where_a_mistake_does_not_apply_it_changes_nothing_or_has_no_meaning(problems, mistake):
    no_meaning = {"softmax_diagonal", "extra_output_prime", "softmax_index", "softmax_without_exp",
                  "half", "log10", "sigmoid_for_softmax", "softmax_twice", "one_hot_shifted",
                  "log2", "square_missing", "root_taken", "second_term_missing",
                  "half_a_slope"}  # fmt: skip
    for problem in problems.values():
        if mistake.applies(problem.network) or mistake.name in no_meaning:
            continue
        for rules in mistake.variants:
            assert not changes_something(problem, work(rules, problem))


ALWAYS = {"batch_mean", "sign", "stale_gradients", "learning_rate", "input_left_out", "one_sample",
          "not_updated", "plain_step", "old_weights", *IN_STEPS}  # fmt: skip
APPLIES = {
    "missing_f_prime": {"softmax", "relu", "huber"},
    "f_prime_wrong_point": {"softmax", "relu", "old textbook"},
    "softmax_diagonal": {"softmax", "brier", "softmax regression"},
    "extra_output_prime": {"softmax", "logistic", "softmax regression"},
    "softmax_index": {"softmax", "softmax regression"},
    "softmax_without_exp": {"softmax", "softmax regression"},
    "transpose": {"softmax with l2", "linear neurons"},
    "bias_frozen": {"softmax", "softmax regression"},
    "bias_per_weight": {"softmax", "softmax regression"},
    "bias_mean": {"softmax", "softmax regression"},
    "updated_weights": {"linear neurons", "counts"},
    "half": {"brier", "relu", "linear neurons", "old textbook", "linear regression"},
    "delta_by_a": {"softmax", "counts"},
    "relu_gate": {"relu"},
    "penalty": {"relu", "softmax with l2", "softmax with l1"},
    "log10": {"softmax", "logistic"},
    "log2": {"softmax", "logistic"},
    "bias_ignored": {"softmax", "softmax regression"},
    "activation_forgotten": {"softmax", "relu", "softmax regression", "old textbook"},
    "swapped_weights": {"softmax", "linear neurons"},
    "sigmoid_for_softmax": {"softmax", "softmax regression"},
    "softmax_twice": {"softmax", "softmax regression"},
    "one_hot_shifted": {"softmax", "brier", "softmax regression"},
    "square_missing": {"relu", "linear neurons", "linear regression"},
    "root_taken": {"relu", "linear neurons", "linear regression"},
    "second_term_missing": {"logistic"},
    "half_a_slope": {"softmax", "softmax with l2", "old textbook"},
    "other_slope": {"softmax", "relu", "huber", "logistic"},
    "gradient_for_weights": {"softmax", "linear neurons"},
    "weights_left_out": {"softmax", "linear neurons"},
    "z_for_a": {"softmax", "relu"},
    "bias_times_input": {"softmax", "softmax regression"},
    "bias_over_everything": {"softmax", "softmax regression"},
    "norm_as_constant": set(),
    "wrong_operand": {"softmax", "softmax with l2", "relu", "huber"},
    "wrong_entry": set(CASES),
    "swapped_entries": set(CASES),
}
DOES_NOT_APPLY = {
    "missing_f_prime": {"linear neurons", "softmax regression"},
    "f_prime_wrong_point": {"linear neurons", "linear regression"},
    "softmax_diagonal": {"logistic", "relu", "huber"},
    "extra_output_prime": {"old textbook", "brier", "counts"},
    "softmax_index": {"logistic", "old textbook"},
    "softmax_without_exp": {"logistic", "relu"},
    "transpose": {"softmax regression", "linear regression"},
    "bias_frozen": {"linear neurons", "linear regression"},
    "bias_per_weight": {"linear neurons", "linear regression"},
    "bias_mean": {"linear neurons", "linear regression"},
    "updated_weights": {"softmax regression", "linear regression"},
    "half": {"softmax", "logistic", "huber", "counts"},
    "delta_by_a": {"linear neurons", "softmax regression"},
    "relu_gate": {"softmax", "softmax regression"},
    "penalty": {"softmax", "linear neurons"},
    "log10": {"huber", "counts", "old textbook"},
    "log2": {"huber", "counts", "old textbook"},
    "bias_ignored": {"linear neurons", "linear regression"},
    "activation_forgotten": {"linear neurons", "linear regression"},
    "swapped_weights": {"linear regression", "softmax regression"},
    "sigmoid_for_softmax": {"logistic", "brier", "relu"},
    "softmax_twice": {"logistic", "brier", "relu"},
    "one_hot_shifted": {"logistic", "relu", "counts"},
    "square_missing": {"softmax", "huber", "counts"},
    "root_taken": {"softmax", "logistic", "huber", "counts"},
    "second_term_missing": {"softmax", "brier", "old textbook"},
    "half_a_slope": {"relu", "linear neurons", "huber"},
    "other_slope": {"linear neurons", "softmax regression"},
    "gradient_for_weights": {"softmax regression", "linear regression"},
    "weights_left_out": {"softmax regression", "linear regression"},
    "z_for_a": {"linear neurons", "softmax regression"},
    "bias_times_input": {"linear neurons", "linear regression"},
    "bias_over_everything": {"linear neurons", "linear regression"},
    "norm_as_constant": set(CASES),
    "wrong_operand": {"softmax regression", "linear regression"},
    "wrong_entry": set(),
    "swapped_entries": set(),
}


def test_the_tables_speak_of_every_mistake():
    assert set(APPLIES) == set(DOES_NOT_APPLY) == set(MISTAKES) - ALWAYS


@pytest.mark.parametrize("name", APPLIES)
def test_a_mistake_applies_where_its_place_exists_and_nowhere_else(problems, name):
    applies = MISTAKES[name].applies
    assert {case for case in APPLIES[name] if applies(problems[case].network)} == APPLIES[name]
    assert not {case for case in DOES_NOT_APPLY[name] if applies(problems[case].network)}


@pytest.mark.parametrize("name", sorted(ALWAYS))
def test_some_mistakes_can_be_made_with_any_network(problems, name):
    assert all(MISTAKES[name].applies(problem.network) for problem in problems.values())


def test_a_network_without_hidden_layer_knows_no_hidden_mistakes():
    network = Network([3, 2], loss="half_squared_error", bias=False)
    assert {name for name, m in MISTAKES.items() if m.applies(network)} == ALWAYS | {
        "half",
        "square_missing",
        "root_taken",
        "wrong_entry",
        "swapped_entries",
    }


# one sample, one mistake, and the number it gives, worked out with paper and pencil
TUTORIAL = {
    "missing_f_prime": {},
    "updated_weights": {"W.1[0,0]": 1.05 * 0.86875},
    "half": {"W.2[0,0]": 2 * 1.3125},
    "sign": {"W.2[0,0]": -1.3125, "W.1[1,0]": -0.525},
    "stale_gradients": {"W.2[1,0]": 2 * 3.99},
}


@pytest.mark.parametrize("name", TUTORIAL)
def test_in_the_tutorial_a_mistake_gives_the_number_expected_of_it(name):
    network = Network([2, 2, 1], "identity", "half_squared_error", bias=False)
    parameters = network.parameters([[[0.5, 2.3], [1.5, 3.0]], [[1.0], [1.0]]])
    x, t = np.array([[1.0, 0.5]]), np.array([[4.0]])
    working = work_step(MISTAKES[name].variants[0], network, parameters, x, t)
    entries = {network.layout.entry(i): g for i, g in enumerate(working.gradients.flat)}
    right = backpropagate(network, parameters, x, t).gradients.flat
    if not TUTORIAL[name]:
        np.testing.assert_array_equal(working.gradients.flat, right)
    for entry, number in TUTORIAL[name].items():
        assert entries[entry] == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize(("variant", "factor"), [(0, 0.3), (1, 1 / 0.3)])
def test_the_learning_rate_twice_or_never_shows_in_the_update_only(problems, variant, factor):
    problem = problems["softmax"]
    right, wrong = work(RIGHT, problem), work(MISTAKES["learning_rate"].variants[variant], problem)
    np.testing.assert_array_equal(wrong.gradients.flat, right.gradients.flat)
    np.testing.assert_allclose(
        implied_gradient(problem, wrong), factor * right.gradients.flat, rtol=1e-10, atol=1e-14
    )
