"""A step as a worked example: what is given, and what it comes to as claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DeltapropError
from deltaprop.explaining.changes import changed
from deltaprop.explaining.document.layout import is_turned
from deltaprop.explaining.examples import WorkedExample, worked_example
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.model.layers import Dense
from deltaprop.model.parameters import Parameters
from deltaprop.notation.digits import number_text
from deltaprop.notation.naming import STANDARD
from deltaprop.training.optimizers import OPTIMIZERS, hyperparameters

__all__ = ["example_of_step", "with_claims"]

_DIGITS = 10  # of a claim
_MOST_CLAIMS = 2000  # numbers


def example_of_step(step: WorkedStep) -> dict[str, Any] | None:
    """Return what is given of a step in the worked-example format; None where it has no room there.

    It is read again and worked out before it counts: the same loss, the same new parameters.
    """
    network, update = step.trace.network, step.update
    name = getattr(update.rule, "name", "")
    plain = all(
        isinstance(layer, Dense) and layer.parametrization == "standard"
        for layer in network.computing_layers
    )
    if step.is_large or not plain or OPTIMIZERS.get(name) is not type(update.rule):
        return None
    data = dict(_given(step))
    try:
        again = worked_example(data).explain()
    except DeltapropError:
        return None
    same = again.trace.loss == step.trace.loss and np.array_equal(
        again.update.after.parameters.flat, update.after.parameters.flat
    )
    return data if same else None


def _given(step: WorkedStep) -> Iterator[tuple[str, Any]]:
    """Yield the keys of the format that are not as usual."""
    (trace, reduction), update, names = step.as_given, step.update, step.names
    network = trace.network
    yield "title", names.title or "A step"
    for key in ("titles", "source"):
        if value := getattr(names, key):
            yield key, dict(value) if isinstance(value, Mapping) else value
    if names.notation != STANDARD.name:
        yield "notation", names.notation
    if names.changed:
        yield "changed", list(names.changed)
    layers = []
    pairs = zip(network.computing_layers, trace.parameters.layers, strict=True)
    for place, (layer, arrays) in enumerate(pairs):
        assert isinstance(layer, Dense)
        described: dict[str, Any] = {
            slot.name: slot.listed(arrays[slot.name])
            for slot in network.layout.slots
            if slot.layer == place
        }
        if layer is not network.computing_layers[-1]:
            described["activation"] = layer.activation or "identity"
        for key, factor in (
            ("learning_rate", layer.learning_rate_factor),
            ("bias_learning_rate", layer.bias_learning_rate_factor),
        ):
            if (layer.learning_rate_factor, layer.bias_learning_rate_factor) != (1, 1):
                described[key] = update.learning_rate * factor
        layers.append(described)
    yield "layers", layers
    yield "loss", network.loss_name
    for key in ("l2", "l1", "label_smoothing"):
        if value := getattr(network, key):
            yield key, value
    yield "x", trace.a[0].tolist()
    yield "targets", trace.targets.tolist()
    yield "learning_rate", update.learning_rate
    rule = type(update.rule)
    settings = hyperparameters(update.rule)
    own = {key: v for key, v in settings.items() if v != hyperparameters(rule())[key]}
    state = _state(step)
    if own or state:
        yield "optimizer", {"name": rule.name, **own, **({"state": state} if state else {})}
    elif rule.name != "gradient_descent":
        yield "optimizer", rule.name
    if not update.train_biases:
        yield "train_biases", False
    if reduction != "mean":
        yield "loss_reduction", reduction
    if asked := step.written.asked.chosen:
        yield "conventions", {choice.about: choice.choice for choice in asked}


def _state(step: WorkedStep) -> dict[str, Any]:
    """Return what the optimizer has kept from the steps before, array by array; {} at the first."""
    kept: dict[str, Any] = {}
    slots = step.trace.network.layout.slots
    first = step.update.rule.init(step.trace.parameters.flat.size)
    for name, value in step.update.state.items():
        if not isinstance(value, np.ndarray):
            kept |= {name: value} if value != first[name] else {}
        elif not np.array_equal(value, first[name]):
            kept[name] = {f"{s.name}.{s.layer + 1}": s.listed(s.of(value)) for s in slots}
    return kept


def with_claims(worked: WorkedExample) -> dict[str, Any]:
    """Return an example's data with claims: its own, or what it comes to where it has none.

    Whoever works it out by hand puts other numbers in their place.
    """
    data, _ = changed(worked.data, {})
    step = worked.explain()
    if data.get("claims") or data.get("steps") or step.n_numbers > _MOST_CLAIMS:
        return data
    return {**data, "claims": dict(_claims(step))}


def _claims(step: WorkedStep) -> Iterator[tuple[str, Any]]:
    trace, after, turned = step.shown, step.shown_after, step.written.turned

    def rounded(key: str, array: npt.NDArray[np.float64]) -> tuple[str, Any]:
        return key, _rounded(array.T if is_turned(key.partition(".")[0], turned) else array)

    def of_parameters(before: str, given: Parameters, behind: str) -> Iterator[tuple[str, Any]]:
        for slot in sorted(given.layout.slots, key=lambda slot: -slot.layer):
            key = f"{before}{slot.name}.{slot.layer + 1}{behind}"
            yield key, slot.listed(np.array(rounded(key, slot.of(given.flat))[1]))

    layers = range(1, len(trace.z) + 1)
    for k in layers:
        yield rounded(f"z.{k}", trace.z[k - 1])
        yield rounded(f"a.{k}", trace.a[k])
    yield rounded("loss", np.array(trace.loss))
    for k in reversed(layers):
        yield rounded(f"delta.{k}", trace.delta[k - 1])
    yield from of_parameters("d", trace.gradients, "")
    yield from of_parameters("", after.parameters, ".after")
    yield rounded("loss.after", np.array(after.loss))


def _rounded(array: npt.NDArray[np.float64]) -> Any:
    shown = [float(number_text(float(v), _DIGITS)) for v in array.ravel()]
    return np.array(shown).reshape(array.shape).tolist()
