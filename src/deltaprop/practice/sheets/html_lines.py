"""Lines of the derivation and their symbols in MathML, as sheets and feedback show them."""

from __future__ import annotations

from deltaprop.notation.digits import Line
from deltaprop.notation.ids import Ref
from deltaprop.notation.mathml import joined, math, mathml_notation, number, pieces, symbol
from deltaprop.practice.exercises.lines import TaskLines

__all__ = ["html_line", "html_symbol"]


def html_symbol(lines: TaskLines, ref: Ref) -> str:
    """Return the symbol of a number as the inside of a formula."""
    return symbol(lines.named(ref), lines.n_samples)


def html_line(lines: TaskLines, line: Line) -> str:
    """Return a line: its symbol, the expression in symbols and in numbers, and the result."""

    def of(ref: Ref) -> str:
        return html_symbol(lines, ref)

    parts = [math(of(line.step.ref))]
    # as many parts as the line has in a terminal
    for symbol_of in (of, None)[: len(lines.parts(line)) - 2]:
        first, *more = pieces(line.step.expression, mathml_notation(line, symbol_of))
        parts.append(joined([f"<mo>=</mo>{first}", *more]))
    result = math(f"<mo>{'=' if line.exact else '≈'}</mo>{number(line.shown)}")
    return f'{"".join(parts)}<span class="result">{result}</span>'
