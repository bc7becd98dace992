"""Small pictures as inline SVG: axes, lines, dots and bars, coloured by the style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, floor, isfinite, log10

from deltaprop.notation.mathml import escape

__all__ = ["Plot", "bar", "ticks"]

_WIDTH, _HEIGHT = 440, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 18, 22, 46  # _LEFT at least: long ticks need more
_BESIDE, _CHARACTER = 28, 8.6  # what is left of the ticks, and a digit of the largest font
_TICKS = 5
_LEAST_PLAIN, _MOST_PLAIN = 1e-4, 1e6  # steps and numbers that are written out
_FAR = 17  # digits of a tick at most

Point = tuple[float, float]


def ticks(low: float, high: float, count: int = _TICKS, *, whole: bool = False) -> list[float]:
    """Return about so many multiples of 1, 2 or 5 times a power of ten between low < high."""
    raw = high / count - low / count
    power = 10.0 ** floor(log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    if whole:
        step = max(1.0, step)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


class Plot:
    """A picture with two axes, filled by its methods and written by ``svg``.

    Parameters
    ----------
    title : str
        What it shows, for those who do not see it.
    x_label, y_label : str
        Of the axes.
    x_range, y_range : tuple of float
        What they reach over; widened where it is a single number.
    whole : bool
        Whether x counts something.
    """

    def __init__(
        self,
        title: str,
        x_label: str,
        y_label: str,
        x_range: tuple[float, float],
        y_range: tuple[float, float],
        *,
        whole: bool = False,
    ) -> None:
        self.title, self.x_label, self.y_label = title, x_label, y_label
        self.x_range, self.y_range = _opened(x_range), _opened(y_range)
        self.whole = whole
        longest = max(map(len, _labels(ticks(*self.y_range))), default=0)
        self.left = max(_LEFT, round(_BESIDE + _CHARACTER * longest))
        self.marks: list[str] = []

    def _at(self, point: Point) -> Point:
        (x, y), (x0, x1), (y0, y1) = point, self.x_range, self.y_range
        # halves, because the distance of two floats may be no float
        across = (x / 2 - x0 / 2) / (x1 / 2 - x0 / 2)
        up = (y / 2 - y0 / 2) / (y1 / 2 - y0 / 2)
        return (
            self.left + across * (_WIDTH - self.left - _RIGHT),
            _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM),
        )

    def line(self, points: Iterable[Point], kind: str) -> None:
        """Draw a line through the points that are numbers."""
        known = [point for point in points if all(map(isfinite, point))]
        if len(known) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self._at, known))
            self.marks.append(f'<polyline class="{kind}" points="{path}"/>')
        else:
            self.dots(known, kind)

    def dots(
        self,
        points: Iterable[Point],
        kind: str,
        *,
        radius: float = 3.5,
        titles: Sequence[str] = (),
    ) -> None:
        """Draw a dot at each point, with a title where there is one."""
        for i, (x, y) in enumerate(map(self._at, points)):
            title = f"<title>{escape(titles[i])}</title>" if i < len(titles) else ""
            end = f">{title}</circle>" if title else "/>"
            self.marks.append(
                f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"{end}'
            )

    def vertical(self, x: float, label: str) -> None:
        """Draw a line from below to above at x, and its label beside it."""
        place, _ = self._at((x, self.y_range[0]))
        right = place < (self.left + _WIDTH - _RIGHT) / 2
        shift, anchor = (5, "start") if right else (-5, "end")
        self.marks.append(
            f'<line class="mark" x1="{place:.1f}" x2="{place:.1f}" y1="{_TOP}" '
            f'y2="{_HEIGHT - _BOTTOM}"/><text class="label" x="{place + shift:.1f}" '
            f'y="{_TOP - 7}" text-anchor="{anchor}">{escape(label)}</text>'
        )

    def straight(self, start: Point, end: Point) -> None:
        """Draw a thin straight line, for comparison."""
        (x1, y1), (x2, y2) = self._at(start), self._at(end)
        self.marks.append(
            f'<line class="ideal" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        )

    def svg(self) -> str:
        """Return the picture."""
        title = escape(self.title)
        return (
            f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">'
            f"{self._axes()}{''.join(self.marks)}</svg>"
        )

    def _axes(self) -> str:
        bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
        parts = []
        across, up = ticks(*self.x_range, whole=self.whole), ticks(*self.y_range)
        for value, text in zip(across, _labels(across), strict=True):
            x, _ = self._at((value, self.y_range[0]))
            parts.append(
                f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>'
                f'<text class="tick" x="{x:.1f}" y="{bottom + 17}" '
                f'text-anchor="middle">{text}</text>'
            )
        for value, text in zip(up, _labels(up), strict=True):
            _, y = self._at((self.x_range[0], value))
            parts.append(
                f'<line class="grid" x1="{self.left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text class="tick" x="{self.left - 6}" y="{y + 4:.1f}" '
                f'text-anchor="end">{text}</text>'
            )
        middle = (_TOP + bottom) / 2
        parts.append(
            f'<text class="axis" x="{(self.left + right) / 2:.0f}" y="{_HEIGHT - 8}" '
            f'text-anchor="middle">{escape(self.x_label)}</text>'
            f'<text class="axis" x="13" y="{middle:.0f}" text-anchor="middle" '
            f'transform="rotate(-90 13 {middle:.0f})">{escape(self.y_label)}</text>'
        )
        return "".join(parts)


def _opened(limits: tuple[float, float]) -> tuple[float, float]:
    """Return a range that is one: around a single number, or from 0 to 1 without any."""
    low, high = limits
    if not (isfinite(low) and isfinite(high)):
        return 0.0, 1.0
    room = max(abs(low), abs(high)) * 1e-6
    if high / 2 - low / 2 > room:
        return low, high
    wide = max(abs(low) * 0.1, 0.5)
    return low - wide, high + wide


def _labels(values: Sequence[float]) -> list[str]:
    """Return ticks as texts, with as many digits as it takes to tell them apart."""
    largest = max(map(abs, values), default=0.0)
    step = abs(values[1] - values[0]) if len(values) > 1 else largest
    if step >= _LEAST_PLAIN and largest < _MOST_PLAIN:
        places = max(0, -floor(log10(step) + 1e-9))
        texts = [f"{value:,.{places}f}" for value in values]
    else:
        exact = ([f"{value:.{digits}e}" for value in values] for digits in range(_FAR))
        texts = next((found for found in exact if len(set(found)) == len(found)), [])
        texts = [_short(text) for text in texts]
    return [text.replace("-", "−") for text in texts]


def _short(text: str) -> str:
    """Return 2e+06 as 2e6, and any zero as 0."""
    digits, _, power = text.partition("e")
    return f"{digits}e{int(power)}" if float(digits) else "0"


def bar(mean: float, spread: float, low: float, high: float) -> str:
    """Return a lying bar from 0 to a mean, with a whisker of its spread on either side.

    ``low`` and ``high`` are the ends of all bars that are compared; they hold 0.
    """
    size = high - low if high > low else 1.0

    def at(value: float) -> float:
        return 2 + 196 * (min(max(value, low), high) - low) / size

    zero, end = at(0.0), at(mean)
    left, right = at(mean - spread), at(mean + spread)
    kind = "negative" if mean < 0 else "positive"
    return (
        '<svg class="bar" viewBox="0 0 200 16" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{kind}" x="{min(zero, end):.1f}" y="2" width="{abs(end - zero):.1f}" '
        f'height="12"/><line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="16"/>'
        f'<line class="whisker" x1="{left:.1f}" x2="{right:.1f}" y1="8" y2="8"/></svg>'
    )
