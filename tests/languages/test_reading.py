"""What is written in Chinese reads like Chinese: its own punctuation, and no English phrases."""

import html
import re
from pathlib import Path

import numpy as np
import pytest

import deltaprop as dp
from deltaprop import __file__ as package
from deltaprop.checking.mistakes.forms import forms_for
from deltaprop.checking.step import work_out
from deltaprop.explaining.document.labels import Names
from deltaprop.explaining.examples import built_in_example
from deltaprop.explaining.language import LANGUAGES
from deltaprop.languages.catalogue import catalogue_of
from deltaprop.practice.wording import WORDINGS
from deltaprop.reporting.language import WORDS as REPORTS

# next to a Chinese character: half-width signs, blanks beside wide ones
ODD = re.compile(
    r"[一-鿿”“] ?[,:;?!()]|[,:;?!] ?[一-鿿“]|[()][一-鿿]"
    r"|[，。；：（） ] [，。；：（）]|[一-鿿] [，。；：]"
)
# as readers found them awkward
AWKWARD = (
    "对其中一个网络留出", "打乱分给其他行", "要付出的代价", "已告知", "再做一次：",
    "没有哪种已知的错误", "用符号写的那一行", "分享一个整体", "损失会弯曲", "会引起的一步",
    "半平方误差", "权重处求得",
)  # fmt: skip
SOURCES = [p for end in ("py", "po") for p in Path(package).parent.rglob(f"*.{end}")]


def readable(text):
    text = re.sub(r"<(style|script)[^>]*>.*?</\1>", "", text, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "\n", text))


def odd_in(text):
    return [line for line in text.splitlines() if ODD.search(line)]


@pytest.mark.parametrize("form", ["terminal", "markdown", "spoken", "html", "latex"])
@pytest.mark.parametrize("name", ["tutorial", "ng_ex4"])
@pytest.mark.one_in(3)
def test_an_explanation_has_chinese_punctuation(name, form):
    text = built_in_example(name).explain().to(form, language="zh")
    assert not odd_in(readable(text) if form == "html" else text)


def test_exercises_have_chinese_punctuation():
    for level in (1, 2, 5):
        exercise = dp.exercise(level, 3, "zh")
        for form in ("terminal", "latex", "html"):
            for key in ("", "key_"):
                text = getattr(exercise, f"to_{key}{form}")()
                assert not odd_in(readable(text) if form == "html" else text), (level, form)


@pytest.mark.parametrize("words", [LANGUAGES["zh"], WORDINGS["zh"], REPORTS["zh"]])
def test_every_wording_has_chinese_punctuation(words):
    texts = (re.sub(r"\{[^}]*\}|`[^`]*`| ?\?(?=[、 ])", "x", text) for text in words.values())
    assert not [text for text in texts if odd_in(text)]


def test_no_awkward_sentence_is_left():
    for path in SOURCES:
        text = path.read_text("utf-8")
        assert not [phrase for phrase in AWKWARD if phrase in text], path


def test_the_step_of_a_row_is_called_in_one_language():
    names = Names.of_step(("mass from 3 to 4", "island=Biscoe"), (), "row 7 of flowers.csv")
    assert names.title_in("zh") == "flowers.csv 第 7 行引起的一步更新"
    assert names.title_in("en") == "The step row 7 of flowers.csv would cause"
    assert names.inputs_in("zh") == ("mass 在 3 到 4", "island=Biscoe")
    assert Names.of_step((), ()).title_in("zh") == "这些行引起的一步更新"


@pytest.mark.parametrize("level", [1, 2, 5, 6])
@pytest.mark.slow
def test_whatever_is_said_of_a_wrong_working_is_said_in_chinese(level):
    """Reasons are put together from parts; each whole one is known."""
    exercise, catalogue = dp.exercise(level, 1), catalogue_of("zh")
    for form in list(forms_for(exercise.step.network))[::3]:
        with np.errstate(all="ignore"):
            wrong, _ = work_out(exercise.step, form.rules)
        claims = {key: np.round(wrong[key], 3).tolist() for key in exercise.asked}
        for mark in exercise.mark(claims).marks:
            if mark.verdict != "right":
                said = catalogue.said(mark.because)
                assert said is not None, mark.because
                assert not re.search("[a-z]{3,} [a-z]{3,} [a-z]{2,}", said), said
