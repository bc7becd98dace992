"""A run that was killed goes on where it was: the result equals an uninterrupted run's."""

import json

import numpy as np
import pytest
import scipy.sparse

import deltaprop as dp
from deltaprop.errors import (
    DivergedWarning,
    ModelFileError,
    OutputError,
    SettingError,
)
from deltaprop.model.serialize import load_model
from deltaprop.training.checkpoint import before
from deltaprop.training.optimizers import OPTIMIZERS
from helpers.saved_runs import EPOCHS, N, fail_in, fit, network_of, same, stop_after


@pytest.fixture
def table(rng):
    return rng.normal(size=(N, 3)), rng.integers(2, size=N)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.checkpoint"


class TestResuming:
    @pytest.mark.parametrize("k", [1, 3, 5])
    @pytest.mark.filterwarnings("ignore:The native engine has no optimizer Muon")
    @pytest.mark.parametrize("name", OPTIMIZERS)
    @pytest.mark.parametrize("way", ["callback", "exception"])
    @pytest.mark.one_in(24)
    def test_an_interrupted_run_goes_on_to_the_same_bits(self, table, path, name, k, way):
        settings = {"optimizer": OPTIMIZERS[name](dp.schedules.OneCycle(0.05))}
        whole = fit(table, **settings)
        settings |= {"checkpoint": path}
        if way == "callback":
            fit(table, callbacks=[stop_after(k)], **settings)
        else:
            with pytest.raises(ZeroDivisionError):
                fit(table, callbacks=[fail_in(k)], **settings)
        same(fit(table, resume=True, **settings), whole)

    def test_again_and_again(self, table, path):
        whole = fit(table)
        for k in range(1, EPOCHS):
            _, history = fit(table, checkpoint=path, resume=True, callbacks=[stop_after(k)])
            assert history.n_epochs == k
        same(fit(table, checkpoint=path, resume=True), whole)

    @pytest.mark.parametrize("sparse", [False, True])
    def test_with_weights_validation_and_penalties(self, table, path, rng, sparse):
        X = scipy.sparse.csr_array(table[0]) if sparse else table[0]
        settings = {
            "network": network_of(l2=0.1, label_smoothing=0.1),
            "X_val": rng.normal(size=(9, 3)), "y_val": rng.integers(2, size=9),
            "sample_weight": rng.integers(0, 3, size=N), "class_weight": "balanced",
            "optimizer": dp.Adam(0.1),
        }  # fmt: skip
        whole = fit((X, table[1]), **settings)
        fit((X, table[1]), checkpoint=path, callbacks=[stop_after(4)], **settings)
        same(fit((X, table[1]), checkpoint=path, resume=True, **settings), whole)
        assert whole[1].best_epoch is not None

    @pytest.mark.rest
    @pytest.mark.parametrize("k", [1, 2, 4])
    def test_patience_counts_on_and_the_best_epoch_before_is_not_forgotten(
        self, table, path, rng, k
    ):
        settings = {
            "X_val": rng.normal(size=(50, 3)), "y_val": rng.integers(2, size=50),
            "optimizer": dp.Adam(0.3), "patience": 3, "epochs": 40,
        }  # fmt: skip
        whole = fit(table, **settings)
        assert whole[1].stopped_because == "patience"
        fit(table, checkpoint=path, callbacks=[stop_after(k)], **settings)
        same(fit(table, checkpoint=path, resume=True, **settings), whole)

    @pytest.mark.rest
    def test_an_epoch_cut_short_is_run_again(self, table, path):
        # the reference looks at the clock after every step, so this one counts steps
        whole = fit(table, engine="reference")
        ticks = iter(range(10_000))
        _, cut = fit(
            table, checkpoint=path, time_budget=13, clock=lambda: float(next(ticks)),
            engine="reference",
        )  # fmt: skip
        assert cut.stopped_because == "time_budget"
        assert cut.n_steps % 5 != 0
        assert cut.n_steps > 5
        same(fit(table, checkpoint=path, resume=True, engine="reference"), whole)

    def test_a_finished_run_is_not_run_again(self, table, path):
        whole = fit(table, checkpoint=path)
        told = []
        same(fit(table, checkpoint=path, resume=True, callbacks=[told.append]), whole)
        assert told == []

    def test_a_run_out_of_patience_is_not_run_again(self, table, path, rng):
        settings = {
            "X_val": rng.normal(size=(50, 3)), "y_val": rng.integers(2, size=50), "patience": 1,
            "optimizer": dp.Adam(0.5), "epochs": 50, "checkpoint": path,
        }  # fmt: skip
        whole = fit(table, **settings)
        assert whole[1].stopped_because == "patience"
        told = []
        same(fit(table, resume=True, callbacks=[told.append], **settings), whole)
        assert told == []

    def test_without_a_file_it_begins_at_the_beginning(self, table, path):
        same(fit(table, checkpoint=path, resume=True), fit(table))

    def test_without_resume_the_file_is_written_over(self, table, path):
        fit(table, checkpoint=path, callbacks=[stop_after(3)])
        same(fit(table, checkpoint=path), fit(table))

    def test_saving_changes_no_step(self, table, path):
        same(fit(table, checkpoint=path), fit(table))

    @pytest.mark.parametrize("epochs", [np.int64(EPOCHS), EPOCHS])
    def test_whole_numbers_of_numpy_are_whole_numbers(self, table, path, epochs):
        fit(table, checkpoint=path, epochs=epochs, callbacks=[stop_after(2)])
        same(fit(table, checkpoint=path, resume=True, epochs=EPOCHS), fit(table))

    def test_figures_that_are_no_numbers_do_not_stop_a_run(self, path):
        network = dp.Network([1, 1], loss="half_squared_error", bias=False)
        settings = {
            "network": network, "X_val": [[1e250], [0.0]], "y_val": [0.0, 1.0], "shuffle": False,
        }  # fmt: skip
        small = np.ones((4, 1)), np.zeros(4)
        whole = fit(small, **settings)
        assert np.isinf(whole[1].val_loss).all()
        fit(small, checkpoint=path, callbacks=[stop_after(2)], **settings)
        same(fit(small, checkpoint=path, resume=True, **settings), whole)


def test_a_state_beyond_all_numbers_ends_the_run_before_it_is_saved(path):
    network = dp.Network([1, 1], loss="half_squared_error", bias=False)
    settings = {
        "network": network, "epochs": 3, "optimizer": dp.RMSProp(1e-30), "engine": "reference",
    }  # fmt: skip
    huge = np.full((4, 1), 1e80), np.full(4, 1e80)  # the gradient is finite, its square is not
    fit(huge, **settings)
    with pytest.warns(DivergedWarning, match=r"epoch 1: the optimizer's state was not a finite"):
        flat, history = fit(huge, checkpoint=path, **settings)
    assert history.stopped_because == "diverged"
    assert np.isfinite(flat).all()
    assert not path.exists()


class TestTheFile:
    def test_it_is_a_model_file_with_the_best_parameters_so_far(self, table, path, rng):
        seen = []
        fit(
            table, checkpoint=path, X_val=rng.normal(size=(50, 3)),
            y_val=rng.integers(2, size=50), optimizer=dp.Adam(0.5),
            callbacks=[lambda s: seen.append(s.parameters.flat.copy())],
        )  # fmt: skip
        saved = load_model(path)
        best = saved.training["history"]["best_epoch"]
        np.testing.assert_array_equal(saved.parameters.flat, seen[best])
        np.testing.assert_array_equal(saved.arrays["running"], seen[-1])
        assert best < EPOCHS - 1

    @pytest.mark.parametrize("resume", [False, True])
    def test_without_validation_it_holds_the_latest_parameters(self, table, path, resume):
        if resume:
            fit(table, checkpoint=path, callbacks=[stop_after(2)])
        flat, _ = fit(table, checkpoint=path, resume=resume)
        np.testing.assert_array_equal(load_model(path).parameters.flat, flat)

    def test_it_is_written_after_every_epoch(self, table, path):
        lengths = []

        def look(state):
            if state.epoch:
                lengths.append(len(load_model(path).training["history"]["loss"]))

        fit(table, checkpoint=path, callbacks=[look])
        assert lengths == [1, 2, 3, 4, 5]

    def test_it_can_be_written_less_often_but_the_last_epoch_is_always_saved(self, table, path):
        epochs, now = [], iter(range(1000))

        def look(state):
            saved = load_model(path).training["history"]["loss"] if path.exists() else []
            epochs.append(len(saved))

        # a clock that moves on by a second whenever it is asked
        fit(table, checkpoint=path, checkpoint_every=1e6, callbacks=[look], clock=lambda: next(now))
        assert epochs == [0, 1, 1, 1, 1, 1]
        assert len(load_model(path).training["history"]["loss"]) == EPOCHS

    @pytest.mark.rest
    def test_saving_can_be_kept_to_a_share_of_the_time(self, table, path):
        times = iter(np.arange(0.0, 1e4))  # saving takes a second, and so does anything else
        saved = []

        def look(state):
            done = load_model(path).training["history"]["loss"] if path.exists() else []
            saved.append(len(done))

        settings = {"epochs": 30, "callbacks": [look], "clock": lambda: next(times)}
        fit(table, checkpoint=path, checkpoint_every=None, **settings)
        assert saved[:3] == [0, 1, 1]
        assert 3 < len(set(saved)) < 12

    def test_nothing_else_is_left_in_the_folder(self, table, path):
        fit(table, checkpoint=path)
        assert {p.name for p in path.parent.iterdir()} == {path.name, f"{path.name}.before"}

    def test_a_place_that_cannot_be_written_is_reported(self, table, tmp_path):
        with pytest.raises(OutputError, match="folder does not exist"):
            fit(table, checkpoint=tmp_path / "absent" / "x")


OTHER = {
    "optimizer": dp.Adam(2e-3),
    "batch_size": 5,
    "epochs": EPOCHS + 1,
    "seed": 10,
    "shuffle": False,
    "dtype": "float64",
    "monitor": "val_metric",
    "min_improvement": 0.1,
    "keep_best": False,
}


class TestRefusals:
    def test_time_between_savings_is_not_negative(self, table, path):
        with pytest.raises(SettingError, match="checkpoint_every is -1"):
            fit(table, checkpoint=path, checkpoint_every=-1)

    """A checkpoint of another run is never gone on with."""

    @pytest.fixture
    def validated(self, rng):
        return {"X_val": rng.normal(size=(9, 3)), "y_val": rng.integers(2, size=9)}

    @pytest.fixture
    def begun(self, table, path, validated):
        fit(table, checkpoint=path, callbacks=[stop_after(2)], **validated)
        before(path).unlink()
        return path

    def refused(self, table, begun, what, **settings):
        network = settings.pop("network", network_of())
        parameters = network.init(np.random.default_rng(3))
        before = parameters.flat.copy()
        settings = {"epochs": EPOCHS, "batch_size": 4, "seed": 9} | settings
        with pytest.raises(SettingError, match=f"belongs to a run that differs in .*{what}"):
            dp.train(network, parameters, *table, checkpoint=begun, resume=True, **settings)
        np.testing.assert_array_equal(parameters.flat, before)

    @pytest.mark.parametrize("name", OTHER)
    def test_another_setting_is_named(self, table, begun, validated, name):
        self.refused(table, begun, name, **validated, **{name: OTHER[name]})

    @pytest.mark.parametrize(
        "optimizer", [dp.AdamW(1e-3), dp.Adam(1e-3, beta_1=0.8), dp.Adam(dp.schedules.Cosine(1e-3))]
    )
    def test_another_optimizer_is_named(self, table, begun, validated, optimizer):
        self.refused(table, begun, "optimizer", **validated, optimizer=optimizer)

    @pytest.mark.parametrize(
        "network", [network_of(dropout=0.31), network_of(l2=0.1), dp.Network([3, 5, 2], "relu")]
    )
    def test_another_network_is_named(self, table, begun, validated, network):
        self.refused(table, begun, "the network", **validated, network=network)

    def test_other_rows_are_noticed(self, table, begun, validated):
        X, y = table
        other = X.copy()
        other[7, 1] += 1e-9
        self.refused((other, y), begun, "data", **validated)
        self.refused((X[:-1], y[:-1]), begun, "rows", **validated)
        self.refused((X, 1 - y), begun, "data", **validated)
        self.refused(table, begun, "data", **validated, sample_weight=np.arange(1, N + 1))

    def test_other_validation_rows_are_noticed(self, table, begun, validated):
        self.refused(table, begun, "monitor")
        self.refused(
            table, begun, "validation data", X_val=validated["X_val"][:5],
            y_val=validated["y_val"][:5],
        )  # fmt: skip

    @pytest.mark.parametrize("setting", [{"patience": 3}, {"time_budget": 1e6}, {"n_threads": 1}])
    def test_when_to_stop_may_be_decided_anew(self, table, begun, validated, setting):
        same(fit(table, checkpoint=begun, resume=True, **validated, **setting),
             fit(table, **validated, **setting))  # fmt: skip

    def test_a_damaged_file_is_refused(self, table, begun, validated):
        content = begun.read_bytes()
        for damaged in (content[:-1], content[: len(content) // 2], b"", b"\0" * 100):
            begun.write_bytes(damaged)
            with pytest.raises(ModelFileError):
                fit(table, checkpoint=begun, resume=True, **validated)

    def test_one_flipped_bit_of_the_optimizers_state_is_noticed(self, table, begun, validated):
        state = load_model(begun).arrays["optimizer.v"].tobytes()
        content = bytearray(begun.read_bytes())
        content[content.index(state)] ^= 1
        begun.write_bytes(bytes(content))
        with pytest.raises(ModelFileError, match="checksum"):
            fit(table, checkpoint=begun, resume=True, **validated)

    def test_a_plain_model_is_no_checkpoint(self, table, path):
        network = network_of()
        dp.save(path, network, network.init(np.random.default_rng(0)))
        self.refused(table, path, "optimizer")

    @pytest.mark.parametrize(
        ("name", "array"),
        [
            ("running", np.zeros(31)), ("running", np.zeros((32, 1))), ("running", None),
            ("running", np.zeros(32, np.float32)), ("optimizer.m", np.zeros(0)),
            ("optimizer.m", np.zeros(1)), ("optimizer.v", None), ("optimizer.s", np.zeros(32)),
            ("optimizer.t", np.zeros(32)), ("optimizer.t", np.array(-1)),
        ],
    )  # fmt: skip
    def test_arrays_of_another_kind_are_refused(self, table, begun, validated, name, array):
        saved = load_model(begun)
        assert saved.network.n_parameters == 32
        arrays = {**saved.arrays, name: array}
        dp.save(
            begun, saved.network, saved.parameters, training=saved.training,
            arrays={key: value for key, value in arrays.items() if value is not None},
        )  # fmt: skip
        with pytest.raises(ModelFileError, match=name.removeprefix("optimizer.")):
            fit(table, checkpoint=begun, resume=True, **validated)

    @pytest.mark.parametrize(
        ("entry", "value"),
        [
            ("best_epoch", 10**9), ("best_epoch", -1), ("best_epoch", 0.5), ("val_loss", []),
            ("loss", "many"), ("seconds", [1.0]), ("stopped_because", "boredom"), ("n_steps", "3"),
            ("dtype", None), ("loss", [[0.5], [0.4]]),
        ],
    )  # fmt: skip
    def test_a_record_that_no_run_wrote_is_refused(self, table, begun, validated, entry, value):
        saved = load_model(begun)
        history = saved.training["history"] | {entry: value}
        if entry == "val_loss":
            history["val_loss"] = [0.5]
        dp.save(
            begun, saved.network, saved.parameters, training=saved.training | {"history": history},
            arrays=saved.arrays,
        )  # fmt: skip
        with pytest.raises(ModelFileError, match=entry):
            fit(table, checkpoint=begun, resume=True, **validated)

    def test_a_folder_is_no_checkpoint(self, table, tmp_path):
        with pytest.raises(OutputError, match="is a folder"):
            fit(table, checkpoint=tmp_path, resume=True)


def test_the_settings_in_the_file_are_plain_json(table, path):
    fit(table, checkpoint=path, optimizer=dp.Adam(dp.schedules.Warmup(0.1, steps=3)))
    settings = load_model(path).training["settings"]
    assert settings == json.loads(json.dumps(settings))
    assert settings["optimizer"]["learning_rate"]["name"] == "warmup"
