"""Why training ends, and which parameters it leaves: the best, or the last finite ones."""

import os
import signal
import threading
import warnings

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import DivergedWarning, SettingError
from deltaprop.model.spec import Network
from deltaprop.training.history import STOPPED_BECAUSE

N = 20


@pytest.fixture
def table(rng):
    X = rng.normal(size=(N, 2))
    return X, (X[:, 0] > 0).astype(int)


@pytest.fixture
def network():
    return Network([2, 4, 2], "tanh")


@pytest.fixture
def parameters(network):
    return network.init(np.random.default_rng(5))


class Clock:
    """Seconds that pass only when somebody looks."""

    def __init__(self, tick=1.0):
        self.now, self.tick = 0.0, tick

    def __call__(self):
        self.now += self.tick
        return self.now


class Scripted:
    """Validation figures as a test wants them, by way of the loss a run reads."""

    def __init__(self, monkeypatch, val_loss, val_metric=None):
        from deltaprop.training import run

        self.epoch = -1
        figures = val_metric or [0.5] * len(val_loss)

        def validate(this):
            self.epoch += 1
            if this.validation is not None:
                this.history.val_loss.append(val_loss[self.epoch])
                this.history.val_metric.append(figures[self.epoch])

        monkeypatch.setattr(run.TrainingRun, "_validate", validate)


def remember(seen):
    return lambda state: seen.append(state.parameters.flat.copy())


class TestEarlyStopping:
    LOSSES = (5.0, 3.0, 4.0, 3.0, 2.9, 3.5, 3.6, 3.7, 1.0, 1.0)

    def run(self, monkeypatch, network, parameters, table, **settings):
        Scripted(monkeypatch, self.LOSSES, settings.pop("metrics", None))
        self.seen = []
        return dp.train(
            network, parameters, *table, X_val=table[0], y_val=table[1], epochs=10,
            callbacks=[remember(self.seen)], **settings,
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("patience", "n_epochs", "best"),
        [(1, 3, 1), (2, 4, 1), (3, 8, 4), (4, 10, 8), (None, 10, 8)],
    )
    def test_it_waits_as_long_as_patience_says(
        self, monkeypatch, network, parameters, table, patience, n_epochs, best
    ):
        history = self.run(monkeypatch, network, parameters, table, patience=patience)
        assert (history.n_epochs, history.best_epoch) == (n_epochs, best)
        assert history.stopped_because == ("epochs" if n_epochs == 10 else "patience")
        np.testing.assert_array_equal(parameters.flat, self.seen[best])

    def test_without_keep_best_the_last_parameters_stay(
        self, monkeypatch, network, parameters, table
    ):
        history = self.run(monkeypatch, network, parameters, table, patience=3, keep_best=False)
        assert (history.n_epochs, history.best_epoch) == (8, 4)
        np.testing.assert_array_equal(parameters.flat, self.seen[-1])
        assert (self.seen[-1] != self.seen[4]).any()
        assert "was kept" not in history.message

    @pytest.mark.parametrize(
        ("min_improvement", "best"), [(0.0, 4), (0.09, 4), (0.2, 1), (1.9, 1), (2.5, 0)]
    )
    def test_a_smaller_improvement_does_not_count(
        self, monkeypatch, network, parameters, table, min_improvement, best
    ):
        history = self.run(
            monkeypatch, network, parameters, table, patience=3, min_improvement=min_improvement
        )
        assert history.best_epoch == best
        assert history.n_epochs == best + 4

    @pytest.mark.parametrize(
        ("patience", "n_epochs", "best"), [(1, 3, 1), (2, 7, 4), (3, 8, 4), (None, 10, 9)]
    )
    def test_of_equals_the_latest_may_be_preferred(
        self, monkeypatch, network, parameters, table, patience, n_epochs, best
    ):
        history = self.run(
            monkeypatch, network, parameters, table, patience=patience, prefer_latest=True
        )
        assert (history.n_epochs, history.best_epoch) == (n_epochs, best)
        np.testing.assert_array_equal(parameters.flat, self.seen[best])

    def test_of_equal_metrics_the_latest_may_be_preferred(
        self, monkeypatch, network, parameters, table
    ):
        metrics = [0.1, 0.5, 0.4, 0.5, 0.2, 0.5, 0.3, 0.2, 0.1, 0.4]
        settings = {"metrics": metrics, "monitor": "val_metric"}
        first = self.run(monkeypatch, network, parameters, table, **settings)
        last = self.run(monkeypatch, network, parameters, table, prefer_latest=True, **settings)
        assert (first.best_epoch, last.best_epoch) == (1, 5)

    def test_figures_that_are_no_numbers_are_never_preferred(
        self, monkeypatch, network, parameters, table
    ):
        metrics = [float("nan"), 0.5, float("nan"), 0.4] + [float("nan")] * 6
        history = self.run(
            monkeypatch, network, parameters, table, metrics=metrics, monitor="val_metric",
            prefer_latest=True,
        )  # fmt: skip
        assert history.best_epoch == 1

    def test_the_metric_is_monitored_upwards(self, monkeypatch, network, parameters, table):
        metrics = [0.1, 0.5, 0.4, 0.5, 0.6, 0.2, 0.2, 0.2, 0.9, 0.9]
        history = self.run(
            monkeypatch, network, parameters, table,
            metrics=metrics, monitor="val_metric", patience=3,
        )  # fmt: skip
        assert (history.n_epochs, history.best_epoch) == (8, 4)
        assert "val_metric" in history.message

    def test_the_training_loss_can_be_monitored(self, monkeypatch, network, parameters, table):
        history = self.run(monkeypatch, network, parameters, table, monitor="loss", patience=2)
        assert history.best_epoch == int(np.argmin(history.loss))
        np.testing.assert_array_equal(parameters.flat, self.seen[history.best_epoch])

    def test_patience_works_on_the_training_loss_without_validation(self, network, parameters):
        X, y = np.ones((4, 2)), [0, 1, 0, 1]  # nothing can be told apart
        parameters.flat[:] = 0.0
        history = dp.train(network, parameters, X, y, patience=3, epochs=50, batch_size=None)
        assert history.stopped_because == "patience"
        assert history.n_epochs == 4
        assert history.best_epoch is None

    def test_the_message_says_what_did_not_improve_and_what_was_kept(
        self, monkeypatch, network, parameters, table
    ):
        history = self.run(monkeypatch, network, parameters, table, patience=3)
        assert history.message == (
            "No improvement of val_loss for 3 epochs. Epoch 5 was best and was kept."
        )

    @pytest.mark.parametrize("figure", [np.nan, np.inf])
    def test_a_figure_that_is_no_number_is_never_the_best(
        self, monkeypatch, network, parameters, table, figure
    ):
        monkeypatch.setattr(type(self), "LOSSES", (figure, 2.0, figure, 1.0, *[figure] * 6))
        history = self.run(monkeypatch, network, parameters, table, patience=4)
        assert (history.best_epoch, history.n_epochs) == (3, 8)

    def test_really_overfitting_keeps_an_earlier_epoch(self, rng):
        network = Network([10, 60, 2], "relu")
        parameters = network.init(rng)
        X, y = rng.normal(size=(30, 10)), rng.integers(2, size=30)
        X_val, y_val = rng.normal(size=(200, 10)), rng.integers(2, size=200)
        history = dp.train(
            network, parameters, X, y, X_val=X_val, y_val=y_val,
            epochs=300, patience=10, optimizer=dp.Adam(0.01), batch_size=10, dtype="float64",
        )  # fmt: skip
        assert history.stopped_because == "patience"
        assert history.best_epoch == history.n_epochs - 11 == int(np.argmin(history.val_loss))
        kept = dp.backpropagate(network, parameters, X_val, y_val).loss
        assert kept == pytest.approx(min(history.val_loss), rel=1e-12)


class TestTimeBudget:
    def test_it_stops_between_two_steps_within_an_epoch(self, network, parameters, table):
        clock = Clock()
        history = dp.train(
            network, parameters, *table, batch_size=1, epochs=3, time_budget=6.5, clock=clock,
            engine="reference",
        )  # fmt: skip
        # looked at: once to set the deadline (1 + 6.5), once as the epoch begins, then per step
        assert history.stopped_because == "time_budget"
        assert history.n_steps == 6
        assert history.n_epochs == 1
        assert history.message == "The time budget was used up in epoch 1."

    def test_at_least_one_step_is_done(self, network, parameters, table):
        before = parameters.flat.copy()
        history = dp.train(
            network, parameters, *table, batch_size=1, time_budget=1e-9, clock=Clock(),
            engine="reference",
        )  # fmt: skip
        assert history.n_steps == 1
        assert (parameters.flat != before).any()

    def test_a_long_budget_changes_nothing(self, network, parameters, table):
        history = dp.train(network, parameters, *table, time_budget=1e6, epochs=3, clock=Clock())
        assert history.stopped_because == "epochs"
        assert history.n_epochs == 3

    def test_the_seconds_of_each_epoch_come_from_the_clock(self, network, parameters, table):
        history = dp.train(network, parameters, *table, epochs=3, clock=Clock(0.25))
        assert history.seconds == [0.25] * 3

    def test_the_best_is_kept_when_time_is_up(self, monkeypatch, network, parameters, table):
        Scripted(monkeypatch, [1.0, 2.0, 3.0, 4.0, 5.0])
        seen = []
        history = dp.train(
            network, parameters, *table, X_val=table[0], y_val=table[1], batch_size=None,
            epochs=5, time_budget=9, clock=Clock(), callbacks=[remember(seen)],
        )  # fmt: skip
        assert history.stopped_because == "time_budget"
        assert 1 < history.n_epochs < 5
        np.testing.assert_array_equal(parameters.flat, seen[0])


class TestCallbacks:
    def test_each_epoch_is_told_with_its_state(self, network, parameters, table):
        told = []

        def note(state):
            told.append((state.epoch, state.n_epochs, len(state.history.loss)))
            assert state.network is network
            assert state.parameters is parameters

        dp.train(network, parameters, *table, epochs=3, callbacks=[note])
        assert told == [(0, 3, 1), (1, 3, 2), (2, 3, 3)]

    def test_the_state_cannot_be_changed(self, network, parameters, table):
        with pytest.raises(AttributeError):
            dp.train(
                network, parameters, *table,
                callbacks=[lambda state: setattr(state, "epoch", 7)],
            )  # fmt: skip

    def test_the_history_has_the_validation_of_the_same_epoch(self, network, parameters, table):
        lengths = []
        dp.train(
            network, parameters, *table, X_val=table[0], y_val=table[1], epochs=2,
            callbacks=[
                lambda s: lengths.append(
                    (len(s.history.val_loss), len(s.history.val_metric), len(s.history.seconds))
                )
            ],
        )  # fmt: skip
        assert lengths == [(1, 1, 1), (2, 2, 2)]

    @pytest.mark.parametrize("yes", [True, np.True_])
    def test_true_stops_and_all_the_others_are_still_told(self, network, parameters, table, yes):
        told = []
        history = dp.train(
            network, parameters, *table, epochs=9,
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
    def test_any_other_answer_goes_on(self, network, parameters, table, answer):
        history = dp.train(network, parameters, *table, epochs=3, callbacks=[lambda s: answer])
        assert history.n_epochs == 3

    def test_an_exception_passes_through_and_leaves_finite_parameters(
        self, network, parameters, table
    ):
        before = parameters.flat.copy()

        def fail(state):
            if state.epoch == 2:
                raise ZeroDivisionError("mine")

        with pytest.raises(ZeroDivisionError, match="mine"):
            dp.train(network, parameters, *table, callbacks=[fail])
        assert np.isfinite(parameters.flat).all()
        assert (parameters.flat != before).any()

    def test_what_a_callback_writes_into_the_parameters_is_trained_on(self, network, table):
        def zero(state):
            state.parameters.flat[:] = 0.0

        a, b = (network.init(np.random.default_rng(seed)) for seed in (1, 2))
        for parameters in (a, b):
            dp.train(
                network, parameters, *table, epochs=2, callbacks=[zero],
                optimizer=dp.GradientDescent(),
            )  # fmt: skip
        np.testing.assert_array_equal(a.flat, 0.0)
        np.testing.assert_array_equal(a.flat, b.flat)


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
        self, plain_sigint, network, parameters, table
    ):
        told = []
        history = dp.train(
            network, parameters, *table, epochs=50,
            callbacks=[lambda s: press_ctrl_c() if s.epoch == 2 else None, told.append],
        )  # fmt: skip
        assert history.stopped_because == "interrupted"
        assert history.n_epochs == len(told) == 3
        assert history.message == "Interrupted in epoch 3."

    def test_pressed_during_the_steps_no_further_step_is_done(
        self, plain_sigint, network, parameters, table
    ):
        # the sixth look is the pulse of the fourth step; the next pulse finds the key pressed
        history = dp.train(
            network, parameters, *table, batch_size=1, time_budget=1e9, clock=Pressing(at=6),
            engine="reference",
        )  # fmt: skip
        assert history.stopped_because == "interrupted"
        assert history.n_steps == 5

    def test_the_best_parameters_so_far_are_kept(
        self, plain_sigint, monkeypatch, network, parameters, table
    ):
        Scripted(monkeypatch, [1.0, 0.5, 2.0, 3.0])
        seen = []
        history = dp.train(
            network, parameters, *table, X_val=table[0], y_val=table[1], epochs=50,
            callbacks=[remember(seen), lambda s: press_ctrl_c() if s.epoch == 3 else None],
        )  # fmt: skip
        assert history.best_epoch == 1
        np.testing.assert_array_equal(parameters.flat, seen[1])
        assert history.message == "Interrupted in epoch 4. Epoch 2 was best and was kept."

    def test_the_handler_is_ours_during_training_and_pythons_before_and_after(
        self, plain_sigint, network, parameters, table
    ):
        during = []
        dp.train(
            network, parameters, *table, epochs=1,
            callbacks=[lambda s: during.append(signal.getsignal(signal.SIGINT))],
        )  # fmt: skip
        assert during[0] is not plain_sigint
        assert signal.getsignal(signal.SIGINT) is plain_sigint

    @pytest.mark.parametrize("ending", ["ctrl-c", "exception", "divergence"])
    def test_the_handler_is_restored_however_training_ends(
        self, plain_sigint, network, parameters, table, ending
    ):
        X, y = table
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

    def test_a_second_press_interrupts_at_once(self, plain_sigint, network, parameters, table):
        def twice(_state):
            press_ctrl_c()
            press_ctrl_c()
            raise AssertionError("not reached")

        with pytest.raises(KeyboardInterrupt):
            dp.train(network, parameters, *table, callbacks=[twice])
        assert signal.getsignal(signal.SIGINT) is plain_sigint
        assert np.isfinite(parameters.flat).all()

    def test_a_handler_of_somebody_else_stays_in_charge(
        self, plain_sigint, network, parameters, table
    ):
        caught = []
        own = lambda *_: caught.append(1)  # noqa: E731
        signal.signal(signal.SIGINT, own)
        history = dp.train(network, parameters, *table, epochs=3, callbacks=[press_ctrl_c])
        assert len(caught) == 3
        assert history.stopped_because == "epochs"
        assert signal.getsignal(signal.SIGINT) is own

    def test_in_another_thread_no_handler_is_touched(
        self, plain_sigint, network, parameters, table
    ):
        seen = []
        thread = threading.Thread(
            target=lambda: dp.train(
                network, parameters, *table, epochs=2,
                callbacks=[lambda s: seen.append(signal.getsignal(signal.SIGINT))],
            )
        )  # fmt: skip
        thread.start()
        thread.join(60)
        assert seen == [plain_sigint] * 2


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
    def test_a_huge_learning_rate(self, table, batch_size, rate, loss):
        network = Network([2, 3, 1], "identity", loss)
        X, y = table
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
    def test_the_epoch_and_the_step_are_named(self, table, engine):
        X, y = table[0].copy(), table[1].astype(float)
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

    def test_a_later_epoch_is_named(self, table):
        def grow(state):
            if state.epoch == 2:
                state.parameters.flat[:] = 1e200

        history, _ = self.diverge(self.REGRESSION, *table, callbacks=[grow], batch_size=None)
        assert "in epoch 4: the loss at step 1 was" in history.message
        assert history.n_epochs == 3

    @pytest.mark.parametrize("engine", EXACT)
    def test_full_batch_goes_back_to_the_parameters_before_the_step_too_far(self, table, engine):
        X, y = table
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

    def test_huge_inputs(self, table):
        X, y = table
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

    def test_with_validation_the_best_epoch_is_kept(self, table):
        seen = []

        def grow(state):
            seen.append(state.parameters.flat.copy())
            if state.epoch == 1:
                state.parameters.flat[:] = 1e200

        history, parameters = self.diverge(
            self.REGRESSION, *table, X_val=table[0], y_val=table[1], callbacks=[grow],
            optimizer=dp.GradientDescent(0.01), batch_size=None,
        )  # fmt: skip
        assert history.best_epoch == 1
        np.testing.assert_array_equal(parameters.flat, seen[1])
        assert history.message.endswith("Epoch 2 was best and was kept.")

    def test_a_finite_run_warns_of_nothing(self, table, network, parameters):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dp.train(network, parameters, *table)


def loss_of(network, parameters, X, y):
    with np.errstate(all="ignore"):
        return dp.backpropagate(network, parameters, X, y).loss


def test_every_reason_has_its_words():
    assert set(STOPPED_BECAUSE) == {
        "epochs", "patience", "time_budget", "interrupted", "callback", "diverged",
    }  # fmt: skip


def test_monitoring_validation_needs_validation_rows(network, parameters, table):
    for monitor in ("val_loss", "val_metric"):
        with pytest.raises(SettingError, match=f"monitor='{monitor}' needs validation rows"):
            dp.train(network, parameters, *table, monitor=monitor)
