"""A small picture of the network, without any number in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from deltaprop.notation.ids import Ref
from deltaprop.notation.latex import latex_symbol
from deltaprop.notation.mathml import escape
from deltaprop.notation.unicode import symbol_of
from deltaprop.practice.exercises.task import Task
from deltaprop.practice.sheets import content

__all__ = ["Sketch", "SketchNode", "sketch_of", "to_latex", "to_svg"]

_ACROSS, _DOWN, _RADIUS, _MARGIN, _TITLE = 104, 48, 16, 44, 22  # points


@dataclass(frozen=True)
class SketchNode:
    """A circle with the symbol of its value; y runs downwards."""

    x: float
    y: float
    ref: Ref


@dataclass(frozen=True)
class Sketch:
    """Circles in columns, each joined with all of the next column.

    Attributes
    ----------
    columns : tuple of tuple of SketchNode
        Inputs first, the loss last.
    titles : tuple of str
        One for each column.
    width, height : int
        In points.
    """

    columns: tuple[tuple[SketchNode, ...], ...]
    titles: tuple[str, ...]
    width: int
    height: int

    def edges(self) -> Iterator[tuple[float, float, float, float]]:
        """Yield the lines, from the rim of a circle to the rim of another."""
        for lefts, rights in pairwise(self.columns):
            for left in lefts:
                for right in rights:
                    dx, dy = right.x - left.x, right.y - left.y
                    part = _RADIUS / (dx**2 + dy**2) ** 0.5
                    yield (
                        left.x + part * dx, left.y + part * dy,
                        right.x - part * dx, right.y - part * dy,
                    )  # fmt: skip


def sketch_of(task: Task) -> Sketch:
    """Return the picture of an exercise's network."""
    sizes = task.step.network.sizes
    last = len(sizes) - 1
    middle = _TITLE + max(sizes) * _DOWN / 2
    columns = []
    for layer, size in enumerate(sizes):
        top = middle - (size - 1) * _DOWN / 2
        name = "a" if layer else "x"
        columns.append(
            tuple(
                SketchNode(_MARGIN + layer * _ACROSS, top + j * _DOWN, Ref(name, layer, (0, j)))
                for j in range(size)
            )
        )
    columns.append((SketchNode(_MARGIN + (last + 1) * _ACROSS, middle, Ref("loss")),))
    width = 2 * _MARGIN + (last + 1) * _ACROSS
    titles = tuple(content.columns(task))
    return Sketch(tuple(columns), titles, width, _TITLE + max(sizes) * _DOWN)


def to_svg(sketch: Sketch, described: str) -> str:
    """Return the picture as an svg element for an HTML page; ``described`` says what it shows."""
    parts = [f"<title>{escape(described)}</title>"]
    parts += [
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        for x1, y1, x2, y2 in sketch.edges()
    ]
    for title, column in zip(sketch.titles, sketch.columns, strict=True):
        parts.append(f'<text class="title" x="{column[0].x}" y="12">{escape(title)}</text>')
        for node in column:
            parts.append(f'<circle cx="{node.x}" cy="{node.y}" r="{_RADIUS}"/>')
            parts.append(f'<text x="{node.x}" y="{node.y + 5}">{symbol_of(node.ref, 1)}</text>')
    size = f'width="{sketch.width}" height="{sketch.height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sketch" role="img" {size} '
        f'viewBox="0 0 {sketch.width} {sketch.height}">{"".join(parts)}</svg>'
    )


def to_latex(sketch: Sketch, titles: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a picture environment; ``titles`` are ready for LaTeX."""
    high = sketch.height
    yield r"{\setlength{\unitlength}{0.9pt}%"
    yield rf"\begin{{picture}}({sketch.width},{high})"
    for x1, y1, x2, y2 in sketch.edges():
        ends = [f"({x:.1f},{high - y:.1f})" for x, y in ((x1, y1), (x2, y2))]
        between = f"({(x1 + x2) / 2:.1f},{high - (y1 + y2) / 2:.1f})"
        yield rf"\qbezier{ends[0]}{between}{ends[1]}"
    for title, column in zip(titles, sketch.columns, strict=True):
        yield rf"\put({column[0].x},{high - 8}){{\makebox(0,0){{\small {title}}}}}"
        for node in column:
            place = f"({node.x},{high - node.y})"
            yield rf"\put{place}{{\circle{{{2 * _RADIUS}}}}}"
            yield rf"\put{place}{{\makebox(0,0){{${latex_symbol(node.ref, 1)}$}}}}"
    yield r"\end{picture}}\par"
