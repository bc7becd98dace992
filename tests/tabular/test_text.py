"""Text in a column: recognised as text, and never anything else as text; TF-IDF by hand."""

import json
import subprocess
import sys
import time
import unicodedata
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaprop.errors import ColumnError, DataError
from deltaprop.tabular import SparseRows, TableEncoder, load_frame
from deltaprop.tabular.encoding.vocabulary import MOST_PIECES, MOST_WORDS, Vocabulary
from deltaprop.tabular.encoding.words import normal_form, pieces_of, words_of

REVIEWS = [
    "A wonderful plot and a wonderful cast.",
    "The plot is thin, the cast is tired.",
    "I loved every minute of this film.",
    "I hated every minute of that film.",
    "The music was lovely but far too loud.",
    "Far too long, and the ending is silly.",
    "What a lovely film for a rainy evening.",
    "The ending made all of us cry.",
    "My children loved the dog and the music.",
    "The dog is the best actor in it.",
    "A silly film with a big heart.",
    "We left before the ending, it was so dull.",
    "Dull, dull, dull from the first minute.",
    "The first half is great, the second is not.",
    "Not great, but I liked the songs.",
    "The songs are great and so is she.",
    "She is the heart of this lovely film.",
    "He is badly cast and the plot is a mess.",
    "A mess of a film, but what a finale!",
    "The finale alone is worth the ticket.",
    "I want the price of the ticket back.",
    "Back to the beginning, said my son, and clapped.",
]
CHINESE = [
    "这部电影非常好看，我很喜欢。", "故事太长了，看得我想睡觉。", "演员演得好，音乐也很好听。",
    "不好看，浪费时间和钱。", "孩子们很喜欢这部动画片。", "结局让我哭了很久很久。",
    "画面漂亮，可是故事一般。", "这是今年最好看的电影。", "太吵了，我们提前走了。",
    "导演的新片让人很失望。", "笑得肚子疼，非常好看。", "一部温暖的家庭电影。",
    "看完以后我想再看一次。", "剧本写得很差，演员也累。", "音乐好听，结局感人。",
    "我不喜欢这个结局，太假。", "孩子睡着了，我也想睡觉。", "朋友推荐的，果然很好看。",
    "动作场面多，故事却很少。", "一般，不好也不坏。", "配音很差，听不清楚。",
    "温暖又好笑，推荐给大家。",
]  # fmt: skip


def column(cells, **beside_it):
    return TableEncoder.fit({"c": cells, "n": list(range(len(cells))), **beside_it}).columns[0]


def fitted(cells):
    return Vocabulary.fit(pl.Series(cells, dtype=pl.String))


def encoded(vocabulary, *cells):
    return vocabulary.encode(pl.Series(list(cells), dtype=pl.String)).toarray()


def terms(vocabulary, cell):
    """The terms found in one cell, by their names."""
    row = encoded(vocabulary, cell)[0]
    return {vocabulary.names[i].strip('"') for i in np.flatnonzero(row)}


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


SCRIPT = """
import hashlib, json, sys
from deltaprop.tabular import TableEncoder
table = json.load(sys.stdin)
encoder = TableEncoder.fit(table)
matrix = encoder.transform(table)
digest = hashlib.sha256(json.dumps(encoder.to_dict()).encode())
for array in (matrix.data, matrix.indices, matrix.indptr):
    digest.update(array.tobytes())
print(digest.hexdigest())
"""


def test_another_process_gives_the_same_bits(environment_of):
    table = json.dumps({"c": [*REVIEWS, *CHINESE], "n": list(range(44))})
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], input=table, capture_output=True, text=True,
            env=environment_of(PYTHONHASHSEED=seed, POLARS_MAX_THREADS=threads), check=True,
        ).stdout
        for seed, threads in (("1", "1"), ("2", "4"))
    }  # fmt: skip
    assert len(digests) == 1


@pytest.fixture
def environment_of():
    import os

    return lambda **extra: {**os.environ, **extra}


# in a table


def test_text_stands_beside_numbers_and_categories():
    n = len(REVIEWS)
    table = {
        "price": [float(i) for i in range(n)],
        "review": REVIEWS,
        "kind": ["a", "b", "c", None] * 5 + ["a", "b"],
        "title": [f"{a} and the {b} of us" for a in ("One", "Two") for b in "stu vwxyzab"],
        "sold": [i % 3 == 0 for i in range(n)],
    }
    encoder = TableEncoder.fit(table)
    matrix = encoder.transform(table)
    assert isinstance(matrix, SparseRows)
    assert matrix.shape == (n, encoder.n_outputs) == (n, len(encoder.output_names))
    assert encoder.needed == tuple(c.name for c in encoder.columns if c.n_outputs)
    dense = matrix.toarray()
    alone = {name: cells for name, cells in table.items() if name not in ("review", "title")}
    expected = TableEncoder.fit(alone).transform(alone)
    own = [i for i, name in enumerate(encoder.output_names) if ": " not in name]
    np.testing.assert_array_equal(dense[:, own], expected)
    start = encoder.output_names.index(f"review: {encoder.columns[1].vocabulary.names[0]}")
    review = dense[:, start : start + encoder.columns[1].n_outputs]
    np.testing.assert_array_equal(review, encoded(encoder.columns[1].vocabulary, *REVIEWS))


def test_terms_have_readable_names_and_the_report_counts_them():
    encoder = TableEncoder.fit({"review": REVIEWS, "n": list(range(22))})
    names = encoder.output_names
    assert {'review: "plot"', 'review: "every minute"', 'review: "lov…"', 'review: "…ove…"'} <= {
        *names
    }
    assert len(set(names)) == len(names)
    done = encoder.report()[0].done
    vocabulary = encoder.columns[0].vocabulary
    pairs = sum(" " in word for word in vocabulary.words)
    assert done == (
        f"TF-IDF of {len(vocabulary.words) - pairs} words, {pairs} pairs of words, "
        f"{len(vocabulary.pieces)} pieces of words"
    )


def test_later_cells_of_another_type_are_read_as_text():
    cells = ["The year 1984 was a very good one.", *REVIEWS, "In 1984 I saw it for the first time."]
    encoder = TableEncoder.fit({"c": cells})
    expected = encoder.transform({"c": ["1984", "", "1984"]}).toarray()
    assert expected[0].any()
    np.testing.assert_array_equal(encoder.transform({"c": [1984, None, 1984]}).toarray(), expected)
    assert not encoder.transform({"c": [None, None]}).toarray().any()
    with pytest.raises(ColumnError, match=r"'c' holds list in row 1"):
        encoder.transform({"c": [["plot"]]})
    with pytest.raises(DataError, match=r"'c' holds cells of type List"):
        encoder.transform(pl.DataFrame({"c": [["plot"]]}), where="t.csv")


def test_half_an_emoji_is_no_word_and_no_obstacle():
    cut_off = [*REVIEWS, "The plot \ud83d", "\udcff the cast \ud83d\ude00"]
    encoder = TableEncoder.fit({"c": cut_off})
    matrix = encoder.transform({"c": ["plot", "\ud800 plot \udfff"]}).toarray()
    np.testing.assert_array_equal(matrix[0], matrix[1])
    assert matrix.any()


def test_a_missing_text_column_is_named():
    encoder = TableEncoder.fit({"review": REVIEWS, "n": list(range(22))})
    with pytest.raises(ColumnError, match=r"lacks column 'review'.*'reviews' for 'review'"):
        encoder.transform({"reviews": REVIEWS, "n": list(range(22))})


def test_the_result_can_be_float32():
    encoder = TableEncoder.fit({"c": REVIEWS, "n": list(range(22))})
    assert encoder.transform({"c": REVIEWS, "n": [1] * 22}, dtype=np.float32).dtype == np.float32


# stored


STORED = TableEncoder.fit({"c": REVIEWS, "n": list(range(22))}).to_dict()


def test_the_encoder_comes_back_from_json_unchanged():
    encoder = TableEncoder.fit({"c": [*REVIEWS, *CHINESE], "n": list(range(44))})
    again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict(), allow_nan=False)))
    assert again == encoder
    table = {"c": [*CHINESE, *REVIEWS], "n": list(range(44))}
    np.testing.assert_array_equal(
        again.transform(table).toarray(), encoder.transform(table).toarray()
    )


HOSTILE = {
    "no mapping": (None, [1, 2]),
    "no words": ("words", []),
    "words of one text": ("words", "plot"),
    "numbers for words": ("words", [1, 2]),
    "a word twice": ("words", ["plot", "plot"]),
    "three words": ("words", ["one of three"]),
    "an empty word": ("words", [""]),
    "a blank": ("words", [" "]),
    "an enormous word": ("words", ["x" * 10**6]),
    "too many words": ("words", [f"w{i}" for i in range(MOST_WORDS + 1)]),
    "a piece that is too long": ("pieces", ["abcdef"]),
    "an empty piece": ("pieces", [""]),
    "too many pieces": ("pieces", [f"{i:05}" for i in range(MOST_PIECES + 1)]),
    "too few counts": ("word_cells", [1]),
    "counts of nothing": ("word_cells", "zero"),
    "negative counts": ("piece_cells", "negative"),
    "fractions": ("word_cells", "fractions"),
    "more than all": ("word_cells", "too many"),
    "no cells": ("n_cells", 0),
    "infinitely many cells": ("n_cells", float("inf")),
    "beyond all numbers": ("n_cells", 10**30),
    "absent": ("words", KeyError),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_vocabulary_is_refused_and_named(name):
    key, value = HOSTILE[name]
    stored = json.loads(json.dumps(STORED))
    vocabulary = stored["columns"][0]["vocabulary"]
    each = {"zero": 0, "negative": -1, "fractions": 0.5, "too many": 10**6}
    if key is None:
        stored["columns"][0]["vocabulary"] = value
    elif value is KeyError:
        del vocabulary[key]
    elif isinstance(value, str) and value in each:
        vocabulary[key] = [each[value]] * len(vocabulary[key])
    else:
        vocabulary[key] = value
    with pytest.raises(DataError, match=r"vocabulary is damaged") as caught:
        TableEncoder.from_dict(stored)
    assert len(str(caught.value)) < 500


def test_a_vocabulary_belongs_to_text_alone():
    stored = json.loads(json.dumps(STORED))
    stored["columns"][1]["vocabulary"] = stored["columns"][0]["vocabulary"]
    with pytest.raises(DataError, match="is damaged: vocabulary"):
        TableEncoder.from_dict(stored)


def test_tables_without_text_are_stored_as_before():
    assert "vocabulary" not in TableEncoder.fit({"a": [1, 2, 3]}).to_dict()["columns"][0]
