"""What is asked for at once: a row, a column, or a single number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deltaprop.practice.marking.claims import entry

__all__ = ["Item", "items_of"]

Index = tuple[int, ...]


@dataclass(frozen=True)
class Item:
    """Numbers that are asked for together: a row, a column, or a single one.

    Attributes
    ----------
    quantity : str
        As in ``claims``: "dW.1".
    indices : tuple of tuple of int
        Which of its numbers.
    """

    quantity: str
    indices: tuple[Index, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the names of the numbers: "dW.1[0,0]", "dW.1[0,1]"."""
        return tuple(entry(self.quantity, *index) for index in self.indices)


def items_of(quantity: str, shape: tuple[int, ...]) -> Iterator[Item]:
    """Yield the parts in which a quantity of this shape is asked for."""
    indices = list(np.ndindex(*shape))
    if len(shape) < 2 or shape[1] == 1:
        yield Item(quantity, tuple(indices))
        return
    for row in range(shape[0]):
        yield Item(quantity, tuple(index for index in indices if index[0] == row))
