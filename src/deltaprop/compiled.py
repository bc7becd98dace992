"""The compiled part of deltaprop, loaded when it is first asked for; there may be none."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType

__all__ = ["compiled_part", "why_not_compiled"]

_failed: list[str] = []


@cache
def compiled_part() -> ModuleType | None:
    """Return the module of the kernels, or None where it cannot be loaded, as in a browser."""
    try:
        return import_module("deltaprop._native")
    except ImportError as error:
        _failed.append(str(error))
        return None


def why_not_compiled() -> str:
    """Return what Python said when there was no compiled part; nothing where there is one."""
    compiled_part()
    return _failed[0] if _failed else ""
