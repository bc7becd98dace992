"""Numbers drawn: a curve, or a bar for each name; in characters here."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from deltaprop.widths import clip, pad, text_width

__all__ = ["Bars", "Curve", "chart_text", "number_on_axis"]

_HEIGHT, _MOST_COLUMNS = 9, 61  # of a curve in characters
_MOST_BAR = 40  # columns
_EIGHTHS = " ▏▎▍▌▋▊▉"
_WIDEST_NAME = 24
_WHOLE = 1e6  # a whole number below this is written out
_RANGE = 50.0  # times: what falls farther is drawn on a logarithmic scale


@dataclass(frozen=True)
class Curve:
    """A number over another.

    Attributes
    ----------
    title : str
        What it shows.
    x, y : tuple of float
        At least one point; x ascends.
    below : str
        What x is called.
    mark : tuple of float, optional
        A point that is marked.
    """

    title: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    below: str
    mark: tuple[float, float] | None = None

    @property
    def is_logarithmic(self) -> bool:
        """Return whether y falls so far that only its logarithm shows how."""
        return min(self.y) > 0 and max(self.y) > _RANGE * min(self.y)

    @property
    def ends(self) -> dict[str, str]:
        """Return where it begins and where it ends, in short: x0, y0, x1, y1."""
        ends = {"x0": self.x[0], "y0": self.y[0], "x1": self.x[-1], "y1": self.y[-1]}
        return {name: number_on_axis(value) for name, value in ends.items()}

    def height(self, y: float) -> float:
        """Return where a value stands between the lowest, 0, and the highest, 1."""
        low, high, at = min(self.y), max(self.y), y
        if self.is_logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(max(at, low))
        return 0.5 if high == low else min(1.0, max(0.0, (at - low) / (high - low)))

    def along(self, x: float) -> float:
        """Return where a number stands between the first x, 0, and the last, 1."""
        first, last = self.x[0], self.x[-1]
        return 0.5 if first == last else min(1.0, max(0.0, (x - first) / (last - first)))

    def places(self) -> list[tuple[float, float]]:
        """Return the points as shares of the width and of the height."""
        return [(self.along(x), self.height(y)) for x, y in zip(self.x, self.y, strict=True)]


@dataclass(frozen=True)
class Bars:
    """A bar for each name.

    Attributes
    ----------
    title : str
        What is drawn.
    names : tuple of str
        One for each bar.
    shares : tuple of float
        From 0 to 1.
    texts : tuple of str
        The numbers, as they are displayed.
    """

    title: str
    names: tuple[str, ...]
    shares: tuple[float, ...]
    texts: tuple[str, ...]


def number_on_axis(value: float) -> str:
    """Return a number at an axis, short."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < _WHOLE else f"{value:.3g}"


def chart_text(chart: Curve | Bars, room: int) -> Iterator[str]:
    """Yield a curve or bars in characters, in ``room`` columns where there are as many."""
    yield from _curve(chart, room) if isinstance(chart, Curve) else _bars(chart, room)


def _curve(curve: Curve, room: int) -> Iterator[str]:
    """Yield a curve in characters, at most ``room`` columns wide."""
    high, low = (number_on_axis(f(curve.y)) for f in (max, min))
    beside = max(len(high), len(low))
    columns = max(8, min(room - beside - 2, _MOST_COLUMNS))
    grid = [[" "] * columns for _ in range(_HEIGHT)]

    def put(x: float, y: float, sign: str) -> None:
        grid[_HEIGHT - 1 - round(y * (_HEIGHT - 1))][round(x * (columns - 1))] = sign

    places = curve.places()
    for (x0, y0), (x1, y1) in itertools.pairwise(places):
        steps = max(round(abs(x1 - x0) * columns), round(abs(y1 - y0) * _HEIGHT), 1) * 2
        for k in range(steps + 1):
            put(x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps, "·")
    if len(places) <= columns // 2:
        for x, y in places:
            put(x, y, "•")
    if curve.mark is not None:
        put(curve.along(curve.mark[0]), curve.height(curve.mark[1]), "◆")
    for n, row in enumerate(grid):
        label = high if n == 0 else low if n == _HEIGHT - 1 else ""
        yield f"{label.rjust(beside)} {'┤' if label else '│'}{''.join(row)}".rstrip()
    ends = [number_on_axis(curve.x[0]), number_on_axis(curve.x[-1])]
    below = curve.below.center(columns - len(ends[0]) - len(ends[1]))
    yield f"{' ' * beside} └{'─' * columns}"
    yield f"{' ' * beside}  {ends[0]}{below}{ends[1]}".rstrip()


def _bars(bars: Bars, room: int) -> Iterator[str]:
    """Yield bars in characters: name, bar, number."""
    names = [clip(name, _WIDEST_NAME) for name in bars.names]
    wide, last = max(map(text_width, names)), max(map(len, bars.texts))
    most = max(4, min(_MOST_BAR, room - wide - last - 2))
    for name, share, text in zip(names, bars.shares, bars.texts, strict=True):
        eighths = round(8 * most * min(1.0, max(0.0, share)))
        bar = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
        yield f"{pad(name, wide)} {bar or '▏'} {text}"
