"""The equations of the layers, as matrices with their numbers: what renderers write down.

Where an equation is shown whole, its operands have enough digits for it to hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from deltaprop.explaining.derivation.operands import with_penalties
from deltaprop.explaining.derivation.trees import (
    columns_of,
    delta_of,
    equations_of,
    intermediate,
    intermediates_of,
    rows_of,
    tree_of,
)
from deltaprop.explaining.derivation.update import moves
from deltaprop.explaining.derivation.written import Written
from deltaprop.explaining.document.layout import is_turned, laid_out
from deltaprop.explaining.document.tokens import (
    Cells,
    Close,
    Constant,
    Entries,
    Joint,
    MatrixEquation,
    Open,
    Token,
)
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.functional.arithmetic import evaluate
from deltaprop.functional.arrays import values
from deltaprop.functional.expressions import (
    Applied,
    Call,
    Expression,
    Leaf,
    Matrix,
    MatrixProduct,
    Number,
    Operand,
    Power,
    Product,
    Quotient,
    Reduced,
    Sum,
    Transposed,
    matrices,
    times,
)
from deltaprop.model.backprop import Trace
from deltaprop.model.layers import Equation as OfLayer
from deltaprop.model.parameters import Slot
from deltaprop.notation.digits import ABSENT, ALL_DIGITS, Line, another_formula, number_text
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.steps import DerivationStep
from deltaprop.training.optimizers import GradientDescent

__all__ = ["equations"]

Array = npt.NDArray[np.float64]

MOST_CELLS = 6  # rows and columns of a matrix that are shown
MOST_BLOCKS = 6  # of an array that is worked out block by block
_WRONG = 1e-6  # of the sizes of the operands and the result: more than rounding
_ADDED, _ENTRYWISE, _MULTIPLIED = range(1, 4)  # how strongly what stands around an operand binds


@dataclass(frozen=True)
class _Plan:
    """What an equation says in the house's numbers; ``note`` stands for a tree that is not."""

    phase: str
    tree: Expression | None
    left: Matrix
    more: int = 0
    note: str = ""


def equations(
    worked: WorkedStep, digits: int, *, loss_is_layer: bool = False
) -> Iterator[MatrixEquation]:
    """Yield the matrix equations of a step, their results with so many digits, phase by phase.

    ``loss_is_layer`` is whether the loss is the z of a layer of its own, whose delta is 1.
    """
    for plan in _plans(worked, loss_is_layer):
        yield _equation(plan, worked.written, digits)


def _plans(worked: WorkedStep, loss_is_layer: bool) -> Iterator[_Plan]:
    trace = worked.trace
    last = len(trace.z)
    for layer in range(1, last + 1):
        yield from _forward(trace, layer)
    if loss_is_layer:
        loss, behind = np.full((1, 1), worked.shown.loss), last + 1
        z, first = Matrix(Ref("z", behind).id, loss), Matrix(Ref("delta", behind).id, loss**0)
        yield _Plan("forward", Operand("objective", worked.shown.loss), z)
        yield _Plan("backward", Operand("first_delta", 1.0), first)
    delta = Matrix(Ref("delta", last).id, trace.delta[-1])
    yield _Plan("backward", None, delta, note=trace.network.loss_name)
    for layer in range(last - 1, 0, -1):
        yield from _backward(trace, layer)
    for layer in range(last, 0, -1):
        for name in trace.parameters.layers[layer - 1]:
            yield from _gradient(trace, layer, name)
    for slot in sorted(trace.network.layout.slots, key=lambda slot: -slot.layer):
        yield from _update(worked, slot)


def _forward(trace: Trace, layer: int) -> Iterator[_Plan]:
    network, z = trace.network, trace.z[layer - 1]
    yield from _between(trace, layer, "forward")
    for block, more in _blocks(trace, layer, "z"):
        tree = tree_of(trace, layer, block, shown=True)
        result = columns_of(trace, z, Ref("z", layer), block.start, block.stop or 0)
        yield _Plan("forward", tree, result, more)
    is_last = layer == len(trace.z)
    name = network.loss.output if is_last else network.activations[layer - 1].name
    if name != "identity":
        f = network.loss.predict if is_last else network.activations[layer - 1].f
        tree = Applied(name, (), f, {"z": Matrix(Ref("z", layer).id, z)})
        yield _Plan("forward", tree, Matrix(Ref("a", layer).id, trace.a[layer]))


def _between(trace: Trace, layer: int, phase: str) -> Iterator[_Plan]:
    for name in intermediates_of(trace, layer, phase):
        (block,) = equations_of(trace, layer, name)
        tree = tree_of(trace, layer, block, shown=True)
        yield _Plan(phase, tree, intermediate(trace, layer, name))


def _backward(trace: Trace, layer: int) -> Iterator[_Plan]:
    yield from _between(trace, layer + 1, "backward")
    delta, left = trace.delta[layer - 1], Ref("delta", layer)
    for block, more in _blocks(trace, layer + 1, "below"):
        tree = delta_of(trace, layer, block, shown=True)
        result = columns_of(trace, delta, left, block.start, block.stop or 0)
        yield _Plan("backward", tree, result, more)


def _gradient(trace: Trace, layer: int, name: str) -> Iterator[_Plan]:
    network = trace.network
    gradient = trace.gradients.layers[layer - 1][name]
    weights = trace.parameters.layers[layer - 1][name]
    for block, more in _blocks(trace, layer, name):
        start, stop = block.start, block.stop or 0
        tree = tree_of(trace, layer, block, shown=True)
        own = network.computing_layers[layer - 1].penalized
        if name in own and network.has_penalized_gradient:
            w = rows_of(trace, weights, Ref(name, layer), start, stop)
            tree = with_penalties(tree, w, network.l2, network.l1, network.penalty_factor)
        result = rows_of(trace, gradient, Ref(f"d{name}", layer), start, stop)
        yield _Plan("gradient", tree, result, more)


def _blocks(trace: Trace, layer: int, left: str) -> Iterator[tuple[OfLayer, int]]:
    """Yield a layer's equations that are shown; the last with how many more there are."""
    found = equations_of(trace, layer, left)
    for number, block in enumerate(found[:MOST_BLOCKS], start=1):
        yield block, len(found) - number if number == MOST_BLOCKS else 0


def _update(worked: WorkedStep, slot: Slot) -> Iterator[_Plan]:
    trace, update, described = (
        worked.trace, worked.update, worked.derivation.new_parameters
    )  # fmt: skip
    as_matrix = described.of_matrix(slot)
    for formula, found in as_matrix.values():
        yield _Plan("update", formula, found)
    if as_matrix:
        return
    name, layer, shape = slot.name, slot.layer + 1, slot.shape
    old, gradient, new = (
        parameters.layers[slot.layer][name]
        for parameters in (trace.parameters, trace.gradients, update.after.parameters)
    )
    n_parts = shape[0] if len(shape) > 2 else 1
    for k in range(min(n_parts, MOST_BLOCKS)):
        start, stop = (k, k + 1) if len(shape) > 2 else (0, len(old))
        tree: Expression | None = rows_of(trace, old, Ref(name, layer), start, stop)
        if moves(update, name) and tree is not None:
            g = rows_of(trace, gradient, Ref(f"d{name}", layer), start, stop)
            step = times(described.learning_rate(slot), described.pull(slot, g, tree))
            tree = Sum((tree, step), (1, -1)) if isinstance(update.rule, GradientDescent) else None
        result = rows_of(trace, new, Ref(name, layer, after=True), start, stop)
        more = n_parts - MOST_BLOCKS if k == MOST_BLOCKS - 1 else 0
        yield _Plan("update", tree, result, more)


def _equation(plan: _Plan, written: Written, digits: int) -> MatrixEquation:
    """Return an equation as conventions write it, with enough digits."""
    phase, left, tree, enough = plan.phase, read_ref(plan.left.id), plan.tree, digits
    multiple = written.multiple(left.quantity)
    result = plan.left.values if multiple == 1 else plan.left.values * multiple
    right: tuple[Token, ...] = ()
    turned = is_turned(plan.left.id, written.turned)
    if tree is not None:
        tree = written.tree(tree, left.quantity)
        enough = _enough_digits(plan.left, tree, result, digits)
        shown_tree = laid_out(tree, written.turned, whole=turned) if written.turned else tree
        right = tuple(_tokens(shown_tree, enough))
    shown = result[:MOST_CELLS, :MOST_CELLS]
    exact = bool(np.allclose(_rounded(shown, digits), shown, rtol=1e-13, atol=0.0))
    return MatrixEquation(
        phase, left, right, _cells(result.T if turned else result, digits, plan.left.absent), exact,
        plan.note, plan.left.part, plan.left.origin, plan.more, tree, plan.left, turned,
        multiple == 1,
    )  # fmt: skip


def _tokens(tree: Expression, digits: int, around: int = 0) -> Iterator[Token]:
    """Yield what an equation is written with, in order.

    ``digits`` are those of the operands; ``around`` is how strongly what stands around it binds.
    """
    match tree:
        case Matrix():
            yield _entries(tree, digits)
        case Transposed(of=Matrix() as inner):
            entries = _entries(inner, digits)
            cells = _cells(inner.values.T, digits, inner.absent)
            yield replace(entries, cells=cells, transposed=True)
        case Transposed(of=inner):
            *opened, last = _tokens(inner, digits, _MULTIPLIED)
            closed = isinstance(last, Close) and isinstance(opened[0], Open)
            yield from (*opened, Close("T")) if closed else _fenced((*opened, last), raised="T")
        case Applied(name=name, arguments=named):
            inner = next(iter(named.values()))
            if isinstance(inner, Matrix):
                yield replace(_entries(inner, digits), applied=name, is_argument=True)
            else:
                yield from _fenced(_tokens(inner, digits), name)
        case _ if not matrices(tree):
            shown = number_text(evaluate(tree), digits)
            yield Constant(
                Line(DerivationStep(Ref("constant"), tree, evaluate(tree)), shown, False, digits)
            )
        case Sum(terms=terms, signs=signs):
            fenced = around > _ADDED or (around == _ADDED and signs[0] < 0)
            yield from _fenced(_added(terms, signs, digits), fenced=fenced)
        case Product(factors=factors):
            fenced = around >= _MULTIPLIED and sum(bool(matrices(f)) for f in factors) > 1
            yield from _fenced(_multiplied(factors, digits), fenced=fenced)
        case Quotient(above=above, below=below):
            sides = (*_tokens(above, digits, _ENTRYWISE), Joint("/"))
            quotient = (*sides, *_tokens(below, digits, _MULTIPLIED))
            yield from _fenced(quotient, fenced=around >= _MULTIPLIED)
        case Power(base=base, exponent=Number(text=exponent)):
            yield from _fenced(_tokens(base, digits), raised=exponent)
        case Call(name=name, arguments=(inner,)):
            yield from _fenced(_tokens(inner, digits), name)
        case Reduced(name="sum", of=Matrix() as inner):
            yield from (Open("sum", fenced=False), _entries(inner, digits))
        case Reduced(name=name, of=inner):
            yield from _fenced(_tokens(inner, digits), name)
        case MatrixProduct(left=left, right=right):
            yield from _tokens(left, digits, _MULTIPLIED)
            yield Joint("")
            yield from _tokens(right, digits, _MULTIPLIED)
        case _:
            raise TypeError(f"{type(tree).__name__} has no form among matrices.")


def _fenced(
    tokens: Iterable[Token], function: str = "", raised: str = "", *, fenced: bool = True
) -> Iterator[Token]:
    """Yield tokens, in parentheses where they need them."""
    yield from (Open(function), *tokens, Close(raised)) if fenced else tokens


def _added(terms: Sequence[Expression], signs: Sequence[int], digits: int) -> Iterator[Token]:
    for number, (term, sign) in enumerate(zip(terms, signs, strict=True)):
        if number or sign < 0:
            yield Joint("+" if sign > 0 else "-")
        yield from _tokens(term, digits, _ADDED if sign > 0 else _ENTRYWISE)


def _multiplied(factors: Sequence[Expression], digits: int) -> Iterator[Token]:
    constants = [factor for factor in factors if not matrices(factor)]
    if constants:
        yield from _tokens(times(*constants) if len(constants) > 1 else constants[0], digits)
        yield Joint("")
    for number, factor in enumerate(factor for factor in factors if matrices(factor)):
        yield from [Joint("*")] if number else []
        yield from _tokens(factor, digits, _ENTRYWISE)


def _entries(matrix: Matrix, digits: int) -> Entries:
    cells = _cells(matrix.values, digits, matrix.absent)
    return Entries(
        read_ref(matrix.id), cells, False, matrix.applied, False, matrix.part, matrix.origin,
        matrix.turned,
    )  # fmt: skip


def _enough_digits(left: Matrix, tree: Expression, result: Array, digits: int) -> int:
    """Return the digits of the operands with which the displayed result follows from them.

    ``result`` is what is displayed of the array on the left, of which some entries may be absent.

    Raises
    ------
    SettingError
        When it does not even follow from the operands themselves.
    """
    arrays = [*(matrix.values for matrix in matrices(tree)), result]
    if any(max(array.shape) > MOST_CELLS for array in arrays) or not np.all(np.isfinite(result)):
        return digits
    shown = _rounded(result, digits)
    there = [j for j in range(result.shape[1]) if j not in left.absent]
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        unit = 10.0 ** (np.floor(np.log10(np.abs(result))) - digits + 1)
        for enough in range(digits, ALL_DIGITS):
            found = values(tree, lambda leaf, enough=enough: _shown_value(leaf, enough))  # type: ignore[misc]
            if np.all((np.abs(found - shown) <= unit)[..., there]):
                return enough
        found = values(tree)
        largest = max(float(np.abs(array).max()) for array in arrays)
        wrong = np.abs(found - result) > _WRONG * (np.abs(result) + largest**2)
        wrong[..., list(left.absent)] = False
    if np.any(wrong & np.isfinite(found)):
        place = tuple(np.argwhere(wrong)[0])
        raise another_formula(left.id, float(found[place]), float(result[place]))
    return ALL_DIGITS


def _shown_value(leaf: Matrix | Leaf, digits: int) -> Array | float:
    """Return what is displayed of an operand, as a number again."""
    if isinstance(leaf, Matrix):
        return _rounded(leaf.values, digits)
    return float(leaf.text) if isinstance(leaf, Number) else float(number_text(leaf.value, digits))


def _rounded(array: Array, digits: int) -> Array:
    flat = [float(number_text(float(v), digits)) for v in array.ravel()]
    return np.array(flat).reshape(array.shape)


def _cells(array: Array, digits: int, absent: Collection[int] = ()) -> Cells:
    """Return what is shown of a matrix; of a vector, a row or a column, some may be absent."""
    rows = array[:MOST_CELLS, :MOST_CELLS]
    texts = tuple(
        tuple(
            ABSENT if max(i, j) in absent else number_text(float(v), digits)
            for j, v in enumerate(row)
        )
        for i, row in enumerate(rows)
    )
    return Cells(texts, (array.shape[0], array.shape[1]))
