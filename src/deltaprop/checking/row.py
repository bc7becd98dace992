"""The numbers of several claims in one row, so that they are compared at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from deltaprop.checking.precision import WrittenClaim, may_stand_for

__all__ = ["Row"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_OF_NUMBERS = ("values", "units", "room", "cut")


@dataclass(frozen=True, eq=False)
class Row:
    """Some claims in a row.

    Attributes
    ----------
    keys, shapes : tuple
        Of the claims.
    values, units, room, cut : ndarray
        Of every number; NaN where nothing is stated.
    at : ndarray
        Where each number stands in the row of all claims.
    """

    keys: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    values: Array
    units: Array
    room: Array
    cut: Array
    at: npt.NDArray[np.intp]

    @classmethod
    def of(cls, claims: Sequence[WrittenClaim]) -> Self:
        """Return the row of claims, as they are written."""
        values, units, room, cut = (
            np.concatenate([getattr(claim, name).ravel() for claim in claims])
            for name in _OF_NUMBERS
        )
        shapes = tuple(claim.values.shape for claim in claims)
        keys = tuple(claim.key for claim in claims)
        return cls(keys, shapes, values, units, room, cut, np.arange(len(values)))

    def as_house(self, factors: Sequence[float], turned: Sequence[bool]) -> Self:
        """Return the row as the house writes it: each claim divided by its factor, perhaps turned.

        What is unsure of a number is divided by the factor's size.
        """
        by, shapes, row = np.repeat(factors, self.sizes), self.shapes, self
        if any(turned):
            at = [part.T if turn else part for part, turn in
                  zip(self.parted(self.at).values(), turned, strict=True)]  # fmt: skip
            shapes = tuple(part.shape for part in at)
            row = self._at(np.concatenate([part.ravel() for part in at]), self.keys, shapes)
        units, room, cut = (of / np.abs(by) for of in (row.units, row.room, row.cut))
        return type(self)(self.keys, shapes, row.values / by, units, room, cut, self.at)

    def only(self, keys: Collection[str]) -> Self:
        """Return the row of some of the claims."""
        chosen = [i for i, key in enumerate(self.keys) if key in keys]
        at = np.concatenate([self.at[self._parts[i]] for i in chosen])
        return self._at(
            at, tuple(self.keys[i] for i in chosen), tuple(self.shapes[i] for i in chosen)
        )

    def _at(
        self, at: npt.NDArray[np.intp], keys: tuple[str, ...], shapes: tuple[tuple[int, ...], ...]
    ) -> Self:
        values, units, room, cut = (getattr(self, name)[at] for name in _OF_NUMBERS)
        return type(self)(keys, shapes, values, units, room, cut, at)

    @cached_property
    def sizes(self) -> list[int]:
        """Return how many numbers each claim has."""
        return [*map(prod, self.shapes)]

    @cached_property
    def starts(self) -> npt.NDArray[np.intp]:
        """Return where each claim begins."""
        return np.cumsum([0, *self.sizes[:-1]])

    @cached_property
    def _parts(self) -> list[slice]:
        return [slice(i, i + size) for i, size in zip(self.starts, self.sizes, strict=True)]

    def joined(self, quantities: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Return these quantities as a row."""
        return np.concatenate([quantities[key].ravel() for key in self.keys])

    def parted(self, row: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        """Return the numbers of each claim in a row, in their shape."""
        parts = zip(self.keys, self._parts, self.shapes, strict=True)
        return {key: row[part].reshape(shape) for key, part, shape in parts}

    def in_all_of(self, flags: Flags) -> Flags:
        """Return for each claim whether a flag is set for all of its numbers."""
        return np.logical_and.reduceat(flags, self.starts)

    def largest(self, row: Array) -> Array:
        """Return for each number the largest one of its claim."""
        return np.repeat(np.maximum.reduceat(row, self.starts), self.sizes)

    def named(self, flags: Iterable[np.bool_]) -> tuple[str, ...]:
        """Return the keys of the claims whose flag is set."""
        return tuple(key for key, flag in zip(self.keys, flags, strict=True) if flag)

    def close(self, numbers: Array, slack: Array | float = 0.0) -> Flags:
        """Return where these numbers, unsure by ``slack``, may be meant, or nothing is stated."""
        near = may_stand_for(self.values, self.room, self.cut, numbers, slack)
        return np.asarray(near | np.isnan(self.values))
