"""The dialogue: what is asked, what is said to right and wrong answers, hints, and the score."""

import re

import pytest

import deltaprop as dp
from deltaprop.practice import Session
from deltaprop.practice.exercises.answers import read_answers
from deltaprop.practice.exercises.levels import LEVELS
from deltaprop.practice.exercises.task import HINTS
from deltaprop.widths import text_width, wrap


def held(task, lines, width=80, end=EOFError):
    """Return the score and what was told, after the lines of an imagined learner."""
    told, waiting = [], list(lines)

    def ask(prompt):
        if not waiting:
            raise end
        told.append(prompt + waiting[0])
        return waiting.pop(0)

    score = Session(task, ask, told.append, width).run()
    exercise = task.to_terminal(width=width).rstrip("\n")
    return score, "\n".join(told).replace(exercise, "")


def right_lines(task):
    lines = []
    for item in task.items:
        texts = dict(
            zip(_indices(task, item.quantity), _flat(task.texts(item.quantity)), strict=True)
        )
        lines.append(", ".join(texts[index] for index in item.indices))
    return lines


def _indices(task, key):
    import numpy as np

    return list(np.ndindex(*task.values[key].shape))


def _flat(value):
    return [text for part in value for text in _flat(part)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.one_in(25)
def test_right_answers_end_with_a_full_score(level, language):
    task = dp.exercise(level, 4, language)
    score, told = held(task, right_lines(task))
    assert score.ok
    assert (score.right, score.first, score.hints) == (task.n_asked, task.n_asked, 0)
    assert not score.stopped
    assert f"--level {level} --seed 4" in told
    # what is typed may be longer than the screen; what is told is not
    assert max(text_width(line) for line in told.splitlines() if not line.startswith("[")) <= 80


def test_a_wrong_answer_is_named_and_may_be_tried_again():
    score, told = held(dp.exercise(1, 1), ["6", "2", "-2", "2", "-4 -1", "2", "-2.1;-2.9", "-0.7"])
    assert "δ¹₁ = -2 is wrong: gradient ascent, or t - y used as the gradient (sign)." in told
    assert "Try again" in told
    assert score.ok
    assert (score.right, score.first) == (9, 8)


def test_the_right_number_is_not_given_away():
    _, told = held(dp.exercise(4, 0), ["0.123, 0.456"])
    right = dp.exercise(4, 0).key["a.1"][0]
    assert "is wrong" in told
    assert not any(text in told for text in right)


def test_chinese_says_the_same():
    score, told = held(dp.exercise(1, 1, "zh"), ["6", "2", "-2", "skip", "提示", "退出"])
    assert "δ¹₁ = -2 错误：做成了梯度上升，或把 t - y 当作梯度（sign）。" in told
    assert "符号式：" in told
    assert "9 个数中答对 2 个" in told
    assert (score.wrong, score.left_out, score.hints, score.stopped) == (1, 6, 1, True)


def test_what_follows_from_a_slip_is_told_so():
    score, told = held(dp.exercise(1, 1), ["6", "2", "-2", "skip", "4, 1", "-2", "quit"])
    assert "∂L/∂W¹₁₁ = 4 follows from an earlier slip" in told
    assert (score.right, score.wrong, score.follows, score.left_out) == (2, 1, 3, 3)
    assert "3 left out, 1 wrong, 3 following from a slip" in told


def test_hints_go_from_symbols_to_the_result():
    task = dp.exercise(1, 1)
    score, told = held(task, ["?", "hint", "？", "?", "6"])
    places = [told.index(task.hint("z.1", parts) + "\n") for parts in HINTS]
    assert places == sorted(places)
    assert (score.hints, score.right, score.first) == (4, 1, 0)


def test_a_hint_is_about_the_first_number_that_is_not_right():
    task = dp.exercise(1, 1)
    _, told = held(task, ["6", "2", "2", "-4, 7", "?"])
    assert "∂L/∂W¹₁₁ is right." in told or "∂L/∂W¹₁₁ = -4" not in told
    assert task.hint("dW.1[1,0]") in told


def test_a_number_rounded_too_far_is_asked_for_again():
    task = dp.exercise(2, 4)
    z, a, *_ = right_lines(task)
    score, told = held(task, [z, f"{float(a):.1f}", f"{float(a):.3f}"])
    assert "right but rounded; give 3 significant digits" in told
    assert score.right == 2


@pytest.mark.parametrize("text", ["six", "1, 2", "", "1/0", "1e999", "nan", "--3", "٣", "1" * 500])
def test_what_is_no_answer_is_asked_for_again(text):
    score, told = held(dp.exercise(1, 1), [text, "6"])
    assert "One number is wanted" in told
    assert score.right == 1


@pytest.mark.parametrize("end", [EOFError, KeyboardInterrupt])
def test_the_end_of_input_is_polite(end):
    score, told = held(dp.exercise(1, 1), ["6"], end=end)
    assert "You left off here." in told
    assert score.stopped
    assert "1 of 9 numbers right" in told


def test_show_shows_the_exercise_again():
    task = dp.exercise(1, 1)
    told = []
    lines = iter(["show"])
    Session(task, lambda prompt: next(lines, "quit"), told.append).run()
    assert "\n".join(told).count(task.to_terminal().rstrip("\n")) == 2


@pytest.mark.parametrize(
    ("text", "count", "numbers"),
    [
        ("1, -2.50", 2, ["1", "-2.50"]),
        ("[1 2;3]", 3, ["1", "2", "3"]),
        ("1，２、−3", 3, ["1", "2", "-3"]),
        ("1/3", 1, ["0.3333333333"]),
        ("-3 / 8", 1, ["-0.375"]),
        ("1e-3", 1, ["1e-3"]),
        (".5", 1, [".5"]),
        ("z11 = 1.25, z12 ≈ 3.8", 2, ["1.25", "3.8"]),
        ("1 * 0.5 + 0.5 * 1.5 = 1.25", 1, ["1.25"]),
        ("a = 1 b = 2", 2, None),
        ("1/3/2", 1, None),
        ("0x10", 1, None),
        ("1,2", 1, None),
    ],
)
def test_answers_are_read_as_people_type_them(text, count, numbers):
    assert read_answers(text, count) == numbers


@pytest.mark.parametrize("width", [20, 33, 80])
def test_lines_are_broken_between_words_and_chinese_characters(width):
    text = "所有梯度都在旧的 W 和 b 处求得，例如 0.5。也可以写：skip 跳过，quit 结束。"
    lines = wrap(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert max(map(text_width, lines)) <= width
    assert not any(line[0] in "，。：" for line in lines)
    assert wrap("one two three", 8) == ["one two", "three"]


def test_no_line_says_more_digits_than_the_learner_typed():
    _, told = held(dp.exercise(1, 1), ["7"])
    assert re.findall(r"z¹₁ = (\S+) is wrong", told) == ["7"]
