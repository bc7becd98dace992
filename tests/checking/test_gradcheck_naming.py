"""The referee names the mistake: every mutant in a function of the user's own, by layer and index.

``by_hand`` is back-propagation written once more in plain NumPy, as a user would, with each of the
named mistakes built into it by hand.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import pytest

from deltaprop.checking.further_mistakes import FURTHER
from deltaprop.checking.gradients import check_gradients
from deltaprop.checking.mistakes import MISTAKES, work_step
from deltaprop.errors import SettingError, ShapeError
from deltaprop.model.backprop import backpropagate
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

ETA = 0.3


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# f and f', both of z
CURVES = {
    "identity": (lambda z: z, lambda z: np.ones_like(z)),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "softplus": (lambda z: np.log1p(np.exp(z)), sigmoid),
}


@dataclass(frozen=True)
class by_hand:  # noqa: N801 - it is a function with settings
    """A user's function with the mistake ``slip``, in all layers or only in some (from 0).

    A layer stands for its arrays; for a mistake on the way down, for the layer whose delta it is.
    """

    slip: str = ""
    layers: tuple[int, ...] | None = None

    def made(self, slip, layer=None):
        in_layer = self.layers is None or layer is None or layer in self.layers
        return self.slip == slip and in_layer

    def __call__(self, network, parameters, x, t):
        with np.errstate(all="ignore"):
            return self.step(network, parameters.W, parameters.b, parameters.flat, x, t)

    def output(self, loss, z):
        if loss in ("binary_cross_entropy", "half_squared_error_sigmoid"):
            return sigmoid(z)
        if loss == "half_squared_error":
            return z
        if self.made("softmax_index 1"):
            return np.ones_like(z) / z.shape[1]
        if self.made("softmax_index 2"):
            return np.exp(z) / np.exp(z).sum(axis=0)
        if self.made("softmax_without_exp 1"):
            return z / z.sum(axis=1, keepdims=True)
        return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)

    def value(self, loss, p, t):
        log = np.log10 if self.made("log10 1") else np.log
        if loss == "cross_entropy":
            return -np.sum(np.where(t > 0, t * log(p), 0.0)) / len(t)
        if loss == "binary_cross_entropy":
            return -np.sum(t * log(p) + (1 - t) * log(1 - p)) / len(t)
        return (1.0 if self.made("half 2") else 0.5) * np.sum((t - p) ** 2) / len(t)

    def last_delta(self, loss, p, t):
        delta = p - t
        if loss == "half_squared_error_sigmoid":
            delta = delta * p * (1 - p)
        if self.made("softmax_diagonal 1"):
            delta = -t * (1 - p) if loss == "cross_entropy" else (p - t) * p * (1 - p)
        elif loss == "half_squared_error_softmax":
            delta = p * (delta - np.sum(delta * p, axis=1, keepdims=True))
        if self.made("extra_output_prime 1"):
            delta = delta * p * (1 - p)
        factors = {"batch_mean 1": 1.0, "batch_mean 2": 1 / len(t) ** 2, "half 1": 2 / len(t),
                   "batch_mean 3": 1 / len(t) / t.shape[1], "sign 1": -1 / len(t)}  # fmt: skip
        return factors.get(self.slip, 1 / len(t)) * delta

    def step(self, network, W, b, flat, x, t):
        last, loss = len(W) - 1, network.loss_name
        names = [layer.activation or "identity" for layer in network.computing_layers]
        z, a = [], [x]
        for layer in range(last + 1):
            z.append(a[layer] @ W[layer] + (0 if b[layer] is None else b[layer]))
            hidden = layer < last
            a.append(CURVES[names[layer]][0](z[layer]) if hidden else self.output(loss, z[layer]))
        penalty = sum(network.l2 / 2 * np.sum(w**2) + network.l1 * np.sum(abs(w)) for w in W)
        value = self.value(loss, a[-1], t) + (2 if self.made("penalty 4") else 1) * penalty

        delta, upstream, parts = self.last_delta(loss, a[-1], t), None, []
        for layer in reversed(range(last + 1)):
            used = upstream if self.made("delta_by_a 1", layer) and layer < last else delta
            dW = a[layer].T @ used
            if self.made("transpose 2", layer) and dW.shape[0] == dW.shape[1]:
                dW = dW.T
            pull = network.l2 * W[layer] + network.l1 * np.sign(W[layer])
            dW = dW + pull * (
                2 if self.made("penalty 1", layer) else 0.5 if self.made("penalty 2", layer) else 1
            )
            block = [dW.ravel()]
            if b[layer] is not None:
                db = used.sum(axis=0)
                if self.made("bias_frozen 1", layer):
                    db = 0 * db
                if self.made("bias_per_weight 1", layer):
                    db = len(W[layer]) * db
                if self.made("bias_mean 1", layer):
                    db = db / len(x)
                if self.made("penalty 3", layer):
                    db = db + network.l2 * b[layer] + network.l1 * np.sign(b[layer])
                block.append(db)
            twice = 2 if self.made("stale_gradients 1", layer) else 1
            parts.insert(0, twice * np.concatenate(block))
            if layer > 0:
                upstream, below = self.below(layer, names, W, z, a, delta)
                delta = below
        gradients = np.concatenate(parts)
        rates = {"learning_rate 1": ETA**2, "learning_rate 2": 1.0, "sign 2": -ETA}
        return value, gradients, flat - rates.get(self.slip, ETA) * gradients

    def below(self, layer, names, W, z, a, delta):
        down, weights = layer - 1, W[layer]
        if self.made("transpose 1", down) and weights.shape[0] == weights.shape[1]:
            weights = weights.T
        if self.made("updated_weights 1", down):
            weights = weights - ETA * a[layer].T @ delta
        upstream, slope = delta @ weights.T, CURVES[names[down]][1]
        f_prime = slope(z[down])
        if self.made("missing_f_prime 1", down):
            f_prime = 1.0
        if self.made("f_prime_wrong_point 1", down):
            f_prime = slope(a[layer])
        if self.made("f_prime_wrong_point 2", down):
            near = [i for i in (down + 1, down - 1)
                    if 0 <= i < len(z) and z[i].shape == z[down].shape]  # fmt: skip
            f_prime = slope(z[near[0]]) if near else f_prime
        if self.made("relu_gate 1", down) and names[down] == "relu":
            f_prime = (upstream > 0) * 1.0
        return upstream, upstream * f_prime


SLIPS = [f"{name} {i}" for name, m in MISTAKES.items() for i in range(1, len(m.variants) + 1)]
ON_THE_WAY_DOWN = {"missing_f_prime 1", "f_prime_wrong_point 1", "f_prime_wrong_point 2",
                   "transpose 1", "updated_weights 1", "relu_gate 1"}  # fmt: skip
IN_ARRAYS = {"transpose 2", "bias_frozen 1", "bias_per_weight 1", "bias_mean 1", "delta_by_a 1",
             "stale_gradients 1", "penalty 1", "penalty 2", "penalty 3"}  # fmt: skip
LOSSES = ["cross_entropy", "binary_cross_entropy", "half_squared_error",
          "half_squared_error_sigmoid", "half_squared_error_softmax"]  # fmt: skip
HOW_MANY = pytest.mark.parametrize("n", [6, pytest.param(16, marks=pytest.mark.slow)])


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


def arguments(problem):
    return problem.network, problem.parameters, problem.x, problem.targets


def check(problem, function, **more):
    return check_gradients(*arguments(problem), gradients=function, **{"learning_rate": ETA} | more)


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


@pytest.mark.parametrize("name", MISTAKES)
def test_the_rules_of_every_mistake_are_named_too(make_problem, name):
    """Networks large enough that no two mistakes give the same numbers."""
    cases = (
        ("tanh", "cross_entropy", {"l2": 0.3, "l1": 0.1}),
        ("relu", "half_squared_error", {"l2": 0.1}),
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
                assert set(report.candidates) <= {name, "batch_mean"}, report
                caught += 1
    assert caught >= 1


@pytest.mark.parametrize(
    "seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 10))]
)
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
    report = check(problem, single(by_hand()))
    assert all(mistake.name == "arithmetic" for mistake in report.mistakes)
    assert check(problem, single(by_hand()), tolerance=1e-3)


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
    assert report.candidates == ("bias_frozen",)
    assert (report.mistake.places, report.mistake.layers) == (("db.3",), (3,))
    assert not report.mistake.explains_all
    assert report.mistake.entry in ("b.3[0]", "b.3[1]")
    assert "Correct it and check again." in str(report)


SCALED = {"batch_mean": 5.0, "half": 2.0, "stale_gradients": 2.0, "sign": -1.0}


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize("place", ["dW.1", "dW.2", "db.1", "db.2"])
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
    assert report.candidates == ("bias_frozen",)
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
