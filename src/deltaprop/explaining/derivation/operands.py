"""The operands of a step: numbers of a trace with their ids."""

from __future__ import annotations

import numpy as np

from deltaprop.functional.arithmetic import parse
from deltaprop.functional.expressions import Expression, Operand, times
from deltaprop.model.backprop import Trace, smoothed_targets
from deltaprop.notation.ids import Ref

__all__ = ["operand", "target", "weighed"]


def operand(ref: Ref, value: float) -> Operand:
    """Return a number as part of an expression."""
    return Operand(ref.id, float(value))


def target(trace: Trace, s: int, j: int) -> Operand:
    """Return what the loss compares with: the target, smoothed where the network smooths."""
    t = smoothed_targets(trace.network, trace.targets[s : s + 1])
    name = "smoothed_targets" if trace.network.label_smoothing else "targets"
    return operand(Ref(name, 0, (s, j)), t[0, j])


def weighed(trace: Trace, s: int, expression: Expression) -> Expression:
    """Return an expression times the share its sample has in the loss."""
    share = float(trace.shares[s])
    if share == 1:
        return expression
    if np.isclose(share * len(trace.shares), 1.0, rtol=1e-12, atol=0):
        return times(parse(f"1 / {len(trace.shares)}", {}), expression)
    return times(operand(Ref("share", 0, (s,)), share), expression)
