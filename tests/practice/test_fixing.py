"""Which fix helps: runs that do not learn, and every change tried."""

import json
import string
from dataclasses import replace

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.practice.exercises.fix_session import FixSession
from deltaprop.practice.exercises.fixing import FixTask
from deltaprop.practice.exercises.runs import FAULTS, FIXES, Run, Setup
from deltaprop.practice.wording import WORDINGS
from deltaprop.widths import text_width


def held(task, lines):
    told, waiting = [], list(lines)

    def ask(prompt):
        if not waiting:
            raise EOFError
        told.append(prompt + waiting[0])
        return waiting.pop(0)

    score = FixSession(ask, told.append, 80, task).run()
    return score, " ".join(" ".join(told).split())


def letters(task, *, helping):
    marked = zip("abcdefgh", task.choices, strict=False)
    return [letter for letter, fix in marked if (fix.name in task.helping) == helping]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.slow
def test_the_answer_is_what_trying_every_change_says(seed):
    task = FixTask.drawn(1, seed, "en")
    assert task.run.loss > 0.45
    for fix in task.choices:
        run = replace(task.run, setup=fix.change(task.run.setup))
        x, t = run.rows
        params = run.start()
        for _ in range(run.setup.epochs):  # by hand, with the library's own steps
            trace = dp.backpropagate(run.network, params, x, t)
            params.flat[:] -= run.setup.learning_rate * trace.gradients.flat
        loss = dp.backpropagate(run.network, params, x, t).loss
        assert (loss <= 0.15) == (fix.name in task.helping), fix.name
        assert not 0.15 < loss < 0.3
    assert letters(task, helping=True)
    assert len(letters(task, helping=False)) >= 2


def test_the_loss_that_is_shown_is_the_loss():
    run = Run(Setup(epochs=3), 5)
    (x, t), params = run.rows, run.start()
    for loss in run.trained[0]:
        trace = dp.backpropagate(run.network, params, x, t)
        assert np.isclose(loss, trace.loss)
        params.flat[:] -= 0.5 * trace.gradients.flat


@pytest.mark.slow
def test_every_fault_comes_up_and_nothing_that_does_not_help_helps():
    drawn = [FixTask.drawn(1, seed, "en") for seed in range(40)]
    assert {task.fault.name for task in drawn} == {fault.name for fault in FAULTS}
    assert {name for task in drawn for name in task.helping} >= {
        "faster", "slower", "draw", "scale", "bend",
    }  # fmt: skip


@pytest.mark.one_in(2)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_dialogue(language):
    task = FixTask.drawn(1, 3, language)
    (right,), (wrong, *_) = letters(task, helping=True), letters(task, helping=False)
    score, told = held(task, [right])
    assert score.ok
    assert score.first == 1
    assert task.fault.names[language] in told  # told at the end
    score, told = held(task, ["z", wrong, "?", task.helping[0]])
    assert score.ok
    assert (score.first, score.hints) == (0, 1)
    assert held(task, [])[0].stopped
    lines = [*task.to_terminal().splitlines(), *task.to_key_terminal().splitlines()]
    assert max(map(text_width, lines)) <= 80


def test_the_answer_is_not_in_what_is_shown():
    task = FixTask.drawn(1, 3, "en")
    shown = task.to_terminal() + json.dumps(task.to_dict(), allow_nan=False)
    assert task.fault.names["en"] not in shown
    assert task.fault.name not in shown


def test_every_row_is_in_both_languages():
    for row in (*FAULTS, *FIXES):
        assert row.names.keys() == WORDINGS.keys()
    fields = {
        language: {
            k: {f for _, f, _, _ in string.Formatter().parse(v) if f} for k, v in words.items()
        }
        for language, words in WORDINGS.items()
    }
    assert fields["en"] == fields["zh"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((0, 1, "en"), "level is 0"), ((1, -1, "en"), "seed is -1"), ((1, 1, "fr"), "'fr'")],
)
def test_bad_settings(arguments, says):
    with pytest.raises(dp.errors.SettingError, match=says):
        FixTask.drawn(*arguments)
