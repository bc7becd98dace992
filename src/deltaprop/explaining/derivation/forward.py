"""What the forward pass and the loss are made of."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from deltaprop.explaining.derivation.operands import operand, strength, weighed
from deltaprop.explaining.derivation.output import loss_terms, output_value
from deltaprop.explaining.derivation.sums import MOST_TERMS, entry, shortened
from deltaprop.explaining.derivation.trees import entry_of, equations_of, intermediate, tree_of
from deltaprop.functional.arithmetic import parse
from deltaprop.functional.expressions import Expression, plus, times
from deltaprop.functional.forms import fitting
from deltaprop.model.backprop import Trace, smoothed_targets
from deltaprop.notation.ids import Ref

__all__ = [
    "activation",
    "between",
    "kept",
    "loss",
    "loss_is_of_one_sample",
    "penalty",
    "preactivation",
    "smoothed_target",
]


def preactivation(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return z of one neuron by the equation of its layer."""
    s, j = ref.index
    equation = entry_of(trace, ref.layer, "z", j)
    tree = tree_of(trace, ref.layer, equation, after=ref.after)
    return entry(tree, s, j - equation.start), trace.z[ref.layer - 1][s, j]


def between(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return a number between, by its own equation."""
    (equation,) = equations_of(trace, ref.layer, ref.quantity)
    tree = tree_of(trace, ref.layer, equation, after=ref.after)
    found = intermediate(trace, ref.layer, ref.quantity, ref.after).values
    return entry(tree, *ref.index), float(found[ref.index])


def kept(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return what dropout leaves of an activation."""
    s, i = ref.index
    mask = trace.masks[ref.layer - 1]
    if mask is None:
        raise KeyError
    below = Ref("x", 0, (s, i)) if ref.layer == 1 else Ref("a", ref.layer - 1, (s, i), ref.after)
    a = operand(below, trace.a[ref.layer - 1][s, i])
    left = operand(Ref("mask", ref.layer, (s, i)), mask[s, i])
    return times(a, left), trace.inputs[ref.layer - 1][s, i]


def activation(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return a of one neuron: f(z), or what the loss brings at the output."""
    s, j = ref.index
    value = trace.a[ref.layer][s, j]
    if ref.layer == len(trace.z):
        return output_value(trace, ref), value
    z = operand(Ref("z", ref.layer, ref.index, ref.after), trace.z[ref.layer - 1][s, j])
    row = trace.network.activations[ref.layer - 1]
    if row.arithmetic is None:
        return operand(ref, value), value
    forms = [parse(formula, {"z": z}) for formula in (row.arithmetic[0], *row.elsewhere[0])]
    return fitting(forms, float(value)), value


def smoothed_target(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return a target after label smoothing."""
    network = trace.network
    if not network.label_smoothing:
        raise KeyError
    names = {
        "t": operand(Ref("targets", 0, ref.index), trace.targets[ref.index]),
        "e": operand(Ref("label_smoothing"), network.label_smoothing),
    }
    spread = network.n_out if network.loss.targets == "distribution" else 2
    smoothed = smoothed_targets(network, trace.targets)
    return parse(f"(1 - e) * t + e / {spread}", names), smoothed[ref.index]


def loss(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return the loss of a sample, or the whole loss with its penalties."""
    if ref.index:
        (s,) = ref.index
        return loss_terms(trace, ref), trace.loss_per_sample[s]
    if loss_is_of_one_sample(trace):
        only = operand(Ref("loss", 0, (0,), ref.after), trace.loss_per_sample[0])
        return only, trace.loss
    terms: list[tuple[Expression, float]] = []
    for s in range(len(trace.shares)):
        own = operand(Ref("loss", 0, (s,), ref.after), trace.loss_per_sample[s])
        terms.append((weighed(trace, s, own), trace.shares[s] * own.value))
    expression = shortened(terms)
    for name in ("l2_penalty", "l1_penalty"):
        if getattr(trace, name):
            extra = operand(Ref(name, after=ref.after), getattr(trace, name))
            expression = plus(expression, extra)
    return expression, trace.loss


def penalty(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return l2/2 sum(W^2), or l1 sum|W|, over every penalized array."""
    if ref.index:
        raise IndexError
    network = trace.network
    squares = ref.quantity == "l2_penalty"
    kind, half = ("l2", Fraction(1, 2)) if squares else ("l1", Fraction(1))
    factor = strength(kind, getattr(network, kind), network.penalty_factor * half)
    slots = [slot for slot in network.layout.slots if slot.penalized]
    weights = [trace.parameters.flat[slot.start : slot.stop] for slot in slots]
    sizes = np.concatenate([w**2 if squares else np.abs(w) for w in weights])
    order = np.argsort(-sizes, kind="stable")
    if len(order) > MOST_TERMS:  # a large network has too many weights to write them all down
        order = order[: MOST_TERMS - 1]
    ends = np.cumsum([W.size for W in weights])
    terms: list[tuple[Expression, float]] = []
    for place in np.sort(order):
        which = int(np.searchsorted(ends, place, side="right"))
        slot, behind = slots[which], int(ends[which] - place)
        where = np.unravel_index(weights[which].size - behind, slot.shape)
        index = tuple(int(i) for i in where)
        w = operand(Ref(slot.name, slot.layer + 1, index, ref.after), weights[which][-behind])
        formula = parse("w**2" if squares else "abs(w)", {"w": w})
        terms.append((formula, float(sizes[place])))
    rest = float(np.delete(sizes, order).sum())
    whole = times(factor, shortened(terms, len(sizes) - len(terms), rest))
    value = trace.l2_penalty if squares else trace.l1_penalty
    return whole, value


def loss_is_of_one_sample(trace: Trace) -> bool:
    """Return whether the loss of the only sample is the whole loss."""
    return len(trace.shares) == 1 and trace.shares[0] == 1 and trace.loss == trace.data_loss
