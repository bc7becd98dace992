"""A layer on tensors, from its equations.

Equations of parts that have the same formula, such as those of the columns of an embedding, are
worked out at once: the parts stand behind each other in a dimension in front.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping

import torch

from deltaprop.engines.tensors.functions import ActivationOnTensors
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.interop.formulas import Multiply, Tensor, as_function
from deltaprop.model.layers import Equation, Layer, Part

__all__ = ["LayerOnTensors"]

_COLUMNS = ("a", "delta", "z", "below")  # whose parts are columns; those of other arrays are rows


class LayerOnTensors:
    """The forward and backward pass of a layer that reads ``n_in`` numbers."""

    def __init__(self, layer: Layer, n_in: int, device: torch.device, multiply: Multiply) -> None:
        self._widths = {"z": layer.width(n_in), "below": n_in}
        between = getattr(layer, "intermediates", ())
        forward = {"z", *(each.name for each in between if each.phase == "forward")}
        shapes = layer.shapes(n_in)
        names = ["a", "delta", *shapes, *(each.name for each in between)]
        self._forward: list[_AtOnce] = []
        self._backward: list[_AtOnce] = []
        for equations in _alike(layer.equations(n_in)):
            phase = self._forward if equations[0].left in forward else self._backward
            phase.append(_AtOnce(equations, names, device, multiply))

    def forward(self, arrays: Mapping[str, Tensor], a: Tensor) -> dict[str, Tensor]:
        """Return z by its name, and what the backward pass has to know besides."""
        known = {**arrays, "a": a}
        for equations in self._forward:
            self._work_out(equations, known, {})
        return known

    def backward(
        self, known: dict[str, Tensor], delta: Tensor, gradients: Mapping[str, Tensor]
    ) -> Tensor:
        """Return dL/da, and write the gradient by each array into ``gradients``."""
        known["delta"] = delta
        for equations in self._backward:
            self._work_out(equations, known, gradients)
        return known["below"]

    def _work_out(
        self, equations: _AtOnce, known: dict[str, Tensor], gradients: Mapping[str, Tensor]
    ) -> None:
        value, left = equations.value(known), equations.left
        if left in gradients:
            equations.write(value, gradients[left])
        elif equations.is_part:
            if left not in known:
                known[left] = known["a"].new_empty(len(known["a"]), self._widths[left])
            equations.write(value, known[left])
        else:
            known[left] = value


class _AtOnce:
    """Equations of one formula: of a whole array, of a part, or of several parts alike."""

    def __init__(
        self,
        equations: list[Equation],
        names: Collection[str],
        device: torch.device,
        multiply: Multiply,
    ) -> None:
        (first, *_), self._n = equations, len(equations)
        self.left, self.is_part = first.left, first.stop is not None
        own: dict[str, Callable[[Tensor], Tensor]] = {}
        for name, activation in first.functions.items():
            row = ActivationOnTensors(ACTIVATIONS[activation])
            own |= {name: row.f, f"{name}'": row.slope}
        self._formula = as_function(
            first.formula, {*names, *first.parts}, own=own, multiply=multiply
        )
        self._parts = {
            name: _Place(part.array, [each.parts[name] for each in equations], device)
            for name, part in _parts_in(first).items()
        }
        if first.stop is not None:
            parts = [Part(e.left, e.start, e.stop or 0) for e in equations]
            self._to = _Place(first.left, parts, device)

    def value(self, known: Mapping[str, Tensor]) -> Tensor:
        """Return what the right-hand side comes to."""
        parts = {name: place.of(known[place.array]) for name, place in self._parts.items()}
        return self._formula({**known, **parts} if parts else known)

    def write(self, value: Tensor, into: Tensor) -> None:
        """Write it into the array on the left."""
        if self.is_part:
            self._to.write(value, into)
        else:
            into.copy_(value.reshape(into.shape))


class _Place:
    """Which columns or rows of an array equations are about, one part for each equation."""

    def __init__(self, array: str, parts: list[Part], device: torch.device) -> None:
        self.array, self._of_columns = array, array in _COLUMNS
        self._slice = slice(parts[0].start, parts[0].stop) if len(parts) == 1 else None
        places = [list(range(part.start, part.stop)) for part in parts]
        self._places = torch.tensor(places, device=device)

    def of(self, whole: Tensor) -> Tensor:
        """Return these parts of an array."""
        if self._of_columns:
            if self._slice is not None:
                return whole[:, self._slice]
            return whole[:, self._places].movedim(1, 0)
        if self._slice is not None:
            return whole[self._slice.start] if whole.ndim == 3 else whole[self._slice]
        return whole[self._places[:, 0]] if whole.ndim == 3 else whole[self._places]

    def write(self, value: Tensor, whole: Tensor) -> None:
        """Write these parts of an array."""
        if self._of_columns:
            if self._slice is not None:
                whole[:, self._slice] = value
            else:
                whole[:, self._places] = value.movedim(0, 1)
        elif self._slice is not None:
            whole[self._slice] = value.reshape(whole[self._slice].shape)
        elif whole.ndim == 3:
            whole[self._places[:, 0]] = value
        else:
            whole[self._places] = value


def _alike(equations: Iterable[Equation]) -> list[list[Equation]]:
    """Return equations by formula and size of their parts, in the order of the first of each."""
    found: dict[object, list[Equation]] = {}
    for each in equations:
        parts = tuple((n, p.array, p.stop - p.start) for n, p in sorted(_parts_in(each).items()))
        size = None if each.stop is None else each.stop - each.start
        key = (each.left, each.formula, size, parts, tuple(sorted(each.functions.items())))
        found.setdefault(key, []).append(each)
    return list(found.values())


def _parts_in(equation: Equation) -> dict[str, Part]:
    """Return those of its parts that stand in its formula."""
    return {
        n: part for n, part in equation.parts.items() if re.search(rf"\b{n}\b", equation.formula)
    }
