"""The equations of the layers, as matrices with their numbers: what renderers write down.

Where an equation is shown whole, its operands have enough digits for it to hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deltaprop.explaining.digits import number_text
from deltaprop.explaining.names import Ref
from deltaprop.training.optimizers import GradientDescent

if TYPE_CHECKING:
    from deltaprop.explaining.explanation import Explanation

__all__ = ["Cells", "Equation", "Term", "equations"]

Array = npt.NDArray[np.float64]

MOST_CELLS = 6  # rows and columns of a matrix that are shown
_ALL_DIGITS = 17


@dataclass(frozen=True)
class Cells:
    """A matrix as it is displayed.

    Attributes
    ----------
    texts : tuple of tuple of str
        Its numbers, row by row; those that are shown.
    shape : tuple of int
        Of the whole matrix.
    """

    texts: tuple[tuple[str, ...], ...]
    shape: tuple[int, int]

    @property
    def more_rows(self) -> bool:
        """Return whether rows are left out."""
        return len(self.texts) < self.shape[0]

    @property
    def more_columns(self) -> bool:
        """Return whether columns are left out."""
        return len(self.texts[0]) < self.shape[1]


@dataclass(frozen=True)
class Term:
    """One operand of an equation.

    Attributes
    ----------
    before : str
        What joins it to the operands before: "" for a matrix product, else + - *; * is elementwise.
    ref : Ref
        Which array; without index.
    cells : Cells
        Its numbers.
    transposed : bool
        Whether it is written with a T.
    applied : str
        The function of the array that is meant: "tanh", "tanh'"; "" for none, "sum" for the sum
        over samples.
    is_argument : bool
        Whether the numbers are those the function is applied to; else they are its values.
    factor : Ref, optional
        A number in front: eta, lambda.
    factor_text : str
        That number as displayed.
    """

    before: str
    ref: Ref
    cells: Cells
    transposed: bool = False
    applied: str = ""
    is_argument: bool = False
    factor: Ref | None = None
    factor_text: str = ""


@dataclass(frozen=True)
class Equation:
    """left = terms = result.

    Attributes
    ----------
    phase : str
        forward, backward, gradient or update.
    left : Ref
        What is worked out.
    terms : tuple of Term
        Of what; empty where no matrices tell it.
    result : Cells
        Its numbers.
    exact : bool
        Whether they are the numbers themselves; else they are rounded.
    note : str
        What gives the result where no terms do: the loss that gives delta^L.
    """

    phase: str
    left: Ref
    terms: tuple[Term, ...]
    result: Cells
    exact: bool
    note: str = ""


@dataclass(frozen=True)
class _Operand:
    before: str
    ref: Ref
    values: Array
    transposed: bool = False
    applied: str = ""
    factor: Ref | None = None
    by: float = 1.0
    function: Callable[[Array], Array] | None = None

    def shown_values(self, digits: int) -> Array:
        """Return the values as rounding to so many digits leaves them."""
        return _rounded(self.values, digits)


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
    trace, after = explanation.trace, explanation.update.after
    network = trace.network
    last = len(trace.z)
    for layer in range(1, last + 1):
        arrays = trace.parameters.layers[layer - 1]
        below = _below(explanation, layer)
        operands = [_Operand("", *below), _Operand("", Ref("W", layer), arrays["W"])]
        if "b" in arrays:
            operands.append(_Operand("+", Ref("b", layer), arrays["b"][None]))
        yield _equation("forward", Ref("z", layer), operands, trace.z[layer - 1], digits)
        name = network.activations[layer - 1].name if layer < last else network.loss.output
        if name != "identity":
            f = network.activations[layer - 1].f if layer < last else network.loss.predict
            z = _Operand("", Ref("z", layer), trace.z[layer - 1], applied=name, function=f)
            yield _equation("forward", Ref("a", layer), [z], trace.a[layer], digits)
    start = _equation("backward", Ref("delta", last), [], trace.delta[-1], digits)
    yield replace(start, note=network.loss_name)
    for layer in range(last - 1, 0, -1):
        W = trace.parameters.layers[layer]["W"]
        operands = [
            _Operand("", Ref("delta", layer + 1), trace.delta[layer]),
            _Operand("", Ref("W", layer + 1), W.T, transposed=True),
        ]
        mask = trace.masks[layer]
        if mask is not None:
            operands.append(_Operand("*", Ref("mask", layer + 1), mask))
        row = network.activations[layer - 1]
        if row.name != "identity":
            slope = row.f_prime(trace.z[layer - 1], trace.a[layer])
            operands.append(_Operand("*", Ref("z", layer), slope, applied=f"{row.name}'"))
        yield _equation("backward", Ref("delta", layer), operands, trace.delta[layer - 1], digits)
    for layer in range(last, 0, -1):
        yield from _gradients(explanation, layer, digits)
    eta = explanation.update.learning_rate
    plain = isinstance(explanation.update.rule, GradientDescent)
    for layer in range(last, 0, -1):
        arrays = trace.parameters.layers[layer - 1]
        for name, array in arrays.items():
            moves = name == "W" or explanation.update.train_biases
            operands = []
            if plain and moves:
                gradient = trace.gradients.layers[layer - 1][name]
                operands = [
                    _Operand("", Ref(name, layer), np.atleast_2d(array)),
                    _Operand(
                        "-",
                        Ref(f"d{name}", layer),
                        np.atleast_2d(gradient),
                        factor=Ref("learning_rate"),
                        by=eta,
                    ),
                ]
            elif not moves:
                operands = [_Operand("", Ref(name, layer), np.atleast_2d(array))]
            new = np.atleast_2d(after.parameters.layers[layer - 1][name])
            yield _equation("update", Ref(name, layer, after=True), operands, new, digits)


def _below(explanation: Explanation, layer: int) -> tuple[Ref, Array]:
    trace = explanation.trace
    values = trace.inputs[layer - 1]
    if trace.masks[layer - 1] is not None:
        return Ref("kept", layer), values
    return (Ref("a", layer - 1) if layer > 1 else Ref("x")), values


def _gradients(explanation: Explanation, layer: int, digits: int) -> Iterator[Equation]:
    trace, network = explanation.trace, explanation.trace.network
    arrays = trace.gradients.layers[layer - 1]
    ref, values = _below(explanation, layer)
    delta = _Operand("", Ref("delta", layer), trace.delta[layer - 1])
    operands = [_Operand("", ref, values.T, transposed=True), delta]
    W = trace.parameters.layers[layer - 1]["W"]
    if network.l2:
        operands.append(_Operand("+", Ref("W", layer), W, factor=Ref("l2"), by=network.l2))
    if network.l1:
        operands.append(
            _Operand(
                "+", Ref("W", layer), np.sign(W), applied="sign", factor=Ref("l1"), by=network.l1
            )
        )
    yield _equation("gradient", Ref("dW", layer), operands, arrays["W"], digits)
    if "b" in arrays:
        summed = _Operand(
            "", Ref("delta", layer), trace.delta[layer - 1], applied="sum", function=_over_samples
        )
        yield _equation("gradient", Ref("db", layer), [summed], arrays["b"][None], digits)


def _over_samples(delta: Array) -> Array:
    total: Array = delta.sum(axis=0, keepdims=True)
    return total


def _equation(
    phase: str, left: Ref, operands: list[_Operand], result: Array, digits: int
) -> Equation:
    enough = _enough_digits(operands, result, digits)
    terms = tuple(
        Term(
            operand.before,
            operand.ref,
            _cells(operand.values, enough),
            operand.transposed,
            operand.applied,
            operand.function is not None,
            operand.factor,
            number_text(operand.by, enough) if operand.factor else "",
        )
        for operand in operands
    )
    shown = result[:MOST_CELLS, :MOST_CELLS]
    # a result as long as its operands repeats them: a frozen bias
    same = len(operands) == 1 and operands[0].function is None
    own = enough if same else digits
    exact = bool(np.allclose(_rounded(shown, own), shown, rtol=1e-13, atol=0.0))
    return Equation(phase, left, terms, _cells(result, own), exact)


def _enough_digits(operands: list[_Operand], result: Array, digits: int) -> int:
    """Return the digits of the operands with which the displayed result follows from them."""
    whole = all(max(a.shape) <= MOST_CELLS for a in (*(o.values for o in operands), result))
    if not operands or not whole or not np.all(np.isfinite(result)):
        return digits
    shown = _rounded(result, digits)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        unit = 10.0 ** (np.floor(np.log10(np.abs(result))) - digits + 1)
        for enough in range(digits, _ALL_DIGITS):
            if np.all(np.abs(_evaluated(operands, enough) - shown) <= unit):
                return enough
    return _ALL_DIGITS


def _evaluated(operands: list[_Operand], digits: int) -> Array:
    total: Array | None = None
    for operand in operands:
        values = operand.shown_values(digits)
        if operand.function is not None:
            values = operand.function(values)
        values = float(number_text(operand.by, digits)) * values
        if total is None:
            total = values
        elif operand.before == "":
            total = total @ values
        elif operand.before == "*":
            total = total * values
        else:
            total = total + values if operand.before == "+" else total - values
    assert total is not None
    return total


def _rounded(values: Array, digits: int) -> Array:
    flat = [float(number_text(float(v), digits)) for v in values.ravel()]
    return np.array(flat).reshape(values.shape)


def _cells(values: Array, digits: int) -> Cells:
    rows = values[:MOST_CELLS, :MOST_CELLS]
    texts = tuple(tuple(number_text(float(v), digits) for v in row) for row in rows)
    return Cells(texts, (values.shape[0], values.shape[1]))
