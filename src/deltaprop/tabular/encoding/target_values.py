"""What the cells of a target say: complete, numbers or words, and asked about where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import DataError, ShapeError, of
from deltaprop.tabular.encoding.cells import listed, shorten, strays_of, to_floats
from deltaprop.tabular.encoding.codes import EXACT, exact_text, is_code
from deltaprop.tabular.encoding.dates import date_format
from deltaprop.tabular.encoding.task import guess_task
from deltaprop.tabular.libraries import pl
from deltaprop.tabular.reading.find_notation import Found, find_notation, read_numbers
from deltaprop.tabular.reading.frames import to_polars
from deltaprop.tabular.reading.notation import Notation
from deltaprop.tabular.reading.series import as_series
from deltaprop.tabular.reading.truth import one_spelling

__all__ = [
    "FEW_WORDS",
    "are_long_integers",
    "are_truths",
    "array_of",
    "as_numbers",
    "complete_values",
    "notation_of",
    "plain_cells",
    "refuse_lost_digits",
    "refuse_words",
    "rows_of",
    "sorted_classes",
    "spelt_alike",
    "target_columns",
    "task_of",
]

FEW_WORDS = 10  # so many may all differ and still be classes


def target_columns(values: object) -> list[pl.Series]:
    """Return the target as one polars series per column."""
    if isinstance(values, np.ndarray):
        several = values.ndim == 2
        if values.ndim not in (1, 2):
            raise ShapeError(
                f"The target is an array with {values.ndim} axes: expected one axis, or two for "
                "several targets."
            )
    elif isinstance(values, (list, tuple)):
        several = bool(values) and isinstance(values[0], (list, tuple))
    else:
        several = hasattr(values, "columns") or isinstance(values, Mapping)
    return list(to_polars(values).iter_columns()) if several else [as_series(values, "target")]


def plain_cells(column: pl.Series, name: str, where: str) -> pl.Series:
    """Return a target as Int64, Float64, truth values or text; NaN is null, other types refused."""
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    column = exact_text(column)
    if column.dtype.is_integer():
        return column.cast(pl.Int64)
    if column.dtype.is_float() or column.dtype.is_decimal():
        return column.cast(pl.Float64).fill_nan(None)
    if column.dtype not in (pl.String, pl.Boolean, pl.Null):
        raise DataError(
            f"{f'{where}: target' if where else 'Target'} {name!r} is of type {column.dtype}; "
            "expected numbers, text or truth values. Convert it, or choose another column."
        )
    return column


def complete_values(column: pl.Series, name: str, where: str) -> NDArray[Any]:
    """Return a target without missing or infinite values as an array."""
    if column.len() == 0:
        raise DataError(
            f"Target {name!r}{of(where)} has no rows: expected at least two. "
            "Check how it is selected."
        )
    column = plain_cells(column, name, where)
    if column.dtype == pl.String:
        column = column.str.strip_chars().replace("", None)
    _refuse_rows(column.is_null(), name, where, "is missing (empty or NaN)")
    if column.dtype == pl.Float64:
        _refuse_rows(column.is_infinite(), name, where, "is infinite")
    return array_of(column)


def array_of(column: pl.Series) -> NDArray[Any]:
    """Return complete cells as an array; text as Python's own."""
    values = column.to_numpy()
    return values.astype(object) if column.dtype == pl.String else values


def _refuse_rows(odd: pl.Series, name: str, where: str, what: str) -> None:
    if odd.any():
        raise DataError(
            f"Target {name!r}{of(where)} {what} in {rows_of(odd)}: expected a value in every row. "
            "Fill in or leave out these rows."
        )


def rows_of(odd: pl.Series) -> str:
    """Return ``row 17, 23, 24 and 4 more`` for the rows of which it is true."""
    rows = (odd.arg_true() + 1).to_list()
    more = f" and {len(rows) - 3} more" if rows[3:] else ""
    return f"row {', '.join(map(str, rows[:3]))}{more}"


def task_of(values: NDArray[Any], name: str, task: str | None, where: str) -> tuple[str, str]:
    """Return the task the values ask for, and why; ask where they do not tell."""
    if values.dtype.kind != "O":
        return guess_task(values)
    guess, reason = guess_task(values)
    if task == "classification":
        return guess, reason
    text = _text_of(values)
    found = Found() if is_code(text) else find_notation(text)
    if found.notation is not None:
        numbers = found.notation.read(text)
        known = to_floats(numbers.drop_nulls())
        guess_of_numbers, reason_of_numbers = guess_task(known)
        if found.notation.unit and len(np.unique(known)) > 2:
            guess_of_numbers, reason_of_numbers = "regression", "the target holds numbers of a unit"
        if guess_of_numbers == "regression" or task == "regression":
            if task is None and (strays := strays_of(text.alias(name), numbers)):
                raise DataError(
                    f"Target {name!r}{of(where)} is {shorten(strays.cell)} in row {strays.row}, "
                    f"{strays.among_numbers}"
                )
            return guess_of_numbers, reason_of_numbers
    if task is None:
        _ask_about_words(text, name, found.why_not, where)
    return guess, reason


def _ask_about_words(text: pl.Series, name: str, why_not: str, where: str) -> None:
    """Refuse to guess what is asked for by words that hardly ever return."""
    n_different = text.str.to_lowercase().n_unique()
    if n_different <= FEW_WORDS or n_different <= text.len() / 2:
        return
    if date_format(text)[0]:
        why_not = "they are dates; days since the first would be numbers"
    reason = f" ({why_not})" if why_not else ""
    raise DataError(
        f"Target {name!r}{of(where)} holds {n_different:,} different words in {text.len():,} rows, "
        f"such as {listed(text.head(3).to_list())}{reason}: most stand in a single row, from which "
        "nothing about others can be learnt. Choose another target; if it is meant to be a number, "
        "write numbers, all in one unit; if each word is a class, say task='classification' "
        "(--task classification)."
    )


def notation_of(values: NDArray[Any]) -> tuple[Notation | None, str]:
    """Return how a target of numbers is written, if not as plain numbers, and what to say of it."""
    if values.dtype.kind != "O":
        return None, ""
    text = _text_of(values)
    found = find_notation(text)
    if found.notation is None:
        return None, ""
    if found.notation.is_plain(text):
        return None, found.doubt
    unit = f" in {found.notation.unit}" if found.notation.unit else ""
    described = f"{found.notation.described(text)}; predictions are plain numbers{unit}"
    return found.notation, "; ".join(filter(None, (found.doubt, described)))


def spelt_alike(values: NDArray[Any]) -> tuple[NDArray[Any], str]:
    """Write truth words that differ only in how they are spelt in one way; see `one_spelling`."""
    if values.dtype.kind != "O":
        return values, ""
    text, merged = one_spelling(_text_of(values))
    return (text.to_numpy().astype(object), merged) if merged else (values, "")


def as_numbers(
    values: NDArray[Any], name: str, where: str, notation: Notation | None
) -> NDArray[np.float64]:
    """Return a target for regression as float64; text must read as numbers."""
    if values.dtype.kind != "O":
        return values.astype(np.float64)
    text = _text_of(values)
    numbers = read_numbers(text, notation)
    strange = (numbers.is_null() | ~numbers.is_finite()).arg_true()
    if strange.len():
        row = int(strange[0])
        raise DataError(
            f"Target {name!r}{of(where)} is {shorten(text[row])} in row {row + 1}: expected a "
            "finite number, because the task is regression. Correct the row, or choose "
            "task='classification'."
        )
    return to_floats(numbers)


def are_long_integers(values: NDArray[Any]) -> bool:
    """Tell whether these are whole numbers some of which a float64 does not tell apart."""
    return values.dtype.kind in "iu" and max(-int(values.min()), int(values.max())) > EXACT


def refuse_lost_digits(values: NDArray[Any], y: NDArray[np.float64], name: str, where: str) -> None:
    """Refuse whole numbers that would not be told apart as floats."""
    if are_long_integers(values) and np.unique(y).size < np.unique(values).size:
        low, high = int(values.min()), int(values.max())
        raise DataError(
            f"Target {name!r}{of(where)} holds whole numbers from {low} to {high}, some of which "
            "differ only in digits beyond the 15 that a number keeps: expected numbers that can be "
            f"told apart. Take {low} from all of them; or if they are codes of classes, say "
            "task='classification'."
        )


def _text_of(values: NDArray[Any]) -> pl.Series:
    return pl.Series(values.tolist(), dtype=pl.String)


def refuse_words(arrays: Sequence[NDArray[Any]], names: Sequence[str], where: str) -> None:
    """Refuse words among several targets, which share a network."""
    for values, name in zip(arrays, names, strict=True):
        if values.dtype.kind == "O" and task_of(values, name, None, where)[0] == "classification":
            raise DataError(
                f"Target {name!r}{of(where)} holds words, beside {len(arrays) - 1} more targets: "
                "targets that share a network are all numbers, or all true or false. "
                "deltaprop.TargetModels, and deltaprop train, learn each by a model of its own."
            )


def are_truths(values: NDArray[Any]) -> bool:
    """Return whether there are only truth values, 0 and 1, or the words true and false."""
    if values.dtype.kind == "O":
        return {str(value).lower() for value in values.tolist()} <= {"true", "false"}
    return values.dtype.kind == "b" or bool(((values == 0) | (values == 1)).all())


def sorted_classes(values: NDArray[Any]) -> NDArray[Any]:
    """Return the different values in order; whole numbers as such."""
    if values.dtype.kind == "O":
        return np.array(sorted(set(values.tolist())), dtype=object)
    classes = np.unique(values)
    whole = classes.dtype.kind == "f" and (classes == np.floor(classes)).all()
    if whole and np.abs(classes).max() < 2**53:
        return classes.astype(np.int64)
    return classes
