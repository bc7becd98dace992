"""What the deltas and the gradients are made of."""

from __future__ import annotations

from deltaprop.explaining.derivation.operands import operand, weighed, with_penalties
from deltaprop.explaining.derivation.output import output_delta, through_jacobian
from deltaprop.explaining.derivation.sums import entry
from deltaprop.explaining.derivation.trees import arriving, delta_of, entry_of, tree_of
from deltaprop.functional.expressions import Expression, Number, times
from deltaprop.model.backprop import Trace, smoothed_targets
from deltaprop.notation.ids import Ref, array_of

__all__ = [
    "delta",
    "gradient",
    "gradient_tree",
    "input_delta",
    "penalized",
    "sample_delta",
]


def sample_delta(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return dl/dz of one sample's loss, through the whole Jacobian."""
    s, j = ref.index
    t = smoothed_targets(trace.network, trace.targets)
    delta = trace.network.loss.delta_per_sample(trace.z[-1][s : s + 1], t[s : s + 1])
    return through_jacobian(trace, ref), delta[0, j]


def delta(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return delta of one neuron: from the loss, or from the layer above."""
    s, j = ref.index
    value = trace.delta[ref.layer - 1][s, j]
    if ref.layer == len(trace.z):
        if trace.network.loss.arithmetic is None:
            return operand(ref, value), value
        return weighed(trace, s, output_delta(trace, ref)), value
    row = trace.network.activations[ref.layer - 1]
    if row.arithmetic is None:
        return operand(ref, value), value
    equation = entry_of(trace, ref.layer + 1, "below", j)
    tree = entry(delta_of(trace, ref.layer, equation), s, j - equation.start)
    if trace.network.computing_layers[ref.layer - 1].activation == "identity":
        tree = times(tree, Number("1"))  # the slope of an identity that was asked for
    return tree, value


def input_delta(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return dL/dx of one input: what arrives where the data comes in."""
    s, i = ref.index
    equation = entry_of(trace, 1, "below", i)
    return entry(arriving(trace, 0, equation), s, i - equation.start), trace.dx[s, i]


def penalized(trace: Trace) -> bool:
    """Return whether gradients have a part that no sample causes."""
    return trace.network.has_penalized_gradient


def gradient(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return the gradient by an entry of an array: a sum over samples and what it moves."""
    name, layer = array_of(ref.quantity), trace.network.computing_layers[ref.layer - 1]
    gradients = trace.data_gradients.layers[ref.layer - 1][name]
    if len(ref.index) != gradients.ndim:
        raise IndexError
    value = gradients[ref.index]
    if name in layer.penalized:
        if not ref.quantity.startswith("data_") and penalized(trace):
            return _penalized_gradient(ref, name, trace)
    elif ref.quantity.startswith("data_"):
        raise KeyError
    return entry(*gradient_tree(trace, ref.layer, name, ref.index)), value


def gradient_tree(
    trace: Trace, layer: int, name: str, index: tuple[int, ...]
) -> tuple[Expression, int, int]:
    """Return the tree of the gradient by an array that has an entry, and its row and column."""
    equation = entry_of(trace, layer, name, index[0] if len(index) > 1 else 0)
    row = 0 if len(index) == 1 else index[1] if len(index) > 2 else index[0] - equation.start
    return tree_of(trace, layer, equation), row, index[-1]


def _penalized_gradient(ref: Ref, name: str, trace: Trace) -> tuple[Expression, float]:
    arrays = trace.data_gradients.layers[ref.layer - 1]
    weights = trace.parameters.layers[ref.layer - 1][name]
    g = operand(Ref(f"data_d{name}", ref.layer, ref.index), arrays[name][ref.index])
    w = operand(Ref(name, ref.layer, ref.index), weights[ref.index])
    network = trace.network
    whole = with_penalties(g, w, network.l2, network.l1, network.penalty_factor)
    return whole, trace.gradients.layers[ref.layer - 1][name][ref.index]
