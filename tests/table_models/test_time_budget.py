"""What a time budget buys: as many epochs and networks as there is time for."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DeltapropError, DivergedWarning
from deltaprop.reporting.figures.rows import split_as_fitted
from deltaprop.table_models import prepare as preparing
from deltaprop.table_models import time_budget as pacing
from deltaprop.table_models.plan import Facts
from deltaprop.table_models.rows import Portion
from deltaprop.table_models.time_budget import paced, within

FACTS = Facts(8_000, 5, 3, "classification")  # fast: six networks, 128 epochs


def plan_of(recipe, facts=FACTS):
    return recipe.plan(facts)


@pytest.mark.parametrize(
    ("n_epochs", "members", "epochs"),
    [
        (1e9, 6, 128),
        (768.0, 6, 128),
        (600.0, 6, 100),
        (192.0, 6, 32),
        (191.0, 5, 38),
        (64.0, 2, 32),
        (33.0, 1, 33),
        (7.9, 1, 7),
        (0.0, 1, 1),
    ],
)
def test_fewer_epochs_and_then_fewer_members(n_epochs, members, epochs):
    recipe = dp.Recipe()
    found = within(plan_of(recipe), recipe, n_epochs)
    assert (found.members, found.epochs) == (members, epochs)


@pytest.mark.parametrize(
    ("recipe", "n_epochs", "members", "epochs"),
    [
        (dp.Recipe(members=4), 8.0, 4, 2),
        (dp.Recipe(epochs=50), 8.0, 6, 50),
        (dp.Recipe(epochs=50), 3.5, 3, 50),
        (dp.Recipe(epochs=50, members=4), 0.1, 4, 50),
    ],
)
def test_what_somebody_chose_stays(recipe, n_epochs, members, epochs):
    found = within(plan_of(recipe), recipe, n_epochs)
    assert (found.members, found.epochs) == (members, epochs)


class TestMeasuring:
    """The look at the machine, with seconds of the test's own."""

    @pytest.fixture
    def measured(self, monkeypatch):
        asked = {}

        def train_members(network, members, X, y, **settings):
            asked.update(settings)
            return [SimpleNamespace(**asked["history"])]

        monkeypatch.setattr("deltaprop.table_models.learning.train_members", train_members)
        monkeypatch.setattr(pacing, "available_cores", lambda: 2)
        return asked

    def ask(self, recipe, budget):
        rng = np.random.default_rng(0)
        rows = Portion(rng.normal(size=(8_000, 5)), rng.integers(0, 3, 8_000))
        self.budget = SimpleNamespace(for_training=budget)
        return paced(plan_of(recipe), recipe, FACTS, rows, self.budget, None)

    def test_the_seconds_of_an_epoch_decide(self, measured):
        measured["history"] = {"seconds": [0.1], "n_steps": 26, "stopped_because": "epochs"}
        plan = self.ask(dp.Recipe(), 20.0)  # 0.9 x 20 s, two epochs of 0.1 s at once
        assert (plan.members, plan.epochs) == (6, 60)
        assert self.budget.judging == pytest.approx(0.1 * 6 / 5, rel=1e-3)  # of all rows
        assert measured["time_budget"] == pytest.approx(1.0)
        assert measured["n_threads"] == 1
        assert len(set(measured["rows"][0])) == 8_000 - 8_000 // 6
        assert "validation_rows" not in measured  # of very many classes that takes its time

    def test_an_epoch_that_was_cut_off_counts_by_its_steps(self, measured):
        measured["history"] = {"seconds": [0.05], "n_steps": 13, "stopped_because": "time_budget"}
        assert self.ask(dp.Recipe(), 20.0).epochs == 60

    def test_one_that_diverged_at_once_tells_nothing(self, measured):
        measured["history"] = {"seconds": [], "n_steps": 0, "stopped_because": "diverged"}
        recipe = dp.Recipe()
        assert self.ask(recipe, 20.0) == plan_of(recipe)

    def test_ctrl_c_is_heard(self, measured):
        measured["history"] = {"seconds": [], "n_steps": 0, "stopped_because": "interrupted"}
        with pytest.raises(KeyboardInterrupt):
            self.ask(dp.Recipe(), 20.0)

    def test_the_textbook_is_not_measured(self, monkeypatch):
        monkeypatch.setattr(pacing, "train_briefly", None)
        recipe = dp.Recipe(preset="plain")
        assert self.ask(recipe, 1e-3) == plan_of(recipe)


@pytest.fixture
def table(rng):
    x = rng.normal(size=(300, 2))
    return {"a": x[:, 0], "b": x[:, 1]}, np.where(x.sum(axis=1) > 0, "yes", "no")


def with_members(monkeypatch, members):
    monkeypatch.setattr(
        preparing, "paced", lambda plan, recipe, *_: within(plan, recipe, 32.0 * members)
    )


class TestFitting:
    @pytest.mark.parametrize("task", ["classification", "regression"])
    def test_fewer_members_hold_out_larger_folds(self, table, monkeypatch, task):
        with_members(monkeypatch, 2)
        features, target = table
        target = target if task == "classification" else features["a"] * 3 + 1
        model = dp.TableModel.fit(features, target, recipe=dp.Recipe(time_budget=60.0))
        assert len(model.members) == 2
        assert {h.n_epochs for h in model.histories} == {32}
        assert model.n_train == model.n_val == 300
        assert (model.calibration is not None) == (task == "classification")
        learnt, held = split_as_fitted(model, features, target, None)
        assert len(learnt) == len(held) == 300

    @pytest.mark.parametrize("task", ["classification", "regression"])
    def test_a_single_one_holds_out_a_share(self, table, monkeypatch, task):
        with_members(monkeypatch, 1)
        features, target = table
        target = target if task == "classification" else features["a"] * 3 + 1
        weight = np.ones(300)
        recipe = dp.Recipe(time_budget=60.0)
        model = dp.TableModel.fit(features, target, sample_weight=weight, recipe=recipe)
        assert (model.n_train, model.n_val) == (255, 45)
        learnt, held = split_as_fitted(model, features, target, None)
        assert (len(learnt), len(held)) == (255, 45)
        name = "accuracy" if task == "classification" else "r2"
        assert model.evaluate(features, target).figures[name] > 0.8

    def test_a_run_that_goes_on_keeps_its_plan(self, table, monkeypatch, tmp_path):
        with_members(monkeypatch, 2)
        path = tmp_path / "run"

        def killed(state):
            if state.epoch == 3:
                raise RuntimeError("the process is gone")

        recipe = dp.Recipe(time_budget=60.0)
        with pytest.raises(RuntimeError):
            dp.TableModel.fit(*table, recipe=recipe, checkpoint=path, callbacks=[killed])
        assert json.loads(Path(f"{path}.plan").read_text())["members"] == 2
        monkeypatch.setattr(preparing, "paced", None)  # another day another speed: nobody looks
        resumed = dp.TableModel.fit(*table, recipe=recipe, checkpoint=path, resume=True)
        with_members(monkeypatch, 2)
        whole = dp.TableModel.fit(*table, recipe=recipe)
        assert [h.n_epochs for h in resumed.histories] == [32, 32]
        for one, other in zip(resumed.members, whole.members, strict=True):
            np.testing.assert_array_equal(one.flat, other.flat)

    def test_a_run_may_go_on_without_its_budget(self, table, monkeypatch, tmp_path):
        with_members(monkeypatch, 1)
        path = tmp_path / "run"
        first = dp.TableModel.fit(*table, recipe=dp.Recipe(time_budget=60.0), checkpoint=path)
        resumed = dp.TableModel.fit(*table, checkpoint=path, resume=True)
        assert [h.n_epochs for h in resumed.histories] == [32]
        assert resumed.n_val == first.n_val < 100

    def test_one_begun_without_a_budget_does_not_get_a_plan_later(self, table, tmp_path):
        path = tmp_path / "run"
        recipe = dp.Recipe(epochs=2)
        dp.TableModel.fit(*table, recipe=recipe, checkpoint=path)
        hurried = dp.Recipe(epochs=2, time_budget=1e-3)
        resumed = dp.TableModel.fit(*table, recipe=hurried, checkpoint=path, resume=True)
        assert [h.n_epochs for h in resumed.histories] == [2] * 6

    @pytest.mark.usefixtures("search_in_full")
    def test_the_ranges_are_not_chosen_again(self, monkeypatch, tmp_path, rng):
        x = rng.uniform(size=(600, 2))
        y = (np.floor(x[:, 0] * 9) % 2).astype(int)  # stripes: ranges help
        table = {"a": x[:, 0], "b": x[:, 1]}, y
        path, recipe = tmp_path / "run", dp.Recipe(epochs=2)
        first = dp.TableModel.fit(*table, recipe=recipe, checkpoint=path)
        assert first.inputs.n_outputs > 2
        asked = []
        choose = preparing.better_encoder

        def spy(encoders, *rest):
            asked.append(len(encoders))
            return choose(encoders, *rest)

        monkeypatch.setattr(preparing, "better_encoder", spy)
        resumed = dp.TableModel.fit(*table, recipe=recipe, checkpoint=path, resume=True)
        assert asked == [1]
        assert resumed.inputs == first.inputs
        other = dp.Recipe(epochs=2, ranges=0)
        with pytest.raises(DeltapropError, match=r"differs in .*data|the network"):
            dp.TableModel.fit(*table, recipe=other, checkpoint=path, resume=True)

    def test_other_settings_are_named(self, table, monkeypatch, tmp_path):
        with_members(monkeypatch, 2)
        path = tmp_path / "run"
        dp.TableModel.fit(*table, recipe=dp.Recipe(time_budget=60.0), checkpoint=path)
        for chosen in (dp.Recipe(epochs=5), dp.Recipe(epochs=50)):
            with pytest.raises(DeltapropError, match=r"differs in .*epochs"):
                dp.TableModel.fit(*table, recipe=chosen, checkpoint=path, resume=True)

    @pytest.mark.parametrize(
        "content",
        [
            b"", b"{", b"[]", b"\xff", b'{"members": 2}', b"[" * 100_000,
            b'{"ranges": 0, "members": 0, "epochs": 3}',
            b'{"ranges": -1, "members": 1, "epochs": 3}',
            b'{"ranges": 0, "members": "2", "epochs": 3}',
            b'{"ranges": true, "members": 2, "epochs": 3}',
        ],
    )  # fmt: skip
    @pytest.mark.one_in(5)
    def test_a_damaged_plan_is_named(self, table, tmp_path, content):
        path = tmp_path / "run"
        Path(f"{path}.plan").write_bytes(content)
        with pytest.raises(DeltapropError, match=r"run\.plan does not say what was planned"):
            dp.TableModel.fit(*table, recipe=dp.Recipe(epochs=1), checkpoint=path, resume=True)
        dp.TableModel.fit(*table, recipe=dp.Recipe(epochs=1), checkpoint=path)
        assert json.loads(Path(f"{path}.plan").read_text())["epochs"] == 1

    def test_a_budget_that_is_hardly_anything_trains_one_network(self, rng):
        X = rng.normal(size=(4_000, 30))
        model = dp.TableModel.fit(X, X[:, 0] > 0, recipe=dp.Recipe(time_budget=1e-3, ranges=0))
        assert len(model.members) == 1
        assert model.history.n_steps >= 1

    def test_enough_time_changes_nothing(self, table):
        recipe = dp.Recipe(epochs=3)
        model = dp.TableModel.fit(*table, recipe=recipe)
        paced_one = dp.TableModel.fit(*table, recipe=dp.Recipe(epochs=3, time_budget=600.0))
        for a, b in zip(model.members, paced_one.members, strict=True):
            np.testing.assert_array_equal(a.flat, b.flat)

    def test_a_table_that_diverges_warns_once(self, table):
        recipe = dp.Recipe(learning_rate=1e30, epochs=3, members=1, ranges=0, time_budget=600.0)
        with pytest.warns(DivergedWarning) as found:
            dp.TableModel.fit(*table, recipe=recipe)
        assert len([w for w in found if w.category is DivergedWarning]) == 1
