"""Text as people write it: when a column is text, and the words and pieces of words in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from deltaprop.tabular.libraries import pl

__all__ = [
    "LONGEST_WORD",
    "PIECE_LENGTHS",
    "is_free_text",
    "normal_form",
    "pieces_of",
    "words_in_cells",
    "words_of",
]

Index = NDArray[np.int64]

LONGEST_WORD = 40  # characters; what is longer is a link, a key or noise, and no word
PIECE_LENGTHS = (3, 4, 5)  # characters, the edges of the word among them

# Scripts that put no blanks between words: each of their characters counts as a word of its own.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = rf"[\p{{L}}\p{{N}}--[{_UNSPACED}]][\p{{L}}\p{{M}}\p{{N}}--[{_UNSPACED}]]*"
# The pictures are emoji and the like: of a review they may be the clearest word.
_TOKEN = rf"[{_UNSPACED}\p{{Extended_Pictographic}}]|{_WORD}(?:'{_WORD})*"
# Two letters at least and no digit: numbers, initials and the parts of codes are no such words.
_PLAIN_WORD = rf"\b[\p{{L}}--[{_UNSPACED}]][\p{{L}}\p{{M}}--[{_UNSPACED}]]+\b"

_FEWEST_CELLS = 20
_DIFFERENT_SHARE = 0.5
_WORDS_OF_A_SENTENCE = 5
_WORDS_OF_A_TITLE = 3
_CELLS_OF_A_WORD = 5
_MOST_LOOKED_AT = 2000  # cells, and characters of each: enough to tell what is typical


def is_free_text(text: pl.Series, *, hardly_repeats: bool) -> bool:
    """Tell whether a cleaned column of strings holds free text and no names or categories.

    A column is free text when at least 20 cells have a value, at least half of these are
    different, and a typical cell (the median) has 5 words. Where hardly any cell repeats, so that
    as categories they would say nothing, 3 words are enough: these are titles and the like. So are
    there 3 words of any kind, such as tags or tokens with digits, that each come back in 5 cells.

    Words are two or more letters without a digit. They count where two thirds of what stands
    between blanks are words, so identifiers, codes, links and numbers count as none; of scripts
    without blanks (Chinese, Japanese, Thai, ...) two characters count as a word. What reads as
    numbers, truth values or dates has been told from text before.
    """
    cells = text.drop_nulls()
    if cells.len() < _FEWEST_CELLS or cells.n_unique() < _DIFFERENT_SHARE * cells.len():
        return False
    some = cells.gather_every(-(-cells.len() // _MOST_LOOKED_AT)).str.slice(0, _MOST_LOOKED_AT)

    def counts(pattern: str) -> Index:
        return some.str.count_matches(pattern).cast(pl.Int64).to_numpy()

    between_blanks = counts(r"\S+")
    spaced = np.minimum(counts(_PLAIN_WORD), between_blanks)
    spaced[3 * spaced < 2 * between_blanks] = 0
    typical = float(np.median(spaced + counts(f"[{_UNSPACED}]") // 2))
    if not hardly_repeats:
        return typical >= _WORDS_OF_A_SENTENCE
    return typical >= _WORDS_OF_A_TITLE or _words_that_return(some) >= _WORDS_OF_A_TITLE


def _words_that_return(cells: pl.Series) -> float:
    """Return how many different words of a typical cell stand in some others, but not in all."""
    rows, words = words_in_cells(cells)
    known = words.str.contains(r"^.*\p{L}.*$") & (words.str.len_chars() > 1)
    different, codes = np.unique(words.filter(known).to_numpy(), return_inverse=True)
    pairs = np.unique(rows[known.to_numpy()] * max(1, len(different)) + codes)
    of_row, of_word = np.divmod(pairs, max(1, len(different)))
    cells_with = np.bincount(of_word, minlength=len(different))
    returning = (cells_with >= _CELLS_OF_A_WORD) & (cells_with < cells.len())
    return float(np.median(np.bincount(of_row[returning[of_word]], minlength=cells.len())))


def normal_form(text: pl.Series) -> pl.Series:
    """Return text in the form words are compared in: Unicode NFKC, lower case.

    So full-width letters, ligatures and accents written apart become the usual ones.
    """
    # Python's own NFKC takes a hundredth of the time of polars': most text is in it already.
    cells = [None if cell is None else _normal(cell) for cell in text.to_list()]
    return pl.Series(text.name, cells, dtype=pl.String)


def _normal(cell: str) -> str:
    if cell.isascii():
        return cell.lower()
    # Once more at the end: lower case can bring characters that NFKC writes otherwise.
    lower = normalize("NFKC", normalize("NFKC", cell).lower())
    return lower.replace("’", "'")


def words_in_cells(text: pl.Series) -> tuple[Index, pl.Series]:
    """Return every word of a column of strings: the row of each, and the words, in their order.

    A word is a run of letters and digits, with apostrophes inside ("don't"); of scripts without
    blanks a single character; or a picture (an emoji). Runs of more than 40 characters are left
    out, and so is everything else: blanks and punctuation.
    """
    found = normal_form(text).str.extract_all(_TOKEN)
    lengths = found.list.len().fill_null(0)
    rows = np.repeat(np.arange(text.len()), lengths.to_numpy())
    words = found.filter(lengths > 0).explode().cast(pl.String)
    short = words.str.len_chars() <= LONGEST_WORD
    return rows[short.to_numpy()], words.filter(short)


def words_of(cell: str) -> list[str]:
    """Return the words of one text."""
    return words_in_cells(pl.Series([cell], dtype=pl.String))[1].to_list()


def pieces_of(words: Sequence[str]) -> tuple[Index, list[str]]:
    """Return the pieces of words: 3 to 5 characters in a row, a blank standing for either edge.

    They let "loved" and "lovely" have something in common, and survive a slip of the pen. A word
    as a whole is no piece of its own. First come how many pieces each word has, then all of them.
    """
    pieces = [_pieces(f" {word} ") for word in words]
    counts = np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces))
    return counts, list(chain.from_iterable(pieces))


def _pieces(word: str) -> list[str]:
    return [
        word[start : start + n]
        for n in PIECE_LENGTHS
        if n < len(word)
        for start in range(len(word) - n + 1)
    ]
