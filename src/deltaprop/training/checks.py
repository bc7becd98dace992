"""What ``train`` is given, checked once, before anything is changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError, ShapeError
from deltaprop.functional.losses import sample_shares
from deltaprop.model.spec import Network
from deltaprop.model.targets import (
    ClassWeight,
    class_weights,
    prepare_targets,
    refuse_non_finite,
)

__all__ = [
    "check_inputs",
    "check_monitor",
    "check_rows",
    "check_settings",
    "check_validation",
    "row_weights",
]

Array = npt.NDArray[np.float64]

_MONITORS = ("val_loss", "val_metric", "loss")
_ROWS_AT_ONCE = 65536


def check_settings(
    batch_size: Any,
    epochs: Any,
    dtype: str,
    patience: Any,
    min_improvement: Any,
    time_budget: Any,
    n_threads: Any,
) -> None:
    """Raise SettingError for the first setting outside its range."""
    whole = {"batch_size": batch_size, "patience": patience, "n_threads": n_threads}
    for name, value in {**whole, "epochs": epochs}.items():
        if value is None and name in whole:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise SettingError(f"{name} is {value!r}; it is a whole number of at least 1.")
    if dtype not in ("float32", "float64"):
        raise SettingError(f"dtype is {dtype!r}; it is 'float32' or 'float64'.")
    if time_budget is not None and not (
        isinstance(time_budget, (int, float)) and 0 < time_budget < np.inf
    ):
        raise SettingError(f"time_budget is {time_budget!r}; it is a number of seconds > 0.")
    if not (isinstance(min_improvement, (int, float)) and 0 <= min_improvement < np.inf):
        raise SettingError(f"min_improvement is {min_improvement!r}; it is a number >= 0.")


def check_monitor(monitor: str | None, validated: bool) -> str:
    """Return what is monitored, or raise SettingError."""
    if monitor is None:
        return "val_loss" if validated else "loss"
    if monitor not in _MONITORS:
        raise SettingError(f"monitor is {monitor!r}; it is one of {', '.join(_MONITORS)}.")
    if monitor != "loss" and not validated:
        raise SettingError(f"monitor={monitor!r} needs validation rows: pass X_val and y_val.")
    return monitor


def check_inputs(network: Network, X: Any, name: str) -> Any:
    """Return X as an array or CSR matrix of finite numbers; ``name`` is for messages."""
    rows: Any = X.tocsr() if hasattr(X, "tocsr") else np.asarray(X)
    values: Any = rows.data if hasattr(rows, "tocsr") else rows
    if values.dtype.kind not in "biuf":
        raise DataError(
            f"{name} has dtype {values.dtype}; expected numbers. Tables with strings, dates or "
            "missing values go through the table tools (TableModel, deltaprop train)."
        )
    if len(rows.shape) != 2 or rows.shape[1] != network.n_in:
        raise ShapeError(
            f"{name} has shape {rows.shape}; the network has {network.n_in} inputs, so "
            f"(n, {network.n_in}) was expected."
        )
    if rows.shape[0] == 0:
        raise DataError(f"{name} has no rows; at least one is needed.")
    if values is not rows:
        refuse_non_finite(values[None, :], f"{name}, among its stored values,")
    elif values.dtype.kind == "f":
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            refuse_non_finite(rows[start : start + _ROWS_AT_ONCE], name, first_row=start)
    return rows


def check_rows(network: Network, X: Any, y: npt.ArrayLike, name: str) -> tuple[Any, Any]:
    """Return the rows and their targets, checked; ``name`` is for messages."""
    rows = check_inputs(network, X, name)
    return rows, prepare_targets(network, y, rows.shape[0])


def check_validation(
    network: Network, X_val: Any, y_val: npt.ArrayLike | None
) -> tuple[Any, Any] | None:
    """Return the validation rows and targets, or None when there are none."""
    if (X_val is None) != (y_val is None):
        raise SettingError("X_val and y_val belong together; one of them is missing.")
    if X_val is None or y_val is None:
        return None
    return check_rows(network, X_val, y_val, "X_val")


def row_weights(
    network: Network,
    targets: Any,
    n: int,
    sample_weight: npt.ArrayLike | None,
    class_weight: ClassWeight,
) -> Array | None:
    """Return the weight of each row, with mean 1 over the rows that count, or None."""
    by_class = class_weights(network, targets, class_weight)
    if sample_weight is None and by_class is None:
        return None
    given = 1.0 if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    shares = sample_shares(n, np.asarray(given * (1.0 if by_class is None else by_class)))
    weights: Array = shares * np.count_nonzero(shares)  # mean 1 over the rows that count
    return weights
