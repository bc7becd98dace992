"""Finding the mistake: the named mutant that gives the numbers somebody claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt

from deltaprop.checking.further_mistakes import Form, forms_for
from deltaprop.checking.mistakes import RIGHT, Rules
from deltaprop.practice.marking.claims import Claim
from deltaprop.practice.marking.precision import Habit
from deltaprop.practice.marking.step import (
    Given,
    Quantities,
    Step,
    ancestors,
    nearest_before,
    operands_of,
    work_out,
)

__all__ = ["Found", "Search"]

Array = npt.NDArray[np.float64]
Index = tuple[int, ...]

_PLACES = (6, 5, 4, 3, 2)  # to which numbers that are not claimed may have been rounded
_MIXED_PLACES = (3, 2)  # the same, by whoever rounds one number of a layer more than another
_MOST_MIXTURES = 300
_MOST_ROUNDED = 0.05  # of the largest number of a claim; rounding before does no more
_EVIDENCE = 5  # significant digits that no mistake out of dozens gives by chance
_DRAWS = 6
_MOST_SLACK = 0.1  # of the number itself; a claim that nothing is sure of proves nothing


@dataclass(frozen=True)
class Found:
    """What was found about one wrong claim.

    Attributes
    ----------
    names : tuple of str
        The mistakes that give its numbers equally well, the likeliest first; empty for none.
    rounded : tuple of float
        What the layer before was rounded to, where only this gives its numbers.
    """

    names: tuple[str, ...] = ()
    rounded: tuple[float, ...] = ()


@dataclass(frozen=True)
class Search:
    """The claims of one working, and what of them is off.

    Attributes
    ----------
    step : Step
        What they are about.
    claims : list of Claim
        All of them.
    off : dict
        By key the indices whose number is not the right one.
    habit : Habit
        How precisely the working is written.
    """

    step: Step
    claims: list[Claim]
    off: Mapping[str, set[Index]]
    habit: Habit

    @cached_property
    def slips(self) -> Given:
        """Return the claimed numbers that are off, to go on with."""
        return Given({c.key: c.as_array(self.off[c.key]) for c in self.claims if self.off[c.key]})

    @cached_property
    def everything(self) -> Given:
        """Return all claimed numbers, to go on with."""
        return Given({c.key: c.as_array() for c in self.claims})

    def from_slips(self, rules: Rules = RIGHT) -> tuple[Quantities, Quantities]:
        """Work out the step from the slips, and how unsure that is since they are rounded.

        Returns
        -------
        computed, slack : dict of str to ndarray
            Each quantity, and by how much it moves when a slip moves by a unit in its last place.
        """
        computed, _ = work_out(self.step, rules, self.slips)
        slack = {key: np.zeros_like(value) for key, value in computed.items()}
        rng = np.random.default_rng(0)
        units = {c.key: c.units() for c in self.claims if self.off[c.key]}
        for _ in range(_DRAWS if self.slips.numbers else 0):
            moved = Given(
                {
                    key: numbers + units[key] * rng.choice([-1.0, 1.0], size=numbers.shape)
                    for key, numbers in self.slips.numbers.items()
                }
            )
            again, _ = work_out(self.step, rules, moved)
            for key, value in again.items():
                with np.errstate(invalid="ignore"):
                    difference = np.nan_to_num(np.abs(value - computed[key]), nan=0.0)
                    difference = np.minimum(difference, _MOST_SLACK * np.abs(computed[key]))
                slack[key] = np.maximum(slack[key], difference)
        return computed, slack

    def name(self, wrong: list[str]) -> dict[str, Found]:
        """Return for each wrong claim which mistakes give its numbers.

        A mistake that alone gives every number of the working is the one. Otherwise each claim
        is asked by itself, and among several mistakes the one that gives the most wrong claims,
        then the most claims, is preferred.

        Parameters
        ----------
        wrong : list of str
            The keys of claims that hold a number which does not follow from the claims before.
        """
        by_key = {claim.key: claim for claim in self.claims}
        alone = tuple(
            form.name
            for form, values in self._pure
            if all(self._gives(claim, values) for claim in self.claims)
        )
        if alone:
            alone = tuple(dict.fromkeys(alone))
            return {key: Found(alone) for key in wrong}
        scores = self._scores([by_key[key] for key in wrong])
        found = {}
        for key in wrong:
            rated = {name: score for name, (keys, score) in scores.items() if key in keys}
            best = max(rated.values(), default=None)
            names = tuple(name for name, score in rated.items() if score == best)
            found[key] = Found(names)
        unnamed = [key for key in wrong if not found[key].names]
        for key in unnamed:  # one layer rounded unevenly explains a claim or two, not a dozen
            found[key] = self._with_rounding(by_key[key], mixed=len(unnamed) <= 2)
        return found

    @cached_property
    def _pure(self) -> list[tuple[Form, Quantities]]:
        return [(form, work_out(self.step, form.rules)[0]) for form in self._forms]

    @cached_property
    def _forms(self) -> list[Form]:
        """Return all forms, the commonest of each mistake first."""
        return sorted(forms_for(self.step.network), key=lambda form: form.rank)

    def _gives(self, claim: Claim, values: Quantities, slack: Quantities | None = None) -> bool:
        room = 0.0 if slack is None else slack[claim.key]
        return claim.is_written_for(values[claim.key], self.habit, room)

    def _scores(self, wrong: list[Claim]) -> dict[str, tuple[set[str], tuple[int, int]]]:
        """Return by mistake the wrong claims it gives, and how much speaks for it."""
        slips = {key for key, indices in self.off.items() if indices}
        found: dict[str, set[str]] = {}
        reach: dict[str, int] = {}
        for form, values in self._pure:
            name = form.name
            given = {c.key for c in wrong if self._gives(c, values)}
            everywhere = sum(self._gives(c, values) for c in self.claims)
            others = [
                c for c in wrong if c.key not in given and nearest_before(c.key, slips, self.step)
            ]
            if others:  # perhaps made with the slips before taken as given
                computed, slack = self.from_slips(form.rules)
                given |= {c.key for c in others if self._gives(c, computed, slack)}
            given = {c.key for c in wrong if c.key in given and self._is_likely(c, values)}
            found[name] = found.get(name, set()) | given
            reach[name] = max(reach.get(name, 0), everywhere)
        return {name: (keys, (len(keys), reach[name])) for name, keys in found.items()}

    def _is_likely(self, claim: Claim, values: Quantities) -> bool:
        """Return whether a mistake that gives a claim can hardly do so by chance.

        It can when it does not give the right claims that this one is made from, and the claim
        has few digits.
        """
        digits = sum(claim.numbers[index].digits for index in self.off[claim.key])
        made_from = ancestors(claim.key, self.step)
        return digits >= _EVIDENCE or all(
            self._gives(c, values)
            for c in self.claims
            if c.key in made_from and not self.off[c.key]
        )

    def _with_rounding(self, claim: Claim, *, mixed: bool) -> Found:
        """Ask once more, with the layer before rounded: first by the right rules, then by wrong."""
        layer = self._layer_before(claim.key)
        if layer is None:
            return Found()
        roundings = [Given(self.slips.numbers, places) for places in _PLACES]
        roundings += self._mixtures(layer) if mixed else []
        right = Form("", RIGHT, 0)
        exactly = [(right, work_out(self.step, RIGHT, self.slips)[0]), *self._pure]
        near = [
            form
            for form, values in exactly
            if _is_near(claim, values[claim.key]) and self._is_likely(claim, values)
        ]
        for forms in ([f for f in near if f is right], [f for f in near if f is not right]):
            for given in roundings if forms else ():
                names, rounded = [], np.empty(0)
                for form in forms:
                    computed, used = work_out(self.step, form.rules, given)
                    if self._gives(claim, computed):
                        names.append(form.name)
                        rounded = used[layer]
                if names:
                    values = tuple(float(value) for value in rounded.ravel())
                    return Found(tuple(dict.fromkeys(filter(None, names))), values)
        return Found()

    def _layer_before(self, key: str) -> str | None:
        """Return the nearest activations or deltas before, unless they are claimed."""
        waiting = list(operands_of(key, self.step))
        while waiting:
            operand = waiting.pop(0)
            if operand.startswith(("a.", "delta.")):
                claimed = any(claim.key == operand for claim in self.claims)
                return None if claimed else operand
            waiting += operands_of(operand, self.step)
        return None

    def _mixtures(self, layer: str) -> list[Given]:
        """Return that layer with every number rounded or cut off by itself."""
        exact = work_out(self.step)[0][layer]
        choices = [
            sorted({_places(value, places, how) for places in _MIXED_PLACES for how in _HOW})
            for value in exact.ravel()
        ]
        if not np.isfinite(exact).all() or prod(map(len, choices)) > _MOST_MIXTURES:
            return []
        return [Given({layer: np.reshape(each, exact.shape)}) for each in product(*choices)]


def _is_near(claim: Claim, values: Array) -> bool:
    """Return whether rounding before may have made the claim of these values."""
    most = _MOST_ROUNDED * float(np.abs(values).max())
    return all(
        abs(number.value - float(values[index])) <= most  # never so where one of them is NaN
        for index, number in claim.numbers.items()
    )


_HOW = (np.round, np.trunc)


def _places(value: float, places: int, how: Callable[[float], float]) -> float:
    return float(np.round(how(value * 10.0**places) / 10.0**places, places))
