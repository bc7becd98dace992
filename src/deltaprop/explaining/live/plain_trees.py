"""Trees as plain data, short: what ``trees.js`` reads.

"W.1" is a whole array, a number, or an argument of a formula; ["m", "W.1", origin, rows, columns]
a part of an array; ["n", "0.5"] a constant. Further there are ["+", "+-", a, b], ["*", a, b],
["/", a, b], ["^", a, b], [">", a, b], ["f", "exp", a], ["@", a, b], ["T", a], ["r", "sum", a],
["ap", "tanh'", z, a] and, in a matrix equation, ["shown", "tanh'", z]: the function's values, and
["turned", z]: an array with rows and columns exchanged.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

from deltaprop.functional.arithmetic import COMPUTED, parse
from deltaprop.functional.expressions import (
    Applied,
    Call,
    Comparison,
    Expression,
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
)

__all__ = ["Plain", "plain", "plain_formula"]

Plain: TypeAlias = str | list[Any]


def plain(tree: Expression) -> Plain:
    """Return a tree as data; of arrays and numbers their ids alone."""
    match tree:
        case Matrix(applied=name) if name:
            return ["shown", name, _matrix(tree)]
        case Matrix():
            return _matrix(tree)
        case Operand(id=name):
            return name
        case Number(text=text):
            return ["n", text]
        case Sum(terms=terms, signs=signs):
            return ["+", "".join("+" if s > 0 else "-" for s in signs), *map(plain, terms)]
        case Product(factors=factors):
            return ["*", *map(plain, factors)]
        case Quotient(above=above, below=below):
            return ["/", plain(above), plain(below)]
        case Power(base=base, exponent=exponent):
            return ["^", plain(base), plain(exponent)]
        case Comparison(left=left, relation=relation, right=right):
            return [relation, plain(left), plain(right)]
        case Call(name=name, arguments=arguments):
            return ["f", name, *map(plain, arguments)]
        case MatrixProduct(left=left, right=right):
            return ["@", plain(left), plain(right)]
        case Transposed(of=inner):
            return ["T", plain(inner)]
        case Reduced(name=name, of=inner):
            return ["r", name, plain(inner)]
        case Applied(name=name, arguments=arguments):
            return ["ap", name, *map(plain, arguments.values())]
        case Rest():
            raise TypeError("A shortened sum stands in lines alone.")


def _matrix(matrix: Matrix) -> Plain:
    if matrix.turned:
        return ["turned", _matrix(replace(matrix, values=matrix.values.T, turned=False))]
    whole = not matrix.part and not any(matrix.origin)
    if whole and len(matrix.origin) in (1, 2):  # one number that is an array keeps its shape
        return matrix.id
    return ["m", matrix.id, list(matrix.origin), *matrix.values.shape]


def plain_formula(text: str, *names: str) -> Plain:
    """Return a formula of a registry row, with the names of its arguments."""
    return plain(parse(text, {name: Operand(name, 0.0) for name in names}, COMPUTED))
