"""The same coefficients as scikit-learn's, and the exact laws of weights and sparse rows."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

import deltaprop as dp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 60
_rng = np.random.default_rng(5)
X = _rng.normal(size=(N, 5))
SIGNAL = X @ _rng.normal(size=(5, 3)) + 0.3 * _rng.normal(size=(N, 3))
WEIGHTS = _rng.integers(1, 4, N).astype(float)

TASKS = {
    "two classes": ("classifier", (SIGNAL[:, 0] > 0).astype(int)),
    "three classes": ("classifier", SIGNAL.argmax(axis=1)),
    "many labels": ("classifier", (SIGNAL > 0).astype(int)),
    "one number": ("regressor", SIGNAL[:, 0]),
    "several numbers": ("regressor", SIGNAL),
    "counts": ("poisson", np.floor(np.exp(SIGNAL[:, 0] / 4))),
}
SGD = {"solver": "sgd", "learning_rate_init": 0.05, "max_iter": 30, "shuffle": False}
SETTINGS = {
    "plain": {**SGD, "momentum": 0.0},
    "momentum": {**SGD, "nesterovs_momentum": False},
    "nesterov": SGD,
    "a strong penalty": {**SGD, "alpha": 5.0},
    "mini-batches": {**SGD, "batch_size": 20, "alpha": 0.5},
    "inverse scaling": {**SGD, "learning_rate": "invscaling", "power_t": 0.3},
    "adaptive": {**SGD, "learning_rate": "adaptive", "tol": 0.02, "n_iter_no_change": 1},
    "deep, logistic": {**SGD, "activation": "logistic", "hidden_layer_sizes": (6, 4)},
    "tanh": {**SGD, "activation": "tanh"},
    "identity": {**SGD, "activation": "identity", "learning_rate_init": 0.01},
    # epsilon has another place there: beside sqrt(v), which is not divided by 1 - beta_2^t yet
    "adam": {"shuffle": False, "max_iter": 30, "learning_rate_init": 0.01, "epsilon": 1e-14},
    "stopping early": {**SGD, "early_stopping": True, "validation_fraction": 0.2},
}


def pair(kind, **settings):
    """Return our estimator and scikit-learn's with the same settings."""
    settings = {"hidden_layer_sizes": (7,), "random_state": 1, **settings}
    if kind == "classifier":
        return dp.MLPClassifier(**settings), TheirClassifier(**settings)
    loss = {"loss": "poisson"} if kind == "poisson" else {}
    return dp.MLPRegressor(**loss, **settings), TheirRegressor(**loss, **settings)


def assert_the_same(ours, theirs, atol=1e-9, loss_rtol=1e-6):
    for name in ("coefs_", "intercepts_"):
        for own, expected in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            np.testing.assert_allclose(own, expected, rtol=0, atol=atol)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(ours, name) == getattr(theirs, name)
    for name in ("loss_", "best_loss_", "loss_curve_", "validation_scores_",
                 "best_validation_score_"):  # fmt: skip
        own, expected = getattr(ours, name), getattr(theirs, name)
        assert (own is None) == (expected is None), name
        if own is not None:
            np.testing.assert_allclose(own, expected, rtol=loss_rtol, err_msg=name)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.one_in(5)
def test_the_coefficients_are_scikit_learns(task, name):
    kind, y = TASKS[task]
    ours, theirs = (model.fit(X, y) for model in pair(kind, **SETTINGS[name]))
    # scikit-learn averages the loss over outputs but not its gradient; how large the penalty was
    # at each of several steps is only known before and after them
    between = name == "mini-batches" and task == "several numbers"
    atol = 1e-6 if name == "adam" else 1e-9
    assert_the_same(ours, theirs, atol, loss_rtol=1e-2 if between else 1e-6)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-6)
    if kind == "classifier":
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)


@pytest.mark.parametrize("task", TASKS)
def test_the_initial_weights_are_those_of_the_same_random_state(task):
    kind, y = TASKS[task]
    rate = {"learning_rate_init": 1e-300, "max_iter": 1}
    for ours, theirs in [
        pair(kind, solver="sgd", random_state=seed, activation=activation, **rate)
        for seed in (0, 7)
        for activation in ("relu", "logistic")
    ]:
        for own, expected in zip(ours.fit(X, y).coefs_, theirs.fit(X, y).coefs_, strict=True):
            np.testing.assert_array_equal(own, expected)


@pytest.mark.parametrize("task", TASKS)
def test_weighted_rows_count_as_they_do_there(task):
    kind, y = TASKS[task]
    ours, theirs = (m.fit(X, y, sample_weight=WEIGHTS) for m in pair(kind, **SGD, alpha=0.5))
    assert_the_same(ours, theirs)


@pytest.mark.parametrize("task", TASKS)
def test_a_warm_start_goes_on_in_the_same_way(task):
    kind, y = TASKS[task]
    ours, theirs = pair(kind, **{**SGD, "max_iter": 7}, warm_start=True, learning_rate="invscaling")
    for _ in range(3):
        assert_the_same(ours.fit(X, y), theirs.fit(X, y))


@pytest.mark.parametrize("rate", ["constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("task", ["three classes", "several numbers"])
def test_partial_fit_keeps_velocity_and_rate_as_it_does_there(task, rate):
    kind, y = TASKS[task]
    ours, theirs = pair(kind, **SGD, learning_rate=rate, tol=0.05, n_iter_no_change=2)
    classes = {"classes": np.unique(y)} if kind == "classifier" else {}
    for start in (0, 20, 40, 0, 20, 40, 0, 20):
        some = slice(start, start + 20)
        assert_the_same(
            ours.partial_fit(X[some], y[some], **classes),
            theirs.partial_fit(X[some], y[some], **classes),
        )


@pytest.mark.parametrize("task", TASKS)
def test_lbfgs_finds_as_low_a_loss(task):
    kind, y = TASKS[task]
    settings = {"solver": "lbfgs", "alpha": 1.0, "max_iter": 400, "activation": "tanh"}
    ours, theirs = (model.fit(X, y) for model in pair(kind, **settings))
    assert ours.loss_ <= theirs.loss_ * 1.05


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_integer_weights_are_repetitions_and_zero_is_absence(task, solver):
    kind, y = TASKS[task]
    weights = np.arange(N) % 4
    settings = {**SGD, "solver": solver, "batch_size": 10**6, "alpha": 0.3, "tol": 0}
    weighted, repeated = pair(kind, **settings)[0], pair(kind, **settings)[0]
    with pytest.warns(UserWarning, match="batch_size is 1000000 but there are 45 rows"):
        weighted.fit(X, y, sample_weight=weights)
    with pytest.warns(UserWarning, match="batch_size is 1000000 but there are 90 rows"):
        repeated.fit(X.repeat(weights, axis=0), y.repeat(weights, axis=0))
    for name in ("coefs_", "intercepts_"):
        for one, other in zip(getattr(weighted, name), getattr(repeated, name), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, atol=1e-9)


@pytest.mark.parametrize("container", [scipy.sparse.csr_matrix, scipy.sparse.csc_array])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_sparse_rows_are_dense_ones(container, solver):
    some = np.where(np.abs(X) > 0.7, X, 0.0)
    model = dp.MLPClassifier((7,), solver=solver, random_state=1, max_iter=15)
    y = TASKS["three classes"][1]
    dense = model.fit(some, y).predict_proba(some)
    np.testing.assert_allclose(model.fit(container(some), y).predict_proba(container(some)), dense,
                               atol=1e-9)  # fmt: skip


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_engines_agree(engine):
    y = TASKS["three classes"][1]
    fits = [dp.MLPClassifier((7,), random_state=1, max_iter=10, engine=e).fit(X, y)
            for e in ("auto", engine)]  # fmt: skip
    np.testing.assert_allclose(fits[0].coefs_[0], fits[1].coefs_[0], atol=1e-9)
