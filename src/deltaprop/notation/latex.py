"""Formulas and words in LaTeX: what pdflatex, xelatex, KaTeX and MathJax all read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache, partial

from deltaprop.notation.digits import ABSENT, Line
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.naming import STANDARD, Naming
from deltaprop.notation.symbols import symbol
from deltaprop.notation.write import Notation, leaf_writer, written

__all__ = [
    "equation_parts",
    "escaped",
    "latex_notation",
    "latex_number",
    "latex_symbol",
    "unknown_to_pdflatex",
]

_FUNCTIONS = {
    "exp": r"\exp",
    "log": r"\ln",
    "tanh": r"\tanh",
    "cos": r"\cos",
    "sin": r"\sin",
    "max": r"\max",
    "erf": r"\mathrm{erf}",  # GitHub lets no \operatorname through
}
_RELATIONS = {">=": r"\ge", "<=": r"\le", "==": "="}
_TEN = re.compile(r"[\d.]+\\times 10\^\{-?\d+\}")
_LONGEST_EXPONENT = 60  # characters of LaTeX; a longer one is read better beside exp
_TALL = re.compile(r"\\frac|\\sqrt|\^\{[^{}]*[\^_+]|\\left")

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "'": r"{'}",
    '"': r"\textquotedblright{}",
    "-": r"{-}",  # two of them would join into a dash
    "?": r"{?}",
    "!": r"{!}",
    "\u00a0": "~",
    "ᵢ": "$_{i}$",
    "ⱼ": "$_{j}$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "—": "---",
    "–": "--",
    "’": "'",
    "…": r"\dots{}",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "⊙": r"$\odot$",
    "→": r"$\to$",
    "←": r"$\leftarrow$",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "∂": r"$\partial$",
    "Σ": r"$\Sigma$",
    "α": r"$\alpha$",
    "δ": r"$\delta$",
    "ℓ": r"$\ell$",
    "η": r"$\eta$",
    "λ": r"$\lambda$",
    "φ": r"$\varphi$",
    "ω": r"$\omega$",
    "≈": r"$\approx$",
    "½": r"$\tfrac{1}{2}$",
    "−": r"$-$",
    **{c: rf"$^{{{n}}}$" for n, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{c: rf"$_{{{n}}}$" for n, c in enumerate("₀₁₂₃₄₅₆₇₈₉")},
}
_LONGEST_WORD = 16  # characters; a longer one may be broken
_NO_GLYPH = ("Cc", "Cf", "Cs", "Zl", "Zp")
_LETTERS = set("ßæÆøØåÅœŒłŁ")  # and these, that they have
_ACCENTS = set("\u0300\u0301\u0302\u0303\u0308")  # that pdflatex's default fonts put on letters


def escaped(text: str) -> str:
    """Return a text so that LaTeX prints it, whatever it holds."""
    clean = _printable(text).replace(" - ", " – ")  # a minus between words
    return "".join(_ESCAPES.get(c, c) for c in _breakable(clean))


def _breakable(text: str) -> Iterator[str]:
    """Yield the signs of a text, with places to break in words that no line has room for."""
    for word in re.split(r"( +)", text):
        for at, c in enumerate(word):
            if at and at % _LONGEST_WORD == 0:
                yield r"\hspace{0pt}"
            yield c


def unknown_to_pdflatex(text: str) -> list[str]:
    """Return the characters of a text that pdflatex has no glyph for."""
    found = (c for c in _printable(text) if ord(c) > 126 and c not in _ESCAPES)
    return sorted({c for c in found if c not in _LETTERS and not _accented(c)})


def _printable(text: str) -> str:
    # a control, a surrogate or a mark of direction has no glyph and may turn the line around
    return "".join(" " if unicodedata.category(c) in _NO_GLYPH else c for c in text)


def _accented(c: str) -> bool:
    parts = unicodedata.normalize("NFD", c)
    return len(parts) == 2 and parts[0].isascii() and parts[1] in _ACCENTS and ord(c) < 0x100


def latex_number(text: str) -> str:
    r"""Return a displayed number: 1.2e-05 as ``1.2\times 10^{-5}``."""
    if text in ("inf", "-inf"):
        return text.replace("inf", r"\infty")
    if text == "nan":
        return r"\mathrm{nan}"
    if text == ABSENT:
        return r"\text{--}"
    mantissa, e, exponent = text.partition("e")
    return rf"{mantissa}\times 10^{{{int(exponent)}}}" if e else mantissa


def latex_symbol(ref: Ref, n_samples: int, naming: Naming = STANDARD, part: str = "") -> str:
    r"""Return a symbol (``symbol``), or that of a ``part`` of a whole array: "2…4".

    ``z^{1}_{1}``, ``\delta^{2}_{1}``, ``\frac{\partial L}{\partial W^{1}_{12}}``.
    """
    s = symbol(ref, n_samples, naming)
    prime = "'" if s.prime else ""
    letter = s.letter.latex or _named(s.letter.text)
    letter += f"_{{{s.letter.below}}}" if s.letter.below else ""
    if s.summed:
        return rf"\sum {letter}"
    places = s.places or part.replace("…", r" \dots ").replace("·", r"\cdot ")
    scripts = (f"^{{{s.layer}}}" if s.layer else "") + (f"_{{{places}}}" if places else "")
    if s.derivative_of is not None:
        above = s.derivative_of.latex or s.derivative_of.text
        above += f"_{{{s.places}}}" if s.both else ""
        return rf"\frac{{\partial {above}{prime}}}{{\partial {letter}{scripts}}}"
    if s.state:
        return f"{_named(s.state)}{prime}_{{{letter}{scripts}}}"
    return f"{letter}{prime}{scripts}"


@lru_cache(maxsize=8192)
def _symbol_of(name: str, n_samples: int, naming: Naming) -> str:
    return latex_symbol(read_ref(name), n_samples, naming)


def _named(text: str) -> str:
    return text if len(text) == 1 or text.startswith("\\") else rf"\mathrm{{{escaped(text)}}}"


def latex_notation(
    line: Line,
    symbols: bool = False,
    naming: Naming = STANDARD,
    n_samples: int = 1,
    more: str = "{count} more",
    flat: bool = False,
) -> Notation:
    """Return how a line is written in symbols, or with its numbers put in.

    ``more`` says how many terms were left out, with {count}. ``flat`` writes everything on one
    level, so that a long formula may be broken anywhere.
    """

    def rest(count: int, number: str) -> str:
        return rf"[\text{{{escaped(more.format(count=f'{count:,}'))}}}: {number}]"

    def parentheses(inner: str) -> str:
        """Return (inner), as high as what stands in it."""
        is_tall = not flat and _TALL.search(inner)
        return rf"\left({inner}\right)" if is_tall else f"({inner})"

    def power(base: str, exponent: str) -> str:
        if ("^" in base or "'" in base) and not base.endswith((")", r"\right)")):
            base = parentheses(base)  # a prime is a superscript, too
        return f"{base}^{{{exponent}}}"

    def call(name: str, arguments: list[str]) -> str:
        inner = ", ".join(arguments)
        if name == "sqrt":
            return rf"\sqrt{{{inner}}}"
        if name == "abs":
            return rf"\left|{inner}\right|"
        short = len(inner) <= _LONGEST_EXPONENT and r"\frac" not in inner
        if name == "exp" and short and not flat:
            return rf"\mathrm{{e}}^{{{inner}}}"
        return f"{_FUNCTIONS[name]}{parentheses(inner)}"

    of = partial(_symbol_of, n_samples=n_samples, naming=naming) if symbols else None
    return Notation(
        leaf_writer(line, of, latex_number, r"\pi", rest),
        times=r" \cdot " if symbols else r" \times ",
        quotient=_with_slash if flat else r"\frac{{{}}}{{{}}}".format,
        power=power,
        comparison=_comparison,
        call=call,
        parentheses=parentheses,
        stacks_quotients=not flat,
    )


def _with_slash(above: str, below: str) -> str:
    """Return above / below; a power of ten below is no factor of the whole."""
    return f"{above} / ({below})" if _TEN.fullmatch(below) else f"{above} / {below}"


def _comparison(left: str, relation: str, right: str) -> str:
    """Return the comparison in brackets: 1 where it holds, else 0."""
    return f"[{left} {_RELATIONS.get(relation, relation)} {right}]"


def equation_parts(line: Line, in_symbols: Notation, in_numbers: Notation) -> list[str]:
    r"""Return what stands right of the symbol: ``= symbols``, ``= numbers``, ``= result``."""
    result = latex_number(line.shown)
    formulas = written(line, result, in_symbols, in_numbers)
    relation = "=" if line.exact else r"\approx"
    return [*(f"= {part}" for part in formulas), f"{relation} {result}"]
