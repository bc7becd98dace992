"""explain and check_gradients of models of other libraries."""

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import deltaprop as dp
from deltaprop.errors import DataError, SettingError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(3).normal(size=(30, 4))
LABELS = np.random.default_rng(4).integers(3, size=30)


@pytest.mark.torch
def test_a_module_is_explained_and_checked_as_its_network_is():
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    module = torch.nn.Sequential(
        torch.nn.Linear(4, 5), torch.nn.SiLU(), torch.nn.Linear(5, 3)
    ).double()
    x, labels = torch.tensor(X[:4], requires_grad=True), torch.tensor(LABELS[:4])
    network, parameters = dp.from_torch(module, "cross_entropy")
    theirs = dp.explain(module, x, labels, learning_rate=0.3)
    ours = dp.explain(network, parameters, X[:4], LABELS[:4], learning_rate=0.3)
    assert theirs.to_markdown() == ours.to_markdown()
    loss = torch.nn.functional.cross_entropy(module(x), labels)
    assert theirs.trace.loss == pytest.approx(loss.item(), rel=1e-12)
    loss.backward()
    assert dp.check_gradients(module, x, targets=labels)
    assert dp.check_gradients(module, x=x, targets=labels, gradients=module)
    module[2].weight.grad *= -1
    report = dp.check_gradients(module, x, labels, gradients=module)
    assert not report
    assert report.worst.name.startswith("W.2")


@pytest.mark.torch
def test_values_are_a_regressions_targets():
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(4, 2)
    explained = dp.explain(module, X[:2], [[1.0, 2.0], [0.5, -1.0]])
    assert explained.trace.network.loss_name == "half_squared_error"
    assert dp.check_gradients(torch.nn.Linear(4, 1), X[:3], [1, 2, 3])


@pytest.mark.parametrize("names", [np.array(["ant", "bee", "cat"]), np.array([-1, 5, 7])])
def test_a_perceptron_of_scikit_learn_is_explained_with_its_own_labels(names):
    estimator = make_pipeline(StandardScaler(), MLPClassifier(4, max_iter=9, random_state=0))
    estimator.fit(X, names[LABELS])
    explained = dp.explain(estimator, X[:3], names[LABELS[:3]])
    np.testing.assert_allclose(explained.trace.a[-1], estimator.predict_proba(X[:3]), rtol=1e-9)
    p = estimator.predict_proba(X[:3])[np.arange(3), LABELS[:3]]
    assert explained.trace.loss == pytest.approx(-np.log(p).mean(), rel=1e-9)
    assert dp.check_gradients(estimator, X, names[LABELS])
    with pytest.raises(DataError, match="'dog' is no class of the classifier; it has"):
        dp.explain(estimator, X[:1], ["dog"])


def test_two_classes_and_numbers_too():
    two = MLPClassifier(3, max_iter=9, random_state=0).fit(X, LABELS == 1)
    assert dp.check_gradients(two, X, LABELS == 1)
    numbers = MLPRegressor(hidden_layer_sizes=3, max_iter=9, random_state=0).fit(X, X[:, 0])
    assert dp.check_gradients(numbers, X, X[:, 0])


def test_with_a_model_the_parameters_are_left_out():
    estimator = MLPRegressor(hidden_layer_sizes=3, max_iter=9, random_state=0).fit(X, X[:, 0])
    _, parameters = dp.from_sklearn(estimator)
    for call in (
        lambda: dp.explain(estimator, parameters, X, X[:, 0]),
        lambda: dp.explain(estimator, X),
        lambda: dp.check_gradients(estimator, X, X[:, 0], parameters=parameters),
    ):
        with pytest.raises(SettingError, match="MLPRegressor brings its own parameters"):
            call()
