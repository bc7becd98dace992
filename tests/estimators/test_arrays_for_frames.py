"""What has learnt from a frame is given arrays, and what has learnt from arrays a frame."""

import copy
import functools
import warnings

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import ColumnError, DataError

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")

RNG = np.random.default_rng(0)
N = 60
NUMBERS = pd.DataFrame({"a": RNG.normal(size=N), "b": RNG.normal(size=N), "c": RNG.normal(size=N)})
WORDS = NUMBERS.assign(c=RNG.choice(["red", "green", "blue"], N), d=RNG.random(N) > 0.5)
# of more than eight categories: "best" puts such a column behind the others
MANY = NUMBERS.assign(a=RNG.choice([f"town {i}" for i in range(12)], N))
TABLES = {"numbers": NUMBERS, "words": WORDS, "many categories": MANY}
Y = np.where(NUMBERS["b"] > 0, "yes", "no")


def fitted(X, preset, kind=dp.MLPClassifier):
    settings = {"max_iter": 2, "random_state": 0, "preset": preset}
    if preset != "best":  # whose form puts columns in another order
        settings["hidden_layer_sizes"] = (6,)
    y = Y if kind is dp.MLPClassifier else np.asarray(NUMBERS["b"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(**settings).fit(X, y)


@functools.cache
def learnt(table, preset, kind=dp.MLPClassifier):
    """What has learnt from a table, for all tests that leave it as it is."""
    return fitted(TABLES[table], preset, kind)


@pytest.mark.parametrize("preset", [None, "fast", "best"])
@pytest.mark.parametrize("kind", [dp.MLPClassifier, dp.MLPRegressor])
@pytest.mark.parametrize("table", TABLES)
class TestFittedToAFrame:
    @pytest.mark.one_in(5)
    def test_an_array_is_taken_by_place_with_scikit_learns_warning(self, table, kind, preset):
        X = TABLES[table]
        model = learnt(table, preset, kind)
        expected = model.predict(X).tobytes()
        for rows in (X.to_numpy(), X.to_numpy(dtype=object), X.to_numpy().tolist()):
            with pytest.warns(UserWarning, match="does not have valid feature names"):
                found = model.predict(rows)
            assert found.tobytes() == expected

    @pytest.mark.one_in(3)
    def test_a_copy_without_names_predicts(self, table, kind, preset):
        """SHAP takes the names off a copy, so that nothing warns."""
        X = TABLES[table]
        model = learnt(table, preset, kind)
        nameless = copy.copy(model)
        nameless.feature_names_in_ = None
        for rows in (X.to_numpy(), X):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="X has feature names")
                assert nameless.predict(rows).tobytes() == model.predict(X).tobytes()

    def test_another_number_of_columns_is_refused(self, table, kind, preset):
        X = TABLES[table]
        model = learnt(table, preset, kind)
        with (
            pytest.warns(UserWarning, match="valid feature names"),
            pytest.raises(ValueError, match=f"X has 2 features, but .* {X.shape[1]} features"),
        ):
            model.predict(X.to_numpy()[:, :2])

    @pytest.mark.one_in(5)
    def test_a_saved_estimator_knows_the_places_too(self, table, kind, preset, tmp_path):
        X = TABLES[table]
        model = fitted(X.rename(columns=dict(zip(X.columns, range(9), strict=False))), preset, kind)
        model.save(tmp_path / "m.safetensors")
        again = dp.load(tmp_path / "m.safetensors")
        expected = model.predict(X.set_axis(range(X.shape[1]), axis=1)).tobytes()
        assert again.predict(X.to_numpy()).tobytes() == expected


@pytest.mark.parametrize("preset", [None, "fast"])
def test_a_frame_for_what_has_learnt_from_an_array_is_taken_by_place(preset):
    model = fitted(WORDS.to_numpy(), preset)
    expected = model.predict(WORDS.to_numpy()).tobytes()
    with pytest.warns(UserWarning, match="fitted without feature names"):
        assert model.predict(WORDS).tobytes() == expected


@pytest.mark.parametrize("preset", [None, "fast"])
def test_columns_of_a_frame_of_words_are_found_by_name(preset):
    model = learnt("words", preset)
    assert model.predict(WORDS[WORDS.columns[::-1]]).tobytes() == model.predict(WORDS).tobytes()


TWICE = {
    "text": pd.DataFrame(np.ones((N, 2)), columns=["a", "a"]),
    "words": pd.DataFrame(np.full((N, 2), "w"), columns=["a", "a"]),
    "numbers": pd.DataFrame(np.ones((N, 2)), columns=[1, 1]),
    "a number and its text": pd.DataFrame(np.ones((N, 2)), columns=[1, "1"]),
    "several levels": pd.DataFrame(
        np.ones((N, 2)), columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 1)])
    ),
}


@pytest.mark.parametrize("preset", [None, "fast"])
@pytest.mark.parametrize("names", TWICE)
def test_two_columns_of_one_name_are_refused_in_a_sentence(names, preset):
    with pytest.raises(ColumnError, match=r"several columns called .* \(columns 1, 2\)"):
        fitted(TWICE[names], preset)
    if names == "text":
        pa = pytest.importorskip("pyarrow")
        table = pa.Table.from_arrays([pa.array(TWICE[names].iloc[:, 0])] * 2, names=["a", "a"])
        with pytest.raises(ColumnError, match="several columns called 'a'"):
            fitted(table, preset)
        with pytest.raises(ColumnError, match="several columns called 'a'"):
            learnt("numbers", preset).predict(TWICE[names])


@pytest.mark.parametrize("preset", [None, "fast"])
@pytest.mark.parametrize("frame", [pl.DataFrame, pl.LazyFrame, dict])
@pytest.mark.parametrize("table", ["numbers", "words"])
@pytest.mark.one_in(5)
def test_every_library_gives_the_same_bits(table, frame, preset):
    X = TABLES[table]
    other = frame(X.to_dict("list"))
    expected = learnt(table, preset).predict_proba(X).tobytes()
    assert fitted(other, preset).predict_proba(other).tobytes() == expected


def test_a_frame_without_columns_and_an_iterator_are_refused():
    with pytest.raises(ValueError, match="0 feature"):
        fitted(pd.DataFrame(index=range(N)), "fast")
    with pytest.raises(DataError, match="Found generator"):
        fitted((row for row in [[1.0]]), None)
