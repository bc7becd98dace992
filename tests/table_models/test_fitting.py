"""Fitting: seeds, callbacks, checkpoints, what a recipe says, what is refused."""

import numpy as np
import polars as pl
import pytest

import deltaprop as dp
from deltaprop.errors import DataError, SettingError
from helpers.tables import QUICK


class TestFitting:
    def test_the_same_seed_gives_the_same_bits_and_another_others(self, columns, answer):
        a, b, c = (
            dp.TableModel.fit(columns, answer, recipe=dp.Recipe(epochs=2, seed=seed))
            for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(a.parameters.flat, b.parameters.flat)
        assert (a.parameters.flat != c.parameters.flat).any()

    def test_what_the_table_says_is_learnt(self, columns, answer):
        recipe = dp.Recipe(epochs=150, hidden=(16,), dropout=0.0, learning_rate=0.02)
        model = dp.TableModel.fit(columns, answer, recipe=recipe)
        assert model.evaluate(columns, answer).figures["accuracy"] > 0.9

    def test_callbacks_are_told_and_can_stop(self, columns, answer):
        model = dp.TableModel.fit(
            columns, answer, recipe=QUICK, callbacks=[lambda state: state.epoch == 1]
        )
        assert model.history.stopped_because == "callback"
        assert model.history.n_epochs == 2

    def test_a_fit_that_was_stopped_goes_on_from_its_checkpoint(self, columns, answer, tmp_path):
        whole = dp.TableModel.fit(columns, answer, recipe=QUICK)
        settings = {"recipe": QUICK, "checkpoint": tmp_path / "c"}
        dp.TableModel.fit(columns, answer, callbacks=[lambda s: s.epoch == 0], **settings)
        resumed = dp.TableModel.fit(columns, answer, resume=True, **settings)
        np.testing.assert_array_equal(resumed.parameters.flat, whole.parameters.flat)
        assert resumed.history.loss == whole.history.loss

    @pytest.mark.parametrize(
        ("features", "target", "message"),
        [
            ({"x": [1, 2, 3]}, ["a", "b"], "There are 3 rows but 2 targets"),
            ({"x": [1, 2, 3]}, ["a", "a", "a"], "single class 'a'"),
            ({"x": [1, 2, 3]}, [0.5, 0.5, 0.5], "0.5 in all 3 rows"),
            ({"x": [1, 2, 3]}, ["a", None, "b"], "is missing .* in row 2"),
            ({"x": [1, 2, 3]}, [0.5, float("inf"), 1.0], "is infinite in row 2"),
            ({"x": [5, 5, 5]}, ["a", "b", "a"], "no column to learn from"),
            ({"x": [1.0, float("inf"), 3.0]}, ["a", "b", "a"], "inf in row 2"),
            ({}, ["a", "b"], "There are 0 rows but 2 targets"),
            ([], [], "list of 0 entries"),
        ],
    )
    def test_what_cannot_be_learnt_from_is_refused(self, features, target, message):
        with pytest.raises(DataError, match=message):
            dp.TableModel.fit(features, target)

    def test_no_rows_cannot_be_predicted(self, columns, answer):
        model = dp.TableModel.fit(columns, answer, recipe=QUICK)
        with pytest.raises(DataError, match="no rows to predict"):
            model.predict({name: [] for name in columns})


class TestRecipe:
    @pytest.mark.parametrize("share", [-0.1, 1.0, 2.0, float("nan")])
    def test_a_share_of_the_rows_is_below_one(self, share):
        with pytest.raises(SettingError, match="validation_share"):
            dp.Recipe(validation_share=share)

    @pytest.mark.parametrize(
        "settings",
        [{"hidden": (0,)}, {"hidden": (4.5,)}, {"activation": "reluu"}, {"dropout": 1.0},
         {"dropout": -0.1}, {"learning_rate": 0.0}, {"learning_rate": -1.0}, {"l2": -1.0},
         {"batch_size": 0}, {"epochs": 0}, {"patience": 0}, {"seed": -1}, {"engine": "gpu"},
         {"time_budget": 0.0}],
    )  # fmt: skip
    def test_a_setting_out_of_range_is_refused(self, columns, answer, settings):
        (name,) = settings
        shown = {"hidden": "width", "dropout": "drop"}.get(name, name.split("_")[0])
        with pytest.raises(dp.errors.DeltapropError, match=shown):
            dp.TableModel.fit(columns, answer, recipe=dp.Recipe(**settings))

    def test_the_network_is_as_the_recipe_says(self, columns, answer):
        recipe = dp.Recipe(
            preset="plain", hidden=(7, 5), activation="gelu", dropout=0.25, l2=0.5, epochs=1
        )
        network = dp.TableModel.fit(columns, answer, recipe=recipe).network
        assert network.sizes[1:] == (7, 5, 2)
        assert {row.name for row in network.activations} == {"gelu"}
        assert network.l2 == 0.5
        assert [d.drop_probability for d in network.dropouts if d] == [0.25, 0.25]

    def test_without_hidden_layers_it_is_softmax_regression(self, columns, answer):
        recipe = dp.Recipe(preset="plain", hidden=(), epochs=1)
        assert len(dp.TableModel.fit(columns, answer, recipe=recipe).network.computing_layers) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "target", "best", "figure"),
    [("penguins", "species", 0.95, "accuracy"), ("sonar", "Class", 0.70, "accuracy"),
     ("concrete", "compressive_strength", 0.75, "r2")],
)  # fmt: skip
def test_a_real_table_is_learnt_about_as_well_as_it_can_be(shared, name, target, best, figure):
    data = pl.read_csv(shared / "data" / f"{name}.csv.gz", null_values=["NA"])
    column = {c.casefold(): c for c in data.columns}[target.casefold()]
    data = data.filter(pl.col(column).is_not_null()).sample(fraction=1.0, shuffle=True, seed=0)
    n = int(0.75 * len(data))
    train, test = data[:n], data[n:]
    model = dp.TableModel.fit(train.drop(column), train[column])
    assert model.evaluate(test.drop(column), test[column]).figures[figure] > best
