"""Which rows are held out to choose the best epoch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.tabular import TargetEncoder

__all__ = ["FEWEST_ROWS_TO_SPLIT", "fold_of_each_row", "scaled_by", "split"]

FEWEST_ROWS_TO_SPLIT = 20


def scaled_by(
    target: TargetEncoder, y: npt.NDArray[Any], kept: npt.NDArray[np.int64]
) -> tuple[TargetEncoder, npt.NDArray[Any]]:
    """Return numbers standardized by the kept rows alone."""
    mean, std = y[kept].mean(axis=0), y[kept].std(axis=0)
    std = np.where(std > 0, std, 1.0)
    scaled = replace(target, mean=target.mean + target.std * mean, std=target.std * std)
    return scaled, (y - mean) / std


def split(
    y: npt.NDArray[Any], share: float, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows kept and the rows held out; each class in proportion, none emptied."""
    n = len(y)
    rng = np.random.default_rng(seed)
    if share == 0 or n < FEWEST_ROWS_TO_SPLIT:
        return np.arange(n), np.arange(0)
    if y.ndim > 1:
        order = rng.permutation(n)
        n_held = max(1, round(share * n))
        return np.sort(order[n_held:]), np.sort(order[:n_held])
    # rows in random order, class by class: every 1/share-th is held out
    order = rng.permutation(n)
    order = order[np.argsort(y[order], kind="stable")]
    place = np.arange(n)
    held = np.floor((place + 1) * share) > np.floor(place * share)
    first_of_class = np.r_[True, np.diff(y[order]) != 0]
    held &= ~first_of_class
    if not held.any():  # then the last row that its class can spare, if there is one
        held[np.flatnonzero(~first_of_class)[-1:]] = True
    return np.sort(order[~held]), np.sort(order[held])


def fold_of_each_row(y: npt.NDArray[Any], k: int, seed: int) -> npt.NDArray[np.int64] | None:
    """Return which of k members each row is held out from; each class in proportion.

    None where there are too few rows to hold any out, or a single member.
    """
    n = len(y)
    if k < 2 or n < max(FEWEST_ROWS_TO_SPLIT, 2 * k):
        return None
    order = np.random.default_rng(seed).permutation(n)
    if y.ndim == 1:  # classes: rows in random order, class by class
        order = order[np.argsort(y[order], kind="stable")]
    folds = np.empty(n, dtype=np.int64)
    folds[order] = np.arange(n) % k
    return folds
