"""What the deltas and the gradients are made of."""

from __future__ import annotations

import numpy as np

from deltaprop.explaining.names import Ref
from deltaprop.explaining.operands import entering, operand, target, weighed, weight
from deltaprop.explaining.outputs import output_delta
from deltaprop.explaining.sums import shortened, times
from deltaprop.functional.arithmetic import Expression, parse
from deltaprop.model.backprop import Trace, smoothed_targets

__all__ = [
    "delta",
    "gradient",
    "input_delta",
    "jacobian",
    "penalized",
    "sample_delta",
    "shows_jacobian",
    "upstream",
]


def shows_jacobian(trace: Trace) -> bool:
    """Return whether delta^L is told through the Jacobian of softmax, too."""
    loss = trace.network.loss
    return loss.output == "softmax" and bool(np.all(trace.a[-1] > 0))


def upstream(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return dL/dp of one output: what the Jacobian of the softmax is multiplied by."""
    s, j = ref.index
    p = operand(Ref("a", ref.layer, ref.index), trace.a[-1][s, j])
    t = target(trace, s, j)
    if trace.network.loss_name == "cross_entropy":
        return parse("-(t / p)", {"t": t, "p": p}), -t.value / p.value
    return parse("p - t", {"t": t, "p": p}), p.value - t.value


def jacobian(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return dp_i/dz_j = p_i ([i = j] - p_j)."""
    s, i, j = ref.index
    p = [operand(Ref("a", ref.layer, (s, k)), trace.a[-1][s, k]) for k in (i, j)]
    formula = "p * (1 - q)" if i == j else "p * (0 - q)"
    value = p[0].value * (float(i == j) - p[1].value)
    return parse(formula, {"p": p[0], "q": p[1]}), value


def sample_delta(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return dl/dz of one sample's loss, through the whole Jacobian."""
    s, j = ref.index
    terms: list[tuple[Expression, float]] = []
    for i in range(trace.network.n_out):
        pair = (Ref("upstream", ref.layer, (s, i)), Ref("jacobian", ref.layer, (s, i, j)))
        left = operand(pair[0], upstream(pair[0], trace)[1])
        right = operand(pair[1], jacobian(pair[1], trace)[1])
        terms.append((times(left, right), left.value * right.value))
    t = smoothed_targets(trace.network, trace.targets)
    delta = trace.network.loss.delta_per_sample(trace.z[-1][s : s + 1], t[s : s + 1])
    return shortened(terms), delta[0, j]


def delta(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return delta of one neuron: from the loss, or from the layer above."""
    s, j = ref.index
    value = trace.delta[ref.layer - 1][s, j]
    if ref.layer == len(trace.z):
        inner = output_delta(trace, ref)
        return weighed(trace, s, inner), value
    factors = _arriving(trace, ref.layer, s, j)
    row = trace.network.activations[ref.layer - 1]
    if row.arithmetic is None:
        return operand(ref, value), value
    names: dict[str, Expression] = {
        "z": operand(Ref("z", ref.layer, ref.index), trace.z[ref.layer - 1][s, j]),
        "a": operand(Ref("a", ref.layer, ref.index), trace.a[ref.layer][s, j]),
    }
    factors.append(parse(row.arithmetic[1], names))
    return times(*factors), value


def input_delta(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return dL/dx of one input: what arrives where the data comes in."""
    s, i = ref.index
    return times(*_arriving(trace, 0, s, i)), trace.dx[s, i]


def _arriving(trace: Trace, layer: int, s: int, j: int) -> list[Expression]:
    """Return the factors of dL/da: the deltas above by the weights that lead there."""
    above = trace.delta[layer]
    terms: list[tuple[Expression, float]] = []
    for k in range(above.shape[1]):
        delta = operand(Ref("delta", layer + 1, (s, k)), above[s, k])
        w = weight(trace, layer + 1, j, k, False)
        terms.append((times(delta, w), delta.value * w.value))
    mask = trace.masks[layer]
    factors = [shortened(terms)]
    if mask is not None:
        factors.append(operand(Ref("mask", layer + 1, (s, j)), mask[s, j]))
    return factors


def penalized(trace: Trace) -> bool:
    """Return whether gradients have a part that no sample causes."""
    return bool(trace.network.l2 or trace.network.l1)


def gradient(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return dL/dW or dL/db: a sum over samples."""
    n, layer = len(trace.a[0]), ref.layer
    deltas = trace.delta[layer - 1]
    if ref.quantity == "db":
        (j,) = ref.index
        parts = [
            (operand(Ref("delta", layer, (s, j)), deltas[s, j]), deltas[s, j]) for s in range(n)
        ]
        return shortened(list(parts)), trace.gradients.layers[layer - 1]["b"][j]
    i, j = ref.index
    if ref.quantity == "dW" and penalized(trace):
        return _penalized_gradient(ref, trace)
    terms: list[tuple[Expression, float]] = []
    for s in range(n):
        a = entering(trace, layer, s, i, False)
        delta = operand(Ref("delta", layer, (s, j)), deltas[s, j])
        terms.append((times(a, delta), a.value * delta.value))
    return shortened(terms), trace.data_gradients.layers[layer - 1]["W"][i, j]


def _penalized_gradient(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    arrays = trace.data_gradients.layers[ref.layer - 1]
    i, j = ref.index
    w = weight(trace, ref.layer, i, j, False)
    names: dict[str, Expression] = {
        "g": operand(Ref("data_dW", ref.layer, ref.index), arrays["W"][i, j]),
        "w": w,
        "l2": operand(Ref("l2"), trace.network.l2),
        "l1": operand(Ref("l1"), trace.network.l1),
    }
    formula = "g"
    formula += " + l2 * w" if trace.network.l2 else ""
    formula += " + l1 * ((w > 0) - (w < 0))" if trace.network.l1 else ""
    return parse(formula, names), trace.gradients.layers[ref.layer - 1]["W"][i, j]
