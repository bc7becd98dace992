"""The trace: the tutorial's numbers to the last digit, four equations, shapes, and no way back."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES
from deltaprop.model.backprop import backpropagate, objective, propagate, trace_step
from deltaprop.model.spec import Network
from deltaprop.training.optimizers import GradientDescent

TUTORIAL = Network([2, 2, 1], "identity", "half_squared_error", bias=False)
START = [[[0.5, 2.3], [1.5, 3.0]], [[1.0], [1.0]]]  # [[w1, w3], [w2, w4]], [[w5], [w6]]
X, T = [[1.0, 0.5]], [[4.0]]


@pytest.fixture(scope="module")
def tutorial():
    """One step of section 6: the trace before, the parameters after, the trace again."""
    before = TUTORIAL.parameters(START)
    trace = backpropagate(TUTORIAL, before, X, T)
    after = before.copy()
    rule, decayed = GradientDescent(0.1), TUTORIAL.layout.penalized()
    rule.step(rule.init(6), after.flat, trace.gradients.flat, 0.1, decayed)
    return trace, after, backpropagate(TUTORIAL, after, X, T)


class TestTheTutorial:
    """Every number of section 6."""

    def test_forward(self, tutorial):
        trace, _, _ = tutorial
        np.testing.assert_allclose(trace.z[0], [[1.25, 3.8]], rtol=1e-15)
        np.testing.assert_allclose(trace.a[1], [[1.25, 3.8]], rtol=1e-15)
        np.testing.assert_allclose(trace.z[1], [[5.05]], rtol=1e-15)
        np.testing.assert_allclose(trace.a[2], [[5.05]], rtol=1e-15)
        assert trace.loss == pytest.approx(0.55125, rel=1e-14)
        assert trace.loss_per_sample == pytest.approx([0.55125], rel=1e-14)

    def test_backward(self, tutorial):
        trace, _, _ = tutorial
        np.testing.assert_allclose(trace.delta[1], [[1.05]], rtol=1e-14)
        np.testing.assert_allclose(trace.upstream[0], [[1.05, 1.05]], rtol=1e-14)
        np.testing.assert_allclose(trace.delta[0], [[1.05, 1.05]], rtol=1e-14)
        np.testing.assert_allclose(trace.gradients.W[1], [[1.3125], [3.99]], rtol=1e-14)
        np.testing.assert_allclose(trace.gradients.W[0], [[1.05, 1.05], [0.525, 0.525]], rtol=1e-14)

    def test_update(self, tutorial):
        _, after, _ = tutorial
        np.testing.assert_allclose(after.W[1], [[0.86875], [0.601]], rtol=1e-14)
        np.testing.assert_allclose(after.W[0], [[0.395, 2.195], [1.4475, 2.9475]], rtol=1e-14)

    def test_again(self, tutorial):
        trace, _, again = tutorial
        assert again.a[2][0, 0] == pytest.approx(3.1768328125, rel=1e-14)
        assert again.loss == pytest.approx((4 - 3.1768328125) ** 2 / 2, rel=1e-13)
        assert f"{again.loss:.12f}".startswith("0.338802109")
        assert f"{again.a[2][0, 0]:.4f}" == "3.1768"
        assert f"{again.loss:.4f}" == "0.3388"
        assert again.loss < trace.loss

    def test_the_true_weights_give_the_target(self):
        true = TUTORIAL.parameters([[[1.0, 3.0], [2.0, 4.0]], [[0.5], [0.6]]])
        trace = backpropagate(TUTORIAL, true, X, T)
        assert trace.a[2][0, 0] == pytest.approx(4.0, rel=1e-15)
        np.testing.assert_allclose(trace.gradients.flat, 0.0, atol=1e-14)


@pytest.fixture
def problem(make_problem, rng):
    return make_problem(rng, ["tanh", "silu"], "cross_entropy", (4, 3, 5, 2), n=6, l2=0.1, l1=0.05)


@pytest.fixture
def trace(problem):
    return backpropagate(problem.network, problem.parameters, problem.x, problem.targets)


def test_every_array_belongs_to_its_layer(problem, trace):
    p, f = problem.parameters, problem.network.activations
    np.testing.assert_array_equal(trace.a[0], problem.x)
    np.testing.assert_array_equal(trace.inputs[0], problem.x)
    for layer in range(3):
        np.testing.assert_allclose(trace.z[layer], trace.a[layer] @ p.W[layer] + p.b[layer])
        np.testing.assert_array_equal(trace.inputs[layer], trace.a[layer])
        np.testing.assert_allclose(
            trace.data_gradients.W[layer], trace.a[layer].T @ trace.delta[layer]
        )
        np.testing.assert_allclose(trace.data_gradients.b[layer], trace.delta[layer].sum(axis=0))
    for layer in range(2):
        np.testing.assert_array_equal(trace.a[layer + 1], f[layer].f(trace.z[layer]))
        np.testing.assert_allclose(trace.upstream[layer], trace.delta[layer + 1] @ p.W[layer + 1].T)
        prime = f[layer].f_prime(trace.z[layer], trace.a[layer + 1])
        np.testing.assert_allclose(trace.delta[layer], trace.upstream[layer] * prime)
    assert trace.upstream[2] is None
    np.testing.assert_allclose(trace.a[3].sum(axis=1), 1.0)
    np.testing.assert_allclose(trace.delta[2], (trace.a[3] - problem.targets) / 6)
    np.testing.assert_allclose(trace.shares, 1 / 6)


@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=6),
    n=st.integers(1, 5),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    bias=st.booleans(),
)
def test_shapes_follow_from_sizes_and_rows(make_targets, sizes, n, activation, loss, bias):
    rng = np.random.default_rng(0)
    network = Network(sizes, activation, loss, bias)
    targets = make_targets(network.loss.targets, (n, sizes[-1]), rng)
    trace = backpropagate(network, network.init(rng), rng.normal(size=(n, sizes[0])), targets)
    widths = [(n, width) for width in sizes]
    assert [a.shape for a in trace.a] == widths
    assert [a.shape for a in trace.inputs] == widths[:-1]
    assert [z.shape for z in trace.z] == [d.shape for d in trace.delta] == widths[1:]
    assert [u.shape for u in trace.upstream[:-1]] == widths[1:-1]
    assert [W.shape for W in trace.gradients.W] == list(itertools.pairwise(sizes))
    assert [b is not None for b in trace.gradients.b] == [bias] * (len(sizes) - 1)
    assert trace.targets.shape == widths[-1]
    assert trace.loss_per_sample.shape == trace.shares.shape == (n,)
    assert trace.masks == (None,) * (len(sizes) - 1)
    assert isinstance(trace.loss, float)


def arrays_of(trace):
    for item in dataclasses.fields(trace):
        value = getattr(trace, item.name)
        if isinstance(value, np.ndarray):
            yield item.name, value
        elif isinstance(value, tuple):
            yield from ((item.name, array) for array in value if array is not None)
        elif hasattr(value, "flat"):
            yield item.name, value.flat
            yield from ((item.name, a) for layer in value.layers for a in layer.values())


@pytest.mark.parametrize("penalty", [0.0, 0.1])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_nothing_in_a_trace_can_be_changed(penalty, dropout, rng):
    network = Network([3, 4, 2], dropout=dropout, l2=penalty)
    trace = backpropagate(network, network.init(rng), rng.normal(size=(5, 3)), [0, 1, 1, 0, 1],
                          rng=rng)  # fmt: skip
    seen = set()
    for name, array in arrays_of(trace):
        seen.add(name)
        assert not array.flags.writeable, name
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0
    assert seen >= {"parameters", "targets", "shares", "z", "a", "inputs", "upstream", "delta",
                    "loss_per_sample", "gradients", "data_gradients"}  # fmt: skip
    assert ("masks" in seen) == (dropout > 0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        trace.loss = 0.0


def test_a_trace_remembers_the_numbers_it_was_made_with(problem):
    x, targets = problem.x.copy(), problem.targets.copy()
    parameters = problem.parameters.copy()
    trace = backpropagate(problem.network, parameters, x, targets)
    x[:], targets[:], parameters.flat[:] = 0.0, 0.5, 0.0
    np.testing.assert_array_equal(trace.a[0], problem.x)
    np.testing.assert_array_equal(trace.targets, problem.targets)
    np.testing.assert_array_equal(trace.parameters.flat, problem.parameters.flat)


def test_what_is_passed_in_stays_writable_and_unchanged(problem):
    x, targets, parameters = problem.x.copy(), problem.targets.copy(), problem.parameters.copy()
    weights = np.ones(6)
    backpropagate(problem.network, parameters, x, targets, sample_weight=weights)
    for array, before in (
        (x, problem.x),
        (targets, problem.targets),
        (parameters.flat, problem.parameters.flat),
        (weights, np.ones(6)),
    ):
        assert array.flags.writeable
        np.testing.assert_array_equal(array, before)


def test_forward_alone_and_the_objective_give_the_numbers_of_the_trace(problem, trace):
    z, a, inputs = propagate(problem.network, problem.parameters, problem.x)
    for mine, its in ((z, trace.z), (a, trace.a), (inputs, trace.inputs)):
        assert len(mine) == len(its)
        for one, other in zip(mine, its, strict=True):
            np.testing.assert_array_equal(one, other)
    case = (problem.network, problem.parameters, problem.x, problem.targets, np.full(6, 1 / 6))
    assert objective(*case) == pytest.approx(trace.loss, rel=1e-15)
    inner = trace_step(*case)
    np.testing.assert_array_equal(inner.gradients.flat, trace.gradients.flat)


def test_samples_are_independent_of_each_other(problem, trace):
    for row in range(6):
        one = slice(row, row + 1)
        alone = backpropagate(
            problem.network, problem.parameters, problem.x[one], problem.targets[one]
        )
        for layer in range(3):
            np.testing.assert_allclose(alone.z[layer], trace.z[layer][one], rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(
                alone.delta[layer] / 6, trace.delta[layer][one], rtol=1e-12, atol=1e-15
            )


def test_a_gradient_of_the_batch_is_the_mean_of_the_gradients_of_its_rows(problem, trace):
    rows = [
        backpropagate(problem.network, problem.parameters, x[None], t[None]).gradients.flat
        for x, t in zip(problem.x, problem.targets, strict=True)
    ]
    np.testing.assert_allclose(trace.gradients.flat, np.mean(rows, axis=0), rtol=1e-12, atol=1e-15)


def test_the_same_call_gives_the_same_bits(problem, trace):
    again = backpropagate(problem.network, problem.parameters, problem.x, problem.targets)
    np.testing.assert_array_equal(again.gradients.flat, trace.gradients.flat)
    assert again.loss == trace.loss


@pytest.mark.parametrize("loss", LOSSES)
def test_a_small_step_downhill_lowers_the_loss_by_the_square_of_the_gradient(
    make_problem, loss, rng
):
    problem = make_problem(rng, "tanh", loss, (2, 3, 2), l2=0.1)
    trace = backpropagate(problem.network, problem.parameters, problem.x, problem.targets)
    g, eta = trace.gradients.flat, 1e-6
    below = problem.objective(problem.parameters.flat - eta * g)[0]
    assert (trace.loss - below) / eta == pytest.approx(g @ g, rel=1e-4)


@pytest.mark.parametrize("n", [1, 1000])
def test_a_thousand_outputs_and_a_single_row_are_no_special_case(n, rng):
    network = Network([2, 1000])
    trace = backpropagate(
        network, network.init(rng), rng.normal(size=(n, 2)), rng.integers(0, 1000, n)
    )
    np.testing.assert_allclose(trace.a[-1].sum(axis=1), 1.0, rtol=1e-13)
    np.testing.assert_allclose(trace.gradients.b[0].sum(), 0.0, atol=1e-13)
    assert trace.loss == pytest.approx(np.log(1000), rel=0.2)
