"""The blocks of a document as HTML: sentences, tables, pictures, equations, lines with proofs."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import groupby

from deltaprop.explaining.document.blocks import (
    Block,
    Cell,
    Document,
    Equations,
    Lines,
    Overview,
    Proof,
    Section,
    Sentence,
    Shown,
    Table,
)
from deltaprop.explaining.renderers.html.equations import equation_pieces, width_class
from deltaprop.model.layers import ARRAYS
from deltaprop.notation.chart import Bars, Curve
from deltaprop.notation.chart_svg import chart_svg
from deltaprop.notation.digits import Line, number_text
from deltaprop.notation.ids import PHASES, Ref, grid, read_ref
from deltaprop.notation.image import Image
from deltaprop.notation.image_svg import image_svg
from deltaprop.notation.mathml import (
    escape,
    joined,
    math,
    mathml_notation,
    number,
    pieces,
    symbol,
)
from deltaprop.notation.steps import roots
from deltaprop.notation.unicode import symbol_of

__all__ = ["Blocks", "place_of"]

_MARKS = {"right": "✓", "wrong": "✗", "kink": "–", "undecided": "–"}
_HYPHEN = re.compile(r"(?<![\w.-])-(?=[^\s-])|(?<= )-(?= )")  # of no word: a minus sign
_MOST_GIVEN = 48  # numbers of a kind that are shown unfolded
_MOST_INPUTS = 400  # of a batch, all of which can be changed


def place_of(section: Section) -> str:
    """Return the id of a section; "loss" alone is the id of a number."""
    return f"phase-{section.name}" if section.name in PHASES else section.name.replace(" ", "-")


class Blocks:
    """Writes the sections of a document.

    ``names`` are the user's for given numbers, by id; ``path`` are the ids of the lines that come
    first where there are very many; ``is_live`` is whether a script can write the others' formulas.
    """

    def __init__(
        self,
        document: Document,
        names: dict[str, str],
        path: Collection[str] = (),
        *,
        is_live: bool = False,
    ) -> None:
        self.path, self.is_live = path, is_live
        self.document, self.words, self.names = document, document.words, names
        self.lines = tuple(document.lines())
        self.roots = roots([line.step for line in self.lines])
        if is_live and document.worked is not None:
            # what is among the smallest, and no line names it, can be changed all the same
            trace = document.worked.trace
            for name, rows in (("x", trace.a[0]), ("targets", trace.targets)):
                given = grid(name, 0, rows.shape if rows.size <= _MOST_INPUTS else (0, 0))
                self.roots |= {ref.id: float(rows[ref.index]) for ref in given}
        self.known = {line.step.id for line in self.lines} | set(self.roots)
        blocks = (block for block in document.blocks() if isinstance(block, Equations))
        self.width = width_class(equation for block in blocks for equation in block.equations)

    # pieces

    def text(self, key: str, **values: object) -> str:
        """Return words, ready to stand in the page."""
        return escape(self.words[key].format(**values))

    def symbol(self, ref: Ref) -> str:
        """Return a number's symbol."""
        document = self.document
        return symbol(document.named(ref), document.n_samples, document.naming)

    # sections

    def section(self, section: Section, *before: str) -> Iterator[str]:
        """Yield a section, its heading, what stands before its parts, and its parts."""
        yield f'<section id="{place_of(section)}">'
        if section.title:
            yield f"<h2>{escape(section.title)}</h2>"
        yield from self.blocks(section.blocks)
        yield from before
        for part in section.parts:
            has_lines = any(isinstance(block, Lines) for block in part.blocks)
            start = f'<section id="{place_of(part)}">' if has_lines else ""
            yield f"{start}<h3>{escape(part.title)}</h3>"
            yield from self.blocks(part.blocks)
            if has_lines:
                yield "</section>"
        yield "</section>"

    def blocks(self, blocks: Iterable[Block]) -> Iterator[str]:
        """Yield blocks; pictures that follow each other side by side."""
        for kind, group in groupby(blocks, type):
            if kind is Image:
                yield '<div class="images">'
            for block in group:
                yield from self.block(block)
            if kind is Image:
                yield "</div>"

    def block(self, block: Block) -> Iterator[str]:
        """Yield one block."""
        match block:
            case Sentence():
                kind = f' class="{block.kind}"' if block.kind else ""
                yield f"<p{kind}>{escape(_HYPHEN.sub('−', block.text))}</p>"
            case Table():
                yield from self.table(block)
            case Overview():  # where there is no picture of the network
                yield from self.table(block.table(self.words))
                yield f"<p>{escape(block.note)}</p>" if block.note else ""
                facts = ((self.words["target"], block.targets), (block.loss_name, block.loss))
                yield from self.table(Table((), tuple((what, Shown(text)) for what, text in facts)))
            case Image():
                yield self.image(block)
            case Curve() | Bars():
                yield (
                    f'<figure class="charted">{chart_svg(block)}'
                    f"<figcaption>{escape(block.title)}</figcaption></figure>"
                )
            case Equations():
                for equation in block.equations:
                    found = equation_pieces(equation, self.document, self.known)
                    yield f'<div class="equation{self.width}">{joined(found)}</div>'
            case Lines():
                yield from self.lines_of(block)

    # tables

    def table(self, table: Table) -> Iterator[str]:
        """Yield rows; numbers to the right, under their headings."""
        right = table.figures
        yield '<div class="scroll"><table>'
        if table.head:
            cells = "".join(
                f'<th scope="col"{_to_the(to_right)}>{self.heading(cell)}</th>'
                if cell
                else "<td></td>"
                for cell, to_right in zip(table.head, right, strict=True)
            )
            yield f"<thead><tr>{cells}</tr></thead>"
        yield "<tbody>"
        for first, *others in table.rows:
            cells = "".join(
                f"<td{_to_the(to_right)}>{self.cell(cell)}</td>"
                for cell, to_right in zip(others, right[1:], strict=True)
            )
            yield f'<tr><th scope="row">{self.cell(first)}</th>{cells}</tr>'
        yield "</tbody></table></div>"

    def cell(self, cell: Cell) -> str:
        """Return what stands in a table."""
        match cell:
            case Shown():
                return math(number(cell.text))
            case str():
                return escape(cell)
        return math(self.symbol(cell))

    def heading(self, cell: Cell) -> str:
        """Return what stands above a column; the loss of one sample stands for those of all."""
        if isinstance(cell, Ref):
            n = self.document.n_samples if cell.layer else 1
            return escape(symbol_of(cell, n, self.document.naming))
        return self.cell(cell)

    def image(self, image: Image) -> str:
        """Return a picture with what it shows; one of signed numbers with its colours."""
        key = ""
        if image.signed:
            swatches = (f'<span class="swatch {s}">{m}</span>' for s, m in _SIGNS)
            key = f'<span class="key">{"".join(swatches)}</span>'
        return (
            f'<figure class="drawn">{image_svg(image)}'
            f"<figcaption>{escape(image.title)} {key}</figcaption></figure>"
        )

    # given numbers

    def given(self) -> Iterator[str]:
        """Yield what the lines start from; many of a kind are folded away."""
        refs = sorted(map(read_ref, self.roots), key=_group)
        for _, group in groupby(refs, key=lambda ref: _group(ref)[:3]):
            found = sorted(group, key=self.document.naming.place)
            items = "".join(map(self._given, found))
            chips = f'<ul class="givens">{items}</ul>'
            if len(found) > _MOST_GIVEN:
                array = Ref(found[0].quantity, found[0].layer)
                kind = math(symbol(array, 1, self.document.naming))
                described = self.text("numbers of a kind", count=f"{len(found):,}")
                chips = f"<details><summary>{kind} {described}</summary>{chips}</details>"
            yield chips

    def _given(self, ref: Ref) -> str:
        value = self.roots[ref.id]
        text = number_text(value, self.document.style.digits)
        relation = "=" if float(text) == value else "≈"
        name = self.names.get(ref.id, "")
        called = f'<span class="name">{escape(name)}</span>' if name else ""
        return (
            f'<li class="line given" id="{ref.id}">'
            f"{called}{math(self.symbol(ref), 'symbol')}"
            f"{math(f'<mo>{relation}</mo>{number(text)}', 'number')}</li>"
        )

    # lines

    def lines_of(self, block: Lines) -> Iterator[str]:
        """Yield lines layer by layer; of very many first those of the strongest path."""
        first = [line for line in block.lines if not self.path or line.step.id in self.path]
        others = [line for line in block.lines if self.path and line.step.id not in self.path]
        yield from self._in_layers(first, self.line)
        if others:
            count = self.text("further lines", count=f"{len(others):,}")
            yield f'<details class="further"><summary>{count}</summary>'
            yield from self._in_layers(others, self.brief_line if self.is_live else self.line)
            yield "</details>"

    def _in_layers(self, lines: list[Line], write: Callable[[Line], str]) -> Iterator[str]:
        for _, in_layer in groupby(lines, key=lambda line: line.step.ref.layer):
            yield '<ol class="lines">'
            yield from map(write, in_layer)
            yield "</ol>"

    def brief_line(self, line: Line) -> str:
        """Return symbol = result: the script adds the formula, of which there are very many."""
        return self._line(line, "step brief", "")

    def line(self, line: Line) -> str:
        """Return symbol = symbols = numbers = result, and the proof."""
        step = line.step
        parts = []
        if step.has_formula:
            more = self.words["terms left out"]
            for kind, symbol_of in (("symbols", self.symbol), ("numbers", None)):
                found = pieces(step.expression, mathml_notation(line, symbol_of, more))
                found[0] = f"<mo>=</mo>{found[0]}"
                parts.append(f'<span class="{kind}">{joined(found)}</span>')
        return self._line(line, "step", "".join(parts))

    def _line(self, line: Line, kind: str, formula: str) -> str:
        step = line.step
        sign = "negative" if step.value < 0 else "positive" if step.value > 0 else "zero"
        result = f"<mo>{'=' if line.exact else '≈'}</mo>{number(line.shown)}"
        return (
            f'<li class="line {kind}" id="{step.id}">{math(self.symbol(step.ref), "left")}'
            f'<span class="parts">{formula}{math(result, f"result {sign}")}</span>'
            f"{self.proof(self.document.proofs.get(step.id))}</li>"
        )

    def proof(self, proof: Proof | None) -> str:
        """Return what the referee found beside a gradient."""
        if proof is None:
            return ""
        verdict = self.text(proof.verdict)
        mark = f'<span role="img" aria-label="{verdict}">{_MARKS[proof.verdict]}</span>'
        if not proof.is_judged:
            return f'<span class="proof kink">{mark} {verdict}</span>'
        measured = self.text("central difference", number=proof.measured)
        error = self.text("relative error", number=proof.error)
        described = f"{measured} <br>{error}".replace("-", "−")
        return f'<span class="proof {proof.verdict}">{mark} {described}</span>'


_SIGNS = (("positive", "+"), ("negative", "−"))


def _to_the(right: bool) -> str:
    return ' class="figure"' if right else ""


def _group(ref: Ref) -> tuple[int, int, str, tuple[int, ...]]:
    """Return what to sort given numbers by: the data, the parameters by layer, the settings."""
    kinds = {"x": 0, "targets": 1, "share": 2, "mask": 3, **dict.fromkeys(ARRAYS, 4)}
    kind = kinds.get(ref.quantity, 5 if ref.layer else 6)
    return (kind, ref.layer, ref.quantity if kind < 6 else "", ref.index)
