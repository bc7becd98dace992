"""A document in LaTeX that compiles as it is.

English with pdflatex, Chinese with xelatex (ctex); nothing is loaded but amsmath, amssymb,
geometry, longtable and iftex. Every equation carries the id of its number as a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

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
from deltaprop.explaining.renderers.latex.chart import chart_picture
from deltaprop.explaining.renderers.latex.lines import (
    aligned,
    equation_rows,
    line_rows,
    of_one_array,
)
from deltaprop.explaining.renderers.latex.picture import MACROS, picture
from deltaprop.notation.chart import Bars, Curve
from deltaprop.notation.ids import Ref
from deltaprop.notation.image import Image
from deltaprop.notation.latex import (
    escaped,
    latex_number,
    latex_symbol,
    unknown_to_pdflatex,
)
from deltaprop.widths import text_width

__all__ = ["write_document"]

_MOST_ROWS = 45  # of a table that is not broken over pages
_LONGEST_CELL = 40  # columns; a longer one is broken into lines
_ENGINES = {"en": "pdflatex", "zh": "xelatex"}
_PREAMBLE = {
    "en": [r"\documentclass[10pt,a4paper,fleqn]{article}"],
    "zh": [
        r"\documentclass[zihao=5,a4paper,fleqn]{ctexart}",
        r"\ctexset{section={format=\Large\bfseries\raggedright}}",
    ],
}
_PACKAGES = [
    r"\usepackage[margin=2cm]{geometry}",
    r"\usepackage{amsmath}",
    r"\usepackage{amssymb}",
    r"\usepackage{longtable}",
    r"\usepackage{iftex}",
    r"\allowdisplaybreaks",
    r"\sloppy",
    r"\setlength{\mathindent}{1em}",
    r"\setcounter{LTchunksize}{500}",
    r"\AtBeginDocument{\setlength{\abovedisplayskip}{4pt}\setlength{\belowdisplayskip}{4pt}}",
    r"\setlength{\parindent}{0pt}",
    r"\setlength{\parskip}{0.5\baselineskip}",
]
# a minus in running text would be set as a hyphen, and e-05 is no way to write a power of ten
_NUMBER = re.compile(r"(?<![\w.])(-\d+(?:\.\d+)?(?:e[-+]\d+)?|\d+(?:\.\d+)?e[-+]\d+)(?!\w)")


def write_document(document: Document) -> str:
    """Return a document as LaTeX; in Chinese it needs xelatex with ctex."""
    return "\n".join(_Page(document).lines()) + "\n"


class _Page:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.words = document.words

    def lines(self) -> Iterator[str]:
        """Yield the document."""
        document = self.document
        language = document.style.language
        yield f"% {self.words['compile'].format(engine=_ENGINES[language])}"
        yield from _PREAMBLE[language]
        yield from _PACKAGES
        if any(isinstance(block, Image) for block in document.blocks()):
            yield from MACROS
        if language != "zh":
            yield from _unknown_characters(document)
        yield r"\begin{document}"
        yield rf"\section*{{\raggedright {escaped(document.title)}}}"
        yield from (_sentence(sentence) for sentence in document.conventions)
        for section in document.sections:
            yield ""
            if section.title:
                yield rf"\section*{{\raggedright {escaped(section.title)}}}"
            yield from self.blocks(section.blocks)
            for part in section.parts:
                yield rf"\subsection*{{{escaped(part.title)}}}"
                yield from self.blocks(part.blocks)
        yield r"\end{document}"

    def blocks(self, blocks: Sequence[Block]) -> Iterator[str]:
        """Yield what stands under a heading; pictures stand beside each other."""
        if blocks and isinstance(blocks[0], Equations | Lines):
            yield r"\vspace{-0.6\baselineskip}"  # a display starts with an empty line
        for kind, group in groupby(blocks, key=type):
            for block in group:
                yield from self.block(block)
            if kind is Image:
                yield r"\par"

    def block(self, block: Block) -> Iterator[str]:
        """Yield one block."""
        match block:
            case Sentence():
                yield _sentence(block.text)
            case Table():
                yield from self.table(block)
            case Overview():
                yield from self.overview(block)
            case Image():
                yield from picture(block, self.words)
            case Curve() | Bars():
                yield from chart_picture(block)
            case Equations():
                yield from aligned([equation_rows(e, self.document) for e in block.equations])
            case Lines():
                for lines in of_one_array(block.lines):
                    yield from aligned([line_rows(line, self.document, True) for line in lines])

    def symbol(self, ref: Ref) -> str:
        """Return a number's symbol."""
        document = self.document
        name = latex_symbol(document.named(ref), document.n_samples, document.naming)
        return f"${name}$"

    def table(self, table: Table) -> Iterator[str]:
        """Yield the rows, words to the left and numbers to the right."""
        columns = ""
        for column, right in zip(zip(*table.rows, strict=True), table.figures, strict=True):
            longest = max((text_width(c) for c in column if isinstance(c, str)), default=0)
            columns += "r" if right else "p{16em}" if longest > _LONGEST_CELL else "l"
        kind = _table_kind(len(table.rows))
        yield rf"\begin{{{kind}}}{'[l]' if kind == 'longtable' else ''}{{@{{}}{columns}@{{}}}}"
        if table.head:
            yield " & ".join(map(self.cell, table.head)) + r" \\"
            yield r"\hline" + (r"\endhead" if kind == "longtable" else "")
        for row in table.rows:
            yield " & ".join(map(self.cell, row)) + r" \\"
        yield rf"\end{{{kind}}}\par"

    def cell(self, cell: Cell) -> str:
        """Return what stands in a table."""
        match cell:
            case Shown():
                return _math(cell.text)
            case str():
                return escaped(cell)
        return self.symbol(cell)

    def overview(self, overview: Overview) -> Iterator[str]:
        """Yield a table: down it the values flow forward, up it the deltas flow back."""
        words, layers = self.words, overview.layers
        if overview.note:
            yield _sentence(overview.note)
        named = any(node.name for layer in layers for node in layer.nodes)
        head = [words["neuron"], words["name"]] if named else [words["neuron"]]
        head = [*map(escaped, head), r"$z\;\downarrow$", r"$a\;\downarrow$", r"$\delta\;\uparrow$"]
        across = rf"\multicolumn{{{len(head)}}}{{@{{}}l}}"
        kind = _table_kind(sum(len(layer.nodes) + 2 for layer in layers))
        left = "[l]" if kind == "longtable" else ""
        yield r"{\renewcommand{\arraystretch}{1.2}"
        yield rf"\begin{{{kind}}}{left}{{@{{}}l{'p{14em}' if named else ''}rrr@{{}}}}"
        yield " & ".join(head) + r" \\"
        yield r"\hline" + (r"\endhead" if left else "")
        for layer in layers:
            yield rf"{across}{{\textit{{{escaped(layer.title)}}}}} \\*"
            for node in layer.nodes:
                cells = [self.symbol(node.ref), *([escaped(node.name)] if named else [])]
                cells += [_math(text) for text in (node.z, node.a, node.delta)]
                yield " & ".join(cells) + r" \\"
            if layer.more:
                more = escaped(words["more"].format(count=f"{layer.more:,}"))
                yield rf"{across}{{{more}}} \\"
            yield r"\hline"
        yield rf"\end{{{kind}}}}}\par"
        targets = ", ".join(_target(text) for text in overview.targets.split(", "))
        target, loss = (
            escaped(words["target"]),
            escaped(overview.loss_name),
        )
        yield rf"{target} $=$ {targets}\qquad {loss} $=$ {_math(overview.loss)}\par"


def _table_kind(n_rows: int) -> str:
    return "tabular" if n_rows <= _MOST_ROWS else "longtable"


def _math(text: str) -> str:
    if text in ("", "…"):
        return r"\dots" if text else ""
    return f"${{{latex_number(text)}}}$"  # in braces, so that no line ends before a power of ten


def _sentence(text: str) -> str:
    pieces = _NUMBER.split(text)  # words and numbers in turn
    written = [_math(p) if number % 2 else escaped(p) for number, p in enumerate(pieces)]
    return "".join(written) + r"\par"


# characters


def _unknown_characters(document: Document) -> Iterator[str]:
    """Yield what makes pdflatex print the code of a character that it has no glyph for."""
    unknown = unknown_to_pdflatex("".join(_texts(document)))
    if not unknown:
        return
    yield r"\ifPDFTeX"
    for c in unknown:
        code = f"{ord(c):04X}"
        shown = rf"\texttt{{\small U+{code}}}\hspace{{0pt}}"
        yield rf"\DeclareUnicodeCharacter{{{code}}}{{{shown}}}"
    yield r"\else\IfFileExists{ctex.sty}{\usepackage[scheme=plain]{ctex}}{}\fi"


def _texts(document: Document) -> Iterator[str]:
    """Yield all words that somebody may have chosen."""
    yield from (document.title, *document.conventions)
    for block in document.blocks():
        match block:
            case Sentence():
                yield block.text
            case Table():
                yield from (c for row in (block.head, *block.rows) for c in row if type(c) is str)
            case Overview():
                yield from (node.name for layer in block.layers for node in layer.nodes)


def _target(text: str) -> str:
    """Return a number, or "name = number"."""
    name, equals, number = text.rpartition(" = ")
    return f"{escaped(name)} $=$ {_math(number)}" if equals else _math(number)
