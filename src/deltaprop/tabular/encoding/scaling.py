"""Robust scaling and smooth clipping: x <- (x - median) s, then x / sqrt(1 + (x/3)^2)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["counted_scale", "robust_scale", "squash", "unsquash"]

# Half of the largest float, so that twice a scale is still a number.
_LARGEST_SCALE = 8.9e307


def robust_scale(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return (median, s) of finite values; s = 0 says that the values are all the same.

    s = 1 / (q75 - q25), or where that range is 0, s = 2 / (max - min). The quantiles interpolate
    linearly. Nothing overflows, whatever finite numbers come.
    """
    ordered = np.sort(values)
    return _scale(ordered.size, lambda i: float(ordered[i]))


def counted_scale(counts: list[tuple[float, int]]) -> tuple[float, float]:
    """Do what `robust_scale` does for few different values, given with their counts, ascending."""
    edges = np.cumsum([count for _, count in counts])
    return _scale(int(edges[-1]), lambda i: counts[int(np.searchsorted(edges, i, side="right"))][0])


def _scale(n: int, at: Callable[[int], float]) -> tuple[float, float]:
    def quantile(q: float) -> float:
        place = q * (n - 1)
        below = math.floor(place)
        low, high = at(below), at(min(below + 1, n - 1))
        return low if low == high else low * (1 - (place - below)) + high * (place - below)

    # Halves, because the distance of two floats may be no float.
    half_range = quantile(0.75) / 2 - quantile(0.25) / 2
    if half_range > 0:
        return quantile(0.5), min(0.5 / half_range, _LARGEST_SCALE)
    half_range = at(n - 1) / 2 - at(0) / 2
    if half_range > 0:
        return quantile(0.5), min(1 / half_range, _LARGEST_SCALE)
    return (quantile(0.5), 0.0) if at(n - 1) == at(0) else (quantile(0.5), _LARGEST_SCALE)


def squash(
    values: NDArray[np.float64],
    center: float | NDArray[np.float64],
    scale: float | NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return (x - center) scale, smoothly clipped into (-3, 3); NaN (missing) becomes 0."""
    with np.errstate(over="ignore", invalid="ignore"):
        x = (values * 0.5 - center * 0.5) * (2 * scale)
    x = np.clip(np.nan_to_num(x, nan=0.0, posinf=1e30, neginf=-1e30), -1e30, 1e30)
    return np.asarray(x / np.hypot(1.0, x / 3), dtype=np.float64)


def unsquash(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what `squash` clipped smoothly as it was before, up to about 1e8."""
    share = np.clip(x / 3, -1 + 1e-15, 1 - 1e-15)
    return np.asarray(3 * share / np.sqrt(1 - share**2))
