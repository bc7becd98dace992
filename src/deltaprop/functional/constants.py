"""Constants written into expressions: 2 (x / 2) is x, and minus (z - t) is t - z."""

from __future__ import annotations

from fractions import Fraction

from deltaprop.functional.expressions import (
    Expression,
    Number,
    Product,
    Quotient,
    Rest,
    Sum,
    matrices,
    times,
)

__all__ = ["rescaled"]


def rescaled(expression: Expression, factor: Fraction) -> Expression:
    """Return an expression times a constant, which is written into it: 2 (x / 2) is x.

    A minus turns the terms of a difference round.
    """
    if factor == 1:
        return expression
    if factor < 0:
        return _negative(rescaled(expression, -factor))
    match expression:
        case Number(text=text) if text.isdecimal():
            return _constant(factor * int(text))
        case Quotient(above=above, below=Number(text=text)) if text.isdecimal():
            return _with_constant(factor / int(text), above)
        case Product(factors=(first, *others)) if (c := _value_of(first)) is not None:
            rest = times(*others) if len(others) > 1 else others[0]
            return _with_constant(factor * c, rest)
        case Sum(terms=terms, signs=signs) if len(terms) == 1 or any(map(_absorbs, terms)):
            return Sum(tuple(rescaled(term, factor) for term in terms), signs)
        case Rest(count=count, value=value):
            return Rest(count, value * float(factor))
    return _with_constant(factor, expression)


def _absorbs(term: Expression) -> bool:
    """Return whether a constant can be written into one that stands there already."""
    match term:
        case Quotient(below=Number(text=text)):
            return text.isdecimal()
        case Product(factors=(first, *_)):
            return _value_of(first) is not None
        case Sum(terms=terms):
            return any(map(_absorbs, terms))
        case _:
            return isinstance(term, Rest)


def _value_of(constant: Expression) -> Fraction | None:
    """Return what a constant such as 2 or 1 / 3 is; None for anything else."""
    match constant:
        case Number(text=text) if text.isdecimal():
            return Fraction(int(text))
        case Quotient(above=Number(text=above), below=Number(text=below)):
            whole = above.isdecimal() and below.isdecimal()
            return Fraction(int(above), int(below)) if whole else None
        case _:
            return None


def _constant(value: Fraction) -> Expression:
    above = Number(str(value.numerator))
    return above if value.denominator == 1 else Quotient(above, Number(str(value.denominator)))


def _with_constant(constant: Fraction, expression: Expression) -> Expression:
    """Return constant times expression, as it is usually written."""
    if constant == 1:
        return expression
    if constant.numerator == 1 and not matrices(expression):
        return Quotient(expression, Number(str(constant.denominator)))
    return times(_constant(constant), expression)


def _negative(expression: Expression) -> Expression:
    """Return minus an expression: t - z of z - t."""
    match expression:
        case Sum(terms=terms, signs=signs):
            pairs = [(term, -sign) for term, sign in zip(terms, signs, strict=True)]
            pairs.sort(key=lambda pair: pair[1] < 0)  # stable: what is added stands first
            if len(pairs) == 1 and pairs[0][1] > 0:
                return pairs[0][0]
            return Sum(tuple(term for term, _ in pairs), tuple(sign for _, sign in pairs))
        case Product(factors=factors):
            for place, factor in enumerate(factors):
                if isinstance(factor, Sum) and min(factor.signs) < 0:
                    turned = _negative(factor)
                    return times(*factors[:place], turned, *factors[place + 1 :])
        case Quotient(above=Sum() as above, below=below):
            return Quotient(_negative(above), below)
    return Sum((expression,), (-1,))
