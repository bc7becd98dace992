"""Losses for numbers with presets: counts above all, whose network begins at the mean rate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_poisson_deviance

import deltaprop as dp
from deltaprop.errors import DataError, SettingError, UnknownNameError
from deltaprop.functional import losses

QUICK = {"epochs": 8, "hidden": (16,), "members": 3}


def counts(n=300, mean=3.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) * [1.0, 100.0, 1e-3]
    effect = 0.6 * X[:, 0] + 0.004 * X[:, 1]
    return X, rng.poisson(mean * np.exp(effect)).astype(float)


@pytest.mark.parametrize("preset", ["fast", "best", "plain"])
@pytest.mark.parametrize("mean", [0.5, 10.0, 1e5])
@pytest.mark.one_in(5)
def test_rates_of_any_size_are_learnt_in_their_units(preset, mean):
    X, y = counts(400, mean)
    options = {} if preset == "plain" else {"epochs": 60, "hidden": (32, 32), "members": 2}
    recipe = dp.Recipe(preset, loss="poisson", **options)
    model = dp.TableModel.fit(X[:300], y[:300], recipe=recipe)
    rates, true = model.predict(X[300:]), y[300:]
    assert (rates >= 0).all()
    usual = mean_poisson_deviance(true, np.full(100, y[:300].mean()))
    assert mean_poisson_deviance(true, np.maximum(rates, 1e-12)) < usual
    assert (model.target.mean[0], model.target.std[0]) == (0.0, 1.0)


@pytest.mark.parametrize("preset", ["fast", "best", "plain"])
def test_the_network_begins_at_the_mean_rate(preset):
    X, y = counts(mean=1e4)
    recipe = dp.Recipe(preset, loss="poisson", epochs=1, learning_rate=1e-9, validation_share=0.0)
    model = dp.TableModel.fit(X, y, recipe=recipe)
    assert all(
        np.exp(member.b[-1][0]) == pytest.approx(y.mean(), rel=1e-3) for member in model.members
    )


def test_the_epoch_is_chosen_by_the_deviance():
    X, y = counts()
    model = dp.TableModel.fit(X, y, recipe=dp.Recipe(loss="poisson", **QUICK))
    for history in model.histories:
        assert history.metric == "poisson_deviance"
        assert history.best_epoch == len(history.loss) - 1 - np.argmin(history.val_metric[::-1])
        assert np.argmin(history.val_metric) == np.argmin(history.val_loss)


@pytest.mark.parametrize("preset", ["fast", "plain"])
def test_the_deviance_stands_beside_r2_everywhere(preset, tmp_path):
    X, y = counts()
    model = dp.TableModel.fit(X, y, recipe=dp.Recipe(preset, loss="poisson", **QUICK))
    figures = model.evaluate(X, y).figures
    assert {"r2", "rmse", "mae", "poisson_deviance"} <= set(figures)
    expected = mean_poisson_deviance(y, np.maximum(model.predict(X), 1e-12))
    assert figures["poisson_deviance"] == pytest.approx(expected)
    for language, words in (("en", "mean Poisson deviance"), ("zh", "平均泊松偏差")):
        found = dp.report(model, X, y, tmp_path / "r.html", language=language)
        page = (tmp_path / "r.html").read_text(encoding="utf-8")
        assert page.count(words) >= 3
    assert found.numbers[0].poisson_deviance == found.judged.figures["poisson_deviance"]


def test_an_estimator_takes_the_loss_with_a_preset(tmp_path):
    X, y = counts()
    model = dp.MLPRegressor("poisson", (8,), preset="fast", max_iter=5, random_state=0).fit(X, y)
    assert model.network_.loss_name == "poisson"
    assert model.out_activation_ == "exp"
    assert model.best_validation_score_ < 0  # a score: the deviance with its sign changed
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(dp.load(tmp_path / "m").predict(X), model.predict(X))
    explained = model.explain(X[:2], y[:2])
    assert explained.trace.targets.tolist() == y[:2, None].tolist()
    assert explained.verify().ok


@pytest.mark.usefixtures("search_in_full")
def test_two_counts_of_different_sizes_are_both_learnt():
    X, large = counts(400, 1e4)
    _, small = counts(400, 0.5, seed=0)
    y = np.column_stack([large, small])
    recipe = dp.Recipe(loss="poisson", epochs=60, hidden=(32, 32), members=2)
    rates = dp.TableModel.fit(X[:300], y[:300], recipe=recipe).predict(X[300:])
    for k in range(2):
        usual = mean_poisson_deviance(y[300:, k], np.full(100, y[:300, k].mean()))
        assert mean_poisson_deviance(y[300:, k], np.maximum(rates[:, k], 1e-9)) < 0.95 * usual


@pytest.mark.parametrize("preset", ["fast", "best"])
def test_huber_bears_outliers(preset):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = X[:, 0] + 0.5 * X[:, 1]
    wild = y.copy()
    wild[::20] += rng.choice([-40.0, 40.0], size=len(wild[::20]))
    errors = []
    for loss in ("huber", None):
        recipe = dp.Recipe(preset, loss=loss, epochs=40, hidden=(32,), members=2, ranges=0)
        model = dp.TableModel.fit(X[:300], wild[:300], recipe=recipe)
        errors.append(np.abs(model.predict(X[300:]) - y[300:]).mean())
    assert errors[0] < errors[1]


@pytest.mark.filterwarnings("ignore::deltaprop.errors.EngineWarning")
def test_a_loss_of_ones_own_is_taken():
    own = losses.huber(0.25, "test_narrow_huber")
    losses.register_loss(own)
    try:
        X, y = counts()
        model = dp.TableModel.fit(X, y, recipe=dp.Recipe(loss="test_narrow_huber", **QUICK))
        assert model.network.loss is own
        assert model.evaluate(X, y).figures["r2"] > 0
    finally:
        losses.LOSSES._rows.pop("test_narrow_huber", None)


def test_a_loss_of_numbers_makes_the_target_a_number():
    X, y = counts(mean=0.5)
    model = dp.TableModel.fit(X, y.astype(int), recipe=dp.Recipe(loss="poisson", **QUICK))
    assert model.task == "regression"


@pytest.mark.parametrize("preset", ["fast", "plain"])
def test_a_negative_count_is_one_sentence(preset):
    X, y = counts()
    recipe = dp.Recipe(preset, loss="poisson", **QUICK)
    bad = y.copy()
    bad[6] = -2
    with pytest.raises(DataError, match=r"Target 'n' is -2 in row 7.*at least 0"):
        dp.TableModel.fit(X, bad, target_names=["n"], recipe=recipe)
    with pytest.raises(DataError, match=r"is -2 in row 7.*at least 0"):
        dp.TableModel.fit(X, y, recipe=recipe).evaluate(X, bad)


def test_what_is_no_loss_of_numbers_is_refused():
    with pytest.raises(UnknownNameError, match="poisson"):
        dp.Recipe(loss="cross_entropy")
    X, y = counts()
    with pytest.raises(SettingError, match="loss='huber' learns numbers"):
        dp.TableModel.fit(X, y, task="classification", recipe=dp.Recipe(loss="huber"))


@pytest.mark.rest
@settings(max_examples=10, deadline=None)
@given(
    log_mean=st.floats(-2, 5),
    n=st.integers(20, 120),
    preset=st.sampled_from(["fast", "best"]),
    seed=st.integers(0, 999),
)
def test_no_ordinary_counts_diverge(log_mean, n, preset, seed):
    X, y = counts(n, 10.0**log_mean, seed)
    if y.min() == y.max():
        return
    recipe = dp.Recipe(preset, loss="poisson", epochs=10, hidden=(16,), members=2)
    model = dp.TableModel.fit(X, y, recipe=recipe)
    assert all(history.stopped_because == "epochs" for history in model.histories)
    assert np.isfinite(model.predict(X)).all()
