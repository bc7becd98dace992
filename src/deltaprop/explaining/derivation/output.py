"""What the output layer adds: p from the logits, the loss of a sample, and delta^L."""

from __future__ import annotations

import math

import numpy as np

from deltaprop.explaining.derivation.operands import operand, target
from deltaprop.explaining.derivation.sums import entry, shortened
from deltaprop.explaining.derivation.trees import once
from deltaprop.functional.arithmetic import evaluate, parse
from deltaprop.functional.arrays import by_formula
from deltaprop.functional.constants import rescaled
from deltaprop.functional.expressions import Call, Expression, Matrix, Operand, Sum, times
from deltaprop.functional.forms import fitting
from deltaprop.functional.outputs import OUTPUTS
from deltaprop.functional.rounding import rounding_bound
from deltaprop.model.backprop import Trace, smoothed_targets
from deltaprop.notation.ids import Ref

__all__ = [
    "BINARY_CROSS_ENTROPY",
    "CROSS_ENTROPY",
    "has_jacobian",
    "jacobian",
    "jacobian_samples",
    "loss_terms",
    "output_delta",
    "output_value",
    "through_jacobian",
    "upstream",
]

_LARGEST_EXPONENT = 690.0  # exp overflows from 709 on, and a sum of many a little before
# terms that can be written shorter for t = 0 or 1
CROSS_ENTROPY = "-(t * log(p))"
BINARY_CROSS_ENTROPY = "-(t * log(p) + (1 - t) * log(1 - p))"


def output_value(trace: Trace, ref: Ref) -> Expression:
    """Return p of one output: of its own z, or with softmax of all of them."""
    (s, j), output = ref.index, OUTPUTS[trace.network.loss.output]
    if output.arithmetic is None:
        return operand(ref, float(trace.a[-1][s, j]))
    logits = trace.z[-1][s : s + 1]
    z: Expression = Matrix(Ref("z", ref.layer, (), ref.after).id, logits, (s, 0))
    if output.is_shift_invariant and np.abs(logits).max() > _LARGEST_EXPONENT:
        z = Sum((z, _largest_logit(trace, ref, s)), (1, -1))
    forms = (output.arithmetic, *output.elsewhere)
    p = [entry(parse(formula, {"z": z}), 0, j) for formula in forms]
    return fitting(p, float(trace.a[-1][s, j])) if len(p) > 1 else p[0]


def _largest_logit(trace: Trace, ref: Ref, s: int) -> Operand:
    top = int(np.argmax(trace.z[-1][s]))
    return operand(Ref("z", len(trace.z), (s, top), ref.after), trace.z[-1][s, top])


def loss_terms(trace: Trace, ref: Ref) -> Expression:
    """Return the loss of one sample: a sum over its outputs."""
    (s,), network = ref.index, trace.network
    value = float(trace.loss_per_sample[s])
    if network.loss.arithmetic is None:
        return operand(ref, value)
    found = (_loss_term(trace, ref, j) for j in range(network.n_out))
    described = [rescaled(term, network.loss.factor) for term in found if term is not None]
    terms = [(term, evaluate(term)) for term in described]
    return shortened(terms) if terms else operand(ref, value)


def _loss_term(trace: Trace, ref: Ref, j: int) -> Expression | None:
    """Return what one output adds to the loss of its sample; None where it can be left out."""
    (s,), loss = ref.index, trace.network.loss
    assert loss.arithmetic is not None
    names, text = _names(trace, s, j, ref.after), loss.arithmetic[0]
    t = names["t"].value
    if text == CROSS_ENTROPY:
        if t == 0:
            return None
        text = "-log(p)" if t == 1 else text
        if OUTPUTS[loss.output].is_shift_invariant:
            return _by_logits(trace, ref, j, text)
    if text == BINARY_CROSS_ENTROPY and t in (0, 1):
        text = "-log(p)" if t else "-log(1 - p)"
    forms = [parse(form, names) for form in (text, *loss.elsewhere)]
    if OUTPUTS[loss.output].is_shift_invariant:
        return forms[0]  # it has no value of its own without the other outputs
    alone = loss.per_sample(*(np.array([[names[n].value]]) for n in "zt"))
    return fitting(forms, float(alone[0] / float(loss.factor)))


def _by_logits(trace: Trace, ref: Ref, j: int, text: str) -> Expression:
    """Return what the cross-entropy of one output of softmax adds: of p, or of the logits."""
    (s,) = ref.index
    names = _names(trace, s, j, ref.after)
    below, log_sum = trace.z[-1][s, j] - trace.z[-1][s].max(), _log_sum(trace, ref)
    by_logits = {**names, "top": _largest_logit(trace, ref, s), "ls": log_sum}
    forms = [parse(text, names), parse("t * (ls + (top - z))", by_logits)]
    return fitting(forms, names["t"].value * (evaluate(log_sum) - below))


def _log_sum(trace: Trace, ref: Ref) -> Expression:
    """Return ln sum_k exp(z_k - max z): 0 and more, of which others than the largest are exact."""
    (s,), layer, logits = ref.index, len(trace.z), trace.z[-1][ref.index[0]]
    top = _largest_logit(trace, ref, s)
    powers = [
        (
            parse("exp(z - t)", {"z": operand(Ref("z", layer, (s, k), ref.after), z), "t": top}),
            float(np.exp(z - top.value)),
        )
        for k, z in enumerate(logits)
    ]
    others = [power for k, power in enumerate(powers) if k != int(np.argmax(logits))]
    forms: list[Expression] = [Call("log", (shortened(powers),))]
    if others:
        series = "others - others**2 / 2 + others**3 / 3"
        forms.append(parse(series, {"others": shortened(others)}))
    return fitting(forms, math.log1p(sum(value for _, value in others)))


def has_jacobian(trace: Trace, layer: int) -> bool:
    """Return whether delta of a layer comes through the Jacobian of softmax."""
    loss = trace.network.loss
    return layer == len(trace.z) and loss.output == "softmax" and loss.by_output is not None


@once
def jacobian_samples(trace: Trace) -> list[int]:
    """Return the samples of which that is described: dl/dp may be beyond all numbers, where p is 0.

    The delta may be a number there, and is told by its own formula.
    """
    loss = trace.network.loss
    if not has_jacobian(trace, len(trace.z)):
        return []
    t = smoothed_targets(trace.network, trace.targets)
    dl_dp = by_formula(loss.by_output or "", t=t, p=trace.a[-1])
    finite = np.isfinite(np.broadcast_to(dl_dp, t.shape)).all(axis=1)
    return [int(s) for s in np.flatnonzero(finite)]


def upstream(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return dl/dp of one output: what the Jacobian of the softmax is multiplied by."""
    s, j = ref.index
    formula, names = trace.network.loss.by_output, _names(trace, s, j, False)
    assert formula is not None
    expression = parse(formula, {"t": names["t"], "p": names["p"]})
    expression = rescaled(expression, trace.network.loss.factor)
    return expression, evaluate(expression)


def jacobian(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return dp_i/dz_j = p_i ([i = j] - p_j)."""
    s, i, j = ref.index
    p = [operand(Ref("a", ref.layer, (s, k)), trace.a[-1][s, k]) for k in (i, j)]
    if i != j:
        return parse("p * (0 - q)", {"p": p[0], "q": p[1]}), p[0].value * -p[1].value
    # 1 - q is what the other outputs have: of a q that is nearly 1 it keeps its digits
    others = [k for k in range(trace.network.n_out) if k != j]
    value = p[0].value * float(trace.a[-1][s, others].sum())
    forms = [parse("p * (1 - q)", {"p": p[0], "q": p[1]})]
    if others:
        rest = [operand(Ref("a", ref.layer, (s, k)), trace.a[-1][s, k]) for k in others]
        forms.append(times(p[0], shortened([(q, q.value) for q in rest])))
    return fitting(forms, value), value


def output_delta(trace: Trace, ref: Ref) -> Expression:
    """Return dl/dz of one output of a sample, where the loss has formulas."""
    (s, j), network = ref.index, trace.network
    formula = network.loss.arithmetic
    assert formula is not None
    if formula[1]:
        own = parse(formula[1], _names(trace, s, j, False))
        return rescaled(own, network.loss.factor)
    if s not in jacobian_samples(trace):
        return operand(ref, trace.delta[-1][s, j])
    return through_jacobian(trace, ref)


def through_jacobian(trace: Trace, ref: Ref) -> Expression:
    """Return the sum over outputs of dl/dp_i dp_i/dz_j, or p_j (dl/dp_j - sum of p dl/dp)."""
    (s, j), terms, mean = ref.index, [], []
    for i in range(trace.network.n_out):
        factors = []
        for own, tell in (
            (Ref("upstream", ref.layer, (s, i)), upstream),
            (Ref("jacobian", ref.layer, (s, i, j)), jacobian),
        ):
            expression, value = tell(own, trace)
            factors.append(Operand(own.id, value, rounding_bound(expression)))
        terms.append((times(*factors), factors[0].value * factors[1].value))
        p = operand(Ref("a", ref.layer, (s, i)), trace.a[-1][s, i])
        mean.append((times(p, factors[0]), p.value * factors[0].value))
        if i == j:
            own_p, own_slope = p, factors[0]
    shorter = times(own_p, Sum((own_slope, shortened(mean)), (1, -1)))
    t = smoothed_targets(trace.network, trace.targets[s : s + 1])
    value = trace.network.loss.delta_per_sample(trace.z[-1][s : s + 1], t)[0, j]
    return fitting([shortened(terms), shorter], float(value))


def _names(trace: Trace, s: int, j: int, after: bool) -> dict[str, Operand]:
    layer = len(trace.z)
    return {
        "z": operand(Ref("z", layer, (s, j), after), trace.z[-1][s, j]),
        "p": operand(Ref("a", layer, (s, j), after), trace.a[-1][s, j]),
        "t": target(trace, s, j),
    }
