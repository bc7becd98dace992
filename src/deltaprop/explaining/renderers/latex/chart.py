"""Curves and bars in LaTeX: rules and straight lines, without packages."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from deltaprop.notation.chart import Bars, Curve, number_on_axis
from deltaprop.notation.latex import escaped, latex_number

__all__ = ["chart_picture"]

_WIDTH, _HEIGHT = 110.0, 40.0  # millimetres
_LEFT, _FLOOR = 18.0, 6.0
_BAR = 80.0
_MOST_LINES = 200  # a longer curve is drawn through some of its points


def chart_picture(chart: Curve | Bars) -> Iterator[str]:
    """Yield a curve or bars below their title."""
    yield from _curve(chart) if isinstance(chart, Curve) else _bars(chart)


def _curve(curve: Curve) -> Iterator[str]:
    """Yield a curve with its axes below its title."""
    wide, high = _WIDTH - _LEFT - 4, _HEIGHT - _FLOOR - 4
    places = curve.places()
    every = -(-len(places) // _MOST_LINES)
    chosen = [*places[:-1:every], places[-1]]
    points = [(_LEFT + wide * x, _FLOOR + high * y) for x, y in chosen]
    yield escaped(curve.title) + r"\\[4pt]"
    yield r"{\setlength{\unitlength}{1mm}\small"
    yield rf"\begin{{picture}}({_WIDTH:g},{_HEIGHT:g})"
    yield rf"\put({_LEFT:g},{_FLOOR:g}){{\line(1,0){{{wide:g}}}}}%"
    yield rf"\put({_LEFT:g},{_FLOOR:g}){{\line(0,1){{{high:g}}}}}%"
    for value in dict.fromkeys((max(curve.y), min(curve.y))):
        y = _FLOOR + high * curve.height(value)
        yield rf"\put({_LEFT - 2:g},{y:.2f}){{\makebox(0,0)[r]{{{_number(value)}}}}}%"
    for value, side in ((curve.x[0], "l"), (curve.x[-1], "r")):
        x = _LEFT + wide * curve.along(value)
        yield rf"\put({x:.2f},2){{\makebox(0,0)[{side}]{{{_number(value)}}}}}%"
    middle = _LEFT + wide / 2
    yield rf"\put({middle:.2f},2){{\makebox(0,0){{{escaped(curve.below)}}}}}%"
    for (x0, y0), (x1, y1) in itertools.pairwise(points):  # a parabola that is a straight line
        half = ((x0 + x1) / 2, (y0 + y1) / 2)
        ends = "".join(f"({x:.2f},{y:.2f})" for x, y in ((x0, y0), half, (x1, y1)))
        yield rf"\qbezier{ends}%"
    marked = [] if curve.mark is None else [curve.mark]
    for x, y in marked:
        at = (_LEFT + wide * curve.along(x), _FLOOR + high * curve.height(y))
        yield rf"\put({at[0]:.2f},{at[1]:.2f}){{\circle*{{2}}}}%"
    yield r"\end{picture}}\par"


def _bars(bars: Bars) -> Iterator[str]:
    """Yield bars with their names and numbers, below their title."""
    yield escaped(bars.title) + r"\par"
    yield r"\begin{tabular}{@{}r@{\quad}l@{}}"
    for name, share, text in zip(bars.names, bars.shares, bars.texts, strict=True):
        length = max(0.2, _BAR * min(1.0, max(0.0, share)))
        bar = rf"\rule{{{length:.2f}mm}}{{1.6ex}}"
        yield rf"{escaped(name)} & {bar}\enspace ${latex_number(text)}$ \\"
    yield r"\end{tabular}\par"


def _number(value: float) -> str:
    return f"${latex_number(number_on_axis(value))}$"
