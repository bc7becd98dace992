"""Estimators of scikit-learn in and out: the same predictions."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    Ridge,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

import deltaprop as dp
from deltaprop.errors import MissingExtraError, SettingError

X, LABELS = load_iris(return_X_y=True)
X = X[::3]
LABELS = LABELS[::3]
NAMES = np.array(["ant", "bee", "cat"])[LABELS]
SEVERAL = np.stack([LABELS > 0, X[:, 0] > 5.8, X[:, 1] > 3], 1).astype(int)
NUMBERS = X @ [[1.0, 2], [0.5, -1], [2, 1], [-1, 3]]


def fitted(estimator, y, rows=X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(rows, y)


def p_of(estimator, x):
    """Return what a network gives: for two classes the probability of the second."""
    if not hasattr(estimator, "predict_proba"):
        return estimator.predict(x).reshape(len(x), -1)
    p = estimator.predict_proba(x)
    return p[:, 1:] if p.shape[1] == 2 else p


QUICK = {"max_iter": 15, "random_state": 0}
READABLE = {
    "classes": (MLPClassifier((7, 5), **QUICK), NAMES),
    "two classes": (MLPClassifier(6, "tanh", **QUICK), LABELS > 0),
    "several labels": (MLPClassifier(6, "logistic", **QUICK), SEVERAL),
    "numbers": (MLPRegressor(hidden_layer_sizes=(6, 4), **QUICK), NUMBERS),
    "one number": (
        MLPRegressor(hidden_layer_sizes=6, activation="identity", **QUICK), NUMBERS[:, 0]
    ),
    "counts": (
        MLPRegressor(hidden_layer_sizes=5, loss="poisson", **QUICK), np.abs(NUMBERS[:, 0])
    ),
    "logistic": (LogisticRegression(max_iter=20), NAMES),
    "logistic, two": (LogisticRegression(max_iter=20), LABELS > 1),
    "logistic, liblinear": (LogisticRegression(solver="liblinear"), LABELS > 1),
    "linear": (LinearRegression(), NUMBERS),
    "linear, no intercept": (LinearRegression(fit_intercept=False), NUMBERS[:, 1]),
    "ridge": (Ridge(2.0), NUMBERS[:, 1]),
    "lasso": (Lasso(0.1), NUMBERS[:, 1]),
    "elastic net": (ElasticNet(0.1), NUMBERS),
    "standardized": (make_pipeline(StandardScaler(), MLPClassifier(6, **QUICK)), NAMES),
    "standardized without mean": (
        make_pipeline(StandardScaler(with_mean=False), "passthrough", Ridge()), NUMBERS
    ),
    "standardized without deviation": (
        make_pipeline(StandardScaler(with_std=False), LogisticRegression(max_iter=20)), LABELS > 1
    ),
    "scaled twice": (
        make_pipeline(
            make_pipeline(MinMaxScaler((-1, 3)), MLPRegressor(hidden_layer_sizes=4, **QUICK)),
        ), NUMBERS
    ),
    "robust": (make_pipeline(RobustScaler(), MaxAbsScaler(), Ridge()), NUMBERS[:, 0]),
}  # fmt: skip


@pytest.mark.parametrize(("estimator", "y"), READABLE.values(), ids=READABLE)
def test_an_estimator_is_a_network_that_predicts_the_same(estimator, y, rng):
    fitted(estimator, y)
    network, parameters = dp.from_sklearn(estimator)
    x = X + rng.normal(size=X.shape)
    p = dp.predict(network, parameters, x)
    np.testing.assert_allclose(p, p_of(estimator, x), rtol=1e-10, atol=1e-12)


def test_cross_validated_and_sparse_ones_too(rng):
    estimator = fitted(LogisticRegressionCV(Cs=2, cv=2, max_iter=20, scoring="accuracy",
                                            use_legacy_attributes=False, l1_ratios=(0.0,)),
                       LABELS)  # fmt: skip
    p = dp.predict(*dp.from_sklearn(estimator.sparsify()), X)
    np.testing.assert_allclose(p, estimator.densify().predict_proba(X), rtol=1e-10)


OF_SKLEARN = {
    f"{hidden}, {loss}, {k}": (hidden, loss, k)
    for hidden, loss, k in (
        ("relu", "cross_entropy", 3), ("tanh", "cross_entropy", 2),
        ("sigmoid", "binary_cross_entropy", 1), ("identity", "binary_cross_entropy", 3),
        ("relu", "half_squared_error", 1), ("tanh", "huber", 2), ("relu", "poisson", 1),
        ("sigmoid", "half_squared_error_softmax", 4), ("relu", "half_squared_error_sigmoid", 1),
    )
}  # fmt: skip


@pytest.mark.parametrize(("hidden", "loss", "k"), OF_SKLEARN.values(), ids=OF_SKLEARN)
@pytest.mark.parametrize("sizes", [(6, 5), ()])
def test_a_network_is_an_estimator_that_predicts_the_same(hidden, loss, k, sizes, rng):
    network = dp.Network([4, *sizes, k], hidden, loss, dropout=0.2 if sizes else 0.0)
    parameters = network.init(rng)
    parameters.flat[:] += 0.3 * rng.normal(size=parameters.flat.size)
    estimator = dp.to_sklearn(network, parameters)
    x = rng.normal(size=(20, 4))
    p = dp.predict(network, parameters, x)
    ours = p[:, 1:] if loss.startswith(("cross", "half_squared_error_so")) and k == 2 else p
    np.testing.assert_allclose(p_of(estimator, x), ours, rtol=1e-12, atol=1e-14)
    if loss == "cross_entropy":
        np.testing.assert_array_equal(estimator.predict(x), p.argmax(1))
        assert estimator.classes_.tolist() == list(range(k))
    if k > 2 or loss != "cross_entropy":
        again, numbers = dp.from_sklearn(estimator)
        assert again.sizes == network.sizes
        np.testing.assert_array_equal(numbers.flat, parameters.flat)


def test_it_can_be_trained_on():
    network = dp.Network([4, 8, 3])
    estimator = dp.to_sklearn(network, network.init(np.random.default_rng(0)))
    before = estimator.coefs_[0].copy()
    estimator.partial_fit(X, LABELS)
    assert not np.array_equal(before, estimator.coefs_[0])


UNREADABLE = {
    "not fitted": (MLPClassifier(), "MLPClassifier cannot be read: it is not fitted"),
    "another": (RandomForestClassifier(), "RandomForestClassifier cannot be read: a network can"),
    "no estimator": ({"coef_": 1}, "{'coef_': 1} cannot be read"),
    "polynomial": (
        make_pipeline(PolynomialFeatures(), Ridge()).fit(X, NUMBERS),
        r"Step 'polynomialfeatures' \(PolynomialFeatures\) cannot be read: what can be folded is",
    ),
    "clipped": (
        make_pipeline(MinMaxScaler(clip=True), Ridge()).fit(X, NUMBERS), "'minmaxscaler'.*clips",
    ),
    "scaler not fitted": (make_pipeline(StandardScaler(), Ridge()), "'standardscaler'.*fitted"),
    "pipeline of another": (
        make_pipeline(StandardScaler(), RandomForestClassifier(2)).fit(X, LABELS),
        r"Step 'randomforestclassifier' \(RandomForestClassifier\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("estimator", "why"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_no_network_is_is_refused_by_name(estimator, why):
    with pytest.raises(SettingError, match=why):
        dp.from_sklearn(estimator)


OURS_ALONE = {
    "activation": (dp.Network([4, 5, 3], "gelu"), "no hidden activation 'gelu'; it has identity"),
    "mixed": (dp.Network([4, 5, 5, 3], ["relu", "tanh"]), "relu, tanh; scikit-learn has one"),
    "layers": (dp.Network.from_layers(4, [dp.Scaling(), dp.Dense(2)]), "Layer 1 is Scaling"),
    "output": (
        dp.Network([4, 5, 3], loss="half_squared_error_tanh"), "no output activation 'tanh'",
    ),
    "one class": (dp.Network([4, 5, 1]), "no output activation 'softmax' for 1 outputs"),
}  # fmt: skip


@pytest.mark.parametrize(("network", "why"), OURS_ALONE.values(), ids=OURS_ALONE)
def test_what_scikit_learn_cannot_hold_is_refused_by_name(network, why):
    with pytest.raises(SettingError, match=why):
        dp.to_sklearn(network, network.init(np.random.default_rng(0)))


def test_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("deltaprop.interop.scikit.find_spec", lambda _name: None)
    network = dp.Network([4, 8, 3])
    with pytest.raises(MissingExtraError, match=r"deltaprop\[sklearn\]"):
        dp.to_sklearn(network, network.init(np.random.default_rng(0)))
