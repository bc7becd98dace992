"""Numbers as a picture in LaTeX: squares whose area is the ink, without colour or packages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import sqrt

from deltaprop.notation.image import Image
from deltaprop.notation.latex import escaped

__all__ = ["MACROS", "picture"]

# a full square for what is positive, an outline for what is negative
MACROS = (
    r"\newcommand{\inked}[3]{\put(#1,#2){\rule{#3\unitlength}{#3\unitlength}}}",
    r"\newcommand{\hollow}[3]{\put(#1,#2){\framebox(#3,#3){}}}",
)
_WIDEST, _LARGEST = 76.0, 2.2  # millimetres, of a picture and of a pixel
_MOST_PIXELS = 64  # beside each other; of a larger picture every second one is drawn, ...
_SMALLEST = 0.08  # of a pixel's side; less would not be seen


def picture(image: Image, words: Mapping[str, str]) -> Iterator[str]:
    """Yield a picture below its title, as half a line."""
    legend = [escaped(words["outlined"])] if image.signed else []
    every = max(1, -(-max(image.values.shape) // _MOST_PIXELS))
    values = image.values[::every, ::every]
    height, width = values.shape
    pixel = min(_LARGEST, _WIDEST / max(height, width))
    yield r"\begin{minipage}[b]{0.47\linewidth}\raggedright"
    yield r"\\".join([escaped(image.title), *legend]) + r"\par\vspace{2pt}"
    yield rf"\setlength{{\unitlength}}{{{pixel:.3f}mm}}\linethickness{{0.2pt}}"
    yield rf"\begin{{picture}}({width},{height})"
    yield rf"\put(0,0){{\framebox({width},{height}){{}}}}"
    for r, row in enumerate(values):
        squares = ""
        for c, value in enumerate(row):
            side = 0.95 * sqrt(min(1.0, abs(float(value))))
            if side >= _SMALLEST:
                inset = (1.0 - side) / 2
                kind = "hollow" if value < 0 else "inked"
                x, y = c + inset, height - 1 - r + inset
                squares += rf"\{kind}{{{x:.2f}}}{{{y:.2f}}}{{{side:.2f}}}"
        if squares:
            yield squares + "%"
    yield r"\end{picture}\par\vspace{6pt}"
    yield r"\end{minipage}\hfill"
