"""The reference engine by itself: what an engine is asked, and what it answers."""

import numpy as np
import pytest
import scipy.sparse
import threadpoolctl

import deltaprop as dp
from deltaprop.engines import ENGINES, engine_named
from deltaprop.engines.base import EpochPlan, Problem
from deltaprop.engines.reference import ReferenceEngine, dense_rows
from deltaprop.engines.threads import BlasThreads
from deltaprop.errors import UnknownNameError

NETWORK = dp.Network([3, 4, 2], "tanh", "half_squared_error")


@pytest.fixture
def problem(rng):
    return Problem(
        network=NETWORK, X=rng.normal(size=(10, 3)), targets=rng.normal(size=(10, 2)),
        weights=None, optimizer=dp.GradientDescent(0.1), batch_size=4, dtype="float32",
        n_threads=None,
    )  # fmt: skip


def plan(order=range(10), should_stop=lambda done: False, eta=lambda step: 0.1):
    rates = np.array([eta(step) for step in range(len(order))])
    return EpochPlan(np.array(order), np.random.default_rng(0), rates, should_stop)


@pytest.fixture
def parameters(rng):
    return NETWORK.init(rng)


class TestChoosing:
    def test_auto_is_an_engine_of_the_registry(self):
        assert engine_named("auto") in ENGINES.values()
        assert isinstance(engine_named("reference"), ReferenceEngine)

    @pytest.mark.parametrize("name", ["pytorch", "Reference", "", "numpy"])
    def test_a_name_that_is_not_there_is_refused_with_those_that_are(self, name):
        with pytest.raises(
            UnknownNameError, match=f"No engine is called '{name}'.*Known: auto, native, re"
        ):
            engine_named(name)

    def test_each_engine_knows_its_name(self):
        assert {name: engine.name for name, engine in ENGINES.items()} == {
            name: name for name in ENGINES
        }


class TestAnEpoch:
    def test_the_pulse_is_told_the_rows_done(self, problem, parameters):
        told = []
        outcome = (
            ENGINES["reference"]
            .start(problem, parameters)
            .epoch(plan(should_stop=lambda done: told.append(done)))
        )
        assert told == [4, 8, 10]
        assert (outcome.n_steps, outcome.diverged) == (3, None)

    def test_a_pulse_that_says_stop_is_obeyed(self, problem, parameters):
        run = ENGINES["reference"].start(problem, parameters)
        first = dp.backpropagate(NETWORK, parameters, problem.X[:4], problem.targets[:4])
        outcome = run.epoch(plan(should_stop=lambda done: True))
        assert outcome.n_steps == 1
        assert outcome.loss == pytest.approx(first.loss, rel=1e-15)

    def test_each_step_takes_its_learning_rate(self, problem, parameters):
        mine = parameters.copy()
        for step, rows in enumerate(([0, 1, 2, 3], [4, 5, 6, 7], [8, 9])):
            trace = dp.backpropagate(NETWORK, mine, problem.X[rows], problem.targets[rows])
            mine.flat -= 0.1 * (step + 1) * trace.gradients.flat
        run = ENGINES["reference"].start(problem, parameters)
        run.epoch(plan(eta=lambda step: 0.1 * (step + 1)))
        np.testing.assert_allclose(parameters.flat, mine.flat, rtol=1e-14)

    def test_the_parameters_are_changed_in_place(self, problem, parameters):
        flat, before = parameters.flat, parameters.flat.copy()
        ENGINES["reference"].start(problem, parameters).epoch(plan())
        assert parameters.flat is flat
        assert (flat != before).all()
        np.testing.assert_array_equal(parameters.W[0].ravel(), flat[:12])

    def test_the_loss_is_the_mean_over_rows_before_their_step(self, problem, parameters):
        mine, losses = parameters.copy(), []
        for rows in ([0, 1, 2, 3], [4, 5, 6, 7], [8, 9]):
            trace = dp.backpropagate(NETWORK, mine, problem.X[rows], problem.targets[rows])
            losses += [trace.loss] * len(rows)
            mine.flat -= 0.1 * trace.gradients.flat
        outcome = ENGINES["reference"].start(problem, parameters).epoch(plan())
        assert outcome.loss == pytest.approx(np.mean(losses), rel=1e-14)

    def test_the_state_of_the_optimizer_lives_from_epoch_to_epoch(self, rng, problem, parameters):
        from dataclasses import replace

        run = ENGINES["reference"].start(replace(problem, optimizer=dp.Adam()), parameters)
        run.epoch(plan())
        run.epoch(plan())
        assert run.state["t"] == 6

    def test_it_computes_in_float64_whatever_was_asked_for(self, problem, parameters):
        run = ENGINES["reference"].start(problem, parameters)
        run.epoch(plan())
        assert run.dtype == "float64"
        assert parameters.flat.dtype == np.float64

    def test_what_was_last_finite_is_remembered_from_epoch_to_epoch(self, problem, parameters):
        run = ENGINES["reference"].start(problem, parameters)
        run.epoch(plan())
        seen = []
        run.epoch(plan(should_stop=lambda done: seen.append(parameters.flat.copy()) or True))
        before_that_step = run._last_finite.copy()
        parameters.flat[:] = 1e200
        outcome = run.epoch(plan())
        assert outcome.diverged == "the loss at step 1"
        assert outcome.n_steps == 0
        np.testing.assert_array_equal(parameters.flat, before_that_step)
        assert (before_that_step != seen[0]).any()


class TestLogits:
    @pytest.mark.parametrize("n", [1, 4095, 4096, 4097, 9000])
    def test_any_number_of_rows(self, rng, parameters, n):
        X = rng.normal(size=(n, 3))
        z = ENGINES["reference"].logits(NETWORK, parameters, X)
        assert z.shape == (n, 2)
        hidden = np.tanh(X @ parameters.W[0] + parameters.b[0])
        np.testing.assert_allclose(
            z, hidden @ parameters.W[1] + parameters.b[1], rtol=1e-12, atol=1e-14
        )


@pytest.mark.parametrize("rows", [slice(1, 3), np.array([2, 0]), np.array([1])])
def test_rows_of_a_sparse_matrix_are_those_of_the_dense_one(rows):
    X = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]], dtype=np.float32)
    for matrix in (scipy.sparse.csr_matrix(X), scipy.sparse.csr_array(X)):
        dense = dense_rows(matrix, rows)
        assert type(dense) is np.ndarray
        assert dense.dtype == np.float64
        np.testing.assert_array_equal(dense, X[rows])


class TestThreads:
    """Small products on one thread; large ones on as many as was said."""

    def threads_inside(self, network, batch_size, n_threads):
        with BlasThreads(network, batch_size, n_threads).limited():
            return {
                pool["num_threads"] for pool in threadpoolctl.threadpool_info()
                if pool["user_api"] == "blas"
            }  # fmt: skip

    def test_a_small_network_takes_one(self):
        assert self.threads_inside(dp.Network([4, 8, 2]), 128, None) == {1}

    def test_a_large_one_takes_as_many_as_it_is_given(self):
        assert self.threads_inside(dp.Network([784, 512, 10]), 128, 1) == {1}

    def test_without_a_limit_nothing_is_changed(self):
        before = {
            pool["num_threads"] for pool in threadpoolctl.threadpool_info()
            if pool["user_api"] == "blas"
        }  # fmt: skip
        assert self.threads_inside(dp.Network([784, 512, 10]), 128, None) == before

    def test_afterwards_the_threads_are_as_before(self):
        before = threadpoolctl.threadpool_info()
        self.threads_inside(dp.Network([4, 8, 2]), 128, None)
        assert threadpoolctl.threadpool_info() == before
