"""Why training ends, and which parameters it leaves: the best, or the last finite ones."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError
from deltaprop.model.spec import Network
from deltaprop.training.history import STOPPED_BECAUSE
from helpers.stopping import Clock, Scripted, remember


class TestEarlyStopping:
    LOSSES = (5.0, 3.0, 4.0, 3.0, 2.9, 3.5, 3.6, 3.7, 1.0, 1.0)

    def run(self, monkeypatch, network, parameters, plane, **settings):
        Scripted(monkeypatch, self.LOSSES, settings.pop("metrics", None))
        self.seen = []
        return dp.train(
            network, parameters, *plane, X_val=plane[0], y_val=plane[1], epochs=10,
            callbacks=[remember(self.seen)], **settings,
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("patience", "n_epochs", "best"),
        [(1, 3, 1), (2, 4, 1), (3, 8, 4), (4, 10, 8), (None, 10, 8)],
    )
    def test_it_waits_as_long_as_patience_says(
        self, monkeypatch, network, parameters, plane, patience, n_epochs, best
    ):
        history = self.run(monkeypatch, network, parameters, plane, patience=patience)
        assert (history.n_epochs, history.best_epoch) == (n_epochs, best)
        assert history.stopped_because == ("epochs" if n_epochs == 10 else "patience")
        np.testing.assert_array_equal(parameters.flat, self.seen[best])

    def test_without_keep_best_the_last_parameters_stay(
        self, monkeypatch, network, parameters, plane
    ):
        history = self.run(monkeypatch, network, parameters, plane, patience=3, keep_best=False)
        assert (history.n_epochs, history.best_epoch) == (8, 4)
        np.testing.assert_array_equal(parameters.flat, self.seen[-1])
        assert (self.seen[-1] != self.seen[4]).any()
        assert "was kept" not in history.message

    @pytest.mark.parametrize(
        ("min_improvement", "best"), [(0.0, 4), (0.09, 4), (0.2, 1), (1.9, 1), (2.5, 0)]
    )
    def test_a_smaller_improvement_does_not_count(
        self, monkeypatch, network, parameters, plane, min_improvement, best
    ):
        history = self.run(
            monkeypatch, network, parameters, plane, patience=3, min_improvement=min_improvement
        )
        assert history.best_epoch == best
        assert history.n_epochs == best + 4

    @pytest.mark.parametrize(
        ("patience", "n_epochs", "best"), [(1, 3, 1), (2, 7, 4), (3, 8, 4), (None, 10, 9)]
    )
    def test_of_equals_the_latest_may_be_preferred(
        self, monkeypatch, network, parameters, plane, patience, n_epochs, best
    ):
        history = self.run(
            monkeypatch, network, parameters, plane, patience=patience, prefer_latest=True
        )
        assert (history.n_epochs, history.best_epoch) == (n_epochs, best)
        np.testing.assert_array_equal(parameters.flat, self.seen[best])

    def test_of_equal_metrics_the_latest_may_be_preferred(
        self, monkeypatch, network, parameters, plane
    ):
        metrics = [0.1, 0.5, 0.4, 0.5, 0.2, 0.5, 0.3, 0.2, 0.1, 0.4]
        settings = {"metrics": metrics, "monitor": "val_metric"}
        first = self.run(monkeypatch, network, parameters, plane, **settings)
        last = self.run(monkeypatch, network, parameters, plane, prefer_latest=True, **settings)
        assert (first.best_epoch, last.best_epoch) == (1, 5)

    def test_figures_that_are_no_numbers_are_never_preferred(
        self, monkeypatch, network, parameters, plane
    ):
        metrics = [float("nan"), 0.5, float("nan"), 0.4] + [float("nan")] * 6
        history = self.run(
            monkeypatch, network, parameters, plane, metrics=metrics, monitor="val_metric",
            prefer_latest=True,
        )  # fmt: skip
        assert history.best_epoch == 1

    def test_the_metric_is_monitored_upwards(self, monkeypatch, network, parameters, plane):
        metrics = [0.1, 0.5, 0.4, 0.5, 0.6, 0.2, 0.2, 0.2, 0.9, 0.9]
        history = self.run(
            monkeypatch, network, parameters, plane,
            metrics=metrics, monitor="val_metric", patience=3,
        )  # fmt: skip
        assert (history.n_epochs, history.best_epoch) == (8, 4)
        assert "val_metric" in history.message

    def test_the_training_loss_can_be_monitored(self, monkeypatch, network, parameters, plane):
        history = self.run(monkeypatch, network, parameters, plane, monitor="loss", patience=2)
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
        self, monkeypatch, network, parameters, plane
    ):
        history = self.run(monkeypatch, network, parameters, plane, patience=3)
        assert history.message == (
            "No improvement of val_loss for 3 epochs. Epoch 5 was best and was kept."
        )

    @pytest.mark.parametrize("figure", [np.nan, np.inf])
    def test_a_figure_that_is_no_number_is_never_the_best(
        self, monkeypatch, network, parameters, plane, figure
    ):
        monkeypatch.setattr(type(self), "LOSSES", (figure, 2.0, figure, 1.0, *[figure] * 6))
        history = self.run(monkeypatch, network, parameters, plane, patience=4)
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
    def test_it_stops_between_two_steps_within_an_epoch(self, network, parameters, plane):
        clock = Clock()
        history = dp.train(
            network, parameters, *plane, batch_size=1, epochs=3, time_budget=6.5, clock=clock,
            engine="reference",
        )  # fmt: skip
        # looked at: once to set the deadline (1 + 6.5), once as the epoch begins, then per step
        assert history.stopped_because == "time_budget"
        assert history.n_steps == 6
        assert history.n_epochs == 1
        assert history.message == "The time budget was used up in epoch 1."

    def test_at_least_one_step_is_done(self, network, parameters, plane):
        before = parameters.flat.copy()
        history = dp.train(
            network, parameters, *plane, batch_size=1, time_budget=1e-9, clock=Clock(),
            engine="reference",
        )  # fmt: skip
        assert history.n_steps == 1
        assert (parameters.flat != before).any()

    def test_a_long_budget_changes_nothing(self, network, parameters, plane):
        history = dp.train(network, parameters, *plane, time_budget=1e6, epochs=3, clock=Clock())
        assert history.stopped_because == "epochs"
        assert history.n_epochs == 3

    def test_the_seconds_of_each_epoch_come_from_the_clock(self, network, parameters, plane):
        history = dp.train(network, parameters, *plane, epochs=3, clock=Clock(0.25))
        assert history.seconds == [0.25] * 3

    def test_the_best_is_kept_when_time_is_up(self, monkeypatch, network, parameters, plane):
        Scripted(monkeypatch, [1.0, 2.0, 3.0, 4.0, 5.0])
        seen = []
        history = dp.train(
            network, parameters, *plane, X_val=plane[0], y_val=plane[1], batch_size=None,
            epochs=5, time_budget=9, clock=Clock(), callbacks=[remember(seen)],
        )  # fmt: skip
        assert history.stopped_because == "time_budget"
        assert 1 < history.n_epochs < 5
        np.testing.assert_array_equal(parameters.flat, seen[0])


def test_every_reason_has_its_words():
    assert set(STOPPED_BECAUSE) == {
        "epochs", "patience", "time_budget", "interrupted", "callback", "diverged",
    }  # fmt: skip


def test_monitoring_validation_needs_validation_rows(network, parameters, plane):
    for monitor in ("val_loss", "val_metric"):
        with pytest.raises(SettingError, match=f"monitor='{monitor}' needs validation rows"):
            dp.train(network, parameters, *plane, monitor=monitor)
