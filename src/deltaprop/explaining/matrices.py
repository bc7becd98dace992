"""The equations of the layers, as matrices with their numbers: what renderers write down.

Where an equation is shown whole, its operands have enough digits for it to hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deltaprop.explaining.digits import line_of, number_text
from deltaprop.explaining.matrix_forms import (
    FORMS,
    Block,
    Piece,
    Place,
    Worked,
    blocks_of,
    folded,
)
from deltaprop.explaining.matrix_terms import Cells, Equation, Term
from deltaprop.explaining.names import Ref
from deltaprop.explaining.steps import Step
from deltaprop.explaining.updating import moves, rate_factor
from deltaprop.functional.arithmetic import evaluate
from deltaprop.model.backprop import Trace
from deltaprop.model.parameters import Slot
from deltaprop.training.optimizers import GradientDescent

if TYPE_CHECKING:
    from deltaprop.explaining.explanation import Explanation

__all__ = ["equations"]

Array = npt.NDArray[np.float64]

MOST_CELLS = 6  # rows and columns of a matrix that are shown
MOST_BLOCKS = 6  # of an array that is worked out block by block
_ALL_DIGITS = 17


def equations(explanation: Explanation, digits: int) -> Iterator[Equation]:
    """Yield the matrix equations of a step, in the order they are worked out.

    Parameters
    ----------
    explanation : Explanation
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
    start = _equation("backward", Ref("delta", last), [], trace.delta[-1], digits)
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
    form, at = FORMS[type(network.numbered[layer - 1])], Place(trace, layer)
    blocks = form.forward(network.numbered[layer - 1], at)
    yield from _columns("forward", Ref("z", layer), blocks, trace.z[layer - 1], at, digits)
    name = network.activations[layer - 1].name if layer < last else network.loss.output
    if name != "identity":
        f = network.activations[layer - 1].f if layer < last else network.loss.predict
        z = Piece("", Ref("z", layer), trace.z[layer - 1], applied=name, function=f)
        yield _equation("forward", Ref("a", layer), [z], trace.a[layer], digits)


def _backward(trace: Trace, layer: int, digits: int) -> Iterator[Equation]:
    above, at = trace.network.numbered[layer], Place(trace, layer + 1)
    row, mask = trace.network.activations[layer - 1], trace.masks[layer]
    factors = []
    if mask is not None:
        factors.append(Piece("*", Ref("mask", layer + 1), mask))
    if row.name != "identity":
        slope = row.f_prime(trace.z[layer - 1], trace.a[layer])
        factors.append(Piece("*", Ref("z", layer), slope, applied=f"{row.name}'"))
    blocks = (_times(b, factors, at) for b in FORMS[type(above)].below(above, at))
    yield from _columns("backward", Ref("delta", layer), blocks, trace.delta[layer - 1], at, digits)


def _times(block: Block, factors: Sequence[Piece], at: Place) -> Block:
    """Return a block times further factors; what is a sum gets parentheses."""
    if not factors:
        return block
    first, *others = block.pieces
    if any(piece.before == "+" for piece in _outer(block.pieces)):
        first = replace(first, opens=("", *first.opens))
        pieces = [first, *others]
        pieces[-1] = replace(pieces[-1], closes=(*pieces[-1].closes, False))
    else:
        pieces = [first, *others]
    n, columns = len(pieces), slice(block.start, block.stop)
    for factor in factors:
        values, part = factor.values[:, columns], ""
        if values.shape != factor.values.shape:
            part = at.part(factor.ref, block.start, block.stop)
        pieces.append(replace(factor, values=values, part=part, origin=(0, block.start)))

    def worked(values: Sequence[Array]) -> Array:
        total = block.worked(values[:n])
        for value in values[n:]:
            total = total * value
        return total

    return Block(block.start, block.stop, tuple(pieces), worked)


def _outer(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Yield the pieces that stand in no parentheses, or open them."""
    depth = 0
    for piece in pieces:
        if not depth:
            yield piece
        depth += len(piece.opens) - len(piece.closes)


def _gradient(trace: Trace, layer: int, name: str, digits: int) -> Iterator[Equation]:
    network, at = trace.network, Place(trace, layer)
    kind = network.numbered[layer - 1]
    left, gradient = Ref(f"d{name}", layer), trace.gradients.layers[layer - 1][name]
    weights = trace.parameters.layers[layer - 1][name]
    blocks = list(FORMS[type(kind)].gradient(kind, at, name))
    for block in blocks[:MOST_BLOCKS]:
        part = at.part(left, block.start, block.stop) if len(blocks) > 1 else ""
        w, origin = blocks_of(weights, block.start, block.stop)
        pieces = list(block.pieces)
        if name in kind.penalized:
            shown = Piece("+", Ref(name, layer), w, part=part, origin=origin)
            if network.l2:
                pieces.append(replace(shown, factor=Ref("l2"), by=network.l2))
            if network.l1:
                sign = replace(shown, values=np.sign(w), applied="sign")
                pieces.append(replace(sign, factor=Ref("l1"), by=network.l1))
        n = len(block.pieces)

        def worked(values: Sequence[Array], block: Block = block, n: int = n) -> Array:
            total = block.worked(values[:n])
            for value in values[n:]:
                total = total + value
            return total

        result, _ = blocks_of(gradient, block.start, block.stop)
        equation = _equation("gradient", left, pieces, result, digits, worked)
        yield _marked(equation, part, origin, blocks, block)


def _update(explanation: Explanation, slot: Slot, digits: int) -> Iterator[Equation]:
    update, layer, name = explanation.update, slot.layer + 1, slot.name
    old, gradient, new = (
        parameters.layers[slot.layer][name]
        for parameters in (
            explanation.trace.parameters,
            explanation.trace.gradients,
            update.after.parameters,
        )
    )
    count = len(old) if old.ndim > 2 else 1
    places = [(c, c + 1) if old.ndim > 2 else (0, len(old)) for c in range(count)]
    for start, stop in places[:MOST_BLOCKS]:
        part = str(stop) if old.ndim > 2 else ""
        (w, origin), (g, _), (result, _) = (
            blocks_of(values, start, stop) for values in (old, gradient, new)
        )
        pieces = [Piece("", Ref(name, layer), w, part=part, origin=origin)]
        if moves(update, name):
            step = Piece("-", Ref(f"d{name}", layer), g, part=part, origin=origin)
            step = replace(step, factor=Ref("learning_rate"), by=update.learning_rate)
            pieces.append(replace(step, scale=rate_factor(slot)))
            if not isinstance(update.rule, GradientDescent):
                pieces = []
        equation = _equation("update", Ref(name, layer, after=True), pieces, result, digits)
        more = max(0, len(places) - MOST_BLOCKS) if stop == MOST_BLOCKS else 0
        yield replace(equation, part=part, origin=origin, more=more)


def _columns(
    phase: str,
    left: Ref,
    blocks: Iterable[Block],
    result: Array,
    at: Place,
    digits: int,
) -> Iterator[Equation]:
    """Yield an array that is worked out by columns."""
    several = list(blocks)
    for block in several[:MOST_BLOCKS]:
        part = at.part(left, block.start, block.stop) if len(several) > 1 else ""
        values = result[:, block.start : block.stop]
        equation = _equation(phase, left, list(block.pieces), values, digits, block.worked)
        yield _marked(equation, part, (0, block.start), several, block)


def _marked(
    equation: Equation, part: str, origin: tuple[int, ...], blocks: Sequence[Block], block: Block
) -> Equation:
    is_last = block is blocks[:MOST_BLOCKS][-1]
    more = len(blocks) - MOST_BLOCKS if is_last and len(blocks) > MOST_BLOCKS else 0
    return replace(equation, part=part, origin=origin, more=more)


def _equation(
    phase: str,
    left: Ref,
    operands: list[Piece],
    result: Array,
    digits: int,
    worked: Worked | None = None,
) -> Equation:
    worked = worked or folded(operands)
    enough = _enough_digits(operands, worked, result, digits)
    terms = tuple(_term(operand, enough) for operand in operands)
    shown = result[:MOST_CELLS, :MOST_CELLS]
    # a result as long as its operands repeats them: a frozen bias, a column that passes
    same = len(operands) == 1 and operands[0].function is None
    own = enough if same else digits
    exact = (same and phase != "update") or bool(
        np.allclose(_rounded(shown, own), shown, rtol=1e-13, atol=0.0)
    )
    return Equation(phase, left, terms, _cells(result, own), exact)


def _term(operand: Piece, digits: int) -> Term:
    scale = operand.scale
    return Term(
        operand.before,
        operand.ref,
        _cells(operand.values, digits),
        operand.transposed,
        operand.applied,
        operand.function is not None,
        operand.factor,
        number_text(operand.by, digits) if operand.factor else "",
        None if scale is None else line_of(Step(operand.ref, scale, evaluate(scale))),
        operand.part,
        operand.origin,
        operand.opens,
        operand.closes,
        operand.ref.quantity if operand.ref.quantity.isdigit() else "",
    )


def _enough_digits(operands: list[Piece], worked: Worked, result: Array, digits: int) -> int:
    """Return the digits of the operands with which the displayed result follows from them."""
    whole = all(max(a.shape) <= MOST_CELLS for a in (*(o.values for o in operands), result))
    if not operands or not whole or not np.all(np.isfinite(result)):
        return digits
    shown = _rounded(result, digits)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        unit = 10.0 ** (np.floor(np.log10(np.abs(result))) - digits + 1)
        for enough in range(digits, _ALL_DIGITS):
            values = [_shown_values(operand, enough) for operand in operands]
            if np.all(np.abs(worked(values) - shown) <= unit):
                return enough
    return _ALL_DIGITS


def _shown_values(operand: Piece, digits: int) -> Array:
    """Return an operand as rounding to so many digits leaves it, with what is done to it."""
    values = _rounded(operand.values, digits)
    if operand.function is not None:
        values = operand.function(values)
    if operand.scale is not None:
        values = evaluate(operand.scale) * values
    return float(number_text(operand.by, digits)) * values


def _rounded(values: Array, digits: int) -> Array:
    flat = [float(number_text(float(v), digits)) for v in values.ravel()]
    return np.array(flat).reshape(values.shape)


def _cells(values: Array, digits: int) -> Cells:
    rows = values[:MOST_CELLS, :MOST_CELLS]
    texts = tuple(tuple(number_text(float(v), digits) for v in row) for row in rows)
    return Cells(texts, (values.shape[0], values.shape[1]))
