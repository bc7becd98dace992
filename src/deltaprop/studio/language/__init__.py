"""What the studio's page says, in English and Chinese."""

from collections.abc import Mapping

from deltaprop.notation.languages import wording_in
from deltaprop.studio.language import (
    en,
    en_mend,
    en_practise,
    en_sets,
    en_settings,
    en_tables,
    en_tour,
    zh,
    zh_mend,
    zh_practise,
    zh_sets,
    zh_settings,
    zh_tables,
    zh_tour,
)

__all__ = ["wording"]

_WORDINGS = {
    "en": en.WORDS
    | en_sets.WORDS
    | en_settings.WORDS
    | en_practise.WORDS
    | en_mend.WORDS
    | en_tour.WORDS
    | en_tables.WORDS,
    "zh": zh.WORDS
    | zh_sets.WORDS
    | zh_settings.WORDS
    | zh_practise.WORDS
    | zh_mend.WORDS
    | zh_tour.WORDS
    | zh_tables.WORDS,
}


def wording(language: str) -> Mapping[str, str]:
    """Return the words of a language, or refuse one that there is none of."""
    return wording_in(language, _WORDINGS)
