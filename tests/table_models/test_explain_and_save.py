"""A table model explains its rows, and comes back from its file."""

import numpy as np
import pytest
from safetensors.numpy import load_file

import deltaprop as dp
from deltaprop.errors import DataError, ModelFileError, SettingError
from deltaprop.model.serialize import SavedModel
from helpers.tables import QUICK, head


class TestExplain:
    def test_a_row_is_explained_in_the_users_names(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, target_names=["answer"], recipe=QUICK)
        explanation = model.explain(head(columns, 1), answer[:1], where="row 1")
        assert explanation.names.inputs == model.inputs.output_names
        assert explanation.names.outputs == ("no", "yes")
        assert explanation.names.title == "The step row 1 would cause"
        assert explanation.verify()
        text = explanation.to_terminal(detail="overview")
        assert "size" in text
        assert "yes = " in text

    def test_it_shows_the_network_as_it_predicts(self, columns, answer):
        recipe = dp.Recipe(epochs=2, dropout=0.5, calibrate=False, members=1)
        model = dp.TableModel.fit(columns, answer, recipe=recipe)
        explanation = model.explain(head(columns, 3), answer[:3])
        np.testing.assert_allclose(
            explanation.trace.a[-1], model.predict_proba(head(columns, 3)), rtol=0, atol=1e-6
        )

    def test_of_several_networks_each_can_be_shown(self, columns, answer):
        recipe = dp.Recipe(epochs=2, calibrate=False, members=3, hidden=(4,))
        model = dp.TableModel.fit(columns, answer, recipe=recipe)
        each = [model.explain(head(columns, 3), answer[:3], member=i) for i in range(3)]
        np.testing.assert_allclose(
            np.mean([one.trace.a[-1] for one in each], axis=0),
            model.predict_proba(head(columns, 3)),
            rtol=0,
            atol=1e-6,
        )
        assert each[2].names.title == "The step these rows would cause, in network 3 of 3"
        with pytest.raises(SettingError, match="the model has 3, from 0 to 2"):
            model.explain(head(columns, 1), answer[:1], member=3)

    def test_a_networks_gradients_on_rows_of_the_table_are_proved(self, columns, answer):
        recipe = dp.Recipe(preset="best", epochs=2, members=2, hidden=(4,))
        model = dp.TableModel.fit(columns, answer, recipe=recipe)
        for member in range(2):
            given = model.network_and_rows(head(columns, 4), answer[:4], member=member)
            assert dp.check_gradients(*given).ok
        with pytest.raises(DataError, match="There are 4 rows but 3 targets"):
            model.network_and_rows(head(columns, 4), answer[:3])

    def test_the_model_is_left_as_it_is(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, recipe=QUICK)
        before = model.parameters.flat.copy()
        model.explain(head(columns, 1), answer[:1], learning_rate=10.0)
        np.testing.assert_array_equal(model.parameters.flat, before)

    def test_the_loss_falls_along_the_step_it_shows(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, recipe=QUICK)
        explanation = model.explain(head(columns, 1), answer[:1], learning_rate=1e-4)
        assert explanation.actual_change < 0


class TestFiles:
    @pytest.fixture
    def model(self, columns, answer):
        return dp.TableModel.fit(columns, answer, target_names=["answer"], recipe=QUICK)

    def test_everything_comes_back(self, model, columns, tmp_path):
        model.save(tmp_path / "m")
        again = dp.load(tmp_path / "m")
        assert again.network == model.network
        assert again.recipe == model.recipe
        assert again.history == model.history
        assert again.inputs == model.inputs
        assert again.target.to_dict() == model.target.to_dict()
        assert (again.n_train, again.n_val) == (model.n_train, model.n_val)
        np.testing.assert_array_equal(again.predict_proba(columns), model.predict_proba(columns))

    def test_a_bare_network_is_loaded_as_what_it_is(self, tmp_path, rng):
        network = dp.Network([2, 2])
        parameters = network.init(rng)
        dp.save(tmp_path / "m", network, parameters)
        loaded = dp.load(tmp_path / "m")
        assert isinstance(loaded, SavedModel)
        assert loaded.network == network
        np.testing.assert_array_equal(loaded.parameters.flat, parameters.flat)

    def test_a_model_whose_history_has_infinite_figures_is_saved(self, model, tmp_path):
        model.history.val_loss[0] = float("inf")
        model.save(tmp_path / "m")
        assert dp.load(tmp_path / "m").history == model.history

    @pytest.mark.parametrize(
        "change",
        [
            lambda t, r: t.pop("inputs"),
            lambda t, r: t.update(inputs=t["target"]),
            lambda t, r: t.update(target=t["inputs"]),
            lambda t, r: t["inputs"].pop("columns"),
            lambda t, r: t["target"].update(classes=["a", "b", "c"]),
            lambda t, r: t["target"].update(names=3),
            lambda t, r: r.pop("recipe"),
            lambda t, r: r.update(recipe={"hidden": 3}),
            lambda t, r: r.update(recipe={"evil": 3, "hidden": []}),
            lambda t, r: r.update(history="none"),
            lambda t, r: r.update(history={"loss": "x"}),
            lambda t, r: r.update(n_train="many"),
            lambda t, r: r.update(n_val=None),
        ],
    )
    @pytest.mark.one_in(5)
    def test_a_table_that_does_not_fit_is_refused(self, model, tmp_path, change):
        table = {"inputs": model.inputs.to_dict(), "target": model.target.to_dict()}
        record = {
            "history": model.history.to_dict(), "recipe": {"hidden": [8]}, "n_train": 1, "n_val": 0,
        }  # fmt: skip
        change(table, record)
        dp.save(tmp_path / "m", model.network, model.parameters, table=table, training=record)
        with pytest.raises(ModelFileError, match="damaged"):
            dp.load(tmp_path / "m")

    def test_the_file_is_plain_safetensors(self, model, tmp_path):
        model.save(tmp_path / "m")
        np.testing.assert_array_equal(
            load_file(tmp_path / "m")["parameters"], model.parameters.flat
        )

    def test_every_flipped_byte_of_a_model_is_noticed(self, model, columns, tmp_path, rng):
        path = tmp_path / "m"
        model.save(path)
        content, before = path.read_bytes(), model.predict_proba(columns)
        refused = 0
        for place in rng.integers(len(content), size=120).tolist():
            damaged = bytearray(content)
            damaged[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(bytes(damaged))
            try:
                loaded = dp.load(path)
            except ModelFileError:
                refused += 1
                continue
            np.testing.assert_array_equal(loaded.predict_proba(columns), before)
        assert refused > 100
