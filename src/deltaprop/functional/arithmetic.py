"""Arithmetic as trees: a formula is built once, and then evaluated or written in any notation.

A registry row says its formula as plain text ("1 / (1 + exp(-z))"); ``parse`` turns it into a tree
with the operands put in. What a renderer needs is a ``Notation``: how sums, quotients and powers
are written. Functions: exp log tanh max sqrt abs erf cos sin; a comparison is 1 where it holds,
else 0.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol, TypeAlias

from deltaprop.errors import SettingError

__all__ = [
    "FUNCTIONS",
    "Call",
    "Comparison",
    "Expression",
    "Leaf",
    "Notation",
    "Number",
    "Operand",
    "Power",
    "Product",
    "Quotient",
    "Rest",
    "Sum",
    "evaluate",
    "leaf_value",
    "leaves",
    "parse",
    "write",
]


@dataclass(frozen=True)
class Operand:
    """A quantity with a place of its own: a root, or the result of another line.

    Parameters
    ----------
    id : str
        "W.1[0,2]", "x[0,1]", "learning_rate".
    value : float
        Its number.
    """

    id: str
    value: float


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


Leaf: TypeAlias = Operand | Number | Rest
Expression: TypeAlias = Leaf | Sum | Product | Quotient | Power | Comparison | Call

FUNCTIONS: dict[str, Callable[..., float]] = {
    "exp": math.exp,
    "log": math.log,
    "tanh": math.tanh,
    "max": max,
    "sqrt": math.sqrt,
    "abs": abs,
    "erf": math.erf,
    "cos": math.cos,
    "sin": math.sin,
}
_RELATIONS: dict[str, Callable[[float, float], bool]] = {
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


def leaves(expression: Expression) -> Iterator[Leaf]:
    """Yield operands, constants and rests, in the order they stand."""
    for part in _parts(expression):
        yield from leaves(part)
    if isinstance(expression, Operand | Number | Rest):
        yield expression


def _parts(expression: Expression) -> tuple[Expression, ...]:
    match expression:
        case Sum(terms=parts) | Product(factors=parts) | Call(arguments=parts):
            return parts
        case Quotient(above=first, below=second) | Power(base=first, exponent=second):
            return (first, second)
        case Comparison(left=first, right=second):
            return (first, second)
        case _:
            return ()


def evaluate(expression: Expression, number_of: Callable[[Leaf], float] | None = None) -> float:
    """Return what the expression comes to.

    Parameters
    ----------
    expression : Expression
        What to evaluate.
    number_of : callable, optional
        The number to take for a leaf, such as the rounded one that is displayed; the leaf's own
        when left out.

    Returns
    -------
    float
        Infinity or NaN where the arithmetic overflows or is not defined.
    """
    try:
        return _evaluate(expression, number_of or leaf_value)
    except OverflowError:
        return math.inf
    except (ValueError, ZeroDivisionError):
        return math.nan


def leaf_value(leaf: Leaf) -> float:
    """Return the number of a leaf."""
    return float(leaf.text) if isinstance(leaf, Number) else leaf.value


def _evaluate(expression: Expression, number_of: Callable[[Leaf], float]) -> float:
    match expression:
        case Operand() | Number() | Rest():
            return number_of(expression)
        case Sum(terms=terms, signs=signs):
            parts = zip(terms, signs, strict=True)
            # one after another, as whoever reads the line adds: sum() compensates since Python 3.12
            total = 0.0
            for term, sign in parts:
                total += sign * _evaluate(term, number_of)
            return total
        case Product(factors=factors):
            return math.prod(_evaluate(factor, number_of) for factor in factors)
        case Quotient(above=above, below=below):
            return _evaluate(above, number_of) / _evaluate(below, number_of)
        case Power(base=base, exponent=exponent):
            return float(_evaluate(base, number_of) ** _evaluate(exponent, number_of))
        case Comparison(left=left, relation=relation, right=right):
            holds = _RELATIONS[relation](_evaluate(left, number_of), _evaluate(right, number_of))
            return float(holds)
        case Call(name=name, arguments=arguments):
            return float(FUNCTIONS[name](*(_evaluate(a, number_of) for a in arguments)))


def parse(text: str, names: Mapping[str, Expression]) -> Expression:
    """Return the tree of a formula with the named parts put in.

    Parameters
    ----------
    text : str
        Arithmetic: ``+ - * / **``, parentheses, one comparison, and ``FUNCTIONS``.
    names : mapping
        What each name stands for.

    Returns
    -------
    Expression
        The tree.

    Raises
    ------
    SettingError
        When the text is anything but such arithmetic, or uses another name.
    """
    return _build(_syntax(text), names, text)


@cache
def _syntax(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise SettingError(f"{text!r} is no formula: {error}.") from None


def _build(node: ast.expr, names: Mapping[str, Expression], text: str) -> Expression:
    def part(inner: ast.expr) -> Expression:
        return _build(inner, names, text)

    match node:
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return Number(ast.get_source_segment(text, node) or repr(node.value))
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return Sum((part(inner),), (-1,))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined(part(left), part(right), 1)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _joined(part(left), part(right), -1)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            first = part(left)
            factors = first.factors if isinstance(first, Product) else (first,)
            return Product((*factors, part(right)))
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return Quotient(part(left), part(right))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return Power(part(left), part(right))
        case ast.Compare(left=left, ops=[relation], comparators=[right]) if (
            type(relation) in _BY_NODE
        ):
            return Comparison(part(left), _BY_NODE[type(relation)], part(right))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return Call(name, tuple(part(argument) for argument in arguments))
        case _:
            shown = ast.get_source_segment(text, node) or text
            known = ", ".join([*names, *FUNCTIONS])
            raise SettingError(
                f"In the formula {text!r}, {shown!r} is not known; a formula has + - * / ** and "
                f"a comparison, of {known}."
            )


def _joined(first: Expression, second: Expression, sign: int) -> Expression:
    terms, signs = (first.terms, first.signs) if isinstance(first, Sum) else ((first,), (1,))
    return Sum((*terms, second), (*signs, sign))


class Notation(Protocol):
    """How a tree is written: in plain text, Unicode, LaTeX, MathML."""

    def leaf(self, leaf: Leaf) -> str:
        """Return an operand, constant or rest; negative numbers without parentheses."""

    def parentheses(self, inner: str) -> str:
        """Return the text in parentheses."""

    def sum(self, terms: list[str], signs: tuple[int, ...]) -> str:
        """Return the terms added up."""

    def product(self, factors: list[str]) -> str:
        """Return the factors multiplied."""

    def quotient(self, above: str, below: str) -> str:
        """Return a quotient."""

    def power(self, base: str, exponent: str) -> str:
        """Return a power."""

    def comparison(self, left: str, relation: str, right: str) -> str:
        """Return a comparison that counts as 1 or 0."""

    def call(self, name: str, arguments: list[str]) -> str:
        """Return a function of its arguments."""

    def is_negative(self, leaf: Leaf) -> bool:
        """Return whether the leaf is written with a minus sign in front."""

    @property
    def stacks_quotients(self) -> bool:
        """Return whether numerator and denominator stand above each other."""


_COMPARED, _ADDED, _MULTIPLIED, _RAISED = range(1, 5)


def write(expression: Expression, notation: Notation) -> str:
    """Return the expression in a notation, with parentheses exactly where they are needed.

    A negative number gets them wherever something stands beside it.

    Parameters
    ----------
    expression : Expression
        What to write.
    notation : Notation
        How.

    Returns
    -------
    str
        The text.
    """
    return _write(expression, notation, 0)


def _write(expression: Expression, notation: Notation, around: int) -> str:
    def part(inner: Expression, binding: int) -> str:
        return _write(inner, notation, binding)

    match expression:
        case Operand() | Number() | Rest():
            text = notation.leaf(expression)
            enclosed = around and notation.is_negative(expression)
            return notation.parentheses(text) if enclosed else text
        case Sum(terms=terms, signs=signs):
            text = notation.sum([part(term, _ADDED) for term in terms], signs)
            bare = around == 0 or (len(terms) == 1 and signs[0] > 0)
            return text if bare else notation.parentheses(text)
        case Product(factors=factors):
            text = notation.product([part(factor, _MULTIPLIED) for factor in factors])
            return notation.parentheses(text) if around >= _RAISED else text
        case Quotient(above=above, below=below):
            stacked = notation.stacks_quotients
            sides = (0, 0) if stacked else (_MULTIPLIED, _RAISED)
            text = notation.quotient(part(above, sides[0]), part(below, sides[1]))
            return notation.parentheses(text) if around >= _RAISED else text
        case Power(base=base, exponent=exponent):
            return notation.power(part(base, _RAISED), part(exponent, 0))
        case Comparison(left=left, relation=relation, right=right):
            return notation.comparison(part(left, _COMPARED), relation, part(right, _COMPARED))
        case Call(name=name, arguments=arguments):
            return notation.call(name, [part(argument, 0) for argument in arguments])
