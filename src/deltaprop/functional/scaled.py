"""Activations with a gain, as textbooks print them: tanh(z / 2), 1.7159 tanh(2/3 z)."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

__all__ = ["read_scaled", "scaled"]

_NUMBER = r"\d{1,9}(?:\.\d{1,17})?"
_SCALED = re.compile(
    rf"(?:(?P<scale>{_NUMBER})\s*\*?\s*)?(?P<name>[a-z_]+)"
    rf"\(\s*(?P<slope>{_NUMBER}(?:\s*/\s*{_NUMBER})?)\s*\*?\s*z\s*\)"
)
# 2 / (1 + exp(-z)) - 1, of Zurada, Fausett and others, is tanh(z / 2)
_CALLED = {"bipolar_sigmoid": "tanh(0.5 z)"}


def read_scaled(name: str) -> tuple[str, float, float] | None:
    """Return f, its scale and its slope of "1.7159 tanh(2/3 z)": scale f(slope z)."""
    found = _SCALED.fullmatch(_CALLED.get(name, name))
    if found is None:
        return None
    scale = float(found["scale"] or 1)
    above, _, below = found["slope"].replace(" ", "").partition("/")
    if not scale or not float(above) or float(below or 1) == 0.0:
        return None
    return found["name"], scale, float(Fraction(above) / Fraction(below or 1))


def scaled(row: Any, name: str, scale: float, slope: float) -> Any:
    """Return the row of a = scale f(slope z), called ``name``; f is that of ``row``.

    Its derivative is scale slope f'(slope z).
    """
    within, below = _written(slope), f"(a / {_written(scale)})" if scale != 1 else "a"
    in_latex = r"({}\, z)"
    factors = [_written(factor) for factor in (scale, slope) if factor != 1]

    def put(text: str, form: str = "({} * z)") -> str:
        if slope != 1:
            gained = form.format(within)
            text = re.sub(r"\bz\b", lambda _: gained, text).replace(f"({gained})", gained)
        return re.sub(r"(?<!\\)\ba\b", below, text)

    def value(text: str) -> str:
        return put(text) if scale == 1 else f"{_written(scale)} * ({put(text)})"

    def derivative(text: str) -> str:
        return " * ".join([*factors, f"({put(text)})"])

    def both(pair: Any) -> Any:
        return None if pair is None else (value(pair[0]), derivative(pair[1]))

    outer = "" if scale == 1 else rf"{_written(scale)}\, "
    return replace(
        row,
        name=name,
        f=lambda z: scale * row.f(slope * z),
        f_prime=lambda z, a: scale * slope * row.f_prime(slope * z, a / scale),
        latex=(
            outer + put(row.latex[0], in_latex),
            r" \cdot ".join([*factors, rf"\left({put(row.latex[1], in_latex)}\right)"]),
        ),
        doc=f"{row.name} with a gain",
        kinks=tuple(kink / slope for kink in row.kinks),
        arithmetic=both(row.arithmetic),
        elsewhere=(
            tuple(map(value, row.elsewhere[0])),
            tuple(map(derivative, row.elsewhere[1])),
        ),
        stably=both(row.stably),
    )


def _written(number: float) -> str:
    """Return a number in few digits, or as a fraction of small numbers, where it is that."""
    short = Fraction(number).limit_denominator(99)
    if float(f"{number:g}") == number:
        return f"{number:g}"
    return f"({short})" if float(short) == number else f"{number:.17g}"
