"""The operands of a step: numbers of a trace with their ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deltaprop.explaining.names import Ref
from deltaprop.explaining.sums import times
from deltaprop.functional.arithmetic import Expression, Operand, parse
from deltaprop.model.backprop import Trace

__all__ = ["Reading", "entering", "operand", "target", "weighed"]


def operand(ref: Ref, value: float) -> Operand:
    """Return a number as part of an expression."""
    return Operand(ref.id, float(value))


@dataclass(frozen=True)
class Reading:
    """What a layer's mathematics is told with: its arrays, and what it reads of one sample.

    Attributes
    ----------
    trace : Trace
        The pass.
    layer : int
        From 1.
    sample : int
        From 0.
    after : bool
        Whether the pass after the update is meant.
    """

    trace: Trace
    layer: int
    sample: int
    after: bool = False

    def a(self, i: int) -> Operand:
        """Return the i-th number that the layer reads."""
        return entering(self.trace, self.layer, self.sample, i, self.after)

    def parameter(self, name: str, *index: int) -> Operand:
        """Return an entry of one of the layer's arrays."""
        value = self.trace.parameters.layers[self.layer - 1][name][index]
        return operand(Ref(name, self.layer, index, self.after), value)


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
