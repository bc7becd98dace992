"""The explanation in a terminal: overview, layers, neurons, in the order the tutorial teaches."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.explaining.columns import cells, pad, wrap
from deltaprop.explaining.digits import Line, number_text
from deltaprop.explaining.language import words_of
from deltaprop.explaining.names import Ref
from deltaprop.explaining.unicode import (
    NOTATIONS,
    SUBSCRIPTS,
    SUPERSCRIPTS,
    UnicodeNotation,
    symbol_of,
)
from deltaprop.functional.arithmetic import Operand, write
from deltaprop.training.optimizers import GradientDescent

if TYPE_CHECKING:
    from deltaprop.explaining.explanation import Explanation

__all__ = ["render"]

Array = npt.NDArray[np.float64]

_DETAILS = ("overview", "layers", "neurons")
_MOST_NODES = 8  # of a layer, in the overview
_MOST_SAMPLES = 10  # of a batch
_MOST_CELLS = 6  # rows and columns of a matrix
_MOST_STEPS = 160  # lines of arithmetic that are still read when nobody asked for them


def render(
    explanation: Explanation,
    *,
    detail: str | None = None,
    digits: int = 6,
    width: int = 80,
    color: bool = False,
    language: str = "en",
    notation: str = "standard",
) -> str:
    """Return the explanation as lines of at most ``width`` columns."""
    if detail is not None and detail not in _DETAILS:
        raise SettingError(f"detail is {detail!r}; it is one of {', '.join(_DETAILS)}.")
    if not 1 <= digits <= 17:
        raise SettingError(f"digits is {digits!r}; it is from 1 to 17.")
    if notation not in NOTATIONS:
        raise SettingError(f"notation is {notation!r}; it is one of {', '.join(NOTATIONS)}.")
    page = _Page(explanation, digits, width, color, words_of(language), notation)
    sections = {"overview": page.overview, "layers": page.layers, "neurons": page.neurons}
    chosen = [detail] if detail else ["neurons"] if explanation.wanted else list(_DETAILS)
    lines = [*page.header()]
    for name in chosen:
        if name == "neurons" and len(chosen) > 1 and explanation.n_numbers > _MOST_STEPS:
            told = page.words["shown on request"].format(count=f"{explanation.n_numbers:,}")
            lines += ["", *wrap(f"({told})", page.width)]
            continue
        lines += sections[name]()
    if not explanation.wanted:
        lines += page.batch()
        lines += page.promise()
    return "\n".join(line.rstrip() for line in lines) + "\n"


class _Page:
    def __init__(
        self,
        explanation: Explanation,
        digits: int,
        width: int,
        color: bool,
        words: Mapping[str, str],
        notation: str,
    ) -> None:
        self.explanation = explanation
        self.trace = explanation.trace
        self.after = explanation.update.after
        self.digits = digits
        self.width = max(40, width)
        self.color = color
        self.words = words
        self.notation = notation

    # numbers and symbols

    def number(self, value: float) -> str:
        """Return a number with the chosen digits, no more than it needs."""
        return number_text(value, self.digits)

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
        return symbol_of(ref, len(self.trace.a[0]), self.notation)

    # sections

    def header(self) -> Iterator[str]:
        """Yield the title and the conventions."""
        network, names = self.trace.network, self.explanation.names
        if names.title:
            yield from wrap(names.title, self.width)
        yield from wrap(network.describe(), self.width)
        n, words = len(self.trace.a[0]), self.words
        over = self.explanation.reduction if n > 1 else "one sample"
        loss, mean = network.loss_name.replace("_", " "), words[over].format(count=n)
        rule = words["conventions"].format(loss=loss, mean=mean)
        if network.l2 or network.l1:
            rule += " " + words["penalties"]
        yield from wrap(rule, self.width)

    def section(self, title: str) -> list[str]:
        """Return a heading after an empty line."""
        return ["", self.bold(title), self.bold("─" * min(cells(title), self.width))]

    def overview(self) -> list[str]:
        """Return the whole network: values flow forward, deltas flow back."""
        lines = self.section(self.words["overview"])
        network, names = self.trace.network, self.explanation.names
        if len(self.trace.a[0]) > 1:
            lines.append(self.words["sample"].format(number=1))
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
        words = self.words
        titles = [words["inputs"]]
        titles += [
            words["layer"].format(number=i, activation=row.name)
            for i, row in enumerate(network.activations, start=1)
        ]
        titles.append(words["output"].format(activation=network.loss.output))
        lines += self._side_by_side(titles, columns)
        t = self.trace.targets[0]
        shown = ", ".join(self.number(float(v)) for v in t[:_MOST_NODES])
        more = ", ..." if len(t) > _MOST_NODES else ""
        loss = f"{words['loss L']} = {self.number(self.trace.loss)}"
        line = f"{words['target']} = {shown}{more}    {loss}"
        return [*lines, "", *textwrap.wrap(line, self.width, subsequent_indent=" " * 11)]

    def _column(
        self, symbol: str, values: Array, deltas: Array | None, names: tuple[str, ...]
    ) -> list[str]:
        order = range(len(values))
        if len(values) > _MOST_NODES:
            strength = np.abs(values if deltas is None else deltas)
            order = sorted(np.argsort(-strength)[: _MOST_NODES - 1].tolist())  # type: ignore[assignment]
        lines: list[str] = []
        for j in order:
            label = names[j] if names else symbol + str(j + 1).translate(SUBSCRIPTS)
            lines.append(f"{_clip(label, 22)} = {self.number(float(values[j]))}")
            if deltas is not None:
                lines.append(f"  δ ← {self.number(float(deltas[j]))}")
        if len(values) > _MOST_NODES:
            lines.append(self.words["more"].format(count=len(values) - _MOST_NODES + 1))
        return lines

    def _side_by_side(self, titles: list[str], columns: list[list[str]]) -> list[str]:
        """Return the columns beside each other, in as many blocks as the width asks for."""
        blocks: list[list[tuple[str, list[str], int]]] = [[]]
        used = 0
        for title, column in zip(titles, columns, strict=True):
            wide = max(cells(text) for text in [title, *column])
            if blocks[-1] and used + 4 + wide > self.width:
                blocks.append([])
                used = 0
            blocks[-1].append((title, column, wide))
            used += wide + (4 if used else 0)
        lines: list[str] = []
        for number, block in enumerate(blocks):
            if number:
                lines.append("  ↓ ↑")
            lines.append("  → ".join(pad(title, wide) for title, _, wide in block))
            height = max(len(column) for _, column, _ in block)
            padded = [(column + [""] * (height - len(column)), wide) for _, column, wide in block]
            lines += [
                "    ".join(pad(column[row], wide) for column, wide in padded)
                for row in range(height)
            ]
        return lines

    def layers(self) -> list[str]:
        """Return the matrix equations, layer by layer, with their numbers and shapes."""
        lines = self.section(self.words["layers"])
        trace, last = self.trace, len(self.trace.z) - 1
        given = self.words["given by"].format(loss=trace.network.loss_name)
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
            lines += [
                f"z{up} = {a} {self._weights(layer + 1)}{bias}",
                *self._matrix(trace.z[layer]),
            ]
            if f != "identity":
                lines += [f"a{up} = {f}(z{up})", *self._matrix(trace.a[layer + 1])]
        lines.append(f"L = {self.number(trace.loss)}")
        for layer in range(last, -1, -1):
            up, above = self._up(layer + 1), self._up(layer + 2)
            if layer == last:
                lines.append(f"δ{up} = dL/dz{up}, {given}")
            else:
                f = trace.network.activations[layer].name
                slope = "" if f == "identity" else f" ⊙ {f}'(z{up})"
                lines.append(f"δ{up} = δ{above} ({self._weights(layer + 2)})ᵀ{slope}")
            lines += self._matrix(trace.delta[layer])
        for layer in range(last, -1, -1):
            up = self._up(layer + 1)
            a = f"(a{self._up(layer)})ᵀ" if layer else "xᵀ"
            w = self._weights(layer + 1)
            penalty = f" + λ₂ {w}" if trace.network.l2 else ""
            penalty += f" + λ₁ sign({w})" if trace.network.l1 else ""
            arrays = trace.gradients.layers[layer]
            lines += [f"∂L/∂{w} = {a} δ{up}{penalty}", *self._matrix(arrays["W"])]
            if "b" in arrays:
                summed = self.words["sum over samples"].format(what=f"δ{up}")
                lines += [f"∂L/∂b{up} = {summed}", *self._matrix(arrays["b"][None])]
        eta = self.number(self.explanation.update.learning_rate)
        plain = isinstance(self.explanation.update.rule, GradientDescent)
        for layer in range(last, -1, -1):
            w = self._weights(layer + 1)
            rule = f"{w} - {eta} ∂L/∂{w}" if plain else self.words["after the step"]
            lines.append(f"{self.words['new'].format(what=w)} = {rule}")
            lines += self._matrix(self.after.parameters.layers[layer]["W"])
        return lines

    def _weights(self, layer: int) -> str:
        return symbol_of(Ref("W", layer), 1, self.notation)

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
        lines: list[str] = self.section(self.words["neurons"])
        told = self.explanation.n_numbers
        if self.explanation.is_large and not self.explanation.wanted:
            strongest = self.words["strongest"].format(
                shown=f"{len(self.explanation.steps):,}", count=f"{told:,}"
            )
            lines += wrap(strongest, self.width)
        phase = ""
        for line in self.explanation.lines(self.digits):
            if line.step.phase != phase:
                phase = line.step.phase
                lines += ["", self.bold(self.words[phase])]
            lines += self._arithmetic(line)
            lines += self._proof(line)
        return lines

    def _proof(self, line: Line) -> list[str]:
        """Return the central difference beside a gradient, with a tick or a cross."""
        entry = self.explanation.proof.get(line.step.id) if line.step.phase == "gradient" else None
        if entry is None:
            return []
        mark = {"right": "✓", "wrong": "✗", "kink": "?"}[entry.verdict]
        key = "no derivative" if entry.verdict == "kink" else "beside a gradient"
        told = self.words[key].format(
            measured=self.number(entry.measured), error=f"{entry.relative_error:.1g}"
        )
        return [f"      {mark} {told}"]

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

    def batch(self) -> list[str]:
        """Return what each sample adds to the gradient, and which pull apart."""
        if len(self.trace.shares) == 1:
            return []
        batch, words = self.explanation.batch, self.words
        lines = self.section(words["batch"])
        titles = (words["of sample"], "ℓ", "|g|", words["along"])
        order = sorted(batch.pulls, key=lambda pull: pull.along)[:_MOST_SAMPLES]
        rows = [titles] + [
            (
                str(pull.sample + 1),
                number_text(pull.loss, min(self.digits, 6)),
                number_text(pull.norm, min(self.digits, 6)),
                f"{pull.along:+.3f}{words['against'] if pull.along < 0 else ''}",
            )
            for pull in order
        ]
        wide = [max(cells(row[c]) for row in rows) for c in range(len(titles))]
        for row in rows:
            texts = [pad(text, w) for text, w in zip(row, wide, strict=True)]
            lines.append(_clip("  " + "   ".join(texts).rstrip(), self.width))
        if len(batch.pulls) > len(order):
            lines.append("  " + words["more"].format(count=len(batch.pulls) - len(order)))
        kept = words["kept"].format(share=f"{batch.kept:.0%}", norm=self.number(batch.norm))
        lines += wrap(kept, self.width)
        if batch.apart is not None:
            s, r, cosine = batch.apart
            apart = words["apart"].format(one=s + 1, other=r + 1, cosine=f"{cosine:+.3f}")
            lines += wrap(apart, self.width)
        return lines

    def promise(self) -> list[str]:
        """Return what the step promised and what it brought."""
        e, words = self.explanation, self.words
        facts = (
            (words["loss before"], e.trace.loss, ""),
            (words["loss after"], e.update.after.loss, ""),
            (words["promised"], e.predicted_change, f"   ({words['gradient times step']})"),
            (words["brought"], e.actual_change, ""),
        )
        lines = self.section(words["promise"])
        lines += [f"{pad(what, 20)} {self.number(value)}{note}" for what, value, note in facts]
        return lines


def _clip(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
