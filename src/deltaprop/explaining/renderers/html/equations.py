"""Matrix equations in MathML, with the shape under every matrix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from deltaprop.explaining.document.blocks import Document
from deltaprop.explaining.document.tokens import (
    Cells,
    Close,
    Constant,
    Entries,
    Joint,
    MatrixEquation,
    Open,
)
from deltaprop.notation.digits import Line
from deltaprop.notation.ids import Ref
from deltaprop.notation.mathml import (
    BREAK,
    escape,
    fenced,
    mathml_notation,
    matrix,
    number,
    operand,
    scripts,
    symbol,
)
from deltaprop.notation.write import write

__all__ = ["equation_pieces", "width_class"]

_APPLY = "<mo>\u2061</mo>"  # invisible
_JOINTS = {
    "": "<mo>\u2062</mo>",  # invisible
    "+": "<mo>+</mo>",
    "-": "<mo>−</mo>",
    "*": "<mo>⊙</mo>",
    "/": "<mo>/</mo>",
}
_SIGN = 1.55  # digits that a minus sign is wide
_ROOM = (52, 64)  # characters of a row, beyond which letters become smaller
_SUM = "<munder><mo>∑</mo><mi>s</mi></munder>"


def equation_pieces(
    equation: MatrixEquation, document: Document, known: Collection[str]
) -> Iterator[str]:
    """Yield an equation in symbols, then with its numbers, in pieces between which it may break.

    Each is MathML for a math element of its own. Cells carry the ids that are ``known``: those
    that the page can show.
    """
    yield from "".join(_Writer(equation, document, known).parts()).split(BREAK)


def width_class(equations: Iterable[MatrixEquation]) -> str:
    """Return " wide" or " wider" where a matrix of one has long rows; else nothing."""
    widest = 0
    for equation in equations:
        widths = [
            _width(token.cells) + 2 * len(token.applied)
            for token in equation.numbers
            if isinstance(token, Entries)
        ]
        widest = max(widest, _width(equation.result), *widths)
    return " wider" if widest > _ROOM[1] else " wide" if widest > _ROOM[0] else ""


def _width(cells: Cells) -> int:
    columns = zip(*cells.texts, strict=True)
    return sum(max(map(len, column)) + 2 for column in columns) + 3 * cells.more_columns


class _Writer:
    def __init__(
        self, equation: MatrixEquation, document: Document, known: Collection[str]
    ) -> None:
        self.equation, self.words, self.known = equation, document.words, known
        self.naming = document.naming

    def symbol(self, ref: Ref, part: str = "") -> str:
        return symbol(ref, 1, self.naming, part)

    def parts(self) -> Iterator[str]:
        """Yield symbol = symbols = numbers = result."""
        equation = self.equation
        yield f"{self.symbol(equation.left, equation.part)}{BREAK}<mo>=</mo>"
        yield self.symbolic() if equation.right else self.described()
        if equation.numbers:
            yield f"{BREAK}<mo>=</mo>{self.numeric()}"
        yield f"{BREAK}<mo>{'=' if equation.exact else '≈'}</mo>"
        yield self.matrix(equation.result, equation.left, equation.origin, turned=equation.turned)
        if equation.more:
            described = self.words["more of this form"].format(count=f"{equation.more:,}")
            yield f'{BREAK}<mspace width="0.5em"/><mtext>{escape(described)}</mtext>'

    def described(self) -> str:
        """Return in words what no matrices tell."""
        if self.equation.phase != "backward":
            return f"<mtext>{escape(self.words['after the step'])}</mtext>"
        z = self.symbol(Ref("z", self.equation.left.layer))
        slope = f"<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo>{z}</mrow></mfrac>"
        given_by = self.words["given by"].format(loss=self.equation.note)
        if not self.equation.is_slope:
            return f"<mtext>{escape(given_by)}</mtext>"
        by = escape(self.words["bracketed"].format(given_by).strip())
        return f'{slope}{BREAK}<mspace width="0.35em"/><mtext>{by}</mtext>'

    def symbolic(self) -> str:
        """Return the right-hand side in symbols."""
        text = ""
        for token in self.equation.right:
            match token:
                case Entries():
                    written = self.symbol(token.ref, token.part)
                    if token.transposed:
                        raised = written.startswith(("<msup", "<msubsup"))
                        base = f"<mrow>{fenced(written)}</mrow>" if raised else written
                        written = scripts(base, "", "<mi>⊤</mi>")
                    applied = f"{_function(token.applied)}{fenced(written)}"
                    text += applied if token.applied else written
                case Constant(line=line):
                    text += self.constant(line, self.symbol)
                case _:
                    text += _mark(token, first=not text or text.endswith("(</mo>"))
        return text

    def numeric(self) -> str:
        """Return the right-hand side with its numbers, which may break before a sign."""
        text = ""
        for place, token in enumerate(self.equation.numbers):
            match token:
                case Entries():
                    name = _function(token.applied) if token.is_argument else ""
                    text += name + self.matrix(token.cells, token.ref, token.origin, token)
                case Constant(line=line):
                    text += self.constant(line, None)
                case Joint() if text and not isinstance(self.equation.numbers[place - 1], Constant):
                    text += BREAK + _mark(token)
                case _:
                    text += _mark(token, first=not text)
        return text

    def constant(self, line: Line, symbol_of: Callable[[Ref], str] | None) -> str:
        """Return a number that all entries are combined with; only numbers carry its id."""
        known = () if symbol_of else self.known
        written = write(line.step.expression, mathml_notation(line, symbol_of, known=known))
        kind = "" if symbol_of else ' class="constant"'
        return f"<mrow{kind}>{written.replace(BREAK, '')}</mrow>"

    def matrix(
        self,
        cells: Cells,
        ref: Ref,
        origin: tuple[int, ...],
        entries: Entries | None = None,
        *,
        turned: bool = False,
    ) -> str:
        """Return a matrix with its shape; only a corner of a large one."""
        rows = []
        across = turned if entries is None else entries.transposed != entries.turned
        before = [max(map(_before_the_point, column)) for column in zip(*cells.texts, strict=True)]
        for r, texts in enumerate(cells.texts):
            row = [
                _pushed(before[c] - _before_the_point(text))
                + self.cell(text, ref, _index(origin, (c, r) if across else (r, c)), entries)
                for c, text in enumerate(texts)
            ]
            rows.append([*row, "<mo>⋯</mo>"] if cells.more_columns else row)
        if cells.more_rows:
            rows.append(["<mo>⋮</mo>"] * len(rows[0]))
        return matrix(rows, f"{cells.shape[0]} × {cells.shape[1]}")

    def cell(self, text: str, ref: Ref, index: tuple[int, ...], entries: Entries | None) -> str:
        """Return a number, with its id where it is that number and the page can show it."""
        written = number(text)
        if entries is not None and entries.applied and not entries.is_argument:
            return written  # f'(z) is not z
        name = self.naming.joined(Ref(ref.quantity, ref.layer, index, ref.after)).id
        return operand(name, written) if name in self.known else written


def _index(origin: tuple[int, ...], place: tuple[int, int]) -> tuple[int, ...]:
    """Return the index of a cell; an array of one index stands there as a row."""
    if not origin:
        return ()  # a number alone
    *fixed, last = origin
    if not fixed:
        return (last + place[1],)
    return (*fixed[:-1], fixed[-1] + place[0], last + place[1])


def _mark(token: Joint | Open | Close, *, first: bool = False) -> str:
    """Return a sign or a parenthesis."""
    match token:
        case Joint(sign=sign):
            return '<mo form="prefix">−</mo>' if first else _JOINTS[sign]
        case Open(function=name, fenced=fenced):
            function = _SUM if name == "sum" else _function(name) if name else ""
            return function + ("<mo>(</mo>" if fenced else "")
        case Close(raised=raised):
            above = "<mi>⊤</mi>" if raised == "T" else f"<mn>{raised}</mn>" if raised else ""
            return scripts("<mo>)</mo>", "", above)


def _before_the_point(text: str) -> float:
    """Return how wide a number is up to its point, in digits."""
    whole = text.partition("e")[0].partition(".")[0]
    return len(whole.lstrip("-")) + (_SIGN if text.startswith("-") else 0)


def _pushed(digits: float) -> str:
    """Return space, so that the points of a column stand below each other."""
    return f'<mspace width="{digits:g}ch"/>' if digits > 0 else ""


def _function(name: str) -> str:
    plain = name.removesuffix("'")
    written = f"<mi>{escape({'sqrt': '√'}.get(plain, plain))}</mi>"
    return (scripts(written, "", "<mo>′</mo>") if plain != name else written) + _APPLY
