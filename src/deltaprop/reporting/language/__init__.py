"""All sentences of a report, English and Chinese, equal in content."""

from __future__ import annotations

from collections.abc import Mapping

from deltaprop.notation.languages import wording_in
from deltaprop.reporting.language import en, zh

__all__ = ["WORDS", "words_of"]

WORDS: dict[str, Mapping[str, str]] = {"en": en.WORDS, "zh": zh.WORDS}


def words_of(language: str) -> Mapping[str, str]:
    """Return the wording in a language, by key; raise UnknownNameError where there is none."""
    return wording_in(language, WORDS)
