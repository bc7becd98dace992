"""Words for true and false, and words that differ only in their capitals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from deltaprop.tabular.libraries import pl

__all__ = [
    "TRUTH",
    "are_truth_values",
    "differ_in_capitals",
    "is_true",
    "one_spelling",
    "truth_values",
]

_TRUE = "true t yes y on ja j oui o sí si sim sì da да evet 是 对 对的 真 有 はい 예 네"
_FALSE = (
    "false f no n off nein nee non não nao nej нет hayır 否 不是 错 错误 假 无 いいえ 아니요 아니오"
)
TRUTH = {**dict.fromkeys(_TRUE.split(), True), **dict.fromkeys(_FALSE.split(), False)}
_MOST_SPELLINGS = 40
_SAMPLE = 20
_MOST_CATEGORIES = 1000  # among which words that differ in capitals are looked for


def is_true(word: str) -> bool | None:
    """Return what a word says, whatever its capitals; None where it is no word for a truth value.

    ``true``, ``T``, ``YES``, ``y``, ``on``, ``ja``, ``oui``, ``sí``, 是 and the like.
    """
    return TRUTH.get(word.casefold())


def are_truth_values(text: pl.Series) -> bool:
    """Tell whether every cell of a cleaned column of text is a word for true or for false."""
    different = text.drop_nulls().unique()
    return different.len() <= _MOST_SPELLINGS and all(is_true(w) is not None for w in different)


def truth_values(words: Sequence[str]) -> dict[bool, str] | None:
    """Return which word says true and which false, if they are just such a pair."""
    said = {is_true(word): word for word in words}
    if len(words) != 2 or set(said) != {True, False}:
        return None
    return {truth: word for truth, word in said.items() if truth is not None}


def one_spelling(text: pl.Series) -> tuple[pl.Series, str]:
    """Write every truth value of a column of such in one way, and say which were others.

    ``Yes``, ``YES`` and ``y`` become what most cells of them have, in the capitals of most cells.
    A column with any other word, or with one spelling for each value, stays as it is, and nothing
    is said.
    """
    if any(is_true(cell) is None for cell in text.drop_nulls().head(_SAMPLE)):
        return text, ""
    counts = text.drop_nulls().alias("cell").value_counts(name="rows")
    if not 1 < counts.height <= _MOST_SPELLINGS:
        return text, ""
    said = counts.sort(["rows", "cell"], descending=[True, False]).rows()
    form = _usual_capitals(said)
    said.sort(key=lambda pair: _capitals(pair[0]) != form)
    spellings: dict[bool | None, list[str]] = {}
    for cell, _ in said:
        spellings.setdefault(is_true(cell), []).append(cell)
    if None in spellings or max(map(len, spellings.values())) == 1:
        return text, ""
    usual = {cell: cells[0] for cells in spellings.values() for cell in cells}
    merged = [
        f"{', '.join(map(repr, cells[1:]))} count{'s' if len(cells) == 2 else ''} as {cells[0]!r}"
        for cells in spellings.values()
        if len(cells) > 1
    ]
    same = text.replace_strict(
        pl.Series(list(usual)), pl.Series(list(usual.values())), default=None
    )
    return same.alias(text.name), "; ".join(sorted(merged))


def _usual_capitals(said: Sequence[tuple[str, int]]) -> str:
    """Return the capitals that both values are written in; of several, those of most rows."""

    def weight(form: str) -> tuple[int, int]:
        so = [(is_true(cell), rows) for cell, rows in said if _capitals(cell) == form]
        return len({truth for truth, _ in so}), sum(rows for _, rows in so)

    return max(sorted({_capitals(cell) for cell, _ in said}), key=weight)


def _capitals(word: str) -> str:
    """Return how a word is written, so that yes goes with no and YES with NO."""
    return "lower" if word == word.lower() else "upper" if word == word.upper() else "title"


def differ_in_capitals(words: Iterable[str]) -> str:
    """Return a sentence about the first two words that differ only in capitals; else nothing."""
    seen: dict[str, str] = {}
    for place, word in enumerate(words):
        if place == _MOST_CATEGORIES:
            break
        other = seen.setdefault(word.casefold(), word)
        if other != word:
            return f"{other!r} and {word!r} differ only in capitals and stay apart"
    return ""
