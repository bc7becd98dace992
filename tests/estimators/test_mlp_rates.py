"""Counts as they are, unscaled inputs among them: training neither runs away nor stays behind."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_poisson_deviance
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.preprocessing import StandardScaler

import deltaprop as dp
from deltaprop.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def counts(seed, n, log_mean, log_scales, dtype=np.float64):
    """Return inputs of these scales, and counts that depend on all of them."""
    rng = np.random.default_rng(seed)
    scales = 10.0 ** np.asarray(log_scales)
    inputs = rng.normal(size=(n, len(scales)))
    effect = inputs @ rng.uniform(-1, 1, size=len(scales)) / np.sqrt(len(scales))
    y = rng.poisson(10.0**log_mean * np.exp(effect - effect.var() / 2)).astype(float)
    shifts = rng.choice([0.0, 1.0, 5.0], size=len(scales))
    return ((inputs + shifts) * scales).astype(dtype), y


def deviance(y, rates):
    return mean_poisson_deviance(y, np.maximum(rates, np.finfo(np.float64).tiny))


def constant(y):
    return deviance(y, np.full(len(y), y.mean()))


ORDINARY = given(
    seed=st.integers(0, 2**16),
    n=st.sampled_from([60, 300]),
    log_mean=st.floats(-1.5, 5),
    log_scales=st.lists(st.floats(-2, 5), min_size=1, max_size=6),
    dtype=st.sampled_from([np.float64, np.float32]),
)


@settings(max_examples=25, deadline=None)
@ORDINARY
def test_ordinary_counts_are_learnt_better_than_their_mean(seed, n, log_mean, log_scales, dtype):
    X, y = counts(seed, n, log_mean, log_scales, dtype)
    if not y.any():
        return
    model = dp.MLPRegressor("poisson", random_state=0).fit(X, y)
    rates = model.predict(X)
    assert np.isfinite(rates).all()
    # where the counts hardly depend on X, the last steps move about the mean
    assert deviance(y, rates) < 1.01 * constant(y)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.one_in(3)
def test_scaled_inputs_are_learnt_as_well_as_scikit_learn_does(seed):
    X, y = counts(seed, 1000, 0.5, [0, 1, 2, 3])
    X = StandardScaler().fit_transform(X)
    X, X_new, y, y_new = X[:500], X[500:], y[:500], y[500:]
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)  # nothing was learnt with shorter steps
        warnings.filterwarnings("ignore", message="Training has not converged")
        ours = dp.MLPRegressor("poisson", random_state=0).fit(X, y)
    theirs = TheirRegressor("poisson", random_state=0).fit(X, y)
    own, expected = (deviance(y_new, model.predict(X_new)) for model in (ours, theirs))
    assert own <= 1.05 * expected
    assert expected < constant(y_new)


def test_large_counts_begin_at_their_mean_where_scikit_learn_climbs_to_it():
    X, y = counts(0, 300, 4, [0, 0, 0])
    settings = {"loss": "poisson", "random_state": 0, "max_iter": 20}
    ours, theirs = (
        deviance(y, model(**settings).fit(X, y).predict(X))
        for model in (dp.MLPRegressor, TheirRegressor)
    )
    assert ours < constant(y) < theirs


def test_shorter_steps_are_said_and_none_are_needed_with_a_preset():
    X, y = counts(1, 300, 2, [4, 0, 5])
    with pytest.warns(ConvergenceWarning, match=r"ran away.*at 0\.\d+ of it.*StandardScaler"):
        dp.MLPRegressor("poisson", random_state=0).fit(X, y)


@pytest.mark.parametrize("solver", ["sgd", "lbfgs", "adam"])
@pytest.mark.parametrize("kept", [{}, {"early_stopping": True}])
def test_every_solver_stays_finite(solver, kept):
    if solver == "lbfgs" and kept:
        return
    X, y = counts(2, 300, 3, [3, -1, 4])
    model = dp.MLPRegressor("poisson", solver=solver, random_state=0, max_iter=60, **kept)
    assert deviance(y, model.fit(X, y).predict(X)) <= 1.05 * constant(y)


def test_partial_fit_and_a_warm_start_stay_finite():
    X, y = counts(3, 300, 3, [3, 4])
    model = dp.MLPRegressor("poisson", random_state=0)
    for start in range(0, 300, 60):
        model.partial_fit(X[start : start + 60], y[start : start + 60])
    assert np.isfinite(model.predict(X)).all()
    model = dp.MLPRegressor("poisson", random_state=0, warm_start=True, max_iter=10)
    losses = [deviance(y, model.fit(X, y).predict(X)) for _ in range(3)]
    assert losses[2] <= losses[0] <= constant(y)


def test_several_counts_of_different_sizes_begin_each_at_its_mean():
    X, small = counts(4, 300, -1, [0, 0])
    _, large = counts(4, 300, 4, [0, 0])
    y = np.column_stack([small, large])
    model = dp.MLPRegressor("poisson", random_state=0, max_iter=1, learning_rate_init=1e-9)
    np.testing.assert_allclose(model.fit(X, y).predict(X).mean(axis=0), y.mean(axis=0), rtol=0.1)


def test_counts_that_are_all_zero_have_a_rate():
    X = np.arange(40.0).reshape(20, 2)
    rates = dp.MLPRegressor("poisson", random_state=0).fit(X, np.zeros(20)).predict(X)
    assert (rates >= 0).all()
    assert rates.max() < 0.2


def test_a_killed_run_with_shorter_steps_is_resumed_to_the_same_bits(tmp_path):
    X, y = counts(1, 300, 2, [4, 0, 5])
    path = tmp_path / "run"
    options = {"loss": "poisson", "random_state": 0, "tol": 0.0, "n_iter_no_change": 1000}
    whole = dp.MLPRegressor(**options, max_iter=12).fit(X, y)

    class KilledError(Exception):
        pass

    def kill(state):
        if state.epoch == 5 and state.history.learning_rate[0] == whole.history_.learning_rate[0]:
            raise KilledError

    with pytest.raises(KilledError):
        dp.MLPRegressor(**options, max_iter=12, callbacks=[kill], checkpoint=path).fit(X, y)
    resumed = dp.MLPRegressor(**options, max_iter=12, checkpoint=path, resume=True).fit(X, y)
    assert resumed.loss_curve_ == whole.loss_curve_
    np.testing.assert_array_equal(resumed.coefs_[0], whole.coefs_[0])


def test_the_steps_are_explained_as_they_were_taken():
    X, y = counts(5, 60, 4, [3, 4])
    model = dp.MLPRegressor("poisson", hidden_layer_sizes=(4,), random_state=0).fit(X, y)
    explained = model.explain(X[:1], y[:1])
    assert explained.trace.a[-1][0, 0] == pytest.approx(model.predict(X[:1])[0])
    assert explained.verify().ok


def test_a_negative_count_is_one_sentence():
    with pytest.raises(DataError, match=r"y is -2 in row 3, but loss='poisson' learns counts"):
        dp.MLPRegressor("poisson").fit(np.eye(4), [1, 0, -2, 3])
