"""The judge: in which conventions a working is written, and a verdict on each of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from deltaprop.checking.causes import Causes
from deltaprop.checking.conventions import Conventions, combinations
from deltaprop.checking.readings import Reading
from deltaprop.checking.step import Quantities, Step, nearest_before
from deltaprop.errors import DataError
from deltaprop.practice.marking.claims import Claim

__all__ = ["VERDICTS", "Judgement", "judge"]

Flags = npt.NDArray[np.bool_]
Index = tuple[int, ...]

RIGHT, ROUNDED, OTHERWISE, COARSE, FOLLOWS, WRONG = VERDICTS = (
    "right", "right, rounded", "right, in another convention", "right, but too coarse", "follows",
    "wrong",
)  # fmt: skip

_MOST_READ = 3  # conventions in which mistakes are looked for
# how many departures from the house's conventions each weighs as much; a number that nothing
# explains the more, the farther it is off
_MISTAKE, _UNEXPLAINED, _MOST_UNEXPLAINED = 2, 1.5, 5.0


@dataclass(frozen=True)
class Judgement:
    """A working read in the conventions that explain it best.

    Attributes
    ----------
    reading : Reading
        The working in these conventions.
    declared : Conventions
        Those that were declared.
    given : frozenset of str
        Claims that were judged before, in the step before this one, and are gone on with.
    """

    reading: Reading
    declared: Conventions
    given: frozenset[str] = frozenset()

    @cached_property
    def right(self) -> Quantities:
        """Return the right numbers, as these conventions write them."""
        return self._written(self.reading.conventions)

    @cached_property
    def _expected(self) -> Quantities:
        """Return the right numbers, as the declared conventions write them."""
        return self._written(self.declared)

    def _written(self, conventions: Conventions) -> Quantities:
        step = conventions.step(self.reading.given)
        return {key: conventions.written(key, value, step) for key, value in step.right.items()}

    @property
    def right_flags(self) -> dict[str, Flags]:
        """Return by claim which numbers are the right ones, as the house has them."""
        return self.reading.is_right

    @cached_property
    def _not_right(self) -> dict[str, Flags]:
        """Return by claim which numbers are neither right nor follow, where there are any."""
        if all(flags.all() for flags in self.right_flags.values()):
            return {}
        found = {key: off & ~self.right_flags[key] for key, off in self.reading.off.items()}
        return {k: flags for k, flags in found.items() if flags.any() and k not in self.given}

    @cached_property
    def wrong(self) -> dict[str, Flags]:
        """Return those that are wrong: of the too coarse ones only what a mistake gives."""
        if not self._is_asked:
            return self._not_right
        found = {
            key: flags if key in self.causes.single else flags & ~self.coarse[key]
            for key, flags in self._not_right.items()
        }
        return {key: flags for key, flags in found.items() if flags.any()}

    @property
    def _is_asked(self) -> bool:
        return any(isinstance(c, Claim) and c.habit.asked for c in self.reading.written)

    @cached_property
    def coarse(self) -> dict[str, Flags]:
        """Return by claim which numbers have fewer digits than are asked for, and are right so."""
        found = {}
        for claim, written in zip(self.reading.claims, self.reading.written, strict=True):
            assert isinstance(written, Claim)
            key, turns = claim.key, self.reading.conventions.turns(claim.key)
            found[key] = np.zeros(claim.values.shape, bool)
            if not written.habit.asked:
                continue
            factor = self.reading.conventions.factor(key, self.reading.step)
            for index, number in written.numbers.items():
                at = index[::-1] if turns else index
                found[key][at] = any(
                    number.is_too_coarse(float(of[key][at]) * factor, written.habit)
                    for of in (self.reading.step.right, self.reading.computed)
                )
        return found

    @cached_property
    def causes(self) -> Causes:
        """Return what gives the wrong claims."""
        return Causes(self.reading, self._not_right, self.right_flags)

    @property
    def departures(self) -> int:
        """Return how many choices are made otherwise than declared."""
        return len(self.reading.conventions.chosen) - len(self.declared.chosen)

    @cached_property
    def cost(self) -> float:
        """Return how much has to be assumed: departures, mistakes, and what stays unexplained."""
        single, evidence = self.causes.single, self.causes.evidence
        mistakes = {found.causes[0] for found in single.values()}
        unexplained = [
            min(_MOST_UNEXPLAINED, _UNEXPLAINED + evidence[key])
            for key in self.wrong
            if key not in single
        ]
        return self.departures + _MISTAKE * len(mistakes) + sum(unexplained)

    def verdict(self, claim: Claim, index: Index) -> str:
        """Return the verdict on one number, at its index as it is written."""
        key = claim.key
        at = index[::-1] if self.reading.conventions.turns(key) else index
        if self.right_flags[key][at]:
            number = claim.numbers[index]
            if self._is_otherwise(claim, index):
                return OTHERWISE
            right = float(self.right[key][index])
            return ROUNDED if number.is_rounded(right, claim.habit) else RIGHT
        if key in self.wrong and self.wrong[key][at]:
            return WRONG
        if self.coarse[key][at] and self.reading.off[key][at]:
            return COARSE
        return FOLLOWS if self.slips_before(key) else ROUNDED

    def _is_otherwise(self, claim: Claim, index: Index) -> bool:
        """Return whether a number is right only in conventions that nobody declared."""
        if self.reading.conventions == self.declared:
            return False
        expected = self._expected[claim.key]
        if expected.shape != claim.shape:
            return True
        return not claim.numbers[index].is_written_for(float(expected[index]), claim.habit)

    def is_systematic(self, key: str) -> bool:
        """Return whether all numbers of an array are wrong: they have a reason in common."""
        claim = next(claim for claim in self.reading.claims if claim.key == key)
        stated = ~np.isnan(claim.values)
        return bool(stated.sum() > 1 and self.wrong[key][stated].all())

    def slips_before(self, key: str) -> list[str]:
        """Return the nearest claims that are wrong, or follow from such, and are made use of."""
        return nearest_before(key, self._unsound, self.reading.step)

    @cached_property
    def _unsound(self) -> set[str]:
        """Return the claims with a number that is wrong or follows from one."""
        found: set[str] = set()
        for claim in self.reading.claims:
            stated = ~np.isnan(claim.values) & ~self.right_flags[claim.key]
            from_slips = stated.any() and nearest_before(claim.key, found, self.reading.step)
            is_given = stated.any() and claim.key in self.given
            if claim.key in self.wrong or from_slips or is_given:
                found.add(claim.key)
        return found


def judge(
    step: Step,
    claims: Sequence[Claim],
    declared: Conventions,
    given: frozenset[str] = frozenset(),
) -> Judgement:
    """Return the working read in the conventions that explain it best.

    Precision first: where some conventions make every number right, no mistake is looked for.
    Otherwise conventions are weighed against mistakes.
    """
    declared, _ = declared.fitting(step)
    habit = claims[0].habit
    usual = Reading(
        step, claims, habit.unit, declared, kept=habit.kept.unit if habit.kept else None
    )
    house = step.right
    keys = [claim.key for claim in claims]
    possible = [c for c in combinations(step, keys, declared) if _is_possible(c, claims, house)]
    others = [conventions for conventions in possible if conventions != declared]
    if declared in possible:
        first = Judgement(usual, declared, given)
        if not first.wrong or _is_plain(first, others):
            return first
    if not possible:
        raise DataError(_shapes(claims, house))
    different: dict[object, Reading] = {}
    for conventions in possible:
        reading = usual if conventions == declared else usual.otherwise(conventions)
        different.setdefault(reading.expects, reading)
    readings = list(different.values())
    n_off = {reading: reading.n_off(readings[0]) for reading in readings}
    ranked = sorted(readings, key=n_off.__getitem__)  # stable
    for reading in ranked:
        if n_off[reading] > n_off[ranked[0]]:
            break
        found = Judgement(reading, declared, given)
        if not found.wrong:
            return found
    chosen = dict.fromkeys([readings[0], *ranked[:_MOST_READ]])
    best = None
    for found in sorted(
        (Judgement(r, declared, given) for r in chosen), key=lambda j: j.departures
    ):
        if best is not None and best.cost <= found.departures + _MISTAKE:
            break
        if best is None or found.cost < best.cost:
            best = found
    assert best is not None
    return best


def _is_plain(first: Judgement, others: Sequence[Conventions]) -> bool:
    """Return whether one mistake says it all, and in other conventions its line is as wrong."""
    at = tuple(first.wrong)[:1]
    readings = (first.reading.otherwise(conventions, at) for conventions in others)
    return all(reading.n_off(first.reading) for reading in readings) and first.cost <= _MISTAKE


def _is_possible(conventions: Conventions, claims: Sequence[Claim], house: Quantities) -> bool:
    """Return whether every claim is written the way round in which conventions have it."""
    for claim in claims:
        shape = house[claim.key].shape
        if claim.shape != (shape[::-1] if conventions.turns(claim.key) else shape):
            return False
    return True


def _shapes(claims: Sequence[Claim], house: Quantities) -> str:
    turned = [c.key for c in claims if c.shape != house[c.key].shape]
    return (
        f"claims: {', '.join(turned)} have rows and columns exchanged, and others have not; "
        "expected all of a kind in one way: W[in][out], or W[out][in] throughout."
    )
