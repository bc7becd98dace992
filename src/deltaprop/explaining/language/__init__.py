"""The wording of explanations, as data: English and Chinese, equal in content."""

from __future__ import annotations

from collections.abc import Mapping

from deltaprop.explaining.language import en, zh
from deltaprop.notation.languages import wording_in

__all__ = ["LANGUAGES", "words_of"]

LANGUAGES: dict[str, Mapping[str, str]] = {"en": en.WORDS, "zh": zh.WORDS}


def words_of(language: str) -> Mapping[str, str]:
    """Return the wording in a language, by key; raise UnknownNameError where there is none."""
    return wording_in(language, LANGUAGES)
