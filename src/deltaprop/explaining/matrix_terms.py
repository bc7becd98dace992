"""Matrix equations as they are displayed: what renderers write down."""

from __future__ import annotations

from dataclasses import dataclass

from deltaprop.explaining.digits import Line
from deltaprop.explaining.names import Ref

__all__ = ["Cells", "Equation", "Term"]


@dataclass(frozen=True)
class Cells:
    """A matrix as it is displayed.

    Attributes
    ----------
    texts : tuple of tuple of str
        Its numbers, row by row; those that are shown.
    shape : tuple of int
        Of the whole matrix.
    """

    texts: tuple[tuple[str, ...], ...]
    shape: tuple[int, int]

    @property
    def more_rows(self) -> bool:
        """Return whether rows are left out."""
        return len(self.texts) < self.shape[0]

    @property
    def more_columns(self) -> bool:
        """Return whether columns are left out."""
        return len(self.texts[0]) < self.shape[1]


@dataclass(frozen=True)
class Term:
    """One operand of an equation.

    Attributes
    ----------
    before : str
        What joins it to the operands before: "" for a matrix product, else + - *; * is elementwise.
    ref : Ref
        Which array; without index.
    cells : Cells
        Its numbers.
    transposed : bool
        Whether it is written with a T.
    applied : str
        The function of the array that is meant: "tanh", "tanh'"; "" for none, "sum" for the sum
        over samples.
    is_argument : bool
        Whether the numbers are those the function is applied to; else they are its values.
    factor : Ref, optional
        A number in front: eta, lambda.
    factor_text : str
        That number as displayed.
    scale : Line, optional
        A constant in front of all that: 1 / sqrt(n), or what a learning rate is multiplied by.
    part : str
        Which part of the array, counted from 1: "2…4"; "" for the whole.
    origin : tuple of int
        The index of its first entry.
    opens : tuple of str
        What begins before it: "cos" for cos(, "sum" for the sum over samples, "" for ( alone.
    closes : tuple of bool
        For each parenthesis that ends behind it, whether a T follows.
    constant : str
        The number that it is, where it is no array.
    """

    before: str
    ref: Ref
    cells: Cells
    transposed: bool = False
    applied: str = ""
    is_argument: bool = False
    factor: Ref | None = None
    factor_text: str = ""
    scale: Line | None = None
    part: str = ""
    origin: tuple[int, ...] = (0, 0)
    opens: tuple[str, ...] = ()
    closes: tuple[bool, ...] = ()
    constant: str = ""


@dataclass(frozen=True)
class Equation:
    """left = terms = result.

    Attributes
    ----------
    phase : str
        forward, backward, gradient or update.
    left : Ref
        What is worked out.
    terms : tuple of Term
        Of what; empty where no matrices tell it.
    result : Cells
        Its numbers.
    exact : bool
        Whether they are the numbers themselves; else they are rounded.
    note : str
        What gives the result where no terms do: the loss that gives delta^L.
    part : str
        Which part of the array is worked out; "" for the whole.
    origin : tuple of int
        The index of its first entry.
    more : int
        How many further parts have the same form and are not shown.
    """

    phase: str
    left: Ref
    terms: tuple[Term, ...]
    result: Cells
    exact: bool
    note: str = ""
    part: str = ""
    origin: tuple[int, ...] = (0, 0)
    more: int = 0
