"""Reading what somebody claims: the keys, shapes and numbers of ``claims``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, nearest_name
from deltaprop.practice.marking.precision import Habit, Number, habit_of, read_number
from deltaprop.practice.marking.step import Quantities

__all__ = ["Claim", "read_claims"]

Array = npt.NDArray[np.float64]
Index = tuple[int, ...]


@dataclass(frozen=True)
class Claim:
    """One claimed quantity.

    Attributes
    ----------
    key : str
        ``quantity.layer``, perhaps with ``.after``; or ``loss``.
    numbers : dict
        The claimed numbers by index; what is not claimed is left out.
    shape : tuple of int
        Of the whole quantity.
    """

    key: str
    numbers: Mapping[Index, Number]
    shape: tuple[int, ...]

    def as_array(self, only: set[Index] | None = None) -> Array:
        """Return the claimed values, NaN where nothing is claimed or it is not in ``only``."""
        array = np.full(self.shape, np.nan)
        for index, number in self.numbers.items():
            if only is None or index in only:
                array[index] = number.value
        return array

    def units(self) -> Array:
        """Return one unit in the last place of each claimed number; 0 where none is."""
        array = np.zeros(self.shape)
        for index, number in self.numbers.items():
            array[index] = number.unit
        return array

    def is_written_for(self, values: Array, habit: Habit, slack: Array | float = 0.0) -> bool:
        """Return whether every claimed number may be written for the one in ``values``."""
        room = np.broadcast_to(np.asarray(slack), self.shape)
        return all(
            number.is_written_for(float(values[index]), habit, float(room[index]))
            for index, number in self.numbers.items()
        )


def read_claims(claims: object, right: Quantities) -> tuple[list[Claim], Habit]:
    """Return the claims in the order in which they are worked out, and how they are written.

    Parameters
    ----------
    claims : mapping
        By key a number, or (nested) lists of numbers with None for "not claimed".
    right : dict of str to ndarray
        The right quantities, in order.

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
    read = [_read(key, claims[key], right[key].shape) for key in right if key in claims]
    read = [claim for claim in read if claim.numbers]
    if not read:
        raise DataError("claims holds no number; there is nothing to mark.")
    pairs = [(number, float(right[c.key][i])) for c in read for i, number in c.numbers.items()]
    return read, habit_of(pairs)


def _no_such(key: object, right: Quantities) -> str:
    near = nearest_name(key, right) if isinstance(key, str) else None
    hint = f"Did you mean {near!r}? " if near else ""
    layers = sum(name.startswith("z.") and not name.endswith(".after") for name in right)
    return (
        f"claims holds {str(key)[:60]!r}, which this network does not have. {hint}"
        f"Known: z, a, delta, W, b, dW, db with a layer from 1 to {layers} (z.1; b and db where "
        "there is a bias), z, a, W, b also after the step (z.1.after), loss and loss.after."
    )


def _read(key: str, value: Any, shape: tuple[int, ...]) -> Claim:
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    numbers: dict[Index, Number] = {}
    for index, cell in _cells(key, value, shape, shape, ()):
        if cell is None:
            continue
        number = read_number(cell)
        if number is None:
            raise DataError(f"claims: {_entry(key, index)} is {_kind(cell)}; expected a number.")
        numbers[index] = number
    return Claim(key, numbers, shape)


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


def _entry(key: str, index: Index) -> str:
    return f"{key}[{','.join(map(str, index))}]" if index else key


def _kind(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    return repr(value)[:60]
