"""Targets as people bring them: objects, nullable, categorical; of every library and preset."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix

import deltaprop as dp
from deltaprop.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 40
X = np.random.default_rng(1).normal(size=(N, 2))
ONE = X[:, 0] > 0
PRESETS = pytest.mark.parametrize("preset", [None, "fast"])
QUICK = {"hidden_layer_sizes": (8,), "max_iter": 30, "random_state": 0, "learning_rate_init": 0.1}
WORDS = np.where(ONE, "yes", "no").tolist()
KINDS = {"bool": ONE.tolist(), "int": (3 * ONE - 1).tolist(), "str": WORDS}
AS = {
    "list": list,
    "objects": lambda v: np.array(v, object),
    "array": np.array,
    "pandas": pd.Series,
    "pandas objects": lambda v: pd.Series(v, dtype=object),
    "pandas category": lambda v: pd.Series(v, dtype="category"),
    "nullable": lambda v: pd.Series(v).convert_dtypes(),
    "pandas on pyarrow": lambda v: pd.Series(v).convert_dtypes(dtype_backend="pyarrow"),
    "pyarrow": lambda v: pa.chunked_array([v]),
    "pyarrow array": pa.array,
    "polars": pl.Series,
    "polars category": lambda v: pl.Series(v).cast(pl.String).cast(pl.Categorical),
}


def fit(preset, y, estimator=dp.MLPClassifier, **settings):
    if preset == "fast":
        settings = {"members": 1, "ranges": 0, **settings}
    return estimator(preset=preset, **QUICK, **settings).fit(X, y)


@PRESETS
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", AS)
@pytest.mark.one_in(5)
def test_classes_keep_their_kind(preset, kind, how):
    labels = KINDS[kind] if how != "polars category" else list(map(str, KINDS[kind]))
    y = AS[how](labels)
    model = fit(preset, y)
    assert model.classes_.tolist() == sorted(set(labels))
    said = model.predict(X).tolist()
    assert {type(label) for label in said} == {type(labels[0])}
    right = np.mean([a == b for a, b in zip(said, labels, strict=True)])
    assert right > 0.8
    assert model.score(X, y) == right
    assert model.explain(X[:2], AS[how](labels[:2])).verify()


@PRESETS
@pytest.mark.parametrize("how", ["objects", "nullable", "pandas on pyarrow", "polars", "list"])
@pytest.mark.one_in(5)
def test_validation_rows_and_numbers_come_the_same_ways(preset, how):
    numbers = (3 * ONE - 1).tolist()
    y = AS[how](numbers)
    model = fit(preset, y, dp.MLPRegressor)
    np.testing.assert_array_equal(model.predict(X), fit(preset, np.array(numbers),
                                                        dp.MLPRegressor).predict(X))  # fmt: skip
    words = AS[how](WORDS)
    held = dp.MLPClassifier(preset=preset, **QUICK).fit(X, words, X_val=X, y_val=words)
    assert held.best_validation_score_ > 0.8


def test_partial_fit_takes_them_too():
    y = np.array(ONE.tolist(), object)
    model = dp.MLPClassifier().partial_fit(X, y, classes=np.array([True, False], object))
    assert model.partial_fit(X, pd.Series(ONE).convert_dtypes()).classes_.dtype == bool


def test_a_frame_of_one_column_and_of_several():
    numbers = pd.DataFrame({"a": X[:, 0], "b": ONE.astype(int)}).convert_dtypes()
    assert fit("fast", numbers, dp.MLPRegressor).predict(X).shape == (N, 2)
    assert fit(None, numbers, dp.MLPRegressor).predict(X).shape == (N, 2)
    several = pd.DataFrame({"a": ONE, "b": ~ONE}).astype(int).convert_dtypes()
    assert fit(None, several).predict(X).shape == (N, 2)


@PRESETS
def test_sparse_labels_are_scored_and_continued_as_others(preset):
    labels = np.c_[ONE, ~ONE].astype(int)
    model = fit(preset, csr_matrix(labels))
    assert model.score(X, csr_matrix(labels)) == model.score(X, labels) > 0.8
    held = fit(preset, labels)
    held.fit(X, csr_matrix(labels), X_val=X, y_val=csr_matrix(labels))
    if preset is None:
        model.partial_fit(X, csr_matrix(labels))
        first = dp.MLPClassifier().partial_fit(X, csr_matrix(labels), classes=[0, 1])
        assert first.predict(X).shape == (N, 2)


@PRESETS
@pytest.mark.parametrize("absent", [None, np.nan, pd.NA, pd.NaT])
@pytest.mark.parametrize("estimator", [dp.MLPClassifier, dp.MLPRegressor])
def test_a_missing_target_names_its_row(preset, absent, estimator):
    classifies = estimator is dp.MLPClassifier
    cells = list(WORDS if classifies else X[:, 0])
    cells[3] = cells[20] = absent
    with pytest.raises(DataError, match=r"Input y contains NaN: row 4, 21 has no value") as refused:
        fit(preset, np.array(cells, object), estimator)
    assert "\n" not in str(refused.value)


@PRESETS
@pytest.mark.parametrize(
    "y",
    [pd.Series([1, 2, None] * 13 + [1], dtype="Int64"),
     pl.Series([True, False, None] * 13 + [True]),
     pd.Series(["a", "b", None] * 13 + ["a"], dtype="string"), np.r_[np.nan, np.ones(N - 1)],
     pd.Categorical(["a", "b", None] * 13 + ["b"]), pa.array(["a", "b", None] * 13 + ["b"])],
    ids=["Int64", "polars", "string", "floats", "category", "pyarrow"],
)  # fmt: skip
def test_so_do_nullable_ones(preset, y):
    with pytest.raises(
        DataError, match=r"Input y contains NaN: row [13](, 6, 9 .and 10 more.)? has"
    ):
        fit(preset, y)


MIXED = [
    (["a", 1] * 20, r"y holds text \('a' in row 1\) and numbers \(1 in row 2\); expected one"),
    ([1, "a"] * 20, r"y holds numbers \(1 in row 1\) and text"),
    ([True, 2] * 20, r"y holds truth values \(True in row 1\) and numbers \(2 in row 2\)"),
    ([datetime.date(2020, 1, 1)] * 40, r"y is datetime.date\(2020, 1, 1\) in row 1, of type date"),
    ([b"a", b"b"] * 20, "of type bytes; expected text, whole numbers or truth values"),
    ([2**70, 1] * 20, "in row 1, beyond what whole numbers of 64 bits hold"),
    ([1j, 2j] * 20, "of type complex"),
    (np.array(["2020-01-01", "2021-01-01"] * 20, "datetime64[D]"), "of type date;"),
]


@PRESETS
@pytest.mark.parametrize(("y", "sentence"), MIXED)
def test_what_is_of_no_kind_or_of_two_is_refused_in_a_sentence(preset, y, sentence):
    for given in (y, np.array(y, object)):
        with pytest.raises(DataError, match=sentence) as refused:
            fit(preset, given)
        assert "\n" not in str(refused.value)


@PRESETS
def test_numbers_in_words_are_numbers_to_a_regressor_and_others_name_their_row(preset):
    numbers = [Decimal("1.5"), 2, 3.0, np.float32(0.5)] * 10
    expected = fit(preset, np.array(numbers, float), dp.MLPRegressor).predict(X)
    for y in (numbers, [str(n) for n in numbers], np.array(numbers, object)):
        np.testing.assert_array_equal(fit(preset, y, dp.MLPRegressor).predict(X), expected)
    with pytest.raises(DataError, match="y is 'two' in row 2, which is not a number"):
        fit(preset, ["1", "two"] * 20, dp.MLPRegressor)


class TestEarlyStoppingWithFewRowsOfAClass:
    """scikit-learn's sentence speaks of test_size, which is no setting of an estimator."""

    @PRESETS
    @pytest.mark.parametrize("n_rare", [1, 2, 3])
    @pytest.mark.parametrize("fraction", [0.1, 0.05, 0.9])
    def test_the_class_is_learnt(self, preset, n_rare, fraction):
        y = np.where(np.arange(N) < n_rare, "rare", "usual")
        settings = {"early_stopping": True} if preset is None else {}
        model = fit(preset, y, validation_fraction=fraction, **settings)
        assert model.classes_.tolist() == ["rare", "usual"]
        assert np.isfinite(model.validation_scores_).all()

    @pytest.mark.parametrize(
        ("fraction", "size"), [(0.0, "small"), (0.02, "small"), (0.99, "large")]
    )
    @pytest.mark.parametrize("n_rare", [1, 10])
    def test_what_cannot_be_is_said_in_the_estimators_words(self, fraction, size, n_rare):
        y = np.where(np.arange(N) < n_rare, 0, 1)
        sentence = rf"validation set is too {size}: validation_fraction={fraction} of 40 rows is "
        for estimator in (dp.MLPClassifier, dp.MLPRegressor):
            with pytest.raises(DataError, match=sentence) as refused:
                fit(None, y, estimator, early_stopping=True, validation_fraction=fraction)
            assert "test_size" not in str(refused.value)

    def test_two_rows_in_all(self):
        with pytest.raises(DataError, match="validation set is too small"):
            dp.MLPClassifier(early_stopping=True).fit(X[:2], ["a", "b"])
