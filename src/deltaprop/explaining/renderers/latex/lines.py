"""Lines of arithmetic, proofs and matrix equations as rows of an ``align*``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from deltaprop.explaining.document.blocks import Document, Proof
from deltaprop.explaining.document.tokens import (
    Cells,
    Close,
    Constant,
    Entries,
    Joint,
    MatrixEquation,
    Open,
)
from deltaprop.explaining.renderers.latex.width import broken, widest_piece, width
from deltaprop.notation.digits import Line
from deltaprop.notation.ids import Ref
from deltaprop.notation.latex import (
    equation_parts,
    escaped,
    latex_notation,
    latex_number,
    latex_symbol,
)
from deltaprop.notation.naming import Naming
from deltaprop.notation.write import write
from deltaprop.widths import text_width

__all__ = ["aligned", "equation_rows", "line_rows", "of_one_array"]

_ROOM = 45.0  # em of a row, on A4 with margins of 2 cm
_LONGEST_ROW = 600  # characters of LaTeX; no longer formula has room in one row
_SMALL_COLUMN = 0.36  # em, of small type
_MARKS = {"right": r"\checkmark", "wrong": r"\boldsymbol{\times}", "kink": "?", "undecided": "?"}
_JOINTS: Mapping[str, str] = {"": r" \, ", "+": " + ", "-": " - ", "*": r" \odot ", "/": " / "}


def line_rows(
    line: Line, document: Document, comment: bool = False, room: float = _ROOM
) -> list[str]:
    r"""Return the rows of an ``align*``: ``symbol &= symbols = numbers = result``, and the proof.

    The rows have no line break ``\\`` at their end, and are at most ``room`` em wide. With a
    ``comment`` the first ends in the id.
    """
    naming, n_samples = document.naming, document.n_samples
    left = latex_symbol(document.named(line.step.ref), n_samples, naming)
    more = document.words["more terms"]

    def parts(flat: bool) -> list[str]:
        notations = (
            latex_notation(line, symbols, naming, n_samples, more, flat)
            for symbols in (True, False)
        )
        return equation_parts(line, *notations)

    room -= width(left) + 1.0
    chosen = parts(False)
    if any(width(part) > room and widest_piece(part) > room for part in chosen):
        chosen = parts(True)
    rows = _rows(chosen, room)
    proof = document.proofs.get(line.step.id)
    if proof is not None:
        described = _proof_text(proof, document.words)
        if width(rows[-1]) + 2.0 + _proof_width(proof, document.words) <= room:
            rows[-1] += rf" \qquad {described}"
        else:
            rows.append(rf"\quad {described}")
    note = f" % {line.step.id}" if comment else ""
    return [f"{left} &{rows[0]}{note}", *(f"&{row}" for row in rows[1:])]


def of_one_array(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield the lines that follow each other about one array, together."""
    for _, group in groupby(lines, key=lambda line: (line.step.quantity, line.step.ref.layer)):
        yield list(group)


def _rows(parts: list[str], room: float) -> list[str]:
    whole = " ".join(parts)
    if len(whole) <= _LONGEST_ROW and width(whole) <= room:
        return [whole]
    rows = [row for part in parts[:-1] for row in _wrapped(part, room)]
    if rows and width(f"{rows[-1]} {parts[-1]}") <= room:
        rows[-1] += f" {parts[-1]}"
    else:
        rows.append(parts[-1])
    return rows


def _wrapped(part: str, room: float) -> list[str]:
    first, *rest = broken(part, room - 2.0)
    return [first, *(rf"\quad {row}" for row in rest)]


def _proof_text(proof: Proof, words: Mapping[str, str]) -> str:
    """Return what the referee found beside a gradient, in small type."""
    described = rf"\text{{{escaped(words[proof.verdict])}}}"
    if proof.is_judged:
        error = _with_number(words["figures apart"] + words["relative error"], proof.error)
        described = _with_number(words["central difference"], proof.measured) + error
    return rf"{{\scriptstyle {_MARKS[proof.verdict]}\;\, {described}}}"


def _proof_width(proof: Proof, words: Mapping[str, str]) -> float:
    described = words["central difference"] + words["relative error"] + proof.measured + proof.error
    return _SMALL_COLUMN * text_width(described)


def _with_number(words: str, number: str) -> str:
    before, _, behind = words.partition("{number}")
    if before.endswith(" "):
        before = before[:-1] + "\u00a0"  # xelatex drops a blank between Chinese and a formula
    texts = [rf"\text{{{escaped(text)}}}" if text else "" for text in (before, behind)]
    return f"{texts[0]}{latex_number(number)}{texts[1]}"


def aligned(groups: Sequence[list[str]]) -> Iterator[str]:
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


# matrices


def equation_rows(equation: MatrixEquation, document: Document, room: float = _ROOM) -> list[str]:
    r"""Return the rows of an ``align*`` for a matrix equation, with the shape under each matrix."""
    naming, words = document.naming, document.words
    left = latex_symbol(equation.left, 2, naming, equation.part)
    room -= width(left) + 2.0
    relation = "=" if equation.exact else r"\approx"
    result = f"{relation} {_matrix(equation.result, room)[0]}"
    rows: list[str] = []
    if equation.right:
        rows.append(f"= {_symbols(equation, naming)}")
    if equation.numbers:
        row, used = "= ", 1.5
        for number, (piece, wide) in enumerate(_pieces(equation, room - 3.0)):
            if number and used + wide > room:
                rows.append(row)
                row, used = r"\quad", 1.5
            row, used = row + piece, used + wide
        rows.append(row)
    elif not equation.right and equation.phase == "backward":
        given_by = words["given by"].format(loss=equation.note)
        described = escaped(words["bracketed"].format(given_by).strip())
        z = latex_symbol(Ref("z", equation.left.layer), 2, naming)
        slope = rf"= \frac{{\partial L}}{{\partial {z}}} \quad\text{{{described}}}"
        rows.append(slope if equation.is_slope else rf"\quad\text{{({escaped(given_by)})}}")
    elif not equation.right:
        rows.append(rf"\quad\text{{({escaped(words['after the step'])})}}")
    if equation.more:
        described = words["more of this form"].format(count=f"{equation.more:,}")
        result += rf" \quad\text{{{escaped(described)}}}"
    rows.append(result)
    return [f"{left} &{rows[0]}", *(f"&{row}" for row in rows[1:])]


def _symbols(equation: MatrixEquation, naming: Naming) -> str:
    """Return the right-hand side in symbols."""
    text = ""
    for token in equation.right:
        match token:
            case Entries():
                symbol = latex_symbol(token.ref, 2, naming, token.part)
                if token.transposed:
                    symbol = rf"\left({symbol}\right)^{{T}}" if "^" in symbol else f"{symbol}^{{T}}"
                applied = rf"{_function(token.applied)}\left({symbol}\right)"
                text += applied if token.applied else symbol
            case Constant(line=line):
                expression = line.step.expression
                text += write(expression, latex_notation(line, symbols=True, naming=naming))
            case _:
                text += _mark(token, "", first=not text or text.endswith("("))
    return text


def _pieces(equation: MatrixEquation, room: float) -> Iterator[tuple[str, float]]:
    """Yield the right-hand side with its numbers, cut before signs, and how wide each piece is."""
    text, wide = "", 0.0
    for number, token in enumerate(equation.numbers):
        match token:
            case Entries():
                matrix, wide_matrix = _matrix(token.cells, room)
                name = rf"{_function(token.applied)} " if token.is_argument else ""
                text, wide = text + name + matrix, wide + wide_matrix + 0.6 * len(token.applied)
            case Constant(line=line):
                constant = write(line.step.expression, latex_notation(line, symbols=False))
                text, wide = text + constant, wide + width(constant)
            case Joint() if text and not isinstance(equation.numbers[number - 1], Constant):
                yield text, wide
                text, wide = _mark(token, r"\Big"), 1.5
            case _:
                text += _mark(token, r"\Big", first=not text)
                wide += 1.0
    yield text, wide


def _mark(token: Joint | Open | Close, size: str, *, first: bool = False) -> str:
    """Return a sign or a parenthesis."""
    match token:
        case Joint(sign=sign):
            return sign if first else _JOINTS[sign]
        case Open(function=name, fenced=fenced):
            function = r"\sum_{s} " if name == "sum" else _function(name) if name else ""
            return function + ((rf"{size}l(" if size else "(") if fenced else "")
        case Close(raised=raised):
            return (rf"{size}r)" if size else ")") + (f"^{{{raised}}}" if raised else "")


def _function(name: str) -> str:
    plain = name.removesuffix("'")
    known = {"cos": r"\cos", "sin": r"\sin", "sqrt": r"\surd"}
    return known.get(plain, rf"\mathrm{{{escaped(plain)}}}") + ("'" if name != plain else "")


def _matrix(shown: Cells, room: float) -> tuple[str, float]:
    """Return a matrix with its shape below, and how wide it is; columns it has no room for go."""
    rows = [[latex_number(text) for text in row] for row in shown.texts]
    wide = [max(width(row[c]) for row in rows) + 1.0 for c in range(len(rows[0]))]
    columns = len(wide)
    while columns > 1 and sum(wide[:columns]) + 3.0 > room:
        columns -= 1
    cut = columns < shown.shape[1]
    written = [[*row[:columns], *([r"\cdots"] if cut else [])] for row in rows]
    if shown.more_rows:
        written.append([r"\vdots"] * columns + ([r"\ddots"] if cut else []))
    body = r" \\ ".join(" & ".join(row) for row in written)
    shape = rf"{shown.shape[0]} \times {shown.shape[1]}"
    text = rf"\underset{{{shape}}}{{\begin{{pmatrix}} {body} \end{{pmatrix}}}}"
    return text, sum(wide[:columns]) + (3.0 if cut else 1.0)
