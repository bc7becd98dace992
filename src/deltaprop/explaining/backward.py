"""What the deltas and the gradients are made of."""

from __future__ import annotations

from deltaprop.explaining.names import Ref, array_of
from deltaprop.explaining.operands import Reading, operand, weighed
from deltaprop.explaining.outputs import jacobian, output_delta, upstream
from deltaprop.explaining.sums import added, multiplied, shortened, times
from deltaprop.functional.arithmetic import Expression, parse
from deltaprop.model.backprop import Trace, smoothed_targets

__all__ = [
    "delta",
    "gradient",
    "input_delta",
    "penalized",
    "sample_delta",
]


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
        if trace.network.loss.arithmetic is None:
            return operand(ref, value), value
        return weighed(trace, s, output_delta(trace, ref)), value
    factors = _arriving(trace, ref.layer, s, j)
    if trace.network.numbered[ref.layer - 1].activation is None:
        return multiplied(*factors), value
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
    """Return the factors of dL/da: the deltas above by the slopes that lead there."""
    above, n_in = trace.network.numbered[layer], trace.inputs[layer].shape[1]
    at = Reading(trace, layer + 1, s)
    terms = []
    for k in above.feeds(n_in, j):
        delta = operand(Ref("delta", layer + 1, (s, k)), trace.delta[layer][s, k])
        terms.append(multiplied(delta, above.slope(n_in, j, k, at)))
    mask, factor = trace.masks[layer], above.factor(n_in)
    factors = [added(terms)] if factor is None else [factor, added(terms)]
    if mask is not None:
        factors.append(operand(Ref("mask", layer + 1, (s, j)), mask[s, j]))
    return factors


def penalized(trace: Trace) -> bool:
    """Return whether gradients have a part that no sample causes."""
    return bool(trace.network.l2 or trace.network.l1)


def gradient(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return the gradient by an entry of an array: a sum over samples and what it moves."""
    name, layer = array_of(ref.quantity), trace.network.numbered[ref.layer - 1]
    gradients = trace.data_gradients.layers[ref.layer - 1][name]
    if len(ref.index) != gradients.ndim:
        raise IndexError
    value = gradients[ref.index]
    if name in layer.penalized:
        if not ref.quantity.startswith("data_") and penalized(trace):
            return _penalized_gradient(ref, name, trace)
    elif ref.quantity.startswith("data_"):
        raise KeyError
    n_in, deltas = trace.inputs[ref.layer - 1].shape[1], trace.delta[ref.layer - 1]
    terms: list[Expression] = []
    for s in range(len(deltas)):
        at = Reading(trace, ref.layer, s)
        for j in layer.moves(n_in, name, ref.index):
            delta = operand(Ref("delta", ref.layer, (s, j)), deltas[s, j])
            part = layer.sensitivity(n_in, name, ref.index, j, at)
            terms.append(delta if part is None else multiplied(part, delta))
    factor = layer.gradient_factor(n_in, name)
    total = added(terms) if factor is None else multiplied(factor, added(terms))
    return total, value


def _penalized_gradient(ref: Ref, name: str, trace: Trace) -> tuple[Expression, float]:
    arrays = trace.data_gradients.layers[ref.layer - 1]
    w = Reading(trace, ref.layer, 0).parameter(name, *ref.index)
    names: dict[str, Expression] = {
        "g": operand(Ref(f"data_d{name}", ref.layer, ref.index), arrays[name][ref.index]),
        "w": w,
        "l2": operand(Ref("l2"), trace.network.l2),
        "l1": operand(Ref("l1"), trace.network.l1),
    }
    formula = "g"
    formula += " + l2 * w" if trace.network.l2 else ""
    formula += " + l1 * ((w > 0) - (w < 0))" if trace.network.l1 else ""
    return parse(formula, names), trace.gradients.layers[ref.layer - 1][name][ref.index]
