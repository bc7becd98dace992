"""Where a minimum is known from elsewhere, the gradient there is zero."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor

from deltaprop.model.backprop import backpropagate
from deltaprop.model.spec import Network
from deltaprop.training.optimizers import GradientDescent

N, D = 60, 4


@pytest.fixture
def x(rng):
    return rng.normal(size=(N, D))


def descend(network, parameters, x, y, learning_rate, steps, **more):
    """Return where plain gradient descent arrives."""
    rule, parameters = GradientDescent(learning_rate), parameters.copy()
    for _ in range(steps):
        gradients = backpropagate(network, parameters, x, y, **more).gradients.flat
        rule.step({}, parameters.flat, gradients, learning_rate, network.layout.penalized())
    return parameters


def assert_stands_still(network, parameters, x, y, tolerance=1e-10, **more):
    trace = backpropagate(network, parameters, x, y, **more)
    np.testing.assert_allclose(trace.gradients.flat, 0.0, atol=tolerance)
    moved = parameters.copy()
    moved.flat += 0.1
    elsewhere = backpropagate(network, moved, x, y, **more)
    assert np.abs(elsewhere.gradients.flat).max() > 1e-3  # the gradient is not zero everywhere
    assert elsewhere.loss > trace.loss


@pytest.mark.parametrize("n_out", [1, 2, 5])
def test_least_squares(x, n_out, rng):
    y = x @ rng.normal(size=(D, n_out)) + 0.5 + rng.normal(size=(N, n_out))
    solution = np.linalg.lstsq(np.c_[x, np.ones(N)], y, rcond=None)[0]
    network = Network([D, n_out], loss="half_squared_error")
    best = network.parameters([solution[:-1]], [solution[-1]])
    assert_stands_still(network, best, x, y)
    arrived = descend(network, network.parameters([np.zeros((D, n_out))]), x, y, 0.5, 300)
    np.testing.assert_allclose(arrived.flat, best.flat, atol=1e-10)


def test_one_newton_step_solves_linear_regression(x, rng):
    y = rng.normal(size=(N, 2))
    network = Network([D, 2], loss="half_squared_error")
    parameters = network.init(rng)
    trace = backpropagate(network, parameters, x, y)
    X1 = np.c_[x, np.ones(N)]
    step = np.linalg.solve(X1.T @ X1 / N, np.vstack([trace.gradients.W[0], trace.gradients.b[0]]))
    after = network.parameters([parameters.W[0] - step[:-1]], [parameters.b[0] - step[-1]])
    assert_stands_still(network, after, x, y)


def test_weighted_least_squares(x, rng):
    y, weights = rng.normal(size=(N, 1)), rng.integers(0, 4, N)
    model = LinearRegression().fit(x, y, sample_weight=weights)
    network = Network([D, 1], loss="half_squared_error")
    best = network.parameters([model.coef_.T], [model.intercept_])
    assert_stands_still(network, best, x, y, sample_weight=weights)
    assert np.abs(backpropagate(network, best, x, y).gradients.flat).max() > 1e-3


@pytest.mark.parametrize("l2", [0.01, 1.0])
def test_ridge_regression(x, l2, rng):
    y = rng.normal(size=(N, 2))
    model = Ridge(alpha=N * l2, solver="cholesky").fit(x, y)
    network = Network([D, 2], loss="half_squared_error", l2=l2)
    best = network.parameters([model.coef_.T], [model.intercept_])
    assert_stands_still(network, best, x, y)
    arrived = descend(network, network.parameters([np.zeros((D, 2))]), x, y, 0.4, 400)
    np.testing.assert_allclose(arrived.flat, best.flat, atol=1e-10)


@pytest.mark.parametrize("l2", [0.01, 0.3])
def test_logistic_regression(x, l2, rng):
    y = (x @ rng.normal(size=D) + rng.normal(size=N) > 0).astype(int)
    model = LogisticRegression(C=1 / (N * l2), solver="newton-cholesky", tol=1e-14).fit(x, y)
    network = Network([D, 1], loss="binary_cross_entropy", l2=l2)
    best = network.parameters([model.coef_.T], [model.intercept_])
    assert_stands_still(network, best, x, y)
    trace = backpropagate(network, best, x, y)
    np.testing.assert_allclose(trace.a[-1][:, 0], model.predict_proba(x)[:, 1], rtol=1e-12)


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1.0, 1: 3.0, 2: 0.5}], ids=str)
def test_softmax_regression(x, class_weight, rng):
    y = np.argmax(x @ rng.normal(size=(D, 3)) + rng.normal(size=(N, 3)) + [1.0, 0.0, 0.0], axis=1)
    by_class = class_weight
    if class_weight == "balanced":
        total = float(N)
    else:
        total = sum((class_weight or {}).get(int(label), 1.0) for label in y)
    l2 = 0.05
    model = LogisticRegression(
        C=1 / (total * l2), solver="newton-cholesky", tol=1e-14, class_weight=class_weight
    ).fit(x, y)
    network = Network([D, 3], l2=l2)
    best = network.parameters([model.coef_.T], [model.intercept_])
    trace = backpropagate(network, best, x, y, class_weight=by_class)
    np.testing.assert_allclose(trace.gradients.flat, 0.0, atol=1e-9)
    np.testing.assert_allclose(trace.a[-1], model.predict_proba(x), rtol=1e-12)
    if class_weight is not None:
        assert np.abs(backpropagate(network, best, x, y).gradients.flat).max() > 1e-3


def test_poisson_regression(x, rng):
    y = rng.poisson(np.exp(0.5 * x @ rng.normal(size=D) + 0.3))
    weights = rng.integers(1, 4, N)
    model = PoissonRegressor(alpha=0.1, solver="newton-cholesky", tol=1e-12)
    model.fit(x, y, sample_weight=weights)
    network = Network([D, 1], loss="poisson", l2=0.1)
    best = network.parameters([model.coef_[:, None]], [[model.intercept_]])
    assert_stands_still(network, best, x, y, sample_weight=weights)


def test_huber_regression(x, rng):
    y = x @ rng.normal(size=D) + rng.standard_t(1.5, size=N)

    def objective(flat):
        r = np.abs(x @ flat[:-1] + flat[-1] - y)
        penalty = 0.05 * (flat[:-1] ** 2).sum()
        return np.where(r <= 1, r**2 / 2, r - 0.5).mean() + penalty

    found = minimize(objective, np.zeros(D + 1), method="Powell",
                     options={"xtol": 1e-12, "ftol": 1e-15, "maxiter": 10000})  # fmt: skip
    network = Network([D, 1], loss="huber", l2=0.1)
    start = network.parameters([np.zeros((D, 1))])
    arrived = descend(network, start, x, y, 0.5, 1500)
    # a minimum found by values alone is known to the square root of the machine's precision
    np.testing.assert_allclose(arrived.flat, found.x, atol=1e-6)
    assert_stands_still(network, arrived, x, y)
    assert backpropagate(network, arrived, x, y).loss <= found.fun + 1e-14


@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu"])
def test_non_linear_regression_agrees_with_scikit_learns_network(x, activation, rng):
    y = np.sin(2 * x[:, 0]) + x[:, 1] ** 2
    model = MLPRegressor(
        hidden_layer_sizes=(5,), activation=activation, solver="lbfgs", alpha=3.0,
        tol=1e-12, max_iter=20000, max_fun=200000,
        random_state=3,
    ).fit(x, y)  # fmt: skip
    name = {"logistic": "sigmoid"}.get(activation, activation)
    network = Network([D, 5, 1], name, "half_squared_error", l2=3.0 / N)
    best = network.parameters(model.coefs_, model.intercepts_)
    trace = backpropagate(network, best, x, y)
    np.testing.assert_allclose(trace.a[-1][:, 0], model.predict(x), rtol=1e-12, atol=1e-13)
    assert trace.loss == pytest.approx(model.loss_, rel=1e-12)
    if activation != "relu":  # a minimum on a kink of ReLU need not have gradient zero
        np.testing.assert_allclose(trace.gradients.flat, 0.0, atol=1e-4)
        start = backpropagate(network, network.init(rng), x, y)
        assert np.abs(start.gradients.flat).max() > 1e-2


def test_classification_agrees_with_scikit_learns_network(x, rng):
    y = np.argmax(np.c_[x[:, 0] ** 2, x[:, 1], -x[:, 2]], axis=1)
    model = MLPClassifier(
        hidden_layer_sizes=(6,), activation="tanh", solver="lbfgs", alpha=2.0,
        tol=1e-12, max_iter=20000, max_fun=200000,
        random_state=3,
    ).fit(x, y)  # fmt: skip
    network = Network([D, 6, 3], "tanh", l2=2.0 / N)
    trace = backpropagate(network, network.parameters(model.coefs_, model.intercepts_), x, y)
    np.testing.assert_allclose(trace.a[-1], model.predict_proba(x), rtol=1e-11)
    assert trace.loss == pytest.approx(model.loss_, rel=1e-12)
    np.testing.assert_allclose(trace.gradients.flat, 0.0, atol=1e-4)
