"""The tree of exceptions.

Every message is one paragraph that says what was found, what was expected, where (file, row,
column, layer, epoch) and, where there is one, what to do about it. The command line prints it
as it stands.
"""

from __future__ import annotations

import difflib
import inspect
import reprlib
import warnings
from collections.abc import Iterable
from typing import Any

__all__ = [
    "ColumnError",
    "DataError",
    "DeltapropError",
    "DivergedWarning",
    "ForkError",
    "MemoryWarning",
    "MissingExtraError",
    "ModelFileError",
    "OutOfMemoryError",
    "OutputError",
    "SettingError",
    "ShapeError",
    "UnknownNameError",
    "nearest_name",
    "of",
    "shown",
    "warn_user",
]

_LIBRARIES = ("deltaprop.", "sklearn.", "joblib.", "contextlib", "functools")
_LONGEST_TYPED = 100  # characters
_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = 60
_shortened.maxlevel = 2


class DeltapropError(Exception):
    """Anything deltaprop refuses, with the reason as its message."""

    def __reduce__(self) -> tuple[Any, ...]:
        # A pool of processes waits for ever on an error whose copy cannot be made from its message.
        return _copied, (type(self), self.args)


def _copied(kind: type[DeltapropError], args: tuple[Any, ...]) -> DeltapropError:
    error = kind.__new__(kind, *args)
    error.args = args
    return error


class ShapeError(DeltapropError, ValueError):
    """Arrays whose shapes do not fit each other or the network."""


class SettingError(DeltapropError, ValueError):
    """A setting outside its range, or settings that contradict each other."""


class UnknownNameError(SettingError):
    """A name that no registry holds; the message offers the nearest one."""

    def __init__(
        self, kind: str, name: object, known: Iterable[str], near: str | None = None
    ) -> None:
        known = sorted(known)
        if near is None and isinstance(name, str):
            near = nearest_name(name, known)
        hint = f"Did you mean {near!r}? " if near else ""
        super().__init__(f"No {kind} is called {shown(name)}. {hint}Known: {', '.join(known)}.")


class DataError(DeltapropError, ValueError):
    """Values that cannot be learnt from: unreadable, empty, NaN, of the wrong kind."""


class ColumnError(DataError):
    """A column that is missing, doubled or of another kind than at training."""


class OutOfMemoryError(DataError, MemoryError):
    """There is not as much memory as this needs."""


class ModelFileError(DeltapropError):
    """A file that is not an intact deltaprop model of a version this one reads."""


class OutputError(DeltapropError, OSError):
    """A file that could not be written: no room, no permission, no such folder."""


class ForkError(DeltapropError, RuntimeError):
    """Work that a forked process cannot do, nor have done."""


class MissingExtraError(DeltapropError, ImportError):
    """An optional part is not installed; the message is the line that installs it."""

    def __init__(self, need: str, requirement: str) -> None:
        super().__init__(f'{need} is not installed. Install it with: pip install "{requirement}"')


class EngineWarning(UserWarning):
    """Another engine than the one asked for does the work, because that one cannot."""


class MemoryWarning(UserWarning):
    """What is being done may need more memory than there is."""


class CheckpointWarning(UserWarning):
    """A checkpoint cannot be used, or written, and the run goes on all the same."""


class DivergedWarning(UserWarning):
    """Training stopped because the loss or a gradient was no longer finite."""


class TargetWarning(UserWarning):
    """Targets that the outputs of a network can never reach."""


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn at the line that is the user's, however many calls of libraries lie between."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_LIBRARIES):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level + 1)


def shown(value: object) -> str:
    """Return ``repr(value)`` in one line for a message, shortened where it is long."""
    return " ".join(line.strip() for line in _shortened.repr(value).splitlines())


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the entry of ``known`` that ``name`` is most likely a misspelling of, or None.

    Only names that somebody can have typed are compared: the work grows with the square of their
    length.
    """
    if len(name) > _LONGEST_TYPED:
        return None
    by_folded = {entry.casefold(): entry for entry in known if len(entry) <= _LONGEST_TYPED}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def of(where: str) -> str:
    """Return `` of WHERE`` for a message, or nothing where no place is named."""
    return f" of {where}" if where else ""
