"""Numbers drawn as a picture (SVG): one path for each of a few levels of ink."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from deltaprop.notation.image import Image
from deltaprop.notation.mathml import escape

__all__ = ["image_svg"]

Array = npt.NDArray[np.float64]

_LEVELS = 16  # of ink
_MOST_PIXELS = 64  # of a side


def image_svg(image: Image) -> str:
    """Return the picture as an svg element, with a title; a large one is drawn coarser.

    Ink of both signs has the classes "positive" and "negative".
    """
    values = _coarser(image.values)
    height, width = values.shape
    levels = np.rint(np.clip(values, -1, 1) * _LEVELS).astype(int)
    paths = []
    for level in np.unique(levels[levels != 0]):
        kind = "ink" if not image.signed else "negative" if level < 0 else "positive"
        runs = "".join(_runs(levels == level))
        paths.append(f'<path class="{kind}" opacity="{abs(level) / _LEVELS:g}" d="{runs}"/>')
    title = escape(image.title)
    # a run is a stroke through the middle of its pixels
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="image" role="img" aria-label="{title}" '
        f'viewBox="0 -.5 {width} {height}"><title>{title}</title>'
        f'<rect y="-.5" width="{width}" height="{height}"/>{"".join(paths)}</svg>'
    )


def _runs(here: npt.NDArray[np.bool_]) -> Iterator[str]:
    """Yield a stroke for each row's neighbouring pixels."""
    edges = np.diff(np.pad(here, ((0, 0), (1, 1))).astype(int), axis=1)
    starts, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    for (y, x), (_, end) in zip(starts.tolist(), ends.tolist(), strict=True):
        yield f"M{x} {y}h{end - x}"


def _coarser(values: Array) -> Array:
    """Return means over squares where there are more pixels than can be told apart."""
    every = -(-max(values.shape) // _MOST_PIXELS)
    if every == 1:
        return values
    rows, columns = (np.arange(0, side, every) for side in values.shape)
    sums = np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)
    counts = np.outer(*(np.diff([*at, side]) for at, side in
                        zip((rows, columns), values.shape, strict=True)))  # fmt: skip
    means: Array = sums / counts
    return means
