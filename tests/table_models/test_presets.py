"""Presets: what they decide, what somebody may decide otherwise, and what they learn."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DataError, ModelFileError, SettingError
from deltaprop.model.serialize import load_model, save_model
from deltaprop.table_models.plan import Facts
from deltaprop.table_models.presets import PRESETS, plan_for
from deltaprop.table_models.split import fold_of_each_row, split

N = 60
_rng = np.random.default_rng(4)
TABLE = {
    "size": _rng.normal(size=N).tolist(),
    "colour": _rng.choice(["red", "green", "blue"], size=N).tolist(),
    "town": [f"town {i}" for i in _rng.integers(12, size=N)],
    "old": (_rng.random(N) < 0.5).tolist(),
}
KIND = ["yes" if s > 0 else "no" for s in TABLE["size"]]
NUMBER = [3 * s + (c == "red") for s, c in zip(TABLE["size"], TABLE["colour"], strict=True)]
FACTS = {
    "classes": Facts(1000, 20, 3, "classification", n_numbers=5, categories=(12,)),
    "numbers": Facts(1000, 20, 1, "regression", n_numbers=5),
    "images": Facts(1000, 20, 3, "classification", columns=False),
    "one row": Facts(1, 1, 2, "classification", n_numbers=1),
    "many rows": Facts(10**7, 20, 1, "regression"),
}
CHOICES = {
    "hidden": (7, 5), "activation": "gelu", "dropout": 0.25, "learning_rate": 0.5, "l2": 0.125,
    "batch_size": 9, "epochs": 11, "patience": 4, "members": 3,
}  # fmt: skip


def quick(preset="fast", **settings):
    return dp.Recipe(preset=preset, **{"hidden": (4,), "epochs": 2, **settings})


def rows(n):
    return {name: cells[:n] for name, cells in TABLE.items()}


class TestPlans:
    @pytest.mark.parametrize("preset", PRESETS)
    @pytest.mark.parametrize("name", FACTS)
    def test_every_preset_has_a_plan_for_every_table(self, preset, name):
        facts = FACTS[name]
        plan = plan_for(preset, facts, {})
        network = plan.network(facts)
        loss = "cross_entropy" if facts.task == "classification" else "half_squared_error"
        assert network.loss_name == loss
        assert (network.n_in, network.n_out) == (facts.n_in, facts.n_out)
        assert plan.epochs >= 1 <= plan.batch_size
        assert plan.members >= 1
        assert plan.optimizer().learning_rate

    @pytest.mark.parametrize("preset", PRESETS)
    @pytest.mark.parametrize("name", CHOICES)
    @pytest.mark.parametrize("facts", FACTS)
    def test_what_is_chosen_takes_its_place_and_all_else_stays(self, preset, name, facts):
        plan = plan_for(preset, FACTS[facts], {name: CHOICES[name]})
        expected = vars(plan_for(preset, FACTS[facts], {})) | {name: CHOICES[name]}
        if name == "dropout":  # then it is everybody's
            expected["alternates"] = False
        assert vars(plan) == expected

    def test_every_other_member_of_best_has_no_dropout(self):
        facts = FACTS["classes"]
        networks = plan_for("best", facts, {}).networks(facts)
        drops = [any(network.dropouts) for network in networks]
        assert drops == [True, False] * 4
        assert len({network.layout.size for network in networks}) == 1
        chosen = plan_for("best", facts, {"dropout": 0.3}).networks(facts)
        assert all(any(network.dropouts) for network in chosen)

    def test_waves_are_for_numbers_without_ranges(self):
        facts = FACTS["numbers"]
        for ranges in (False, True):
            given = replace(facts, divided=ranges)
            network = plan_for("best", given, {}).network(given)
            waves = [layer for layer in network.layers if isinstance(layer, dp.PeriodicEmbedding)]
            assert len(waves) == (not ranges)
        many = replace(facts, n_in=600, n_numbers=600)  # five inputs for each were too many
        assert len(plan_for("best", many, {}).network(many).layers) == len(network.layers)

    def test_none_is_no_choice(self):
        facts = FACTS["classes"]
        assert plan_for("fast", facts, dict.fromkeys(CHOICES)) == plan_for("fast", facts, {})

    @pytest.mark.parametrize("preset", PRESETS)
    def test_no_step_is_left_with_a_few_rows(self, preset):
        for n in (1, 19, 255, 257, 300, 1000, 10_007):
            assert plan_for(preset, Facts(n, 3, 2, "classification"), {}).batch_size >= 1

    def test_pixels_and_texts_are_no_columns(self):
        for preset in ("fast", "best"):
            network = plan_for(preset, FACTS["images"], {}).network(FACTS["images"])
            assert network.is_dense_only
        assert plan_for("fast", FACTS["images"], {}).members == 1
        assert plan_for("best", FACTS["images"], {}).members == 6

    def test_the_textbook_hides_nothing(self):
        plan = plan_for("plain", FACTS["classes"], {})
        network = plan.network(FACTS["classes"])
        assert network.is_dense_only
        assert (plan.dropout, plan.l2, network.label_smoothing, plan.members) == (0, 0, 0, 1)
        assert isinstance(plan.optimizer(), dp.GradientDescent)

    def test_numbers_are_not_smoothed(self):
        for preset in PRESETS:
            plan = plan_for(preset, FACTS["numbers"], {})
            network = plan.network(FACTS["numbers"])
            assert network.label_smoothing == 0


class TestRefusals:
    @pytest.mark.parametrize("preset", ["Fast", "bst", "", None, 3])
    def test_an_unknown_preset(self, preset):
        with pytest.raises(SettingError, match="it is one of fast, best, plain"):
            dp.Recipe(preset=preset)

    def test_a_typing_error_is_guessed(self):
        with pytest.raises(SettingError, match="Did you mean 'plain'"):
            dp.Recipe(preset="plane")

    @pytest.mark.parametrize("preset", PRESETS)
    @pytest.mark.parametrize(
        ("settings", "says"),
        [({"hidden": (0,)}, "width"), ({"activation": "reluu"}, "relu"),
         ({"dropout": 1.0}, "dropout"),
         ({"dropout": -0.1}, "dropout"), ({"learning_rate": 0.0}, "learning"), ({"l2": -1.0}, "l2"),
         ({"batch_size": 0}, "batch_size"), ({"epochs": 0}, "epochs"),
         ({"patience": 0}, "patience"),
         ({"members": 0}, "members"), ({"members": 1.5}, "members"), ({"seed": -1}, "seed"),
         ({"time_budget": 0.0}, "time_budget"), ({"validation_share": 1.0}, "validation_share"),
         ({"calibrate": 1}, "calibrate")],
    )  # fmt: skip
    def test_a_setting_out_of_range(self, preset, settings, says):
        with pytest.raises(SettingError, match=says):
            dp.Recipe(preset=preset, **settings)


@pytest.mark.parametrize("preset", PRESETS)
class TestEveryPreset:
    def test_classes(self, preset):
        model = dp.TableModel.fit(TABLE, KIND, recipe=quick(preset))
        p = model.predict_proba(TABLE)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        assert model.calibration is not None
        assert model.limits is None

    def test_numbers(self, preset):
        model = dp.TableModel.fit(TABLE, NUMBER, recipe=quick(preset))
        assert model.predict(TABLE).shape == (N,)
        assert (model.limits is not None) == (preset != "plain")

    def test_several_numbers(self, preset):
        Y = np.column_stack([NUMBER, np.arange(N)])
        model = dp.TableModel.fit(TABLE, Y, recipe=quick(preset))
        assert model.predict(TABLE).shape == (N, 2)

    def test_images(self, preset, rng):
        images = rng.integers(0, 256, size=(40, 4, 4), dtype=np.uint8)
        model = dp.TableModel.fit(images, np.arange(40) % 2, recipe=quick(preset))
        assert model.network.is_dense_only
        assert model.n_train + model.n_val == (80 if preset == "best" else 40)
        assert model.predict(images).shape == (40,)

    def test_columns_of_text(self, preset, rng):
        words = ["good", "bad", "film", "story", "slow", "fine", "red", "blue"]
        text = [" ".join(rng.choice(words, 6)) for _ in range(120)]
        table = {"review": text, "minutes": rng.normal(size=120)}
        y = ["yes" if "good" in t else "no" for t in text]
        model = dp.TableModel.fit(table, y, recipe=quick(preset))
        assert model.network.is_dense_only
        assert model.calibration.rows == model.n_val  # rows were held out, from one network
        assert model.predict(table).shape == (120,)
        dp.report(model, table, y)

    @pytest.mark.parametrize("n", [2, 19, 20, 21])
    @pytest.mark.one_in(5)
    def test_tiny_tables(self, preset, n):
        y = [i % 2 for i in range(n)]
        table = {name: TABLE[name][:n] for name in ("size", "old")}
        model = dp.TableModel.fit(table, y, recipe=quick(preset))
        assert (model.n_val > 0) == (n >= 20)
        assert (model.calibration is not None) == (n >= 20)
        assert model.predict_proba(table).shape == (n, 2)
        numbers = dp.TableModel.fit(table, np.arange(n) + 0.5, recipe=quick(preset))
        assert numbers.predict(table).shape == (n,)

    def test_one_row_is_too_few(self, preset):
        for target in (["a"], [1.5]):
            with pytest.raises(DataError, match="in all 1 rows"):
                dp.TableModel.fit(rows(1), target, recipe=quick(preset))

    def test_a_class_of_a_single_row(self, preset):
        model = dp.TableModel.fit(TABLE, ["rare", *KIND[1:]], recipe=quick(preset))
        assert model.class_names == ("no", "rare", "yes")

    def test_weights_of_zero_are_no_rows(self, preset):
        weights = np.ones(N)
        weights[:5] = 0
        model = dp.TableModel.fit(TABLE, KIND, sample_weight=weights, recipe=quick(preset))
        assert np.isfinite(model.predict_proba(TABLE)).all()

    def test_nothing_is_held_out_where_that_is_wanted(self, preset):
        model = dp.TableModel.fit(TABLE, KIND, recipe=quick(preset, validation_share=0.0))
        assert (model.n_train, model.n_val, model.calibration) == (N, 0, None)
        assert {history.best_epoch for history in model.histories} == {None}


class TestMembers:
    @pytest.mark.parametrize("preset", PRESETS)
    def test_each_holds_another_share_out_and_their_outputs_are_averaged(self, preset):
        model = dp.TableModel.fit(TABLE, KIND, recipe=quick(preset, members=3))
        assert len(model.members) == len(model.histories) == 3
        assert (model.n_train, model.n_val) == (N, N)
        x = model.encode(TABLE)
        each = [model.outputs_of(x, np.full(N, i)) for i in range(3)]
        np.testing.assert_allclose(model.predict_proba(TABLE), np.mean(each, axis=0), rtol=1e-6)
        assert not np.allclose(each[0], each[1])
        folds = fold_of_each_row(model.target.encode(KIND), 3, 0)
        kept = model.histories[1].val_metric[model.histories[1].best_epoch]
        right = each[1].argmax(axis=1) == model.target.encode(KIND)
        assert kept == pytest.approx(right[folds == 1].mean())

    def test_the_temperature_is_that_of_rows_nobody_learnt(self):
        model = dp.TableModel.fit(TABLE, KIND, recipe=quick(members=3))
        assert model.calibration.rows == N
        given = dp.TableModel.fit(
            rows(40), KIND[:40], validation=(rows(60), KIND), recipe=quick(members=3)
        )
        assert given.calibration.rows == 3 * N

    def test_a_given_validation_table_chooses_for_all(self):
        later = {name: cells[40:] for name, cells in TABLE.items()}
        model = dp.TableModel.fit(
            rows(40), KIND[:40], validation=(later, KIND[40:]), recipe=quick(members=3)
        )
        assert (model.n_train, model.n_val) == (40, 20)
        x, y = model.encode(later), model.target.encode(KIND[40:])
        for i, history in enumerate(model.histories):
            right = model.outputs_of(x, np.full(20, i)).argmax(axis=1) == y
            assert history.val_metric[history.best_epoch] == pytest.approx(right.mean())

    def test_more_members_than_the_rows_bear_hold_the_same_rows_out(self):
        model = dp.TableModel.fit(rows(30), KIND[:30], recipe=quick(members=16))
        assert (model.n_train, model.n_val) == (len(split(np.zeros(30, int), 0.15, 0)[0]), 4)
        dp.report(model, rows(30), KIND[:30])

    def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(self):
        a, b = (
            dp.TableModel.fit(TABLE, KIND, recipe=quick("best", members=3), n_threads=n)
            for n in (1, 2)
        )
        for one, other in zip(a.members, b.members, strict=True):
            np.testing.assert_array_equal(one.flat, other.flat)

    def test_the_largest_seed_is_one_like_any(self):
        dp.TableModel.fit(TABLE, KIND, recipe=quick(members=2, seed=2**64 - 1))

    def test_predicted_numbers_stay_among_those_that_were_learnt(self):
        model = dp.TableModel.fit(TABLE, NUMBER, recipe=quick(epochs=20))
        far = {**rows(2), "size": [1e9, -1e9]}
        predicted = model.predict(far)
        assert (predicted >= min(NUMBER) - 1e-9).all()
        assert (predicted <= max(NUMBER) + 1e-9).all()

    @pytest.mark.parametrize("target", [KIND, NUMBER], ids=["classes", "numbers"])
    def test_a_file_brings_all_members_back(self, target, tmp_path):
        model = dp.TableModel.fit(TABLE, target, recipe=quick("best", members=3))
        model.save(tmp_path / "m")
        again = dp.load(tmp_path / "m")
        assert again.recipe == model.recipe
        assert again.histories == model.histories
        assert again.seconds == model.seconds
        for one, other in zip(again.members, model.members, strict=True):
            np.testing.assert_array_equal(one.flat, other.flat)
        np.testing.assert_array_equal(again.predict(TABLE), model.predict(TABLE))

    @pytest.mark.parametrize(
        "change",
        [
            lambda t, a: a.pop("member.2"),
            lambda t, a: a.update({"member.3": a["member.3"][:-1]}),
            lambda t, a: a.update({"member.3": a["member.3"].reshape(1, -1)}),
            lambda t, a: a.update(limits=np.zeros((2, 2))),
            lambda t, a: a.update(limits=np.array([[2.0], [1.0]])),
            lambda t, a: t.update(other_histories=3),
            lambda t, a: t.update(other_histories=[3]),
            lambda t, a: t.update(other_histories={"a": 1}),
            lambda t, a: t["recipe"].update(preset="turbo"),
            lambda t, a: t["recipe"].update(members="many"),
        ],
    )
    @pytest.mark.one_in(5)
    def test_a_file_that_does_not_fit_is_refused(self, change, tmp_path):
        dp.TableModel.fit(TABLE, NUMBER, recipe=quick(members=3)).save(tmp_path / "m")
        saved = load_model(tmp_path / "m")
        change(saved.training, saved.arrays)
        save_model(tmp_path / "m", saved.network, saved.parameters, table=saved.table,
                   training=saved.training, arrays=saved.arrays)  # fmt: skip
        with pytest.raises(ModelFileError, match="damaged"):
            dp.load(tmp_path / "m")

    @pytest.mark.parametrize("preset", ["fast", "best"])
    def test_a_fit_that_was_stopped_goes_on_from_its_checkpoints(self, preset, tmp_path):
        recipe = quick(preset, members=3, epochs=5)
        whole = dp.TableModel.fit(TABLE, KIND, recipe=recipe)
        settings = {"recipe": recipe, "checkpoint": tmp_path / "c"}
        dp.TableModel.fit(TABLE, KIND, callbacks=[lambda state: state.epoch == 1], **settings)
        resumed = dp.TableModel.fit(TABLE, KIND, resume=True, **settings)
        for one, other in zip(resumed.members, whole.members, strict=True):
            np.testing.assert_array_equal(one.flat, other.flat)
        assert [h.loss for h in resumed.histories] == [h.loss for h in whole.histories]

    def test_nothing_is_trained_where_the_memory_is_not_enough(self):
        announced = []
        with pytest.raises(MemoryError):
            dp.TableModel.fit(TABLE, KIND, recipe=quick(hidden=(9_999_999, 9_999_999)),
                              announce=lambda *_: announced.append(1))  # fmt: skip
        assert announced == []

    def test_an_ordinary_table_is_no_reason_to_warn(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dp.TableModel.fit(TABLE, KIND, recipe=quick("fast"))
            dp.TableModel.fit(TABLE, KIND, recipe=quick("plain"))
