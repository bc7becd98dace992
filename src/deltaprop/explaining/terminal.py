"""The explanation in a terminal: overview, layers, neurons, in the order the tutorial teaches."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.explaining.digits import Line
from deltaprop.explaining.names import Ref
from deltaprop.explaining.unicode import SUBSCRIPTS, SUPERSCRIPTS, UnicodeNotation, symbol_of
from deltaprop.functional.arithmetic import Operand, write
from deltaprop.training.optimizers import GradientDescent

if TYPE_CHECKING:
    from deltaprop.explaining.explanation import Explanation

__all__ = ["render"]

Array = npt.NDArray[np.float64]

_DETAILS = ("overview", "layers", "neurons")
_MOST_NODES = 8  # of a layer, in the overview
_MOST_CELLS = 6  # rows and columns of a matrix
_MOST_STEPS = 160  # lines of arithmetic that are still read when nobody asked for them
_PHASES = {
    "forward": "Forward: z = a W + b, a = f(z)",
    "loss": "Loss",
    "backward": "Backward: δ = dL/dz, from the loss to the input",
    "gradient": "Gradients: incoming activation times δ",
    "update": "Update: every gradient was taken at the old weights",
    "after": "Again, with the new weights",
}


def render(
    explanation: Explanation, *, detail: str | None, digits: int, width: int, color: bool
) -> str:
    """Return the explanation as lines of at most ``width`` columns."""
    if detail is not None and detail not in _DETAILS:
        raise SettingError(f"detail is {detail!r}; it is one of {', '.join(_DETAILS)}.")
    if not 1 <= digits <= 17:
        raise SettingError(f"digits is {digits!r}; it is from 1 to 17.")
    page = _Page(explanation, digits, width, color)
    sections = {"overview": page.overview, "layers": page.layers, "neurons": page.neurons}
    chosen = [detail] if detail else list(_DETAILS)
    lines = [*page.header()]
    for name in chosen:
        if name == "neurons" and detail is None and page.too_long_for_neurons():
            lines += ["", f"({page.n_steps()} numbers; --detail neurons shows them one by one.)"]
            continue
        lines += sections[name]()
    lines += page.promise()
    return "\n".join(line.rstrip() for line in lines) + "\n"


class _Page:
    def __init__(self, explanation: Explanation, digits: int, width: int, color: bool) -> None:
        self.explanation = explanation
        self.trace = explanation.trace
        self.after = explanation.update.after
        self.digits = digits
        self.width = max(40, width)
        self.color = color

    # numbers and symbols

    def number(self, value: float) -> str:
        """Return a number with the chosen digits, no more than it needs."""
        text = f"{value:.{self.digits}g}"
        return "0" if text == "-0" else text

    def relation(self, value: float) -> str:
        """Return "=" where the written number is the number, "≈" where it is rounded."""
        return "=" if np.isclose(float(self.number(value)), value, rtol=1e-13, atol=0) else "≈"

    def paint(self, text: str, value: float) -> str:
        """Return the text coloured by the sign of its number."""
        if not self.color or value == 0:
            return text
        return f"\x1b[{'34' if value > 0 else '33'}m{text}\x1b[0m"

    def bold(self, text: str) -> str:
        """Return a heading."""
        return f"\x1b[1m{text}\x1b[0m" if self.color else text

    def symbol(self, ref: Ref) -> str:
        """Return a number's symbol, as on paper."""
        if ref.quantity == "loss" and self.explanation.derivation.loss_is_of_one_sample():
            ref = Ref("loss", after=ref.after)
        return symbol_of(ref, len(self.trace.a[0]))

    # sections

    def header(self) -> Iterator[str]:
        """Yield the title and the conventions."""
        network, names = self.trace.network, self.explanation.names
        if names.title:
            yield from textwrap.wrap(names.title, self.width)
        yield from textwrap.wrap(network.describe(), self.width)
        n = len(self.trace.a[0])
        loss = network.loss_name.replace("_", " ")
        mean = f"{self.explanation.reduction} over {n} samples" if n > 1 else "of one sample"
        rule = f"{loss}, {mean}; δ = dL/dz; all gradients at the old weights; f'(0) of ReLU is 0."
        if network.l2 or network.l1:
            rule += " Penalties count in loss and gradients, for weights, not for biases."
        yield from textwrap.wrap(rule, self.width)

    def section(self, title: str) -> list[str]:
        """Return a heading after an empty line."""
        return ["", self.bold(title), self.bold("─" * len(title))]

    def overview(self) -> list[str]:
        """Return the whole network: values flow forward, deltas flow back."""
        lines = self.section("Overview: values flow forward →, deltas flow back ←")
        network, names = self.trace.network, self.explanation.names
        if len(self.trace.a[0]) > 1:
            lines.append("(sample 1)")
        columns = [self._column("x", self.trace.a[0][0], None, names.inputs)]
        for layer in range(len(self.trace.z)):
            last = layer == len(self.trace.z) - 1
            columns.append(
                self._column(
                    f"a{str(layer + 1).translate(SUPERSCRIPTS)}",
                    self.trace.a[layer + 1][0],
                    self.trace.delta[layer][0],
                    names.outputs if last else (),
                )
            )
        titles = ["inputs"]
        titles += [f"layer {i + 1}: {row.name}" for i, row in enumerate(network.activations)]
        titles.append(f"output: {network.loss.output}")
        lines += self._side_by_side(titles, columns)
        t = self.trace.targets[0]
        shown = ", ".join(self.number(float(v)) for v in t[:_MOST_NODES])
        more = ", ..." if len(t) > _MOST_NODES else ""
        line = f"target t = {shown}{more}    loss L = {self.number(self.trace.loss)}"
        return [*lines, "", *textwrap.wrap(line, self.width, subsequent_indent=" " * 11)]

    def _column(
        self, symbol: str, values: Array, deltas: Array | None, names: tuple[str, ...]
    ) -> list[str]:
        order = range(len(values))
        if len(values) > _MOST_NODES:
            strength = np.abs(values if deltas is None else deltas)
            order = sorted(np.argsort(-strength)[: _MOST_NODES - 1].tolist())  # type: ignore[assignment]
        cells: list[str] = []
        for j in order:
            label = names[j] if names else symbol + str(j + 1).translate(SUBSCRIPTS)
            cells.append(f"{_clip(label, 22)} = {self.number(float(values[j]))}")
            if deltas is not None:
                cells.append(f"  δ ← {self.number(float(deltas[j]))}")
        if len(values) > _MOST_NODES:
            cells.append(f"({len(values) - _MOST_NODES + 1} more)")
        return cells

    def _side_by_side(self, titles: list[str], columns: list[list[str]]) -> list[str]:
        """Return the columns beside each other, in as many blocks as the width asks for."""
        blocks: list[list[tuple[str, list[str], int]]] = [[]]
        used = 0
        for title, cells in zip(titles, columns, strict=True):
            wide = max(len(text) for text in [title, *cells])
            if blocks[-1] and used + 4 + wide > self.width:
                blocks.append([])
                used = 0
            blocks[-1].append((title, cells, wide))
            used += wide + (4 if used else 0)
        lines: list[str] = []
        for number, block in enumerate(blocks):
            if number:
                lines.append("  ↓ ↑")
            lines.append("  → ".join(title.ljust(wide) for title, _, wide in block))
            height = max(len(cells) for _, cells, _ in block)
            padded = [(cells + [""] * (height - len(cells)), wide) for _, cells, wide in block]
            lines += [
                "    ".join(cells[row].ljust(wide) for cells, wide in padded)
                for row in range(height)
            ]
        return lines

    def layers(self) -> list[str]:
        """Return the matrix equations, layer by layer, with their numbers and shapes."""
        lines = self.section("Layers: the equations")
        trace, last = self.trace, len(self.trace.z) - 1
        for layer in range(last + 1):
            up, below = self._up(layer + 1), self._up(layer) if layer else ""
            a = f"a{below}" if layer else "x"
            arrays = trace.parameters.layers[layer]
            bias = f" + b{up}" if "b" in arrays else ""
            f = (
                trace.network.loss.output
                if layer == last
                else trace.network.activations[layer].name
            )
            lines += [f"z{up} = {a} W{up}{bias}", *self._matrix(trace.z[layer])]
            if f != "identity":
                lines += [f"a{up} = {f}(z{up})", *self._matrix(trace.a[layer + 1])]
        lines.append(f"L = {self.number(trace.loss)}")
        for layer in range(last, -1, -1):
            up, above = self._up(layer + 1), self._up(layer + 2)
            if layer == last:
                lines.append(f"δ{up} = dL/dz{up}, given by {trace.network.loss_name}")
            else:
                f = trace.network.activations[layer].name
                slope = "" if f == "identity" else f" ⊙ {f}'(z{up})"
                lines.append(f"δ{up} = δ{above} (W{above})ᵀ{slope}")
            lines += self._matrix(trace.delta[layer])
        for layer in range(last, -1, -1):
            up = self._up(layer + 1)
            a = f"(a{self._up(layer)})ᵀ" if layer else "xᵀ"
            penalty = f" + λ₂ W{up}" if trace.network.l2 else ""
            penalty += f" + λ₁ sign(W{up})" if trace.network.l1 else ""
            arrays = trace.gradients.layers[layer]
            lines += [f"∂L/∂W{up} = {a} δ{up}{penalty}", *self._matrix(arrays["W"])]
            if "b" in arrays:
                lines += [f"∂L/∂b{up} = Σ over samples of δ{up}", *self._matrix(arrays["b"][None])]
        eta = self.number(self.explanation.update.learning_rate)
        for layer in range(last, -1, -1):
            up = self._up(layer + 1)
            plain = isinstance(self.explanation.update.rule, GradientDescent)
            rule = f"W{up} - {eta} ∂L/∂W{up}" if plain else "after the step"
            lines.append(f"new W{up} = {rule}")
            lines += self._matrix(self.after.parameters.layers[layer]["W"])
        return lines

    def _up(self, layer: int) -> str:
        return str(layer).translate(SUPERSCRIPTS)

    def _matrix(self, values: Array) -> list[str]:
        rows, columns = values.shape
        # as many columns as fit, in the plainest case all of them
        most = _MOST_CELLS
        cells = [[self.number(float(v)) for v in row[:most]] for row in values[:most]]
        if columns > most:
            cells = [[*row, "…"] for row in cells]
        if rows > most:
            cells.append(["⋮"] * len(cells[0]))
        wide = [max(len(row[c]) for row in cells) for c in range(len(cells[0]))]
        shape = f"   ({rows} × {columns})"
        while sum(wide) + 2 * len(wide) + 6 + len(shape) > self.width and len(wide) > 2:
            cells = [[*row[: len(wide) - 2], "…"] for row in cells]
            wide = [max(len(row[c]) for row in cells) for c in range(len(cells[0]))]
        lines = []
        for number, row in enumerate(cells):
            text = "  ".join(cell.rjust(w) for cell, w in zip(row, wide, strict=True))
            lines.append(f"    [ {text} ]{shape if number == 0 else ''}")
        return lines

    def neurons(self) -> list[str]:
        """Return the arithmetic of every single number."""
        lines: list[str] = self.section("Neurons: every number")
        phase = ""
        for line in self.explanation.lines(self.digits):
            if line.step.phase != phase:
                phase = line.step.phase
                lines += ["", self.bold(_PHASES[phase])]
            lines += self._arithmetic(line)
        return lines

    def too_long_for_neurons(self) -> bool:
        """Return whether the arithmetic is longer than anybody reads unasked."""
        return self.n_steps() > _MOST_STEPS

    def n_steps(self) -> int:
        """Return how many numbers the step consists of."""
        n, network = len(self.trace.a[0]), self.trace.network
        return 2 * network.n_parameters + 5 * n * sum(network.sizes[1:])

    def _arithmetic(self, line: Line) -> list[str]:
        step = line.step
        left = self.symbol(step.ref)
        if isinstance(step.expression, Operand) and step.expression.id == step.id:
            return [f"  {left} = {line.shown}"]  # no formula tells this number
        parts = [
            f"= {write(step.expression, UnicodeNotation(line, self.symbol))}",
            f"= {write(step.expression, UnicodeNotation(line))}",
        ]
        result = f"{'=' if line.exact else '≈'} {line.shown}"
        if parts[1] == f"= {line.shown}":
            parts.pop()
        parts.append(result)
        colored = result[:2] + self.paint(line.shown, step.value)
        painted = [colored if part == result else part for part in parts]
        if len("  ".join(["", left + " " + " ".join(parts)])) <= self.width:
            return ["  " + left + " " + " ".join(painted)]
        indent = " " * (len(left) + 3)
        lines: list[str] = []
        for number, part in enumerate(parts):
            first = f"  {left} " if number == 0 else indent
            wrapped = textwrap.wrap(
                part, self.width, initial_indent=first, subsequent_indent=indent + "  "
            )
            lines += wrapped[:-1] if part == result else wrapped
            if part == result:
                lines.append(wrapped[-1].replace(part, painted[number]))
        return lines

    def promise(self) -> list[str]:
        """Return what the step promised and what it brought."""
        e = self.explanation
        lines = self.section("The step's promise and the fact")
        number = self.number
        lines.append(f"loss before          {number(e.trace.loss)}")
        lines.append(f"loss after           {number(e.update.after.loss)}")
        lines.append(f"change promised      {number(e.predicted_change)}   (gradient · step)")
        lines.append(f"change brought       {number(e.actual_change)}")
        return lines


def _clip(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
