"""The operands of a step: numbers of a trace with their ids."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from deltaprop.functional.arithmetic import parse
from deltaprop.functional.constants import rescaled
from deltaprop.functional.expressions import Expression, Matrix, Operand, plus, times
from deltaprop.model.backprop import Trace, smoothed_targets
from deltaprop.notation.ids import Ref

__all__ = [
    "operand",
    "sign_of_entry",
    "strength",
    "target",
    "weighed",
    "with_penalties",
]


def operand(ref: Ref, value: float) -> Operand:
    """Return a number as part of an expression."""
    return Operand(ref.id, float(value))


def target(trace: Trace, s: int, j: int) -> Operand:
    """Return what the loss compares with: the target, smoothed where the network smooths."""
    t = smoothed_targets(trace.network, trace.targets[s : s + 1])
    name = "smoothed_targets" if trace.network.label_smoothing else "targets"
    return operand(Ref(name, 0, (s, j)), t[0, j])


def strength(name: str, value: float, factor: Fraction) -> Expression:
    """Return the strength of a penalty, times what a convention multiplies that by: lambda / n."""
    return rescaled(operand(Ref(name), value), factor)


def with_penalties(
    g: Expression, w: Expression, l2: float, l1: float, factor: Fraction
) -> Expression:
    """Return the gradient g by weights w with the part of the penalties in it."""
    if l2:
        g = plus(g, times(strength("l2", l2, factor), w))
    if l1:
        g = plus(g, times(strength("l1", l1, factor), sign_of(w)))
    return g


def sign_of(w: Expression) -> Expression:
    """Return the signs of weights: of an array as its values, of an entry as a formula."""
    if isinstance(w, Matrix):
        return replace(w, values=np.sign(w.values), applied="sign")
    return sign_of_entry(w)


def sign_of_entry(w: Expression) -> Expression:
    """Return the sign of a weight: 1, 0 or -1."""
    return parse("(w > 0) - (w < 0)", {"w": w})


def weighed(trace: Trace, s: int, expression: Expression) -> Expression:
    """Return an expression times the share its sample has in the loss."""
    share = float(trace.shares[s])
    if share == 1:
        return expression
    if np.isclose(share * len(trace.shares), 1.0, rtol=1e-12, atol=0):
        return times(parse(f"1 / {len(trace.shares)}", {}), expression)
    return times(operand(Ref("share", 0, (s,)), share), expression)
