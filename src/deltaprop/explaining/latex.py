"""The explanation as a LaTeX document that compiles as it is.

English with pdflatex, Chinese with xelatex (ctex); nothing is loaded but amsmath, geometry and
longtable. Every equation carries the id of its number as a comment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from deltaprop.explaining.digits import Line
from deltaprop.explaining.latex_notation import (
    LatexNotation,
    equation_parts,
    escaped,
    latex_number,
    latex_symbol,
    unknown_to_pdflatex,
)
from deltaprop.explaining.latex_width import broken, widest_piece, width
from deltaprop.explaining.matrices import Cells, Equation, Term
from deltaprop.explaining.names import Ref
from deltaprop.explaining.outline import Outline

if TYPE_CHECKING:
    from deltaprop.explaining.explanation import Explanation

__all__ = [
    "LatexNotation",
    "equation_parts",
    "equation_rows",
    "latex_symbol",
    "line_rows",
    "render",
]

_ROOM = 45.0  # em of a row, on A4 with margins of 2 cm
_LONGEST_ROW = 600  # characters of LaTeX; no longer formula has room in one row
_MOST_ROWS = 45  # of a table that is not broken over pages
_ENGINES = {"en": "pdflatex", "zh": "xelatex"}
_PREAMBLE = {
    "en": [r"\documentclass[10pt,a4paper,fleqn]{article}"],
    "zh": [r"\documentclass[zihao=5,a4paper,fleqn]{ctexart}"],
}
_PACKAGES = [
    r"\usepackage[margin=2cm]{geometry}",
    r"\usepackage{amsmath}",
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


def render(
    explanation: Explanation,
    digits: int = 6,
    language: str = "en",
    notation: str = "standard",
    detail: str | None = None,
) -> str:
    r"""Return the explanation as a LaTeX document.

    Parameters
    ----------
    explanation : Explanation
        What to write down.
    digits : int
        Significant digits; a line whose rounding would break it shows more.
    language : {"en", "zh"}
        Of the words; Chinese needs xelatex with ctex.
    notation : {"standard", "tutorial"}
        W of layer l with one number, or with the layers on both sides.
    detail : {"overview", "layers", "neurons"}, optional
        One altitude; all that fit when left out.

    Returns
    -------
    str
        From ``\documentclass`` to ``\end{document}``.
    """
    page = _Document(Outline(explanation, digits, language, notation, detail))
    return "\n".join(page.lines()) + "\n"


class _Document:
    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.words = outline.words

    def lines(self) -> Iterator[str]:
        """Yield the document."""
        outline = self.outline
        engine = self.words["compile"].format(engine=_ENGINES[outline.language])
        yield f"% {engine}"
        yield from _PREAMBLE[outline.language]
        yield from _PACKAGES
        yield from self._unknown_characters()
        yield r"\begin{document}"
        yield rf"\section*{{\raggedright {escaped(outline.title)}}}"
        yield from (escaped(sentence) + r"\par" for sentence in outline.conventions())
        sections = {"overview": self.overview, "layers": self.layers, "neurons": self.neurons}
        for name in outline.sections():
            yield ""
            yield rf"\section*{{{escaped(self.words[name])}}}"
            yield from sections[name]()
        if outline.left_out:
            yield escaped(outline.left_out)
        yield from self.promise()
        yield r"\end{document}"

    def _unknown_characters(self) -> Iterator[str]:
        """Yield what makes pdflatex print the code of a character that it has no glyph for."""
        names = self.outline.explanation.names
        texts = "".join([self.outline.title, *names.inputs, *names.outputs])
        unknown = unknown_to_pdflatex(texts)
        if not unknown or self.outline.language == "zh":
            return
        yield r"\ifPDFTeX"
        for c in unknown:
            code = f"{ord(c):04X}"
            shown = rf"\texttt{{\small U+{code}}}\hspace{{0pt}}"
            yield rf"\DeclareUnicodeCharacter{{{code}}}{{{shown}}}"
        yield r"\else\IfFileExists{ctex.sty}{\usepackage[scheme=plain]{ctex}}{}\fi"

    def symbol(self, ref: Ref) -> str:
        """Return a number's symbol."""
        return latex_symbol(self.outline.named(ref), self.outline.n_samples, self.outline.notation)

    # overview

    def overview(self) -> Iterator[str]:
        """Yield a table: down it the values flow forward, up it the deltas flow back."""
        outline, words = self.outline, self.words
        if outline.sample_note:
            yield escaped(outline.sample_note) + r"\par"
        layers = list(outline.layers())
        named = any(node.name for layer in layers for node in layer.nodes)
        head = [words["neuron"], words["name"]] if named else [words["neuron"]]
        head = [*map(escaped, head), r"$z\;\downarrow$", r"$a\;\downarrow$", r"$\delta\;\uparrow$"]
        across = rf"\multicolumn{{{len(head)}}}{{@{{}}l}}"
        yield r"{\renewcommand{\arraystretch}{1.2}"
        n_rows = sum(len(layer.nodes) + 2 for layer in layers)
        kind, left = ("tabular", "") if n_rows <= _MOST_ROWS else ("longtable", "[l]")
        yield rf"\begin{{{kind}}}{left}{{@{{}}l{'p{14em}' if named else ''}rrr@{{}}}}"
        yield " & ".join(head) + r" \\"
        yield r"\hline" + (r"\endhead" if left else "")
        for layer in layers:
            yield rf"{across}{{\textit{{{escaped(layer.title)}}}}} \\*"
            for node in layer.nodes:
                cells = [f"${self.symbol(node.ref)}$", *([escaped(node.name)] if named else [])]
                cells += [_math(text) for text in (node.z, node.a, node.delta)]
                yield " & ".join(cells) + r" \\"
            if layer.more:
                more = escaped(words["more"].format(count=f"{layer.more:,}"))
                yield rf"{across}{{{more}}} \\"
            yield r"\hline"
        yield rf"\end{{{kind}}}}}\par"
        targets = ", ".join(_math(text) for text in outline.targets().split(", "))
        loss = _math(outline.number(outline.trace.loss))
        target, what = escaped(words["target"]), escaped(words["loss L"])
        yield rf"{target} $=$ {targets}\qquad {what} $=$ {loss}"

    # layers

    def layers(self) -> Iterator[str]:
        """Yield the matrix equations, phase by phase."""
        for phase, group in self.outline.equations():
            yield rf"\subsection*{{{escaped(self.words[phase])}}}"
            yield from _aligned([equation_rows(equation, self.outline) for equation in group])

    # neurons

    def neurons(self) -> Iterator[str]:
        """Yield the arithmetic of every number, phase by phase."""
        outline = self.outline
        if outline.selected:
            yield escaped(outline.selected) + r"\par"
        for phase, lines in outline.lines():
            yield rf"\subsection*{{{escaped(self.words[phase])}}}"
            block: list[list[str]] = []
            for number, line in enumerate(lines):
                block.append(line_rows(line, outline, comment=True))
                following = lines[number + 1].step if number + 1 < len(lines) else None
                here = (line.step.quantity, line.step.ref.layer)
                if following is None or (following.quantity, following.ref.layer) != here:
                    yield from _aligned(block)
                    block = []

    # promise and fact

    def promise(self) -> Iterator[str]:
        """Yield what the step promised and what it brought."""
        facts = self.outline.promise()
        if not facts:
            return
        yield ""
        yield rf"\section*{{{escaped(self.words['promise'])}}}"
        yield r"\begin{tabular}{@{}lrl@{}}"
        for fact in facts:
            cells = [escaped(fact.label), _math(fact.value), escaped(fact.note)]
            yield " & ".join(cells) + r" \\"
        yield r"\end{tabular}"


def line_rows(
    line: Line, outline: Outline, comment: bool = False, room: float = _ROOM
) -> list[str]:
    r"""Return the rows of an ``align*``: ``symbol &= symbols = numbers = result``.

    Parameters
    ----------
    line : Line
        What to write.
    outline : Outline
        The notation and the words.
    comment : bool
        Whether the first row ends in a comment with the id.
    room : float
        How wide a row may be, in em.

    Returns
    -------
    list of str
        Rows without the line break ``\\`` at their end.
    """
    left = latex_symbol(outline.named(line.step.ref), outline.n_samples, outline.notation)
    more = outline.words["more terms"]

    def parts(flat: bool) -> list[str]:
        notations = (
            LatexNotation(line, symbols, outline.notation, outline.n_samples, more, flat)
            for symbols in (True, False)
        )
        return equation_parts(line, *notations)

    room -= width(left) + 1.0
    chosen = parts(False)
    if max(map(widest_piece, chosen)) > room:
        chosen = parts(True)
    note = f" % {line.step.id}" if comment else ""
    whole = " ".join(chosen)
    if len(whole) <= _LONGEST_ROW and width(whole) <= room:
        return [f"{left} &{whole}{note}"]
    rows = [row for part in chosen[:-1] for row in _wrapped(part, room)]
    if width(f"{rows[-1]} {chosen[-1]}") <= room:
        rows[-1] += f" {chosen[-1]}"
    else:
        rows.append(chosen[-1])
    return [f"{left} &{rows[0]}{note}", *(f"&{row}" for row in rows[1:])]


def _wrapped(part: str, room: float) -> list[str]:
    first, *rest = broken(part, room - 2.0)
    return [first, *(rf"\quad {row}" for row in rest)]


def equation_rows(equation: Equation, outline: Outline, room: float = _ROOM) -> list[str]:
    r"""Return the rows of an ``align*`` for a matrix equation, with the shape under each matrix."""
    left = latex_symbol(equation.left, 2, outline.notation)
    room -= width(left) + 2.0
    relation = "=" if equation.exact else r"\approx"
    result = f"{relation} {_matrix(equation.result, room)[0]}"
    rows: list[str] = []
    if equation.terms:
        symbols = "= "
        row, used = "= ", 1.5
        for number, term in enumerate(equation.terms):
            joint = _JOINTS[term.before] if number else ""
            symbols += joint + _symbolic(term, outline.notation)
            piece, wide = _numeric(term, room - 3.0)
            if number and used + wide > room:
                rows.append(row)
                row, used = r"\quad", 1.5
            row, used = row + joint + piece, used + wide
        rows.insert(0, symbols)
        rows.append(row)
    elif equation.phase == "backward":
        loss = outline.trace.network.loss_name.replace("_", " ")
        told = outline.words["given by"].format(loss=loss)
        z = latex_symbol(Ref("z", equation.left.layer), 2, outline.notation)
        rows.append(rf"= \frac{{\partial L}}{{\partial {z}}} \quad\text{{({escaped(told)})}}")
    else:
        rows.append(rf"\quad\text{{({escaped(outline.words['after the step'])})}}")
    rows.append(result)
    return [f"{left} &{rows[0]}", *(f"&{row}" for row in rows[1:])]


_JOINTS: Mapping[str, str] = {"": r" \, ", "+": " + ", "-": " - ", "*": r" \odot "}


def _symbolic(term: Term, notation: str) -> str:
    text = latex_symbol(term.ref, 2, notation)
    if term.transposed:
        text = rf"\left({text}\right)^{{T}}" if "^" in text else rf"{text}^{{T}}"
    if term.factor is not None:
        text = rf"{latex_symbol(term.factor, 2, notation)} \, {_applied(term, text)}"
    else:
        text = _applied(term, text)
    return text


def _applied(term: Term, text: str) -> str:
    if not term.applied:
        return text
    if term.applied == "sum":
        return rf"\sum_{{s}} {text}_{{s}}"
    name = term.applied.removesuffix("'")
    prime = "'" if term.applied.endswith("'") else ""
    return rf"\mathrm{{{escaped(name)}}}{prime}\left({text}\right)"


def _numeric(term: Term, room: float) -> tuple[str, float]:
    """Return a term with its numbers, and how wide it is."""
    matrix, wide = _matrix(term.cells, room)
    if term.is_argument:
        name = r"\sum_{s}" if term.applied == "sum" else rf"\mathrm{{{escaped(term.applied)}}}"
        matrix = f"{name} {matrix}"
        wide += 0.6 * len(term.applied)
    factor = rf"{latex_number(term.factor_text)} \, " if term.factor is not None else ""
    return factor + matrix, wide + width(factor) + 1.5


def _matrix(cells: Cells, room: float) -> tuple[str, float]:
    """Return a matrix with its shape below, and how wide it is; columns it has no room for go."""
    rows = [[latex_number(text) for text in row] for row in cells.texts]
    wide = [max(width(row[c]) for row in rows) + 1.0 for c in range(len(rows[0]))]
    columns = len(wide)
    while columns > 1 and sum(wide[:columns]) + 3.0 > room:
        columns -= 1
    cut = columns < cells.shape[1]
    shown = [[*row[:columns], *([r"\cdots"] if cut else [])] for row in rows]
    if cells.more_rows:
        shown.append([r"\vdots"] * columns + ([r"\ddots"] if cut else []))
    body = r" \\ ".join(" & ".join(row) for row in shown)
    shape = rf"{cells.shape[0]} \times {cells.shape[1]}"
    text = rf"\underset{{{shape}}}{{\begin{{pmatrix}} {body} \end{{pmatrix}}}}"
    return text, sum(wide[:columns]) + (3.0 if cut else 1.0)


def _math(text: str) -> str:
    return "" if not text else r"\dots" if text == "…" else f"${latex_number(text)}$"


def _aligned(groups: list[list[str]]) -> Iterator[str]:
    """Yield an ``align*``, with a little more room below what takes several rows."""
    rows = [
        (row, r" \\*" if number < len(group) - 1 else r" \\[4pt]" if number else r" \\")
        for group in groups
        for number, row in enumerate(group)
    ]
    yield r"\begin{align*}"
    for number, (row, end) in enumerate(rows):
        formula, mark, comment = row.partition(" % ")
        yield formula + (end if number < len(rows) - 1 else "") + mark + comment
    yield r"\end{align*}"
