"""The network as a picture: values on the nodes, weights and gradients on the edges (SVG).

Colour tells the sign (blue positive, orange negative and dashed), width the size. Every node and
edge carries the id of its number, so that a page can light it up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from math import inf
from typing import TypeAlias

import numpy as np

from deltaprop.errors import SettingError
from deltaprop.explaining.derivation.edges import parameters_of, reads
from deltaprop.explaining.document.blocks import Document
from deltaprop.explaining.document.labels import column_titles
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.renderers.html.cards import BOLD, LAST_GAP, Cards, Node, sign_of
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.languages.names import called
from deltaprop.notation.ids import Ref
from deltaprop.notation.mathml import escape
from deltaprop.widths import clip, text_width

__all__ = ["picture", "write_document"]

_MOST_LABELS = 8  # of the edges between two layers; more are shown when they are asked for
_CHARACTER = 6.3  # width of a character in a label
_Box: TypeAlias = tuple[float, float, float, float]  # x and y of two corners


def write_document(document: Document, *, width: int = 720, sample: int = 0) -> str:
    """Return the network of a document as a picture of its own, with the numbers of a sample."""
    if document.worked is None:
        raise SettingError("This is about no network, so there is no picture of one.")
    sheets = (files(__package__).joinpath(f"{name}.css") for name in ("colours", "network"))
    css = "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
    return picture(document.worked, document.style, width, sample=sample, css=css)


def picture(
    worked: WorkedStep,
    style: Style,
    width: int = 720,
    *,
    sample: int = 0,
    css: str = "",
    known: Collection[str] | None = None,
    least_gap: float = 92,
) -> str:
    """Return the picture for a page that has the style already.

    ``known`` are the ids that the page can show; others are drawn without one. ``least_gap`` is
    the room between layers.
    """
    n = len(worked.trace.a[0])
    if not 0 <= sample < n:
        raise SettingError(f"There is no sample {sample}; the batch has {n}.")
    cards = Cards(worked, style, width, sample, known, least_gap)
    return _Drawing(cards).svg(css, style.language)


class _Drawing:
    def __init__(self, cards: Cards) -> None:
        self.worked, self.trace, self.cards = cards.worked, cards.trace, cards
        self.taken: list[_Box] = []
        self.quiet: list[_Box] = []

    # edges

    def _edges(self, layer: int) -> Iterator[str]:
        """Yield the edges into a layer, and then what is written on them."""
        pairs = [*self._pairs(layer)]
        crowded = len(pairs) > _MOST_LABELS
        lines, labels = [], []
        for left, right in pairs:
            if left.place < 0 or right.place < 0:
                continue
            found = parameters_of(self.trace, layer, left.place, right.place)
            if len(found) == 1:
                line, label = self._edge(found[0], left, right, crowded)
                labels.append(label)
            else:
                line = self._plain_edge(found, left, right)
            lines.append(line)
        yield from lines
        yield from labels

    def _pairs(self, layer: int) -> Iterator[tuple[Node, Node]]:
        """Yield the nodes that an edge joins: where the layer reads one for the other."""
        rights = self.cards.columns[layer]
        read = {
            right.place: reads(self.trace, layer, right.place)
            for right in rights
            if right.place >= 0
        }
        for left in self.cards.columns[layer - 1]:
            for right in rights:
                gathers = left.place < 0 or right.place < 0
                if gathers or left.place in read[right.place]:
                    yield left, right

    def _plain_edge(self, parameters: Sequence[Ref], left: Node, right: Node) -> str:
        """Return an edge that no single number belongs to: what passes, or passes through waves."""
        path = _straight(left.x + self.cards.card, left.middle, right.x, right.middle)
        names = [name for ref in parameters for name in _names(ref)]
        return (
            f'<g class="edge bare"{self.cards.id(*names)}>'
            f'<path class="line" d="{path}" stroke-width="1.2"/></g>'
        )

    def _edge(self, weight: Ref, left: Node, right: Node, crowded: bool) -> tuple[str, str]:
        gradient = replace(weight, quantity=f"d{weight.quantity}")
        weights, gradients = (
            parameters.layers[weight.layer - 1][weight.quantity]
            for parameters in (self.trace.parameters, self.trace.gradients)
        )
        w, g = float(weights[weight.index]), float(gradients[weight.index])
        share = abs(w) / (float(np.max(np.abs(weights))) or 1.0)
        names = _names(weight)
        x1, y1, x2, y2 = left.x + self.cards.card, left.middle, right.x, right.middle
        path = _straight(x1, y1, x2, y2)
        sign = "∂" if "∂" in self.cards.symbol(gradient) else "d"  # a convention's dW
        texts = (self.cards.number(w), f"{sign} {self.cards.number(g)}")
        symbols = (self.cards.symbol(weight), self.cards.symbol(gradient))
        title = f"{symbols[0]} = {texts[0]},  {symbols[1]} = {texts[1][2:]}"
        # a broad invisible line is easier to point at
        reach = "" if crowded else f'<path class="reach" d="{path}"/>'
        line = (
            f'<g class="edge {sign_of(w)}" data-of="{weight.id}"{self.cards.id(*names)}>'
            f"<title>{escape(title)}</title>{reach}"
            f'<path class="line" d="{path}" stroke-width="{0.8 + 3.2 * share:.2f}"/></g>'
        )
        x, y, free = (x1 + x2) / 2, (y1 + y2) / 2, False
        if not crowded:
            x, y, free = self._label_place((x1, y1, x2, y2), max(map(len, texts)))
        label = (
            f'<g class="label{"" if free else " quiet"}"{self.cards.id(*names)}>'
            f'<text class="number {sign_of(w)}" x="{x:.5g}" y="{y - 2:.5g}"'
            f' data-of="{weight.id}"{self.cards.id(weight.id)}{self.cards.again(weight.id)}>'
            f'{texts[0]}</text><text class="gradient" x="{x:.5g}" y="{y + 10:.5g}"'
            f' data-of="{gradient.id}"{self.cards.id(gradient.id)}>{texts[1]}</text></g>'
        )
        return line, label

    def _label_place(self, edge: _Box, characters: int) -> tuple[float, float, bool]:
        """Return where on an edge its label covers the others least, and whether it is free."""
        x1, y1, x2, y2 = edge
        half = characters * _CHARACTER / 2 + 1
        middle = (0.5,) if y1 == y2 else ()  # lines that cross do so in the middle
        best = (inf, (x1 + x2) / 2, (y1 + y2) / 2)
        for t in (*middle, 0.36, 0.64, 0.28, 0.72, 0.44, 0.56, 0.5, 0.22, 0.78):
            x, y = x1 + t * (x2 - x1), y1 + t * (y2 - y1)
            box = (x - half, y - 12, x + half, y + 12)
            if box[0] < x1 + 1 or box[2] > x2 - 1:
                continue
            covered = sum(_overlap(box, other) for other in self.taken)
            if not covered:
                self.taken.append(box)
                return x, y, True
            # what is shown when it is asked for keeps off its like
            covered += sum(_overlap(box, other) for other in self.quiet)
            if covered < best[0]:
                best = (covered, x, y)
        _, x, y = best
        self.quiet.append((x - half, y - 12, x + half, y + 12))
        return x, y, False

    def _loss_edges(self, node: Node) -> Iterator[str]:
        for left in self.cards.columns[-1]:
            x1, y1, x2, y2 = left.x + self.cards.card, left.middle, node.x, node.middle
            yield f'<path class="to-loss" d="{_straight(x1, y1, x2, y2)}"/>'

    # the whole

    def _titles(self, language: str) -> Iterator[str]:
        words, network = self.cards.words, self.trace.network
        titles = [
            *column_titles(network, language, self.cards.naming),
            called("loss", network.loss_name, language),
        ]
        card, beyond = self.cards.card, 0.0  # how far the title before reaches over its card
        for column, title in enumerate(titles):
            x = self.cards.x(column) + card / 2
            at_end = column == len(titles) - 1
            gap = LAST_GAP if column >= len(titles) - 2 else self.cards.gap
            shown = clip(title, (card + gap - 6 - (beyond if at_end else 0)) / BOLD)
            beyond = max(0.0, (text_width(shown) * BOLD - card) / 2)
            x, kind = (self.cards.width - 2, "title end") if at_end else (x, "title")
            yield f'<text class="{kind}" x="{x:.5g}" y="32">{escape(shown)}</text>'
        yield f'<text class="way forward" x="2" y="11">{escape(words["values forward"])}</text>'
        yield (
            f'<text class="way back" x="{self.cards.width - 2:.5g}" y="11">'
            f"{escape(words['deltas back'])}</text>"
        )

    def svg(self, css: str, language: str) -> str:
        """Return the drawing."""
        loss = self.cards.loss_node()
        parts = [*self._titles(language), *self._loss_edges(loss)]
        for layer in range(1, len(self.cards.columns)):
            parts += self._edges(layer)
        for column in [*self.cards.columns, [loss]]:
            for node in column:
                parts += self.cards.svg_of(node)
        name = self.worked.names.title_in(language) or self.trace.network.describe()
        deep = " deep" if len(self.cards.columns) > 3 else ""
        width, height = f"{self.cards.width:.0f}", f"{self.cards.height + 4:.0f}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="network{deep}" role="img" '
            f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
            f'<title>{escape(name)}</title><desc data-form="{escape(self._text_of(ids=True))}">'
            f"{escape(self._text_of())}</desc>"
            + (f"<style>{css}</style>" if css else "")
            + "".join(parts)
            + "</svg>"
        )

    def _text_of(self, *, ids: bool = False) -> str:
        """Return the picture in words; or with the ids of its numbers in braces."""
        trace, s = self.trace, self.cards.sample
        outputs = ", ".join(
            f"{row[1]} = {f'{{{row[0]}}}' if ids else row[2]}"
            for node in self.cards.columns[-1]
            for row in node.rows
            if row[0].startswith(("a.", "targets"))
        )
        letter = self.cards.symbol(Ref("loss"))
        loss = self.cards.words["loss L"].format(letter=letter) + " = "
        loss += "{loss}" if ids else self.cards.number(trace.loss)
        heading = self.cards.words["sample"].format(number=s + 1) if len(trace.a[0]) > 1 else ""
        return f"{trace.network.describe()} {heading}. {outputs}. {loss}."


def _names(ref: Ref) -> list[str]:
    """Return the ids of a parameter, its gradient, and itself after the step."""
    gradients = [replace(ref, quantity=f"{kind}d{ref.quantity}").id for kind in ("", "data_")]
    return [ref.id, *gradients, replace(ref, after=True).id]


def _straight(x1: float, y1: float, x2: float, y2: float) -> str:
    return f"M{x1:.5g} {y1:.5g}L{x2:.5g} {y2:.5g}"


def _overlap(one: _Box, other: _Box) -> float:
    """Return the area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)
