"""What trees of arrays come to: as arrays, and entry by entry.

``element`` gives the scalar expression of one entry, so that an equation said once as arrays
("a @ W + b") is also what puts numbers into a single neuron:

    (A @ B)_ij = sum over k of A_ik B_kj        (A.T)_ij = A_ji
    sum(A)_j   = sum over samples s of A_sj     total(A)_i = sum over k of A_ik
    norm(A)    = sqrt(sum of all A_ik^2)        mean(A)_i = total(A)_i / columns
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.functional.arithmetic import COMPUTED, evaluate, leaf_value, parse, worked_out
from deltaprop.functional.expressions import (
    Applied,
    Call,
    Comparison,
    Expression,
    Leaf,
    Matrix,
    MatrixProduct,
    Number,
    Operand,
    Power,
    Product,
    Quotient,
    Reduced,
    Rest,
    Sum,
    Transposed,
    joined,
    multiplied,
    parts_of,
)
from deltaprop.functional.forms import fitting
from deltaprop.functional.normal import gaussian_cdf

__all__ = ["Adding", "by_formula", "element", "shape", "values"]

Array = npt.NDArray[np.float64]
# makes one expression of the terms of a sum, and of so many further ones that come to a number
Adding: TypeAlias = Callable[[Sequence[Expression], int, float], Expression]

_ON_ARRAYS: Mapping[str, Callable[..., Array]] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "max": lambda *arrays: reduce(np.maximum, arrays),
    "sqrt": np.sqrt,
    "abs": np.abs,
    "erf": np.vectorize(math.erf, otypes=[np.float64]),
    "cos": np.cos,
    "sin": np.sin,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "Phi": gaussian_cdf,
}


def shape(tree: Expression) -> tuple[int, int]:
    """Return the rows and columns of what a tree comes to; a number has one of each."""
    match tree:
        case Matrix(values=own):
            return own.shape[0], own.shape[1]
        case Transposed(of=inner):
            rows, columns = shape(inner)
            return columns, rows
        case MatrixProduct(left=left, right=right):
            return shape(left)[0], shape(right)[1]
        case Reduced(name=name, of=inner):
            rows, columns = shape(inner)
            return (1 if name in ("sum", "norm") else rows, columns if name == "sum" else 1)
        case _:
            of_parts = [shape(part) for part in parts_of(tree)]
            return max((r for r, _ in of_parts), default=1), max(
                (c for _, c in of_parts), default=1
            )


def values(
    tree: Expression, value_of: Callable[[Matrix | Leaf], Array | float] | None = None
) -> Array:
    """Return what a tree of arrays comes to, of its ``shape``.

    ``value_of`` gives the numbers to take for a matrix or a leaf, such as the rounded ones that
    are displayed; their own when left out. Infinity or NaN stands where the arithmetic overflows
    or is not defined.
    """

    def array_of(leaf: Matrix | Leaf) -> Array:
        return np.asarray((value_of or _own)(leaf), dtype=np.float64)

    with np.errstate(all="ignore"):
        return np.atleast_2d(np.asarray(worked_out(tree, array_of, _ON_ARRAYS)))


def _own(leaf: Matrix | Leaf) -> Array | float:
    return leaf.values if isinstance(leaf, Matrix) else leaf_value(leaf)


def by_formula(formula: str, **arrays: Array) -> Array:
    """Return what a formula, shown or computed, comes to with arrays in place of its names."""
    named = {name: Matrix(name, array) for name, array in arrays.items()}
    return values(parse(formula, named, COMPUTED))


def element(
    tree: Expression, i: int, j: int, add: Adding | None = None, most: int = 0
) -> Expression:
    """Return the scalar expression of the entry in row i, column j of a tree of arrays.

    ``add`` makes one expression of the terms of an outermost sum; without it every term is
    written. Where more terms than ``most`` are added up, those that are 0 or among the smallest
    may be given to it as a count and what they come to.
    """

    def at(part: Expression) -> Expression:
        return element(part, i, j, add, most)

    match tree:
        case Matrix():
            return tree.entry(i, j)
        case Operand() | Number() | Rest():
            return tree
        case Sum(terms=terms, signs=signs):
            there = [pair for pair in zip(terms, signs, strict=True) if not _lacks(pair[0], j)]
            (first, sign), *others = there
            total = at(first) if sign > 0 else multiplied(Sum((at(first),), (-1,)))
            for term, sign in others:
                total = joined(total, at(term), sign)
            return total
        case Product(factors=factors):
            return multiplied(*map(at, factors))
        case Quotient(above=above, below=below):
            return Quotient(at(above), at(below))
        case Power(base=base, exponent=exponent):
            return Power(at(base), at(exponent))
        case Call(name=name, arguments=arguments):
            return Call(name, tuple(map(at, arguments)))
        case Applied(formulas=formulas, compute=compute, arguments=named):
            inner = {name: at(argument) for name, argument in named.items()}
            forms = [parse(formula, inner) for formula in formulas]
            if len(forms) == 1:
                return forms[0]
            entries = [np.array([[evaluate(argument)]]) for argument in inner.values()]
            with np.errstate(all="ignore"):
                return fitting(forms, float(compute(*entries)[0, 0]))
        case Transposed(of=inner):
            return element(inner, j, i, add, most)
        case Reduced(name="largest", of=inner):
            return Call("max", tuple(element(inner, i, k) for k in range(shape(inner)[1])))
        case MatrixProduct() | Reduced():
            summed, more, rest = _summands(tree, i, j, most)
            total = (add or _all)(summed, more, rest)
            if isinstance(tree, Reduced) and tree.name == "norm":
                return Call("sqrt", (total,))
            if isinstance(tree, Reduced) and tree.name == "mean":
                return Quotient(total, Number(str(shape(tree.of)[1])))
            return total
        case Comparison(left=left, relation=relation, right=right):
            return Comparison(at(left), relation, at(right))


def _lacks(tree: Expression, j: int) -> bool:
    return isinstance(tree, Matrix) and j in tree.absent


def _all(terms: Sequence[Expression], more: int, rest: float) -> Expression:
    return terms[0] if len(terms) == 1 else Sum(tuple(terms), (1,) * len(terms))


def _summands(
    tree: MatrixProduct | Reduced, i: int, j: int, most: int
) -> tuple[list[Expression], int, float]:
    """Return the terms of an entry that is a sum, how many more there are, and their sum."""
    if isinstance(tree, Reduced):
        rows, columns = shape(tree.of)
        if tree.name == "norm":
            squares = [
                Power(element(tree.of, k, m), Number("2"))
                for k in range(rows)
                for m in range(columns)
            ]
            return [*squares], 0, 0.0
        if tree.name == "sum":
            return [element(tree.of, k, j) for k in range(rows)], 0, 0.0
        return [element(tree.of, i, k) for k in range(columns)], 0, 0.0
    left, right = tree.left, tree.right
    n = shape(left)[1]
    places: Sequence[int] = range(n)
    more, rest = 0, 0.0
    if most and n > most and _is_plain(left) and _is_plain(right):
        products = values(left)[i] * values(right)[:, j]
        largest = np.argsort(-np.abs(products), kind="stable")[: most - 1]
        kept = [int(k) for k in np.sort(largest) if products[k] != 0] or [0]
        places, more = kept, n - len(kept)
        rest = float(np.delete(products, kept).sum())
    return [multiplied(element(left, i, k), element(right, k, j)) for k in places], more, rest


def _is_plain(tree: Expression) -> bool:
    return isinstance(tree.of if isinstance(tree, Transposed) else tree, Matrix)
