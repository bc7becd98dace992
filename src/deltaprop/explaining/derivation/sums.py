"""Sums as expressions, the long ones shortened."""

from __future__ import annotations

from collections.abc import Sequence

from deltaprop.functional.arithmetic import evaluate
from deltaprop.functional.arrays import element
from deltaprop.functional.expressions import Expression, Product, Rest, Sum, multiplied

__all__ = ["MOST_TERMS", "added", "entry", "shortened"]

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


def entry(tree: Expression, i: int, j: int) -> Expression:
    """Return one entry of a tree of arrays, long sums shortened."""
    return element(tree, i, j, added, MOST_TERMS)


def added(terms: Sequence[Expression], n_more: int = 0, more: float = 0.0) -> Expression:
    """Return the sum of terms that may be sums themselves, the smallest gathered where many.

    ``n_more`` further terms come to ``more``. A sum that stands as a factor in a term is opened
    only where something has to be left out.
    """
    opened = [part for term in terms for part in _summands(term, deep=False)]
    if sum(len(_summands(term, deep=True)) for term in opened) + n_more > MOST_TERMS:
        opened = [part for term in opened for part in _summands(term, deep=True)]
    return shortened([(term, evaluate(term)) for term in opened], n_more, more)


def _summands(term: Expression, *, deep: bool) -> list[Expression]:
    """Return what a sum adds up; deep also what a product does that has a long sum as a factor."""
    if isinstance(term, Sum):
        return [
            inner if sign > 0 else Sum((inner,), (-1,))
            for part, sign in zip(term.terms, term.signs, strict=True)
            for inner in (_summands(part, deep=deep) if deep and sign > 0 else [part])
        ]
    if deep and isinstance(term, Product):
        for place, factor in enumerate(term.factors):
            if isinstance(factor, Sum) and len(factor.terms) > 2:
                before, behind = term.factors[:place], term.factors[place + 1 :]
                return [multiplied(*before, part, *behind) for part in _summands(factor, deep=True)]
    return [term]


def _signed(term: Expression) -> tuple[Expression, int]:
    """Return a term and its sign: the minus of -(t ln p) belongs to the sum it stands in."""
    if isinstance(term, Sum) and len(term.terms) == 1:
        return term.terms[0], term.signs[0]
    return term, 1
