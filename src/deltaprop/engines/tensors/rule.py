"""An optimizer's step on tensors, from its formulas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import torch

from deltaprop.errors import SettingError
from deltaprop.interop.formulas import Formula, Tensor, as_function
from deltaprop.model.parameters import Layout, Slot

__all__ = ["RuleOnTensors", "has_formulas"]

_Steps: TypeAlias = "list[tuple[str, Formula]]"


def has_formulas(rule: Any) -> bool:
    """Return whether a rule says its step in formulas, and they come to it."""
    rng = np.random.default_rng(5)
    flat, gradient = rng.normal(size=(2, 5))
    for decayed in (True, False):
        w, state, told = flat.copy(), rule.init(5), torch.from_numpy(flat.copy())
        rule.step(state, w, gradient, 0.1, np.full(5, decayed))
        try:
            steps = _of(rule, rule.arithmetic(decayed))
        except (AttributeError, SettingError):
            return False
        first = {n: torch.as_tensor(v, dtype=torch.float64) for n, v in rule.init(5).items()}
        first |= {"t": torch.tensor(1.0, dtype=torch.float64)} if "t" in first else {}
        numbers = {"learning_rate": torch.tensor(0.1, dtype=torch.float64)}
        _take(steps, {**first, **numbers, "w": told, "g": torch.from_numpy(gradient)}, {"w": told})
        if not np.allclose(told.numpy(), w, rtol=1e-9, atol=1e-12):
            return False
    return True


class RuleOnTensors:
    """The step of a rule for all parameters of a network; ``state`` are its tensors by name."""

    def __init__(self, rule: Any, layout: Layout, device: torch.device, dtype: torch.dtype) -> None:
        self.state = {
            name: torch.as_tensor(value, device=device).to(
                dtype if isinstance(value, np.ndarray) else torch.float64
            )
            for name, value in rule.init(layout.size).items()
        }
        factors = layout.learning_rate_factors()
        self._factors = None if factors is None else torch.from_numpy(factors).to(device, dtype)
        self._absent = torch.from_numpy(layout.absent).to(device)
        self._parts = _parts_of(rule, layout, device, dtype)
        matrices = getattr(rule, "matrices", None)
        self._matrices = [] if matrices is None else [
            (slot, _of_matrix(rule, slot)) for slot in matrices(layout)
        ]  # fmt: skip

    def step(self, flat: Tensor, gradient: Tensor, eta: Tensor) -> None:
        """Update ``flat`` and the state in place; ``eta`` is a tensor of one number."""
        for name in self.state.keys() & {"t"}:
            self.state[name] += 1.0
        rate = eta if self._factors is None else eta * self._factors
        vectors = {"w": flat, **{n: v for n, v in self.state.items() if v.ndim}}
        numbers = {"learning_rate": rate, **{n: v for n, v in self.state.items() if not v.ndim}}
        before = [
            (slot, formulas, {n: v[slot.start : slot.stop].clone() for n, v in vectors.items()})
            for slot, formulas in self._matrices
        ]
        for part, steps, settings in self._parts:
            values = {n: v[part] if v.ndim else v for n, v in numbers.items()} | settings
            values |= {"g": gradient[part], **{n: v[part] for n, v in vectors.items()}}
            _take(steps, values, {n: v[part] for n, v in vectors.items()})
        for slot, formulas, old in before:
            part = slice(slot.start, slot.stop)
            values = {n: (v[part] if v.ndim else v) for n, v in numbers.items()}
            values |= {"g": gradient[part], **old}
            shaped = {n: v.view(slot.shape) if v.ndim else v for n, v in values.items()}
            into = {n: v[part].view(slot.shape) for n, v in vectors.items()}
            for name, kept in old.items():
                into[name].copy_(kept.view(slot.shape))
            _take(formulas, shaped, into)
        if len(self._absent):
            flat.index_fill_(0, self._absent, 0.0)


def _take(steps: _Steps, values: Mapping[str, Tensor], into: Mapping[str, Tensor]) -> None:
    """Set one name after another; a name that was set means its new value."""
    known = dict(values)
    for name, formula in steps:
        known[name] = formula(known)
    for name, vector in into.items():
        if known[name] is not values.get(name):
            vector.copy_(known[name])


def _parts_of(
    rule: Any, layout: Layout, device: torch.device, dtype: torch.dtype
) -> list[tuple[slice, _Steps, dict[str, Tensor]]]:
    """Return which numbers follow which formulas, with the settings that are another for each.

    A weight decay that is 0 where it does not apply makes one of both formulas.
    """
    decaying, plain = rule.arithmetic(True), rule.arithmetic(False)
    whole = slice(0, layout.size)
    if decaying == plain:
        return [(whole, _of(rule, plain), {})]
    decay = getattr(rule, "weight_decay", None)
    if decay is not None and _same_without_decay(rule):
        of_each = torch.from_numpy(decay * layout.penalized()).to(device, dtype)
        return [(whole, _of(rule, decaying, ("weight_decay",)), {"weight_decay": of_each})]
    steps = {True: _of(rule, decaying), False: _of(rule, plain)}
    return [(slice(s.start, s.stop), steps[s.penalized], {}) for s in layout.slots]


def _same_without_decay(rule: Any) -> bool:
    rng = np.random.default_rng(5)
    names = ["w", "g", *rule.init(0)]
    values = {n: torch.from_numpy(rng.uniform(0.5, 1.5, size=4)) for n in names}
    values |= {"learning_rate": torch.tensor(0.1), "weight_decay": torch.tensor(0.0)}
    ends = []
    for decayed in (True, False):
        into = {"w": values["w"].clone()}
        _take(_of(rule, rule.arithmetic(decayed), ("weight_decay",)), values, into)
        ends.append(into["w"])
    return bool(torch.equal(*ends))


def _of_matrix(rule: Any, slot: Slot) -> _Steps:
    return _of(rule, rule.matrix_arithmetic(slot.shape))


def _of(rule: Any, formulas: tuple[tuple[str, str], ...], free: tuple[str, ...] = ()) -> _Steps:
    settings = {n: float(v) for n, v in vars(rule).items() if isinstance(v, (int, float))}
    for name in ("learning_rate", *free):
        settings.pop(name, None)
    names = ["w", "g", "t", "learning_rate", *free, *rule.init(0), *(name for name, _ in formulas)]
    return [(name, as_function(text, names, settings)) for name, text in formulas]
