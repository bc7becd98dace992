"""Probabilities that mean what they say: one temperature T, fitted on the validation rows.

p = softmax(z / T). T > 1 makes a network less sure, T < 1 surer; which class is likeliest never
changes. T is where the mean cross-entropy of the validation rows

    C(b) = 1/n sum_i [log sum_j exp(b z_ij) - b z_iy],      b = 1/T,

is least. C is convex in b: its slope is the mean of E_p[z] - z_y, its curvature that of Var_p[z].
Rows that are all right would ask for T = 0 however few they are; then, and only then, one row's
worth of doubt is put into the labels: z_y becomes (1 - e) z_y + e mean_j z_j with e = 1 / (n + 1).

References
----------
Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", 2017: temperature
scaling and the expected calibration error. Platt, "Probabilistic outputs for support vector
machines", 1999: the doubt in the labels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError
from deltaprop.functional.outputs import softmax

__all__ = [
    "Calibration",
    "ReliabilityBin",
    "calibrate",
    "expected_calibration_error",
    "fit_temperature",
    "reliability_curve",
]

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

_HOTTEST = 20.0  # T stays in [1 / 20, 20]
_MOST_STEPS = 100
_CLOSE = 1e-12  # relative change of 1/T at which the search ends
_MOST_BINS, _ROWS_PER_BIN = 10, 10


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows of about equal confidence."""

    confidence: float  # the mean of their largest probability
    accuracy: float  # the share of them whose likeliest class is the true one
    rows: int

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise DataError(f"A bin of {self.rows} rows tells nothing.")


@dataclass(frozen=True)
class Calibration:
    """A temperature, and what it did for the rows it was fitted on: with T = 1, and with this T."""

    temperature: float  # T, above 0; the logits are divided by it
    rows: int
    loss_before: float  # their mean cross-entropy
    loss_after: float
    error_before: float  # their expected calibration error
    error_after: float
    before: tuple[ReliabilityBin, ...]  # their reliability curve, in ascending confidence
    after: tuple[ReliabilityBin, ...]

    def __post_init__(self) -> None:
        if not 1 / _HOTTEST <= self.temperature <= _HOTTEST or self.rows < 1:
            raise DataError(
                f"temperature is {self.temperature!r} of {self.rows} rows; it is a number from "
                f"1/{_HOTTEST:g} to {_HOTTEST:g} of at least one."
            )


def calibrate(logits: Array, labels: Labels, weights: Array | None = None) -> Calibration | None:
    """Fit T to validation rows, z of shape (n, k), and say what it did.

    ``labels`` are the true classes, (n,); or of k labels 0 and 1, (n, k), each of which is a
    question of its own whose answers have the logits 0 and z, for sigmoid(z) is their softmax. None
    where nothing can be fitted: no rows, or logits that are not finite.
    """
    if len(logits) == 0 or not np.isfinite(logits).all():
        return None
    if labels.ndim == 2:
        n, k = logits.shape
        each = None if weights is None else np.repeat(weights, k)
        z = np.column_stack([np.zeros(n * k), logits.ravel()])
        found = calibrate(z, labels.ravel().astype(np.int64), each)
        return None if found is None else replace(found, rows=n)
    if weights is not None:
        counts = np.flatnonzero(weights > 0)
        logits, labels, weights = logits[counts], labels[counts], weights[counts]
        if len(logits) == 0:
            return None
    temperature = fit_temperature(logits, labels, weights)
    cooled = logits / temperature
    curves = [reliability_curve(softmax(z), labels, weights) for z in (logits, cooled)]
    return Calibration(
        temperature,
        len(labels),
        _cross_entropy(logits, labels, weights),
        _cross_entropy(cooled, labels, weights),
        expected_calibration_error(curves[0]),
        expected_calibration_error(curves[1]),
        *curves,
    )


def fit_temperature(logits: Array, labels: Labels, weights: Array | None = None) -> float:
    """Return T, from 1/20 to 20; never one that is worse on these rows than T = 1.

    Newton's method on the slope of C, kept between the points where the slope is known to be
    negative and positive; where a step would leave them, they are halved instead. T is 1 where the
    logits of every row are all the same, for then it changes nothing.
    """
    n, k = logits.shape
    z = logits - logits.max(axis=1, keepdims=True)  # shifting a row changes no probability
    true = z[np.arange(n), labels]
    doubt = 1.0 / (n + 1) if (true == 0).all() else 0.0
    aim = float(np.average((1 - doubt) * true + doubt * z.sum(axis=1) / k, weights=weights))

    def slope_and_curvature(b: float) -> tuple[float, float]:
        with np.errstate(over="ignore", invalid="ignore"):  # then halving goes on instead
            p = softmax(b * z)
            mean = np.sum(p * z, axis=1)
            spread = np.sum(p * (z - mean[:, None]) ** 2, axis=1)
            slope = float(np.average(mean, weights=weights)) - aim
            return slope, float(np.average(spread, weights=weights))

    low, high, b = 1 / _HOTTEST, _HOTTEST, 1.0
    for _ in range(_MOST_STEPS):
        slope, curvature = slope_and_curvature(b)
        if slope == 0.0:
            break
        low, high = (b, high) if slope < 0 else (low, b)
        step = b - slope / curvature if curvature > 0 else -1.0
        following = step if low < step < high else (low + high) / 2
        close = abs(following - b) <= _CLOSE * b
        b = following
        if close:
            break
    before, after = (_cross_entropy(factor * z, labels, weights) for factor in (1.0, b))
    return 1 / b if after <= before else 1.0


def _cross_entropy(logits: Array, labels: Labels, weights: Array | None) -> float:
    """Return the mean of log sum_j exp(z_j) - z_y."""
    z = logits - logits.max(axis=1, keepdims=True)
    each = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels]
    return float(np.average(each, weights=weights))


def reliability_curve(
    probabilities: Array, labels: Labels, weights: Array | None = None
) -> tuple[ReliabilityBin, ...]:
    """Return confidence beside accuracy, in bins of equally many rows, in ascending confidence.

    There are at most ten, of at least ten rows each where there are twenty.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    order = np.argsort(confidence, kind="stable")
    n_bins = min(max(len(order) // _ROWS_PER_BIN, 1), _MOST_BINS)
    found = []
    for rows in np.array_split(order, n_bins):
        if len(rows):
            own = None if weights is None else weights[rows]
            sure = float(np.average(confidence[rows], weights=own))
            found.append(
                ReliabilityBin(sure, float(np.average(right[rows], weights=own)), len(rows))
            )
    return tuple(found)


def expected_calibration_error(curve: tuple[ReliabilityBin, ...]) -> float:
    """Return sum over bins of rows / n |accuracy - confidence|."""
    n = sum(part.rows for part in curve)
    return sum(part.rows / n * abs(part.accuracy - part.confidence) for part in curve)
