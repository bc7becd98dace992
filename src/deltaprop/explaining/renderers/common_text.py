"""Formulas, matrices and pictures as lines of Unicode: for terminals and Markdown alike."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from deltaprop.explaining.document.blocks import Cell, Document, Proof, Shown
from deltaprop.explaining.document.tokens import (
    Cells,
    Close,
    Constant,
    Entries,
    Joint,
    MatrixEquation,
    Open,
)
from deltaprop.functional.expressions import Quotient
from deltaprop.notation.digits import Line
from deltaprop.notation.ids import Ref
from deltaprop.notation.image import Image
from deltaprop.notation.naming import Naming
from deltaprop.notation.unicode import SUPERSCRIPTS, symbol_of, unicode_notation
from deltaprop.notation.write import write, written
from deltaprop.widths import pad, text_width, wrap

__all__ = [
    "MARKS",
    "cell_text",
    "equation_text",
    "image_text",
    "line_parts",
    "line_text",
    "proof_text",
    "ref_text",
]

MARKS = {"right": "✓", "wrong": "✗", "kink": "?", "undecided": "?"}
_JOINTS: Mapping[str, str] = {"": " ", "+": " + ", "-": " - ", "*": " ⊙ ", "/": " / "}
_FUNCTIONS: Mapping[str, str] = {"sum": "Σₛ ", "sqrt": "√"}
_BREAKS = (" + ", " - ", " × ", " / ", " ⊙ ")
# what stands before a matrix, the matrix, and what stands behind it
_Piece: TypeAlias = tuple[str, Cells, str]
_DEEPEST = 6  # parentheses in each other
_INKS = (" ", "░", "▒", "▓", "█")
_SIGNED = ("  ", "· ", "+ ", "++"), ("  ", "· ", "- ", "--")


def ref_text(ref: Ref, document: Document) -> str:
    """Return a number's symbol."""
    return symbol_of(document.named(ref), document.n_samples, document.naming)


def cell_text(cell: Cell, document: Document) -> str:
    """Return what stands in a table."""
    if isinstance(cell, Ref):
        return ref_text(cell, document)
    return cell.text if isinstance(cell, Shown) else cell


def line_parts(line: Line, document: Document) -> tuple[str, str, str, str]:
    """Return the symbol, the formula, its numbers, and the sign before the result.

    A formula that no registry tells is "", and so are numbers that would only repeat the result.
    """

    def symbol(ref: Ref) -> str:
        return ref_text(ref, document)

    more = document.words["more terms"]
    notations = (unicode_notation(line, of, more) for of in (symbol, None))
    formula, numbers, *_ = (*written(line, line.shown, *notations), "", "")
    return symbol(line.step.ref), formula, numbers, "=" if line.exact else "≈"


def line_text(
    line: Line, document: Document, room: int, paint: Callable[[str], str] = str
) -> list[str]:
    """Return one number as lines of Unicode: ``symbol = symbols = numbers = result``.

    Where there is no room for it on one line, the equals signs stand below each other. ``paint``
    colours the result.
    """
    left, formula, numbers, relation = line_parts(line, document)
    parts = [f"= {part}" for part in (formula, numbers) if part]
    result = f"{relation} {line.shown}"
    painted = f"{relation} {paint(line.shown)}"
    if text_width(" ".join([left, *parts, result])) <= room:
        return [" ".join([left, *parts, painted])]
    indent = " " * (text_width(left) + 1)
    rows = [row for part in parts for row in _wrapped(part, room - len(indent))]
    if any(text_width(indent + row) > room for row in rows):  # the symbol gets a row of its own
        indent = "  "
        rows = ["", *(row for part in parts for row in _wrapped(part, room - len(indent)))]
    if rows and text_width(f"{indent}{rows[-1]} {result}") <= room:
        rows[-1] += f" {painted}"
    else:
        rows.append(painted)
    return [f"{left} {rows[0]}".rstrip(), *(indent + row for row in rows[1:])]


def _wrapped(part: str, room: int) -> list[str]:
    """Return a formula in rows, broken before its outermost signs, deeper ones only if need be."""
    rows = [""]
    for piece in _pieces(part, room - 2):
        if rows[-1] and text_width(rows[-1] + piece) > room:
            rows.append("  " + piece.lstrip())
        else:
            rows[-1] += piece
    return rows


def _pieces(part: str, room: int, level: int = 0) -> list[str]:
    """Return a formula cut before the signs that stand in at most so many parentheses."""
    if text_width(part) <= room or level > _DEEPEST:
        return [part]
    cuts, depth = [0], 0
    for at, sign in enumerate(part):
        depth += (sign in "([") - (sign in ")]")
        outer = depth <= level and part.startswith(_BREAKS, at)
        if outer and at > 2:
            cuts.append(at)
    cuts.append(len(part))
    found = [part[start:end] for start, end in itertools.pairwise(cuts)]
    return [bit for piece in found for bit in _pieces(piece, room, level + 1)]


def proof_text(proof: Proof, words: Mapping[str, str]) -> str:
    """Return what the referee found beside a gradient."""
    mark = MARKS[proof.verdict]
    if not proof.is_judged:
        return f"{mark} {words[proof.verdict]}"
    measured = words["central difference"].format(number=proof.measured)
    error = words["relative error"].format(number=proof.error)
    return f"{mark} {measured}{words['figures apart']}{error}"


# matrices


def equation_text(equation: MatrixEquation, document: Document, room: int) -> Iterator[str]:
    """Yield a matrix equation: in symbols, then with its numbers and the shape below each matrix.

    Matrices that have no room beside each other stand below each other, and columns that have
    none are left out.
    """
    naming, words = document.naming, document.words
    left = symbol_of(equation.left, 2, naming, equation.part)
    relation = "=" if equation.exact else "≈"
    if not equation.right:
        described = words["after the step"]
        if equation.phase == "backward":
            given_by = words["given by"].format(loss=equation.note)
            slope = f"dL/dz{words['bracketed'].format(given_by)}"
            described = slope if equation.is_slope else given_by
        yield from _heading(left, described, room)
        yield from _beside([(f" {relation} ", equation.result, "")], room)
        yield from _more(equation, document)
        return
    yield from _heading(left, _symbols(equation, naming), room)
    pieces = _pieces_of(equation, f" {relation} ")
    blocks = [pieces] if sum(map(_wide, pieces)) + 4 <= room else [[piece] for piece in pieces]
    for block in blocks:
        if len(block) == 1 and (before := block[0][0]).strip() and not _fits(*block[0], room - 4):
            yield from (f"    {row}" for row in wrap(before.strip(), room - 4))
            block = [("  ", *block[0][1:])]
        yield from _beside(block, room)
    yield from _more(equation, document)


def _heading(left: str, right: str, room: int) -> list[str]:
    """Return left = right, broken where there is no room for it."""
    if text_width(f"{left} = {right}") <= room:
        return [f"{left} = {right}"]
    indent = " " * (text_width(left) + 3)
    pieces = _wrapped(right, room - len(indent))
    first, *more = [row for piece in pieces for row in wrap(piece, room - len(indent))]
    return [f"{left} = {first}", *(f"{indent}{row}" for row in more)]


def _more(equation: MatrixEquation, document: Document) -> Iterator[str]:
    if equation.more:
        yield document.words["more of this form"].format(count=f"{equation.more:,}")


def _symbols(equation: MatrixEquation, naming: Naming) -> str:
    """Return the right-hand side in symbols."""
    text = ""
    for token in equation.right:
        match token:
            case Entries():
                symbol = symbol_of(token.ref, 2, naming, token.part)
                if token.transposed:
                    symbol = f"{symbol}ᵀ" if len(symbol) == 1 else f"({symbol})ᵀ"
                text += f"{_prime(token.applied)}({symbol})" if token.applied else symbol
            case Constant():
                text += _constant(token, lambda ref: symbol_of(ref, 2, naming))
            case _:
                text += _mark(token, first=not text or text.endswith("("))
    return text


def _pieces_of(equation: MatrixEquation, relation: str) -> list[_Piece]:
    """Return the matrices of the right-hand side and the result, with what stands between them."""
    pieces: list[_Piece] = []
    before = " " if equation.numbers else ""
    for token in equation.numbers:
        match token:
            case Entries():
                name = f"{_prime(token.applied)} " if token.is_argument else ""
                pieces.append((before + name, token.cells, ""))
                before = ""
            case Constant():
                before += _constant(token, None)
            case Close() if not before:
                left, matrix, after = pieces[-1]
                pieces[-1] = (left, matrix, after + _mark(token))
            case _:
                before += _mark(token, first=before == " " or before.endswith("("))
    return [*pieces, (before + relation, equation.result, "")]


def _mark(token: Joint | Open | Close, *, first: bool = False) -> str:
    """Return a sign or a parenthesis."""
    match token:
        case Joint(sign=sign):
            return sign if first else _JOINTS[sign]
        case Open(function=name, fenced=fenced):
            return _FUNCTIONS.get(name, _prime(name)) + ("(" if fenced else "")
        case Close(raised=raised):
            return ")" + ("ᵀ" if raised == "T" else raised.translate(SUPERSCRIPTS))


def _prime(name: str) -> str:
    return name.replace("'", "′")


def _constant(constant: Constant, symbol: Callable[[Ref], str] | None) -> str:
    expression = constant.line.step.expression
    text = write(expression, unicode_notation(constant.line, symbol))
    return f"({text})" if isinstance(expression, Quotient) else text


def _beside(pieces: list[_Piece], room: int) -> Iterator[str]:
    """Yield matrices side by side, each with its shape below."""
    columns = [_texts(*piece, room - 4) for piece in pieces]
    height = max(len(column) for column in columns)
    for number in range(height):
        row = ""
        for column in columns:
            wide = max(map(text_width, column))
            at = number - (height - len(column)) // 2
            row += pad(column[at] if 0 <= at < len(column) else "", wide)
        yield ("    " + row).rstrip()


def _texts(before: str, matrix: Cells, after: str, room: int) -> list[str]:
    most = len(matrix.texts[0])
    while True:
        cut = most < matrix.shape[1]
        rows = [[*row[:most], *(["…"] if cut else [])] for row in matrix.texts]
        if matrix.more_rows:
            rows.append(["⋮"] * len(rows[0]))
        wide = [max(text_width(row[c]) for row in rows) for c in range(len(rows[0]))]
        if most == 1 or text_width(before + after) + sum(wide) + 2 * len(wide) + 2 <= room:
            break
        most -= 1
    texts = [f"[ {'  '.join(t.rjust(w) for t, w in zip(row, wide, strict=True))} ]" for row in rows]
    shape = f"{matrix.shape[0]}×{matrix.shape[1]}".center(text_width(texts[0]))
    middle = (len(texts) - 1) // 2
    blank = " " * text_width(before)
    lines = [
        f"{before}{text}{after}" if n == middle else blank + text for n, text in enumerate(texts)
    ]
    return [*lines, blank + shape]


def _fits(before: str, matrix: Cells, after: str, room: int) -> bool:
    return max(map(text_width, _texts(before, matrix, after, room))) <= room


def _wide(piece: _Piece) -> int:
    return max(map(text_width, _texts(*piece, 10_000)))


# pictures


def image_text(image: Image, room: int) -> Iterator[str]:
    """Yield a picture in characters, two for each pixel; of a wide one every second pixel, ..."""
    every = max(1, -(-2 * image.values.shape[1] // room))
    for row in image.values[::every, ::every]:
        if image.signed:
            inks = [_SIGNED[int(v < 0)][min(3, int(abs(v) * 4))] for v in row]
        else:
            inks = [_INKS[min(4, int(v * 5))] * 2 for v in row]
        yield "".join(inks).rstrip()
