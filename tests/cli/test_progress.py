"""On a terminal nothing that takes long is done in silence; off a terminal nothing is shown."""

from importlib import import_module
from inspect import getattr_static

import numpy as np
import polars as pl
import pytest

from deltaprop.cli.main import main
from deltaprop.training import progress

# what takes long on a large table, and where it is looked up
LONG = (
    "deltaprop.tabular.load_dataset",
    "deltaprop.tabular.TableEncoder.fit",
    "deltaprop.tabular.TableEncoder.with_ranges",
    "deltaprop.tabular.TableEncoder.transform",
    "deltaprop.table_models.prepare.better_encoder",
    "deltaprop.table_models.prepare.paced",
    "deltaprop.table_models.rows.row_marks",
    "deltaprop.table_models.fitting.calibrate",
    "deltaprop.table_models.fitting.judge_rows",
    "deltaprop.table_models.model.TableModel.save",
    "deltaprop.reporting.report",
)


class Recorder:
    """Stands in the place of the lines on the terminal; knows whether one is shown."""

    shown = 0

    def __init__(self, *_):
        self.tasks = []

    def add_task(self, description, **fields):
        self.tasks.append((description, fields))
        said.append(description)
        return 0

    def update(self, _task, **fields):
        said.append(fields.get("figures", ""))

    def start(self):
        Recorder.shown += 1

    def stop(self):
        Recorder.shown -= 1


said: list[str] = []


@pytest.fixture
def terminal(monkeypatch, tmp_path, rng):
    said.clear()
    Recorder.shown = 0
    monkeypatch.setattr(progress, "_on_terminal", lambda: True)
    monkeypatch.setattr(progress, "_live", Recorder)
    monkeypatch.chdir(tmp_path)
    x = rng.normal(size=(300, 2))
    y = np.where(x[:, 0] + rng.normal(size=300) > 0, "u", "v")
    pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y}).write_csv("t.csv")


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("--members", "1", "--time-budget", "600s"),
        ("--test", "t.csv"),
        ("--val", "t.csv"),
        ("--hold-out", "0.2"),
    ],
)
@pytest.mark.one_in(3)
def test_whatever_takes_long_is_done_under_a_line(more, terminal, monkeypatch):
    called = {}

    def watched(name):
        owner, _, attribute = name.rpartition(".")
        try:
            place = import_module(owner)
        except ModuleNotFoundError:
            module, _, kind = owner.rpartition(".")
            place = getattr(import_module(module), kind)
        found = getattr_static(place, attribute)  # a method may be a parent's
        is_class_method = isinstance(found, classmethod)
        real = found.__func__ if is_class_method else found

        def watch(*words, **settings):
            called.setdefault(name, []).append(Recorder.shown)
            return real(*words, **settings)

        monkeypatch.setattr(place, attribute, classmethod(watch) if is_class_method else watch)

    for name in LONG:
        watched(name)
    words = ("train", "t.csv", "--target", "y", "--hidden", "4", "--epochs", "2")
    assert main([*words, "--model", "m.st", "--report", "r.html", *more]) == 0
    for name in LONG:
        if name in called or not name.endswith("paced"):
            assert called.get(name), f"{name} was not called"
            assert min(called[name]) > 0, f"{name} was done in silence"
    assert Recorder.shown == 0


def test_members_are_named_and_the_figure_is_that_of_rows_held_out(terminal):
    assert main(["train", "t.csv", "--target", "y", "--epochs", "2", "--members", "3"]) == 0
    told = [text for text in said if text.startswith("network")]
    assert {text.split(",")[0] for text in told} == {f"network {i}/3" for i in (1, 2, 3)}
    assert all(", held-out accuracy " in text for text in told)


def test_off_a_terminal_and_for_machines_nothing_is_shown(terminal, monkeypatch):
    assert main(["train", "t.csv", "--target", "y", "--epochs", "2", "--json"]) == 0
    assert not said
    monkeypatch.setattr(progress, "_on_terminal", lambda: False)
    assert main(["train", "t.csv", "--target", "y", "--epochs", "2"]) == 0
    assert not said


def test_a_line_shows_names_as_they_are_and_is_gone_after_an_error(terminal):
    with pytest.raises(ValueError, match="x"), progress.phase(True, "reading a[b].csv"):
        raise ValueError("x")
    assert said == [r"reading a\[b].csv"]
    assert Recorder.shown == 0


def test_predict_and_evaluate_say_what_they_do(terminal):
    assert main(["train", "t.csv", "--target", "y", "--epochs", "2", "--model", "m.st"]) == 0
    said.clear()
    assert main(["predict", "m.st", "t.csv"]) == 0
    assert said == ["reading t.csv and predicting"]
    said.clear()
    assert main(["evaluate", "m.st", "t.csv"]) == 0
    assert said == ["reading t.csv and judging the model"]
