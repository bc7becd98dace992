"""A time budget has one beginning and one end: whatever is done on the way counts."""

import time
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import deltaprop as dp
from deltaprop.table_models import budget as budgets
from deltaprop.table_models.budget import Budget, rows_within, some_rows
from deltaprop.table_models.rows import Portion
from deltaprop.tabular import TableEncoder, TableWarning, as_features


class Clock:
    """Seconds that pass when something is done, not by themselves."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(budgets, "time", SimpleNamespace(perf_counter=lambda: self.now))


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_what_is_left_counts_from_the_beginning_and_keeps_what_is_reserved(clock):
    budget = Budget(20.0, 0.0, reserved=5.0)
    clock.now = 9.0
    assert (budget.left, budget.rest) == (6.0, 11.0)
    assert budget.for_training == pytest.approx(6.0 - 2 * budget.for_judging)
    clock.now = 30.0
    assert (budget.left, budget.rest) == (1e-3, 0.0)
    assert Budget(None, 0.0).left == np.inf
    assert not Budget(None, 0.0).limited


def test_rows_that_are_drawn_are_among_those_of_a_larger_draw():
    few, many = some_rows(5000, 300, 7), some_rows(5000, 2000, 7)
    assert len(few) == 300
    assert set(few) < set(many)
    assert (np.diff(many) > 0).all()
    np.testing.assert_array_equal(some_rows(50, 300, 7), np.arange(50))


def test_as_many_rows_judge_as_there_is_time_for(clock):
    budget = Budget(100.0, 0.0)

    def work(rows):
        clock.now += 0.01 * len(rows)

    rows = budget.rows_for_judging(50_000, work, 0)
    assert len(rows) == max(1000, int(budget.for_judging / 0.01))
    assert len(Budget(None, 0.0).rows_for_judging(50_000, work, 0)) == 50_000


@pytest.mark.parametrize(
    ("seconds", "epoch", "found"),
    [(1e6, 0.0, 60_000), (40, 0.0, 23_625), (40, 2e-3, 3937), (5, 0.0, 1000), (1e6, 1.0, 60_000)],
)
def test_as_many_rows_are_learnt_from_as_there_is_time_for(
    clock, monkeypatch, seconds, epoch, found
):
    """What is asked of a row takes a millisecond, beside two epochs and what it takes to judge."""
    monkeypatch.setattr(budgets, "_FEW_CELLS", 0)
    transform = TableEncoder.transform

    def slow(self, frame, **settings):
        clock.now += 1e-3 * len(frame)
        return transform(self, frame, **settings)

    monkeypatch.setattr(TableEncoder, "transform", slow)
    table = as_features({"a": np.arange(60_000.0)})
    budget = Budget(seconds, clock.now)

    def learn(_, few):
        assert len(few.x) == len(few)
        return epoch * len(few)

    n = rows_within(budget, Portion(table, np.arange(60_000.0)), None, 0, learn)
    assert n == pytest.approx(found, abs=1)


def test_texts_are_reckoned_by_their_words_and_not_by_all_there_are(clock, monkeypatch, rng):
    monkeypatch.setattr(budgets, "_FEW_CELLS", 0)
    texts = [" ".join(f"w{w}" for w in rng.integers(0, 3000, 20)) for _ in range(2_500)]
    table = as_features({"text": texts})
    rows = Portion(table, np.zeros(2_500))
    assert rows_within(Budget(1e-1, clock.now), rows, None, 0) == 2_500


def _table(rng, n=3000):
    x = rng.normal(size=(n, 2))
    return pl.DataFrame(x, schema=["a", "b"]), np.where(x[:, 0] > 0, "u", "v")


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.one_in(3)
def test_a_table_too_large_is_learnt_in_part_and_said_so(
    members, validated, rng, monkeypatch, tmp_path
):
    monkeypatch.setattr("deltaprop.table_models.parts.rows_within", lambda *_: 1200)
    features, target = _table(rng)
    held = _table(rng, 1500) if validated else None
    recipe = dp.Recipe(hidden=(4,), epochs=2, ranges=0, members=members, time_budget=60.0)
    with pytest.warns(TableWarning, match=r"too short for all 3,000 rows: 1,200 of them"):
        model = dp.TableModel.fit(features, target, validation=held, recipe=recipe)
    assert model.rows_given == 3000
    assert model.n_train + (model.n_val if members == 1 and not validated else 0) == 1200
    model.save(tmp_path / "m.safetensors")
    model = dp.load(tmp_path / "m.safetensors")
    seen = model.evaluate(features, target).overlap
    assert seen.learnt + seen.chose == 1200
    report = dp.report(model, features, target, validation=held)  # the same rows are found again
    assert report.origin.n_train == model.n_train
    assert report.validation.figures == pytest.approx(dict(model.held_out.figures))


def test_a_run_that_goes_on_draws_the_rows_it_was_begun_with(rng, monkeypatch, tmp_path):
    monkeypatch.setattr("deltaprop.table_models.parts.rows_within", lambda *_: 1200)
    features, target = _table(rng)
    recipe = dp.Recipe(hidden=(4,), epochs=2, ranges=0, members=2, time_budget=60.0)
    path = tmp_path / "run"
    with pytest.warns(TableWarning):
        first = dp.TableModel.fit(features, target, recipe=recipe, checkpoint=path)
    monkeypatch.setattr("deltaprop.table_models.parts.rows_within", None)
    with pytest.warns(TableWarning):
        again = dp.TableModel.fit(features, target, recipe=recipe, checkpoint=path, resume=True)
    np.testing.assert_array_equal(again.parameters.flat, first.parameters.flat)


def test_a_budget_that_was_used_up_before_still_gives_a_model(rng):
    features, target = _table(rng)
    recipe = dp.Recipe(time_budget=0.5)
    model = dp.TableModel.fit(
        features, target, recipe=recipe, budget=Budget(0.5, time.perf_counter() - 60.0)
    )
    assert model.history.n_steps >= 1
    assert model.held_out is not None
