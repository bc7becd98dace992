"""A marking as text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING

from deltaprop.characters import escaped
from deltaprop.languages import told
from deltaprop.practice.marking.judge import FOLLOWS, OTHERWISE, RIGHT, ROUNDED, VERDICTS
from deltaprop.practice.marking.precision import read_number
from deltaprop.practice.marking.reasons import shown
from deltaprop.practice.wording import wording_of
from deltaprop.widths import pad, text_width, wrap

if TYPE_CHECKING:
    from deltaprop.practice.marking.mark import Mark, Marking

__all__ = ["render"]

_COLORS = dict(zip(VERDICTS, ("32", "36", "34", "35", "33", "31"), strict=True))
_HEADER = ("claim", "claimed", "exactly", "verdict")
_WIDEST = 16


def render(marking: Marking, *, width: int, color: bool, language: str = "en") -> str:
    """Return a table of claims, with a sentence under whatever is not simply right.

    Of a claim, the numbers that are right are one line, and so are those that follow from a slip;
    every other number has its own.
    """
    wording_of(language)  # or a refusal

    def said(text: str) -> str:
        return told(text, language)

    width = max(width, 40)
    rows: list[tuple[tuple[str, ...], Mark | None, str]] = []
    for _, group in groupby(marking.marks, key=lambda mark: mark.quantity):
        rows += _rows_of(list(group), said)
    header = tuple(map(said, _HEADER))
    wide = [max(text_width(row[0][c]) for row in [(header, None, ""), *rows]) for c in range(3)]
    sentences = map(said, (_summary(marking), marking.where))
    title = marking.titles.get(language, marking.title)
    heads = filter(None, (escaped(title), *sentences))
    lines = [*(line for head in heads for line in wrap(head, width)), ""]
    lines.append(_line(header, wide))
    for cells, mark, verdict in rows:
        line = _line(cells, wide)
        fits = text_width(line) <= width
        lines += [_colored(line, cells[3], verdict)] if color and fits else _fit(line, width)
        if mark is not None:
            lines += [f"    {part}" for part in wrap(said(mark.because), width - 4)]
    return "\n".join(lines) + "\n"


def _rows_of(
    marks: list[Mark], said: Callable[[str], str]
) -> list[tuple[tuple[str, ...], Mark | None, str]]:
    """Return the lines of one claim: cells, the mark whose sentence stands below, the verdict.

    Words are ``said`` in the reader's language; what was claimed stays as it is.
    """
    rows: list[tuple[tuple[str, ...], Mark | None, str]] = []
    for verdict in VERDICTS:
        of_kind = [mark for mark in marks if mark.verdict == verdict]
        explained = of_kind[0] if of_kind and verdict != RIGHT else None
        if len(of_kind) > 1 and verdict in (RIGHT, OTHERWISE, FOLLOWS):
            count, near = f"{len(of_kind)} numbers", _within(of_kind) if verdict == RIGHT else ""
            cells = (marks[0].quantity, said(count), said(near), said(verdict))
            rows.append((cells, explained, verdict))
            continue
        for mark in of_kind:  # the sentence about the first of a kind says enough
            *numbers, judged = _cells(mark)
            rows.append(((*numbers, said(judged)), explained, verdict))
            explained = None
    return rows


def _within(marks: list[Mark]) -> str:
    """Return how near right numbers are to what they should be."""
    size = f"{max(mark.difference for mark in marks):.1g}"
    return f"within {size}" if float(size) else "exact"


def _cells(mark: Mark) -> tuple[str, ...]:
    number = read_number(mark.claimed)
    digits = min(max(6 if number is None else number.digits + (mark.verdict == "wrong"), 6), 12)
    verdict = mark.verdict if mark.mistake is None else f"{mark.verdict}: {mark.mistake}"
    return (mark.id, _short(mark.claimed), shown(mark.right, digits), verdict)


def _short(text: str) -> str:
    """Return what was claimed, as far as there is room: of "E = ... = 0.55" the number."""
    text = text if len(text) <= _WIDEST else re.split("[=≈]", text)[-1].strip()
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _line(cells: tuple[str, ...], wide: list[int]) -> str:
    first, second, third, last = cells
    ends = (" " * (w - text_width(c)) + c for c, w in ((second, wide[1]), (third, wide[2])))
    return "  ".join((pad(first, wide[0]), *ends, last)).rstrip()


def _fit(line: str, width: int) -> list[str]:
    first, *rest = [line] if text_width(line) <= width else wrap(line, width - 4)
    return [first, *(f"    {part}" for part in rest)]


def _colored(line: str, last: str, verdict: str) -> str:
    return f"{line[: -len(last)]}\033[{_COLORS[verdict]}m{last}\033[0m"


def _summary(marking: Marking) -> str:
    counts = marking.counts
    words = {ROUNDED: "right but rounded", FOLLOWS: "following from a slip"}
    parts = [f"{n} {words.get(verdict, verdict)}" for verdict, n in counts.items() if n]
    total = len(marking.marks)
    return f"{total} number{'s' * (total != 1)}: {', '.join(parts)}"
