"""What an MLP estimator is given as X and as weights, brought to numbers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError
from deltaprop.estimators.columns import warn_of_columns
from deltaprop.estimators.sklearn import (
    check_array,
    check_consistent_length,
    check_X_y,
    column_or_1d,
    validate_data,
)
from deltaprop.estimators.targets import plain_targets
from deltaprop.functional.losses import sample_shares
from deltaprop.tabular import (
    TableEncoder,
    TableWarning,
    as_frame,
    as_sparse,
    in_memory,
    is_sparse,
)
from deltaprop.tabular.encoding.fit import refuse_infinite

__all__ = [
    "check_weights",
    "has_preset",
    "is_table",
    "read_new_rows",
    "read_new_table",
    "read_training_rows",
    "read_training_table",
    "take",
    "target_names",
]

Array = npt.NDArray[np.float64]
_FLOATS = (np.float64, np.float32)
_SPARSE = ("csr", "csc")
_NUMBERS_OR_GAPS: dict[str, Any] = {"dtype": _FLOATS, "ensure_all_finite": "allow-nan"}


def has_preset(estimator: Any) -> bool:
    """Return whether the estimator learns as a preset has it, not as scikit-learn does."""
    return estimator.preset is not None


def is_table(X: Any) -> bool:
    """Return whether X is a data frame with anything but complete columns of numbers.

    Only such a frame is encoded; numbers are learnt from as they are, as scikit-learn does. But
    whole numbers beyond 2^53 are encoded, too: as floats they would lose digits.
    """
    return _column_to_encode(X) is not None or _has_long_integers(X)


def _has_long_integers(X: Any) -> bool:
    frame = _as_narwhals(X)
    if frame is None or len(frame) == 0:
        return False
    whole = (column for column in frame.iter_columns() if column.dtype.is_integer())
    return any(max(-int(c.min()), int(c.max())) > 2**53 for c in whole if c.null_count() < len(c))


def _column_to_encode(X: Any) -> str | None:
    """Return the first column of a data frame that is not complete numbers, if there is one."""
    frame = _as_narwhals(X)
    if frame is None:
        return None
    import narwhals as nw

    for column in frame.iter_columns():
        numeric = column.dtype.is_numeric() or column.dtype == nw.Boolean
        if not numeric or column.null_count():
            return str(column.name)
        if column.dtype.is_float() and column.is_nan().any():
            return str(column.name)
    return None


def _as_narwhals(X: Any) -> Any:
    """Return a data frame as narwhals has it; None for anything else."""
    if isinstance(X, (np.ndarray, list, tuple)) or hasattr(X, "tocsr"):
        return None
    import narwhals as nw

    frame = nw.from_native(X, eager_only=True, pass_through=True)
    return frame if isinstance(frame, nw.DataFrame) else None


def _refuse_table(X: Any) -> None:
    name = _column_to_encode(X)
    if name is not None:
        raise DataError(
            f"Column {name!r} of X has words, dates or missing cells, but the estimator was fitted "
            "to complete columns of numbers. Fill or convert the column, or fit the estimator to a "
            "frame that has such cells too."
        )


def read_training_rows(
    estimator: Any, X: Any, y: Any, *, reset: bool, y_numeric: bool
) -> tuple[Any, npt.NDArray[Any]]:
    """Return the rows as numbers (dense or CSR) and y as an array, both checked.

    With ``reset`` the estimator's columns are those of X, and its ``encoder_`` is fitted or None.
    """
    X, y = in_memory(X), plain_targets(in_memory(y), numeric=y_numeric)
    checks: dict[str, Any] = {"multi_output": True, "y_numeric": y_numeric}
    if reset:
        by_name = is_table(X) or _holds_words(X)
        by_name |= has_preset(estimator) and not hasattr(X, "tocsr")
        estimator.encoder_ = TableEncoder.fit(X, where="X") if by_name else None
        _remember_names(estimator, X)
        if by_name:
            named = estimator._columns is not None  # noqa: SLF001
            warn_of_columns(estimator.encoder_, named=named)
    if estimator.encoder_ is None:
        _refuse_table(X)
        X, y = _checked(
            estimator, X, y, reset=reset, accept_sparse=_SPARSE, dtype=_FLOATS, **checks
        )
        return _as_csr(X), _as_column(y)
    if reset:
        validate_data(estimator, X, y, skip_check_array=True)
    elif y is None:
        validate_data(estimator, y=y, skip_check_array=True)
    with warnings.catch_warnings():
        if reset:  # what the rows it was fitted to hold has been told
            warnings.simplefilter("ignore", TableWarning)
        rows = _encoded(estimator, X)
    return rows, _checked_targets(rows, y, y_numeric=y_numeric)


def _checked(estimator: Any, X: Any, *y: Any, reset: bool = True, **checks: Any) -> Any:
    """Do what ``validate_data`` does, but for what polars or pyarrow would convert."""
    frame = _as_narwhals(X)
    if frame is None or (frame.columns and frame.implementation.is_pandas_like()):
        return validate_data(estimator, X, *y, reset=reset, **checks)
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    columns = [column.to_numpy() for column in frame.iter_columns()]
    array = np.column_stack(columns) if columns else np.empty((len(frame), 0))
    if y:
        return check_X_y(array, *y, estimator=estimator, **checks)
    return check_array(array, input_name="X", estimator=estimator, **checks)


def _remember_names(estimator: Any, X: Any) -> None:
    """Keep what the columns were called, in their order; None where nothing names them."""
    frame = _as_narwhals(X)
    estimator._columns = None if frame is None else tuple(map(str, frame.columns))  # noqa: SLF001


def _as_in_training(estimator: Any, X: Any) -> Any:
    """Return a table whose columns are found by name, or where either has no names, by place.

    Explainers and the like give an array of the columns of the frame that was learnt from.
    """
    names = estimator._columns  # noqa: SLF001
    table = as_frame(X)
    if names is not None and _as_narwhals(X) is not None:
        return table
    validate_data(estimator, X, reset=False, skip_check_array=True)  # warns, and counts them
    if names is None:
        names = [f"x{i}" for i in range(len(table.columns))]
    return as_frame(dict(zip(names, table.iter_columns(), strict=True)))


def _checked_targets(rows: Any, y: Any, *, y_numeric: bool) -> npt.NDArray[Any]:
    y = check_array(
        y,
        ensure_2d=False,
        accept_sparse="csr",
        dtype=np.float64 if y_numeric else None,
        input_name="y",
    )
    check_consistent_length(rows, y)
    return _as_column(y)


def read_training_table(
    estimator: Any, X: Any, y: Any, *, y_numeric: bool
) -> tuple[Any, npt.NDArray[Any]]:
    """Return the rows as a table of named columns and y as an array, both checked.

    The columns of a table with words, dates or missing cells are found by their names from now
    on; those of complete numbers by their places, as scikit-learn does.
    """
    X, y = in_memory(X), plain_targets(in_memory(y), numeric=y_numeric)
    estimator._reads_sparse = is_sparse(X)  # noqa: SLF001
    if estimator._reads_sparse:  # noqa: SLF001
        estimator._by_name, estimator._columns = False, None  # noqa: SLF001
        checks: dict[str, Any] = {"multi_output": True, "y_numeric": y_numeric, "dtype": _FLOATS}
        matrix, y = validate_data(estimator, X, y, accept_sparse="csr", **checks)
        names = tuple(map(str, getattr(estimator, "feature_names_in_", ())))
        return as_sparse(matrix, names), _as_column(y)
    estimator._by_name = is_table(X) or _holds_words(X)  # noqa: SLF001
    _remember_names(estimator, X)
    if estimator._by_name:  # noqa: SLF001
        table = as_frame(X)
        validate_data(estimator, X, y, skip_check_array=True)
        if len(table) == 0:
            raise DataError("X has no rows; at least one is needed.")
        for column in table.iter_columns():  # while the rows are in the user's order
            if column.dtype.is_float():
                refuse_infinite(column.to_numpy(), column.name, "X")
        return table, _checked_targets(table, y, y_numeric=y_numeric)
    array, y = _checked(estimator, X, y, multi_output=True, y_numeric=y_numeric, **_NUMBERS_OR_GAPS)
    return _named(estimator, X, array), _as_column(y)


def read_new_table(estimator: Any, X: Any) -> Any:
    """Return rows like those of the training as a table of named columns."""
    X = in_memory(X)
    if estimator._reads_sparse:  # noqa: SLF001
        given = validate_data(estimator, X, reset=False, accept_sparse="csr", dtype=_FLOATS)
        return as_sparse(given)
    X = X.toarray() if hasattr(X, "tocsr") else X
    if estimator._by_name:  # noqa: SLF001
        return _as_in_training(estimator, X)
    return _named(estimator, X, _checked(estimator, X, reset=False, **_NUMBERS_OR_GAPS))


def _named(estimator: Any, X: Any, array: Any) -> Any:
    """Return rows of numbers as a table whose columns are called as they were in training."""
    n = estimator.n_features_in_
    names = estimator._columns or [f"x{i}" for i in range(n)]  # noqa: SLF001
    exact = isinstance(X, np.ndarray) and X.dtype.kind in "iu"  # more digits than floats have
    columns = list(X.T if exact else array.T)
    frame = _as_narwhals(X)
    if frame is not None and len(set(frame.columns)) == n:  # truth values stay what they are
        columns = list(frame.iter_columns())
    return as_frame(dict(zip(names, columns, strict=True)))


def _holds_words(X: Any) -> bool:
    """Return whether an array or a list has cells that are no numbers."""
    of_objects = isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "OU"
    if not (of_objects or isinstance(X, (list, tuple))):
        return False
    try:
        np.asarray(X, dtype=np.float64)
    except ValueError:
        return True
    except TypeError:
        return False  # whoever checks the numbers says what it is
    return False


def read_new_rows(estimator: Any, X: Any) -> Any:
    """Return rows like those of the training as numbers, dense or CSR."""
    X = in_memory(X)
    if estimator.encoder_ is not None:
        return _encoded(estimator, X)
    _refuse_table(X)
    return _as_csr(_checked(estimator, X, reset=False, accept_sparse=_SPARSE))


def _encoded(estimator: Any, X: Any) -> Any:
    rows = estimator.encoder_.transform(_as_in_training(estimator, X), where="X")
    if len(rows) == 0:
        raise DataError("X has no rows; at least one is needed.")
    if isinstance(rows, np.ndarray):
        return rows
    from scipy.sparse import csr_matrix  # what scikit-learn can split

    return csr_matrix((rows.data, rows.indices, rows.indptr), shape=rows.shape)


def _as_csr(X: Any) -> Any:
    return X.tocsr() if hasattr(X, "tocsr") else X


def _as_column(y: Any) -> npt.NDArray[Any]:
    y = y.toarray() if hasattr(y, "toarray") else y
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    array: npt.NDArray[Any] = y
    return array


def check_weights(sample_weight: Any, n: int) -> Array | None:
    """Return the weights of n rows as floats >= 0, not all 0; None where none are given."""
    if sample_weight is None:
        return None
    try:
        weights = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("sample_weight holds something that is not a number.") from None
    if weights.ndim == 0:
        weights = np.full(n, float(weights))
    if weights.ndim != 1:
        raise DataError(
            f"Sample weights must be 1D array or scalar: sample_weight has shape {weights.shape}; "
            f"expected one per row, ({n},)."
        )
    sample_shares(n, weights)
    return weights


def take(rows: Any, *arrays: Any) -> list[Any]:
    """Return some rows of each array; None stays None."""
    return [None if array is None else array[rows] for array in arrays]


def target_names(y: Any) -> tuple[str, ...]:
    """Return the names that a series or a frame of targets brings."""
    if hasattr(y, "columns"):
        return tuple(str(name) for name in y.columns)
    name = getattr(y, "name", None)
    return (name,) if isinstance(name, str) and name else ()
