"""A document as a Jupyter notebook.

The markdown cells say what the other renderers say; the code cells work the step out again with
deltaprop and compare every displayed number. It is read without a kernel.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from deltaprop._version import __version__
from deltaprop.explaining.document.blocks import Block, Document, Equations, Lines, Section
from deltaprop.explaining.renderers.latex.lines import equation_rows, line_rows, of_one_array
from deltaprop.explaining.renderers.markdown import escaped, write_block, write_head
from deltaprop.explaining.renderers.notebook import code
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.notation.image import Image
from deltaprop.notation.png import data_uri

__all__ = ["write_document"]

_ROOM = 52.0  # em of a row in a notebook


def write_document(document: Document) -> str:
    """Return a document as an .ipynb file, nbformat 4.5.

    Code cells take the step again with deltaprop and compare every displayed number; of a document
    about no network, or of one whose activations or loss are somebody's own, they work out the
    displayed arithmetic, with nothing but Python.
    """
    own = document.worked is None or code.is_own(document.worked)
    return _file(_Book(document, None if own else document.worked))


def _file(book: _Book) -> str:
    cells = []
    for number, (kind, text) in enumerate(book.cells()):
        name = hashlib.sha256(f"{number} {text}".encode()).hexdigest()[:12]
        cell: dict[str, Any] = {
            "cell_type": kind.removeprefix("hidden "),
            "id": name,
            "metadata": {"jupyter": {"source_hidden": True}} if "hidden" in kind else {},
            "source": text.splitlines(keepends=True),
        }
        if kind != "markdown":
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell)
    data = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "deltaprop": {"version": __version__},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


class _Book:
    def __init__(self, document: Document, worked: WorkedStep | None) -> None:
        self.document, self.worked = document, worked
        self.words = document.words

    def cells(self) -> Iterator[tuple[str, str]]:
        """Yield the cells: their kind and their text."""
        words, worked = self.words, self.worked
        yield "markdown", "\n".join([*write_head(self.document), escaped(words["notebook"])])
        if worked is not None:
            yield "markdown", f"## {escaped(words['notebook given'])}"
            given = code.given_code(worked, words["own rule"], words["notebook live"])
            yield from [("hidden code", given.packed)] if given.packed else []
            yield "code", given.network
            yield "code", given.step
            yield "code", code.check_definition(worked, self.document)
        else:
            yield "code", code.arithmetic_definition(self.document)
        for section in self.document.sections:
            yield from self.section(section, "##")
            for part in section.parts:
                yield from self.section(part, "###")

    def section(self, section: Section, mark: str) -> Iterator[tuple[str, str]]:
        """Yield one cell of text, and one of code where there is something to compare."""
        texts = [f"{mark} {escaped(section.title)}"] if section.title else []
        texts += ["\n".join(self.block(block)).rstrip() for block in section.blocks]
        if texts:
            yield "markdown", "\n\n".join(texts)
        lines = [line for b in section.blocks if isinstance(b, Lines) for line in b.lines]
        if self.worked is None:
            if lines:
                yield "code", code.arithmetic_code(lines)
            return
        if lines:
            yield "code", code.check_code(self.worked, section.name, lines)
        if section.name == "gradient" and lines:
            yield "code", code.proof_code(self.document.style.language)
        if any(isinstance(block, Equations) for block in section.blocks):
            yield "code", code.HELD[section.name]
        if section.name == "repeated" and self.document.data is not None:
            language, notation = self.document.style.language, self.document.naming.name
            yield "code", code.repeat_code(self.document.data, language, notation)
        if section.name == "promise":
            yield "code", "step.predicted_change, step.second_order_change, step.actual_change"

    def block(self, block: Block) -> Iterator[str]:
        """Yield one block of a text cell: formulas that a notebook sets, a picture, or Markdown."""
        match block:
            case Equations():
                yield _display([equation_rows(e, self.document, _ROOM) for e in block.equations])
            case Lines():
                for number, lines in enumerate(of_one_array(block.lines)):
                    yield from [""] if number else []
                    yield _display([line_rows(each, self.document, room=_ROOM) for each in lines])
            case Image():
                title = escaped(block.title)
                legend = f"  \n{escaped(self.words['coloured'])}" if block.signed else ""
                yield from (title + legend, "", f"![{title}]({data_uri(block)})")
            case _:
                yield from write_block(block, self.document)


def _display(groups: Sequence[list[str]]) -> str:
    rows = " \\\\\n".join(row for group in groups for row in group)
    return f"$$\n\\begin{{aligned}}\n{rows}\n\\end{{aligned}}\n$$"
