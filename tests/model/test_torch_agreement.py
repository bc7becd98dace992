"""PyTorch's automatic differentiation finds the same loss and the same gradients."""

import zlib

import numpy as np
import pytest

from deltaprop.model.backprop import backpropagate
from deltaprop.model.layers import Dense, Dropout
from deltaprop.model.spec import Network

torch = pytest.importorskip("torch")
F = torch.nn.functional

pytestmark = pytest.mark.torch

# those that PyTorch has; softplus there turns linear at z = 20 unless told otherwise
TORCH_ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, 0.01),
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": lambda z: F.softplus(z, threshold=1000),
    "mish": F.mish,
    "softsign": F.softsign,
}

# each the loss of every sample, from the logits
TORCH_LOSSES = {
    "cross_entropy": lambda z, t: F.cross_entropy(z, t, reduction="none"),
    "binary_cross_entropy": lambda z, t: F.binary_cross_entropy_with_logits(
        z, t, reduction="none"
    ).sum(1),
    "half_squared_error": lambda z, t: 0.5 * F.mse_loss(z, t, reduction="none").sum(1),
    "half_squared_error_sigmoid": lambda z, t: (
        0.5 * F.mse_loss(torch.sigmoid(z), t, reduction="none").sum(1)
    ),
    "half_squared_error_softmax": lambda z, t: (
        0.5 * F.mse_loss(torch.softmax(z, 1), t, reduction="none").sum(1)
    ),
    "huber": lambda z, t: F.huber_loss(z, t, reduction="none", delta=1.0).sum(1),
    "poisson": lambda z, t: F.poisson_nll_loss(z, t, log_input=True, reduction="none").sum(1),
}


def by_autograd(problem, masks=None, per_sample=None):
    """Return the objective and its flat gradient by torch."""
    network = problem.network
    arrays = [
        {name: torch.tensor(array, requires_grad=True) for name, array in layer.items()}
        for layer in problem.parameters.layers
    ]
    a = torch.tensor(problem.x)
    for index, layer in enumerate(arrays):
        if masks is not None and masks[index] is not None:
            a = a * torch.tensor(masks[index])
        z = F.linear(a, layer["W"].T, layer.get("b"))
        if index < len(arrays) - 1:
            a = TORCH_ACTIVATIONS[network.activations[index].name](z)
    losses = (per_sample or TORCH_LOSSES[network.loss_name])(z, torch.tensor(problem.targets))
    if problem.weights is None:
        loss = losses.mean()
    else:
        weights = torch.tensor(problem.weights)
        loss = (weights * losses).sum() / weights.sum()
    for layer in arrays:
        loss = loss + network.l2 / 2 * (layer["W"] ** 2).sum() + network.l1 * layer["W"].abs().sum()
    loss.backward()
    gradient = np.concatenate([t.grad.numpy().ravel() for layer in arrays for t in layer.values()])
    return loss.item(), gradient


def assert_agrees(trace, expected):
    loss, gradient = expected
    assert trace.loss == pytest.approx(loss, rel=1e-12, abs=1e-14)
    np.testing.assert_allclose(trace.gradients.flat, gradient, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("activation", TORCH_ACTIVATIONS)
@pytest.mark.parametrize("loss", TORCH_LOSSES)
def test_autograd_finds_the_same_gradient_at_every_depth(make_problem, activation, loss):
    for depth in range(6):
        rng = np.random.default_rng(zlib.crc32(f"{activation} {loss} {depth}".encode()))
        n_out = int(rng.choice([1, 2, 5]))
        problem = make_problem(
            rng, activation, loss, (2, *(3, 2, 3, 2, 3)[:depth], n_out), n=4,
            bias=bool(rng.integers(2)), weighted=bool(rng.integers(2)),
            l2=0.3 * rng.integers(2), l1=0.2 * rng.integers(2),
        )  # fmt: skip
        trace = backpropagate(
            problem.network, problem.parameters, problem.x, problem.targets,
            sample_weight=problem.weights,
        )  # fmt: skip
        assert_agrees(trace, by_autograd(problem))


def test_autograd_finds_the_same_gradient_in_a_wide_network_on_many_rows(make_problem, rng):
    problem = make_problem(
        rng, ["gelu", "silu"], "cross_entropy", (20, 40, 30, 10), n=200, anywhere=True
    )
    trace = backpropagate(problem.network, problem.parameters, problem.x, problem.targets)
    assert_agrees(trace, by_autograd(problem))


def test_label_smoothing_is_torchs_label_smoothing(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 5), label_smoothing=0.15, n=6)
    trace = backpropagate(problem.network, problem.parameters, problem.x, problem.targets)
    smoothed = by_autograd(
        problem,
        per_sample=lambda z, t: F.cross_entropy(z, t, reduction="none", label_smoothing=0.15),
    )
    assert_agrees(trace, smoothed)


def test_labels_mean_what_class_indices_mean_in_torch(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 5), n=6)
    labels = rng.integers(0, 5, 6)
    trace = backpropagate(problem.network, problem.parameters, problem.x, labels)
    indexed = by_autograd(
        problem,
        per_sample=lambda z, _: F.cross_entropy(z, torch.tensor(labels), reduction="none"),
    )
    assert_agrees(trace, indexed)


def test_class_weights_are_torchs_class_weights(make_problem, rng):
    problem = make_problem(rng, "tanh", "cross_entropy", (3, 4, 3), n=6)
    labels, by_class = np.array([0, 1, 2, 2, 1, 2]), [0.5, 2.0, 3.0]
    trace = backpropagate(
        problem.network, problem.parameters, problem.x, labels, class_weight=by_class
    )
    weights = torch.tensor(by_class, dtype=torch.float64)
    weighted = by_autograd(
        problem, per_sample=lambda z, _: F.cross_entropy(z, torch.tensor(labels), weight=weights)
    )
    assert_agrees(trace, weighted)


def test_dropout_masks_act_forward_and_backward_as_in_torch(make_problem, rng):
    layers = [
        Dropout(0.2),
        Dense(6, "tanh"),
        Dropout(0.5),
        Dense(5, "relu"),
        Dropout(0.3),
        Dense(2),
    ]
    network = Network.from_layers(4, layers)
    problem = make_problem(rng, ["tanh", "relu"], "cross_entropy", (4, 6, 5, 2), n=7)
    trace = backpropagate(network, problem.parameters, problem.x, problem.targets, rng=rng)
    assert all((mask == 0).any() for mask in trace.masks)
    assert_agrees(trace, by_autograd(problem, trace.masks))
