"""A document as GitHub-flavoured Markdown, for notes and issues.

Tables for what is a table, and lines of Unicode in code blocks for what is arithmetic: they read
the same in a mail, in an editor, and rendered anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from deltaprop.characters import readable
from deltaprop.explaining.document.blocks import (
    Block,
    Cell,
    Document,
    Equations,
    Lines,
    Overview,
    Sentence,
    Table,
)
from deltaprop.explaining.renderers.common_text import (
    cell_text,
    equation_text,
    image_text,
    line_text,
    proof_text,
)
from deltaprop.notation.chart import Bars, Curve, chart_text
from deltaprop.notation.image import Image

__all__ = ["escaped", "write_block", "write_document", "write_head"]

_ROOM = 96  # columns of a code block that need no scrolling
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
# GitHub calls a person, links an issue, draws a face: not for the name of a column
_CALLS = re.compile(r"(?<=@)(?=\w)|(?<=#)(?=\d)|(?<=:)(?=\w+:)")


def write_document(document: Document) -> str:
    """Return a document as Markdown."""
    return "\n".join(_lines(document)).rstrip("\n") + "\n"


def escaped(text: str) -> str:
    """Return a text so that Markdown prints it as it is, in a paragraph or in a table."""
    plain = readable(text)
    return _CALLS.sub("<!-- -->", _SPECIAL.sub(r"\\\1", " ".join(plain.split())))


def _lines(document: Document) -> Iterator[str]:
    yield from write_head(document)
    for section in document.sections:
        for part in (section, *section.parts):
            if part.title:
                yield from (f"{'##' if part is section else '###'} {escaped(part.title)}", "")
            for block in part.blocks:
                yield from (*write_block(block, document), "")


def write_head(document: Document) -> Iterator[str]:
    """Yield the title and the conventions."""
    yield from (f"# {escaped(document.title)}", "")
    for sentence in document.conventions:
        yield f"- {escaped(sentence)}"
    if document.conventions:
        yield ""


def write_block(block: Block, document: Document) -> Iterator[str]:
    """Yield one block."""
    match block:
        case Sentence():
            yield escaped(block.text)
        case Table():
            yield from _table(block, document)
        case Overview():
            yield from _overview(block, document)
        case Image():
            yield from (escaped(block.title), "", *_code(image_text(block, _ROOM)))
        case Curve() | Bars():
            yield from (escaped(block.title), "", *_code(chart_text(block, _ROOM)))
        case Equations():
            texts = ("\n".join(equation_text(e, document, _ROOM)) for e in block.equations)
            yield from _code(["\n\n".join(texts)])
        case Lines():
            yield from _code(_arithmetic(block, document))


def _code(lines: Iterable[str]) -> Iterator[str]:
    yield from ("```text", *lines, "```")


def _arithmetic(block: Lines, document: Document) -> Iterator[str]:
    for line in block.lines:
        yield from line_text(line, document, _ROOM)
        proof = document.proofs.get(line.step.id)
        if proof is not None:
            yield f"    {proof_text(proof, document.words)}"


def _table(table: Table, document: Document) -> Iterator[str]:
    def row(cells: Iterable[Cell]) -> str:
        texts = (escaped(c) if isinstance(c, str) else cell_text(c, document) for c in cells)
        return _row(texts)

    yield row(table.head or [""] * len(table.figures))
    yield _row("--:" if to_right else ":--" for to_right in table.figures)
    yield from map(row, table.rows)


def _overview(overview: Overview, document: Document) -> Iterator[str]:
    words = document.words
    if overview.note:
        yield from (escaped(overview.note), "")
    yield from _table(overview.table(words), document)
    yield from ("", f"- {words['target']} = {overview.targets}")
    yield f"- {overview.loss_name} = {overview.loss}"


def _row(row: Iterable[str]) -> str:
    return f"| {' | '.join(row)} |"
