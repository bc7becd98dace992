"""Reading what somebody claims: the keys, shapes and numbers of ``claims``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.checking.precision import may_stand_for
from deltaprop.checking.step import Quantities, lacking
from deltaprop.errors import DataError, nearest_name
from deltaprop.model.parameters import Layout
from deltaprop.practice.marking.precision import (
    Habit,
    Number,
    habit_of,
    has_decimal_commas,
    read_number,
)

__all__ = ["Claim", "entry", "read_claims"]

Array = npt.NDArray[np.float64]
Index = tuple[int, ...]


def entry(key: str, *index: int) -> str:
    """Return the id of a number: ``W.1[0,2]``."""
    return f"{key}[{','.join(map(str, index))}]" if index else key


@dataclass(frozen=True, eq=False)
class Claim:
    """One claimed quantity, as it is written.

    Attributes
    ----------
    key : str
        ``quantity.layer``, perhaps with ``.after``; or ``loss``.
    numbers : dict
        The claimed numbers by index; what is not claimed is left out.
    shape : tuple of int
        Of the whole quantity, as it is written.
    habit : Habit
        How precisely the whole working is written.
    """

    key: str
    numbers: Mapping[Index, Number]
    shape: tuple[int, ...]
    habit: Habit = field(default_factory=Habit)

    @cached_property
    def values(self) -> Array:
        """Return the claimed values, NaN where nothing is claimed."""
        return self._array(np.nan, lambda number: number.value)

    @cached_property
    def units(self) -> Array:
        """Return one unit in the last place of each claimed number; 0 where none is."""
        units = self._array(0.0, lambda number: number.unit)
        usual = self.habit.unit(self.values)
        return np.where(units > 0, np.minimum(units, np.nan_to_num(usual, nan=np.inf)), 0.0)

    @cached_property
    def digits(self) -> npt.NDArray[np.int64]:
        """Return how many significant digits each has; 0 where none is claimed."""
        return self._array(0.0, lambda number: number.digits).astype(np.int64)

    def _array(self, otherwise: float, of: Callable[[Number], float]) -> Array:
        array = np.full(self.shape, otherwise)
        for index, number in self.numbers.items():
            array[index] = of(number)
        return array

    def close(self, numbers: Array, slack: Array | float = 0.0) -> npt.NDArray[np.bool_]:
        """Return where a claimed number may be written for the one in ``numbers``, or none is."""
        near = may_stand_for(self.values, self.room, self.cut, numbers, slack)
        return near | np.isnan(self.values)

    @cached_property
    def room(self) -> Array:
        """Return half a unit in the last place of each claimed number."""
        return self._array(0.0, lambda number: number.room(self.habit))

    @cached_property
    def cut(self) -> Array:
        """Return what may have been cut off from each; 0 where nothing."""
        return self._array(0.0, lambda number: number.cut(self.habit))


def read_claims(
    claims: object, right: Quantities, digits: int | None = None, layout: Layout | None = None
) -> list[Claim]:
    """Return the claims in the order in which they are worked out.

    Parameters
    ----------
    claims : mapping
        By key a number, or (nested) lists of numbers with None for "not claimed".
    right : dict of str to ndarray
        The right quantities, in order.
    digits : int, optional
        How many significant digits are asked for; as the claims have them when left out.
    layout : Layout, optional
        Of the network's parameters, where some neurons may have no bias: nothing, null or 0 stands
        there.

    Raises
    ------
    DataError
        When a key, a shape or a number is impossible; the message says which.
    """
    if not isinstance(claims, Mapping) or not claims:
        found = "nothing" if claims is None or claims == {} else _kind(claims)
        raise DataError(
            f"claims is {found}; expected claimed numbers by quantity, such as "
            '{"z.1": [[1.25, 3.8]], "loss": 0.55}.'
        )
    for key in claims:
        if key not in right:
            raise DataError(_no_such(key, right))
    comma = has_decimal_commas(claims)
    read = [
        _read(key, claims[key], right[key].shape, comma, lacking(key, layout) if layout else ())
        for key in right
        if key in claims
    ]
    read = [claim for claim in read if claim.numbers]
    if not read:
        raise DataError("claims holds no number; there is nothing to mark.")
    habit = (
        Habit.of_digits(digits)
        if digits
        else habit_of(
            (number, float(right[claim.key].reshape(claim.shape)[index]))
            for claim in read
            for index, number in claim.numbers.items()
        )
    )
    return [replace(claim, habit=habit) for claim in read]


def _no_such(key: object, right: Quantities) -> str:
    near = nearest_name(key, right) if isinstance(key, str) else None
    hint = f"Did you mean {near!r}? " if near else ""
    layers = sum(name.startswith("z.") and not name.endswith(".after") for name in right)
    return (
        f"claims holds {str(key)[:60]!r}, which this network does not have. {hint}"
        f"Known: z, a, delta, W, b, dW, db with a layer from 1 to {layers} (z.1; b and db where "
        "there is a bias), z, a, W, b also after the step (z.1.after), loss and loss.after."
    )


def _read(
    key: str, value: Any, shape: tuple[int, ...], comma: bool, absent: tuple[int, ...]
) -> Claim:
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    value = _in_lists(value, shape)
    if len(shape) == 2:
        value, shape = _as_matrix(value, shape)
    given = value if isinstance(value, (list, tuple)) else [value]
    if absent and len(given) == shape[0] - len(absent):
        there = iter(given)  # only the biases that there are
        value = [None if j in absent else next(there) for j in range(shape[0])]
    numbers: dict[Index, Number] = {}
    for index, cell in _cells(key, value, shape, shape, ()):
        if cell is None:
            continue
        number = read_number(cell, comma=comma)
        if number is None:
            raise DataError(f"claims: {entry(key, *index)} is {_kind(cell)}; expected a number.")
        if index and index[-1] in absent:
            if number.value == 0:
                continue
            raise DataError(
                f"claims: {entry(key, *index)} is {_kind(cell)}, but neuron {index[-1] + 1} of "
                f"layer {key.split('.')[1]} has no bias; write null there."
            )
        numbers[index] = number
    return Claim(key, numbers, shape)


def _in_lists(value: Any, shape: tuple[int, ...]) -> Any:
    """Return a single number in the lists of its array, and biases that are a row or a column."""
    alone = value
    for _ in shape:
        alone = alone[0] if isinstance(alone, (list, tuple)) and len(alone) == 1 else alone
    if shape and prod(shape) == 1 and not isinstance(alone, (list, tuple)):
        return [alone] if len(shape) == 1 else [[alone]]
    parts = value if isinstance(value, (list, tuple)) else []
    if len(shape) == 1 and parts and all(isinstance(part, (list, tuple)) for part in parts):
        if len(parts) == 1:
            return parts[0]
        if all(len(part) == 1 for part in parts):
            return [part[0] for part in parts]
    return value


def _as_matrix(value: Any, shape: tuple[int, ...]) -> tuple[Any, tuple[int, ...]]:
    """Return rows for a list that is one row or one column, and the shape they are written in."""
    if not isinstance(value, (list, tuple)):
        return value, shape
    rows, columns = shape
    lists = [part for part in value if isinstance(part, (list, tuple))]
    if not lists and 1 in shape and len(value) == max(shape) > 1:
        return ([value] if rows == 1 else [[part] for part in value]), shape
    turned = bool(lists) and len(value) == columns and rows != columns
    if turned and all(len(part) == rows for part in lists):
        return value, (columns, rows)
    return value, shape


def _cells(
    key: str, value: Any, left: tuple[int, ...], shape: tuple[int, ...], index: Index
) -> Iterator[tuple[Index, Any]]:
    """Yield the cells of nested lists that have the wanted shape; None stands for any part."""
    if value is None:
        return
    if not left:
        if isinstance(value, (list, tuple)):
            raise DataError(_misshapen(key, "lists too deep" if shape else "a list", shape))
        yield index, value
        return
    if not isinstance(value, (list, tuple)):
        what = f"{_kind(value)} where a list belongs" if index else _kind(value)
        raise DataError(_misshapen(key, what, shape))
    if len(value) != left[0]:
        what = f"{len(value)} {'rows' if len(left) > 1 else 'numbers'}"
        where = f" in row {index[0] + 1}" if index else ""
        raise DataError(_misshapen(key, what + where, shape))
    for position, part in enumerate(value):
        yield from _cells(key, part, left[1:], shape, (*index, position))


def _misshapen(key: str, found: str, shape: tuple[int, ...]) -> str:
    if not shape:
        wanted = "one number"
    elif len(shape) == 1:
        wanted = f"a list of {shape[0]}"
    else:
        wanted = f"{shape[0]} {'row' if shape[0] == 1 else 'rows'} of {shape[1]}"
    return f"claims: {key} is {found}; expected {wanted} (null where nothing is claimed)."


def _kind(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    return repr(value)[:60]
