"""What the studio's page says, in English and Chinese."""

from collections.abc import Mapping

from deltaprop.notation.languages import wording_in
from deltaprop.studio.language import en, zh

__all__ = ["wording"]


def wording(language: str) -> Mapping[str, str]:
    """Return the words of a language, or refuse one that there is none of."""
    return wording_in(language, {"en": en.WORDS, "zh": zh.WORDS})
