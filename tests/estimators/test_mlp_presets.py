"""MLPClassifier and MLPRegressor with a preset: what TableModel learns, in scikit-learn's terms."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import deltaprop as dp
from deltaprop.errors import SettingError
from deltaprop.estimators.recipes import recipe_of
from deltaprop.model.serialize import load_model
from deltaprop.table_models.files import restore_table_model
from helpers.presets import (
    COLUMNS,
    FRAME,
    KIND,
    NUMBERS,
    PRICE,
    QUICK,
    SIGN,
    N,
    classifier,
    regressor,
)


@pytest.mark.parametrize("preset", ["fast", "best"])
class TestBothPresets:
    def test_a_frame_of_words_truths_and_holes_is_learnt(self, preset):
        model = classifier(preset=preset, max_iter=40, hidden_layer_sizes=(16,)).fit(FRAME, KIND)
        assert model.score(FRAME, KIND) > 0.85
        p = model.predict_proba(FRAME)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_array_equal(model.classes_[p.argmax(axis=1)], model.predict(FRAME))
        np.testing.assert_array_equal(model.predict_log_proba(FRAME), np.log(p))
        assert model.model_.calibration is not None
        assert list(model.feature_names_in_) == list(COLUMNS)
        assert model.n_features_in_ == 4

    def test_numbers_are_learnt(self, preset):
        model = regressor(preset=preset, max_iter=60, hidden_layer_sizes=(16,)).fit(FRAME, PRICE)
        assert model.score(FRAME, PRICE) > 0.4
        assert PRICE.min() <= model.predict(FRAME).min()
        assert model.predict(FRAME).max() <= PRICE.max()

    def test_several_numbers_are_learnt_and_named(self, preset):
        Y = pd.DataFrame({"price": PRICE, "half": PRICE / 2})
        model = regressor(preset=preset).fit(FRAME, Y)
        assert model.predict(FRAME).shape == (N, 2)
        assert model.n_outputs_ == 2
        assert model.explain(FRAME[:1]).names.outputs == ("price", "half")
        assert dp.check_gradients(*model.network_and_rows(FRAME[:3], Y[:3])).ok

    @pytest.mark.parametrize("kind", ["classes", "numbers"])
    @pytest.mark.one_in(3)
    def test_a_file_brings_everything_back(self, preset, kind, tmp_path):
        make, y = (classifier, KIND) if kind == "classes" else (regressor, PRICE)
        model = make(preset=preset).fit(FRAME, y)
        model.save(tmp_path / "m")
        loaded = dp.load(tmp_path / "m")
        assert type(loaded) is type(model)
        assert loaded.get_params() == model.get_params()
        np.testing.assert_array_equal(loaded.predict(FRAME), model.predict(FRAME))
        facts = {name for name in vars(model) if name.endswith("_")}
        assert {name for name in vars(loaded) if name.endswith("_")} == facts
        for name in facts - {"coefs_", "intercepts_", "classes_", "feature_names_in_", "model_"}:
            assert getattr(loaded, name) == getattr(model, name), name
        # a table's model for whoever has no scikit-learn
        table = restore_table_model(load_model(tmp_path / "m"), "m", dp.TableModel)
        assert isinstance(table, dp.TableModel)
        assert table.predict(FRAME).tolist() == model.predict(FRAME).tolist()

    def test_a_pickle_and_a_clone(self, preset):
        model = classifier(preset=preset).fit(FRAME, KIND)
        restored = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(restored.predict_proba(FRAME), model.predict_proba(FRAME))
        parameters = restored.model_.parameters
        assert parameters.W[-1].base is parameters.flat  # one vector and views into it, as before
        again = clone(model)
        assert not hasattr(again, "model_")
        np.testing.assert_array_equal(again.fit(FRAME, KIND).predict_proba(FRAME),
                                      model.predict_proba(FRAME))  # fmt: skip

    def test_the_attributes_tell_of_the_training(self, preset):
        model = classifier(preset=preset).fit(FRAME, KIND)
        members = model.model_.histories
        assert model.n_iter_ == 3 == len(model.loss_curve_) == len(model.validation_scores_)
        np.testing.assert_allclose(model.loss_curve_, np.mean([h.loss for h in members], axis=0))
        assert model.loss_ == model.loss_curve_[-1]
        best = [h.val_metric[h.best_epoch] for h in members]
        assert model.best_validation_score_ == pytest.approx(np.mean(best))
        assert model.history_ is members[0]
        assert model.network_ is model.model_.network
        assert [W.shape[1] for W in model.coefs_] == [6, 2]
        assert [b.shape for b in model.intercepts_] == [(6,), (2,)]
        assert (model.n_layers_, model.n_outputs_, model.out_activation_) == (3, 2, "softmax")
        assert model.best_loss_ is None

    @pytest.mark.one_in(3)
    def test_a_search_and_a_score_in_a_pipeline(self, preset):
        pipeline = make_pipeline(StandardScaler(), classifier(preset=preset, max_iter=10))
        assert cross_val_score(pipeline, NUMBERS, SIGN, cv=2).mean() > 0.5
        search = GridSearchCV(classifier(preset=preset), {"dropout": [0.0, 0.2]}, cv=2)
        assert search.fit(FRAME, KIND).best_params_["dropout"] in (0.0, 0.2)


@pytest.mark.slow  # starting the processes is
def test_two_processes_score_as_one():
    scores = [cross_val_score(classifier(preset="best"), FRAME, KIND, cv=3, n_jobs=n)
              for n in (1, 2)]  # fmt: skip
    np.testing.assert_array_equal(*scores)


class TestSettings:
    def test_what_is_changed_takes_the_place_of_the_presets(self):
        model = classifier(
            hidden_layer_sizes=[7, 5], activation="logistic", dropout=0.25, batch_size=8,
            learning_rate_init=0.5, max_iter=9, n_iter_no_change=4, validation_fraction=0.3,
            alpha=0.8, label_smoothing=0.2, members=1, ranges=4, calibrate=False, random_state=11,
            engine="reference", time_budget=60,
        )  # fmt: skip
        recipe = recipe_of(model, 100)
        assert recipe == dp.Recipe(
            preset="fast", hidden=(7, 5), activation="sigmoid", dropout=0.25, batch_size=8,
            learning_rate=0.5, epochs=9, patience=4, validation_share=0.3, l2=0.1, seed=11,
            engine="reference", time_budget=60, label_smoothing=0.2, members=1, ranges=4,
            calibrate=False,
        )  # fmt: skip

    @pytest.mark.parametrize("preset", ["fast", "best"])
    def test_what_is_not_is_left_to_it(self, preset):
        recipe = recipe_of(dp.MLPClassifier(preset=preset, random_state=3), 100)
        assert recipe == dp.Recipe(preset=preset, seed=3)
        assert recipe_of(dp.MLPRegressor(preset=preset, random_state=3), 100) == recipe

    def test_patience_may_be_without_end(self):
        recipe = recipe_of(classifier(n_iter_no_change=np.inf), 100)
        assert recipe.patience > 10**9

    @pytest.mark.parametrize(
        ("setting", "value"),
        [("solver", "sgd"), ("momentum", 0.5), ("tol", 1e-3), ("warm_start", True),
         ("early_stopping", True), ("optimizer", "adamw"),
         ("shuffle", False), ("learning_rate", "adaptive"),
         ("dtype", "float64"), ("beta_1", 0.8), ("max_fun", 3), ("power_t", 0.1)],
    )  # fmt: skip
    def test_what_a_preset_does_not_have_is_refused_by_name(self, setting, value):
        with pytest.raises(SettingError, match=rf"preset='fast' has no {setting}: ") as refused:
            classifier(**{setting: value}).fit(FRAME, KIND)
        assert "\n" not in str(refused.value)

    def test_all_of_them_are_named_together(self):
        with pytest.raises(SettingError, match=r"has no solver, tol: .* Leave them out"):
            regressor(loss="huber", solver="lbfgs", tol=0.1).fit(FRAME, PRICE)

    def test_one_activation_is_for_all_layers(self):
        same = classifier(hidden_layer_sizes=(4, 4), activation=("tanh", "tanh"))
        assert recipe_of(same, 10).activation == "tanh"
        with pytest.raises(SettingError, match="one activation for all hidden layers"):
            classifier(hidden_layer_sizes=(4, 4), activation=("tanh", "silu")).fit(FRAME, KIND)

    @pytest.mark.parametrize("preset", ["bset", 3, "", "PLAIN"])
    def test_an_unknown_preset_is_refused(self, preset):
        with pytest.raises(SettingError, match=r"preset is .* one of fast, best, plain"):
            classifier(preset=preset).fit(FRAME, KIND)

    def test_values_out_of_range_are_refused_as_ever(self):
        for settings in ({"dropout": 1.0}, {"max_iter": 0}, {"random_state": "x"}, {"verbose": -1}):
            with pytest.raises(ValueError, match=next(iter(settings)) + "|cannot be used to seed"):
                classifier(**settings).fit(FRAME, KIND)

    def test_there_is_no_partial_fit(self):
        assert not hasattr(classifier(), "partial_fit")
        with pytest.raises(AttributeError) as refused:
            classifier().partial_fit(FRAME, KIND)
        assert "there without a preset; 'fast' plans" in str(refused.value.__cause__)

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_no_preset_is_the_default_and_as_ever(self):
        without, named = (dp.MLPClassifier(**QUICK, **more).fit(NUMBERS, SIGN)
                          for more in ({}, {"preset": None}))  # fmt: skip
        np.testing.assert_array_equal(without.coefs_[0], named.coefs_[0])
        assert not hasattr(without, "model_")

    def test_plain_is_the_textbook_here_as_everywhere(self):
        estimator = dp.MLPClassifier(preset="plain", max_iter=3, random_state=5).fit(FRAME, KIND)
        model = dp.TableModel.fit(FRAME, KIND, recipe=dp.Recipe(preset="plain", epochs=3, seed=5))
        assert estimator.model_.recipe == model.recipe
        assert estimator.network_ == model.network
        assert [row.name for row in estimator.network_.activations] == ["tanh"]

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_an_estimator_may_change_its_preset(self, tmp_path):
        model = classifier().fit(NUMBERS, SIGN)
        fast = model.predict_proba(NUMBERS)
        plain = dp.MLPClassifier(**QUICK).fit(NUMBERS, SIGN).predict_proba(NUMBERS)
        model.set_params(preset=None, warm_start=True).fit(NUMBERS, SIGN)
        np.testing.assert_array_equal(model.predict_proba(NUMBERS), plain)
        model.save(tmp_path / "m")
        np.testing.assert_array_equal(dp.load(tmp_path / "m").predict_proba(NUMBERS), plain)
        model.set_params(preset="fast", warm_start=False).fit(NUMBERS, SIGN)
        np.testing.assert_array_equal(model.predict_proba(NUMBERS), fast)
        model.set_params(preset=None).partial_fit(NUMBERS, SIGN)
        assert not hasattr(model, "model_")

    def test_tags_say_what_it_takes(self):
        tags = classifier().__sklearn_tags__()
        assert (tags.input_tags.sparse, tags.input_tags.allow_nan) == (True, True)
        assert tags.classifier_tags.multi_label
        plain = dp.MLPClassifier().__sklearn_tags__()
        assert (plain.input_tags.sparse, plain.input_tags.allow_nan) == (True, False)


class TestTraining:
    def test_callbacks_checkpoint_and_resume(self, tmp_path):
        whole = classifier(preset="best").fit(FRAME, KIND)
        path = tmp_path / "c"
        stopped = classifier(preset="best", checkpoint=path, callbacks=[lambda s: s.epoch == 0])
        assert stopped.fit(FRAME, KIND).n_iter_ == 1
        resumed = classifier(preset="best", checkpoint=path, resume=True).fit(FRAME, KIND)
        np.testing.assert_array_equal(resumed.predict_proba(FRAME), whole.predict_proba(FRAME))

    def test_random_states_of_every_kind(self):
        one, two = (classifier(random_state=np.random.RandomState(5)).fit(FRAME, KIND)
                    for _ in range(2))  # fmt: skip
        np.testing.assert_array_equal(one.predict_proba(FRAME), two.predict_proba(FRAME))
        classifier(random_state=None).fit(FRAME, KIND)
        assert recipe_of(classifier(random_state=np.int64(8)), 10).seed == 8

    def test_ctrl_c_is_said(self):
        import os
        import signal

        pressed = []

        def press(state):
            if not pressed:  # a second time would not be asked for an answer
                pressed.append(True)
                os.kill(os.getpid(), signal.SIGINT)

        with pytest.warns(UserWarning, match="Interrupted in epoch"):
            model = classifier(callbacks=[press], max_iter=10**6).fit(FRAME, KIND)
        assert model.predict(FRAME).shape == (N,)

    def test_an_explanation_proves_itself_in_the_users_names(self):
        model = classifier(preset="best").fit(FRAME, KIND)
        explanation = model.explain(FRAME[:2], learning_rate=0.01, optimizer=dp.Adam(0.01))
        assert explanation.verify()
        assert explanation.names.outputs == ("new", "old")
        assert "colour=red" in explanation.names.inputs
        assert explanation.actual_change < 0


def test_nothing_is_warned_about_an_ordinary_table():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier().fit(FRAME, KIND).predict(FRAME)
        regressor().fit(FRAME, PRICE).predict(FRAME)
