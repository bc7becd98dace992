"""How a tree is written: any notation, with parentheses exactly where they are needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

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
from deltaprop.notation.digits import Line
from deltaprop.notation.symbols import PI

__all__ = ["Notation", "leaf_writer", "signed", "write", "written"]


def signed(terms: list[str], signs: tuple[int, ...]) -> str:
    """Return the terms joined by + and -."""
    first, *others = zip(terms, signs, strict=True)
    rest = (f" {'+' if sign > 0 else '-'} {term}" for term, sign in others)
    return "".join(("" if first[1] > 0 else "-", first[0], *rest))


def _power(base: str, exponent: str) -> str:
    simple = exponent.replace(".", "").isalnum()
    return f"{base} ** {exponent if simple else f'({exponent})'}"


def _call(name: str, arguments: list[str]) -> str:
    return f"{name}({', '.join(arguments)})"


def _starts_with_minus(text: str) -> bool:
    return text.startswith("-")


@dataclass(frozen=True)
class Notation:
    """How a tree is written; what is left out, as arithmetic that Python reads.

    Attributes
    ----------
    leaf : callable
        Writes an operand, constant or rest; negative numbers without parentheses.
    times : str
        What joins factors.
    sum : callable
        Writes terms and their signs.
    quotient, power, comparison, call, parentheses : callable
        Write what their parts are written as; a comparison counts as 1 or 0.
    is_negative : callable
        Whether a leaf is written with a minus sign in front.
    stacks_quotients : bool
        Whether numerator and denominator stand above each other.
    """

    leaf: Callable[[Leaf], str]
    times: str = " * "
    sum: Callable[[list[str], tuple[int, ...]], str] = signed
    quotient: Callable[[str, str], str] = "{} / {}".format
    power: Callable[[str, str], str] = _power
    comparison: Callable[[str, str, str], str] = "({} {} {})".format
    call: Callable[[str, list[str]], str] = _call
    parentheses: Callable[[str], str] = "({})".format
    is_negative: Callable[[str], bool] = _starts_with_minus
    stacks_quotients: bool = False

    @property
    def is_arithmetic(self) -> bool:
        """Return whether programs read it: it has to come to the same bits as the tree."""
        return self.power is _power


def leaf_writer(
    line: Line,
    symbol: Callable[[str], str] | None,
    number: Callable[[str], str],
    pi: str,
    rest: Callable[[int, str], str],
) -> Callable[[Leaf], str]:
    """Return what writes the leaves of a line from what writes their parts.

    Without ``symbol``, of an id, operands are written as numbers; ``rest`` writes how many terms
    are left out, and what they come to.
    """

    def leaf(of: Leaf) -> str:
        if symbol is not None and isinstance(of, Operand):
            return symbol(of.id)
        if symbol is not None and isinstance(of, Number) and of.text == PI:
            return pi
        text = number(line.text(of))
        return rest(of.count, text) if isinstance(of, Rest) else text

    return leaf


_SCIENTIFIC = re.compile(r"[\d.]+e[+-]?\d+")
_COMPARED, _ADDED, _MULTIPLIED, _RAISED = range(1, 5)


def write(expression: Expression, notation: Notation) -> str:
    """Return the expression in a notation, with parentheses exactly where they are needed.

    A negative number gets them wherever something stands beside it.
    """
    return _write(expression, notation, 0)


def written(line: Line, result: str, in_symbols: Notation, in_numbers: Notation) -> list[str]:
    """Return the formula of a line in symbols and in numbers; what would only repeat is left out.

    Empty where no formula tells the number; ``result`` is what it is displayed as.
    """
    if not line.step.has_formula:
        return []
    formula = write(line.step.expression, in_symbols)
    numbers = write(line.step.expression, in_numbers)
    return [formula] if numbers in (result, formula) else [formula, numbers]


def _begins_with_a_power(term: Expression) -> bool:
    match term:
        case Product(factors=(first, *_)) | Quotient(above=first) | Sum(terms=(first,), signs=(1,)):
            return _begins_with_a_power(first)
        case _:
            return isinstance(term, Power)


def _bare(expression: Expression) -> Expression:
    """Return the only term of a sum of one, which is written as that term."""
    while isinstance(expression, Sum) and expression.signs == (1,):
        (expression,) = expression.terms
    return expression


def _behind_a_factor(factor: Expression, notation: Notation) -> int:
    """Return how strongly a product binds what stands behind its first factor.

    a (b / c) is a b / c on paper, but a program rounds the one otherwise than the other.
    """
    grouped = isinstance(_bare(factor), Product | Quotient) and notation.is_arithmetic
    return _RAISED if grouped else _MULTIPLIED


def _write(expression: Expression, notation: Notation, around: int) -> str:
    def part(inner: Expression, binding: int) -> str:
        return _write(inner, notation, binding)

    match expression:
        case Operand() | Number() | Rest():
            text = notation.leaf(expression)
            enclosed = around and notation.is_negative(text)
            return notation.parentheses(text) if enclosed else text
        case Sum(terms=(only,), signs=(1,)):
            return _write(only, notation, around)
        case Sum(terms=terms, signs=signs):
            parts = [part(term, _ADDED) for term in terms]
            if signs[0] < 0 and notation.is_arithmetic and _begins_with_a_power(terms[0]):
                parts[0] = notation.parentheses(parts[0])  # JavaScript has no -0.5 ** 2
            text = notation.sum(parts, signs)
            return notation.parentheses(text) if around else text
        case Product(factors=factors):
            first, *others = factors
            behind = (part(factor, _behind_a_factor(factor, notation)) for factor in others)
            text = notation.times.join((part(first, _MULTIPLIED), *behind))
            return notation.parentheses(text) if around >= _RAISED else text
        case Quotient(above=above, below=below):
            stacked = notation.stacks_quotients
            sides = (0, 0) if stacked else (_MULTIPLIED, _RAISED)
            text = notation.quotient(part(above, sides[0]), part(below, sides[1]))
            return notation.parentheses(text) if around >= _RAISED else text
        case Power(base=base, exponent=exponent):
            raised = part(base, _RAISED)
            again = isinstance(_bare(base), Power) and notation.is_arithmetic
            if again or _SCIENTIFIC.fullmatch(raised):
                raised = notation.parentheses(raised)
            return notation.power(raised, part(exponent, 0))
        case Comparison(left=left, relation=relation, right=right):
            return notation.comparison(part(left, _COMPARED), relation, part(right, _COMPARED))
        case Call(name=name, arguments=arguments):
            return notation.call(name, [part(argument, 0) for argument in arguments])
        case _:
            raise TypeError("An array is written by whoever shows matrices.")
