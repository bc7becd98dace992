"""The search for a mistake: which of the named ones gives the numbers that somebody states.

Claims are compared with what every form of every mistake gives: made wherever it can be made, only
in some layers or arrays, or with the claims before taken as given. How near is near enough says
each claim itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.checking.mistakes.forms import Form, forms_for
from deltaprop.checking.precision import Claim, is_close
from deltaprop.checking.rules import RIGHT, Rules, Working, changed
from deltaprop.checking.step import (
    Begun,
    Given,
    Quantities,
    Step,
    made_from,
    work_out,
)
from deltaprop.model.layers import ARRAYS

__all__ = ["Cause", "Found", "Search", "only_in", "reaches_down", "workings"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Workings = Sequence[tuple[Form, Quantities]]

_PLACES = (6, 5, 4, 3, 2)  # to which numbers that are not claimed may have been rounded
_MIXED_PLACES = (3, 2)  # the same, by whoever rounds one number of a layer more than another
_MOST_MIXTURES = 300
_MOST_ROUNDED = 0.05  # of the largest number of a claim; rounding before does no more
_EVIDENCE = 5  # significant digits that no mistake out of dozens gives by chance


def workings(step: Step, given: Given | None = None) -> Iterator[tuple[Form, Quantities]]:
    """Yield every form of every mistake that can be made, with the step worked out by it."""
    begun = Begun()
    for form in forms_for(step.network):
        yield form, work_out(step, form.rules, given, begun)[0]


@dataclass(frozen=True)
class Cause:
    """A mistake that gives all of some claims, and where it must have been made.

    ``places`` are the quantities that go wrong first; ``whole`` says that it is made wherever it
    can be; ``learning_rate`` is the one that fits, where none is known.
    """

    form: Form
    places: tuple[str, ...]
    whole: bool
    learning_rate: float | None = None


@dataclass(frozen=True)
class Found:
    """The mistakes that give a wrong claim's numbers equally well, the likeliest first.

    ``rounded`` is what the layer before was rounded to, where only this gives its numbers.
    """

    names: tuple[str, ...] = ()
    rounded: tuple[float, ...] = ()


@dataclass(frozen=True)
class Search:
    """Some claims about a step, in the order they are worked out, and where each is not right."""

    step: Step
    claims: Sequence[Claim]
    off: Mapping[str, Flags]

    @cached_property
    def pure(self) -> Workings:
        """Return the step by every form, made wherever it can be; the commonest forms first."""
        return self._sorted()

    def _sorted(self, given: Given | None = None) -> Workings:
        return sorted(workings(self.step, given), key=lambda working: working[0].rank)

    # ---- a mistake that gives everything

    def causes(self, claims: Sequence[Claim], given: Given | None = None) -> list[Cause]:
        """Return what gives all of these claims, what is made everywhere first.

        A mistake in the recursion or in f' changes delta of one layer and of all below, so for each
        layer, from the top, is asked whether it is made there. Any other changes each array by
        itself. ``given`` are numbers to go on with.
        """
        right = work_out(self.step, given=given)[0]
        if all(_fits(claim, right) for claim in claims):
            return []  # right but for rounding, or one small slip
        made = [
            self._in_layers(form, claims, values) if reaches_down(form.rules)
            else _in_arrays(form, claims, values, right)
            for form, values in (self._sorted(given) if given else self.pure)
        ]  # fmt: skip
        return sorted((cause for cause in made if cause), key=lambda cause: not cause.whole)

    def _in_layers(self, form: Form, claims: Sequence[Claim], pure: Quantities) -> Cause | None:
        """Return where a mistake in recursion or f' is made, if that explains every claim."""
        made: frozenset[int] = frozenset()
        step, last = self.step, self.step.n_layers
        values = work_out(step, only_in(form.rules, made))[0]
        for layer in reversed(range(1, last + 1)):
            here = [claim for claim in claims if _layer_of_delta(claim.key) == layer]
            if all(_fits(claim, values) for claim in here):
                continue
            if layer == last:
                return None
            made |= {layer}
            rules = only_in(form.rules, made)
            if form.name == "updated_weights" and not step.learning_rate:
                eta = self._learning_rate(rules, here, values)
                if eta is None:
                    return None
                step = replace(step, learning_rate=eta)
            values = work_out(step, rules)[0]
            if not all(_fits(claim, values) for claim in here):
                return None
        if not all(_fits(claim, values) for claim in claims):
            return None
        own = {last} if form.rules.output_delta is not RIGHT.output_delta else set()
        places = tuple(f"delta.{layer}" for layer in sorted(own | made))
        guessed = None if step is self.step else step.learning_rate
        whole = all(_fits(claim, pure) for claim in claims)
        return Cause(form, places, whole, guessed) if places else None

    def _learning_rate(
        self, rules: Rules, here: Sequence[Claim], before: Quantities
    ) -> float | None:
        """Return the learning rate with which a recursion through updated weights fits best.

        The gradients of the layer below are linear in it. Where that layer has one delta only, any
        number could be explained so, and nothing is.
        """
        step = self.step
        if len(step.x) * step.network.sizes[_layer_of_delta(here[0].key)] < 2:
            return None
        by_one, _ = work_out(replace(step, learning_rate=1.0), rules)
        claimed = {claim.key: claim.values for claim in here}
        c, b, one = (
            np.concatenate([of[claim.key][~np.isnan(claim.values)] for claim in here])
            for of in (claimed, before, by_one)
        )
        d = one - b
        with np.errstate(all="ignore"):
            eta = float((c - b) @ d / (d @ d))
        return eta if np.isfinite(eta) and eta > 0 else None

    # ---- which mistake gives which claim

    @cached_property
    def slips(self) -> Given:
        """Return the claimed numbers that are off, to go on with."""
        off = {c.key: np.where(self.off[c.key], c.values, np.nan) for c in self.claims}
        return Given({key: values for key, values in off.items() if self.off[key].any()})

    def _is_likely(self, claim: Claim, values: Quantities) -> bool:
        """Return whether a mistake that gives a claim can hardly do so by chance.

        It can when it does not give the right claims that this one is made from, and the claim
        has few digits.
        """
        before = set(made_from(claim.key, self.step))
        return bool(claim.digits[self.off[claim.key]].sum() >= _EVIDENCE) or all(
            _fits(c, values) for c in self.claims if c.key in before and not self.off[c.key].any()
        )

    def with_rounding(self, claim: Claim) -> Found:
        """Ask once more, with the layer before rounded: first by the right rules, then by wrong."""
        layer = self._layer_before(claim.key)
        if layer is None:
            return Found()
        roundings = [Given(self.slips.numbers, places) for places in _PLACES]
        roundings += self._mixtures(layer)
        right = Form("", RIGHT, 0)
        by_right = work_out(self.step, RIGHT, self.slips)[0]
        others = [
            (form, values)
            for form, values in self.pure
            if not np.allclose(values[claim.key], by_right[claim.key], equal_nan=True)
        ]
        exactly = [(right, by_right), *others]
        near = [
            form
            for form, values in exactly
            if _is_near(claim, values[claim.key]) and self._is_likely(claim, values)
        ]
        for forms in ([f for f in near if f is right], [f for f in near if f is not right]):
            for given in roundings if forms else ():
                found = [(form.name, *work_out(self.step, form.rules, given)) for form in forms]
                fitting = [(name, used) for name, computed, used in found if _fits(claim, computed)]
                if fitting:
                    names = dict.fromkeys(name for name, _ in fitting if name)
                    return Found(tuple(names), tuple(map(float, fitting[-1][1][layer].ravel())))
        return Found()

    def _layer_before(self, key: str) -> str | None:
        """Return the nearest activations or deltas before, unless they are claimed."""
        layers = (k for k in made_from(key, self.step) if k.startswith(("a.", "delta.")))
        nearest = next(layers, None)
        return None if any(claim.key == nearest for claim in self.claims) else nearest

    def _mixtures(self, layer: str) -> list[Given]:
        """Return that layer with every number rounded or cut off by itself."""
        exact = work_out(self.step)[0][layer]
        choices = [sorted(set(_roundings(value))) for value in exact.ravel()]
        if not np.isfinite(exact).all() or prod(map(len, choices)) > _MOST_MIXTURES:
            return []
        return [Given({layer: np.reshape(each, exact.shape)}) for each in product(*choices)]


def _fits(claim: Claim, values: Quantities, slack: Array | float = 0.0) -> bool:
    return bool(claim.close(values[claim.key], slack).all())


def _layer_of_delta(key: str) -> int:
    """Return the layer whose delta a quantity is made of, delta.1, dW.1, W.1.after; 0 for none."""
    is_made = key[0] == "d" or (key.partition(".")[0] in ARRAYS and key.endswith(".after"))
    return int(key.split(".")[1]) if is_made else 0


def _in_arrays(
    form: Form, claims: Sequence[Claim], values: Quantities, right: Quantities
) -> Cause | None:
    """Return the claims that a mistake changes, if every one is right or as it makes it."""
    changed = [claim for claim in claims if not _fits(claim, right)]
    if not all(_fits(claim, values) for claim in changed):
        return None
    whole = all(_fits(claim, values) for claim in claims)
    places = [claim.key for claim in changed]
    if whole and form.rules.output_delta is not RIGHT.output_delta and places[0][0] == "d":
        last = max(map(_layer_of_delta, values))
        places = [f"delta.{last}"]
    return Cause(form, tuple(places), whole)


def reaches_down(rules: Rules) -> bool:
    """Return whether a mistake in a layer moves the deltas of all layers below."""
    return rules.recursion is not RIGHT.recursion or rules.f_prime is not RIGHT.f_prime


def only_in(rules: Rules, layers: frozenset[int]) -> Rules:
    """Return rules that are wrong in these layers only, counted from 1.

    It is about what is made layer by layer: recursion and f' on the way to a delta, and the update.
    """

    def recursion(w: Working, index: int) -> Array:
        return (rules if index in layers else RIGHT).recursion(w, index)

    def f_prime(w: Working, index: int) -> Array:
        return (rules if index + 1 in layers else RIGHT).f_prime(w, index)

    def update(w: Working) -> Array:
        flat, wrong = RIGHT.update(w).copy(), rules.update(w)
        for slot in w.network.layout.slots:
            if slot.layer + 1 in layers:
                slot.of(flat)[...] = slot.of(wrong)
        return flat

    by_layer: dict[str, Any] = {"recursion": recursion, "f_prime": f_prime, "update": update}
    return replace(rules, **{part: by_layer[part] for part in by_layer.keys() & changed(rules)})


def _is_near(claim: Claim, values: Array) -> bool:
    """Return whether rounding before may have made the claim of these values."""
    near = is_close(claim.values, values, relative=_MOST_ROUNDED, size=np.abs(values).max())
    return bool((near | np.isnan(claim.values)).all())


def _roundings(value: float) -> Iterator[float]:
    for places in _MIXED_PLACES:
        for at_places in (np.round, np.trunc):
            yield float(np.round(at_places(value * 10.0**places) / 10.0**places, places))
