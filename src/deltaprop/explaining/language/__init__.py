"""The wording of explanations, as data: English and Chinese, equal in content."""

from __future__ import annotations

from collections.abc import Mapping

from deltaprop.errors import UnknownNameError
from deltaprop.explaining.language import en, zh

__all__ = ["LANGUAGES", "words_of"]

LANGUAGES: dict[str, Mapping[str, str]] = {"en": en.WORDS, "zh": zh.WORDS}


def words_of(language: str) -> Mapping[str, str]:
    """Return the wording in a language, by key.

    Raises
    ------
    UnknownNameError
        When there is no such language.
    """
    if language not in LANGUAGES:
        raise UnknownNameError("language", language, LANGUAGES)
    return LANGUAGES[language]
