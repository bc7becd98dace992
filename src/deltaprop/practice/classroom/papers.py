"""A class's papers: one file each, marked, or with the reason why it cannot be."""

from __future__ import annotations

import hashlib
import os
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deltaprop.characters import escaped
from deltaprop.errors import DataError, DeltapropError
from deltaprop.explaining.examples import WorkedExample, read_worked_example
from deltaprop.languages import told
from deltaprop.practice.marking.mark import Marking, mark
from deltaprop.practice.wording import wording_of

__all__ = ["Paper", "page_names", "read_papers"]

_SUFFIXES = (".json", ".yaml", ".yml")
_NOT_PAPERS = ("__MACOSX", "Thumbs.db", "desktop.ini")  # what systems leave in folders
_LONGEST_NAME = 150  # bytes of a page's name without its ending; file systems take 255
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(10)}


@dataclass(frozen=True)
class Paper:
    """One paper.

    Attributes
    ----------
    path : Path
        Where it lies, below the folder of the class.
    worked : WorkedExample or None
        The step and the numbers claimed; None when it cannot be marked.
    marking : Marking or None
        The verdicts; None when it cannot be marked.
    reason : str
        Why it cannot be marked; empty when it can.
    notes : tuple of str
        What is worth knowing about the step, in English: targets that no output reaches, ...
    """

    path: Path
    worked: WorkedExample | None = None
    marking: Marking | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return what it is called: its path, control characters written out."""
        return escaped(self.path.as_posix())

    @property
    def status(self) -> int:
        """Return 0 when all of it is right, 1 when something is wrong, 2 when it is unreadable."""
        return 2 if self.marking is None else 0 if self.marking.ok else 1


def read_papers(folder: str | os.PathLike[str], language: str = "en") -> tuple[Paper, ...]:
    """Return the papers in a folder and in those below it, by name; hidden files are none.

    Raises
    ------
    DataError
        When there is no such folder, or no paper in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DataError(
            f"{escaped(os.fspath(folder))} is no folder; expected one that holds a class's "
            "papers: a worked example with claims each, JSON or YAML."
        )
    papers = tuple(_read(root, path, language) for path in sorted(_files(root), key=_order))
    if not papers:
        raise DataError(
            f"{escaped(os.fspath(folder))} holds no file; expected a class's papers: a worked "
            "example with claims each, JSON or YAML."
        )
    return papers


def _order(path: Path) -> tuple[str, str]:
    return path.as_posix().casefold(), path.as_posix()


def _files(root: Path) -> Iterator[Path]:
    """Yield the files below a folder, and the folders that cannot be looked into."""
    closed: list[OSError] = []
    for where, folders, files in os.walk(root, onerror=closed.append):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        for name in files:
            if not _is_hidden(name):
                yield (Path(where) / name).relative_to(root)
    for error in closed:
        path = Path(os.fspath(error.filename))
        if path == root:
            reason = error.strerror or str(error)
            raise DataError(f"{escaped(os.fspath(root))} cannot be looked into: {reason}.")
        yield path.relative_to(root)


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~$")) or name in _NOT_PAPERS


def _read(root: Path, path: Path, language: str) -> Paper:
    words, where = wording_of(language), root / path
    if where.is_dir():
        return Paper(path, reason=words["class closed folder"])
    if path.suffix.lower() not in _SUFFIXES:
        return Paper(path, reason=words["class no worked example"])
    if not where.is_file():
        return Paper(path, reason=words["class no file"])
    try:
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            worked = read_worked_example(where)
            if worked.title == os.fspath(where):  # it has none of its own
                worked = replace(worked, title=escaped(path.name))
            marking = mark(worked)
    except DeltapropError as error:
        # whoever gets the page need not know where the class's papers lie
        reason = str(error).replace(os.fspath(where), path.name)
        return Paper(path, reason=escaped(told(reason, language)))
    except RecursionError:
        return Paper(path, reason=words["class nested"])
    ours = [
        told(str(one.message), language)
        for one in raised
        if one.category.__module__ == DeltapropError.__module__
    ]
    return Paper(path, worked, marking, notes=tuple(dict.fromkeys(map(escaped, ours))))


def page_names(papers: Sequence[Paper]) -> tuple[str, ...]:
    """Return a name for the page of each paper that every file system takes, no two alike.

    It is the paper's own, as far as it can be; where two would be alike, or differ in capitals
    only, a few digits made from the path are added to both.
    """
    plain = [_plain(paper.path) for paper in papers]
    counts = Counter(name.casefold() for name in plain)
    return tuple(
        f"{name}{_digits(paper.path) if counts[name.casefold()] > 1 else ''}.html"
        for name, paper in zip(plain, papers, strict=True)
    )


def _plain(path: Path) -> str:
    """Return a path without its suffix as one word of letters, digits, "-", "." and "_"."""
    text = unicodedata.normalize("NFC", path.parent.joinpath(path.stem).as_posix()).replace(
        "/", "-"
    )
    text = "".join(c if c.isalnum() or c in "-._" else "_" for c in text).strip("._-")
    text = text.encode("utf-8", "replace")[:_LONGEST_NAME].decode("utf-8", "ignore")
    # whatever stands before the first point is a device's name to Windows
    return f"_{text}" if not text or text.partition(".")[0].casefold() in _DEVICES else text


def _digits(path: Path) -> str:
    return "-" + hashlib.sha256(os.fsencode(path.as_posix())).hexdigest()[:8]
