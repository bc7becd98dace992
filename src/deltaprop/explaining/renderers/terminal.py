"""A document in a terminal: readable at 80 columns and without colour."""

from __future__ import annotations

from collections.abc import Iterator

from deltaprop.explaining.document.blocks import (
    Block,
    Document,
    Equations,
    Lines,
    Overview,
    OverviewLayer,
    Section,
    Sentence,
    Table,
)
from deltaprop.explaining.renderers.common_text import (
    cell_text,
    equation_text,
    image_text,
    line_text,
    proof_text,
    ref_text,
)
from deltaprop.notation.chart import Bars, Curve, chart_text
from deltaprop.notation.digits import Line
from deltaprop.notation.image import Image
from deltaprop.widths import clip, pad, text_width, wrap

__all__ = ["write_document"]

_NARROWEST = 20
_LONGEST_LABEL = 22


def write_document(document: Document, *, width: int = 80, color: bool = False) -> str:
    """Return a document in lines of at most ``width`` columns; colour tells signs of numbers."""
    lines = _Page(document, max(_NARROWEST, width), color).lines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


class _Page:
    def __init__(self, document: Document, width: int, color: bool) -> None:
        self.document, self.width, self.color = document, width, color
        self.words = document.words

    def lines(self) -> Iterator[str]:
        """Yield the page."""
        yield from (self.bold(line) for line in wrap(self.document.title, self.width))
        for sentence in self.document.conventions:
            yield from wrap(sentence, self.width)
        for section in self.document.sections:
            yield ""
            if section.title:
                titles = wrap(section.title, self.width)
                yield from map(self.bold, titles)
                yield self.bold("─" * max(map(text_width, titles)))
            yield from self.blocks(section)
            for number, part in enumerate(section.parts):
                if number or section.blocks:
                    yield ""
                yield from map(self.bold, wrap(part.title, self.width))
                yield from self.blocks(part)

    def blocks(self, section: Section) -> Iterator[str]:
        """Yield what stands under a heading."""
        for block in section.blocks:
            yield from self.block(block)

    def block(self, block: Block) -> Iterator[str]:
        """Yield one block."""
        match block:
            case Sentence():
                yield from wrap(block.text, self.width)
            case Table():
                yield from self.table(block)
            case Overview():
                yield from self.overview(block)
            case Image():
                yield ""
                yield from wrap(block.title, self.width)
                yield from (f"  {row}" for row in image_text(block, self.width - 2))
            case Curve() | Bars():
                yield ""
                yield from wrap(block.title, self.width)
                yield from (f"  {row}" for row in chart_text(block, self.width - 2))
            case Equations():
                for equation in block.equations:
                    for row in equation_text(equation, self.document, self.width - 2):
                        yield f"  {row}"
            case Lines():
                for line in block.lines:
                    yield from self.line(line)

    # colour

    def bold(self, text: str) -> str:
        """Return a heading."""
        return f"\x1b[1m{text}\x1b[0m" if self.color else text

    def paint(self, text: str, value: float) -> str:
        """Return the text coloured by the sign of its number."""
        if not self.color or value == 0:
            return text
        return f"\x1b[{'34' if value > 0 else '33'}m{text}\x1b[0m"

    # blocks

    def line(self, line: Line) -> Iterator[str]:
        """Yield the arithmetic of one number, and its proof."""

        def paint(text: str) -> str:
            return self.paint(text, line.step.value)

        for row in line_text(line, self.document, self.width - 2, paint):
            yield f"  {row}"
        proof = self.document.proofs.get(line.step.id)
        if proof is not None:
            for number, row in enumerate(wrap(proof_text(proof, self.words), self.width - 8)):
                yield f"      {'  ' if number else ''}{row}"

    def table(self, table: Table) -> Iterator[str]:
        """Yield the rows, words to the left and numbers to the right.

        Columns of numbers that have no room beside the others stand below them.
        """
        rows = [*([table.head] if table.head else []), *table.rows]
        texts = [[cell_text(cell, self.document) for cell in row] for row in rows]
        wide = [max(text_width(row[c]) for row in texts) for c in range(len(texts[0]))]
        for number, columns in enumerate(self._fitting(wide, table.figures)):
            if number:
                yield ""
            for row in texts:
                padded = (
                    " " * (wide[c] - text_width(row[c])) + row[c]
                    if table.figures[c]
                    else pad(row[c], wide[c])
                    for c in columns
                )
                yield clip("  " + "   ".join(padded).rstrip(), self.width)

    def _fitting(self, wide: list[int], figures: list[bool]) -> list[list[int]]:
        """Return the columns of each block of a table; the first one stands in all of them."""
        blocks: list[list[int]] = [[0]]
        for column in range(1, len(wide)):
            used = 2 + sum(wide[c] + 3 for c in blocks[-1]) + wide[column]
            if used > self.width and figures[column] and len(blocks[-1]) > 1:
                blocks.append([0])
            blocks[-1].append(column)
        return blocks

    def overview(self, overview: Overview) -> Iterator[str]:
        """Yield the network: columns from left to right, values and the deltas that come back."""
        if overview.note:
            yield overview.note
        yield from self._side_by_side([(layer.title, self._column(layer)) for layer in
                                       overview.layers])  # fmt: skip
        words = self.words
        yield ""
        described = f"{words['target']} = {overview.targets}"
        loss = f"{overview.loss_name} = {overview.loss}"
        if text_width(f"{described}    {loss}") <= self.width:
            yield f"{described}    {loss}"
        else:
            yield from (*wrap(described, self.width), loss)

    def _column(self, layer: OverviewLayer) -> list[str]:
        lines: list[str] = []
        for node in layer.nodes:
            label = node.name or ref_text(node.ref, self.document)
            lines.append(f"{clip(label, _LONGEST_LABEL)} = {node.a}")
            if node.delta:
                lines.append(f"  δ ← {node.delta}")
        if layer.more:
            lines.append(self.words["more"].format(count=f"{layer.more:,}"))
        return lines

    def _side_by_side(self, columns: list[tuple[str, list[str]]]) -> Iterator[str]:
        """Yield the columns beside each other, in as many blocks as the width asks for."""
        blocks: list[list[tuple[str, list[str], int]]] = [[]]
        used = 0
        for title, column in columns:
            wide = max(text_width(text) for text in [title, *column])
            if blocks[-1] and used + 4 + wide > self.width:
                blocks.append([])
                used = 0
            blocks[-1].append((title, column, wide))
            used += wide + (4 if used else 0)
        for number, block in enumerate(blocks):
            if number:
                yield "  ↓ ↑"
            yield "  → ".join(pad(title, wide) for title, _, wide in block)
            height = max(len(column) for _, column, _ in block)
            for row in range(height):
                yield "    ".join(
                    pad(column[row] if row < len(column) else "", wide) for _, column, wide in block
                )
