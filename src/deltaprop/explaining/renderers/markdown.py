"""A document as GitHub-flavoured Markdown, for notes and issues.

Tables for what is a table, and lines of Unicode in code blocks for what is arithmetic: they read
the same in a mail, in an editor, and rendered anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from deltaprop.characters import readable
from deltaprop.explaining.document.blocks import (
    Block,
    Cell,
    Document,
    Equations,
    Lines,
    Overview,
    Sentence,
    Shown,
    Table,
)
from deltaprop.explaining.renderers.text import (
    equation_text,
    image_text,
    line_text,
    proof_text,
    ref_text,
)
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
        if section.title:
            yield from (f"## {escaped(section.title)}", "")
        for block in section.blocks:
            yield from (*write_block(block, document), "")
        for part in section.parts:
            yield from (f"### {escaped(part.title)}", "")
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
            yield from (escaped(block.title), "", "```text")
            yield from image_text(block, _ROOM)
            yield "```"
        case Equations():
            yield "```text"
            for number, equation in enumerate(block.equations):
                if number:
                    yield ""
                yield from equation_text(equation, document, _ROOM)
            yield "```"
        case Lines():
            yield "```text"
            for line in block.lines:
                yield from line_text(line, document, _ROOM)
                proof = document.proofs.get(line.step.id)
                if proof is not None:
                    yield f"    {proof_text(proof, document.words)}"
            yield "```"


def _table(table: Table, document: Document) -> Iterator[str]:
    n_columns = len(table.rows[0])
    head = table.head or ("",) * n_columns
    right = [any(isinstance(row[c], Shown) for row in table.rows) for c in range(n_columns)]
    yield _row([_cell(cell, document) for cell in head])
    yield _row(["--:" if to_right else ":--" for to_right in right])
    for row in table.rows:
        yield _row([_cell(cell, document) for cell in row])


def _cell(cell: Cell, document: Document) -> str:
    match cell:
        case Shown():
            return cell.text
        case str():
            return escaped(cell)
    return ref_text(cell, document)


def _overview(overview: Overview, document: Document) -> Iterator[str]:
    """Yield a table: down it the values flow forward, up it the deltas flow back."""
    words = document.words
    named = any(node.name for layer in overview.layers for node in layer.nodes)
    if overview.note:
        yield from (escaped(overview.note), "")
    yield _row(["", words["neuron"], *([words["name"]] if named else []), "z ↓", "a ↓", "δ ↑"])
    yield _row([":--", ":--", *([":--"] if named else []), "--:", "--:", "--:"])
    for layer in overview.layers:
        title = escaped(layer.title)
        for node in layer.nodes:
            name = [escaped(node.name)] if named else []
            symbol = ref_text(node.ref, document)
            yield _row([title, symbol, *name, node.z, node.a, node.delta])
            title = ""
        if layer.more:
            more = words["more"].format(count=f"{layer.more:,}")
            yield _row(["", more, *([""] if named else []), "", "", ""])
    yield from ("", f"- {words['target']} = {overview.targets}")
    yield f"- {words['loss L']} = {overview.loss}"


def _row(row: Sequence[str]) -> str:
    return f"| {' | '.join(row)} |"
