"""An estimator of any settings comes back from its file, or is refused before training."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import DataError
from deltaprop.table_models.model import TableModel
from deltaprop.table_models.recipe import Recipe
from deltaprop.tabular import TableEncoder
from deltaprop.training.optimizers import OPTIMIZERS
from helpers.random_settings import OPTIMIZER, SCHEDULES, SHARES, settings_of
from helpers.random_tables import MANY, SOME, TABLES, N, again, as_frame, fitted, says


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("saved")


# every setting of an estimator, at values it can have
PLAIN = {
    "hidden_layer_sizes": st.one_of(
        st.integers(1, 4),
        st.sampled_from([(), [3, 2], np.array([2, 2]), (np.int64(2),)]),
    ),
    "activation": st.sampled_from(["relu", "logistic", "tanh", "identity", "mish"]),
    "solver": st.sampled_from(["adam", "sgd", "lbfgs"]),
    "alpha": st.one_of(st.floats(0, 1), st.just(np.float32(0.25)), st.just(0)),
    "batch_size": st.sampled_from(["auto", 5, np.int64(7)]),
    "learning_rate": st.one_of(st.sampled_from(["constant", "invscaling", "adaptive"]), SCHEDULES),
    "learning_rate_init": st.floats(1e-6, 0.1),
    "power_t": st.floats(0, 2),
    "max_iter": st.sampled_from([1, 2, np.int32(2)]),
    "shuffle": st.sampled_from([True, False, np.True_]),
    "random_state": st.sampled_from([0, 7, np.int64(3), np.random.RandomState(0)]),
    "tol": st.sampled_from([0, 1e-4, math.inf]),
    "verbose": st.just(False),
    "warm_start": st.booleans(),
    "momentum": st.floats(0, 1),
    "nesterovs_momentum": st.booleans(),
    "early_stopping": st.booleans(),
    "validation_fraction": st.floats(0.2, 0.6),
    "beta_1": SHARES,
    "beta_2": SHARES,
    "epsilon": st.floats(1e-12, 1e-3),
    "n_iter_no_change": st.sampled_from([1, 5, math.inf]),
    "max_fun": st.integers(1, 99),
    "dropout": st.floats(0, 0.9),
    "optimizer": st.one_of(st.none(), st.sampled_from(sorted(OPTIMIZERS)), OPTIMIZER),
    "callbacks": st.sampled_from([(), [], [lambda state: None]]),
    "time_budget": st.sampled_from([None, 30, 45.5]),
    "n_threads": st.sampled_from([None, 1, np.int64(1)]),
    "engine": st.sampled_from(["auto", "native", "reference"]),
    "dtype": st.sampled_from([None, "float32", "float64"]),
}  # fmt: skip


OF_CLASSES = {
    "label_smoothing": st.floats(0, 0.5),
    "class_weight": st.sampled_from([None, "balanced", {"a": 2, "b": 0.5}]),
    "scoring": st.sampled_from([None, "balanced_accuracy", lambda model, X, y: model.score(X, y)]),
}


OF_NUMBERS = {
    "loss": st.sampled_from(["squared_error", "huber"]),
    "scoring": st.sampled_from([None, "neg_mean_absolute_error"]),
}


OF_PRESETS = (
    "random_state", "dropout", "alpha", "learning_rate_init", "validation_fraction", "callbacks",
    "time_budget", "engine", "n_threads",
)  # fmt: skip


PRESET = {name: PLAIN[name] for name in OF_PRESETS} | {
    "members": st.integers(1, 2), "ranges": st.sampled_from([0, 3]), "calibrate": st.booleans(),
}  # fmt: skip


NOT_KEPT = ("callbacks", "random_state", "scoring")  # where they are objects of somebody's own


LABELS = st.lists(st.sampled_from(["a", "b"]), min_size=N, max_size=N)


CLASSES = st.one_of(
    LABELS,
    LABELS.map(lambda y: [0 if c == "a" else 7 for c in y]),
    LABELS.map(lambda y: [c == "a" for c in y]),
    st.lists(st.sampled_from(["a", "b", "c c"]), min_size=N, max_size=N),
    st.lists(st.sampled_from([0.5, -1.5, 2.0]), min_size=N, max_size=N),
    LABELS.map(lambda y: np.array([c == "a" for c in y], dtype=object)),
)  # fmt: skip


NUMBERS = st.one_of(
    st.lists(st.floats(-9, 9), min_size=N, max_size=N),
    st.lists(st.floats(-9, 9), min_size=2 * N, max_size=2 * N).map(lambda y: np.reshape(y, (N, 2))),
)


ROWS = st.one_of(
    st.lists(st.floats(-3, 3), min_size=2 * N, max_size=2 * N).map(lambda x: np.reshape(x, (N, 2))),
    TABLES.map(as_frame),
)


def is_own(value):
    several = isinstance(value, list) and any(map(callable, value))
    return several or callable(value) or isinstance(value, np.random.RandomState)


def estimator_comes_back(folder, kind, X, y, given):
    known = kind._get_param_names()
    model = kind(**{name: value for name, value in given.items() if name in known})
    try:
        fitted(model.fit, X, y)
    except ValueError:  # what scikit-learn itself refuses
        assume(False)
    loaded = again(model, folder)
    assert says(loaded, X) == says(model, X)
    before, after = model.get_params(), loaded.get_params()
    default = type(model)().get_params()
    for name, value in before.items():
        lost = name in NOT_KEPT and is_own(value)
        expected = default[name] if lost else value
        np.testing.assert_equal(after[name], expected, err_msg=name)
    for name in vars(model):
        if name.endswith("_") and name not in ("encoder_", "model_", "history_"):
            np.testing.assert_equal(getattr(loaded, name), getattr(model, name), err_msg=name)


CLASSIFIER = st.tuples(st.just(dp.MLPClassifier), ROWS, CLASSES)


REGRESSOR = st.tuples(st.just(dp.MLPRegressor), ROWS, NUMBERS)


FEW = {"hidden_layer_sizes": (2,), "max_iter": 1, "random_state": 0}


FITS = st.one_of(
    st.tuples(CLASSIFIER, settings_of(PLAIN | OF_CLASSES)),
    st.tuples(REGRESSOR, settings_of(PLAIN | OF_NUMBERS)),
    st.tuples(
        st.one_of(CLASSIFIER, REGRESSOR),
        st.builds(lambda preset, more: {"preset": preset, "members": 2} | more,
                  st.sampled_from(["fast", "best"]), settings_of(PRESET)),
    ),
)  # fmt: skip


def test_no_setting_was_forgotten():
    tried = {*PLAIN, *OF_CLASSES, *OF_NUMBERS, *PRESET, "preset"}
    for kind in (dp.MLPClassifier, dp.MLPRegressor):
        assert set(kind._get_param_names()) - tried == {"checkpoint", "resume"}  # never kept


@pytest.mark.rest
@SOME
@given(fit=FITS)
def test_an_estimator_with_random_settings_comes_back(folder, fit):
    (kind, X, y), given = fit
    estimator_comes_back(folder, kind, X, y, FEW | given)


@pytest.mark.slow
@MANY
@given(fit=FITS)
def test_very_many_estimators_come_back(folder, fit):
    (kind, X, y), given = fit
    estimator_comes_back(folder, kind, X, y, FEW | given)


def test_an_estimator_of_huge_rows_is_saved_though_its_optimizer_overflowed(folder):
    X, y = np.zeros((N, 1)), ["a"] * N
    X[-1] = 5e155
    estimator_comes_back(folder, dp.MLPClassifier, X, y, FEW)


LONG = "x" * 10_001


@pytest.mark.parametrize(
    ("columns", "target", "says"),
    [
        ({"x": range(N), LONG: range(N)}, ["a", "b"] * (N // 2), "column.*is called 'xxx.*10,001"),
        ({"x": range(N)}, ["a", LONG] * (N // 2), "class 'xxx.*10,001 characters.*at most 10,000"),
    ],
)
def test_a_name_too_long_for_a_file_is_refused_before_training(columns, target, says):
    with pytest.raises(DataError, match=says):
        TableModel.fit(columns, target, recipe=Recipe(hidden=(2,), epochs=1))


def test_a_category_too_long_for_a_file_is_left_out_and_told():
    encoder = TableEncoder.fit({"x": range(N), "c": ["a", "b", LONG] * (N // 3)})
    assert (
        encoder.report()[1].done
        == "left out: cells of more than 10,000 characters are no categories"
    )
