"""What is checked of a loss when it is registered: its delta, its formulas, its short forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.functional.arithmetic import evaluate, parse
from deltaprop.functional.expressions import Operand
from deltaprop.functional.outputs import OUTPUTS, softmax

if TYPE_CHECKING:
    from deltaprop.functional.losses import Loss

__all__ = ["check_loss"]

Array = npt.NDArray[np.float64]


def check_loss(row: Loss) -> None:
    """Raise SettingError where what a row says of itself does not agree."""
    _check_delta(row)
    _check_arithmetic(row)
    _check_by_output(row)
    _check_per_label(row)


def _check_delta(row: Loss) -> None:
    """Compare delta_per_sample with central differences of per_sample, for 1, 2 and 5 outputs."""
    OUTPUTS[row.output]
    rng = np.random.default_rng(20240607)
    h = 1e-3
    for k in (1, 2, 5):
        logits = rng.normal(scale=1.5, size=(7, k))
        targets = _example_targets(row.targets, logits, rng)
        claimed = np.asarray(row.delta_per_sample(logits, targets))
        if claimed.shape != logits.shape:
            raise SettingError(
                f"Loss {row.name!r}: delta_per_sample has shape {claimed.shape} "
                f"for logits of shape {logits.shape}; expected the same shape."
            )
        value_shape = np.shape(row.per_sample(logits, targets))
        if value_shape != (len(logits),):
            raise SettingError(
                f"Loss {row.name!r}: per_sample has shape {value_shape} for logits of shape "
                f"{logits.shape}; expected one value per row, ({len(logits)},)."
            )
        for j in range(k):
            step = h * np.eye(k)[j]
            nearer = row.per_sample(logits + step, targets) - row.per_sample(logits - step, targets)
            further = row.per_sample(logits + 2 * step, targets) - row.per_sample(
                logits - 2 * step, targets
            )
            measured = (8.0 * nearer - further) / (12.0 * h)
            error = np.abs(measured - claimed[:, j]) / np.maximum(1.0, np.abs(measured))
            i = int(np.argmax(np.where(np.isnan(error), np.inf, error)))
            if not error[i] <= 1e-7:
                raise SettingError(
                    f"Loss {row.name!r}: delta_per_sample is not the derivative of per_sample by "
                    f"the logits. With {k} output{'s' * (k > 1)}, output {j}: it gives "
                    f"{claimed[i, j]:g}, central differences give {measured[i]:g}."
                )


def _example_targets(kind: str, logits: Array, rng: np.random.Generator) -> Array:
    if kind == "distribution":
        return softmax(rng.normal(size=logits.shape))
    if kind == "unit":
        return rng.uniform(size=logits.shape)
    if kind == "count":
        return rng.poisson(2.0, size=logits.shape).astype(np.float64)
    if kind == "real":
        return logits + rng.choice([-1, 1], size=logits.shape) * rng.uniform(0.1, 3, logits.shape)
    raise SettingError(f"targets={kind!r}; expected 'distribution', 'unit', 'real' or 'count'.")


def _check_by_output(row: Loss) -> None:
    """Compare dl/dp, multiplied by the Jacobian of the output, with the delta."""
    if row.by_output is None:
        if row.arithmetic is not None and not row.arithmetic[1]:
            raise SettingError(
                f"Loss {row.name!r} has no formula of its delta and none of dl/dp: give one of "
                "them, arithmetic=(value, delta) or by_output."
            )
        return
    rng, h = np.random.default_rng(20240607), 1e-3
    logits = rng.normal(scale=1.5, size=(4, 3))
    targets, f = _example_targets(row.targets, logits, rng), OUTPUTS[row.output].f
    p, upstream = f(logits), np.empty_like(logits)
    for index in np.ndindex(logits.shape):
        names = {"t": Operand("t", float(targets[index])), "p": Operand("p", float(p[index]))}
        upstream[index] = evaluate(parse(row.by_output, names))
    for j, step in enumerate(h * np.eye(logits.shape[1])):
        nearer, further = (f(logits + m * step) - f(logits - m * step) for m in (1, 2))
        slopes = (8.0 * nearer - further) / (12.0 * h)
        got, right = (upstream * slopes).sum(axis=1), row.delta_per_sample(logits, targets)[:, j]
        if not np.allclose(got, right, rtol=1e-7, atol=1e-7):
            raise SettingError(
                f"Loss {row.name!r}: the formula of dl/dp, {row.by_output}, does not give its "
                f"delta by the Jacobian of {row.output}: {got[0]:g} where it is {right[0]:g}."
            )


def _check_per_label(row: Loss) -> None:
    """Compare per_label with per_sample of the targets written out."""
    if row.per_label is None:
        return
    rng = np.random.default_rng(20240607)
    logits, labels = rng.normal(scale=1.5, size=(7, 4)), rng.integers(4, size=7)
    for e in (0.0, 0.25):
        targets = np.eye(4)[labels]
        smoothed = targets if row.smooth is None else row.smooth(targets, e)
        if not np.allclose(row.per_label(logits, labels, e), row.per_sample(logits, smoothed)):
            raise SettingError(
                f"Loss {row.name!r}: per_label does not give what per_sample gives for labels "
                f"smoothed by {e:g}."
            )


def _check_arithmetic(row: Loss) -> None:
    """Evaluate the written formulas and compare them with value and delta."""
    if row.arithmetic is None:
        return
    rng = np.random.default_rng(20240607)
    logits = rng.normal(scale=1.5, size=(4, 3))
    targets = _example_targets(row.targets, logits, rng)
    p = OUTPUTS[row.output].f(logits)
    written = np.zeros((2, *logits.shape))
    for index in np.ndindex(logits.shape):
        names = {
            name: Operand(name, float(array[index]))
            for name, array in (("z", logits), ("t", targets), ("p", p))
        }
        for k, text in enumerate(row.arithmetic):
            if text:
                written[(k, *index)] = evaluate(parse(text, names))
    pairs = [("its value", written[0].sum(axis=1), row.per_sample(logits, targets))]
    if row.arithmetic[1]:
        pairs.append(("its delta", written[1], row.delta_per_sample(logits, targets)))
    for what, got, right in pairs:
        if not np.allclose(got, right, rtol=1e-12, atol=1e-12):
            raise SettingError(
                f"Loss {row.name!r}: the formula of {what} does not give its numbers."
            )
