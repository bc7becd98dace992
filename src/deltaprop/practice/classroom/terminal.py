"""A marked class as text for a terminal: the mistakes, the commonest first, and the papers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deltaprop.characters import escaped
from deltaprop.practice.classroom.papers import Paper
from deltaprop.practice.wording import slip_named, wording_of
from deltaprop.widths import table_lines, wrap

if TYPE_CHECKING:
    from deltaprop.practice.classroom.class_marking import ClassMarking

__all__ = ["render"]


def render(marked: ClassMarking, width: int) -> str:
    """Return what there is to know, in lines of at most ``width`` columns."""
    words, width = wording_of(marked.language), max(width, 40)
    heading = words["class heading"].format(
        folder=escaped(marked.folder), count=len(marked.papers), **marked.counts
    )
    lines = wrap(heading, width)
    if marked.mistakes:
        header = [words[f"class {key}"] for key in ("mistake", "count", "which")]
        rows = [
            [slip_named(name, marked.language), str(len(papers)), _listed(papers)]
            for name, papers in marked.mistakes.items()
        ]
        lines += ["", *table_lines(header, rows, width, right=(1,))]
    header = [words[f"class {key}"] for key in ("paper", "numbers right", "verdict")]
    rows = [[paper.name, *_result(paper, marked.language)] for paper in marked.papers]
    lines += ["", *table_lines(header, rows, width, right=(1,))]
    return "\n".join(lines) + "\n"


def _listed(papers: Sequence[Paper]) -> str:
    return ", ".join(paper.name for paper in papers)


def _result(paper: Paper, language: str) -> list[str]:
    """Return how many numbers of a paper are right, and which mistakes are made in it."""
    words = wording_of(language)
    if paper.marking is None:
        return ["", words["class unreadable"].format(reason=paper.reason)]
    n_right = sum(mark.ok for mark in paper.marking.marks)
    return [
        f"{n_right}/{len(paper.marking.marks)}",
        ", ".join(paper.marking.mistakes) or words["class all right"],
    ]
