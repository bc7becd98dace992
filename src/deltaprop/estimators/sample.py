"""Rows with what is known about them, and those of them that are held out."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError
from deltaprop.estimators.sklearn import train_test_split
from deltaprop.functional.losses import sample_shares
from deltaprop.masked import refuse_masked

__all__ = ["Sample", "check_weights", "hold_out"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows with what is known about them."""

    X: Any  # numbers of shape (n, n_0), dense or CSR
    targets: npt.NDArray[Any]  # what the network learns: labels from 0, or values
    y: npt.NDArray[Any]  # the same as the user gave it, for scorers
    weights: Array | None

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return int(self.X.shape[0])

    @property
    def mean_weight(self) -> float:
        """Return what a row weighs on average."""
        return 1.0 if self.weights is None else float(self.weights.mean())

    def rows(self, some: npt.NDArray[np.int64]) -> Sample:
        """Return some of the rows."""
        weights = None if self.weights is None else self.weights[some]
        return Sample(self.X[some], self.targets[some], self.y[some], weights)


def hold_out(
    sample: Sample, fraction: float, rng: np.random.RandomState, *, in_proportion: bool
) -> tuple[Sample, Sample]:
    """Split as scikit-learn does: two classes in proportion, anything else at random.

    Where it would refuse because a class has too few rows, the first row of each is learnt from.
    """
    n_held = ceil(fraction * sample.n)
    if n_held < 2 or n_held == sample.n:
        raise DataError(
            f"The validation set is too {'small' if n_held < 2 else 'large'}: "
            f"validation_fraction={fraction} of {sample.n} rows is {n_held}, a score needs 2 and "
            "learning 1. Change validation_fraction, give X_val and y_val, or leave early_stopping "
            "out."
        )
    counts = np.unique(sample.y, return_counts=True)[1] if in_proportion else np.empty(0)
    if in_proportion and (counts.min() < 2 or len(counts) > min(n_held, sample.n - n_held)):
        order = rng.permutation(sample.n)
        first = np.unique(sample.y[order], return_index=True)[1]
        held = np.delete(order, first)[:n_held]
        parts = np.setdiff1d(order, held), held
    else:
        parts = train_test_split(
            np.arange(sample.n),
            random_state=rng,
            test_size=fraction,
            stratify=sample.y if in_proportion else None,
        )
    learnt, scored = (sample.rows(some) for some in parts)
    return learnt, scored


def check_weights(sample_weight: Any, n: int) -> Array | None:
    """Return the weights of n rows as floats >= 0, not all 0; None where none are given."""
    if sample_weight is None:
        return None
    refuse_masked(sample_weight, "sample_weight")
    try:
        weights = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("sample_weight holds something that is not a number.") from None
    if weights.ndim == 0:
        weights = np.full(n, float(weights))
    if weights.ndim != 1:
        raise DataError(
            f"Sample weights must be 1D array or scalar: sample_weight has shape {weights.shape}; "
            f"expected one per row, ({n},)."
        )
    sample_shares(n, weights)
    return weights
