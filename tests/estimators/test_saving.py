"""What was saved opens, and is the same: random tables, presets and settings.

Whatever can be fitted is written, read again, and predicts the same bits. A class that gets a
field, or a column a further kind, is in here as soon as a random table leads to it.
"""

import dataclasses
import datetime
import json
import math
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.errors import DataError, DeltapropError, SettingError
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.initializers import INITIALIZERS
from deltaprop.functional.losses import LOSSES
from deltaprop.model import layers as kinds
from deltaprop.model.serialize import network_from_dict, network_to_dict
from deltaprop.table_models.model import TableModel
from deltaprop.table_models.recipe import Recipe
from deltaprop.tabular import TableEncoder, TargetEncoder, encoder_from_dict
from deltaprop.training import schedules
from deltaprop.training.optimizers import OPTIMIZERS, optimizer_from_dict, optimizer_to_dict

N = 24
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TINY = st.floats(-1e-300, 1e-300)
EXTREME = st.sampled_from([5e-324, -5e-324, 1.7976931348623157e308, -1.7976931348623157e308, -0.0])
INTEGERS = st.integers(-(2**70), 2**70)
DAYS = st.dates(datetime.date(1, 1, 1), datetime.date(9999, 12, 31))
YEAR = datetime.timedelta(366)
MOMENTS = st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VOCABULARY = ["plot", "ACTOR", "müzik", "场景", "don't", "3rd", "🙂", "нет", "a.b", "x" * 50]
SENTENCES = st.lists(st.sampled_from(VOCABULARY), min_size=4, max_size=9).map(" ".join)
NUMERALS = st.sampled_from(
    ["1", "2.5", "1e3", " 7 ", "-0", "+4", "007", "1,234", "1.234,5", "12 USD", "5%"]
)
TRUTHS = st.sampled_from(["true", "False", "yes", "no", "TRUE", "0", "1"])


def cells(each):
    """Return N cells: of a few values or many, perhaps most of them the same, some missing."""
    few = st.lists(each, min_size=1, max_size=4)
    drawn = st.one_of(few, st.lists(each, min_size=N, max_size=N))

    @st.composite
    def column(draw):
        values = draw(drawn)
        common, rare = (
            draw(st.sampled_from([0.0, 0.5, 0.9])),
            draw(st.randoms(use_true_random=False)),
        )
        missing = draw(st.sampled_from([0.0, 0.0, 0.2, 1.0]))
        picked = values if len(values) == N else [rare.choice(values) for _ in range(N)]
        picked = [picked[0] if rare.random() < common else cell for cell in picked]
        return [None if rare.random() < missing else cell for cell in picked]

    return column()


COLUMNS = st.one_of(
    *map(
        cells,
        (
            FINITE, TINY, EXTREME, st.floats(-3, 3), st.integers(0, 5), INTEGERS, DAYS, MOMENTS,
            DAYS.map(str), MOMENTS.map(str), DAYS.map("{0.day}.{0.month}.{0.year}".format),
            st.floats(0, 1e6).map("{:,.2f} USD".format), st.floats(-99, 99).map("{:.1f} %".format),
            st.integers(0, 10**6).map(lambda i: str(1_600_000_000_000_000_000 + i)),
            st.floats(-999, 999).map(lambda x: f"({-x:.2f})" if x < 0 else f"{x:.2f}"),
            DAYS.map("{:%d-%b-%y}".format), st.integers(0, 99).map("{:05}".format),
            WORDS, SENTENCES, NUMERALS, TRUTHS, st.booleans(), st.just("the same"), st.just(3),
            st.sampled_from(["NA", "n/a", "?", "NULL", "none", "-"]),
            st.timedeltas(-YEAR, YEAR),
        ),
    )
)  # fmt: skip
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)
TABLES = st.dictionaries(NAMES, COLUMNS, min_size=1, max_size=4)
TARGETS = st.one_of(
    st.lists(st.sampled_from(["a", "b", "ü ", "0", "NaN"]), min_size=N, max_size=N),
    st.lists(st.booleans(), min_size=N, max_size=N),
    st.lists(st.sampled_from([-3, 2**60, 2**60 + 1]), min_size=N, max_size=N),
    st.lists(st.sampled_from([0.5, 1.5, 1e300]), min_size=N, max_size=N),
    st.lists(FINITE, min_size=N, max_size=N),
    st.lists(st.floats(0, 1e6).map("{:,.2f} €".format), min_size=N, max_size=N),
    st.lists(st.booleans(), min_size=2 * N, max_size=2 * N).map(
        lambda truths: np.reshape(truths, (N, 2)).astype(int)
    ),
    st.lists(st.floats(-5, 5), min_size=2 * N, max_size=2 * N).map(
        lambda numbers: np.reshape(numbers, (N, 2))
    ),
)
MANY = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=2000)
SOME = settings(MANY, max_examples=25)


def as_frame(columns):
    """Return a frame, or say that these are no columns of one."""
    try:
        return pl.DataFrame(
            {name: pl.Series(values, strict=False) for name, values in columns.items()}
        )
    except (pl.exceptions.PolarsError, OverflowError, TypeError):
        assume(False)


def fitted(fit, *given, **how):
    """Return what is fitted, quietly; what is refused with a sentence is no case."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return fit(*given, **how)
        except DeltapropError:
            assume(False)


def says(model, frame, names=("predict", "predict_proba")):
    """Return what a model says to the bit, or with which words it refuses."""
    answers = []
    for name in names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                answer = np.asarray(getattr(model, name)(frame))
                answers.append(
                    (
                        answer.dtype.kind,
                        answer.tolist() if answer.dtype == object else answer.tobytes(),
                    )
                )
            except (DeltapropError, AttributeError) as error:
                answers.append(str(error))
    return answers


def again(model, folder):
    """Return the model after a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(folder / "m")
    return dp.load(folder / "m")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("saved")


def settings_of(which):
    """Return some of these settings: few, for many exclude each other."""
    names = sorted(which)
    return st.lists(st.sampled_from(names), max_size=3, unique=True).flatmap(
        lambda some: st.fixed_dictionaries({name: which[name] for name in some})
    )


def table_model_comes_back(folder, columns, target, how):
    frame = as_frame(columns)
    ask = {"hidden": (2,), "epochs": 1, "members": how.get("members", 1)} | how
    task = ask.pop("task", None)
    model = fitted(lambda: TableModel.fit(frame, target, task=task, recipe=Recipe(**ask)))
    loaded = again(model, folder)
    assert says(loaded, frame) == says(model, frame)
    assert json.dumps(loaded.contents()["table"]) == json.dumps(model.contents()["table"])


CHOICES = {
    "members": st.integers(1, 2), "ranges": st.sampled_from([0, 2, 3, 16, 200]),
    "activation": st.sampled_from(sorted(ACTIVATIONS)), "dropout": st.floats(0, 0.9),
    "l2": st.floats(0, 1), "learning_rate": st.floats(1e-9, 1), "batch_size": st.integers(1, 50),
    "patience": st.integers(1, 9),
    "validation_share": st.floats(0, 0.9), "seed": st.integers(0, 2**64 - 1),
    "engine": st.sampled_from(["auto", "native", "reference"]),
    "time_budget": st.floats(20, 100), "calibrate": st.booleans(),
    "task": st.sampled_from(["classification", "regression", "multilabel"]),
    "label_smoothing": st.floats(0, 0.9), "class_weight": st.just("balanced"),
    "metric": st.sampled_from(["log_loss", "f1", "mae", lambda p, y: float(p.mean())]),
    "loss": st.sampled_from(["half_squared_error", "huber", "poisson"]),
    "remember_rows": st.booleans(),
}  # fmt: skip
RECIPES = st.builds(
    lambda preset, some: {"preset": preset} | some,
    st.sampled_from(["fast", "best", "plain"]),
    settings_of(CHOICES),
)


def test_no_choice_of_a_recipe_was_forgotten():
    every = {item.name for item in dataclasses.fields(Recipe)}
    assert every == {*CHOICES, "preset", "hidden", "epochs"} - {"task"}


@SOME
@given(columns=TABLES, target=TARGETS, how=RECIPES)
def test_a_model_of_a_random_table_comes_back(folder, columns, target, how):
    table_model_comes_back(folder, columns, target, how)


@pytest.mark.slow
@MANY
@given(columns=TABLES, target=TARGETS, how=RECIPES)
def test_very_many_of_them_come_back(folder, columns, target, how):
    table_model_comes_back(folder, columns, target, how)


@settings(SOME, max_examples=60)
@given(columns=TABLES, most=st.sampled_from([0, 2, 16, 256]))
def test_an_encoder_of_a_random_table_comes_back(columns, most):
    frame = as_frame(columns)
    encoder = fitted(lambda: TableEncoder.fit(frame).with_ranges(frame, most))
    stored = json.loads(json.dumps(encoder.to_dict(), allow_nan=False))
    assert encoder_from_dict(stored) == encoder
    assert encoder_from_dict(stored).to_dict() == encoder.to_dict()


@settings(SOME, max_examples=60)
@given(
    target=st.one_of(TARGETS, COLUMNS), task=st.sampled_from([None, "classification", "regression"])
)
def test_an_encoder_of_a_random_target_comes_back(target, task):
    column = target if isinstance(target, np.ndarray) else as_frame({"y": target})
    encoder = fitted(TargetEncoder.fit, column, task)
    stored = json.loads(json.dumps(encoder.to_dict(), allow_nan=False))
    again = encoder_from_dict(stored)
    assert again.to_dict() == encoder.to_dict()
    assert again.classes.dtype == encoder.classes.dtype


RATES = st.floats(1e-9, 10)
SIMPLE = st.one_of(
    st.builds(schedules.Constant, RATES),
    st.builds(schedules.Step, RATES, st.integers(1, 99), st.floats(0.01, 2)),
    st.builds(schedules.Exponential, RATES, st.floats(0.001, 1)),
    st.builds(schedules.Cosine, RATES, st.floats(0, 1), st.floats(0, 0.9)),
    st.builds(schedules.LogCosine, RATES, st.integers(1, 30)),
    st.builds(schedules.OneCycle, RATES, st.floats(0.1, 0.9)),
)
WARMED = st.builds(schedules.Warmup, SIMPLE, st.integers(1, 9))
SCHEDULES = st.one_of(SIMPLE, WARMED, st.builds(schedules.Warmup, WARMED, st.integers(1, 9)))
SHARES = st.floats(0, 1, exclude_max=True)
OPTIMIZER = st.one_of(
    st.builds(dp.GradientDescent, st.one_of(RATES, SCHEDULES)),
    st.builds(dp.Momentum, st.one_of(RATES, SCHEDULES), SHARES, st.booleans()),
    st.builds(dp.RMSProp, st.one_of(RATES, SCHEDULES), SHARES, RATES),
    st.builds(dp.Adam, st.one_of(RATES, SCHEDULES), SHARES, SHARES, RATES),
    st.builds(dp.AdamW, st.one_of(RATES, SCHEDULES), RATES, SHARES, SHARES, RATES),
    st.builds(dp.Lion, st.one_of(RATES, SCHEDULES), RATES, SHARES, SHARES),
    st.builds(dp.Muon, st.one_of(RATES, SCHEDULES), RATES, SHARES, SHARES, SHARES, RATES),
)


@given(OPTIMIZER)
def test_an_optimizer_comes_back(rule):
    assert optimizer_from_dict(json.loads(json.dumps(optimizer_to_dict(rule)))) == rule


def test_no_optimizer_and_no_schedule_was_forgotten():
    built = {"gradient_descent", "momentum", "rmsprop", "adam", "adamw", "lion", "muon"}
    assert set(OPTIMIZERS) == built
    assert len(schedules.SCHEDULES) == 7


WIDTHS = st.one_of(st.integers(1, 5), st.integers(1, 5).map(np.int64))
FACTORS = st.floats(1e-9, 1e9)
LAYER = {
    "dense": st.builds(
        kinds.Dense, WIDTHS, st.sampled_from([None, *ACTIVATIONS]),
        st.sampled_from([True, False, np.True_]), st.sampled_from([None, *INITIALIZERS]),
        st.sampled_from(["standard", "ntk"]),
        st.sampled_from(["zeros", "standard_normal"]), FACTORS, FACTORS,
    ),
    "dropout": st.builds(kinds.Dropout, SHARES),
    "scaling": st.builds(kinds.Scaling, FACTORS),
    "layer_norm": st.builds(
        kinds.LayerNorm, st.sampled_from([None, *ACTIVATIONS]), FACTORS, FACTORS
    ),
    "parametric_activation": st.builds(
        kinds.ParametricActivation, st.sampled_from(list(ACTIVATIONS)), FACTORS
    ),
    "periodic_embedding": st.builds(
        kinds.PeriodicEmbedding, st.integers(1, 2), WIDTHS, WIDTHS, st.floats(0, 9), FACTORS
    ),
    "category_embedding": st.builds(
        kinds.CategoryEmbedding, st.lists(WIDTHS, min_size=1, max_size=3), WIDTHS, FACTORS
    ),
}  # fmt: skip


@given(
    st.lists(st.one_of(*LAYER.values()), max_size=4), st.integers(1, 9), st.integers(1, 3),
    st.sampled_from(list(LOSSES)), SHARES, st.floats(0, 1e300),
)  # fmt: skip
def test_a_network_comes_back(inner, n_in, n_out, loss, smoothing, penalty):
    assert set(LAYER) == set(kinds.LAYERS)
    try:
        network = dp.Network.from_layers(
            n_in, [*inner, kinds.Dense(n_out)], loss, label_smoothing=smoothing, l2=penalty
        )
    except SettingError:
        assume(False)
    text = json.dumps(network_to_dict(network), default=lambda value: value.tolist())
    assert network_from_dict(json.loads(text), network.n_parameters) == network


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
