"""Expressions as trees: numbers, arrays, and what is done with them.

How a text becomes a tree and what one of numbers comes to is in ``arithmetic.py``, what trees of
arrays come to in ``arrays.py``, and how they are written down in ``notation/write.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "Applied",
    "Call",
    "Comparison",
    "Expression",
    "Leaf",
    "Matrix",
    "MatrixProduct",
    "Number",
    "Operand",
    "Power",
    "Product",
    "Quotient",
    "Reduced",
    "Rest",
    "Sum",
    "Transposed",
    "joined",
    "leaves",
    "matrices",
    "multiplied",
    "parts_of",
    "plus",
    "substituted",
    "times",
]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Operand:
    """A quantity with a place of its own, "W.1[0,2]": a root, or the result of another line.

    ``rounding`` is how far its value may be from what it is exactly, beyond its last place.
    """

    id: str
    value: float
    rounding: float = 0.0


@dataclass(frozen=True)
class Number:
    """A constant of the formula, such as the 1 and the 2 of a half; ``text`` as it was written."""

    text: str


@dataclass(frozen=True)
class Rest:
    """Terms left out of a long sum, as one number."""

    count: int
    value: float


@dataclass(frozen=True)
class Sum:
    """Terms added up; where its sign is -1 a term is taken away."""

    terms: tuple[Expression, ...]
    signs: tuple[int, ...]


@dataclass(frozen=True)
class Product:
    """Factors multiplied."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True)
class Quotient:
    """One over the other."""

    above: Expression
    below: Expression


@dataclass(frozen=True)
class Power:
    """A base raised to an exponent."""

    base: Expression
    exponent: Expression


@dataclass(frozen=True)
class Comparison:
    """1 where it holds, else 0: the gate of ReLU. ``relation`` is one of > >= < <= ==."""

    left: Expression
    relation: str
    right: Expression


@dataclass(frozen=True)
class Call:
    """A function of one argument, or of several."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, eq=False)
class Matrix:
    """An array, or some of its rows or columns, as a matrix whose entries have ids.

    ``id`` is the array's, "W.1"; an array of one index is a row of ``values``. ``origin`` is the
    index of the first entry, whose last two run with rows and columns; empty where it is one
    number, without an index. ``part`` is how the part is written: "2…4"; "" for the whole.
    ``applied`` is the function of the array that ``values`` are, such as "tanh'"; its entries have
    no ids then. ``turned`` is whether the values have rows and columns exchanged: for writing.
    ``absent`` are the entries of a row that there are not, such as the biases of neurons without
    one: sums leave them out.
    """

    id: str
    values: Array
    origin: tuple[int, ...] = (0, 0)
    part: str = ""
    applied: str = ""
    turned: bool = False
    absent: tuple[int, ...] = ()

    def entry(self, i: int, j: int) -> Operand:
        """Return an entry; one row stands for as many as are needed, and so does one column."""
        rows, columns = self.values.shape
        if not self.origin:
            return Operand(self.id, float(self.values[0, 0]))
        i, j = (i if rows > 1 else 0), (j if columns > 1 else 0)
        *front, last = self.origin
        index = [*front[:-1], front[-1] + i, last + j] if front else [last + j]
        return Operand(f"{self.id}[{','.join(map(str, index))}]", float(self.values[i, j]))

    def rows(self, start: int, stop: int) -> Matrix:
        """Return some of its rows."""
        *front, row, column = self.origin
        origin = (*front, row + start, column)
        return Matrix(self.id, self.values[start:stop], origin, self.part, self.applied)

    def columns(self, start: int, stop: int) -> Matrix:
        """Return some of its columns."""
        origin = (*self.origin[:-1], self.origin[-1] + start)
        return Matrix(self.id, self.values[:, start:stop], origin, self.part, self.applied)


@dataclass(frozen=True)
class MatrixProduct:
    """The matrix product of one with the other."""

    left: Expression
    right: Expression


@dataclass(frozen=True)
class Transposed:
    """A matrix with its rows as columns."""

    of: Expression


@dataclass(frozen=True)
class Reduced:
    """The "sum" over samples (rows) as one row, each row's "total" or "mean", or the "norm" of all.

    The norm is the square root of the sum of the squares of all entries.
    """

    name: str
    of: Expression


@dataclass(frozen=True, eq=False)
class Applied:
    """A named function of every entry, such as an activation, "tanh" or "tanh'".

    ``formulas`` are what an entry comes to, in the names of the arguments, in one form or several
    (``forms.fitting``); ``compute`` the same of arrays, in their order. It is written to be a
    function of the first.
    """

    name: str
    formulas: tuple[str, ...]
    compute: Callable[..., Array]
    arguments: Mapping[str, Expression]


Leaf: TypeAlias = Operand | Number | Rest
Expression: TypeAlias = (
    Leaf
    | Sum
    | Product
    | Quotient
    | Power
    | Comparison
    | Call
    | Matrix
    | MatrixProduct
    | Transposed
    | Reduced
    | Applied
)


def leaves(expression: Expression) -> Iterator[Leaf]:
    """Yield operands, constants and rests, in the order they stand."""
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        if isinstance(part, (Operand, Number, Rest)):
            yield part
        else:
            waiting.extend(reversed(parts_of(part)))


def matrices(expression: Expression) -> list[Matrix]:
    """Return the arrays in a tree, in the order they stand."""
    if isinstance(expression, Matrix):
        return [expression]
    return [found for part in parts_of(expression) for found in matrices(part)]


def parts_of(expression: Expression) -> tuple[Expression, ...]:
    """Return what an expression combines; of a leaf or a matrix nothing."""
    match expression:
        case Sum(terms=parts) | Product(factors=parts) | Call(arguments=parts):
            return parts
        case Quotient(above=first, below=second) | Power(base=first, exponent=second):
            return (first, second)
        case Comparison(left=first, right=second) | MatrixProduct(left=first, right=second):
            return (first, second)
        case Transposed(of=only) | Reduced(of=only):
            return (only,)
        case Applied(arguments=named):
            return tuple(named.values())
        case _:
            return ()


def substituted(
    expression: Expression,
    of: Callable[[Any], Expression],
    of_rest: Callable[[Rest], Expression] = lambda rest: rest,
) -> Expression:
    """Return an expression with something else in the place of each operand and array."""
    if isinstance(expression, Operand | Matrix):
        return of(expression)
    if isinstance(expression, Rest):
        return of_rest(expression)

    def part(inner: Expression) -> Expression:
        return substituted(inner, of, of_rest)

    match expression:
        case Sum(terms=terms):
            return replace(expression, terms=tuple(map(part, terms)))
        case Product(factors=factors):
            return replace(expression, factors=tuple(map(part, factors)))
        case Call(arguments=arguments):
            return replace(expression, arguments=tuple(map(part, arguments)))
        case Quotient(above=above, below=below):
            return Quotient(part(above), part(below))
        case Power(base=base, exponent=exponent):
            return Power(part(base), part(exponent))
        case Comparison(left=left, right=right) | MatrixProduct(left=left, right=right):
            return replace(expression, left=part(left), right=part(right))
        case Transposed(of=inner) | Reduced(of=inner):
            return replace(expression, of=part(inner))
        case Applied(arguments=named):
            return replace(expression, arguments={n: part(each) for n, each in named.items()})
        case _:
            return expression


def plus(first: Expression, second: Expression) -> Expression:
    """Return first + second as one sum."""
    return joined(first, second, 1)


def times(*factors: Expression) -> Expression:
    """Return the product as one."""
    flat: list[Expression] = []
    for factor in factors:
        flat += factor.factors if isinstance(factor, Product) else (factor,)
    return Product(tuple(flat))


def multiplied(*factors: Expression) -> Expression:
    """Return the product; a factor 1 is left out, and a minus stands in front of the whole."""
    sign, kept = 1, []
    for factor in factors:
        if isinstance(factor, Sum) and len(factor.terms) == 1:
            sign, factor = sign * factor.signs[0], factor.terms[0]
        if not (isinstance(factor, Number) and factor.text == "1"):
            kept.append(factor)
    if not kept:
        return Number("1") if sign > 0 else Sum((Number("1"),), (-1,))
    product = times(*kept) if len(kept) > 1 else kept[0]
    return product if sign > 0 else Sum((product,), (-1,))


def joined(first: Expression, second: Expression, sign: int) -> Expression:
    """Return first + second, or first - second, as one sum."""
    terms, signs = (first.terms, first.signs) if isinstance(first, Sum) else ((first,), (1,))
    return Sum((*terms, second), (*signs, sign))
