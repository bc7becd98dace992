"""Stopping long before the end of a long epoch, and letting others run meanwhile."""

import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.engines.base import EpochPlan
from deltaprop.engines.kernels import NativeRun
from deltaprop.training.batches import dropout_generator

LARGE = dp.Network([180, 120, 90, 10], "tanh", dropout=0.2, l2=1e-3)


class LongEpoch:
    """An epoch that takes a second or more if nobody stops it."""

    N = 400_000
    NETWORK = dp.Network([64, 64, 10], "tanh")

    @staticmethod
    def plan(problem, should_stop):
        """The first row again and again."""
        n_steps = -(-LongEpoch.N // problem.batch_size)
        order = np.zeros(LongEpoch.N, dtype=np.int64)
        return EpochPlan(order, dropout_generator(0, 0), np.full(n_steps, 1e-3), should_stop)

    @staticmethod
    def table():
        return np.broadcast_to(np.ones(64), (LongEpoch.N, 64)), np.zeros(LongEpoch.N, dtype=int)


@pytest.fixture
def long_run(of_engines, rng):
    problem = replace(of_engines.problem(LongEpoch.NETWORK, rng, n=5), batch_size=32)
    return NativeRun(problem, of_engines.begin(LongEpoch.NETWORK, rng))


class TestStopping:
    """Between two steps, long before the end of a long epoch."""

    N_STEPS = LongEpoch.N // 32

    def train(self, **settings):
        network = LongEpoch.NETWORK
        parameters = network.init(np.random.default_rng(0))
        return dp.train(
            network, parameters, *LongEpoch.table(), batch_size=32, epochs=50, engine="native",
            **settings,
        )  # fmt: skip

    def test_the_time_budget(self):
        history = self.train(time_budget=0.02)
        assert history.stopped_because == "time_budget"
        assert 0 < history.n_steps < self.N_STEPS

    def test_ctrl_c(self):
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        pressing = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT))

        def clock():
            """Press the key a little after the first look, when the epoch begins."""
            if pressing.ident is None:
                pressing.start()
            return 0.0

        try:
            history = self.train(clock=clock)
            pressing.join()
        finally:
            signal.signal(signal.SIGINT, before)
        assert history.stopped_because == "interrupted"
        assert history.n_steps < self.N_STEPS

    @pytest.mark.rest
    @pytest.mark.parametrize("n_threads", [1, 2])
    def test_a_long_step_is_left_undone_before_its_weights_change(self, of_engines, rng, n_threads):
        """Asked in the middle of a step, the answer need not wait for its end."""
        network = dp.Network([300, 900, 900, 10], "relu")
        problem = of_engines.problem(network, rng, n=9000, batch_size=1500, dtype="float32")
        problem = replace(problem, n_threads=n_threads)
        start = of_engines.begin(network, rng)
        whole = of_engines.epochs(problem, start, shuffle=False)
        asked, run = [], NativeRun(problem, start.copy())

        def stop_at_the_second_question_of_a_step(done):
            asked.append(done)
            return done > 0 and asked.count(done) == 2

        rates = np.full(6, 0.1)
        plan = EpochPlan(np.arange(9000), None, rates, stop_at_the_second_question_of_a_step)
        outcome = run.epoch(plan)
        assert asked[-1] == 1500 * outcome.n_steps
        assert 0 < outcome.n_steps < whole.n_steps
        first = replace(problem, X=problem.X[: asked[-1]], targets=problem.targets[: asked[-1]])
        expected = of_engines.epochs(first, start, shuffle=False)
        assert run.parameters.flat.tobytes() == expected.flat.tobytes()
        assert outcome.loss == expected.loss[0]

    @pytest.mark.parametrize("n_threads", [1, 2])
    @pytest.mark.parametrize(("sizes", "n"), [([300, 900, 900, 10], 1500), ([20, 30, 10], 150_000)])
    def test_so_is_the_very_first_step(self, of_engines, rng, sizes, n, n_threads):
        """Panels and lanes; what was trained is as it was, to the last bit."""
        problem = of_engines.problem(dp.Network(sizes, "tanh"), rng, n=n, dtype="float32")
        start = of_engines.begin(problem.network, rng)
        start.flat[:] *= 1.0 + 1e-12  # no float32 numbers
        run = NativeRun(replace(problem, n_threads=n_threads), start.copy())
        outcome = run.epoch(EpochPlan(np.arange(n), None, np.full(1, 0.1), lambda done: True))
        if outcome.n_steps == 0:  # else the machine did it within a hundredth of a second
            assert run.parameters.flat.tobytes() == start.flat.tobytes()
        assert outcome.n_steps == 0 or sum(sizes) < 100

    def test_ctrl_c_before_the_first_step_is_done(self, of_engines, rng, monkeypatch):
        network = dp.Network([300, 900, 900, 10], "relu")
        X, y = rng.normal(size=(1500, 300)), rng.integers(0, 10, 1500)
        parameters, told = network.init(rng), []
        before, flat = (
            signal.signal(signal.SIGINT, signal.default_int_handler),
            parameters.flat.copy(),
        )

        def clock():
            if not told:
                os.kill(os.getpid(), signal.SIGINT)
            told.append("clock")
            return 0.0

        try:
            history = dp.train(
                network, parameters, X, y, batch_size=1500, epochs=3, clock=clock,
                callbacks=[lambda state: told.append("callback")],
            )  # fmt: skip
        finally:
            signal.signal(signal.SIGINT, before)
        assert (history.stopped_because, history.n_steps, history.loss) == ("interrupted", 0, [])
        assert history.message == "Interrupted before the first step."
        assert "callback" not in told
        np.testing.assert_array_equal(parameters.flat, flat)

    def test_any_time_budget_buys_a_step(self, rng):
        network = dp.Network([300, 900, 900, 10], "relu")
        X, y = rng.normal(size=(1500, 300)), rng.integers(0, 10, 1500)
        history = dp.train(network, network.init(rng), X, y, batch_size=1500, time_budget=1e-9)
        assert (history.stopped_because, history.n_steps) == ("time_budget", 1)

    def test_a_pulse_is_told_the_rows_done_and_at_last_all_of_them(self, of_engines, rng):
        problem = of_engines.problem(LARGE, rng, n=50, batch_size=20)
        told, run = [], NativeRun(problem, of_engines.begin(LARGE, rng))
        plan = EpochPlan(np.arange(50), dropout_generator(0, 0), np.full(3, 0.1), told.append)
        with pytest.raises((TypeError, RuntimeError)):
            run.epoch(plan)  # None is no answer
        told.clear()
        run.epoch(replace(plan, should_stop=lambda done: bool(told.append(done))))
        assert told[-1] == 50
        assert sorted(told) == told
        assert set(told) <= {0, 20, 40, 50}

    def test_an_exception_of_the_pulse_passes_through_and_the_run_goes_on(self, long_run):
        before = long_run.parameters.flat.copy()

        def fail(done):
            raise ZeroDivisionError("mine")

        with pytest.raises(ZeroDivisionError, match="mine"):
            long_run.epoch(LongEpoch.plan(long_run.problem, fail))
        np.testing.assert_array_equal(long_run.parameters.flat, before)
        outcome = long_run.epoch(LongEpoch.plan(long_run.problem, lambda done: True))
        assert 0 < outcome.n_steps < self.N_STEPS
        assert (long_run.parameters.flat != before).any()

    def test_an_exception_of_the_clock_passes_through_train(self):
        looks = []

        def clock():
            looks.append(1)
            if len(looks) > 3:
                raise ZeroDivisionError("the clock")
            return 0.0

        with pytest.raises(ZeroDivisionError, match="the clock"):
            self.train(time_budget=1e9, clock=clock)

    def test_a_callback_that_raises(self, rng):
        X, y = rng.normal(size=(50, 180)), rng.integers(10, size=50)
        parameters = LARGE.init(rng)
        with pytest.raises(ZeroDivisionError):
            dp.train(LARGE, parameters, X, y, callbacks=[lambda state: 1 / 0])
        assert np.isfinite(parameters.flat).all()

    def test_other_threads_run_during_an_epoch(self, long_run):
        finished = set()

        def tick():
            for _ in range(10):
                threading.Event().wait(0.001)
            finished.update(range(LongEpoch.N + 1))

        other = threading.Thread(target=tick)
        # a pulse without a line of Python, so that only the epoch can let the other thread run
        plan = LongEpoch.plan(long_run.problem, finished.__contains__)
        other.start()
        outcome = long_run.epoch(plan)
        other.join()
        assert outcome.n_steps < LongEpoch.N // 32
