"""The share each sample has in the loss: 1/n, or what its weight makes of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError
from deltaprop.masked import refuse_masked

__all__ = ["absent_where_zero", "sample_shares", "weighted_sum"]

Array = npt.NDArray[np.float64]


def sample_shares(
    n: int,
    sample_weight: npt.ArrayLike | None = None,
    *,
    total: float | None = None,
    reduction: str = "mean",
) -> Array:
    """Return the factor with which each sample's loss enters L, of shape (n,).

    Without weights 1/n each; with weights w_i / sum(w); with ``reduction="sum"`` 1 or w_i.
    ``total`` is what to divide by instead of sum(w): mini-batches pass (rows in the batch) * (mean
    weight of the whole table), so that a weight keeps its meaning even in a batch of one.

    Raises
    ------
    DataError
        When a weight is negative or not finite, all are zero, or their number is not n.
    """
    if reduction not in ("mean", "sum"):
        raise SettingError(f"reduction is {reduction!r}; it is 'mean' or 'sum'.")
    refuse_masked(sample_weight, "sample_weight")
    weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (n,):
        raise DataError(f"sample_weight has shape {weights.shape}; expected one per row: ({n},).")
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"sample_weight of row {row} is {weights[row]:g}; weights are finite numbers >= 0."
        )
    if reduction == "sum":
        return weights
    divisor = float(weights.sum()) if total is None else total
    if not divisor > 0:
        raise DataError("All sample weights are zero, so there is nothing to learn from.")
    shares: Array = weights / divisor
    return shares


def weighted_sum(shares: Array, per_sample: Array) -> float:
    """Return sum_i share_i * l_i; a sample of share 0 is absent, even if its loss is infinite."""
    return float(np.sum(absent_where_zero(shares, per_sample)))


def absent_where_zero(shares: Array, values: Array) -> Array:
    """Return shares * values; 0 where a share is 0, even if the value is infinite."""
    with np.errstate(invalid="ignore"):  # 0 * infinity
        product: Array = shares * values
    return product if shares.all() else np.where(shares == 0, 0.0, product)
