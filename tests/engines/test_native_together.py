"""Epochs of several networks in one native call."""

import threading
from dataclasses import replace

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.engines.base import EpochPlan
from deltaprop.engines.kernels import NativeRun
from deltaprop.engines.native import NativeEngine
from deltaprop.training.batches import dropout_generator, epoch_order

NETWORKS = [
    dp.Network([7, 9, 3], "tanh"),
    dp.Network([7, 40, 40, 3], "relu", dropout=0.2),
    dp.Network([7, 3]),
    dp.Network([7, 200, 3], "selu", l2=0.01),
    dp.Network([7, 5, 3], "gelu"),
]
N = 60


@pytest.fixture
def problems(of_engines, rng):
    first = of_engines.problem(NETWORKS[0], rng, n=N, batch_size=16)
    return [
        replace(first, network=network, n_threads=1 + i % 2) for i, network in enumerate(NETWORKS)
    ]


def begin(problems):
    return [
        NativeRun(problem, problem.network.init(np.random.default_rng(seed)))
        for seed, problem in enumerate(problems)
    ]


def plan(seed, epoch=0, should_stop=lambda done: False, eta=0.1):
    return EpochPlan(
        epoch_order(seed, epoch, N, shuffle=True), dropout_generator(seed, epoch),
        np.full(-(-N // 16), eta), should_stop,
    )  # fmt: skip


@pytest.mark.parametrize("n_threads", [1, 2, 3, 9])
def test_each_is_trained_as_alone_to_the_bit(problems, n_threads):
    alone, together = begin(problems), begin(problems)
    for epoch in range(4):
        plans = [plan(seed, epoch) for seed in range(len(problems))]
        expected = [run.epoch(each) for run, each in zip(alone, plans, strict=True)]
        plans = [plan(seed, epoch) for seed in range(len(problems))]
        assert NativeEngine().epochs(together, plans, n_threads) == expected
    for one, other in zip(alone, together, strict=True):
        assert one.parameters.flat.tobytes() == other.parameters.flat.tobytes()
        assert one.state.keys() == other.state.keys()
        for name, value in one.state.items():
            np.testing.assert_array_equal(other.state[name], value)


def test_none_is_no_epoch(problems):
    assert NativeEngine().epochs([], [], 2) == []


def test_threads_share_them(problems):
    """Two epochs that wait for each other's should_stop end only where both run at once."""
    met = threading.Barrier(2, timeout=60)
    runs = begin(problems[:2])
    waited = [False, False]

    def meet(i):
        def should_stop(done):
            if not waited[i]:
                waited[i] = True
                met.wait()
            return False

        return should_stop

    outcomes = NativeEngine().epochs(runs, [plan(i, should_stop=meet(i)) for i in range(2)], 2)
    assert [outcome.n_steps for outcome in outcomes] == [4, 4]


@pytest.mark.parametrize("n_threads", [1, 3])
def test_an_error_in_one_pulse_passes_through_and_leaves_its_parameters(problems, n_threads):
    runs = begin(problems)
    before = [run.parameters.flat.copy() for run in runs]

    def fail(done):
        raise ZeroDivisionError("mine")

    plans = [plan(i, should_stop=fail if i == 1 else lambda done: False) for i in range(len(runs))]
    with pytest.raises(ZeroDivisionError, match="mine"):
        NativeEngine().epochs(runs, plans, n_threads)
    changed = [(run.parameters.flat != old).any() for run, old in zip(runs, before, strict=True)]
    assert changed == [True, False, True, True, True]


def test_one_that_diverges_leaves_the_others_alone(problems):
    runs, alone = begin(problems), begin(problems)
    plans = [plan(i) for i in range(len(runs))]
    plans[3] = plan(3, eta=1e300)
    outcomes = NativeEngine().epochs(runs, plans, 2)
    assert outcomes[3].diverged is not None
    for i in (0, 1, 2, 4):
        assert outcomes[i] == alone[i].epoch(plan(i))
        assert runs[i].parameters.flat.tobytes() == alone[i].parameters.flat.tobytes()


def test_arrays_that_lie_otherwise_in_memory(of_engines, rng):
    network = dp.Network([7, 9, 3], "tanh", loss="half_squared_error")
    problem = of_engines.problem(network, rng, n=N, batch_size=16)
    targets = np.asfortranarray(rng.normal(size=(N, 3)))
    weights = np.repeat(rng.uniform(0.5, 1.5, size=N), 2)[::2]
    found = []
    for t, w in ((targets, weights), (targets.copy(order="C"), weights.copy())):
        runs = begin([replace(problem, targets=t, weights=w)] * 4)
        NativeEngine().epochs(runs, [plan(i) for i in range(4)], 2)
        found.append([run.parameters.flat.tobytes() for run in runs])
    assert found[0] == found[1]
