"""What the package says, in the language of whoever reads it.

The sentences stand in the code, in English: that is what the library says, in its exceptions, too.
The command line says them in the reader's language: ``told`` looks a finished sentence up in a
catalogue of templates, and fills its Chinese with what the sentence was filled with.
"""

from __future__ import annotations

from deltaprop.languages.catalogue import catalogue_of

__all__ = ["LANGUAGES", "choose", "current_language", "told"]

LANGUAGES = ("en", "zh")

_chosen = "en"


def choose(language: str) -> None:
    """Say from now on everything in this language, "en" or "zh"."""
    global _chosen
    _chosen = language


def current_language() -> str:
    """Return the language that was chosen; English where nobody did."""
    return _chosen


def told(text: str, language: str | None = None) -> str:
    """Return a sentence in a language; the chosen one if left out.

    A sentence that is not in the catalogue is returned as it is, whole.
    """
    language = language or _chosen
    if language == "en":
        return text
    return catalogue_of(language).said(text) or text
