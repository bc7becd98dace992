"""Several forms of one number: which of them float64 can work out, where it is.

1 / (1 + exp(-z)) overflows at z = -800, and log(1 + exp(z)) has no digit left at z = -40, while the
functions have numbers there. A registry row may say further forms of a formula; the one that is
written down is the first that comes to the number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from deltaprop.functional.arithmetic import FUNCTIONS, evaluate
from deltaprop.functional.expressions import Comparison, Expression, Product, Quotient, Sum

__all__ = ["fitting"]

_CLOSE = 1e-9  # relative: more digits than are usually displayed
_OVERFLOWING = {**FUNCTIONS, "exp": math.exp}  # as any other reader has it: no exp(800)


def fitting(forms: Sequence[Expression], value: float) -> Expression:
    """Return the first of several forms that comes to a number; where none does, the nearest.

    What a gate of 0 shuts off is left out where it overflows: ``(z > 0) * z + (z <= 0) * exp(z)``
    is ``(z > 0) * z`` at 800. Where all forms overflow, the first is returned.
    """
    best, least = forms[0], math.inf
    for form in (*forms, *map(_open, forms)):
        missed = abs(evaluate(form, functions=_OVERFLOWING) - value)
        if missed <= _CLOSE * abs(value):
            return form
        if missed < least:
            best, least = form, missed
    return best


def _open(tree: Expression) -> Expression:
    """Return a tree without the terms of its sums that a gate makes 0."""
    if not isinstance(tree, Sum):
        factors = tree.factors if isinstance(tree, Product) else ()
        return Product(tuple(map(_open, factors))) if factors else tree
    kept = [
        (_open(term), sign)
        for term, sign in zip(tree.terms, tree.signs, strict=True)
        if not _is_shut(term)
    ]
    if not kept:
        return tree
    terms, signs = zip(*kept, strict=True)
    return terms[0] if signs == (1,) else Sum(terms, signs)


def _is_shut(term: Expression) -> bool:
    if isinstance(term, Quotient):
        return _is_shut(term.above)
    return isinstance(term, Product) and any(
        isinstance(factor, Comparison) and evaluate(factor) == 0 for factor in term.factors
    )
