"""Formulas on one line of Unicode: for terminals and plain text."""

from __future__ import annotations

from collections.abc import Callable

from deltaprop.explaining.digits import Line
from deltaprop.explaining.names import PER_SAMPLE, Ref, read_ref
from deltaprop.explaining.to_json import signed
from deltaprop.functional.arithmetic import Leaf, Number, Operand

__all__ = ["NOTATIONS", "SUBSCRIPTS", "SUPERSCRIPTS", "UnicodeNotation", "symbol_of"]

NOTATIONS = ("standard", "tutorial")
SUPERSCRIPTS = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_QUANTITIES = {
    "delta": "δ",
    "dW": "∂L/∂W",
    "db": "∂L/∂b",
    "data_dW": "∂Lᵈ/∂W",
    "targets": "t",
    "smoothed_targets": "t̃",
    "upstream": "∂L/∂a",
    "jacobian": "J",
    "sample_delta": "∂ℓ/∂z",
    "kept": "ã",
    "mask": "m",
    "share": "w",
    "learning_rate": "η",
    "loss": "L",
    "l2": "λ₂",
    "l1": "λ₁",
    "l2_penalty": "P₂",
    "l1_penalty": "P₁",
    "label_smoothing": "e",
    "momentum": "μ",
    "decay": "ρ",
    "epsilon": "ε",
    "beta_1": "β₁",
    "beta_2": "β₂",
    "weight_decay": "λ",
}


def symbol_of(ref: Ref, n_samples: int, notation: str = "standard") -> str:
    """Return an id as it is written on paper, counted from 1: W.1[0,2] as W¹₁₃.

    The sample is left out where there is only one. The loss of a sample is ℓ, the whole loss L. In
    the tutorial's notation a weight names the layers on both sides: W⁽⁰¹⁾₁₃.
    """
    state, _, of = ref.quantity.rpartition("_")
    if ref.quantity not in _QUANTITIES and state and of in ("W", "b"):
        text = f"{state}({of}"  # an optimizer keeps m and v for each weight
        closing = ")"
    else:
        text, closing = _QUANTITIES.get(ref.quantity, ref.quantity), ""
        text = "ℓ" if ref.quantity == "loss" and ref.index else text
    if ref.layer and notation == "tutorial" and ref.quantity.endswith("W"):
        joint = "⸴" if ref.layer > 9 else ""
        both = f"{ref.layer - 1}{joint}{ref.layer}"
        text += f"⁽{both.translate(SUPERSCRIPTS)}⁾"
    elif ref.layer:
        text += str(ref.layer).translate(SUPERSCRIPTS)
    places = [str(i + 1) for i in ref.index]
    if ref.quantity in PER_SAMPLE and n_samples == 1:
        places = places[1:]
    joint = "," if any(len(place) > 1 for place in places) else ""
    text += joint.join(places).translate(SUBSCRIPTS)
    return text + closing + ("′" if ref.after else "")


class UnicodeNotation:
    """Writes a line in symbols, or with its numbers put in."""

    stacks_quotients = False

    def __init__(self, line: Line, symbol: Callable[[Ref], str] | None = None) -> None:
        self.line = line
        self.symbol = symbol

    def leaf(self, leaf: Leaf) -> str:
        """Return the symbol of an operand, or its displayed number."""
        if isinstance(leaf, Number):
            return leaf.text
        if isinstance(leaf, Operand):
            return self.line.text(leaf) if self.symbol is None else self.symbol(read_ref(leaf.id))
        return f"[{leaf.count} more: {self.line.text(leaf)}]"

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
