"""train_members: several networks at once, each to the bits that train gives it alone."""

import inspect
import os
import signal
import threading

import numpy as np
import pytest
from scipy import sparse

import deltaprop as dp
from deltaprop.errors import (
    DataError,
    DivergedWarning,
    EngineWarning,
    SettingError,
    ShapeError,
)
from deltaprop.model.spec import Network
from deltaprop.training import progress as progress_module
from deltaprop.training import together as together_module
from deltaprop.training.members import train_members

N, K = 48, 3
NETWORK = Network([3, 5, 2], "tanh")
DROPPING = Network([3, 5, 2], "silu", dropout=0.3, l2=0.01)
QUICK = {"batch_size": 16, "epochs": 4, "optimizer": dp.Adam(0.02)}
FOLDS = np.arange(N) % K
LEARNT = [np.flatnonzero(i != FOLDS) for i in range(K)]
HELD = [np.flatnonzero(i == FOLDS) for i in range(K)]


@pytest.fixture
def table(rng):
    X = rng.normal(size=(N, 3))
    return X, (X[:, 0] > 0).astype(int)


@pytest.fixture(autouse=True, params=["in one call", "by threads"])
def way(request, monkeypatch):
    """Short epochs of all go into one call of the engine, others to threads: either, of any."""
    short = np.inf if request.param == "in one call" else 0.0
    monkeypatch.setattr(together_module, "_SHORT", short)
    monkeypatch.setattr(together_module, "_WORTH_A_THREAD", 1e-9)
    return request.param


def starts(network=NETWORK, k=K):
    return [network.init(np.random.default_rng(i)) for i in range(k)]


def alone(table, network=NETWORK, rows=LEARNT, held=HELD, seeds=range(K), weights=None, **settings):
    """Train every member by itself, as ``train`` does."""
    X, y = table
    members, histories = starts(network), []
    for i, member in enumerate(members):
        own = slice(None) if rows is None else rows[i]
        validation = {} if held is None else {"X_val": X[held[i]], "y_val": y[held[i]]}
        weighed = {} if weights is None else {"sample_weight": weights[own]}
        if weights is not None and held is not None:
            weighed["weight_val"] = weights[held[i]]
        settings = {**QUICK, **settings, **validation, **weighed, "seed": seeds[i]}
        histories.append(dp.train(network, member, X[own], y[own], **settings))
    return members, histories


def together(table, network=NETWORK, rows=LEARNT, held=HELD, weights=None, **settings):
    members = starts(network)
    settings = {"rows": rows, "validation_rows": held, "sample_weight": weights, **settings}
    return members, train_members(network, members, *table, **{**QUICK, **settings})


def assert_same(one, two):
    pairs = zip(*one, *two, strict=True)
    for member, history, expected, told in pairs:
        np.testing.assert_array_equal(member.flat, expected.flat)
        for name in ("loss", "val_loss", "val_metric", "best_epoch", "stopped_because", "n_steps",
                     "message", "engine", "dtype", "seed"):  # fmt: skip
            assert getattr(history, name) == getattr(told, name), name


class TestEachAsAlone:
    @pytest.mark.parametrize("engine", ["native", "reference"])
    @pytest.mark.parametrize("network", [NETWORK, DROPPING], ids=["plain", "dropout"])
    def test_folds(self, table, engine, network):
        assert_same(together(table, network, engine=engine), alone(table, network, engine=engine))

    @pytest.mark.parametrize("engine", ["native", "reference"])
    def test_weights(self, table, rng, engine):
        weights = rng.integers(0, 4, size=N) / 3
        assert_same(
            together(table, weights=weights, engine=engine),
            alone(table, weights=weights, engine=engine),
        )

    def test_class_weights(self, table):
        settings = {"class_weight": "balanced"}
        assert_same(together(table, **settings), alone(table, **settings))

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_all_rows_from_other_seeds(self, table, dtype):
        settings = {"rows": None, "held": None, "dtype": dtype}
        assert_same(
            together(table, seeds=[7, 7, 2**64 - 1], **settings),
            alone(table, seeds=[7, 7, 2**64 - 1], **settings),
        )

    def test_a_validation_table_of_all(self, table, rng):
        given = {"X_val": rng.normal(size=(9, 3)), "y_val": rng.integers(2, size=9)}
        settings = {"rows": None, "held": None, "patience": 1, "prefer_latest": True, **given}
        assert_same(together(table, **settings), alone(table, **settings))

    def test_sparse_rows(self, table):
        X, y = table
        rows = sparse.csr_matrix(np.where(np.abs(X) > 0.7, X, 0.0))
        assert_same(together((rows, y)), alone((rows, y)))

    def test_rows_may_repeat(self, table, rng):
        drawn = [rng.integers(N, size=N) for _ in range(K)]
        settings = {"rows": drawn, "held": None}
        assert_same(together(table, **settings), alone(table, **settings))

    def test_another_network_and_another_optimizer_each(self, table):
        networks = [NETWORK, DROPPING, Network([3, 2])]
        rules = [dp.Adam(0.02), dp.GradientDescent(0.1), dp.RMSProp(0.01)]
        members = [n.init(np.random.default_rng(0)) for n in networks]
        settings = {**QUICK, "optimizer": rules}
        histories = train_members(networks, members, *table, **settings)
        for i, (network, rule) in enumerate(zip(networks, rules, strict=True)):
            expected = network.init(np.random.default_rng(0))
            told = dp.train(network, expected, *table, seed=i, **{**QUICK, "optimizer": rule})
            np.testing.assert_array_equal(members[i].flat, expected.flat)
            assert histories[i].loss == told.loss

    def test_the_number_of_threads_changes_no_bit(self, table):
        assert_same(together(table, DROPPING, n_threads=1), together(table, DROPPING, n_threads=2))

    def test_a_single_member_is_train(self, table):
        member, expected = starts(k=1)[0], starts(k=1)[0]
        (history,) = train_members(NETWORK, [member], *table, seeds=[5], **QUICK)
        told = dp.train(NETWORK, expected, *table, seed=5, **QUICK)
        np.testing.assert_array_equal(member.flat, expected.flat)
        assert history.loss == told.loss


class TestTheEnd:
    def test_patience_is_each_members_own(self, table):
        settings = {"epochs": 30, "patience": 2, "optimizer": dp.Adam(0.3)}
        both = together(table, **settings), alone(table, **settings)
        assert_same(*both)
        assert "patience" in {history.stopped_because for history in both[0][1]}

    def test_the_time_budget_is_shared(self, table):
        now = iter(range(10**6))
        _, histories = together(
            table, epochs=1000, time_budget=60, clock=lambda: float(next(now)), n_threads=1
        )
        assert {history.stopped_because for history in histories} == {"time_budget"}
        epochs = [history.n_epochs for history in histories]
        assert max(epochs) - min(epochs) <= 1  # none waits until another is done
        assert all(0 < n < 60 for n in epochs)

    @pytest.mark.parametrize("engine", ["native", "reference"])
    def test_ctrl_c_stops_all_and_keeps_their_best(self, table, engine):
        def press(state):
            if state.epoch == 1 and not pressed:
                pressed.append(True)
                os.kill(os.getpid(), signal.SIGINT)

        pressed = []
        members, histories = together(table, epochs=10**6, callbacks=[press], engine=engine)
        assert {history.stopped_because for history in histories} == {"interrupted"}
        for member, history in zip(members, histories, strict=True):
            assert "Interrupted in epoch" in history.message
            assert np.isfinite(member.flat).all()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_a_callback_that_asks_for_it_stops_its_member_alone(self, table):
        members = starts()

        def stop(state):
            return state.parameters is members[1] and state.epoch == 1

        histories = train_members(NETWORK, members, *table, callbacks=[stop], **QUICK)
        assert [history.n_epochs for history in histories] == [4, 2, 4]
        assert [h.stopped_because for h in histories] == ["epochs", "callback", "epochs"]

    @pytest.mark.parametrize("n_threads", [1, 2])
    def test_a_callback_that_fails_ends_it(self, table, n_threads):
        def fail(state):
            if state.epoch == 2:
                raise RuntimeError("no more")

        before = threading.active_count()
        with pytest.raises(RuntimeError, match="no more"):
            together(table, epochs=10**6, callbacks=[fail], n_threads=n_threads)
        assert threading.active_count() == before
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_a_member_that_diverges_leaves_the_others_alone(self, table):
        X, y = table
        network = Network([3, 5, 1], "identity", "half_squared_error")
        rules = [dp.Adam(0.02), dp.GradientDescent(1e200), dp.Adam(0.02)]
        numbers = (X, y[:, None].astype(float))
        with pytest.warns(DivergedWarning):
            members, histories = together(numbers, network, optimizer=rules)
        assert [h.stopped_because for h in histories] == ["epochs", "diverged", "epochs"]
        expected, _ = alone(numbers, network)
        for i in (0, 2):
            np.testing.assert_array_equal(members[i].flat, expected[i].flat)
        assert np.isfinite(members[1].flat).all()


class TestCheckpoints:
    @pytest.mark.parametrize("network", [NETWORK, DROPPING], ids=["plain", "dropout"])
    def test_a_resumed_run_equals_an_uninterrupted_one(self, table, network, tmp_path):
        whole = together(table, network)
        settings = {"checkpoint": tmp_path / "c"}
        together(table, network, callbacks=[lambda state: state.epoch == 1], **settings)
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            f"c.{number}{of}" for number in (1, 2, 3) for of in ("", ".before")
        ]
        assert_same(together(table, network, resume=True, **settings), whole)

    def test_members_that_came_less_far_catch_up(self, table, tmp_path):
        whole = together(table)
        together(table, checkpoint=tmp_path / "c", callbacks=[lambda state: state.epoch == 2])
        (tmp_path / "c.2").unlink()
        assert_same(together(table, checkpoint=tmp_path / "c", resume=True), whole)

    def test_a_finished_run_is_not_run_again(self, table, tmp_path):
        whole = together(table, checkpoint=tmp_path / "c")
        told = []
        again = together(table, checkpoint=tmp_path / "c", resume=True, callbacks=[told.append])
        assert_same(again, whole)
        assert told == []

    def test_other_settings_are_refused(self, table, tmp_path):
        together(table, checkpoint=tmp_path / "c")
        with pytest.raises(SettingError, match="differs in seed"):
            together(table, checkpoint=tmp_path / "c", resume=True, seeds=[5, 6, 7])


class TestRefusals:
    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"rows": LEARNT[:2]}, SettingError, "rows has 2 entries for 3 members"),
            ({"rows": [[0.5], [1], [2]]}, SettingError, "rows of member 1 has dtype float64"),
            ({"rows": [[0], [], [2]]}, SettingError, "rows of member 2 .* shape \\(0,\\)"),
            ({"rows": [[0], [1], [N]]}, SettingError, f"member 3 runs from {N} to {N}, but .* {N}"),
            ({"rows": [[0], [1], [-1]]}, SettingError, "member 3 runs from -1"),
            ({"rows": 7}, SettingError, "rows is 7; it is a list"),
            ({"validation_rows": [[0], [1]]}, SettingError, "validation_rows has 2 entries"),
            ({"seeds": [0]}, SettingError, "seeds has 1 entries for 3 members"),
            ({"seeds": 3}, SettingError, "seeds is 3; it is a list"),
            ({"seeds": [0, 1, -1]}, SettingError, "seed is -1"),
            ({"seeds": [0, 1, 0.5]}, SettingError, "seed is 0.5"),
            ({"optimizer": [dp.Adam()] * 2}, SettingError, "optimizer has 2 entries"),
            ({"callbacks": print}, SettingError, "give a list of them"),
            ({"resume": True}, SettingError, "name its file"),
            ({"epochs": 0}, SettingError, "epochs is 0"),
            ({"n_threads": 0}, SettingError, "n_threads is 0"),
            ({"monitor": "val_loss", "validation_rows": None}, SettingError, "needs validation"),
            ({"X_val": np.zeros((2, 3))}, SettingError, "belong together"),
            ({"X_val": np.zeros((2, 3)), "y_val": [0, 1]}, SettingError, "not both"),
            ({"sample_weight": [1.0, 2.0]}, DataError, "sample_weight has shape"),
            ({"sample_weight": (FOLDS != 0) * -1.0}, DataError, "sample_weight"),
            ({"sample_weight": (FOLDS == 0) * 1.0, "rows": HELD}, DataError, "zero"),
            ({"engine": "gpu"}, dp.errors.UnknownNameError, "gpu"),
        ],
    )  # fmt: skip
    def test_one_clear_message_and_nothing_is_changed(self, table, settings, error, message):
        members = starts()
        given = {"rows": LEARNT, "validation_rows": HELD, **settings}
        with pytest.raises(error, match=message):
            train_members(NETWORK, members, *table, **{**QUICK, **given})
        for member, start in zip(members, starts(), strict=True):
            np.testing.assert_array_equal(member.flat, start.flat)

    def test_members_are_a_list(self, table):
        with pytest.raises(SettingError, match="one member's; give a list"):
            train_members(NETWORK, starts()[0], *table)
        with pytest.raises(SettingError, match="no members"):
            train_members(NETWORK, [], *table)

    def test_networks_share_the_rows(self, table):
        networks = [NETWORK, Network([4, 2]), NETWORK]
        members = [network.init(np.random.default_rng(0)) for network in networks]
        with pytest.raises(SettingError, match="differ in inputs, outputs or loss"):
            train_members(networks, members, *table)
        with pytest.raises(ShapeError):
            train_members(NETWORK, members, *table)
        with pytest.raises(SettingError, match="networks has 1 entries"):
            train_members([NETWORK], members, *table)


def test_one_notice_is_enough_for_all_members(table, monkeypatch):
    refusal = lambda engine, network, optimizer=None: "such layer"  # noqa: E731
    monkeypatch.setattr(type(dp.ENGINES["native"]), "refusal", refusal)
    with pytest.warns(EngineWarning, match="has no such layer") as told:
        _, histories = together(table)
    assert len(told) == 1
    assert {history.engine for history in histories} == {"reference"}


def test_train_and_train_members_take_the_same_settings_with_the_same_defaults():
    one, several = (
        {name: p.default for name, p in inspect.signature(f).parameters.items()}
        for f in (dp.train, train_members)
    )
    assert {*one} - {*several} == {"network", "seed", "state"}
    assert {*several} - {*one} == {"networks", "seeds", "rows", "validation_rows"}
    assert [name for name in one if one[name] != several.get(name, one[name])] == []


def test_a_resumed_training_shows_how_far_it_had_come(table, tmp_path, monkeypatch):
    shown = []

    class Bar:
        start = stop = add_task = lambda self, *args, **fields: None

        def update(self, task, completed=None, **fields):
            shown.extend([] if completed is None else [completed])

    settings = {"checkpoint": tmp_path / "run", "resume": True}
    stop = lambda state: state.epoch == 1  # noqa: E731
    together(table, callbacks=[stop], **settings)
    monkeypatch.setattr(progress_module, "_on_terminal", lambda: True)
    monkeypatch.setattr(progress_module, "_live", lambda *columns: Bar())
    together(table, progress=True, **settings)
    assert min(shown) >= 2.0
    assert max(shown) == QUICK["epochs"]
