"""What a user calls y, checked once and brought into the shape the loss works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError, ShapeError, TargetWarning, warn_user
from deltaprop.masked import refuse_masked
from deltaprop.model.spec import Network

__all__ = ["ClassWeight", "class_weights", "dense_targets", "prepare_inputs", "prepare_targets"]

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
ClassWeight: TypeAlias = Mapping[int, float] | npt.ArrayLike | str | None

_EXPECTED = {
    "distribution": "probabilities >= 0 that sum to 1 in each row",
    "unit": "values from 0 to 1",
    "real": "finite numbers",
    "count": "finite numbers >= 0",
}


def prepare_inputs(network: Network, x: npt.ArrayLike) -> Array:
    """Return x as a float64 array of shape (n, n_0), n >= 1.

    ShapeError: it does not fit the network. DataError: a value is not a finite number; the message
    names its row and column.
    """
    refuse_masked(x, "x")
    try:
        inputs = np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"x holds something that is not a number: {error}.") from None
    if inputs.ndim != 2 or inputs.shape[1] != network.n_in:
        hint = " Give one row per sample: x[None, :] makes a batch of one." * (inputs.ndim == 1)
        raise ShapeError(
            f"x has shape {inputs.shape}; the network has {network.n_in} inputs, so "
            f"(n, {network.n_in}) was expected.{hint}"
        )
    if len(inputs) == 0:
        raise DataError("x has no rows; at least one is needed.")
    refuse_non_finite(inputs, "x")
    return inputs


def refuse_non_finite(values: Array, what: str, first_row: int = 0) -> None:
    """Raise DataError naming the first entry of a 2-D array that is NaN or infinite."""
    if np.isfinite(values).all():
        return
    row, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
    raise DataError(
        f"{what} holds {values[row, column]} in row {first_row + row}, column {column}; "
        "every value must be a finite number."
    )


def prepare_targets(network: Network, y: npt.ArrayLike, n: int) -> Array | Labels:
    """Return y as class labels of shape (n,) or as targets of shape (n, n_L).

    One dimension of whole numbers with several outputs means labels; one dimension with one output
    means one target per row.

    ShapeError: the number of rows or outputs does not fit. DataError: a value is outside what the
    loss can learn from; the message names its row.
    """
    refuse_masked(y, "The targets array")
    try:
        values = np.asarray(y)
    except ValueError:
        raise ShapeError("The targets are no matrix: their rows have different lengths.") from None
    if values.dtype.kind not in "biuf":
        raise DataError(
            f"The targets have dtype {values.dtype}; expected numbers: integer labels from 0, "
            "one-hot rows, or values."
        )
    if values.ndim not in (1, 2) or len(values) != n:
        raise ShapeError(f"The targets have shape {values.shape} but x has {n} rows.")
    if values.ndim == 1 and network.n_out > 1 and network.loss.targets in ("distribution", "unit"):
        return _prepare_labels(values, network.n_out)
    k = network.n_out
    if values.ndim == 1 and k == 1 and network.loss.targets == "distribution":
        values = np.ones((n, 1)) if (values == 0).all() else values
    targets = values.astype(np.float64).reshape(n, -1) if values.ndim == 1 else values.astype(float)
    if targets.shape != (n, k):
        raise ShapeError(
            f"The targets have {targets.shape[1]} columns but the network has {k} outputs."
        )
    refuse_non_finite(targets, "The targets array")
    bad = _outside(network.loss.targets, targets)
    if bad.any():
        row = int(np.argmax(bad))
        found, expected = targets[row].tolist(), _EXPECTED[network.loss.targets]
        if not network.loss.takes_any:
            raise DataError(
                f"Targets of row {row} are {found}; {network.loss_name} learns from {expected}."
            )
        warn_user(
            f"Targets of row {row} are {found}; the outputs of {network.loss_name} are {expected} "
            "and never reach them. The squared error has its least value at the nearest output.",
            TargetWarning,
        )
    return targets


def _prepare_labels(values: npt.NDArray[np.generic], k: int) -> Labels:
    numbers = values.astype(np.float64)
    broken = ~(np.abs(numbers) < 2**53) | (numbers != np.floor(numbers))
    if broken.any():
        row = int(np.argmax(broken))
        raise DataError(
            f"The target of row {row} is {values[row]}; one-dimensional targets of a network "
            f"with {k} outputs are whole-number class labels from 0 to {k - 1}."
        )
    labels = values.astype(np.int64)
    bad = (labels < 0) | (labels >= k)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"The label of row {row} is {labels[row]}; with {k} outputs labels run from 0 "
            f"to {k - 1}."
        )
    return labels


def _outside(kind: str, targets: Array) -> npt.NDArray[np.bool_]:
    bad = np.zeros(len(targets), dtype=bool)
    if kind in ("distribution", "unit", "count"):
        bad |= np.any(targets < 0, axis=1)
    if kind == "distribution":
        bad |= np.abs(targets.sum(axis=1) - 1.0) > 1e-6
    if kind == "unit":
        bad |= np.any(targets > 1, axis=1)
    return bad


def dense_targets(targets: Array | Labels, k: int) -> Array:
    """Return targets of shape (n, k): labels become one-hot rows, the rest stays as it is."""
    if targets.ndim == 2:
        return targets.astype(np.float64, copy=False)
    one_hot = np.zeros((len(targets), k))
    one_hot[np.arange(len(targets)), targets] = 1.0
    return one_hot


def class_weights(network: Network, targets: Array | Labels, weights: ClassWeight) -> Array | None:
    """Return each row's weight by its class, of shape (n,), or None when ``weights`` is None.

    A row's class is its label or its largest target (``prepare_targets``); with one output it is 1
    where the target is at least 0.5. Classes left out of a dict weigh 1. "balanced" is n / (number
    of classes * rows of the class).
    """
    if weights is None:
        return None
    if network.loss.targets not in ("distribution", "unit"):
        raise SettingError(f"class_weight has no meaning for {network.loss_name}: no classes.")
    if targets.ndim == 1:
        classes = np.asarray(targets, dtype=np.int64)
    elif network.n_out == 1:
        classes = (targets[:, 0] >= 0.5).astype(np.int64)
    else:
        classes = targets.argmax(axis=1)
    k = max(network.n_out, 2)
    if isinstance(weights, str):
        if weights != "balanced":
            raise SettingError(
                f"class_weight is {weights!r}; expected 'balanced', a dict or a list."
            )
        counts = np.bincount(classes, minlength=k)
        table = len(classes) / (max(int((counts > 0).sum()), 1) * np.maximum(counts, 1))
    elif isinstance(weights, Mapping):
        unknown = [label for label in weights if label not in range(k)]
        if unknown:
            raise SettingError(
                f"class_weight names class {unknown[0]!r}; classes are 0 to {k - 1}."
            )
        table = np.array([float(weights.get(label, 1.0)) for label in range(k)])
    else:
        refuse_masked(weights, "class_weight")
        table = np.asarray(weights, dtype=np.float64)
        if table.shape != (k,):
            raise SettingError(
                f"class_weight has shape {table.shape}; expected one for each of {k}."
            )
    bad = ~(np.isfinite(table) & (table >= 0))
    if bad.any():
        label = int(np.argmax(bad))
        raise SettingError(
            f"class_weight of class {label} is {table[label]:g}; weights are finite numbers >= 0."
        )
    return np.asarray(table[classes], dtype=np.float64)
