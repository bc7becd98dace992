"""From a trace to steps: any number of one training step, with the expression it comes from.

Nothing is computed here that the trace does not hold; an expression only says which of its
numbers were combined, and how. A step is built when it is asked for, so that a network of any
size can be asked about any of its numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from deltaprop.errors import SettingError
from deltaprop.explaining.derivation import backward, forward
from deltaprop.explaining.derivation import output as outputs
from deltaprop.explaining.derivation.trees import intermediate, intermediates_of
from deltaprop.explaining.derivation.update import DescribedUpdate
from deltaprop.explaining.derivation.update_record import Update
from deltaprop.explaining.derivation.written import AS_IN_THE_HOUSE, Written
from deltaprop.functional.expressions import Expression
from deltaprop.model.backprop import Trace
from deltaprop.model.layers import INTERMEDIATES
from deltaprop.notation.ids import Ref, array_of, belonging_to, grid, no_such_bias, read_ref
from deltaprop.notation.steps import DerivationStep

__all__ = ["Derivation"]

# what a number of the trace is made of, and what it is
_DESCRIBED: Mapping[str, Callable[[Ref, Trace], tuple[Expression, float]]] = {
    "z": forward.preactivation,
    "kept": forward.kept,
    "a": forward.activation,
    "smoothed_targets": forward.smoothed_target,
    "loss": forward.loss,
    "l2_penalty": forward.penalty,
    "l1_penalty": forward.penalty,
    "upstream": outputs.upstream,
    "jacobian": outputs.jacobian,
    "sample_delta": backward.sample_delta,
    "delta": backward.delta,
    "dx": backward.input_delta,
    **dict.fromkeys(INTERMEDIATES, forward.between),
}

_OF_NO_LAYER = ("smoothed_targets", "loss", "l2_penalty", "l1_penalty", "dx")
_THROUGH_SOFTMAX = ("upstream", "jacobian", "sample_delta")


class Derivation:
    """Any number of one training step, asked for by name."""

    def __init__(self, trace: Trace, update: Update, written: Written = AS_IN_THE_HOUSE) -> None:
        self.trace, self.update, self.written = trace, update, written
        self.new_parameters = DescribedUpdate(trace, update)

    def refs(self) -> Iterator[Ref]:
        """Yield the name of every number that is worked out, in order."""
        trace = self.trace
        n, n_layers = len(trace.a[0]), len(trace.z)
        yield from _forward_refs(trace, after=False)
        if trace.network.label_smoothing:
            yield from grid("smoothed_targets", 0, trace.targets.shape)
        yield from _loss_refs(trace, after=False)
        for layer in range(n_layers, 0, -1):
            if outputs.has_jacobian(trace, layer):
                k, told = trace.network.n_out, outputs.jacobian_samples(trace)
                for name, shape in (
                    ("upstream", (n, k)), ("jacobian", (n, k, k)), ("sample_delta", (n, k)),
                ):  # fmt: skip
                    yield from (ref for ref in grid(name, layer, shape) if ref.index[0] in told)
            yield from grid("delta", layer, trace.z[layer - 1].shape)
            if layer > 1:
                yield from _between(trace, layer, "backward")
        for layer in range(n_layers, 0, -1):
            for name, array in trace.parameters.layers[layer - 1].items():
                layer_penalized = trace.network.computing_layers[layer - 1].penalized
                if backward.penalized(trace) and name in layer_penalized:
                    yield from grid(f"data_d{name}", layer, array.shape)
                absent = trace.network.layout.lacks(layer, name)
                yield from grid(f"d{name}", layer, array.shape, absent=absent)
        yield from self.new_parameters.refs()
        yield from _forward_refs(self.update.after, after=True)
        yield from _loss_refs(self.update.after, after=True)

    def all_steps(self) -> tuple[DerivationStep, ...]:
        """Return the step of every number."""
        return tuple(self.known(ref) for ref in self.refs())

    def ancestry(self, wanted: Iterable[Ref]) -> tuple[DerivationStep, ...]:
        """Return the steps of some numbers and of everything they are made of, in order."""
        return tuple(sorted(self.made_of(wanted).values(), key=lambda step: step.ref.order()))

    def made_of(
        self, wanted: Iterable[Ref], known: Collection[Ref] = ()
    ) -> dict[Ref, DerivationStep]:
        """Return the steps of some numbers and of all that they are made of but what is known."""
        found: dict[Ref, DerivationStep] = {}
        waiting = list(wanted)
        while waiting:
            ref = waiting.pop()
            step = None if ref in known or ref in found else self.step(ref)
            if step is not None:
                found[ref] = step
                waiting += [read_ref(name) for name in step.operands if name != step.id]
        return found

    def known(self, ref: Ref) -> DerivationStep:
        """Return the step of a number that is worked out.

        Raises
        ------
        SettingError
            When there is no such number, or it is given and not worked out.
        """
        step = self.step(ref)
        if step is None:
            raise SettingError(
                f"{ref.id} is no number that is worked out here; it may be given, or misspelt. "
                f"Worked out are {', '.join(sorted({r.quantity for r in self.refs()}))}, as in "
                "dW.1[0,0]."
            )
        return step

    def step(self, ref: Ref) -> DerivationStep | None:
        """Return the step of a number; None where it is a root (an input, a weight, a setting).

        Raises
        ------
        SettingError
            When the network has no such number.
        """
        trace = self.update.after if ref.after and ref.phase == "after" else self.trace
        self._refuse_absent(ref)
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # a step too far is shown as it is
                found = self._step(ref, trace)
                return None if found is None else self.written.step(found)
        except (IndexError, KeyError, ValueError, TypeError):
            if not ref.index and ref.layer:
                raise SettingError(
                    f"{ref.id} is no single number; name one of it, such as {ref.id}[0,0]."
                ) from None
            raise SettingError(
                f"There is no {ref.id} in a network {trace.network.describe()}; samples run from 0 "
                f"to {len(trace.a[0]) - 1}, neurons from 0, layers from 1."
            ) from None

    def _refuse_absent(self, ref: Ref) -> None:
        lacking = self.trace.network.layout.lacks(ref.layer, belonging_to(ref.quantity))
        if lacking and ref.index and ref.index[-1] in lacking:
            raise no_such_bias(ref)

    def _step(self, ref: Ref, trace: Trace) -> DerivationStep | None:
        made = backward.gradient if array_of(ref.quantity) else _DESCRIBED.get(ref.quantity)
        if made is None:
            return self.new_parameters.step(ref) if ref.after else None
        in_pass = not ref.after or replace(ref, after=False).phase in ("forward", "loss")
        if (ref.layer == 0) != (ref.quantity in _OF_NO_LAYER) or not in_pass:
            raise KeyError
        if ref.quantity in _THROUGH_SOFTMAX and not (
            outputs.has_jacobian(trace, ref.layer)
            and ref.index[0] in outputs.jacobian_samples(trace)
        ):
            raise KeyError
        expression, value = made(ref, trace)
        return DerivationStep(ref, expression, float(value))

    def loss_is_of_one_sample(self) -> bool:
        """Return whether the loss of the only sample is the whole loss."""
        return forward.loss_is_of_one_sample(self.trace)


def _forward_refs(trace: Trace, after: bool) -> Iterator[Ref]:
    for layer, z in enumerate(trace.z, start=1):
        if trace.masks[layer - 1] is not None:
            yield from grid("kept", layer, trace.inputs[layer - 1].shape, after=after)
        yield from _between(trace, layer, "forward", after)
        yield from grid("z", layer, z.shape, after=after)
        yield from grid("a", layer, z.shape, after=after)


def _between(trace: Trace, layer: int, phase: str, after: bool = False) -> Iterator[Ref]:
    """Yield the numbers between that a layer's equations have names for."""
    for name in intermediates_of(trace, layer, phase):
        values = intermediate(trace, layer, name, after).values
        yield from grid(name, layer, values.shape, after=after)


def _loss_refs(trace: Trace, after: bool) -> Iterator[Ref]:
    yield from grid("loss", 0, (len(trace.shares),), after=after)
    if forward.loss_is_of_one_sample(trace):
        return
    for name in ("l2_penalty", "l1_penalty"):
        if getattr(trace, name):
            yield Ref(name, after=after)
    yield Ref("loss", after=after)
