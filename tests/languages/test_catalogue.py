"""Every sentence that the command line can say has its Chinese, with the same fields."""

import re
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaprop.checking.mistakes import MISTAKES
from deltaprop.languages.catalogue import Catalogue, catalogue_of
from deltaprop.languages.template import Template, entries_of, fields_of, skeleton
from helpers.sentences import all_sentences

FOLDER = files("deltaprop.languages") / "zh"
FILES = {
    file.name.removesuffix(".po"): entries_of(file.read_text(encoding="utf-8"))
    for file in FOLDER.iterdir()
    if file.name.endswith(".po")
}
ENTRIES = [entry for entries in FILES.values() for entry in entries.items()]
# words, a library's sentences and the registry of mistakes are not found as templates in a file
BY_THEMSELVES = {"words", "click", "mistakes"}
GRAMMAR = re.compile(r"(verb|ending)\d*")  # what English says by a word's form
HALF_WIDTH = re.compile(r"[一-鿿][,:;?!()]|[,:;?!()][一-鿿]")


@pytest.fixture(scope="module")
def said():
    """What the package can say, as skeletons, and where."""
    return {skeleton(text): file for file, own in all_sentences().items() for text in own}


@pytest.fixture(scope="module")
def known():
    return {skeleton(source) for source, _ in ENTRIES}


def test_every_sentence_has_its_entry(said, known):
    docs = {doc: name for name, row in MISTAKES.items() for doc in (row.doc, row.fix)}
    missing = [f"{where}: {text}" for text, where in {**said, **docs}.items() if text not in known]
    assert not missing, "\n".join(missing)


def test_no_entry_is_left_of_a_sentence_that_is_gone(said):
    rooms = [entries for name, entries in FILES.items() if name not in BY_THEMSELVES]
    gone = [source for entries in rooms for source in entries if skeleton(source) not in said]
    docs = {doc for row in MISTAKES.values() for doc in (row.doc, row.fix)}
    gone += [source for source in FILES["mistakes"] if skeleton(source) not in docs]
    assert not gone, "\n".join(gone)


def test_no_sentence_has_two_entries():
    skeletons = [skeleton(source) for source, _ in ENTRIES]
    twice = {text for text in skeletons if skeletons.count(text) > 1}
    assert not twice


def test_chinese_is_filled_with_what_english_is_filled_with():
    for source, target in ENTRIES:
        if target:
            here, there = set(fields_of(source)), set(fields_of(target))
            assert there <= here, source
            assert all(map(GRAMMAR.fullmatch, here - there)), source


def test_chinese_has_its_own_punctuation():
    for _, target in ENTRIES:
        text = re.sub(r"\{[^}]*\}", "", target)
        assert not HALF_WIDTH.search(text), target


def filled(name, i):
    """Return what a field of this name may hold."""
    if GRAMMAR.fullmatch(name):
        return "are"
    if re.fullmatch(r"n\d*", name):
        return str(731 + i)
    return {"is_": f"is Q{i}q", "whe": f" of Q{i}q"}.get(name[:3], f"Q{i}q")


def test_nothing_is_taken_for_what_english_adds():
    """Before "are" there may stand "a.1, b.1 and c.1": all of it is in the Chinese."""
    catalogue, listed = catalogue_of("zh"), "a.1, b.1 and c.1"
    tried = 0
    for source, target in ENTRIES:
        names = fields_of(source)
        before = [one for one, verb in pairwise(names) if GRAMMAR.fullmatch(verb)]
        for name in {*before} & {*fields_of(target)}:
            template = Template(source, target)
            if re.fullmatch(r"n\d*", name) or template.is_phrase or template.pairs:
                continue
            filling = {each: filled(each, i) for i, each in enumerate(names)}
            found = catalogue.said(source.format(**{**filling, name: listed}))
            assert found is not None, source
            assert all(each in found for each in ("a.1", "b.1", "c.1")), (source, found)
            tried += 1
    assert tried


@pytest.mark.parametrize("room", sorted(FILES))
@pytest.mark.one_in(3)
def test_a_finished_sentence_is_found_again(room):
    """Each template, filled with words that no other template has, gives its own Chinese."""
    catalogue = catalogue_of("zh")
    for source, target in FILES[room].items():
        names = fields_of(source)
        if not names or not target or Template(source, target).is_phrase:
            continue
        filling = {name: filled(name, i) for i, name in enumerate(names)}
        found = catalogue.said(source.format(**filling))
        assert found is not None, source
        for name in fields_of(target):
            assert filling[name].split()[-1] in found, (source, found)


def test_a_sentence_nobody_knows_stays_whole():
    catalogue = catalogue_of("zh")
    for text in (
        "Nobody has ever said this sentence.",
        "x has no rows and nobody has ever said this.",
        "x has no rows; at least one is needed. Nobody has ever said this.",
    ):
        assert catalogue.said(text) is None, text


def test_sentences_stand_in_sentences():
    catalogue = Catalogue(
        {
            "Within {where}: {error}": "{where!t}中：{error!t}",
            "{name} has no rows.": "{name} 没有行。",
            "the table": "表格",
            "Look there.": "请看那里。",
            "{n} rows": "{n} 行",
        }
    )
    assert catalogue.said("Within the table: x has no rows.") == "表格中：x 没有行。"
    found = catalogue.said("Within y.csv: x has no rows. Look there.")
    assert found == "y.csv 中：x 没有行。请看那里。"
    assert catalogue.said("x has no rows. Look there.") == "x 没有行。请看那里。"
    assert catalogue.said("1,470 rows") == "1,470 行"


def test_of_a_list_that_was_cut_only_the_end_is_said():
    text = (
        "x.csv has no target column 'a': expected one of its 31 columns. The columns are {names}."
    )
    found = catalogue_of("zh").said(text.format(names="'data', 'and' and 29 more"))
    assert found.endswith("各列是 'data', 'and'，以及另外 29 个。")


def test_a_long_sentence_is_looked_up_in_a_moment():
    """What a sentence holds may look like sentences, lists and places itself."""
    names = ", ".join(f"'column {i} of many: a. b; c'" for i in range(60))
    catalogue = catalogue_of("zh")
    found = catalogue.said(
        f"x.csv has no target column 'a': expected one of its 60 columns. The columns are {names}."
    )
    assert found == f"x.csv 没有目标列 'a'：应为它的 60 列之一。各列是 {names}。"
    assert catalogue.looked_up < 2000


@given(st.text())
def test_any_text_can_be_looked_up(text):
    found = catalogue_of("zh").said(text)
    assert found is None or isinstance(found, str)


@given(st.text(min_size=1), st.text(min_size=1))
def test_whatever_fills_a_sentence_is_in_its_chinese(name, value):
    """Braces, quotes, stops and lines of somebody's own names are neither read nor lost."""
    found = catalogue_of("zh").said(
        f"{name!r} has no target column {value!r}: expected one of its 3 columns. "
        "The columns are a, b, c."
    )
    assert found is not None
    assert repr(name) in found
    assert repr(value) in found
