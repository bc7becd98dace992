"""Ctrl-C ends training with the parameters so far, and leaves the handlers as they were."""

import os
import signal
import threading

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DivergedWarning
from deltaprop.model.spec import Network
from helpers.stopping import Scripted, remember


@pytest.fixture
def plain_sigint():
    """Python's own handler of Ctrl-C, whatever the test runner set."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def press_ctrl_c(_state=None):
    os.kill(os.getpid(), signal.SIGINT)


class Pressing:
    """A clock that presses Ctrl-C at a certain look: between two steps of an epoch."""

    def __init__(self, at):
        self.looks, self.at = 0, at

    def __call__(self):
        self.looks += 1
        if self.looks == self.at:
            press_ctrl_c()
        return 0.0


class TestCtrlC:
    def test_pressed_in_a_callback_training_ends_after_the_epoch(
        self, plain_sigint, network, parameters, plane
    ):
        told = []
        history = dp.train(
            network, parameters, *plane, epochs=50,
            callbacks=[lambda s: press_ctrl_c() if s.epoch == 2 else None, told.append],
        )  # fmt: skip
        assert history.stopped_because == "interrupted"
        assert history.n_epochs == len(told) == 3
        assert history.message == "Interrupted in epoch 3."

    def test_pressed_during_the_steps_no_further_step_is_done(
        self, plain_sigint, network, parameters, plane
    ):
        # the sixth look is the pulse of the fourth step; the next pulse finds the key pressed
        history = dp.train(
            network, parameters, *plane, batch_size=1, time_budget=1e9, clock=Pressing(at=6),
            engine="reference",
        )  # fmt: skip
        assert history.stopped_because == "interrupted"
        assert history.n_steps == 5

    def test_the_best_parameters_so_far_are_kept(
        self, plain_sigint, monkeypatch, network, parameters, plane
    ):
        Scripted(monkeypatch, [1.0, 0.5, 2.0, 3.0])
        seen = []
        history = dp.train(
            network, parameters, *plane, X_val=plane[0], y_val=plane[1], epochs=50,
            callbacks=[remember(seen), lambda s: press_ctrl_c() if s.epoch == 3 else None],
        )  # fmt: skip
        assert history.best_epoch == 1
        np.testing.assert_array_equal(parameters.flat, seen[1])
        assert history.message == "Interrupted in epoch 4. Epoch 2 was best and was kept."

    def test_the_handler_is_ours_during_training_and_pythons_before_and_after(
        self, plain_sigint, network, parameters, plane
    ):
        during = []
        dp.train(
            network, parameters, *plane, epochs=1,
            callbacks=[lambda s: during.append(signal.getsignal(signal.SIGINT))],
        )  # fmt: skip
        assert during[0] is not plain_sigint
        assert signal.getsignal(signal.SIGINT) is plain_sigint

    @pytest.mark.parametrize("ending", ["ctrl-c", "exception", "divergence"])
    def test_the_handler_is_restored_however_training_ends(
        self, plain_sigint, network, parameters, plane, ending
    ):
        X, y = plane
        if ending == "ctrl-c":
            dp.train(network, parameters, X, y, callbacks=[press_ctrl_c])
        elif ending == "exception":
            with pytest.raises(ZeroDivisionError):
                dp.train(network, parameters, X, y, callbacks=[lambda s: 1 / 0])
        else:
            with pytest.warns(DivergedWarning):
                dp.train(
                    Network([2, 1], loss="half_squared_error"),
                    Network([2, 1]).init(np.random.default_rng(0)), X * 1e200, y,
                )  # fmt: skip
        assert signal.getsignal(signal.SIGINT) is plain_sigint

    def test_a_second_press_interrupts_at_once(self, plain_sigint, network, parameters, plane):
        def twice(_state):
            press_ctrl_c()
            press_ctrl_c()
            raise AssertionError("not reached")

        with pytest.raises(KeyboardInterrupt):
            dp.train(network, parameters, *plane, callbacks=[twice])
        assert signal.getsignal(signal.SIGINT) is plain_sigint
        assert np.isfinite(parameters.flat).all()

    def test_a_handler_of_somebody_else_stays_in_charge(
        self, plain_sigint, network, parameters, plane
    ):
        caught = []
        own = lambda *_: caught.append(1)  # noqa: E731
        signal.signal(signal.SIGINT, own)
        history = dp.train(network, parameters, *plane, epochs=3, callbacks=[press_ctrl_c])
        assert len(caught) == 3
        assert history.stopped_because == "epochs"
        assert signal.getsignal(signal.SIGINT) is own

    def test_in_another_thread_no_handler_is_touched(
        self, plain_sigint, network, parameters, plane
    ):
        seen = []
        thread = threading.Thread(
            target=lambda: dp.train(
                network, parameters, *plane, epochs=2,
                callbacks=[lambda s: seen.append(signal.getsignal(signal.SIGINT))],
            )
        )  # fmt: skip
        thread.start()
        thread.join(60)
        assert seen == [plain_sigint] * 2
