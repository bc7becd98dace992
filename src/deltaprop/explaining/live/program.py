"""A step as data: its given numbers, and the equations that everything else comes from.

The equations are those of the layers, registry rows and the optimizer, as trees of arrays; a page
works them out in float64, and says each line from the same tree (``*.js`` beside this file).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.explaining.derivation.output import BINARY_CROSS_ENTROPY, CROSS_ENTROPY
from deltaprop.explaining.derivation.trees import (
    arriving,
    delta_of,
    equations_of,
    intermediate,
    intermediates_of,
    rows_of,
    tree_of,
)
from deltaprop.explaining.derivation.update import moves, with_signs
from deltaprop.explaining.live.plain_trees import Plain, plain, plain_formula
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.functional.activations import ACTIVATIONS, Activation
from deltaprop.functional.arithmetic import parse
from deltaprop.functional.expressions import Expression, Matrix, Operand
from deltaprop.functional.losses import LOSSES
from deltaprop.functional.normal import erfc_series
from deltaprop.functional.outputs import OUTPUTS
from deltaprop.model.backprop import Trace
from deltaprop.model.layers import ParametricActivation
from deltaprop.model.parameters import Slot
from deltaprop.notation.ids import Ref
from deltaprop.training.optimizers import hyperparameters

__all__ = ["program", "reason_against"]

Array = npt.NDArray[np.float64]

_MOST_BYTES = 160_000  # of parameters that a page carries: with more it were beyond a megabyte

_MANY = 200  # numbers that are shorter as bytes
_WRITTEN = {CROSS_ENTROPY: "cross_entropy", BINARY_CROSS_ENTROPY: "binary_cross_entropy"}

# where an array belongs, its shape, its first row or column, the one behind its last, its tree
Assignment = tuple[str, list[int], int, int, Plain]


def reason_against(worked: WorkedStep) -> tuple[str, dict[str, str]] | None:
    """Return why the numbers of a step cannot be worked out in a page: a key of the wording.

    None where they can.
    """
    network, update = worked.trace.network, worked.update
    for row in network.activations:
        if row.arithmetic is None:
            return "live without formula", {"name": row.name}
    if network.loss.arithmetic is None or OUTPUTS[network.loss.output].arithmetic is None:
        return "live without formula", {"name": network.loss_name}
    if getattr(update.rule, "arithmetic", None) is None:
        return "live without formula", {"name": type(update.rule).__name__}
    carried = [worked.trace.parameters.flat, *_states(worked).values()]
    if sum(_bytes(array) for array in carried) > _MOST_BYTES:
        return "live too large", {"count": f"{network.n_parameters:,}"}
    return None


def program(worked: WorkedStep) -> dict[str, Any]:
    """Return a step as plain data, for which ``reason_against`` finds none."""
    trace, network = worked.trace, worked.trace.network
    functions = {row.name for row in network.activations}
    for layer in network.computing_layers:
        if isinstance(layer, ParametricActivation):
            functions.add(layer.function)
    output = network.loss.output
    if output in ACTIVATIONS:
        functions.add(output)
    return {
        "n": len(trace.shares),
        "layers": len(trace.z),
        "out": network.n_out,
        "given": dict(_given(worked)),
        "reach": dict(_reach(worked)),
        "functions": {
            name: row for f in sorted(functions) for name, row in _function(ACTIVATIONS[f])
        },
        "erfc": erfc_series(),
        "forward": list(_forward(trace)),
        "loss": _loss(trace),
        "backward": list(_backward(trace)),
        # their slope is written as a factor 1
        "linear": [
            layer
            for layer, kind in enumerate(network.computing_layers[:-1], start=1)
            if kind.activation == "identity"
        ],
        "gradients": list(_gradients(trace)),
        "parameters": [
            [Ref(slot.name, slot.layer + 1).id, list(slot.shape), slot.penalized]
            for slot in network.layout.slots
        ],
        "absent": dict(_absent(worked)),
        "update": list(_update(worked)),
        "kinks": [
            [name.id, list(row.kinks)] for name, row in _activated(trace) if row.kinks
        ],
        # as conventions write it: what each kind of number is a multiple of
        "written": {
            "factors": {kind: _fraction(f) for kind, f in worked.written.factors.items()},
            "base": worked.written.base,
        },
    }  # fmt: skip


def _fraction(value: Fraction) -> list[int]:
    return [value.numerator, value.denominator]


# what is given


def _states(worked: WorkedStep) -> dict[str, Array]:
    return {n: v for n, v in worked.update.state.items() if isinstance(v, np.ndarray)}


def _given(worked: WorkedStep) -> Iterator[tuple[str, Any]]:
    """Yield the numbers that everything is made of, by the id of their array."""
    trace, network, update = worked.trace, worked.trace.network, worked.update
    yield "x", _packed(trace.a[0])
    yield "targets", _packed(trace.targets)
    yield "share", _packed(trace.shares)
    for layer, mask in enumerate(trace.masks, start=1):
        if mask is not None:
            yield Ref("mask", layer).id, _packed(mask)
    for slot in network.layout.slots:
        layer, name = slot.layer + 1, slot.name
        yield Ref(name, layer).id, _packed(trace.parameters.layers[slot.layer][name])
        for key, flat in _states(worked).items():
            own = flat[slot.start : slot.stop].reshape(slot.shape)
            yield Ref(f"{key}_{name}", layer).id, _packed(own)
    yield "learning_rate", update.learning_rate
    pull = update.pull  # where the weights decay in the step, the penalty is there alone
    for name, strength in (
        ("l2", network.l2 or pull.l2), ("l1", network.l1 or pull.l1),
        ("label_smoothing", network.label_smoothing),
    ):  # fmt: skip
        if strength:
            yield name, float(strength)
    yield from _hyperparameters(worked).items()


def _hyperparameters(worked: WorkedStep) -> dict[str, float]:
    update = worked.update
    numbers = hyperparameters(update.rule)
    numbers |= {n: v for n, v in update.new_state.items() if not isinstance(v, np.ndarray)}
    return {
        n: float(v)
        for n, v in numbers.items()
        if isinstance(v, int | float) and not isinstance(v, bool)
    }


def _single(array: Array) -> npt.NDArray[np.float32] | None:
    """Return an array in float32, which is what a trained model holds; None where it is more."""
    with np.errstate(over="ignore"):  # what is too large is no float32
        single = array.astype("<f4")
    return single if np.array_equal(single, array) else None


def _bytes(array: Array) -> int:
    return array.size * (8 if _single(array) is None else 4)


def _packed(array: Array) -> Any:
    """Return an array as rows of numbers; a large one as its bytes."""
    if array.size <= _MANY:
        return array.tolist()
    single = _single(array)
    kind, values = ("f8", array.astype("<f8")) if single is None else ("f4", single)
    return {"shape": array.shape, kind: base64.b64encode(values.tobytes()).decode()}


def _absent(worked: WorkedStep) -> Iterator[tuple[str, list[int]]]:
    """Yield which entries of an array there are not, such as the biases of neurons without one."""
    for slot in worked.trace.network.layout.slots:
        for kind in ("", "d", *(f"{key}_" for key in _states(worked))) if slot.absent else ():
            for after in (False, True):
                yield Ref(f"{kind}{slot.name}", slot.layer + 1, (), after).id, [*slot.absent]


def _reach(worked: WorkedStep) -> Iterator[tuple[str, str]]:
    """Yield within what a setting has to stay: a key of the wording."""
    for name in ("learning_rate", "l2", "l1", "label_smoothing"):
        yield name, "below one" if name == "label_smoothing" else "positive"
    for name, value in _hyperparameters(worked).items():
        if name == "t":
            yield name, "whole"
        else:
            rule = worked.update.rule
            taken = [_takes(rule, name, each) for each in (-1.0, 0.0, 1.0, value)]
            if taken[0]:
                continue
            least = "at least zero" if taken[1] else "positive"
            yield name, least if taken[2] else "below one"


def _takes(rule: Any, name: str, value: float) -> bool:
    """Return whether an optimizer takes a setting: it says so itself."""
    try:
        replace(rule, **{name: value})
    except SettingError:
        return False
    return True


# the equations


def _function(row: Activation) -> Iterator[tuple[str, Any]]:
    """Yield f and f' in all their forms, and how they are computed."""
    assert row.arithmetic is not None
    for k, name in enumerate((row.name, f"{row.name}'")):
        names = ("z", "a")[: k + 1]
        forms = [plain_formula(text, *names) for text in (row.arithmetic[k], *row.elsewhere[k])]
        stably = None if row.stably is None else plain_formula(row.stably[k], *names)
        yield name, {"names": names, "forms": forms, "stably": stably}


def _forward(trace: Trace) -> Iterator[Assignment]:
    last = len(trace.z)
    for layer, z in enumerate(trace.z, start=1):
        mask = trace.masks[layer - 1]
        if mask is not None:
            below = "x" if layer == 1 else f"a.{layer - 1}"
            yield f"kept.{layer}", *_whole(mask), ["*", below, f"mask.{layer}"]
        yield from _between(trace, layer, "forward")
        for block in equations_of(trace, layer, "z"):
            tree = plain(tree_of(trace, layer, block))
            yield f"z.{layer}", list(z.shape), block.start, block.stop or 0, tree
        if layer < last:
            name = trace.network.activations[layer - 1].name
            yield f"a.{layer}", *_whole(z), ["ap", name, f"z.{layer}"]


def _between(trace: Trace, layer: int, phase: str) -> Iterator[Assignment]:
    for name in intermediates_of(trace, layer, phase):
        (block,) = equations_of(trace, layer, name)
        found = intermediate(trace, layer, name)
        yield found.id, *_whole(found.values), plain(tree_of(trace, layer, block))


def _whole(array: Array) -> tuple[list[int], int, int]:
    return list(array.shape), 0, array.shape[1]


def _loss(trace: Trace) -> dict[str, Any]:
    network, loss = trace.network, trace.network.loss
    output = OUTPUTS[loss.output]
    assert loss.arithmetic is not None
    assert output.arithmetic is not None
    value, slope = loss.arithmetic
    names = ("z", "t", "p")
    by_output = loss.by_output and plain_formula(loss.by_output, *names)
    composed = loss.name not in list(LOSSES)
    smooths = bool(network.label_smoothing) and loss.smooth is not None
    return {
        # how it is computed, and how one that has terms to be left out is written
        "name": loss.name,
        "written": _WRITTEN.get(value, ""),
        "output": output.name,
        "forms": [plain_formula(text, "z") for text in (output.arithmetic, *output.elsewhere)],
        "shift": output.is_shift_invariant,
        "factor": _fraction(loss.factor),
        "value": plain_formula(value, *names),
        "elsewhere": [plain_formula(text, *names) for text in loss.elsewhere],
        "delta": plain_formula(slope, *names) if slope else None,
        "by_output": by_output or None,
        # an error of a = f(z): f' in the form that is right everywhere
        "through": output.name if composed else None,
        "jacobian": output.name == "softmax" and loss.by_output is not None,
        "smoothing": (network.n_out if loss.targets == "distribution" else 2) if smooths else 0,
        "targets": "real" if loss.takes_any else loss.targets,
        "l2": bool(network.l2),
        "l1": bool(network.l1),
        "penalty_factor": _fraction(network.penalty_factor),
        "in_gradient": network.penalty_in_gradient,
    }


def _backward(trace: Trace) -> Iterator[Assignment]:
    for layer in range(len(trace.z) - 1, 0, -1):
        yield from _between(trace, layer + 1, "backward")
        shape = list(trace.delta[layer - 1].shape)
        for block in equations_of(trace, layer + 1, "below"):
            tree = plain(delta_of(trace, layer, block))
            yield f"delta.{layer}", shape, block.start, block.stop or 0, tree
    yield from _between(trace, 1, "backward")
    for block in equations_of(trace, 1, "below"):
        tree = plain(arriving(trace, 0, block))
        yield "dx", list(trace.a[0].shape), block.start, block.stop or 0, tree


def _gradients(trace: Trace) -> Iterator[Assignment]:
    for slot in trace.network.layout.slots:
        layer = slot.layer + 1
        for block in equations_of(trace, layer, slot.name):
            tree = plain(tree_of(trace, layer, block))
            name = f"data_d{slot.name}" if _is_penalized(trace, slot) else f"d{slot.name}"
            yield f"{name}.{layer}", list(slot.shape), block.start, block.stop or 0, tree


def _is_penalized(trace: Trace, slot: Slot) -> bool:
    own = trace.network.computing_layers[slot.layer].penalized
    return trace.network.has_penalized_gradient and slot.name in own


def _update(worked: WorkedStep) -> Iterator[Assignment]:
    """Yield what the optimizer sets, in order; of an array of three indices slice by slice."""
    trace, update, described = worked.trace, worked.update, worked.derivation.new_parameters
    for slot in trace.network.layout.slots:
        layer, shape = slot.layer + 1, list(slot.shape)
        as_matrix = described.of_matrix(slot)
        old = Matrix(Ref(slot.name, layer).id, trace.parameters.layers[slot.layer][slot.name])
        for tree, found in as_matrix.values():
            own = list(found.values.shape) if found.origin else []
            yield found.id, own, 0, own[0] if own else 1, plain(with_signs(tree, old))
        if as_matrix:
            continue
        new = Ref(slot.name, layer, (), after=True).id
        if not moves(update, slot.name):
            yield new, shape, 0, _rows(shape), Ref(slot.name, layer).id
            continue
        formulas = update.rule.arithmetic(slot.penalized)
        for k in range(shape[0]) if len(shape) > 2 else (None,):
            for to, tree in _set(worked, slot, formulas, k):
                start, stop = (0, _rows(shape)) if k is None else (k, k + 1)
                yield to, shape, start, stop, plain(tree)


def _rows(shape: Sequence[int]) -> int:
    return shape[0] if len(shape) > 1 else 1


def _set(
    worked: WorkedStep, slot: Slot, formulas: Sequence[tuple[str, str]], k: int | None
) -> Iterator[tuple[str, Expression]]:
    """Yield what one array's step sets, by the optimizer's formulas; a new state is used as new."""
    trace, layer = worked.trace, slot.layer + 1

    def array(name: str, *, after: bool = False) -> Matrix:
        # only its id and its shape are written down
        values = trace.parameters.layers[slot.layer][slot.name]
        start, stop = (0, len(values)) if k is None else (k, k + 1)
        return rows_of(trace, values, Ref(f"{name}{slot.name}", layer, (), after), start, stop)

    w, described = array(""), worked.derivation.new_parameters
    names: dict[str, Expression] = {
        "w": w,
        "g": with_signs(described.pull(slot, array("d"), w), w),
        "learning_rate": described.learning_rate(slot),
        **{n: Operand(n, v) for n, v in _hyperparameters(worked).items()},
        **{n: array(f"{n}_") for n in _states(worked)},
    }
    for key, formula in formulas:
        tree = parse(formula, names)
        kind = "" if key == "w" else f"{key}_"
        yield Ref(f"{kind}{slot.name}", layer, (), after=True).id, tree
        if key != "w":
            names[key] = array(kind, after=True)


def _activated(trace: Trace) -> Iterator[tuple[Ref, Activation]]:
    """Yield what each hidden activation is applied to, as ``Trace.activated`` does."""
    for layer, row in enumerate(trace.network.activations, start=1):
        if layer < len(trace.z):
            yield Ref("z", layer), row
    for layer, kind in enumerate(trace.network.computing_layers, start=1):
        if isinstance(kind, ParametricActivation):
            kept, below = trace.masks[layer - 1] is not None, layer > 1
            ref = Ref("kept", layer) if kept else Ref("a", layer - 1) if below else Ref("x")
            yield ref, ACTIVATIONS[kind.function]
