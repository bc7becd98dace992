"""The page of a report: complete, harmless, self-contained, the same in both languages."""

import re
import shutil
import string
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.reporting.language import WORDS
from deltaprop.reporting.page.plot import Plot, bar, ticks
from deltaprop.reporting.page.writer import Writer

TABLES = (
    "two classes", "a hundred classes", "a number", "two numbers", "nothing held out", "images",
    "an ensemble", "an ensemble of numbers",
    "1,200 columns",
)  # fmt: skip
LANGUAGES = ("en", "zh")
VOID = {"meta", "br", "link", "img", "hr", "input"}
EVIL = "<script>alert(1)</script>\"'&{kind}"


class Page(HTMLParser):
    """Reads a page and remembers its elements; an element that is not closed is an error."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(set(names)) == len(names)
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def ids(self):
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TABLES)
class TestEveryPage:
    @pytest.fixture
    def html(self, reported, name, language):
        return reported(name)[1].to_html(language)

    @pytest.mark.one_in(3)
    def test_it_is_well_formed_and_its_links_lead_somewhere(self, html):
        page = Page(html)
        assert len(set(page.ids())) == len(page.ids())
        links = [a["href"] for tag, a in page.elements if tag == "a"]
        assert len(links) >= 7
        assert {link.removeprefix("#") for link in links} <= set(page.ids())

    def test_nothing_is_loaded_and_nothing_can_run(self, html):
        page = Page(html)
        tags = {tag for tag, _ in page.elements}
        assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
        for _, attributes in page.elements:
            assert not [a for a in attributes if a.startswith("on") or a in ("src", "style")]
            assert not attributes.get("href", "#").partition("#")[0]
        named = html.replace(' xmlns="http://www.w3.org/2000/svg"', "")  # a name, not a place
        assert not re.search(r"https?://|//[a-z]|url\(|@import", named)
        (policy,) = [a["content"] for _, a in page.elements
                     if a.get("http-equiv") == "Content-Security-Policy"]  # fmt: skip
        assert policy.startswith("default-src 'none'")

    @pytest.mark.one_in(3)
    def test_no_number_is_none_and_no_place_is_left_unfilled(self, html):
        text = Page(re.sub("<pre>.*?</pre>", "", html)).text  # Python's None has its place there
        assert not re.search(r"\bnan\b|\binf\b|\bNone\b|\{\w*\}", text)
        for tag, attributes in Page(html).elements:
            if tag in ("circle", "line", "rect", "text"):
                assert not any(value in ("nan", "inf", "-inf") for value in attributes.values())

    def test_every_picture_has_a_name_and_every_scrolled_region_the_keyboard(self, html):
        for tag, attributes in Page(html).elements:
            if tag == "svg":
                assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"
            if "scroll" in attributes.get("class", "").split():
                assert attributes["tabindex"] == "0"
                assert attributes["aria-label"]


def test_both_languages_have_the_same_sentences_with_the_same_places_to_fill():
    assert set(WORDS["en"]) == set(WORDS["zh"])

    def places(sentence):
        return {(name, form) for _, name, form, _ in string.Formatter().parse(sentence) if name}

    for key, sentence in WORDS["en"].items():
        assert sentence
        assert WORDS["zh"][key]
        assert places(sentence) == places(WORDS["zh"][key]), key
        if sentence not in ("R²", "F1"):
            assert re.search(r"[\u4e00-\u9fff、]", WORDS["zh"][key]), key


def test_the_pages_of_both_languages_tell_the_same_numbers(reported):
    for name in TABLES:
        pages = [Page(reported(name)[1].to_html(language)) for language in LANGUAGES]
        numbers = [sorted(re.findall(r"\d+\.\d\d+", page.text)) for page in pages]
        assert numbers[0] == numbers[1]
        assert len(pages[0].elements) == len(pages[1].elements)


def test_everything_asked_for_is_on_the_page(reported):
    text = Page(reported("two classes")[1].to_html()).text
    for said in ("my table.csv", "102 to learn from, 18 held out", "Seed", "NumPy", "kept:",
                 "precision", "F1", "expected calibration error", "rise of log loss",
                 "one-hot, 3 categories", "The hardest rows", "95 % between", "Only 18 validation",
                 "deltaprop train 'my table.csv' --target y", "dp.Recipe("):  # fmt: skip
        assert said in text, said
    html = reported("a number")[1].to_html()
    assert html.count('class="plot"') == 4
    assert "R²" in html
    assert "Only the commonest" not in html
    assert "only the commonest mistakes" in reported("a hundred classes")[1].to_html()
    assert "no rows were held out" in reported("nothing held out")[1].to_html()
    ensemble = reported("an ensemble")[1]
    assert "8 networks learnt from 120 rows, each row held out from one" in ensemble.to_html()
    assert "8 个网络从 120 行中学习，每一行都有一个网络在训练时没有见过" in ensemble.to_html("zh")
    assert reported("images")[1].to_html().count('class="image"') > 5
    limited = reported("1,200 columns")[1].to_html()
    assert "Of 1,200 columns, the 40 strongest were tried" in limited
    assert "200 more columns are not listed" in limited


def test_a_hostile_table_is_harmless():
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    table = {EVIL: x, "{0.__class__}": rng.choice([EVIL, "b\x00\u202e", "c"], size=60), "n": x**2}
    y = np.where(x > 0, EVIL, "<img src=x onerror=alert(1)>")
    model = dp.TableModel.fit(
        table, y, target_names=["</title><b>"], recipe=dp.Recipe(epochs=2, hidden=(4,))
    )
    report = dp.report(
        model, table, y, source="</style><script>", command="<b>\n`", remarks=["<i>{x}"]
    )
    for language in LANGUAGES:
        html = report.to_html(language)
        page = Page(html)
        assert not {tag for tag, _ in page.elements} & {"script", "img", "b", "i"}
        assert "alert(1)</script>" in page.text
        assert "\x00" not in html
        assert "\u202e" not in html


def test_numbers_are_written_as_people_write_them():
    writer = Writer("en")
    assert writer.figure(56663.2) == "56,660"
    assert writer.figure(-0.012345) == "−0.01235"
    assert writer.figure(float("nan")) == "–"
    assert writer.signed(-0.0001, 0.0021) == "0.000 ± 0.002"
    assert writer.signed(-0.015, 0.002, percent=True) == "−1.5 ± 0.2 %"
    assert writer.probability(0.99999) == "> 0.999"
    assert writer.probability(1e-9) == "< 0.001"
    assert writer.share(0.123456) == "12.3 %"


class TestPlots:
    @pytest.mark.parametrize(
        ("low", "high", "expected"),
        [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (1, 12, [5, 10]),
         (0.92, 0.98, [0.92, 0.94, 0.96, 0.98]), (-3e6, 1e6, [-3e6, -2e6, -1e6, 0, 1e6])],
    )  # fmt: skip
    def test_ticks_are_round(self, low, high, expected):
        assert ticks(low, high) == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("limits", "shown"),
        [((0, 1), ["0.0", "0.2", "1.0"]), ((-4e5, 4e5), ["−200,000", "0", "400,000"]),
         ((0, 5e9), ["0", "1e9", "5e9"]), ((0, 3e-7), ["0", "1e-7", "3e-7"]),
         ((1e6, 1.2e6), ["1.00e6", "1.05e6", "1.20e6"])],
    )  # fmt: skip
    def test_ticks_are_written_as_people_write_them(self, limits, shown):
        texts = re.findall(r'text-anchor="end">([^<]*)<', Plot("t", "x", "y", (0, 1), limits).svg())
        assert set(shown) <= {text.replace("e−", "e-") for text in texts}

    def test_long_ticks_find_their_place(self):
        plot = Plot("t", "x", "y", (0, 1), (-9e5, 9e5))
        assert plot.left > Plot("t", "x", "y", (0, 1), (0, 1)).left

    def test_whole_ticks_are_whole(self):
        assert ticks(1, 3, whole=True) == [1, 2, 3]

    @pytest.mark.parametrize(
        "limits",
        [(0, 0), (5, 5), (-1e308, 1e308), (0, 1e-300), (float("nan"), 1), (1e15, 1e15 + 1)],
    )
    def test_any_range_can_be_drawn(self, limits):
        plot = Plot("t", "x", "y", limits, limits)
        plot.line([(limits[0], limits[1]), (limits[1], limits[0])], "blue")
        for value in re.findall(r' [xy][12]?="([^"]*)"', plot.svg()):
            assert np.isfinite(float(value))

    def test_points_lie_where_they_belong(self):
        plot = Plot("t", "x", "y", (0, 10), (0, 10))
        plot.dots([(0, 0), (10, 10), (5, 5)], "blue")
        x, y = ([float(v) for v in re.findall(rf'c{a}="([^"]*)"', plot.svg())] for a in "xy")
        assert x[2] == pytest.approx((x[0] + x[1]) / 2, abs=0.1)
        assert y[2] == pytest.approx((y[0] + y[1]) / 2, abs=0.1)
        assert x[0] < x[1]
        assert y[0] > y[1]

    def test_a_bar_begins_at_zero_and_ends_at_its_mean(self):
        lengths = [float(re.search(r'width="([^"]*)"', bar(v, 0.0, -1, 4))[1]) for v in (1, 2, -1)]
        assert lengths[1] == pytest.approx(2 * lengths[0], abs=0.1)
        assert lengths[2] == pytest.approx(lengths[0], abs=0.1)


class TestInBrowser:
    @pytest.fixture
    def chromium(self):
        names = ("chromium", "chromium-browser", "google-chrome")
        program = next(filter(None, map(shutil.which, names)), None)
        if program is None:
            pytest.skip("no chromium")
        return program

    @pytest.mark.rest
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_it_opens_without_a_complaint(self, chromium, reported, tmp_path, language):
        path = tmp_path / "report.html"
        path.write_text(reported("two classes")[1].to_html(language), encoding="utf-8")
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}",
            "--enable-logging=stderr", "--dump-dom",
        ]  # fmt: skip
        shown = subprocess.run(
            [chromium, *arguments, path.as_uri()], capture_output=True, text=True, timeout=60
        )
        assert shown.returncode == 0
        assert "CONSOLE" not in shown.stderr
        assert shown.stdout.count("<section") == 10


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "members, whose outputs are averaged"), ("zh", "个成员中的第一个")],
)
def test_an_ensemble_says_that_it_is_one(reported, language, said):
    for name in ("an ensemble", "an ensemble of numbers"):
        model, report = reported(name)
        text = Page(report.to_html(language)).text
        assert said in text
        assert str(len(model.members)) in text
        assert report.origin.n_members == len(model.members) > 1
    assert said not in Page(reported("two classes")[1].to_html(language)).text
