"""Formulas on one line of Unicode: for terminals and plain text."""

from __future__ import annotations

from collections.abc import Callable

from deltaprop.functional.expressions import Leaf, Number, Operand
from deltaprop.notation.digits import Line
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.plain import signed
from deltaprop.notation.symbols import PI, symbol

__all__ = ["SUBSCRIPTS", "SUPERSCRIPTS", "UnicodeNotation", "symbol_of"]

SUPERSCRIPTS = str.maketrans("0123456789+-()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾")
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def symbol_of(ref: Ref, n_samples: int, notation: str = "standard", part: str = "") -> str:
    """Return an id as it is written on paper, counted from 1: W.1[0,2] as W¹₁₃.

    The sample is left out where there is only one. The loss of a sample is ℓ, the whole loss L. In
    the tutorial's notation a weight names the layers on both sides: W⁽⁰¹⁾₁₃. ``part`` says which
    part of a whole array is meant: "2…4".
    """
    s = symbol(ref, n_samples, notation)
    # there is no raised comma: (0,1) is written ⁽⁰¹⁾, and ⁽⁹⸴¹⁰⁾
    layer = s.layer.replace(",", "" if ref.layer < 10 else "⸴")
    places = (s.places or part).translate(SUBSCRIPTS)
    prime = "′" if s.prime else ""
    text = s.letter.text + s.letter.below.translate(SUBSCRIPTS)
    if s.summed:
        return f"Σ {text}"
    text += layer.translate(SUPERSCRIPTS) + places
    if s.derivative_of is not None:
        above = s.derivative_of.text + (places if s.both else "")
        return f"∂{above}/∂{text}{prime}"
    return f"{s.state}({text}){prime}" if s.state else text + prime


class UnicodeNotation:
    """Writes a line in symbols, or with its numbers put in.

    Parameters
    ----------
    line : Line
        What is written.
    symbol : callable, optional
        The symbol of a number; without it the displayed numbers are written.
    more : str
        How terms left out are told, with {count}.
    """

    stacks_quotients = False

    def __init__(
        self,
        line: Line,
        symbol: Callable[[Ref], str] | None = None,
        more: str = "{count} more",
    ) -> None:
        self.line = line
        self.symbol = symbol
        self.more = more

    def leaf(self, leaf: Leaf) -> str:
        """Return the symbol of an operand, or its displayed number."""
        if isinstance(leaf, Number):
            return "π" if self.symbol is not None and leaf.text == PI else leaf.text
        if isinstance(leaf, Operand):
            return self.line.text(leaf) if self.symbol is None else self.symbol(read_ref(leaf.id))
        return f"[{self.more.format(count=f'{leaf.count:,}')}: {self.line.text(leaf)}]"

    def is_negative(self, leaf: Leaf) -> bool:
        """Return whether it starts with a minus sign."""
        return self.leaf(leaf).startswith("-")

    def parentheses(self, inner: str) -> str:
        """Return (inner)."""
        return f"({inner})"

    def sum(self, terms: list[str], signs: tuple[int, ...]) -> str:
        """Return the terms joined by + and -."""
        return signed(terms, signs)

    def product(self, factors: list[str]) -> str:
        """Return the factors joined by ×."""
        return " × ".join(factors)

    def quotient(self, above: str, below: str) -> str:
        """Return above / below."""
        return f"{above} / {below}"

    def power(self, base: str, exponent: str) -> str:
        """Return the exponent raised where it is a whole number."""
        if not (base[-1].isascii() or base.endswith(")")):
            base = self.parentheses(base)  # a raised 2 beside an index would be read as one
        if exponent.isdigit():
            return base + exponent.translate(SUPERSCRIPTS)
        return f"{base}^{exponent}" if exponent.isalnum() else f"{base}^({exponent})"

    def comparison(self, left: str, relation: str, right: str) -> str:
        """Return the comparison in brackets: 1 where it holds, else 0."""
        relation = {">=": "≥", "<=": "≤", "==": "="}.get(relation, relation)
        return f"[{left} {relation} {right}]"

    def call(self, name: str, arguments: list[str]) -> str:
        """Return the function of its arguments."""
        inner = ", ".join(arguments)
        if name == "sqrt":
            return f"√({inner})"
        return f"|{inner}|" if name == "abs" else f"{'ln' if name == 'log' else name}({inner})"
