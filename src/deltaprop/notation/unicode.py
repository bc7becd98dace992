"""Formulas on one line of Unicode: for terminals and plain text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from deltaprop.notation.digits import Line
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.naming import STANDARD, Naming
from deltaprop.notation.symbols import symbol
from deltaprop.notation.write import Notation, leaf_writer

__all__ = ["SUBSCRIPTS", "SUPERSCRIPTS", "plain_symbol", "symbol_of", "unicode_notation"]

SUPERSCRIPTS = str.maketrans("0123456789+-()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾")
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@lru_cache(maxsize=8192)
def symbol_of(ref: Ref, n_samples: int, naming: Naming = STANDARD, part: str = "") -> str:
    """Return a symbol (``symbol``): W¹₁₃; or that of a ``part`` of a whole array: "2…4"."""
    s = symbol(ref, n_samples, naming)
    # there is no raised comma: (0,1) is written ⁽⁰¹⁾, and ⁽⁹⸴¹⁰⁾
    layer = s.layer.replace(",", "" if len(s.layer) == len("(0,1)") else "⸴")
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


def plain_symbol(text: str) -> str:
    """Return a symbol as it is typed: "dE/dw5" for "∂E/∂w₅", "W(12)11" for "W^(1,2)_{11}"."""
    plain = unicodedata.normalize("NFKC", text).replace("∂", "d").replace("′", "'")
    plain = plain.replace("δ", "delta").replace("ℓ", "l")
    return re.sub(r"[\s_^{},]", "", plain)


def unicode_notation(
    line: Line, symbol: Callable[[Ref], str] | None = None, more: str = "{count} more"
) -> Notation:
    """Return how a line is written in symbols or, without ``symbol``, with its numbers put in.

    ``more`` says how many terms were left out, with {count}.
    """

    def rest(count: int, number: str) -> str:
        colon = ": " if more.isascii() else "："
        return f"[{more.format(count=f'{count:,}')}{colon}{number}]"

    of = None if symbol is None else lambda name: symbol(read_ref(name))
    leaf = leaf_writer(line, of, str, "π", rest)
    return Notation(leaf, times=" × ", power=_power, comparison=_comparison, call=_call)


def _power(base: str, exponent: str) -> str:
    """Return the exponent raised where it is a whole number."""
    if not (base[-1].isascii() or base.endswith(")")):
        base = f"({base})"  # a raised 2 beside an index would be read as one
    if exponent.isdigit():
        return base + exponent.translate(SUPERSCRIPTS)
    return f"{base}^{exponent}" if exponent.isalnum() else f"{base}^({exponent})"


def _comparison(left: str, relation: str, right: str) -> str:
    """Return the comparison in brackets: 1 where it holds, else 0."""
    relation = {">=": "≥", "<=": "≤", "==": "="}.get(relation, relation)
    return f"[{left} {relation} {right}]"


def _call(name: str, arguments: list[str]) -> str:
    inner = ", ".join(arguments)
    if name == "sqrt":
        return f"√({inner})"
    return f"|{inner}|" if name == "abs" else f"{'ln' if name == 'log' else name}({inner})"
