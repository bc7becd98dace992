"""Numbers as text, on a command line or in a file: "1,0.5", "1/3", rows parted by ";"."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from deltaprop.characters import plain_digits
from deltaprop.errors import SettingError, shown
from deltaprop.notation.digits import ABSENT

__all__ = ["cell_of", "only_one", "rows_of", "text_of"]

_NONE = ("null", "none", ABSENT)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)


def rows_of(value: object, name: str, *, may_lack: bool = False) -> list[list[Any]]:
    """Return numbers as rows, from text such as "1,1" or "1 0; 0 1", or from any array.

    ``may_lack`` is whether null, or None, may stand in the place of a number: a missing bias.

    Raises
    ------
    SettingError
        When it is something else; ``name`` is what the message calls it.
    """
    if isinstance(value, str):
        text = plain_digits(value).strip().strip("[]")
        cells = [re.split(r"[,\s]+", row.strip(" ,[]")) for row in text.strip(";").split(";")]
        rows = [
            [None if may_lack and cell.casefold() in _NONE else _number(cell, name, value)
             for cell in row]
            for row in cells
        ]  # fmt: skip
    elif may_lack and (value is None or (isinstance(value, list | tuple) and None in value)):
        several = [value] if value is None else value
        rows = [[None if each is None else only_one(rows_of(each, name), name) for each in several]]
    else:
        array = np.asarray(value)
        kind = array.dtype.kind
        if kind not in "iuf" or array.ndim > 2 or not array.size or not np.isfinite(array).all():
            raise SettingError(f"{name} is {shown(value)}; expected finite numbers, or rows.")
        rows = np.atleast_2d(array).tolist()
    if len({len(row) for row in rows}) > 1:
        raise SettingError(f"{name} is {shown(value)}: its rows differ in length.")
    return rows


def cell_of(text: str) -> float | None:
    """Return a single number: 0.5, 1/3, or 0,5 with a decimal comma; None where it is none."""
    plain = re.sub(r"\s*/\s*", "/", plain_digits(text).replace("−", "-").strip())
    return _read(re.sub(r"^([-+]?\d+),(\d+)$", r"\1.\2", plain))


def _read(cell: str) -> float | None:
    above, slash, below = cell.partition("/")
    parts = [above, below] if slash else [above]
    if all(_NUMBER.fullmatch(part) for part in parts):
        numbers = [float(part) for part in parts]
        if not slash:
            whole = re.fullmatch(r"[-+]?\d{1,15}", cell)
            if math.isfinite(numbers[0]):
                return int(cell) if whole else numbers[0]
        elif numbers[1] and math.isfinite(numbers[0] / numbers[1]):
            return numbers[0] / numbers[1]
    return None


def _number(cell: str, name: str, text: str) -> float:
    number = _read(cell)
    if number is not None:
        return number
    raise SettingError(
        f"{name} is {shown(text)}; write numbers like 0.5 or 1/3, several like 1,0.5, and rows "
        'parted by a semicolon: "1,0; 0,1".'
    )


def only_one(given: list[list[Any]], name: str) -> Any:
    """Return the only number; raise SettingError where there are several."""
    if len(given) == 1 and len(given[0]) == 1:
        return given[0][0]
    count = sum(map(len, given))
    raise SettingError(f"{name} is a single number; {count} were given.")


def text_of(rows: list[list[Any]]) -> str:
    """Return numbers as they are written: "1, 0.5; 0, 1"; "–" where there is none."""
    return "; ".join(", ".join(map(_text, row)) for row in rows)


def _text(number: float | None) -> str:
    if number is None:
        return ABSENT
    return f"{number:g}" if float(f"{number:g}") == number else str(number)
