"""From a trace to steps: any number of one training step, with the expression it comes from.

Nothing is computed here that the trace does not hold; an expression only says which of its
numbers were combined, and how. A step is built when it is asked for, so that a network of any
size can be asked about any of its numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.explaining.names import Ref, read_ref
from deltaprop.explaining.outputs import loss_terms, output_delta, output_value
from deltaprop.explaining.sums import plus, shortened, times
from deltaprop.functional.arithmetic import Expression, Operand, leaves, parse
from deltaprop.model.backprop import Trace, smoothed_targets
from deltaprop.training.optimizers import Optimizer

__all__ = ["Derivation", "Step", "Update", "steps_of"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """One number: where it stands, what it is made of, and what it is.

    Attributes
    ----------
    ref : Ref
        Its name.
    expression : Expression
        What it is made of; for a number that no formula tells, an operand with its own id.
    value : float
        What it is.
    """

    ref: Ref
    expression: Expression
    value: float

    @property
    def id(self) -> str:
        """Return the id as text."""
        return self.ref.id

    @property
    def phase(self) -> str:
        """Return the phase: forward, loss, backward, gradient, update or after."""
        return self.ref.phase

    @property
    def quantity(self) -> str:
        """Return what kind of number it is: z, a, delta, ..."""
        return self.ref.quantity

    @property
    def operands(self) -> tuple[str, ...]:
        """Return the ids of what it is made of."""
        return tuple(dict.fromkeys(operand.id for operand in self.named_operands()))

    def named_operands(self) -> Iterator[Operand]:
        """Yield what it is made of, with values."""
        yield from (leaf for leaf in leaves(self.expression) if isinstance(leaf, Operand))


@dataclass(frozen=True)
class Update:
    """What the optimizer did: from the trace's parameters to those of ``after``.

    Attributes
    ----------
    rule : Optimizer
        The optimizer.
    learning_rate : float
        eta of the step.
    after : Trace
        The pass at the new parameters.
    state, new_state : mapping
        The optimizer's state before and after; arrays over the flat vector, and numbers.
    train_biases : bool
        False where the step leaves the biases as they are.
    """

    rule: Optimizer
    learning_rate: float
    after: Trace
    state: Mapping[str, Any] = field(default_factory=dict)
    new_state: Mapping[str, Any] = field(default_factory=dict)
    train_biases: bool = True


def steps_of(trace: Trace, update: Update | None = None) -> tuple[Step, ...]:
    """Return all steps of a small network in the order they are worked out.

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
    return Derivation(trace, update).all_steps()


class Derivation:
    """Any number of one training step, asked for by name.

    Parameters
    ----------
    trace : Trace
        One forward and backward pass.
    update : Update, optional
        The optimizer's step and the pass after it.
    """

    def __init__(self, trace: Trace, update: Update | None = None) -> None:
        self.trace = trace
        self.update = update
        self._slots = {(slot.layer, slot.name): slot for slot in trace.network.layout.slots}

    # the list

    def refs(self) -> Iterator[Ref]:
        """Yield the name of every number that is worked out, in order."""
        trace = self.trace
        yield from self._forward_refs(trace, after=False)
        n, n_layers = len(trace.a[0]), len(trace.z)
        if trace.network.label_smoothing:
            yield from _grid("smoothed_targets", 0, trace.targets.shape)
        yield from self._loss_refs(trace, after=False)
        for layer in range(n_layers, 0, -1):
            if layer == n_layers and self._shows_jacobian():
                k = trace.network.n_out
                yield from _grid("upstream", layer, (n, k))
                yield from _grid("jacobian", layer, (n, k, k))
                yield from _grid("sample_delta", layer, (n, k))
            yield from _grid("delta", layer, trace.z[layer - 1].shape)
        for layer in range(n_layers, 0, -1):
            arrays = trace.parameters.layers[layer - 1]
            if self._penalized():
                yield from _grid("data_dW", layer, arrays["W"].shape)
            for name, array in arrays.items():
                yield from _grid(f"d{name}", layer, array.shape)
        if self.update is not None:
            yield from self._update_refs()
            yield from self._forward_refs(self.update.after, after=True)
            yield from self._loss_refs(self.update.after, after=True)

    def all_steps(self) -> tuple[Step, ...]:
        """Return the step of every number."""
        return tuple(self.known(ref) for ref in self.refs())

    def ancestry(self, wanted: Iterable[Ref]) -> tuple[Step, ...]:
        """Return the steps of some numbers and of everything they are made of, in order."""
        found: dict[Ref, Step] = {}
        waiting = list(wanted)
        while waiting:
            ref = waiting.pop()
            if ref in found:
                continue
            step = self.step(ref)
            if step is not None:
                found[ref] = step
                waiting += [read_ref(name) for name in step.operands if name != step.id]
        return tuple(sorted(found.values(), key=lambda step: step.ref.order()))

    def known(self, ref: Ref) -> Step:
        """Return the step of a number that is worked out."""
        step = self.step(ref)
        if step is None:
            raise SettingError(
                f"{ref.id} is no number that is worked out here; it may be given, or misspelt. "
                f"Worked out are {', '.join(sorted({r.quantity for r in self.refs()}))}, as in "
                "dW.1[0,0]."
            )
        return step

    def step(self, ref: Ref) -> Step | None:
        """Return the step of a number; None where it is a root (an input, a weight, a setting).

        Raises
        ------
        SettingError
            When the network has no such number.
        """
        trace = self.trace
        if ref.after and ref.phase == "after":
            if self.update is None:
                raise SettingError(f"There is no {ref.id}: no update was made.")
            trace = self.update.after
        try:
            return self._step(ref, trace)
        except (IndexError, KeyError, ValueError, TypeError):
            raise SettingError(
                f"There is no {ref.id} in a network {trace.network.describe()}; samples run from 0 "
                f"to {len(trace.a[0]) - 1}."
            ) from None

    def _step(self, ref: Ref, trace: Trace) -> Step | None:
        make = {
            "z": self._z,
            "kept": self._kept,
            "a": self._a,
            "smoothed_targets": self._smoothed_target,
            "loss": self._loss,
            "l2_penalty": self._penalty,
            "l1_penalty": self._penalty,
            "upstream": self._upstream,
            "jacobian": self._jacobian,
            "sample_delta": self._sample_delta,
            "delta": self._delta,
            "data_dW": self._gradient,
            "dW": self._gradient,
            "db": self._gradient,
        }.get(ref.quantity)
        if make is not None:
            expression, value = make(ref, trace)
            return Step(ref, expression, float(value))
        if ref.after:
            return self._updated(ref)
        return None

    # operands

    def operand(self, ref: Ref, value: float) -> Operand:
        """Return a number as part of an expression."""
        return Operand(ref.id, float(value))

    def _weight(self, trace: Trace, layer: int, i: int, j: int, after: bool) -> Operand:
        value = trace.parameters.layers[layer - 1]["W"][i, j]
        return self.operand(Ref("W", layer, (i, j), after), value)

    def _input(self, trace: Trace, layer: int, s: int, i: int, after: bool) -> Operand:
        """Return what a layer reads: x, the activation below, or that times its mask."""
        value = trace.inputs[layer - 1][s, i]
        if trace.masks[layer - 1] is not None:
            return self.operand(Ref("kept", layer, (s, i), after), value)
        if layer == 1:
            return self.operand(Ref("x", 0, (s, i)), value)
        return self.operand(Ref("a", layer - 1, (s, i), after), value)

    def _weighed(self, trace: Trace, s: int, expression: Expression) -> Expression:
        """Return an expression times the share its sample has in the loss."""
        share = float(trace.shares[s])
        if share == 1:
            return expression
        if np.isclose(share * len(trace.shares), 1.0, rtol=1e-12, atol=0):
            return times(parse(f"1 / {len(trace.shares)}", {}), expression)
        return times(self.operand(Ref("share", 0, (s,)), share), expression)

    # forward

    def _z(self, ref: Ref, trace: Trace) -> tuple[Expression, float]:
        s, j = ref.index
        n_in = trace.inputs[ref.layer - 1].shape[1]
        terms = [
            (
                self._input(trace, ref.layer, s, i, ref.after),
                self._weight(trace, ref.layer, i, j, ref.after),
            )
            for i in range(n_in)
        ]
        products = [(times(*pair), pair[0].value * pair[1].value) for pair in terms]
        bias = trace.parameters.layers[ref.layer - 1].get("b")
        if bias is not None:
            b = self.operand(Ref("b", ref.layer, (j,), ref.after), bias[j])
            return plus(shortened(products), b), trace.z[ref.layer - 1][s, j]
        return shortened(products), trace.z[ref.layer - 1][s, j]

    def _kept(self, ref: Ref, trace: Trace) -> tuple[Expression, float]:
        s, i = ref.index
        mask = trace.masks[ref.layer - 1]
        assert mask is not None
        below = (
            Ref("x", 0, (s, i)) if ref.layer == 1 else Ref("a", ref.layer - 1, (s, i), ref.after)
        )
        a = self.operand(below, trace.a[ref.layer - 1][s, i])
        kept = self.operand(Ref("mask", ref.layer, (s, i)), mask[s, i])
        return times(a, kept), trace.inputs[ref.layer - 1][s, i]

    def _a(self, ref: Ref, trace: Trace) -> tuple[Expression, float]:
        s, j = ref.index
        value = trace.a[ref.layer][s, j]
        if ref.layer == len(trace.z):
            return output_value(self, trace, ref), value
        z = self.operand(Ref("z", ref.layer, ref.index, ref.after), trace.z[ref.layer - 1][s, j])
        row = trace.network.activations[ref.layer - 1]
        if row.arithmetic is None:
            return self.operand(ref, value), value
        return parse(row.arithmetic[0], {"z": z}), value

    # loss

    def _smoothed_target(self, ref: Ref, trace: Trace) -> tuple[Expression, float]:
        network, smooth = trace.network, trace.network.loss.smooth
        assert smooth is not None
        names = {
            "t": self.operand(Ref("targets", 0, ref.index), trace.targets[ref.index]),
            "e": self.operand(Ref("label_smoothing"), network.label_smoothing),
        }
        spread = network.n_out if network.loss.targets == "distribution" else 2
        smoothed = smooth(trace.targets, network.label_smoothing)
        return parse(f"(1 - e) * t + e / {spread}", names), smoothed[ref.index]

    def _loss(self, ref: Ref, trace: Trace) -> tuple[Expression, float]:
        if ref.index:
            (s,) = ref.index
            return loss_terms(self, trace, ref), trace.loss_per_sample[s]
        if self._loss_is_of_one_sample(trace):
            only = self.operand(Ref("loss", 0, (0,), ref.after), trace.loss_per_sample[0])
            return only, trace.loss
        terms: list[tuple[Expression, float]] = []
        for s in range(len(trace.shares)):
            loss = self.operand(Ref("loss", 0, (s,), ref.after), trace.loss_per_sample[s])
            weighed = self._weighed(trace, s, loss)
            terms.append((weighed, trace.shares[s] * loss.value))
        expression = shortened(terms)
        for name in ("l2_penalty", "l1_penalty"):
            if getattr(trace, name):
                penalty = self.operand(Ref(name, after=ref.after), getattr(trace, name))
                expression = plus(expression, penalty)
        return expression, trace.loss

    def _penalty(self, ref: Ref, trace: Trace) -> tuple[Expression, float]:
        network = trace.network
        squares = ref.quantity == "l2_penalty"
        strength = network.l2 if squares else network.l1
        factor = self.operand(Ref("l2" if squares else "l1"), strength)
        terms: list[tuple[Expression, float]] = []
        for layer, arrays in enumerate(trace.parameters.layers, start=1):
            for i, j in np.ndindex(arrays["W"].shape):
                w = self._weight(trace, layer, i, j, ref.after)
                formula = parse("w**2" if squares else "abs(w)", {"w": w})
                terms.append((formula, w.value**2 if squares else abs(w.value)))
        names = {"l": factor, "all": shortened(terms)}
        value = trace.l2_penalty if squares else trace.l1_penalty
        return parse("l / 2 * all" if squares else "l * all", names), value

    def loss_is_of_one_sample(self) -> bool:
        """Return whether the loss of the only sample is the whole loss."""
        return self._loss_is_of_one_sample(self.trace)

    def _loss_is_of_one_sample(self, trace: Trace) -> bool:
        return len(trace.shares) == 1 and trace.shares[0] == 1 and trace.loss == trace.data_loss

    # backward

    def _shows_jacobian(self) -> bool:
        loss = self.trace.network.loss
        return loss.output == "softmax" and bool(np.all(self.trace.a[-1] > 0))

    def _upstream(self, ref: Ref, trace: Trace) -> tuple[Expression, float]:
        """Return dL/dp of one output: what the Jacobian of the softmax is multiplied by."""
        s, j = ref.index
        p = self.operand(Ref("a", ref.layer, ref.index), trace.a[-1][s, j])
        t = self.target(trace, s, j)
        if trace.network.loss_name == "cross_entropy":
            return parse("-(t / p)", {"t": t, "p": p}), -t.value / p.value
        return parse("p - t", {"t": t, "p": p}), p.value - t.value

    def _jacobian(self, ref: Ref, trace: Trace) -> tuple[Expression, float]:
        """Return dp_i/dz_j = p_i ([i = j] - p_j)."""
        s, i, j = ref.index
        p = [self.operand(Ref("a", ref.layer, (s, k)), trace.a[-1][s, k]) for k in (i, j)]
        formula = "p * (1 - q)" if i == j else "p * (0 - q)"
        value = p[0].value * (float(i == j) - p[1].value)
        return parse(formula, {"p": p[0], "q": p[1]}), value

    def _sample_delta(self, ref: Ref, trace: Trace) -> tuple[Expression, float]:
        """Return dl/dz of one sample's loss, through the whole Jacobian."""
        s, j = ref.index
        terms: list[tuple[Expression, float]] = []
        for i in range(trace.network.n_out):
            pair = (Ref("upstream", ref.layer, (s, i)), Ref("jacobian", ref.layer, (s, i, j)))
            left = self.operand(pair[0], self._upstream(pair[0], trace)[1])
            right = self.operand(pair[1], self._jacobian(pair[1], trace)[1])
            terms.append((times(left, right), left.value * right.value))
        t = smoothed_targets(trace.network, trace.targets)
        delta = trace.network.loss.delta_per_sample(trace.z[-1][s : s + 1], t[s : s + 1])
        return shortened(terms), delta[0, j]

    def target(self, trace: Trace, s: int, j: int) -> Operand:
        """Return what the loss compares with: the target, smoothed where the network smooths."""
        smooth, e = trace.network.loss.smooth, trace.network.label_smoothing
        if smooth is None or not e:
            return self.operand(Ref("targets", 0, (s, j)), trace.targets[s, j])
        smoothed = smooth(trace.targets[s : s + 1], e)
        return self.operand(Ref("smoothed_targets", 0, (s, j)), smoothed[0, j])

    def _delta(self, ref: Ref, trace: Trace) -> tuple[Expression, float]:
        s, j = ref.index
        value = trace.delta[ref.layer - 1][s, j]
        if ref.layer == len(trace.z):
            inner = output_delta(self, trace, ref)
            return self._weighed(trace, s, inner), value
        above = trace.delta[ref.layer]
        terms: list[tuple[Expression, float]] = []
        for k in range(above.shape[1]):
            delta = self.operand(Ref("delta", ref.layer + 1, (s, k)), above[s, k])
            w = self._weight(trace, ref.layer + 1, j, k, False)
            terms.append((times(delta, w), delta.value * w.value))
        factors: list[Expression] = [shortened(terms)]
        mask = trace.masks[ref.layer]
        if mask is not None:
            factors.append(self.operand(Ref("mask", ref.layer + 1, (s, j)), mask[s, j]))
        row = trace.network.activations[ref.layer - 1]
        if row.arithmetic is None:
            return self.operand(ref, value), value
        names: dict[str, Expression] = {
            "z": self.operand(Ref("z", ref.layer, ref.index), trace.z[ref.layer - 1][s, j]),
            "a": self.operand(Ref("a", ref.layer, ref.index), trace.a[ref.layer][s, j]),
        }
        factors.append(parse(row.arithmetic[1], names))
        return times(*factors), value

    # gradients

    def _penalized(self) -> bool:
        return bool(self.trace.network.l2 or self.trace.network.l1)

    def _gradient(self, ref: Ref, trace: Trace) -> tuple[Expression, float]:
        n, layer = len(trace.a[0]), ref.layer
        deltas = trace.delta[layer - 1]
        if ref.quantity == "db":
            (j,) = ref.index
            parts = [
                (self.operand(Ref("delta", layer, (s, j)), deltas[s, j]), deltas[s, j])
                for s in range(n)
            ]
            return shortened(list(parts)), trace.gradients.layers[layer - 1]["b"][j]
        i, j = ref.index
        if ref.quantity == "dW" and self._penalized():
            return self._penalized_gradient(ref, trace)
        terms: list[tuple[Expression, float]] = []
        for s in range(n):
            a = self._input(trace, layer, s, i, False)
            delta = self.operand(Ref("delta", layer, (s, j)), deltas[s, j])
            terms.append((times(a, delta), a.value * delta.value))
        return shortened(terms), trace.data_gradients.layers[layer - 1]["W"][i, j]

    def _penalized_gradient(self, ref: Ref, trace: Trace) -> tuple[Expression, float]:
        arrays = trace.data_gradients.layers[ref.layer - 1]
        i, j = ref.index
        w = self._weight(trace, ref.layer, i, j, False)
        names: dict[str, Expression] = {
            "g": self.operand(Ref("data_dW", ref.layer, ref.index), arrays["W"][i, j]),
            "w": w,
            "l2": self.operand(Ref("l2"), trace.network.l2),
            "l1": self.operand(Ref("l1"), trace.network.l1),
        }
        formula = "g"
        formula += " + l2 * w" if trace.network.l2 else ""
        formula += " + l1 * ((w > 0) - (w < 0))" if trace.network.l1 else ""
        return parse(formula, names), trace.gradients.layers[ref.layer - 1]["W"][i, j]

    # update

    def _state_names(self) -> list[str]:
        assert self.update is not None
        return [n for n, v in self.update.new_state.items() if isinstance(v, np.ndarray)]

    def _update_refs(self) -> Iterator[Ref]:
        assert self.update is not None
        for layer in range(len(self.trace.z), 0, -1):
            for name, array in self.trace.parameters.layers[layer - 1].items():
                moves = name == "W" or self.update.train_biases
                if moves and self._formulas(name) is not None:
                    for state in self._state_names():
                        yield from _grid(f"{state}_{name}", layer, array.shape, after=True)
                yield from _grid(name, layer, array.shape, after=True)

    def _formulas(self, name: str) -> dict[str, str] | None:
        """Return the optimizer's formulas for an array, or None where it does not tell them."""
        assert self.update is not None
        tell = getattr(self.update.rule, "arithmetic", None)
        if tell is None:
            return None
        penalized = any(s.penalized for s in self._slots.values() if s.name == name)
        return dict(tell(penalized))

    def _updated(self, ref: Ref) -> Step:
        update = self.update
        if update is None:
            raise SettingError(f"There is no {ref.id}: no update was made.")
        state, _, name = ref.quantity.rpartition("_")
        slot = self._slots[(ref.layer - 1, name)]
        if len(ref.index) != len(slot.shape):
            raise IndexError
        place = slot.start + int(np.ravel_multi_index(ref.index, slot.shape))
        old = float(self.trace.parameters.flat[place])
        new = float(update.after.parameters.flat[place])
        value = float(update.new_state[state][place]) if state else new
        before = self.operand(Ref(name, ref.layer, ref.index), old)
        if name != "W" and not update.train_biases:
            return Step(ref, before, value)
        formulas = self._formulas(name)
        if formulas is None:
            return Step(ref, self.operand(ref, value), value)
        names: dict[str, Expression] = {
            "w": before,
            "g": self.operand(
                Ref(f"d{name}", ref.layer, ref.index), self.trace.gradients.flat[place]
            ),
            "learning_rate": self.operand(Ref("learning_rate"), update.learning_rate),
            **self._hyperparameters(),
        }
        # a state that was set before this one is meant with its new value
        fresh = list(formulas)[: list(formulas).index(state or "w")]
        for key in self._state_names():
            values = update.new_state if key in fresh else update.state
            own = Ref(f"{key}_{name}", ref.layer, ref.index, after=key in fresh)
            names[key] = self.operand(own, values[key][place])
        return Step(ref, parse(formulas[state or "w"], names), value)

    def _hyperparameters(self) -> dict[str, Expression]:
        assert self.update is not None
        rule = self.update.rule
        numbers = {
            item.name: getattr(rule, item.name)
            for item in fields(rule)  # type: ignore[arg-type]
            if item.name != "learning_rate"
        }
        numbers |= {n: v for n, v in self.update.new_state.items() if not isinstance(v, np.ndarray)}
        return {
            name: self.operand(Ref(name), float(value))
            for name, value in numbers.items()
            if isinstance(value, int | float)
        }

    # the list, in detail

    def _forward_refs(self, trace: Trace, after: bool) -> Iterator[Ref]:
        for layer, z in enumerate(trace.z, start=1):
            if trace.masks[layer - 1] is not None:
                yield from _grid("kept", layer, trace.inputs[layer - 1].shape, after=after)
            yield from _grid("z", layer, z.shape, after=after)
            yield from _grid("a", layer, z.shape, after=after)

    def _loss_refs(self, trace: Trace, after: bool) -> Iterator[Ref]:
        yield from _grid("loss", 0, (len(trace.shares),), after=after)
        if self._loss_is_of_one_sample(trace):
            return
        for name in ("l2_penalty", "l1_penalty"):
            if getattr(trace, name):
                yield Ref(name, after=after)
        yield Ref("loss", after=after)


def _grid(name: str, layer: int, shape: tuple[int, ...], after: bool = False) -> Iterator[Ref]:
    for index in np.ndindex(shape):
        yield Ref(name, layer, tuple(int(i) for i in index), after)
