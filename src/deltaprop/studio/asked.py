"""What a page asks with, taken apart: numbers, lists and arrays, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError
from deltaprop.studio.frames import Arrays

__all__ = ["floats", "listed", "number", "whole"]


def floats(arrays: Arrays, name: str) -> npt.NDArray[np.float64]:
    """Return an array that must be there."""
    if name not in arrays:
        raise DataError(f"The question lacks its array {name!r}.")
    return np.asarray(arrays[name], dtype=np.float64)


def listed(asked: Mapping[str, Any], name: str) -> list[Any]:
    """Return a list that must be there."""
    found = asked.get(name)
    if not isinstance(found, list):
        raise DataError(f"The question lacks its list {name!r}.")
    return found


def number(asked: Mapping[str, Any], name: str) -> float:
    """Return a number that must be there."""
    found = asked.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise DataError(f"The question lacks its number {name!r}.")
    return float(found)


def whole(asked: Mapping[str, Any], name: str, least: int = 0) -> int:
    """Return a whole number that must be there."""
    found = asked.get(name)
    if isinstance(found, bool) or not isinstance(found, int) or not least <= found < 2**53:
        raise DataError(f"{name} is {found!r}; it is a whole number of at least {least}.")
    return found
