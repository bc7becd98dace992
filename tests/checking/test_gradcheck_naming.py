"""The referee names the mistake: every mutant in a function of the user's own, by layer and index.

``by_hand`` is back-propagation written once more in plain NumPy, as a user would, with each of the
named mistakes built into it by hand.
"""

import zlib

import numpy as np
import pytest

from deltaprop.checking.gradients import check_gradients
from deltaprop.checking.mistakes import MISTAKES
from deltaprop.checking.mistakes.common import COMMON
from deltaprop.checking.mistakes.forms import FURTHER
from deltaprop.checking.rules import work_step
from deltaprop.model.backprop import backpropagate
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from helpers.by_hand import CURVES, ETA, arguments, by_hand, check

SLIPS = [f"{m.name} {i}" for m in COMMON for i in range(1, len(m.variants) + 1)
         if (m.name, i) not in {("penalty", n) for n in (5, 6, 7, 8)}]  # fmt: skip


ON_THE_WAY_DOWN = {"missing_f_prime 1", "f_prime_wrong_point 1", "f_prime_wrong_point 2",
                   "transpose 1", "updated_weights 1", "relu_gate 1"}  # fmt: skip


IN_ARRAYS = {"transpose 2", "bias_frozen 1", "bias_per_weight 1", "bias_mean 1", "delta_by_a 1",
             "stale_gradients 1", "penalty 1", "penalty 2", "penalty 3"}  # fmt: skip


LOSSES = ["cross_entropy", "binary_cross_entropy", "half_squared_error",
          "half_squared_error_sigmoid", "half_squared_error_softmax"]  # fmt: skip


HOW_MANY = pytest.mark.parametrize("n", [4, pytest.param(16, marks=pytest.mark.slow)])


@pytest.fixture(scope="module")
def networks(make_problem):
    """Return a stream of random networks to which a mistake applies, the same for each test."""

    def draw(slip, count):
        rng = np.random.default_rng(zlib.crc32(slip.encode()))
        applies = MISTAKES[slip.split()[0]].applies if slip else lambda _network: True
        found = []
        while len(found) < count:
            n_layers = int(rng.integers(2, 5))
            sizes = [int(size) for size in rng.integers(2, 4, size=n_layers + 1)]
            hidden = [str(name) for name in rng.choice(list(CURVES), n_layers - 1)]
            loss = str(rng.choice(LOSSES))
            more = {"l2": float(rng.choice([0.0, 0.2])), "l1": float(rng.choice([0.0, 0.1])),
                    "bias": bool(rng.random() < 0.8), "n": int(rng.choice([1, 3]))}  # fmt: skip
            if not applies(
                Network(sizes, hidden, loss, more["bias"], l2=more["l2"], l1=more["l1"])
            ):
                continue
            found.append(make_problem(rng, hidden, loss, sizes, **more))
        return found

    return draw


def off(problem, function, least):
    """Return the names of what the function has otherwise than the right one."""
    claimed, right = function(*arguments(problem)), by_hand()(*arguments(problem))
    names = [problem.network.layout.entry(i) for i in range(problem.network.n_parameters)]
    found = set()
    for name, c, r in zip(names, claimed[1], right[1], strict=True):
        if not abs(c - r) <= least * max(abs(c), abs(r), 1e-3):
            found.add(name)
    if not abs(claimed[0] - right[0]) <= least * abs(right[0]):
        found.add("loss")
    # the step is judged by the claimed gradients
    step = problem.parameters.flat - ETA * claimed[1]
    for name, c, r in zip(names, claimed[2], step, strict=True):
        if not abs(c - r) <= least * max(abs(c), abs(r), 1e-3):
            found.add(name.replace("[", ".after["))
    return found


def assert_named(report, problem, function):
    """The wrong entries are those that are wrong, and the mistake is among those that fit."""
    wrong = {entry.name for entry in report.wrong}
    assert wrong <= off(problem, function, 1e-8)
    assert wrong >= off(problem, function, 1e-3)
    assert not report
    assert report.worst.name in off(problem, function, 1e-8)
    name = function.slip.split()[0]
    assert name in report.candidates, f"{function}\n{report}"
    found = next(mistake for mistake in report.mistakes if mistake.name == name)
    assert found.entry in wrong
    assert found.doc.startswith(MISTAKES[name].doc)
    told = " ".join(str(report).split())
    assert f"{name}, made in {found.places[0]}" in told
    assert f"{found.doc}. To change: {found.fix}." in told
    return found


def test_the_function_by_hand_is_right_where_it_has_no_mistake(networks):
    for problem in networks("", 20):
        loss, gradients, after = by_hand()(*arguments(problem))
        trace = backpropagate(*arguments(problem))
        assert loss == pytest.approx(trace.loss, rel=1e-12)
        np.testing.assert_allclose(gradients, trace.gradients.flat, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(after, problem.parameters.flat - ETA * gradients, rtol=1e-13)


@HOW_MANY
@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.one_in(12)
def test_every_mistake_in_a_users_function_is_caught_and_named(networks, slip, n):
    caught = 0
    for problem in networks(slip, n):
        function = by_hand(slip)
        if not off(problem, function, 1e-3):
            continue  # one sample, no square matrix: the mistake changes nothing here
        found = assert_named(check(problem, function), problem, function)
        assert found.layers or found.part == "loss"
        caught += 1
    assert caught >= n / 4


@HOW_MANY
@pytest.mark.parametrize("slip", sorted(ON_THE_WAY_DOWN | IN_ARRAYS))
@pytest.mark.slow
def test_a_mistake_in_one_layer_only_is_named_with_that_layer(networks, slip, n):
    caught = 0
    for problem in networks(slip, n):
        for layer in range(len(problem.network.computing_layers)):
            function = by_hand(slip, (layer,))
            if not off(problem, function, 1e-3):
                continue
            found = assert_named(check(problem, function), problem, function)
            assert found.layers == (layer + 1,), f"{function}\n{check(problem, function)}"
            prefixes = ("delta.",) if slip in ON_THE_WAY_DOWN else ("dW.", "db.")
            assert all(place.startswith(prefixes) for place in found.places)
            caught += 1
    assert caught >= n / 4


@pytest.mark.parametrize("slip", sorted(ON_THE_WAY_DOWN))
@pytest.mark.one_in(15)
def test_a_mistake_on_the_way_down_leaves_the_layers_above_right_and_the_report_says_so(
    networks, slip
):
    for problem in networks(slip, 4):
        report = check(problem, by_hand(slip))
        if report:
            continue
        top = max(report.mistake.layers)
        n_layers = len(problem.network.computing_layers)
        assert all(int(entry.name.split(".")[1][0]) <= top for entry in report.wrong)
        above = f"Layer {top + 1} is right" if top == n_layers - 1 else f"Layers {top + 1} to"
        assert above in report.where


# what only another step, a second pass or a layer of its own kind shows; two that agree here
ELSEWHERE = {"plain_step", "old_weights", "norm_as_constant"}
ELSEWHERE |= {"no_bias_correction", "epsilon_in_root", "other_momentum", "decay_elsewhere"}
THE_SAME = {"bias_frozen": {"not_updated"}, "not_updated": {"bias_frozen"}}


@pytest.mark.parametrize("name", sorted(set(MISTAKES) - ELSEWHERE))
@pytest.mark.one_in(30)
def test_the_rules_of_every_mistake_are_named_too(make_problem, name):
    """Networks large enough that hardly two mistakes give the same numbers."""
    cases = (
        ("tanh", "cross_entropy", {"l2": 0.3, "l1": 0.1}),
        ("relu", "half_squared_error", {"l2": 0.1}),
        ("tanh", "binary_cross_entropy", {}),
    )
    caught = 0
    for hidden, loss, more in cases:
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        problem = make_problem(rng, hidden, loss, (2, 3, 3, 3), n=5, **more)
        if not MISTAKES[name].applies(problem.network):
            continue
        further = tuple(rules for row in FURTHER if row[0] == name and row[1](problem.network)
                        for rules in row[2])  # fmt: skip
        for rules in (*MISTAKES[name].variants, *further):

            def function(*case, rules=rules):
                working = work_step(rules, *case, learning_rate=ETA)
                return working.loss, working.gradients, working.after

            report = check(problem, function)
            if not report:
                assert report.candidates[0] == name
                same = {name, "batch_mean"} | THE_SAME.get(name, set())
                assert set(report.candidates) <= same, report
                caught += 1
    assert caught >= 1


@pytest.mark.parametrize(
    "seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 10))]
)
@pytest.mark.one_in(3)
def test_the_right_function_is_never_accused(make_problem, seed):
    rng = np.random.default_rng(seed)
    for _ in range(50):
        n_layers = int(rng.integers(1, 5))
        sizes = [int(size) for size in rng.integers(1, 5, size=n_layers + 1)]
        hidden = [str(name) for name in rng.choice(list(CURVES), n_layers - 1)]
        problem = make_problem(
            rng, hidden, str(rng.choice(LOSSES)), sizes, n=int(rng.integers(1, 5)),
            l2=float(rng.choice([0.0, 0.2])), l1=float(rng.choice([0.0, 0.1])), anywhere=True,
        )  # fmt: skip
        report = check(problem, by_hand())
        assert report, f"{problem}\n{report}"
        assert (report.mistakes, report.where, report.mistake) == ((), "", None)


def test_mistakes_that_give_the_same_numbers_are_all_named():
    network = Network([2, 2], loss="half_squared_error")
    case = network.parameters([[[1.0, 2.0], [3.0, 5.0]]]), [[1.0, 2.0], [2.0, -1.0]], np.eye(2)
    right = backpropagate(network, *case).gradients.flat
    report = check_gradients(network, *case, gradients=2 * right)
    assert set(report.candidates) == {"batch_mean", "half", "stale_gradients"}
    assert "Several mistakes give these very numbers" in str(report)


def test_the_learning_rate_of_updated_weights_is_found_where_nobody_tells_it(networks):
    guessed = 0
    for problem in networks("updated_weights 1", 8):
        function = by_hand("updated_weights 1")
        report = check(
            problem, lambda *case, f=function: f(*case)[1], learning_rate=None
        )  # fmt: skip
        if not report and "updated_weights" in report.candidates:
            found = report.mistakes[report.candidates.index("updated_weights")]
            assert "learning rate of 0.3)" in found.doc
            guessed += 1
    assert guessed >= 4


@pytest.mark.parametrize("slip", ["missing_f_prime 1", "batch_mean 1", "bias_frozen 1"])
def test_a_function_in_single_precision_is_named_as_well(make_problem, rng, slip):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 3), n=4)

    def single(function):
        def in_float32(network, parameters, x, t):
            cast = Parameters(parameters.layout, parameters.flat.astype(np.float32))
            return function(network, cast, x.astype(np.float32), t.astype(np.float32))[1]

        return in_float32

    report = check(problem, single(by_hand(slip)), tolerance=1e-3)
    assert report.candidates[0] == slip.split()[0]
    assert check(problem, single(by_hand()))
    assert check(problem, single(by_hand()), tolerance=1e-3)


@pytest.mark.one_in(30)
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("loss", ["cross_entropy", "half_squared_error"])
def test_what_is_right_in_float32_is_never_accused(make_problem, activation, loss):
    def in_float32(network, parameters, x, t):
        cast = Parameters(parameters.layout, parameters.flat.astype(np.float32))
        _, flat, *_ = by_hand()(network, cast, x.astype(np.float32), t.astype(np.float32))
        return flat.astype(np.float32)

    for seed, scale in enumerate((0.3, 2.0)):
        sizes = (4, 7, 7, 3)
        problem = make_problem(np.random.default_rng(seed), activation, loss, sizes, n=32,
                               anywhere=True)  # fmt: skip
        problem.parameters.flat[...] = (scale * problem.parameters.flat).astype(np.float32)
        problem.x[...] = problem.x.astype(np.float32)
        report = check(problem, in_float32)
        assert report, str(report)

        def slightly_wrong(*case):
            flat = in_float32(*case)
            flat[np.argmax(np.abs(flat))] *= np.float32(1.002)
            return flat

        assert not check(problem, slightly_wrong)


def test_a_loss_and_a_step_in_float32_are_right_as_near_as_that_comes(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 3), n=4)
    trace = backpropagate(*arguments(problem))
    flat = trace.gradients.flat.astype(np.float32)
    after = problem.parameters.flat.astype(np.float32) - np.float32(ETA) * flat
    told = {"loss": float(np.float32(trace.loss)), "after": after, "learning_rate": ETA}
    assert check_gradients(*arguments(problem), gradients=flat, **told)
    wrong = told | {"loss": float(np.float32(1.0001 * trace.loss))}
    assert not check_gradients(*arguments(problem), gradients=flat, **wrong)
