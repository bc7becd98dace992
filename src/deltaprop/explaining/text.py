"""Formulas, matrices and pictures as lines of Unicode: for terminals and Markdown alike."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from deltaprop.explaining.digits import Line
from deltaprop.explaining.document import Document, Image, Proof
from deltaprop.explaining.matrix_terms import Cells, Equation, Term
from deltaprop.explaining.names import Ref
from deltaprop.explaining.unicode import UnicodeNotation, symbol_of
from deltaprop.functional.arithmetic import Operand, Quotient, write
from deltaprop.widths import cells, pad

__all__ = [
    "MARKS",
    "equation_text",
    "image_text",
    "line_parts",
    "line_text",
    "proof_text",
    "ref_text",
]

MARKS = {"right": "✓", "wrong": "✗", "kink": "?"}
_JOINTS: Mapping[str, str] = {"": " ", "+": " + ", "-": " - ", "*": " ⊙ "}
_BREAKS = (" + ", " - ", " × ", " / ")
# what stands before a matrix, the matrix or None, and what stands behind it
_Piece: TypeAlias = tuple[str, "Cells | None", str]
_DEEPEST = 6  # parentheses in each other
_INKS = (" ", "░", "▒", "▓", "█")
_SIGNED = ("  ", "· ", "+ ", "++"), ("  ", "· ", "- ", "--")


def ref_text(ref: Ref, document: Document) -> str:
    """Return a number's symbol."""
    return symbol_of(document.named(ref), document.n_samples, document.style.notation)


def line_parts(line: Line, document: Document) -> tuple[str, str, str, str]:
    """Return the symbol, the formula, its numbers, and the sign before the result.

    A formula that no registry tells is "", and so are numbers that would only repeat the result.
    """

    def symbol(ref: Ref) -> str:
        return ref_text(ref, document)

    expression, left = line.step.expression, symbol(line.step.ref)
    relation = "=" if line.exact else "≈"
    if isinstance(expression, Operand) and expression.id == line.step.id:
        return left, "", "", relation
    notations = [UnicodeNotation(line, of, document.words["more terms"]) for of in (symbol, None)]
    formula, numbers = (write(expression, notation) for notation in notations)
    return left, formula, "" if numbers in (line.shown, formula) else numbers, relation


def line_text(
    line: Line, document: Document, room: int, paint: Callable[[str], str] = str
) -> list[str]:
    """Return one number as lines of Unicode: ``symbol = symbols = numbers = result``.

    Parameters
    ----------
    line : Line
        What to write.
    document : Document
        The notation and the words.
    room : int
        Columns up to which it stays on one line.
    paint : callable
        Colours the result.

    Returns
    -------
    list of str
        One line; or one for each part, the equals signs below each other.
    """
    left, formula, numbers, relation = line_parts(line, document)
    parts = [f"= {part}" for part in (formula, numbers) if part]
    result = f"{relation} {line.shown}"
    painted = f"{relation} {paint(line.shown)}"
    if cells(" ".join([left, *parts, result])) <= room:
        return [" ".join([left, *parts, painted])]
    indent = " " * (cells(left) + 1)
    rows = [row for part in parts for row in _wrapped(part, room - len(indent))]
    if rows and cells(f"{indent}{rows[-1]} {result}") <= room:
        rows[-1] += f" {painted}"
    else:
        rows.append(painted)
    return [f"{left} {rows[0]}", *(indent + row for row in rows[1:])]


def _wrapped(part: str, room: int) -> list[str]:
    """Return a formula in rows, broken before its outermost signs, deeper ones only if need be."""
    rows = [""]
    for piece in _pieces(part, room - 2):
        if rows[-1] and cells(rows[-1] + piece) > room:
            rows.append("  " + piece.lstrip())
        else:
            rows[-1] += piece
    return rows


def _pieces(part: str, room: int, level: int = 0) -> list[str]:
    """Return a formula cut before the signs that stand in at most so many parentheses."""
    if cells(part) <= room or level > _DEEPEST:
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
    if proof.verdict == "kink":
        return f"{mark} {words['kink']}"
    measured = words["central difference"].format(number=proof.measured)
    return f"{mark} {measured}, {words['relative error'].format(number=proof.error)}"


# matrices


def equation_text(equation: Equation, document: Document, room: int) -> Iterator[str]:
    """Yield a matrix equation: in symbols, then with its numbers and the shape below each matrix.

    Parameters
    ----------
    equation : Equation
        What to write.
    document : Document
        The notation and the words.
    room : int
        Columns; matrices that have no room beside each other stand below each other, and columns
        that have none are left out.
    """
    notation, words = document.style.notation, document.words
    left = symbol_of(equation.left, 2, notation, equation.part)
    relation = f" {'=' if equation.exact else '≈'} "
    if not equation.terms:
        told = words["after the step"]
        if equation.phase == "backward":
            told = f"dL/dz ({words['given by'].format(loss=equation.note.replace('_', ' '))})"
        yield f"{left} = {told}"
        yield from _beside([(relation, equation.result, "")], room)
        yield from _more(equation, document)
        return
    symbols = "".join(_symbolic(term, notation) for term in equation.terms).strip()
    yield f"{left} = {symbols}"
    pieces = [
        (_before(term), None if term.constant else term.cells, term.constant + _closing(term))
        for term in equation.terms
    ]
    blocks = [[*pieces, (relation, equation.result, "")]]
    if sum(map(_wide, blocks[0])) + 4 > room:
        blocks = [[]]
        for piece in (*pieces, (relation, equation.result, "")):
            alone = blocks[-1] and blocks[-1][-1][1] is not None  # a 1 stands beside what follows
            blocks = [*blocks, [piece]] if alone else [*blocks[:-1], [*blocks[-1], piece]]
    for block in blocks:
        yield from _beside(block, room)
    yield from _more(equation, document)


def _more(equation: Equation, document: Document) -> Iterator[str]:
    if equation.more:
        yield document.words["more of this form"].format(count=f"{equation.more:,}")


def _symbolic(term: Term, notation: str) -> str:
    text = symbol_of(term.ref, 2, notation, term.part)
    if term.transposed:
        text = f"{text}ᵀ" if len(text) == 1 else f"({text})ᵀ"
    if term.applied == "sum":
        text = f"Σₛ {text}"
    elif term.applied:
        text = f"{term.applied}({text})"
    if term.factor is not None:
        text = f"{symbol_of(term.factor, 2, notation)} {text}"
    if term.scale is not None:
        text = f"{_constant(term.scale, symbols=True)} {text}"
    return _JOINTS[term.before] + _opening(term) + text + _closing(term)


def _opening(term: Term) -> str:
    names = ("Σₛ " if name == "sum" else name.replace("'", "′") for name in term.opens)
    return "".join(f"{name}(" for name in names)


def _closing(term: Term) -> str:
    return "".join(")ᵀ" if transposed else ")" for transposed in term.closes)


def _constant(scale: Line, *, symbols: bool) -> str:
    expression = scale.step.expression
    text = write(expression, UnicodeNotation(scale, (lambda ref: ref.id) if symbols else None))
    return f"({text})" if isinstance(expression, Quotient) else text


def _before(term: Term) -> str:
    text = _JOINTS[term.before] + _opening(term)
    if term.scale is not None:
        times = "× " if term.factor is not None else ""
        text += f"{_constant(term.scale, symbols=False)} {times}"
    if term.factor is not None:
        text += f"{term.factor_text} "
    if term.is_argument:
        text += "Σₛ " if term.applied == "sum" else f"{term.applied} "
    return text


def _beside(pieces: list[_Piece], room: int) -> Iterator[str]:
    """Yield matrices side by side, each with its shape below."""
    columns = [_texts(*piece, room - 4) for piece in pieces]
    height = max(len(column) for column in columns)
    for number in range(height):
        row = ""
        for column in columns:
            wide = max(map(cells, column))
            at = number - (height - len(column)) // 2
            row += pad(column[at] if 0 <= at < len(column) else "", wide)
        yield ("    " + row).rstrip()


def _texts(before: str, matrix: Cells | None, after: str, room: int) -> list[str]:
    if matrix is None:
        return [before + after, ""]  # as high as a matrix of one row with its shape
    most = len(matrix.texts[0])
    while True:
        cut = most < matrix.shape[1]
        rows = [[*row[:most], *(["…"] if cut else [])] for row in matrix.texts]
        if matrix.more_rows:
            rows.append(["⋮"] * len(rows[0]))
        wide = [max(cells(row[c]) for row in rows) for c in range(len(rows[0]))]
        if most == 1 or cells(before + after) + sum(wide) + 2 * len(wide) + 2 <= room:
            break
        most -= 1
    texts = [f"[ {'  '.join(t.rjust(w) for t, w in zip(row, wide, strict=True))} ]" for row in rows]
    shape = f"{matrix.shape[0]}×{matrix.shape[1]}".center(cells(texts[0]))
    middle = (len(texts) - 1) // 2
    blank = " " * cells(before)
    lines = [
        f"{before}{text}{after}" if n == middle else blank + text for n, text in enumerate(texts)
    ]
    return [*lines, blank + shape]


def _wide(piece: _Piece) -> int:
    return max(map(cells, _texts(*piece, 10_000)))


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
