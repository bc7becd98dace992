"""Where the answer is known, training gets there: least squares, logistic regression, XOR."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.neural_network import MLPRegressor

import deltaprop as dp

S = dp.schedules


@pytest.fixture
def X(rng):
    return rng.normal(size=(120, 4))


def descend(network, X, y, rate, epochs, seed=0, **settings):
    """Full-batch gradient descent with momentum, which converges without a schedule."""
    parameters = network.init(np.random.default_rng(seed))
    optimizer = dp.Momentum(rate, momentum=0.9, nesterov=True)
    dp.train(
        network, parameters, X, y, optimizer=optimizer, batch_size=None, epochs=epochs,
        **({"dtype": "float64"} | settings),
    )  # fmt: skip
    return parameters


@pytest.mark.parametrize("n_out", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_regression_reaches_least_squares(X, rng, n_out, bias):
    y = X @ rng.normal(size=(4, n_out)) + 2.0 + rng.normal(size=(120, n_out))
    network = dp.Network([4, n_out], loss="half_squared_error", bias=bias)
    parameters = descend(network, X, y, 0.2, 400)
    A = np.column_stack([X, np.ones(120)]) if bias else X
    solution = np.linalg.lstsq(A, y, rcond=None)[0]
    np.testing.assert_allclose(parameters.W[0], solution[:4], rtol=1e-8, atol=1e-10)
    if bias:
        np.testing.assert_allclose(parameters.b[0], solution[4], rtol=1e-8)


def test_weighted_regression_reaches_weighted_least_squares(X, rng):
    y, w = X @ rng.normal(size=4) + rng.normal(size=120), rng.lognormal(size=120)
    network = dp.Network([4, 1], loss="half_squared_error", bias=False)
    parameters = descend(network, X, y, 0.2, 500, sample_weight=w)
    root = np.sqrt(w)
    solution = np.linalg.lstsq(X * root[:, None], y * root, rcond=None)[0]
    np.testing.assert_allclose(parameters.W[0][:, 0], solution, rtol=1e-8)


@pytest.mark.parametrize("l2", [0.01, 0.5, 5.0])
def test_ridge_regression_reaches_its_closed_form_and_scikit_learn(X, rng, l2):
    y = X @ rng.normal(size=4) + 3.0 + rng.normal(size=120)
    network = dp.Network([4, 1], loss="half_squared_error", l2=l2)
    parameters = descend(network, X, y, 0.05, 1000)
    centred = X - X.mean(0)
    # (X'X / n + l2 I) w = X'y / n, the bias left out of the penalty
    w = np.linalg.solve(
        centred.T @ centred / 120 + l2 * np.eye(4), centred.T @ (y - y.mean()) / 120
    )
    np.testing.assert_allclose(parameters.W[0][:, 0], w, rtol=1e-8)
    ridge = Ridge(alpha=120 * l2).fit(X, y)
    np.testing.assert_allclose(parameters.W[0][:, 0], ridge.coef_, rtol=1e-8)
    np.testing.assert_allclose(parameters.b[0], ridge.intercept_, rtol=1e-8)


@pytest.mark.parametrize("l2", [0.01, 0.2])
def test_logistic_regression_reaches_scikit_learns(X, rng, l2):
    y = (X @ rng.normal(size=4) + rng.normal(size=120) > 0.5).astype(int)
    network = dp.Network([4, 1], loss="binary_cross_entropy", l2=l2)
    parameters = descend(network, X, y, 0.5, 1500)
    sk = LogisticRegression(C=1 / (120 * l2), tol=1e-12, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(parameters.W[0][:, 0], sk.coef_[0], rtol=1e-5)
    np.testing.assert_allclose(parameters.b[0], sk.intercept_, rtol=1e-4, atol=1e-6)
    p = dp.predict(network, parameters, X)[:, 0]
    np.testing.assert_allclose(p, sk.predict_proba(X)[:, 1], atol=1e-6)


@pytest.mark.parametrize("l2", [0.01, 0.2])
def test_softmax_regression_reaches_scikit_learns(X, rng, l2):
    y = (X @ rng.normal(size=(4, 3)) + rng.gumbel(size=(120, 3))).argmax(axis=1)
    network = dp.Network([4, 3], loss="cross_entropy", l2=l2)
    parameters = descend(network, X, y, 0.5, 1500)
    sk = LogisticRegression(C=1 / (120 * l2), tol=1e-12, max_iter=10_000).fit(X, y)
    # with a penalty the weights are unique; the biases only up to a common shift
    np.testing.assert_allclose(parameters.W[0].T, sk.coef_, rtol=1e-4, atol=1e-6)
    b = parameters.b[0]
    np.testing.assert_allclose(b - b.mean(), sk.intercept_ - sk.intercept_.mean(), atol=1e-5)
    np.testing.assert_allclose(dp.predict(network, parameters, X), sk.predict_proba(X), atol=1e-5)


def test_two_classes_by_softmax_are_two_classes_by_sigmoid(X, rng):
    y = (X[:, 0] + rng.normal(size=120) > 0).astype(int)
    soft = dp.Network([4, 2], loss="cross_entropy", l2=0.02)
    sharp = dp.Network([4, 1], loss="binary_cross_entropy", l2=0.01)  # w = w1 - w0, |w|^2 doubles
    p2 = dp.predict(soft, descend(soft, X, y, 0.5, 1500), X)[:, 1]
    p1 = dp.predict(sharp, descend(sharp, X, y, 0.5, 1500), X)[:, 0]
    np.testing.assert_allclose(p2, p1, atol=1e-6)


def test_poisson_regression_reaches_scikit_learns(X, rng):
    y = rng.poisson(np.exp(0.3 * X @ rng.normal(size=4) + 0.5)).astype(float)
    network = dp.Network([4, 1], loss="poisson", l2=0.1)
    parameters = descend(network, X, y, 0.05, 1000)
    sk = PoissonRegressor(alpha=0.1, tol=1e-12, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(parameters.W[0][:, 0], sk.coef_, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(parameters.b[0], sk.intercept_, rtol=1e-4)


def test_a_large_l1_penalty_leaves_no_weight(X, rng):
    y = X @ np.array([3.0, 0.0, 0.0, -2.0]) + 0.01 * rng.normal(size=120)
    lasso = dp.Network([4, 1], loss="half_squared_error", l1=0.5)
    W = descend(lasso, X, y, 0.002, 3000).W[0][:, 0]
    assert np.abs(W[[1, 2]]).max() < 0.02
    assert W[0] > 2
    assert W[3] < -1
    everything_off = dp.Network([4, 1], loss="half_squared_error", l1=100.0)
    assert np.abs(descend(everything_off, X, y, 1e-5, 3000).W[0]).max() < 0.05


@pytest.mark.filterwarnings("ignore:The native engine has no optimizer Muon")
@pytest.mark.parametrize("optimizer", dp.OPTIMIZERS)
def test_every_optimizer_reaches_the_least_squares_loss(X, rng, optimizer):
    y = X @ rng.normal(size=4) + rng.normal(size=120)
    network = dp.Network([4, 1], loss="half_squared_error")
    parameters = network.init(rng)
    settings = {"weight_decay": 0.0} if optimizer in ("adamw", "lion", "muon") else {}
    rule = dp.OPTIMIZERS[optimizer](S.Cosine(0.1), **settings)
    dp.train(network, parameters, X, y, optimizer=rule, batch_size=None, epochs=600)
    A = np.column_stack([X, np.ones(120)])
    best = 0.5 * np.mean((A @ np.linalg.lstsq(A, y, rcond=None)[0] - y) ** 2)
    reached = dp.backpropagate(network, parameters, X, y).loss
    assert best <= reached + 1e-12
    assert reached == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize(
    ("hidden", "loss"),
    [("tanh", "cross_entropy"), ("sigmoid", "binary_cross_entropy"), ("gelu", "cross_entropy"),
     ("tanh", "half_squared_error_sigmoid"), ("relu", "half_squared_error")],
)  # fmt: skip
def test_xor_is_learnt(hidden, loss):
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    network = dp.Network([2, 8, 2 if loss == "cross_entropy" else 1], hidden, loss)
    parameters = network.init(np.random.default_rng(1))
    dp.train(network, parameters, X, y, optimizer=dp.Adam(0.03), batch_size=None, epochs=600)
    p = dp.predict(network, parameters, X)
    decided = p.argmax(axis=1) if p.shape[1] == 2 else (p[:, 0] > 0.5).astype(int)
    assert decided.tolist() == [0, 1, 1, 0]
    assert np.abs(p[:, -1] - y).max() < 0.2


def test_without_a_hidden_layer_xor_cannot_be_learnt():
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    network = dp.Network([2, 2])
    parameters = descend(network, X, y, 0.5, 500)
    np.testing.assert_allclose(dp.predict(network, parameters, X), 0.5, atol=1e-6)


@pytest.mark.slow
def test_a_sine_is_learnt_at_least_as_well_as_by_scikit_learn():
    rng = np.random.default_rng(0)
    X = rng.uniform(-np.pi, np.pi, size=(400, 1))
    y = np.sin(X[:, 0])
    X_test = np.linspace(-np.pi, np.pi, 300)[:, None]

    def error_of(seed):
        network = dp.Network([1, 20, 1], "tanh", "half_squared_error")
        parameters = network.init(np.random.default_rng(seed))
        dp.train(
            network, parameters, X, y, optimizer=dp.Adam(S.Cosine(0.02)), batch_size=50,
            epochs=400, seed=seed,
        )  # fmt: skip
        return np.mean((dp.predict(network, parameters, X_test)[:, 0] - np.sin(X_test[:, 0])) ** 2)

    def sklearns(seed, solver):
        sk = MLPRegressor(
            hidden_layer_sizes=(20,), activation="tanh", alpha=0, solver=solver, max_iter=400,
            batch_size=50, learning_rate_init=0.02, tol=0, n_iter_no_change=400, random_state=seed,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            sk.fit(X, y)
        return np.mean((sk.predict(X_test) - np.sin(X_test[:, 0])) ** 2)

    ours = np.median([error_of(seed) for seed in range(3)])
    theirs = np.median([sklearns(seed, "adam") for seed in range(3)])
    assert ours < 1e-4
    assert ours <= theirs


def test_a_sine_is_learnt():
    X = np.linspace(-np.pi, np.pi, 100)[:, None]
    network = dp.Network([1, 20, 1], "tanh", "half_squared_error")
    parameters = network.init(np.random.default_rng(0))
    dp.train(
        network, parameters, X, np.sin(X), optimizer=dp.Adam(S.Cosine(0.05)), batch_size=50,
        epochs=800,
    )  # fmt: skip
    assert np.abs(dp.predict(network, parameters, X) - np.sin(X)).max() < 0.05
