"""The matrix equations of the layers in MathML, with the shape under every matrix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deltaprop.explaining.digits import number_text
from deltaprop.explaining.mathml import escape, fenced, matrix, number, operand, scripts, symbol
from deltaprop.explaining.names import Ref
from deltaprop.training.optimizers import GradientDescent

if TYPE_CHECKING:
    from deltaprop.explaining.explanation import Explanation

__all__ = ["BREAK", "equations"]

Array = npt.NDArray[np.float64]

BREAK = "\0"  # where an equation may go on in another line
_MOST_CELLS = 5  # rows and columns of a matrix
_TIMES = "<mo>\u2062</mo>"  # invisible
_EQUALS, _BY = BREAK + "<mo>=</mo>", BREAK + _TIMES
_PLUS = BREAK + '<mo form="infix">+</mo>'
_MINUS = BREAK + '<mo form="infix">−</mo>'
_GATES = BREAK + "<mo>⊙</mo>"


def equations(
    explanation: Explanation,
    digits: int,
    words: Mapping[str, str],
    notation: str,
    known: Collection[str],
) -> Iterator[tuple[str, list[str]]]:
    """Yield each phase with its equations.

    Parameters
    ----------
    explanation : Explanation
        The step.
    digits : int
        Significant digits of a cell.
    words : mapping
        The wording.
    notation : {"standard", "tutorial"}
        How weights are written.
    known : collection of str
        The ids that the page can show.

    Yields
    ------
    tuple of str and list of str
        The phase; its equations, in pieces that stand in a math element each, with BREAK between.
    """
    layers = _Layers(explanation, digits, words, notation, known)
    yield "forward", list(layers.forward())
    yield "backward", list(layers.backward())
    yield "gradient", list(layers.gradients())
    yield "update", list(layers.update())


class _Layers:
    def __init__(
        self,
        explanation: Explanation,
        digits: int,
        words: Mapping[str, str],
        notation: str,
        known: Collection[str],
    ) -> None:
        self.explanation, self.trace = explanation, explanation.trace
        self.digits, self.words, self.notation, self.known = digits, words, notation, known
        self.last = len(self.trace.z)

    # pieces

    def whole(self, quantity: str, layer: int, *, after: bool = False) -> str:
        """Return the symbol of a whole matrix."""
        return symbol(Ref(quantity, layer, (), after), 1, self.notation)

    def cell(self, name: str, value: float) -> str:
        """Return one number of a matrix."""
        written = number(number_text(float(value), self.digits))
        return operand(name, written) if name in self.known else written

    def numbers(
        self, values: Array, id_of: Callable[[int, int], str], *, turned: bool = False
    ) -> str:
        """Return a matrix with its shape; only a corner of a large one."""
        shown = values.T if turned else values
        rows, columns = shown.shape
        cells: list[Sequence[str]] = []
        for r in range(min(rows, _MOST_CELLS)):
            row = [
                self.cell(id_of(c, r) if turned else id_of(r, c), shown[r, c])
                for c in range(min(columns, _MOST_CELLS))
            ]
            cells.append([*row, "<mo>⋯</mo>"] if columns > _MOST_CELLS else row)
        if rows > _MOST_CELLS:
            cells.append(["<mo>⋮</mo>"] * len(cells[0]))
        return matrix(cells, f"{rows} × {columns}")

    def of(self, quantity: str, layer: int, values: Array, *, turned: bool = False) -> str:
        """Return the matrix of a quantity whose ids have two indices."""
        return self.numbers(values, lambda r, c: Ref(quantity, layer, (r, c)).id, turned=turned)

    def entering(self, layer: int, *, turned: bool = False) -> tuple[str, str]:
        """Return what a layer reads, in symbols and in numbers."""
        values = self.trace.inputs[layer - 1]
        if self.trace.masks[layer - 1] is not None:
            name, of = "kept", layer
        else:
            name, of = ("x", 0) if layer == 1 else ("a", layer - 1)
        written = self.whole(name, of)
        if turned:
            written = _transposed(written) if of else scripts(written, "", "<mi>⊤</mi>")
        return written, self.of(name, of, values, turned=turned)

    def row(self, quantity: str, layer: int, values: Array) -> str:
        """Return a bias or its gradient, whose ids have one index."""
        return self.numbers(values[None, :], lambda _, j: f"{quantity}.{layer}[{j}]")

    # phases

    def forward(self) -> Iterator[str]:
        """Yield z = a W + b and a = f(z) of each layer."""
        for layer in range(1, self.last + 1):
            arrays = self.trace.parameters.layers[layer - 1]
            a, a_numbers = self.entering(layer)
            symbols = a + _TIMES + self.whole("W", layer)
            put_in = a_numbers + _BY + self.of("W", layer, arrays["W"])
            if "b" in arrays:
                symbols += "<mo>+</mo>" + self.whole("b", layer)
                put_in += _PLUS + self.row("b", layer, arrays["b"])
            z = self.of("z", layer, self.trace.z[layer - 1])
            yield self.whole("z", layer) + _EQUALS + symbols + _EQUALS + put_in + _EQUALS + z
            f = self.activation(layer)
            if f != "identity":
                applied = f"<mi>{escape(f)}</mi><mo>\u2061</mo>"
                yield (
                    self.whole("a", layer) + _EQUALS + applied + fenced(self.whole("z", layer))
                    + _EQUALS + self.of("a", layer, self.trace.a[layer])
                )  # fmt: skip

    def activation(self, layer: int) -> str:
        """Return the name of f of a layer."""
        network = self.trace.network
        last = layer == self.last
        return network.loss.output if last else network.activations[layer - 1].name

    def backward(self) -> Iterator[str]:
        """Yield delta of each layer, from the last."""
        for layer in range(self.last, 0, -1):
            delta = self.of("delta", layer, self.trace.delta[layer - 1])
            if layer == self.last:
                below = f"<mrow><mo>∂</mo>{self.whole('z', layer)}</mrow>"
                start = f"<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow>{below}</mfrac>"
                yield self.whole("delta", layer) + _EQUALS + start + _EQUALS + delta
                continue
            weights = self.trace.parameters.layers[layer]["W"]
            symbols = self.whole("delta", layer + 1) + _TIMES
            symbols += _transposed(self.whole("W", layer + 1))
            put_in = self.of("delta", layer + 1, self.trace.delta[layer]) + _BY
            put_in += self.of("W", layer + 1, weights, turned=True)
            mask = self.trace.masks[layer]
            if mask is not None:
                symbols += "<mo>⊙</mo>" + self.whole("mask", layer + 1)
                put_in += _GATES + self.of("mask", layer + 1, mask)
            f = self.activation(layer)
            if f != "identity":
                slope = f"<msup><mi>{escape(f)}</mi><mo>′</mo></msup><mo>\u2061</mo>"
                symbols += "<mo>⊙</mo>" + slope + fenced(self.whole("z", layer))
                put_in += _GATES + slope + fenced(self.of("z", layer, self.trace.z[layer - 1]))
            yield (
                self.whole("delta", layer) + _EQUALS + symbols + _EQUALS + put_in + _EQUALS + delta
            )

    def gradients(self) -> Iterator[str]:
        """Yield the gradients of each layer, from the last."""
        network = self.trace.network
        for layer in range(self.last, 0, -1):
            arrays = self.trace.gradients.layers[layer - 1]
            a, a_numbers = self.entering(layer, turned=True)
            symbols = a + _TIMES + self.whole("delta", layer)
            put_in = a_numbers + _BY + self.of("delta", layer, self.trace.delta[layer - 1])
            weights = self.of("W", layer, self.trace.parameters.layers[layer - 1]["W"])
            if network.l2:
                strength = self.cell("l2", network.l2)
                symbols += f"<mo>+</mo>{symbol(Ref('l2'), 1)}{_TIMES}{self.whole('W', layer)}"
                put_in += f"{_PLUS}{strength}{_TIMES}{weights}"
            if network.l1:
                strength = self.cell("l1", network.l1)
                sign = "<mi>sign</mi><mo>\u2061</mo>"
                symbols += f"<mo>+</mo>{symbol(Ref('l1'), 1)}{_TIMES}{sign}"
                symbols += fenced(self.whole("W", layer))
                put_in += f"{_PLUS}{strength}{_TIMES}{sign}{fenced(weights)}"
            result = self.of("dW", layer, arrays["W"])
            yield self.whole("dW", layer) + _EQUALS + symbols + _EQUALS + put_in + _EQUALS + result
            if "b" in arrays:
                summed = self.words["sum over samples"].partition("{what}")
                told = f"<mtext>{escape(summed[0])}</mtext>{self.whole('delta', layer)}"
                told += f"<mtext>{escape(summed[2])}</mtext>" if summed[2] else ""
                bias = self.row("db", layer, arrays["b"])
                yield self.whole("db", layer) + _EQUALS + told + _EQUALS + bias

    def update(self) -> Iterator[str]:
        """Yield the new weights and biases of each layer, from the last."""
        update = self.explanation.update
        plain = isinstance(update.rule, GradientDescent)
        for layer in range(self.last, 0, -1):
            before = self.trace.parameters.layers[layer - 1]
            slopes = self.trace.gradients.layers[layer - 1]
            for name, values in update.after.parameters.layers[layer - 1].items():
                matrix_of = self._weights if name == "W" else self._biases
                new = matrix_of(f"{name}.{layer}.after", values)
                left = self.whole(name, layer, after=True) + _EQUALS
                if name != "W" and not update.train_biases:
                    yield left + self.whole(name, layer) + _EQUALS + new
                elif plain:
                    eta = self.cell("learning_rate", update.learning_rate)
                    symbols = (
                        f"{self.whole(name, layer)}<mo>−</mo>"
                        f"{symbol(Ref('learning_rate'), 1)}{_TIMES}{self.whole(f'd{name}', layer)}"
                    )
                    put_in = (
                        matrix_of(f"{name}.{layer}", before[name]) + f"{_MINUS}{eta}{_TIMES}"
                        + matrix_of(f"d{name}.{layer}", slopes[name])
                    )  # fmt: skip
                    yield left + symbols + _EQUALS + put_in + _EQUALS + new
                else:
                    yield left + new

    def _weights(self, stem: str, values: Array) -> str:
        return self.numbers(values, lambda r, c: f"{stem}[{r},{c}]")

    def _biases(self, stem: str, values: Array) -> str:
        return self.numbers(values[None, :], lambda _, j: f"{stem}[{j}]")


def _transposed(written: str) -> str:
    return scripts(fenced(written, grows=False), "", "<mi>⊤</mi>")
