"""Formulas in MathML Core: every operand is an element that carries its id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape as _escape

from deltaprop.explaining.digits import Line
from deltaprop.explaining.names import PER_SAMPLE, Ref, read_ref
from deltaprop.functional.arithmetic import (
    Expression,
    Leaf,
    Number,
    Operand,
    Product,
    Sum,
    write,
)

__all__ = [
    "MathmlNotation",
    "escape",
    "fenced",
    "math",
    "matrix",
    "number",
    "operand",
    "pieces",
    "scripts",
    "symbol",
]

_MINUS = "\u2212"
_APPLY = "<mo>\u2061</mo>"  # the invisible application of a function
_LETTERS = {
    "delta": "δ",
    "targets": "t",
    "smoothed_targets": "t̃",
    "jacobian": "J",
    "kept": "ã",
    "mask": "m",
    "share": "w",
    "learning_rate": "η",
    "loss": "L",
    "label_smoothing": "e",
    "momentum": "μ",
    "decay": "ρ",
    "epsilon": "ε",
    "weight_decay": "λ",
}
_WITH_INDEX = {
    "l2": ("λ", "2"),
    "l1": ("λ", "1"),
    "l2_penalty": ("P", "2"),
    "l1_penalty": ("P", "1"),
    "beta_1": ("β", "1"),
    "beta_2": ("β", "2"),
}
# numerator and denominator, the latter with layer and index
_DERIVATIVES = {
    "dW": ("L", "W"),
    "db": ("L", "b"),
    "data_dW": ("<msup><mi>L</mi><mi>d</mi></msup>", "W"),
    "upstream": ("L", "a"),
    "sample_delta": ("l", "z"),
}


def escape(text: str) -> str:
    """Return text for HTML, MathML and SVG; characters that XML has no place for are replaced."""
    readable = (c if c.isprintable() or c == " " else "\ufffd" for c in text)
    return _escape("".join(readable))


def math(inner: str) -> str:
    """Return a formula to stand in a line of text."""
    return f"<math>{inner}</math>"


def scripts(base: str, below: str = "", above: str = "") -> str:
    """Return a base with what stands below and above on its right."""
    if below and above:
        return f"<msubsup>{base}{below}{above}</msubsup>"
    if below:
        return f"<msub>{base}{below}</msub>"
    return f"<msup>{base}{above}</msup>" if above else base


def fenced(inner: str, left: str = "(", right: str = ")", *, grows: bool = True) -> str:
    """Return something between parentheses, brackets or bars, as tall as it is."""
    stretch = "" if grows else ' stretchy="false"'
    return f"<mrow><mo{stretch}>{left}</mo>{inner}<mo{stretch}>{right}</mo></mrow>"


def number(text: str) -> str:
    """Return a number as Python writes it: 1.5e-05 becomes 1.5 times a power of ten."""
    if text in ("inf", "-inf", "nan"):
        return {"inf": "<mi>∞</mi>", "-inf": f"<mi>{_MINUS}∞</mi>", "nan": "<mi>NaN</mi>"}[text]
    digits, _, exponent = text.replace("-", _MINUS).partition("e")
    if not exponent:
        return f"<mn>{digits}</mn>"
    power = exponent.lstrip("+").replace(_MINUS + "0", _MINUS).lstrip("0")
    return f"<mn>{digits}</mn><mo>×</mo><msup><mn>10</mn><mn>{power}</mn></msup>"


def operand(name: str, inner: str) -> str:
    """Return an operand that can be asked where it comes from."""
    tag = "mn" if inner.startswith("<mn>") and inner.count("<") == 2 else "mrow"
    content = inner[4:-5] if tag == "mn" else inner
    return f'<{tag} data-id="{escape(name)}">{content}</{tag}>'


def symbol(ref: Ref, n_samples: int, notation: str = "standard") -> str:
    """Return an id as it is written on paper, counted from 1.

    Parameters
    ----------
    ref : Ref
        Which number.
    n_samples : int
        The sample is left out where there is only one.
    notation : {"standard", "tutorial"}
        The tutorial writes the weights between two layers as W^(l,l+1).

    Returns
    -------
    str
        MathML.
    """
    places = [str(i + 1) for i in ref.index]
    if ref.quantity in PER_SAMPLE and n_samples == 1:
        places = places[1:]
    joint = "," if any(len(place) > 1 for place in places) else ""
    below = f"<mn>{joint.join(places)}</mn>" if places else ""
    above = layer_number(ref.layer, ref.quantity, notation)
    if ref.after:
        above = f"<mrow>{above}<mo>′</mo></mrow>"
    if ref.quantity in _WITH_INDEX:
        letter, index = _WITH_INDEX[ref.quantity]
        return scripts(f"<mi>{letter}</mi>", f"<mn>{index}</mn>", above)
    if ref.quantity in _DERIVATIVES:
        top, bottom = _DERIVATIVES[ref.quantity]
        top = top if top.startswith("<") else f"<mi>{top}</mi>"
        below_bar = scripts(f"<mi>{bottom}</mi>", below, above)
        return f"<mfrac><mrow><mo>∂</mo>{top}</mrow><mrow><mo>∂</mo>{below_bar}</mrow></mfrac>"
    state, _, of = ref.quantity.rpartition("_")
    if state and of in ("W", "b") and ref.quantity not in _LETTERS:
        # an optimizer keeps m and v for each weight
        inner = scripts(f"<mi>{of}</mi>", below, layer_number(ref.layer, of, notation))
        kept = scripts(f"<mi>{escape(state)}</mi>", "", "<mo>′</mo>" if ref.after else "")
        return f"<mrow>{kept}{_APPLY}{fenced(inner, grows=False)}</mrow>"
    letter = _LETTERS.get(ref.quantity, ref.quantity)
    if ref.quantity == "loss" and ref.index:
        letter = "ℓ"  # of a sample; the whole loss is L
    return scripts(f"<mi>{escape(letter)}</mi>", below, above)


def layer_number(layer: int, quantity: str, notation: str) -> str:
    """Return the number of a layer as it stands above a symbol; empty where there is none."""
    if not layer:
        return ""
    if notation == "tutorial" and quantity.endswith("W"):
        return f"<mtext>({layer - 1},{layer})</mtext>"
    return f"<mn>{layer}</mn>"


def matrix(rows: Iterable[Sequence[str]], shape: str = "") -> str:
    """Return cells in brackets, with the shape written underneath."""
    cells = "".join(f"<mtr>{''.join(f'<mtd>{cell}</mtd>' for cell in row)}</mtr>" for row in rows)
    inner = fenced(f"<mtable>{cells}</mtable>", "[", "]")
    return f"<munder>{inner}<mtext>{escape(shape)}</mtext></munder>" if shape else inner


class MathmlNotation:
    """Writes a line in symbols, or with its numbers put in.

    Parameters
    ----------
    line : Line
        What is written.
    symbol_of : callable, optional
        The symbol of a number; without it the displayed numbers are written.
    more : str
        How terms left out are told, with {count} and {number}.
    """

    stacks_quotients = True

    def __init__(
        self,
        line: Line,
        symbol_of: Callable[[Ref], str] | None = None,
        more: str = "{count} more: {number}",
    ) -> None:
        self.line = line
        self.symbol_of = symbol_of
        self.more = more

    def leaf(self, leaf: Leaf) -> str:
        """Return an operand with its id, a constant, or a rest in brackets."""
        if isinstance(leaf, Number):
            return number(leaf.text)
        if isinstance(leaf, Operand):
            inner = (
                number(self.line.text(leaf))
                if self.symbol_of is None
                else self.symbol_of(read_ref(leaf.id))
            )
            return operand(leaf.id, inner)
        before, _, behind = self.more.format(count=leaf.count, number="\0").partition("\0")
        words = [f"<mtext>{escape(text)}</mtext>" if text else "" for text in (before, behind)]
        inner = f"{words[0]}{number(self.line.text(leaf))}{words[1]}"
        return f'<mrow class="rest">{fenced(inner, "[", "]", grows=False)}</mrow>'

    def is_negative(self, leaf: Leaf) -> bool:
        """Return whether it starts with a minus sign; a rest has brackets already."""
        if isinstance(leaf, Number):
            return leaf.text.startswith("-")
        if isinstance(leaf, Operand):
            return self.symbol_of is None and self.line.text(leaf).startswith("-")
        return False

    def parentheses(self, inner: str) -> str:
        """Return (inner)."""
        return fenced(inner)

    def sum(self, terms: list[str], signs: tuple[int, ...]) -> str:
        """Return the terms joined by + and -."""
        text = ""
        for term, sign in zip(terms, signs, strict=True):
            if sign < 0:
                text += f"<mo>{_MINUS}</mo>" if text else f'<mo form="prefix">{_MINUS}</mo>'
            elif text:
                text += "<mo>+</mo>"
            text += term
        return f"<mrow>{text}</mrow>"

    def product(self, factors: list[str]) -> str:
        """Return the factors joined by a times sign."""
        return f"<mrow>{'<mo>×</mo>'.join(factors)}</mrow>"

    def quotient(self, above: str, below: str) -> str:
        """Return a fraction."""
        return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"

    def power(self, base: str, exponent: str) -> str:
        """Return a power; a base that has a superscript already gets parentheses."""
        raised = any(tag in base for tag in ("<msup>", "<msubsup>", "<mfrac>"))
        if raised and not base.startswith("<mrow><mo>("):
            base = fenced(base)
        return f"<msup><mrow>{base}</mrow><mrow>{exponent}</mrow></msup>"

    def comparison(self, left: str, relation: str, right: str) -> str:
        """Return the comparison in brackets: 1 where it holds, else 0."""
        relation = {">=": "≥", "<=": "≤", "==": "=", "<": "&lt;", ">": "&gt;"}[relation]
        return fenced(f"{left}<mo>{relation}</mo>{right}", "[", "]")

    def call(self, name: str, arguments: list[str]) -> str:
        """Return the function of its arguments."""
        inner = "<mo>,</mo>".join(arguments)
        if name == "sqrt":
            return f"<msqrt>{inner}</msqrt>"
        if name == "abs":
            return fenced(inner, "|", "|")
        shown = {"log": "ln"}.get(name, name)
        return f"<mrow><mi>{escape(shown)}</mi>{_APPLY}{fenced(inner)}</mrow>"


def pieces(expression: Expression, notation: MathmlNotation) -> list[str]:
    """Return the formula in pieces between which a line may be broken.

    Browsers do not break a formula. A long sum is broken before its signs, a product before its
    sums; a fraction stays whole.
    """
    if isinstance(expression, Sum) and len(expression.terms) > 1:
        found: list[str] = []
        for term, sign in zip(expression.terms, expression.signs, strict=True):
            if not found:
                found.append(write(Sum((term,), (sign,)), notation))
                continue
            joint = "+" if sign > 0 else _MINUS
            text = write(Sum((term,), (1,)), notation)
            found.append(f'<mo form="infix">{joint}</mo>{text}')
        return found
    if isinstance(expression, Product) and any(_is_long(f) for f in expression.factors):
        found = []
        for factor in expression.factors:
            inner = [write(Product((factor,)), notation)]
            if _is_long(factor):
                inner = pieces(factor, notation)
                inner[0] = f'<mo form="prefix">(</mo>{inner[0]}'
                inner[-1] += '<mo form="postfix">)</mo>'
            if found:
                inner[0] = f'<mo form="infix">×</mo>{inner[0]}'
            found += inner
        return found
    return [write(expression, notation)]


def _is_long(expression: Expression) -> bool:
    return isinstance(expression, Sum) and len(expression.terms) > 2
