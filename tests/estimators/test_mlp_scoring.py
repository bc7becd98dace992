"""``scoring`` with a preset: any scorer of scikit-learn chooses the epoch that is kept."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.metrics import get_scorer, make_scorer, max_error

import deltaprop as dp
from deltaprop.errors import SettingError

N = 90
_rng = np.random.default_rng(5)
X = pd.DataFrame({"a": _rng.normal(size=N), "b": _rng.normal(size=N),
                  "worth": _rng.integers(1, 50, N)})  # fmt: skip
WORD = np.where(X["a"] + _rng.normal(size=N) > 0, "yes", "no")
NUMBER = (X["a"] - X["b"]).to_numpy()
QUICK = {"hidden_layer_sizes": (6,), "max_iter": 25, "random_state": 0, "ranges": 0}
PRESETS = pytest.mark.parametrize("preset", ["fast", "best"])
MEMBERS = pytest.mark.parametrize("members", [1, 3])


def fit(estimator, y, **settings):
    return estimator(**{"preset": "fast", "members": 1, **QUICK, **settings}).fit(X, y)


@PRESETS
@MEMBERS
@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc", "balanced_accuracy"])
@pytest.mark.one_in(3)
def test_the_epoch_that_scores_best_is_kept(preset, members, scoring):
    model = fit(dp.MLPClassifier, WORD, preset=preset, members=members, scoring=scoring)
    for history in model.model_.histories:
        assert history.metric == scoring
        assert history.val_metric[history.best_epoch] == max(history.val_metric)
    assert model.best_validation_score_ == pytest.approx(
        np.mean([max(h.val_metric) for h in model.model_.histories])
    )


def test_it_is_what_the_scorer_says_of_the_network_that_is_kept():
    held = X[60:], WORD[60:]
    model = dp.MLPClassifier(
        preset="fast", members=1, calibrate=False, scoring="neg_log_loss", **QUICK
    ).fit(X[:60], WORD[:60], X_val=held[0], y_val=held[1])
    kept = get_scorer("neg_log_loss")(model, *held)
    assert model.best_validation_score_ == pytest.approx(kept, rel=1e-5)
    numbers = dp.MLPRegressor(preset="fast", members=1, **QUICK,
                              scoring="neg_mean_absolute_error")  # fmt: skip
    numbers.fit(X[:60], NUMBER[:60], X_val=X[60:], y_val=NUMBER[60:])
    kept = get_scorer("neg_mean_absolute_error")(numbers, X[60:], NUMBER[60:])
    assert numbers.best_validation_score_ == pytest.approx(kept, rel=0.05)  # limits clip it


@MEMBERS
@pytest.mark.parametrize("convert", [lambda f: f, pl.from_pandas, lambda f: f.to_numpy()])
@pytest.mark.one_in(5)
def test_a_function_sees_the_rows_themselves(members, convert):
    seen = []

    def earned(estimator, rows, y):
        assert type(rows) is type(convert(X))
        worth = np.asarray(rows)[:, 2]
        matching = {(w, word) for w, word in zip(X["worth"], WORD, strict=True)}
        assert set(zip(worth, y.tolist(), strict=True)) <= matching
        p = estimator.predict_proba(rows)
        assert (estimator.predict(rows) == estimator.classes_[p.argmax(axis=1)]).all()
        seen.append(len(rows))
        return float(worth[estimator.predict(rows) == y].sum())

    model = dp.MLPClassifier(preset="fast", members=members, scoring=earned, **QUICK)
    model.fit(convert(X), WORD)
    assert len(seen) == members * QUICK["max_iter"]
    assert all(max(h.val_metric) == h.val_metric[h.best_epoch] for h in model.model_.histories)
    assert pickle.loads(pickle.dumps(clone(model).set_params(scoring="roc_auc").fit(X, WORD)))


def test_weights_reach_the_scorer_and_one_without_is_refused():
    weights = np.where(WORD == "yes", 3.5, 1.0)
    light, heavy = (
        dp.MLPClassifier(preset="fast", members=1, scoring="accuracy", **QUICK).fit(X, WORD, w)
        for w in (None, weights)
    )
    assert light.validation_scores_ != heavy.validation_scores_
    for preset in ("fast", None):
        settings = {"members": 1, "ranges": 0} if preset == "fast" else {"early_stopping": True}
        model = dp.MLPRegressor(preset=preset, scoring=make_scorer(max_error), **settings)
        with pytest.raises(SettingError, match="takes no sample_weight, but the rows held out"):
            model.fit(X, NUMBER, sample_weight=weights)


@pytest.mark.parametrize("settings", [{"members": 1}, {"members": 3}])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.one_in(5)
def test_which_rows_happen_to_be_held_out_does_not_decide_that(settings, seed):
    quick = QUICK | settings | {"random_state": seed, "scoring": make_scorer(max_error)}
    model = dp.MLPRegressor(preset="fast", **quick)
    with pytest.raises(SettingError, match="takes no sample_weight, but the rows held out"):
        model.fit(X, NUMBER, sample_weight=1.0 + 1.5 * (np.arange(N) == seed))
    assert model.fit(X, NUMBER, sample_weight=np.full(N, 2.5)).validation_scores_


def test_what_is_no_metric_is_refused():
    with pytest.raises(ValueError, match="'acuracy'"):
        fit(dp.MLPClassifier, WORD, scoring="acuracy")
    with pytest.raises(SettingError, match="expected one number"):
        fit(dp.MLPClassifier, WORD, scoring=["accuracy", "roc_auc"])
    with pytest.raises(SettingError, match="A metric of the epochs needs rows that are held out"):
        fit(dp.MLPClassifier, WORD, scoring="accuracy", validation_fraction=0)
    with pytest.raises(SettingError, match="of the rows it is given only"):
        fit(dp.MLPClassifier, WORD, scoring=lambda e, rows, y: e.predict(rows[:2]).size)


def test_a_second_fit_is_not_scored_by_the_first():
    model = fit(dp.MLPClassifier, WORD, scoring="roc_auc")
    first = model.validation_scores_
    assert model.fit(X, WORD).validation_scores_ == first
    assert "_scored" not in vars(model)
