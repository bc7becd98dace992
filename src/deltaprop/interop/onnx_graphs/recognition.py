"""Which activation operations of a graph come to: told by their numbers, however they are written.

x Sigmoid(x), Erf and halves, Where and Exp: what an exporter makes of an activation has many forms,
but one function. It is worked out at many places and compared with what is registered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.interop.onnx_graphs.operators import OPERATORS
from deltaprop.interop.onnx_graphs.rows import Row, Step, evaluated, occurrences

__all__ = ["recognized", "written"]

Array = npt.NDArray[Any]
_FINE, _COARSE = 2e-6, 4e-3  # constants are float32, or halves
_PLACES = np.linspace(-12.0, 12.0, 97) + 0.013
_MOST = 2**22  # numbers of a comparison
_NAMES = ("identity", "relu", "sigmoid", "tanh")  # tried first; the others as they are registered


def recognized(row: Row, *, is_coarse: bool) -> list[Step] | None:
    """Return the steps from the base of a row to the row; None where no step gives its numbers."""
    if row.core is None:
        return [] if row.is_plain else [_diagonal(row)]
    within = _COARSE if is_coarse else _FINE
    found = _joined if row.core.joins else _elementwise
    if row.scale.size == row.shift.size == 1 and (whole := found(row, within)) is not None:
        return whole
    steps = found(replace(row, scale=np.ones(()), shift=np.zeros(())), within)
    return None if steps is None else [*steps, _diagonal(row)]


def _diagonal(row: Row) -> Step:
    return Step("diagonal", {"s": row.scale, "t": row.shift})


def _elementwise(row: Row, within: float) -> list[Step] | None:
    assert row.core is not None
    z = _PLACES[:: 1 + row.base.width * len(_PLACES) // _MOST, None]
    wide = row.base.width if row.core.differs else 1
    values = evaluated(row, np.broadcast_to(z, (len(z), wide)))
    if values.shape != (len(z), wide) or not np.isfinite(values).all():
        return None
    for slope, name, f in _candidates(row, z):
        if _is_near(values, f, within):
            return [*_scaled(slope), *_function(name)]
    for slope, name, f in _candidates(row, z):
        at = np.abs(f[:, 0]).argmax()
        scale = values[at] / f[at]
        if np.isfinite(scale).all() and _is_near(values, scale * f, within):
            return [*_scaled(slope), *_function(name), *_scaled(scale)]
    for _, name, f in _candidates(row, z, slopes=(1.0,)):
        at = np.abs(f - z)[:, 0].argmax()
        if f[at] == z[at] or name == "exp":
            continue
        alpha = (values[at] - z[at]) / (f[at] - z[at])
        if _is_near(values, z + alpha * (f - z), within):
            return [Step("mixture", {"name": name, "alpha": alpha})]
    return None


def _candidates(
    row: Row, z: Array, slopes: tuple[float, ...] = ()
) -> Iterator[tuple[float, str, Array]]:
    """Yield k, the name of f, and f(k z): for k = 1 first, then for what z is multiplied by."""
    factors = [-1.0, *sorted(occurrences(row)[0] - {1.0, -1.0}, key=abs)[:6]]
    names = [*_NAMES, *(name for name in ACTIVATIONS if name not in _NAMES)]
    with np.errstate(all="ignore"):
        for slope in slopes or (1.0, *factors):
            for name in names:
                yield slope, name, np.asarray(ACTIVATIONS[name].f(slope * z))
            yield slope, "exp", np.exp(slope * z)


def _scaled(by: float | Array) -> list[Step]:
    factor = np.atleast_1d(np.asarray(by, dtype=np.float64))
    return [] if (factor == 1).all() else [Step("diagonal", {"s": factor, "t": np.zeros(())})]


def _function(name: str) -> list[Step]:
    if name == "exp":
        return [Step("exp")]
    return [] if name == "identity" else [Step("function", {"name": name})]


def _joined(row: Row, within: float) -> list[Step] | None:
    """Return the step of operations with a sum over the row in them: a norm, or softmax."""
    n, width = max(4, min(24, _MOST // row.base.width)), row.base.width
    x = 2.0 * np.random.default_rng(20240607).normal(size=(n, width)) + 0.5
    values = evaluated(row, x)
    if values.shape != x.shape or not np.isfinite(values).all():
        return None
    for kind, operator in (("softmax", "Softmax"), ("log_softmax", "LogSoftmax")):
        if _is_near(values, OPERATORS[operator](x), within):
            return [Step(kind)]
    centred = x - x.mean(axis=1, keepdims=True)
    for epsilon in sorted(each for each in occurrences(row)[1] if 0 < each < 1):
        deviation = np.sqrt(np.mean(centred**2, axis=1, keepdims=True) + epsilon)
        if _is_near(values, centred / deviation, within):
            return [Step("norm", {"epsilon": written(epsilon)})]
    return None


def written(epsilon: float) -> float:
    """Return a float32 as the short number that it is the nearest to."""
    return float(str(np.float32(epsilon)))


def _is_near(values: Array, others: Array, within: float) -> bool:
    with np.errstate(all="ignore"):
        return bool((np.abs(values - others) <= within * np.maximum(1.0, np.abs(others))).all())
