"""Options, and their words turned into settings."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from deltaprop.errors import SettingError, UnknownNameError

if TYPE_CHECKING:
    from deltaprop.table_models import Recipe

__all__ = [
    "EncodingOption",
    "LanguageOption",
    "MissingOption",
    "finite",
    "option",
    "parse_missing",
    "parse_scores",
    "parse_task",
    "recipe_of",
    "switch",
    "whole",
]


def _whole_number(text: str) -> int:
    """Return what an option that counts was given, or raise a usage error."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no whole number; write one like 20.") from None


def _finite_number(text: str) -> float:
    """Return what an option that measures was given, or raise a usage error."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise typer.BadParameter(f"{text!r} is no number; write one like 0.5 or 1e-3.")
    return number


def option(metavar: str, what: str, *flags: str, parser: Callable[[str], Any] | None = None) -> Any:
    """Return an option with a value, called as its parameter is unless there are ``flags``."""
    return typer.Option(*flags, metavar=metavar, help=what, parser=parser)


def whole(metavar: str, what: str, *flags: str) -> Any:
    """Return an option that counts."""
    return option(metavar, what, *flags, parser=_whole_number)


def finite(metavar: str, what: str, *flags: str) -> Any:
    """Return an option that measures."""
    return option(metavar, what, *flags, parser=_finite_number)


def switch(flag: str, what: str) -> Any:
    """Return an option without a value."""
    return typer.Option(flag, help=what)


EncodingOption: TypeAlias = Annotated[
    str | None,
    option("NAME", "Of text files, such as gbk or windows-1252; found out when left out."),
]
LanguageOption: TypeAlias = Annotated[
    str | None, option("LANG", "en or zh; that of the environment (LANG) when left out.")
]
MissingOption: TypeAlias = Annotated[
    str | None,
    option("W,W,...", "Words that stand for a missing value; '' for none but empty cells."),
]

_UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "": 1.0}
_TASKS = ("classification", "regression", "multilabel")


def parse_class_weight(text: str) -> str | dict[str, float]:
    """Return "balanced", or the weights of "NAME=W,...", by class; or raise SettingError."""
    if text.strip().lower() == "balanced":
        return "balanced"
    found = re.findall(r"\s*(.+?)\s*=\s*([-+.\deE]+)\s*(?:,|$)", text)
    weights = {}
    for name, weight in found:
        with suppress(ValueError):
            weights[name] = float(weight)
    if len(weights) < max(1, text.count("=")):
        raise SettingError(
            f"The class weights are {text!r}; write them like yes=5,no=1 (or balanced)."
        )
    return weights


def recipe_of(given: Mapping[str, Any], **further: Any) -> Recipe:
    """Return the recipe of a command's parameters, those that are called as its settings are."""
    from deltaprop.table_models.recipe import Recipe

    read: dict[str, Callable[[str], Any]] = {
        "hidden": parse_widths,
        "loss": _underscored,
        "metric": _underscored,
        "class_weight": parse_class_weight,
        "time_budget": parse_duration,
    }
    names = [item.name for item in fields(Recipe) if given.get(item.name) is not None]
    settings = {n: read[n](given[n]) if n in read else given[n] for n in names}
    return Recipe(**settings, **further)


def _underscored(name: str) -> str:
    return name.replace("-", "_")


def parse_task(text: str | None) -> str | None:
    """Return the task, or raise UnknownNameError."""
    if text is not None and text not in _TASKS:
        raise UnknownNameError("task", text, _TASKS)
    return text


def parse_duration(text: str) -> float:
    """Return the seconds of "30s", "500ms", "2m", "1.5h" or "30"; or raise SettingError."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", text.lower())
    if found is None or found[2] not in _UNITS or float(found[1]) <= 0:
        raise SettingError(f"The time budget is {text!r}; write it like 30s, 5m or 1h.")
    return float(found[1]) * _UNITS[found[2]]


def parse_missing(text: str | None) -> tuple[str, ...] | None:
    """Return the words of "NA,-999" ("a,b" in double quotes is one); None where none were given."""
    if text is None:
        return None
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise SettingError(f"--missing is {text!r} ({error}); write words like NA,-999.") from None
    return tuple(word.strip() for word in rows[0] if word.strip()) if rows else ()


def parse_widths(text: str) -> tuple[int, ...]:
    """Return the widths of "64,32", none of "none"; or raise SettingError."""
    if text.strip().lower() in ("", "none", "0"):
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part[:9]) > 0 for part in parts):
        raise SettingError(
            f"The hidden layers are {text!r}; write their widths like 64,32 (or none)."
        )
    if any(len(part) > 7 for part in parts):
        raise SettingError(f"The hidden layers are {text!r}; no width may exceed 9,999,999.")
    return tuple(int(part) for part in parts)


def parse_scores(text: str) -> tuple[float, ...]:
    """Return the numbers of "2,1,0.1", or raise SettingError."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise SettingError(f"The scores are {text!r}; write numbers like 2,1,0.1.") from None
