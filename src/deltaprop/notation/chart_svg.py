"""Curves and bars as SVG; colours are those of the text, so that a page gives them."""

from __future__ import annotations

from collections.abc import Iterator

from deltaprop.notation.chart import Bars, Curve, number_on_axis
from deltaprop.notation.mathml import escape
from deltaprop.widths import text_width

__all__ = ["chart_svg"]

_WIDTH, _HEIGHT = 420, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 16, 14, 30  # of the field in which a curve is drawn
_MOST_DOTS = 60
_ROW, _BAR, _NUMBER = 26, 14, 84  # of bars: from one to the next, their height, room for a number


def _svg(title: str, width: float, height: float, parts: Iterator[str]) -> str:
    text = escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-label="{text}" '
        f'viewBox="0 0 {width:g} {height:g}" font-size="13" fill="currentColor" '
        f'stroke="none"><title>{text}</title>{"".join(parts)}</svg>'
    )


def chart_svg(chart: Curve | Bars) -> str:
    """Return a curve with its axes, or bars with their names, as an svg element."""
    if isinstance(chart, Curve):
        return _svg(chart.title, _WIDTH, _HEIGHT, _curve(chart))
    return _svg(chart.title, _WIDTH, _ROW * len(chart.names) + 4, _bars(chart))


def _curve(curve: Curve) -> Iterator[str]:
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    floor = _HEIGHT - _BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        return round(_LEFT + wide * x, 1), round(floor - high * y, 1)

    yield (
        f'<path d="M{_LEFT} {_TOP}V{floor}H{_WIDTH - _RIGHT}" fill="none" stroke="currentColor" '
        'stroke-opacity=".45"/>'
    )
    for value in dict.fromkeys((max(curve.y), min(curve.y))):
        x, y = at(0, curve.height(value))
        yield f'<text x="{x - 8:g}" y="{y + 4:g}" text-anchor="end">{number_on_axis(value)}</text>'
    for value, anchor in ((curve.x[0], "start"), (curve.x[-1], "end")):
        x, _ = at(curve.along(value), 0)
        yield (
            f'<text x="{x:g}" y="{_HEIGHT - 10}" text-anchor="{anchor}">'
            f"{number_on_axis(value)}</text>"
        )
    yield (
        f'<text x="{_LEFT + wide / 2:g}" y="{_HEIGHT - 10}" text-anchor="middle">'
        f"{escape(curve.below)}</text>"
    )
    points = [at(x, y) for x, y in curve.places()]
    path = "L".join(f"{x:g} {y:g}" for x, y in points)
    yield f'<path class="curve" d="M{path}" fill="none" stroke="currentColor" stroke-width="2"/>'
    if len(points) <= _MOST_DOTS:
        yield from (f'<circle class="dot" cx="{x:g}" cy="{y:g}" r="2.5"/>' for x, y in points)
    if curve.mark is not None:
        x, y = at(curve.along(curve.mark[0]), curve.height(curve.mark[1]))
        yield f'<circle class="mark" cx="{x:g}" cy="{y:g}" r="5"/>'


def _bars(bars: Bars) -> Iterator[str]:
    left = 12 + 8 * min(24, max(map(text_width, bars.names)))
    wide = _WIDTH - left - _NUMBER
    for n, (name, share, text) in enumerate(zip(bars.names, bars.shares, bars.texts, strict=True)):
        top = 4 + n * _ROW
        length = max(1.0, wide * min(1.0, max(0.0, share)))
        yield (
            f'<text x="{left - 8}" y="{top + 12}" text-anchor="end">{escape(name[:24])}</text>'
            f'<rect class="bar" x="{left}" y="{top}" width="{length:.1f}" height="{_BAR}"/>'
            f'<text x="{left + length + 8:.1f}" y="{top + 12}">{escape(text)}</text>'
        )
