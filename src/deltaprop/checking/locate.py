"""Where wrong gradients begin, in words: layer, index, and the quantity to look at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deltaprop.checking.named_mistakes import Claimed, NamedMistake
from deltaprop.checking.precision import is_close
from deltaprop.model.parameters import Slot

__all__ = ["locate", "slips"]

Positions = npt.NDArray[np.intp]

_MOST_SLIPS = 0.1  # of the entries; when more are wrong, they have a reason in common
_SAME = 1e-6  # relative difference of factors that are one factor


@dataclass(frozen=True)
class _Array:
    """The wrong entries of one array, and how many were judged."""

    slot: Slot
    wrong: Positions
    n_judged: int

    @property
    def name(self) -> str:
        return f"{self.slot.name}.{self.slot.layer + 1}"

    @property
    def all_wrong(self) -> bool:
        return len(self.wrong) == self.n_judged

    def neurons(self, axis: int) -> set[int]:
        """Return those with a wrong entry: of this layer (axis -1), or of the one below (0)."""
        index = np.unravel_index(self.wrong - self.slot.start, self.slot.shape)
        return {int(i) for i in index[axis]}

    def described(self) -> str:
        """Return which entries these are."""
        if len(self.wrong) == 1:
            return self.slot.entry(int(self.wrong[0]))
        if self.all_wrong:
            whole = self.n_judged == self.slot.n_numbers
            return f"all of {self.name}" if whole else f"all {self.n_judged} checked of {self.name}"
        first = self.slot.entry(int(self.wrong[0]))
        return f"{len(self.wrong)} of {self.n_judged} entries of {self.name}, from {first} on"


def locate(claimed: Claimed, wrong: Positions, *, named: bool = False) -> str:
    """Return in a few sentences which entries are wrong and where to look first.

    ``wrong`` are the flat positions that the referee rejects, in order; at least one. With
    ``named`` a mistake has been found that gives these numbers, so that nothing is left to look
    for.
    """
    arrays = _arrays(claimed, wrong)
    sentences = [f"Wrong in {_series([array.described() for array in arrays])}."]
    n_layers = claimed.step.network.layout.n_layers
    top = max(array.slot.layer for array in arrays) + 1
    judged_above = {slot.layer + 1 for slot, _ in claimed.slots if slot.layer + 1 > top}
    if judged_above:
        above = sorted(judged_above)
        several = f"Layers {above[0]} to {n_layers} are right."
        sentences.append(f"Layer {above[0]} is right." if len(above) == 1 else several)
    factor = _factor(claimed, wrong)
    if factor is not None:
        sentences.append(f"They are {factor:.6g} times the right numbers.")
    if named:
        return " ".join(sentences)
    if not np.isfinite(claimed.gradients[wrong]).all():
        sentences.append("Some of these are no numbers at all.")
    elif _is_reordered(claimed):
        sentences.append(
            "These are the right numbers in another order: expected is that of parameters.flat, "
            "for each layer W by rows, then b."
        )
        return " ".join(sentences)
    here = [array for array in arrays if array.slot.layer + 1 == top]
    sentences.append(_look_at(claimed, here, top))
    if len({array.slot.layer for array in arrays}) > 1:
        sentences.append("What is wrong in the layers below may follow from it.")
    return " ".join(sentences)


def slips(claimed: Claimed, wrong: Positions, worst: str) -> tuple[NamedMistake, ...]:
    """Return "arithmetic" where a few entries alone are wrong, and nothing explains them.

    ``wrong`` are the flat positions that the referee rejects, in order; ``worst`` is the name of
    the worst entry.
    """
    if len(wrong) != 1 and len(wrong) > _MOST_SLIPS * len(claimed.judged):
        return ()
    arrays = _arrays(claimed, wrong)
    places = [array.slot.entry(int(i)) for array in arrays for i in array.wrong]
    return (
        NamedMistake(
            "arithmetic", "the number does not follow from its operands",
            f"work out d{worst} once more", "gradients",
            tuple(sorted({array.slot.layer + 1 for array in arrays})),
            tuple(f"d{place}" for place in places), worst,
        ),
    )  # fmt: skip


def _arrays(claimed: Claimed, wrong: Positions) -> list[_Array]:
    found = [_Array(slot, np.intersect1d(at, wrong), len(at)) for slot, at in claimed.slots]
    return [array for array in found if len(array.wrong)]


def _look_at(claimed: Claimed, here: Sequence[_Array], layer: int) -> str:
    """Return what to look at, from which entries of the uppermost wrong layer are wrong."""
    by_name = {array.slot.name: array for array in here}
    below = "x" if layer == 1 else f"a.{layer - 1}"
    W, b = by_name.get("W"), by_name.get("b")
    if len(here) == 1 and len(here[0].wrong) == 1 and not here[0].all_wrong:
        return f"Look at d{here[0].described()} by itself: the others of d{here[0].name} are right."
    if W is not None and b is not None:
        columns = W.neurons(-1) | b.neurons(-1)
        if len(columns) == 1 and W.slot.shape[1] > 1:
            return f"Look at delta.{layer}[:,{columns.pop()}], the delta of that neuron."
        return f"Look at delta.{layer} first, which all of them are made with."
    if b is not None:
        return f"Look at db.{layer}, the sum of delta.{layer} over samples; delta itself is right."
    if W is not None and claimed.step.network.has_bias(layer - 1):
        rows = W.neurons(0)
        if len(rows) == 1 and W.slot.shape[0] > 1:
            return f"Look at {below}[:,{rows.pop()}], the input of that row."
        return f"Look at dW.{layer} = {below}^T delta.{layer}; delta itself is right."
    return f"Look at delta.{layer} and at dW.{layer} = {below}^T delta.{layer}."


def _factor(claimed: Claimed, wrong: Positions) -> float | None:
    """Return the one factor between claimed and right numbers, where there is one."""
    if len(wrong) < 2:
        return None
    with np.errstate(all="ignore"):
        factors = claimed.gradients[wrong] / claimed.right[wrong]
        one = float(np.median(factors))
    return one if is_close(factors, one, relative=_SAME).all() else None


def _is_reordered(claimed: Claimed) -> bool:
    if len(claimed.judged) < claimed.step.network.n_parameters:
        return False
    claims, right = np.sort(claimed.gradients), np.sort(claimed.right)
    return bool(is_close(claims, right, relative=_SAME, size=np.abs(right).max()).all())


def _series(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
