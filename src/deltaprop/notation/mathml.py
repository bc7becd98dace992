"""Formulas in MathML Core: every operand is an element that carries its id."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from html import escape as _escape

from deltaprop.characters import readable
from deltaprop.functional.expressions import Expression, Leaf, Operand
from deltaprop.notation.digits import ABSENT, Line
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.naming import STANDARD, Naming
from deltaprop.notation.symbols import symbol as parts_of
from deltaprop.notation.write import Notation, leaf_writer, write

__all__ = [
    "BREAK",
    "escape",
    "fenced",
    "joined",
    "math",
    "mathml_notation",
    "matrix",
    "number",
    "operand",
    "pieces",
    "scripts",
    "symbol",
]

_MINUS, _SPACE, _TILDE = "\u2212", "\u00a0", "\u0303"
_NO_NUMBERS = {
    "inf": "<mi>∞</mi>", "-inf": f"<mi>{_MINUS}∞</mi>", "nan": "<mi>NaN</mi>",
    ABSENT: f"<mtext>{ABSENT}</mtext>",
}  # fmt: skip
_LEAF = re.compile(r"<(m[ni])\b[^<]*</\1>")
_SIGN = re.compile(f"^<mo>([+{_MINUS}])")  # at the start it would be the sign of what follows
_TAG = re.compile(r"<[^>]*>")
_LEFT = '<mo form="prefix" stretchy="false">(</mo>'
_RIGHT = '<mo form="postfix" stretchy="false">)</mo>'
_SHORT = 26  # characters that are never broken
_WIDEST_FRACTION = 33  # characters
_WIDEST = 28  # characters that are one piece

BREAK = "\0"  # where a formula may go on in another line
_TEN = "<mo>×</mo><msup><mn>10</mn>"  # of a number as a power of ten, which is no factor
_APPLY = "<mo>\u2061</mo>"  # the invisible application of a function


def escape(text: str) -> str:
    """Return text for HTML, MathML and SVG; characters that XML has no place for are replaced."""
    return _escape(readable(text, "\ufffd"))


def math(inner: str, kind: str = "") -> str:
    """Return a formula to stand in a line of text, with its classes."""
    attribute = f' class="{kind}"' if kind else ""
    return f"<math{attribute}>{inner}</math>"


def scripts(base: str, below: str = "", above: str = "") -> str:
    """Return a base with what stands below and above on its right."""
    if below and above:
        return f"<msubsup>{base}{below}{above}</msubsup>"
    if below:
        return f"<msub>{base}{below}</msub>"
    return f"<msup>{base}{above}</msup>" if above else base


def fenced(inner: str, left: str = "(", right: str = ")") -> str:
    """Return something between parentheses, brackets or bars; as tall as a fraction or matrix."""
    if any(tag in inner for tag in ("<mfrac", "<mtable", "<msqrt")):
        return f"<mrow><mo>{left}</mo>{inner}<mo>{right}</mo></mrow>"
    return f'<mo stretchy="false">{left}</mo>{inner}<mo stretchy="false">{right}</mo>'


def number(text: str) -> str:
    """Return a number as Python writes it: 1.5e-05 becomes 1.5 times a power of ten."""
    if text in _NO_NUMBERS:
        return _NO_NUMBERS[text]
    digits, _, exponent = text.replace("-", _MINUS).partition("e")
    if not exponent:
        return f"<mn>{digits}</mn>"
    power = exponent.lstrip("+").replace(_MINUS + "0", _MINUS).lstrip("0")
    return f"<mrow><mn>{digits}</mn><mo>×</mo><msup><mn>10</mn><mn>{power}</mn></msup></mrow>"


def operand(name: str, element: str) -> str:
    """Return an element, a number or a symbol, as one that can be asked where it comes from."""
    tag, _, rest = element.partition(">")
    return f'{tag} data-id="{escape(name)}">{rest}'


@lru_cache(maxsize=8192)
def symbol(ref: Ref, n_samples: int, naming: Naming = STANDARD, part: str = "") -> str:
    """Return a symbol (``symbols.symbol``), or that of a ``part`` of a whole array: "2…4"."""
    s = parts_of(ref, n_samples, naming)
    tag = "mn" if s.layer.isdigit() else "mtext"
    layer = f"<{tag}>{s.layer}</{tag}>" if s.layer else ""
    shown = s.places or part
    places = f"<mn>{shown}</mn>" if shown else ""
    prime = "<mo>′</mo>" if s.prime else ""
    letter, own = _letter(s.letter.text), s.letter.below
    if s.summed:
        return f"<mrow><mo>∑</mo>{letter}</mrow>"
    if s.derivative_of is not None:
        above = _letter(s.derivative_of.text)
        above = scripts(above, places if s.both else "", prime)
        below = scripts(letter, places, layer)
        return f"<mfrac><mrow><mo>∂</mo>{above}</mrow><mrow><mo>∂</mo>{below}</mrow></mfrac>"
    if s.state:
        kept = scripts(f"<mi>{escape(s.state)}</mi>", "", prime)
        inner = fenced(scripts(letter, places, layer))
        return f"<mrow>{kept}{_APPLY}{inner}</mrow>"
    above = f"<mrow>{layer}{prime}</mrow>" if prime and layer else layer or prime
    return scripts(letter, f"<mn>{own}</mn>" if own else places, above)


def _letter(text: str) -> str:
    """Return a letter; what stands over it or beside it belongs to no identifier of its own."""
    plain = unicodedata.normalize("NFD", text)
    if plain.endswith(_TILDE):
        return f'<mover accent="true"><mi>{plain[0]}</mi><mo stretchy="false">~</mo></mover>'
    if plain.endswith("ᵈ"):
        return f"<msub><mi>{plain[0]}</mi><mtext>data</mtext></msub>"
    return f"<mi>{escape(text)}</mi>"


def matrix(rows: Iterable[Sequence[str]], shape: str = "") -> str:
    """Return cells in brackets, with the shape written underneath.

    Where there is no font for mathematics browsers do not stretch the brackets: style sheets hide
    them and draw some at the table.
    """
    cells = "".join(f"<mtr>{''.join(f'<mtd>{cell}</mtd>' for cell in row)}</mtr>" for row in rows)
    left, right = (f'<mo class="bracket">{sign}</mo>' for sign in "[]")
    inner = f"<mrow>{left}<mtable>{cells}</mtable>{right}</mrow>"
    return f"<munder>{inner}<mtext>{escape(shape)}</mtext></munder>" if shape else inner


def mathml_notation(
    line: Line,
    symbol_of: Callable[[Ref], str] | None = None,
    more: str = "{count} more: {number}",
    known: Collection[str] | None = None,
) -> Notation:
    """Return how a line is written in symbols, or with its numbers put in, BREAK between pieces.

    Browsers do not break a formula. So a long one is written in pieces: broken before the signs of
    sums and, where that is not enough, of products. What is stacked or raised stays whole; a
    fraction that would be too wide is written with a slash. ``more`` says how many terms were left
    out, with {count} and {number}; ``known`` are the ids that a page can show, all if left out.
    """

    def rest(count: int, number: str) -> str:
        before, _, behind = more.format(count=count, number="\0").partition("\0")
        words = [
            f"<mtext>{escape(text).replace(' ', _SPACE)}</mtext>" if text else ""
            for text in (before, behind)
        ]
        return f'<mrow class="rest">{fenced(f"{words[0]}{number}{words[1]}", "[", "]")}</mrow>'

    of = None if symbol_of is None else lambda name: symbol_of(read_ref(name))
    write_leaf = leaf_writer(line, of, number, "<mi>π</mi>", rest)

    def leaf(of: Leaf) -> str:
        """Return an operand with its id, a constant, or a rest in brackets."""
        if isinstance(of, Operand) and (known is None or of.id in known):
            return operand(of.id, write_leaf(of))
        return write_leaf(of)

    return Notation(
        leaf,
        times=f"{BREAK}<mo>×</mo>",
        sum=_sum,
        quotient=_quotient,
        power=_power,
        comparison=_comparison,
        call=_call,
        parentheses=_parentheses,
        is_negative=lambda text: _TAG.sub("", text).startswith(_MINUS),
        stacks_quotients=True,
    )


def _parentheses(inner: str) -> str:
    """Return (inner); what is short stays together."""
    return fenced(_whole(inner)) if _width(inner) <= _SHORT else f"{_LEFT}{inner}{_RIGHT}"


def _sum(terms: list[str], signs: tuple[int, ...]) -> str:
    text = ""
    for term, sign in zip(terms, signs, strict=True):
        if text:
            text += f"{BREAK}<mo>{_MINUS if sign < 0 else '+'}</mo>"
        elif sign < 0:
            text = f'<mo form="prefix">{_MINUS}</mo>'
        # rather a break before a plus sign than within a term
        text += _whole(term) if _width(term) <= _SHORT else term
    return text


def _quotient(above: str, below: str) -> str:
    """Return a fraction; one that is wide with a slash."""
    if max(_width(above), _width(below)) <= _WIDEST_FRACTION:
        return f"<mfrac>{_one(above)}{_one(below)}</mfrac>"
    sides = [f"{_LEFT}{s}{_RIGHT}" if BREAK in s or _TEN in s else s for s in (above, below)]
    return f"{BREAK}<mo>/</mo>".join(sides)


def _power(base: str, exponent: str) -> str:
    """Return a power; a base that has a superscript already gets parentheses."""
    raised = any(tag in base for tag in ("<msup", "<msubsup", "<mfrac"))
    enclosed = base.startswith(("<mrow><mo>(", '<mo stretchy="false">('))
    if not enclosed and (raised or BREAK in base):
        if base.startswith(_LEFT) and base.endswith(_RIGHT):  # not those of exp( )
            base = base.removeprefix(_LEFT).removesuffix(_RIGHT)
        base = fenced(_whole(base))
    return f"<msup>{_one(base)}{_one(exponent)}</msup>"


def _comparison(left: str, relation: str, right: str) -> str:
    """Return the comparison in brackets: 1 where it holds, else 0."""
    relation = {">=": "≥", "<=": "≤", "==": "=", "<": "&lt;", ">": "&gt;"}[relation]
    return fenced(_whole(f"{left}<mo>{relation}</mo>{right}"), "[", "]")


def _call(name: str, arguments: list[str]) -> str:
    inner = "<mo>,</mo>".join(arguments)
    if name == "sqrt":
        return f"<msqrt>{_whole(inner)}</msqrt>"
    if name == "abs":
        return f"<mrow>{fenced(_whole(inner), '|', '|')}</mrow>"
    return f"<mi>{escape('ln' if name == 'log' else name)}</mi>{_APPLY}{_parentheses(inner)}"


def pieces(expression: Expression, notation: Notation) -> list[str]:
    """Return the formula in pieces between which a line may be broken; a short one in one piece."""
    text = write(expression, notation)
    return [_whole(text)] if _width(text) <= _WIDEST else text.split(BREAK)


def joined(found: Iterable[str]) -> str:
    """Return pieces of a formula as math elements, between which a browser may break the line."""
    return " ".join(math(_SIGN.sub(r'<mo form="infix">\1', piece)) for piece in found)


def _width(text: str) -> int:
    """Return how many characters a formula shows."""
    return len(_TAG.sub("", text))


def _whole(text: str) -> str:
    return text.replace(BREAK, "")


def _one(text: str) -> str:
    """Return elements as one element that is not broken."""
    return text if _LEAF.fullmatch(text) else f"<mrow>{_whole(text)}</mrow>"
