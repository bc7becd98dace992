"""The languages that explanations, exercises and reports are written in."""

from __future__ import annotations

from collections.abc import Mapping

from deltaprop.errors import UnknownNameError

__all__ = ["wording_in"]


def wording_in(language: str, wordings: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """Return the wording in a language, by key; raise UnknownNameError where there is none."""
    if language not in wordings:
        raise UnknownNameError("language", language, wordings)
    return wordings[language]
