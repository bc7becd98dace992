"""What is read quickly is what a closer look at every cell would read."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaprop.tabular.encoding import cells as module
from deltaprop.tabular.encoding.cells import number_columns
from deltaprop.tabular.encoding.codes import have_leading_zeros
from deltaprop.tabular.reading import records as layout
from deltaprop.tabular.reading.delimited import Reading, read_delimited
from deltaprop.tabular.reading.missing import MISSING, MissingWords, clean_frame
from deltaprop.tabular.reading.records import scan

BLANKS = ["", "", "", " ", "\t", "\x0b", "\u00a0", "\u3000", "\u2003", "\u0085"]
WORDS = [
    *MISSING,
    "v1",
    "x y",
    "é",
    "中 文",
    "0",
    "1.5",
    "-3",
    "1e3",
    "inf",
    "007",
    "-999",
    "N",
    "",
]
CELLS = st.tuples(st.sampled_from(BLANKS), st.sampled_from(WORDS), st.sampled_from(BLANKS))
TEXTS = st.sampled_from(["", "?", "a,b"]) | CELLS.map("".join)
ROWS = st.lists(st.lists(TEXTS, min_size=2, max_size=2), min_size=1, max_size=8)


def written(rows, quote):
    return "\n".join(",".join(f'"{c}"' if quote or "," in c else c for c in row) for row in rows)


def slowly_cleaned(frame, words):
    stripped = pl.all().str.strip_chars()
    return frame.select(pl.when(~stripped.is_in(["", *words.bare])).then(stripped))


@settings(max_examples=100, deadline=None)
@given(ROWS, st.booleans(), st.sampled_from([MissingWords(), MissingWords(("-999", "v1"), True)]))
def test_cells_that_need_no_cleaning_are_known_by_the_layout(rows, quote, words):
    content = written(rows, quote).encode()
    cells = pl.DataFrame({f"{i}": column for i, column in enumerate(zip(*rows, strict=True))})
    expected = slowly_cleaned(cells, words)
    assert clean_frame(cells, words).equals(expected)
    if not scan(content, ",").padded:
        assert clean_frame(cells, words, padded=False).equals(expected)


@settings(max_examples=100, deadline=None)
@given(ROWS, st.booleans())
def test_a_file_is_read_alike_whatever_is_known_of_its_layout(rows, quote):
    content = b"one,two\n" + written(rows, quote).encode() + b"\nz,z\n"
    quickly = read_delimited(content, "a.csv", Reading(header=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "_has_wide_blanks", lambda _: True)  # then every cell is looked at
        slowly = read_delimited(content, "a.csv", Reading(header=True))
    assert quickly.frame.equals(slowly.frame)
    assert (quickly.gaps, quickly.quoted, quickly.notes) == (
        slowly.gaps, slowly.quoted, slowly.notes,
    )  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=30), st.integers(1, 64) | st.just(1 << 20)
)
def test_separators_are_counted_in_records_of_any_length(counts, size):
    records = [b"x" * (i % 3) + b"," * n for i, n in enumerate(counts)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "_CHUNK", size)
        found = scan(b"\n".join(records) + b"\n", ",")
    np.testing.assert_array_equal(found.separators, counts)
    np.testing.assert_array_equal(found.lengths, [len(record) for record in records])


def test_every_blank_of_unicode_is_one_for_the_layout():
    characters = pl.Series([chr(c) for c in range(0x11000) if not 0xD800 <= c < 0xE000])
    blanks = characters.filter(characters.str.strip_chars() == "").to_list()
    assert len(blanks) >= 25
    for blank in set(blanks) - {"\n", "\r"}:
        for cell in (f"{blank}a", f"a{blank}"):
            assert scan(f"{cell},b\nc,d\n".encode(), ",").padded, repr(blank)
            assert scan(f"b,{cell}\nc,d\n".encode(), ",").padded, repr(blank)
    assert not scan(b"a b,c d\ne f,g\n", ",").padded


def slowly_numbers(frame):
    """Return what ``number_columns`` reads of columns in which every cell is a plain number."""
    read = {}
    for text in frame.iter_columns():
        floats, integers = (text.cast(t, strict=False) for t in (pl.Float64, pl.Int64))
        exact = integers.null_count() == text.null_count()
        codes = text.str.contains(r"^0\d").any() and have_leading_zeros(text)
        numbers = integers if exact else floats.fill_nan(None)
        read[text.name] = None if codes else module._lossless(text, numbers)
    return read


NUMBERS = st.sampled_from(
    ["0", "1", "-2", "+3", "2.0", "1e3", "0.5", "007", "0012", "00", "01.5", ".5", "5.", "inf",
     "9223372036854775807", "9223372036854775808", "9007199254740993", "1.234", "12.500", "nan"]
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=30))
def test_columns_of_numbers_are_those_that_every_cell_makes(rows):
    frame = pl.DataFrame({f"{i}": column for i, column in enumerate(zip(*rows, strict=True))})
    expected = slowly_numbers(frame)
    for text, (numbers, odd, commas) in zip(
        frame.iter_columns(), number_columns(frame), strict=True
    ):
        slow = expected[text.name]
        assert (numbers is None) == (slow is None)
        assert numbers is None or (numbers.dtype == slow.dtype and numbers.equals(slow))
        assert (odd, commas) == (None, False)
