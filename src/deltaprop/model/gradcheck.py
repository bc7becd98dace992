"""The referee: gradients against central differences of the loss, entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import ShapeError
from deltaprop.functional.losses import sample_shares
from deltaprop.functional.settings import positive, positive_int
from deltaprop.model.backprop import draw_masks, objective, require_fit, trace_step
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import dense_targets, prepare_inputs, prepare_targets

__all__ = ["Claim", "EntryCheck", "GradientReport", "check_gradients"]

Array = npt.NDArray[np.float64]
GradientFunction: TypeAlias = Callable[[Network, Parameters, Array, Array], object]
Claim: TypeAlias = Parameters | npt.ArrayLike | GradientFunction | None

_EPSILON = float(np.finfo(np.float64).eps)
# From wide to narrow: the wide step is the exact one where L is smooth, the narrow ones get
# away from a kink nearby.
_STEPS = (1e-3, 1e-4, 1e-5, 1e-6)


@dataclass(frozen=True)
class EntryCheck:
    """One parameter: the gradient that was claimed and the one that was measured.

    Attributes
    ----------
    name : str
        "W.1[0,2]": quantity, layer counted from 1, index. "loss" for the value itself.
    claimed, measured : float
        The gradient, and the central difference of the loss.
    relative_error : float
        |claimed - measured| / max(|claimed|, |measured|), beyond the rounding noise of the
        measurement.
    verdict : {"right", "wrong", "kink"}
        "kink" where the loss has no derivative, so that nothing can be judged.
    """

    name: str
    claimed: float
    measured: float
    relative_error: float
    verdict: str


@dataclass(frozen=True)
class GradientReport:
    """What the referee found; true when no entry is wrong.

    Attributes
    ----------
    entries : tuple of EntryCheck
        Every entry that was measured.
    n_parameters : int
        How many there are; more than ``len(entries)`` when a sample was taken.
    tolerance : float
        The relative error up to which an entry is right.
    """

    entries: tuple[EntryCheck, ...]
    n_parameters: int
    tolerance: float

    @property
    def ok(self) -> bool:
        """Return whether every judged entry is right."""
        return not self.wrong

    @property
    def wrong(self) -> tuple[EntryCheck, ...]:
        """Return the wrong entries, worst first."""
        wrong = [entry for entry in self.entries if entry.verdict == "wrong"]
        return tuple(sorted(wrong, key=lambda entry: -entry.relative_error))

    @property
    def worst(self) -> EntryCheck | None:
        """Return the judged entry with the largest relative error."""
        judged = [entry for entry in self.entries if entry.verdict != "kink"]
        return max(judged, key=lambda entry: entry.relative_error, default=None)

    @property
    def n_kinks(self) -> int:
        """Return how many entries stand on a kink and were not judged."""
        return sum(entry.verdict == "kink" for entry in self.entries)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        gradients = [entry for entry in self.entries if entry.name != "loss"]
        judged = sum(entry.verdict != "kink" for entry in gradients)
        right = sum(entry.verdict == "right" for entry in gradients)
        agree = f"{right} of {judged} gradients agree"
        lines = [f"{agree} with central differences (relative error up to {self.tolerance:g})."]
        if self.n_parameters > len(gradients):
            lines.append(f"A sample of {self.n_parameters} parameters.")
        if self.n_kinks:
            lines.append(f"{self.n_kinks} stand on a kink of the loss and were not judged.")
        if self.worst is not None:
            w = self.worst
            what = "the loss" if w.name == "loss" else f"d/d{w.name}"
            lines.append(
                f"{'Worst' if self.wrong else 'Largest error'}: {what}, "
                f"relative error {w.relative_error:.2g}"
            )
            lines.append(f"  claimed {w.claimed:.10g}, measured {w.measured:.10g}")
        return "\n".join(lines)


def check_gradients(
    network: Network,
    parameters: Parameters,
    x: npt.ArrayLike,
    targets: npt.ArrayLike,
    *,
    gradients: Claim = None,
    loss: float | None = None,
    sample_weight: npt.ArrayLike | None = None,
    reduction: str = "mean",
    tolerance: float = 1e-6,
    max_entries: int | None = 2000,
    rng: np.random.Generator | None = None,
) -> GradientReport:
    """Compare gradients with fourth-order central differences of the loss, entry by entry.

    dL/dw = (8 (L(w+h) - L(w-h)) - (L(w+2h) - L(w-2h))) / 12h + O(h^4). An entry is right when
    it is within ``tolerance`` relative, plus the rounding noise of the loss divided by h. Where
    the differences from the left and from the right disagree, the loss has a kink, and the entry
    is reported as such instead of judged.

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
    gradients : Parameters, array_like or callable, optional
        What somebody says the gradients are: flat numbers, or a function of (network,
        parameters, x, targets) that returns them. Left out, ``backpropagate``'s are checked.
    loss : float, optional
        What somebody says the loss is; checked as the entry "loss".
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
        True when right; ``report.worst`` names the worst entry.

    Raises
    ------
    ShapeError
        When the claimed gradients do not have one number per parameter.
    """
    tolerance = positive(tolerance, "tolerance")
    if max_entries is not None:
        max_entries = positive_int(max_entries, "max_entries")
    require_fit(network, parameters)
    inputs = prepare_inputs(network, x)
    dense = dense_targets(prepare_targets(network, targets, len(inputs)), network.n_out)
    shares = sample_shares(len(inputs), sample_weight, reduction=reduction)
    masks = draw_masks(network, len(inputs), rng)
    claimed = _claimed_flat(
        network, parameters, inputs, dense, gradients,
        lambda: trace_step(network, parameters, inputs, dense, shares, masks).gradients.flat,
    )  # fmt: skip

    moved = parameters.like(parameters.flat.astype(np.float64, copy=True))

    def loss_at(index: int, shift: float) -> float:
        kept = moved.flat[index]
        moved.flat[index] = kept + shift
        value = objective(network, moved, inputs, dense, shares, masks)
        moved.flat[index] = kept
        return value

    here = objective(network, moved, inputs, dense, shares, masks)
    entries = [
        _check_entry(network.layout.entry(i), float(claimed[i]), here, tolerance, loss_at, i)
        for i in _spread(network.n_parameters, max_entries)
    ]
    if loss is not None:
        error = abs(loss - here) / max(abs(loss), abs(here), _EPSILON)
        error = error if np.isfinite(error) else np.inf
        verdict = "right" if error <= tolerance else "wrong"
        entries.append(EntryCheck("loss", float(loss), here, error, verdict))
    return GradientReport(tuple(entries), network.n_parameters, tolerance)


def _check_entry(
    name: str,
    claimed: float,
    here: float,
    tolerance: float,
    loss_at: Callable[[int, float], float],
    index: int,
) -> EntryCheck:
    best = EntryCheck(name, claimed, np.nan, np.inf, "wrong")
    curvature, wider = 0.0, np.nan
    for h in _STEPS:
        right, left = loss_at(index, h), loss_at(index, -h)
        far_right, far_left = loss_at(index, 2 * h), loss_at(index, -2 * h)
        measured = (8.0 * (right - left) - (far_right - far_left)) / (12.0 * h)
        size = max(h, *(abs(v) for v in (here, right, left, far_right, far_left)))
        noise = 8.0 * _EPSILON * size / h
        error = abs(claimed - measured) - noise
        relative = 0.0 if error <= 0 else error / max(abs(claimed), abs(measured))
        if not np.isfinite(relative):  # a claim or a loss that is no number is never right
            relative = np.inf
        if h == _STEPS[0]:
            curvature = abs(right - 2.0 * here + left) / h**2
        if relative < best.relative_error or np.isnan(best.measured):
            best = EntryCheck(name, claimed, measured, relative, "wrong")
        if relative <= tolerance:
            return EntryCheck(name, claimed, measured, relative, "right")
        if abs(measured - wider) <= 2.0 * noise + 0.1 * tolerance * abs(measured):
            break  # two steps agree, and a narrower one would only add noise
        wider = measured
    # at the last step: do the slopes around here differ by more than L bends anyway?
    slopes = [far_right - right, right - here, here - left, left - far_left]
    jump = (max(slopes) - min(slopes)) / h - 3.0 * curvature * h
    sizes = [abs(slope) / h for slope in slopes]
    if jump > 1e-3 * (max(sizes) + min(sizes)) + 4.0 * noise:
        return EntryCheck(name, claimed, measured, 0.0, "kink")
    return best


def _claimed_flat(
    network: Network,
    parameters: Parameters,
    x: Array,
    targets: Array,
    gradients: Claim,
    own: Callable[[], Array],
) -> Array:
    if gradients is None:
        return own()
    given = gradients(network, parameters, x, targets) if callable(gradients) else gradients
    flat = given.flat if isinstance(given, Parameters) else np.asarray(given, dtype=np.float64)
    if flat.shape != (network.n_parameters,):
        raise ShapeError(
            f"The claimed gradients have shape {flat.shape}; expected one number for each of the "
            f"{network.n_parameters} parameters, in the order of parameters.flat."
        )
    return flat


def _spread(n: int, at_most: int | None) -> list[int]:
    if at_most is None or n <= at_most:
        return list(range(n))
    return [int(i) for i in np.unique(np.linspace(0, n - 1, at_most).round().astype(int))]
