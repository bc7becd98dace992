"""How an explanation is written down: the settings that every renderer shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.explaining.language import words_of
from deltaprop.notation.digits import ALL_DIGITS
from deltaprop.notation.naming import NOTATIONS

__all__ = ["DETAILS", "Style", "StyleSettings"]

DETAILS = ("overview", "layers", "neurons")


class StyleSettings(TypedDict, total=False):
    """The fields of ``Style`` as keyword arguments."""

    detail: str | None
    digits: int
    language: str
    notation: str | None


@dataclass(frozen=True)
class Style:
    """How an explanation is written down.

    Attributes
    ----------
    detail : {"overview", "layers", "neurons"}, optional
        One altitude; all that fit when left out.
    digits : int
        Significant digits; a line whose rounding would break it shows more.
    language : {"en", "zh"}
        Of the words.
    notation : {"standard", "tutorial"}, optional
        A key of ``NOTATIONS``; left out, the one of the example, and else the library's own.

    Raises
    ------
    SettingError
        When one of them is unknown.
    """

    detail: str | None = None
    digits: int = 6
    language: str = "en"
    notation: str | None = None

    def __post_init__(self) -> None:
        if self.detail is not None and self.detail not in DETAILS:
            raise UnknownNameError("detail", self.detail, DETAILS)
        if self.notation is not None and self.notation not in NOTATIONS:
            raise UnknownNameError("notation", self.notation, NOTATIONS)
        if type(self.digits) is not int or not 1 <= self.digits <= ALL_DIGITS:
            raise SettingError(f"digits is {self.digits!r}; it is from 1 to {ALL_DIGITS}.")
        words_of(self.language)
