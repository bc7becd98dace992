"""Ranges: a number as how far it goes through each of several intervals.

Networks learn slowly what changes at a threshold, and not at all what happens in a tail that
scaling has squeezed together. They do with piecewise linear shares beside x: s_t(x) =
clip((x - e_t) / (e_t+1 - e_t), 0, 1) for the edges e_t, here less s_t(median), so that a usual
number is near zero.

Gorishniy, Rubachev, Babenko, "On embeddings for numerical features in tabular deep learning", 2022.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_RANGES", "find_edges", "shares"]

MOST_RANGES = 256  # of all columns together


def find_edges(values: NDArray[np.float64], most: int) -> tuple[float, ...]:
    """Return the edges of up to ``most`` ranges that hold about equally many of finite values.

    Quantiles, but a value that is there more often than a range has room for counts as so many
    only: where most cells are 0, the others still get their ranges. They ascend; there are none
    where the values are the same or two, of which ranges say nothing new.
    """
    different, counts = np.unique(values, return_counts=True)
    if most < 2 or len(different) < 3:
        return ()
    room = np.minimum(counts, values.size / most)
    middles = np.cumsum(room) - room / 2
    marks = np.linspace(middles[0], middles[-1], most + 1)
    edges = np.unique(different[np.searchsorted(middles, marks[:-1], side="right") - 1])
    return (*(edge for edge in edges.tolist() if edge < different[-1]), float(different[-1]))


def shares(
    values: NDArray[np.float64], edges: tuple[float, ...], center: float
) -> NDArray[np.float64]:
    """Return how much farther each of n values goes through each of k ranges than the center does.

    ``edges`` are k + 1 ascending numbers; NaN, which is missing, counts as the center, usually the
    median. The result has the shape (n, k) and is from -1 to 1.
    """
    return np.nan_to_num(_shares(values, edges) - _shares(np.array([center]), edges), nan=0.0)


def _shares(values: NDArray[np.float64], edges: tuple[float, ...]) -> NDArray[np.float64]:
    ends = np.asarray(edges) * 0.5  # halves, because the distance of two floats may be no float
    low, high = ends[:-1], ends[1:]
    with np.errstate(invalid="ignore"):  # of the smallest numbers there are, halves may be equal
        share: NDArray[np.float64] = (np.clip(values[:, None] * 0.5, low, high) - low) / (
            high - low
        )
    return share
