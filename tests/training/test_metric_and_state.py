"""A metric of one's own for the validation rows, and an optimizer's state from run to run."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError

OPTIMIZERS = [dp.GradientDescent(0.1), dp.Momentum(0.1, nesterov=True), dp.RMSProp(), dp.Adam()]


@pytest.fixture
def table(rng):
    X = rng.normal(size=(30, 3))
    return X, X @ [1.0, -2.0, 0.5]


@pytest.fixture
def network():
    return dp.Network([3, 5, 1], "tanh", "half_squared_error")


@pytest.fixture
def parameters(network):
    return network.init(np.random.default_rng(1))


class TestMetric:
    def test_it_is_given_logits_and_targets_and_is_what_the_history_holds(
        self, network, parameters, table
    ):
        def largest_error(logits, targets):
            assert logits.shape == targets.shape == (30, 1)
            return -np.abs(logits - targets).max()

        X, y = table
        history = dp.train(network, parameters, X, y, X_val=X, y_val=y, epochs=4, dtype="float64",
                           metric=largest_error, keep_best=False)  # fmt: skip
        assert history.metric == "largest_error"
        errors = np.abs(dp.predict(network, parameters, X)[:, 0] - y)
        assert history.val_metric[-1] == pytest.approx(-errors.max())

    def test_monitored_it_decides_which_epoch_is_kept(self, network, parameters, table):
        X, y = table
        figures, seen = iter([0.1, 0.9, 0.3, 0.2]), []
        history = dp.train(
            network, parameters, X, y, X_val=X, y_val=y, epochs=4, monitor="val_metric",
            metric=lambda logits, targets: next(figures),
            callbacks=[lambda state: seen.append(state.parameters.flat.copy())],
        )  # fmt: skip
        assert history.best_epoch == 1
        np.testing.assert_array_equal(parameters.flat, seen[1])


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.name)
def test_two_runs_with_one_state_are_one_run(network, parameters, table, engine, optimizer):
    X, y = table
    settings = {"optimizer": optimizer, "engine": engine, "dtype": "float64", "shuffle": False}
    whole, state = parameters.copy(), {}
    dp.train(network, whole, X, y, epochs=6, **settings)
    for epochs in (2, 4):
        dp.train(network, parameters, X, y, epochs=epochs, state=state, **settings)
    np.testing.assert_allclose(parameters.flat, whole.flat, rtol=1e-12)
    assert set(state) == set(optimizer.init(1))


def test_a_state_is_left_alone_until_the_run_is_over(network, parameters, table):
    state = {}
    dp.train(network, parameters, *table, epochs=1, engine="reference", state=state)
    before = {name: np.copy(value) for name, value in state.items()}
    dp.train(network, parameters, *table, epochs=1, engine="reference", state=dict(state))
    for name, value in before.items():
        np.testing.assert_array_equal(state[name], value)


N = 26  # parameters of the network
HOSTILE_STATES = [
    ("one number for a vector", {"m": np.zeros(1), "v": np.zeros(1), "t": 3}),
    ("none at all", {"m": np.zeros(0), "v": np.zeros(0), "t": 3}),
    ("two axes", {"m": np.zeros((N, 1)), "v": np.zeros(N), "t": 3}),
    ("another optimizer's", {"v": np.zeros(N)}),
    ("one name more", {"m": np.zeros(N), "v": np.zeros(N), "t": 3, "s": np.zeros(N)}),
    ("not finite", {"m": np.full(N, np.nan), "v": np.zeros(N), "t": 3}),
    ("words", {"m": ["a"] * N, "v": np.zeros(N), "t": 3}),
    ("steps below 0", {"m": np.zeros(N), "v": np.zeros(N), "t": -1}),
    ("steps beyond all", {"m": np.zeros(N), "v": np.zeros(N), "t": 2**63}),
    ("broken steps", {"m": np.zeros(N), "v": np.zeros(N), "t": 0.5}),
    ("no mapping", [np.zeros(N)]),
]


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize(
    "state", [s for _, s in HOSTILE_STATES], ids=[n for n, _ in HOSTILE_STATES]
)
def test_a_state_that_no_run_left_is_refused(network, parameters, table, engine, state):
    before = parameters.flat.copy()
    with pytest.raises(SettingError, match="optimizer's state"):
        dp.train(network, parameters, *table, optimizer=dp.Adam(), engine=engine, state=state)
    np.testing.assert_array_equal(parameters.flat, before)


def test_a_state_that_overflowed_is_left_out():
    network = dp.Network([1, 1], loss="half_squared_error", bias=False)
    huge, state = np.full((4, 1), 1e80), {}
    settings = {"optimizer": dp.RMSProp(1e-30), "engine": "reference", "state": state}
    dp.train(network, network.init(np.random.default_rng(1)), huge, huge, epochs=1, **settings)
    assert state == {}


def test_a_state_of_other_types_is_read_as_numbers(network, parameters, table):
    state = {"m": np.zeros(N, np.float32), "v": [0] * N, "t": np.int64(2)}
    dp.train(network, parameters, *table, optimizer=dp.Adam(), epochs=1, state=state)
    assert state["t"] == 3
    assert (state["m"] != 0).any()
