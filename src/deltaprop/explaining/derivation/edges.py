"""Which numbers of a layer stand at an edge of the network picture, and which at a node."""

from __future__ import annotations

from collections.abc import Iterator

from deltaprop.explaining.derivation.backward import gradient_tree
from deltaprop.explaining.derivation.trees import entry_of, equations_of, tree_of
from deltaprop.functional.arrays import element
from deltaprop.functional.expressions import (
    Expression,
    Matrix,
    MatrixProduct,
    Operand,
    Product,
    Reduced,
    Sum,
    leaves,
    matrices,
    parts_of,
)
from deltaprop.model.backprop import Trace
from deltaprop.model.layers import ARRAYS, INTERMEDIATES
from deltaprop.notation.ids import Ref, read_ref

__all__ = ["added_at", "edges_of", "parameters_of", "reads"]


def reads(trace: Trace, layer: int, j: int) -> frozenset[int]:
    """Return the i whose a_i have a part in z_j."""
    return frozenset(_columns_read(trace, layer, *_preactivation(trace, layer, j)))


def _columns_read(trace: Trace, layer: int, tree: Expression, column: int) -> Iterator[int]:
    match tree:
        case Matrix() if (name := read_ref(tree.id).quantity) in INTERMEDIATES:
            (equation,) = equations_of(trace, layer, name)
            yield from _columns_read(trace, layer, tree_of(trace, layer, equation), column)
        case Matrix(values=values, origin=origin) if not _is_parameter(tree):
            yield origin[-1] + (column if values.shape[1] > 1 else 0)
        case MatrixProduct() | Reduced():  # of every column, each entry
            for matrix in matrices(tree):
                if not _is_parameter(matrix):
                    yield from range(matrix.origin[-1], matrix.origin[-1] + matrix.values.shape[1])
        case _:
            for part in parts_of(tree):
                yield from _columns_read(trace, layer, part, column)


def _is_parameter(matrix: Matrix) -> bool:
    return read_ref(matrix.id).quantity in ARRAYS


def parameters_of(trace: Trace, layer: int, i: int, j: int) -> tuple[Ref, ...]:
    """Return the parameters in what z_j reads of a_i: one weight, none where it passes, or more."""
    tree, column = _preactivation(trace, layer, j)
    z = element(_of_one_column(tree, i), 0, column)
    found: dict[Ref, None] = {}
    for term in z.terms if isinstance(z, Sum) else (z,):
        refs = _refs(term)
        if any(ref.quantity not in ARRAYS and ref.index[1] == i for ref in refs):
            found |= dict.fromkeys(ref for ref in refs if ref.quantity in ARRAYS)
    return tuple(found)


def edges_of(trace: Trace, parameter: Ref) -> Iterator[tuple[int, int]]:
    """Yield the edges that a parameter alone belongs to, as the neurons i and j that they join."""
    tree = gradient_tree(trace, parameter.layer, parameter.quantity, parameter.index)
    refs = _refs(element(*tree))
    j_of = {ref.index[1] for ref in refs if ref.quantity == "delta"}
    i_of = {ref.index[1] for ref in refs if ref.quantity not in ("delta", *ARRAYS)}
    for i, j in sorted((i, j) for i in i_of for j in j_of):
        if parameters_of(trace, parameter.layer, i, j) == (parameter,):
            yield i, j


def added_at(trace: Trace, layer: int, j: int) -> Ref | None:
    """Return the parameter that is added to z_j as it is, such as a bias."""
    tree, column = _preactivation(trace, layer, j)
    for term in tree.terms[1:] if isinstance(tree, Sum) else ():
        if isinstance(term, Matrix) and column not in term.absent:
            ref = read_ref(term.entry(0, column).id)
            if ref.quantity in ARRAYS:
                return ref
    return None


def _preactivation(trace: Trace, layer: int, j: int) -> tuple[Expression, int]:
    equation = entry_of(trace, layer, "z", j)
    return tree_of(trace, layer, equation), j - equation.start


def _of_one_column(tree: Expression, i: int) -> Expression:
    """Return the tree without most of what is not of a_i: one column of a plain product."""
    match tree:
        case Sum(terms=terms, signs=signs):
            return Sum(tuple(_of_one_column(term, i) for term in terms), signs)
        case Product(factors=factors):
            return Product(tuple(_of_one_column(factor, i) for factor in factors))
        case MatrixProduct(left=Matrix() as a, right=Matrix() as weights):
            k = i - a.origin[1]
            if 0 <= k < a.values.shape[1]:
                return MatrixProduct(a.columns(k, k + 1), weights.rows(k, k + 1))
    return tree


def _refs(expression: Expression) -> list[Ref]:
    return [read_ref(leaf.id) for leaf in leaves(expression) if isinstance(leaf, Operand)]
