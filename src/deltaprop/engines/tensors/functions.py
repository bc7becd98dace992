"""Activations, outputs and losses on tensors, each from the formulas of its row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch

from deltaprop.functional.activations import ACTIVATIONS, Activation
from deltaprop.functional.loss_checks import is_computed
from deltaprop.functional.losses import Loss
from deltaprop.functional.outputs import OUTPUTS
from deltaprop.interop.formulas import Tensor, as_function

__all__ = ["ActivationOnTensors", "LossOnTensors", "lacks_formula"]

OfTensor: TypeAlias = Callable[[Tensor], Tensor]


def lacks_formula(row: Activation | Loss) -> bool:
    """Return whether nobody has written down what it is: then only Python's arrays know."""
    if isinstance(row, Activation):
        return row.stably is None and row.arithmetic is None
    output = OUTPUTS[row.output]
    with_formula = output.name in ACTIVATIONS and not lacks_formula(ACTIVATIONS[output.name])
    return row.arithmetic is None or not (output.arithmetic or with_formula)


class ActivationOnTensors:
    """f and f' of a registered activation."""

    def __init__(self, row: Activation) -> None:
        formulas = row.stably or row.arithmetic
        assert formulas is not None
        self._f = as_function(formulas[0], ["z"])
        self._f_prime = as_function(formulas[1], ["z", "a"])

    def f(self, z: Tensor) -> Tensor:
        """Return a."""
        return _filled(self._f({"z": z}), z)

    def f_prime(self, z: Tensor, a: Tensor) -> Tensor:
        """Return da/dz."""
        return _filled(self._f_prime({"z": z, "a": a}), z)

    def slope(self, z: Tensor) -> Tensor:
        """Return da/dz where nobody has worked a out."""
        return self.f_prime(z, self.f(z))


class LossOnTensors:
    """A registered loss of the logits, with its output and its delta."""

    def __init__(self, row: Loss) -> None:
        assert row.arithmetic is not None
        value, delta = row.arithmetic
        if row.stably is not None and is_computed(row):
            value = row.stably
        self._row, self._factor = row, float(row.factor)
        self._term = as_function(value, ["z", "t", "p"])
        self._delta = as_function(delta, ["z", "t", "p"]) if delta else None
        self._by_output = None if delta else as_function(row.by_output or "", ["t", "p"])
        self._output = _output(row.output)

    def smoothed(self, targets: Tensor, e: float) -> Tensor:
        """Return the targets with labels smoothed by e."""
        smooth = self._row.smooth
        return targets if smooth is None or not e else smooth(targets, e)

    def per_sample_and_delta(self, z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each sample, (n,), and its derivative by the logits, (n, n_L)."""
        values = {"z": z, "t": t, "p": self._output(z)}
        terms = self._term(values)
        terms = torch.where((t == 0) & ~torch.isfinite(terms), 0.0, terms)  # 0 ln 0
        if self._delta is not None:
            delta = self._delta(values)
        else:
            assert self._by_output is not None
            p, g = values["p"], self._by_output(values)
            delta = p * (g - (p * g).sum(dim=1, keepdim=True))
        return self._factor * terms.sum(dim=1), self._factor * delta


def _output(name: str) -> OfTensor:
    """Return p = f(z) of an output activation."""
    if name in ACTIVATIONS and not lacks_formula(ACTIVATIONS[name]):
        return ActivationOnTensors(ACTIVATIONS[name]).f
    row = OUTPUTS[name]
    assert row.arithmetic is not None
    f = as_function(row.arithmetic, ["z"])
    if row.is_shift_invariant:  # so that nothing overflows
        return lambda z: f({"z": z - z.amax(dim=1, keepdim=True)})
    return lambda z: _filled(f({"z": z}), z)


def _filled(value: Tensor | float, z: Tensor) -> Tensor:
    """Return a formula that came to one number, such as the 1 of identity's f', for every z."""
    return torch.full_like(z, value) if isinstance(value, float) else value
