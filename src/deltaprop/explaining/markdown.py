"""The explanation as GitHub-flavoured Markdown, for notes and issues.

Tables for what is a table, and lines of Unicode in code blocks for what is arithmetic: they read
the same in a mail, in an editor, and rendered anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from deltaprop.explaining.columns import cells, pad
from deltaprop.explaining.digits import Line
from deltaprop.explaining.matrices import Cells, Equation, Term
from deltaprop.explaining.names import Ref
from deltaprop.explaining.outline import Outline
from deltaprop.explaining.unicode import UnicodeNotation, symbol_of
from deltaprop.functional.arithmetic import Leaf, Operand, Rest, write

if TYPE_CHECKING:
    from deltaprop.explaining.explanation import Explanation

__all__ = ["Page", "escaped", "line_parts", "line_text", "plain", "render"]

_ROOM = 96  # columns of a code block that need no scrolling
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
# GitHub calls a person, links an issue, draws a face: not for the name of a column
_CALLS = re.compile(r"(?<=@)(?=\w)|(?<=#)(?=\d)|(?<=:)(?=\w+:)")
_JOINTS: Mapping[str, str] = {"": " ", "+": " + ", "-": " - ", "*": " ⊙ "}


def render(
    explanation: Explanation,
    digits: int = 6,
    language: str = "en",
    notation: str = "standard",
    detail: str | None = None,
) -> str:
    """Return the explanation as Markdown.

    Parameters
    ----------
    explanation : Explanation
        What to write down.
    digits : int
        Significant digits; a line whose rounding would break it shows more.
    language : {"en", "zh"}
        Of the words.
    notation : {"standard", "tutorial"}
        W of layer l with one number, or with the layers on both sides.
    detail : {"overview", "layers", "neurons"}, optional
        One altitude; all that fit when left out.

    Returns
    -------
    str
        Headings, tables and code blocks.
    """
    page = Page(Outline(explanation, digits, language, notation, detail))
    return "\n".join(page.lines()).rstrip("\n") + "\n"


def escaped(text: str) -> str:
    """Return a text so that Markdown prints it as it is, in a paragraph or in a table."""
    plain = "".join(
        " " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in text
    )
    return _CALLS.sub("<!-- -->", _SPECIAL.sub(r"\\\1", " ".join(plain.split())))


class Page:
    """The parts of the document, as lines.

    Parameters
    ----------
    outline : Outline
        What is said.
    """

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.words = outline.words

    def lines(self) -> Iterator[str]:
        """Yield the page."""
        outline = self.outline
        yield from (f"# {escaped(outline.title)}", "")
        for sentence in outline.conventions():
            yield f"- {plain(sentence)}"
        yield ""
        sections = {"overview": self.overview, "layers": self.layers, "neurons": self.neurons}
        for name in outline.sections():
            yield from (f"## {self.words[name]}", "")
            yield from sections[name]()
        if outline.left_out:
            yield from (outline.left_out, "")
        yield from self.promise()

    def overview(self) -> Iterator[str]:
        """Yield a table: down it the values flow forward, up it the deltas flow back."""
        outline, words = self.outline, self.words
        layers = list(outline.layers())
        named = any(node.name for layer in layers for node in layer.nodes)
        if outline.sample_note:
            yield from (outline.sample_note, "")
        head = ["", words["neuron"], *([words["name"]] if named else []), "z ↓", "a ↓", "δ ↑"]
        yield _row(head)
        yield _row([":--", ":--", *([":--"] if named else []), "--:", "--:", "--:"])
        for layer in layers:
            title = plain(layer.title)
            for node in layer.nodes:
                name = [escaped(node.name)] if named else []
                yield _row([title, self.symbol(node.ref), *name, node.z, node.a, node.delta])
                title = ""
            if layer.more:
                more = words["more"].format(count=f"{layer.more:,}")
                yield _row(["", more, *([""] if named else []), "", "", ""])
        loss = outline.number(outline.trace.loss)
        yield from ("", f"- {words['target']} = {outline.targets()}")
        yield from (f"- {words['loss L']} = {loss}", "")

    def layers(self) -> Iterator[str]:
        """Yield the matrix equations, with the shape under each matrix."""
        for phase, group in self.outline.equations():
            yield from (f"### {plain(self.words[phase])}", "", "```text")
            for number, equation in enumerate(group):
                if number:
                    yield ""
                yield from _equation(equation, self.outline)
            yield from ("```", "")

    def neurons(self) -> Iterator[str]:
        """Yield the arithmetic of every number, phase by phase."""
        outline = self.outline
        if outline.selected:
            yield from (outline.selected, "")
        for phase, lines in outline.lines():
            yield from (f"### {plain(self.words[phase])}", "", "```text")
            for line in lines:
                yield from line_text(line, outline)
            yield from ("```", "")

    def promise(self) -> Iterator[str]:
        """Yield what the step promised and what it brought."""
        facts = self.outline.promise()
        if not facts:
            return
        yield from (f"## {self.words['promise']}", "", _row(["", ""]), _row([":--", "--:"]))
        for fact in facts:
            note = f" ({fact.note})" if fact.note else ""
            yield _row([fact.label + note, fact.value])

    def symbol(self, ref: Ref) -> str:
        """Return a number's symbol."""
        outline = self.outline
        return symbol_of(outline.named(ref), outline.n_samples, outline.notation)


def plain(sentence: str) -> str:
    """Return a sentence of ours so that no sign in it is read as markup."""
    return re.sub(r"([\\`*_<>|])", r"\\\1", sentence)


def _row(row: list[str]) -> str:
    return f"| {' | '.join(row)} |"


class _Notation(UnicodeNotation):
    """Unicode, with the words of the document's language."""

    def __init__(self, line: Line, symbol: Callable[[Ref], str] | None, more: str) -> None:
        super().__init__(line, symbol)
        self.more_terms = more

    def leaf(self, leaf: Leaf) -> str:
        """Return the symbol of an operand, or its displayed number."""
        if isinstance(leaf, Rest):
            return f"[{self.more_terms.format(count=f'{leaf.count:,}')}: {self.line.text(leaf)}]"
        return super().leaf(leaf)


def line_parts(line: Line, outline: Outline) -> tuple[str, str, str, str]:
    """Return the symbol, the formula, its numbers, and the sign before the result.

    A formula that no registry tells is "", and so are numbers that would only repeat the result.
    """

    def symbol(ref: Ref) -> str:
        return symbol_of(outline.named(ref), outline.n_samples, outline.notation)

    expression, left = line.step.expression, symbol(line.step.ref)
    relation = "=" if line.exact else "≈"
    if isinstance(expression, Operand) and expression.id == line.step.id:
        return left, "", "", relation
    notations = [_Notation(line, of, outline.words["more terms"]) for of in (symbol, None)]
    formula, numbers = (write(expression, notation) for notation in notations)
    return left, formula, "" if numbers in (line.shown, formula) else numbers, relation


def line_text(line: Line, outline: Outline, room: int = _ROOM) -> list[str]:
    """Return one number as lines of Unicode: ``symbol = symbols = numbers = result``.

    Parameters
    ----------
    line : Line
        What to write.
    outline : Outline
        The notation and the words.
    room : int
        Columns up to which it stays on one line.

    Returns
    -------
    list of str
        One line; or one for each part, the equals signs below each other.
    """
    left, formula, numbers, relation = line_parts(line, outline)
    parts = [f"= {part}" for part in (formula, numbers) if part]
    parts.append(f"{relation} {line.shown}")
    whole = f"{left} {' '.join(parts)}"
    if cells(whole) <= room:
        return [whole]
    indent = " " * (cells(left) + 1)
    rows = [row for part in parts for row in _wrapped(part, room - len(indent))]
    return [f"{left} {rows[0]}", *(indent + row for row in rows[1:])]


def _wrapped(part: str, room: int) -> list[str]:
    """Return a formula in rows, broken before + and -."""
    rows = [""]
    for piece in re.split(r"(?= [+-] )", part):
        if rows[-1] and cells(rows[-1] + piece) > room:
            rows.append("  " + piece.lstrip())
        else:
            rows[-1] += piece
    return rows


def _equation(equation: Equation, outline: Outline) -> Iterator[str]:
    left = symbol_of(equation.left, 2, outline.notation)
    relation = "=" if equation.exact else "≈"
    if not equation.terms:
        loss = outline.trace.network.loss_name.replace("_", " ")
        told = outline.words["after the step"]
        if equation.phase == "backward":
            told = f"dL/dz ({outline.words['given by'].format(loss=loss)})"
        yield f"{left} = {told}"
        yield from _beside([(f" {relation} ", equation.result)])
        return
    symbols = "".join(_symbolic(term, outline.notation) for term in equation.terms).strip()
    yield f"{left} = {symbols}"
    pieces = [(_before(term), term.cells) for term in equation.terms]
    blocks = [[*pieces, (f" {relation} ", equation.result)]]
    if sum(cells(text) + _width(matrix) for text, matrix in blocks[0]) > _ROOM:
        blocks = [[piece] for piece in blocks[0]]
    for block in blocks:
        yield from _beside(block)


def _symbolic(term: Term, notation: str) -> str:
    text = symbol_of(term.ref, 2, notation)
    if term.transposed:
        text = f"{text}ᵀ" if len(text) == 1 else f"({text})ᵀ"
    if term.applied == "sum":
        text = f"Σₛ {text}"
    elif term.applied:
        text = f"{term.applied}({text})"
    if term.factor is not None:
        text = f"{symbol_of(term.factor, 2, notation)} {text}"
    return _JOINTS[term.before] + text


def _before(term: Term) -> str:
    text = _JOINTS[term.before]
    if term.factor is not None:
        text += f"{term.factor_text} "
    if term.is_argument:
        text += "Σₛ " if term.applied == "sum" else f"{term.applied} "
    return text


def _beside(pieces: list[tuple[str, Cells]]) -> Iterator[str]:
    """Yield matrices side by side, each with its shape below."""
    columns = [_texts(before, matrix) for before, matrix in pieces]
    height = max(len(column) for column in columns)
    for number in range(height):
        row = ""
        for column in columns:
            wide = max(map(cells, column))
            at = number - (height - len(column)) // 2
            row += pad(column[at] if 0 <= at < len(column) else "", wide)
        yield ("    " + row).rstrip()


def _texts(before: str, matrix: Cells) -> list[str]:
    rows = [[*row, *(["…"] if matrix.more_columns else [])] for row in matrix.texts]
    if matrix.more_rows:
        rows.append(["⋮"] * len(rows[0]))
    wide = [max(cells(row[c]) for row in rows) for c in range(len(rows[0]))]
    texts = [f"[ {'  '.join(t.rjust(w) for t, w in zip(row, wide, strict=True))} ]" for row in rows]
    shape = f"{matrix.shape[0]}×{matrix.shape[1]}".center(cells(texts[0]))
    middle = (len(texts) - 1) // 2
    blank = " " * cells(before)
    lines = [(before if n == middle else blank) + text for n, text in enumerate(texts)]
    return [*lines, blank + shape]


def _width(matrix: Cells) -> int:
    return cells(_texts("", matrix)[0])
