"""A run killed within an epoch goes on to the same bits, from the file before if need be."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import (
    CheckpointWarning,
    DivergedWarning,
    ModelFileError,
    OutputError,
    SettingError,
)
from deltaprop.model.serialize import load_model
from deltaprop.training import run as training_run
from deltaprop.training.checkpoint import before
from helpers.saved_runs import EPOCHS, N, fit, same


@pytest.fixture
def table(rng):
    return rng.normal(size=(N, 3)), rng.integers(2, size=N)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.checkpoint"


class Killed(BaseException):
    """Ends a run where nobody expects it."""


@pytest.fixture
def killed(monkeypatch):
    """Return what ends a run after its k-th checkpoint is written, from whose place it goes on."""

    def after(k, run):
        left, write = iter(range(k)), training_run.write_checkpoint

        def writing(*given):
            write(*given)
            if next(left, None) is None:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(training_run, "write_checkpoint", writing)
            with pytest.raises(Killed):
                run()

    return after


ENGINES = ["reference", "native", pytest.param("torch", marks=pytest.mark.torch)]


SHORT = {"batch_size": 4, "epochs": 3, "optimizer": dp.Adam(0.02)}


class TestWithinAnEpoch:
    """An epoch is 5 steps of 4 rows, the last of one row; masks of the inputs take odd words."""

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("k", range(14))
    @pytest.mark.parametrize("engine", ENGINES)
    @pytest.mark.one_in(9)
    def test_after_any_step_it_goes_on_to_the_same_bits(
        self, table, path, rng, killed, engine, k, dtype
    ):
        network = dp.Network.from_layers(
            3, [dp.Dropout(0.4), dp.Dense(5, "tanh"), dp.Dropout(0.2), dp.Dense(2)], l2=0.01
        )
        settings = {
            "network": network, "engine": engine, "dtype": dtype, **SHORT,
            "sample_weight": rng.lognormal(size=N), "X_val": table[0][:5], "y_val": table[1][:5],
        }  # fmt: skip
        whole = fit(table, **settings)
        saving = {"checkpoint": path, "checkpoint_steps": 1, "checkpoint_every": 1e9}
        killed(k, lambda: fit(table, **saving, **settings))
        assert load_model(path).training["history"]["n_steps"] == k + 1
        same(fit(table, resume=True, **saving, **settings), whole)

    @pytest.mark.parametrize("steps", [2, 3, 7, 100])
    def test_twice_in_an_epoch_and_at_its_end(self, table, path, killed, steps):
        whole = fit(table, **SHORT)
        saving = {"checkpoint": path, "checkpoint_steps": steps}
        killed(0, lambda: fit(table, **saving, **SHORT))
        for _ in range(2):
            killed(0, lambda: fit(table, resume=True, **saving, **SHORT))
        same(fit(table, resume=True, **saving, **SHORT), whole)

    def test_after_some_seconds(self, table, path):
        # a clock that moves on by a second whenever it is asked, as the reference does each step
        saved, now = [], iter(range(10_000))

        def clock():
            if path.exists():
                saved.append(load_model(path).training["position"]["steps"])
            return next(now)

        settings = {**SHORT, "engine": "reference"}
        found = fit(table, checkpoint=path, checkpoint_every=3, clock=clock, **settings)
        same(found, fit(table, **settings))
        assert len({*saved}) > 1

    @pytest.mark.parametrize("seconds", range(3, 30, 4))
    def test_a_time_budget_loses_no_step(self, table, path, seconds):
        settings = {**SHORT, "engine": "reference"}
        now = iter(range(10_000))
        _, cut = fit(
            table, checkpoint=path, time_budget=seconds, clock=lambda: next(now), **settings
        )
        told = load_model(path).training
        assert told["history"]["n_steps"] == cut.n_steps > 0
        again = fit(table, checkpoint=path, resume=True, **settings)
        same(again, fit(table, **settings))

    def test_where_it_diverges_is_counted_from_the_start_of_the_epoch(self, path):
        X, y = np.full((40, 2), 3.0), np.full((40, 1), 1e3)
        network = dp.Network([2, 8, 1], "relu", "half_squared_error")
        told = []
        for saving in ({}, {"checkpoint": path, "checkpoint_steps": 2}):
            with pytest.warns(DivergedWarning) as warned:
                fit(
                    (X, y), network=network, optimizer=dp.GradientDescent(1e3), dtype="float64",
                    **saving,
                )  # fmt: skip
            told.append(str(warned[0].message))
        assert told[0] == told[1]

    @pytest.mark.parametrize("steps", [0, -1, 2.5, True, "3"])
    def test_steps_are_a_whole_number(self, table, path, steps):
        with pytest.raises(SettingError, match="checkpoint_steps"):
            fit(table, checkpoint=path, checkpoint_steps=steps)


class TestTheOneBefore:
    @pytest.mark.parametrize("damage", ["cut", "half", "empty", "flipped", "foreign", "position"])
    def test_it_is_used_where_the_last_is_damaged_and_said_so(self, table, path, killed, damage):
        whole = fit(table)
        killed(3, lambda: fit(table, checkpoint=path))
        content = path.read_bytes()
        if damage == "position":
            saved = load_model(path)
            odd = saved.training | {"position": {"steps": 99, "total": 1.0, "seconds": 0.0}}
            dp.save(path, saved.network, saved.parameters, training=odd, arrays=saved.arrays)
        else:
            flipped = bytearray(content)
            flipped[len(content) // 2] ^= 4
            path.write_bytes(
                {
                    "cut": content[:-1], "half": content[: len(content) // 2], "empty": b"",
                    "flipped": bytes(flipped), "foreign": b"\0" * 100,
                }[damage]
            )  # fmt: skip
        with pytest.warns(CheckpointWarning, match="goes on from the checkpoint before it, 15 st"):
            found = fit(table, checkpoint=path, resume=True)
        same(found, whole)

    def test_without_one_it_is_refused(self, table, path):
        fit(table, checkpoint=path, epochs=1)
        assert not before(path).exists()
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(ModelFileError):
            fit(table, checkpoint=path, epochs=1, resume=True)

    def test_both_damaged_is_refused(self, table, path):
        fit(table, checkpoint=path)
        for each in (path, before(path)):
            each.write_bytes(each.read_bytes()[:-1])
        with pytest.raises(ModelFileError):
            fit(table, checkpoint=path, resume=True)

    def test_a_damaged_one_never_takes_the_place_of_a_whole_one(self, table, path, killed):
        killed(3, lambda: fit(table, checkpoint=path))
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.warns(CheckpointWarning):
            killed(0, lambda: fit(table, checkpoint=path, resume=True))
        assert len(load_model(before(path)).training["history"]["loss"]) == 3
        assert len(load_model(path).training["history"]["loss"]) == 4

    def test_where_files_have_one_name_only_it_is_a_copy(self, table, path, monkeypatch):
        monkeypatch.setattr("os.link", lambda *_: (_ for _ in ()).throw(OSError("no links")))
        fit(table, checkpoint=path)
        assert len(load_model(before(path)).training["history"]["loss"]) == EPOCHS - 1

    def test_a_full_disk_ends_no_run(self, table, path, monkeypatch):
        whole, write, n = fit(table), training_run.write_checkpoint, iter(range(10))

        def writing(*given):
            if next(n) in (2, 3):
                raise OutputError("run.checkpoint could not be written: the disk is full.")
            write(*given)

        monkeypatch.setattr(training_run, "write_checkpoint", writing)
        with pytest.warns(CheckpointWarning, match="disk is full. The run goes on") as warned:
            found = fit(table, checkpoint=path)
        assert len(warned) == 2
        same(found, whole)
