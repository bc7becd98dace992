"""The named mistakes that give some wrong gradients, a wrong loss, or a wrong step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from deltaprop.checking.mistakes import MISTAKES
from deltaprop.checking.precision import DOUBLE, SINGLE, Computed
from deltaprop.checking.search import Cause, Search
from deltaprop.checking.step import Given, Step, work_out
from deltaprop.model.parameters import Slot

__all__ = ["Claimed", "NamedMistake", "name_mistakes"]

Array = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
_Found = dict[str, "NamedMistake"]  # by name


@dataclass(frozen=True)
class NamedMistake:
    """A mistake that gives the claimed numbers.

    Named as in ``MISTAKES`` or ``OF_LAYERS``; or "arithmetic", for numbers that do not follow from
    their operands.

    Attributes
    ----------
    name, doc, fix : str
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
    """Claimed numbers, and the step they are about; its learning rate is 0 where none is known.

    The gradients, right and claimed, and the parameters ``after`` the step are flat; ``judged`` are
    the flat positions to compare at.
    """

    step: Step
    right: Array
    gradients: Array
    judged: Positions
    loss: float | None = None
    after: Array | None = None

    @cached_property
    def slots(self) -> tuple[tuple[Slot, Positions], ...]:
        """Return each array that is judged at all, with the positions to compare at."""
        edges = [(slot, *np.searchsorted(self.judged, (slot.start, slot.stop)))
                 for slot in self.step.network.layout.slots]  # fmt: skip
        return tuple((slot, self.judged[i:j]) for slot, i, j in edges if j > i)

    def claims(self, part: str, relative: float) -> list[Computed]:
        """Return what is said of the gradients, the loss or the parameters after the step."""
        if part == "loss":
            right, loss = work_out(self.step)[0]["loss"], np.asarray(self.loss)
            return [Computed(part, loss, np.array(True), right, relative, float(np.abs(right)))]
        flat = self.step.parameters.flat
        stated = np.zeros(len(flat), bool)
        stated[self.judged] = True
        said, right, before, key = self.gradients, self.right, np.zeros_like(flat), "d{}.{}"
        if part == "update" and self.after is not None:
            right = flat - self.step.learning_rate * self.gradients
            said, before, key = self.after, flat, "{}.{}.after"
        floor = float(np.max(np.abs(right - before), initial=0.0))
        return [
            Computed(
                key.format(slot.name, slot.layer + 1), slot.of(said), slot.of(stated),
                slot.of(right), relative, floor, slot.of(before),
            )
            for slot, _ in self.slots
        ]  # fmt: skip

    def as_given(self) -> Given:
        """Return the claimed gradients, to go on with."""
        arrays = self.step.parameters.like(self.gradients).layers
        return Given(
            {f"d{n}.{i}": a for i, layer in enumerate(arrays, 1) for n, a in layer.items()}
        )


def name_mistakes(claimed: Claimed, wrong: Mapping[str, Sequence[str]]) -> tuple[NamedMistake, ...]:
    """Return the mistakes that give the claimed numbers, the likeliest first.

    ``wrong`` has the parts that are wrong, "gradients", "loss" or "update", each with its wrong
    entries, worst first. All are returned that fit equally well. Where no single one explains
    gradients and loss, some for each; where none explains all gradients, those that explain the
    uppermost wrong layer.
    """
    search = Search(claimed.step, (), {})
    by_part: dict[str, _Found] = {}
    for part, entries in wrong.items():
        by_part[part] = _named(search, claimed, part, entries[0])
        if part == "gradients" and not by_part[part]:
            by_part[part] = _of_uppermost(search, claimed, entries)
    gradients, loss = by_part.get("gradients", {}), by_part.get("loss", {})
    both = [name for name in gradients if name in loss]
    if both:  # one mistake for two wrong parts
        by_part["gradients"] = {name: gradients[name] for name in both}
        by_part["loss"] = {}
    return tuple(found for part in by_part.values() for found in part.values())


def _of_uppermost(search: Search, claimed: Claimed, entries: Sequence[str]) -> _Found:
    """Return by name what gives the uppermost wrong layer, where more layers are wrong."""
    layers = [int(entry.partition("[")[0].split(".")[1]) for entry in entries]
    top = max(layers)
    if min(layers) == top:
        return {}
    start = min(slot.start for slot, _ in claimed.slots if slot.layer + 1 == top)
    upper = replace(claimed, judged=claimed.judged[claimed.judged >= start])
    found = _named(search, upper, "gradients", entries[layers.index(top)])
    return {name: replace(mistake, explains_all=False) for name, mistake in found.items()}


def _named(search: Search, claimed: Claimed, part: str, entry: str) -> _Found:
    """Return by name what gives a part, as near as float64 gives it, or else as float32 does."""
    given = claimed.as_given() if part == "update" else None
    found: _Found = {}
    for relative in (DOUBLE, SINGLE):
        for cause in () if found else search.causes(claimed.claims(part, relative), given):
            found.setdefault(cause.form.name, _mistake(cause, part, entry))
    return found


def _mistake(cause: Cause, part: str, entry: str) -> NamedMistake:
    name, eta = cause.form.name, cause.learning_rate
    row = MISTAKES[name]
    more = "" if eta is None else f" (with a learning rate of {eta:.6g})"
    layers = {int(place.split(".")[1]) for place in cause.places if place != "loss"}
    return NamedMistake(
        name, row.doc + more, row.fix, part, tuple(sorted(layers)), cause.places, entry
    )
