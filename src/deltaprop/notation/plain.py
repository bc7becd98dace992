"""Formulas as plain arithmetic, which any programming language's reader evaluates."""

from __future__ import annotations

from deltaprop.functional.expressions import Leaf
from deltaprop.notation.digits import Line

__all__ = ["PlainNotation", "signed"]


class PlainNotation:
    """Arithmetic that any programming language's reader evaluates: + - * / ** and functions."""

    stacks_quotients = False

    def __init__(self, line: Line) -> None:
        self.line = line

    def leaf(self, leaf: Leaf) -> str:
        """Return the displayed number."""
        return self.line.text(leaf)

    def is_negative(self, leaf: Leaf) -> bool:
        """Return whether it starts with a minus sign."""
        return self.line.text(leaf).startswith("-")

    def parentheses(self, inner: str) -> str:
        """Return (inner)."""
        return f"({inner})"

    def sum(self, terms: list[str], signs: tuple[int, ...]) -> str:
        """Return the terms joined by + and -."""
        return signed(terms, signs)

    def product(self, factors: list[str]) -> str:
        """Return the factors joined by *."""
        return " * ".join(factors)

    def quotient(self, above: str, below: str) -> str:
        """Return above / below."""
        return f"{above} / {below}"

    def power(self, base: str, exponent: str) -> str:
        """Return base ** exponent."""
        simple = exponent.replace(".", "").isalnum()
        return f"{base} ** {exponent if simple else self.parentheses(exponent)}"

    def comparison(self, left: str, relation: str, right: str) -> str:
        """Return the comparison in parentheses; it counts as 1 or 0."""
        return f"({left} {relation} {right})"

    def call(self, name: str, arguments: list[str]) -> str:
        """Return name(arguments)."""
        return f"{name}({', '.join(arguments)})"


def signed(terms: list[str], signs: tuple[int, ...], minus: str = "-") -> str:
    """Return the terms joined by their signs."""
    text = ""
    for term, sign in zip(terms, signs, strict=True):
        joint = (" + " if sign > 0 else f" {minus} ") if text else ("" if sign > 0 else minus)
        text += joint + term
    return text
