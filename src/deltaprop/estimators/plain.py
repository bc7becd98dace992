"""Settings and attributes of an MLP estimator <-> plain data for JSON, kind by kind."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, shown
from deltaprop.model.stored import Stored
from deltaprop.training.optimizers import OPTIMIZERS, optimizer_from_dict, optimizer_to_dict
from deltaprop.training.schedules import SCHEDULES, schedule_from_dict, schedule_to_dict

__all__ = ["KEY", "array_from_dict", "array_to_dict", "is_plain", "plain", "revived"]

KEY = "estimator"  # of what a file knows of an estimator, beside its table

_DTYPE = re.compile(r"object|[<>|=]?[biuf][1248]|[<>|=]?U[0-9]{1,6}|[<>|=]?f16")
_LARGEST_ARRAY = 1 << 26  # bytes, where what stands in it takes less
_ENTRIES: dict[str, tuple[type, ...]] = {
    "b": (bool,), "i": (int,), "u": (int,), "f": (int, float), "U": (str,),
    "O": (bool, int, float, str),
}  # fmt: skip


def is_plain(value: Any) -> bool:
    """Return whether a value can be written down: functions and generators cannot."""
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    if isinstance(value, Mapping):
        return all(is_plain(key) and is_plain(value[key]) for key in value)
    if type(value) in (*OPTIMIZERS.values(), *SCHEDULES.values()):
        rate = getattr(value, "learning_rate", getattr(value, "then", None))
        return not callable(rate) or (type(rate) in SCHEDULES.values() and is_plain(rate))
    kinds = (bool, int, float, str, np.bool_, np.integer, np.floating, np.ndarray, os.PathLike)
    return value is None or isinstance(value, kinds)


def plain(value: Any) -> Any:
    """Return a value as plain data for JSON, from which ``revived`` makes the same again."""
    if isinstance(value, np.ndarray):
        return [plain(entry) for entry in value.tolist()]
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        return plain(value.item())
    if isinstance(value, float) and not isfinite(value):
        return {"float": str(value)}
    if isinstance(value, tuple):
        return {"tuple": [plain(entry) for entry in value]}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {"pairs": [[plain(key), plain(value[key])] for key in value]}
    if type(value) in OPTIMIZERS.values():
        return {"optimizer": optimizer_to_dict(value)}
    if type(value) in SCHEDULES.values():
        return {"schedule": schedule_to_dict(value)}
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def revived(value: object) -> Any:
    """Return what ``plain`` wrote down; raise DataError or SettingError for anything else."""
    stored = Stored({"value": value}, "setting")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return stored.text("value")
    if isinstance(value, int):
        return stored.of_type("value", value, int)
    if isinstance(value, float):
        return stored.number("value")
    if isinstance(value, list):
        return [revived(entry) for entry in value]
    if not isinstance(value, dict) or len(value) != 1:
        raise DataError(f"it holds {shown(value)}, which is no value of a setting")
    ((kind, content),) = value.items()
    readers: dict[str, Callable[[object], Any]] = {
        "float": _number, "tuple": lambda entries: tuple(_entries(entries)), "pairs": _mapping,
        "optimizer": optimizer_from_dict, "schedule": schedule_from_dict,
    }  # fmt: skip
    if kind not in readers:
        raise DataError(f"it holds {shown(kind)}, which is not known here")
    return readers[kind](content)


def _number(content: object) -> float:
    return float(Stored({"float": content}, "setting").text("float", ("inf", "-inf", "nan")))


def _entries(content: object) -> list[Any]:
    if not isinstance(content, list):
        raise DataError(f"it holds {shown(content)} for a list")
    return [revived(entry) for entry in content]


def _mapping(content: object) -> dict[Any, Any]:
    found = {}
    for pair in _entries(content):
        if not isinstance(pair, list) or len(pair) != 2 or isinstance(pair[0], (list, dict)):
            raise DataError(f"it holds {shown(pair)} for a key and its value")
        found[pair[0]] = pair[1]
    return found


def array_to_dict(array: npt.NDArray[Any]) -> dict[str, Any]:
    """Return a small array of classes or names, with its type, as plain data."""
    dtype = "object" if array.dtype == object else array.dtype.str
    return {"dtype": dtype, "values": [plain(entry) for entry in array.tolist()]}


def array_from_dict(place: str, data: object) -> npt.NDArray[Any]:
    """Return the array that ``array_to_dict`` described; ``place`` names it in messages.

    Raise DataError when its entries are not of its type, or are no classes and names.
    """
    stored = Stored(data, place)
    name = stored.text("dtype")
    if not _DTYPE.fullmatch(name):
        stored.refuse("dtype", name, "a type of numbers or text")
    dtype = np.dtype(name)
    values = _entries(stored.get("values"))
    for entry in values:
        if type(entry) not in _ENTRIES[dtype.kind]:
            stored.refuse("an entry", entry, f"one of type {dtype}")
    if dtype.itemsize * len(values) > max(_LARGEST_ARRAY, 8 * sum(map(len, map(str, values)))):
        stored.refuse("dtype", name, f"one that suits {len(values)} values")
    try:
        array: npt.NDArray[Any] = np.array(values, dtype=dtype)
    except OverflowError:
        stored.refuse("values", values, f"numbers of type {dtype}")
    if array.tolist() != values:
        stored.refuse("values", values, f"values of type {dtype}")
    return array
