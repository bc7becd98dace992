"""A document as a small piece of HTML, for ``_repr_html_``: no script, no style sheet."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from deltaprop.characters import readable
from deltaprop.explaining.document.blocks import (
    Block,
    Document,
    Equations,
    Lines,
    Overview,
    Section,
    Sentence,
    Table,
)
from deltaprop.explaining.renderers.common_text import MARKS, cell_text, equation_text, line_parts
from deltaprop.notation.chart import Bars, Curve, chart_text
from deltaprop.notation.html_page import language_tag
from deltaprop.notation.image import Image
from deltaprop.notation.png import data_uri

__all__ = ["write_document"]

_MOST_ROWS = 60  # of a phase
_ROOM = 96  # columns of a matrix equation
_PADDING = "padding:1px 8px;vertical-align:top"
_LEFT = f'style="text-align:left;{_PADDING}"'
_WHOLE = f'style="text-align:left;white-space:nowrap;{_PADDING}"'
_RIGHT = f'style="text-align:right;{_PADDING}"'


def write_document(document: Document) -> str:
    """Return a document as one ``<div>``."""
    return "\n".join(_Fragment(document).lines())


class _Fragment:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.words = document.words

    def lines(self) -> Iterator[str]:
        """Yield the piece of HTML."""
        document = self.document
        language = document.style.language
        yield f'<div class="deltaprop-explanation" lang="{language_tag(language)}">'
        yield f"<p><strong>{_escaped(document.title)}</strong></p>"
        if document.conventions:
            yield f"<p>{'<br>'.join(map(_escaped, document.conventions))}</p>"
        for section in document.sections:
            yield from self.section(section)
        yield "</div>"

    def section(self, section: Section) -> Iterator[str]:
        """Yield a section; its parts, and arithmetic, are folded."""
        folded = any(isinstance(block, Lines | Equations) for block in section.blocks)
        n_lines = sum(len(block.lines) for block in section.blocks if isinstance(block, Lines))
        count = f" ({n_lines:,})" if n_lines else ""
        title = f"{_escaped(section.title)}{count}" if section.title else ""
        if folded:
            yield f"<details><summary>{title}</summary>"
        elif title:
            yield f"<p><strong>{title}</strong></p>"
        for block in section.blocks:
            yield from self.block(block)
        if folded:
            yield "</details>"
        for part in section.parts:
            yield from self.section(part)

    def block(self, block: Block) -> Iterator[str]:
        """Yield one block."""
        match block:
            case Sentence():
                yield f"<p>{_escaped(block.text)}</p>"
            case Table():
                yield from self.table(block)
            case Overview():
                yield from self.overview(block)
            case Image():
                title = _escaped(block.title)
                legend = f"<br>{_escaped(self.words['coloured'])}" if block.signed else ""
                yield f'<p>{title}{legend}<br><img src="{data_uri(block)}" alt="{title}"></p>'
            case Curve() | Bars():
                yield f"<p>{_escaped(block.title)}</p>"
                drawn = "\n".join(chart_text(block, _ROOM))
                yield f"<pre>{_escaped_lines(drawn)}</pre>"
            case Equations():
                for equation in block.equations:
                    text = "\n".join(equation_text(equation, self.document, _ROOM))
                    yield f"<pre>{_escaped_lines(text)}</pre>"
            case Lines():
                yield from self.arithmetic(block)

    def arithmetic(self, block: Lines) -> Iterator[str]:
        """Yield a table: symbol, formula, numbers, result, and the proof where there is one."""
        proofs = self.document.proofs
        lines = block.lines[:_MOST_ROWS]
        proved = any(line.step.id in proofs for line in lines)
        keys = ["number", "formula", "with numbers", "result", *(["proof"] if proved else [])]
        rows = []
        for line in lines:
            left, formula, numbers, relation = line_parts(line, self.document)
            row = [left, formula, numbers, f"{relation} {line.shown}"]
            rows.append([*row, self.proof(line.step.id)] if proved else row)
        if len(block.lines) > len(lines):
            more = self.words["more"].format(count=f"{len(block.lines) - len(lines):,}")
            rows.append([more, *[""] * (len(keys) - 1)])
        styles = [_WHOLE, _LEFT, _LEFT, _WHOLE, *([_WHOLE] if proved else [])]
        yield from _rows([self.words[key] for key in keys], rows, styles)

    def proof(self, name: str) -> str:
        """Return what the referee found, short enough for a column."""
        proof = self.document.proofs.get(name)
        if proof is None:
            return ""
        if not proof.is_judged:
            return f"{MARKS[proof.verdict]} {self.words[proof.verdict]}"
        error = self.words["relative error"].format(number=proof.error)
        return f"{MARKS[proof.verdict]} {proof.measured}, {error}"

    def table(self, table: Table) -> Iterator[str]:
        """Yield the rows, words to the left and numbers to the right."""
        rows = [[cell_text(cell, self.document) for cell in row] for row in table.rows]
        styles = [_RIGHT if to_right else _LEFT for to_right in table.figures]
        yield from _rows([cell_text(cell, self.document) for cell in table.head], rows, styles)

    def overview(self, overview: Overview) -> Iterator[str]:
        words = self.words
        if overview.note:
            yield f"<p>{_escaped(overview.note)}</p>"
        yield from self.table(overview.table(words))
        described = (
            f"{words['target']} = {overview.targets}; {overview.loss_name} = {overview.loss}"
        )
        yield f"<p>{_escaped(described)}</p>"


def _rows(
    head: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str]
) -> Iterator[str]:
    yield "<table>"
    if head:
        cells = zip(styles, head, strict=True)
        yield f"<thead><tr>{''.join(f'<th {s}>{_escaped(c)}</th>' for s, c in cells)}</tr></thead>"
    yield "<tbody>"
    for row in rows:
        cells = zip(styles, row, strict=True)
        yield f"<tr>{''.join(f'<td {style}>{_escaped(c)}</td>' for style, c in cells)}</tr>"
    yield "</tbody></table>"


def _escaped(text: str) -> str:
    return html.escape(readable(text))


def _escaped_lines(text: str) -> str:
    return "\n".join(map(_escaped, text.split("\n")))
