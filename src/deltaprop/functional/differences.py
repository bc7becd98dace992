"""Central differences: what a claimed derivative is held to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["central_difference", "worst_entry"]

Array = npt.NDArray[np.float64]


def central_difference(
    f: Callable[[Array], Array], at: Array, along: Array | float = 1.0, h: float = 1e-3
) -> Array:
    """Return (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h + O(h^4), steps being along a vector."""
    nearer, further = (f(at + m * h * along) - f(at - m * h * along) for m in (1, 2))
    slope: Array = (8.0 * nearer - further) / (12.0 * h)
    return slope


def worst_entry(claimed: Array, measured: Array) -> int | None:
    """Return where a claimed derivative is furthest from a measured one; None where it is it."""
    error = np.abs(claimed - measured) / np.maximum(1.0, np.abs(measured))
    worst = int(np.argmax(np.where(np.isnan(error), np.inf, error)))
    return None if error[worst] <= 1e-7 else worst
