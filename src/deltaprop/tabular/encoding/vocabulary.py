"""From text to numbers: TF-IDF of the words, pairs and pieces of words that training knew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from deltaprop.model.stored import Stored
from deltaprop.tabular.encoding.sparse import SparseRows, below, beside
from deltaprop.tabular.encoding.words import LONGEST_WORD, PIECE_LENGTHS, pieces_of, words_in_cells
from deltaprop.tabular.libraries import pl

__all__ = ["MOST_PIECES", "MOST_WORDS", "Vocabulary"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]

MOST_WORDS = 20_000  # words and pairs
MOST_PIECES = 10_000
_FEWEST_CELLS = 2  # a term of a single cell tells nothing about another
_SHORT = 30  # words of a typical cell; in longer ones enough words return as they are
_MOST_FOR_PIECES = 200  # words of a cell whose pieces are looked at
_MOST_BYTES = 1 << 26  # of text from which a vocabulary is chosen
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Vocabulary:
    r"""The terms of a text column, each with the number of training cells that have it.

    A term is a word or a pair of neighbours ("plot", "wonderful plot"), or, where cells are short,
    a piece of 3 to 5 characters of a word. Of a cell in which term t occurs c_t times, it becomes

        (1 + ln c_t) (1 + ln((1 + n) / (1 + n_t)))

    where n_t of the n training cells have t. Words with pairs, and pieces, are each scaled to
    norm 1, then both together, so that every cell with a known term is a row of norm 1. What is
    not in the vocabulary is ignored; a cell with nothing in it, or a missing one, is all zeros.

    Attributes
    ----------
    words : tuple of str
        Words, and pairs of words with a blank between.
    word_cells : tuple of int
        n_t of each.
    pieces : tuple of str
        Pieces of words; a blank is the edge of a word. Empty where cells are long.
    piece_cells : tuple of int
        n_t of each.
    n_cells : int
        n.

    References
    ----------
    Salton, Buckley, "Term-weighting approaches in automatic text retrieval", 1988.
    """

    words: tuple[str, ...]
    word_cells: tuple[int, ...]
    pieces: tuple[str, ...]
    piece_cells: tuple[int, ...]
    n_cells: int

    @classmethod
    def fit(cls, text: pl.Series) -> Vocabulary:
        """Choose the terms of a column of strings.

        Terms that two cells have, but not all of them; of more than 20,000 words and pairs, or
        10,000 pieces, those that most cells have. From more than 64 MB of text evenly spaced cells
        are taken. The vocabulary is empty where no term returns.
        """
        cells = text.drop_nulls()
        size = int(cells.str.len_bytes().sum())
        cells = cells.gather_every(max(1, -(-size // _MOST_BYTES)))
        n = cells.len()
        rows, words = words_in_cells(cells)
        different = words.unique().sort()
        ids = _codes(words, different)
        terms, n_terms = _chosen_words(rows, ids, different, n)
        pieces: list[str] = []
        n_pieces: list[int] = []
        if n and np.median(np.bincount(rows, minlength=n)) <= _SHORT:
            pieces, n_pieces = _chosen_pieces(rows, ids, different, n)
        return cls(tuple(terms), tuple(n_terms), tuple(pieces), tuple(n_pieces), n)

    @property
    def n_terms(self) -> int:
        """Number of terms: numbers per cell."""
        return len(self.words) + len(self.pieces)

    @property
    def names(self) -> tuple[str, ...]:
        """The terms as people read them: ``"wonderful plot"``, of pieces ``"wond…"``."""
        words = (f'"{_joined(term)}"' for term in self.words)
        return (*words, *(f'"{_with_dots(piece)}"' for piece in self.pieces))

    def described(self) -> str:
        """Say in a few words what becomes of the text."""
        pairs = sum(" " in term for term in self.words)
        parts = (
            (len(self.words) - pairs, "words"),
            (pairs, "pairs of words"),
            (len(self.pieces), "pieces of words"),
        )
        return f"TF-IDF of {', '.join(f'{count:,} {what}' for count, what in parts if count)}"

    def encode(self, text: pl.Series, dtype: DTypeLike = np.float64) -> SparseRows:
        """Return a column of strings, null where missing, as a matrix of shape (n, n_terms).

        Its rows have norm 1, or are zeros. It is computed in float64.
        """
        words, pieces = _Words(self.words), {piece: i for i, piece in enumerate(self.pieces)}
        parts = []
        for start in range(0, text.len(), _ROWS_AT_ONCE):
            some = text.slice(start, _ROWS_AT_ONCE)
            rows, found = words_in_cells(some)
            families = [
                self._weighed(words.find(rows, found), self.word_cells, some.len()),
                self._weighed(_find_pieces(pieces, rows, found), self.piece_cells, some.len()),
            ]
            block = _of_norm_1(families)
            parts.append(replace(block, data=block.data.astype(dtype)))
        return below(parts, self.n_terms, dtype)

    def _weighed(self, found: tuple[Index, Index], cells_with: Sequence[int], n: int) -> SparseRows:
        """Return the terms found in n cells (row and term of each) as rows of norm 1."""
        rows, terms, counts = _counted(*found, len(cells_with))
        rarity = 1 + np.log((1 + self.n_cells) / (1 + np.array(cells_with, dtype=np.float64)))
        weights = (1 + np.log(counts)) * rarity[terms]
        norms = np.sqrt(np.bincount(rows, weights**2, minlength=n))
        starts = np.searchsorted(rows, np.arange(n + 1))
        return SparseRows(
            weights / norms[rows], terms.astype(np.int32), starts, (n, len(cells_with))
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the vocabulary as plain values that JSON keeps exactly."""
        return {
            "words": list(self.words),
            "word_cells": list(self.word_cells),
            "pieces": list(self.pieces),
            "piece_cells": list(self.piece_cells),
            "n_cells": self.n_cells,
        }

    @classmethod
    def from_dict(cls, place: str, values: object) -> Vocabulary:
        """Return the vocabulary that `to_dict` described; ``place`` names it in messages."""
        stored = Stored(values, place)
        n = stored.count("n_cells", 1)
        words = stored.texts("words", different=True)
        pieces = stored.texts("pieces", different=True)
        counts = [stored.counts(name, 1) for name in ("word_cells", "piece_cells")]
        if not 0 < len(words) <= MOST_WORDS or not all(map(_is_term, words)):
            stored.refuse("words", list(words[:5]), "some words, and pairs of words")
        if len(pieces) > MOST_PIECES or not all(len(p) in PIECE_LENGTHS for p in pieces):
            stored.refuse("pieces", list(pieces[:5]), "pieces of 3 to 5 characters")
        for name, terms, cells in zip(
            ("word_cells", "piece_cells"), (words, pieces), counts, strict=True
        ):
            if len(cells) != len(terms) or max(cells, default=0) > n:
                stored.refuse(name, list(cells[:5]), f"a count up to {n} for each term")
        return cls(words, counts[0], pieces, counts[1], n)


def _is_term(term: str) -> bool:
    parts = term.split(" ")
    return len(parts) <= 2 and all(0 < len(part) <= LONGEST_WORD for part in parts)


class _Words:
    """Finds the words and pairs of a vocabulary."""

    def __init__(self, terms: Sequence[str]) -> None:
        parts = [term.split(" ") for term in terms]
        known = sorted({word for words in parts for word in words})
        place = {word: i for i, word in enumerate(known)}
        self.known = pl.Series(known, dtype=pl.String)
        self.term_of = np.full(len(known), -1, dtype=np.int64)
        codes, columns = [], []
        for column, words in enumerate(parts):
            if len(words) == 1:
                self.term_of[place[words[0]]] = column
            else:
                codes.append(place[words[0]] * len(known) + place[words[1]])
                columns.append(column)
        order = np.argsort(np.array(codes, dtype=np.int64))
        self.pairs = np.array(codes, dtype=np.int64)[order]
        self.pair_terms = np.array(columns, dtype=np.int64)[order]

    def find(self, rows: Index, words: pl.Series) -> tuple[Index, Index]:
        """Return row and term of every occurrence."""
        ids = _codes(words, self.known)
        single = np.append(self.term_of, -1)[ids]  # the last stands for -1, an unknown word
        is_term = single >= 0
        found_rows, found = [rows[is_term]], [single[is_term]]
        if self.pairs.size:
            pair_rows, codes = _pairs(rows, ids, self.known.len())
            pair_rows, places = _places(pair_rows, codes, self.pairs)
            found_rows.append(pair_rows)
            found.append(self.pair_terms[places])
        return np.concatenate(found_rows), np.concatenate(found)


def _find_pieces(term_of: Mapping[str, int], rows: Index, words: pl.Series) -> tuple[Index, Index]:
    """Return row and term of every piece of a vocabulary in these words."""
    early = _early(rows) if term_of else np.zeros(len(rows), dtype=bool)
    rows, words = rows[early], words.filter(early)
    different = words.unique(maintain_order=True)
    counts, pieces = pieces_of(different.to_list())
    terms = np.fromiter((term_of.get(p, -1) for p in pieces), np.int64, len(pieces))
    found_rows, found = _spread(rows, _codes(words, different), counts, terms)
    known = found >= 0
    return found_rows[known], found[known]


def _chosen_words(
    rows: Index, ids: Index, different: pl.Series, n: int
) -> tuple[list[str], list[int]]:
    """Return the words and pairs to keep, and how many of the n cells have each."""
    n_words = different.len()
    cells_with = np.bincount(_counted(rows, ids, n_words)[1], minlength=n_words)
    # A pair is no more frequent than either word, so most pairs need not be looked at.
    frequent = np.where(cells_with[ids] >= _FEWEST_CELLS, ids, -1)
    pair_rows, codes = _pairs(rows, frequent, n_words)
    pairs, occurrences = np.unique(codes, return_counts=True)
    pairs = pairs[occurrences >= _FEWEST_CELLS]
    pair_rows, pair_ids = _places(pair_rows, codes, pairs)
    with_pair = np.bincount(_counted(pair_rows, pair_ids, len(pairs))[1], minlength=len(pairs))
    cells_with = np.concatenate([cells_with, with_pair])
    kept = _most_frequent(cells_with, n, MOST_WORDS)
    chosen = pairs[kept[kept >= n_words] - n_words]
    first, second = (different.gather(part).to_list() for part in divmod(chosen, n_words or 1))
    terms = different.gather(kept[kept < n_words]).to_list()
    terms += [f"{one} {other}" for one, other in zip(first, second, strict=True)]
    return terms, cells_with[kept].tolist()


def _chosen_pieces(
    rows: Index, ids: Index, different: pl.Series, n: int
) -> tuple[list[str], list[int]]:
    """Return the pieces to keep, and how many of the n cells have each."""
    early = _early(rows)
    rows, ids = rows[early], ids[early]
    used, ids = np.unique(ids, return_inverse=True)
    counts, flat = pieces_of(different.gather(used).to_list())
    all_pieces = pl.Series(flat, dtype=pl.String)
    pieces = all_pieces.unique().sort()
    terms = _codes(all_pieces, pieces)
    cells_with = np.zeros(pieces.len(), dtype=np.int64)
    edges = np.searchsorted(rows, np.arange(0, n + _ROWS_AT_ONCE, _ROWS_AT_ONCE))
    for start, end in pairwise(edges):
        found = _spread(rows[start:end], ids[start:end], counts, terms)
        cells_with += np.bincount(_counted(*found, pieces.len())[1], minlength=pieces.len())
    kept = _most_frequent(cells_with, n, MOST_PIECES)
    return pieces.gather(kept).to_list(), cells_with[kept].tolist()


def _most_frequent(cells_with: Index, n: int, most: int) -> Index:
    """Return the terms to keep, ascending; of equally frequent ones the first."""
    fit = np.flatnonzero((cells_with >= _FEWEST_CELLS) & (cells_with < n))
    return np.sort(fit[np.argsort(-cells_with[fit], kind="stable")[:most]])


def _codes(cells: pl.Series, known: pl.Series) -> Index:
    """Return the place of each string among the known ones, which differ; -1 where it is none."""
    if not (cells.len() and known.len()):
        return np.full(cells.len(), -1, dtype=np.int64)
    places = pl.Series(np.arange(known.len()), dtype=pl.Int64)
    found = cells.replace_strict(known, places, default=-1, return_dtype=pl.Int64)
    return np.asarray(found.to_numpy(), dtype=np.int64)


def _pairs(rows: Index, ids: Index, n_words: int) -> tuple[Index, Index]:
    """Return the row of each two neighbours that are both known, and a number for the two."""
    both = (rows[:-1] == rows[1:]) & (ids[:-1] >= 0) & (ids[1:] >= 0)
    return rows[1:][both], ids[:-1][both] * n_words + ids[1:][both]


def _places(rows: Index, codes: Index, known: Index) -> tuple[Index, Index]:
    """Return the rows of those codes that are known, and their places among the known ones."""
    places = np.searchsorted(known, codes)
    is_known = np.append(known, -1)[places] == codes
    return rows[is_known], places[is_known]


def _counted(rows: Index, terms: Index, n_terms: int) -> tuple[Index, Index, Index]:
    """Return each different pair of row and term, ascending, and how often it occurs."""
    keys, counts = np.unique(rows * n_terms + terms, return_counts=True)
    return *divmod(keys, max(n_terms, 1)), counts


def _spread(rows: Index, ids: Index, counts: Index, flat: Index) -> tuple[Index, Index]:
    """Return row and piece of every piece of every word, ``counts[i]`` of ``flat`` for word i."""
    lengths = counts[ids]
    begin = (np.cumsum(counts) - counts)[ids]
    places = np.arange(lengths.sum()) + np.repeat(begin - (np.cumsum(lengths) - lengths), lengths)
    return np.repeat(rows, lengths), flat[places]


def _early(rows: Index) -> NDArray[np.bool_]:
    """Tell which words stand among the first 200 of their row; rows ascend."""
    first = np.searchsorted(rows, rows)
    return np.arange(len(rows)) - first < _MOST_FOR_PIECES


def _of_norm_1(families: Sequence[SparseRows]) -> SparseRows:
    """Put families of terms, each row of norm 1 or 0, beside each other as rows of norm 1."""
    whole = beside(families, np.float64)
    present = sum((np.diff(family.indptr) > 0).astype(np.int64) for family in families)
    share = 1 / np.sqrt(np.maximum(present, 1))
    scaled = whole.data * np.repeat(share, np.diff(whole.indptr))
    return SparseRows(scaled, whole.indices, whole.indptr, whole.shape)


def _joined(term: str) -> str:
    """Return a pair of words as it is written: without a blank in scripts that have none."""
    parts = term.split(" ")
    # From the Thai block on, a word of one character is of such a script, or a picture.
    unspaced = all(len(part) == 1 and part >= "\u0e00" for part in parts)
    return ("" if unspaced else " ").join(parts)


def _with_dots(piece: str) -> str:
    """Return a piece with dots where its word goes on."""
    start, end = ("" if edge == " " else "…" for edge in (piece[0], piece[-1]))
    return f"{start}{piece.strip()}{end}"
