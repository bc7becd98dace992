"""By how much float64 arithmetic may miss what an expression is.

First order in the unit roundoff u, operation by operation: an operand was rounded when it was
worked out; the error of x + y is at most the errors of x and y, and u |x + y|; and so on (Higham,
Accuracy and Stability of Numerical Algorithms, 2002, chapter 3).
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite

from deltaprop.functional.arithmetic import FUNCTIONS, evaluate, leaf_value
from deltaprop.functional.expressions import (
    Call,
    Comparison,
    Expression,
    Number,
    Operand,
    Power,
    Product,
    Quotient,
    Rest,
    Sum,
)

__all__ = ["rounding_bound"]

_TINY = 5e-324  # and what underflows to one of the least numbers
_UNIT = 2.0**-52  # twice the unit roundoff: functions are right to one unit in the last place
_SLOPE = 8  # times the error: how far a function is tried on both sides


def rounding_bound(expression: Expression) -> float:
    """Return how far from the exact value float64 may be; infinity where it overflows."""
    value, error = _bounded(expression)
    return error if isfinite(value) and isfinite(error) else inf


def _bounded(expression: Expression) -> tuple[float, float]:
    match expression:
        case Operand(value=value, rounding=before):  # a p that is nearly 1 was rounded, too
            return value, before + _UNIT * abs(value)
        case Rest(value=value):
            return value, _UNIT * abs(value)
        case Number():
            return leaf_value(expression), 0.0
        case Sum(terms=terms, signs=signs):
            parts = [_bounded(term) for term in terms]
            sizes = [abs(value) for value, _ in parts]
            total = sum(sign * value for (value, _), sign in zip(parts, signs, strict=True))
            error = sum(error for _, error in parts) + len(parts) * _UNIT * sum(sizes)
            return total, error + sum(_of_rest(term, terms, sizes) for term in terms)
        case Product(factors=factors):
            value, error = 1.0, 0.0
            for factor in factors:
                other, its_error = _bounded(factor)
                error = abs(value) * its_error + abs(other) * error + abs(value * other) * _UNIT
                error += _TINY
                value *= other
            return value, error
        case Quotient(above=above, below=below):
            (top, its_error), (bottom, other_error) = _bounded(above), _bounded(below)
            if bottom == 0:
                return inf, inf
            value = top / bottom
            error = (its_error + abs(value) * other_error) / abs(bottom)
            return value, error + abs(value) * _UNIT + _TINY
        case Power(base=base, exponent=exponent):
            (value, error), (power, _) = _bounded(base), _bounded(exponent)
            return _around(lambda x: float(x**power), value, error)
        case Comparison(left=left, right=right):
            (first, its_error), (second, other_error) = _bounded(left), _bounded(right)
            undecided = its_error + other_error > 0 and (
                abs(first - second) <= its_error + other_error
            )
            return evaluate(expression), float(undecided)
        case Call(name=name, arguments=[argument]):
            return _around(FUNCTIONS[name], *_bounded(argument))
        case Call(arguments=arguments):  # max
            return evaluate(expression), max(error for _, error in map(_bounded, arguments))
        case _:
            raise TypeError("An array has many values: see functional/arrays.py.")


def _of_rest(term: Expression, terms: tuple[Expression, ...], sizes: list[float]) -> float:
    """Return what was rounded in terms left out, each of which is smaller than those that stand."""
    if not isinstance(term, Rest):
        return 0.0
    shown = [size for other, size in zip(terms, sizes, strict=True) if not isinstance(other, Rest)]
    return _UNIT * term.count**2 * min(shown, default=abs(term.value))


def _around(f: Callable[[float], float], value: float, error: float) -> tuple[float, float]:
    """Return f(value), and how far it moves within a few errors of that."""
    try:
        result = f(value)
        near = [f(value + sign * _SLOPE * error) for sign in (-1, 1)]
    except (ValueError, OverflowError, ZeroDivisionError, TypeError):
        return inf, inf
    return result, max(abs(other - result) for other in near) + _UNIT * abs(result) + _TINY
