"""How the loss bends along a step: what the gradient alone does not promise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deltaprop.functional.differences import central_difference
from deltaprop.model.backprop import Trace, retrace

__all__ = ["second_order_change"]

Array = npt.NDArray[np.float64]
_STEP = 1e-4  # of a unit vector: the differences are exact to O(h^4)


def second_order_change(trace: Trace, step: Array) -> float:
    """Return s^T H s / 2, the second term of L(w + s) = L + g^T s + s^T H s / 2 + O(|s|^3).

    H s comes from fourth-order central differences of the gradient along s, never from H itself.
    ``step`` is s, one number per parameter; the trace's dropout masks are used throughout.
    """
    with np.errstate(over="ignore"):
        length = float(np.linalg.norm(step))
    if length == 0 or not np.isfinite(length):
        return 0.0 if length == 0 else np.nan
    unit = step / length

    def slope_at(flat: Array) -> Array:
        return np.asarray(retrace(trace, trace.parameters.like(flat)).gradients.flat @ unit)

    bend = central_difference(slope_at, trace.parameters.flat, unit, _STEP)
    return float(bend) * length**2 / 2
