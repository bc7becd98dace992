"""Which encoder the rows choose, and what choosing leaves alone."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError
from deltaprop.table_models import encoder_search as choosing
from deltaprop.table_models.encoder_search import better_encoder
from deltaprop.table_models.rows import Portion
from deltaprop.tabular import TableEncoder, TargetEncoder, as_frame

N = 600
pytestmark = pytest.mark.usefixtures("search_in_full")


def smooth(rng):
    """The side of two hyperplanes, each across twelve columns: ranges only bring noise."""
    x = rng.normal(size=(N, 12))
    return x, (np.prod(x @ rng.normal(size=(12, 2)), axis=1) > 0).astype(int)


def stepped(rng):
    """Whether a number is in one of several narrow bands, which no smooth function follows."""
    x = rng.uniform(size=(N, 2))
    return x, (np.floor(x[:, 0] * 8) % 2 == 0).astype(int)


def chosen(x, y, task, recipe=None, weights=None):
    frame = as_frame({f"c{i}": column for i, column in enumerate(x.T)})
    target = TargetEncoder.fit(y, task)
    plain = TableEncoder.fit(frame)
    encoders = [plain, plain.with_ranges(frame, 16)]
    rows = Portion(frame, target.encode(y), weights)
    found = better_encoder(encoders, rows, target, recipe or dp.Recipe(), 128, None)
    return encoders.index(found)


def test_a_smooth_table_is_learnt_from_the_numbers_themselves(rng):
    assert chosen(*smooth(rng), "classification") == 0


def test_a_table_of_thresholds_is_learnt_from_ranges(rng):
    assert chosen(*stepped(rng), "classification") == 1


def test_the_first_one_where_there_are_too_few_rows_to_tell(rng):
    x, y = stepped(rng)
    assert chosen(x[:15], y[:15], "classification") == 0


def test_rows_that_weigh_nothing_have_no_say(rng):
    x, y = stepped(rng)
    weights = np.r_[np.ones(N), np.zeros(N)]
    noise = np.r_[y, rng.integers(2, size=N)]
    assert chosen(np.r_[x, x], noise, "classification", weights=weights) == 1


def test_large_tables_are_asked_in_part(rng, monkeypatch):
    monkeypatch.setattr(choosing, "_MOST_ROWS", 300)
    seen = []
    learn = choosing.train_briefly
    monkeypatch.setattr(
        choosing, "train_briefly", lambda *a, **k: seen.append(len(a[3])) or learn(*a, **k)
    )
    assert chosen(*stepped(rng), "classification") == 1
    assert seen == [300, 300]


def test_an_interruption_ends_it(rng, monkeypatch):
    def interrupted(*args, **settings):
        return [dp.History("accuracy", "native", "float32", 0, stopped_because="interrupted")]

    monkeypatch.setattr("deltaprop.table_models.learning.train_members", interrupted)
    with pytest.raises(KeyboardInterrupt):
        chosen(*stepped(rng), "classification")


def test_of_many_classes_with_a_few_rows_each_nothing_is_tried(rng, monkeypatch):
    monkeypatch.setattr(choosing, "train_briefly", None)
    x, _ = stepped(rng)
    assert chosen(x, np.repeat(np.arange(N // 3), 3), "classification") == 0


def test_one_encoder_is_not_tried(rng, monkeypatch):
    monkeypatch.setattr(choosing, "train_briefly", None)
    x, y = stepped(rng)
    frame = as_frame({"a": x[:, 0]})
    only = TableEncoder.fit(frame)
    target = TargetEncoder.fit(y, "classification")
    rows = Portion(frame, target.encode(y))
    assert better_encoder([only], rows, target, dp.Recipe(), 128, None) is only


def test_nothing_is_tried_where_there_is_no_time_to_tell(rng, monkeypatch):
    monkeypatch.setattr(choosing, "train_briefly", None)
    x, y = stepped(rng)
    frame = as_frame({"a": x[:, 0]})
    plain, target = TableEncoder.fit(frame), TargetEncoder.fit(y, "classification")
    both = [plain, plain.with_ranges(frame, 16)]
    given = (both, Portion(frame, target.encode(y)), target, dp.Recipe(), 128, None)
    assert better_encoder(*given, 1.0) is plain
    with pytest.raises(TypeError):
        better_encoder(*given, 60.0)


class TestModel:
    def test_a_model_has_what_was_chosen_and_keeps_it(self, rng, tmp_path):
        x, y = stepped(rng)
        table = {"a": x[:, 0], "b": x[:, 1]}
        model = dp.TableModel.fit(table, y, recipe=dp.Recipe(epochs=20))
        assert sum(" from " in name for name in model.inputs.output_names) == 32
        assert model.evaluate(table, y).figures["accuracy"] > 0.9
        model.save(tmp_path / "m")
        again = dp.load(tmp_path / "m")
        np.testing.assert_array_equal(again.predict_proba(table), model.predict_proba(table))

    @pytest.mark.rest
    def test_choosing_counts_in_the_time_budget(self, rng):
        x, y = stepped(rng)
        recipe = dp.Recipe(epochs=10**6, time_budget=1.5)
        model = dp.TableModel.fit({"a": x[:, 0], "b": x[:, 1]}, y, recipe=recipe)
        assert {h.stopped_because for h in model.histories} == {"time_budget"}
        assert sum(sum(h.seconds) for h in model.histories) < 2 * 1.5 * len(model.histories)

    def test_the_textbook_has_no_ranges(self, rng):
        x, y = stepped(rng)
        model = dp.TableModel.fit({"a": x[:, 0]}, y, recipe=dp.Recipe(preset="plain", epochs=2))
        assert model.inputs.output_names == ("a",)

    def test_rows_for_validation_see_the_same_inputs(self, rng):
        x, y = stepped(rng)
        held = ({"a": x[:100, 0]}, y[:100])
        recipe = dp.Recipe(epochs=10)
        model = dp.TableModel.fit({"a": x[100:, 0]}, y[100:], validation=held, recipe=recipe)
        assert model.network.n_in == 17
        assert model.n_val == 100

    @pytest.mark.parametrize("preset", ["fast", "plain"])
    def test_somebody_else_may_decide(self, rng, monkeypatch, preset):
        monkeypatch.setattr(choosing, "train_briefly", None)
        x, y = smooth(rng)
        table = {"a": x[:, 0], "b": x[:, 1]}
        for most, n_in in ((0, 2), (5, 12)):
            recipe = dp.Recipe(preset=preset, ranges=most, epochs=1, hidden=(4,))
            model = dp.TableModel.fit(table, y, recipe=recipe)
            assert model.network.n_in == n_in

    @pytest.mark.parametrize("ranges", [-1, 2.5, "8", True])
    def test_ranges_are_counted(self, ranges):
        with pytest.raises(SettingError, match="ranges"):
            dp.Recipe(ranges=ranges)
