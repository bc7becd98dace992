"""Find the mistake: workings with one planted, found by line and by name."""

import json
import re
import xml.etree.ElementTree as ET

import pytest

import deltaprop as dp
from deltaprop.practice.exercises.find_session import FindSession
from deltaprop.practice.exercises.finding import FindTask
from deltaprop.practice.exercises.levels import LEVELS
from deltaprop.practice.sheets.finding import to_html, to_latex
from deltaprop.widths import text_width
from helpers.latex import compiled

MOST = [pytest.param(level, marks=[pytest.mark.slow] if level > 5 else []) for level in LEVELS]


def held(found, lines):
    told, waiting = [], list(lines)

    def ask(prompt):
        if not waiting:
            raise EOFError
        told.append(prompt + waiting[0])
        return waiting.pop(0)

    score = FindSession(ask, told.append, 80, found).run()
    return score, "\n".join(told).replace(found.to_terminal().rstrip("\n"), "[shown]")


def letter(found, name):
    return "abcdefgh"[found.choices.index(name)]


@pytest.mark.parametrize("level", MOST)
@pytest.mark.slow
def test_one_mistake_is_planted_and_mark_finds_it_in_that_line(level):
    names = set()
    for seed in range(6):
        found = FindTask.drawn(level, seed, "en", None)
        names.add(found.planted.name)
        marking = dp.mark({**found.to_dict(), "conventions": "house"})
        assert found.planted.name in marking.wrong[0].candidates
        assert marking.wrong[0].id in found.lines[found.line - 1].ids
        assert all(found.verdict(n) == "" for n in range(1, found.line))
        assert len(found.choices) >= 4
        assert {*found.choices} & {*found.accepted} == {found.planted.name}
        assert max(map(text_width, found.to_terminal().splitlines())) <= 80
        again = FindTask.drawn(level, seed, "en", None)
        assert (again.planted.name, again.choices) == (found.planted.name, found.choices)
    assert len(names) > 2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_whoever_names_line_and_mistake_has_all_right(language):
    found = FindTask.drawn(4, 3, language, None)
    score, told = held(found, [str(found.line), letter(found, found.planted.name)])
    assert score.ok
    assert (score.asked, score.first, score.hints) == (2, 2, 0)
    assert found.planted.name in told
    score, _ = held(found, [str(found.line), found.planted.name])
    assert score.ok


def test_what_is_wrong_may_be_tried_again_and_hints_help():
    drawn = (FindTask.drawn(4, seed, "en", None) for seed in range(60))
    listed = (
        (one, [n for n in range(1, len(one.lines) + 1) if one.verdict(n) == "follows"])
        for one in drawn
    )
    found, (follows, *_) = next(each for each in listed if each[0].line > 1 and each[1])
    other = next(name for name in found.choices if name != found.planted.name)
    lines = ["0", "x", "1", str(follows), "?", str(found.line)]
    lines += ["z", letter(found, other), "?", "show", letter(found, found.planted.name)]
    score, told = held(found, lines)
    assert (score.right, score.first, score.wrong, score.hints) == (2, 0, 0, 2)
    assert "Line 1 is right." in told
    assert f"Line {follows} only follows" in told
    assert "A line is wanted, from 1 to" in told
    assert "A letter is wanted" in told
    assert f"({other}) would give other numbers" in " ".join(told.split())
    assert f"Look here: {found.phase}." in told
    assert told.count("[shown]") == 2


def test_leaving_early_tells_the_answer():
    found = FindTask.drawn(1, 3, "en", None)
    score, told = held(found, ["1"] if found.line != 1 else ["2"])
    assert score.stopped
    assert (score.right, score.wrong) == (0, 1)
    assert f"\nLine {found.line}: " in told


def test_it_is_a_worked_example_for_programs():
    found = FindTask.drawn(2, 5, "en", None)
    facts = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert found.planted.name not in json.dumps({k: v for k, v in facts.items() if k != "practice"})
    assert not dp.mark({**facts, "conventions": "house"}).ok


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_can_be_printed(language):
    found = [FindTask.drawn(level, 3, language, None) for level in (2, 5)]
    name = found[0].planted.name
    sheet, key = (to_html(found, kind) for kind in ("sheet", "key"))
    for page in (sheet, key):
        root = ET.fromstring(page.partition("\n")[2])
        assert len(root.findall(".//section")) == 2
    assert f"({name})" not in sheet
    assert name in key
    sheet, key = (to_latex(found, kind) for kind in ("sheet", "key"))
    assert sheet.count(r"\item ") == sum(len(one.lines) for one in found)
    assert sheet.count(r"\item[") == sum(len(one.choices) for one in found)
    for text in (sheet, key):
        assert text.count("{") == text.count("}")
        assert sorted(re.findall(r"begin{(\w+\*?)}", text)) == sorted(
            re.findall(r"end{(\w+\*?)}", text)
        )


@pytest.mark.slow
@pytest.mark.parametrize(("language", "engine"), [("en", "pdflatex"), ("zh", "xelatex")])
@pytest.mark.parametrize("kind", ["sheet", "key"])
def test_documents_compile(language, engine, kind, tmp_path):
    found = [FindTask.drawn(level, 3, language, None) for level in (1, 2, 4, 5, 7)]
    compiled(to_latex(found, kind), engine, tmp_path)
