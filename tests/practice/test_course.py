"""The course: levels that follow how it goes, and the record of what was got wrong."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.practice.exercises.course import Course, first_level, next_level
from deltaprop.practice.exercises.levels import LEVELS
from deltaprop.practice.exercises.record import Done, Record, opened, record_path
from deltaprop.practice.exercises.session import Score
from deltaprop.widths import text_width

RIGHT = ["6", "2", "2", "-4, -1", "2", "-2.1, -2.9", "-0.7"]  # of level 1, seed 1


def held(path, lines, level=1, language="en", kinds=("working",)):
    """Return whether all was right and what was told, by an imagined learner."""
    told, waiting = [], list(lines)

    def ask(prompt):
        if not waiting:
            raise EOFError
        told.append(prompt + waiting[0])
        return waiting.pop(0)

    course = Course(Record.load(path), ask, told.append, 80, language, level, lambda: 1, kinds)
    return course.run(), "\n".join(told)


@pytest.mark.parametrize(
    ("level", "score", "then"),
    [
        (3, Score(10, right=10, first=10), 4),
        (3, Score(10, right=10, first=7), 3),
        (3, Score(10, right=9, first=9), 3),
        (3, Score(10, right=10, first=4), 2),
        (1, Score(10), 1),
        (max(LEVELS), Score(10, right=10, first=10), max(LEVELS)),
    ],
)
def test_the_next_level_follows_how_it_went(level, score, then):
    assert next_level(level, score) == then


def test_it_goes_on_harder_and_notes_the_mistakes(tmp_path):
    path = tmp_path / "mine" / "practice.json"
    lines = [*RIGHT[:2], "-2", "-2", *RIGHT[2:], "", "quit"]
    all_right, told = held(path, lines)
    assert not all_right
    assert "Enter goes on: level 2, one sigmoid neuron." in told
    assert "Level 2: one sigmoid neuron" in told
    (done,) = Record.load(path).done
    assert (done.level, done.asked, done.right, done.first) == (1, 9, 9, 8)
    assert done.mistakes == {"sign": 1}  # once, however often the same was tried
    summary = told.rpartition("Exercises since")[2]
    assert re.search(r"gradient ascent.* +1 +1 +\d{4}-\d\d-\d\d", summary)
    assert "(sign)" in summary
    assert max(map(text_width, told.splitlines())) <= 80
    assert first_level(Record.load(path)) == 2


def test_a_level_can_be_chosen_and_chinese_says_the_same(tmp_path):
    _, told = held(tmp_path / "r.json", [*RIGHT, "fr", "5", "quit"], language="zh")
    assert told.count("按回车键继续：第 2 级") == 2
    assert "第 5 级：三个得分的 softmax" in told
    assert "自 20" in told


def test_what_was_not_begun_is_not_noted(tmp_path):
    held(tmp_path / "r.json", ["quit"])
    assert not (tmp_path / "r.json").exists()


def test_records_add_up_and_the_oldest_are_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr("deltaprop.practice.exercises.record._MOST", 3)
    path = tmp_path / "r.json"
    for seed in range(5):
        Record.load(path).add(Done("2026-11-30", "working", 1, seed, 9, 9, 9, 0))
    assert [done.seed for done in Record.load(path).done] == [2, 3, 4]
    one, other = Record.load(path), Record.load(path)  # two terminals
    one.add(Done("2026-11-30", "working", 1, 8, 9, 9, 9, 0))
    other.add(Done("2026-11-30", "working", 1, 9, 9, 9, 9, 0))
    assert [done.seed for done in Record.load(path).done] == [4, 8, 9]


GOOD = {
    "day": "2026-11-30", "kind": "working", "level": 1, "seed": 1, "asked": 9, "right": 9,
    "first": 9, "hints": 0, "mistakes": {"sign": 1},
}  # fmt: skip
plain = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5)
values = (
    plain | st.lists(plain, max_size=3) | st.dictionaries(st.text(max_size=5), plain, max_size=3)
)


@given(st.sampled_from([*GOOD, "format", "exercises"]), values)
def test_whatever_stands_in_the_file_it_is_read_or_refused(tmp_path_factory, key, value):
    path = tmp_path_factory.mktemp("record") / "r.json"
    facts = {"format": "deltaprop-practice-record/1", "exercises": [GOOD]}
    changed = (
        {**facts, key: value} if key in facts else {**facts, "exercises": [{**GOOD, key: value}]}
    )
    path.write_text(json.dumps(changed))
    try:
        record = Record.load(path)
    except dp.errors.DataError:
        return
    record.summary("en")
    first_level(record)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_mistake_that_another_version_knew_is_shown_by_its_name(tmp_path, language):
    mistakes = {"of_tomorrow": 2, "": 1, "\x1b[2J": 1, "sign": 0}
    record = Record(tmp_path / "r.json", [Done(**{**GOOD, "mistakes": mistakes})])
    text = record.summary(language)
    assert "of_tomorrow" in text
    assert "\\x1b[2J" in text
    assert "(sign)" not in text


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b'{"format": 1}', b"[" * 9999])
def test_a_damaged_file_is_set_aside_with_a_sentence(tmp_path, content):
    path = tmp_path / "r.json"
    path.write_bytes(content)
    told = []
    record = opened(path, told.append, "en")
    assert record.done == []
    (sentence,) = told
    assert "is no intact record of practice. It is called" in sentence
    assert (tmp_path / "r.json.damaged1").read_bytes() == content
    record.add(Done(**GOOD))
    assert len(Record.load(path).done) == 1


def test_a_record_that_cannot_be_written_stops_nobody(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "r.json"
    waiting, told = iter([*RIGHT, "quit"]), []
    course = Course(Record(path), lambda _: next(waiting), told.append, 80, "en", 1, lambda: 1)
    assert course.run()
    assert "This exercise is not noted" in "\n".join(told)


@pytest.mark.parametrize(
    ("platform", "variable", "below"),
    [
        ("linux", "XDG_DATA_HOME", ".local/share"),
        ("win32", "LOCALAPPDATA", "AppData/Local"),
        ("darwin", None, "Library/Application Support"),
    ],
)
def test_where_it_is_kept(monkeypatch, tmp_path, platform, variable, below):
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    monkeypatch.setenv(variable or "NOTHING", "not/absolute")
    assert record_path() == tmp_path / below / "deltaprop" / "practice.json"
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "x"))
        assert record_path() == tmp_path / "x" / "deltaprop" / "practice.json"


def test_without_a_home_a_file_has_to_be_named(monkeypatch):
    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.home", unknown)
    with pytest.raises(dp.errors.SettingError, match="--record FILE"):
        record_path()
