"""What the loss itself says of gradients: central differences, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from deltaprop.checking.effects import AS_ASKED, Effect
from deltaprop.checking.precision import EPSILON, relative_error
from deltaprop.checking.report import EntryCheck
from deltaprop.checking.single import SINGLE_EPSILON, is_single, room_of_loss
from deltaprop.model.backprop import Masks, Trace, objective, penalties, penalty_gradient
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["Referee", "Stated"]

Array = npt.NDArray[np.float64]

# From wide to narrow: the wide step is the exact one where L is smooth, the narrow ones get
# away from a kink nearby.
_STEPS = (1e-3, 1e-4, 1e-5, 1e-6)
# noise of the differences that proves nothing: so much of the largest gradient, and so much at all
_BLIND, _LEAST_BLIND = 1e-3, 1e-3


@dataclass(frozen=True, eq=False)
class Stated:
    """What somebody says of a batch; the gradients are backpropagate's ``are_own`` if nobody did.

    ``places`` are those of the flat vector that are judged; ``after`` are the parameters after the
    step, taken with the learning rate ``eta``. ``room`` is what the gradients may be off by where
    they were worked out in float32.
    """

    gradients: Array
    places: Sequence[int]
    loss: float | None = None
    after: Array | None = None
    eta: float = 0.0
    are_own: bool = False
    room: Array | None = None

    def of(self, effect: Effect, trace: Trace) -> Stated:
        """Return the same in other conventions: own gradients are theirs."""
        return replace(self, gradients=effect.gradients_of(trace)) if self.are_own else self


@dataclass(frozen=True)
class Referee:
    """Measures the loss of a batch around some parameters, and judges what is claimed of it."""

    network: Network
    parameters: Parameters
    x: Array
    targets: Array
    shares: Array
    masks: Masks
    tolerance: float
    effect: Effect = AS_ASKED

    def check(self, said: Stated) -> tuple[EntryCheck, ...]:
        """Judge gradients, loss and step, as far as they are stated."""
        entries = self.check_gradients(said.gradients, said.places, said.room)
        if said.loss is not None:
            entries.append(self.check_loss(said.loss))
        if said.after is not None:
            entries += self.check_update(said)
        return tuple(entries)

    def loss_at(self, parameters: Parameters) -> float:
        """Return what the gradients are those of: L of the batch, as the conventions have it."""
        return self._loss(parameters, penalized=self.effect.penalized)

    def _loss(self, parameters: Parameters, *, penalized: float) -> float:
        shares = self.shares * self.effect.objective
        with np.errstate(over="ignore", invalid="ignore"):  # what is no number is never right
            loss = objective(self.network, parameters, self.x, self.targets, shares, self.masks)
            if penalized == 1:
                return loss
            return loss + (penalized - 1) * sum(penalties(self.network, parameters))

    @cached_property
    def here(self) -> float:
        """Return L at the parameters."""
        return self.loss_at(self.parameters)

    def check_loss(self, claimed: float) -> EntryCheck:
        """Judge the claimed loss."""
        right = self._loss(self.parameters, penalized=self.effect.loss_penalized)
        right *= self.effect.loss
        size = max(abs(claimed), abs(right), EPSILON)
        room = room_of_loss(right) if is_single(claimed) else 0.0
        return self._judged("loss", claimed, right, relative_error(claimed, right, room, size))

    def check_update(self, said: Stated) -> list[EntryCheck]:
        """Judge each parameter after the step by its change, beyond the parameter's rounding."""
        assert said.after is not None
        entries, eta = [], said.eta
        layout, effect = self.network.layout, self.effect
        factors, after = layout.learning_rate_factors(), effect.house(said.after, layout)
        direction = effect.house(said.gradients, layout) / effect.gradients
        if effect.decay:
            direction = direction + effect.decay * penalty_gradient(self.network, self.parameters)
        epsilon = SINGLE_EPSILON if is_single(after) else EPSILON
        for i in said.places:
            before, claimed = float(self.parameters.flat[i]), float(after[i])
            rate = eta if factors is None else eta * float(factors[i])
            expected = before - rate * float(direction[i])
            size = max(abs(claimed - before), abs(expected - before))
            error = relative_error(claimed, expected, 8.0 * epsilon * abs(before), size)
            name = self.network.layout.entry(i).replace("[", ".after[")
            entries.append(self._judged(name, claimed, expected, error))
        return entries

    def _judged(self, name: str, claimed: float, right: float, error: float) -> EntryCheck:
        verdict = "right" if error <= self.tolerance else "wrong"
        return EntryCheck(name, claimed, right, error, verdict)

    def check_gradients(
        self, claimed: Array, places: Sequence[int], room: Array | None = None
    ) -> list[EntryCheck]:
        """Measure dL/dw at some places of the flat vector, and judge what is claimed of it."""
        moved = self.parameters.like(self.parameters.flat.astype(np.float64, copy=True))

        def loss_beside(index: int, shift: float) -> float:
            kept = moved.flat[index]
            moved.flat[index] = kept + shift
            value = self.loss_at(moved)
            moved.flat[index] = kept
            return value

        entry, factor = self.network.layout.entry, self.effect.gradients
        claimed = self.effect.house(claimed, self.network.layout)
        rooms = np.zeros(len(claimed)) if room is None else abs(self.effect.objective) * room
        checked = [
            self._check_entry(
                entry(i), float(claimed[i]) / factor, partial(loss_beside, i), float(rooms[i])
            )
            for i in places
        ]
        largest = max((abs(e.measured) for e, _ in checked if np.isfinite(e.measured)), default=0.0)
        blind = max(_BLIND * largest, _LEAST_BLIND)
        decided = [
            replace(found, verdict="undecided") if noise > blind and self._is_excused(found) else
            found for found, noise in checked
        ]  # fmt: skip
        return [
            replace(each, claimed=float(claimed[i]), measured=each.measured * factor)
            for i, each in zip(places, decided, strict=True)
        ]

    def _is_excused(self, found: EntryCheck) -> bool:
        """Return whether a claim is called right for the noise of what was measured alone."""
        error = relative_error(found.claimed, found.measured)
        # a measured 0 says that the loss has no digits for the shift, either
        return found.verdict == "right" and (error > self.tolerance or found.measured == 0)

    def _check_entry(
        self, name: str, claimed: float, loss_beside: Callable[[float], float], room: float
    ) -> tuple[EntryCheck, float]:
        """Return what is found of a claim, and how far the measurement may be off."""
        here, tolerance = self.here, self.tolerance
        best = EntryCheck(name, claimed, np.nan, np.inf, "wrong")
        curvature, wider = 0.0, np.nan
        for h in _STEPS:
            right, left = loss_beside(h), loss_beside(-h)
            far_right, far_left = loss_beside(2 * h), loss_beside(-2 * h)
            measured = (8.0 * (right - left) - (far_right - far_left)) / (12.0 * h)
            size = max(h, *(abs(v) for v in (here, right, left, far_right, far_left)))
            noise = 8.0 * EPSILON * size / h
            relative = relative_error(claimed, measured, noise + room)
            if h == _STEPS[0]:
                curvature = abs(right - 2.0 * here + left) / h**2
            if relative < best.relative_error or np.isnan(best.measured):
                best = EntryCheck(name, claimed, measured, relative, "wrong")
            if relative <= tolerance:
                return EntryCheck(name, claimed, measured, relative, "right"), noise
            if abs(measured - wider) <= 2.0 * noise + 0.1 * tolerance * abs(measured):
                break  # two steps agree, and a narrower one would only add noise
            wider = measured
        # at the last step: do the slopes around here differ by more than L bends anyway?
        slopes = [far_right - right, right - here, here - left, left - far_left]
        jump = (max(slopes) - min(slopes)) / h - 3.0 * curvature * h
        sizes = [abs(slope) / h for slope in slopes]
        if jump > 1e-3 * (max(sizes) + min(sizes)) + 4.0 * noise:
            return EntryCheck(name, claimed, measured, 0.0, "kink"), noise
        return best, noise
