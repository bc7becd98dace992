"""What ``verbose`` tells of a preset: lines where there is no terminal."""

import re

import numpy as np
import pytest

import deltaprop as dp

X = np.random.default_rng(2).normal(size=(60, 3))
WORD, NUMBER = np.where(X[:, 0] > 0, "yes", "no"), X[:, 0]
KINDS = pytest.mark.parametrize("kind", [dp.MLPClassifier, dp.MLPRegressor])


def make(kind, **settings):
    return kind(**{"hidden_layer_sizes": (5,), "max_iter": 30, "random_state": 0,
                   "learning_rate_init": 0.1, **settings})  # fmt: skip


def y_of(kind):
    return WORD if kind is dp.MLPClassifier else NUMBER


class TestLines:
    @KINDS
    @pytest.mark.parametrize("members", [1, 3])
    def test_a_line_per_so_many_epochs_and_one_at_the_end(self, kind, members, capsys):
        model = make(kind, preset="fast", members=members, ranges=0, verbose=True)
        model.fit(X, y_of(kind))
        *lines, last = capsys.readouterr().out.splitlines()
        epochs = [int(re.match(r"Epoch (\d+) of 30: loss ", line)[1]) for line in lines]
        assert epochs == [1, *range(3, 31, 3)]
        # how many have ended an epoch by then is up to the threads
        assert all(("networks)" in line) <= (members == 3) for line in lines)
        assert ("(mean of 3 networks)" in last) == (members == 3)
        figure = f"{model.history_.metric} {model.best_validation_score_:.4f}"
        assert last.startswith("Done in ")
        assert figure in last

    @pytest.mark.parametrize("preset", ["fast", "best"])
    def test_nothing_is_told_unasked(self, preset, capsys):
        make(dp.MLPRegressor, preset=preset, ranges=0, members=2).fit(X, NUMBER)
        assert capsys.readouterr() == ("", "")

    def test_on_a_terminal_there_is_a_bar_instead(self, capsys, monkeypatch):
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        make(dp.MLPRegressor, preset="fast", ranges=0, members=2, verbose=True).fit(X, NUMBER)
        written = capsys.readouterr()
        assert written.out == ""
        assert "epoch" in written.err

    def test_a_training_of_one_epoch_and_one_that_stops_early(self, capsys):
        make(dp.MLPRegressor, preset="fast", members=1, ranges=0, verbose=2, max_iter=1).fit(
            X, NUMBER
        )
        make(dp.MLPRegressor, preset="fast", members=1, ranges=0, verbose=True,
             callbacks=[lambda state: state.epoch == 4]).fit(X, NUMBER)  # fmt: skip
        lines = capsys.readouterr().out.splitlines()
        assert [line.split(":")[0].split(" in")[0] for line in lines] == [
            "Epoch 1 of 1", "Done", "Epoch 1 of 30", "Epoch 3 of 30", "Done",
        ]  # fmt: skip
