"""What an MLP estimator can be asked for beyond scikit-learn's, its targets, what it refuses."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import PoissonRegressor

import deltaprop as dp
from deltaprop.errors import SettingError

quietly = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
BOTH = pytest.mark.parametrize("estimator", [dp.MLPClassifier, dp.MLPRegressor])

IRIS, SPECIES = load_iris(return_X_y=True)
DIGITS, NUMERALS = load_digits(n_class=2, return_X_y=True)
DIGITS, NUMERALS = DIGITS[:100] / 16, NUMERALS[:100]


@quietly
class TestWhatIsAskedForBeyond:
    def test_one_activation_per_layer(self):
        model = dp.MLPClassifier((5, 4), activation=("mish", "logistic"), max_iter=2)
        names = [row.name for row in model.fit(IRIS, SPECIES).network_.activations]
        assert names == ["mish", "sigmoid"]

    def test_dropout_and_label_smoothing_reach_the_network(self):
        model = dp.MLPClassifier((5,), dropout=0.4, label_smoothing=0.2, max_iter=40, tol=0)
        network = model.fit(DIGITS, NUMERALS).network_
        assert network.label_smoothing == 0.2
        assert network.dropouts[1].drop_probability == 0.4
        assert model.predict_proba(DIGITS).max() < 0.97

    @pytest.mark.parametrize("optimizer", ["rmsprop", dp.AdamW(dp.schedules.OneCycle(0.02))])
    def test_any_optimizer_and_schedule(self, optimizer):
        model = dp.MLPClassifier((8,), optimizer=optimizer, learning_rate_init=0.01, max_iter=30)
        assert model.fit(DIGITS, NUMERALS).score(DIGITS, NUMERALS) > 0.95

    def test_a_schedule_as_the_learning_rate(self):
        model = dp.MLPClassifier((8,), learning_rate=dp.schedules.Cosine(0.02), max_iter=10)
        rates = model.fit(DIGITS, NUMERALS).history_.learning_rate
        assert rates[0] == 0.02
        assert rates[-1] < 0.001

    def test_class_weights_are_sample_weights(self):
        weights = np.where(NUMERALS == 1, 7.0, 1.0)
        settings = {"hidden_layer_sizes": (4,), "random_state": 0, "max_iter": 10}
        labels = np.array(["zero", "one"])[NUMERALS]
        ours = dp.MLPClassifier(class_weight={"one": 7.0}, **settings).fit(DIGITS, labels)
        other = dp.MLPClassifier(**settings).fit(DIGITS, labels, sample_weight=weights)
        np.testing.assert_allclose(ours.coefs_[0], other.coefs_[0], atol=1e-12)
        balanced = dp.MLPClassifier(class_weight="balanced", **settings)
        assert not np.allclose(balanced.fit(DIGITS[:60], labels[:60]).coefs_[0], ours.coefs_[0])
        with pytest.raises(SettingError, match="partial_fit sees some"):
            balanced.partial_fit(DIGITS, labels)

    def test_callbacks_are_told_and_can_stop(self):
        epochs = []
        model = dp.MLPRegressor(
            callbacks=[lambda state: epochs.append(state.epoch) or len(epochs) == 4]
        )
        assert model.fit(DIGITS, NUMERALS).n_iter_ == 4
        assert epochs == [0, 1, 2, 3]

    def test_a_time_budget_is_kept(self):
        model = dp.MLPRegressor(hidden_layer_sizes=(200, 200), time_budget=0.2, max_iter=10**6,
                                tol=0, n_iter_no_change=np.inf)  # fmt: skip
        assert model.fit(DIGITS, NUMERALS).history_.stopped_because == "time_budget"

    def test_the_number_of_threads_changes_no_bit(self):
        fits = [dp.MLPClassifier(random_state=0, max_iter=5, n_threads=n).fit(DIGITS, NUMERALS)
                for n in (1, 2)]  # fmt: skip
        np.testing.assert_array_equal(fits[0].coefs_[0], fits[1].coefs_[0])

    @BOTH
    @pytest.mark.parametrize("solver", ["adam", "lbfgs"])
    def test_verbose_writes_a_line_for_each_iteration(self, estimator, solver, capsys):
        settings = {"hidden_layer_sizes": (3,), "max_iter": 3, "random_state": 0}
        model = estimator(solver=solver, verbose=True, **settings).fit(IRIS, SPECIES)
        if solver == "adam":
            model.set_params(early_stopping=False).partial_fit(IRIS, SPECIES)
        lines = capsys.readouterr().out.splitlines()
        assert [line.split(",")[0] for line in lines[:3]] == [f"Iteration {i}" for i in (1, 2, 3)]
        assert len(lines) == (4 if solver == "adam" else 3)

    def test_a_huber_loss_and_no_hidden_layer(self):
        y = IRIS @ [1.0, 2.0, 0.0, -1.0]
        model = dp.MLPRegressor(
            "huber", (), alpha=0, solver="lbfgs", max_iter=500, tol=1e-9, random_state=0
        )
        np.testing.assert_allclose(model.fit(IRIS, y).predict(IRIS), y, atol=1e-3)

    def test_poisson_without_hidden_units_is_the_generalized_linear_model(self):
        rng = np.random.default_rng(0)
        X = np.linspace(0, 1, 100)[:, None]
        y = rng.poisson(np.exp(X[:, 0] + 1))
        glm = PoissonRegressor(alpha=0, tol=1e-7).fit(X, y)
        model = dp.MLPRegressor("poisson", (), alpha=0, solver="lbfgs", tol=1e-7).fit(X, y)
        np.testing.assert_allclose(model.predict(X), glm.predict(X), rtol=1e-4)


@quietly
class TestPrecision:
    @BOTH
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
    def test_coefficients_and_predictions_keep_that_of_the_rows(self, estimator, dtype, solver):
        model = estimator(hidden_layer_sizes=(5, 3), solver=solver, max_iter=3).fit(
            IRIS.astype(dtype), SPECIES
        )
        assert {a.dtype for a in (*model.coefs_, *model.intercepts_)} == {np.dtype(dtype)}
        answer = getattr(model, "predict_proba", model.predict)(IRIS.astype(dtype))
        assert answer.dtype == dtype

    def test_single_precision_learns_the_same(self):
        model = dp.MLPRegressor(hidden_layer_sizes=(5,), random_state=1, max_iter=50)
        fits = [clone(model).fit(IRIS.astype(t), SPECIES) for t in (np.float32, np.float64)]
        np.testing.assert_allclose(fits[0].predict(IRIS), fits[1].predict(IRIS), rtol=1e-3)

    def test_it_can_be_chosen(self):
        model = dp.MLPRegressor(hidden_layer_sizes=(5,), max_iter=2, dtype="float32").fit(
            IRIS, SPECIES
        )
        assert model.history_.dtype == "float32"
        assert model.coefs_[0].dtype == np.float32


@quietly
class TestTargets:
    @pytest.mark.parametrize(
        "classes",
        [np.array([-5, 3, 1000]), np.array(["ant", "bee", "cat"]), np.array([0.0, 1.0, 2.0]),
         np.array(["ant", "bee", "cat"], dtype=object)],
    )  # fmt: skip
    def test_labels_of_any_kind(self, classes):
        model = dp.MLPClassifier((16,), random_state=0, solver="lbfgs").fit(IRIS, classes[SPECIES])
        np.testing.assert_array_equal(model.classes_, classes)
        assert model.score(IRIS, classes[SPECIES]) > 0.95
        early = dp.MLPClassifier(early_stopping=True, max_iter=3).fit(IRIS, classes[SPECIES])
        assert np.isfinite(early.validation_scores_).all()

    def test_truth_values(self):
        model = dp.MLPClassifier((8,), solver="lbfgs").fit(DIGITS, NUMERALS == 1)
        assert model.predict(DIGITS).dtype == bool
        assert model.score(DIGITS, NUMERALS == 1) == 1

    def test_many_labels(self):
        labels = np.c_[NUMERALS, 1 - NUMERALS, NUMERALS]
        model = dp.MLPClassifier((16,), random_state=0, learning_rate_init=0.01)
        model.fit(DIGITS, labels)
        assert model.out_activation_ == "logistic"
        assert model.predict_proba(DIGITS).shape == (100, 3)
        np.testing.assert_array_equal(model.predict(DIGITS), labels)
        model.partial_fit(DIGITS, labels)
        first = dp.MLPClassifier((16,)).partial_fit(DIGITS, labels, classes=[0, 1, 2])
        assert first.predict(DIGITS).shape == (100, 3)

    def test_one_class_is_always_said(self):
        model = dp.MLPClassifier(max_iter=3).fit(IRIS, ["iris"] * 150)
        assert set(model.predict(IRIS)) == {"iris"}
        np.testing.assert_array_equal(model.predict_proba(IRIS), np.ones((150, 1)))

    @BOTH
    def test_one_row_is_enough(self, estimator):
        model = estimator(random_state=0, max_iter=300).fit([[2.0, 1.0]], [4])
        assert model.predict([[2.0, 1.0]]) == pytest.approx(4, abs=0.1)

    def test_a_column_of_targets_is_a_vector_with_a_warning(self):
        for model, y in (
            (dp.MLPClassifier(max_iter=2), SPECIES),
            (dp.MLPRegressor(max_iter=2), SPECIES),
        ):
            with pytest.warns(DataConversionWarning):
                model.fit(IRIS, y[:, None])
            assert model.predict(IRIS).shape == (150,)

    def test_ten_thousand_columns(self):
        X = np.random.default_rng(0).normal(size=(40, 10_000))
        y = (X[:, 0] > 0).astype(int)
        model = dp.MLPClassifier((4,), max_iter=20, random_state=0).fit(X, y)
        assert model.coefs_[0].shape == (10_000, 4)
        assert model.score(X, y) > 0.9


REFUSED = [
    ({"hidden_layer_sizes": (5, 0)}, "hidden_layer_sizes is"),
    ({"hidden_layer_sizes": "wide"}, "hidden_layer_sizes is"),
    ({"activation": "rleu"}, "Did you mean 'relu'"),
    ({"activation": ("relu", "tanh")}, "names 2 activations but there are 1"),
    ({"solver": "newton"}, "solver is 'newton'; it is one of adam, lbfgs, sgd"),
    ({"alpha": -1}, "alpha is -1; it is a number >= 0"),
    ({"batch_size": 0}, "batch_size is 0"),
    ({"learning_rate": "cosine"}, "learning_rate is 'cosine'"),
    ({"learning_rate_init": 0.0}, "learning_rate_init is 0.0; it is a number > 0"),
    ({"momentum": 1.5}, "momentum is 1.5"),
    ({"max_iter": 2.5}, "max_iter is 2.5"),
    ({"n_iter_no_change": 0}, "n_iter_no_change is 0"),
    ({"shuffle": "yes"}, "shuffle is 'yes'; it is True or False"),
    ({"validation_fraction": 1}, "validation_fraction is 1"),
    ({"optimizer": "adamm"}, "optimizer is 'adamm'; it is one of adam"),
    ({"engine": "cuda"}, "No engine is called 'cuda'"),
    ({"dtype": "int8"}, "dtype is 'int8'"),
    ({"resume": True}, "name its file"),
    ({"callbacks": [3]}, "callbacks is"),
    ({"dropout": 0.5, "solver": "lbfgs"}, "solver='lbfgs' has no dropout"),
    ({"time_budget": 3, "solver": "lbfgs"}, "solver='lbfgs' has no time_budget"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED)
@BOTH
def test_a_wrong_setting_is_refused_by_fit_in_one_sentence(estimator, settings, message):
    model = estimator(**settings)
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        model.fit(IRIS, SPECIES)
    assert not hasattr(model, "coefs_")


def test_losses_for_something_else_are_refused():
    with pytest.raises(ValueError, match="loss is 'cross_entropy'; for numbers it is one of half"):
        dp.MLPRegressor("cross_entropy").fit(IRIS, SPECIES)


def test_validation_rows_come_in_pairs_and_of_one_length():
    with pytest.raises(ValueError, match="belong together"):
        dp.MLPRegressor().fit(IRIS, SPECIES, X_val=IRIS)
    with pytest.raises(ValueError, match="X_val has 150 rows but y_val has 3"):
        dp.MLPRegressor().fit(IRIS, SPECIES, X_val=IRIS, y_val=SPECIES[:3])
    with pytest.raises(ValueError, match="no epochs to score"):
        dp.MLPRegressor(solver="lbfgs").fit(IRIS, SPECIES, X_val=IRIS, y_val=SPECIES)


def test_several_classes_per_row_are_refused():
    with pytest.raises(ValueError, match="learn each column by a classifier of its own"):
        dp.MLPClassifier().fit(IRIS, np.c_[SPECIES, SPECIES])
