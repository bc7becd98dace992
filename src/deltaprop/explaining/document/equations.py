"""The equations of the layers, as matrices with their numbers: what renderers write down.

Where an equation is shown whole, its operands have enough digits for it to hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from deltaprop.explaining.derivation.trees import (
    delta_of,
    equations_of,
    intermediate,
    intermediates_of,
    part_of,
    tree_of,
)
from deltaprop.explaining.derivation.update import moves, rate_factor
from deltaprop.explaining.document.tokens import (
    Cells,
    Close,
    Constant,
    Entries,
    Equation,
    Joint,
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
    plus,
    times,
)
from deltaprop.model.backprop import Trace
from deltaprop.model.layers import Equation as OfLayer
from deltaprop.model.parameters import Slot
from deltaprop.notation.digits import Line, another_formula, number_text
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.steps import Step
from deltaprop.training.optimizers import GradientDescent

__all__ = ["equations"]

Array = npt.NDArray[np.float64]

MOST_CELLS = 6  # rows and columns of a matrix that are shown
MOST_BLOCKS = 6  # of an array that is worked out block by block
_ALL_DIGITS = 17
_WRONG = 1e-6  # of the sizes of the operands and the result: more than rounding
_ADDED, _ENTRYWISE, _MULTIPLIED = range(1, 4)  # how strongly what stands around an operand binds


def equations(explanation: WorkedStep, digits: int) -> Iterator[Equation]:
    """Yield the matrix equations of a step, in the order they are worked out.

    Parameters
    ----------
    explanation : WorkedStep
        The step.
    digits : int
        Significant digits of the results.

    Yields
    ------
    Equation
        Forward, backward, gradient, update.
    """
    trace = explanation.trace
    last = len(trace.z)
    for layer in range(1, last + 1):
        yield from _forward(trace, layer, digits)
    start = _equation("backward", Ref("delta", last), None, trace.delta[-1], digits)
    yield replace(start, note=trace.network.loss_name)
    for layer in range(last - 1, 0, -1):
        yield from _backward(trace, layer, digits)
    for layer in range(last, 0, -1):
        for name in trace.parameters.layers[layer - 1]:
            yield from _gradient(trace, layer, name, digits)
    for slot in sorted(trace.network.layout.slots, key=lambda slot: -slot.layer):
        yield from _update(explanation, slot, digits)


def _forward(trace: Trace, layer: int, digits: int) -> Iterator[Equation]:
    network, last = trace.network, len(trace.z)
    yield from _between(trace, layer, "forward", digits)
    blocks = list(equations_of(trace, layer, "z"))
    for block in blocks[:MOST_BLOCKS]:
        tree = tree_of(trace, layer, block, shown=True)
        yield _columns(trace, "forward", Ref("z", layer), block, tree, blocks, digits)
    name = network.activations[layer - 1].name if layer < last else network.loss.output
    if name != "identity":
        f = network.activations[layer - 1].f if layer < last else network.loss.predict
        z = Matrix(Ref("z", layer).id, trace.z[layer - 1])
        yield _equation(
            "forward", Ref("a", layer), Applied(name, "", f, {"z": z}), trace.a[layer], digits
        )


def _between(trace: Trace, layer: int, phase: str, digits: int) -> Iterator[Equation]:
    for name in intermediates_of(trace, layer, phase):
        (block,) = equations_of(trace, layer, name)
        found = intermediate(trace, layer, name)
        tree = tree_of(trace, layer, block, shown=True)
        yield _equation(phase, Ref(name, layer), tree, found.values, digits)


def _backward(trace: Trace, layer: int, digits: int) -> Iterator[Equation]:
    yield from _between(trace, layer + 1, "backward", digits)
    blocks = list(equations_of(trace, layer + 1, "below"))
    for block in blocks[:MOST_BLOCKS]:
        tree = delta_of(trace, layer, block, shown=True)
        yield _columns(trace, "backward", Ref("delta", layer), block, tree, blocks, digits)


def _columns(
    trace: Trace,
    phase: str,
    left: Ref,
    block: OfLayer,
    tree: Expression,
    blocks: Sequence[OfLayer],
    digits: int,
) -> Equation:
    """Return an array, or the columns of it that have an equation of their own."""
    result = (trace.z if left.quantity == "z" else trace.delta)[left.layer - 1]
    start, stop = block.start, block.stop or 0
    equation = _equation(phase, left, tree, result[:, start:stop], digits)
    part = part_of(trace, left, start, stop) if len(blocks) > 1 else ""
    return _marked(equation, part, (0, start), blocks, block)


def _gradient(trace: Trace, layer: int, name: str, digits: int) -> Iterator[Equation]:
    network, left = trace.network, Ref(f"d{name}", layer)
    gradient = trace.gradients.layers[layer - 1][name]
    weights = trace.parameters.layers[layer - 1][name]
    blocks = list(equations_of(trace, layer, name))
    for block in blocks[:MOST_BLOCKS]:
        start, stop = block.start, block.stop or 0
        part = part_of(None, left, start, stop) if len(blocks) > 1 else ""
        tree = tree_of(trace, layer, block, shown=True)
        w = _part(Ref(name, layer), weights, start, stop, part)
        if name in network.computing_layers[layer - 1].penalized:
            if network.l2:
                tree = plus(tree, times(Operand("l2", network.l2), w))
            if network.l1:
                sign = replace(w, values=np.sign(w.values), applied="sign")
                tree = plus(tree, times(Operand("l1", network.l1), sign))
        result = _part(left, gradient, start, stop, part)
        equation = _equation("gradient", left, tree, result.values, digits)
        yield _marked(equation, part, result.origin, blocks, block)


def _update(explanation: WorkedStep, slot: Slot, digits: int) -> Iterator[Equation]:
    update, layer, name = explanation.update, slot.layer + 1, slot.name
    old, gradient, new = (
        parameters.layers[slot.layer][name]
        for parameters in (
            explanation.trace.parameters,
            explanation.trace.gradients,
            update.after.parameters,
        )
    )
    set_to = explanation.derivation.new_parameters
    as_matrix = {} if set_to is None else set_to.of_matrix(slot)
    for formula, found in as_matrix.values():
        equation = _equation("update", read_ref(found.id), formula, found.values, digits)
        yield replace(equation, origin=found.origin)
    if as_matrix:
        return
    n_parts = len(old) if old.ndim > 2 else 1
    for k in range(min(n_parts, MOST_BLOCKS)):
        start, stop = (k, k + 1) if old.ndim > 2 else (0, len(old))
        part = str(stop) if n_parts > 1 else ""
        tree: Expression | None = _part(Ref(name, layer), old, start, stop, part)
        if moves(update, name):
            rate: Expression = Operand("learning_rate", update.learning_rate)
            factor = rate_factor(slot)
            rate = rate if factor is None else times(factor, rate)
            g = _part(Ref(f"d{name}", layer), gradient, start, stop, part)
            plain_step = isinstance(update.rule, GradientDescent)
            tree = Sum((tree, times(rate, g)), (1, -1)) if plain_step and tree is not None else None
        result = _part(Ref(name, layer, after=True), new, start, stop, part)
        equation = _equation("update", read_ref(result.id), tree, result.values, digits)
        more = n_parts - MOST_BLOCKS if n_parts > MOST_BLOCKS and stop == MOST_BLOCKS else 0
        yield replace(equation, part=part, origin=result.origin, more=more)


def _part(ref: Ref, array: Array, start: int, stop: int, part: str) -> Matrix:
    """Return some rows of an array, or the first index of one of three, as a matrix."""
    if array.ndim == 1:
        return Matrix(ref.id, array[None], (0,), part)
    if array.ndim == 2:
        return Matrix(ref.id, array[start:stop], (start, 0), part)
    return Matrix(ref.id, array[start], (start, 0, 0), part)


def _marked(
    equation: Equation,
    part: str,
    origin: tuple[int, ...],
    blocks: Sequence[OfLayer],
    block: OfLayer,
) -> Equation:
    is_last = block is blocks[:MOST_BLOCKS][-1]
    more = len(blocks) - MOST_BLOCKS if is_last and len(blocks) > MOST_BLOCKS else 0
    return replace(equation, part=part, origin=origin, more=more)


def _equation(
    phase: str, left: Ref, tree: Expression | None, result: Array, digits: int
) -> Equation:
    enough = digits if tree is None else _enough_digits(left.id, tree, result, digits)
    right = () if tree is None else tuple(_tokens(tree, enough))
    shown = result[:MOST_CELLS, :MOST_CELLS]
    # a result as long as its operands repeats them: a frozen bias, a column that passes
    same = isinstance(tree, Matrix)
    own = enough if same else digits
    exact = (same and phase != "update") or bool(
        np.allclose(_rounded(shown, own), shown, rtol=1e-13, atol=0.0)
    )
    return Equation(phase, left, right, _cells(result, own), exact)


def _tokens(tree: Expression, digits: int, around: int = 0) -> Iterator[Token]:
    """Yield what an equation is written with, in order.

    Parameters
    ----------
    tree : Expression
        What is written.
    digits : int
        Significant digits of the operands.
    around : int
        How strongly what stands around it binds.
    """
    match tree:
        case Matrix():
            yield _entries(tree, digits)
        case Transposed(of=Matrix() as inner):
            entries = _entries(inner, digits)
            yield replace(entries, cells=_cells(inner.values.T, digits), transposed=True)
        case Transposed(of=inner):
            *opened, last = _tokens(inner, digits, _MULTIPLIED)
            closed = isinstance(last, Close) and isinstance(opened[0], Open)
            yield from opened if closed else (Open(), *opened, last)
            yield Close("T")
        case Applied(name=name, arguments=named):
            inner = next(iter(named.values()))
            if isinstance(inner, Matrix):
                yield replace(_entries(inner, digits), applied=name, is_argument=True)
            else:
                yield from (Open(name), *_tokens(inner, digits), Close())
        case _ if not matrices(tree):
            shown = number_text(evaluate(tree), digits)
            yield Constant(Line(Step(Ref("constant"), tree, evaluate(tree)), shown, False, digits))
        case Sum(terms=terms, signs=signs):
            fenced = around > _ADDED or (around == _ADDED and signs[0] < 0)
            yield from [Open()] if fenced else []
            for number, (term, sign) in enumerate(zip(terms, signs, strict=True)):
                if number or sign < 0:
                    yield Joint("+" if sign > 0 else "-")
                yield from _tokens(term, digits, _ADDED if sign > 0 else _ENTRYWISE)
            yield from [Close()] if fenced else []
        case Product(factors=factors):
            yield from _multiplied(factors, digits, around)
        case Quotient(above=above, below=below):
            fenced = around >= _MULTIPLIED
            yield from [Open()] if fenced else []
            yield from _tokens(above, digits, _ENTRYWISE)
            yield Joint("/")
            yield from _tokens(below, digits, _MULTIPLIED)
            yield from [Close()] if fenced else []
        case Power(base=base, exponent=Number(text=exponent)):
            yield from (Open(), *_tokens(base, digits), Close(exponent))
        case Call(name=name, arguments=(inner,)):
            yield from (Open(name), *_tokens(inner, digits), Close())
        case Reduced(name=name, of=inner):
            fenced = name != "sum" or not isinstance(inner, Matrix)
            yield from (Open(name, fenced), *_tokens(inner, digits))
            yield from [Close()] if fenced else []
        case MatrixProduct(left=left, right=right):
            yield from _tokens(left, digits, _MULTIPLIED)
            yield Joint("")
            yield from _tokens(right, digits, _MULTIPLIED)
        case _:
            raise TypeError(f"{type(tree).__name__} has no form among matrices.")


def _multiplied(factors: Sequence[Expression], digits: int, around: int) -> Iterator[Token]:
    constants = [factor for factor in factors if not matrices(factor)]
    others = [factor for factor in factors if matrices(factor)]
    fenced = around >= _MULTIPLIED and len(others) > 1
    yield from [Open()] if fenced else []
    if constants:
        yield from _tokens(times(*constants) if len(constants) > 1 else constants[0], digits)
        yield Joint("")
    for number, factor in enumerate(others):
        yield from [Joint("*")] if number else []
        yield from _tokens(factor, digits, _ENTRYWISE)
    yield from [Close()] if fenced else []


def _entries(matrix: Matrix, digits: int) -> Entries:
    cells = _cells(matrix.values, digits)
    return Entries(
        read_ref(matrix.id), cells, False, matrix.applied, False, matrix.part, matrix.origin
    )


def _enough_digits(name: str, tree: Expression, result: Array, digits: int) -> int:
    """Return the digits of the operands with which the displayed result follows from them.

    Raises
    ------
    SettingError
        When it does not even follow from the operands themselves.
    """
    arrays = [*(matrix.values for matrix in matrices(tree)), result]
    if any(max(array.shape) > MOST_CELLS for array in arrays) or not np.all(np.isfinite(result)):
        return digits
    shown = _rounded(result, digits)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        unit = 10.0 ** (np.floor(np.log10(np.abs(result))) - digits + 1)
        for enough in range(digits, _ALL_DIGITS):
            found = values(tree, lambda leaf, enough=enough: _shown_value(leaf, enough))  # type: ignore[misc]
            if np.all(np.abs(found - shown) <= unit):
                return enough
        found = values(tree)
        largest = max(float(np.abs(array).max()) for array in arrays)
        wrong = np.abs(found - result) > _WRONG * (np.abs(result) + largest**2)
    if np.any(wrong & np.isfinite(found)):
        place = tuple(np.argwhere(wrong)[0])
        raise another_formula(name, float(found[place]), float(result[place]))
    return _ALL_DIGITS


def _shown_value(leaf: Matrix | Leaf, digits: int) -> Array | float:
    """Return what is displayed of an operand, as a number again."""
    if isinstance(leaf, Matrix):
        return _rounded(leaf.values, digits)
    return float(leaf.text) if isinstance(leaf, Number) else float(number_text(leaf.value, digits))


def _rounded(array: Array, digits: int) -> Array:
    flat = [float(number_text(float(v), digits)) for v in array.ravel()]
    return np.array(flat).reshape(array.shape)


def _cells(array: Array, digits: int) -> Cells:
    rows = array[:MOST_CELLS, :MOST_CELLS]
    texts = tuple(tuple(number_text(float(v), digits) for v in row) for row in rows)
    return Cells(texts, (array.shape[0], array.shape[1]))
