"""How a tree is written: any notation, with parentheses exactly where they are needed."""

from __future__ import annotations

from typing import Protocol

from deltaprop.functional.expressions import (
    Call,
    Comparison,
    Expression,
    Leaf,
    Number,
    Operand,
    Power,
    Product,
    Quotient,
    Rest,
    Sum,
)

__all__ = ["Notation", "write"]


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
        case _:
            raise TypeError("An array is written by whoever shows matrices.")
