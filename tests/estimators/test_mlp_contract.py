"""scikit-learn's contract: its estimator checks, and its tools around our estimators."""

import doctest
import importlib
import inspect
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_blobs, make_regression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import deltaprop as dp
from deltaprop.estimators.parameters import settings_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PAIRS = [(dp.MLPClassifier, TheirClassifier), (dp.MLPRegressor, TheirRegressor)]


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(120, centers=3, n_features=4, random_state=0)


# no expected failure is listed: all of them hold
@parametrize_with_checks([dp.MLPClassifier(max_iter=100), dp.MLPRegressor(max_iter=100)])
@pytest.mark.one_in(5)
def test_the_estimator_checks_hold(estimator, check):
    check(estimator)


# as few epochs as the checks of what is learnt bear
PRESETS = {"max_iter": 12, "hidden_layer_sizes": (16,)}


@parametrize_with_checks(
    [dp.MLPClassifier(preset="fast", **PRESETS), dp.MLPRegressor(preset="fast", **PRESETS)]
)
@pytest.mark.one_in(30)
def test_the_estimator_checks_hold_for_a_preset(estimator, check):
    check(estimator)


@pytest.mark.slow  # five networks each time, a thousand epochs in one of the checks
@parametrize_with_checks(
    [dp.MLPClassifier(preset="best", **PRESETS), dp.MLPRegressor(preset="best", **PRESETS)]
)
def test_the_estimator_checks_hold_for_an_ensemble(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [
        dp.MLPClassifier(solver="sgd", learning_rate_init=0.1),
        dp.MLPRegressor(solver="sgd", learning_rate_init=1e-3, learning_rate="adaptive"),
        dp.MLPClassifier(solver="lbfgs", alpha=0.1),
        dp.MLPRegressor(solver="lbfgs", tol=1e-3),
        dp.MLPClassifier(optimizer="adamw", engine="reference", activation=("silu",), max_iter=60),
    ]
)
def test_the_estimator_checks_hold_with_other_settings(estimator, check):
    check(estimator)


class TestTheNamesakes:
    @pytest.mark.parametrize(("ours", "theirs"), PAIRS)
    def test_every_parameter_is_there_with_the_same_default(self, ours, theirs):
        own, expected = vars(settings_of(ours())), theirs().get_params()
        assert {name: own[name] for name in expected} == expected
        given = {n: v for n, v in ours().get_params().items() if n in expected and v is not None}
        assert given == {n: expected[n] for n in given}

    @pytest.mark.parametrize(("ours", "theirs"), PAIRS)
    def test_the_same_ones_can_be_given_by_position(self, ours, theirs):
        def positional(cls):
            parameters = inspect.signature(cls).parameters.values()
            return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]

        expected = positional(theirs)
        if ours is dp.MLPRegressor and expected[0] != "loss":  # scikit-learn 1.6
            expected = ["loss", *expected]
        assert positional(ours) == expected

    @pytest.mark.parametrize(
        ("given", "loss", "widths", "activation"),
        [(((8,),), "squared_error", (8,), None), ((8,), "squared_error", 8, None),
         (([8, 4], "tanh"), "squared_error", [8, 4], "tanh"), ((), "squared_error", None, None),
         (("poisson",), "poisson", None, None),
         (("poisson", (8,), "tanh"), "poisson", (8,), "tanh")],
    )  # fmt: skip
    def test_widths_may_come_first_as_before_there_was_a_loss(
        self, given, loss, widths, activation
    ):
        model = clone(dp.MLPRegressor(*given))
        assert (model.loss, model.hidden_layer_sizes, model.activation) == (
            loss,
            widths,
            activation,
        )
        assert model.set_params(max_iter=2).fit(np.eye(9), np.arange(9)).n_iter_ == 2

    def test_two_widths_are_refused(self):
        with pytest.raises(ValueError, match=r"loss is \(8,\); for numbers it is one of"):
            dp.MLPRegressor((8,), hidden_layer_sizes=(4,)).fit(np.eye(9), np.arange(9))

    @pytest.mark.parametrize(("ours", "theirs"), PAIRS)
    @pytest.mark.parametrize("solver", ["adam", "lbfgs"])
    def test_every_attribute_and_method_is_there(self, ours, theirs, solver, blobs):
        fitted = [cls(solver=solver, max_iter=3).fit(*blobs) for cls in (ours, theirs)]
        have, need = ({n for n in dir(model) if not n.startswith("_")} for model in fitted)
        if solver == "lbfgs":
            need.discard("partial_fit")  # listed by dir, though hasattr denies it
        assert need - have == set()

    @pytest.mark.parametrize(("ours", "theirs"), PAIRS)
    def test_the_tags_say_the_same(self, ours, theirs):
        own, expected = ours().__sklearn_tags__(), theirs().__sklearn_tags__()
        assert own.input_tags == expected.input_tags
        assert own.classifier_tags == expected.classifier_tags
        assert own.estimator_type == expected.estimator_type

    def test_partial_fit_is_hidden_where_the_solver_has_no_epochs(self):
        assert hasattr(dp.MLPRegressor(), "partial_fit")
        assert not hasattr(dp.MLPRegressor(solver="lbfgs"), "partial_fit")


class TestTheToolsAround:
    def test_pipelines_and_scores_take_it(self, blobs):
        X, y = blobs
        model = dp.MLPClassifier((8,), random_state=0, learning_rate_init=0.02, max_iter=30)
        pipeline = make_pipeline(StandardScaler(), model)
        assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.9

    @pytest.mark.slow  # starting the processes is
    def test_a_search_in_two_processes_gives_the_bits_of_one(self, blobs):
        X, y = blobs
        model = dp.MLPClassifier((8,), random_state=0, learning_rate_init=0.02, max_iter=10)
        grid = {"alpha": [1e-4, 1e-1], "activation": ["relu", ("silu",)]}
        searches = [
            GridSearchCV(model, grid, cv=3, scoring="neg_log_loss", n_jobs=n).fit(X, y)
            for n in (1, 2)
        ]
        one, two = (search.cv_results_["mean_test_score"] for search in searches)
        np.testing.assert_array_equal(one, two)

    def test_a_clone_learns_the_same_and_a_pickle_predicts_the_same(self, blobs):
        X, y = blobs
        model = dp.MLPClassifier((8,), optimizer=dp.AdamW(dp.schedules.Cosine(1e-2)),
                                 random_state=3, max_iter=8).fit(X, y)  # fmt: skip
        again = clone(model).fit(X, y)
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
        restored = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(restored.predict_proba(X), model.predict_proba(X))
        assert dp.ENGINES["native"].refusal(restored.network_) is None

    def test_weights_and_validation_rows_are_routed(self):
        X, y = make_regression(60, 3, random_state=0)
        with config_context(enable_metadata_routing=True):
            model = dp.MLPRegressor(hidden_layer_sizes=(4,), random_state=0, max_iter=5)
            model.set_fit_request(sample_weight=True, X_val=False, y_val=False)
            model.set_score_request(sample_weight=True)
            weights = np.r_[np.ones(30), np.zeros(30)]
            search = GridSearchCV(model, {"alpha": [0.0]}, cv=[(np.arange(60), np.arange(60))])
            search.fit(X, y, sample_weight=weights)
        alone = dp.MLPRegressor(hidden_layer_sizes=(4,), random_state=0, max_iter=5, alpha=0.0).fit(
            X[:30], y[:30]
        )
        np.testing.assert_allclose(search.predict(X), alone.predict(X), rtol=1e-12)
        assert set(dp.MLPClassifier().set_partial_fit_request.__doc__.split()) >= {"classes"}


@pytest.mark.slow
def test_docstrings_may_be_left_out():
    program = "import deltaprop as dp; dp.MLPClassifier(), dp.MLPRegressor()"
    subprocess.run([sys.executable, "-OO", "-c", program], check=True)


def test_without_scikit_learn_there_is_one_sentence():
    program = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import deltaprop as dp\n"
        "dp.TableModel, dp.load\n"
        "try: dp.MLPClassifier\n"
        "except dp.errors.MissingExtraError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == (
        "scikit-learn 1.7 or newer is not installed. Install it with: "
        'pip install "scikit-learn>=1.7"'
    )


@pytest.mark.parametrize("module", ["classifier", "regressor"])
def test_the_examples_in_the_docstrings_run(module):
    results = doctest.testmod(importlib.import_module(f"deltaprop.estimators.{module}"))
    assert results.attempted > 1
    assert results.failed == 0
