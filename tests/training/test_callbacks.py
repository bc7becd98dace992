"""Callbacks: what they are told, how they stop training, what they may change."""

import numpy as np
import pytest

import deltaprop as dp


class TestCallbacks:
    def test_each_epoch_is_told_with_its_state(self, network, parameters, plane):
        told = []

        def note(state):
            told.append((state.epoch, state.n_epochs, len(state.history.loss)))
            assert state.network is network
            assert state.parameters is parameters

        dp.train(network, parameters, *plane, epochs=3, callbacks=[note])
        assert told == [(0, 3, 1), (1, 3, 2), (2, 3, 3)]

    def test_the_state_cannot_be_changed(self, network, parameters, plane):
        with pytest.raises(AttributeError):
            dp.train(
                network, parameters, *plane,
                callbacks=[lambda state: setattr(state, "epoch", 7)],
            )  # fmt: skip

    def test_the_history_has_the_validation_of_the_same_epoch(self, network, parameters, plane):
        lengths = []
        dp.train(
            network, parameters, *plane, X_val=plane[0], y_val=plane[1], epochs=2,
            callbacks=[
                lambda s: lengths.append(
                    (len(s.history.val_loss), len(s.history.val_metric), len(s.history.seconds))
                )
            ],
        )  # fmt: skip
        assert lengths == [(1, 1, 1), (2, 2, 2)]

    @pytest.mark.parametrize("yes", [True, np.True_])
    def test_true_stops_and_all_the_others_are_still_told(self, network, parameters, plane, yes):
        told = []
        history = dp.train(
            network, parameters, *plane, epochs=9,
            callbacks=[
                lambda s: told.append("first"), lambda s: yes if s.epoch == 1 else None,
                lambda s: told.append("last"),
            ],
        )  # fmt: skip
        assert told == ["first", "last"] * 2
        assert history.n_epochs == 2
        assert history.stopped_because == "callback"
        assert history.message == "A callback stopped training after epoch 2."

    @pytest.mark.parametrize("answer", [None, False, 0, 1, 1.0, "yes", [], np.ones(3), np.False_])
    def test_any_other_answer_goes_on(self, network, parameters, plane, answer):
        history = dp.train(network, parameters, *plane, epochs=3, callbacks=[lambda s: answer])
        assert history.n_epochs == 3

    def test_an_exception_passes_through_and_leaves_finite_parameters(
        self, network, parameters, plane
    ):
        before = parameters.flat.copy()

        def fail(state):
            if state.epoch == 2:
                raise ZeroDivisionError("mine")

        with pytest.raises(ZeroDivisionError, match="mine"):
            dp.train(network, parameters, *plane, callbacks=[fail])
        assert np.isfinite(parameters.flat).all()
        assert (parameters.flat != before).any()

    def test_what_a_callback_writes_into_the_parameters_is_trained_on(self, network, plane):
        def zero(state):
            state.parameters.flat[:] = 0.0

        a, b = (network.init(np.random.default_rng(seed)) for seed in (1, 2))
        for parameters in (a, b):
            dp.train(
                network, parameters, *plane, epochs=2, callbacks=[zero],
                optimizer=dp.GradientDescent(),
            )  # fmt: skip
        np.testing.assert_array_equal(a.flat, 0.0)
        np.testing.assert_array_equal(a.flat, b.flat)
