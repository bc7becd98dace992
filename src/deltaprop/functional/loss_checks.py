"""What is checked of a loss when it is registered: its delta, its formulas, its short forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.functional.arithmetic import evaluate, parse
from deltaprop.functional.arrays import by_formula
from deltaprop.functional.differences import central_difference, worst_entry
from deltaprop.functional.expressions import Operand
from deltaprop.functional.forms import fitting
from deltaprop.functional.outputs import OUTPUTS, softmax

if TYPE_CHECKING:
    from deltaprop.functional.losses import Loss

__all__ = ["check_loss", "is_computed"]

Array = npt.NDArray[np.float64]


def check_loss(row: Loss) -> None:
    """Raise SettingError where what a row says of itself does not agree."""
    OUTPUTS[row.output]
    for k in (1, 2, 5):
        _check_delta(row, *_example(row, k))
    logits, targets = _example(row, 3)
    _check_arithmetic(row, logits, targets)
    _check_elsewhere(row)
    _check_by_output(row, logits, targets)
    _check_per_label(row)


def _example(row: Loss, k: int) -> tuple[Array, Array]:
    """Return logits of 7 samples with k outputs, and targets that the loss can learn from."""
    rng = np.random.default_rng(20240607)
    logits = rng.normal(scale=1.5, size=(7, k))
    signs = rng.choice([-1, 1], size=logits.shape)
    targets = {
        "distribution": softmax(rng.normal(size=logits.shape)),
        "unit": rng.uniform(size=logits.shape),
        "count": rng.poisson(2.0, size=logits.shape).astype(np.float64),
        "real": logits + signs * rng.uniform(0.1, 3, logits.shape),
    }
    if row.targets not in targets:
        raise SettingError(
            f"targets={row.targets!r}; expected 'distribution', 'unit', 'real' or 'count'."
        )
    return logits, targets[row.targets]


def _check_delta(row: Loss, logits: Array, targets: Array) -> None:
    """Compare delta_per_sample with central differences of per_sample."""
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
    k, clear = logits.shape[1], np.ones(logits.shape, dtype=bool)
    for kink in row.kinks:
        clear &= np.abs(logits - targets - kink) > 0.01
    for j, step in enumerate(np.eye(k)):
        measured = central_difference(lambda z: row.per_sample(z, targets), logits, step)
        worst = worst_entry(claimed[:, j], np.where(clear[:, j], measured, claimed[:, j]))
        if worst is not None:
            raise SettingError(
                f"Loss {row.name!r}: delta_per_sample is not the derivative of per_sample by "
                f"the logits. With {k} output{'s' * (k > 1)}, output {j}: it gives "
                f"{claimed[worst, j]:g}, central differences give {measured[worst]:g}."
            )


def _check_arithmetic(row: Loss, logits: Array, targets: Array) -> None:
    """Evaluate the written formulas and compare them with value and delta."""
    value, delta = row.arithmetic or ("", "")
    arrays = {"z": logits, "t": targets, "p": OUTPUTS[row.output].f(logits)}
    for what, formula, right in (
        ("value", value, row.per_sample(logits, targets)),
        ("delta", delta, row.delta_per_sample(logits, targets)),
    ):
        if not formula:
            continue
        got = np.broadcast_to(by_formula(formula, **arrays), logits.shape)
        if not np.allclose(got.sum(axis=1) if what == "value" else got, right, 1e-12, 1e-12):
            raise SettingError(
                f"Loss {row.name!r}: the formula of its {what} does not give its numbers."
            )


def _check_elsewhere(row: Loss) -> None:
    """Look for a form of the value that comes to its number, wherever the only logit is."""
    if row.arithmetic is None or not row.elsewhere:
        return
    texts = (row.arithmetic[0], *row.elsewhere)
    target = {"unit": 0.3, "count": 2.0, "real": 0.3, "distribution": 1.0}[row.targets]
    for point in (-800.0, -40.0, -8.0, -1e-12, 1e-12, 8.0, 40.0, 800.0):
        logits, targets = np.array([[point]]), np.array([[target]])
        right = float(row.per_sample(logits, targets)[0])
        arrays = {"z": point, "t": target, "p": float(OUTPUTS[row.output].f(logits)[0, 0])}
        names = {name: Operand(name, number) for name, number in arrays.items()}
        written = evaluate(fitting([parse(text, names) for text in texts], right))
        if not abs(written - right) <= 1e-6 * abs(right):
            raise SettingError(
                f"Loss {row.name!r}: none of the formulas of its value, {', '.join(texts)}, comes "
                f"to {right:g}, which per_sample gives for z = {point:g} and t = {target:g}."
            )


def is_computed(row: Loss) -> bool:
    """Return whether ``stably`` gives the value, wherever the logits are.

    A row that somebody made of another with a value of its own has that one's still.
    """
    if row.stably is None:
        return False
    logits, targets = _example(row, 3)
    for scale in (1e-9, 1.0, 30.0, 800.0):
        z = scale * logits
        terms = by_formula(row.stably, z=z, t=targets, p=OUTPUTS[row.output].f(z))
        if not np.allclose(terms.sum(axis=1), row.per_sample(z, targets), 1e-12, 1e-12):
            return False
    return True


def _check_by_output(row: Loss, logits: Array, targets: Array) -> None:
    """Compare dl/dp, multiplied by the Jacobian of the output, with the delta."""
    if row.by_output is None:
        if row.arithmetic is not None and not row.arithmetic[1]:
            raise SettingError(
                f"Loss {row.name!r} has no formula of its delta and none of dl/dp: give one of "
                "them, arithmetic=(value, delta) or by_output."
            )
        return
    f = OUTPUTS[row.output].f
    upstream = by_formula(row.by_output, t=targets, p=f(logits))
    for j, step in enumerate(np.eye(logits.shape[1])):
        slopes = central_difference(f, logits, step)
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
