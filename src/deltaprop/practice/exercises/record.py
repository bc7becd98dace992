"""What somebody has practised, and which mistakes were made: a file of his own, on his machine."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from deltaprop.characters import escaped
from deltaprop.errors import DataError, OutputError, SettingError, UnknownNameError
from deltaprop.model.files import write_atomically
from deltaprop.practice.wording import slip_named, wording_of
from deltaprop.widths import table_lines, wrap

__all__ = ["Done", "Record", "opened", "record_path", "today"]

_FORMAT = "deltaprop-practice-record/1"
_MOST = 2000  # exercises; the oldest are let go
_LARGEST = 5_000_000  # bytes of a file that can be one
_LATELY = 10  # exercises


def record_path() -> Path:
    """Return where the record lies when nobody says otherwise: the user's data folder.

    Raises
    ------
    SettingError
        When nobody knows where that is.
    """
    named = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_DATA_HOME", "")
    if sys.platform != "darwin" and Path(named).is_absolute():  # XDG: others are to be ignored
        return Path(named) / "deltaprop" / "practice.json"
    try:
        home = Path.home()
    except RuntimeError:
        raise SettingError(
            "There is no home folder to keep the record of your practice in. Name a file with "
            "--record FILE, or do one exercise with --once."
        ) from None
    below = {"win32": ("AppData", "Local"), "darwin": ("Library", "Application Support")}
    return home.joinpath(
        *below.get(sys.platform, (".local", "share")), "deltaprop", "practice.json"
    )


@dataclass(frozen=True)
class Done:
    """One exercise that was done.

    Attributes
    ----------
    day : str
        When: "2026-11-30".
    kind : str
        What was to be done: a key of ``KINDS``.
    level, seed : int
        Which exercise.
    asked, right, first, hints : int
        As in ``Score``.
    mistakes : dict of str to int
        How often each mistake was made.
    """

    day: str
    kind: str
    level: int
    seed: int
    asked: int
    right: int
    first: int
    hints: int
    mistakes: Mapping[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Return whether every number was right."""
        return self.right == self.asked

    @classmethod
    def read(cls, value: Any) -> Done:
        """Return what a file says; raise ValueError where it cannot be."""
        given = {name: value[name] for name in cls.__dataclass_fields__}
        date.fromisoformat(given["day"])
        numbers = [given[n] for n in ("level", "seed", "asked", "right", "first", "hints")]
        if not isinstance(given["kind"], str) or not isinstance(given["mistakes"], dict):
            raise ValueError("kind or mistakes")
        if not all(type(n) is int and n >= 0 for n in (*numbers, *given["mistakes"].values())):
            raise ValueError("numbers")
        return cls(**given)


@dataclass
class Record:
    """What somebody has practised.

    Attributes
    ----------
    path : Path
        Where it is kept.
    done : list of Done
        The exercises, the latest last.
    is_kept : bool
        Whether it is written at all: not over a damaged file that could not be set aside.
    """

    path: Path
    done: list[Done] = field(default_factory=list)
    is_kept: bool = True

    @classmethod
    def load(cls, path: Path) -> Record:
        """Read a record; an empty one where there is none yet.

        Raises
        ------
        DataError
            When it cannot be read.
        """
        try:
            if path.stat().st_size > _LARGEST:
                raise ValueError("it is too large")
            facts = json.loads(path.read_text(encoding="utf-8"))
            if facts["format"] != _FORMAT:
                raise ValueError("it has another format")
            return cls(path, [Done.read(one) for one in facts["exercises"]])
        except FileNotFoundError:
            return cls(path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataError(f"{path} cannot be read: {reason}.") from None
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise DataError(f"{path} is no intact record of practice.") from None

    def add(self, done: Done) -> None:
        """Add an exercise and write the record; what another terminal has added meanwhile stays.

        Raises
        ------
        DataError, OutputError
            When the file has been damaged meanwhile, or cannot be written.
        """
        if not self.is_kept:
            self.done.append(done)
            return
        self.done = [*Record.load(self.path).done, done][-_MOST:]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(f"{self.path} could not be written: {reason}.") from None
        write_atomically(self.path, json.dumps(self.to_dict(), indent=1).encode())

    def set_aside(self) -> Path | None:
        """Give a damaged file another name, so that nothing is lost; return it, None if refused."""
        for number in range(1, 1000):
            aside = self.path.with_name(f"{self.path.name}.damaged{number}")
            if not os.path.lexists(aside):
                with suppress(OSError):
                    self.path.rename(aside)
                    return aside
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, as the file has it."""
        return {"format": _FORMAT, "exercises": [asdict(one) for one in self.done]}

    def summary(self, language: str, width: int = 80) -> str:
        """Return how it went and which mistakes were made, the commonest first."""
        words = wording_of(language)
        if not self.done:
            return "\n".join(wrap(words["record empty"], width))
        lately = self.done[-_LATELY:]
        facts = {
            "count": len(self.done),
            "since": self.done[0].day,
            "asked": sum(one.asked for one in self.done),
            "first": sum(one.first for one in self.done),
            "lately": _share(lately, language),
            "few": len(lately),
        }
        lines = wrap(words["record"].format(**facts), width)
        rows = self._rows(lately, language)
        if rows:
            header = [words[f"record {key}"] for key in ("mistake", "times", "lately", "last")]
            header[2] = header[2].format(few=len(lately))
            lines += ["", *table_lines(header, rows, width, right=(1, 2))]
        return "\n".join(lines)

    def _rows(self, lately: list[Done], language: str) -> list[list[str]]:
        times = Counter[str]()
        for one in self.done:
            times.update(one.mistakes)
        rows = []
        for name in sorted(+times, key=lambda n: (-times[n], n)):
            recent = sum(one.mistakes.get(name, 0) for one in lately)
            last = next(one.day for one in reversed(self.done) if one.mistakes.get(name))
            rows.append([_named(name, language), str(times[name]), str(recent), last])
        return rows


def _named(name: str, language: str) -> str:
    """Return what a mistake is; its name alone where another version knew it."""
    try:
        return slip_named(name, language)
    except UnknownNameError:
        return escaped(name)


def _share(done: list[Done], language: str) -> str:
    asked = sum(one.asked for one in done)
    share = 100 * sum(one.first for one in done) / asked if asked else None
    return "–" if share is None else wording_of(language)["record share"].format(share=share)


def opened(path: Path, tell: Callable[[str], None], language: str) -> Record:
    """Return the record in a file; a damaged one is set aside, which is told in a sentence."""
    try:
        return Record.load(path)
    except DataError as error:
        record = Record(path)
        aside = record.set_aside()
        record.is_kept = aside is not None
        key = "record aside" if aside else "record not kept"
        tell(wording_of(language)[key].format(error=error, aside=aside))
        return record


def today() -> str:
    """Return the day, as the record notes it."""
    return datetime.now(UTC).astimezone().date().isoformat()
