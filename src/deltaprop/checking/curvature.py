"""How the loss bends along a step: what the gradient alone does not promise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deltaprop.model.backprop import Trace, retrace

__all__ = ["second_order_change"]

_STEP = 1e-4  # of a unit vector: the differences are exact to O(h^4)


def second_order_change(trace: Trace, step: npt.NDArray[np.float64]) -> float:
    """Return s^T H s / 2, the second term of L(w + s) = L + g^T s + s^T H s / 2 + O(|s|^3).

    H s comes from fourth-order central differences of the gradient along s, never from H itself.

    Parameters
    ----------
    trace : Trace
        The pass at w; its dropout masks are used throughout.
    step : ndarray
        s, one number per parameter.

    Returns
    -------
    float
        0 for a step of length 0.
    """
    with np.errstate(over="ignore"):
        length = float(np.linalg.norm(step))
    if length == 0 or not np.isfinite(length):
        return 0.0 if length == 0 else np.nan
    unit = step / length

    def slope_at(shift: float) -> float:
        moved = trace.parameters.like(trace.parameters.flat + shift * unit)
        return float(retrace(trace, moved).gradients.flat @ unit)

    near = slope_at(_STEP) - slope_at(-_STEP)
    far = slope_at(2 * _STEP) - slope_at(-2 * _STEP)
    return (8.0 * near - far) / (12.0 * _STEP) * length**2 / 2
