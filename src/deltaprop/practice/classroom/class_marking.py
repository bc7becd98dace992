"""ClassMarking: the papers of a class, marked, and which mistakes are made in them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from deltaprop.characters import escaped
from deltaprop.errors import OutputError
from deltaprop.model.files import write_atomically
from deltaprop.practice.classroom.papers import Paper, page_names, read_papers
from deltaprop.practice.wording import slip_described, wording_of

__all__ = ["ClassMarking", "mark_class"]

_GENERATOR = b'<meta name="generator" content="deltaprop'
_HEAD = 4096  # bytes of a page in which that stands


@dataclass(frozen=True)
class ClassMarking:
    """The marked papers of a class.

    Attributes
    ----------
    folder : str
        Where they lie.
    papers : tuple of Paper
        By name; those that cannot be read carry the reason.
    language : str
        Of the words: "en" or "zh".
    """

    folder: str
    papers: tuple[Paper, ...]
    language: str = "en"

    @property
    def status(self) -> int:
        """Return 0 when all papers are right, 1 when one is not, 2 when one is unreadable."""
        return max(paper.status for paper in self.papers)

    @cached_property
    def mistakes(self) -> Mapping[str, tuple[Paper, ...]]:
        """Return by mistake the papers in which it is made, the commonest mistake first."""
        found: dict[str, list[Paper]] = {}
        for paper in self.papers:
            for name in () if paper.marking is None else paper.marking.mistakes:
                found.setdefault(name, []).append(paper)
        ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
        return {name: tuple(papers) for name, papers in ranked}

    def to_terminal(self, *, width: int = 80) -> str:
        """Return two tables of at most ``width`` columns: the mistakes, and the papers."""
        from deltaprop.practice.classroom.terminal import render

        return render(self, width)

    def pages(self) -> dict[str, str]:
        """Return a page of feedback for each paper, by its file name; nothing of another's."""
        from deltaprop.practice.classroom.page import feedback_page

        names = page_names(self.papers)
        return {
            name: feedback_page(paper, self.language)
            for name, paper in zip(names, self.papers, strict=True)
        }

    def write_pages(self, folder: str | os.PathLike[str]) -> tuple[Path, ...]:
        """Write a page of feedback for each paper into a folder, made if it is not there.

        Raises
        ------
        OutputError
            When it cannot be written, or another file than such a page would be written over.
        """
        target = Path(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{escaped(os.fspath(folder))} cannot be made a folder: "
                f"{error.strerror or error}. Choose another one."
            ) from None
        pages = {target / name: text for name, text in self.pages().items()}
        for path in pages:
            _refuse_to_lose(path)
        for path, text in pages.items():
            write_atomically(path, text.encode("utf-8"))
        return tuple(pages)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, fit for JSON."""
        names = page_names(self.papers)
        return {
            "format": "deltaprop-class/1",
            "folder": escaped(self.folder),
            "status": self.status,
            "counts": self.counts,
            "mistakes": [
                {
                    "mistake": name,
                    "description": slip_described(name, self.language),
                    "count": len(papers),
                    "papers": [paper.name for paper in papers],
                }
                for name, papers in self.mistakes.items()
            ],
            "papers": [
                {
                    "paper": paper.name,
                    "page": page,
                    "reason": paper.reason or None,
                    "notes": list(paper.notes),
                    "marking": None if paper.marking is None else paper.marking.to_dict(),
                }
                for paper, page in zip(self.papers, names, strict=True)
            ],
        }

    @property
    def counts(self) -> dict[str, int]:
        """Return how many papers are all right, have something wrong, and are unreadable."""
        found = [paper.status for paper in self.papers]
        return {key: found.count(n) for n, key in enumerate(("right", "wrong", "unreadable"))}

    def __str__(self) -> str:
        return self.to_terminal()


def mark_class(folder: str | os.PathLike[str], language: str = "en") -> ClassMarking:
    """Mark the papers of a class: a worked example with claims each, JSON or YAML.

    Parameters
    ----------
    folder : str or path
        That holds them, in folders of their own or not.
    language : {"en", "zh"}
        Of what is said about them.

    Returns
    -------
    ClassMarking
        Read it with ``print``, or write a page of feedback for each with ``write_pages``.

    Raises
    ------
    DataError
        When there is no such folder, or no file in it.
    UnknownNameError
        When there is no such language.
    """
    wording_of(language)
    return ClassMarking(os.fspath(folder), read_papers(folder, language), language)


def _refuse_to_lose(path: Path) -> None:
    """Raise OutputError where something stands that is no page of deltaprop's."""
    if not os.path.lexists(path):
        return
    try:
        with path.open("rb") as file:
            is_ours = path.is_file() and _GENERATOR in file.read(_HEAD)
    except OSError:
        is_ours = False
    if not is_ours:
        raise OutputError(
            f"{escaped(os.fspath(path))} is there already and is no page of feedback; nothing "
            "was written. Choose another folder, or move that file away."
        )
