"""Estimators with presets: their files, and reports about them."""

import json

import pytest

import deltaprop as dp
from deltaprop.errors import DeltapropError, ModelFileError, SettingError
from deltaprop.model.serialize import load_model, save_model
from helpers.presets import FRAME, KIND, NUMBERS, PRICE, SIGN, classifier, regressor


class TestFiles:
    @pytest.fixture
    def saved(self, tmp_path):
        classifier(preset="best").fit(FRAME, KIND).save(tmp_path / "m")
        return load_model(tmp_path / "m")

    @pytest.mark.parametrize(
        "change",
        [
            lambda f: f["facts"].update(_places=[1, 0]),
            lambda f: f["facts"].update(_places=[0, 0]),
            lambda f: f["facts"].update(_places=[0, 5]),
            lambda f: f["facts"].update(_places=[-2, -1]),
            lambda f: f["facts"].update(_places="01"),
            lambda f: f["facts"].update(_by_name="yes"),
            lambda f: f["facts"].update(_target_names="age"),
            lambda f: f["facts"].update(n_features_in_=3),
            lambda f: f["facts"].update(network_=3),
            lambda f: f["facts"].pop("_places"),
            lambda f: f["arrays"].pop("classes_"),
            lambda f: f["arrays"]["classes_"].update(values=["a", "b"]),
            lambda f: f["arrays"]["feature_names_in_"].update(values=["a"]),
            lambda f: f["settings"].update(preset="turbo"),
            lambda f: f["settings"].update(solver="sgd"),
            lambda f: f["settings"].update(evil=1),
            lambda f: f.update({"class": "MLPRegressor"}),
            lambda f: f.update({"class": "os.system"}),
            lambda f: f.update(format="deltaprop-estimator/9"),
            lambda f: f.pop("facts"),
        ],
    )
    @pytest.mark.one_in(3)
    def test_whatever_was_not_written_by_it_is_refused(self, saved, change, tmp_path):
        facts = json.loads(json.dumps(saved.training["estimator"]))
        change(facts)
        training = {**saved.training, "estimator": facts}
        save_model(tmp_path / "m", saved.network, saved.parameters, table=saved.table,
                   training=training, arrays=saved.arrays)  # fmt: skip
        with pytest.raises(ModelFileError, match="is damaged or of a newer kind") as refused:
            dp.load(tmp_path / "m")
        assert "\n" not in str(refused.value)

    @pytest.mark.parametrize("absent", ["table", "member.3", "training"])
    def test_a_part_that_is_absent_is_noticed(self, saved, absent, tmp_path):
        arrays = {name: a for name, a in saved.arrays.items() if name != absent}
        training = dict(saved.training)
        if absent == "training":
            training = {"estimator": training["estimator"]}
        save_model(tmp_path / "m", saved.network, saved.parameters, arrays=arrays,
                   table=None if absent == "table" else saved.table, training=training)  # fmt: skip
        with pytest.raises(DeltapropError, match="damaged"):
            dp.load(tmp_path / "m")


class TestReport:
    @pytest.mark.parametrize("preset", ["fast", "best"])
    def test_an_estimator_is_reported_as_its_model(self, preset, tmp_path):
        model = classifier(preset=preset).fit(FRAME, KIND)
        found = dp.report(model, FRAME, KIND, tmp_path / "r.html")
        assert found.origin.n_train == model.model_.n_train
        assert found.origin.target == ("age",)
        assert found.hardest
        for hard in found.hardest:  # the numbers are those of the user's table
            assert hard.true == KIND[hard.row - 1]
            assert dict(hard.cells)["colour"] == FRAME["colour"][hard.row - 1]

    def test_with_validation_rows(self):
        model = regressor().fit(FRAME[:40], PRICE[:40], X_val=FRAME[40:], y_val=PRICE[40:])
        found = dp.report(model, FRAME[:40], PRICE[:40], validation=(FRAME[40:], PRICE[40:]))
        assert found.origin.n_val == 20

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_a_plain_one_is_refused_in_one_sentence(self):
        with pytest.raises(SettingError, match="preset='fast' or 'best'; found MLPClassifier"):
            dp.report(dp.MLPClassifier(max_iter=1).fit(NUMBERS, SIGN), NUMBERS, SIGN)
