"""Matrix equations as they are displayed: what renderers write down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from deltaprop.functional.expressions import Expression, Matrix, Operand
from deltaprop.notation.digits import Line
from deltaprop.notation.ids import Ref

__all__ = ["Cells", "Close", "Constant", "Entries", "Joint", "MatrixEquation", "Open", "Token"]


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
class Entries:
    """A matrix that an equation is made of.

    Attributes
    ----------
    ref : Ref
        Which array; without index.
    cells : Cells
        Its numbers.
    transposed : bool
        Whether it is written with a T.
    applied : str
        The function of the array that is meant: "tanh", "tanh'"; "" for none.
    is_argument : bool
        Whether the numbers are those the function is applied to; else they are its values.
    part : str
        Which part of the array, counted from 1: "2…4"; "" for the whole.
    origin : tuple of int
        The index of its first entry.
    turned : bool
        Whether its rows are the columns of the array that ids are of.
    """

    ref: Ref
    cells: Cells
    transposed: bool = False
    applied: str = ""
    is_argument: bool = False
    part: str = ""
    origin: tuple[int, ...] = (0, 0)
    turned: bool = False


@dataclass(frozen=True)
class Constant:
    """A number that every entry is combined with: 1, 1 / sqrt(n), a learning rate."""

    line: Line


@dataclass(frozen=True)
class Joint:
    """What joins two operands: "" for a matrix product or a constant in front, + - * or /.

    ``*`` and ``/`` are meant entry by entry. A minus may begin an equation.
    """

    sign: str


@dataclass(frozen=True)
class Open:
    """The beginning of parentheses, or of a function: "cos", "sum" (over samples), "mean".

    ``fenced`` is whether there are parentheses, which a Close ends; a sum of one matrix has none.
    """

    function: str = ""
    fenced: bool = True


@dataclass(frozen=True)
class Close:
    """The end of parentheses, and what stands above it: "T", an exponent, or nothing."""

    raised: str = ""


Token: TypeAlias = Entries | Constant | Joint | Open | Close


@dataclass(frozen=True)
class MatrixEquation:
    """left = right = result.

    Attributes
    ----------
    phase : str
        forward, backward, gradient or update.
    left : Ref
        What is worked out.
    right : tuple of Token
        Of what, in the order it is written; empty where no matrices tell it.
    result : Cells
        Its numbers.
    exact : bool
        Whether they are the numbers themselves; else they are rounded.
    note : str
        What gives the result where no right-hand side does: the loss that gives delta^L.
    part : str
        Which part of the array is worked out; "" for the whole.
    origin : tuple of int
        The index of its first entry.
    more : int
        How many further parts have the same form and are not shown.
    made_of : Expression, optional
        The right-hand side, as a tree of arrays.
    matrix : Matrix, optional
        The result.
    turned : bool
        Whether the rows of the result are the columns of the array that ids are of.
    is_slope : bool
        Whether what the loss gives is dL/dz; else a convention makes something else of it.
    """

    phase: str
    left: Ref
    right: tuple[Token, ...]
    result: Cells
    exact: bool
    note: str = ""
    part: str = ""
    origin: tuple[int, ...] = (0, 0)
    more: int = 0
    made_of: Expression | None = None
    matrix: Matrix | None = None
    turned: bool = False
    is_slope: bool = True

    @property
    def numbers(self) -> tuple[Token, ...]:
        """Return the right-hand side that stands there with numbers; none that repeat the result.

        A bias that stays, the loss as a layer: b′ = b = [0.1], not b′ = b = [0.1] = [0.1].
        """
        match self.made_of:
            case Operand() | Matrix(applied=""):
                return ()
        return self.right
