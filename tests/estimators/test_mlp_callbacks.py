"""The callbacks of scikit-learn 1.9, told of the fit, the networks and the epochs."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import deltaprop as dp

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9 has none")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(2).normal(size=(60, 3))
WORD, NUMBER = np.where(X[:, 0] > 0, "yes", "no"), X[:, 0]
KINDS = pytest.mark.parametrize("kind", [dp.MLPClassifier, dp.MLPRegressor])
MODES = pytest.mark.parametrize("settings", [
    {"preset": None}, {"preset": "fast", "members": 1, "ranges": 0},
    {"preset": "best", "members": 3, "ranges": 0},
], ids=["none", "fast", "best"])  # fmt: skip


def make(kind, **settings):
    return kind(**{"hidden_layer_sizes": (5,), "max_iter": 30, "random_state": 0,
                   "learning_rate_init": 0.1, **settings})  # fmt: skip


def y_of(kind):
    return WORD if kind is dp.MLPClassifier else NUMBER


class Diary:
    """Writes down every call, and may ask to stop after so many epochs."""

    def __init__(self, stop_after=None):
        self.calls, self.scores, self.stop_after = [], [], stop_after

    def setup(self, estimator, context):
        self.calls.append(("setup", context.task_name))

    def teardown(self, estimator, context):
        self.calls.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.calls.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.calls.append(("end", context.task_name))
        if fitted_estimator is not None and context.task_name == "epoch":
            self.scores.append(fitted_estimator.score(X, y))
        epochs = self.calls.count(("end", "epoch"))
        return self.stop_after is not None and epochs >= self.stop_after

    def of(self, task):
        return [what for what, name in self.calls if name == task]


@KINDS
@MODES
class TestCallbacks:
    @pytest.mark.one_in(5)
    def test_they_are_told_of_fit_networks_and_epochs(self, kind, settings):
        diary = Diary()
        model = make(kind, **settings).set_callbacks(diary)
        model.fit(X, y_of(kind))
        networks, epochs = settings.get("members", 1), settings.get("members", 1) * 30
        assert diary.of("fit") == ["setup", "begin", "end", "teardown"]
        assert diary.calls[0] == ("setup", "fit")
        assert diary.calls[-1] == ("teardown", "fit")
        assert sorted(diary.of("network")) == ["begin"] * networks + ["end"] * networks
        assert sorted(diary.of("epoch")) == ["begin"] * epochs + ["end"] * epochs
        assert diary.scores[-1] == pytest.approx(max(diary.scores), abs=0.2)
        assert len(diary.scores) == epochs
        assert diary.scores[0] != diary.scores[-1]

    @pytest.mark.one_in(5)
    def test_they_change_nothing_and_may_stop(self, kind, settings):
        plain = make(kind, **settings).fit(X, y_of(kind))
        told = make(kind, **settings).set_callbacks(Diary()).fit(X, y_of(kind))
        np.testing.assert_array_equal(plain.predict(X), told.predict(X))
        assert set(vars(told)) - set(vars(plain)) == {"_skl_callbacks"}
        stopped = make(kind, **settings).set_callbacks(Diary(stop_after=4)).fit(X, y_of(kind))
        assert stopped.n_iter_ < 5
        assert pickle.loads(pickle.dumps(stopped)).n_iter_ == stopped.n_iter_

    @pytest.mark.one_in(5)
    def test_scores_are_monitored(self, kind, settings):
        scoring = "accuracy" if kind is dp.MLPClassifier else "r2"
        monitor = callback.ScoringMonitor(scoring=scoring)
        make(kind, **settings).set_callbacks(monitor).fit(X, y_of(kind))
        rows = monitor.get_logs().data
        assert sum(row["task_name"] == "epoch" for row in rows) == 30 * settings.get("members", 1)

    @pytest.mark.one_in(5)
    def test_those_of_a_pipeline_and_a_search_reach_it(self, kind, settings):
        bar = callback.ProgressBar(max_propagation_depth=None)
        model = make(kind, **{**settings, "max_iter": 3})
        pipeline = make_pipeline(StandardScaler(), model).set_callbacks(bar)
        assert clone(pipeline).fit(X, y_of(kind)).predict(X).shape == (60,)
        search = GridSearchCV(model, {"alpha": [0.0, 0.1]}, cv=2).set_callbacks(bar)
        assert search.fit(X, y_of(kind)).predict(X).shape == (60,)


def test_one_that_fails_is_torn_down_and_the_next_fit_goes_on():
    class Fails(Diary):
        def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
            super().on_fit_task_begin(estimator, context)
            if context.task_name == "epoch":
                raise ArithmeticError("broken")

    fails = Fails()
    model = make(dp.MLPRegressor).set_callbacks(fails)
    with pytest.raises(ArithmeticError, match="broken"):
        model.fit(X, NUMBER)
    assert fails.calls[-1] == ("teardown", "fit")
    assert model.set_callbacks().fit(X, NUMBER).n_iter_ == 30


def test_lbfgs_and_rates_tell_of_the_fit():
    for settings in ({"solver": "lbfgs"}, {"loss": "poisson"}):
        diary = Diary()
        make(dp.MLPRegressor, **settings).set_callbacks(diary).fit(X, np.abs(NUMBER))
        assert diary.of("fit") == ["setup", "begin", "end", "teardown"]
