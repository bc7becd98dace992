"""From a trace to steps: every number of one training step with the expression it comes from.

Nothing is computed here that the trace does not hold; an expression only says which of its
numbers were combined, and how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deltaprop.explaining.expressions import (
    Arguments,
    Call,
    Expression,
    Number,
    Operand,
    Product,
    Quotient,
    Rest,
    Sum,
    operands,
)
from deltaprop.model.backprop import Trace

__all__ = ["Step", "Update", "steps_of"]

Array = npt.NDArray[np.float64]

# Longer sums show their largest terms and the rest as one number.
_MOST_TERMS = 8


@dataclass(frozen=True)
class Step:
    """One number: where it stands, what it is made of, and what it is.

    Attributes
    ----------
    id : str
        ``quantity.layer[sample,index]`` or ``quantity.layer[row,column]``, counted from 0 but for
        the layer.
    phase : {"forward", "loss", "backward", "gradient", "update", "after"}
        Which part of the step it belongs to.
    quantity : str
        z, a, loss, delta, dW, db, W, b.
    layer : int
        From 1; 0 for what belongs to the whole network.
    expression : Expression
        What it is made of.
    value : float
        What it is.
    """

    id: str
    phase: str
    quantity: str
    layer: int
    expression: Expression
    value: float

    @property
    def operands(self) -> tuple[str, ...]:
        """Return the ids of what it is made of."""
        return tuple(dict.fromkeys(operand.id for operand in operands(self.expression)))


@dataclass(frozen=True)
class Update:
    """What the optimizer did: from the trace's parameters to these.

    Attributes
    ----------
    learning_rate : float
        eta of the step.
    plain : bool
        Whether the step is exactly -eta times the gradient.
    after : Trace
        The forward (and backward) pass at the new parameters.
    train_biases : bool
        False where the step leaves the biases as they are.
    """

    learning_rate: float
    plain: bool
    after: Trace
    train_biases: bool = True


def steps_of(trace: Trace, update: Update | None = None) -> tuple[Step, ...]:
    """Return all steps in the order they are worked out.

    Parameters
    ----------
    trace : Trace
        One forward and backward pass.
    update : Update, optional
        The optimizer's step and the pass after it.

    Returns
    -------
    tuple of Step
        forward, loss, backward, gradient, update, after.
    """
    steps = [*_forward(trace, "forward", ""), *_backward(trace), *_gradients(trace)]
    if update is not None:
        steps += _update(trace, update)
        steps += _forward(update.after, "after", ".after")
    return tuple(steps)


def _at(array: Array, *index: int) -> float:
    return float(array[index])


def _shortened(terms: list[tuple[Expression, float]]) -> Sum:
    """Return the sum of the terms, the smallest gathered into one where there are many."""
    if len(terms) <= _MOST_TERMS:
        return Sum(tuple(term for term, _ in terms))
    order = sorted(range(len(terms)), key=lambda i: -abs(terms[i][1]))
    kept = sorted(order[: _MOST_TERMS - 1])
    rest = order[_MOST_TERMS - 1 :]
    shown = [terms[i][0] for i in kept]
    return Sum((*shown, Rest(len(rest), float(sum(terms[i][1] for i in rest)))))


def _dot(pairs: list[tuple[Operand, Operand]], *more: Operand) -> Sum:
    terms: list[tuple[Expression, float]] = [
        (Product((left, right)), left.value * right.value) for left, right in pairs
    ]
    return _shortened(terms + [(operand, operand.value) for operand in more])


def _weight(trace: Trace, layer: int, i: int, j: int, when: str = "") -> Operand:
    return Operand(f"W.{layer + 1}{when}[{i},{j}]", _at(trace.parameters.layers[layer]["W"], i, j))


def _input(trace: Trace, layer: int, s: int, i: int, when: str = "") -> Operand:
    """Return what layer ``layer`` + 1 reads: x, or the activation below (times its mask)."""
    name = f"x[{s},{i}]" if layer == 0 else f"a.{layer}{when}[{s},{i}]"
    return Operand(name, _at(trace.inputs[layer], s, i))


def _forward(trace: Trace, phase: str, when: str) -> Iterator[Step]:
    network, n = trace.network, len(trace.a[0])
    last = len(network.numbered) - 1
    for layer, z in enumerate(trace.z):
        for s in range(n):
            for j in range(z.shape[1]):
                pairs = [
                    (_input(trace, layer, s, i, when), _weight(trace, layer, i, j, when))
                    for i in range(trace.inputs[layer].shape[1])
                ]
                arrays = trace.parameters.layers[layer]
                bias = (
                    [Operand(f"b.{layer + 1}{when}[{j}]", _at(arrays["b"], j))]
                    if "b" in arrays
                    else []
                )
                name = f"z.{layer + 1}{when}[{s},{j}]"
                yield Step(name, phase, "z", layer + 1, _dot(pairs, *bias), _at(z, s, j))
            for j in range(z.shape[1]):
                expression = (
                    _output(trace, s, j, when)
                    if layer == last
                    else _activation(trace, layer, s, j, when)
                )
                name = f"a.{layer + 1}{when}[{s},{j}]"
                yield Step(name, phase, "a", layer + 1, expression, _at(trace.a[layer + 1], s, j))
    yield from _loss(trace, "loss" if phase == "forward" else phase, when)


def _z(trace: Trace, layer: int, s: int, j: int, when: str = "") -> Operand:
    return Operand(f"z.{layer + 1}{when}[{s},{j}]", _at(trace.z[layer], s, j))


def _p(trace: Trace, s: int, j: int, when: str = "") -> Operand:
    return Operand(f"a.{len(trace.z)}{when}[{s},{j}]", _at(trace.a[-1], s, j))


def _t(trace: Trace, s: int, j: int) -> Operand:
    """Return what the loss compares with: the target, smoothed where the network smooths."""
    if trace.network.label_smoothing:
        return Operand(f"smoothed_targets[{s},{j}]", _smoothed(trace, s, j))
    return Operand(f"targets[{s},{j}]", _at(trace.targets, s, j))


def _activation(trace: Trace, layer: int, s: int, j: int, when: str) -> Expression:
    name, z = trace.network.activations[layer].name, _z(trace, layer, s, j, when)
    return z if name == "identity" else Call(_short(name), z)


def _output(trace: Trace, s: int, j: int, when: str) -> Expression:
    last = len(trace.z) - 1
    z = _z(trace, last, s, j, when)
    match trace.network.loss.output:
        case "identity":
            return z
        case "softmax":
            exps: list[tuple[Expression, float]] = []
            for k in range(trace.network.n_out):
                other = _z(trace, last, s, k, when)
                exps.append((Call("exp", other), float(np.exp(min(other.value, 700.0)))))
            return Quotient(Call("exp", z), _shortened(exps))
        case name:
            return Call(_short(name), z)


def _loss(trace: Trace, phase: str, when: str) -> Iterator[Step]:
    n = len(trace.a[0])
    if trace.network.label_smoothing and not when:
        yield from _smoothed_targets(trace, phase)
    for s in range(n):
        expression = _loss_of_sample(trace, s, when)
        value = float(trace.loss_per_sample[s])
        yield Step(f"loss{when}[{s}]", phase, "loss", 0, expression, value)
    plain = n == 1 and trace.l2_penalty == trace.l1_penalty == 0 and trace.shares[0] == 1
    if plain:
        return
    terms: list[Expression] = []
    for s in range(n):
        loss = Operand(f"loss{when}[{s}]", float(trace.loss_per_sample[s]))
        terms.append(loss if trace.shares[s] == 1 else Product((_share(trace, s), loss)))
    for penalty in _penalties(trace, phase, when):
        yield penalty
        terms.append(Operand(penalty.id, penalty.value))
    yield Step(f"loss{when}", phase, "loss", 0, Sum(tuple(terms)), trace.loss)


def _penalties(trace: Trace, phase: str, when: str) -> Iterator[Step]:
    network = trace.network
    weights = [
        _weight(trace, layer, i, j, when)
        for layer, arrays in enumerate(trace.parameters.layers)
        for i, j in np.ndindex(arrays["W"].shape)
    ]
    if network.l2:
        squares = [(Call("square", w), w.value**2) for w in weights]
        half = Quotient(Operand("l2", network.l2), Number("2"))
        rule = Product((half, _shortened(list(squares))))
        yield Step(f"l2_penalty{when}", phase, "l2_penalty", 0, rule, trace.l2_penalty)
    if network.l1:
        sizes = [(Call("abs", w), abs(w.value)) for w in weights]
        rule = Product((Operand("l1", network.l1), _shortened(list(sizes))))
        yield Step(f"l1_penalty{when}", phase, "l1_penalty", 0, rule, trace.l1_penalty)


def _smoothed_targets(trace: Trace, phase: str) -> Iterator[Step]:
    """Yield t' = (1 - e) t + e/k; with sigmoid outputs each is one of two, so k = 2."""
    e = Operand("label_smoothing", trace.network.label_smoothing)
    k = {"cross_entropy": trace.network.n_out, "binary_cross_entropy": 2}.get(
        trace.network.loss_name
    )
    for s, j in np.ndindex(trace.targets.shape):
        t = Operand(f"targets[{s},{j}]", _at(trace.targets, s, j))
        rule: Expression = Call("smooth", Arguments((t, e)))
        if k is not None:
            kept = Product((Sum((Number("1"), e), (1, -1)), t))
            rule = Sum((kept, Quotient(e, Number(str(k)))))
        smoothed = _t(trace, s, j)
        yield Step(smoothed.id, phase, "smoothed_targets", 0, rule, smoothed.value)


def _share(trace: Trace, s: int) -> Expression:
    share = float(trace.shares[s])
    if np.isclose(share * len(trace.shares), 1.0, rtol=1e-12):
        return Quotient(Number("1"), Number(str(len(trace.shares))))
    return Operand(f"share[{s}]", share)


def _loss_of_sample(trace: Trace, s: int, when: str) -> Expression:
    network, k = trace.network, trace.network.n_out
    name = network.loss_name
    p = [_p(trace, s, j, when) for j in range(k)]
    t = [_t(trace, s, j) for j in range(k)]
    if name.startswith("half_squared_error"):
        squares: list[tuple[Expression, float]] = [
            (Call("square", Sum((t[j], p[j]), (1, -1))), (t[j].value - p[j].value) ** 2)
            for j in range(k)
        ]
        return Product((Number("1/2"), _shortened(squares)))
    if name == "cross_entropy":
        logs = [Product((t[j], Call("ln", p[j]))) for j in range(k) if t[j].value]
        single = len(logs) == 1 and max(each.value for each in t) == 1
        return Sum((logs[0].factors[1],) if single else tuple(logs), (-1,) * len(logs))
    if name == "binary_cross_entropy":
        terms: list[Expression] = []
        for j in range(k):
            if t[j].value:
                terms.append(Product((t[j], Call("ln", p[j]))))
            if t[j].value != 1:
                one = Number("1")
                rest = Sum((one, t[j]), (1, -1))
                terms.append(Product((rest, Call("ln", Sum((one, p[j]), (1, -1))))))
        return Sum(tuple(terms), (-1,) * len(terms))
    if name == "poisson":
        last = len(trace.z) - 1
        z = [_z(trace, last, s, j, when) for j in range(k)]
        return Sum(
            tuple(part for j in range(k) for part in (p[j], Product((t[j], z[j])))), (1, -1) * k
        )
    if name == "huber":
        return Sum(tuple(Call("huber", Sum((p[j], t[j]), (1, -1))) for j in range(k)))
    return Call(name, _all_of_a_sample(trace, s, when))


def _all_of_a_sample(trace: Trace, s: int, when: str = "") -> Arguments:
    last, k = len(trace.z) - 1, trace.network.n_out
    z = [_z(trace, last, s, j, when) for j in range(k)]
    return Arguments((*z, *(_t(trace, s, j) for j in range(k))))


def _backward(trace: Trace) -> Iterator[Step]:
    n, last = len(trace.a[0]), len(trace.z) - 1
    for layer in range(last, -1, -1):
        for s in range(n):
            for j in range(trace.z[layer].shape[1]):
                expression = (
                    _output_delta(trace, s, j) if layer == last else _delta(trace, layer, s, j)
                )
                name = f"delta.{layer + 1}[{s},{j}]"
                value = _at(trace.delta[layer], s, j)
                yield Step(name, "backward", "delta", layer + 1, expression, value)


def _output_delta(trace: Trace, s: int, j: int) -> Expression:
    network = trace.network
    p, t = _p(trace, s, j), _t(trace, s, j)
    difference = Sum((p, t), (1, -1))
    rule: dict[str, Callable[[], Expression]] = {
        "cross_entropy": lambda: difference,
        "binary_cross_entropy": lambda: difference,
        "half_squared_error": lambda: difference,
        "poisson": lambda: difference,
        "half_squared_error_sigmoid": lambda: Product(
            (difference, p, Sum((Number("1"), p), (1, -1)))
        ),
        "half_squared_error_softmax": lambda: _softmax_delta(trace, s, j),
        "huber": lambda: Call("clip", difference),
    }
    name = network.loss_name
    own = Call(f"∂{name}/∂z{j + 1}", _all_of_a_sample(trace, s))  # a loss somebody registered
    expression = rule.get(name, lambda: own)()
    share = float(trace.shares[s])
    return expression if share == 1 else Product((_share(trace, s), expression))


def _smoothed(trace: Trace, s: int, j: int) -> float:
    smooth = trace.network.loss.smooth
    assert smooth is not None
    return _at(smooth(trace.targets, trace.network.label_smoothing), s, j)


def _softmax_delta(trace: Trace, s: int, j: int) -> Expression:
    terms: list[tuple[Expression, float]] = []
    for k in range(trace.network.n_out):
        p, t = _p(trace, s, k), _t(trace, s, k)
        own = Number("1" if k == j else "0")
        slope = Sum((own, _p(trace, s, j)), (1, -1))
        value = (p.value - t.value) * p.value * ((k == j) - _p(trace, s, j).value)
        terms.append((Product((Sum((p, t), (1, -1)), p, slope)), value))
    return _shortened(terms)


def _delta(trace: Trace, layer: int, s: int, j: int) -> Expression:
    above = trace.delta[layer + 1]
    pairs = [
        (
            Operand(f"delta.{layer + 2}[{s},{k}]", _at(above, s, k)),
            _weight(trace, layer + 1, j, k),
        )
        for k in range(above.shape[1])
    ]
    name = trace.network.activations[layer].name
    slope: Expression = Number("1")
    if name != "identity":
        slope = Call(_short(name) + "'", _z(trace, layer, s, j))
    mask = trace.masks[layer + 1]
    kept = () if mask is None else (Operand(f"mask.{layer + 1}[{s},{j}]", _at(mask, s, j)),)
    return Product((_dot(pairs), *kept, slope))


def _gradients(trace: Trace) -> Iterator[Step]:
    network, n = trace.network, len(trace.a[0])
    for layer in range(len(trace.z) - 1, -1, -1):
        arrays = trace.gradients.layers[layer]
        n_in, n_out = arrays["W"].shape
        for i in range(n_in):
            for j in range(n_out):
                pairs = [
                    (
                        _input(trace, layer, s, i),
                        Operand(f"delta.{layer + 1}[{s},{j}]", _at(trace.delta[layer], s, j)),
                    )
                    for s in range(n)
                ]
                expression: Expression = _dot(pairs)
                weight = _weight(trace, layer, i, j)
                extra: list[Expression] = []
                if network.l2:
                    extra.append(Product((Operand("l2", network.l2), weight)))
                if network.l1:
                    extra.append(Product((Operand("l1", network.l1), Call("sign", weight))))
                if extra:
                    expression = Sum((*_dot(pairs).terms, *extra))
                name = f"dW.{layer + 1}[{i},{j}]"
                yield Step(name, "gradient", "dW", layer + 1, expression, _at(arrays["W"], i, j))
        if "b" not in arrays:
            continue
        for j in range(n_out):
            deltas = [
                Operand(f"delta.{layer + 1}[{s},{j}]", _at(trace.delta[layer], s, j))
                for s in range(n)
            ]
            value = _at(arrays["b"], j)
            yield Step(
                f"db.{layer + 1}[{j}]", "gradient", "db", layer + 1, _dot([], *deltas), value
            )


def _update(trace: Trace, update: Update) -> Iterator[Step]:
    eta = Operand("learning_rate", update.learning_rate)
    new = update.after.parameters
    for layer in range(len(trace.z) - 1, -1, -1):
        for name, old in trace.parameters.layers[layer].items():
            gradient = trace.gradients.layers[layer][name]
            for index in np.ndindex(old.shape):
                where = ",".join(str(i) for i in index)
                before = Operand(f"{name}.{layer + 1}[{where}]", _at(old, *index))
                value = _at(new.layers[layer][name], *index)
                slope = Operand(f"d{name}.{layer + 1}[{where}]", _at(gradient, *index))
                expression: Expression
                if name not in trace.network.numbered[layer].penalized and not update.train_biases:
                    expression = before
                elif update.plain:
                    expression = Sum((before, Product((eta, slope))), (1, -1))
                else:
                    change = Operand(f"update.{layer + 1}[{where}]", value - before.value)
                    expression = Sum((before, change))
                step_id = f"{name}.{layer + 1}.after[{where}]"
                yield Step(step_id, "update", name, layer + 1, expression, value)


def _short(name: str) -> str:
    return {"sigmoid": "σ"}.get(name, name)
