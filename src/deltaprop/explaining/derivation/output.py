"""What the output layer adds: p from the logits, the loss of a sample, and delta^L."""

from __future__ import annotations

import numpy as np

from deltaprop.explaining.derivation.operands import operand, target
from deltaprop.explaining.derivation.sums import entry, shortened
from deltaprop.functional.arithmetic import evaluate, parse
from deltaprop.functional.expressions import Call, Expression, Matrix, Operand, Sum, times
from deltaprop.functional.outputs import OUTPUTS
from deltaprop.functional.rounding import rounding_bound
from deltaprop.model.backprop import Trace
from deltaprop.notation.ids import Ref

__all__ = [
    "has_jacobian",
    "jacobian",
    "loss_terms",
    "output_delta",
    "output_value",
    "shows_jacobian",
    "through_jacobian",
    "upstream",
]

_LARGEST_EXPONENT = 700.0  # exp overflows from 709 on
# terms that can be written shorter for t = 0 or 1, and by the logits where p is 0 or 1
_CROSS_ENTROPY = "-(t * log(p))"
_BINARY_CROSS_ENTROPY = "-(t * log(p) + (1 - t) * log(1 - p))"


def output_value(trace: Trace, ref: Ref) -> Expression:
    """Return p of one output: of its own z, or with softmax of all of them."""
    (s, j), output = ref.index, OUTPUTS[trace.network.loss.output]
    if output.arithmetic is None:
        return operand(ref, float(trace.a[-1][s, j]))
    logits = trace.z[-1][s : s + 1]
    z: Expression = Matrix(Ref("z", ref.layer, (), ref.after).id, logits, (s, 0))
    if output.is_shift_invariant and np.abs(logits).max() > _LARGEST_EXPONENT:
        z = Sum((z, _largest_logit(trace, ref, s)), (1, -1))
    return entry(parse(output.arithmetic, {"z": z}), 0, j)


def _largest_logit(trace: Trace, ref: Ref, s: int) -> Operand:
    top = int(np.argmax(trace.z[-1][s]))
    return operand(Ref("z", len(trace.z), (s, top), ref.after), trace.z[-1][s, top])


def loss_terms(trace: Trace, ref: Ref) -> Expression:
    """Return the loss of one sample: a sum over its outputs."""
    (s,), network = ref.index, trace.network
    formula = network.loss.arithmetic
    value = float(trace.loss_per_sample[s])
    if formula is None:
        return operand(ref, value)
    terms: list[tuple[Expression, float]] = []
    for j in range(network.n_out):
        names = _names(trace, s, j, ref.after)
        t, p = names["t"].value, names["p"].value
        text = formula[0]
        if text == _CROSS_ENTROPY:
            if t == 0:
                continue
            if p == 0:
                return _from_logits(trace, ref)
            text = "-log(p)" if t == 1 else text
        elif text == _BINARY_CROSS_ENTROPY:
            text = _shorter_binary(t, p)
        term = parse(text, names)
        terms.append((term, evaluate(term)))
    return shortened(terms) if terms else operand(ref, value)


def _shorter_binary(t: float, p: float) -> str:
    if p in (0.0, 1.0):
        return "log(1 + exp(z)) - t * z"
    if t == 0:
        return "-log(1 - p)"
    return "-log(p)" if t == 1 else _BINARY_CROSS_ENTROPY


def _from_logits(trace: Trace, ref: Ref) -> Expression:
    """Return cross-entropy without p, where p is too small for a float64."""
    (s,), layer, network = ref.index, len(trace.z), trace.network
    z = [
        operand(Ref("z", layer, (s, k), ref.after), trace.z[-1][s, k]) for k in range(network.n_out)
    ]
    top = _largest_logit(trace, ref, s)
    powers = [
        (parse("exp(z - top)", {"z": o, "top": top}), float(np.exp(o.value - top.value))) for o in z
    ]
    log_sum = Call("log", (shortened(powers),))
    terms: list[tuple[Expression, float]] = []
    for k, logit in enumerate(z):
        t = target(trace, s, k)
        if t.value:
            names: dict[str, Expression] = {"t": t, "ls": log_sum, "top": top, "z": logit}
            term = parse("t * (ls + top - z)", names)
            terms.append((term, evaluate(term)))
    return shortened(terms)


def has_jacobian(trace: Trace, layer: int) -> bool:
    """Return whether delta of a layer comes through the Jacobian of softmax."""
    loss = trace.network.loss
    return layer == len(trace.z) and loss.output == "softmax" and loss.by_output is not None


def shows_jacobian(trace: Trace, layer: int) -> bool:
    """Return whether that is described, too."""
    return has_jacobian(trace, layer) and bool(np.all(trace.a[-1] > 0))


def upstream(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return dl/dp of one output: what the Jacobian of the softmax is multiplied by."""
    s, j = ref.index
    formula, names = trace.network.loss.by_output, _names(trace, s, j, False)
    assert formula is not None
    expression = parse(formula, {"t": names["t"], "p": names["p"]})
    return expression, evaluate(expression)


def jacobian(ref: Ref, trace: Trace) -> tuple[Expression, float]:
    """Return dp_i/dz_j = p_i ([i = j] - p_j)."""
    s, i, j = ref.index
    p = [operand(Ref("a", ref.layer, (s, k)), trace.a[-1][s, k]) for k in (i, j)]
    formula = "p * (1 - q)" if i == j else "p * (0 - q)"
    # 1 - q is what the other outputs have: of a q that is nearly 1 it keeps its digits
    others = float(np.delete(trace.a[-1][s], j).sum()) if i == j else -p[1].value
    return parse(formula, {"p": p[0], "q": p[1]}), p[0].value * others


def output_delta(trace: Trace, ref: Ref) -> Expression:
    """Return dl/dz of one output of a sample, where the loss has formulas."""
    (s, j), network = ref.index, trace.network
    formula = network.loss.arithmetic
    assert formula is not None
    if formula[1]:
        return parse(formula[1], _names(trace, s, j, False))
    return through_jacobian(trace, ref)


def through_jacobian(trace: Trace, ref: Ref) -> Expression:
    """Return the sum over outputs of dl/dp_i dp_i/dz_j."""
    (s, j), terms = ref.index, []
    for i in range(trace.network.n_out):
        factors = []
        for own, tell in (
            (Ref("upstream", ref.layer, (s, i)), upstream),
            (Ref("jacobian", ref.layer, (s, i, j)), jacobian),
        ):
            expression, value = tell(own, trace)
            factors.append(Operand(own.id, value, rounding_bound(expression)))
        terms.append((times(*factors), factors[0].value * factors[1].value))
    return shortened(terms)


def _names(trace: Trace, s: int, j: int, after: bool) -> dict[str, Operand]:
    layer = len(trace.z)
    return {
        "z": operand(Ref("z", layer, (s, j), after), trace.z[-1][s, j]),
        "p": operand(Ref("a", layer, (s, j), after), trace.a[-1][s, j]),
        "t": target(trace, s, j),
    }
