"""The gradient of a batch is the sum of what its samples each."""

import numpy as np
import pytest

import deltaprop as dp


@pytest.fixture
def batch(rng):
    network = dp.Network([3, 4, 3], ["tanh"], "cross_entropy", l2=0.1)
    parameters, x, y = network.init(rng), rng.normal(size=(5, 3)), [0, 2, 1, 1, 0]
    explanation = dp.explain(network, parameters, x, y)
    parts = np.array(
        [
            dp.backpropagate(network, parameters, x[s : s + 1], y[s : s + 1]).data_gradients.flat
            / 5
            for s in range(5)
        ]
    )
    return explanation, parts


def test_the_parts_sum_to_the_gradient_of_the_data(batch):
    explanation, parts = batch
    whole = explanation.trace.data_gradients.flat
    np.testing.assert_allclose(parts.sum(axis=0), whole, rtol=1e-12, atol=1e-15)
    assert explanation.batch.norm == pytest.approx(np.linalg.norm(whole), rel=1e-12)


def test_each_sample_is_measured_against_the_whole(batch):
    explanation, parts = batch
    whole = parts.sum(axis=0)
    for part, each in zip(parts, explanation.batch.samples, strict=True):
        length = np.linalg.norm(part)
        assert each.norm == pytest.approx(length, rel=1e-12)
        cosine = part @ whole / length / np.linalg.norm(whole)
        assert each.cosine == pytest.approx(cosine, rel=1e-10)
        assert each.loss == explanation.trace.loss_per_sample[each.sample]


def test_what_is_left_after_adding_up_is_told(batch):
    explanation, parts = batch
    lengths = np.linalg.norm(parts, axis=1)
    left = np.linalg.norm(parts.sum(axis=0)) / lengths.sum()
    assert explanation.batch.uncancelled == pytest.approx(left, rel=1e-12)


def test_samples_that_cancel_are_pointed_out():
    network = dp.Network([1, 1], loss="half_squared_error", bias=False)
    parameters = network.parameters([[[0.0]]])
    explanation = dp.explain(network, parameters, [[1.0], [1.0], [0.1]], [[1.0], [-1.0], [0.1]])
    assert explanation.batch.conflict == (0, 1, -1.0)
    assert explanation.batch.uncancelled < 0.01
    text = explanation.to_terminal(detail="overview")
    assert "Samples 1 and 2 pull apart most" in text
    assert "against it" in text


def test_samples_that_agree_leave_everything():
    network = dp.Network([1, 1], loss="half_squared_error", bias=True)
    explanation = dp.explain(network, network.parameters([[[0.0]]]), [[1.0]] * 3, [[1.0]] * 3)
    assert explanation.batch.conflict is None
    assert explanation.batch.uncancelled == pytest.approx(1.0)


def test_a_sample_without_gradient_points_nowhere():
    network = dp.Network([1, 1], loss="half_squared_error", bias=False)
    explanation = dp.explain(network, network.parameters([[[1.0]]]), [[1.0], [2.0]], [[1.0], [5.0]])
    assert (explanation.batch.samples[0].norm, explanation.batch.samples[0].cosine) == (0.0, 0.0)


def test_one_sample_is_no_batch(rng):
    network = dp.Network([2, 2])
    text = dp.explain(network, network.init(rng), [[1.0, 2.0]], [0]).to_terminal()
    assert "The batch" not in text


def test_many_samples_are_counted(rng):
    network = dp.Network([2, 2])
    x, y = rng.normal(size=(40, 2)), rng.integers(2, size=40)
    text = dp.explain(network, network.init(rng), x, y).to_terminal(detail="overview")
    assert "30 more samples" in text
