"""Training that diverges stops, says where, and leaves the last finite parameters."""

import warnings

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DivergedWarning
from deltaprop.model.spec import Network
from helpers.stopping import remember

EXACT = ("reference", "native")  # both in float64


class TestDivergence:
    """It stops, says where and what, and leaves parameters that are numbers."""

    REGRESSION = Network([2, 1], loss="half_squared_error")

    def diverge(self, network, X, y, **settings):
        parameters = network.init(np.random.default_rng(1))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            history = dp.train(network, parameters, X, y, **settings)
        assert [w.category for w in caught] == [DivergedWarning]
        assert str(caught[0].message) == history.message
        assert caught[0].filename == __file__
        assert history.stopped_because == "diverged"
        assert np.isfinite(parameters.flat).all()
        return history, parameters

    @pytest.mark.parametrize("batch_size", [None, 5, 1])
    @pytest.mark.parametrize("rate", [1e10, 1e60, 1e200])
    @pytest.mark.parametrize("loss", ["half_squared_error", "poisson"])
    def test_a_huge_learning_rate(self, plane, batch_size, rate, loss):
        network = Network([2, 3, 1], "identity", loss)
        X, y = plane
        history, parameters = self.diverge(
            network, X, y, optimizer=dp.GradientDescent(rate), batch_size=batch_size, epochs=50,
            shuffle=False,
        )  # fmt: skip
        assert f"at learning rate {rate:g}" in history.message
        assert "Try a smaller learning rate, or scale the inputs." in history.message
        assert "The last parameters with a finite loss were kept." in history.message
        with np.errstate(all="ignore"):
            trace = dp.backpropagate(network, parameters, X[:batch_size], y[:batch_size])
        if batch_size is None:
            assert np.isfinite(trace.loss)
            assert np.isfinite(trace.gradients.flat).all()

    @pytest.mark.parametrize("engine", EXACT)
    def test_the_epoch_and_the_step_are_named(self, plane, engine):
        X, y = plane[0].copy(), plane[1].astype(float)
        y[13] = 1e200
        history, _ = self.diverge(
            self.REGRESSION, X, y, shuffle=False, batch_size=2,
            optimizer=dp.GradientDescent(1e-3), engine=engine, dtype="float64",
        )  # fmt: skip
        assert history.message.startswith(
            "Training diverged in epoch 1: the loss at step 7 was not a finite number"
        )
        assert history.n_steps == 6
        assert history.loss == []

    def test_a_later_epoch_is_named(self, plane):
        def grow(state):
            if state.epoch == 2:
                state.parameters.flat[:] = 1e200

        history, _ = self.diverge(self.REGRESSION, *plane, callbacks=[grow], batch_size=None)
        assert "in epoch 4: the loss at step 1 was" in history.message
        assert history.n_epochs == 3

    @pytest.mark.parametrize("engine", EXACT)
    def test_full_batch_goes_back_to_the_parameters_before_the_step_too_far(self, plane, engine):
        X, y = plane
        seen = []
        _, parameters = self.diverge(
            self.REGRESSION, X, y, batch_size=None, optimizer=dp.GradientDescent(1e100),
            epochs=50, callbacks=[remember(seen)], engine=engine, dtype="float64",
        )  # fmt: skip
        finite = [
            flat for flat in seen
            if np.isfinite(loss_of(self.REGRESSION, parameters.like(flat), X, y))
        ]  # fmt: skip
        assert len(finite) < len(seen)
        np.testing.assert_array_equal(
            parameters.flat,
            finite[-1] if finite else self.REGRESSION.init(np.random.default_rng(1)).flat,
        )

    def test_huge_inputs(self, plane):
        X, y = plane
        before = self.REGRESSION.init(np.random.default_rng(1)).flat
        history, parameters = self.diverge(self.REGRESSION, X * 1e200, y)
        assert "in epoch 1: the loss at step 1 was" in history.message
        np.testing.assert_array_equal(parameters.flat, before)

    @pytest.mark.parametrize("engine", EXACT)
    def test_a_gradient_without_a_finite_value(self, engine):
        # the loss is linear in the residual, the gradient of a weight multiplies by x once more
        network = Network([1, 1], loss="huber", bias=False)
        parameters = network.parameters([[[1e-10]]])
        X = [[1e308], [1e308]]
        with pytest.warns(DivergedWarning, match="diverged in epoch 1: a"):
            dp.train(
                network, parameters, np.repeat(X, 5, axis=0), np.zeros(10), epochs=1,
                optimizer=dp.GradientDescent(1e10), engine=engine, dtype="float64",
            )  # fmt: skip
        assert np.isfinite(parameters.flat).all()

    @pytest.mark.parametrize("engine", EXACT)
    def test_a_last_step_to_infinity_is_taken_back(self, engine):
        network = Network([1, 1], loss="half_squared_error", bias=False)
        parameters = network.parameters([[[1e10]]])
        with pytest.warns(DivergedWarning, match="a parameter after step 1 was not"):
            dp.train(
                network, parameters, [[1e100]], [0.0], epochs=1,
                optimizer=dp.GradientDescent(1e300), engine=engine, dtype="float64",
            )  # fmt: skip
        assert parameters.flat.tolist() == [1e10]

    def test_with_validation_the_best_epoch_is_kept(self, plane):
        seen = []

        def grow(state):
            seen.append(state.parameters.flat.copy())
            if state.epoch == 1:
                state.parameters.flat[:] = 1e200

        history, parameters = self.diverge(
            self.REGRESSION, *plane, X_val=plane[0], y_val=plane[1], callbacks=[grow],
            optimizer=dp.GradientDescent(0.01), batch_size=None,
        )  # fmt: skip
        assert history.best_epoch == 1
        np.testing.assert_array_equal(parameters.flat, seen[1])
        assert history.message.endswith("Epoch 2 was best and was kept.")

    def test_a_finite_run_warns_of_nothing(self, plane, network, parameters):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dp.train(network, parameters, *plane)


def loss_of(network, parameters, X, y):
    with np.errstate(all="ignore"):
        return dp.backpropagate(network, parameters, X, y).loss
