"""A column of text in a table: beside others, in another process, stored and read again."""

import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from deltaprop.errors import ColumnError, DataError
from deltaprop.tabular import SparseRows, TableEncoder
from deltaprop.tabular.encoding.vocabulary import MOST_PIECES, MOST_WORDS
from helpers.texts import CHINESE, REVIEWS, encoded

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
