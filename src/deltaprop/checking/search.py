"""Find the named mistake that gives some wrong gradients.

Claimed numbers that the referee has found wrong are compared with those of every form of every
mistake, made in all layers or only in some; and said is where the first wrong number stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.checking.further_mistakes import Form, forms_for
from deltaprop.checking.mistakes import MISTAKES
from deltaprop.checking.rules import RIGHT, Rules, Working, work_step
from deltaprop.model.parameters import Parameters, Slot
from deltaprop.model.spec import Network

__all__ = ["Claimed", "NamedMistake", "name_mistakes"]

Array = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

# How near a claim must be to a mistake's numbers: as float64 gives them, then as float32 does.
_DOUBLE, _SINGLE = 1e-8, 1e-4
_UPDATE_NOISE = 8.0 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class NamedMistake:
    """A mistake that gives the claimed numbers.

    Attributes
    ----------
    name : str
        As in ``MISTAKES``; or "arithmetic", for numbers that do not follow from their operands.
    doc, fix : str
        What went wrong and what to change, one line each.
    part : {"gradients", "loss", "update"}
        What is wrong because of it.
    layers : tuple of int
        The layers in which it is made, counted from 1; empty for the loss.
    places : tuple of str
        The quantities that go wrong first: "delta.1", "dW.2", "loss", "W.1.after".
    entry : str
        The wrong entry with the largest relative error, "W.1[0,2]".
    explains_all : bool
        False when it gives the numbers of the uppermost wrong layer only, and the layers below
        are wrong for another reason as well.
    """

    name: str
    doc: str
    fix: str
    part: str
    layers: tuple[int, ...]
    places: tuple[str, ...]
    entry: str
    explains_all: bool = True


@dataclass(frozen=True)
class Claimed:
    """Claimed numbers, and the step they are about.

    Attributes
    ----------
    network, parameters, x, targets, shares
        As for ``work_step``.
    right : ndarray
        The right gradients, flat.
    gradients : ndarray
        The claimed ones.
    judged : ndarray of int
        The flat positions to compare at.
    loss : float, optional
        The claimed loss.
    after : ndarray, optional
        The claimed parameters after the step, flat.
    learning_rate : float, optional
        eta, where it is known.
    comparable : bool
        Whether ``work_step`` takes the same step; it knows no dropout masks.
    """

    network: Network
    parameters: Parameters
    x: Array
    targets: Array
    shares: Array
    right: Array
    gradients: Array
    judged: Positions
    loss: float | None = None
    after: Array | None = None
    learning_rate: float | None = None
    comparable: bool = True

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """Return every form to look for, the commonest of each mistake first."""
        found = forms_for(self.network) if self.comparable else ()
        return tuple(sorted(found, key=lambda form: form.rank))

    def work(self, rules: Rules, learning_rate: float | None = None) -> Working:
        """Take the step by some rules."""
        eta = learning_rate or self.learning_rate or 0.0
        with np.errstate(all="ignore"):  # a wrong step may go anywhere
            return work_step(
                rules, self.network, self.parameters, self.x, self.targets,
                learning_rate=eta, shares=self.shares,
            )  # fmt: skip

    @cached_property
    def workings(self) -> tuple[Working, ...]:
        """Return the step by each form, made wherever it can be made."""
        return tuple(self.work(form.rules) for form in self.forms)

    @cached_property
    def slots(self) -> tuple[tuple[Slot, Positions], ...]:
        """Return each array that is judged at all, with the positions to compare at."""
        edges = [(slot, *np.searchsorted(self.judged, (slot.start, slot.stop)))
                 for slot in self.network.layout.slots]  # fmt: skip
        return tuple((slot, self.judged[i:j]) for slot, i, j in edges if j > i)


_Found: TypeAlias = dict[str, NamedMistake]  # by name
_Search: TypeAlias = Callable[[Claimed, str, float], _Found]


def name_mistakes(claimed: Claimed, wrong: Mapping[str, Sequence[str]]) -> tuple[NamedMistake, ...]:
    """Return the mistakes that give the claimed numbers, the likeliest first.

    Parameters
    ----------
    claimed : Claimed
        What somebody says.
    wrong : dict of str to list of str
        The parts that are wrong, "gradients", "loss" or "update", each with its wrong entries,
        worst first.

    Returns
    -------
    tuple of NamedMistake
        All that fit equally well. Where no single one explains gradients and loss, some for each;
        where none explains all gradients, those that explain the uppermost wrong layer.
    """
    by_part: dict[str, _Found] = {}
    for part, entries in wrong.items():
        search = {"gradients": _of_gradients, "loss": _of_loss, "update": _of_update}[part]
        by_part[part] = _nearest(search, claimed, entries[0])
        if part == "gradients" and not by_part[part]:
            by_part[part] = _of_uppermost(claimed, entries)
    gradients, loss = by_part.get("gradients", {}), by_part.get("loss", {})
    both = [name for name in gradients if name in loss]
    if both:  # one mistake for two wrong parts
        by_part["gradients"] = {name: gradients[name] for name in both}
        by_part["loss"] = {}
    return tuple(found for part in by_part.values() for found in part.values())


def _nearest(search: _Search, claimed: Claimed, entry: str) -> _Found:
    """Search among numbers as near as float64 gives them, then as float32 does."""
    return search(claimed, entry, _DOUBLE) or search(claimed, entry, _SINGLE)


def _of_uppermost(claimed: Claimed, entries: Sequence[str]) -> _Found:
    """Return by name what gives the uppermost wrong layer, where more layers are wrong."""
    layers = [int(entry.partition("[")[0].split(".")[1]) for entry in entries]
    top = max(layers)
    if min(layers) == top:
        return {}
    start = min(slot.start for slot, _ in claimed.slots if slot.layer + 1 == top)
    upper = replace(claimed, judged=claimed.judged[claimed.judged >= start])
    found = _nearest(_of_gradients, upper, entries[layers.index(top)])
    return {name: replace(mistake, explains_all=False) for name, mistake in found.items()}


def _named(
    form: Form, part: str, layers: Sequence[int], places: Sequence[str], entry: str, more: str = ""
) -> NamedMistake:
    row = MISTAKES[form.name]
    return NamedMistake(
        form.name, row.doc + more, row.fix, part, tuple(layers), tuple(places), entry
    )


# ---- gradients


def _of_gradients(claimed: Claimed, entry: str, tolerance: float) -> _Found:
    """Return by name what gives every judged gradient.

    A mistake in the recursion or in f' changes delta of one layer and of all below, so for each
    layer, from the top, is asked whether it is made there. Any other changes the gradients of
    each array by itself.
    """
    close = _Closeness(claimed.gradients, claimed.right, tolerance)
    if all(close.fits(claimed.right, at) for _, at in claimed.slots):
        return {}  # right but for rounding, or one small slip
    everywhere: _Found = {}
    somewhere: _Found = {}
    for form, working in zip(claimed.forms, claimed.workings, strict=True):
        if _reaches_down(form.rules):
            named = _in_layers(claimed, form, entry, close)
        else:
            named = _in_arrays(claimed, form, working, entry, close)
        if named is not None:
            numbers = working.gradients.flat
            whole = all(close.fits(numbers, at) for _, at in claimed.slots)
            (everywhere if whole else somewhere).setdefault(form.name, named)
    return {**everywhere, **{n: m for n, m in somewhere.items() if n not in everywhere}}


@dataclass(frozen=True)
class _Closeness:
    claims: Array
    right: Array
    tolerance: float
    noise: Array | None = None

    @cached_property
    def floor(self) -> float:
        """Return what is rounding beside the largest number."""
        return 1e-15 * float(np.max(np.abs(self.right), initial=0.0))

    def fits(self, numbers: Array, at: Positions) -> bool:
        """Return whether the claims are these numbers."""
        c, m = self.claims[at], numbers[at]
        size = max(float(np.max(np.abs(m))), float(np.max(np.abs(self.right[at]))))
        room = self.tolerance * (np.abs(m) + 0.01 * size) + self.floor
        if self.noise is not None:
            room = room + self.noise[at]
        with np.errstate(invalid="ignore"):
            return bool(np.all(np.abs(c - m) <= room))  # never so where one of them is NaN


def _reaches_down(rules: Rules) -> bool:
    return rules.recursion is not RIGHT.recursion or rules.f_prime is not RIGHT.f_prime


def _in_arrays(
    claimed: Claimed, form: Form, working: Working, entry: str, close: _Closeness
) -> NamedMistake | None:
    """Name a mistake if every array is right or as the mistake makes it."""
    numbers = working.gradients.flat
    changed = [slot for slot, at in claimed.slots if not close.fits(claimed.right, at)]
    if not all(close.fits(numbers, at) for slot, at in claimed.slots if slot in changed):
        return None
    everywhere = all(close.fits(numbers, at) for _, at in claimed.slots)
    if everywhere and form.rules.output_delta is not RIGHT.output_delta:
        last = claimed.network.layout.n_layers
        return _named(form, "gradients", [last], [f"delta.{last}"], entry)
    layers = sorted({slot.layer + 1 for slot in changed})
    places = [f"d{slot.name}.{slot.layer + 1}" for slot in changed]
    return _named(form, "gradients", layers, places, entry)


def _in_layers(claimed: Claimed, form: Form, entry: str, close: _Closeness) -> NamedMistake | None:
    """Name a mistake in recursion or f' if it explains every layer, made in some of them."""
    made: frozenset[int] = frozenset()
    eta = claimed.learning_rate
    numbers = claimed.work(_only_in(form.rules, made)).gradients.flat
    last = claimed.network.layout.n_layers
    own_delta = {last} if form.rules.output_delta is not RIGHT.output_delta else set()
    for layer in reversed(range(last)):
        here = [at for slot, at in claimed.slots if slot.layer == layer]
        if all(close.fits(numbers, at) for at in here):
            continue
        if layer == last - 1:
            return None
        made |= {layer}
        rules = _only_in(form.rules, made)
        if form.name == "updated_weights" and eta is None:
            eta = _learning_rate(claimed, rules, layer, np.concatenate(here), numbers)
            if eta is None:
                return None
        numbers = claimed.work(rules, eta).gradients.flat
        if not all(close.fits(numbers, at) for at in here):
            return None
    layers = sorted(own_delta | {layer + 1 for layer in made})
    if not layers:
        return None
    guessed = eta is not None and claimed.learning_rate is None
    more = f" (with a learning rate of {eta:.6g})" if guessed else ""
    return _named(form, "gradients", layers, [f"delta.{layer}" for layer in layers], entry, more)


def _only_in(rules: Rules, layers: frozenset[int]) -> Rules:
    """Return rules that make a mistake on the way to delta of these layers, counted from 0."""

    def recursion(w: Working, index: int) -> Array:
        return (rules if index - 1 in layers else RIGHT).recursion(w, index)

    def f_prime(w: Working, index: int) -> Array:
        return (rules if index in layers else RIGHT).f_prime(w, index)

    return replace(rules, recursion=recursion, f_prime=f_prime)


def _learning_rate(
    claimed: Claimed, rules: Rules, layer: int, at: Positions, before: Array
) -> float | None:
    """Return the learning rate with which a recursion through updated weights fits best.

    The gradients of the layer below are linear in it. Where that layer has one delta only, any
    number could be explained so, and nothing is.
    """
    if len(claimed.x) * claimed.network.sizes[layer + 1] < 2:
        return None
    direction = claimed.work(rules, 1.0).gradients.flat[at] - before[at]
    with np.errstate(all="ignore"):
        eta = float((claimed.gradients[at] - before[at]) @ direction / (direction @ direction))
    return eta if np.isfinite(eta) and eta > 0 else None


# ---- the loss and the update


def _of_loss(claimed: Claimed, entry: str, tolerance: float) -> _Found:
    """Return by name what gives the claimed loss."""
    loss = np.array([claimed.loss])
    right = np.array([claimed.work(RIGHT).loss]) if claimed.comparable else loss
    close, at = _Closeness(loss, right, tolerance), np.array([0])
    found: _Found = {}
    if close.fits(right, at):
        return found
    for form, working in zip(claimed.forms, claimed.workings, strict=True):
        if close.fits(np.array([working.loss]), at):
            found.setdefault(form.name, _named(form, "loss", (), ("loss",), entry))
    return found


def _of_update(claimed: Claimed, entry: str, tolerance: float) -> _Found:
    """Return by name what leads from the claimed gradients to the claimed parameters after.

    Compared are the steps, divided by the learning rate: those are gradients again.
    """
    eta, flat = claimed.learning_rate, claimed.parameters.flat
    if eta is None or claimed.after is None:
        return {}
    noise = _UPDATE_NOISE * np.abs(flat) / eta
    close = _Closeness((flat - claimed.after) / eta, claimed.gradients, tolerance, noise)
    found: _Found = {}
    changed = [slot for slot, at in claimed.slots if not close.fits(claimed.gradients, at)]
    if not changed or not claimed.comparable:
        return found
    working = claimed.work(RIGHT)
    working.gradients = claimed.parameters.like(claimed.gradients)
    for form in claimed.forms:
        if form.rules.update is RIGHT.update:
            continue
        step = (flat - form.rules.update(working)) / eta
        if all(close.fits(step, at) for slot, at in claimed.slots if slot in changed):
            layers = sorted({slot.layer + 1 for slot in changed})
            places = [f"{slot.name}.{slot.layer + 1}.after" for slot in changed]
            found.setdefault(form.name, _named(form, "update", layers, places, entry))
    return found
