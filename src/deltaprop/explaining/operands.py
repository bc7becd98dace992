"""The operands of a step: numbers of a trace with their ids."""

from __future__ import annotations

import numpy as np

from deltaprop.explaining.names import Ref
from deltaprop.explaining.sums import times
from deltaprop.functional.arithmetic import Expression, Operand, parse
from deltaprop.model.backprop import Trace

__all__ = ["entering", "operand", "target", "weighed", "weight"]


def operand(ref: Ref, value: float) -> Operand:
    """Return a number as part of an expression."""
    return Operand(ref.id, float(value))


def weight(trace: Trace, layer: int, i: int, j: int, after: bool) -> Operand:
    """Return W of a layer from neuron i to neuron j."""
    value = trace.parameters.layers[layer - 1]["W"][i, j]
    return operand(Ref("W", layer, (i, j), after), value)


def entering(trace: Trace, layer: int, s: int, i: int, after: bool) -> Operand:
    """Return what a layer reads: x, the activation below, or that times its mask."""
    value = trace.inputs[layer - 1][s, i]
    if trace.masks[layer - 1] is not None:
        return operand(Ref("kept", layer, (s, i), after), value)
    if layer == 1:
        return operand(Ref("x", 0, (s, i)), value)
    return operand(Ref("a", layer - 1, (s, i), after), value)


def target(trace: Trace, s: int, j: int) -> Operand:
    """Return what the loss compares with: the target, smoothed where the network smooths."""
    smooth, e = trace.network.loss.smooth, trace.network.label_smoothing
    if smooth is None or not e:
        return operand(Ref("targets", 0, (s, j)), trace.targets[s, j])
    smoothed = smooth(trace.targets[s : s + 1], e)
    return operand(Ref("smoothed_targets", 0, (s, j)), smoothed[0, j])


def weighed(trace: Trace, s: int, expression: Expression) -> Expression:
    """Return an expression times the share its sample has in the loss."""
    share = float(trace.shares[s])
    if share == 1:
        return expression
    if np.isclose(share * len(trace.shares), 1.0, rtol=1e-12, atol=0):
        return times(parse(f"1 / {len(trace.shares)}", {}), expression)
    return times(operand(Ref("share", 0, (s,)), share), expression)
