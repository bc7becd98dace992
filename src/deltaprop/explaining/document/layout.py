"""Equations of arrays whose rows and columns other conventions exchange: z = W x + b."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from deltaprop.functional.expressions import (
    Applied,
    Call,
    Expression,
    Matrix,
    MatrixProduct,
    Operand,
    Power,
    Product,
    Quotient,
    Reduced,
    Sum,
    Transposed,
    matrices,
    substituted,
)
from deltaprop.notation.ids import array_of, belonging_to, read_ref

__all__ = ["is_turned", "laid_out"]


def is_turned(name: str, turned: Collection[str]) -> bool:
    """Return whether an array has rows and columns exchanged; so has what is kept for it."""
    quantity = read_ref(name).quantity
    own = belonging_to(quantity)
    own = f"d{own}" if array_of(quantity) else own
    return own in turned or quantity in turned


def laid_out(tree: Expression, turned: Collection[str], *, whole: bool) -> Expression:
    """Return an equation's right-hand side in arrays of which some are turned round.

    ``whole`` is whether what it gives is turned, too. An array that is turned has its own rows, so
    that the house's is its transpose; what is transposed twice is not.
    """

    def own(part: Operand | Matrix) -> Expression:
        if isinstance(part, Matrix) and is_turned(part.id, turned):
            return Transposed(replace(part, values=part.values.T, turned=True))
        return part

    return _plain(Transposed(substituted(tree, own)) if whole else substituted(tree, own))


def _plain(tree: Expression) -> Expression:
    """Return a tree in which nothing but single arrays is transposed."""
    match tree:
        case Transposed(of=Transposed(of=inner)):
            return _plain(inner)
        case Transposed(of=MatrixProduct(left=left, right=right)):
            return MatrixProduct(_plain(Transposed(right)), _plain(Transposed(left)))
        case Transposed(of=Reduced(name="sum", of=Transposed(of=Matrix() as inner))):
            return Reduced("sum", inner)  # over samples, which are its columns
        case Transposed(of=Matrix()):
            return tree
        case Transposed(of=inner):
            return _mapped(inner, transposed=True)
        case MatrixProduct(left=left, right=right):
            return MatrixProduct(_plain(left), _plain(right))
        case _:
            return _mapped(tree, transposed=False)


def _mapped(tree: Expression, *, transposed: bool) -> Expression:
    """Return what is done entry by entry with each of its arrays laid out."""

    def part(inner: Expression) -> Expression:
        return _plain(Transposed(inner) if transposed and matrices(inner) else inner)

    match tree:
        case Sum(terms=terms):
            return replace(tree, terms=tuple(map(part, terms)))
        case Product(factors=factors):
            return replace(tree, factors=tuple(map(part, factors)))
        case Quotient(above=above, below=below):
            return Quotient(part(above), part(below))
        case Power(base=base, exponent=exponent):
            return Power(part(base), exponent)
        case Call(arguments=arguments):
            return replace(tree, arguments=tuple(map(part, arguments)))
        case Applied(arguments=named):
            return replace(tree, arguments={name: part(each) for name, each in named.items()})
        case _:
            return tree
