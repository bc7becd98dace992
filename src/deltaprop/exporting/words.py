"""A column of words for another program: what is read as which, and what that becomes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from deltaprop.tabular.encoding.column import Column
from deltaprop.tabular.encoding.surprises import Surprises
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.truth import TRUTH, truth_values

__all__ = ["rows_of", "spelt"]

_LONGEST_TRUTH = 6  # letters of a word for true or false whose capitals are all written out


def spelt(column: Column) -> list[tuple[str, int]]:
    """Return what may be read as one of a column's words, and as which of them: the model says."""
    words = list(dict.fromkeys(_spellings(column.words)))
    codes = column.codes(pl.Series(words, dtype=pl.String), Surprises())
    return [(word, int(code)) for word, code in zip(words, codes, strict=True) if code >= 0]


def rows_of(column: Column) -> npt.NDArray[np.float64]:
    """Return the inputs of a cell that is none of the words, and below them those of each."""
    table = np.zeros((1 + len(column.words), column.n_outputs))
    column.fill(table, pl.Series([None, *column.words], dtype=pl.String), "", Surprises())
    return table


def _spellings(categories: Sequence[str]) -> list[str]:
    """Return what may be read as one of the categories: numbers and truths have several forms."""
    found = list(categories)
    for category in categories:
        try:
            value = float(category)
        except ValueError:
            continue
        if np.isfinite(value):
            found += [repr(value), f"{value:g}"]
            found += [str(int(value)), f"{int(value)}.0"] if value.is_integer() else []
    if truth_values(categories) is None:
        return found
    for word in [*categories, *TRUTH]:
        if len(word) <= _LONGEST_TRUTH:
            cased = product(*({letter.lower(), letter.upper()} for letter in word))
            found += sorted("".join(letters) for letters in cased)
        found += [word, word.lower(), word.upper(), word.title()]
    return found
