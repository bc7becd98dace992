"""What an MLP estimator is given as X and as weights, brought to numbers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError, warn_user
from deltaprop.estimators.parameters import Settings
from deltaprop.estimators.sklearn import (
    BaseEstimator,
    check_array,
    check_consistent_length,
    check_X_y,
    column_or_1d,
    validate_data,
)
from deltaprop.estimators.targets import plain_targets
from deltaprop.masked import refuse_masked
from deltaprop.tabular import (
    TableEncoder,
    TableWarning,
    as_frame,
    as_sparse,
    in_memory,
    is_sparse,
)
from deltaprop.tabular.encoding.cells import refuse_infinite
from deltaprop.tabular.encoding.fit import fit_column

__all__ = [
    "Columns", "Given", "read_new_rows", "read_new_table", "read_training_rows",
    "read_training_table", "target_names", "warn_of_columns", "with_places_in",
]  # fmt: skip

_MOST_NAMED = 20  # columns in one warning
_FLOATS = (np.float64, np.float32)
_SPARSE = ("csr", "csc")
_NUMBERS_OR_GAPS: dict[str, Any] = {"dtype": _FLOATS, "ensure_all_finite": "allow-nan"}


@dataclass(frozen=True, eq=False)
class Given:
    """What ``fit`` is given, untouched; see there."""

    X: Any
    y: Any
    sample_weight: Any = None
    X_val: Any = None
    y_val: Any = None

    def __post_init__(self) -> None:
        if (self.X_val is None) != (self.y_val is None):
            raise SettingError("X_val and y_val belong together; one of them is missing.")
        for name, values in vars(self).items():
            refuse_masked(values, name)


@dataclass(frozen=True, eq=False)
class Columns:
    """How rows are read, now that some have been."""

    n: int  # how many there were
    feature_names: npt.NDArray[Any] | None  # of scikit-learn: where all their names are text
    names: tuple[str, ...] | None  # of a data frame
    by_name: bool  # whether they are found by name, since some are no numbers
    sparse: bool  # whether a preset is given a sparse matrix, and never writes its zeros out
    encoder: TableEncoder | None = None  # None where X is numbers, and where a preset encodes

    @classmethod
    def of(cls, estimator: BaseEstimator, X: Any, encoder: TableEncoder | None = None,
           *, by_name: bool, sparse: bool = False) -> Columns:  # fmt: skip
        """Return how rows like X are read, which scikit-learn has validated already."""
        frame = None if sparse else _as_narwhals(X)
        return cls(
            estimator.n_features_in_,
            getattr(estimator, "feature_names_in_", None),
            None if frame is None else tuple(map(str, frame.columns)),
            by_name,
            sparse,
            encoder,
        )

    @property
    def attributes(self) -> dict[str, Any]:
        """Return what scikit-learn knows of them, by its names."""
        known = {} if self.feature_names is None else {"feature_names_in_": self.feature_names}
        return {"n_features_in_": self.n, **known}


def _is_table(X: Any) -> bool:
    """Return whether X has anything but complete columns of numbers.

    Only such a table is encoded; numbers are learnt from as they are, as scikit-learn does. But
    whole numbers of a frame beyond 2^53 are encoded, too: as floats they would lose digits.
    """
    return _column_to_encode(X) is not None or _has_long_integers(X) or _holds_words(X)


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
    estimator: BaseEstimator, X: Any, y: Any, known: Columns | None, settings: Settings
) -> tuple[Columns, Any, npt.NDArray[Any]]:
    """Return how rows are read, these as numbers (dense or CSR), and y as an array, all checked.

    They are read as those before were; where there were none, they decide.
    """
    numeric, reset = settings.numeric, known is None
    X, y = in_memory(X), plain_targets(in_memory(y), numeric=numeric)
    encoder = None if known is None else known.encoder
    dense_for_preset = settings.preset is not None and not hasattr(X, "tocsr")
    if reset and (dense_for_preset or _is_table(X)):
        encoder = TableEncoder.fit(X, where="X")
        warn_of_columns(encoder, named=_as_narwhals(X) is not None)
    if encoder is None:
        _refuse_table(X)
        checks: dict[str, Any] = {"multi_output": True, "y_numeric": numeric, "dtype": _FLOATS}
        rows, y = _checked(estimator, X, y, reset=reset, accept_sparse=_SPARSE, **checks)
        columns = known or Columns.of(estimator, X, by_name=False)
        return columns, _as_csr(rows), _as_column(y)
    if reset:
        validate_data(estimator, X, y, skip_check_array=True)
    elif y is None:
        validate_data(estimator, y=y, skip_check_array=True)
    columns = known or Columns.of(estimator, X, encoder, by_name=True)
    with warnings.catch_warnings():
        if reset:  # what the rows it was fitted to hold has been said
            warnings.simplefilter("ignore", TableWarning)
        rows = _encoded(estimator, columns, encoder, X)
    return columns, rows, _checked_targets(rows, y, numeric=numeric)


def _checked(estimator: BaseEstimator, X: Any, *y: Any, reset: bool = True, **checks: Any) -> Any:
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


def _as_in_training(estimator: BaseEstimator, columns: Columns, X: Any) -> Any:
    """Return a table whose columns are found by name, or where either has no names, by place.

    Explainers and the like give an array of the columns of the frame that was learnt from.
    """
    table = as_frame(X)
    if columns.names is not None and _as_narwhals(X) is not None:
        return table
    validate_data(estimator, X, reset=False, skip_check_array=True)  # warns, and counts them
    names = columns.names or [f"x{i}" for i in range(len(table.columns))]
    return as_frame(dict(zip(names, table.iter_columns(), strict=True)))


def _checked_targets(rows: Any, y: Any, *, numeric: bool) -> npt.NDArray[Any]:
    y = check_array(
        y,
        ensure_2d=False,
        accept_sparse="csr",
        dtype=np.float64 if numeric else None,
        input_name="y",
    )
    check_consistent_length(rows, y)
    return _as_column(y)


def read_training_table(
    estimator: BaseEstimator, X: Any, y: Any, *, numeric: bool
) -> tuple[Columns, Any, npt.NDArray[Any]]:
    """Return how rows are read, these as a table of named columns, and y as an array, all checked.

    The columns of a table with words, dates or missing cells are found by their names from now
    on; those of complete numbers by their places, as scikit-learn does.
    """
    X, y = in_memory(X), plain_targets(in_memory(y), numeric=numeric)
    checks: dict[str, Any] = {"multi_output": True, "y_numeric": numeric}
    if is_sparse(X):
        checks |= {"accept_sparse": "csr", "dtype": _FLOATS}
        matrix, y = validate_data(estimator, X, y, **checks)
        columns = Columns.of(estimator, X, by_name=False, sparse=True)
        known = () if columns.feature_names is None else columns.feature_names
        return columns, as_sparse(matrix, tuple(map(str, known))), _as_column(y)
    if _is_table(X):
        table = as_frame(X)
        validate_data(estimator, X, y, skip_check_array=True)
        if len(table) == 0:
            raise DataError("X has no rows; at least one is needed.")
        for column in table.iter_columns():  # while the rows are in the user's order
            if column.dtype.is_float():
                refuse_infinite(column.to_numpy(), column.name, "X")
        columns = Columns.of(estimator, X, by_name=True)
        return columns, table, _checked_targets(table, y, numeric=numeric)
    array, y = _checked(estimator, X, y, **checks, **_NUMBERS_OR_GAPS)
    columns = Columns.of(estimator, X, by_name=False)
    return columns, _named(columns, X, array), _as_column(y)


def read_new_table(estimator: BaseEstimator, columns: Columns, X: Any) -> Any:
    """Return rows like those of the training as a table of named columns."""
    X = in_memory(X)
    if columns.sparse:
        given = validate_data(estimator, X, reset=False, accept_sparse="csr", dtype=_FLOATS)
        return as_sparse(given)
    X = X.toarray() if hasattr(X, "tocsr") else X
    if columns.by_name:
        return _as_in_training(estimator, columns, X)
    return _named(columns, X, _checked(estimator, X, reset=False, **_NUMBERS_OR_GAPS))


def _named(columns: Columns, X: Any, array: Any) -> Any:
    """Return rows of numbers as a table whose columns are called as they were in training."""
    names = columns.names or [f"x{i}" for i in range(columns.n)]
    exact = isinstance(X, np.ndarray) and X.dtype.kind in "iu"  # more digits than floats have
    cells = list(X.T if exact else array.T)
    frame = _as_narwhals(X)
    if frame is not None and len(set(frame.columns)) == columns.n:
        cells = list(frame.iter_columns())  # truth values stay what they are
    return as_frame(dict(zip(names, cells, strict=True)))


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


def read_new_rows(estimator: BaseEstimator, columns: Columns, X: Any) -> Any:
    """Return rows like those of the training as numbers, dense or CSR."""
    X = in_memory(X)
    if columns.encoder is not None:
        return _encoded(estimator, columns, columns.encoder, X)
    _refuse_table(X)
    return _as_csr(_checked(estimator, X, reset=False, accept_sparse=_SPARSE))


def _encoded(estimator: BaseEstimator, columns: Columns, encoder: TableEncoder, X: Any) -> Any:
    rows = encoder.transform(_as_in_training(estimator, columns, X), where="X")
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


def target_names(y: Any) -> tuple[str, ...]:
    """Return the names that a series or a frame of targets brings."""
    if hasattr(y, "columns"):
        return tuple(str(name) for name in y.columns)
    name = getattr(y, "name", None)
    return (name,) if isinstance(name, str) and name else ()


def warn_of_columns(encoder: TableEncoder, *, named: bool) -> None:
    """Warn of the columns that are left out or reduced, by their names.

    Of an array, whose columns have no names, constant ones are not worth a word.
    """
    said = []
    for column in encoder.columns:
        if column.rest:
            said.append(f"{column.name!r} ({column.rest:,} rarer categories are taken as unknown)")
        elif not column.n_outputs and (named or not column.is_constant):
            said.append(f"{column.name!r} ({column.note})")
    if len(said) > _MOST_NAMED:
        said[_MOST_NAMED:] = [f"{len(said) - _MOST_NAMED:,} more"]
    sentences = [f"Columns of X are left out or reduced: {'; '.join(said)}."] if said else []
    sentences += encoder.warnings
    if sentences:
        sentences.append("Convert such columns, or leave them out yourself.")
        warn_user(" ".join(sentences), TableWarning)


def with_places_in(encoder: TableEncoder, table: Any) -> TableEncoder:
    """Return an encoder whose warnings name the rows by their places in this table."""
    about: list[str] = []
    for column in encoder.columns:
        if any(text.startswith(f"Column {column.name!r} ") for text in encoder.warnings):
            about += fit_column(table[column.name].to_native(), "X")[1]
    return replace(encoder, warnings=tuple(about))
