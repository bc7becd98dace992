"""In which language a command speaks: as its --language says, else as the environment does."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from deltaprop.cli.show import remark
from deltaprop.errors import UnknownNameError
from deltaprop.languages import LANGUAGES, choose, current_language

__all__ = ["choose_language", "language_of", "wanted_by"]

_OPTION = "--language"


def choose_language(words: Sequence[str]) -> None:
    """Speak as is asked for among what was typed, or as the environment asks.

    Raises
    ------
    UnknownNameError
        When what is asked for is no language that is known here; said in that of the environment.
    """
    asked = _asked_for(words)
    writable = all(map(_writes_chinese, (sys.stdout, sys.stderr)))
    choose(wanted_by(os.environ) if writable else "en")
    if asked is None:
        return
    if asked not in LANGUAGES:
        raise UnknownNameError("language", asked, LANGUAGES)
    if asked == "zh" and not writable:
        remark(
            f"This terminal writes {sys.stdout.encoding}, which has no Chinese: messages are in "
            "English. PYTHONIOENCODING=utf-8 has all written in UTF-8."
        )
    else:
        choose(asked)


def language_of(asked: str | None, *, machine: bool = False) -> str:
    """Return the language of what a command writes: as asked for, else as the command speaks.

    What programs read (``machine``) does not depend on the environment.
    """
    return asked or ("en" if machine else current_language())


def wanted_by(environment: Mapping[str, str]) -> str:
    """Return the first language known here that LANGUAGE and the locale name; else English.

    As in gettext: LC_ALL comes before LC_MESSAGES and LANG, and a locale that is "C" is English,
    whatever LANGUAGE says.
    """
    named = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, named), "")
    if re.fullmatch(r"(C|POSIX)(\..*)?", locale):
        return "en"
    for wanted in (*environment.get("LANGUAGE", "").split(":"), locale):
        language = re.split(r"[_.@-]", wanted)[0].lower()
        if language in LANGUAGES:
            return language
    return "en"


def _asked_for(words: Sequence[str]) -> str | None:
    """Return what --language was given last; None where it was not."""
    asked = None
    for place, word in enumerate(words, start=1):
        if word == _OPTION:
            asked = words[place] if place < len(words) else None
        elif word.startswith(f"{_OPTION}="):
            asked = word.partition("=")[2]
    return asked


def _writes_chinese(stream: TextIO | None) -> bool:
    try:
        "中文，“”".encode(getattr(stream, "encoding", None) or "utf-8")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
