"""How an MLP estimator trains: when it stops, what it keeps, and how it goes on."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

import deltaprop as dp
from deltaprop.errors import DivergedWarning

quietly = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
BOTH = pytest.mark.parametrize("estimator", [dp.MLPClassifier, dp.MLPRegressor])

IRIS, SPECIES = load_iris(return_X_y=True)
DIGITS, NUMERALS = load_digits(n_class=2, return_X_y=True)
DIGITS, NUMERALS = DIGITS[:100] / 16, NUMERALS[:100]
TWO_ROWS, TWO_CLASSES = [[3, 2], [1, 6]], [1, 0]


class TestStopping:
    def test_a_large_tolerance_ends_training_soon(self):
        model = dp.MLPClassifier(tol=0.5, max_iter=3000, solver="sgd").fit(TWO_ROWS, TWO_CLASSES)
        assert model.n_iter_ < 50

    @pytest.mark.parametrize("patience", [2, 5, 50])
    def test_it_ends_after_one_epoch_more_than_are_borne(self, patience):
        model = dp.MLPClassifier(tol=0.05, max_iter=3000, solver="sgd", n_iter_no_change=patience,
                                 random_state=0).fit(DIGITS, NUMERALS)  # fmt: skip
        assert model.n_iter_ < 3000
        assert model.history_.stopped_because == "callback"
        curve = np.array(model.loss_curve_)
        bests = np.minimum.accumulate(np.r_[np.inf, curve[:-1]])
        improved = curve <= bests - 0.05
        assert not improved[-(patience + 1):].any()  # fmt: skip
        assert improved[-(patience + 2)]

    @quietly
    def test_infinite_patience_runs_to_the_end(self):
        model = dp.MLPClassifier(tol=1e9, max_iter=40, solver="sgd", n_iter_no_change=np.inf)
        assert model.fit(DIGITS, NUMERALS).n_iter_ == 40

    @BOTH
    def test_the_end_of_the_epochs_is_a_convergence_warning(self, estimator):
        model = estimator(max_iter=3, warm_start=True)
        for _ in range(2):
            with pytest.warns(ConvergenceWarning, match="max_iter=3 epochs"):
                model.fit(IRIS, SPECIES)
            assert model.n_iter_ == 3
        with pytest.warns(ConvergenceWarning, match="ended after 2 iterations"):
            assert estimator(max_iter=2, solver="lbfgs").fit(IRIS, SPECIES).n_iter_ == 2

    def test_lbfgs_counts_its_evaluations(self):
        with pytest.warns(ConvergenceWarning, match="EVALUATIONS"):
            dp.MLPClassifier(solver="lbfgs", max_fun=3).fit(IRIS, SPECIES)

    def test_an_adaptive_rate_falls_by_fives_to_a_millionth(self):
        model = dp.MLPClassifier(tol=0.5, max_iter=3000, solver="sgd", learning_rate="adaptive")
        rates = np.array(model.fit(TWO_ROWS, TWO_CLASSES).history_.learning_rate)
        assert rates[0] == 1e-3
        assert 1e-6 / 5 < rates[-1] <= 1e-6
        falls = rates[:-1] / rates[1:]
        assert set(np.round(falls[falls != 1], 9)) == {5.0}

    @BOTH
    def test_early_stopping_keeps_the_best_epoch(self, estimator):
        seen = []
        watch = lambda state: seen.append(state.parameters.flat.copy())  # noqa: E731
        model = estimator(solver="sgd", learning_rate_init=0.5, max_iter=60, early_stopping=True,
                          n_iter_no_change=8, random_state=0, callbacks=[watch])  # fmt: skip
        model.fit(DIGITS, NUMERALS)
        assert len(seen) == len(model.validation_scores_) == model.n_iter_ < 60
        best = int(np.argmax(model.validation_scores_))
        assert model.best_validation_score_ == model.validation_scores_[best]
        assert model.best_loss_ is None
        kept = model.network_.parameters(model.coefs_, model.intercepts_)
        np.testing.assert_array_equal(kept.flat, seen[best])

    @BOTH
    def test_without_it_there_are_no_validation_scores(self, estimator):
        model = estimator(tol=0.2, solver="sgd").fit(DIGITS, NUMERALS)
        assert model.validation_scores_ is None
        assert model.best_validation_score_ is None
        assert model.best_loss_ == min(model.loss_curve_)

    @quietly
    @BOTH
    def test_a_warm_start_with_it_never_ends_worse(self, estimator):
        model = estimator(max_iter=8, random_state=0, warm_start=True, early_stopping=True,
                          learning_rate_init=0.05)  # fmt: skip
        best, n_scores = -np.inf, 0
        for _ in range(4):
            model.fit(DIGITS, NUMERALS)
            assert len(model.validation_scores_) == len(model.loss_curve_) > n_scores
            assert model.best_validation_score_ == max(model.validation_scores_) >= best
            best, n_scores = model.best_validation_score_, len(model.validation_scores_)

    @pytest.mark.parametrize(
        ("scoring", "figure"),
        [("neg_log_loss", lambda m, X, y: -log_loss(y, m.predict_proba(X))),
         (lambda m, X, y: float(m.predict_proba(X)[:, 1].max()),
          lambda m, X, y: m.predict_proba(X)[:, 1].max())],
    )  # fmt: skip
    @quietly
    def test_any_metric_can_be_watched(self, scoring, figure):
        model = dp.MLPClassifier((5,), scoring=scoring, early_stopping=True, random_state=0,
                                 learning_rate_init=0.05, max_iter=30)  # fmt: skip
        model.fit(DIGITS[:80], NUMERALS[:80], X_val=DIGITS[80:], y_val=NUMERALS[80:])
        kept = figure(model, DIGITS[80:], NUMERALS[80:])
        assert model.best_validation_score_ == pytest.approx(kept)
        assert model.best_validation_score_ == max(model.validation_scores_)
        assert len(set(model.validation_scores_)) > 3

    @quietly
    def test_rows_of_ones_own_are_scored_and_change_nothing_unless_asked_to(self):
        settings = {"hidden_layer_sizes": (5,), "random_state": 0, "max_iter": 12}
        alone = dp.MLPClassifier(**settings).fit(DIGITS[:80], NUMERALS[:80])
        scored = dp.MLPClassifier(**settings)
        scored.fit(DIGITS[:80], NUMERALS[:80], X_val=DIGITS[80:], y_val=NUMERALS[80:])
        np.testing.assert_array_equal(alone.coefs_[0], scored.coefs_[0])
        assert len(scored.validation_scores_) == 12
        assert scored.validation_scores_[-1] == scored.score(DIGITS[80:], NUMERALS[80:])

    def test_too_few_rows_to_hold_out_are_refused(self):
        X, y = make_regression(n_samples=2, n_features=5, random_state=0)
        with pytest.raises(ValueError, match="The validation set is too small"):
            dp.MLPRegressor(early_stopping=True).fit(X, y)
        with pytest.raises(ValueError, match="The validation set is too small"):
            dp.MLPClassifier(early_stopping=True).fit([[1], [2], [3], [4]], [0, 0, 0, 1])

    def test_the_weights_of_held_out_rows_count(self):
        weights = np.ones(100)
        settings = {"early_stopping": True, "random_state": 0, "tol": 1e-2, "batch_size": 10}
        models = [dp.MLPRegressor(**settings).fit(DIGITS, NUMERALS, sample_weight=w)
                  for w in (None, weights)]  # fmt: skip
        np.testing.assert_allclose(*[m.predict(DIGITS) for m in models], rtol=1e-9)
        weights[::2] = 50
        other = dp.MLPRegressor(**settings).fit(DIGITS, NUMERALS, sample_weight=weights)
        assert other.validation_scores_[0] != models[0].validation_scores_[0]


class TestDivergence:
    @pytest.mark.parametrize("scale", [1e200, 1e300])
    @BOTH
    def test_rows_too_large_are_one_clear_error(self, estimator, scale):
        model = estimator(solver="sgd", random_state=0)
        with pytest.raises(ValueError, match="Scale them"):
            model.fit(scale * IRIS, SPECIES)

    def test_lbfgs_says_so_too(self):
        with pytest.raises(ValueError, match="Scale them"):
            dp.MLPRegressor(solver="lbfgs").fit(1e200 * IRIS, SPECIES)

    @quietly
    def test_with_early_stopping_the_best_epoch_is_kept(self):
        model = dp.MLPRegressor(activation="identity", solver="sgd", learning_rate_init=1,
                                early_stopping=True, max_iter=200, random_state=0,
                                n_iter_no_change=np.inf)  # fmt: skip
        with pytest.warns(DivergedWarning, match="was best and was kept"):
            model.fit(IRIS, SPECIES)
        assert np.isfinite(model.predict(IRIS)).all()

    @quietly
    @BOTH
    def test_tiny_values_are_learnt_from_without_a_murmur(self, estimator):
        model = estimator(random_state=0, max_iter=5).fit(1e-300 * IRIS, SPECIES)
        assert np.isfinite(model.coefs_[0]).all()


class TestGoingOn:
    def test_a_hundred_single_epochs_are_a_fit_of_a_hundred(self):
        settings = {"solver": "sgd", "random_state": 1, "tol": 0, "shuffle": False,
                    "learning_rate_init": 0.2, "n_iter_no_change": np.inf}  # fmt: skip
        with pytest.warns(ConvergenceWarning):
            whole = dp.MLPClassifier(max_iter=100, **settings).fit(DIGITS, NUMERALS)
        parts = dp.MLPClassifier(**settings)
        for _ in range(100):
            parts.partial_fit(DIGITS, NUMERALS, classes=[0, 1])
        np.testing.assert_allclose(whole.coefs_[0], parts.coefs_[0], atol=1e-12)
        assert parts.loss_curve_ == pytest.approx(whole.loss_curve_)
        assert (parts.t_, parts.n_iter_) == (whole.t_, 1)

    def test_a_schedule_goes_on_over_the_calls(self):
        settings = {"optimizer": dp.GradientDescent(dp.schedules.Cosine(0.5)), "shuffle": False,
                    "max_iter": 10, "random_state": 0, "hidden_layer_sizes": (4,)}  # fmt: skip
        with pytest.warns(ConvergenceWarning):
            whole = dp.MLPRegressor(**settings).fit(DIGITS, NUMERALS)
        parts = dp.MLPRegressor(**settings)
        for _ in range(10):
            parts.partial_fit(DIGITS, NUMERALS)
        np.testing.assert_allclose(whole.coefs_[0], parts.coefs_[0], atol=1e-12)

    def test_orders_differ_from_call_to_call(self):
        model, orders = dp.MLPRegressor(hidden_layer_sizes=(3,), random_state=0, batch_size=1), []
        for _ in range(2):
            model.partial_fit(DIGITS, NUMERALS)
            orders.append(model.history_.seed)
        assert orders[0] != orders[1]

    @quietly
    def test_classes_are_needed_first_and_kept_afterwards(self):
        model = dp.MLPClassifier((3,))
        with pytest.raises(ValueError, match="classes must be passed on the first call"):
            model.partial_fit(IRIS, SPECIES)
        model.partial_fit(IRIS[:50], SPECIES[:50], classes=[0, 1, 2])
        assert model.predict_proba(IRIS).shape == (150, 3)
        model.partial_fit(IRIS, SPECIES)
        with pytest.raises(ValueError, match=r"classes not in `classes_`: \[7\]"):
            model.partial_fit(IRIS[:2], [0, 7])
        with pytest.raises(ValueError, match="Give the same ones"):
            model.partial_fit(IRIS, SPECIES, classes=[0, 1])

    @pytest.mark.parametrize(
        "other", [[0] * 75 + [1] * 75, [0] * 50 + [1] * 50 + [3] * 50, np.arange(150) % 4]
    )
    @quietly
    def test_a_warm_start_keeps_the_classes(self, other):
        model = dp.MLPClassifier((2,), warm_start=True, max_iter=2).fit(IRIS, SPECIES)
        model.fit(IRIS, SPECIES[::-1])
        with pytest.raises(ValueError, match="warm_start goes on with the classes"):
            model.fit(IRIS, other)

    @BOTH
    def test_one_epoch_cannot_stop_early(self, estimator):
        model = estimator(early_stopping=True, random_state=0)
        more = {"classes": [0, 1, 2]} if estimator is dp.MLPClassifier else {}
        with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
            model.partial_fit(IRIS, SPECIES, **more)

    @quietly
    def test_a_killed_fit_resumes_to_the_same_bits(self, tmp_path):
        class KilledError(Exception):
            pass

        def kill(state):
            if state.epoch == 6:
                raise KilledError

        path = tmp_path / "run.safetensors"
        settings = {"hidden_layer_sizes": (4,), "random_state": 0, "max_iter": 20, "solver": "sgd",
                    "learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 1,
                    "early_stopping": True}  # fmt: skip
        whole = dp.MLPClassifier(**settings).fit(DIGITS, NUMERALS)
        with pytest.raises(KilledError):
            dp.MLPClassifier(**settings, checkpoint=path, callbacks=[kill]).fit(DIGITS, NUMERALS)
        resumed = dp.MLPClassifier(**settings, checkpoint=path, resume=True).fit(DIGITS, NUMERALS)
        np.testing.assert_array_equal(whole.coefs_[0], resumed.coefs_[0])
        assert whole.loss_curve_ == resumed.loss_curve_
        assert whole.history_.learning_rate == resumed.history_.learning_rate
