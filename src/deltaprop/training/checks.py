"""What ``train`` is given, checked once, before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import is_dataclass, replace
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from deltaprop.engines.base import Rows, SparseRows
from deltaprop.errors import DataError, SettingError, ShapeError, shown
from deltaprop.functional.losses import sample_shares
from deltaprop.masked import refuse_masked
from deltaprop.model.backprop import require_fit
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import (
    ClassWeight,
    class_weights,
    prepare_targets,
    refuse_non_finite,
)
from deltaprop.training.optimizers import Optimizer, State

__all__ = [
    "check_computing",
    "check_inputs",
    "check_rows",
    "check_state",
    "check_stopping",
    "check_trainable",
    "check_validation",
    "check_validation_weights",
    "weigh_rows",
]

Array = npt.NDArray[np.float64]
Targets: TypeAlias = npt.NDArray[Any]


R = TypeVar("R", npt.NDArray[Any], SparseRows, Rows)

_ROWS_AT_ONCE = 65536


def check_trainable(network: Network, parameters: Parameters) -> None:
    """Raise unless these are the network's parameters, as numbers that a step can change in place.

    A step rounds integers back and leaves what it is too small for in float32; and compiled code
    would train a copy of whatever is not contiguous float64.
    """
    require_fit(network, parameters)
    flat = parameters.flat
    if flat.dtype != np.float64 or not flat.dtype.isnative or not flat.flags.c_contiguous:
        lies = "" if flat.flags.c_contiguous else " that does not lie in one piece"
        raise DataError(
            f"The parameters are an array of {flat.dtype}{lies}; training changes contiguous "
            "float64 numbers in place. Give it parameters.like(numpy.array(parameters.flat, "
            "dtype=float)); dtype='float32' is how it computes."
        )
    if not flat.flags.writeable:
        raise DataError(
            "The parameters are read-only, and training changes them in place. Train a copy: "
            "parameters.copy()."
        )


def check_state(state: object, optimizer: Optimizer, n: int) -> State:
    """Return the state an earlier run left for n parameters, as copies.

    Raises
    ------
    SettingError
        When it is not what this optimizer keeps: other names, lengths, or numbers not finite.
    """
    expected = optimizer.init(n)
    if not isinstance(state, Mapping) or set(state) != set(expected):
        names = ", ".join(map(str, state)) if isinstance(state, Mapping) else shown(state)
        raise SettingError(
            f"The optimizer's state is {names[:200]}; {optimizer.name} keeps "
            f"{', '.join(expected) or 'none'}. Give what a run with the same optimizer left, or an "
            "empty dict."
        )
    found: State = {}
    for name, first in expected.items():
        value = np.asarray(state[name])
        array = isinstance(first, np.ndarray)
        kinds, shape = "iu" if isinstance(first, int) else "fiu", np.shape(first)
        if value.dtype.kind not in kinds or value.shape != shape:
            raise SettingError(
                f"{name} of the optimizer's state has shape {value.shape} and type {value.dtype}; "
                f"expected {f'{n} numbers' if array else 'one number'}."
            )
        if not np.isfinite(value).all() or (kinds == "iu" and not 0 <= int(value) < 2**62):
            raise SettingError(
                f"{name} of the optimizer's state holds {shown(value)}; expected "
                f"{'finite numbers' if array else 'the number of steps'}."
            )
        found[name] = np.array(value, dtype=np.float64) if array else value.item()
    return found


def check_computing(batch_size: object, dtype: str, n_threads: object) -> None:
    """Raise SettingError for the first setting of how steps are computed outside its range."""
    _check_counts(batch_size=batch_size, n_threads=n_threads)
    if dtype not in ("float32", "float64", "bfloat16"):
        raise SettingError(f"dtype is {dtype!r}; it is 'float32', 'float64' or 'bfloat16'.")


def _check_counts(**counts: object) -> None:
    for name, value in counts.items():
        if value is None and name != "epochs":
            continue
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise SettingError(f"{name} is {value!r}; it is a whole number of at least 1.")


def check_stopping(
    epochs: object, patience: object, min_improvement: object, time_budget: object
) -> None:
    """Raise SettingError for the first setting of when to stop outside its range."""
    _check_counts(epochs=epochs, patience=patience)
    if time_budget is not None and not (
        isinstance(time_budget, (int, float)) and 0 < time_budget < np.inf
    ):
        raise SettingError(f"time_budget is {time_budget!r}; it is a number of seconds > 0.")
    if not (isinstance(min_improvement, (int, float)) and 0 <= min_improvement < np.inf):
        raise SettingError(f"min_improvement is {min_improvement!r}; it is a number >= 0.")


def check_inputs(network: Network, X: object, name: str) -> Rows:
    """Return X as an array or CSR matrix of finite numbers; ``name`` is for messages."""
    refuse_masked(X, name)
    try:
        rows: Rows = X.tocsr() if hasattr(X, "tocsr") else np.asarray(X)
    except ValueError:
        raise ShapeError(f"{name} is no matrix: its rows have different lengths.") from None
    values = rows if isinstance(rows, np.ndarray) else rows.data
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
    if not isinstance(rows, np.ndarray):
        _refuse_malformed_csr(rows, name)
        _refuse_non_finite_csr(rows, name)
    elif values.dtype.kind == "f":
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            refuse_non_finite(rows[start : start + _ROWS_AT_ONCE], name, first_row=start)
    return rows


def _refuse_malformed_csr(rows: SparseRows, name: str) -> None:
    """Raise DataError where entries lie outside the matrix: compiled code would read there."""
    starts, columns = rows.indptr, rows.indices
    n_entries = min(len(columns), len(rows.data))
    if starts[0] < 0 or starts[-1] > n_entries or (starts[1:] < starts[:-1]).any():
        raise DataError(f"The rows of {name} do not lie within its {n_entries} entries.")
    if len(columns) and not 0 <= columns.min() <= columns.max() < rows.shape[1]:
        raise DataError(
            f"{name} has entries in columns {columns.min()} to {columns.max()}, but "
            f"{rows.shape[1]} columns."
        )


def _refuse_non_finite_csr(rows: SparseRows, name: str) -> None:
    bad = ~np.isfinite(rows.data)
    if bad.any():
        place = int(np.argmax(bad))
        row = int(np.searchsorted(rows.indptr, place, side="right")) - 1
        raise DataError(
            f"{name} holds {rows.data[place]} in row {row}, column {rows.indices[place]}; "
            "every value must be a finite number."
        )


def check_rows(network: Network, X: object, y: npt.ArrayLike, name: str) -> tuple[Rows, Targets]:
    """Return the rows and their targets, checked; ``name`` is for messages."""
    rows = _with_own_places(check_inputs(network, X, name))
    targets = prepare_targets(network, y, rows.shape[0])
    return rows, targets.copy() if targets.dtype.kind == "i" else targets


def _with_own_places(rows: Rows) -> Rows:
    """Return a CSR matrix whose places nobody else can change while compiled code reads by them.

    A changed number makes a wrong sum, a changed place reads memory that is not ours.
    """
    if isinstance(rows, np.ndarray):
        return rows
    own = {"indices": rows.indices.copy(), "indptr": rows.indptr.copy()}
    if is_dataclass(rows):
        return replace(rows, **own)
    rows = copy(rows)
    for name, places in own.items():
        setattr(rows, name, places)
    return rows


def check_validation(
    network: Network, X_val: object, y_val: npt.ArrayLike | None
) -> tuple[Rows, Targets] | None:
    """Return the validation rows and targets, or None when there are none."""
    if (X_val is None) != (y_val is None):
        raise SettingError("X_val and y_val belong together; one of them is missing.")
    if X_val is None or y_val is None:
        return None
    try:
        return check_rows(network, X_val, y_val, "X_val")
    except (ShapeError, DataError) as error:
        raise type(error)(f"In the validation rows: {error}") from None


def check_validation_weights(
    validation: tuple[Rows, Targets] | None, weights: npt.ArrayLike | None
) -> Array | None:
    """Return what each validation row counts; None where all count the same."""
    if weights is None:
        return None
    if validation is None:
        raise SettingError("weight_val needs validation rows: pass X_val and y_val.")
    checked = _floats(weights, "weight_val")
    sample_shares(validation[0].shape[0], checked)
    return checked


def weigh_rows(
    network: Network,
    rows: R,
    targets: Targets,
    sample_weight: npt.ArrayLike | None,
    class_weight: ClassWeight,
) -> tuple[R, Targets, Array | None]:
    """Return the rows that count, their targets, and their weights with mean 1 (None: all 1).

    A row of weight zero leaves no trace: it is gone before anything is counted or averaged.
    """
    if sample_weight is not None:
        sample_weight = _floats(sample_weight, "sample_weight")
        sample_shares(rows.shape[0], sample_weight)
        rows, targets, sample_weight = _without_zeros(rows, targets, sample_weight)
    weights = class_weights(network, targets, class_weight)
    if weights is not None:
        weights = weights if sample_weight is None else weights * sample_weight
        sample_shares(rows.shape[0], weights)
        rows, targets, weights = _without_zeros(rows, targets, weights)
    else:
        weights = sample_weight
    if weights is not None:
        weights = weights / weights.max()
        weights = weights * (len(weights) / weights.sum())  # exactly 1 each where all are equal
    return rows, targets, weights


def _without_zeros(rows: R, targets: Targets, weights: Array) -> tuple[R, Targets, Array]:
    counts = weights > 0
    if counts.all():
        return rows, targets, weights
    return rows[counts], targets[counts], weights[counts]


def _floats(values: npt.ArrayLike, name: str) -> Array:
    refuse_masked(values, name)
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name} holds something that is not a number.") from None
