"""Data frames as they come, explanations in the user's names, and files."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import deltaprop as dp
from deltaprop.errors import ColumnError, DataError, ModelFileError
from deltaprop.model.serialize import load_model, save_model
from deltaprop.tabular import TableWarning

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 80
_rng = np.random.default_rng(3)
COLUMNS = {
    "colour": np.array(["red", "green", "blue"])[_rng.integers(3, size=N)],
    "weight": np.where(_rng.random(N) < 0.1, np.nan, _rng.normal(10, 3, N)),
    "sold": _rng.random(N) < 0.5,
    "size": _rng.integers(1, 9, N),
}
KIND = np.where((COLUMNS["colour"] == "red") | COLUMNS["sold"], "new", "old")
PRICE = 3.0 * (COLUMNS["colour"] == "blue") + COLUMNS["size"]
FRAMES = {
    "pandas": pd.DataFrame(COLUMNS),
    "pandas with categories": pd.DataFrame(COLUMNS).astype({"colour": "category"}),
    "polars": pl.DataFrame(COLUMNS),
    "pyarrow": pa.table(COLUMNS),
}
NUMBERS = pd.DataFrame({"a": _rng.normal(size=N), "b": _rng.integers(0, 5, N)})


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_of_words_truths_and_holes_is_learnt_and_predicted(name):
    frame = FRAMES[name]
    model = dp.MLPClassifier((16,), random_state=0, learning_rate_init=0.02).fit(frame, KIND)
    assert model.score(frame, KIND) > 0.95
    assert list(model.feature_names_in_) == list(COLUMNS)
    assert model.n_features_in_ == 4
    assert model.coefs_[0].shape[0] == model.encoder_.n_outputs > 4


def test_every_kind_of_frame_gives_the_same_model():
    models = [dp.MLPRegressor(hidden_layer_sizes=(4,), random_state=0, max_iter=5).fit(f, PRICE)
              for f in FRAMES.values()]  # fmt: skip
    for model in models[1:]:
        np.testing.assert_array_equal(model.coefs_[0], models[0].coefs_[0])


@pytest.mark.parametrize("convert", [lambda f: f, pl.from_pandas, pa.Table.from_pandas])
def test_a_frame_of_numbers_is_not_scaled(convert):
    plain = dp.MLPRegressor(hidden_layer_sizes=(4,), random_state=0, max_iter=5).fit(
        NUMBERS.to_numpy(), PRICE
    )
    framed = dp.MLPRegressor(hidden_layer_sizes=(4,), random_state=0, max_iter=5).fit(
        convert(NUMBERS), PRICE
    )
    np.testing.assert_array_equal(framed.coefs_[0], plain.coefs_[0])
    assert framed.encoder_ is None
    assert list(framed.feature_names_in_) == ["a", "b"]
    np.testing.assert_array_equal(framed.predict(convert(NUMBERS)),
                                  plain.predict(NUMBERS.to_numpy()))  # fmt: skip


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_column_of_text_is_learnt_from(solver, tmp_path):
    rng = np.random.default_rng(1)
    words = ["good", "bad", "film", "story", "slow", "fine", "red", "blue"]
    texts = [" ".join(rng.choice(words, 6)) for _ in range(120)]
    liked = np.array(["yes" if "good" in text else "no" for text in texts])
    frame = pl.DataFrame({"review": texts, "minutes": rng.normal(100, 20, 120)})
    model = dp.MLPClassifier((8,), random_state=0, solver=solver, early_stopping=True,
                             learning_rate_init=0.03).fit(frame.lazy(), liked)  # fmt: skip
    assert model.score(frame, liked) > 0.9
    model.save(tmp_path / "model.safetensors")
    loaded = dp.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(frame), model.predict_proba(frame))
    assert model.explain(frame[:1]).trace.a[-1][0, 0] == model.predict_proba(frame[:1])[0, 1]


class TestNewRows:
    @pytest.fixture
    def model(self):
        return dp.MLPClassifier((8,), random_state=0, max_iter=30).fit(FRAMES["pandas"], KIND)

    def test_columns_are_matched_by_name(self, model):
        frame = FRAMES["pandas"]
        expected = model.predict_proba(frame)
        np.testing.assert_array_equal(model.predict_proba(frame[frame.columns[::-1]]), expected)
        with pytest.warns(TableWarning, match="'more'"):
            np.testing.assert_array_equal(model.predict_proba(frame.assign(more=1)), expected)

    def test_a_missing_column_is_named(self, model):
        with pytest.raises(ColumnError, match="lacks column 'colour'"):
            model.predict(FRAMES["pandas"].drop(columns="colour"))

    def test_an_unknown_category_is_a_warning(self, model):
        with pytest.warns(TableWarning, match="mauve"):
            model.predict(FRAMES["pandas"].assign(colour="mauve"))

    def test_words_are_refused_where_there_were_numbers(self):
        model = dp.MLPRegressor(max_iter=2).fit(NUMBERS, PRICE)
        for odd in (NUMBERS.assign(b="word"), NUMBERS.assign(b=np.nan)):
            with pytest.raises(DataError, match="Column 'b' of X has words, dates or missing"):
                model.predict(odd)

    def test_validation_rows_are_encoded_alike(self):
        model = dp.MLPClassifier((8,), random_state=0, max_iter=5, scoring="neg_log_loss",
                                 early_stopping=True)  # fmt: skip
        frame = FRAMES["pandas"]
        model.fit(frame[:60], KIND[:60], X_val=frame[60:], y_val=KIND[60:])
        assert len(model.validation_scores_) == 5

    def test_partial_fit_takes_the_columns_of_the_first_call(self):
        model, frame = dp.MLPRegressor(hidden_layer_sizes=(4,), random_state=0), FRAMES["polars"]
        for _ in range(3):
            model.partial_fit(frame, PRICE)
        assert model.t_ == 3 * N


class TestExplaining:
    def test_a_row_is_explained_in_the_columns_names(self):
        model = dp.MLPClassifier((3,), random_state=0, max_iter=5).fit(FRAMES["pandas"], KIND)
        explanation = model.explain(FRAMES["pandas"].iloc[[7]], [KIND[7]])
        assert isinstance(explanation, dp.Explanation)
        assert explanation.names.inputs == model.encoder_.output_names
        assert explanation.names.outputs == ("old",)
        assert explanation.verify()
        p = model.predict_proba(FRAMES["pandas"].iloc[[7]])[0, 1]
        assert explanation.trace.a[-1][0, 0] == pytest.approx(p)
        assert "colour=red" in explanation.to_json()

    def test_without_answers_it_is_what_the_model_says(self):
        model = dp.MLPClassifier((3,), random_state=0, max_iter=5).fit(NUMBERS, KIND)
        targets = model.explain(NUMBERS[:4]).trace.targets[:, 0]
        np.testing.assert_array_equal(targets, model.predict(NUMBERS[:4]) == "old")
        numbers = dp.MLPRegressor(hidden_layer_sizes=(3,), max_iter=5).fit(
            NUMBERS, pd.Series(PRICE, name="price")
        )
        explanation = numbers.explain(NUMBERS[:1])
        np.testing.assert_allclose(explanation.trace.delta[-1], 0, atol=1e-12)
        assert explanation.names.outputs == ("price",)
        assert explanation.names.inputs == ("a", "b")

    def test_network_and_rows_are_what_every_function_of_a_network_takes(self):
        model = dp.MLPClassifier((3,), random_state=0, max_iter=5).fit(FRAMES["polars"], KIND)
        given = model.network_and_rows(FRAMES["polars"][:5], KIND[:5])
        assert dp.check_gradients(*given).ok
        trace = dp.backpropagate(*given)
        np.testing.assert_allclose(
            trace.a[-1][:, 0], model.predict_proba(FRAMES["polars"][:5])[:, 1]
        )
        unanswered = model.network_and_rows(FRAMES["polars"][:5])
        predicted = model.predict(FRAMES["polars"][:5])
        np.testing.assert_array_equal(unanswered[3][:, 0], predicted == "old")

    def test_rows_and_answers_are_as_many(self):
        model = dp.MLPRegressor(hidden_layer_sizes=(3,), max_iter=5).fit(NUMBERS, PRICE)
        with pytest.raises(ValueError, match="X has 2 rows but y has 1"):
            model.explain(NUMBERS[:2], [1.0])


class TestFiles:
    @pytest.mark.parametrize(
        "frame", [FRAMES["pandas"], NUMBERS, NUMBERS.to_numpy(dtype="float32")]
    )
    @pytest.mark.parametrize("y", [KIND, KIND == "new", np.c_[KIND == "new", KIND == "old"] * 1])
    def test_a_classifier_is_the_same_after_a_file(self, frame, y, tmp_path):
        model = dp.MLPClassifier((5,), random_state=0, max_iter=4, early_stopping=True,
                                 n_iter_no_change=np.inf).fit(frame, y)  # fmt: skip
        model.save(tmp_path / "model.safetensors")
        loaded = dp.load(tmp_path / "model.safetensors")
        assert isinstance(loaded, dp.MLPClassifier)
        np.testing.assert_array_equal(loaded.predict_proba(frame), model.predict_proba(frame))
        np.testing.assert_array_equal(loaded.predict(frame), model.predict(frame))
        assert loaded.classes_.dtype == model.classes_.dtype
        assert loaded.get_params() == model.get_params()
        for name in ("loss_curve_", "validation_scores_", "n_iter_", "t_", "n_features_in_"):
            assert getattr(loaded, name) == getattr(model, name)

    def test_partial_fit_goes_on_after_a_file(self, tmp_path):
        model = dp.MLPRegressor(
            hidden_layer_sizes=(5,), random_state=0, optimizer=dp.Adam(dp.schedules.Cosine(0.01))
        )
        model.partial_fit(NUMBERS, PRICE).save(tmp_path / "model.safetensors")
        loaded = dp.load(tmp_path / "model.safetensors")
        assert loaded.optimizer == model.optimizer
        for each in (model, loaded):
            each.partial_fit(NUMBERS, PRICE)
        np.testing.assert_array_equal(loaded.coefs_[0], model.coefs_[0])

    @pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
    def test_settings_that_are_functions_are_left_out_and_told(self, solver, tmp_path):
        own = {} if solver == "lbfgs" else {"callbacks": [lambda state: None]}
        model = dp.MLPRegressor(random_state=np.random.RandomState(0), solver=solver, max_iter=3,
                                **own).fit(NUMBERS, PRICE)  # fmt: skip
        lost = ", ".join([*own, "random_state"])
        with pytest.warns(UserWarning, match=f"saved without {lost}: functions, generators"):
            model.save(tmp_path / "model.safetensors")
        loaded = dp.load(tmp_path / "model.safetensors")
        assert loaded.random_state is None
        assert loaded.callbacks == ()
        np.testing.assert_array_equal(loaded.predict(NUMBERS), model.predict(NUMBERS))

    @pytest.mark.parametrize(
        ("key", "value"),
        [("class", "Pipeline"), ("format", "deltaprop-estimator/9"), ("dtype", "object"),
         ("settings", {"hidden_layer_sizes": [5], "own": 1}), ("facts", {"__class__": 3}),
         ("arrays", {"classes_": {"dtype": "O8", "values": [{"code": "x"}]}}),
         ("facts", {"n_outputs_": 7, "n_features_in_": 2}), ("encoder", {"format": "other"})],
    )  # fmt: skip
    def test_a_file_changed_by_a_stranger_is_one_error(self, key, value, tmp_path):
        path = tmp_path / "model.safetensors"
        dp.MLPClassifier((5,), max_iter=2).fit(NUMBERS, KIND).save(path)
        saved = load_model(path)
        facts = json.loads(json.dumps(saved.training["estimator"]))
        facts[key] = value
        save_model(path, saved.network, saved.parameters, training={"estimator": facts})
        with pytest.raises(ModelFileError, match="is damaged or of a newer kind"):
            dp.load(path)

    @pytest.mark.parametrize("preset", [None, "fast"])
    def test_a_file_names_no_file_that_a_later_fit_would_write_over(self, preset, tmp_path):
        path, precious = tmp_path / "model.safetensors", tmp_path / "thesis.tex"
        settings = {"preset": preset, "max_iter": 2, "hidden_layer_sizes": (2,)}
        run = {"checkpoint": str(tmp_path / "run"), "resume": True}
        dp.MLPClassifier(**settings, **run).fit(NUMBERS, KIND).save(path)
        saved = load_model(path)
        kept = saved.training["estimator"]["settings"]
        assert not {"checkpoint", "resume"} & kept.keys()
        kept |= {"checkpoint": str(precious), "resume": False}  # as a stranger would have it
        save_model(path, saved.network, saved.parameters, table=saved.table,
                   training=saved.training, arrays=saved.arrays)  # fmt: skip
        precious.write_text("years of work")
        loaded = dp.load(path)
        assert (loaded.checkpoint, loaded.resume) == (None, False)
        loaded.fit(NUMBERS, KIND)
        assert precious.read_text() == "years of work"

    def test_other_files_are_read_as_before(self, tmp_path):
        network = dp.Network([2, 3])
        parameters = network.init(np.random.default_rng(0))
        dp.save(tmp_path / "net.safetensors", network, parameters)
        loaded = dp.load(tmp_path / "net.safetensors")
        np.testing.assert_array_equal(loaded.parameters.flat, parameters.flat)
