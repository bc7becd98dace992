"""Formulas as text and as numbers: a formula is built once, and then evaluated or written.

A registry row says its formula as plain text ("1 / (1 + exp(-z))", "a @ W + b"); ``parse`` turns it
into a tree with the operands put in, numbers or whole arrays. Functions: exp log tanh max sqrt abs
erf cos sin; a comparison is 1 where it holds, else 0. Of arrays also ``@``, ``.T``, sum(x) over
samples, total(x) and mean(x) over the numbers of a row. What trees of arrays come to, as arrays or
entry by entry, is in ``functional/arrays.py``, how trees are written in ``notation/write.py``.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
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
    matrices,
    times,
)

__all__ = ["COMPUTED", "FUNCTIONS", "evaluate", "leaf_value", "parse", "worked_out"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def _exp(x: float) -> float:
    """Return exp(x), infinity where that overflows: 1 / (1 + exp(800)) is 0."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


FUNCTIONS: dict[str, Callable[..., float]] = {
    "exp": _exp,
    "log": math.log,
    "tanh": math.tanh,
    "max": max,
    "sqrt": math.sqrt,
    "abs": abs,
    "erf": math.erf,
    "cos": math.cos,
    "sin": math.sin,
}
_RELATIONS: dict[str, Callable[[Array | float, Array | float], Flags | bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}
_BY_NODE: dict[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "==",
}


def evaluate(
    expression: Expression,
    number_of: Callable[[Leaf], float] | None = None,
    functions: Mapping[str, Callable[..., float]] | None = None,
) -> float:
    """Return what an expression comes to; infinity or NaN where it overflows or is not defined.

    ``number_of`` gives the number to take for a leaf, such as the rounded one that is displayed;
    its own when left out. ``functions`` are ``FUNCTIONS`` when left out.
    """
    number = number_of or leaf_value

    def value_of(leaf: Matrix | Leaf) -> float:
        if isinstance(leaf, Matrix):
            raise TypeError("An array has many values: see functional/arrays.py.")
        return number(leaf)

    try:
        return float(worked_out(expression, value_of, functions or FUNCTIONS))
    except OverflowError:
        return math.inf
    except (ValueError, ZeroDivisionError):
        return math.nan


def leaf_value(leaf: Leaf) -> float:
    """Return the number of a leaf."""
    return float(leaf.text) if isinstance(leaf, Number) else leaf.value


def worked_out(
    tree: Expression,
    value_of: Callable[[Matrix | Leaf], Array | float],
    functions: Mapping[str, Callable[..., Array | float]],
) -> Array | float:
    """Return what a tree comes to with these values in its leaves, by functions of such values."""
    if isinstance(tree, (Operand, Number, Rest, Matrix)):
        return value_of(tree)

    def of(part: Expression) -> Array | float:
        return worked_out(part, value_of, functions)

    match tree:
        case Sum(terms=terms, signs=signs):
            # one after another, as whoever reads the line adds: sum() compensates since Python 3.12
            total: Array | float = 0.0
            for term, sign in zip(terms, signs, strict=True):
                total = total + sign * of(term)
            return total
        case Product(factors=factors):
            product: Array | float = 1.0
            for factor in factors:
                product = product * of(factor)
            return product
        case Quotient(above=above, below=below):
            quotient: Array | float = of(above) / of(below)
            return quotient
        case Power(base=base, exponent=exponent):
            power: Array | float = of(base) ** of(exponent)
            return power
        case Comparison(left=left, relation=relation, right=right):
            holds = _RELATIONS[relation](of(left), of(right))
            return float(holds) if isinstance(holds, bool) else holds.astype(np.float64)
        case Call(name=name, arguments=arguments):
            return functions[name](*map(of, arguments))
        case Applied(compute=compute, arguments=named):
            return compute(*map(of, named.values()))
        case MatrixProduct(left=left, right=right):
            products: Array = np.atleast_2d(of(left)) @ np.atleast_2d(of(right))
            return products
        case Transposed(of=inner):
            return np.transpose(of(inner))
        case Reduced(name="norm", of=inner):
            norm: Array = np.sqrt(np.sum(np.square(of(inner)), keepdims=True))
            return norm
        case Reduced(name="largest", of=inner):
            largest: Array = np.max(np.atleast_2d(of(inner)), axis=1, keepdims=True)
            return largest
        case Reduced(name=name, of=inner):
            reduce = np.mean if name == "mean" else np.sum
            reduced: Array = reduce(
                np.atleast_2d(of(inner)), axis=0 if name == "sum" else 1, keepdims=True
            )
            return reduced


Functions: TypeAlias = Mapping[str, Callable[[Expression], Expression]]


def parse(
    text: str, names: Mapping[str, Expression], functions: Functions | None = None
) -> Expression:
    """Return the tree of a formula with the named parts put in.

    Parameters
    ----------
    text : str
        Arithmetic: ``+ - * / **``, parentheses, one comparison, and ``FUNCTIONS``; of arrays
        (``Matrix``) entry by entry, with ``@``, ``.T``, sum(x), total(x), mean(x) and norm(x).
    names : mapping
        What each name stands for.
    functions : mapping, optional
        Further functions of one argument, "f" or "f'", and what tree a call of them is.

    Raises
    ------
    SettingError
        When the text is anything but such arithmetic, or uses another name.
    """
    return _build(_syntax(text), names, functions or {}, _spelt(text))


def _called(name: str) -> Callable[[Expression], Expression]:
    return lambda argument: Call(name, (argument,))


# what formulas that are computed, and not shown, have besides
COMPUTED: Functions = {
    **{name: _called(name) for name in ("log1p", "expm1", "Phi")},
    "largest": lambda argument: Reduced("largest", argument),
}
_REDUCTIONS = ("sum", "total", "mean", "norm")
_PRIME = re.compile(r"(?<=\w)'(?=\()")


def _spelt(text: str) -> str:
    """Return a formula as Python can read it: f'(z) as f__prime(z)."""
    return _PRIME.sub("__prime", text)


@cache
def _syntax(text: str) -> ast.expr:
    try:
        return ast.parse(_spelt(text), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise SettingError(f"{text!r} is no formula: {error}.") from None


def _build(
    node: ast.expr, names: Mapping[str, Expression], functions: Functions, text: str
) -> Expression:
    def part(inner: ast.expr) -> Expression:
        return _build(inner, names, functions, text)

    match node:
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return _constant(node, text)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return Sum((part(inner),), (-1,))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return joined(part(left), part(right), 1)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return joined(part(left), part(right), -1)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            first = part(left)
            factors = first.factors if isinstance(first, Product) else (first,)
            return Product((*factors, part(right)))
        case ast.BinOp(left=left, op=ast.MatMult(), right=right):
            return _matrix_product(part(left), part(right))
        case ast.Attribute(value=inner, attr="T"):
            return Transposed(part(inner))
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return Quotient(part(left), part(right))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return Power(part(left), part(right))
        case ast.Compare(left=left, ops=[relation], comparators=[right]) if (
            type(relation) in _BY_NODE
        ):
            return Comparison(part(left), _BY_NODE[type(relation)], part(right))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if (
            name.replace("__prime", "'") in functions
        ):
            return functions[name.replace("__prime", "'")](part(argument))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _REDUCTIONS:
            return Reduced(name, part(argument))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return Call(name, tuple(part(argument) for argument in arguments))
        case _:
            shown = ast.get_source_segment(text, node) or text
            known = ", ".join([*names, *functions, *FUNCTIONS])
            raise SettingError(
                f"In the formula {text!r}, {shown!r} is not known; a formula has + - * / ** and "
                f"a comparison, of {known}."
            )


@cache
def _constant(node: ast.Constant, text: str) -> Number:
    """Return a constant as it stands in the formula: finding it there takes long."""
    return Number(ast.get_source_segment(text, node) or repr(node.value))


def _matrix_product(left: Expression, right: Expression) -> Expression:
    """Return the product of matrices; a constant in front stays in front of the whole."""
    match left:
        case Product(factors=(first, *others)) if not matrices(first):
            inner = Product(tuple(others)) if len(others) > 1 else others[0]
            return times(first, _matrix_product(inner, right))
        case _:
            return MatrixProduct(left, right)
