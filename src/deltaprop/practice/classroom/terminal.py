"""A marked class as text for a terminal: the mistakes, the commonest first, and the papers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from deltaprop.practice.classroom.papers import Paper, shown_name
from deltaprop.practice.wording import slip_described, wording_of
from deltaprop.widths import pad, text_width, wrap

if TYPE_CHECKING:
    from deltaprop.practice.classroom.class_marking import ClassMarking

__all__ = ["render"]

_GAP = 2  # columns between columns
_NARROWEST = 12


def render(marked: ClassMarking, width: int) -> str:
    """Return what there is to know, in lines of at most ``width`` columns."""
    words, width = wording_of(marked.language), max(width, 40)
    heading = words["class heading"].format(
        folder=shown_name(marked.folder), count=len(marked.papers), **marked.counts
    )
    lines = wrap(heading, width)
    if marked.mistakes:
        header = [words[f"class {key}"] for key in ("mistake", "count", "which")]
        rows = [
            [f"{slip_described(name, marked.language)} ({name})", str(len(papers)), _listed(papers)]
            for name, papers in marked.mistakes.items()
        ]
        lines += ["", *_table(header, rows, width, right=1)]
    header = [words[f"class {key}"] for key in ("paper", "numbers right", "verdict")]
    rows = [[paper.name, *_result(paper, marked.language)] for paper in marked.papers]
    lines += ["", *_table(header, rows, width, right=1)]
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


def _table(header: list[str], rows: list[list[str]], width: int, *, right: int) -> Iterator[str]:
    """Yield the lines of a table that is as wide as there is room; cells are wrapped."""
    table = [header, *rows]
    wide = [max(text_width(row[c]) for row in table) for c in range(len(header))]
    room = width - _GAP * (len(header) - 1)
    while sum(wide) > room and max(wide) > _NARROWEST:
        # the widest gives way to the second widest, so that columns share what there is
        widest, second = wide.index(max(wide)), sorted(wide)[-2]
        wide[widest] = max(
            _NARROWEST, min(second - 1, wide[widest] - 1), room - sum(wide) + max(wide)
        )
    for number, row in enumerate(table):
        cells = [wrap(cell, w) or [""] for cell, w in zip(row, wide, strict=True)]
        for line in range(max(map(len, cells))):
            texts = [cell[line] if line < len(cell) else "" for cell in cells]
            padded = [
                " " * (w - text_width(text)) + text if c == right else pad(text, w)
                for c, (text, w) in enumerate(zip(texts, wide, strict=True))
            ]
            yield (" " * _GAP).join(padded).rstrip()
        if not number:
            yield "─" * min(width, sum(wide) + _GAP * (len(header) - 1))
