"""Sums and products as expressions, the long ones shortened."""

from __future__ import annotations

from collections.abc import Sequence

from deltaprop.functional.arithmetic import Expression, Product, Rest, Sum

__all__ = ["MOST_TERMS", "plus", "shortened", "times"]

# Longer sums show their largest terms and the rest as one number.
MOST_TERMS = 8


def shortened(
    terms: Sequence[tuple[Expression, float]], n_more: int = 0, more: float = 0.0
) -> Expression:
    """Return the sum of terms, each with its value, the smallest gathered where there are many.

    ``n_more`` further terms, smaller than these and together ``more``, are gathered with them.
    """
    if len(terms) + n_more == 1:
        return terms[0][0]
    shown, rest = list(terms), None
    if len(terms) + n_more > MOST_TERMS:
        order = sorted(range(len(terms)), key=lambda i: -abs(terms[i][1]))
        shown = [terms[i] for i in sorted(order[: MOST_TERMS - 1])]
        left_out = [terms[i][1] for i in order[MOST_TERMS - 1 :]]
        rest = Rest(len(left_out) + n_more, float(sum(left_out)) + more)
    parts = [_signed(term) for term, _ in shown]
    if rest is not None:
        parts.append((rest, 1))
    return Sum(tuple(part for part, _ in parts), tuple(sign for _, sign in parts))


def _signed(term: Expression) -> tuple[Expression, int]:
    """Return a term and its sign: the minus of -(t ln p) belongs to the sum it stands in."""
    if isinstance(term, Sum) and len(term.terms) == 1:
        return term.terms[0], term.signs[0]
    return term, 1


def plus(first: Expression, second: Expression) -> Expression:
    """Return first + second as one sum."""
    if isinstance(first, Sum):
        return Sum((*first.terms, second), (*first.signs, 1))
    return Sum((first, second), (1, 1))


def times(*factors: Expression) -> Expression:
    """Return the product as one."""
    flat: list[Expression] = []
    for factor in factors:
        flat += factor.factors if isinstance(factor, Product) else (factor,)
    return Product(tuple(flat))
