"""Matrix equations in MathML, with the shape under every matrix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from deltaprop.explaining.digits import Line
from deltaprop.explaining.document import Document
from deltaprop.explaining.mathml import (
    BREAK,
    MathmlNotation,
    escape,
    fenced,
    matrix,
    number,
    operand,
    scripts,
)
from deltaprop.explaining.matrix_terms import Cells, Equation, Term
from deltaprop.explaining.names import Ref
from deltaprop.functional.arithmetic import write

__all__ = ["equation_pieces", "width_class"]

_APPLY = "<mo>\u2061</mo>"  # invisible
_JOINTS = {
    "": "<mo>\u2062</mo>",  # invisible
    "+": "<mo>+</mo>",
    "-": "<mo>−</mo>",
    "*": "<mo>⊙</mo>",
}
_SIGN = 1.55  # digits that a minus sign is wide
_ROOM = (52, 64)  # characters of a row, beyond which letters become smaller
_SUM = "<munder><mo>∑</mo><mi>s</mi></munder>"


def equation_pieces(
    equation: Equation,
    document: Document,
    known: Collection[str],
    symbol: Callable[[Ref, str], str],
) -> Iterator[str]:
    """Yield an equation in symbols, then with its numbers, in pieces between which it may break.

    Parameters
    ----------
    equation : Equation
        What to write.
    document : Document
        The words.
    known : collection of str
        The ids that the page can show; other cells carry none.
    symbol : callable
        Writes the symbol of an array or a number, and which part of it is meant.

    Yields
    ------
    str
        MathML for a math element of its own.
    """
    writer = _Writer(equation, document, known, symbol)
    yield from "".join(writer.parts()).split(BREAK)


def width_class(equations: Iterable[Equation]) -> str:
    """Return " wide" or " wider" where a matrix of one has long rows; else nothing."""
    widest = 0
    for equation in equations:
        widths = [_width(t.cells) + 2 * len(t.applied + t.factor_text) for t in equation.terms]
        widest = max(widest, _width(equation.result), *widths)
    return " wider" if widest > _ROOM[1] else " wide" if widest > _ROOM[0] else ""


def _width(cells: Cells) -> int:
    columns = zip(*cells.texts, strict=True)
    return sum(max(map(len, column)) + 2 for column in columns) + 3 * cells.more_columns


class _Writer:
    def __init__(
        self,
        equation: Equation,
        document: Document,
        known: Collection[str],
        symbol: Callable[[Ref, str], str],
    ) -> None:
        self.equation, self.words = equation, document.words
        self.known, self.symbol = known, symbol

    def parts(self) -> Iterator[str]:
        """Yield symbol = symbols = numbers = result."""
        equation = self.equation
        yield f"{self.symbol(equation.left, equation.part)}{BREAK}<mo>=</mo>"
        yield "".join(map(self.symbolic, equation.terms)) if equation.terms else self.told()
        if equation.terms:
            yield f"{BREAK}<mo>=</mo>"
            for place, term in enumerate(equation.terms):
                yield (BREAK if place else "") + self.numeric(term, first=not place)
        yield f"{BREAK}<mo>{'=' if equation.exact else '≈'}</mo>"
        yield self.matrix(equation.result, equation.left, equation.origin)
        if equation.more:
            told = self.words["more of this form"].format(count=f"{equation.more:,}")
            yield f'{BREAK}<mspace width="0.5em"/><mtext>{escape(told)}</mtext>'

    def told(self) -> str:
        """Return in words what no matrices tell."""
        if self.equation.phase != "backward":
            return f"<mtext>{escape(self.words['after the step'])}</mtext>"
        loss = self.equation.note.replace("_", " ")
        z = self.symbol(Ref("z", self.equation.left.layer), "")
        slope = f"<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo>{z}</mrow></mfrac>"
        by = escape(self.words["given by"].format(loss=loss))
        return f'{slope}{BREAK}<mspace width="0.35em"/><mtext>({by})</mtext>'

    def symbolic(self, term: Term) -> str:
        """Return an operand as a symbol, with what joins it to those before."""
        if term.constant:
            return self.joint(term) + _opening(term) + number(term.constant) + _closing(term)
        text = self.symbol(term.ref, term.part)
        if term.transposed:
            base = f"<mrow>{fenced(text)}</mrow>" if term.ref.layer else text
            text = scripts(base, "", "<mi>⊤</mi>")
        if term.applied == "sum":
            text = f"{self.over_samples()}{text}"
        elif term.applied:
            text = f"{_function(term.applied)}{fenced(text)}"
        if term.factor is not None:
            text = f"{self.symbol(term.factor, '')}{_JOINTS['']}{text}"
        if term.scale is not None:
            text = f"{_constant(term.scale, symbols=True)}{_JOINTS['']}{text}"
        return self.joint(term) + _opening(term) + text + _closing(term)

    def numeric(self, term: Term, *, first: bool) -> str:
        """Return an operand as numbers, with what joins it to those before."""
        text = number(term.constant)
        if not term.constant:
            text = self.matrix(term.cells, term.ref, term.origin, term)
        if term.applied == "sum":
            text = f"{self.over_samples()}{text}"
        elif term.is_argument and term.applied:
            text = f"{_function(term.applied)}{text}"
        if term.factor is not None:
            factor = number(term.factor_text)
            if term.factor.id in self.known:
                factor = operand(term.factor.id, factor)
            text = f"{factor}{_JOINTS['']}{text}"
        if term.scale is not None:
            times = "<mo>×</mo>" if term.factor is not None else _JOINTS[""]
            text = f"{_constant(term.scale, symbols=False)}{times}{text}"
        text = _opening(term) + text + _closing(term)
        return text if first else self.joint(term) + text

    def joint(self, term: Term) -> str:
        """Return what joins an operand to those before; nothing before the first."""
        return "" if term is self.equation.terms[0] else _JOINTS[term.before]

    def over_samples(self) -> str:
        """Return the sign of the sum over samples."""
        return _SUM

    def matrix(
        self, cells: Cells, ref: Ref, origin: tuple[int, ...], term: Term | None = None
    ) -> str:
        """Return a matrix with its shape; only a corner of a large one."""
        rows = []
        before = [max(map(_before_the_point, column)) for column in zip(*cells.texts, strict=True)]
        for r, texts in enumerate(cells.texts):
            row = [
                _pushed(before[c] - _before_the_point(text))
                + self.cell(text, ref, _index(origin, (r, c), term), term)
                for c, text in enumerate(texts)
            ]
            rows.append([*row, "<mo>⋯</mo>"] if cells.more_columns else row)
        if cells.more_rows:
            rows.append(["<mo>⋮</mo>"] * len(rows[0]))
        return matrix(rows, f"{cells.shape[0]} × {cells.shape[1]}")

    def cell(self, text: str, ref: Ref, index: tuple[int, ...], term: Term | None) -> str:
        """Return a number, with its id where it is that number and the page can show it."""
        written = number(text)
        if term is not None and term.applied and not term.is_argument:
            return written  # f'(z) is not z
        name = Ref(ref.quantity, ref.layer, index, ref.after).id
        return operand(name, written) if name in self.known else written


def _index(origin: tuple[int, ...], place: tuple[int, int], term: Term | None) -> tuple[int, ...]:
    """Return the index of a cell; an array of one index stands there as a row."""
    if term is not None and term.transposed:
        place = place[1], place[0]
    *fixed, last = origin
    if not fixed:
        return (last + place[1],)
    return (*fixed[:-1], fixed[-1] + place[0], last + place[1])


def _opening(term: Term) -> str:
    return "".join(
        f"{_SUM if name == 'sum' else _function(name) if name else ''}<mo>(</mo>"
        for name in term.opens
    )


def _closing(term: Term) -> str:
    return "".join(
        scripts("<mo>)</mo>", "", "<mi>⊤</mi>") if transposed else "<mo>)</mo>"
        for transposed in term.closes
    )


def _constant(scale: Line, *, symbols: bool) -> str:
    notation = MathmlNotation(scale, (lambda ref: ref.id) if symbols else None)
    return f"<mrow>{write(scale.step.expression, notation).replace(BREAK, '')}</mrow>"


def _before_the_point(text: str) -> float:
    """Return how wide a number is up to its point, in digits."""
    whole = text.partition("e")[0].partition(".")[0]
    return len(whole.lstrip("-")) + (_SIGN if text.startswith("-") else 0)


def _pushed(digits: float) -> str:
    """Return space, so that the points of a column stand below each other."""
    return f'<mspace width="{digits:g}ch"/>' if digits > 0 else ""


def _function(name: str) -> str:
    plain = name.removesuffix("'")
    written = f"<mi>{escape(plain)}</mi>"
    return (scripts(written, "", "<mo>′</mo>") if plain != name else written) + _APPLY
