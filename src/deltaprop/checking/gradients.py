"""The referee: gradients against central differences of the loss, entry by entry.

What is wrong is looked up among the named mistakes (``checking.search``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.checking.given_gradients import flat_numbers, is_one_number
from deltaprop.checking.locate import locate, slips
from deltaprop.checking.named_mistakes import Claimed, name_mistakes
from deltaprop.checking.precision import EPSILON, relative_error
from deltaprop.checking.report import EntryCheck, GradientReport
from deltaprop.checking.step import Step
from deltaprop.errors import SettingError
from deltaprop.functional.losses import sample_shares
from deltaprop.functional.settings import positive, positive_int
from deltaprop.model.backprop import (
    Masks,
    Trace,
    draw_masks,
    objective,
    require_fit,
    smoothed_targets,
    trace_step,
)
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import dense_targets, prepare_inputs, prepare_targets

__all__ = [
    "Claim", "EntryCheck", "GradientReport", "check_gradients", "check_trace", "of_infinite_loss"
]  # fmt: skip

Array = npt.NDArray[np.float64]
GradientFunction: TypeAlias = Callable[[Network, Parameters, Array, Array], object]
Claim: TypeAlias = Parameters | npt.ArrayLike | GradientFunction | None

_MOST_ENTRIES = 2000
# From wide to narrow: the wide step is the exact one where L is smooth, the narrow ones get
# away from a kink nearby.
_STEPS = (1e-3, 1e-4, 1e-5, 1e-6)
# noise of the differences that proves nothing: so much of the largest gradient, and so much at all
_BLIND, _LEAST_BLIND = 1e-3, 1e-3


def check_gradients(
    network: Network,
    parameters: Parameters,
    x: npt.ArrayLike,
    targets: npt.ArrayLike,
    *,
    gradients: Claim = None,
    loss: float | None = None,
    after: Parameters | npt.ArrayLike | None = None,
    learning_rate: float | None = None,
    sample_weight: npt.ArrayLike | None = None,
    reduction: str = "mean",
    tolerance: float = 1e-6,
    max_entries: int | None = _MOST_ENTRIES,
    rng: np.random.Generator | None = None,
) -> GradientReport:
    """Compare gradients with fourth-order central differences of the loss, entry by entry.

    dL/dw = (8 (L(w+h) - L(w-h)) - (L(w+2h) - L(w-2h))) / 12h + O(h^4). An entry is right when
    it is within ``tolerance`` relative, plus the rounding noise of the loss divided by h. Where
    the differences from the left and from the right disagree, the loss has a kink, and the entry
    is reported as such instead of judged.

    Numbers that somebody else claims and that are wrong are compared with what each named mistake
    (``MISTAKES``) gives, made in all layers or only in some; the report names those that fit.

    Parameters
    ----------
    network : Network
        The network and its loss, penalties included.
    parameters : Parameters
        Where the gradient is taken; left as they are.
    x : array_like of shape (n, n_0)
        The input batch.
    targets : array_like of shape (n,) or (n, n_L)
        Integer labels, one-hot rows, or values.
    gradients : Parameters, array_like, list, dict, module or callable, optional
        What somebody says the gradients are: flat numbers, a list of arrays in any usual order, a
        dict such as {"dW1": ..., "db1": ...}, tensors or a module of PyTorch (their ``.grad``), W
        with a row per input or per output; or a function of (network, parameters, x, targets) that
        returns them, or (loss, gradients), or (loss, gradients, parameters after the step). Left
        out, ``backpropagate``'s are checked.
    loss : float, optional
        What somebody says the loss is; checked as the entry "loss".
    after : Parameters or array_like, optional
        What somebody says the parameters are after one step of gradient descent; checked against
        w - eta g with the claimed gradients, as entries "W.1.after[0,2]".
    learning_rate : float, optional
        eta; needed with ``after``.
    sample_weight : array_like of shape (n,), optional
        As for ``backpropagate``.
    reduction : {"mean", "sum"}
        As for ``backpropagate``.
    tolerance : float
        Relative error up to which an entry is right.
    max_entries : int or None
        Measure at most this many entries, evenly spread; None measures all.
    rng : numpy.random.Generator, optional
        Draws one set of dropout masks, used throughout; without it nothing is dropped.

    Returns
    -------
    GradientReport
        True when right; ``report.worst`` names the worst entry, ``report.mistake`` the mistake.

    Raises
    ------
    ShapeError
        When the claimed numbers cannot be matched with the parameters.
    SettingError
        When ``learning_rate`` is missing, or the function changes the parameters it is given.
    """
    tolerance = positive(tolerance, "tolerance")
    if max_entries is not None:
        max_entries = positive_int(max_entries, "max_entries")
    require_fit(network, parameters)
    inputs = prepare_inputs(network, x)
    dense = dense_targets(prepare_targets(network, targets, len(inputs)), network.n_out)
    shares = sample_shares(len(inputs), sample_weight, reduction=reduction)
    masks = draw_masks(network, len(inputs), rng)
    claims = _claims(network, parameters, inputs, dense, gradients)
    loss = claims.loss if loss is None else loss
    after = (
        claims.after
        if after is None
        else flat_numbers(parameters, after, "parameters after the step")
    )
    if learning_rate is not None:
        learning_rate = positive(learning_rate, "learning_rate")
    elif after is not None:
        raise SettingError("after needs learning_rate: it is checked against w - eta g.")

    referee = _Referee(network, parameters, inputs, dense, shares, masks, tolerance)

    def right_gradients() -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            return trace_step(network, parameters, inputs, dense, shares, masks).gradients.flat

    claimed = right_gradients() if claims.gradients is None else claims.gradients
    places = _spread(network.n_parameters, max_entries)
    entries = referee.check_gradients(claimed, places)
    verdicts = np.array([entry.verdict for entry in entries])
    judged, wrong = (
        np.array(places)[np.isin(verdicts, ("right", "wrong"))],
        np.array(places)[verdicts == "wrong"],
    )
    if loss is not None:
        entries.append(referee.check_loss(float(loss)))
    if after is not None and learning_rate is not None:
        entries += referee.check_update(claimed, after, learning_rate, places)
    report = GradientReport(tuple(entries), network.n_parameters, tolerance)
    if not np.isfinite(referee.here):
        return replace(report, where=of_infinite_loss(referee.here, "no gradient can be measured"))
    if not report.wrong or (claims.gradients is None and wrong.size):
        return report  # ``backpropagate`` itself wrong would explain nothing
    right = right_gradients()
    step = Step(
        network, parameters, inputs, smoothed_targets(network, dense), shares, learning_rate or 0.0
    )
    said = Claimed(step, right, claimed, judged, loss, after)
    by_part: dict[str, list[str]] = {}
    for entry in report.wrong:
        by_part.setdefault(entry.part, []).append(entry.name)
    named_for = all(mask is None for mask in masks)
    mistakes = name_mistakes(said, by_part) if named_for else ()
    named = any(mistake.part == "gradients" for mistake in mistakes)
    if wrong.size and not named:
        mistakes = slips(said, wrong, by_part["gradients"][0]) + mistakes
    where = locate(said, wrong, named=named) if wrong.size else ""
    return replace(report, mistakes=mistakes, where=where)


def of_infinite_loss(loss: float, consequence: str) -> str:
    """Return what is said where the loss is infinite or NaN."""
    return (
        f"The loss is {loss:g} at these parameters, beyond all numbers, so {consequence}. Are the "
        "inputs, the targets or the weights very large? Scale them, or train again with a smaller "
        "learning rate."
    )


def check_trace(
    trace: Trace, *, tolerance: float = 1e-6, entries: Sequence[int] | None = None
) -> GradientReport:
    """Check the gradients and the loss of a pass that was made, on its own batch and masks.

    ``entries`` are places in ``parameters.flat`` to measure; at most 2000, evenly spread, when left
    out.
    """
    tolerance = positive(tolerance, "tolerance")
    referee = _Referee(
        trace.network, trace.parameters, trace.a[0], trace.targets, trace.shares, trace.masks,
        tolerance,
    )  # fmt: skip
    n = trace.network.n_parameters
    places = _spread(n, _MOST_ENTRIES) if entries is None else entries
    checked = [
        *referee.check_gradients(trace.gradients.flat, places), referee.check_loss(trace.loss)
    ]  # fmt: skip
    return GradientReport(tuple(checked), n, tolerance)


@dataclass(frozen=True)
class _Referee:
    """Measures the loss of a batch around some parameters, and judges what is claimed of it."""

    network: Network
    parameters: Parameters
    x: Array
    targets: Array
    shares: Array
    masks: Masks
    tolerance: float

    def loss_at(self, parameters: Parameters) -> float:
        """Return L of the batch."""
        with np.errstate(over="ignore", invalid="ignore"):  # what is no number is never right
            return objective(
                self.network, parameters, self.x, self.targets, self.shares, self.masks
            )

    @cached_property
    def here(self) -> float:
        """Return L at the parameters."""
        return self.loss_at(self.parameters)

    def check_loss(self, claimed: float) -> EntryCheck:
        """Judge the claimed loss."""
        size = max(abs(claimed), abs(self.here), EPSILON)
        return self._judged("loss", claimed, self.here, relative_error(claimed, self.here, 0, size))

    def check_update(
        self, gradients: Array, after: Array, eta: float, places: Sequence[int]
    ) -> list[EntryCheck]:
        """Judge each parameter after the step by its change, beyond the parameter's rounding."""
        entries = []
        factors = self.network.layout.learning_rate_factors()
        for i in places:
            before, claimed = float(self.parameters.flat[i]), float(after[i])
            rate = eta if factors is None else eta * float(factors[i])
            expected = before - rate * float(gradients[i])
            size = max(abs(claimed - before), abs(expected - before))
            error = relative_error(claimed, expected, 8.0 * EPSILON * abs(before), size)
            name = self.network.layout.entry(i).replace("[", ".after[")
            entries.append(self._judged(name, claimed, expected, error))
        return entries

    def _judged(self, name: str, claimed: float, right: float, error: float) -> EntryCheck:
        verdict = "right" if error <= self.tolerance else "wrong"
        return EntryCheck(name, claimed, right, error, verdict)

    def check_gradients(self, claimed: Array, places: Sequence[int]) -> list[EntryCheck]:
        """Measure dL/dw at some places of the flat vector, and judge what is claimed of it."""
        moved = self.parameters.like(self.parameters.flat.astype(np.float64, copy=True))

        def loss_beside(index: int, shift: float) -> float:
            kept = moved.flat[index]
            moved.flat[index] = kept + shift
            value = self.loss_at(moved)
            moved.flat[index] = kept
            return value

        entry = self.network.layout.entry
        checked = [
            self._check_entry(entry(i), float(claimed[i]), partial(loss_beside, i)) for i in places
        ]
        largest = max((abs(e.measured) for e, _ in checked if np.isfinite(e.measured)), default=0.0)
        blind = max(_BLIND * largest, _LEAST_BLIND)
        return [
            replace(found, verdict="undecided") if noise > blind and self._is_excused(found) else
            found for found, noise in checked
        ]  # fmt: skip

    def _is_excused(self, found: EntryCheck) -> bool:
        """Return whether a claim is called right for the noise of what was measured alone."""
        error = relative_error(found.claimed, found.measured)
        # a measured 0 says that the loss has no digits for the shift, either
        return found.verdict == "right" and (error > self.tolerance or found.measured == 0)

    def _check_entry(
        self, name: str, claimed: float, loss_beside: Callable[[float], float]
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
            relative = relative_error(claimed, measured, noise)
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


@dataclass(frozen=True)
class _Claims:
    gradients: Array | None = None
    loss: float | None = None
    after: Array | None = None


def _claims(
    network: Network, parameters: Parameters, x: Array, targets: Array, gradients: Claim
) -> _Claims:
    """Read what was given, or what the given function returns."""
    if gradients is None:
        return _Claims()
    if not callable(gradients) or hasattr(gradients, "named_parameters"):
        return _Claims(flat_numbers(parameters, gradients, "gradients"))
    before = parameters.flat.copy()
    returned: Any = gradients(network, parameters, x, targets)
    if not np.array_equal(parameters.flat, before, equal_nan=True):
        parameters.flat[...] = before
        raise SettingError(
            "The function changed the parameters it was given (they are restored); let it make "
            "its step on parameters.copy() and return that as the third result."
        )
    several = isinstance(returned, tuple) and len(returned) in (2, 3)
    if not several or not is_one_number(returned[0]) or is_one_number(returned[1]):
        return _Claims(flat_numbers(parameters, returned, "gradients"))
    loss, flat, *rest = returned
    after = flat_numbers(parameters, rest[0], "parameters after the step") if rest else None
    return _Claims(
        flat_numbers(parameters, flat, "gradients"), None if loss is None else float(loss), after
    )


def _spread(n: int, at_most: int | None) -> list[int]:
    if at_most is None or n <= at_most:
        return list(range(n))
    return [int(i) for i in np.unique(np.linspace(0, n - 1, at_most).round().astype(int))]
