"""Sheets to print: complete, well-formed, without the answers; and keys with all of them."""

import base64
import hashlib
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

import deltaprop as dp
from deltaprop.errors import SettingError
from deltaprop.notation.digits import number_text
from deltaprop.practice import Sheet
from deltaprop.practice.exercises.generate import MOST_GROUPS
from deltaprop.practice.exercises.levels import LEVELS
from deltaprop.practice.sheets.content import precision
from deltaprop.widths import text_width
from helpers.latex import compiled

LANGUAGES = ["en", "zh"]


def all_levels(language="en", seed=2):
    return Sheet(tuple(dp.exercise(level, seed, language) for level in LEVELS))


def flat(value):
    return [text for part in value for text in flat(part)] if isinstance(value, list) else [value]


def open_numbers(task):
    """Return what the sheet has to show anyway: what is given or told."""
    given = [task.given["x"], task.given["targets"], task.given["learning_rate"]]
    given += [task.given.get("l2", 0), list(range(10))]
    given += [layer[name] for layer in task.given["layers"] for name in "Wb" if name in layer]
    texts = {number_text(abs(float(v)), 12) for part in given for v in flat(part)}
    return texts | {text.lstrip("-") for key in task.told for text in flat(task.texts(key))}


def numbers_in(text):
    return set(re.findall(r"\d+(?:\.\d+)?", text))


def content(form, text):
    """Return what a form of a sheet says about numbers: without style, preamble and lengths."""
    if form == "html":
        text = re.sub(r"<style>.*?</style>|<meta[^>]*>|<svg.*?</svg>", "", text, flags=re.DOTALL)
    if form == "latex":
        text = text[text.index(r"\begin{document}") :]
        text = re.sub(
            r"\{\\setlength\{\\unitlength.*?\\end\{picture\}\}", "", text, flags=re.DOTALL
        )
        text = re.sub(r"[\d.]+(em|pt|cm)\b", "", text)
    return re.sub(r"\d+\.\d+\.\d+", "", text)  # the version


@pytest.mark.parametrize("form", ["terminal", "latex", "html"])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seeds", [2, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.one_in(10)
def test_a_sheet_does_not_give_the_answers_away(level, form, seeds):
    for seed in range(seeds):
        task = dp.exercise(level, seed)
        text = getattr(task, f"to_{form}")()
        shown = numbers_in(content(form, text)) - open_numbers(task)
        answers = {
            number_text(abs(float(v)), digits)
            for key in task.asked
            for v in task.values[key].ravel()
            for digits in range(3, 13)
        }
        assert not shown & answers, (seed, shown & answers)
        # nor in attributes, comments or metadata
        long = {a for a in answers - open_numbers(task) if len(a) >= 5}
        assert not {a for a in long if a in text}


@pytest.mark.parametrize("form", ["terminal", "latex", "html"])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.one_in(5)
def test_the_key_has_every_answer(level, form):
    task = dp.exercise(level, 1)
    shown = numbers_in(getattr(task, f"to_key_{form}")())
    for key in task.asked:
        assert {text.lstrip("-") for text in flat(task.texts(key))} <= shown


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.rest
def test_pages_are_well_formed_and_need_nothing_else(language):
    sheet = all_levels(language)
    for page in (sheet.to_html(), sheet.to_key_html()):
        head, _, body = page.partition("\n")
        assert head == "<!DOCTYPE html>"
        root = ET.fromstring(body)
        assert root.get("lang") == {"en": "en", "zh": "zh-Hans"}[language]
        style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"default-src 'none'; style-src 'sha256-{digest}'" in page
        assert "<script" not in page
        assert "style=" not in page.replace(" math-style=", "")
        assert not re.search(r'(src|href)="|url\(|@import', page)
        assert "http://www.w3.org/2000/svg" in page or page == sheet.to_key_html()
    blanks = ET.fromstring(sheet.to_html().partition("\n")[2]).findall(".//span[@class='blank']")
    assert len(blanks) == sum(task.n_asked for task in sheet.exercises)


@pytest.mark.rest
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_says_how_to_make_it_again(language):
    task = dp.exercise(6, 12, language)
    for form in ("terminal", "latex", "html"):
        for text in (getattr(task, f"to_{form}")(), getattr(task, f"to_key_{form}")()):
            plain = text.replace("{-}", "-").replace(r"\hspace{0pt}", "")
            assert "--level 6 --seed 12" in plain
            assert dp.__version__ in plain


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.rest
def test_text_keeps_to_the_width(language, width):
    sheet = all_levels(language)
    for text in (sheet.to_terminal(width=width), sheet.to_key_terminal(width=width)):
        longest = max(text.splitlines(), key=text_width)
        # a network of four columns is as wide as it is
        assert text_width(longest) <= max(width, 72), longest


@pytest.mark.slow
def test_every_place_for_a_fact_is_filled_in():
    for language in LANGUAGES:
        sheet = all_levels(language)
        for text in (sheet.to_terminal(), sheet.to_html(), sheet.to_key_terminal()):
            assert not re.search(r"[{}]", re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL))
        for task in sheet.exercises:
            assert precision(task) in task.to_terminal(width=200)
            assert str(task.rules.least_digits) in precision(task)


def test_the_rule_of_the_step_stands_where_a_step_is_asked_or_told(monkeypatch):
    of_deltas = replace(LEVELS[1], number=10, asked=("z.1", "delta.1"), told=())
    monkeypatch.setitem(LEVELS, 10, of_deltas)
    monkeypatch.setitem(MOST_GROUPS, (10, "identity", "half_squared_error"), 2)
    assert "W′" not in dp.exercise(10).to_terminal()
    monkeypatch.setitem(LEVELS, 10, replace(of_deltas, told=("loss.after",)))
    assert "W′" in dp.exercise(10).to_terminal()


def test_pages_are_written(tmp_path):
    task = dp.exercise(1, 1)
    assert task.to_html(tmp_path / "sheet.html") == (tmp_path / "sheet.html").read_text("utf-8")
    assert task.to_key_html(tmp_path / "key.html") == (tmp_path / "key.html").read_text("utf-8")


def test_a_sheet_needs_an_exercise():
    with pytest.raises(SettingError, match="at least one"):
        Sheet(())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sheet", "key"])
@pytest.mark.parametrize(("language", "engine"), [("en", "pdflatex"), ("zh", "xelatex")])
def test_documents_compile(language, engine, kind, tmp_path):
    sheet = all_levels(language)
    document = sheet.to_latex() if kind == "sheet" else sheet.to_key_latex()
    compiled(document, engine, tmp_path)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_page_of_latex_begins_with_a_few_rows(language):
    """TeX breaks a page where it may: not among the last six rows, so it takes them all along."""
    text = dp.exercise(5, 1, language=language).to_latex()
    rows = [line for line in text.splitlines() if line.startswith(r"\blank")]
    assert [row.endswith(r"\nopagebreak") for row in rows] == [False] * (len(rows) - 6) + [True] * 6
