"""Text in a column: recognised as text, and never anything else as text; TF-IDF by hand."""

import json
import time
import unicodedata
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaprop.tabular import TableEncoder, load_frame
from deltaprop.tabular.encoding.vocabulary import MOST_WORDS, Vocabulary
from deltaprop.tabular.encoding.words import normal_form, pieces_of, words_of
from helpers.texts import CHINESE, REVIEWS, column, encoded, fitted, terms

# which columns are text


@pytest.mark.parametrize(
    "cells",
    [
        REVIEWS,
        [*REVIEWS, *[None] * 100],
        [*REVIEWS, *REVIEWS],
        CHINESE,
        [f"{review} {i}" for i in range(4) for review in REVIEWS],
        [f"Another title of {w}" for w in "abcdefghijklmnopqrstuvwxyz"]
        + [f"More words in this {w}" for w in "abcdefghijklmnopqrstuvwxyz"],
        [f"w{i % 7} w{i % 11} w{i % 13} w{i % 17} {i}" for i in range(300)],
        [f"t{i % 7},tag{i % 11},a{i % 13};id{i}" for i in range(300)],
    ],
    ids=[
        "reviews",
        "mostly missing",
        "each twice",
        "chinese",
        "numbered",
        "titles",
        "tokens",
        "tags",
    ],
)
def test_what_people_write_is_text(cells):
    found = column(cells)
    assert found.kind == "text"
    assert found.n_outputs > 0


N = 120


NO_TEXT = {
    "names": ([f"name {i}" for i in range(N)], "text"),
    "customers": ([f"customer number {i}" for i in range(N)], "text"),
    "uuids": ([f"{i:08x}-dead-beef-cafe-{i * 7919:012x}" for i in range(N)], "text"),
    "links": ([f"https://www.example.com/films/page/{i}/view" for i in range(N)], "text"),
    "mail": ([f"first.last.number{i}@some.company.example" for i in range(N)], "text"),
    "paths": ([f"/home/user/some/folder/of/files/{i}.txt" for i in range(N)], "text"),
    "codes": ([f"AB {i} CD {i * 3} EF {i * 7}" for i in range(N)], "text"),
    "hex groups": ([f"{i:02x} {i + 1:02x} {i + 2:02x} {i + 3:02x} a{i}" for i in range(N)], "text"),
    "long categories": (
        ["never married or single", "married and living together", "not married again"] * 40,
        "category",
    ),
    "many long categories": (
        [f"occupation of the {'abcdefghij'[i % 10]} kind, number {i % 40}" for i in range(N)],
        "category",
    ),
    "chinese cities": (["北京市", "上海市", "广州市", "深圳市"] * 30, "category"),
    "chinese names": ([f"{chr(0x4E00 + i)}小{chr(0x5E00 + i)}" for i in range(N)], "text"),
    "numbers": ([f"{i}.5" for i in range(N)], "numeric"),
    "dates": ([f"2024-03-{1 + i % 28:02}" for i in range(N)], "date"),
    "truth values": (["true", "false"] * 60, "boolean"),
    "two sentences": (["yes, I would like to come", "no, I would rather not come"] * 60, "binary"),
    "few sentences": (REVIEWS[:19], "category"),
    "one sentence": ([REVIEWS[0]] * N, "constant"),
    "sentences of unique words": (
        [" ".join(f"{a}{b}{c}x" for c in "klmno") for a in "abcdefgh" for b in "pqrstuvwxyz"],
        "text",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_TEXT)
def test_nothing_else_is_taken_for_text(name):
    cells, kind = NO_TEXT[name]
    found = column(cells)
    assert found.kind == kind
    assert not found.is_sparse


def test_a_categorical_type_is_never_text():
    frame = pl.DataFrame({"c": REVIEWS}, schema={"c": pl.Categorical})
    assert TableEncoder.fit(frame).columns[0].kind == "category"


def test_the_real_tables_have_no_text(shared):
    for name in ("adult", "credit_data", "wa_churn", "penguins"):
        encoder = TableEncoder.fit(load_frame(shared / f"data/{name}.csv.gz"))
        kinds = {column.kind for column in encoder.columns}
        assert "text" not in kinds, name


# words


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("Don't stop, DON’T!", ["don't", "stop", "don't"]),
        ("a-b c_d e.f 3.14", ["a", "b", "c", "d", "e", "f", "3", "14"]),
        ("ＡＢＣ ﬁne Ⅳ", ["abc", "fine", "iv"]),
        ("cafe\u0301 CAFÉ", ["café", "café"]),
        ("很好看 nice", ["很", "好", "看", "nice"]),
        ("とても good", ["と", "て", "も", "good"]),
        ("재미있는 영화", ["재미있는", "영화"]),
        ("हिन्दी फ़िल्म", ["हिन्दी", "फ़िल्म"]),
        ("ดีมาก", ["ด", "ี", "ม", "า", "ก"]),
        ("😀😀 ★★★", ["😀", "😀", "★", "★", "★"]),
        ("... !!! — ___ ''' \u200b\u00a0", []),
        ("\x00\ufeff\u202e", []),
        ("x" * 41 + " y", ["y"]),
        ("x" * 40, ["x" * 40]),
        ("", []),
    ],
)
def test_words_are_what_a_person_would_mark(cell, words):
    assert words_of(cell) == [unicodedata.normalize("NFKC", word) for word in words]


@settings(max_examples=50)
@given(st.text())
def test_the_normal_form_is_a_fixed_point_and_no_text_breaks_it(text):
    text = text.encode("utf-8", "ignore").decode()
    once = normal_form(pl.Series([text], dtype=pl.String))
    assert normal_form(once).to_list() == once.to_list()
    assert all(0 < len(word) <= 40 for word in words_of(text))


def test_pieces_know_the_edges_of_the_word():
    counts, pieces = pieces_of(["ab", "好", "cats"])
    assert counts.tolist() == [2, 0, 9]
    assert pieces[:2] == [" ab", "ab "]
    assert pieces[2:] == [" ca", "cat", "ats", "ts ", " cat", "cats", "ats ", " cats", "cats "]


# the numbers


def by_hand(counts, cells_with, n):
    """Return the weights of the formula in the documentation, scaled to norm 1."""
    x = np.array([(1 + np.log(c)) * (1 + np.log((1 + n) / (1 + m)))
                  for c, m in zip(counts, cells_with, strict=True)])  # fmt: skip
    return x / np.linalg.norm(x)


def test_the_weights_are_those_of_the_formula():
    cells = ["red red hat", "red cat", "blue hat", "cat cat cat"]
    long = " ".join(f"w{i}" for i in range(40))  # so that there are no pieces
    vocabulary = fitted([f"{cell} {long}" for cell in cells] + ["other"])
    assert vocabulary.pieces == ()
    assert vocabulary.n_cells == 5
    n = dict(zip(vocabulary.words, vocabulary.word_cells, strict=True))
    assert (n["red"], n["hat"], n["cat"]) == (2, 2, 2)
    row = encoded(vocabulary, "red, red, RED cat blue")[0]
    places = [vocabulary.words.index(word) for word in ("red", "cat")]
    np.testing.assert_allclose(row[places], by_hand([3, 1], [2, 2], 5), rtol=1e-14)
    assert np.count_nonzero(row) == 2  # blue was in a single cell


def test_scikit_learn_weighs_words_and_pairs_alike():
    from sklearn.feature_extraction.text import TfidfVectorizer

    vocabulary = fitted(REVIEWS)
    words = Vocabulary(vocabulary.words, vocabulary.word_cells, (), (), vocabulary.n_cells)
    peer = TfidfVectorizer(
        ngram_range=(1, 2), min_df=2, max_df=len(REVIEWS) - 1, sublinear_tf=True,
        token_pattern=r"\w+(?:'\w+)*",
    )  # fmt: skip
    expected = peer.fit_transform(REVIEWS).toarray()
    assert sorted(vocabulary.words) == peer.get_feature_names_out().tolist()
    order = np.argsort(vocabulary.words)
    np.testing.assert_allclose(encoded(words, *REVIEWS)[:, order], expected, rtol=1e-12)


def test_words_and_pieces_share_the_row_equally():
    vocabulary = fitted(REVIEWS)
    matrix = encoded(vocabulary, *REVIEWS)
    n_words = len(vocabulary.words)
    np.testing.assert_allclose(np.linalg.norm(matrix, axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose((matrix[:, :n_words] ** 2).sum(axis=1), 0.5, rtol=1e-12)
    only_pieces = encoded(vocabulary, "endings")[0]  # no such word, but its pieces are known
    assert not only_pieces[:n_words].any()
    np.testing.assert_allclose(np.linalg.norm(only_pieces), 1, rtol=1e-12)


def test_a_pair_is_of_neighbours_in_their_order():
    vocabulary = fitted(REVIEWS)
    assert "every minute" in terms(vocabulary, "every minute")
    assert "every minute" not in terms(vocabulary, "minute every")
    assert "every minute" not in terms(vocabulary, "every unheard minute")


def test_unseen_words_are_ignored_without_a_word():
    vocabulary = fitted(REVIEWS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        both = encoded(vocabulary, "The finale", "Zzyzx qqfpt the finale")
    np.testing.assert_array_equal(both[0], both[1])


def test_slips_of_the_pen_share_pieces():
    loved, loveed, plot = encoded(fitted(REVIEWS), "loved", "lovedd", "plot")
    assert loved @ loveed > 0.3 > loved @ plot


def test_chinese_is_read_by_its_characters():
    vocabulary = fitted(CHINESE)
    assert {"好", "好看", "喜欢"} <= terms(vocabulary, "真的好看！我喜欢")
    assert vocabulary.pieces == ()
    good, fine, bad = encoded(vocabulary, "非常好看", "很好看", "太长了")
    assert good @ fine > 0.3 > good @ bad


def test_missing_empty_and_wordless_cells_are_zeros():
    encoder = TableEncoder.fit({"c": [*REVIEWS, None, ""], "n": list(range(24))})
    cells = [None, "", "  ", "?!... —", "NA", "\x00", "___"]
    matrix = encoder.transform({"c": cells, "n": [None] * 7}).toarray()
    assert not matrix[:, : encoder.columns[0].n_outputs].any()
    assert encoder.report()[0].missing == 2
    assert "zeros where missing" in encoder.report()[0].done


def test_a_column_of_punctuation_is_no_text_and_does_no_harm():
    cells = ["!" * (i + 1) for i in range(30)]
    assert column(cells).kind == "category"
    assert column([f"... --- {'!' * i} ... --- ... ---" for i in range(60)]).vocabulary is None


# the vocabulary


def test_a_term_returns_but_is_not_everywhere():
    vocabulary = fitted(["the cat sat", "the cat ran", "the dog ran", "the end"])
    assert set(vocabulary.words) == {"cat", "ran", "the cat"}


def test_of_too_many_terms_those_of_most_cells_are_kept(monkeypatch):
    monkeypatch.setattr("deltaprop.tabular.encoding.vocabulary.MOST_WORDS", 5)
    monkeypatch.setattr("deltaprop.tabular.encoding.vocabulary.MOST_PIECES", 7)
    small = fitted(REVIEWS)
    monkeypatch.undo()
    whole = fitted(REVIEWS)
    assert (len(small.words), len(small.pieces)) == (5, 7)
    assert sorted(small.word_cells) == sorted(sorted(whole.word_cells)[-5:])
    assert sorted(small.piece_cells) == sorted(sorted(whole.piece_cells)[-7:])


@pytest.mark.slow
def test_a_million_different_words_are_capped():
    words = [f"{i:x}q{i * 7919 % 1000003:x}" for i in range(1_000_000)]
    cells = [" ".join(words[i : i + 100]) for i in range(0, 1_000_000, 100)] * 2
    vocabulary = fitted(cells)
    assert len(vocabulary.words) == MOST_WORDS
    assert encoded(vocabulary, cells[0]).shape == (1, MOST_WORDS)


def test_of_very_much_text_evenly_spaced_cells_are_read(monkeypatch):
    monkeypatch.setattr("deltaprop.tabular.encoding.vocabulary._MOST_BYTES", 4000)
    vocabulary = fitted(REVIEWS * 20)
    assert 0 < vocabulary.n_cells <= 22 * 20 // 3
    assert "plot" in vocabulary.words


@pytest.mark.slow
def test_twenty_thousand_long_cells_take_seconds(rng):
    words = np.array([f"w{i}" for i in range(30_000)])
    draws = (rng.pareto(1.0, size=(20_000, 100)) * 30).astype(int) % 30_000
    cells = pl.Series([" ".join(row) for row in words[draws]])
    start = time.process_time()
    vocabulary = Vocabulary.fit(cells)
    matrix = vocabulary.encode(cells)
    assert time.process_time() - start < 30  # about 2 s on one idle core
    assert matrix.shape == (20_000, MOST_WORDS)


def test_one_enormous_cell_is_only_one_cell():
    enormous = "the plot thickens and thickens " * 350_000  # ten megabytes
    no_blanks = "x" * 10_000_000
    encoder = TableEncoder.fit({"c": [*REVIEWS, enormous, no_blanks], "n": list(range(24))})
    assert encoder.columns[0].kind == "text"
    matrix = encoder.transform({"c": [enormous, no_blanks], "n": [1, 2]}).toarray()
    assert np.isfinite(matrix).all()
    assert len(json.dumps(encoder.to_dict())) < 200_000
